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

static AimfValue resnet(AimfGraph *graph, const AimfVaeConfig *config, const char *at, AimfValue x, int channels)
{
    return aimf_sd_resnet(graph, at, x, (AimfSdResnet){ AIMF_NONE, channels, config->groups, EPSILON });
}

/* One head over all pixels. */
static AimfValue attention(AimfGraph *graph, const AimfVaeConfig *config, const char *at, AimfValue x)
{
    AimfShape shape = aimf_graph_shape(graph, x); /* (N, C, H, W) */
    g_autofree char *norm = aimf_sd_path(at, "group_norm"), *out = aimf_sd_path(at, "to_out.0");
    g_autofree char *q = aimf_sd_path(at, "to_q"), *k = aimf_sd_path(at, "to_k"), *v = aimf_sd_path(at, "to_v");
    AimfGroupNorm options = { .groups = config->groups, .epsilon = EPSILON };
    AimfValue h = aimf_tokens(graph, aimf_sd_group_norm(graph, norm, x, options)); /* (N, H W, C) */
    AimfValue queries = aimf_sd_linear(graph, q, h, shape.dim[1], FALSE);
    AimfValue keys = aimf_sd_linear(graph, k, h, shape.dim[1], FALSE);
    AimfValue values = aimf_sd_linear(graph, v, h, shape.dim[1], FALSE);
    h = aimf_attention(graph, queries, keys, values, (AimfAttention){ .heads = 1 });
    h = aimf_sd_linear(graph, out, h, shape.dim[1], FALSE);
    return aimf_add(graph, x, aimf_planes(graph, h, (int)shape.dim[2], (int)shape.dim[3]));
}

static AimfValue middle(AimfGraph *graph, const AimfVaeConfig *config, const char *half, AimfValue x)
{
    int channels = config->channels[config->levels - 1];
    g_autofree char *before = aimf_sd_path(half, "mid_block.resnets.0");
    g_autofree char *between = aimf_sd_path(half, "mid_block.attentions.0");
    g_autofree char *after = aimf_sd_path(half, "mid_block.resnets.1");
    x = resnet(graph, config, before, x, channels);
    x = attention(graph, config, between, x);
    return resnet(graph, config, after, x, channels);
}

static AimfValue last_layers(AimfGraph *graph, const AimfVaeConfig *config, const char *half, AimfValue x, int channels)
{
    AimfGroupNorm norm = { .groups = config->groups, .epsilon = EPSILON, .silu = TRUE };
    g_autofree char *norm_at = aimf_sd_path(half, "conv_norm_out"), *conv_at = aimf_sd_path(half, "conv_out");
    x = aimf_sd_group_norm(graph, norm_at, x, norm);
    return aimf_sd_conv2d(graph, conv_at, x, (AimfSdConv){ .channels = channels, .kernel = 3, .options.padding = 1 });
}

static AimfValue decoder(AimfGraph *graph, const AimfVaeConfig *config, AimfValue x)
{
    AimfSdConv post = { .channels = config->latent_channels, .kernel = 1 };
    x = aimf_sd_conv2d(graph, "post_quant_conv", x, post);
    AimfSdConv conv_in = { .channels = config->channels[config->levels - 1], .kernel = 3, .options.padding = 1 };
    x = aimf_sd_conv2d(graph, "decoder.conv_in", x, conv_in);
    x = middle(graph, config, "decoder", x);
    for (int level = config->levels - 1; level >= 0; level--) {
        g_autofree char *at = aimf_sd_path("decoder", "up_blocks.%d", config->levels - 1 - level);
        for (int i = 0; i <= config->res_blocks; i++) {
            g_autofree char *block = aimf_sd_path(at, "resnets.%d", i);
            x = resnet(graph, config, block, x, config->channels[level]);
        }
        g_autofree char *conv = aimf_sd_path(at, "upsamplers.0.conv");
        if (level > 0)
            x = aimf_sd_upsample(graph, conv, x, FALSE);
    }
    return last_layers(graph, config, "decoder", x, 3);
}

static AimfValue encoder(AimfGraph *graph, const AimfVaeConfig *config, AimfValue x)
{
    AimfSdConv conv_in = { .channels = config->channels[0], .kernel = 3, .options.padding = 1 };
    x = aimf_sd_conv2d(graph, "encoder.conv_in", x, conv_in);
    for (int level = 0; level < config->levels; level++) {
        g_autofree char *at = aimf_sd_path("encoder", "down_blocks.%d", level);
        for (int i = 0; i < config->res_blocks; i++) {
            g_autofree char *block = aimf_sd_path(at, "resnets.%d", i);
            x = resnet(graph, config, block, x, config->channels[level]);
        }
        g_autofree char *conv = aimf_sd_path(at, "downsamplers.0.conv");
        AimfSdConv halve = { .channels = config->channels[level],
                             .kernel = 3,
                             .options = { .stride = 2, .padding_after = 1 } };
        if (level < config->levels - 1)
            x = aimf_sd_conv2d(graph, conv, x, halve);
    }
    x = middle(graph, config, "encoder", x);
    x = last_layers(graph, config, "encoder", x, 2 * config->latent_channels); /* means, log variances */
    return aimf_sd_conv2d(graph, "quant_conv", x, (AimfSdConv){ .channels = 2 * config->latent_channels, .kernel = 1 });
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
    AimfGraph *graph = aimf_graph_new();
    *built = (AimfSdGraph){ .graph = graph };
    built->input = aimf_graph_input(graph, "latents", AIMF_SHAPE(batch, config->latent_channels, height, width));
    built->output =
        config->tiny ? aimf_taesd_decoder(graph, config, built->input) : decoder(graph, config, built->input);
    return TRUE;
}

gboolean aimf_vae_encoder_build(const AimfVaeConfig *config, int batch, int height, int width, AimfSdGraph *built,
                                GError **error)
{
    if (!check(config, batch, height, width, error))
        return FALSE;
    int scale = aimf_vae_scale(config);
    AimfGraph *graph = aimf_graph_new();
    *built = (AimfSdGraph){ .graph = graph };
    AimfShape planes = AIMF_SHAPE(batch, 3, (gint64)scale * height, (gint64)scale * width);
    built->input = aimf_graph_input(graph, "planes", planes);
    built->output =
        config->tiny ? aimf_taesd_encoder(graph, config, built->input) : encoder(graph, config, built->input);
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
