/*
 * ResNet-18: He et al., "Deep residual learning for image recognition", CVPR 2016, with torchvision's names and order
 * (torchvision/models/resnet.py): a block's downsampling comes after its second convolution.
 */
#include "model/architecture.h"

static AimfValue basic_block(AimfBuilder *builder, AimfValue x, int channels, int stride)
{
    AimfValue y = aimf_build_conv2d(builder, "conv1", x, channels, 3, (AimfConv2d){ .stride = stride, .padding = 1 });
    y = aimf_build_batch_norm(builder, "bn1", y, TRUE);
    y = aimf_build_conv2d(builder, "conv2", y, channels, 3, (AimfConv2d){ .padding = 1 });
    y = aimf_build_batch_norm(builder, "bn2", y, FALSE);
    if (stride != 1) {
        x = aimf_build_conv2d(builder, "downsample.0", x, channels, 1, (AimfConv2d){ .stride = stride });
        x = aimf_build_batch_norm(builder, "downsample.1", x, FALSE);
    }
    return aimf_add_relu(builder->graph, y, x);
}

AimfValue aimf_resnet18_logits(AimfBuilder *builder, AimfValue images, int outputs)
{
    enum { LAYERS = 4, BLOCKS = 2 };
    /* (N, 64, S/2, S/2) */
    AimfValue x = aimf_build_conv2d(builder, "conv1", images, 64, 7, (AimfConv2d){ .stride = 2, .padding = 3 });
    x = aimf_build_batch_norm(builder, "bn1", x, TRUE);
    x = aimf_max_pool(builder->graph, x, 3, 2, 1); /* (N, 64, S/4, S/4) */
    for (int layer = 0; layer < LAYERS; layer++) {
        for (int block = 0; block < BLOCKS; block++) {
            g_string_printf(builder->scope, "layer%d.%d.", layer + 1, block);
            x = basic_block(builder, x, 64 << layer, layer > 0 && block == 0 ? 2 : 1);
        }
    }
    g_string_truncate(builder->scope, 0);
    x = aimf_global_average_pool(builder->graph, x); /* (N, 512) */
    return aimf_build_linear(builder, "fc", x, outputs);
}
