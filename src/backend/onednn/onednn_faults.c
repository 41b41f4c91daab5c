/*
 * Convolutions that oneDNN 2.6 or 3.7 gets wrong, some by writing beyond its memory. Found by comparing their kernels,
 * from AVX2 to AMX, with sums in double precision on some 40,000 random shapes. Each rule is wider than what was seen
 * to fail, and none touches the layers of a common network, but for the last ones of very small pictures.
 * `make check-all` tries such shapes again, see AIMFAIR_TEST_SHAPES of tests/graph/test_ops.c.
 */
#include "backend/onednn/onednn_faults.h"

enum { VECTOR = 16 }; /* numbers that the widest kernels take at once */

typedef struct {
    gint64 inputs, outputs; /* channels of a group */
    gint64 size[2];         /* of x: rows, columns */
    gint64 out_size[2], kernel[2], stride[2];
    gint64 span[2];     /* from the first tap to the last */
    gboolean pointwise; /* one tap and no zeros around */
    gboolean strided, dilated;
    gboolean blank; /* windows can lie in the zeros around the picture */
} Geometry;

static Geometry geometry_of(const AimfShape *x, const AimfShape *weight, const AimfShape *y, const AimfConv2d *options)
{
    int group = weight->rank - 4;
    Geometry g = { .outputs = weight->dim[group], .inputs = weight->dim[group + 1], .pointwise = TRUE };
    for (int i = 0; i < 2; i++) {
        g.size[i] = x->dim[2 + i];
        g.out_size[i] = y->dim[2 + i];
        g.kernel[i] = weight->dim[group + 2 + i];
        g.stride[i] = options->stride[i];
        g.span[i] = (g.kernel[i] - 1) * options->dilation[i];
        g.strided |= g.stride[i] > 1;
        g.dilated |= g.span[i] > g.kernel[i] - 1;
        g.blank |= options->before[i] > g.span[i] || options->after[i] > g.span[i];
        g.pointwise &= g.kernel[i] == 1 && !options->before[i] && !options->after[i];
    }
    return g;
}

/* In any precision. */
static gboolean is_faulty(OnednnDirection direction, const Geometry *g)
{
    /* jit_1x1: the picture without the pixels left out is gathered in whole vectors of channels. */
    if (direction == ONEDNN_BACKWARD_WEIGHT && g->pointwise && g->strided && g->inputs < VECTOR)
        return TRUE;
    /* brgconv: rows so short that taps reach beyond both ends at once. */
    return direction == ONEDNN_FORWARD && aimf_instruction_set() >= AIMF_ISA_AVX512 && g->inputs > 1 &&
           g->span[1] >= 6 && g->out_size[1] <= 2 * g->span[1];
}

static gboolean is_faulty_in_bf16(OnednnDirection direction, const Geometry *g)
{
    /* brgconv and jit with AMX, jit_bf16: pixels that no tap ever sees, and windows that see no pixel. */
    gboolean skips = g->stride[0] > g->kernel[0] || g->stride[1] > g->kernel[1];
    if (g->blank || (skips && !g->pointwise))
        return TRUE;
    /* brg_conv of 3.7 with AMX: one window in a row, where a stride would lead to the next. */
    if (direction == ONEDNN_FORWARD && g->out_size[1] == 1 && g->stride[1] > 1 && g->kernel[1] > 1)
        return TRUE;
    /* jit_bf16_1x1: channels are taken in pairs. */
    if (direction == ONEDNN_BACKWARD_DATA && g->pointwise && g->outputs % 2)
        return TRUE;
    /* jit with AMX, jit_bf16: taps apart; rows shorter than a stride; columns that the middle taps alone see. */
    return direction == ONEDNN_BACKWARD_WEIGHT &&
           (g->dilated || g->size[1] < g->stride[1] || g->size[0] <= g->kernel[0] / 2);
}

gboolean onednn_is_faulty(OnednnDirection direction, const OnednnOperand *x, const OnednnOperand *weight,
                          const OnednnOperand *y, const AimfConv2d *options)
{
    Geometry g = geometry_of(x->shape, weight->shape, y->shape, options);
    return is_faulty(direction, &g) || (x->dtype == AIMF_BF16 && is_faulty_in_bf16(direction, &g));
}
