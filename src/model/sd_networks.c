#include "model/sd_networks.h"

AimfGraph *aimf_sd_small_graph(const AimfSdModel *model, AimfSdNetwork network, GError **error)
{
    AimfSdGraph built = { 0 };
    int side = 1 << (MAX(model->unet.levels, 1) - 1);
    gboolean good = FALSE;
    switch (network) {
    case AIMF_SD_TEXT:
        good = aimf_clip_text_build(&model->text, 1, &built, error);
        break;
    case AIMF_SD_UNET:
        good = aimf_unet_build(&model->unet, 1, side, side, 1, &built, error);
        break;
    case AIMF_SD_DECODER:
        good = aimf_vae_decoder_build(&model->vae, 1, 1, 1, &built, error);
        break;
    case AIMF_SD_ENCODER:
        good = aimf_vae_encoder_build(&model->vae, 1, 1, 1, &built, error);
        break;
    }
    return good ? built.graph : NULL;
}

static AimfTensors *take(AimfSdModel *model, AimfSdNetwork network, AimfSdSource *source, const AimfSdNaming *namings,
                         guint n, GError **error)
{
    static const char *const names[] = { "text encoder", "UNet", "autoencoder's decoder", "autoencoder's encoder" };
    g_autoptr(AimfGraph) graph = aimf_sd_small_graph(model, network, error);
    if (graph)
        return aimf_sd_take(source, graph, namings, n, names[network], error);
    g_prefix_error(error, "'%s': ", source->path);
    return NULL;
}

gboolean aimf_sd_take_text(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                           GError **error)
{
    model->weights.text = take(model, AIMF_SD_TEXT, source, namings, n, error);
    return model->weights.text != NULL;
}

gboolean aimf_sd_take_unet(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                           GError **error)
{
    model->weights.unet = take(model, AIMF_SD_UNET, source, namings, n, error);
    return model->weights.unet != NULL;
}

gboolean aimf_sd_take_vae(AimfSdModel *model, AimfSdSource *source, const AimfSdNaming *namings, guint n,
                          GError **error)
{
    model->weights.decoder = take(model, AIMF_SD_DECODER, source, namings, n, error);
    if (model->weights.decoder)
        model->weights.encoder = take(model, AIMF_SD_ENCODER, source, namings, n, error);
    return model->weights.encoder != NULL;
}
