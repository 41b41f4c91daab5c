/* Stable Diffusion models in all their forms on disk. */
#include "model/support_tiny_sd.h"
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <string.h>

static void assert_same_network(const AimfTensors *found, const AimfTensors *expected)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpuint(aimf_tensors_count(found), ==, aimf_tensors_count(expected));
    for (guint i = 0; i < aimf_tensors_count(expected); i++) {
        const AimfTensor *want = aimf_tensors_at(expected, i), *have = aimf_tensors_at(found, i);
        g_assert_cmpstr(have->name, ==, want->name);
        g_assert_true(aimf_shape_equal(&have->shape, &want->shape));
        g_autofree float *values = g_malloc(want->bytes);
        g_assert_true(aimf_tensors_read(found, i, AIMF_F32, values, &error));
        support_assert_same_bytes(values, want->bytes, aimf_tensors_data(expected, i), want->bytes);
    }
}

static AimfTensors *expected_network(gboolean built, AimfSdGraph *graph, float factor)
{
    g_assert_true(built);
    AimfTensors *weights = tiny_sd_weights(graph->graph, factor);
    aimf_graph_free(graph->graph);
    return weights;
}

static void assert_weights(const AimfSdModel *model, gboolean second_family, float unet_factor)
{
    AimfSdGraph graph;
    AimfClipTextConfig text = tiny_sd_text(second_family);
    AimfUnetConfig unet = tiny_sd_unet(second_family);
    AimfVaeConfig vae = tiny_sd_vae();
    g_autoptr(AimfTensors) states = expected_network(aimf_clip_text_build(&text, 1, &graph, NULL), &graph, 1);
    g_autoptr(AimfTensors) noise =
        expected_network(aimf_unet_build(&unet, 1, 2, 2, 1, &graph, NULL), &graph, unet_factor);
    g_autoptr(AimfTensors) decoder = expected_network(aimf_vae_decoder_build(&vae, 1, 1, 1, &graph, NULL), &graph, 1);
    g_autoptr(AimfTensors) encoder = expected_network(aimf_vae_encoder_build(&vae, 1, 1, 1, &graph, NULL), &graph, 1);
    assert_same_network(model->weights.text, states);
    assert_same_network(model->weights.unet, noise);
    assert_same_network(model->weights.decoder, decoder);
    assert_same_network(model->weights.encoder, encoder);
}

static void assert_configuration(const AimfSdModel *model, const TinySd *tiny)
{
    AimfUnetConfig unet = tiny_sd_unet(tiny->second_family);
    AimfClipTextConfig text = tiny_sd_text(tiny->second_family);
    g_assert_cmpstr(model->family, ==, tiny->second_family ? "Stable Diffusion 2.x" : "Stable Diffusion 1.x");
    g_assert_cmpint(model->schedule.v_prediction, ==, tiny->v_prediction);
    g_assert_cmpint(model->unet.levels, ==, unet.levels);
    g_assert_cmpint(model->unet.linear_projection, ==, unet.linear_projection);
    for (int i = 0; i < unet.levels; i++) {
        g_assert_cmpint(model->unet.heads[i], ==, unet.heads[i]);
        g_assert_cmpint(model->unet.attention[i], ==, unet.attention[i]);
    }
    g_assert_cmpint(model->text.heads, ==, text.heads);
    g_assert_cmpint(model->text.layers_used, ==, text.layers_used);
    g_assert_cmpint(model->text.quick_gelu, ==, text.quick_gelu);
    g_assert_cmpint(model->text.pad_token, ==, text.pad_token);
    g_assert_cmpfloat(model->vae.scaling, ==, 0.18215);
    g_assert_cmpint(model->schedule.train_steps, ==, 1000);
    g_assert_nonnull(model->tokenizer);
}

/* All forms hold the same model, and so have one hash for each type of elements. */
static void test_forms(gconstpointer data)
{
    gboolean second_family = GPOINTER_TO_INT(data);
    const AimfDtype dtypes[] = { AIMF_F32, AIMF_F16, AIMF_BF16 };
    for (guint d = 0; d < G_N_ELEMENTS(dtypes); d++) {
        g_autofree char *hash = NULL;
        for (int form = 0; form < TINY_SD_N_FORMS; form++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *folder = tiny_sd_folder();
            TinySd tiny = { .form = (TinySdForm)form, .second_family = second_family, .dtype = dtypes[d] };
            g_autofree char *path = tiny_sd_write(folder, &tiny);
            AimfSdOptions options = { .model = path };
            g_autoptr(AimfSdModel) model = aimf_sd_open(&options, NULL, &error);
            g_assert_no_error(error);
            assert_configuration(model, &tiny);
            assert_weights(model, second_family, 1);
            g_assert_cmpstr(model->which, ==, "as stored");
            if (hash)
                g_assert_cmpstr(model->hash, ==, hash);
            else
                hash = g_strdup(model->hash);
            tiny_sd_remove(folder);
        }
    }
}

/* --- What is said, and what is chosen --- */

static void collect(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_string_append_printf(user_data, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
}

/* Opens, or fails with an error; @said, if wanted, receives the messages. */
static AimfSdModel *open_tiny(const AimfSdOptions *options, GString *said, GError **error)
{
    AimfMonitor monitor = { .message = collect, .user_data = said };
    return aimf_sd_open(options, said ? &monitor : NULL, error);
}

static void assert_says(const GString *said, const char *text)
{
    if (!strstr(said->str, text))
        g_error("\"%s\" does not say \"%s\"", said->str, text);
}

static void test_averaged(gconstpointer data)
{
    gboolean want_raw = GPOINTER_TO_INT(data);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) said = g_string_new(NULL);
    g_autofree char *folder = tiny_sd_folder();
    TinySd tiny = { .form = TINY_SD_CHECKPOINT, .second_family = TRUE, .averaged = TRUE };
    g_autofree char *path = tiny_sd_write(folder, &tiny);
    AimfSdOptions options = { .model = path, .raw_weights = want_raw };
    g_autoptr(AimfSdModel) model = open_tiny(&options, said, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(model->which, ==, want_raw ? "raw" : "EMA");
    assert_weights(model, TRUE, want_raw ? 0.5f : 1);
    assert_says(said, want_raw ? "weights: raw" : "weights: EMA");
    assert_says(said, want_raw ? " averaged (EMA) copies" : "raw weights, of which there are averaged (EMA) ones");
    assert_says(said, "2 buffers of the noise schedule");
    assert_says(said, "12 text blocks behind the penultimate");
    assert_says(said, "2 projections of CLIP");
    g_assert_null(strstr(said->str, "unknown"));
    tiny_sd_remove(folder);
}

static const TinySd single = { .form = TINY_SD_SAFETENSORS };

static void test_surplus(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) said = g_string_new(NULL);
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write_changed(folder, NULL, "somebodys.addition", AIMF_SHAPE(2));
    AimfSdOptions options = { .model = path };
    g_autoptr(AimfSdModel) model = open_tiny(&options, said, &error);
    g_assert_no_error(error);
    g_assert_nonnull(model);
    assert_says(said, "warning: ");
    assert_says(said, "1 unknown tensors are not used: somebodys.addition");
    assert_says(said, "1 numbers of positions");
    tiny_sd_remove(folder);
}

/* A file of a training run: the model's tensors are wrapped, because the optimizer's stand beside them. */
static void wrap_and_open(const char *wrapper)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_CHECKPOINT });
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &error);
    g_autoptr(AimfTensors) wrapped = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(file); i++) {
        const AimfTensor *tensor = aimf_tensors_at(file, i);
        g_autofree char *name = g_strconcat(wrapper, tensor->name, NULL);
        int index = aimf_tensors_add(wrapped, name, tensor->dtype, &tensor->shape, NULL, NULL);
        g_assert_true(aimf_tensors_read(file, i, tensor->dtype, aimf_tensors_writable(wrapped, (guint)index), NULL));
    }
    aimf_tensors_add(wrapped, "optimizer_states.0.step", AIMF_F32, &AIMF_SHAPE(1), NULL, NULL);
    g_assert_true(aimf_tensors_save(wrapped, path, &error));
    AimfSdOptions options = { .model = path };
    g_autoptr(AimfSdModel) model = open_tiny(&options, NULL, &error);
    g_assert_no_error(error);
    assert_weights(model, FALSE, 1);
    tiny_sd_remove(folder);
}

static void test_wrapped(void)
{
    static const char *const wrappers[] = { "state_dict.", "module.", "model_state_dict._orig_mod.module." };
    for (guint i = 0; i < G_N_ELEMENTS(wrappers); i++)
        wrap_and_open(wrappers[i]);
}

/* FP8 is read by value, unless something beside it changes what the values mean. */
static void test_eight_bits(void)
{
    static const AimfDtype dtypes[] = { AIMF_F8_E4M3, AIMF_F8_E5M2 };
    for (guint i = 0; i < G_N_ELEMENTS(dtypes); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = tiny_sd_folder();
        g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_SAFETENSORS, .dtype = dtypes[i] });
        AimfSdOptions options = { .model = path };
        g_autoptr(AimfSdModel) model = open_tiny(&options, NULL, &error);
        g_assert_no_error(error);
        const AimfTensor *tensor = aimf_tensors_at(model->weights.unet, 0);
        g_autofree float *values = g_new(float, tensor->bytes);
        g_assert_cmpint(tensor->dtype, ==, dtypes[i]);
        g_assert_true(aimf_tensors_read(model->weights.unet, 0, AIMF_F32, values, &error));
        g_autoptr(AimfTensors) file = aimf_tensors_open(path, NULL),
                               changed = aimf_tensors_load(file, AIMF_N_DTYPES, NULL);
        aimf_tensors_add(changed, "model.diffusion_model.out.2.scale_weight", AIMF_F32, &AIMF_SHAPE(1), NULL, NULL);
        g_assert_true(aimf_tensors_save(changed, path, NULL));
        g_assert_null(open_tiny(&options, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED);
        g_assert_nonnull(
            strstr(error->message, "is FP8 with a scale beside it ('model.diffusion_model.out.2.scale_weight')"));
        tiny_sd_remove(folder);
    }
}

/*
 * Names of files as diffusers gives them to variants: fp16 is taken where there is no other, non_ema where raw
 * weights are asked for.
 */
static void test_variants(void)
{
    static const char *const parts[][3] = {
        { "unet", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors" },
        { "vae", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors" },
        { "text_encoder", "model.safetensors", "model.fp16.safetensors" },
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER, .dtype = AIMF_F16 });
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *from = g_build_filename(path, parts[i][0], parts[i][1], NULL);
        g_autofree char *to = g_build_filename(path, parts[i][0], parts[i][2], NULL);
        g_assert_cmpint(g_rename(from, to), ==, 0);
    }
    AimfSdOptions options = { .model = path, .raw_weights = TRUE };
    g_autoptr(AimfSdModel) half = open_tiny(&options, NULL, &error);
    g_assert_no_error(error);
    assert_weights(half, FALSE, 1);
    g_assert_cmpstr(half->which, ==, "as stored");
    AimfSdGraph graph;
    AimfUnetConfig unet = tiny_sd_unet(FALSE);
    g_autofree char *raw = g_build_filename(path, "unet", "diffusion_pytorch_model.non_ema.safetensors", NULL);
    g_autoptr(AimfTensors) halved = expected_network(aimf_unet_build(&unet, 1, 2, 2, 1, &graph, NULL), &graph, 0.5f);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(halved); i++) { /* with the 1 x 1 convolutions that family 1.x has */
        const AimfTensor *tensor = aimf_tensors_at(halved, i);
        AimfShape shape = tensor->shape;
        if (shape.rank == 2 && strstr(tensor->name, ".proj_"))
            shape = AIMF_SHAPE(shape.dim[0], shape.dim[1], 1, 1);
        aimf_tensors_add(file, tensor->name, AIMF_F32, &shape, aimf_tensors_data(halved, i), NULL);
    }
    g_assert_true(aimf_tensors_save(file, raw, &error));
    g_autoptr(AimfSdModel) model = open_tiny(&options, NULL, &error);
    g_assert_no_error(error);
    assert_weights(model, FALSE, 0.5f);
    g_assert_cmpstr(model->which, ==, "raw");
    tiny_sd_remove(folder);
}

/* --- What the UNet predicts --- */

typedef struct {
    const char *key, *value; /* metadata of the file; nullable */
    const char *yaml;        /* nullable */
    AimfPrediction asked;
    gboolean v;
    const char *from;
} Prediction;

static void check_prediction(const char *folder, const char *path, const AimfTensors *file, const Prediction *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) marked = aimf_tensors_load(file, AIMF_N_DTYPES, &error);
    g_autofree char *yaml = g_build_filename(folder, "tiny.yaml", NULL);
    if (wanted->key)
        aimf_tensors_set_metadata(marked, wanted->key, wanted->value);
    g_assert_true(aimf_tensors_save(marked, path, &error));
    if (wanted->yaml)
        g_assert_true(g_file_set_contents(yaml, wanted->yaml, -1, NULL));
    else
        (void)!g_remove(yaml);
    AimfSdOptions options = { .model = path, .prediction = wanted->asked };
    g_autoptr(GString) said = g_string_new(NULL);
    g_autoptr(AimfSdModel) model = open_tiny(&options, said, &error);
    g_assert_no_error(error);
    g_assert_cmpint(model->schedule.v_prediction, ==, wanted->v);
    g_assert_cmpstr(model->prediction_from, ==, wanted->from);
    g_assert_cmpint(model->unet.sample_size, ==, wanted->v ? 96 : 64);
    gboolean guessed = strcmp(wanted->from, "the weights' statistics") == 0;
    g_assert_cmpint(strstr(said->str, "does not say what its UNet predicts") != NULL, ==, guessed);
}

static void test_prediction(void)
{
    static const Prediction cases[] = {
        { NULL, NULL, NULL, AIMF_PREDICTION_AS_TRAINED, FALSE, "the weights' statistics" },
        { NULL, NULL, NULL, AIMF_PREDICTION_V, TRUE, "the caller" },
        { "global_step", "875000", NULL, AIMF_PREDICTION_AS_TRAINED, FALSE, "its number of training steps" },
        { "global_step", "110000", NULL, AIMF_PREDICTION_AS_TRAINED, FALSE, "the weights' statistics" },
        { "modelspec.prediction_type", "v", NULL, AIMF_PREDICTION_AS_TRAINED, TRUE, "its metadata" },
        { "modelspec.prediction_type", "epsilon", NULL, AIMF_PREDICTION_AS_TRAINED, FALSE, "its metadata" },
        { "modelspec.architecture", "stable-diffusion-v2-768-v", NULL, AIMF_PREDICTION_AS_TRAINED, TRUE,
          "its metadata" },
        { "modelspec.architecture", "stable-diffusion-v2-512", NULL, AIMF_PREDICTION_AS_TRAINED, FALSE,
          "its metadata" },
        { "global_step", "875000", "a:\n    parameterization: \"v\"\n", AIMF_PREDICTION_AS_TRAINED, TRUE,
          "the configuration beside it" },
        { NULL, NULL, "a:\n  parameterization: eps # x\n", AIMF_PREDICTION_AS_TRAINED, FALSE,
          "the configuration beside it" },
        { NULL, NULL, "a:\n  timesteps: 1000\n", AIMF_PREDICTION_AS_TRAINED, FALSE, "the configuration beside it" },
        { NULL, NULL, "\xEF\xBB\xBFparameterization: v\r\n", AIMF_PREDICTION_AS_TRAINED, TRUE,
          "the configuration beside it" },
        { NULL, NULL, "parameterization: 'v'", AIMF_PREDICTION_EPSILON, FALSE, "the caller" },
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_CHECKPOINT, .second_family = TRUE });
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &error);
    g_autoptr(AimfTensors) loaded = aimf_tensors_load(file, AIMF_N_DTYPES, &error);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_prediction(folder, path, loaded, &cases[i]);
    /* A wide spread of the bias that is looked at means v. */
    guint bias =
        (guint)aimf_tensors_find(loaded, "model.diffusion_model.output_blocks.3.1.transformer_blocks.0.norm1.bias");
    float *values = aimf_tensors_writable(loaded, bias);
    for (int i = 0; i < 64; i++)
        values[i] *= 8;
    Prediction spread = { .v = TRUE, .from = "the weights' statistics" };
    check_prediction(folder, path, loaded, &spread);
    tiny_sd_remove(folder);
}

/* Models that say it themselves. */
static void test_v_prediction(void)
{
    const TinySdForm forms[] = { TINY_SD_FOLDER, TINY_SD_SAFETENSORS };
    for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = tiny_sd_folder();
        TinySd tiny = { .form = forms[i], .second_family = TRUE, .v_prediction = TRUE };
        g_autofree char *path = tiny_sd_write(folder, &tiny);
        AimfSdOptions options = { .model = path };
        g_autoptr(AimfSdModel) model = open_tiny(&options, NULL, &error);
        g_assert_no_error(error);
        assert_configuration(model, &tiny);
        tiny_sd_remove(folder);
    }
}

/* --- Autoencoders that stand alone --- */

static AimfTensors *tiny_half(gboolean decoder)
{
    AimfSdGraph built;
    AimfVaeConfig config = { .tiny = TRUE,
                             .latent_channels = 4,
                             .levels = 4,
                             .res_blocks = 1,
                             .groups = 1,
                             .channels = { 64, 64, 64, 64 },
                             .scaling = 1 };
    gboolean good = decoder ? aimf_vae_decoder_build(&config, 1, 1, 1, &built, NULL)
                            : aimf_vae_encoder_build(&config, 1, 1, 1, &built, NULL);
    return expected_network(good, &built, 1);
}

/* TAESD's own files: bare numbers; the decoder's first module has no weights. */
static void write_tiny_half(const char *folder, const char *name, gboolean decoder)
{
    g_autoptr(AimfTensors) half = tiny_half(decoder);
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(half); i++) {
        const AimfTensor *tensor = aimf_tensors_at(half, i);
        const char *numbered = tensor->name + strlen("decoder.layers.");
        char *rest;
        guint64 number = g_ascii_strtoull(numbered, &rest, 10);
        g_autofree char *theirs = g_strdup_printf("%u%s", (guint)number + (decoder ? 1 : 0), rest);
        aimf_tensors_add(file, theirs, AIMF_F32, &tensor->shape, aimf_tensors_data(half, i), NULL);
    }
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(aimf_tensors_save(file, path, NULL));
}

static void test_taesd(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder();
    g_autofree char *encoder_path = g_build_filename(folder, "taesd_encoder.safetensors", NULL);
    g_autoptr(AimfTensors) decoder = tiny_half(TRUE);
    g_autoptr(AimfTensors) encoder = tiny_half(FALSE);
    write_tiny_half(folder, "taesd_encoder.safetensors", FALSE);
    AimfSdOptions options = { .vae = encoder_path };
    g_autoptr(AimfSdModel) half = open_tiny(&options, NULL, &error);
    g_assert_no_error(error);
    assert_same_network(half->weights.encoder, encoder);
    g_assert_null(half->weights.decoder);
    write_tiny_half(folder, "taesd_decoder.safetensors", TRUE);
    const char *const paths[] = { folder, encoder_path };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        options.vae = paths[i];
        g_autoptr(AimfSdModel) model = open_tiny(&options, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(model->vae.tiny);
        g_assert_cmpint(aimf_vae_scale(&model->vae), ==, 8);
        assert_same_network(model->weights.decoder, decoder);
        assert_same_network(model->weights.encoder, encoder);
    }
    tiny_sd_remove(folder);
}

/* A model's autoencoder is replaced by a folder's, by TAESD, or by that in another model's file. */
static void test_replaced(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = tiny_sd_folder(), *other = tiny_sd_folder();
    g_autofree char *path = tiny_sd_write(folder, &single);
    g_autofree char *second = tiny_sd_write(other, &(TinySd){ .form = TINY_SD_FOLDER, .dtype = AIMF_F16 });
    g_autofree char *inside = g_build_filename(other, "vae", NULL);
    g_autofree char *file = g_build_filename(inside, "diffusion_pytorch_model.safetensors", NULL);
    write_tiny_half(other, "taesd_decoder.safetensors", TRUE);
    g_autofree char *taesd = g_build_filename(other, "taesd_decoder.safetensors", NULL);
    const char *const vaes[] = { second, inside, file, path, taesd };
    for (guint i = 0; i < G_N_ELEMENTS(vaes); i++) {
        g_autoptr(GString) said = g_string_new(NULL);
        AimfSdOptions options = { .model = path, .vae = vaes[i] };
        g_autoptr(AimfSdModel) model = open_tiny(&options, said, &error);
        g_assert_no_error(error);
        assert_says(said, "of the autoencoder, which is replaced");
        g_assert_null(strstr(said->str, "unknown"));
        g_assert_cmpint(model->vae.tiny, ==, vaes[i] == taesd);
        g_assert_cmpint(aimf_tensors_at(model->weights.decoder, 0)->dtype, ==, i < 3 ? AIMF_F16 : AIMF_F32);
    }
    tiny_sd_remove(folder);
    tiny_sd_remove(other);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sd_open/forms/1.x", GINT_TO_POINTER(FALSE), test_forms);
    g_test_add_data_func("/sd_open/forms/2.x", GINT_TO_POINTER(TRUE), test_forms);
    g_test_add_data_func("/sd_open/averaged", GINT_TO_POINTER(FALSE), test_averaged);
    g_test_add_data_func("/sd_open/averaged/raw", GINT_TO_POINTER(TRUE), test_averaged);
    g_test_add_func("/sd_open/surplus", test_surplus);
    g_test_add_func("/sd_open/wrapped", test_wrapped);
    g_test_add_func("/sd_open/eight_bits", test_eight_bits);
    g_test_add_func("/sd_open/variants", test_variants);
    g_test_add_func("/sd_open/prediction", test_prediction);
    g_test_add_func("/sd_open/v_prediction", test_v_prediction);
    g_test_add_func("/sd_open/taesd", test_taesd);
    g_test_add_func("/sd_open/replaced", test_replaced);
    return g_test_run();
}
