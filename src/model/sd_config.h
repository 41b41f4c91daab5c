/* What the networks' configurations may be, and where they are read: from JSON files, or from the shapes of tensors. */
#pragma once

#include "model/stable_diffusion.h"

enum { AIMF_SD_MAX_RES_BLOCKS = 8 };

/* Each: FALSE with INVALID naming the member when it is out of range or does not fit the others. */
gboolean aimf_clip_text_config_check(const AimfClipTextConfig *config, GError **error);
gboolean aimf_unet_config_check(const AimfUnetConfig *config, GError **error);
gboolean aimf_vae_config_check(const AimfVaeConfig *config, GError **error);
/** aimf_sd_check_batch: of a graph; aimf_sd_check_size: latent pixels, which @levels resolutions must divide. */
gboolean aimf_sd_check_batch(int batch, GError **error);
gboolean aimf_sd_check_size(int height, int width, int levels, GError **error);

/**
 * aimf_*_config_read: from diffusers' or transformers' config.json @path. FALSE with NOT_FOUND, FORMAT, INVALID or
 * UNSUPPORTED.
 */
gboolean aimf_clip_text_config_read(const char *path, AimfClipTextConfig *config, GError **error);
gboolean aimf_unet_config_read(const char *path, AimfUnetConfig *config, GError **error);
gboolean aimf_vae_config_read(const char *path, AimfVaeConfig *config, GError **error);
/** aimf_sd_schedule_read: scheduler_config.json. */
gboolean aimf_sd_schedule_read(const char *path, AimfSdSchedule *schedule, GError **error);

/** AIMF_SD_SCHEDULE: of both families. Source: CompVis/stable-diffusion, configs/stable-diffusion/v1-inference.yaml. */
#define AIMF_SD_SCHEDULE                                                                                               \
    {                                                                                                                  \
        .train_steps = 1000, .beta_start = 0.00085, .beta_end = 0.012, .scaled_linear = TRUE                           \
    }
/* What LDM's autoencoder multiplies latents by. Source: as above, scale_factor. */
#define AIMF_SD_LATENT_SCALING 0.18215

/*
 * From the shapes in a single file with LDM's names below @prefix ("model.diffusion_model." …). What shapes do not
 * tell is the original configurations': 32 groups, heads of 64 channels in family 2.x and in text encoders, 8 heads
 * in 1.x's UNet. FALSE with INVALID naming what is missing.
 */
gboolean aimf_ldm_text_config(const AimfTensors *tensors, AimfClipTextConfig *config, GError **error);
gboolean aimf_ldm_unet_config(const AimfTensors *tensors, const char *prefix, AimfUnetConfig *config, GError **error);
gboolean aimf_ldm_vae_config(const AimfTensors *tensors, const char *prefix, AimfVaeConfig *config, GError **error);
