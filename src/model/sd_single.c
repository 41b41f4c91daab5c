/* Single-file checkpoints of the original programs, with LDM's names. */
#include "model/sd_forms.h"

#include "base/monitor.h"
#include "model/sd_config.h"
#include "model/sd_networks.h"

#define UNET "model.diffusion_model."
/*
 * Averages are kept under the names of parameters without their dots. Source: CompVis/stable-diffusion,
 * ldm/modules/ema.py.
 */
#define AVERAGED "model_ema.diffusion_model"
#define AUTOENCODER "first_stage_model."

enum { MAX_SHOWN = 3 };

static gboolean check_family(const AimfSdSource *source, GError **error)
{
    const AimfTensors *tensors = source->tensors;
    const char *other = aimf_sd_looks_like(tensors);
    if (aimf_sd_source_has(source, UNET "input_blocks.0.0.weight") &&
        !aimf_sd_source_has(source, UNET "label_emb.0.0.weight"))
        return TRUE;
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < MIN(aimf_tensors_count(tensors), MAX_SHOWN); i++)
        g_string_append_printf(names, "%s%s", i ? ", " : "", aimf_tensors_at(tensors, i)->name);
    if (other)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s' is no checkpoint of Stable Diffusion 1.x or 2.x: it looks like %s", source->path, other);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s' is no checkpoint of Stable Diffusion 1.x or 2.x: '" UNET
                    "input_blocks.0.0.weight' is missing; its %u tensor%s with: %s",
                    source->path, aimf_tensors_count(tensors), aimf_tensors_count(tensors) == 1 ? " begins" : "s begin",
                    names->str);
    return FALSE;
}

static gboolean take_text(AimfSdModel *model, AimfSdSource *source, GError **error)
{
    AimfSdNaming clip[] = {
        { .prefix = "cond_stage_model.transformer.", .rename = aimf_sd_same_name },
        { .prefix = "cond_stage_model.transformer.", .rename = aimf_sd_bare_text_name },
    };
    AimfSdNaming open_clip = { .prefix = "cond_stage_model.model.", .rename = aimf_sd_open_clip_name };
    if (!aimf_ldm_text_config(source->tensors, &model->text, error)) {
        g_prefix_error(error, "'%s': ", source->path);
        return FALSE;
    }
    return model->text.quick_gelu ? aimf_sd_take_text(model, source, clip, G_N_ELEMENTS(clip), error)
                                  : aimf_sd_take_text(model, source, &open_clip, 1, error);
}

/* The original script samples with the averaged weights where there are any (its ema_scope). */
static gboolean take_unet(AimfSdModel *model, AimfSdSource *source, gboolean want_raw, const AimfMonitor *monitor,
                          GError **error)
{
    AimfSdNaming raw = { .prefix = UNET, .rename = aimf_sd_ldm_unet_name, .unet = &model->unet };
    AimfSdNaming averaged = raw;
    averaged.prefix = AVERAGED;
    averaged.without_dots = TRUE;
    gboolean has_averaged = aimf_sd_source_has(source, AVERAGED "input_blocks00weight");
    gboolean use_averaged = has_averaged && !want_raw;
    if (!aimf_sd_take_unet(model, source, use_averaged ? &averaged : &raw, 1, error))
        return FALSE;
    model->which = use_averaged ? "EMA" : has_averaged ? "raw" : "as stored";
    if (!use_averaged)
        return TRUE;
    g_autoptr(AimfGraph) graph = aimf_sd_small_graph(model, AIMF_SD_UNET, error);
    if (!graph)
        return FALSE;
    guint n = aimf_sd_leave(source, graph, &raw);
    if (n)
        aimf_message(monitor, AIMF_LOG_INFO, "'%s': not needed: %u raw weights, of which there are averaged (EMA) ones",
                     source->path, n);
    return TRUE;
}

/* Another autoencoder takes the place of the file's. */
static void leave_vae(AimfSdSource *source, const AimfMonitor *monitor)
{
    guint n = 0;
    for (guint i = 0; i < aimf_tensors_count(source->tensors); i++) {
        if (!g_str_has_prefix(aimf_tensors_at(source->tensors, i)->name, AUTOENCODER))
            continue;
        source->used[i] = TRUE;
        n++;
    }
    if (n)
        aimf_message(monitor, AIMF_LOG_INFO, "'%s': not needed: %u tensors of the autoencoder, which is replaced",
                     source->path, n);
}

gboolean aimf_sd_open_single(AimfSdModel *model, const AimfSdOptions *options, gboolean own_vae,
                             const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfSdSource) source = aimf_sd_source_open(options->model, error);
    if (!source || !check_family(source, error))
        return FALSE;
    if (!aimf_ldm_unet_config(source->tensors, UNET, &model->unet, error)) {
        g_prefix_error(error, "'%s': ", source->path);
        return FALSE;
    }
    if (!take_text(model, source, error) || !take_unet(model, source, options->raw_weights, monitor, error))
        return FALSE;
    if (!own_vae)
        leave_vae(source, monitor);
    else if (!aimf_sd_take_vae_inferred(model, source, AUTOENCODER, error))
        return FALSE;
    aimf_sd_report_surplus(source, monitor);
    return aimf_sd_decide_prediction(model, options, source->tensors, monitor, error);
}
