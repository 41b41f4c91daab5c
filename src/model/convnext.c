/*
 * ConvNeXt-Tiny: Liu et al., "A ConvNet for the 2020s", CVPR 2022, figure 4 and section 3, with torchvision's names
 * (torchvision/models/convnext.py).
 */
#include "model/architecture.h"

enum { STAGES = 4, BLOCKS = 18 };
static const double EPSILON = 1e-6;

/* Layer norm over the channels of a picture. */
static AimfValue norm_channels(AimfBuilder *b, const char *name, AimfValue x)
{
    AimfShape shape = aimf_graph_shape(b->graph, x);
    x = aimf_build_layer_norm(b, name, aimf_tokens(b->graph, x), EPSILON);
    return aimf_planes(b->graph, x, (int)shape.dim[2], (int)shape.dim[3]);
}

/* The scale of a residual branch is per channel; it lies on tokens here, where channels are the last dimension. */
static AimfValue block(AimfBuilder *b, AimfValue x, double drop)
{
    AimfShape shape = aimf_graph_shape(b->graph, x);
    int channels = (int)shape.dim[1];
    AimfValue scale =
        aimf_build_parameter(b, "layer_scale", AIMF_SHAPE(channels, 1, 1), (AimfInit){ AIMF_INIT_CONSTANT, 1e-6 });
    AIMF_SCOPE(b, "block");
    AimfConvLayer depthwise = { .channels = channels, .kernel = 7, .groups = channels };
    AimfValue y = aimf_tokens(b->graph, aimf_build_conv2d(b, "0", x, depthwise)); /* (N, H W, C) */
    y = aimf_build_layer_norm(b, "2", y, EPSILON);
    y = aimf_gelu(b->graph, aimf_build_linear(b, "3", y, 4 * channels));
    y = aimf_build_linear(b, "5", y, channels);
    y = aimf_multiply(b->graph, y, aimf_reshape(b->graph, scale, AIMF_SHAPE(channels)));
    y = aimf_planes(b->graph, y, (int)shape.dim[2], (int)shape.dim[3]);
    return aimf_add(b->graph, x, aimf_build_stochastic_depth(b, y, drop));
}

/* Patches of @patch pixels each way, which do not overlap. */
static AimfValue patches(AimfBuilder *b, const char *name, AimfValue x, int channels, int patch)
{
    AimfConvLayer conv = { .channels = channels, .kernel = patch, .stride = patch, .padded = TRUE };
    return aimf_build_conv2d(b, name, x, conv);
}

AimfValue aimf_convnext_tiny_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    static const int channels[STAGES] = { 96, 192, 384, 768 }, blocks[STAGES] = { 3, 3, 9, 3 };
    b->scheme = (AimfScheme){ AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, 0.02 };
    AimfValue x = norm_channels(b, "features.0.1", patches(b, "features.0.0", images, channels[0], 4));
    int number = 0;
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage > 0) {
            AIMF_SCOPE(b, "features.%d", 2 * stage);
            x = patches(b, "1", norm_channels(b, "0", x), channels[stage], 2);
        }
        for (int i = 0; i < blocks[stage]; i++) {
            AIMF_SCOPE(b, "features.%d.%d", 2 * stage + 1, i);
            x = block(b, x, 0.1 * number++ / (BLOCKS - 1));
        }
    }
    x = aimf_global_average_pool(b->graph, x); /* (N, 768) */
    x = aimf_build_layer_norm(b, "classifier.0", x, EPSILON);
    return aimf_build_linear(b, "classifier.2", x, outputs);
}
