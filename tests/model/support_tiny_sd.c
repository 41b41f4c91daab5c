#include "model/support_tiny_sd.h"

#include "graph/support_formula.h"
#include "model/sd_names.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VOCABULARY = 754 };

AimfClipTextConfig tiny_sd_text(gboolean second_family)
{
    return (AimfClipTextConfig){ .vocabulary = VOCABULARY,
                                 .positions = 77,
                                 .hidden = 128,
                                 .intermediate = 256,
                                 .heads = 2,
                                 .layers = 2,
                                 .layers_used = 2,
                                 .quick_gelu = !second_family,
                                 .epsilon = 1e-5,
                                 .pad_token = second_family ? 0 : VOCABULARY - 1 };
}

AimfUnetConfig tiny_sd_unet(gboolean second_family)
{
    AimfUnetConfig config = { .in_channels = 4,
                              .out_channels = 4,
                              .levels = 2,
                              .res_blocks = 2,
                              .groups = 32,
                              .transformers = 1,
                              .context = 128,
                              .channels = { 32, 64 },
                              .heads = { 8, 8 },
                              .attention = { TRUE, FALSE },
                              .sample_size = 8 };
    if (!second_family)
        return config;
    config.res_blocks = 1;
    config.linear_projection = TRUE;
    config.channels[0] = 64;
    config.channels[1] = 128;
    config.heads[0] = 1; /* 64 channels each */
    config.heads[1] = 2;
    return config;
}

AimfVaeConfig tiny_sd_vae(void)
{
    return (AimfVaeConfig){ .latent_channels = 4,
                            .levels = 4,
                            .res_blocks = 1,
                            .groups = 32,
                            .channels = { 32, 32, 32, 64 },
                            .scaling = 0.18215 };
}

/* --- Weights --- */

/* Powers of two keep the values exact; weights are about as large as those of fresh networks. */
static float scale_of(const char *name, const AimfShape *shape)
{
    if (g_str_has_suffix(name, ".bias"))
        return 1.0f / 16;
    if (strstr(name, "_embedding.weight") && strstr(name, "embeddings."))
        return 1.0f / 4;
    double fan_in = (double)aimf_shape_count(shape) / (double)shape->dim[0];
    return (float)exp2(-rint(log2(sqrt(fan_in / 3))));
}

static void fill(const char *name, const AimfShape *shape, float *values, float factor)
{
    guint32 seed = formula_seed(name);
    gint64 n = aimf_shape_count(shape);
    gboolean is_norm = shape->rank == 1 && g_str_has_suffix(name, ".weight");
    float scale = is_norm ? 0 : scale_of(name, shape);
    for (gint64 i = 0; i < n; i++) {
        float value = formula_coarse(seed, (guint32)i);
        values[i] = factor * (is_norm ? 1 + truncf(value * 4) / 16 : value * scale);
    }
}

AimfTensors *tiny_sd_weights(const AimfGraph *graph, float factor)
{
    g_autoptr(GError) error = NULL;
    AimfTensors *tensors = aimf_tensors_new();
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        const char *name = aimf_graph_name(graph, parameter);
        AimfShape shape = aimf_graph_shape(graph, parameter);
        int index = aimf_tensors_add(tensors, name, AIMF_F32, &shape, NULL, &error);
        g_assert_no_error(error);
        fill(name, &shape, aimf_tensors_writable(tensors, (guint)index), factor);
    }
    return tensors;
}

/* --- Tensors under a file's names --- */

static AimfTensors *network_weights(AimfSdGraph built, float factor)
{
    AimfTensors *weights = tiny_sd_weights(built.graph, factor);
    aimf_graph_free(built.graph);
    return weights;
}

static AimfTensors *text_weights(gboolean second_family, int layers)
{
    AimfSdGraph built;
    AimfClipTextConfig config = tiny_sd_text(second_family);
    config.layers = config.layers_used = layers;
    g_assert_true(aimf_clip_text_build(&config, 1, &built, NULL));
    return network_weights(built, 1);
}

static AimfTensors *unet_weights(gboolean second_family, float factor)
{
    AimfSdGraph built;
    AimfUnetConfig config = tiny_sd_unet(second_family);
    g_assert_true(aimf_unet_build(&config, 1, 2, 2, 1, &built, NULL));
    return network_weights(built, factor);
}

static AimfTensors *vae_weights(gboolean decoder)
{
    AimfSdGraph built;
    AimfVaeConfig config = tiny_sd_vae();
    g_assert_true(decoder ? aimf_vae_decoder_build(&config, 1, 1, 1, &built, NULL)
                          : aimf_vae_encoder_build(&config, 1, 1, 1, &built, NULL));
    return network_weights(built, 1);
}

/* What older programs made a 1 x 1 convolution of. */
static gboolean is_convolution(const char *name, const AimfUnetConfig *unet, gboolean ldm_vae)
{
    gboolean projection = strstr(name, ".proj_in.") || strstr(name, ".proj_out.");
    gboolean vae_attention = strstr(name, "coder.mid_block.attentions.0.to_") != NULL;
    return (unet && !unet->linear_projection && projection) || (ldm_vae && vae_attention);
}

/*
 * Adds all of @weights to @file under the names of the first of @namings that has one; q, k and v are joined where it
 * says so.
 */
static void add(AimfTensors *file, const AimfTensors *weights, const AimfSdNaming *namings, AimfDtype dtype,
                gboolean ldm_vae)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < aimf_tensors_count(weights); i++) {
        const AimfTensor *tensor = aimf_tensors_at(weights, i);
        AimfShape shape = tensor->shape;
        int part = AIMF_SD_WHOLE;
        char *name = NULL;
        for (const AimfSdNaming *naming = namings; naming->rename && !name; naming++)
            name = aimf_sd_file_name(naming, tensor->name, &part);
        g_assert_nonnull(name);
        if (part != AIMF_SD_WHOLE)
            shape.dim[0] *= AIMF_SD_FUSED_PARTS;
        if (shape.rank == 2 && is_convolution(tensor->name, namings->unet, ldm_vae))
            shape = AIMF_SHAPE(shape.dim[0], shape.dim[1], 1, 1);
        int index = aimf_tensors_find(file, name);
        if (index < 0)
            index = aimf_tensors_add(file, name, dtype, &shape, NULL, &error);
        g_assert_no_error(error);
        gsize part_bytes = tensor->bytes / 4 * aimf_dtype_bytes(dtype);
        guint8 *to = aimf_tensors_writable(file, (guint)index);
        g_assert_true(aimf_tensors_read(weights, i, dtype, to + MAX(part, 0) * (gssize)part_bytes, &error));
        g_free(name);
    }
}

static void add_number(AimfTensors *file, const char *name, AimfDtype dtype, gint64 n)
{
    g_assert_cmpint(aimf_tensors_add(file, name, dtype, &AIMF_SHAPE(n), NULL, NULL), >=, 0);
}

static void save(const AimfTensors *tensors, const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    aimf_tensors_save(tensors, path, &error);
    g_assert_no_error(error);
}

static void write_text(const char *folder, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void write_text(const char *folder, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments), *path = g_build_filename(folder, name, NULL);
    va_end(arguments);
    FILE *file = fopen(path, "w");
    g_assert_nonnull(file);
    fputs(text, file);
    g_assert_cmpint(fclose(file), ==, 0);
}

/* --- Single files --- */

static void add_ldm_unet(AimfTensors *file, const TinySd *tiny)
{
    AimfUnetConfig unet = tiny_sd_unet(tiny->second_family);
    g_autoptr(AimfTensors) weights = unet_weights(tiny->second_family, 1);
    g_autoptr(AimfTensors) halved = unet_weights(tiny->second_family, 0.5f);
    AimfSdNaming names[] = { { .prefix = "model.diffusion_model.", .rename = aimf_sd_ldm_unet_name, .unet = &unet },
                             { .rename = NULL } };
    add(file, tiny->averaged ? halved : weights, names, tiny->dtype, FALSE);
    if (!tiny->averaged)
        return;
    names[0].prefix = "model_ema.diffusion_model";
    names[0].without_dots = TRUE;
    add(file, weights, names, tiny->dtype, FALSE);
    add_number(file, "model_ema.decay", AIMF_F32, 1);
    add_number(file, "model_ema.num_updates", AIMF_I32, 1);
}

static void add_ldm_text(AimfTensors *file, const TinySd *tiny)
{
    /* Family 2.x has a block behind the last one in use. */
    g_autoptr(AimfTensors) weights = text_weights(tiny->second_family, tiny->second_family ? 3 : 2);
    AimfSdNaming names[] = { { .prefix = "cond_stage_model.transformer.", .rename = aimf_sd_same_name },
                             { .rename = NULL } };
    if (tiny->second_family)
        names[0] = (AimfSdNaming){ .prefix = "cond_stage_model.model.", .rename = aimf_sd_open_clip_name };
    add(file, weights, names, tiny->dtype, FALSE);
    if (tiny->second_family) {
        add_number(file, "cond_stage_model.model.text_projection", tiny->dtype, 128);
        add_number(file, "cond_stage_model.model.logit_scale", tiny->dtype, 1);
    } else {
        add_number(file, "cond_stage_model.transformer.text_model.embeddings.position_ids", AIMF_I64, 77);
    }
}

static char *write_single(const char *folder, const TinySd *tiny)
{
    AimfVaeConfig vae = tiny_sd_vae();
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    g_autoptr(AimfTensors) decoder = vae_weights(TRUE);
    g_autoptr(AimfTensors) encoder = vae_weights(FALSE);
    AimfSdNaming vae_names[] = { { .prefix = "first_stage_model.", .rename = aimf_sd_ldm_vae_name, .vae = &vae },
                                 { .rename = NULL } };
    add_number(file, "betas", AIMF_F32, 1000);
    add_number(file, "alphas_cumprod", AIMF_F32, 1000);
    add_ldm_unet(file, tiny);
    add(file, encoder, vae_names, tiny->dtype, TRUE);
    add(file, decoder, vae_names, tiny->dtype, TRUE);
    add_ldm_text(file, tiny);
    const char *name = tiny->form == TINY_SD_CHECKPOINT ? "tiny.ckpt" : "tiny.safetensors";
    save(file, folder, name);
    if (tiny->v_prediction)
        write_text(folder, "tiny.yaml", "model:\n  params:\n    parameterization: \"v\" # as in v2-inference-v.yaml\n");
    return g_build_filename(folder, name, NULL);
}

/* --- diffusers' layout --- */

static char *inside(const char *folder, const char *name)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    return path;
}

static void save_shards(const AimfTensors *file, const char *folder)
{
    g_autoptr(GString) map = g_string_new(NULL);
    for (guint shard = 0; shard < 2; shard++) {
        g_autoptr(AimfTensors) part = aimf_tensors_new();
        g_autofree char *name = g_strdup_printf("diffusion_pytorch_model-%05u-of-00002.safetensors", shard + 1);
        for (guint i = shard; i < aimf_tensors_count(file); i += 2) {
            const AimfTensor *tensor = aimf_tensors_at(file, i);
            aimf_tensors_add(part, tensor->name, tensor->dtype, &tensor->shape, aimf_tensors_data(file, i), NULL);
            g_string_append_printf(map, "%s\"%s\": \"%s\"", map->len ? ", " : "", tensor->name, name);
        }
        save(part, folder, name);
    }
    write_text(folder, "diffusion_pytorch_model.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": {%s}}",
               map->str);
}

static void write_text_encoder(const char *folder, const TinySd *tiny)
{
    AimfClipTextConfig config = tiny_sd_text(tiny->second_family);
    g_autofree char *path = inside(folder, "text_encoder");
    g_autoptr(AimfTensors) weights = text_weights(tiny->second_family, config.layers);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    gboolean bare = tiny->form == TINY_SD_FOLDER_SHARDS;
    AimfSdNaming names[] = { { .prefix = "", .rename = bare ? aimf_sd_bare_text_name : aimf_sd_same_name },
                             { .rename = NULL } };
    add(file, weights, names, tiny->dtype, FALSE);
    save(file, path, tiny->form == TINY_SD_FOLDER_BIN ? "pytorch_model.bin.pt" : "model.safetensors");
    write_text(path, "config.json",
               "{\"architectures\": [\"CLIPTextModel\"], \"hidden_act\": \"%s\", \"hidden_size\": %d,"
               " \"intermediate_size\": %d, \"layer_norm_eps\": 1e-05, \"max_position_embeddings\": %d,"
               " \"num_attention_heads\": %d, \"num_hidden_layers\": %d, \"vocab_size\": %d}",
               config.quick_gelu ? "quick_gelu" : "gelu", config.hidden, config.intermediate, config.positions,
               config.heads, config.layers, config.vocabulary);
}

static void write_unet(const char *folder, const TinySd *tiny)
{
    AimfUnetConfig config = tiny_sd_unet(tiny->second_family);
    g_autofree char *path = inside(folder, "unet");
    g_autoptr(AimfTensors) weights = unet_weights(tiny->second_family, 1);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    AimfSdNaming names[] = { { .prefix = "", .rename = aimf_sd_same_name, .unet = &config }, { .rename = NULL } };
    add(file, weights, names, tiny->dtype, FALSE);
    if (tiny->form == TINY_SD_FOLDER_SHARDS)
        save_shards(file, path);
    else
        save(file, path,
             tiny->form == TINY_SD_FOLDER_BIN ? "diffusion_pytorch_model.bin.pt"
                                              : "diffusion_pytorch_model.safetensors");
    write_text(path, "config.json",
               "{\"_class_name\": \"UNet2DConditionModel\", \"act_fn\": \"silu\", \"attention_head_dim\": [%d, %d],"
               " \"block_out_channels\": [%d, %d], \"cross_attention_dim\": %d,"
               " \"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"],"
               " \"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"], \"in_channels\": 4, \"out_channels\": 4,"
               " \"layers_per_block\": %d, \"norm_num_groups\": 32, \"norm_eps\": 1e-05, \"sample_size\": %d,"
               " \"flip_sin_to_cos\": true, \"freq_shift\": 0, \"use_linear_projection\": %s}",
               config.heads[0], config.heads[1], config.channels[0], config.channels[1], config.context,
               config.res_blocks, config.sample_size, config.linear_projection ? "true" : "false");
}

static void write_vae(const char *folder, const TinySd *tiny)
{
    g_autofree char *path = inside(folder, "vae");
    g_autoptr(AimfTensors) decoder = vae_weights(TRUE);
    g_autoptr(AimfTensors) encoder = vae_weights(FALSE);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    AimfSdNaming names[] = { { .prefix = "", .rename = aimf_sd_same_name }, { .rename = NULL }, { .rename = NULL } };
    if (tiny->form == TINY_SD_FOLDER_BIN) {
        names[1] = names[0];
        names[0].rename = aimf_sd_old_vae_name;
    }
    add(file, encoder, names, tiny->dtype, FALSE);
    add(file, decoder, names, tiny->dtype, FALSE);
    save(file, path,
         tiny->form == TINY_SD_FOLDER_BIN ? "diffusion_pytorch_model.bin.pt" : "diffusion_pytorch_model.safetensors");
    write_text(path, "config.json",
               "{\"_class_name\": \"AutoencoderKL\", \"act_fn\": \"silu\", \"block_out_channels\": [32, 32, 32, 64],"
               " \"in_channels\": 3, \"out_channels\": 3, \"latent_channels\": 4, \"layers_per_block\": 1,"
               " \"norm_num_groups\": 32, \"scaling_factor\": 0.18215}");
}

/* The library writes PyTorch files under PyTorch's names only; diffusers' end in .bin. */
static void rename_bins(const char *folder)
{
    static const char *const names[] = { "text_encoder/pytorch_model.bin", "unet/diffusion_pytorch_model.bin",
                                         "vae/diffusion_pytorch_model.bin" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *to = g_build_filename(folder, names[i], NULL), *from = g_strconcat(to, ".pt", NULL);
        g_assert_cmpint(g_rename(from, to), ==, 0);
    }
}

static char *write_folder(const char *folder, const TinySd *tiny)
{
    g_autofree char *scheduler = inside(folder, "scheduler");
    write_text_encoder(folder, tiny);
    write_unet(folder, tiny);
    write_vae(folder, tiny);
    write_text(scheduler, "scheduler_config.json",
               "{\"_class_name\": \"DDIMScheduler\", \"beta_end\": 0.012, \"beta_schedule\": \"scaled_linear\","
               " \"beta_start\": 0.00085, \"num_train_timesteps\": 1000, \"prediction_type\": \"%s\"}",
               tiny->v_prediction ? "v_prediction" : "epsilon");
    write_text(folder, "model_index.json", "{\"_class_name\": \"StableDiffusionPipeline\"}");
    if (tiny->form == TINY_SD_FOLDER_BIN)
        rename_bins(folder);
    return g_strdup(folder);
}

static void copy_tokenizer(const char *folder, gboolean second_family)
{
    static const char *const names[] = { "vocab.json", "merges.txt" };
    g_autofree char *to = inside(folder, "tokenizer");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *from = g_build_filename(GOLDEN_DIR, "text", "pair", names[i], NULL), *text = NULL;
        g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
        write_text(to, names[i], "%s", text);
    }
    write_text(to, "special_tokens_map.json", "{\"pad_token\": \"%s\"}", second_family ? "!" : "<|endoftext|>");
}

char *tiny_sd_write(const char *folder, const TinySd *tiny)
{
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    copy_tokenizer(folder, tiny->second_family);
    gboolean single = tiny->form == TINY_SD_CHECKPOINT || tiny->form == TINY_SD_SAFETENSORS;
    return single ? write_single(folder, tiny) : write_folder(folder, tiny);
}

char *tiny_sd_write_changed(const char *folder, const char *drop, const char *added, AimfShape shape)
{
    g_autoptr(GError) error = NULL;
    char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_SAFETENSORS });
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &error);
    g_autoptr(AimfTensors) changed = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(file); i++) {
        const AimfTensor *tensor = aimf_tensors_at(file, i);
        if (!drop || !g_pattern_match_simple(drop, tensor->name))
            aimf_tensors_add(changed, tensor->name, tensor->dtype, &tensor->shape, aimf_tensors_data(file, i), NULL);
    }
    if (added)
        g_assert_cmpint(aimf_tensors_add(changed, added, AIMF_F32, &shape, NULL, NULL), >=, 0);
    g_clear_pointer(&file, aimf_tensors_free);
    aimf_tensors_save(changed, path, &error);
    g_assert_no_error(error);
    return path;
}

char *tiny_sd_folder(void)
{
    char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_assert_nonnull(folder);
    return folder;
}

void tiny_sd_remove(const char *folder)
{
    GDir *entries = g_dir_open(folder, 0, NULL);
    g_assert_nonnull(entries);
    for (const char *name; (name = g_dir_read_name(entries));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            tiny_sd_remove(path);
        else
            g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_dir_close(entries);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}
