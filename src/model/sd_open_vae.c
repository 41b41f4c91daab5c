/* Autoencoders that stand alone: the KL one in its forms, and TAESD. */
#include "model/sd_forms.h"

#include "base/file.h"
#include "base/monitor.h"
#include "model/sd_config.h"
#include "model/sd_networks.h"

#include <string.h>

enum { TINY_LEVELS = 4 };

gboolean aimf_sd_take_vae_inferred(AimfSdModel *model, AimfSdSource *source, const char *prefix, GError **error)
{
    AimfSdNaming namings[] = {
        { .prefix = prefix, .rename = aimf_sd_ldm_vae_name, .vae = &model->vae },
        { .prefix = prefix, .rename = aimf_sd_same_name },
        { .prefix = prefix, .rename = aimf_sd_old_vae_name },
    };
    if (aimf_ldm_vae_config(source->tensors, prefix, &model->vae, error))
        return aimf_sd_take_vae(model, source, namings, G_N_ELEMENTS(namings), error);
    g_prefix_error(error, "'%s': ", source->path);
    return FALSE;
}

gboolean aimf_sd_open_vae_folder(AimfSdModel *model, const char *folder, const AimfMonitor *monitor, GError **error)
{
    AimfSdNaming namings[] = { { .prefix = "", .rename = aimf_sd_same_name },
                               { .prefix = "", .rename = aimf_sd_old_vae_name } };
    gboolean unused;
    g_autofree char *config = g_build_filename(folder, "config.json", NULL);
    if (!aimf_vae_config_read(config, &model->vae, error))
        return FALSE;
    g_autoptr(AimfSdSource) source = aimf_sd_source_open_component(folder, FALSE, &unused, error);
    if (!source || !aimf_sd_take_vae(model, source, namings, G_N_ELEMENTS(namings), error))
        return FALSE;
    aimf_sd_report_surplus(source, monitor);
    return TRUE;
}

/* --- TAESD --- */

/* Sizes that the configuration holds, from a tensor's shape. */
static gboolean tiny_config(const AimfSdSource *source, const char *name, int channels_at, int latents_at,
                            AimfVaeConfig *config)
{
    int index = aimf_tensors_find(source->tensors, name);
    const AimfShape *shape = index < 0 ? NULL : &aimf_tensors_at(source->tensors, (guint)index)->shape;
    if (!shape || shape->rank != 4 || shape->dim[0] > G_MAXINT16 || shape->dim[1] > G_MAXINT16)
        return FALSE;
    *config = (AimfVaeConfig){ .tiny = TRUE, .levels = TINY_LEVELS, .res_blocks = 1, .groups = 1, .scaling = 1 };
    config->latent_channels = (int)shape->dim[latents_at];
    for (int i = 0; i < TINY_LEVELS; i++)
        config->channels[i] = (int)shape->dim[channels_at];
    return TRUE;
}

static AimfTensors *take_half(const AimfVaeConfig *config, gboolean is_decoder, AimfSdSource *source, GError **error)
{
    AimfSdModel tiny = { .vae = *config };
    AimfSdNaming naming = { .prefix = "",
                            .rename = is_decoder ? aimf_sd_taesd_decoder_name : aimf_sd_taesd_encoder_name };
    g_autoptr(AimfGraph) graph = aimf_sd_small_graph(&tiny, is_decoder ? AIMF_SD_DECODER : AIMF_SD_ENCODER, error);
    if (graph)
        return aimf_sd_take(source, graph, &naming, 1, is_decoder ? "TAESD decoder" : "TAESD encoder", error);
    g_prefix_error(error, "'%s': ", source->path);
    return NULL;
}

/* Takes up @source if it is a half of TAESD with its own numbers as names; *@is_half says so. */
static gboolean take_tiny_half(AimfSdModel *model, AimfSdSource *source, gboolean *is_half, const AimfMonitor *monitor,
                               GError **error)
{
    AimfVaeConfig config;
    gboolean is_decoder = tiny_config(source, "1.weight", 0, 1, &config);
    *is_half = is_decoder || tiny_config(source, "14.weight", 1, 0, &config);
    if (!*is_half)
        return TRUE;
    AimfTensors **slot = is_decoder ? &model->weights.decoder : &model->weights.encoder;
    gboolean other_half = model->weights.decoder || model->weights.encoder;
    if (other_half && config.latent_channels != model->vae.latent_channels) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': its latents have %d channels, those of its other half %d", source->path,
                    config.latent_channels, model->vae.latent_channels);
        return FALSE;
    }
    aimf_tensors_free(*slot);
    *slot = take_half(&config, is_decoder, source, error);
    model->vae = config;
    if (*slot)
        aimf_sd_report_surplus(source, monitor);
    return *slot != NULL;
}

/*
 * (owned, nullable) The file with the other half: "decoder" in place of "encoder" in its name, or the other way round.
 */
static char *other_half_of(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
    gboolean is_decoder = strstr(name, "decoder") != NULL;
    g_autoptr(GString) other = g_string_new(name);
    if (!g_string_replace(other, is_decoder ? "decoder" : "encoder", is_decoder ? "encoder" : "decoder", 1))
        return NULL;
    g_autofree char *file = g_build_filename(folder, other->str, NULL);
    gboolean there;
    return aimf_path_there(file, &there, error) && there ? g_steal_pointer(&file) : NULL;
}

/* --- Files --- */

static gboolean open_file(AimfSdModel *model, const char *path, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfSdSource) source = aimf_sd_source_open(path, error);
    gboolean is_half;
    if (!source || !take_tiny_half(model, source, &is_half, monitor, error))
        return FALSE;
    if (is_half) {
        GError *failure = NULL;
        g_autofree char *other = other_half_of(path, &failure);
        if (failure) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        g_autoptr(AimfSdSource) rest = other ? aimf_sd_source_open(other, error) : NULL;
        return !other || (rest && take_tiny_half(model, rest, &is_half, monitor, error));
    }
    AimfSdNaming same = { .prefix = "", .rename = aimf_sd_same_name };
    if (tiny_config(source, "decoder.layers.0.weight", 0, 1, &model->vae))
        return aimf_sd_take_vae(model, source, &same, 1, error);
    gboolean in_model = aimf_sd_source_has(source, "first_stage_model.decoder.conv_in.weight");
    if (!in_model && !aimf_sd_source_has(source, "decoder.conv_in.weight")) {
        const char *other = aimf_sd_looks_like(source->tensors);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s' is no autoencoder of Stable Diffusion: it looks like %s", path,
                    other ? other : "nothing that is known here");
        return FALSE;
    }
    if (!aimf_sd_take_vae_inferred(model, source, in_model ? "first_stage_model." : "", error))
        return FALSE;
    if (!in_model)
        aimf_sd_report_surplus(source, monitor);
    return TRUE;
}

/* Opens FOLDER/NAME if it is there; *@opened says so. */
static gboolean open_if_there(AimfSdModel *model, const char *folder, const char *name, gboolean *opened,
                              const AimfMonitor *monitor, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return aimf_path_there(path, opened, error) && (!*opened || open_file(model, path, monitor, error));
}

static gboolean open_folder(AimfSdModel *model, const char *folder, const AimfMonitor *monitor, GError **error)
{
    static const char *const tiny[] = { "taesd_decoder.safetensors", "taesd_encoder.safetensors", "taesd_decoder.pth",
                                        "taesd_encoder.pth" };
    g_autofree char *config = g_build_filename(folder, "config.json", NULL);
    g_autofree char *inside = g_build_filename(folder, "vae", NULL);
    gboolean has_config;
    AimfPathKind kind = aimf_path_kind(inside, error);
    if (kind == AIMF_PATH_UNKNOWN || !aimf_path_there(config, &has_config, error))
        return FALSE;
    if (has_config)
        return aimf_sd_open_vae_folder(model, folder, monitor, error);
    if (kind == AIMF_PATH_FOLDER)
        return aimf_sd_open_vae_folder(model, inside, monitor, error);
    for (guint i = 0; i < G_N_ELEMENTS(tiny); i++) {
        gboolean opened; /* with its other half */
        if (!open_if_there(model, folder, tiny[i], &opened, monitor, error))
            return FALSE;
        if (opened)
            return TRUE;
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "'%s' holds no autoencoder: neither config.json nor vae/ nor taesd_decoder.safetensors is there",
                folder);
    return FALSE;
}

gboolean aimf_sd_open_vae(AimfSdModel *model, const char *path, const AimfMonitor *monitor, GError **error)
{
    AimfPathKind kind = aimf_path_kind(path, error);
    return kind != AIMF_PATH_UNKNOWN && (kind == AIMF_PATH_FOLDER ? open_folder(model, path, monitor, error)
                                                                  : open_file(model, path, monitor, error));
}
