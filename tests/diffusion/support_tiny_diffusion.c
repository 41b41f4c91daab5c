#include "diffusion/support_tiny_diffusion.h"
#include "device/support_devices.h"

#include "base/file.h"
#include "base/random.h"
#include "model/stable_diffusion.h"

#include <aimfair/text.h>
#include <float.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define VOCABULARY GOLDEN_DIR "/text/small.txt"

static const AimfUnetConfig unet_config = {
    .in_channels = 4,
    .out_channels = 4,
    .levels = 2,
    .res_blocks = 1,
    .groups = 8,
    .transformers = 1,
    .context = 32,
    .channels = { 32, 64 },
    .heads = { 2, 4 },
    .attention = { TRUE, FALSE },
    .linear_projection = TRUE,
    .sample_size = TINY_LATENTS,
};

static const char unet_json[] =
    "{\"_class_name\": \"UNet2DConditionModel\", \"sample_size\": 16, \"in_channels\": 4, \"out_channels\": 4,\n"
    " \"block_out_channels\": [32, 64], \"layers_per_block\": 1, \"norm_num_groups\": 8, \"cross_attention_dim\": 32,\n"
    " \"attention_head_dim\": [2, 4], \"use_linear_projection\": true,\n"
    " \"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"],\n"
    " \"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"]}\n";

static const AimfVaeConfig vae_config = {
    .latent_channels = 4, .levels = 2, .res_blocks = 1, .groups = 8, .channels = { 16, 32 }, .scaling = 0.18215
};

static const char vae_json[] = "{\"_class_name\": \"AutoencoderKL\", \"latent_channels\": 4, \"block_out_channels\": "
                               "[16, 32], \"layers_per_block\": 1,\n"
                               " \"norm_num_groups\": 8, \"scaling_factor\": 0.18215,\n"
                               " \"down_block_types\": [\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"],\n"
                               " \"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}\n";

static const char text_json[] =
    "{\"model_type\": \"clip_text_model\", \"vocab_size\": %u, \"max_position_embeddings\": 77, \"hidden_size\": 32,\n"
    " \"intermediate_size\": 64, \"num_attention_heads\": 2, \"num_hidden_layers\": 2, \"hidden_act\": \"gelu\"}\n";

static const char scheduler_json[] = "{\"_class_name\": \"DDIMScheduler\", \"num_train_timesteps\": 1000, "
                                     "\"beta_start\": 0.00085, \"beta_end\": 0.012,\n"
                                     " \"beta_schedule\": \"scaled_linear\", \"prediction_type\": \"epsilon\"}\n";

static const char index_json[] = "{\"_class_name\": \"StableDiffusionPipeline\"}\n";

/* Matrices keep the variance of what they multiply; scales of norms are near 1. */
static void draw(const char *name, const AimfShape *shape, guint64 index, float *values)
{
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, index);
    gint64 n = aimf_shape_count(shape);
    gboolean is_vector = shape->rank == 1, is_table = g_str_has_suffix(name, "embedding.weight");
    double spread = is_vector ? 0.1 : is_table ? 1 : sqrt((double)shape->dim[0] / (double)n);
    double middle = is_vector && g_str_has_suffix(name, "weight") ? 1 : 0;
    for (gint64 i = 0; i < n; i++)
        values[i] = (float)(middle + spread * aimf_random_normal(&random));
}

/* The parameters of @built, which it frees, into @tensors. */
static void add_parameters(AimfSdGraph *built, AimfTensors *tensors)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < aimf_graph_n_parameters(built->graph); i++) {
        AimfValue value = aimf_graph_parameter_at(built->graph, i);
        const char *name = aimf_graph_name(built->graph, value);
        AimfShape shape = aimf_graph_shape(built->graph, value);
        int entry = aimf_tensors_add(tensors, name, AIMF_F32, &shape, NULL, &error);
        g_assert_no_error(error);
        draw(name, &shape, aimf_tensors_count(tensors), aimf_tensors_writable(tensors, (guint)entry));
    }
    g_clear_pointer(&built->graph, aimf_graph_free);
}

static float *first_value(AimfTensors *tensors, const char *name)
{
    int entry = aimf_tensors_find(tensors, name);
    g_assert_cmpint(entry, >=, 0);
    return aimf_tensors_writable(tensors, (guint)entry);
}

/* The last convolution below @at gets a weight that bf16 rounds to infinity, for a channel that its norm makes 0. */
static void overflow_in_bf16(AimfTensors *tensors, const char *at)
{
    g_autofree char *scale = g_strconcat(at, "conv_norm_out.weight", NULL);
    g_autofree char *shift = g_strconcat(at, "conv_norm_out.bias", NULL);
    g_autofree char *weight = g_strconcat(at, "conv_out.weight", NULL);
    *first_value(tensors, scale) = *first_value(tensors, shift) = 0;
    *first_value(tensors, weight) = FLT_MAX;
}

static void write_part(const char *folder, const char *part, const char *config, const char *weights,
                       const AimfTensors *tensors)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *at = g_build_filename(folder, part, NULL);
    g_autofree char *config_path =
        g_build_filename(at, g_str_equal(part, "scheduler") ? "scheduler_config.json" : "config.json", NULL);
    g_autofree char *weights_path = weights ? g_build_filename(at, weights, NULL) : NULL;
    gboolean good = aimf_directory_make(at, &error) && aimf_file_write(config_path, config, strlen(config), &error) &&
                    (!weights || aimf_tensors_save(tensors, weights_path, &error));
    g_assert_no_error(error);
    g_assert_true(good);
}

static void write_text(const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(VOCABULARY, &error);
    g_assert_no_error(error);
    AimfClipTextConfig config = { .vocabulary = (int)aimf_tokenizer_size(tokenizer),
                                  .positions = AIMF_PROMPT_TOKENS,
                                  .hidden = 32,
                                  .intermediate = 64,
                                  .heads = 2,
                                  .layers = 2,
                                  .layers_used = 2,
                                  .epsilon = 1e-5 };
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfSdGraph built;
    aimf_clip_text_build(&config, 1, &built, &error);
    g_assert_no_error(error);
    add_parameters(&built, tensors);
    g_autofree char *json = g_strdup_printf(text_json, aimf_tokenizer_size(tokenizer));
    write_part(folder, "text_encoder", json, "model.safetensors", tensors);
}

static void write_unet(const char *folder, TinyFault fault)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfSdGraph built;
    aimf_unet_build(&unet_config, 1, TINY_LATENTS, TINY_LATENTS, AIMF_PROMPT_TOKENS, &built, &error);
    g_assert_no_error(error);
    add_parameters(&built, tensors);
    if (fault == TINY_NAN_IN_UNET)
        *first_value(tensors, "conv_in.weight") = NAN;
    if (fault == TINY_BF16_OVERFLOWS_IN_UNET)
        overflow_in_bf16(tensors, "");
    write_part(folder, "unet", unet_json, "diffusion_pytorch_model.safetensors", tensors);
}

static void write_vae(const char *folder, TinyFault fault)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfSdGraph built;
    aimf_vae_decoder_build(&vae_config, 1, TINY_LATENTS, TINY_LATENTS, &built, &error);
    g_assert_no_error(error);
    add_parameters(&built, tensors);
    aimf_vae_encoder_build(&vae_config, 1, TINY_LATENTS, TINY_LATENTS, &built, &error);
    g_assert_no_error(error);
    add_parameters(&built, tensors);
    if (fault == TINY_BF16_OVERFLOWS_IN_DECODER)
        overflow_in_bf16(tensors, "decoder.");
    write_part(folder, "vae", vae_json, "diffusion_pytorch_model.safetensors", tensors);
}

char *tiny_diffusion_write(TinyFault fault)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("aimfair-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *index = g_build_filename(folder, "model_index.json", NULL);
    aimf_file_write(index, index_json, strlen(index_json), &error);
    g_assert_no_error(error);
    write_part(folder, "scheduler", scheduler_json, NULL, NULL);
    write_text(folder);
    write_unet(folder, fault);
    write_vae(folder, fault);
    return folder;
}

void tiny_diffusion_remove(const char *folder)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    for (const char *name; directory && (name = g_dir_read_name(directory));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            tiny_diffusion_remove(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

AimfDiffusionOptions tiny_diffusion_options(const char *folder)
{
    return (AimfDiffusionOptions){ .device = support_device_under_test(), .model = folder, .tokenizer = VOCABULARY };
}
