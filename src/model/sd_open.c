/* Opening a Stable Diffusion model, whatever form it is in. */
#include "base/file.h"
#include "base/monitor.h"
#include "model/sd_config.h"
#include "model/sd_forms.h"

#include <string.h>

static const char family_1x[] = "Stable Diffusion 1.x", family_2x[] = "Stable Diffusion 2.x";

void aimf_sd_free(AimfSdModel *model)
{
    if (!model)
        return;
    aimf_tensors_free(model->weights.text);
    aimf_tensors_free(model->weights.unet);
    aimf_tensors_free(model->weights.decoder);
    aimf_tensors_free(model->weights.encoder);
    g_free(model->tokenizer);
    g_free(model->hash);
    g_free(model);
}

/* --- Whether the networks belong together --- */

/* UNets with the same names that want more than latents. Source: the configurations in Stability-AI/stablediffusion. */
static const char *kind_of_unet(int in_channels)
{
    switch (in_channels) {
    case 5:
        return "a depth-to-image model";
    case 7:
        return "an upscaler";
    case 8:
        return "InstructPix2Pix, an editor of images";
    case 9:
        return "an inpainting model";
    default:
        return "another kind of model";
    }
}

static gboolean check_together(const AimfSdModel *model, const char *path, GError **error)
{
    const AimfUnetConfig *unet = &model->unet;
    if (unet->in_channels != unet->out_channels) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s' is no text-to-image model: its UNet takes %d channels and gives %d; it looks like %s", path,
                    unet->in_channels, unet->out_channels, kind_of_unet(unet->in_channels));
        return FALSE;
    }
    if (unet->context != model->text.hidden) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': the UNet wants text states of width %d, the text encoder gives %d", path, unet->context,
                    model->text.hidden);
        return FALSE;
    }
    if (unet->in_channels == model->vae.latent_channels)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s': the UNet's latents have %d channels, the autoencoder's %d: they do not belong together", path,
                unet->in_channels, model->vae.latent_channels);
    return FALSE;
}

/* --- The vocabulary --- */

/*
 * *@found: (owned, nullable) where the vocabulary is: in a folder of diffusers' layout, or beside a single file. FALSE
 * with an error if that cannot be seen.
 */
static gboolean find_tokenizer(const char *model, gboolean is_folder, char **found, GError **error)
{
    static const char *const names[] = { "tokenizer", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt" };
    g_autofree char *folder = is_folder ? g_strdup(model) : g_path_get_dirname(model);
    gboolean there, both;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        if (!aimf_path_there(path, &there, error))
            return FALSE;
        if (!there)
            continue;
        *found = g_steal_pointer(&path);
        return TRUE;
    }
    g_autofree char *vocabulary = g_build_filename(folder, "vocab.json", NULL);
    g_autofree char *merges = g_build_filename(folder, "merges.txt", NULL);
    if (!aimf_path_there(vocabulary, &there, error) || !aimf_path_there(merges, &both, error))
        return FALSE;
    *found = there && both ? g_steal_pointer(&folder) : NULL;
    return TRUE;
}

/* --- All together --- */

static void say(const AimfSdModel *model, const char *path, const AimfMonitor *monitor)
{
    aimf_message(monitor, AIMF_LOG_INFO, "'%s': %s, predicts %s (says %s), weights: %s", path, model->family,
                 model->schedule.v_prediction ? "v" : "epsilon", model->prediction_from, model->which);
}

static gboolean open_model(AimfSdModel *model, const AimfSdOptions *options, const AimfMonitor *monitor, GError **error)
{
    AimfPathKind kind = aimf_path_kind(options->model, error);
    if (kind == AIMF_PATH_UNKNOWN)
        return FALSE;
    gboolean own_vae = !options->vae, is_folder = kind == AIMF_PATH_FOLDER;
    gboolean good = is_folder ? aimf_sd_open_folder(model, options, own_vae, monitor, error)
                              : aimf_sd_open_single(model, options, own_vae, monitor, error);
    if (!good || (options->vae && !aimf_sd_open_vae(model, options->vae, monitor, error)) ||
        !check_together(model, options->model, error))
        return FALSE;
    model->family = model->text.quick_gelu ? family_1x : family_2x;
    if (!find_tokenizer(options->model, is_folder, &model->tokenizer, error))
        return FALSE;
    say(model, options->model, monitor);
    return TRUE;
}

AimfSdModel *aimf_sd_open(const AimfSdOptions *options, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfSdModel) model = g_new0(AimfSdModel, 1);
    model->schedule = (AimfSdSchedule)AIMF_SD_SCHEDULE;
    model->which = "as stored";
    model->family = "autoencoder";
    model->prediction_from = "nothing";
    if (!options->model && !options->vae) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "neither a model nor an autoencoder is given");
        return NULL;
    }
    gboolean good = options->model ? open_model(model, options, monitor, error)
                                   : aimf_sd_open_vae(model, options->vae, monitor, error);
    if (!good)
        return NULL;
    model->hash = aimf_sd_hash(model, error);
    return model->hash ? g_steal_pointer(&model) : NULL;
}
