/* The blocks that the networks of Stable Diffusion share. */
#pragma once

#include "model/layer_builder.h"

/** AimfSdResnet: @embedding: (N, E), the time's, activated already, or AIMF_NONE */
typedef struct {
    AimfValue embedding;
    int channels;
    int groups;
    double epsilon;
} AimfSdResnet;

/** aimf_sd_resnet: diffusers' ResnetBlock2D "resnets.@index"; x (N, C, H, W). */
AimfValue aimf_sd_resnet(AimfBuilder *b, int index, AimfValue x, AimfSdResnet options);

/** AimfSdAttention: @clip_names: q_proj … out_proj, else diffusers' to_q … to_out.0 */
typedef struct {
    int heads;
    gboolean causal, clip_names;
    gboolean no_bias; /* but for the result */
} AimfSdAttention;

/** aimf_sd_attention: x (N, T, C) looks at @context (N, S, E). */
AimfValue aimf_sd_attention(AimfBuilder *b, const char *name, AimfValue x, AimfValue context, AimfSdAttention options);
