/*
 * The layers that the networks of Stable Diffusion share. @at is a layer's name in diffusers' and transformers'
 * modules; its parameters are "<at>.weight" and so on. Sizes of inputs are taken from @x; mistakes stick to the graph.
 */
#pragma once

#include <aimfair/graph.h>

typedef struct {
    int channels;
    int kernel;
    gboolean no_bias;
    AimfConv2d options;
} AimfSdConv;

AimfValue aimf_sd_conv2d(AimfGraph *graph, const char *at, AimfValue x, AimfSdConv conv);
/** aimf_sd_upsample: twice the size by nearest neighbour, then a 3 x 3 convolution that keeps the channels. */
AimfValue aimf_sd_upsample(AimfGraph *graph, const char *at, AimfValue x, gboolean no_bias);
/** aimf_sd_linear: of x (N, in) or (N, T, in). */
AimfValue aimf_sd_linear(AimfGraph *graph, const char *at, AimfValue x, gint64 outputs, gboolean no_bias);
AimfValue aimf_sd_group_norm(AimfGraph *graph, const char *at, AimfValue x, AimfGroupNorm options);
AimfValue aimf_sd_layer_norm(AimfGraph *graph, const char *at, AimfValue x, double epsilon);

/**
 * AimfSdResnet: diffusers' ResnetBlock2D. @embedding: (N, E), the time's, activated already, or AIMF_NONE
 */
typedef struct {
    AimfValue embedding;
    int channels;
    int groups;
    double epsilon;
} AimfSdResnet;

AimfValue aimf_sd_resnet(AimfGraph *graph, const char *at, AimfValue x, AimfSdResnet resnet);

/** aimf_sd_path: (owned) "<at>.<printf(format)>", or the latter alone where @at is "". */
char *aimf_sd_path(const char *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
