#include "diffusion/network.h"

#include <string.h>

enum { MAX_LATENT_SIDE = 1024 };

static const char *const network_names[AIMF_N_NETWORKS] = {
    [AIMF_NETWORK_TEXT] = "the text encoder",
    [AIMF_NETWORK_UNET] = "the UNet",
    [AIMF_NETWORK_DECODER] = "the autoencoder's decoder",
    [AIMF_NETWORK_ENCODER] = "the autoencoder's encoder",
};

static const AimfTensors *weights_of(const AimfSdModel *model, AimfNetworkKind kind)
{
    const AimfTensors *const weights[AIMF_N_NETWORKS] = {
        [AIMF_NETWORK_TEXT] = model->weights.text,
        [AIMF_NETWORK_UNET] = model->weights.unet,
        [AIMF_NETWORK_DECODER] = model->weights.decoder,
        [AIMF_NETWORK_ENCODER] = model->weights.encoder,
    };
    return weights[kind];
}

static gboolean build(const AimfSdModel *model, AimfNetworkKind kind, const AimfNetworkForm *form, AimfSdGraph *built,
                      GError **error)
{
    int batch = (int)form->batch;
    switch (kind) {
    case AIMF_NETWORK_TEXT:
        return aimf_clip_text_build(&model->text, batch, built, error);
    case AIMF_NETWORK_UNET:
        return aimf_unet_build(&model->unet, batch, form->height, form->width, model->text.positions, built, error);
    case AIMF_NETWORK_DECODER:
        return aimf_vae_decoder_build(&model->vae, batch, form->height, form->width, built, error);
    case AIMF_NETWORK_ENCODER:
        return aimf_vae_encoder_build(&model->vae, batch, form->height, form->width, built, error);
    default:
        g_assert_not_reached();
    }
}

static AimfPlan *compile(const AimfNetworks *networks, AimfNetworkKind kind, const AimfNetworkForm *form,
                         AimfSdGraph *built, GError **error)
{
    const AimfTensors *weights = weights_of(networks->model, kind);
    if (!weights) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "%s is not there: these weights hold the other half only; give the file or folder that has both",
                    network_names[kind]);
        return NULL;
    }
    gboolean good = build(networks->model, kind, form, built, error);
    g_autoptr(AimfGraph) graph = g_steal_pointer(&built->graph);
    if (!good)
        return NULL;
    AimfCompileOptions options = {
        .device = networks->device,
        .threads = networks->threads,
        .precision = form->precision,
        .outputs = &built->output,
        .n_outputs = 1,
        .winograd = TRUE,
    };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, error);
    return plan && aimf_plan_load(plan, weights, error) ? g_steal_pointer(&plan) : NULL;
}

static gboolean same_form(const AimfNetworkForm *a, const AimfNetworkForm *b)
{
    return a->precision == b->precision && a->batch == b->batch && a->height == b->height && a->width == b->width;
}

AimfNetwork *aimf_networks_need(AimfNetworks *networks, AimfNetworkKind kind, const AimfNetworkForm *form,
                                GError **error)
{
    AimfNetwork *network = &networks->networks[kind];
    if (network->plan && same_form(&network->form, form))
        return network;
    g_clear_pointer(&network->plan, aimf_plan_free);
    *network = (AimfNetwork){ .form = *form };
    network->plan = compile(networks, kind, form, &network->values, error);
    if (network->plan)
        return network;
    g_prefix_error(error, "%s: ", network_names[kind]);
    return NULL;
}

gboolean aimf_networks_give(AimfNetwork *network, AimfNetworkKind kind, AimfValue value, const float *from, gsize n,
                            GError **error)
{
    if (aimf_plan_write(network->plan, value, 0, n, from, error))
        return TRUE;
    g_prefix_error(error, "%s: ", network_names[kind]);
    return FALSE;
}

gboolean aimf_networks_run(AimfNetwork *network, AimfNetworkKind kind, float *output, gsize n, GError **error)
{
    if (aimf_plan_run(network->plan, error) &&
        aimf_plan_read(network->plan, network->values.output, 0, n, output, error))
        return TRUE;
    g_prefix_error(error, "%s: ", network_names[kind]);
    return FALSE;
}

void aimf_networks_done(AimfNetworks *networks, AimfNetworkKind kind)
{
    if (networks->low_memory)
        g_clear_pointer(&networks->networks[kind].plan, aimf_plan_free);
}

void aimf_networks_release_unusual(AimfNetworks *networks)
{
    for (int kind = 0; kind < AIMF_N_NETWORKS; kind++)
        if (networks->networks[kind].form.precision != networks->precision)
            g_clear_pointer(&networks->networks[kind].plan, aimf_plan_free);
}

void aimf_networks_clear(AimfNetworks *networks)
{
    for (int kind = 0; kind < AIMF_N_NETWORKS; kind++)
        g_clear_pointer(&networks->networks[kind].plan, aimf_plan_free);
    g_clear_pointer(&networks->device, aimf_device_free);
    g_clear_pointer(&networks->model, aimf_sd_free);
}

float *aimf_numbers_new(gsize n, const char *what, GError **error)
{
    float *numbers = g_try_new(float, MAX(n, 1));
    if (!numbers)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                    "no memory for %s: %.1f MB; smaller or fewer pictures need less", what,
                    (double)n * sizeof(float) / 1e6);
    return numbers;
}

gboolean aimf_networks_fits(const AimfNetworks *networks, AimfNetworkKind kind, int height, int width, GError **error)
{
    int multiple = kind == AIMF_NETWORK_UNET ? 1 << (networks->model->unet.levels - 1) : 1;
    if (height > 0 && width > 0 && height % multiple == 0 && width % multiple == 0 && height <= MAX_LATENT_SIDE &&
        width <= MAX_LATENT_SIDE)
        return TRUE;
    int scale = aimf_vae_scale(&networks->model->vae);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "a picture of %d x %d pixels does not fit %s: width and height must be multiples of %d, from %d to %d",
                width * scale, height * scale, network_names[kind], multiple * scale, multiple * scale,
                MAX_LATENT_SIDE * scale);
    return FALSE;
}

gboolean aimf_networks_decode(AimfNetworks *networks, AimfPrecision precision, const float *latents, int height,
                              int width, float *planes, GError **error)
{
    if (!aimf_networks_fits(networks, AIMF_NETWORK_DECODER, height, width, error))
        return FALSE;
    /* One picture at a time: a decoder's activations at full size are what needs the most memory of all. */
    AimfNetworkForm form = { .precision = precision, .batch = 1, .height = height, .width = width };
    AimfNetwork *network = aimf_networks_need(networks, AIMF_NETWORK_DECODER, &form, error);
    if (!network)
        return FALSE;
    const AimfVaeConfig *vae = &networks->model->vae;
    gsize pixels = (gsize)height * (gsize)width, scale = (gsize)aimf_vae_scale(vae);
    gsize n_latents = (gsize)vae->latent_channels * pixels, n_planes = 3 * pixels * scale * scale;
    g_autofree float *input = aimf_numbers_new(n_latents, "latents", error); /* (1, C, h, w) */
    if (!input)
        return FALSE;
    memcpy(input, latents, n_latents * sizeof(float));
    aimf_vae_before_decoding(vae, input, n_latents);
    if (!aimf_networks_give(network, AIMF_NETWORK_DECODER, network->values.input, input, n_latents, error) ||
        !aimf_networks_run(network, AIMF_NETWORK_DECODER, planes, n_planes, error))
        return FALSE;
    aimf_vae_after_decoding(vae, planes, n_planes);
    return TRUE;
}

gboolean aimf_networks_encode(AimfNetworks *networks, const float *planes, int height, int width, float *latents,
                              GError **error)
{
    if (!aimf_networks_fits(networks, AIMF_NETWORK_ENCODER, height, width, error))
        return FALSE;
    AimfNetworkForm form = { .precision = networks->precision, .batch = 1, .height = height, .width = width };
    AimfNetwork *network = aimf_networks_need(networks, AIMF_NETWORK_ENCODER, &form, error);
    if (!network)
        return FALSE;
    const AimfVaeConfig *vae = &networks->model->vae;
    gsize pixels = (gsize)height * (gsize)width, scale = (gsize)aimf_vae_scale(vae);
    gsize n_planes = 3 * pixels * scale * scale;
    AimfShape said = aimf_plan_shape(network->plan, network->values.output); /* (1, C or 2 C, h, w) */
    gsize n_said = (gsize)aimf_shape_count(&said);
    g_autofree float *input = aimf_numbers_new(n_planes, "a picture", error); /* (1, 3, H, W) */
    g_autofree float *output = aimf_numbers_new(n_said, "what the encoder says", error);
    if (!input || !output)
        return FALSE;
    memcpy(input, planes, n_planes * sizeof(float));
    aimf_vae_before_encoding(vae, input, n_planes);
    if (!aimf_networks_give(network, AIMF_NETWORK_ENCODER, network->values.input, input, n_planes, error) ||
        !aimf_networks_run(network, AIMF_NETWORK_ENCODER, output, n_said, error))
        return FALSE;
    aimf_vae_after_encoding(vae, output, latents, (gsize)vae->latent_channels * pixels);
    aimf_networks_done(networks, AIMF_NETWORK_ENCODER);
    return TRUE;
}
