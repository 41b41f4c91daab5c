/*
 * ResNet-18: He et al., "Deep residual learning for image recognition", CVPR 2016, with torchvision's names and order
 * (torchvision/models/resnet.py): a block's downsampling comes after its second convolution.
 */
#include "model/architecture.h"

static AimfValue conv(AimfBuilder *b, const char *name, AimfValue x, int channels, int kernel, int stride)
{
    AimfConvLayer options = { .channels = channels, .kernel = kernel, .stride = stride, .no_bias = TRUE };
    return aimf_build_conv2d(b, name, x, options);
}

static AimfValue basic_block(AimfBuilder *b, AimfValue x, int channels, int stride)
{
    AimfValue y = conv(b, "conv1", x, channels, 3, stride);
    y = aimf_build_batch_norm(b, "bn1", y, TRUE);
    y = conv(b, "conv2", y, channels, 3, 1);
    y = aimf_build_batch_norm(b, "bn2", y, FALSE);
    if (stride != 1) {
        x = conv(b, "downsample.0", x, channels, 1, stride);
        x = aimf_build_batch_norm(b, "downsample.1", x, FALSE);
    }
    return aimf_add_relu(b->graph, y, x);
}

AimfValue aimf_resnet18_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    enum { LAYERS = 4, BLOCKS = 2 };
    AimfValue x = conv(b, "conv1", images, 64, 7, 2); /* (N, 64, S/2, S/2) */
    x = aimf_build_batch_norm(b, "bn1", x, TRUE);
    x = aimf_max_pool(b->graph, x, aimf_pool_square(3, 2, 1)); /* (N, 64, S/4, S/4) */
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int block = 0; block < BLOCKS; block++) {
            AIMF_SCOPE(b, "layer%d.%d", layer + 1, block);
            x = basic_block(b, x, 64 << layer, layer > 0 && block == 0 ? 2 : 1);
        }
    }
    x = aimf_global_average_pool(b->graph, x); /* (N, 512) */
    return aimf_build_linear(b, "fc", x, outputs);
}
