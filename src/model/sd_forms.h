/* The forms a model may lie in, one file each, and what is found out about it. FALSE as aimf_sd_open. */
#pragma once

#include "model/sd_source.h"

/** aimf_sd_open_single: a checkpoint with LDM's names; @own_vae: its autoencoder is wanted too. */
gboolean aimf_sd_open_single(AimfSdModel *model, const AimfSdOptions *options, gboolean own_vae,
                             const AimfMonitor *monitor, GError **error);
/** aimf_sd_open_folder: diffusers' layout. */
gboolean aimf_sd_open_folder(AimfSdModel *model, const AimfSdOptions *options, gboolean own_vae,
                             const AimfMonitor *monitor, GError **error);
/** aimf_sd_open_vae_folder: an autoencoder in a component's folder of diffusers' layout. */
gboolean aimf_sd_open_vae_folder(AimfSdModel *model, const char *folder, const AimfMonitor *monitor, GError **error);
/** aimf_sd_open_vae: an autoencoder in a file or folder of its own. */
gboolean aimf_sd_open_vae(AimfSdModel *model, const char *path, const AimfMonitor *monitor, GError **error);

/**
 * aimf_sd_take_vae_inferred: both halves below @prefix, under LDM's or diffusers' names, the configuration from the
 * shapes.
 */
gboolean aimf_sd_take_vae_inferred(AimfSdModel *model, AimfSdSource *source, const char *prefix, GError **error);

/** aimf_sd_decide_prediction: v or epsilon of a single file, see aimf_sd_open; @tensors: of the file. */
gboolean aimf_sd_decide_prediction(AimfSdModel *model, const AimfSdOptions *options, const AimfTensors *tensors,
                                   const AimfMonitor *monitor, GError **error);

/** aimf_sd_hash: (owned) see AimfSdModel; NULL with IO or FORMAT. */
char *aimf_sd_hash(const AimfSdModel *model, GError **error);
