/*
 * MobileNetV2: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018, table 2, with
 * torchvision's names (torchvision/models/mobilenetv2.py).
 */
#include "model/architecture.h"
#include "model/mobile_blocks.h"

/* Without an expansion the first convolution is missing, and the modules' numbers move up. */
static AimfValue inverted_residual(AimfBuilder *b, AimfValue x, int expansion, int channels, int stride)
{
    int inputs = (int)aimf_graph_shape(b->graph, x).dim[1], module = 0;
    AimfConvLayer widen = { .channels = inputs * expansion, .kernel = 1 };
    AimfConvLayer narrow = { .channels = channels, .kernel = 1, .no_bias = TRUE };
    AimfValue y = x;
    AIMF_SCOPE(b, "conv");
    if (expansion != 1)
        y = aimf_build_conv_norm(b, aimf_module_name(module++), y, widen, AIMF_RELU6);
    y = aimf_build_depthwise_norm(b, aimf_module_name(module++), y, 3, stride, AIMF_RELU6);
    y = aimf_build_conv2d(b, aimf_module_name(module), y, narrow);
    y = aimf_build_batch_norm(b, aimf_module_name(module + 1), y, FALSE);
    return stride == 1 && inputs == channels ? aimf_add(b->graph, x, y) : y;
}

AimfValue aimf_mobilenet_v2_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    static const struct {
        int expansion, channels, n, stride;
    } stages[] = { { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 }, { 6, 64, 4, 2 },
                   { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 } };
    b->scheme = (AimfScheme){ AIMF_DRAW_FAN_OUT, AIMF_DRAW_ZERO, AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, 0.01 };
    AimfConvLayer stem = { .channels = 32, .kernel = 3, .stride = 2 }, last = { .channels = 1280, .kernel = 1 };
    AimfValue x = aimf_build_conv_norm(b, "features.0", images, stem, AIMF_RELU6);
    int block = 1;
    for (gsize stage = 0; stage < G_N_ELEMENTS(stages); stage++)
        for (int i = 0; i < stages[stage].n; i++) {
            AIMF_SCOPE(b, "features.%d", block++);
            int stride = i == 0 ? stages[stage].stride : 1;
            x = inverted_residual(b, x, stages[stage].expansion, stages[stage].channels, stride);
        }
    x = aimf_build_conv_norm(b, "features.18", x, last, AIMF_RELU6);
    x = aimf_global_average_pool(b->graph, x); /* (N, 1280) */
    x = aimf_build_dropout(b, x, 0.2);
    return aimf_build_linear(b, "classifier.1", x, outputs);
}
