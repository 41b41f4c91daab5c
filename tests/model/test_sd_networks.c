/* The networks of Stable Diffusion against diffusers and transformers. */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_precision.h"
#include "model/sd_config.h"
#include "model/sd_names.h"
#include "model/support_tiny_sd.h"

#include <string.h>

/* What diffusers must be met within, relative in the 2-norm. */
#define F32_TOLERANCE 1e-4
#define BF16_TOLERANCE 3e-2

static AimfTensors *golden;

static char *golden_path(const char *folder, const char *name)
{
    return g_build_filename(GOLDEN_DIR, folder, name, NULL);
}

/* --- Results --- */

/* How a network is run and with what its result is compared. */
typedef struct {
    const char *name; /* of the golden result */
    const char *device;
    AimfPrecision precision;
    double tolerance;
} Case;

/* Runs, and compares every @stride-th of the result's numbers, of those that @after leaves. */
static void run(const Case *test, AimfSdGraph *built, int stride,
                void (*fill)(AimfPlan *plan, const AimfSdGraph *built), gsize (*after)(float *values, gsize n))
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device(test->device);
    AimfCompileOptions options = {
        .device = device, .precision = test->precision, .outputs = &built->output, .n_outputs = 1
    };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(built->graph, &options, &error);
    if (precision_is_missing(test->precision, error)) {
        aimf_graph_free(built->graph);
        return;
    }
    g_assert_no_error(error);
    g_autoptr(AimfTensors) weights = tiny_sd_weights(built->graph, 1);
    g_assert_true(aimf_plan_load(plan, weights, &error));
    fill(plan, built);
    g_assert_true(aimf_plan_run(plan, &error));
    AimfShape shape = aimf_graph_shape(built->graph, built->output);
    gsize n = (gsize)aimf_shape_count(&shape);
    g_autofree float *result = support_read(plan, built->output);
    gsize kept = (after ? after(result, n) : n) / (gsize)stride;
    g_autofree float *found = g_new(float, kept);
    for (gsize i = 0; i < kept; i++)
        found[i] = result[i * (gsize)stride];
    int index = aimf_tensors_find(golden, test->name);
    g_assert_cmpint(index, >=, 0);
    g_assert_cmpuint(aimf_tensors_at(golden, (guint)index)->bytes, ==, kept * sizeof(float));
    double difference = relative_error(found, aimf_tensors_data(golden, (guint)index), kept);
    g_test_message("%s, %s: relative error %.3g", test->name, test->device, difference);
    g_assert_cmpfloat(difference, <=, test->tolerance);
    aimf_graph_free(built->graph);
}

/* (owned) numbers for an input */
static float *fine_numbers(const AimfSdGraph *built, AimfValue value, const char *name)
{
    AimfShape shape = aimf_graph_shape(built->graph, value);
    float *numbers = g_new(float, aimf_shape_count(&shape));
    for (gint64 i = 0; i < aimf_shape_count(&shape); i++)
        numbers[i] = (float)formula_fine(formula_seed(name), (guint32)i);
    return numbers;
}

static void fill_fine(AimfPlan *plan, const AimfSdGraph *built, AimfValue value, const char *name)
{
    g_autofree float *numbers = fine_numbers(built, value, name);
    support_write(plan, value, numbers);
}

static void fill_tokens(AimfPlan *plan, const AimfSdGraph *built)
{
    float ids[2 * 77];
    for (guint32 i = 0; i < G_N_ELEMENTS(ids); i++)
        ids[i] = (float)(formula_hash(formula_seed("input/ids"), i) % 754);
    support_write(plan, built->input, ids);
}

static void fill_unet(AimfPlan *plan, const AimfSdGraph *built)
{
    const float timesteps[] = { 1, 500, 999 };
    fill_fine(plan, built, built->input, "input/latents");
    fill_fine(plan, built, built->context, "input/context");
    support_write(plan, built->timestep, timesteps);
}

static const AimfVaeConfig kl = { .scaling = 0.18215 }, tiny = { .tiny = TRUE, .scaling = 1 };

enum { CODES = 2 * 4 * 2 * 4, PLANES = 2 * 3 * 16 * 32 };

static void fill_codes(AimfPlan *plan, const AimfSdGraph *built)
{
    g_autofree float *codes = fine_numbers(built, built->input, "input/codes");
    aimf_vae_before_decoding(&kl, codes, CODES);
    support_write(plan, built->input, codes);
}

static void fill_tiny_codes(AimfPlan *plan, const AimfSdGraph *built)
{
    g_autofree float *codes = fine_numbers(built, built->input, "input/codes");
    aimf_vae_before_decoding(&tiny, codes, CODES);
    support_write(plan, built->input, codes);
}

static void fill_planes(AimfPlan *plan, const AimfSdGraph *built)
{
    g_autofree float *planes = fine_numbers(built, built->input, "input/planes");
    aimf_vae_before_encoding(&kl, planes, PLANES);
    support_write(plan, built->input, planes);
}

static void fill_tiny_planes(AimfPlan *plan, const AimfSdGraph *built)
{
    g_autofree float *planes = fine_numbers(built, built->input, "input/planes");
    aimf_vae_before_encoding(&tiny, planes, PLANES);
    support_write(plan, built->input, planes);
}

static gsize after_tiny_decoding(float *planes, gsize n)
{
    aimf_vae_after_decoding(&tiny, planes, n);
    return n;
}

static void test_text(gconstpointer data)
{
    const Case *test = data;
    AimfSdGraph built;
    AimfClipTextConfig config = tiny_sd_text(strstr(test->name, "2x") != NULL);
    g_assert_true(aimf_clip_text_build(&config, 2, &built, NULL));
    run(test, &built, 8, fill_tokens, NULL);
}

static void test_unet(gconstpointer data)
{
    const Case *test = data;
    AimfSdGraph built;
    AimfUnetConfig config = tiny_sd_unet(strstr(test->name, "2x") != NULL);
    g_assert_true(aimf_unet_build(&config, 3, 8, 16, 77, &built, NULL));
    run(test, &built, 1, fill_unet, NULL);
}

static AimfVaeConfig taesd_config(void)
{
    return (AimfVaeConfig){ .tiny = TRUE,
                            .latent_channels = 4,
                            .levels = 4,
                            .res_blocks = 1,
                            .groups = 1,
                            .channels = { 64, 64, 64, 64 },
                            .scaling = 1 };
}

static void test_decoder(gconstpointer data)
{
    const Case *test = data;
    AimfSdGraph built;
    gboolean is_tiny = g_str_has_prefix(test->name, "tiny");
    AimfVaeConfig config = is_tiny ? taesd_config() : tiny_sd_vae();
    g_assert_true(aimf_vae_decoder_build(&config, 2, 2, 4, &built, NULL));
    run(test, &built, 1, is_tiny ? fill_tiny_codes : fill_codes, is_tiny ? after_tiny_decoding : NULL);
}

/* The golden result has the means only: a graph's first half of the channels, sample by sample. */
static gsize take_means(float *encoded, gsize n)
{
    gsize half = n / 4; /* of one sample of the two */
    memmove(encoded + half, encoded + 2 * half, half * sizeof(float));
    aimf_vae_after_encoding(&kl, encoded, encoded, 2 * half);
    return 2 * half;
}

static void test_encoder(gconstpointer data)
{
    const Case *test = data;
    AimfSdGraph built;
    gboolean is_tiny = g_str_has_prefix(test->name, "tiny");
    AimfVaeConfig config = is_tiny ? taesd_config() : tiny_sd_vae();
    g_assert_true(aimf_vae_encoder_build(&config, 2, 2, 4, &built, NULL));
    run(test, &built, 1, is_tiny ? fill_tiny_planes : fill_planes, is_tiny ? NULL : take_means);
}

/* --- Full size: names, shapes and configurations --- */

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Compares the sum over the sorted lines with the golden's @name; frees them. */
static void assert_sum(GPtrArray *lines, const char *name)
{
    g_autofree char *key = g_strconcat("sha256/", name, NULL);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_ptr_array_sort(lines, compare_lines);
    for (guint i = 0; i < lines->len; i++) {
        g_checksum_update(sum, lines->pdata[i], -1);
        g_checksum_update(sum, (const guchar *)"\n", 1);
    }
    g_assert_cmpstr(g_checksum_get_string(sum), ==, aimf_tensors_metadata(golden, key));
    g_checksum_free(sum);
    g_ptr_array_unref(lines);
}

static void add_shapes(GPtrArray *lines, const AimfGraph *graph)
{
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        AimfShape shape = aimf_graph_shape(graph, parameter);
        g_autofree char *text = aimf_shape_text(&shape);
        g_ptr_array_add(lines, g_strdup_printf("%s %s", aimf_graph_name(graph, parameter), text));
    }
}

static void add_renamed(GPtrArray *lines, const AimfGraph *graph, const AimfSdNaming *naming, gboolean parts)
{
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        const char *ours = aimf_graph_name(graph, aimf_graph_parameter_at(graph, i));
        int part;
        g_autofree char *theirs = aimf_sd_file_name(naming, ours, &part);
        g_assert_nonnull(theirs);
        g_autofree char *suffix = parts ? g_strdup_printf(" %d", part) : g_strdup("");
        g_ptr_array_add(lines, g_strdup_printf("%s %s%s", ours, theirs, suffix));
    }
}

static GPtrArray *lines_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static void test_full_unet(gconstpointer data)
{
    const char *name = data; /* "unet_1x" */
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strconcat(name, ".json", NULL), *path = golden_path("stable_diffusion", file);
    g_autofree char *ldm = g_strconcat(name, "_ldm", NULL);
    AimfUnetConfig config;
    aimf_unet_config_read(path, &config, &error);
    g_assert_no_error(error);
    gboolean second_family = g_str_has_suffix(name, "2x");
    g_assert_cmpint(config.context, ==, second_family ? 1024 : 768);
    g_assert_cmpint(config.heads[3], ==, second_family ? 20 : 8);
    g_assert_cmpint(config.linear_projection, ==, second_family);
    AimfSdGraph built;
    g_assert_true(aimf_unet_build(&config, 2, 64, 64, 77, &built, NULL));
    GPtrArray *shapes = lines_new(), *renamed = lines_new();
    add_shapes(shapes, built.graph);
    assert_sum(shapes, name);
    AimfSdNaming naming = { .prefix = "", .rename = aimf_sd_ldm_unet_name, .unet = &config };
    add_renamed(renamed, built.graph, &naming, FALSE);
    assert_sum(renamed, ldm);
    aimf_graph_free(built.graph);
}

static void test_full_text(gconstpointer data)
{
    const char *name = data; /* "text_1x" */
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strconcat(name, ".json", NULL), *path = golden_path("stable_diffusion", file);
    AimfClipTextConfig config;
    aimf_clip_text_config_read(path, &config, &error);
    g_assert_no_error(error);
    gboolean second_family = g_str_has_suffix(name, "2x");
    g_assert_cmpint(config.layers_used, ==, second_family ? 23 : 12);
    g_assert_cmpint(config.pad_token, ==, second_family ? 0 : 49407);
    AimfSdGraph built;
    g_assert_true(aimf_clip_text_build(&config, 1, &built, NULL));
    GPtrArray *shapes = lines_new(), *renamed = lines_new();
    add_shapes(shapes, built.graph);
    assert_sum(shapes, name);
    AimfSdNaming naming = { .prefix = "", .rename = aimf_sd_open_clip_name };
    add_renamed(renamed, built.graph, &naming, TRUE);
    if (second_family)
        assert_sum(renamed, "text_2x_ldm");
    else
        g_ptr_array_unref(renamed);
    aimf_graph_free(built.graph);
}

/* Both halves together are what diffusers stores. */
static void test_full_vae(gconstpointer data)
{
    const char *name = data; /* "vae", "tiny" */
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strconcat(name, ".json", NULL), *path = golden_path("stable_diffusion", file);
    AimfVaeConfig config;
    aimf_vae_config_read(path, &config, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_vae_scale(&config), ==, 8);
    AimfSdGraph decoder, encoder;
    g_assert_true(aimf_vae_decoder_build(&config, 1, 64, 64, &decoder, NULL));
    g_assert_true(aimf_vae_encoder_build(&config, 1, 64, 64, &encoder, NULL));
    GPtrArray *shapes = lines_new(), *renamed = lines_new();
    add_shapes(shapes, decoder.graph);
    add_shapes(shapes, encoder.graph);
    assert_sum(shapes, name);
    AimfSdNaming naming = { .prefix = "", .rename = aimf_sd_ldm_vae_name, .vae = &config };
    if (!config.tiny) {
        add_renamed(renamed, decoder.graph, &naming, FALSE);
        add_renamed(renamed, encoder.graph, &naming, FALSE);
        assert_sum(renamed, "vae_ldm");
    } else {
        g_ptr_array_unref(renamed);
    }
    aimf_graph_free(decoder.graph);
    aimf_graph_free(encoder.graph);
}

/* --- Main --- */

static const struct {
    const char *name;
    void (*test)(gconstpointer data);
} networks[] = {
    { "text_1x", test_text },         { "text_2x", test_text },         { "unet_1x", test_unet },
    { "unet_2x", test_unet },         { "vae_decoder", test_decoder },  { "vae_encoder", test_encoder },
    { "tiny_decoder", test_decoder }, { "tiny_encoder", test_encoder },
};

static void add_cases(const char *device, AimfPrecision precision)
{
    for (guint i = 0; i < G_N_ELEMENTS(networks); i++) {
        gboolean bf16 = precision == AIMF_PRECISION_BF16;
        g_autofree char *path =
            g_strdup_printf("/sd_networks/%s/%s/%s", device, bf16 ? "bf16" : "f32", networks[i].name);
        Case *test = g_new(Case, 1);
        *test = (Case){ networks[i].name, device, precision, bf16 ? BF16_TOLERANCE : F32_TOLERANCE };
        g_test_add_data_func_full(path, test, networks[i].test, g_free);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *path = golden_path("stable_diffusion.safetensors", NULL);
    golden = aimf_tensors_open(path, NULL);
    g_assert_nonnull(golden);
    for (const char *const *device = support_devices(); *device; device++) {
        add_cases(*device, AIMF_PRECISION_F32);
        if (strcmp(*device, "reference") != 0)
            add_cases(*device, AIMF_PRECISION_BF16);
    }
    g_test_add_data_func("/sd_networks/full/unet_1x", "unet_1x", test_full_unet);
    g_test_add_data_func("/sd_networks/full/unet_2x", "unet_2x", test_full_unet);
    g_test_add_data_func("/sd_networks/full/text_1x", "text_1x", test_full_text);
    g_test_add_data_func("/sd_networks/full/text_2x", "text_2x", test_full_text);
    g_test_add_data_func("/sd_networks/full/vae", "vae", test_full_vae);
    g_test_add_data_func("/sd_networks/full/tiny", "tiny", test_full_vae);
    int status = g_test_run();
    aimf_tensors_free(golden);
    return status;
}
