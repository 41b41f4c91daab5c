/* Opening a diffusion model, and its parts by themselves. */
#include "diffusion/text_states.h"

#include "graph/device.h"

#include <string.h>

/* The networks hand arrays on to one another: their sizes must agree before anything is copied. */
static gboolean check_parts(const AimfSdModel *model, const char *path, GError **error)
{
    const struct {
        const char *of, *with;
        int one, other;
    } pairs[] = {
        { "the text encoder's width", "the UNet's context", model->text.hidden, model->unet.context },
        { "the UNet's input channels", "its output channels", model->unet.in_channels, model->unet.out_channels },
        { "the UNet's channels", "the autoencoder's latent channels", model->unet.in_channels,
          model->vae.latent_channels },
        { "the text encoder's positions", "the tokens of a prompt", model->text.positions, AIMF_PROMPT_TOKENS },
    };
    for (guint i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (pairs[i].one == pairs[i].other)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': %s (%d) and %s (%d) differ; the parts belong to different models", path, pairs[i].of,
                    pairs[i].one, pairs[i].with, pairs[i].other);
        return FALSE;
    }
    return TRUE;
}

static AimfTokenizer *open_tokenizer(const AimfSdModel *model, const AimfDiffusionOptions *options, GError **error)
{
    const char *path = options->tokenizer ? options->tokenizer : model->tokenizer;
    if (!path) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
            "no vocabulary in or beside '%s': put OpenAI's bpe_simple_vocab_16e6.txt.gz (from CLIP's repository) "
            "beside it, or name that file or a folder with vocab.json and merges.txt as the tokenizer",
            options->model);
        return NULL;
    }
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(path, error);
    if (!tokenizer || aimf_tokenizer_size(tokenizer) == (guint)model->text.vocabulary)
        return g_steal_pointer(&tokenizer);
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_INVALID,
        "the vocabulary '%s' has %u tokens, the text encoder of '%s' knows %d; name the one that belongs to it as "
        "the tokenizer (a folder with vocab.json, merges.txt and the added_tokens.json that goes with them)",
        path, aimf_tokenizer_size(tokenizer), options->model, model->text.vocabulary);
    return NULL;
}

static gboolean read_prediction(const char *name, AimfPrediction *prediction, GError **error)
{
    static const char *const names[] = { [AIMF_PREDICTION_EPSILON] = "epsilon", [AIMF_PREDICTION_V] = "v" };
    *prediction = AIMF_PREDICTION_AS_TRAINED;
    for (guint i = 0; name && i < G_N_ELEMENTS(names); i++)
        if (names[i] && strcmp(name, names[i]) == 0)
            *prediction = (AimfPrediction)i;
    if (!name || *prediction != AIMF_PREDICTION_AS_TRAINED)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no network predicts '%s': say epsilon or v", name);
    return FALSE;
}

static char *hash_all(const AimfSdModel *model, const AimfTokenizer *tokenizer)
{
    g_autofree char *vocabulary = aimf_tokenizer_hash(tokenizer);
    g_autofree char *hashes = g_strconcat(model->hash, vocabulary, NULL);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, hashes, -1);
}

AimfDiffusion *aimf_diffusion_open(const AimfDiffusionOptions *options, const AimfMonitor *monitor, GError **error)
{
    AimfSdOptions opening = { .model = options->model, .vae = options->vae, .raw_weights = options->raw_weights };
    if (!read_prediction(options->prediction, &opening.prediction, error))
        return NULL;
    g_autoptr(AimfDevice) device = aimf_device_or_auto(options->device, error);
    if (!device)
        return NULL;
    g_autoptr(AimfSdModel) model = aimf_sd_open(&opening, monitor, error);
    if (!model || !check_parts(model, options->model, error))
        return NULL;
    AimfTokenizer *tokenizer = open_tokenizer(model, options, error);
    if (!tokenizer)
        return NULL;
    char *hash = hash_all(model, tokenizer);
    AimfDiffusion *diffusion = g_new(AimfDiffusion, 1);
    *diffusion = (AimfDiffusion){
        .networks = { .model = g_steal_pointer(&model),
                      .device = g_steal_pointer(&device),
                      .precision = options->precision,
                      .low_memory = options->low_memory,
                      .threads = options->threads },
        .tokenizer = tokenizer,
        .hash = hash,
        .text_states = aimf_text_states_new(),
    };
    return diffusion;
}

void aimf_diffusion_free(AimfDiffusion *diffusion)
{
    if (!diffusion)
        return;
    aimf_networks_clear(&diffusion->networks);
    aimf_tokenizer_free(diffusion->tokenizer);
    g_free(diffusion->hash);
    g_hash_table_unref(diffusion->text_states);
    g_free(diffusion);
}

AimfDiffusionInfo aimf_diffusion_info(const AimfDiffusion *diffusion)
{
    const AimfSdModel *model = diffusion->networks.model;
    int scale = aimf_vae_scale(&model->vae);
    return (AimfDiffusionInfo){
        .family = model->family,
        .prediction = model->schedule.v_prediction ? "v" : "epsilon",
        .weights = model->which,
        .vae = model->vae.tiny ? "TAESD" : "KL",
        .image_size = model->unet.sample_size * scale,
        .scale = scale,
        .latent_channels = model->unet.in_channels,
        .precision = diffusion->networks.precision,
        .hash = diffusion->hash,
    };
}

float *aimf_diffusion_encode_text(AimfDiffusion *diffusion, const char *const *prompts, guint n, int *width,
                                  GError **error)
{
    gsize values = aimf_text_states_values(diffusion);
    g_autofree float *states = aimf_numbers_new(n * values, "the prompts' states", error); /* (n, 77, width) */
    if (!states)
        return NULL;
    for (guint i = 0; i < n; i++) {
        const AimfTextStates *one = aimf_text_states_get(diffusion, prompts[i], diffusion->networks.precision, error);
        if (!one)
            return NULL;
        memcpy(states + i * values, one->states, values * sizeof(float));
    }
    aimf_networks_done(&diffusion->networks, AIMF_NETWORK_TEXT);
    *width = diffusion->networks.model->text.hidden;
    return g_steal_pointer(&states);
}

gboolean aimf_diffusion_predict(AimfDiffusion *diffusion, const float *latents, const float *timesteps,
                                const float *states, guint n, int height, int width, float *prediction, GError **error)
{
    AimfNetworks *networks = &diffusion->networks;
    if (n == 0 || !aimf_networks_fits(networks, AIMF_NETWORK_UNET, height, width, error))
        return n == 0;
    AimfNetworkForm form = { .precision = networks->precision, .batch = n, .height = height, .width = width };
    AimfNetwork *unet = aimf_networks_need(networks, AIMF_NETWORK_UNET, &form, error);
    if (!unet)
        return FALSE;
    gsize values = n * (gsize)networks->model->unet.in_channels * (gsize)height * (gsize)width;
    if (!aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.input, latents, values, error) ||
        !aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.timestep, timesteps, n, error) ||
        !aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.context, states,
                            n * aimf_text_states_values(diffusion), error) ||
        !aimf_networks_run(unet, AIMF_NETWORK_UNET, prediction, values, error))
        return FALSE;
    aimf_networks_done(networks, AIMF_NETWORK_UNET);
    return TRUE;
}

gboolean aimf_diffusion_decode(AimfDiffusion *diffusion, const float *latents, int height, int width, float *planes,
                               GError **error)
{
    AimfNetworks *networks = &diffusion->networks;
    if (!aimf_networks_decode(networks, networks->precision, latents, height, width, planes, error))
        return FALSE;
    aimf_networks_done(networks, AIMF_NETWORK_DECODER);
    return TRUE;
}

gboolean aimf_diffusion_encode(AimfDiffusion *diffusion, const float *planes, int height, int width, float *latents,
                               GError **error)
{
    return aimf_networks_encode(&diffusion->networks, planes, height, width, latents, error);
}
