/*
 * EfficientNet-B0: Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019,
 * table 1, with torchvision's names (torchvision/models/efficientnet.py).
 */
#include "model/architecture.h"
#include "model/mobile_blocks.h"

/* The squeezed channels are a quarter of the block's inputs, not of the widened ones. */
static AimfValue mbconv(AimfBuilder *b, AimfValue x, int expansion, int kernel, int stride, int channels, double drop)
{
    int inputs = (int)aimf_graph_shape(b->graph, x).dim[1], module = 0;
    AimfConvLayer widen = { .channels = inputs * expansion, .kernel = 1 };
    AimfConvLayer narrow = { .channels = channels, .kernel = 1 };
    AimfValue y = x;
    AIMF_SCOPE(b, "block");
    if (expansion != 1)
        y = aimf_build_conv_norm(b, aimf_module_name(module++), y, widen, AIMF_SILU);
    y = aimf_build_depthwise_norm(b, aimf_module_name(module++), y, kernel, stride, AIMF_SILU);
    y = aimf_build_excitation(b, aimf_module_name(module++), y, MAX(1, inputs / 4), AIMF_SILU, aimf_sigmoid);
    y = aimf_build_conv_norm(b, aimf_module_name(module), y, narrow, AIMF_IDENTITY);
    if (stride != 1 || inputs != channels)
        return y;
    return aimf_add(b->graph, x, aimf_build_stochastic_depth(b, y, drop));
}

AimfValue aimf_efficientnet_b0_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    enum { STAGES = 7, BLOCKS = 16 };
    static const struct {
        int expansion, kernel, stride, channels, n;
    } stages[STAGES] = { { 1, 3, 1, 16, 1 },  { 6, 3, 2, 24, 2 },  { 6, 5, 2, 40, 2 }, { 6, 3, 2, 80, 3 },
                         { 6, 5, 1, 112, 3 }, { 6, 5, 2, 192, 4 }, { 6, 3, 1, 320, 1 } };
    b->scheme = (AimfScheme){ AIMF_DRAW_FAN_OUT, AIMF_DRAW_ZERO, AIMF_DRAW_ROWS, AIMF_DRAW_ZERO, 0 };
    AimfConvLayer stem = { .channels = 32, .kernel = 3, .stride = 2 }, last = { .channels = 1280, .kernel = 1 };
    AimfValue x = aimf_build_conv_norm(b, "features.0", images, stem, AIMF_SILU);
    int block = 0;
    for (int stage = 0; stage < STAGES; stage++)
        for (int i = 0; i < stages[stage].n; i++) {
            AIMF_SCOPE(b, "features.%d.%d", stage + 1, i);
            int stride = i == 0 ? stages[stage].stride : 1;
            double drop = 0.2 * block++ / BLOCKS;
            x = mbconv(b, x, stages[stage].expansion, stages[stage].kernel, stride, stages[stage].channels, drop);
        }
    x = aimf_build_conv_norm(b, "features.8", x, last, AIMF_SILU);
    x = aimf_global_average_pool(b->graph, x); /* (N, 1280) */
    x = aimf_build_dropout(b, x, 0.2);
    return aimf_build_linear(b, "classifier.1", x, outputs);
}
