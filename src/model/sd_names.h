/*
 * What other programs call the tensors that we, like diffusers and transformers, call
 * "down_blocks.0.resnets.0.conv1.weight".
 */
#pragma once

#include "model/stable_diffusion.h"

/**
 * AimfSdNaming: one way of naming a network's tensors.
 * @prefix: before all names; @rename: appends the file's name of @ours, without the prefix, to @theirs; FALSE if this
 *   naming has no such tensor; *@part: 0, 1 or 2 if it is the first, second or third part of the rows of a tensor
 *   that holds three
 * @unet, @vae: what numbering depends on; @without_dots: the whole name behind the prefix loses its dots
 */
typedef struct AimfSdNaming AimfSdNaming;
struct AimfSdNaming {
    const char *prefix;
    gboolean (*rename)(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
    const AimfUnetConfig *unet;
    const AimfVaeConfig *vae;
    gboolean without_dots;
};

enum { AIMF_SD_WHOLE = -1, AIMF_SD_FUSED_PARTS = 3 };

/**
 * aimf_sd_file_name: (owned) what @naming calls our tensor @ours, or NULL; *@part as above, AIMF_SD_WHOLE for a
 * tensor of its own.
 */
char *aimf_sd_file_name(const AimfSdNaming *naming, const char *ours, int *part);

/*
 * Ways of renaming. Sources: CompVis/stable-diffusion and Stability-AI/stablediffusion for LDM's names, open_clip for
 * its own.
 */

gboolean aimf_sd_same_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
/** aimf_sd_bare_text_name: transformers 5 leaves "text_model." out, as some single files do. */
gboolean aimf_sd_bare_text_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
gboolean aimf_sd_open_clip_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
gboolean aimf_sd_ldm_unet_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
gboolean aimf_sd_ldm_vae_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
/** aimf_sd_old_vae_name: the attention's names of diffusers before 0.17: query, key, value, proj_attn. */
gboolean aimf_sd_old_vae_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
/** aimf_sd_taesd_encoder_name, aimf_sd_taesd_decoder_name: bare numbers, in a file for each half. */
gboolean aimf_sd_taesd_encoder_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
gboolean aimf_sd_taesd_decoder_name(const AimfSdNaming *naming, const char *ours, GString *theirs, int *part);
