/* Autoencoders by themselves: from pictures to latents and back. */
#include "diffusion/network.h"

#include "graph/device.h"

#include <aimfair/diffusion.h>

struct AimfAutoencoder {
    AimfNetworks networks;
};

AimfAutoencoder *aimf_autoencoder_open(const AimfDiffusionOptions *options, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfDevice) device = aimf_device_or_auto(options->device, error);
    AimfSdModel *model = device ? aimf_sd_open(&(AimfSdOptions){ .vae = options->vae }, monitor, error) : NULL;
    if (!model)
        return NULL;
    AimfAutoencoder *autoencoder = g_new(AimfAutoencoder, 1);
    *autoencoder = (AimfAutoencoder){ .networks = { .model = model,
                                                    .device = g_steal_pointer(&device),
                                                    .precision = options->precision,
                                                    .threads = options->threads } };
    return autoencoder;
}

void aimf_autoencoder_free(AimfAutoencoder *autoencoder)
{
    if (!autoencoder)
        return;
    aimf_networks_clear(&autoencoder->networks);
    g_free(autoencoder);
}

int aimf_autoencoder_channels(const AimfAutoencoder *autoencoder)
{
    return autoencoder->networks.model->vae.latent_channels;
}

int aimf_autoencoder_scale(const AimfAutoencoder *autoencoder)
{
    return aimf_vae_scale(&autoencoder->networks.model->vae);
}

gboolean aimf_autoencoder_encode(AimfAutoencoder *autoencoder, const float *planes, int height, int width,
                                 float *latents, GError **error)
{
    return aimf_networks_encode(&autoencoder->networks, planes, height, width, latents, error);
}

gboolean aimf_autoencoder_decode(AimfAutoencoder *autoencoder, const float *latents, int height, int width,
                                 float *planes, GError **error)
{
    AimfNetworks *networks = &autoencoder->networks;
    return aimf_networks_decode(networks, networks->precision, latents, height, width, planes, error);
}
