/*
 * The KL autoencoder of Stable Diffusion. Names as in diffusers' AutoencoderKL.
 * Source: Rombach et al. 2022, appendix G; CompVis/stable-diffusion, ldm/modules/diffusionmodules/model.py; diffusers,
 * models/autoencoders/vae.py.
 */
#include "model/sd_blocks.h"
#include "model/sd_config.h"
#include "model/stable_diffusion.h"
#include "model/taesd.h"

#include <math.h>

#define EPSILON 1e-6

static AimfValue resnet(AimfBuilder *b, int index, const AimfVaeConfig *config, AimfValue x, int level)
{
    return aimf_sd_resnet(b, index, x, (AimfSdResnet){ AIMF_NONE, config->channels[level], config->groups, EPSILON });
}

/* One head over all pixels. */
static AimfValue attention(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x)
{
    AimfShape shape = aimf_graph_shape(b->graph, x); /* (N, C, H, W) */
    AimfGroupNorm norm = { .groups = config->groups, .epsilon = EPSILON };
    AimfValue h = aimf_build_group_norm(b, "attentions.0.group_norm", x, norm);
    h = aimf_tokens(b->graph, h); /* (N, H W, C) */
    h = aimf_sd_attention(b, "attentions.0", h, h, (AimfSdAttention){ .heads = 1 });
    return aimf_add(b->graph, x, aimf_planes(b->graph, h, (int)shape.dim[2], (int)shape.dim[3]));
}

static AimfValue middle(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x)
{
    AIMF_SCOPE(b, "mid_block");
    x = resnet(b, 0, config, x, config->levels - 1);
    x = attention(b, config, x);
    return resnet(b, 1, config, x, config->levels - 1);
}

static AimfValue last_layers(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x, int channels)
{
    AimfGroupNorm norm = { .groups = config->groups, .epsilon = EPSILON, .silu = TRUE };
    x = aimf_build_group_norm(b, "conv_norm_out", x, norm);
    return aimf_build_conv2d(b, "conv_out", x, (AimfConvLayer){ .channels = channels, .kernel = 3 });
}

static AimfValue decoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x)
{
    int top = config->levels - 1;
    AimfConvLayer post_quant = { .channels = config->latent_channels, .kernel = 1 };
    x = aimf_build_conv2d(b, "post_quant_conv", x, post_quant);
    AIMF_SCOPE(b, "decoder");
    x = aimf_build_conv2d(b, "conv_in", x, (AimfConvLayer){ .channels = config->channels[top], .kernel = 3 });
    x = middle(b, config, x);
    for (int level = top; level >= 0; level--) {
        AIMF_SCOPE(b, "up_blocks.%d", top - level);
        for (int i = 0; i <= config->res_blocks; i++)
            x = resnet(b, i, config, x, level);
        AimfConvLayer twice = { .channels = config->channels[level], .kernel = 3, .upsample = TRUE };
        if (level > 0)
            x = aimf_build_conv2d(b, "upsamplers.0.conv", x, twice);
    }
    return last_layers(b, config, x, 3);
}

/* Means and log variances. */
static AimfValue moments(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x)
{
    AIMF_SCOPE(b, "encoder");
    x = aimf_build_conv2d(b, "conv_in", x, (AimfConvLayer){ .channels = config->channels[0], .kernel = 3 });
    for (int level = 0; level < config->levels; level++) {
        AIMF_SCOPE(b, "down_blocks.%d", level);
        for (int i = 0; i < config->res_blocks; i++)
            x = resnet(b, i, config, x, level);
        /* Zeros below and on the right alone. */
        AimfConvLayer half = {
            .channels = config->channels[level], .kernel = 3, .stride = 2, .padded = TRUE, .after = { 1, 1 }
        };
        if (level < config->levels - 1)
            x = aimf_build_conv2d(b, "downsamplers.0.conv", x, half);
    }
    x = middle(b, config, x);
    return last_layers(b, config, x, 2 * config->latent_channels);
}

static AimfValue encoder(AimfBuilder *b, const AimfVaeConfig *config, AimfValue x)
{
    AimfConvLayer quant = { .channels = 2 * config->latent_channels, .kernel = 1 };
    return aimf_build_conv2d(b, "quant_conv", moments(b, config, x), quant);
}

static gboolean check(const AimfVaeConfig *config, int batch, int height, int width, GError **error)
{
    return aimf_vae_config_check(config, error) && aimf_sd_check_batch(batch, error) &&
           aimf_sd_check_size(height, width, 1, error);
}

int aimf_vae_scale(const AimfVaeConfig *config)
{
    return 1 << (config->levels - 1);
}

gboolean aimf_vae_decoder_build(const AimfVaeConfig *config, int batch, int height, int width, AimfSdGraph *built,
                                GError **error)
{
    if (!check(config, batch, height, width, error))
        return FALSE;
    g_auto(AimfBuilder) b;
    aimf_builder_init(&b, FALSE);
    AimfValue z = aimf_graph_input(b.graph, "latents", AIMF_SHAPE(batch, config->latent_channels, height, width));
    AimfValue planes = config->tiny ? aimf_taesd_decoder(&b, config, z) : decoder(&b, config, z);
    *built = (AimfSdGraph){ .graph = g_steal_pointer(&b.graph), .input = z, .output = planes };
    return TRUE;
}

gboolean aimf_vae_encoder_build(const AimfVaeConfig *config, int batch, int height, int width, AimfSdGraph *built,
                                GError **error)
{
    if (!check(config, batch, height, width, error))
        return FALSE;
    gint64 scale = aimf_vae_scale(config);
    g_auto(AimfBuilder) b;
    aimf_builder_init(&b, FALSE);
    AimfValue planes = aimf_graph_input(b.graph, "planes", AIMF_SHAPE(batch, 3, scale * height, scale * width));
    AimfValue z = config->tiny ? aimf_taesd_encoder(&b, config, planes) : encoder(&b, config, planes);
    *built = (AimfSdGraph){ .graph = g_steal_pointer(&b.graph), .input = planes, .output = z };
    return TRUE;
}

/* --- Between the UNet's latents or pictures in [-1, 1] and what the networks take and give --- */

void aimf_vae_before_decoding(const AimfVaeConfig *config, float *latents, gsize n)
{
    float scale = (float)(1 / config->scaling);
    for (gsize i = 0; i < n; i++)
        latents[i] = config->tiny ? 3 * tanhf(latents[i] / 3) : latents[i] * scale;
}

void aimf_vae_after_decoding(const AimfVaeConfig *config, float *planes, gsize n)
{
    for (gsize i = 0; config->tiny && i < n; i++)
        planes[i] = planes[i] * 2 - 1;
}

void aimf_vae_before_encoding(const AimfVaeConfig *config, float *planes, gsize n)
{
    for (gsize i = 0; config->tiny && i < n; i++)
        planes[i] = (planes[i] + 1) / 2;
}

void aimf_vae_after_encoding(const AimfVaeConfig *config, const float *encoded, float *latents, gsize n)
{
    float scale = config->tiny ? 1 : (float)config->scaling;
    for (gsize i = 0; i < n; i++) /* the means come first */
        latents[i] = encoded[i] * scale;
}
