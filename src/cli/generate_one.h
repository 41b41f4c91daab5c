/* aimfair generate: what its two forms share. */
#pragma once

#include "cli.h"

#include <aimfair/diffusion.h>

/** AimfGenerateArguments: the command line; texts are owned. @options, @sampling: what follows from them */
typedef struct {
    AimfDiffusionOptions options;
    AimfSampling sampling;
    char *model;
    char *vae;
    char *tokenizer;
    char *prediction;
    gboolean raw_weights;
    gboolean low_memory;
    char *sampler;
    gint steps;
    char *spacing;
    double guidance;
    double eta;
    char *negative;
    char *size;
    char *prompt;
    char *noise;
    char *latents;
    char *prompts;
    gint per_group;
    gint batch;
    gint image_size;
    char *shard;
    gboolean resume;
    gboolean preview;
    char *output;
} AimfGenerateArguments;

/** aimf_generate_one: --prompt: one picture, from noise of the seed or of a file. */
gboolean aimf_generate_one(AimfCli *cli, const AimfGenerateArguments *a, GError **error);
/** aimf_generate_json_model: what both forms say of model and settings, as members of @builder's object. */
void aimf_generate_json_model(JsonBuilder *builder, const AimfDiffusion *diffusion, const AimfSampling *sampling);
