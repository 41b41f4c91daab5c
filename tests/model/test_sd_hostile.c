/* Stable Diffusion models that are broken, foreign or hostile: refused, and the message says why. */
#include "graph/support_formula.h"
#include "model/support_tiny_sd.h"
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

static const TinySd single = { .form = TINY_SD_SAFETENSORS };

static void assert_refused(const AimfSdOptions *options, AimfErrorCode code, const char *says)
{
    GError *error = NULL;
    g_autoptr(AimfSdModel) model = aimf_sd_open(options, NULL, &error);
    if (model)
        g_error("opened what should be refused with \"%s\"", says);
    support_assert_error(&error, code, says);
}

static void test_broken_tensors(void)
{
    static const struct {
        const char *drop, *added;
        AimfShape shape;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { "*input_blocks.1.0.in_layers.0.weight",
          NULL,
          { 0 },
          AIMF_ERROR_INVALID,
          "missing (1): model.diffusion_model.input_blocks.1.0.in_layers.0.weight" },
        { "*time_embed.*", NULL, { 0 }, AIMF_ERROR_INVALID, "missing (4): model.diffusion_model.time_embed.0.weight" },
        { "first_stage_model.decoder.up.*",
          NULL,
          { 0 },
          AIMF_ERROR_INVALID,
          "first_stage_model.decoder.up.3.block.0.norm1.weight" },
        { "first_stage_model.*", NULL, { 0 }, AIMF_ERROR_INVALID, "no autoencoder" },
        { "cond_stage_model.*", NULL, { 0 }, AIMF_ERROR_INVALID, "no text encoder" },
        { "*layers.1.self_attn.q_proj.bias",
          NULL,
          { 0 },
          AIMF_ERROR_INVALID,
          "cond_stage_model.transformer.text_model.encoder.layers.1.self_attn.q_proj.bias" },
        { "*diffusion_model.out.0.bias",
          "model.diffusion_model.out.0.bias",
          { 1, { 31 } },
          AIMF_ERROR_INVALID,
          "model.diffusion_model.out.0.bias is f32 31, expected 32" },
        { "*input_blocks.0.0.weight",
          "model.diffusion_model.input_blocks.0.0.weight",
          { 4, { 32, 9, 3, 3 } },
          AIMF_ERROR_UNSUPPORTED,
          "an inpainting model" },
        { "*input_blocks.0.0.weight",
          "model.diffusion_model.input_blocks.0.0.weight",
          { 1, { 32 } },
          AIMF_ERROR_INVALID,
          "no UNet" },
        { "*input_blocks.1.0.out_layers.3.weight",
          "model.diffusion_model.input_blocks.1.0.out_layers.3.weight",
          { 2, { 1 << 20, 0 } },
          AIMF_ERROR_INVALID,
          "channels" },
        { NULL,
          "model.diffusion_model.label_emb.0.0.weight",
          { 1, { 4 } },
          AIMF_ERROR_UNSUPPORTED,
          "Stable Diffusion XL or unCLIP" },
        { "model.*", "conditioner.embedders.0.model.ln", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "Stable Diffusion XL" },
        { "*", "model.diffusion_model.joint_blocks.0.x", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "Stable Diffusion 3" },
        { "*", "double_blocks.0.img_attn.norm.key_norm.scale", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "FLUX" },
        { "*", "layer1.0.conv1.weight", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "a ResNet" },
        { "*", "something", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "its 1 tensor begins with: something" },
    };
    g_autofree char *folder = tiny_sd_folder();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = tiny_sd_write_changed(folder, cases[i].drop, cases[i].added, cases[i].shape);
        assert_refused(&(AimfSdOptions){ .model = path }, cases[i].code, cases[i].says);
    }
    tiny_sd_remove(folder);
}

static void test_truncated(void)
{
    g_autofree char *folder = tiny_sd_folder(), *bytes = NULL;
    g_autofree char *path = tiny_sd_write(folder, &single);
    gsize length;
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    const gsize lengths[] = { 0, 4, 100, length / 2, length - 1 };
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_assert_true(g_file_set_contents(path, bytes, (gssize)lengths[i], NULL));
        assert_refused(&(AimfSdOptions){ .model = path }, AIMF_ERROR_FORMAT, path);
        assert_refused(&(AimfSdOptions){ .vae = path }, AIMF_ERROR_FORMAT, path);
    }
    tiny_sd_remove(folder);
}

static void test_configurations(void)
{
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &single);
    g_autofree char *yaml = g_build_filename(folder, "tiny.yaml", NULL);
    g_assert_true(g_file_set_contents(yaml, "    parameterization: \"x0\"\n", -1, NULL));
    assert_refused(&(AimfSdOptions){ .model = path }, AIMF_ERROR_UNSUPPORTED, "'x0'; only eps and v");
    g_assert_cmpint(g_remove(yaml), ==, 0);
    g_assert_cmpint(g_mkdir(yaml, 0700), ==, 0);
    assert_refused(&(AimfSdOptions){ .model = path }, AIMF_ERROR_NOT_FOUND, "tiny.yaml");
    g_autoptr(AimfSdModel) model =
        aimf_sd_open(&(AimfSdOptions){ .model = path, .prediction = AIMF_PREDICTION_EPSILON }, NULL, NULL);
    g_assert_nonnull(model);
    tiny_sd_remove(folder);
}

static void test_not_there(void)
{
    g_autofree char *folder = tiny_sd_folder(), *nowhere = g_build_filename(folder, "nowhere", NULL);
    assert_refused(&(AimfSdOptions){ .model = nowhere }, AIMF_ERROR_NOT_FOUND, nowhere);
    assert_refused(&(AimfSdOptions){ .vae = nowhere }, AIMF_ERROR_NOT_FOUND, nowhere);
    assert_refused(&(AimfSdOptions){ .model = folder }, AIMF_ERROR_NOT_FOUND, "the folder 'text_encoder' is missing");
    assert_refused(&(AimfSdOptions){ .vae = folder }, AIMF_ERROR_NOT_FOUND, "holds no autoencoder");
    assert_refused(&(AimfSdOptions){ 0 }, AIMF_ERROR_INVALID, "neither a model nor an autoencoder");
    /* Folders where files are expected. */
    g_autofree char *file = g_build_filename(folder, "model.ckpt", NULL);
    g_autofree char *vae = g_build_filename(folder, "taesd_decoder.safetensors", NULL);
    g_assert_cmpint(g_mkdir(file, 0700), ==, 0);
    g_assert_cmpint(g_mkdir(vae, 0700), ==, 0);
    assert_refused(&(AimfSdOptions){ .model = file }, AIMF_ERROR_NOT_FOUND, "the folder 'text_encoder' is missing");
    assert_refused(&(AimfSdOptions){ .vae = folder }, AIMF_ERROR_NOT_FOUND, "taesd_decoder.safetensors");
    tiny_sd_remove(folder);
}

/* One file of a folder is replaced by @text (removed if NULL), and put back. */
static void check_folder(const char *folder, const char *name, const char *text, AimfErrorCode code, const char *says)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *aside = g_strconcat(path, ".aside", NULL);
    g_assert_cmpint(g_rename(path, aside), ==, 0);
    if (text)
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    assert_refused(&(AimfSdOptions){ .model = folder }, code, says);
    if (text)
        g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_rename(aside, path), ==, 0);
}

#define UNET_TYPES                                                                                                     \
    "\"down_block_types\": [\"CrossAttnDownBlock2D\", \"DownBlock2D\"],"                                               \
    " \"up_block_types\": [\"UpBlock2D\", \"CrossAttnUpBlock2D\"], \"cross_attention_dim\": 128"

static void test_broken_folders(void)
{
    static const struct {
        const char *file, *text;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { "model_index.json", "{\"_class_name\": \"StableDiffusionXLPipeline\"}", AIMF_ERROR_UNSUPPORTED,
          "StableDiffusionXLPipeline" },
        { "model_index.json", "{", AIMF_ERROR_FORMAT, "model_index.json" },
        { "unet", NULL, AIMF_ERROR_NOT_FOUND, "the folder 'unet' is missing" },
        { "unet", "a file", AIMF_ERROR_NOT_FOUND, "the folder 'unet' is missing" },
        { "scheduler", NULL, AIMF_ERROR_NOT_FOUND, "the folder 'scheduler' is missing" },
        { "vae/config.json", NULL, AIMF_ERROR_NOT_FOUND, "vae/config.json" },
        { "unet/diffusion_pytorch_model.safetensors", NULL, AIMF_ERROR_NOT_FOUND, "has no weights" },
        { "unet/diffusion_pytorch_model.safetensors", "xx", AIMF_ERROR_FORMAT, "neither safetensors nor" },
        { "unet/config.json", "[]", AIMF_ERROR_FORMAT, "not a JSON object" },
        { "unet/config.json", "{}", AIMF_ERROR_FORMAT, "block_out_channels" },
        { "unet/config.json",
          "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 8, \"layers_per_block\": 3, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "missing" }, /* two levels as there, but three blocks in each */
        { "unet/config.json", "{\"block_out_channels\": [1000000000, 64], \"attention_head_dim\": 8, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "1000000000" },
        { "unet/config.json", "{\"block_out_channels\": [-32, 64], \"attention_head_dim\": 8, " UNET_TYPES "}",
          AIMF_ERROR_FORMAT, "whole numbers" },
        { "unet/config.json", "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 0, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "heads" },
        { "unet/config.json", "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 7, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "heads, 7, does not divide" },
        { "unet/config.json",
          "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 8, \"layers_per_block\": 1e300, " UNET_TYPES "}",
          AIMF_ERROR_FORMAT, "layers_per_block" },
        { "unet/config.json",
          "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 8, \"layers_per_block\": 100000, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "blocks per level" },
        { "unet/config.json",
          "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 8, \"norm_num_groups\": 0, " UNET_TYPES "}",
          AIMF_ERROR_INVALID, "groups, 0" },
        { "unet/config.json",
          "{\"block_out_channels\": [32, 64], \"attention_head_dim\": 8, \"class_embed_type\": "
          "\"timestep\", " UNET_TYPES "}",
          AIMF_ERROR_UNSUPPORTED, "class_embed_type" },
        { "unet/config.json",
          "{\"block_out_channels\": [1,1,1,1,1,1,1,1,1,1,1,1], \"attention_head_dim\": 8, " UNET_TYPES "}",
          AIMF_ERROR_FORMAT, "1 to 8 numbers, not 12" },
        { "unet/config.json", "{\"block_out_channels\": [32, 64, 64], \"attention_head_dim\": 8, " UNET_TYPES "}",
          AIMF_ERROR_UNSUPPORTED, "one per level" },
        { "text_encoder/config.json", "{\"hidden_size\": 128, \"num_attention_heads\": 0}", AIMF_ERROR_INVALID,
          "heads" },
        { "text_encoder/config.json",
          "{\"hidden_size\": 128, \"num_attention_heads\": 2, \"num_hidden_layers\": 1000000000}", AIMF_ERROR_INVALID,
          "layers" },
        { "text_encoder/config.json", "{\"hidden_size\": 128, \"hidden_act\": \"relu\"}", AIMF_ERROR_UNSUPPORTED,
          "hidden_act" },
        { "text_encoder/config.json",
          "{\"hidden_size\": 128, \"num_attention_heads\": 2, \"num_hidden_layers\": 2, \"vocab_size\": 4194304,"
          " \"intermediate_size\": 256}",
          AIMF_ERROR_INVALID, "is f32 754x128, expected 4194304x128" },
        { "vae/config.json", "{\"block_out_channels\": [32, 32, 32, 64], \"scaling_factor\": 0}", AIMF_ERROR_INVALID,
          "scaling" },
        { "vae/config.json", "{\"block_out_channels\": [32, 32, 32, 64], \"_class_name\": \"VQModel\"}",
          AIMF_ERROR_UNSUPPORTED, "VQModel" },
        { "vae/config.json", "{\"block_out_channels\": [32, 32, 32, 64], \"use_quant_conv\": false}",
          AIMF_ERROR_UNSUPPORTED, "use_quant_conv" },
        { "scheduler/scheduler_config.json", "{\"prediction_type\": \"sample\"}", AIMF_ERROR_UNSUPPORTED,
          "prediction_type" },
        { "scheduler/scheduler_config.json", "{\"beta_schedule\": \"squaredcos_cap_v2\"}", AIMF_ERROR_UNSUPPORTED,
          "beta_schedule" },
        { "scheduler/scheduler_config.json", "{\"num_train_timesteps\": 0}", AIMF_ERROR_INVALID, "no noise schedule" },
        { "scheduler/scheduler_config.json", "{\"beta_start\": 2, \"beta_end\": 3}", AIMF_ERROR_INVALID,
          "no noise schedule" },
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER });
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_folder(path, cases[i].file, cases[i].text, cases[i].code, cases[i].says);
    g_autoptr(AimfSdModel) model = aimf_sd_open(&(AimfSdOptions){ .model = path }, NULL, &error);
    g_assert_no_error(error); /* all of it was put back */
    g_assert_nonnull(model);
    tiny_sd_remove(folder);
}

static void test_broken_shards(void)
{
    static const struct {
        const char *text;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { "{\"weight_map\": {\"a\": \"../../../etc/passwd\"}}", AIMF_ERROR_FORMAT, "must name at most" },
        { "{\"weight_map\": {\"a\": 3}}", AIMF_ERROR_FORMAT, "must name at most" },
        { "{\"weight_map\": {\"a\": \"nowhere.safetensors\"}}", AIMF_ERROR_NOT_FOUND, "nowhere.safetensors" },
        { "{\"weight_map\": {\"a\": \"diffusion_pytorch_model-00001-of-00002.safetensors\"}}", AIMF_ERROR_INVALID,
          "missing" },
        { "{\"weight_map\": {}}", AIMF_ERROR_INVALID, "missing" },
        { "{}", AIMF_ERROR_FORMAT, "weight_map" },
    };
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER_SHARDS });
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_folder(path, "unet/diffusion_pytorch_model.safetensors.index.json", cases[i].text, cases[i].code,
                     cases[i].says);
    tiny_sd_remove(folder);
}

/* --- Random damage: opened or refused with a message, never worse --- */

static void damage(char *bytes, gsize length, guint32 round)
{
    static const char signs[] = "0123456789-.,:[]{}\"ex";
    for (guint32 i = 0; i < 1 + round % 4; i++) {
        guint32 where = formula_hash(round, 2 * i), what = formula_hash(round, 2 * i + 1);
        bytes[where % length] = signs[what % (sizeof signs - 1)];
    }
}

static void open_whatever(const char *model)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfSdModel) opened = aimf_sd_open(&(AimfSdOptions){ .model = model }, NULL, &error);
    g_assert_true(opened ? !error : error && *error->message);
}

static void test_damaged_header(void)
{
    enum { ROUNDS = 150 };
    g_autofree char *folder = tiny_sd_folder(), *whole = NULL;
    g_autofree char *path = tiny_sd_write(folder, &single);
    gsize length;
    guint64 header;
    g_assert_true(g_file_get_contents(path, &whole, &length, NULL));
    memcpy(&header, whole, sizeof header);
    FILE *file = fopen(path, "r+b");
    g_assert_nonnull(file);
    for (guint32 round = 0; round < ROUNDS; round++) {
        g_autofree char *damaged = g_memdup2(whole, sizeof header + header);
        damage(damaged + sizeof header, header, round);
        rewind(file);
        g_assert_cmpuint(fwrite(damaged, 1, sizeof header + header, file), ==, sizeof header + header);
        g_assert_cmpint(fflush(file), ==, 0);
        open_whatever(path);
    }
    g_assert_cmpint(fclose(file), ==, 0);
    tiny_sd_remove(folder);
}

static void test_damaged_configurations(void)
{
    enum { ROUNDS = 60 };
    static const char *const names[] = { "unet/config.json", "vae/config.json", "text_encoder/config.json",
                                         "scheduler/scheduler_config.json" };
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER });
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL), *whole = NULL;
        gsize length;
        g_assert_true(g_file_get_contents(file, &whole, &length, NULL));
        for (guint32 round = 0; round < ROUNDS; round++) {
            g_autofree char *damaged = g_memdup2(whole, length);
            damage(damaged, length, round);
            g_assert_true(g_file_set_contents(file, damaged, (gssize)length, NULL));
            open_whatever(path);
        }
        g_assert_true(g_file_set_contents(file, whole, (gssize)length, NULL));
    }
    tiny_sd_remove(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sd_hostile/broken_tensors", test_broken_tensors);
    g_test_add_func("/sd_hostile/truncated", test_truncated);
    g_test_add_func("/sd_hostile/configurations", test_configurations);
    g_test_add_func("/sd_hostile/not_there", test_not_there);
    g_test_add_func("/sd_hostile/broken_folders", test_broken_folders);
    g_test_add_func("/sd_hostile/broken_shards", test_broken_shards);
    g_test_add_func("/sd_hostile/damaged_header", test_damaged_header);
    g_test_add_func("/sd_hostile/damaged_configurations", test_damaged_configurations);
    return g_test_run();
}
