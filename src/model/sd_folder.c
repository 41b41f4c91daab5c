/* Models in diffusers' layout: a folder for each component, with a configuration in each. */
#include "model/sd_forms.h"

#include "base/file.h"
#include "base/json.h"
#include "base/monitor.h"
#include "base/shown.h"
#include "model/sd_config.h"
#include "model/sd_networks.h"

#include <string.h>

enum { MAX_JSON_BYTES = 4 << 20 };

/* Pipelines that have the same networks; without an index there is nothing to check. */
static gboolean check_pipeline(const char *folder, GError **error)
{
    static const char *const good[] = { "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline" };
    g_autofree char *path = g_build_filename(folder, "model_index.json", NULL);
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    if (!there)
        return TRUE;
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_JSON_BYTES, error);
    if (!root)
        return FALSE;
    const char *kind = aimf_json_text(json_node_get_object(root), path, "_class_name", error);
    for (guint i = 0; kind && i < G_N_ELEMENTS(good); i++)
        if (strcmp(kind, good[i]) == 0)
            return TRUE;
    if (kind)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s' says it is a %s; only %s (Stable Diffusion 1.x and 2.x) is supported", path, AIMF_SHOWN(kind),
                    good[0]);
    return FALSE;
}

/* FOLDER/NAME; NULL with NOT_FOUND. */
static char *component(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    AimfPathKind kind = aimf_path_kind(path, error);
    if (kind == AIMF_PATH_FOLDER)
        return g_steal_pointer(&path);
    if (kind == AIMF_PATH_UNKNOWN)
        return NULL;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "'%s' is no model in diffusers' layout: the folder '%s' is missing (text_encoder, unet, vae and "
                "scheduler are needed)",
                folder, name);
    return NULL;
}

/* The token that fills up prompts, as @file of the tokenizer's has it; otherwise @model's family's stays. */
static gboolean read_pad_token(AimfSdModel *model, const char *folder, const char *file, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "tokenizer", file, NULL);
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    if (!there)
        return TRUE;
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_JSON_BYTES, error);
    if (!root)
        return FALSE;
    JsonNode *node = json_object_get_member(json_node_get_object(root), "pad_token");
    if (node && JSON_NODE_HOLDS_OBJECT(node))
        node = json_object_get_member(json_node_get_object(node), "content");
    const char *token = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    if (g_strcmp0(token, "!") == 0)
        model->text.pad_token = 0;
    else if (g_strcmp0(token, "<|endoftext|>") == 0)
        model->text.pad_token = model->text.vocabulary - 1;
    return TRUE;
}

static gboolean open_text(AimfSdModel *model, const char *folder, const AimfMonitor *monitor, GError **error)
{
    AimfSdNaming namings[] = { { .prefix = "", .rename = aimf_sd_same_name },
                               { .prefix = "", .rename = aimf_sd_bare_text_name } };
    gboolean unused;
    g_autofree char *inside = component(folder, "text_encoder", error);
    g_autofree char *config = inside ? g_build_filename(inside, "config.json", NULL) : NULL;
    if (!inside || !aimf_clip_text_config_read(config, &model->text, error) ||
        !read_pad_token(model, folder, "tokenizer_config.json", error) ||
        !read_pad_token(model, folder, "special_tokens_map.json", error))
        return FALSE;
    g_autoptr(AimfSdSource) source = aimf_sd_source_open_component(inside, FALSE, &unused, error);
    if (!source || !aimf_sd_take_text(model, source, namings, G_N_ELEMENTS(namings), error))
        return FALSE;
    aimf_sd_report_surplus(source, monitor);
    return TRUE;
}

static gboolean open_unet(AimfSdModel *model, const char *folder, gboolean want_raw, const AimfMonitor *monitor,
                          GError **error)
{
    AimfSdNaming same = { .prefix = "", .rename = aimf_sd_same_name };
    gboolean is_raw;
    g_autofree char *inside = component(folder, "unet", error);
    g_autofree char *config = inside ? g_build_filename(inside, "config.json", NULL) : NULL;
    if (!inside || !aimf_unet_config_read(config, &model->unet, error))
        return FALSE;
    g_autoptr(AimfSdSource) source = aimf_sd_source_open_component(inside, want_raw, &is_raw, error);
    if (!source || !aimf_sd_take_unet(model, source, &same, 1, error))
        return FALSE;
    if (is_raw)
        model->which = "raw";
    aimf_sd_report_surplus(source, monitor);
    return TRUE;
}

static gboolean open_schedule(AimfSdModel *model, const AimfSdOptions *options, GError **error)
{
    g_autofree char *inside = component(options->model, "scheduler", error);
    g_autofree char *path = inside ? g_build_filename(inside, "scheduler_config.json", NULL) : NULL;
    if (!inside || !aimf_sd_schedule_read(path, &model->schedule, error))
        return FALSE;
    model->prediction_from = "scheduler_config.json";
    if (options->prediction == AIMF_PREDICTION_AS_TRAINED)
        return TRUE;
    model->schedule.v_prediction = options->prediction == AIMF_PREDICTION_V;
    model->prediction_from = "the caller";
    return TRUE;
}

gboolean aimf_sd_open_folder(AimfSdModel *model, const AimfSdOptions *options, gboolean own_vae,
                             const AimfMonitor *monitor, GError **error)
{
    const char *folder = options->model;
    if (!check_pipeline(folder, error) || !open_text(model, folder, monitor, error) ||
        !open_unet(model, folder, options->raw_weights, monitor, error) || !open_schedule(model, options, error))
        return FALSE;
    if (!own_vae)
        return TRUE;
    g_autofree char *vae = component(folder, "vae", error);
    return vae && aimf_sd_open_vae_folder(model, vae, monitor, error);
}
