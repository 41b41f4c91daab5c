/*
 * The networks of Stable Diffusion 1.x and 2.x: what they are made of, as graphs, and where their weights are.
 * Tensors are called by diffusers' and transformers' names inside ("down_blocks.0.resnets.0.conv1.weight"), whatever
 * the files call them.
 */
#pragma once

#include <aimfair/graph.h>
#include <aimfair/monitor.h>
#include <aimfair/weights.h>

enum { AIMF_SD_MAX_LEVELS = 8 };

/**
 * AimfClipTextConfig: @layers: those there are; @layers_used: those that run (2.x stops before the last one);
 * @hidden: width; @quick_gelu: OpenAI's activation, else the exact one; @pad_token: fills up the 77 tokens; the last
 *   of the vocabulary stands for the end, wherever that is when tokens were added behind it
 */
typedef struct {
    int vocabulary, positions, hidden, intermediate, heads, layers, layers_used;
    gboolean quick_gelu;
    double epsilon;
    int pad_token;
} AimfClipTextConfig;

/**
 * AimfUnetConfig: @channels: (levels) of each resolution; @attention: (levels) whether a level has transformer blocks
 * @heads: (levels); @context: width of the text states; @linear_projection: proj_in and proj_out are linear (2.x),
 *   else convolutions
 * @transformers: transformer blocks per attention layer
 */
typedef struct {
    int in_channels, out_channels, levels, res_blocks, groups, transformers, context;
    int channels[AIMF_SD_MAX_LEVELS], heads[AIMF_SD_MAX_LEVELS];
    gboolean attention[AIMF_SD_MAX_LEVELS];
    gboolean linear_projection;
    int sample_size; /* latent pixels of the side it was trained for */
} AimfUnetConfig;

/**
 * AimfVaeConfig: @tiny: TAESD, of which only latent_channels, levels (4) and channels[0] matter; @scaling: latents =
 * scaling * z
 */
typedef struct {
    gboolean tiny;
    int latent_channels, levels, res_blocks, groups;
    int channels[AIMF_SD_MAX_LEVELS];
    double scaling;
} AimfVaeConfig;

/**
 * AimfSdSchedule: what the model was trained to take away (diffusers' scheduler_config.json, or the family's).
 * @train_steps: 1000; @scaled_linear: betas are linear in their square roots, else linear
 * @v_prediction: the UNet predicts v = sqrt(a) noise - sqrt(1 - a) x0, else the noise, epsilon
 */
typedef struct {
    int train_steps;
    double beta_start, beta_end;
    gboolean scaled_linear;
    gboolean v_prediction;
} AimfSdSchedule;

/**
 * AimfSdWeights: one network's tensors under our names, mapped where the file allows; may be loaded into a plan again
 * and again.
 */
typedef struct {
    AimfTensors *text;    /* (nullable) owned */
    AimfTensors *unet;    /* (nullable) owned */
    AimfTensors *decoder; /* (nullable) owned */
    AimfTensors *encoder; /* (nullable) owned */
} AimfSdWeights;

/**
 * AimfSdModel: @family: (static) "Stable Diffusion 2.x"; @which: (static) "EMA", "raw", "as stored"
 * @prediction_from: (static) what told epsilon from v: "scheduler_config.json", "the caller" …
 * @hash: (owned) SHA-256 of the configuration and of every tensor used: our name, type, shape and bytes, of tensors
 *   above 12 KiB the first, the middle and the last 4 KiB. The same model gives the same hash in whatever form it is
 *   stored.
 */
typedef struct {
    const char *family;
    const char *which;
    const char *prediction_from;
    AimfClipTextConfig text;
    AimfUnetConfig unet;
    AimfVaeConfig vae;
    AimfSdSchedule schedule;
    AimfSdWeights weights;
    char *tokenizer; /* (nullable) owned: the vocabulary found in or beside the model */
    char *hash;
} AimfSdModel;

/** AimfPrediction: what a UNet's output is. */
typedef enum { AIMF_PREDICTION_AS_TRAINED, AIMF_PREDICTION_EPSILON, AIMF_PREDICTION_V } AimfPrediction;

/**
 * AimfSdOptions: @model, @vae and @raw_weights as in AimfDiffusionOptions; @model NULL opens the autoencoder @vae
 * alone
 * @prediction: overrules what the files say; a single file of family 2.x may say nothing, see aimf_sd_open
 */
typedef struct {
    const char *model;
    const char *vae;
    gboolean raw_weights;
    AimfPrediction prediction;
} AimfSdOptions;

/**
 * aimf_sd_open:
 * Whether a model of family 2.x in a single file predicts v or epsilon is told, in this order, by: the caller;
 * "parameterization" in a configuration of the original program beside it (NAME.yaml or NAME-inference.yaml; without
 * it, epsilon there); its metadata (modelspec.prediction_type, modelspec.architecture); its global_step, if that is
 * 2.0-base's; the spread of one bias, with a warning. Errors as aimf_diffusion_open. Returns: (owned) or NULL.
 */
AimfSdModel *aimf_sd_open(const AimfSdOptions *options, const AimfMonitor *monitor, GError **error);
void aimf_sd_free(AimfSdModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSdModel, aimf_sd_free)

/** A network as a graph; input and output values are the graph's. The parameters' names are those of the weights. */
typedef struct {
    AimfGraph *graph; /* owned */
    /* clip: tokens (N, 77) as f32; unet and decoder: latents (N, C, h, w); encoder: planes (N, 3, H, W) */
    AimfValue input;
    AimfValue timestep; /* unet: (N) */
    AimfValue context;  /* unet: (N, 77, context) */
    /* clip: states (N, 77, hidden); unet: prediction; decoder: planes (N, 3, 8 h, 8 w); encoder: latents */
    AimfValue output;
} AimfSdGraph;

/*
 * The graphs know neither the scaling of latents nor TAESD's bounding of them and its [0, 1] range: the caller applies
 * aimf_vae_before_decoding and the three others to the numbers before and after the graph. Then decoders take latents
 * as the UNet knows them, scaled, and encoders give such; for the KL autoencoder the mean of the posterior.
 */
gboolean aimf_clip_text_build(const AimfClipTextConfig *config, int batch, AimfSdGraph *built, GError **error);
gboolean aimf_unet_build(const AimfUnetConfig *config, int batch, int height, int width, int tokens, AimfSdGraph *built,
                         GError **error);
/** @height, @width: of the latents. */
gboolean aimf_vae_decoder_build(const AimfVaeConfig *config, int batch, int height, int width, AimfSdGraph *built,
                                GError **error);
gboolean aimf_vae_encoder_build(const AimfVaeConfig *config, int batch, int height, int width, AimfSdGraph *built,
                                GError **error);
/** aimf_vae_scale: image pixels per latent pixel of the side, 8 for all that are published. */
int aimf_vae_scale(const AimfVaeConfig *config);
/** aimf_vae_before_decoding, aimf_vae_after_decoding …: in place, @n numbers. */
void aimf_vae_before_decoding(const AimfVaeConfig *config, float *latents, gsize n);
void aimf_vae_after_decoding(const AimfVaeConfig *config, float *planes, gsize n);
void aimf_vae_before_encoding(const AimfVaeConfig *config, float *planes, gsize n);
/**
 * @encoded: the encoder's output, (2 C, h, w) mean and log variance for KL or (C, h, w) for TAESD; @latents: (C, h,
 * w).
 */
void aimf_vae_after_encoding(const AimfVaeConfig *config, const float *encoded, float *latents, gsize n);
