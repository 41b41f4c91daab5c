/* Bounds of the networks' configurations, and the JSON files of diffusers and transformers that hold them. */
#include "model/sd_config.h"

#include "base/json.h"
#include "base/shown.h"

#include <aimfair/json.h>
#include <math.h>
#include <string.h>

enum {
    MAX_BATCH = 4096,
    MAX_SIDE = 4096, /* latent pixels */
    MAX_CHANNELS = 1 << 14,
    MAX_LAYERS = 128,
    MAX_VOCABULARY = 1 << 22,
    MAX_JSON_BYTES = 1 << 20,
};

/* --- Bounds --- */

static gboolean in_range(const char *what, gint64 value, gint64 low, gint64 high, GError **error)
{
    if (value >= low && value <= high)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "%s is %" G_GINT64_FORMAT "; from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " are accepted", what,
                value, low, high);
    return FALSE;
}

static gboolean divides(const char *what, int part, const char *of, int whole, GError **error)
{
    if (part > 0 && whole % part == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s, %d, does not divide %s, %d", what, part, of, whole);
    return FALSE;
}

gboolean aimf_sd_check_batch(int batch, GError **error)
{
    return in_range("the batch", batch, 1, MAX_BATCH, error);
}

gboolean aimf_sd_check_size(int height, int width, int levels, GError **error)
{
    int unit = 1 << (levels - 1);
    if (!in_range("the latents' height", height, 1, MAX_SIDE, error) ||
        !in_range("the latents' width", width, 1, MAX_SIDE, error))
        return FALSE;
    if (height % unit == 0 && width % unit == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "latents of %d x %d do not fit the network: both sides must be multiples of %d", height, width, unit);
    return FALSE;
}

gboolean aimf_clip_text_config_check(const AimfClipTextConfig *config, GError **error)
{
    return in_range("the text encoder's vocabulary", config->vocabulary, 1, MAX_VOCABULARY, error) &&
           in_range("the text encoder's positions", config->positions, 1, MAX_BATCH, error) &&
           in_range("the text encoder's width", config->hidden, 1, MAX_CHANNELS, error) &&
           in_range("the text encoder's inner width", config->intermediate, 1, 8 * MAX_CHANNELS, error) &&
           divides("the text encoder's heads", config->heads, "its width", config->hidden, error) &&
           in_range("the text encoder's layers", config->layers, 1, MAX_LAYERS, error) &&
           in_range("the text encoder's layers in use", config->layers_used, 1, config->layers, error) &&
           in_range("the token that pads prompts", config->pad_token, 0, config->vocabulary - 1, error);
}

/* Levels, channels and groups, which both UNet and autoencoder have. */
static gboolean check_levels(const char *whose, int levels, const int *channels, int groups, GError **error)
{
    g_autofree char *of_levels = g_strdup_printf("the %s's number of levels", whose);
    g_autofree char *of_channels = g_strdup_printf("the %s's channels", whose);
    if (!in_range(of_levels, levels, 1, AIMF_SD_MAX_LEVELS, error))
        return FALSE;
    for (int i = 0; i < levels; i++)
        if (!in_range(of_channels, channels[i], 1, MAX_CHANNELS, error) ||
            !divides("the number of groups", groups, of_channels, channels[i], error))
            return FALSE;
    return TRUE;
}

gboolean aimf_unet_config_check(const AimfUnetConfig *config, GError **error)
{
    if (!check_levels("UNet", config->levels, config->channels, config->groups, error) ||
        !in_range("the UNet's input channels", config->in_channels, 1, 64, error) ||
        !in_range("the UNet's output channels", config->out_channels, 1, 64, error) ||
        !in_range("the UNet's blocks per level", config->res_blocks, 1, AIMF_SD_MAX_RES_BLOCKS, error) ||
        !in_range("the UNet's transformer blocks", config->transformers, 1, AIMF_SD_MAX_RES_BLOCKS, error) ||
        !in_range("the UNet's context", config->context, 1, MAX_CHANNELS, error) ||
        !in_range("the UNet's sample size", config->sample_size, 1, MAX_SIDE, error) ||
        !divides("the number of halves of the time's embedding", 2, "the UNet's first channels", config->channels[0],
                 error))
        return FALSE;
    for (int i = 0; i < config->levels; i++)
        if (!divides("the UNet's number of heads", config->heads[i], "its channels", config->channels[i], error))
            return FALSE;
    return TRUE;
}

gboolean aimf_vae_config_check(const AimfVaeConfig *config, GError **error)
{
    if (!isfinite(config->scaling) || config->scaling <= 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the autoencoder's scaling is %g; it must be above 0",
                    config->scaling);
        return FALSE;
    }
    return check_levels("autoencoder", config->levels, config->channels, config->groups, error) &&
           in_range("the autoencoder's latent channels", config->latent_channels, 1, 64, error) &&
           (config->tiny ||
            in_range("the autoencoder's blocks per level", config->res_blocks, 1, AIMF_SD_MAX_RES_BLOCKS, error));
}

/* --- JSON --- */

/* A configuration file at hand; the first mistake sticks. */
typedef struct {
    const char *path;
    JsonNode *root;
    JsonObject *object;
    GError *error;
} Reader;

static gboolean reader_open(Reader *reader, const char *path, GError **error)
{
    *reader = (Reader){ .path = path, .root = aimf_json_open(path, MAX_JSON_BYTES, error) };
    reader->object = reader->root ? json_node_get_object(reader->root) : NULL;
    return reader->root != NULL;
}

static gboolean reader_close(Reader *reader, GError **error)
{
    g_clear_pointer(&reader->root, json_node_unref);
    if (!reader->error)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&reader->error));
    return FALSE;
}

/* NULL where the member is missing or null, or after a mistake. */
static JsonNode *lookup(const Reader *reader, const char *name)
{
    JsonNode *node = reader->error ? NULL : json_object_get_member(reader->object, name);
    return node && !JSON_NODE_HOLDS_NULL(node) ? node : NULL;
}

static int read_int(Reader *reader, const char *name, int otherwise)
{
    gint64 value = otherwise;
    if (lookup(reader, name))
        (void)aimf_json_int(reader->object, reader->path, name, 0, G_MAXINT, &value, &reader->error);
    return (int)value;
}

static double read_double(Reader *reader, const char *name, double otherwise)
{
    double value = otherwise;
    if (lookup(reader, name))
        (void)aimf_json_double(reader->object, reader->path, name, -1e9, 1e9, &value, &reader->error);
    return value;
}

static const char *read_text(Reader *reader, const char *name, const char *otherwise)
{
    return lookup(reader, name) ? aimf_json_text(reader->object, reader->path, name, &reader->error) : otherwise;
}

static void refuse(Reader *reader, const char *name, const char *expected)
{
    JsonNode *node = lookup(reader, name);
    g_autofree char *found = node ? aimf_json_write(node, FALSE) : g_strdup("missing");
    if (!reader->error)
        g_set_error(&reader->error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "'%s': '%s' is %s; only %s is supported (Stable Diffusion 1.x and 2.x)", reader->path, name,
                    AIMF_SHOWN(found), expected);
}

/* @name holds one whole number per level, or one for all. */
static void read_per_level(Reader *reader, const char *name, int *values, int levels)
{
    JsonNode *node = lookup(reader, name);
    if (!node || !JSON_NODE_HOLDS_ARRAY(node)) {
        int value = read_int(reader, name, 0);
        for (int i = 0; i < levels; i++)
            values[i] = value;
        return;
    }
    JsonArray *array = json_node_get_array(node);
    gboolean good = json_array_get_length(array) == (guint)levels;
    for (int i = 0; good && i < levels; i++) {
        JsonNode *element = json_array_get_element(array, (guint)i);
        good = JSON_NODE_HOLDS_VALUE(element) && json_node_get_value_type(element) == G_TYPE_INT64 &&
               json_node_get_int(element) >= 0 && json_node_get_int(element) <= G_MAXINT;
        values[i] = good ? (int)json_node_get_int(element) : 0;
    }
    if (!good)
        g_set_error(&reader->error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s': '%s' must hold %d whole numbers, one per level", reader->path, name, levels);
}

/* The channels' array says how many levels there are. */
static int read_channels(Reader *reader, int *channels)
{
    JsonNode *node = lookup(reader, "block_out_channels");
    guint n = node && JSON_NODE_HOLDS_ARRAY(node) ? json_array_get_length(json_node_get_array(node)) : 0;
    if (n < 1 || n > AIMF_SD_MAX_LEVELS) {
        if (!reader->error)
            g_set_error(&reader->error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "'%s': 'block_out_channels' must hold 1 to %d numbers, not %u", reader->path,
                        AIMF_SD_MAX_LEVELS, n);
        return 0;
    }
    read_per_level(reader, "block_out_channels", channels, (int)n);
    return (int)n;
}

/* A member that changes the network: anything but @value, or its absence, is another kind of network. */
typedef struct {
    const char *name;
    const char *value; /* JSON */
} Fixed;

static gboolean same_value(JsonNode *found, const char *value)
{
    if (strcmp(value, "null") == 0)
        return FALSE;
    if (!JSON_NODE_HOLDS_VALUE(found))
        return FALSE;
    GType type = json_node_get_value_type(found);
    if (type == G_TYPE_STRING)
        return strcmp(json_node_get_string(found), value) == 0;
    if (type == G_TYPE_BOOLEAN)
        return strcmp(json_node_get_boolean(found) ? "true" : "false", value) == 0;
    return json_node_get_double(found) == g_ascii_strtod(value, NULL);
}

static void check_fixed(Reader *reader, const Fixed *fixed, guint n)
{
    for (guint i = 0; i < n; i++) {
        JsonNode *found = lookup(reader, fixed[i].name);
        if (found && !same_value(found, fixed[i].value))
            refuse(reader, fixed[i].name, fixed[i].value);
    }
}

/* --- The text encoder --- */

gboolean aimf_clip_text_config_read(const char *path, AimfClipTextConfig *config, GError **error)
{
    Reader reader;
    if (!reader_open(&reader, path, error))
        return FALSE;
    const char *activation = read_text(&reader, "hidden_act", "quick_gelu");
    *config = (AimfClipTextConfig){
        .vocabulary = read_int(&reader, "vocab_size", 49408),
        .positions = read_int(&reader, "max_position_embeddings", 77),
        .hidden = read_int(&reader, "hidden_size", 512),
        .intermediate = read_int(&reader, "intermediate_size", 2048),
        .heads = read_int(&reader, "num_attention_heads", 8),
        .layers = read_int(&reader, "num_hidden_layers", 12),
        .quick_gelu = activation && strcmp(activation, "quick_gelu") == 0,
        .epsilon = read_double(&reader, "layer_norm_eps", 1e-5),
    };
    config->layers_used = config->layers; /* diffusers' folders of family 2.x leave the last one out */
    config->pad_token = config->quick_gelu ? config->vocabulary - 1 : 0;
    if (activation && !config->quick_gelu && strcmp(activation, "gelu") != 0)
        refuse(&reader, "hidden_act", "quick_gelu or gelu");
    if (!reader_close(&reader, error))
        return FALSE;
    if (aimf_clip_text_config_check(config, error))
        return TRUE;
    g_prefix_error(error, "'%s': ", path);
    return FALSE;
}

/* --- The UNet --- */

static const Fixed unet_fixed[] = {
    { "_class_name", "UNet2DConditionModel" },
    { "act_fn", "silu" },
    { "addition_embed_type", "null" },
    { "attention_type", "default" },
    { "center_input_sample", "false" },
    { "class_embed_type", "null" },
    { "conv_in_kernel", "3" },
    { "conv_out_kernel", "3" },
    { "cross_attention_norm", "null" },
    { "downsample_padding", "1" },
    { "dual_cross_attention", "false" },
    { "encoder_hid_dim", "null" },
    { "encoder_hid_dim_type", "null" },
    { "flip_sin_to_cos", "true" },
    { "freq_shift", "0" },
    { "mid_block_only_cross_attention", "null" },
    { "mid_block_scale_factor", "1" },
    { "mid_block_type", "UNetMidBlock2DCrossAttn" },
    { "norm_eps", "1e-5" },
    { "num_class_embeds", "null" },
    { "only_cross_attention", "false" },
    { "resnet_out_scale_factor", "1" },
    { "resnet_skip_time_act", "false" },
    { "resnet_time_scale_shift", "default" },
    { "time_cond_proj_dim", "null" },
    { "time_embedding_act_fn", "null" },
    { "time_embedding_dim", "null" },
    { "time_embedding_type", "positional" },
    { "timestep_post_act", "null" },
};

/* Which levels have transformer blocks; @reversed: the list begins with the last level. */
static void read_attention(Reader *reader, const char *name, const char *with, const char *without, gboolean reversed,
                           gboolean *attention, int levels)
{
    JsonNode *node = lookup(reader, name);
    JsonArray *types = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    gboolean good = types && json_array_get_length(types) == (guint)levels;
    for (int i = 0; good && i < levels; i++) {
        JsonNode *element = json_array_get_element(types, (guint)(reversed ? levels - 1 - i : i));
        const char *type = JSON_NODE_HOLDS_VALUE(element) ? json_node_get_string(element) : NULL;
        attention[i] = g_strcmp0(type, with) == 0;
        good = attention[i] || g_strcmp0(type, without) == 0;
    }
    g_autofree char *expected = g_strdup_printf("a list of %s and %s, one per level,", with, without);
    if (!good)
        refuse(reader, name, expected);
}

static void read_unet_levels(Reader *reader, AimfUnetConfig *config)
{
    gboolean up[AIMF_SD_MAX_LEVELS] = { FALSE };
    config->levels = read_channels(reader, config->channels);
    read_attention(reader, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", FALSE, config->attention,
                   config->levels);
    read_attention(reader, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", TRUE, up, config->levels);
    for (int i = 0; i < config->levels; i++)
        if (up[i] != config->attention[i])
            refuse(reader, "up_block_types", "the mirror image of 'down_block_types'");
    /* diffusers' attention_head_dim is the number of heads, for compatibility; num_attention_heads overrules it. */
    gboolean heads = lookup(reader, "num_attention_heads") != NULL;
    read_per_level(reader, heads ? "num_attention_heads" : "attention_head_dim", config->heads, config->levels);
}

gboolean aimf_unet_config_read(const char *path, AimfUnetConfig *config, GError **error)
{
    Reader reader;
    if (!reader_open(&reader, path, error))
        return FALSE;
    *config = (AimfUnetConfig){ 0 };
    check_fixed(&reader, unet_fixed, G_N_ELEMENTS(unet_fixed));
    read_unet_levels(&reader, config);
    config->in_channels = read_int(&reader, "in_channels", 4);
    config->out_channels = read_int(&reader, "out_channels", 4);
    config->res_blocks = read_int(&reader, "layers_per_block", 2);
    config->groups = read_int(&reader, "norm_num_groups", 32);
    config->transformers = read_int(&reader, "transformer_layers_per_block", 1);
    config->context = read_int(&reader, "cross_attention_dim", 1280);
    config->sample_size = read_int(&reader, "sample_size", 64);
    JsonNode *linear = lookup(&reader, "use_linear_projection");
    config->linear_projection = linear && same_value(linear, "true");
    if (!reader_close(&reader, error))
        return FALSE;
    if (aimf_unet_config_check(config, error))
        return TRUE;
    g_prefix_error(error, "'%s': ", path);
    return FALSE;
}

/* --- The autoencoder --- */

static const Fixed vae_fixed[] = {
    { "act_fn", "silu" },       { "in_channels", "3" },       { "latents_mean", "null" },
    { "latents_std", "null" },  { "out_channels", "3" },      { "mid_block_add_attention", "true" },
    { "shift_factor", "null" }, { "use_quant_conv", "true" }, { "use_post_quant_conv", "true" },
};

static const Fixed tiny_fixed[] = {
    { "act_fn", "relu" },      { "in_channels", "3" },  { "out_channels", "3" }, { "upsampling_scaling_factor", "2" },
    { "scaling_factor", "1" }, { "shift_factor", "0" },
};

gboolean aimf_vae_config_read(const char *path, AimfVaeConfig *config, GError **error)
{
    Reader reader;
    if (!reader_open(&reader, path, error))
        return FALSE;
    const char *kind = read_text(&reader, "_class_name", "AutoencoderKL");
    gboolean tiny = g_strcmp0(kind, "AutoencoderTiny") == 0;
    if (!tiny && g_strcmp0(kind, "AutoencoderKL") != 0)
        refuse(&reader, "_class_name", "AutoencoderKL or AutoencoderTiny");
    *config = (AimfVaeConfig){
        .tiny = tiny,
        .latent_channels = read_int(&reader, "latent_channels", 4),
        .res_blocks = tiny ? 1 : read_int(&reader, "layers_per_block", 2),
        .groups = tiny ? 1 : read_int(&reader, "norm_num_groups", 32),
        .scaling = tiny ? 1 : read_double(&reader, "scaling_factor", AIMF_SD_LATENT_SCALING),
    };
    if (tiny)
        check_fixed(&reader, tiny_fixed, G_N_ELEMENTS(tiny_fixed));
    else
        check_fixed(&reader, vae_fixed, G_N_ELEMENTS(vae_fixed));
    config->levels = read_channels(&reader, config->channels);
    if (tiny && config->levels != 4)
        refuse(&reader, "block_out_channels", "TAESD's four levels");
    if (!reader_close(&reader, error))
        return FALSE;
    if (aimf_vae_config_check(config, error))
        return TRUE;
    g_prefix_error(error, "'%s': ", path);
    return FALSE;
}

/* --- The noise schedule --- */

static const Fixed schedule_fixed[] = { { "trained_betas", "null" }, { "rescale_betas_zero_snr", "false" } };

gboolean aimf_sd_schedule_read(const char *path, AimfSdSchedule *schedule, GError **error)
{
    Reader reader;
    if (!reader_open(&reader, path, error))
        return FALSE;
    AimfSdSchedule usual = AIMF_SD_SCHEDULE;
    const char *betas = read_text(&reader, "beta_schedule", "scaled_linear");
    const char *prediction = read_text(&reader, "prediction_type", "epsilon");
    *schedule = (AimfSdSchedule){
        .train_steps = read_int(&reader, "num_train_timesteps", usual.train_steps),
        .beta_start = read_double(&reader, "beta_start", usual.beta_start),
        .beta_end = read_double(&reader, "beta_end", usual.beta_end),
        .scaled_linear = g_strcmp0(betas, "scaled_linear") == 0,
        .v_prediction = g_strcmp0(prediction, "v_prediction") == 0,
    };
    check_fixed(&reader, schedule_fixed, G_N_ELEMENTS(schedule_fixed));
    if (!schedule->scaled_linear && g_strcmp0(betas, "linear") != 0)
        refuse(&reader, "beta_schedule", "scaled_linear or linear");
    if (!schedule->v_prediction && g_strcmp0(prediction, "epsilon") != 0)
        refuse(&reader, "prediction_type", "epsilon or v_prediction");
    if (!reader_close(&reader, error))
        return FALSE;
    gboolean good = schedule->train_steps >= 2 && schedule->train_steps <= 100000 && schedule->beta_start > 0 &&
                    schedule->beta_start <= schedule->beta_end && schedule->beta_end < 1;
    if (!good)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': %d steps with betas from %g to %g are no noise schedule: 2 to 100000 steps and "
                    "0 < beta_start <= beta_end < 1 are accepted",
                    path, schedule->train_steps, schedule->beta_start, schedule->beta_end);
    return good;
}
