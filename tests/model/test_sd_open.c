/* Stable Diffusion models in all their forms on disk, whole and broken. */
#include "model/support_tiny_sd.h"
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <string.h>

static char *fresh_folder(void)
{
    char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_assert_nonnull(folder);
    return folder;
}

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
    g_assert_cmpint(model->unet.v_prediction, ==, tiny->v_prediction);
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
            g_autofree char *folder = fresh_folder();
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
    g_autofree char *folder = fresh_folder();
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

/* Writes a model, changes its tensors by @change, and saves them again. */
static char *write_changed(const char *folder, const TinySd *tiny, const char *drop, const char *added, AimfShape shape)
{
    g_autoptr(GError) error = NULL;
    char *path = tiny_sd_write(folder, tiny);
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

static const TinySd single = { .form = TINY_SD_SAFETENSORS };

static void test_surplus(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) said = g_string_new(NULL);
    g_autofree char *folder = fresh_folder();
    g_autofree char *path = write_changed(folder, &single, NULL, "somebodys.addition", AIMF_SHAPE(2));
    AimfSdOptions options = { .model = path };
    g_autoptr(AimfSdModel) model = open_tiny(&options, said, &error);
    g_assert_no_error(error);
    assert_says(said, "warning: ");
    assert_says(said, "1 unknown tensors are not used: somebodys.addition");
    assert_says(said, "1 numbers of positions");
    tiny_sd_remove(folder);
}

/* A file of a training run: the model's tensors are wrapped, because the optimizer's stand beside them. */
static void test_wrapped(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fresh_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_CHECKPOINT });
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &error);
    g_autoptr(AimfTensors) wrapped = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(file); i++) {
        const AimfTensor *tensor = aimf_tensors_at(file, i);
        g_autofree char *name = g_strconcat("state_dict.", tensor->name, NULL);
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
    g_assert_cmpint(model->unet.v_prediction, ==, wanted->v);
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
        { NULL, NULL, "parameterization: 'v'", AIMF_PREDICTION_EPSILON, FALSE, "the caller" },
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = fresh_folder();
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
        g_autofree char *folder = fresh_folder();
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
    g_autofree char *folder = fresh_folder();
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
    g_autofree char *folder = fresh_folder(), *other = fresh_folder();
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

/* --- Broken, foreign and hostile files --- */

static void assert_refused(const AimfSdOptions *options, AimfErrorCode code, const char *says)
{
    GError *error = NULL;
    g_autoptr(AimfSdModel) model = open_tiny(options, NULL, &error);
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
        { "*", "something", { 1, { 4 } }, AIMF_ERROR_UNSUPPORTED, "its 1 tensors begin with: something" },
    };
    g_autofree char *folder = fresh_folder();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = write_changed(folder, &single, cases[i].drop, cases[i].added, cases[i].shape);
        assert_refused(&(AimfSdOptions){ .model = path }, cases[i].code, cases[i].says);
    }
    tiny_sd_remove(folder);
}

static void test_truncated(void)
{
    g_autofree char *folder = fresh_folder(), *bytes = NULL;
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

static void test_not_there(void)
{
    g_autofree char *folder = fresh_folder(), *nowhere = g_build_filename(folder, "nowhere", NULL);
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
    g_autofree char *folder = fresh_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER });
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_folder(path, cases[i].file, cases[i].text, cases[i].code, cases[i].says);
    g_autoptr(AimfSdModel) model = open_tiny(&(AimfSdOptions){ .model = path }, NULL, &error);
    g_assert_no_error(error); /* all of it was put back */
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
    g_autofree char *folder = fresh_folder();
    g_autofree char *path = tiny_sd_write(folder, &(TinySd){ .form = TINY_SD_FOLDER_SHARDS });
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_folder(path, "unet/diffusion_pytorch_model.safetensors.index.json", cases[i].text, cases[i].code,
                     cases[i].says);
    tiny_sd_remove(folder);
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
    g_test_add_func("/sd_open/prediction", test_prediction);
    g_test_add_func("/sd_open/v_prediction", test_v_prediction);
    g_test_add_func("/sd_open/taesd", test_taesd);
    g_test_add_func("/sd_open/replaced", test_replaced);
    g_test_add_func("/sd_open/broken_tensors", test_broken_tensors);
    g_test_add_func("/sd_open/truncated", test_truncated);
    g_test_add_func("/sd_open/not_there", test_not_there);
    g_test_add_func("/sd_open/broken_folders", test_broken_folders);
    g_test_add_func("/sd_open/broken_shards", test_broken_shards);
    return g_test_run();
}
