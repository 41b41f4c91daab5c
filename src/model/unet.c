/*
 * The UNet of Stable Diffusion 1.x and 2.x. Names as in diffusers' UNet2DConditionModel.
 * Source: Rombach et al. 2022, section 3; CompVis/stable-diffusion, ldm/modules/diffusionmodules/openaimodel.py;
 * diffusers, models/unets/unet_2d_condition.py.
 */
#include "model/sd_blocks.h"
#include "model/sd_config.h"
#include "model/stable_diffusion.h"

#define RESNET_EPSILON 1e-5
#define TRANSFORMER_EPSILON 1e-6 /* of its group norm */

/* What the walk through the network carries along; @x: (N, C, H, W). */
typedef struct {
    AimfGraph *graph;
    const AimfUnetConfig *config;
    AimfValue x, embedding, context;
    AimfValue skips[AIMF_SD_MAX_LEVELS * (AIMF_SD_MAX_RES_BLOCKS + 1) + 1];
    int n_skips;
} Walk;

static AimfValue attention(AimfGraph *graph, const char *at, AimfValue x, AimfValue context, int heads)
{
    gint64 width = aimf_graph_shape(graph, x).dim[2];
    g_autofree char *q = aimf_sd_path(at, "to_q"), *k = aimf_sd_path(at, "to_k");
    g_autofree char *v = aimf_sd_path(at, "to_v"), *out = aimf_sd_path(at, "to_out.0");
    AimfValue queries = aimf_sd_linear(graph, q, x, width, TRUE); /* (N, T, C) */
    AimfValue keys = aimf_sd_linear(graph, k, context, width, TRUE);
    AimfValue values = aimf_sd_linear(graph, v, context, width, TRUE);
    x = aimf_attention(graph, queries, keys, values, (AimfAttention){ .heads = heads });
    return aimf_sd_linear(graph, out, x, width, FALSE);
}

/* diffusers' BasicTransformerBlock; x (N, T, C). */
static AimfValue transformer_block(AimfGraph *graph, const char *at, AimfValue x, AimfValue context, int heads)
{
    gint64 width = aimf_graph_shape(graph, x).dim[2];
    g_autofree char *norm1 = aimf_sd_path(at, "norm1"), *norm2 = aimf_sd_path(at, "norm2");
    g_autofree char *norm3 = aimf_sd_path(at, "norm3");
    g_autofree char *self = aimf_sd_path(at, "attn1"), *cross = aimf_sd_path(at, "attn2");
    g_autofree char *widen = aimf_sd_path(at, "ff.net.0.proj"), *narrow = aimf_sd_path(at, "ff.net.2");
    AimfValue h = aimf_sd_layer_norm(graph, norm1, x, 0);
    x = aimf_add(graph, x, attention(graph, self, h, h, heads));
    h = aimf_sd_layer_norm(graph, norm2, x, 0);
    x = aimf_add(graph, x, attention(graph, cross, h, context, heads));
    h = aimf_sd_layer_norm(graph, norm3, x, 0);
    h = aimf_geglu(graph, aimf_sd_linear(graph, widen, h, 8 * width, FALSE)); /* (N, T, 4 C) */
    return aimf_add(graph, x, aimf_sd_linear(graph, narrow, h, width, FALSE));
}

/* Family 1.x stores proj_in and proj_out as 1 x 1 convolutions, which are the same on tokens. */
static void transformer(Walk *walk, int level, const char *at)
{
    AimfGraph *graph = walk->graph;
    AimfShape shape = aimf_graph_shape(graph, walk->x);
    AimfGroupNorm norm = { .groups = walk->config->groups, .epsilon = TRANSFORMER_EPSILON };
    g_autofree char *norm_at = aimf_sd_path(at, "norm");
    g_autofree char *in = aimf_sd_path(at, "proj_in"), *out = aimf_sd_path(at, "proj_out");
    AimfValue h = aimf_tokens(graph, aimf_sd_group_norm(graph, norm_at, walk->x, norm)); /* (N, H W, C) */
    h = aimf_sd_linear(graph, in, h, shape.dim[1], FALSE);
    for (int i = 0; i < walk->config->transformers; i++) {
        g_autofree char *block = aimf_sd_path(at, "transformer_blocks.%d", i);
        h = transformer_block(graph, block, h, walk->context, walk->config->heads[level]);
    }
    h = aimf_sd_linear(graph, out, h, shape.dim[1], FALSE);
    h = aimf_planes(graph, h, (int)shape.dim[2], (int)shape.dim[3]);
    walk->x = aimf_add(graph, walk->x, h);
}

static void resnet(Walk *walk, int level, const char *at, int index)
{
    g_autofree char *name = aimf_sd_path(at, "resnets.%d", index);
    AimfSdResnet options = { walk->embedding, walk->config->channels[level], walk->config->groups, RESNET_EPSILON };
    walk->x = aimf_sd_resnet(walk->graph, name, walk->x, options);
}

static void attend(Walk *walk, int level, const char *at, int index)
{
    g_autofree char *name = aimf_sd_path(at, "attentions.%d", index);
    transformer(walk, level, name);
}

static void down(Walk *walk, int level)
{
    const AimfUnetConfig *config = walk->config;
    g_autofree char *at = aimf_sd_path("", "down_blocks.%d", level);
    for (int i = 0; i < config->res_blocks; i++) {
        resnet(walk, level, at, i);
        if (config->attention[level])
            attend(walk, level, at, i);
        walk->skips[walk->n_skips++] = walk->x;
    }
    if (level == config->levels - 1)
        return;
    g_autofree char *conv = aimf_sd_path(at, "downsamplers.0.conv");
    AimfSdConv options = { .channels = config->channels[level], .kernel = 3, .options = { .stride = 2, .padding = 1 } };
    walk->x = aimf_sd_conv2d(walk->graph, conv, walk->x, options);
    walk->skips[walk->n_skips++] = walk->x;
}

static void middle(Walk *walk)
{
    int level = walk->config->levels - 1;
    resnet(walk, level, "mid_block", 0);
    attend(walk, level, "mid_block", 0);
    resnet(walk, level, "mid_block", 1);
}

static void up(Walk *walk, int level)
{
    const AimfUnetConfig *config = walk->config;
    g_autofree char *at = aimf_sd_path("", "up_blocks.%d", config->levels - 1 - level);
    for (int i = 0; i <= config->res_blocks; i++) {
        walk->x = aimf_concat(walk->graph, walk->x, walk->skips[--walk->n_skips]);
        resnet(walk, level, at, i);
        if (config->attention[level])
            attend(walk, level, at, i);
    }
    if (level == 0)
        return;
    g_autofree char *conv = aimf_sd_path(at, "upsamplers.0.conv");
    walk->x = aimf_sd_upsample(walk->graph, conv, walk->x, FALSE);
}

/* (N) -> (N, 4 C), activated: every block begins with that. */
static AimfValue time_embedding(AimfGraph *graph, const AimfUnetConfig *config, AimfValue timesteps)
{
    gint64 width = 4 * (gint64)config->channels[0];
    AimfValue h = aimf_timestep_embedding(graph, timesteps, config->channels[0]);
    h = aimf_silu(graph, aimf_sd_linear(graph, "time_embedding.linear_1", h, width, FALSE));
    return aimf_silu(graph, aimf_sd_linear(graph, "time_embedding.linear_2", h, width, FALSE));
}

gboolean aimf_unet_build(const AimfUnetConfig *config, int batch, int height, int width, int tokens, AimfSdGraph *built,
                         GError **error)
{
    if (!aimf_unet_config_check(config, error) || !aimf_sd_check_batch(batch, error) ||
        !aimf_sd_check_size(height, width, config->levels, error) || !aimf_sd_check_batch(tokens, error))
        return FALSE;
    AimfGraph *graph = aimf_graph_new();
    Walk walk = { .graph = graph, .config = config };
    *built = (AimfSdGraph){ .graph = graph };
    built->input = aimf_graph_input(graph, "latents", AIMF_SHAPE(batch, config->in_channels, height, width));
    built->timestep = aimf_graph_input(graph, "timesteps", AIMF_SHAPE(batch));
    built->context = walk.context = aimf_graph_input(graph, "context", AIMF_SHAPE(batch, tokens, config->context));
    walk.embedding = time_embedding(graph, config, built->timestep);
    AimfSdConv conv_in = { .channels = config->channels[0], .kernel = 3, .options.padding = 1 };
    walk.x = aimf_sd_conv2d(graph, "conv_in", built->input, conv_in);
    walk.skips[walk.n_skips++] = walk.x;
    for (int level = 0; level < config->levels; level++)
        down(&walk, level);
    middle(&walk);
    for (int level = config->levels - 1; level >= 0; level--)
        up(&walk, level);
    AimfGroupNorm norm = { .groups = config->groups, .epsilon = RESNET_EPSILON, .silu = TRUE };
    walk.x = aimf_sd_group_norm(graph, "conv_norm_out", walk.x, norm);
    AimfSdConv conv_out = { .channels = config->out_channels, .kernel = 3, .options.padding = 1 };
    built->output = aimf_sd_conv2d(graph, "conv_out", walk.x, conv_out);
    return TRUE;
}
