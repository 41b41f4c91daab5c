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
    AimfBuilder *b;
    const AimfUnetConfig *config;
    AimfValue x, embedding, context;
    AimfValue skips[AIMF_SD_MAX_LEVELS * (AIMF_SD_MAX_RES_BLOCKS + 1) + 1];
    int n_skips;
} Walk;

/* diffusers' BasicTransformerBlock; x (N, T, C). */
static AimfValue transformer_block(AimfBuilder *b, int index, AimfValue x, AimfValue context, int heads)
{
    AIMF_SCOPE(b, "transformer_blocks.%d", index);
    AimfSdAttention attention = { .heads = heads, .no_bias = TRUE };
    gint64 width = aimf_graph_shape(b->graph, x).dim[2];
    AimfValue h = aimf_build_layer_norm(b, "norm1", x, 0);
    x = aimf_add(b->graph, x, aimf_sd_attention(b, "attn1", h, h, attention));
    h = aimf_build_layer_norm(b, "norm2", x, 0);
    x = aimf_add(b->graph, x, aimf_sd_attention(b, "attn2", h, context, attention));
    h = aimf_build_layer_norm(b, "norm3", x, 0);
    h = aimf_geglu(b->graph, aimf_build_linear(b, "ff.net.0.proj", h, 8 * width)); /* (N, T, 4 C) */
    return aimf_add(b->graph, x, aimf_build_linear(b, "ff.net.2", h, width));
}

/* Family 1.x stores proj_in and proj_out as 1 x 1 convolutions, which are the same on tokens. */
static void transformer(Walk *walk, int level, int index)
{
    AimfBuilder *b = walk->b;
    AIMF_SCOPE(b, "attentions.%d", index);
    AimfShape shape = aimf_graph_shape(b->graph, walk->x);
    AimfGroupNorm norm = { .groups = walk->config->groups, .epsilon = TRANSFORMER_EPSILON };
    AimfValue h = aimf_tokens(b->graph, aimf_build_group_norm(b, "norm", walk->x, norm)); /* (N, H W, C) */
    h = aimf_build_linear(b, "proj_in", h, shape.dim[1]);
    for (int i = 0; i < walk->config->transformers; i++)
        h = transformer_block(b, i, h, walk->context, walk->config->heads[level]);
    h = aimf_build_linear(b, "proj_out", h, shape.dim[1]);
    h = aimf_planes(b->graph, h, (int)shape.dim[2], (int)shape.dim[3]);
    walk->x = aimf_add(b->graph, walk->x, h);
}

static void resnet(Walk *walk, int level, int index)
{
    AimfSdResnet options = { walk->embedding, walk->config->channels[level], walk->config->groups, RESNET_EPSILON };
    walk->x = aimf_sd_resnet(walk->b, index, walk->x, options);
}

static void down(Walk *walk, int level)
{
    const AimfUnetConfig *config = walk->config;
    AIMF_SCOPE(walk->b, "down_blocks.%d", level);
    for (int i = 0; i < config->res_blocks; i++) {
        resnet(walk, level, i);
        if (config->attention[level])
            transformer(walk, level, i);
        walk->skips[walk->n_skips++] = walk->x;
    }
    if (level == config->levels - 1)
        return;
    AimfConvLayer half = { .channels = config->channels[level], .kernel = 3, .stride = 2 };
    walk->x = aimf_build_conv2d(walk->b, "downsamplers.0.conv", walk->x, half);
    walk->skips[walk->n_skips++] = walk->x;
}

static void middle(Walk *walk)
{
    int level = walk->config->levels - 1;
    AIMF_SCOPE(walk->b, "mid_block");
    resnet(walk, level, 0);
    transformer(walk, level, 0);
    resnet(walk, level, 1);
}

static void up(Walk *walk, int level)
{
    const AimfUnetConfig *config = walk->config;
    AIMF_SCOPE(walk->b, "up_blocks.%d", config->levels - 1 - level);
    for (int i = 0; i <= config->res_blocks; i++) {
        walk->x = aimf_concat(walk->b->graph, (AimfValue[]){ walk->x, walk->skips[--walk->n_skips] }, 2, 1);
        resnet(walk, level, i);
        if (config->attention[level])
            transformer(walk, level, i);
    }
    AimfConvLayer twice = { .channels = config->channels[level], .kernel = 3, .upsample = TRUE };
    if (level > 0)
        walk->x = aimf_build_conv2d(walk->b, "upsamplers.0.conv", walk->x, twice);
}

/* (N) -> (N, 4 C), activated: every block begins with that. */
static AimfValue time_embedding(AimfBuilder *b, const AimfUnetConfig *config, AimfValue timesteps)
{
    AIMF_SCOPE(b, "time_embedding");
    gint64 width = 4 * (gint64)config->channels[0];
    AimfValue h = aimf_timestep_embedding(b->graph, timesteps, config->channels[0]);
    h = aimf_silu(b->graph, aimf_build_linear(b, "linear_1", h, width));
    return aimf_silu(b->graph, aimf_build_linear(b, "linear_2", h, width));
}

gboolean aimf_unet_build(const AimfUnetConfig *config, int batch, int height, int width, int tokens, AimfSdGraph *built,
                         GError **error)
{
    if (!aimf_unet_config_check(config, error) || !aimf_sd_check_batch(batch, error) ||
        !aimf_sd_check_size(height, width, config->levels, error) || !aimf_sd_check_batch(tokens, error))
        return FALSE;
    g_auto(AimfBuilder) b;
    aimf_builder_init(&b, FALSE);
    Walk walk = { .b = &b, .config = config };
    *built = (AimfSdGraph){ 0 };
    built->input = aimf_graph_input(b.graph, "latents", AIMF_SHAPE(batch, config->in_channels, height, width));
    built->timestep = aimf_graph_input(b.graph, "timesteps", AIMF_SHAPE(batch));
    built->context = walk.context = aimf_graph_input(b.graph, "context", AIMF_SHAPE(batch, tokens, config->context));
    walk.embedding = time_embedding(&b, config, built->timestep);
    AimfConvLayer conv_in = { .channels = config->channels[0], .kernel = 3 };
    walk.x = aimf_build_conv2d(&b, "conv_in", built->input, conv_in);
    walk.skips[walk.n_skips++] = walk.x;
    for (int level = 0; level < config->levels; level++)
        down(&walk, level);
    middle(&walk);
    for (int level = config->levels - 1; level >= 0; level--)
        up(&walk, level);
    AimfGroupNorm norm = { .groups = config->groups, .epsilon = RESNET_EPSILON, .silu = TRUE };
    AimfConvLayer conv_out = { .channels = config->out_channels, .kernel = 3 };
    walk.x = aimf_build_group_norm(&b, "conv_norm_out", walk.x, norm);
    built->output = aimf_build_conv2d(&b, "conv_out", walk.x, conv_out);
    built->graph = g_steal_pointer(&b.graph);
    return TRUE;
}
