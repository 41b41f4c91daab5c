/* Weight files at hand, and taking the tensors of a network from them. */
#pragma once

#include "model/sd_names.h"

/**
 * AimfSdSource: the tensors of a file, or of several that belong together. @used: one per tensor; @path: for messages
 */
typedef struct {
    AimfTensors *tensors;
    gboolean *used;
    char *path;
} AimfSdSource;

/**
 * aimf_sd_source_open: (owned) a single file. Names lose wrappers ("state_dict.", "module."). NULL as
 * aimf_tensors_open.
 */
AimfSdSource *aimf_sd_source_open(const char *path, GError **error);
/**
 * aimf_sd_source_open_component: (owned) the weights in a component's @folder of diffusers' layout: NAME.safetensors
 * or NAME.bin, whole or in shards with an index, or the same of a variant (fp16). @raw: prefer the variant non_ema;
 * *@is_raw says whether it is there
 * NULL with NOT_FOUND that says which names were looked for, FORMAT for an index that lies, or what opening a file
 * gives.
 */
AimfSdSource *aimf_sd_source_open_component(const char *folder, gboolean raw, gboolean *is_raw, GError **error);
void aimf_sd_source_free(AimfSdSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSdSource, aimf_sd_source_free)

gboolean aimf_sd_source_has(const AimfSdSource *source, const char *name);

/**
 * aimf_sd_take: (owned) views of all parameters of @graph under its names; the @n @namings are tried in turn for each.
 * NULL with INVALID that lists the missing and the misshapen ones as the file calls them, or would. @what: "UNet"
 */
AimfTensors *aimf_sd_take(AimfSdSource *source, const AimfGraph *graph, const AimfSdNaming *namings, guint n,
                          const char *what, GError **error);
/** aimf_sd_leave: how many tensors there are for @graph under @naming, which count as used from now on. */
guint aimf_sd_leave(AimfSdSource *source, const AimfGraph *graph, const AimfSdNaming *naming);
/** aimf_sd_report_surplus: tells @monitor what has not been used: known kinds by number, others by name. */
void aimf_sd_report_surplus(const AimfSdSource *source, const AimfMonitor *monitor);

/**
 * aimf_sd_looks_like: (static, nullable) what kind of model these tensors belong to, when they are no Stable
 * Diffusion 1.x or 2.x.
 */
const char *aimf_sd_looks_like(const AimfTensors *tensors);
