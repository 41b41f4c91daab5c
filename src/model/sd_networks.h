/* A model's networks, and their tensors taken from files. FALSE as aimf_sd_open. */
#pragma once

#include "model/sd_source.h"

/**
 * aimf_sd_small_graph: a graph of one of @model's networks at its smallest, for the names and shapes of its
 * parameters; owned.
 */
typedef enum { AIMF_SD_TEXT, AIMF_SD_UNET, AIMF_SD_DECODER, AIMF_SD_ENCODER } AimfSdNetwork;
AimfGraph *aimf_sd_small_graph(const AimfSdModel *model, AimfSdNetwork network, GError **error);

/** aimf_sd_take_text …: builds the network of @model's configuration and takes its tensors from @source. */
gboolean aimf_sd_take_text(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                           GError **error);
gboolean aimf_sd_take_unet(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                           GError **error);
/** aimf_sd_take_vae: both halves. */
gboolean aimf_sd_take_vae(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                          GError **error);
