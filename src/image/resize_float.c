/*
 * Resizing in single precision as PyTorch's kernels for floating-point tensors do it: the sums of a data loader's
 * worker, which has one thread, on a processor with fused multiplication and addition. (With more threads PyTorch
 * adds up large outputs in another order.)
 * A product of two floats is exact in double precision, so fused() gives the same bits on every processor.
 * Source: PyTorch, aten/src/ATen/native/cpu/UpSampleKernel.cpp and aten/src/ATen/native/UpSample.h; which products
 * its compiler fused was found by comparing weights and sums.
 */
#include "image/resize.h"

#include <math.h>
#include <string.h>

/* Output i is the sum over t < count[i] of weights[i * width + t] times input index[i * width + t]. */
typedef struct {
    int n;
    int width;
    int *count;
    int *index;
    float *weights;
} FloatTaps;

struct AimfFloatResizer {
    const AimfImage *image;
    AimfBox box;
    float values[256]; /* of the samples */
    FloatTaps across, down;
    gboolean aliased;
    gboolean direct;  /* without rows between two passes */
    gsize row_floats; /* of the output */
    int n_slots;      /* input rows that one output row may need */
    int *row_in_slot; /* (n_slots) the input row that is there, or -1 */
    float *slots;     /* (n_slots, row_floats) rows of the box, resized horizontally */
    float *out;       /* (row_floats) */
    int y;
};

static float fused(float a, float b, float c)
{
    return (float)((double)a * (double)b + (double)c);
}

/* --- Weights --- */

static float keys_near(float x, float a)
{
    return fused(fused(a + 2, x, -(a + 3)) * x, x, 1);
}

static float keys_far(float x, float a)
{
    return fused(fused(fused(a, x, -5 * a), x, 8 * a), x, -4 * a);
}

static float antialiasing_filter(float x, AimfFilter filter)
{
    x = fabsf(x);
    if (filter == AIMF_BILINEAR)
        return x < 1 ? (float)(1.0 - (double)x) : 0;
    return x < 1 ? keys_near(x, -0.5f) : x < 2 ? keys_far(x, -0.5f) : 0;
}

static float source_support(const AimfAxis *axis, float scale)
{
    float support = axis->filter == AIMF_BICUBIC ? 2 : 1;
    return scale >= 1 ? support * scale : support;
}

/* @count, @index, @weights: of one output */
static void weigh_antialiased(const AimfAxis *axis, int i, int *count, int *index, float *weights)
{
    float scale = (float)axis->in / (float)axis->out, support = source_support(axis, scale);
    float center = (float)((double)scale * (i + 0.5)), low = center - support, high = center + support;
    float inverse = scale >= 1 ? 1 / scale : 1, sum = 0;
    int first = MAX((int)((double)low + 0.5), 0), end = MIN((int)((double)high + 0.5), axis->in);
    *count = CLAMP(end - first, 0, 2 * (int)ceilf(support) + 1);
    for (int t = 0; t < *count; t++) {
        float offset = (float)(first + t) - center;
        weights[t] = antialiasing_filter((float)(((double)offset + 0.5) * (double)inverse), axis->filter);
        index[t] = first + t;
        sum += weights[t];
    }
    for (int t = 0; t < *count && sum != 0; t++)
        weights[t] /= sum;
}

/* Without antialiasing the sums for cubic weights are fused in one place only. */
static float sharp_near(float x)
{
    float slope = 1.25f * x;
    float y = slope - 2.25f;
    y *= x;
    y *= x;
    return y + 1;
}

static float sharp_far(float x)
{
    float slope = -0.75f * x;
    float y = fused(slope + 3.75f, x, -6) * x;
    return y + 3;
}

static void weigh_aliased(const AimfAxis *axis, int i, int *count, int *index, float *weights)
{
    float scale = (float)axis->in / (float)axis->out, source = fused(scale, (float)i + 0.5f, -0.5f);
    gboolean cubic = axis->filter == AIMF_BICUBIC;
    source = cubic ? source : MAX(source, 0);
    int near = MIN((int)floorf(source), axis->in - 1);
    float fraction = CLAMP(source - (float)near, 0, 1), rest = 1 - fraction;
    if (cubic) {
        const float four[] = { sharp_far(fraction + 1), sharp_near(fraction), sharp_near(rest), sharp_far(rest + 1) };
        memcpy(weights, four, sizeof four);
    } else {
        weights[0] = rest;
        weights[1] = fraction;
    }
    *count = cubic ? 4 : 2;
    for (int t = 0; t < *count; t++)
        index[t] = CLAMP(near + t - cubic, 0, axis->in - 1);
}

static gboolean float_taps_init(FloatTaps *taps, const AimfAxis *axis)
{
    int width = 4;
    if (!axis->aliased)
        width = 2 * (int)ceilf(source_support(axis, (float)axis->in / (float)axis->out)) + 1;
    gsize n = (gsize)axis->n, size = (gsize)width;
    *taps = (FloatTaps){ .n = axis->n, .width = width };
    if (size > G_MAXSIZE / sizeof(float) / n)
        return FALSE;
    taps->count = g_try_new(int, n);
    taps->index = g_try_new(int, n *size);
    taps->weights = g_try_new(float, n *size);
    if (!taps->count || !taps->index || !taps->weights)
        return FALSE;
    for (int i = 0; i < axis->n; i++) {
        gsize at = (gsize)(axis->mirror ? axis->n - 1 - i : i);
        (axis->aliased ? weigh_aliased : weigh_antialiased)(axis, axis->first + i, &taps->count[at],
                                                            taps->index + at * size, taps->weights + at * size);
    }
    return TRUE;
}

static void float_taps_clear(FloatTaps *taps)
{
    g_free(taps->count);
    g_free(taps->index);
    g_free(taps->weights);
}

/* --- Rows --- */

void aimf_float_resizer_free(AimfFloatResizer *resizer)
{
    if (!resizer)
        return;
    float_taps_clear(&resizer->across);
    float_taps_clear(&resizer->down);
    g_free(resizer->row_in_slot);
    g_free(resizer->slots);
    g_free(resizer->out);
    g_free(resizer);
}

static gboolean allocate(AimfFloatResizer *resizer, const AimfAxis *across, const AimfAxis *down)
{
    if (!float_taps_init(&resizer->across, across) || !float_taps_init(&resizer->down, down))
        return FALSE;
    resizer->n_slots = resizer->direct ? 1 : resizer->down.width;
    gsize n = (gsize)resizer->n_slots;
    resizer->row_in_slot = g_try_new(int, n);
    resizer->slots =
        n <= G_MAXSIZE / sizeof(float) / resizer->row_floats ? g_try_new(float, n * resizer->row_floats) : NULL;
    resizer->out = g_try_new(float, resizer->row_floats);
    for (gsize i = 0; resizer->row_in_slot && i < n; i++)
        resizer->row_in_slot[i] = -1;
    return resizer->row_in_slot && resizer->slots && resizer->out;
}

AimfFloatResizer *aimf_float_resizer_new(const AimfResizeOptions *options, const float samples[256], GError **error)
{
    AimfAxis across, down;
    if (!aimf_resize_prepare(options, &across, &down, error))
        return NULL;
    AimfFloatResizer *resizer = g_new0(AimfFloatResizer, 1);
    resizer->image = options->image;
    resizer->box = options->box;
    resizer->aliased = options->aliased;
    resizer->direct = options->aliased && options->filter == AIMF_BILINEAR;
    resizer->row_floats = 3 * (gsize)options->width;
    memcpy(resizer->values, samples, sizeof resizer->values);
    if (allocate(resizer, &across, &down))
        return resizer;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to resize %d x %d pixels to %d x %d",
                options->box.width, options->box.height, options->width, options->height);
    aimf_float_resizer_free(resizer);
    return NULL;
}

static const guint8 *input_row(const AimfFloatResizer *resizer, int row)
{
    const AimfBox *box = &resizer->box;
    return resizer->image->data + 3 * ((gsize)(box->y + row) * (gsize)resizer->image->width + (gsize)box->x);
}

/* Without antialiasing a sum begins with the first product fused into the second. */
static void resize_row(const AimfFloatResizer *resizer, const guint8 *in, float *out)
{
    const FloatTaps *taps = &resizer->across;
    const int *index = taps->index;
    const float *weights = taps->weights;
    for (int i = 0; i < taps->n; i++, index += taps->width, weights += taps->width) {
        for (int c = 0; c < 3; c++) {
            float sum = resizer->values[in[3 * index[0] + c]] * weights[0];
            int t = 1;
            if (resizer->aliased) {
                float second = resizer->values[in[3 * index[t] + c]] * weights[t];
                sum = fused(resizer->values[in[3 * index[0] + c]], weights[0], second);
                t++;
            }
            for (; t < taps->count[i]; t++)
                sum = fused(resizer->values[in[3 * index[t] + c]], weights[t], sum);
            *out++ = sum;
        }
    }
}

/*
 * (borrowed) a row of the box, resized horizontally. An output row's inputs are neighbours, so no two of them share a
 * slot.
 */
static const float *gathered_row(AimfFloatResizer *resizer, int row)
{
    int slot = row % resizer->n_slots;
    float *values = resizer->slots + (gsize)slot * resizer->row_floats;
    if (resizer->row_in_slot[slot] != row) {
        resize_row(resizer, input_row(resizer, row), values);
        resizer->row_in_slot[slot] = row;
    }
    return values;
}

static void resize_column(AimfFloatResizer *resizer, const int *index, const float *weights, int count)
{
    float *out = resizer->out;
    const float *first = gathered_row(resizer, index[0]);
    int t = 1;
    if (resizer->aliased) {
        const float *second = gathered_row(resizer, index[t]);
        for (gsize e = 0; e < resizer->row_floats; e++) {
            float product = second[e] * weights[t];
            out[e] = fused(first[e], weights[0], product);
        }
        t++;
    } else {
        for (gsize e = 0; e < resizer->row_floats; e++)
            out[e] = first[e] * weights[0];
    }
    for (; t < count; t++) {
        const float *row = gathered_row(resizer, index[t]);
        for (gsize e = 0; e < resizer->row_floats; e++)
            out[e] = fused(row[e], weights[t], out[e]);
    }
}

/* Bilinear without antialiasing: four products at once. */
static void resize_directly(AimfFloatResizer *resizer, const int *rows, const float *down)
{
    const guint8 *upper = input_row(resizer, rows[0]), *lower = input_row(resizer, rows[1]);
    const FloatTaps *taps = &resizer->across;
    const float *values = resizer->values;
    float *out = resizer->out;
    for (int i = 0; i < taps->n; i++) {
        const float *across = taps->weights + (gsize)i * (gsize)taps->width;
        const int *index = taps->index + (gsize)i * (gsize)taps->width;
        for (int c = 0; c < 3; c++) {
            int left = 3 * index[0] + c, right = 3 * index[1] + c;
            float upper_right = values[upper[right]] * (down[0] * across[1]);
            float sum = fused(values[upper[left]], down[0] * across[0], upper_right);
            sum = fused(values[lower[left]], down[1] * across[0], sum);
            *out++ = fused(values[lower[right]], down[1] * across[1], sum);
        }
    }
}

const float *aimf_float_resizer_row(AimfFloatResizer *resizer)
{
    const FloatTaps *down = &resizer->down;
    g_assert(resizer->y < down->n);
    gsize at = (gsize)resizer->y * (gsize)down->width;
    if (resizer->direct)
        resize_directly(resizer, down->index + at, down->weights + at);
    else
        resize_column(resizer, down->index + at, down->weights + at, down->count[resizer->y]);
    resizer->y++;
    return resizer->out;
}
