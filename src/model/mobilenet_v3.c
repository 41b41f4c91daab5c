/*
 * MobileNetV3: Howard et al., "Searching for MobileNetV3", ICCV 2019, tables 1 and 2, with torchvision's names
 * (torchvision/models/mobilenetv3.py).
 */
#include "model/architecture.h"
#include "model/mobile_blocks.h"

/* A row of the tables. */
typedef struct {
    int kernel, expanded, channels;
    gboolean excite;
    AimfActivation activation;
    int stride;
} Row;

/* @divisor of a number of channels, to the nearest multiple of 8, but not below 0.9 of it. */
static int divisible(int channels, int divisor)
{
    int eighth = 8 * divisor, rounded = MAX(8, (channels + eighth / 2) / eighth * 8);
    return 10 * rounded * divisor < 9 * channels ? rounded + 8 : rounded;
}

static AimfValue bottleneck(AimfBuilder *b, AimfValue x, const Row *row)
{
    int inputs = (int)aimf_graph_shape(b->graph, x).dim[1], module = 0;
    AimfConvLayer widen = { .channels = row->expanded, .kernel = 1 };
    AimfConvLayer narrow = { .channels = row->channels, .kernel = 1 };
    AimfValue y = x;
    AIMF_SCOPE(b, "block");
    if (row->expanded != inputs)
        y = aimf_build_conv_norm(b, aimf_module_name(module++), y, widen, row->activation);
    y = aimf_build_depthwise_norm(b, aimf_module_name(module++), y, row->kernel, row->stride, row->activation);
    if (row->excite)
        y = aimf_build_excitation(b, aimf_module_name(module++), y, divisible(row->expanded, 4), AIMF_RELU,
                                  aimf_hard_sigmoid);
    y = aimf_build_conv_norm(b, aimf_module_name(module), y, narrow, AIMF_IDENTITY);
    return row->stride == 1 && inputs == row->channels ? aimf_add(b->graph, x, y) : y;
}

static AimfValue features(AimfBuilder *b, AimfValue images, const Row *rows, int n)
{
    AimfConvLayer stem = { .channels = 16, .kernel = 3, .stride = 2 };
    AimfConvLayer last = { .channels = 6 * rows[n - 1].channels, .kernel = 1 };
    AIMF_SCOPE(b, "features");
    AimfValue x = aimf_build_conv_norm(b, "0", images, stem, AIMF_HARD_SWISH);
    for (int i = 0; i < n; i++) {
        AIMF_SCOPE(b, "%d", i + 1);
        x = bottleneck(b, x, &rows[i]);
    }
    return aimf_build_conv_norm(b, aimf_module_name(n + 1), x, last, AIMF_HARD_SWISH);
}

static AimfValue mobilenet_v3(AimfBuilder *b, AimfValue images, int outputs, const Row *rows, int n, int width)
{
    b->scheme = (AimfScheme){ AIMF_DRAW_FAN_OUT, AIMF_DRAW_ZERO, AIMF_DRAW_NORMAL, AIMF_DRAW_ZERO, 0.01 };
    b->batch_norm = (AimfBatchNorm){ .momentum = 0.01, .epsilon = 1e-3 };
    AimfValue x = aimf_global_average_pool(b->graph, features(b, images, rows, n));
    x = aimf_build_linear(b, "classifier.0", x, width);
    x = aimf_build_activation(b, x, AIMF_HARD_SWISH);
    x = aimf_build_dropout(b, x, 0.2);
    return aimf_build_linear(b, "classifier.3", x, outputs);
}

AimfValue aimf_mobilenet_v3_large_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    static const Row rows[] = {
        { 3, 16, 16, FALSE, AIMF_RELU, 1 },        { 3, 64, 24, FALSE, AIMF_RELU, 2 },
        { 3, 72, 24, FALSE, AIMF_RELU, 1 },        { 5, 72, 40, TRUE, AIMF_RELU, 2 },
        { 5, 120, 40, TRUE, AIMF_RELU, 1 },        { 5, 120, 40, TRUE, AIMF_RELU, 1 },
        { 3, 240, 80, FALSE, AIMF_HARD_SWISH, 2 }, { 3, 200, 80, FALSE, AIMF_HARD_SWISH, 1 },
        { 3, 184, 80, FALSE, AIMF_HARD_SWISH, 1 }, { 3, 184, 80, FALSE, AIMF_HARD_SWISH, 1 },
        { 3, 480, 112, TRUE, AIMF_HARD_SWISH, 1 }, { 3, 672, 112, TRUE, AIMF_HARD_SWISH, 1 },
        { 5, 672, 160, TRUE, AIMF_HARD_SWISH, 2 }, { 5, 960, 160, TRUE, AIMF_HARD_SWISH, 1 },
        { 5, 960, 160, TRUE, AIMF_HARD_SWISH, 1 },
    };
    return mobilenet_v3(b, images, outputs, rows, G_N_ELEMENTS(rows), 1280);
}

AimfValue aimf_mobilenet_v3_small_logits(AimfBuilder *b, AimfValue images, int outputs)
{
    static const Row rows[] = {
        { 3, 16, 16, TRUE, AIMF_RELU, 2 },        { 3, 72, 24, FALSE, AIMF_RELU, 2 },
        { 3, 88, 24, FALSE, AIMF_RELU, 1 },       { 5, 96, 40, TRUE, AIMF_HARD_SWISH, 2 },
        { 5, 240, 40, TRUE, AIMF_HARD_SWISH, 1 }, { 5, 240, 40, TRUE, AIMF_HARD_SWISH, 1 },
        { 5, 120, 48, TRUE, AIMF_HARD_SWISH, 1 }, { 5, 144, 48, TRUE, AIMF_HARD_SWISH, 1 },
        { 5, 288, 96, TRUE, AIMF_HARD_SWISH, 2 }, { 5, 576, 96, TRUE, AIMF_HARD_SWISH, 1 },
        { 5, 576, 96, TRUE, AIMF_HARD_SWISH, 1 },
    };
    return mobilenet_v3(b, images, outputs, rows, G_N_ELEMENTS(rows), 1024);
}
