/* Configurations from the shapes of the tensors in single files with LDM's names. */
#include "model/sd_config.h"

#include "base/format.h"

#include <stdarg.h>

enum { HEAD_CHANNELS = 64, GROUPS = 32, HEADS_1X = 8, MAX_BLOCKS = AIMF_SD_MAX_LEVELS * (AIMF_SD_MAX_RES_BLOCKS + 1) };

/* Size @dim of the tensor whose name is printed, 0 if there is none or it has fewer dimensions. */
static int size_of(const AimfTensors *tensors, int dim, const char *format, ...) G_GNUC_PRINTF(3, 4);

static int size_of(const AimfTensors *tensors, int dim, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *name = aimf_format_list(format, arguments);
    va_end(arguments);
    int index = aimf_tensors_find(tensors, name);
    if (index < 0)
        return 0;
    const AimfShape *shape = &aimf_tensors_at(tensors, (guint)index)->shape;
    return dim < shape->rank && shape->dim[dim] <= G_MAXINT ? (int)shape->dim[dim] : 0;
}

static gboolean lacks(const char *what, const char *prefix, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the file has no %s: '%s…' is missing", what, prefix);
    return FALSE;
}

/* --- Text encoders --- */

static gboolean read_text(const AimfTensors *tensors, const char *at, const char *table, const char *positions,
                          const char *layer, const char *inner, AimfClipTextConfig *config, GError **error)
{
    *config = (AimfClipTextConfig){
        .vocabulary = size_of(tensors, 0, "%s%s", at, table),
        .hidden = size_of(tensors, 1, "%s%s", at, table),
        .positions = size_of(tensors, 0, "%s%s", at, positions),
        .intermediate = size_of(tensors, 0, "%s%s0.%s", at, layer, inner),
        .epsilon = 1e-5,
    };
    while (config->layers < MAX_BLOCKS && size_of(tensors, 0, "%s%s%d.%s", at, layer, config->layers, inner) > 0)
        config->layers++;
    config->layers_used = config->layers;
    config->heads = config->hidden / HEAD_CHANNELS;
    return config->layers > 0 || lacks("text encoder", at, error);
}

gboolean aimf_ldm_text_config(const AimfTensors *tensors, AimfClipTextConfig *config, GError **error)
{
    const char *open_clip = "cond_stage_model.model.";
    if (size_of(tensors, 0, "%stoken_embedding.weight", open_clip)) {
        if (!read_text(tensors, open_clip, "token_embedding.weight", "positional_embedding", "transformer.resblocks.",
                       "mlp.c_fc.weight", config, error))
            return FALSE;
        config->layers_used = MAX(config->layers - 1, 1); /* "penultimate" in v2-inference.yaml */
        return aimf_clip_text_config_check(config, error);
    }
    const char *clip = "cond_stage_model.transformer.text_model.", *bare = "cond_stage_model.transformer.";
    gboolean is_bare = size_of(tensors, 0, "%sembeddings.token_embedding.weight", bare) > 0;
    if (!read_text(tensors, is_bare ? bare : clip, "embeddings.token_embedding.weight",
                   "embeddings.position_embedding.weight", "encoder.layers.", "mlp.fc1.weight", config, error))
        return FALSE;
    config->quick_gelu = TRUE;
    config->pad_token = config->vocabulary - 1;
    return aimf_clip_text_config_check(config, error);
}

/* --- The UNet --- */

/* Takes up input block @n; FALSE if there is none, or if it does not fit the level that it belongs to. */
static gboolean take_block(const AimfTensors *tensors, const char *at, int n, AimfUnetConfig *config, int *in_level)
{
    if (size_of(tensors, 0, "%sinput_blocks.%d.0.op.weight", at, n)) {
        if (config->levels == AIMF_SD_MAX_LEVELS)
            return FALSE;
        config->levels++;
        *in_level = 0;
        return TRUE;
    }
    int level = config->levels - 1;
    int channels = size_of(tensors, 0, "%sinput_blocks.%d.0.out_layers.3.weight", at, n);
    gboolean attends = size_of(tensors, 0, "%sinput_blocks.%d.1.proj_in.weight", at, n) > 0;
    if (channels == 0)
        return FALSE;
    if ((*in_level)++ == 0) {
        config->channels[level] = channels;
        config->attention[level] = attends;
    }
    if (level == 0)
        config->res_blocks = *in_level;
    return TRUE;
}

/* What transformer blocks say: taken from the middle one, which every UNet has. */
static void take_transformers(const AimfTensors *tensors, const char *at, AimfUnetConfig *config)
{
    config->context = size_of(tensors, 1, "%smiddle_block.1.transformer_blocks.0.attn2.to_k.weight", at);
    while (config->transformers < AIMF_SD_MAX_RES_BLOCKS &&
           size_of(tensors, 0, "%smiddle_block.1.transformer_blocks.%d.norm1.weight", at, config->transformers))
        config->transformers++;
    config->linear_projection = size_of(tensors, 2, "%smiddle_block.1.proj_in.weight", at) == 0;
    for (int i = 0; i < config->levels; i++)
        config->heads[i] = config->linear_projection ? config->channels[i] / HEAD_CHANNELS : HEADS_1X;
}

gboolean aimf_ldm_unet_config(const AimfTensors *tensors, const char *prefix, AimfUnetConfig *config, GError **error)
{
    *config = (AimfUnetConfig){
        .levels = 1,
        .groups = GROUPS,
        .sample_size = 64,
        .in_channels = size_of(tensors, 1, "%sinput_blocks.0.0.weight", prefix),
        .out_channels = size_of(tensors, 0, "%sout.2.weight", prefix),
    };
    if (config->in_channels == 0)
        return lacks("UNet", prefix, error);
    int in_level = 0;
    for (int n = 1; n <= MAX_BLOCKS && take_block(tensors, prefix, n, config, &in_level);)
        n++;
    take_transformers(tensors, prefix, config);
    return aimf_unet_config_check(config, error);
}

/* --- The autoencoder --- */

gboolean aimf_ldm_vae_config(const AimfTensors *tensors, const char *prefix, AimfVaeConfig *config, GError **error)
{
    *config = (AimfVaeConfig){
        .latent_channels = size_of(tensors, 0, "%spost_quant_conv.weight", prefix),
        .groups = GROUPS,
        .scaling = AIMF_SD_LATENT_SCALING,
    };
    if (config->latent_channels == 0)
        return lacks("autoencoder", prefix, error);
    gboolean is_diffusers = size_of(tensors, 0, "%sencoder.down_blocks.0.resnets.0.conv1.weight", prefix) > 0;
    const char *levels = is_diffusers ? "encoder.down_blocks." : "encoder.down.";
    const char *blocks = is_diffusers ? "resnets" : "block";
    for (int i = 0; i < AIMF_SD_MAX_LEVELS; i++) {
        config->channels[i] = size_of(tensors, 0, "%s%s%d.%s.0.conv1.weight", prefix, levels, i, blocks);
        if (config->channels[i] == 0)
            break;
        config->levels++;
    }
    while (config->res_blocks < AIMF_SD_MAX_RES_BLOCKS &&
           size_of(tensors, 0, "%s%s0.%s.%d.conv1.weight", prefix, levels, blocks, config->res_blocks))
        config->res_blocks++;
    return aimf_vae_config_check(config, error);
}
