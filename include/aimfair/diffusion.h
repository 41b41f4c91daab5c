/*
 * Text to image with Stable Diffusion 1.x and 2.x: single pictures, and jobs of many that are balanced over groups.
 *
 * Example:
 *     gboolean paint(const char *model, const char *prompt, const char *to, GError **error)
 *     {
 *         const AimfDiffusionOptions options = { .model = model };
 *         const AimfSampling sampling = AIMF_SAMPLING_DEFAULT;
 *         AimfPicture picture = { .prompt = prompt, .seed = 1 };
 *         g_autoptr(AimfDiffusion) diffusion = aimf_diffusion_open(&options, NULL, error);
 *         if (!diffusion || !aimf_diffusion_generate(diffusion, &sampling, &picture, 1, NULL, error))
 *             return FALSE;
 *         g_autoptr(AimfImage) image = picture.image;
 *         if (!image)
 *             g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_FAILED, "the picture's numbers are not finite");
 *         return image && aimf_picture_save(diffusion, &sampling, &picture, to, error);
 *     }
 */
#pragma once

#include <aimfair/graph.h>
#include <aimfair/image.h>
#include <aimfair/monitor.h>
#include <aimfair/prompts.h>
#include <aimfair/weights.h>

G_BEGIN_DECLS

/* --- Models --- */

/**
 * AimfDiffusionOptions:
 * @model: a single-file checkpoint (.ckpt, .safetensors, LDM's names) or a folder in diffusers' layout
 * @vae: (nullable) another autoencoder in place of the model's: a KL one or the tiny TAESD, a file or a folder
 * @tokenizer: (nullable) where the vocabulary is, see aimf_tokenizer_open; NULL: the model's folder, or beside the
 * checkpoint
 * @device: (nullable) where it computes, NULL for "auto"
 * @prediction: (nullable) "epsilon" or "v", what the UNet predicts; overrules the files, for single files of 2.x that
 * do not say it
 * @raw_weights: take the raw weights of a checkpoint that has both raw and averaged (EMA) ones
 * @low_memory: release the text encoder, the UNet and the autoencoder after each use instead of keeping all three
 * @threads: 0: see aimf_set_threads
 */
typedef struct {
    const char *model;
    const char *vae;
    const char *tokenizer;
    AimfDevice *device;
    const char *prediction;
    AimfPrecision precision;
    gboolean raw_weights;
    gboolean low_memory;
    int threads;
} AimfDiffusionOptions;

typedef struct AimfDiffusion AimfDiffusion;

/**
 * aimf_diffusion_open:
 * Finds out the family from weights and configuration, checks that every tensor is there and tells @monitor which
 * known harmless or unknown ones are left over, and which of raw and EMA weights are used. Weights are packed when
 * first needed.
 * Returns: (owned) or NULL with NOT_FOUND, FORMAT (truncated, hostile), INVALID (tensors missing or misshapen: lists
 * them), UNSUPPORTED (another family) or MEMORY.
 */
AimfDiffusion *aimf_diffusion_open(const AimfDiffusionOptions *options, const AimfMonitor *monitor, GError **error);
void aimf_diffusion_free(AimfDiffusion *diffusion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfDiffusion, aimf_diffusion_free)

/**
 * AimfDiffusionInfo: all borrowed.
 * @family: "Stable Diffusion 1.x" and the like; @prediction: "epsilon" or "v"; @weights: "EMA", "raw" or "as stored";
 * @vae: "KL" or "TAESD"
 * @image_size: pixels of the side the model was trained for; @scale: image pixels per latent pixel, 8
 * @hash: SHA-256 that changes with any of the files used
 */
typedef struct {
    const char *family;
    const char *prediction;
    const char *weights;
    const char *vae;
    int image_size;
    int scale;
    int latent_channels;
    AimfPrecision precision;
    const char *hash;
} AimfDiffusionInfo;

AimfDiffusionInfo aimf_diffusion_info(const AimfDiffusion *diffusion);

/* --- Sampling --- */

typedef enum {
    AIMF_SAMPLER_DDIM,
    AIMF_SAMPLER_PLMS,
    AIMF_SAMPLER_DPM_SOLVER, /* DPM-Solver++(2M) */
    AIMF_SAMPLER_EULER,
    AIMF_SAMPLER_EULER_ANCESTRAL,
    AIMF_N_SAMPLERS,
} AimfSamplerKind;

/** aimf_sampler_name: (borrowed) "ddim", "plms", "dpm-solver++", "euler", "euler-a". */
const char *aimf_sampler_name(AimfSamplerKind sampler);

/**
 * AimfSpacing: which of the training's steps are sampled, as diffusers names the ways (timestep_spacing). The usual
 * one is what diffusers takes where a model's configuration is silent: leading for DDIM and PLMS, linspace for the
 * others.
 */
typedef enum {
    AIMF_SPACING_USUAL,
    AIMF_SPACING_LEADING,
    AIMF_SPACING_LINSPACE,
    AIMF_SPACING_TRAILING,
    AIMF_N_SPACINGS,
} AimfSpacing;

/** aimf_spacing_name: (borrowed) "usual", "leading", "linspace", "trailing". */
const char *aimf_spacing_name(AimfSpacing spacing);

/**
 * AimfSampling: how a picture is made. The default is the paper's.
 * @guidance: classifier-free guidance scale; 1 switches it off (and halves the work)
 * @steps: of the sampler, 1 to 999 (998 for DPM-Solver with leading spacing); PLMS asks the network once more
 * @eta: noise of DDIM: 0 deterministic, 1 as DDPM; the other samplers take 0 only
 * @negative: (nullable) the prompt that guidance leads away from; NULL means ""
 * @width, @height: pixels, multiples of 64; 0 for the model's own size
 */
typedef struct {
    AimfSamplerKind sampler;
    int steps;
    double guidance;
    double eta;
    AimfSpacing spacing;
    const char *negative;
    int width;
    int height;
} AimfSampling;

/** AIMF_SAMPLING_DEFAULT: DDIM, 50 steps, guidance 9, eta 0, the model's size. Source: AIM-Fair's generation script. */
#define AIMF_SAMPLING_DEFAULT                                                                                          \
    {                                                                                                                  \
        .sampler = AIMF_SAMPLER_DDIM, .steps = 50, .guidance = 9.0                                                     \
    }

/**
 * AimfPicture: one picture to make, and what became of it.
 * @prompt: what it shows; @seed: of its noise; @noise: (nullable) (C, h, w) initial noise of unit variance in place
 * of the drawn one
 * @latents: (nullable) room for the (C, h, w) final latents, as they enter the decoder before scaling
 * @image: (owned by the caller) the result; NULL: its numbers were not finite, in f32 neither
 * @tokens_cut: tokens of the prompt beyond the limit; @retried: made in f32 because bf16 or f16 weights gave no
 * finite numbers
 */
typedef struct {
    const char *prompt;
    guint64 seed;
    const float *noise;
    float *latents;
    AimfImage *image;
    guint tokens_cut;
    gboolean retried;
} AimfPicture;

/**
 * aimf_diffusion_generate:
 * Makes @n pictures in one batch. A picture depends on model, prompt, sampling and its seed only: not on @n, on its
 * neighbours or on the number of threads. Progress counts steps.
 * Returns: FALSE with INVALID (sizes, steps, a sampler's limits), MEMORY, INTERRUPTED, or what reading weights and
 * aimf_plan_run give; no image then.
 */
gboolean aimf_diffusion_generate(AimfDiffusion *diffusion, const AimfSampling *sampling, AimfPicture *pictures, guint n,
                                 const AimfMonitor *monitor, GError **error);

/**
 * aimf_picture_save: @picture's image as PNG, with prompt, seed and all that @sampling and model add in its text
 * chunks.
 */
gboolean aimf_picture_save(const AimfDiffusion *diffusion, const AimfSampling *sampling, const AimfPicture *picture,
                           const char *path, GError **error);

/* --- The parts by themselves, for comparisons and for other uses --- */

/**
 * aimf_diffusion_encode_text: (owned) (n, 77, width), what the UNet is told of each of @prompts (n); @width receives
 * its size.
 */
float *aimf_diffusion_encode_text(AimfDiffusion *diffusion, const char *const *prompts, guint n, int *width,
                                  GError **error);
/**
 * aimf_diffusion_predict: one UNet call: @latents (n, C, h, w), @timesteps (n), @states (n, 77, width) -> @prediction
 * like @latents.
 */
gboolean aimf_diffusion_predict(AimfDiffusion *diffusion, const float *latents, const float *timesteps,
                                const float *states, guint n, int height, int width, float *prediction, GError **error);
/**
 * aimf_diffusion_decode: latents (C, h, w), as sampling leaves them, to @planes (3, 8 h, 8 w) in about [-1, 1].
 * @height, @width: h and w.
 */
gboolean aimf_diffusion_decode(AimfDiffusion *diffusion, const float *latents, int height, int width, float *planes,
                               GError **error);
/**
 * aimf_diffusion_encode: planes (3, 8 h, 8 w) in [-1, 1] to latents (C, h, w), @height and @width: the mean of the
 * posterior, scaled for the UNet.
 */
gboolean aimf_diffusion_encode(AimfDiffusion *diffusion, const float *planes, int height, int width, float *latents,
                               GError **error);

/* --- Autoencoders without a diffusion model --- */

typedef struct AimfAutoencoder AimfAutoencoder;

/**
 * aimf_autoencoder_open: a KL autoencoder or TAESD: a file, a folder in diffusers' layout, or a folder with
 * taesd_encoder.safetensors and taesd_decoder.safetensors; one of the two files brings the other where it lies beside
 * it. @options: of them @vae, the path, @device, @precision and @threads count.
 */
AimfAutoencoder *aimf_autoencoder_open(const AimfDiffusionOptions *options, const AimfMonitor *monitor, GError **error);
void aimf_autoencoder_free(AimfAutoencoder *autoencoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfAutoencoder, aimf_autoencoder_free)
/** aimf_autoencoder_channels: C of its latents; aimf_autoencoder_scale: image pixels per latent pixel. */
int aimf_autoencoder_channels(const AimfAutoencoder *autoencoder);
int aimf_autoencoder_scale(const AimfAutoencoder *autoencoder);
/**
 * aimf_autoencoder_encode, aimf_autoencoder_decode: as aimf_diffusion_encode and _decode; UNSUPPORTED where the half
 * is missing.
 */
gboolean aimf_autoencoder_encode(AimfAutoencoder *autoencoder, const float *planes, int height, int width,
                                 float *latents, GError **error);
gboolean aimf_autoencoder_decode(AimfAutoencoder *autoencoder, const float *latents, int height, int width,
                                 float *planes, GError **error);

/* --- Jobs --- */

/**
 * AimfGeneration: many pictures for groups, into a folder.
 * @prompts: groups and their prompts; @per_group: pictures for each group, up to 1 000 000
 * @batch: pictures per UNet call; 0 means 1. Pictures of different groups and prompts share a call
 * @seed: picture n of every group takes prompt n mod P and the seed aimf_picture_seed(seed, n)
 * @image_size: side of the square files, Lanczos; 0 keeps the model's size
 * @shard, @shards: makes the pictures with n mod @shards == @shard only; 0, 0 for all
 * @resume: goes on in a folder that has pictures of the same job already, and of this shard
 * @preview: also writes a contact sheet per group, preview_<group>.png, of its first 36 pictures
 * @folder: receives <group>/<number>.png, manifest.csv, generation.jsonl and job.json, which says which job it is
 */
typedef struct {
    const AimfPrompts *prompts;
    guint per_group;
    guint batch;
    guint64 seed;
    int image_size;
    guint shard;
    guint shards;
    gboolean resume;
    gboolean preview;
    const char *folder;
} AimfGeneration;

/**
 * AimfGenerationResult: of this shard.
 * @made: pictures made now; @there_before: by earlier runs; @failed: whose numbers were not finite, in f32 neither,
 * ever;
 * @retried: made in f32 in the end, ever; @images_per_minute: of those made now
 */
typedef struct {
    guint made;
    guint there_before;
    guint failed;
    guint retried;
    double images_per_minute;
} AimfGenerationResult;

/**
 * aimf_generate:
 * Pictures are made group by turns, so that a job that is stopped is balanced. Stopped at any moment, even by
 * SIGKILL, it can be resumed: what is there is verified, what is missing or damaged is made, and the folder ends up
 * the same to the byte as without the stop. With @per_group raised, pictures are added. Several shards may work at
 * once, in one folder or in folders of their own; the last one to end, or a job without shards that resumes on the
 * pictures of all, leaves what one undivided job leaves.
 * Returns: FALSE with INVALID (arguments; the folder holds another job and the message says what differs, pictures
 * without @resume, or another process works on them), NOT_FOUND (something is in the way), IO, INTERRUPTED, FAILED
 * (not one picture is finite) or what generating gives. Whatever has been made is kept and listed then, too.
 */
gboolean aimf_generate(AimfDiffusion *diffusion, const AimfSampling *sampling, const AimfGeneration *generation,
                       AimfGenerationResult *result, const AimfMonitor *monitor, GError **error);

/** aimf_picture_seed: the seed, below 2^53, of picture @n of every group for the job's @seed. */
guint64 aimf_picture_seed(guint64 seed, guint n);

G_END_DECLS
