/*
 * EfficientNet-Lite0: EfficientNet-B0 for processors without fast sigmoids: ReLU6, no squeeze-and-excitation, and a
 * stem and head of fixed width. Source: TensorFlow's "Higher accuracy on vision models with EfficientNet-Lite" (2020).
 * Names, paddings and epsilon are those of timm's tf_efficientnet_lite0 (timm/models/efficientnet.py).
 */
#include "model/architecture.h"

/* TensorFlow's SAME: as many outputs as strides fit, and the odd zero behind. */
static AimfValue conv(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer layer)
{
    AimfShape shape = aimf_graph_shape(b->graph, x);
    layer.no_bias = layer.padded = TRUE;
    for (int i = 0; i < 2; i++) {
        int size = (int)shape.dim[2 + i], stride = MAX(layer.stride, 1);
        int zeros = MAX(((size + stride - 1) / stride - 1) * stride + layer.kernel - size, 0);
        layer.before[i] = zeros / 2;
        layer.after[i] = zeros - zeros / 2;
    }
    return aimf_build_conv2d(b, name, x, layer);
}

static AimfValue norm_relu6(AimfBuilder *b, const char *name, AimfValue x)
{
    return aimf_build_activation(b, aimf_build_batch_norm(b, name, x, FALSE), AIMF_RELU6);
}

/* timm's InvertedResidual, or without an expansion its DepthwiseSeparableConv. */
static AimfValue block(AimfBuilder *b, AimfValue x, int expansion, int kernel, int stride, int channels)
{
    int inputs = (int)aimf_graph_shape(b->graph, x).dim[1], wide = inputs * expansion;
    AimfConvLayer depthwise = { .channels = wide, .kernel = kernel, .stride = stride, .groups = wide };
    AimfConvLayer narrow = { .channels = channels, .kernel = 1 };
    AimfValue y = x;
    if (expansion == 1) {
        y = norm_relu6(b, "bn1", conv(b, "conv_dw", y, depthwise));
        y = aimf_build_batch_norm(b, "bn2", conv(b, "conv_pw", y, narrow), FALSE);
    } else {
        y = norm_relu6(b, "bn1", conv(b, "conv_pw", y, (AimfConvLayer){ .channels = wide, .kernel = 1 }));
        y = norm_relu6(b, "bn2", conv(b, "conv_dw", y, depthwise));
        y = aimf_build_batch_norm(b, "bn3", conv(b, "conv_pwl", y, narrow), FALSE);
    }
    return stride == 1 && inputs == channels ? aimf_add(b->graph, x, y) : y;
}

AimfValue aimf_efficientnet_lite0_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    static const struct {
        int expansion, kernel, stride, channels, n;
    } stages[] = { { 1, 3, 1, 16, 1 },  { 6, 3, 2, 24, 2 },  { 6, 5, 2, 40, 2 }, { 6, 3, 2, 80, 3 },
                   { 6, 5, 1, 112, 3 }, { 6, 5, 2, 192, 4 }, { 6, 3, 1, 320, 1 } };
    b->scheme = (AimfScheme){ AIMF_DRAW_FAN_OUT_OF_GROUP, AIMF_DRAW_ZERO, AIMF_DRAW_ROWS, AIMF_DRAW_ZERO, 0 };
    b->batch_norm = (AimfBatchNorm){ .momentum = 0.01, .epsilon = 1e-3 };
    AimfValue x = conv(b, "conv_stem", images, (AimfConvLayer){ .channels = 32, .kernel = 3, .stride = 2 });
    x = norm_relu6(b, "bn1", x);
    for (int stage = 0; stage < (int)G_N_ELEMENTS(stages); stage++)
        for (int i = 0; i < stages[stage].n; i++) {
            AIMF_SCOPE(b, "blocks.%d.%d", stage, i);
            int stride = i == 0 ? stages[stage].stride : 1;
            x = block(b, x, stages[stage].expansion, stages[stage].kernel, stride, stages[stage].channels);
        }
    x = norm_relu6(b, "bn2", conv(b, "conv_head", x, (AimfConvLayer){ .channels = 1280, .kernel = 1 }));
    x = aimf_global_average_pool(b->graph, x); /* (N, 1280) */
    x = aimf_build_dropout(b, x, 0.2);
    return aimf_build_linear(b, "classifier", x, outputs);
}
