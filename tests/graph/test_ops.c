/*
 * Every operation, forward and backward: against PyTorch in f64 (goldens), against difference quotients, with each
 * gradient asked for alone, and the devices against the reference on random shapes.
 */
#include "base/random.h"
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_op_cases.h"
#include "graph/support_precision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a test function gets: one case on one device, or a family of random ones. */
typedef struct {
    const OpCase *c;
    OpFamily family;
    const char *device;
    AimfPrecision precision;
} Check;

static AimfTensors *open_golden(void)
{
    g_autoptr(GError) error = NULL;
    AimfTensors *golden = aimf_tensors_open(GOLDEN_DIR "/ops.safetensors", &error);
    g_assert_no_error(error);
    return golden;
}

/* NULL, with the test marked as skipped, only where the processor has no bf16. */
static OpRig *rig_for(const Check *check, const OpCase *c, int trainable)
{
    g_autoptr(GError) error = NULL;
    OpRig *rig = op_rig_new(c, check->device, check->precision, trainable, &error);
    if (precision_is_missing(check->precision, error))
        return NULL;
    g_assert_no_error(error);
    return rig;
}

/* All leaves that can be. */
static int trainable_of(const OpCase *c)
{
    return op_case_is_differentiable(c) ? OP_ALL_TRAINABLE : 0;
}

static double tolerance_of(const Check *check, const OpCase *c, const OpResult *result)
{
    const OpTolerance *tolerance = &op_tolerances[c->op];
    if (check->precision == AIMF_PRECISION_BF16 && c->op == OP_CONV2D && g_str_equal(result->name, "d_weight"))
        return op_bf16_dweight_tolerance(c);
    if (c->op == OP_UPSAMPLE_NEAREST && g_str_equal(result->name, "y"))
        return 0; /* copies; the gradient is a sum */
    return check->precision == AIMF_PRECISION_BF16 ? tolerance->bf16 : tolerance->f32;
}

static void assert_close(const OpRig *rig, const OpResult *result, const float *expected, double tolerance)
{
    double error = relative_error(result->data, expected, result->n);
    g_test_message("%s %s: relative error %.2e", rig->name, result->name, error);
    if (!(error <= tolerance))
        g_error("%s %s: relative error %g is above %g", rig->name, result->name, error, tolerance);
}

static const OpResult *find_result(const GPtrArray *results, const char *name)
{
    for (guint i = 0; i < results->len; i++) {
        const OpResult *result = g_ptr_array_index(results, i);
        if (g_str_equal(result->name, name))
            return result;
    }
    g_error("there is no result '%s'", name);
}

static void test_golden(gconstpointer data)
{
    const Check *check = data;
    g_autoptr(OpRig) rig = rig_for(check, check->c, trainable_of(check->c));
    if (!rig)
        return;
    g_autoptr(AimfTensors) golden = open_golden();
    op_rig_run(rig);
    g_autoptr(GPtrArray) results = op_rig_results(rig);
    for (guint i = 0; i < results->len; i++) {
        const OpResult *result = g_ptr_array_index(results, i);
        g_autofree char *name = g_strdup_printf("%s/%s", rig->name, result->name);
        int index = aimf_tensors_find(golden, name);
        if (index < 0)
            g_error("the golden file lacks '%s': run tests/golden/make_ops.py", name);
        const AimfTensor *tensor = aimf_tensors_at(golden, (guint)index);
        g_assert_cmpint(aimf_shape_count(&tensor->shape), ==, (gint64)result->n);
        g_autofree float *expected = g_new(float, result->n);
        g_autoptr(GError) error = NULL;
        aimf_tensors_read(golden, (guint)index, AIMF_F32, expected, &error);
        g_assert_no_error(error);
        assert_close(rig, result, expected, tolerance_of(check, rig->c, result));
    }
}

/* Nothing in the golden file goes unused: as many results as there are tensors. */
static void test_golden_is_complete(void)
{
    g_autoptr(AimfTensors) golden = open_golden();
    guint n_results = 0;
    for (guint i = 0; i < n_op_cases; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(OpRig) rig =
            op_rig_new(&op_cases[i], "reference", AIMF_PRECISION_F32, trainable_of(&op_cases[i]), &error);
        g_assert_no_error(error);
        g_autoptr(GPtrArray) results = op_rig_results(rig);
        n_results += results->len;
    }
    g_assert_cmpuint(n_results, ==, aimf_tensors_count(golden));
}

/* Which gradients are asked for must not change any of them. */
static void test_alone(gconstpointer data)
{
    const Check *check = data;
    g_autoptr(OpRig) all = rig_for(check, check->c, OP_ALL_TRAINABLE);
    if (!all)
        return;
    op_rig_run(all);
    g_autoptr(GPtrArray) expected = op_rig_results(all);
    for (guint i = 0; i < all->n_leaves; i++) {
        if (all->leaves[i].kind != LEAF_PARAMETER)
            continue;
        g_autoptr(OpRig) rig = rig_for(check, check->c, 1 << i);
        op_rig_run(rig);
        g_autoptr(GPtrArray) results = op_rig_results(rig);
        guint n_gradients = 0;
        for (guint k = 0; k < results->len; k++) {
            const OpResult *result = g_ptr_array_index(results, k);
            n_gradients += g_str_has_prefix(result->name, "d_") ? 1 : 0;
            assert_close(rig, result, find_result(expected, result->name)->data, tolerance_of(check, rig->c, result));
        }
        g_assert_cmpuint(n_gradients, ==, 1);
    }
}

/* An operation that only goes forward says so when a gradient is asked through it. */
static void test_no_gradient(gconstpointer data)
{
    const Check *check = data;
    g_autoptr(GError) error = NULL;
    OpRig *rig = op_rig_new(check->c, check->device, check->precision, OP_ALL_TRAINABLE, &error);
    g_assert_null(rig);
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_autofree char *says = g_strdup_printf("%s has no gradient", op_family_name(check->c->op));
    if (!strstr(error->message, says))
        g_error("'%s' does not say '%s'", error->message, says);
}

/*
 * The result at the operands as they are now, and its product with the incoming gradient, whose derivative the
 * gradients are.
 */
typedef struct {
    float *y;
    double product;
    double magnitude; /* the same sum over absolute values */
} Point;

static Point evaluate(OpRig *rig)
{
    op_rig_run(rig);
    gsize n = rig->cotangent.n;
    Point point = { support_read(rig->plan, rig->output), 0, 0 };
    for (gsize i = 0; i < n; i++) {
        double term = (double)point.y[i] * rig->cotangent.data[i];
        point.product += term;
        point.magnitude += fabs(term);
    }
    return point;
}

/* Nearly straight ones, so that bending within a step means that one ends there. */
static gboolean is_made_of_pieces(OpFamily op)
{
    return op == OP_MAX_POOL || op == OP_CLIP || op == OP_HARD_SIGMOID || op == OP_HARD_SWISH || op == OP_PRELU ||
           op == OP_MINIMUM || op == OP_MAXIMUM || op == OP_REDUCE_MAX;
}

/*
 * Whether there is no derivative to compare with: some result begins or ceases to be 0 between the points (ReLU), or
 * bends although it is made of straight lines (a window's maximum moves on).
 */
static gboolean has_kink(const OpRig *rig, const Point *below, const Point *middle, const Point *above, double step)
{
    for (gsize i = 0; i < rig->cotangent.n; i++) {
        double bend = fabs((double)above->y[i] - 2 * (double)middle->y[i] + (double)below->y[i]);
        if ((above->y[i] == 0) != (below->y[i] == 0) || (is_made_of_pieces(rig->c->op) && bend > 1e-3 * step))
            return TRUE;
    }
    return FALSE;
}

/* Compares one leaf's gradient at elements spread over it, and adds up how many there were and how many at a kink. */
static void check_quotients(OpRig *rig, OpLeaf *leaf, const OpResult *gradient, const Point *middle, guint *n_kinks,
                            guint *n_elements)
{
    enum { MOST_ELEMENTS = 48 };
    const float step = 0x1p-10f;
    double rounding = middle->magnitude * 0x1p-24 / (double)step;
    float largest = 0; /* not double: gcc 12 for ARM fails at the largest of numbers that it converts */
    for (gsize k = 0; k < leaf->n; k++)
        largest = fmaxf(largest, fabsf(gradient->data[k]));
    for (gsize k = 0; k < leaf->n; k += leaf->n / MOST_ELEMENTS + 1) {
        float kept = leaf->data[k];
        leaf->data[k] = kept + step;
        Point above = evaluate(rig);
        leaf->data[k] = kept - step;
        Point below = evaluate(rig);
        leaf->data[k] = kept;
        (*n_elements)++;
        if (has_kink(rig, &below, middle, &above, (double)step))
            (*n_kinks)++;
        else
            g_assert_cmpfloat_with_epsilon((above.product - below.product) / (2 * (double)step),
                                           (double)gradient->data[k], rounding + 1e-3 * (double)largest);
        g_free(above.y);
        g_free(below.y);
    }
}

/*
 * Central differences in steps of 2^-10, which leave the operands exact in f32. They may miss by the rounding of the
 * results to 24 bits, and by a curvature that is given 1e-3 of the largest gradient. One element in ten may be at a
 * kink.
 */
static void test_numeric(gconstpointer data)
{
    const Check *check = data;
    g_autoptr(OpRig) rig = rig_for(check, check->c, OP_ALL_TRAINABLE);
    Point middle = evaluate(rig);
    g_autoptr(GPtrArray) results = op_rig_results(rig);
    guint n_kinks = 0, n_elements = 0;
    for (guint i = 0; i < rig->n_leaves; i++) {
        OpLeaf *leaf = &rig->leaves[i];
        if (leaf->kind != LEAF_PARAMETER)
            continue;
        g_autofree char *name = g_strconcat("d_", leaf->name, NULL);
        check_quotients(rig, leaf, find_result(results, name), &middle, &n_kinks, &n_elements);
    }
    g_free(middle.y);
    g_test_message("%s: %u of %u elements are at a kink", rig->name, n_kinks, n_elements);
    g_assert_cmpuint(n_kinks * 10, <=, n_elements);
}

static int draw(AimfRandom *random, int least, int most)
{
    return least + (int)aimf_random_below(random, (guint64)(most - least + 1));
}

/* Most convolutions become as wide as the later layers of a network, where other kernels take over. */
static void widen(OpCase *c, AimfRandom *random)
{
    int kind = draw(random, 0, 4);
    if (kind == 0) {
        c->c = 64;
        c->o = 16 * draw(random, 1, 5);
        c->h = draw(random, 1, 4);
        c->w = draw(random, 1, 4);
    } else if (kind == 1) { /* enough 2x2 tiles, whole and cut, for Winograd's algorithm to pay */
        c->c = 64 << draw(random, 0, 1);
        c->o = 64 << draw(random, 0, 1);
        c->h = draw(random, 2, 9);
        c->w = draw(random, 2, 9);
        c->n = 1 + draw(random, 64, 288) / ((c->h + 1) / 2 * ((c->w + 1) / 2));
        c->kh = c->kw = 3;
        c->padding = c->stride = 1;
        c->stride2 = c->padding2 = c->padding_after = c->dilation = c->dilation2 = 0;
    } else if (kind == 2) {
        c->n = draw(random, 1, 2);
        c->c = draw(random, 1, 100);
        c->o = draw(random, 1, 100);
        c->w = draw(random, 1, 40);
    }
}

/* Operations on tokens lose the picture, those of groups or heads get channels that these divide. */
static void draw_further(OpCase *c, AimfRandom *random)
{
    gboolean has_tokens = c->op == OP_GEGLU || c->op == OP_LAYER_NORM || c->op == OP_ATTENTION ||
                          c->op == OP_EMBEDDING || c->op == OP_TIMESTEP_EMBEDDING;
    if (has_tokens) {
        c->h = c->w = 0;
        c->t = draw(random, 1, 40);
        c->c = draw(random, 1, 70);
    }
    if (c->op == OP_GROUP_NORM) {
        c->groups = draw(random, 1, 8);
        c->c = c->groups * draw(random, 1, 12);
        if (c->h * c->w < 4)
            c->h = c->w = 2; /* with few values a group's result is little but rounding */
        c->silu = draw(random, 0, 1);
    }
    if (c->op == OP_LAYER_NORM)
        c->c += 7;
    if (c->op == OP_MATMUL) {
        c->n = draw(random, 0, 4);
        c->h = c->n && draw(random, 0, 1) ? c->h : 0;
        c->w = 0;
        c->t = draw(random, 1, 120);
        c->c = draw(random, 1, 300);
        c->transpose = draw(random, 0, 3);
    }
    if (c->op == OP_SOFTMAX) {
        c->axis = draw(random, 0, 3);
        c->scale = 1 << draw(random, 0, 4);
    }
    if (c->op == OP_ATTENTION) {
        const int sizes[] = { 40, 64, 80, 160, 512, draw(random, 1, 96) };
        c->heads = draw(random, 1, 4);
        c->c = c->heads * sizes[draw(random, 0, (int)G_N_ELEMENTS(sizes) - 1)];
        c->causal = draw(random, 0, 1);
        c->s = c->causal ? c->t : draw(random, 1, 90);
    }
    c->o = draw(random, 1, 40);
    if (c->op == OP_UPSAMPLE_CONV2D)
        c->bias = draw(random, 0, 1);
    if (c->op == OP_EMBEDDING)
        c->s = draw(random, 0, 1) ? c->t + draw(random, 0, 3) : 0;
    if (c->op == OP_TIMESTEP_EMBEDDING)
        c->c = 2 * draw(random, 1, 40);
}

/*
 * Half of the convolutions get groups, of which half are depthwise, and some taps apart, pixels left out and zeros in
 * one direction only; a quarter are of pictures of few columns. Widths beside multiples of 8 and 16 are common.
 */
static void draw_conv(OpCase *c, AimfRandom *random)
{
    c->kh = 2 * draw(random, 0, 3) + 1;
    c->kw = draw(random, 0, 2) ? c->kh : draw(random, 1, 6);
    c->padding = draw(random, 0, c->kh / 2);
    c->padding_after = draw(random, 0, 3) == 0;
    c->padding2 = draw(random, 0, 3) == 0;
    c->stride = draw(random, 1, 3);
    c->stride2 = draw(random, 0, 3) ? 0 : draw(random, 1, 3);
    c->dilation = draw(random, 0, 3) ? 0 : draw(random, 2, 3);
    c->dilation2 = draw(random, 0, 5) ? 0 : draw(random, 1, 2);
    c->o = draw(random, 1, 24);
    c->bias = draw(random, 0, 1);
    if (draw(random, 0, 3) == 0)
        c->w = draw(random, 1, 4);
    int kind = draw(random, 0, 7);
    if (kind == 0) {
        c->groups = draw(random, 2, 4);
        c->c *= c->groups;
        c->o *= c->groups;
    } else if (kind == 1) { /* of few channels each, as many as fill blocks together */
        int inputs = 1 << draw(random, 0, 3), outputs = 1 << draw(random, 0, 3);
        c->groups = 8 * draw(random, 1, 4);
        c->c = c->groups * inputs;
        c->o = c->groups * outputs;
    } else if (kind <= 3) { /* depthwise */
        c->c = kind == 2 ? 8 * draw(random, 1, 6) : c->c;
        c->groups = c->o = c->c;
        if (draw(random, 0, 1)) { /* as most networks have them */
            c->kw = c->kh;
            c->padding = c->kh / 2;
            c->stride = draw(random, 1, 2);
            c->stride2 = c->padding2 = c->padding_after = c->dilation = c->dilation2 = 0;
        } else if (draw(random, 0, 1)) { /* by pairs of taps in bf16 */
            c->kw = draw(random, 5, 8);
            c->w = draw(random, 1, 50);
            c->stride2 = c->dilation2 = 1;
        }
    }
}

static void draw_pool(OpCase *c, AimfRandom *random)
{
    if (c->op == OP_ADAPTIVE_AVERAGE_POOL) {
        c->kh = draw(random, 1, 9);
        c->kw = draw(random, 1, 9);
        return;
    }
    c->kh = draw(random, 1, 4);
    c->kw = draw(random, 0, 2) ? 0 : draw(random, 1, 4);
    int narrower = c->kw ? MIN(c->kh, c->kw) : c->kh;
    c->padding = draw(random, 0, narrower / 2);
    c->padding_after = c->padding < narrower - 1 && draw(random, 0, 3) == 0;
    c->padding2 = c->padding < narrower - 1 && draw(random, 0, 3) == 0;
    c->stride = draw(random, 1, 3);
    c->stride2 = draw(random, 0, 3) ? 0 : draw(random, 1, 5);
    c->ceil = draw(random, 0, 1);
    c->counted = c->op == OP_AVERAGE_POOL && draw(random, 0, 1);
    if (draw(random, 0, 2) == 0)
        c->c = 8 * draw(random, 1, 4);
}

/* Any axis and any order; half of the pictures have channels that lie in blocks, and are cut where blocks are. */
static void draw_move(OpCase *c, AimfRandom *random)
{
    int rank = draw(random, 2, 4), unit = rank == 4 && draw(random, 0, 1) ? 16 : 1;
    c->t = rank == 3 ? draw(random, 1, 40) : 0;
    if (rank < 4)
        c->h = c->w = 0;
    c->c = unit == 1 ? draw(random, 1, 70) : unit * draw(random, 3, 5);
    c->groups = draw(random, 1, 3);
    if (c->op == OP_RESHAPE)
        c->c *= c->groups;
    else
        c->groups = 0;
    c->dim = draw(random, 1, rank);
    unit = c->dim == 2 ? unit : 1;
    int *sizes[] = { &c->n, rank == 3 ? &c->t : &c->c, rank == 3 ? &c->c : &c->h, &c->w }, *size = sizes[c->dim - 1];
    if (c->op == OP_SPLIT || c->op == OP_SLICE)
        *size = MAX(*size, 3); /* something to cut */
    c->o = unit * (c->op == OP_SPLIT ? 1 : draw(random, 1, 4));
    c->s = unit * draw(random, 0, 1);
    int units = *size / unit, first = draw(random, 0, units - 1);
    if (c->op == OP_SLICE || c->op == OP_PAD) {
        c->begin = unit * first;
        c->end = unit * draw(random, first + 1, units);
    }
    c->bias = c->op == OP_PAD && draw(random, 0, 1);
    c->padding = c->op == OP_PAD ? draw(random, 0, 3) : 0;
    if (c->op == OP_TRANSPOSE) {
        guint32 order[] = { 1, 2, 3, 4 };
        aimf_random_shuffle(random, order, (gsize)rank);
        for (int i = 0; i < rank; i++)
            c->order = 10 * c->order + (int)order[i];
    }
}

/* Some are rows or tokens; what is broadcast or reduced is drawn for each dimension. */
static void draw_elementwise(OpCase *c, AimfRandom *random)
{
    int rank = draw(random, 2, 4);
    if (rank < 4)
        c->h = c->w = 0;
    if (rank == 3)
        c->t = draw(random, 1, 40);
    if (rank < 4 && draw(random, 0, 1))
        c->c = draw(random, 1, 150);
    if (op_is_unary(c->op))
        c->scale = 1 << draw(random, 0, 4);
    for (int i = 0; i < rank && draw(random, 0, 3); i++) {
        int which = draw(random, 0, 3);
        c->ones_a |= (which == 2 || c->op == OP_EXPAND) << i;
        c->ones_b |= (which == 3) << i;
        c->axes |= draw(random, 0, 1) << i;
    }
    c->lack = draw(random, 0, 2) ? 0 : draw(random, 0, rank);
    c->keep = draw(random, 0, 1);
    c->o = draw(random, 0, 1) ? 1 : rank == 3 ? c->t : c->c;
}

static OpCase random_case(OpFamily op, AimfRandom *random)
{
    OpCase c = { .op = op, .n = draw(random, 1, 5), .c = draw(random, 1, 24) };
    if (op == OP_LINEAR) {
        c.t = draw(random, 0, 1) * draw(random, 1, 40);
        c.o = draw(random, 1, 40);
        c.bias = draw(random, 0, 1);
        if (draw(random, 0, 1)) { /* as wide as in networks, and sums of any length */
            c.n = draw(random, 1, c.t ? 4 : 100);
            c.c = draw(random, 1, draw(random, 0, 3) ? 200 : 1600);
            c.o = draw(random, 1, draw(random, 0, 3) ? 100 : 900);
        }
    } else if (op == OP_SIGMOID_CROSS_ENTROPY || op == OP_SOFTMAX_CROSS_ENTROPY) {
        c.n = draw(random, 1, 40);
        c.scale = 1 << draw(random, 0, 3);
    } else {
        c.h = draw(random, 1, 14);
        c.w = draw(random, 1, 14);
    }
    if (op == OP_BATCH_NORM) {
        if (draw(random, 0, 3) == 0)
            c.h = c.w = 0;
        c.n += 7 / (c.h ? c.h * c.w : 1); /* at least eight values a channel: with fewer it is little but rounding */
        c.training = draw(random, 0, 1);
        c.relu = draw(random, 0, 1);
    }
    if (op == OP_CONV2D) {
        draw_conv(&c, random);
        if (!c.groups)
            widen(&c, random);
        c.winograd = draw(random, 0, 1);
    }
    gboolean is_pool = op == OP_MAX_POOL || op == OP_AVERAGE_POOL || op == OP_ADAPTIVE_AVERAGE_POOL;
    if (op_is_unary(op) || op_is_binary(op) || op_is_reduction(op) || op == OP_PRELU || op == OP_EXPAND)
        draw_elementwise(&c, random);
    else if (is_pool)
        draw_pool(&c, random);
    else if (op == OP_CONCAT || (op >= OP_SPLIT && op <= OP_FLATTEN))
        draw_move(&c, random);
    else if (op >= OP_SILU)
        draw_further(&c, random);
    if (c.h && op != OP_ADAPTIVE_AVERAGE_POOL) { /* the kernel fits */
        int dilation = MAX(c.dilation, 1), dilation2 = c.dilation2 ? c.dilation2 : dilation;
        c.h = MAX(c.h, dilation * (c.kh - 1) + 1 - 2 * c.padding);
        c.w = MAX(c.w, dilation2 * ((c.kw ? c.kw : c.kh) - 1) + 1 - 2 * c.padding);
    }
    return c;
}

/* FALSE if the processor cannot. The reference always computes in f32. */
static gboolean compare_with_reference(const Check *check, const OpCase *c)
{
    const Check oracle = { .device = "reference" };
    g_autoptr(OpRig) rig = rig_for(check, c, trainable_of(c));
    if (!rig)
        return FALSE;
    g_autoptr(OpRig) reference = rig_for(&oracle, c, trainable_of(c));
    op_rig_run(rig);
    op_rig_run(reference);
    g_autoptr(GPtrArray) results = op_rig_results(rig);
    g_autoptr(GPtrArray) expected = op_rig_results(reference);
    g_assert_cmpuint(results->len, ==, expected->len);
    for (guint i = 0; i < results->len; i++) {
        const OpResult *result = g_ptr_array_index(results, i);
        assert_close(rig, result, find_result(expected, result->name)->data, tolerance_of(check, c, result));
    }
    return TRUE;
}

static void test_agreement(gconstpointer data)
{
    const Check *check = data;
    compare_with_reference(check, check->c);
}

/* In f32 half of the shapes are coarse too, for the sake of ties. AIMFAIR_TEST_SHAPES: how many there are, 48. */
static void test_random_shapes(gconstpointer data)
{
    const char *asked = g_getenv("AIMFAIR_TEST_SHAPES");
    guint n_shapes = asked ? (guint)atoi(asked) : 48;
    const Check *check = data;
    for (guint k = 0; k < n_shapes; k++) {
        AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, (guint64)check->family << 32 | k);
        OpCase c = random_case(check->family, &random);
        c.coarse = check->precision == AIMF_PRECISION_BF16 || k % 2;
        if (!compare_with_reference(check, &c))
            return;
    }
}

static void add(const char *what, Check check, GTestDataFunc function)
{
    g_autofree char *name = check.c ? op_case_name(check.c) : g_strdup(op_family_name(check.family));
    g_autofree char *path = g_strdup_printf("/ops/%s/%s/%s/%s", what, check.device,
                                            check.precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", name);
    g_test_add_data_func_full(path, g_memdup2(&check, sizeof check), function, g_free);
}

static void add_case(const char *device, const OpCase *c)
{
    static OpCase coarse[512];
    static guint n_coarse;
    Check check = { .c = c, .device = device };
    gboolean is_differentiable = op_case_is_differentiable(c), is_reference = strcmp(device, "reference") == 0;
    add("golden", check, test_golden);
    if (is_differentiable)
        add("alone", check, test_alone);
    if (is_differentiable && is_reference)
        add("numeric", check, test_numeric);
    if (!is_differentiable && is_reference && c->op != OP_TIMESTEP_EMBEDDING) /* which has nothing to train */
        add("no_gradient", check, test_no_gradient);
    if (is_reference)
        return;
    g_assert(n_coarse < G_N_ELEMENTS(coarse));
    coarse[n_coarse] = *c;
    coarse[n_coarse].coarse = TRUE;
    check = (Check){ .c = &coarse[n_coarse++], .device = device, .precision = AIMF_PRECISION_BF16 };
    add("agreement", check, test_agreement);
    if (is_differentiable)
        add("alone", check, test_alone);
}

static void add_family(const char *device, OpFamily family)
{
    Check check = { .family = family, .device = device };
    add("random", check, test_random_shapes);
    check.precision = AIMF_PRECISION_BF16;
    add("random", check, test_random_shapes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ops/golden/complete", test_golden_is_complete);
    for (const char *const *device = support_devices(); *device; device++) {
        for (guint i = 0; i < n_op_cases; i++)
            add_case(*device, &op_cases[i]);
        for (OpFamily op = 0; op < OP_N_FAMILIES && strcmp(*device, "reference") != 0; op++)
            add_family(*device, op);
    }
    return g_test_run();
}
