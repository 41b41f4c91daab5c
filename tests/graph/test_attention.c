/*
 * The oneDNN backend's own attention kernels, each that this processor can run and not only the fastest: against the
 * definition in f64, at extreme scores, with numbers that are none, and to the bit whatever the batch and the number
 * of threads.
 */
#include "backend/cpu/cpu_attention_loop.h"
#include "backend/cpu/cpu_bf16.h"
#include "graph/support_formula.h"

#include <math.h>
#include <stdlib.h>

/*
 * Around the edges of tiles (8 queries), vectors (16 keys) and blocks (192 queries, 512 keys or fewer), and those of
 * real models.
 */
static const AttentionShape shapes[] = {
    { .n = 1, .heads = 1, .head_size = 1, .queries = 1, .keys = 1 },
    { .n = 2, .heads = 3, .head_size = 7, .queries = 5, .keys = 19 },
    { .n = 1, .heads = 2, .head_size = 40, .queries = 64, .keys = 77 },
    { .n = 2, .heads = 2, .head_size = 64, .queries = 77, .keys = 77, .causal = TRUE },
    { .n = 1, .heads = 2, .head_size = 64, .queries = 33, .keys = 64 },
    { .n = 1, .heads = 2, .head_size = 80, .queries = 193, .keys = 77 },
    { .n = 1, .heads = 1, .head_size = 80, .queries = 31, .keys = 600 },
    { .n = 1, .heads = 2, .head_size = 160, .queries = 64, .keys = 65 },
    { .n = 1, .heads = 1, .head_size = 512, .queries = 50, .keys = 300 },
    { .n = 1, .heads = 1, .head_size = 64, .queries = 400, .keys = 513 },
    { .n = 1, .heads = 1, .head_size = 40, .queries = 1100, .keys = 1100, .causal = TRUE },
    { .n = 1, .heads = 1, .head_size = 5, .queries = 15, .keys = 15, .causal = TRUE },
};

/* Operands and result; what a kernel for bf16 is given is rounded before, so that the oracle sees the same numbers. */
typedef struct {
    AttentionShape shape;
    const AttentionKernels *kernels;
    gint64 channels;
    gsize n_queries, n_keys; /* elements */
    float *q, *k, *v, *y;
} Problem;

static float *fill(const Problem *p, const char *name, gsize n, float scale)
{
    float *data = g_new(float, n);
    guint32 seed = formula_seed(name);
    for (guint32 i = 0; i < n; i++) {
        data[i] = (float)formula_fine(seed, i) * scale;
        if (p->kernels->pair == 2)
            data[i] = cpu_from_bf16(cpu_to_bf16(data[i]));
    }
    return data;
}

static Problem *problem_new(const AttentionKernels *kernels, const AttentionShape *shape, float scale)
{
    Problem *p = g_new0(Problem, 1);
    p->shape = *shape;
    p->kernels = kernels;
    p->channels = shape->heads * shape->head_size;
    p->n_queries = (gsize)(shape->n * shape->queries * p->channels);
    p->n_keys = (gsize)(shape->n * shape->keys * p->channels);
    p->q = fill(p, "q", p->n_queries, scale);
    p->k = fill(p, "k", p->n_keys, 1);
    p->v = fill(p, "v", p->n_keys, 1);
    p->y = g_new0(float, p->n_queries);
    return p;
}

static void problem_free(Problem *p)
{
    g_free(p->q);
    g_free(p->k);
    g_free(p->v);
    g_free(p->y);
    g_free(p);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Problem, problem_free)

/* (owned) in the kernels' type. */
static void *narrow(const Problem *p, const float *data, gsize n)
{
    if (p->kernels->pair == 1)
        return g_memdup2(data, n * sizeof *data);
    guint16 *narrowed = g_new(guint16, n);
    for (gsize i = 0; i < n; i++)
        narrowed[i] = cpu_to_bf16(data[i]);
    return narrowed;
}

/*
 * Scratch memory is full of NaN, so that nothing that nobody wrote can be read unseen. The result comes in the memory
 * of q if asked.
 */
static void solve(Problem *p, int n_threads, gboolean in_place)
{
    AttentionWork work = cpu_attention_work(p->kernels, &p->shape, n_threads);
    gsize bytes = cpu_attention_scratch_bytes(&work);
    void *scratch = NULL;
    g_assert_cmpint(posix_memalign(&scratch, 64, bytes), ==, 0);
    memset(scratch, 0xff, bytes);
    g_autofree void *q = narrow(p, p->q, p->n_queries), *k = narrow(p, p->k, p->n_keys);
    g_autofree void *v = narrow(p, p->v, p->n_keys), *y = narrow(p, p->y, p->n_queries);
    void *to = in_place ? q : y;
    cpu_attention_run(&work, q, k, v, to, scratch);
    for (gsize i = 0; i < p->n_queries; i++)
        p->y[i] = p->kernels->pair == 1 ? ((float *)to)[i] : cpu_from_bf16(((guint16 *)to)[i]);
    free(scratch);
}

/* One head of one query by the definition; @sizes: the sum of the weighted values' absolute values. */
static void define(const Problem *p, gint64 n, gint64 t, gint64 head, double *scores, double *y, double *sizes)
{
    const AttentionShape *s = &p->shape;
    const float *q = p->q + (n * s->queries + t) * p->channels + head * s->head_size;
    const float *k = p->k + n * s->keys * p->channels + head * s->head_size;
    const float *v = p->v + n * s->keys * p->channels + head * s->head_size;
    gint64 seen = s->causal ? t + 1 : s->keys;
    double largest = -INFINITY, sum = 0;
    for (gint64 i = 0; i < seen; i++) {
        scores[i] = 0;
        for (gint64 c = 0; c < s->head_size; c++)
            scores[i] += (double)q[c] * k[i * p->channels + c];
        scores[i] /= sqrt((double)s->head_size);
        largest = fmax(largest, scores[i]);
    }
    for (gint64 i = 0; i < seen; i++)
        sum += scores[i] = exp(scores[i] - largest);
    for (gint64 c = 0; c < s->head_size; c++) {
        y[c] = sizes[c] = 0;
        for (gint64 i = 0; i < seen; i++) {
            double term = scores[i] / sum * v[i * p->channels + c];
            y[c] += term;
            sizes[c] += fabs(term);
        }
    }
}

/*
 * f32: 1e-5 of the result's 2-norm, what this project promises of every operation. bf16, element by element: rounding
 * a weight and the result to 8 bits loses at most 2^-8 of each, the exponential 1.1e-4 of a weight and as much of
 * their sum, sums in f32 1e-5; in the 2-norm, where roundings of all sizes mix, both together lose less than one at
 * its worst.
 */
static void check(const Problem *p)
{
    const AttentionShape *s = &p->shape;
    g_autofree double *scores = g_new(double, s->keys), *y = g_new(double, s->head_size);
    g_autofree double *sizes = g_new(double, s->head_size);
    double error = 0, norm = 0;
    for (gint64 row = 0; row < s->n * s->queries * s->heads; row++) {
        define(p, row / s->heads / s->queries, row / s->heads % s->queries, row % s->heads, scores, y, sizes);
        const float *found = p->y + row * s->head_size;
        for (gint64 c = 0; c < s->head_size; c++) {
            double off = fabs((double)found[c] - y[c]);
            error += off * off;
            norm += y[c] * y[c];
            if (p->kernels->pair == 2)
                g_assert_cmpfloat(off, <=, (0x1p-8 + 2.3e-4) * sizes[c] + 0x1p-8 * (fabs(y[c]) + off));
        }
    }
    g_test_message("%s, %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ": relative error %.2e",
                   p->kernels->name, s->queries, s->keys, s->head_size, sqrt(error / norm));
    g_assert_cmpfloat(sqrt(error), <=, (p->kernels->pair == 2 ? 0x1p-8 : 1e-5) * sqrt(norm));
}

static void test_definition(gconstpointer kernels)
{
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(Problem) p = problem_new(kernels, &shapes[i], 8);
        solve(p, 2, FALSE);
        check(p);
    }
}

/* Scores up to 4e4, far beyond what exp() of f32 can take: the largest decides, all others weigh nothing. */
static void test_large_scores(gconstpointer kernels)
{
    const AttentionShape shape = { .n = 1, .heads = 1, .head_size = 64, .queries = 20, .keys = 700 };
    for (int sign = -1; sign <= 1; sign += 2) {
        g_autoptr(Problem) p = problem_new(kernels, &shape, 0);
        for (gint64 t = 0; t < shape.queries; t++)
            p->q[t * 64] = (float)sign * 1024;
        for (gint64 i = 0; i < shape.keys; i++)
            p->k[i * 64] = (float)((i * 37 + 11) % 700 - 350);
        if (((const AttentionKernels *)kernels)->pair == 2) /* 9 bits and a sign are too many */
            for (gint64 i = 0; i < shape.keys; i++)
                p->k[i * 64] = 2 * floorf(p->k[i * 64] / 4);
        solve(p, 1, FALSE);
        check(p);
    }
}

static gboolean is_nan_row(const Problem *p, gint64 row)
{
    guint n_nan = 0;
    for (gint64 c = 0; c < p->channels; c++)
        n_nan += isnan(p->y[row * p->channels + c]) ? 1 : 0;
    g_assert_true(n_nan == 0 || n_nan == p->channels);
    return n_nan > 0;
}

/* What is not a number shows in every query that sees it, and in no other. */
static void test_not_a_number(gconstpointer kernels)
{
    const AttentionShape shape = { .n = 1, .heads = 1, .head_size = 40, .queries = 530, .keys = 530, .causal = TRUE };
    enum { AT = 521 };
    const float values[] = { NAN, INFINITY, -INFINITY };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(Problem) p = problem_new(kernels, &shape, 1);
        p->q[AT * 40 + 3] = values[i]; /* products of both signs of infinity, or NaN */
        solve(p, 2, FALSE);
        for (gint64 t = 0; t < shape.queries; t++)
            g_assert_cmpint(is_nan_row(p, t), ==, t == AT);
    }
    g_autoptr(Problem) p = problem_new(kernels, &shape, 1);
    p->k[AT * 40 + 3] = NAN;
    solve(p, 2, FALSE);
    for (gint64 t = 0; t < shape.queries; t++)
        g_assert_cmpint(is_nan_row(p, t), ==, t >= AT);
}

/* A score of -inf weighs nothing, in the first block of keys as later; where all are, no weight is defined. */
static void test_minus_infinity(gconstpointer kernels)
{
    const AttentionShape shape = { .n = 1, .heads = 1, .head_size = 8, .queries = 9, .keys = 1100 };
    g_autoptr(Problem) p = problem_new(kernels, &shape, 1);
    for (gsize i = 0; i < p->n_queries; i++)
        p->q[i] = 1;
    for (gint64 i = 0; i < 1090; i++)
        p->k[i * 8] = -INFINITY;
    solve(p, 1, FALSE);
    check(p);
    for (gint64 i = 0; i < shape.keys; i++)
        p->k[i * 8] = -INFINITY;
    solve(p, 1, FALSE);
    for (gint64 t = 0; t < shape.queries; t++)
        g_assert_true(is_nan_row(p, t));
}

static void assert_same(const Problem *a, const Problem *b, gint64 sample)
{
    gsize n = b->n_queries / (gsize)b->shape.n;
    g_assert_true(memcmp(a->y + (gsize)sample * n, b->y, n * sizeof(float)) == 0);
}

static void test_same_bits(gconstpointer kernels)
{
    AttentionShape shape = { .n = 3, .heads = 2, .head_size = 40, .queries = 250, .keys = 700 };
    g_autoptr(Problem) p = problem_new(kernels, &shape, 8);
    solve(p, 1, FALSE);
    shape.n = 1;
    for (gint64 sample = 0; sample < 3; sample++) {
        g_autoptr(Problem) alone = problem_new(kernels, &shape, 8);
        memcpy(alone->q, p->q + (gsize)sample * alone->n_queries, alone->n_queries * sizeof(float));
        memcpy(alone->k, p->k + (gsize)sample * alone->n_keys, alone->n_keys * sizeof(float));
        memcpy(alone->v, p->v + (gsize)sample * alone->n_keys, alone->n_keys * sizeof(float));
        for (int n_threads = 1; n_threads <= 5; n_threads++) {
            solve(alone, n_threads, n_threads == 4);
            assert_same(p, alone, sample);
        }
    }
}

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "definition", test_definition },     { "large_scores", test_large_scores },
        { "not_a_number", test_not_a_number }, { "minus_infinity", test_minus_infinity },
        { "same_bits", test_same_bits },
    };
    g_test_init(&argc, &argv, NULL);
    for (const AttentionKernels *const *kernels = cpu_attention_kernels; *kernels; kernels++)
        for (gsize i = 0; i < G_N_ELEMENTS(tests) && (*kernels)->is_supported(); i++) {
            g_autofree char *path =
                g_strdup_printf("/attention/%s/%s", strchr((*kernels)->name, ':') + 1, tests[i].name);
            g_test_add_data_func(path, *kernels, tests[i].function);
        }
    return g_test_run();
}
