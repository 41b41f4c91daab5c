/*
 * The kernels of attention, written once for all instruction sets. A file that includes this has defined
 *
 *   KERNELS, NAME            the AttentionKernels to fill in, and its name; is_supported()
 *   TARGET                   the functions' target attribute
 *   ROWS, LANES, PAIR        of AttentionKernels; PAIR 2 means bf16
 *   MOST_VECTORS             width of the widest tile of sums that fits into registers
 *   Vector                   LANES floats, and the functions vector_load, _store, _fill, _add, _multiply,
 *   _multiply_add (a b + c),
 *                            _larger (its second operand where one is NaN), _first_lane, _largest_lane, _sum_lanes,
 *   vector_fraction(x)       x - floor(x), of minus infinity any number
 *   vector_scale(p, x)       p 2^floor(x), 0 for minus infinity; NaN where p or x is
 *   multiply_words(a, b, c)  c + products of the word at a with those at b
 *   store_weights(row, i, w) makes vector i of a row of words from weights; it may lie in the memory of vectors i and
 *   before store_weight_pair(...)   the same of vectors i and i + 1, i being even
 */
#include "backend/cpu/cpu_attention_kernels.h"
#include "backend/cpu/cpu_bf16.h"

#include <math.h>

#define INLINE TARGET static inline __attribute__((always_inline))

#if PAIR == 2
typedef guint16 Element;
#define TO_ELEMENT cpu_to_bf16
/*
 * (2^r - 1) / r for r in [0, 1], fitted for the least maximum of 2^r's relative error: 8.6e-5, where rounding to bf16
 * loses up to 3.9e-3. Without a constant to fit 2^0 is 1 exactly: as long as no larger score turns up, sums do not
 * shrink.
 */
static const float exp2_coefficients[] = { 0.695116787F, 0.227644989F, 0.0770670443F };
#else
typedef float Element;
#define TO_ELEMENT(value) (value)
/* The same: 2.0e-9, beside rounding to f32 of up to 6.0e-8. */
static const float exp2_coefficients[] = { 0.693147044F,   0.240229306F,   0.0554852806F,
                                           0.00967545158F, 0.00124678464F, 0.000216129153F };
#endif

/* For x up to about 0. */
INLINE Vector exp2_of(Vector x)
{
    enum { DEGREE = G_N_ELEMENTS(exp2_coefficients) };
    Vector r = vector_fraction(x), power = vector_fill(exp2_coefficients[DEGREE - 1]);
#pragma GCC unroll 8
    for (int i = DEGREE - 2; i >= 0; i--)
        power = vector_multiply_add(power, r, vector_fill(exp2_coefficients[i]));
    return vector_scale(vector_multiply_add(power, r, vector_fill(1)), x);
}

/**
 * Product: sums (ROWS, vectors) = a (ROWS, depth) b [vector][depth][LANES], or += where @shrink (ROWS) is not NULL,
 * times it.
 */
typedef struct {
    const guint32 *a, *b;
    float *sums;
    const float *shrink;
    gint64 depth, a_row, b_vector, sums_row;
} Product;

INLINE void multiply_tile(const Product *p, gint64 first, const int vectors)
{
    const guint32 *a = p->a, *b = p->b + first * p->b_vector;
    const gint64 a_row = p->a_row, b_vector = p->b_vector;
    float *to = p->sums + first * LANES;
    Vector sums[ROWS][MOST_VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sums[r][v] = p->shrink
                             ? vector_multiply(vector_load(to + r * p->sums_row + v * LANES), vector_fill(p->shrink[r]))
                             : vector_fill(0);
    for (gint64 k = 0; k < p->depth; k++, a++, b += LANES) {
        Vector factors[MOST_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            factors[v] = vector_load((const float *)(b + v * b_vector));
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sums[r][v] = multiply_words(a + r * a_row, factors[v], sums[r][v]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            vector_store(to + r * p->sums_row + v * LANES, sums[r][v]);
}

/* In tiles as equal as can be: a narrow one at the end would wait for its own sums. */
TARGET static void multiply(const Product *product, gint64 vectors)
{
    for (gint64 first = 0; first < vectors;) {
        gint64 left = vectors - first, tiles = (left + MOST_VECTORS - 1) / MOST_VECTORS;
        gint64 width = (left + tiles - 1) / tiles;
        switch (width) {
#if MOST_VECTORS > 3
        case 4:
            multiply_tile(product, first, 4);
            break;
#endif
#if MOST_VECTORS > 2
        case 3:
            multiply_tile(product, first, 3);
            break;
#endif
        case 2:
            multiply_tile(product, first, 2);
            break;
        default:
            multiply_tile(product, first, 1);
        }
        first += width;
    }
}

/*
 * The largest of @vectors, which the first and the last of them take turns to look for: one alone would wait for
 * itself.
 */
INLINE float find_largest(const float *row, gint64 vectors)
{
    Vector even = vector_load(row), odd = vector_load(row + (vectors - 1) * LANES);
    for (gint64 i = 1; i + 1 < vectors; i += 2) {
        even = vector_larger(vector_load(row + i * LANES), even);
        odd = vector_larger(vector_load(row + (i + 1) * LANES), odd);
    }
    return vector_largest_lane(vector_larger(even, odd));
}

/*
 * Turns one query's products with @vectors of keys, of which it sees @visible, into weights. Returns: by how much the
 * sums shrink.
 */
INLINE float weigh(float *row, gint64 vectors, gint64 visible, float scale, float *largest, float *weight)
{
    for (gint64 i = MAX(visible, 0); i < vectors * LANES; i++)
        row[i] = -INFINITY;
    float before = *largest, now = MAX(before, find_largest(row, vectors));
    float top = now > -INFINITY ? now * scale : 0; /* nothing but -inf yet: weights of 0, not NaN */
    *largest = now;

    const Vector scales = vector_fill(scale), tops = vector_fill(-top);
    Vector even = vector_fill(0), odd = even;
    for (gint64 i = 0; i + 1 < vectors; i += 2) {
        Vector a = exp2_of(vector_multiply_add(vector_load(row + i * LANES), scales, tops));
        Vector b = exp2_of(vector_multiply_add(vector_load(row + (i + 1) * LANES), scales, tops));
        even = vector_add(even, a);
        odd = vector_add(odd, b);
        store_weight_pair(row, i, a, b);
    }
    if (vectors % 2) {
        Vector a = exp2_of(vector_multiply_add(vector_load(row + (vectors - 1) * LANES), scales, tops));
        even = vector_add(even, a);
        store_weights(row, vectors - 1, a);
    }
    float shrink = vector_first_lane(exp2_of(vector_fill(before * scale - top)));
    *weight = *weight * shrink + vector_sum_lanes(vector_add(even, odd));
    return shrink;
}

TARGET static void attend(const AttentionTile *tile)
{
    gint64 seen = MIN(tile->keys, tile->diagonal + ROWS - 1), vectors = (seen + LANES - 1) / LANES;
    if (seen <= 0)
        return;
    const Product products = { .a = tile->q,
                               .b = tile->k,
                               .sums = tile->scores,
                               .depth = tile->depth,
                               .a_row = tile->depth,
                               .b_vector = tile->depth * LANES,
                               .sums_row = tile->score_stride };
    multiply(&products, vectors);
    float shrink[ROWS];
    for (int r = 0; r < ROWS; r++)
        shrink[r] = weigh(tile->scores + r * tile->score_stride, vectors, MIN(tile->keys, tile->diagonal + r),
                          tile->scale, &tile->largest[r], &tile->weight[r]);
    const Product sums = { .a = (const guint32 *)tile->scores,
                           .b = tile->v,
                           .sums = tile->sums,
                           .shrink = shrink,
                           .depth = vectors * LANES / PAIR,
                           .a_row = tile->score_stride,
                           .b_vector = tile->value_depth * LANES,
                           .sums_row = tile->channels };
    multiply(&sums, tile->channels / LANES);
}

TARGET static void finish(const float *sums, gint64 channels, const float *weight, const AttentionRows *to)
{
    for (gint64 r = 0; r < to->rows; r++) {
        Element *y = (Element *)to->data + r * to->stride;
        const float *x = sums + r * channels;
        _Pragma("omp simd") for (gint64 c = 0; c < to->head_size; c++) y[c] = TO_ELEMENT(x[c] / weight[r]);
    }
}

/* Row @row of the head as words, each @step words after the last; a pair without a second element has a zero. */
INLINE void scatter_words(const Element *row, gint64 n, gint64 step, guint32 *to)
{
    for (gint64 i = 0; i < n / PAIR; i++)
        memcpy(to + i * step, row + i * PAIR, sizeof *to);
    if (n % PAIR) {
        to[n / PAIR * step] = 0;
        memcpy(to + n / PAIR * step, row + n - 1, sizeof *row);
    }
}

TARGET static void pack_keys(const AttentionRows *from, gint64 padded, guint32 *to)
{
    gint64 depth = (from->head_size + PAIR - 1) / PAIR;
    if (from->rows < padded)
        memset(to + from->rows / LANES * LANES * depth, 0, (gsize)(LANES * depth) * sizeof *to);
    for (gint64 r = 0; r < from->rows; r++)
        scatter_words((const Element *)from->data + r * from->stride, from->head_size, LANES,
                      to + r / LANES * LANES * depth + r % LANES);
}

/* One vector of words from PAIR rows, all of them there or not. */
INLINE void join_rows(const Element *row, gint64 stride, guint32 *to)
{
#if PAIR == 2
    for (int c = 0; c < LANES; c++)
        to[c] = row[c] | (guint32)row[stride + c] << 16;
#else
    (void)stride;
    memcpy(to, row, LANES * sizeof *to);
#endif
}

TARGET static void pack_values(const AttentionRows *from, gint64 padded, guint32 *to)
{
    gint64 n = from->head_size, stride = from->stride;
    for (gint64 first = 0; first < n; first += LANES)
        for (gint64 r = 0; r < padded; r += PAIR, to += LANES) {
            const Element *row = (const Element *)from->data + r * stride + first;
            if (r + PAIR <= from->rows && first + LANES <= n) {
                join_rows(row, stride, to);
                continue;
            }
            Element edge[PAIR][LANES] = { 0 };
            for (gint64 i = 0; i < MIN(PAIR, from->rows - r); i++)
                memcpy(edge[i], row + i * stride, (gsize)MIN(LANES, n - first) * sizeof *row);
            join_rows(edge[0], LANES, to);
        }
}

const AttentionKernels KERNELS = { NAME, ROWS, LANES, PAIR, is_supported, attend, finish, pack_keys, pack_values };
