/*
 * ResNets: He et al., "Deep residual learning for image recognition", CVPR 2016, figures 3 and 5 and table 1, with
 * torchvision's names and order (torchvision/models/resnet.py): a block's downsampling comes after its convolutions,
 * and the stride of a bottleneck is its 3 x 3 convolution's.
 */
#include "model/architecture.h"

enum { STAGES = 4, BOTTLENECK_EXPANSION = 4 };

static AimfValue conv(AimfBuilder *b, const char *name, AimfValue x, int channels, int kernel, int stride)
{
    AimfConvLayer options = { .channels = channels, .kernel = kernel, .stride = stride, .no_bias = TRUE };
    return aimf_build_conv2d(b, name, x, options);
}

/* @y + @x, which is brought to y's shape first where the two differ. */
static AimfValue add_shortcut(AimfBuilder *b, AimfValue y, AimfValue x, int stride)
{
    int channels = (int)aimf_graph_shape(b->graph, y).dim[1];
    if (stride != 1 || aimf_graph_shape(b->graph, x).dim[1] != channels) {
        x = conv(b, "downsample.0", x, channels, 1, stride);
        x = aimf_build_batch_norm(b, "downsample.1", x, FALSE);
    }
    return aimf_add_relu(b->graph, y, x);
}

typedef AimfValue Block(AimfBuilder *b, AimfValue x, int channels, int stride);

static AimfValue basic_block(AimfBuilder *b, AimfValue x, int channels, int stride)
{
    AimfValue y = conv(b, "conv1", x, channels, 3, stride);
    y = aimf_build_batch_norm(b, "bn1", y, TRUE);
    y = conv(b, "conv2", y, channels, 3, 1);
    y = aimf_build_batch_norm(b, "bn2", y, FALSE);
    return add_shortcut(b, y, x, stride);
}

static AimfValue bottleneck(AimfBuilder *b, AimfValue x, int channels, int stride)
{
    AimfValue y = conv(b, "conv1", x, channels, 1, 1);
    y = aimf_build_batch_norm(b, "bn1", y, TRUE);
    y = conv(b, "conv2", y, channels, 3, stride);
    y = aimf_build_batch_norm(b, "bn2", y, TRUE);
    y = conv(b, "conv3", y, BOTTLENECK_EXPANSION * channels, 1, 1);
    y = aimf_build_batch_norm(b, "bn3", y, FALSE);
    return add_shortcut(b, y, x, stride);
}

static AimfValue resnet(AimfBuilder *b, AimfValue images, int outputs, Block *add_block, const int blocks[STAGES])
{
    AimfValue x = conv(b, "conv1", images, 64, 7, 2); /* (N, 64, H/2, W/2) */
    x = aimf_build_batch_norm(b, "bn1", x, TRUE);
    x = aimf_max_pool(b->graph, x, aimf_pool_square(3, 2, 1)); /* (N, 64, H/4, W/4) */
    for (int stage = 0; stage < STAGES; stage++)
        for (int block = 0; block < blocks[stage]; block++) {
            AIMF_SCOPE(b, "layer%d.%d", stage + 1, block);
            x = add_block(b, x, 64 << stage, stage > 0 && block == 0 ? 2 : 1);
        }
    x = aimf_global_average_pool(b->graph, x); /* (N, 512), or of bottlenecks (N, 2048) */
    return aimf_build_linear(b, "fc", x, outputs);
}

AimfValue aimf_resnet18_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return resnet(b, images, outputs, basic_block, (const int[]){ 2, 2, 2, 2 });
}

AimfValue aimf_resnet34_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return resnet(b, images, outputs, basic_block, (const int[]){ 3, 4, 6, 3 });
}

AimfValue aimf_resnet50_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return resnet(b, images, outputs, bottleneck, (const int[]){ 3, 4, 6, 3 });
}

AimfValue aimf_resnet101_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return resnet(b, images, outputs, bottleneck, (const int[]){ 3, 4, 23, 3 });
}

AimfValue aimf_resnet152_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    return resnet(b, images, outputs, bottleneck, (const int[]){ 3, 8, 36, 3 });
}
