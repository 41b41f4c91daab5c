#include "model/mobile_blocks.h"

AimfValue aimf_build_conv_norm(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer conv,
                               AimfActivation activation)
{
    AIMF_SCOPE(b, "%s", name);
    conv.no_bias = TRUE;
    x = aimf_build_conv2d(b, "0", x, conv);
    x = aimf_build_batch_norm(b, "1", x, activation == AIMF_RELU);
    return activation == AIMF_RELU ? x : aimf_build_activation(b, x, activation);
}

AimfValue aimf_build_depthwise_norm(AimfBuilder *b, const char *name, AimfValue x, int kernel, int stride,
                                    AimfActivation activation)
{
    int channels = (int)aimf_graph_shape(b->graph, x).dim[1];
    AimfConvLayer conv = { .channels = channels, .kernel = kernel, .stride = stride, .groups = channels };
    return aimf_build_conv_norm(b, name, x, conv, activation);
}

AimfValue aimf_build_excitation(AimfBuilder *b, const char *name, AimfValue x, int squeezed, AimfActivation activation,
                                AimfValue (*gate)(AimfGraph *graph, AimfValue x))
{
    int channels = (int)aimf_graph_shape(b->graph, x).dim[1];
    AIMF_SCOPE(b, "%s", name);
    AimfValue scale = aimf_reduce_mean(b->graph, x, 1 << 2 | 1 << 3, TRUE); /* (N, C, 1, 1) */
    scale = aimf_build_conv2d(b, "fc1", scale, (AimfConvLayer){ .channels = squeezed, .kernel = 1 });
    scale = aimf_build_activation(b, scale, activation);
    scale = aimf_build_conv2d(b, "fc2", scale, (AimfConvLayer){ .channels = channels, .kernel = 1 });
    return aimf_multiply(b->graph, x, gate(b->graph, scale));
}
