/*
 * Reductions over any dimensions. Terms come piece by piece into a buffer; sums are in double. Many terms are several
 * parts of a sum, one thread's each. The lengths of the reduced dimensions alone, and whether the innermost one is
 * among them, decide on parts and order.
 */
#include "backend/cpu/cpu_reduce.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>

enum { LANES = 8, MOST_LANES = 64, BUFFER = 2048, MOST_PARTS = 32, PART = 1 << 15 /* terms, or more */ };

/* As wide as registers are: of wider ones gcc 12 keeps the parts in memory. */
typedef double Doubles2 __attribute__((vector_size(16)));
typedef double Doubles4 __attribute__((vector_size(32)));
typedef double Doubles8 __attribute__((vector_size(64)));
typedef float Floats2 __attribute__((vector_size(8)));
typedef float Floats4 __attribute__((vector_size(16)));
typedef float Floats8 __attribute__((vector_size(32)));

/*
 * Adds @rows rows of @n numbers, which begin @stride apart, to @into: number i to @into[i], or where they are @one's,
 * to @into[i % LANES].
 */
typedef void (*Fold)(const float *from, gint64 rows, gint64 n, gint64 stride, gboolean one, double *into);
/* What one number each becomes of @rows rows of @n numbers, which begin @stride apart. */
typedef void (*FoldLines)(const float *from, gint64 rows, gint64 n, gint64 stride, double *into);

#define ADD_LANES(sums, from, WIDTH)                                                                                   \
    for (int k = 0; k < LANES / WIDTH; k++) {                                                                          \
        Floats##WIDTH terms;                                                                                           \
        memcpy(&terms, (from) + k * WIDTH, sizeof terms);                                                              \
        sums[k] += __builtin_convertvector(terms, Doubles##WIDTH);                                                     \
    }
#define SUM(name, TARGET, WIDTH)                                                                                       \
    TARGET static inline void name(const float *from, gint64 rows, gint64 n, gint64 stride, gboolean one,              \
                                   double *into)                                                                       \
    {                                                                                                                  \
        gint64 whole = n / LANES * LANES;                                                                              \
        Doubles##WIDTH sums[LANES / WIDTH];                                                                            \
        for (gint64 i = 0; i < whole && !one; i += LANES) {                                                            \
            memcpy(sums, into + i, sizeof sums);                                                                       \
            for (gint64 r = 0; r < rows; r++)                                                                          \
                ADD_LANES(sums, from + r * stride + i, WIDTH)                                                          \
            memcpy(into + i, sums, sizeof sums);                                                                       \
        }                                                                                                              \
        for (gint64 r = 0; r < rows && one; r++) {                                                                     \
            memcpy(sums, into, sizeof sums);                                                                           \
            for (gint64 i = 0; i < whole; i += LANES)                                                                  \
                ADD_LANES(sums, from + r * stride + i, WIDTH)                                                          \
            memcpy(into, sums, sizeof sums);                                                                           \
        }                                                                                                              \
        for (gint64 r = 0; r < rows; r++)                                                                              \
            for (gint64 i = whole; i < n; i++)                                                                         \
                into[one ? i - whole : i] += (double)from[r * stride + i];                                             \
    }

/* The larger one, or NaN if either is. */
static inline __attribute__((always_inline)) double larger(double a, double b)
{
    double most = b > a ? b : a;
    return b != b ? b : most;
}

#define MOST(name, TARGET)                                                                                             \
    TARGET static inline void name(const float *from, gint64 rows, gint64 n, gint64 stride, gboolean one,              \
                                   double *into)                                                                       \
    {                                                                                                                  \
        gint64 step = one ? LANES : n;                                                                                 \
        for (gint64 r = 0; r < rows; r++)                                                                              \
            for (gint64 begin = 0; begin < n; begin += step) {                                                         \
                const float *terms = from + r * stride + begin;                                                        \
                gint64 end = MIN(step, n - begin);                                                                     \
                _Pragma("omp simd") for (gint64 i = 0; i < end; i++) into[i] = larger(into[i], (double)terms[i]);      \
            }                                                                                                          \
    }

/* As every other sum or maximum of one line: lane by lane, and then the lanes one after the other. */
#define LINES(fold, TARGET, FIRST, JOIN)                                                                               \
    TARGET static void fold##_lines(const float *from, gint64 rows, gint64 n, gint64 stride, double *into)             \
    {                                                                                                                  \
        for (gint64 r = 0; r < rows; r++) {                                                                            \
            double lanes[LANES] = { FIRST, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST, FIRST };                          \
            fold(from + r * stride, 1, n, 0, TRUE, lanes);                                                             \
            for (int i = 1; i < LANES; i++)                                                                            \
                lanes[0] = JOIN(lanes[0], lanes[i]);                                                                   \
            into[r] = lanes[0];                                                                                        \
        }                                                                                                              \
    }

static inline __attribute__((always_inline)) double sum(double a, double b)
{
    return a + b;
}

SUM(sum_baseline, CPU_BASELINE, 2)
SUM(sum_avx2, CPU_AVX2, 4)
SUM(sum_avx512, CPU_AVX512, 8)
MOST(most_baseline, CPU_BASELINE)
MOST(most_avx2, CPU_AVX2)
MOST(most_avx512, CPU_AVX512)
LINES(sum_baseline, CPU_BASELINE, 0, sum)
LINES(sum_avx2, CPU_AVX2, 0, sum)
LINES(sum_avx512, CPU_AVX512, 0, sum)
LINES(most_baseline, CPU_BASELINE, -INFINITY, larger)
LINES(most_avx2, CPU_AVX2, -INFINITY, larger)
LINES(most_avx512, CPU_AVX512, -INFINITY, larger)

static const Fold folds[2][AIMF_N_ISAS] = {
    AIMF_ISA_TABLE(sum_baseline, sum_avx2, sum_avx512, sum_avx512),
    AIMF_ISA_TABLE(most_baseline, most_avx2, most_avx512, most_avx512),
};

static const FoldLines line_folds[2][AIMF_N_ISAS] = {
    AIMF_ISA_TABLE(sum_baseline_lines, sum_avx2_lines, sum_avx512_lines, sum_avx512_lines),
    AIMF_ISA_TABLE(most_baseline_lines, most_avx2_lines, most_avx512_lines, most_avx512_lines),
};

/* How the dimensions of a nest are gone through. The last one is either reduced or lanes of the result. */
typedef struct {
    const CpuBroadcastKernel *kernel;
    const CpuNest *nest;
    Fold fold;
    int kept[CPU_NEST_DIMS], n_kept;       /* without the last */
    int reduced[CPU_NEST_DIMS], n_reduced; /* without the last, and without rows */
    int rows;                              /* the innermost reduced one but the last; -1: none */
    gboolean one;                          /* the last one is reduced */
    gint64 n_places, n_lanes;              /* of the result, a place for each of the kept ones; lanes are 1 with @one */
    gint64 length[3];                      /* rounds of the reduced ones, rows, and with @one what is along these */
    gint64 n_parts;
    int split; /* which of the lengths the parts are of */
} Walk;

static Walk walk_of(const CpuBroadcastKernel *kernel, const CpuNest *nest)
{
    int last = nest->n_dims - 1;
    Walk walk = { .kernel = kernel, .nest = nest, .rows = -1, .n_places = 1, .length = { 1, 1, 1 } };
    walk.fold = folds[kernel->maximum][aimf_instruction_set()];
    walk.one = nest->stride[3][last] == 0;
    walk.n_lanes = walk.one ? 1 : nest->size[last];
    walk.length[2] = walk.one ? nest->size[last] : 1;
    for (int d = last - 1; d >= 0; d--) {
        if (nest->stride[3][d] == 0 && walk.rows < 0) {
            walk.rows = d;
            walk.length[1] = nest->size[d];
        }
    }
    for (int d = 0; d < last; d++) {
        if (nest->stride[3][d] != 0) {
            walk.kept[walk.n_kept++] = d;
            walk.n_places *= nest->size[d];
        } else if (d != walk.rows) {
            walk.reduced[walk.n_reduced++] = d;
            walk.length[0] *= nest->size[d];
        }
    }
    for (int i = 1; i < 3; i++)
        if (walk.length[i] > walk.length[walk.split])
            walk.split = i;
    walk.n_parts = walk.length[0] * walk.length[1] * walk.length[2] / PART;
    walk.n_parts = MAX(1, MIN(walk.n_parts, MIN(walk.length[walk.split], MOST_PARTS)));
    return walk;
}

gsize cpu_reduce_scratch_bytes(const CpuBroadcastKernel *kernel)
{
    gint64 most = 0;
    for (int i = 0; i < kernel->n_nests; i++) {
        const Walk walk = walk_of(kernel, &kernel->nests[i]);
        if (walk.n_parts > 1)
            most = MAX(most, walk.n_places * walk.n_lanes * walk.n_parts);
    }
    return (gsize)most * sizeof(double);
}

/*
 * The terms of @lanes lanes from @at on in @rows places of dimension @dim (-1: one), *@stride apart: where they are, or
 * mapped into @buffer, which has room for them.
 */
static const float *terms_at(const Walk *walk, const gint64 *at, int dim, gint64 rows, gint64 lanes, float *buffer,
                             gint64 *stride)
{
    const CpuBroadcastKernel *kernel = walk->kernel;
    const CpuNest *nest = walk->nest;
    int last = nest->n_dims - 1;
    CpuPiece piece = { .out = buffer, .rows = rows, .lanes = lanes, .scale = 1, .row = { 0, 0, 0, lanes } };
    gboolean is_flat = TRUE;
    for (int k = 0; k < 3; k++) {
        piece.in[k] = kernel->in[k] ? kernel->in[k] + (gsize)at[k] * kernel->in_bytes : NULL;
        piece.lane[k] = kernel->in[k] ? nest->stride[k][last] : 1;
        piece.row[k] = kernel->in[k] && dim >= 0 ? nest->stride[k][dim] : 0;
        is_flat &= !kernel->in[k] || (piece.lane[k] == 1 && piece.row[k] == lanes);
    }
    *stride = kernel->map ? lanes : piece.row[0];
    if (!kernel->map)
        return piece.in[0];
    if (is_flat) {
        piece.lanes *= rows;
        piece.rows = 1;
    }
    kernel->map(&piece);
    return buffer;
}

/* What part number @part has of the terms of @lanes lanes of the result, which with @one are 1, from @first on. */
static void fold_part(const Walk *walk, const gint64 *first, gint64 lanes, gint64 part, double *into)
{
    const CpuNest *nest = walk->nest;
    float buffer[BUFFER];
    gint64 begin[3] = { 0 }, end[3], length = walk->length[walk->split];
    memcpy(end, walk->length, sizeof end);
    begin[walk->split] = length * part / walk->n_parts;
    end[walk->split] = length * (part + 1) / walk->n_parts;
    int last = nest->n_dims - 1;
    gint64 along = walk->one ? end[2] - begin[2] : lanes;
    gint64 most_along = MIN(along, BUFFER), most_rows = MAX(BUFFER / along, 1);
    for (gint64 round = begin[0]; round < end[0]; round++) {
        gint64 start[CPU_NEST_OPERANDS], at[CPU_NEST_OPERANDS];
        memcpy(start, first, sizeof start);
        cpu_nest_move(nest, walk->reduced, walk->n_reduced, round, start);
        for (gint64 row = begin[1]; row < end[1]; row += most_rows)
            for (gint64 done = 0; done < along; done += most_along) {
                for (int k = 0; k < CPU_NEST_OPERANDS; k++)
                    at[k] = start[k] + (begin[2] + done) * nest->stride[k][last] +
                            (walk->rows < 0 ? 0 : row * nest->stride[k][walk->rows]);
                gint64 rows = MIN(most_rows, end[1] - row), n = MIN(most_along, along - done), stride;
                const float *terms = terms_at(walk, at, walk->rows, rows, n, buffer, &stride);
                walk->fold(terms, rows, n, stride, walk->one, into);
            }
    }
}

static double joined(const Walk *walk, double a, double b)
{
    return walk->kernel->maximum ? larger(a, b) : a + b;
}

static void store(const CpuBroadcastKernel *kernel, gint64 at, double value)
{
    float rounded = (float)(value * kernel->scale);
    if (kernel->out_is_bf16)
        ((guint16 *)kernel->out)[at] = cpu_to_bf16(rounded);
    else
        ((float *)kernel->out)[at] = rounded;
}

/* Place number @place, lanes from @lane on, @most of them: one part of them into the scratch memory, or the result. */
static void reduce_part(const Walk *walk, gint64 place, gint64 lane, gint64 most, gint64 part)
{
    const CpuNest *nest = walk->nest;
    int last = nest->n_dims - 1;
    double into[MOST_LANES];
    gint64 at[CPU_NEST_OPERANDS], lanes = MIN(most, walk->n_lanes - lane);
    memcpy(at, nest->first, sizeof at);
    cpu_nest_move(nest, walk->kept, walk->n_kept, place, at);
    for (int k = 0; k < CPU_NEST_OPERANDS; k++)
        at[k] += lane * nest->stride[k][last];
    for (int i = 0; i < MOST_LANES; i++)
        into[i] = walk->kernel->maximum ? -INFINITY : 0;
    fold_part(walk, at, lanes, part, into);
    for (int i = 1; i < LANES && walk->one; i++)
        into[0] = joined(walk, into[0], into[i]);
    for (gint64 i = 0; i < lanes; i++)
        if (walk->n_parts > 1)
            walk->kernel->scratch[(place * walk->n_lanes + lane + i) * walk->n_parts + part] = into[i];
        else
            store(walk->kernel, at[3] + i * nest->stride[3][last], into[i]);
}

/*
 * Where every place has one line of terms, as a mean over small pictures has: neighbours along the last of the kept
 * dimensions together, as many as the buffer has room for and leave work for all threads.
 */
static gboolean is_lines(const Walk *walk)
{
    return walk->one && walk->rows < 0 && walk->n_reduced == 0 && walk->n_parts == 1 && walk->n_kept > 0 &&
           walk->length[2] <= BUFFER / 2;
}

static void reduce_lines(const Walk *walk)
{
    const CpuBroadcastKernel *kernel = walk->kernel;
    const CpuNest *nest = walk->nest;
    const int n_outer = walk->n_kept - 1, along = walk->kept[n_outer];
    gint64 n = walk->length[2], most = MAX(1, MIN(MIN(BUFFER / n, MOST_LANES), walk->n_places / MOST_LANES));
    gint64 pieces = (nest->size[along] + most - 1) / most;
#pragma omp parallel for schedule(static)
    for (gint64 task = 0; task < walk->n_places / nest->size[along] * pieces; task++) {
        float buffer[BUFFER];
        double into[MOST_LANES];
        gint64 first = task % pieces * most, n_lines = MIN(most, nest->size[along] - first);
        gint64 at[CPU_NEST_OPERANDS], stride;
        memcpy(at, nest->first, sizeof at);
        cpu_nest_move(nest, walk->kept, n_outer, task / pieces, at);
        for (int k = 0; k < CPU_NEST_OPERANDS; k++)
            at[k] += first * nest->stride[k][along];
        const float *terms = terms_at(walk, at, along, n_lines, n, buffer, &stride);
        line_folds[kernel->maximum][aimf_instruction_set()](terms, n_lines, n, stride, into);
        for (gint64 i = 0; i < n_lines; i++)
            store(kernel, at[3] + i * nest->stride[3][along], into[i]);
    }
}

static void join_parts(const Walk *walk, gint64 place)
{
    const CpuNest *nest = walk->nest;
    gint64 at[CPU_NEST_OPERANDS];
    memcpy(at, nest->first, sizeof at);
    cpu_nest_move(nest, walk->kept, walk->n_kept, place, at);
    for (gint64 lane = 0; lane < walk->n_lanes; lane++) {
        const double *parts = walk->kernel->scratch + (place * walk->n_lanes + lane) * walk->n_parts;
        double value = parts[0];
        for (gint64 part = 1; part < walk->n_parts; part++)
            value = joined(walk, value, parts[part]);
        store(walk->kernel, at[3] + lane * nest->stride[3][nest->n_dims - 1], value);
    }
}

gboolean cpu_reduce_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const CpuBroadcastKernel *kernel = (CpuBroadcastKernel *)base;
    for (int i = 0; i < kernel->n_nests; i++) {
        const Walk walk = walk_of(kernel, &kernel->nests[i]);
        if (is_lines(&walk)) {
            reduce_lines(&walk);
            continue;
        }
        /* With few places each task has fewer lanes, so that there is work for many threads; sums are the same. */
        gint64 most = walk.n_places * walk.n_lanes < MOST_LANES * MOST_LANES ? 2 * LANES : MOST_LANES;
        gint64 n_pieces = (walk.n_lanes + most - 1) / most;
#pragma omp parallel for collapse(3) schedule(static)
        for (gint64 place = 0; place < walk.n_places; place++)
            for (gint64 piece = 0; piece < n_pieces; piece++)
                for (gint64 part = 0; part < walk.n_parts; part++)
                    reduce_part(&walk, place, piece * most, most, part);
        for (gint64 place = 0; place < walk.n_places && walk.n_parts > 1; place++)
            join_parts(&walk, place);
    }
    return TRUE;
}
