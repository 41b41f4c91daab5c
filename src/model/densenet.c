/*
 * DenseNet-121: Huang et al., "Densely connected convolutional networks", CVPR 2017, table 1, with torchvision's names
 * (torchvision/models/densenet.py).
 */
#include "model/architecture.h"

#include <string.h>

enum { GROWTH = 32, BOTTLENECK = 4 * GROWTH };

static AimfValue conv(AimfBuilder *b, const char *name, AimfValue x, int channels, int kernel)
{
    return aimf_build_conv2d(b, name, x, (AimfConvLayer){ .channels = channels, .kernel = kernel, .no_bias = TRUE });
}

/* All channels so far, with GROWTH new ones behind them. */
static AimfValue dense_layer(AimfBuilder *b, AimfValue x)
{
    AimfValue y = aimf_build_batch_norm(b, "norm1", x, TRUE);
    y = conv(b, "conv1", y, BOTTLENECK, 1);
    y = aimf_build_batch_norm(b, "norm2", y, TRUE);
    y = conv(b, "conv2", y, GROWTH, 3);
    return aimf_concat(b->graph, (AimfValue[]){ x, y }, 2, 1);
}

/* Half as many channels, and pixels, each way. */
static AimfValue transition(AimfBuilder *b, AimfValue x)
{
    int channels = (int)aimf_graph_shape(b->graph, x).dim[1];
    x = aimf_build_batch_norm(b, "norm", x, TRUE);
    x = conv(b, "conv", x, channels / 2, 1);
    return aimf_average_pool(b->graph, x, aimf_pool_square(2, 2, 0));
}

static AimfValue features(AimfBuilder *b, AimfValue images)
{
    static const int layers[] = { 6, 12, 24, 16 };
    AIMF_SCOPE(b, "features");
    AimfConvLayer stem = { .channels = 2 * GROWTH, .kernel = 7, .stride = 2, .no_bias = TRUE };
    AimfValue x = aimf_build_conv2d(b, "conv0", images, stem);
    x = aimf_build_batch_norm(b, "norm0", x, TRUE);
    x = aimf_max_pool(b->graph, x, aimf_pool_square(3, 2, 1)); /* (N, 64, H/4, W/4) */
    for (int block = 1; block <= (int)G_N_ELEMENTS(layers); block++) {
        for (int layer = 1; layer <= layers[block - 1]; layer++) {
            AIMF_SCOPE(b, "denseblock%d.denselayer%d", block, layer);
            x = dense_layer(b, x);
        }
        if (block < (int)G_N_ELEMENTS(layers)) {
            AIMF_SCOPE(b, "transition%d", block);
            x = transition(b, x);
        }
    }
    return aimf_build_batch_norm(b, "norm5", x, TRUE);
}

AimfValue aimf_densenet121_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    b->scheme = (AimfScheme){ .conv = AIMF_DRAW_FAN_IN, .linear = AIMF_DRAW_DEFAULT, .linear_bias = AIMF_DRAW_ZERO };
    AimfValue x = features(b, images);
    x = aimf_global_average_pool(b->graph, x); /* (N, 1024) */
    return aimf_build_linear(b, "classifier", x, outputs);
}

/*
 * In the first versions of torchvision a layer's "norm1.weight" was "norm.1.weight", and published files still have it
 * so.
 */
char *aimf_densenet_old_name(const char *name)
{
    static const char *const parts[] = { "norm1.", "conv1.", "norm2.", "conv2." };
    const char *layer = strstr(name, ".denselayer"), *part = layer ? strchr(layer + 1, '.') : NULL;
    for (gsize i = 0; part && i < G_N_ELEMENTS(parts); i++)
        if (g_str_has_prefix(part + 1, parts[i]))
            return g_strdup_printf("%.*s.%s", (int)(part + strlen("norm") + 1 - name), name, part + strlen("norm") + 1);
    return NULL;
}
