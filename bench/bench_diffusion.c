/*
 * Stable Diffusion's networks at full size, with random weights that are drawn as they are packed and lie in no file:
 * seconds per call, the share of the machine's best speed in a convolution and a matrix product, and where the time
 * goes. Prints JSON. Without arguments it measures the standard configurations, each in a process of its own so that
 * peak memory is that configuration's; otherwise one:
 *
 *     bench_diffusion NETWORK FAMILY PRECISION [LATENTS [BATCH [THREADS [CALLS]]]]
 *
 * NETWORK: text, unet, decoder, conv or product (the two that find the best speed); FAMILY: 1 or 2; LATENTS: their
 * side, 64; BATCH: 2 for unet, as guidance needs, else 1. --profile first: adds the operations, slowest first.
 */
#include "model/stable_diffusion.h"
#include "weights/tensors.h"

#include <aimfair/text.h>
#include <aimfair/version.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *network;
    int family;
    const char *precision;
    int latents;
    int batch;
    int threads;
    guint calls; /* 0: as many as fit into ten seconds, at least three */
    gboolean profile;
} Case;

static double now_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* --- Weights out of nothing --- */

/* In [-1, 1): a hash of the element's number, so that any part of a tensor can be drawn by itself. */
static float noise(guint32 tensor, gsize element)
{
    guint32 bits = ((guint32)element + tensor * 7919u) * 2654435761u;
    bits = (bits ^ (bits >> 15)) * 2246822519u;
    return (float)((bits ^ (bits >> 13)) >> 8) / 8388608.0f - 1.0f;
}

/* Matrices keep the variance of what they multiply, so that no number runs away and no kernel meets infinities. */
static gboolean draw_tensor(gpointer set, guint index, gsize begin, gsize bytes, void *to, GError **error)
{
    (void)error;
    const AimfTensors *tensors = *(AimfTensors *const *)set;
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    gint64 n = aimf_shape_count(&tensor->shape), rows = tensor->shape.rank ? tensor->shape.dim[0] : 1;
    gboolean is_scale = tensor->shape.rank == 1 && g_str_has_suffix(tensor->name, "weight");
    float spread = tensor->shape.rank == 1 ? 0.1f : (float)sqrt(3.0 * (double)rows / (double)n);
    float *values = to;
    for (gsize i = 0; i < bytes / sizeof(float); i++)
        values[i] = (is_scale ? 1.0f : 0.0f) + spread * noise(index, begin / sizeof(float) + i);
    return TRUE;
}

static const AimfTensorSource drawn = { .read = draw_tensor, .free = g_free };

/* (owned) Every parameter of @graph. */
static AimfTensors *draw_weights(const AimfGraph *graph, GError **error)
{
    AimfTensors **set = g_new(AimfTensors *, 1);
    g_autoptr(AimfTensors) tensors = aimf_tensors_new_from_file(NULL, &drawn, set);
    *set = tensors;
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue value = aimf_graph_parameter_at(graph, i);
        AimfShape shape = aimf_graph_shape(graph, value);
        if (!aimf_tensors_append(tensors, aimf_graph_name(graph, value), AIMF_F32, &shape, NULL, error))
            return NULL;
    }
    return g_steal_pointer(&tensors);
}

/* --- What is measured --- */

/* Source: the configurations of runwayml/stable-diffusion-v1-5 and stabilityai/stable-diffusion-2-1-base. */
static AimfUnetConfig unet_config(int family)
{
    AimfUnetConfig config = {
        .in_channels = 4,
        .out_channels = 4,
        .levels = 4,
        .res_blocks = 2,
        .groups = 32,
        .transformers = 1,
        .context = family == 1 ? 768 : 1024,
        .channels = { 320, 640, 1280, 1280 },
        .heads = { 8, 8, 8, 8 },
        .attention = { TRUE, TRUE, TRUE, FALSE },
        .linear_projection = family == 2,
        .sample_size = 64,
    };
    for (int i = 0; i < config.levels && family == 2; i++)
        config.heads[i] = config.channels[i] / 64;
    return config;
}

static AimfClipTextConfig text_config(int family)
{
    gboolean is_first = family == 1;
    return (AimfClipTextConfig){ .vocabulary = 49408,
                                 .positions = AIMF_PROMPT_TOKENS,
                                 .hidden = is_first ? 768 : 1024,
                                 .intermediate = is_first ? 3072 : 4096,
                                 .heads = is_first ? 12 : 16,
                                 .layers = is_first ? 12 : 23,
                                 .layers_used = is_first ? 12 : 23,
                                 .quick_gelu = is_first,
                                 .epsilon = 1e-5 };
}

static const AimfVaeConfig vae_config = { .latent_channels = 4,
                                          .levels = 4,
                                          .res_blocks = 2,
                                          .groups = 32,
                                          .channels = { 128, 256, 512, 512 },
                                          .scaling = 0.18215 };

/* One operation that a processor does about as fast as it does anything. */
static gboolean build_best(gboolean is_conv, AimfSdGraph *built)
{
    AimfGraph *graph = built->graph = aimf_graph_new();
    if (is_conv) {
        built->input = aimf_graph_input(graph, "x", AIMF_SHAPE(2, 512, 64, 64));
        AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(512, 512, 3, 3));
        AimfValue x = built->input;
        for (int i = 0; i < 4; i++) /* the change of layout at both ends becomes small beside it */
            x = aimf_conv2d(graph, x, weight, AIMF_NONE, aimf_conv2d_square(1, 1));
        built->output = aimf_global_average_pool(graph, x);
        return TRUE;
    }
    built->input = aimf_graph_input(graph, "x", AIMF_SHAPE(1, 4096, 4096));
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4096, 4096)), x = built->input;
    for (int i = 0; i < 4; i++)
        x = aimf_linear(graph, x, weight, AIMF_NONE);
    built->output = x;
    return TRUE;
}

static gboolean build(const Case *config, AimfSdGraph *built, GError **error)
{
    AimfUnetConfig unet = unet_config(config->family);
    AimfClipTextConfig text = text_config(config->family);
    if (strcmp(config->network, "unet") == 0)
        return aimf_unet_build(&unet, config->batch, config->latents, config->latents, AIMF_PROMPT_TOKENS, built,
                               error);
    if (strcmp(config->network, "decoder") == 0)
        return aimf_vae_decoder_build(&vae_config, config->batch, config->latents, config->latents, built, error);
    if (strcmp(config->network, "text") == 0)
        return aimf_clip_text_build(&text, config->batch, built, error);
    return build_best(strcmp(config->network, "conv") == 0, built);
}

static gboolean fill_input(AimfPlan *plan, AimfValue value, GError **error)
{
    AimfShape shape = aimf_plan_shape(plan, value);
    gint64 n = value == AIMF_NONE ? 0 : aimf_shape_count(&shape);
    g_autofree float *data = g_new(float, n + 1);
    guint32 state = 1;
    for (gint64 i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        /* The text encoder's are whole numbers. */
        data[i] = shape.rank == 2 ? (float)(1000 + i) : (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return n == 0 || aimf_plan_write(plan, value, 0, (gsize)n, data, error);
}

static gboolean fill_inputs(AimfPlan *plan, const AimfSdGraph *built, GError **error)
{
    const float timestep = 501;
    gint64 n = built->timestep == AIMF_NONE ? 0 : aimf_plan_shape(plan, built->timestep).dim[0];
    gboolean good = fill_input(plan, built->input, error) && fill_input(plan, built->context, error);
    for (gint64 i = 0; good && i < n; i++)
        good = aimf_plan_write(plan, built->timestep, (gsize)i, 1, &timestep, error);
    return good;
}

/* --- Measuring --- */

static void print_profile(AimfPlan *plan)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = aimf_plan_profile(plan, &error);
    if (!text)
        g_error("%s", error->message);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    printf(",\n   \"profile\": [");
    for (guint i = 0; lines[i]; i++)
        printf("%s\n    \"%s\"", i ? "," : "", lines[i]);
    printf("]");
}

static void print_case(const Case *config, AimfPlan *plan, double ready, GArray *seconds)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    AimfPlanSummary summary = aimf_plan_summary(plan);
    g_array_sort(seconds, compare_doubles);
    double median = g_array_index(seconds, double, seconds->len / 2), minimum = g_array_index(seconds, double, 0);
    printf(
        "  {\"name\": \"%s\", \"family\": %d, \"precision\": \"%s\", \"latents\": %d, \"batch\": %d, \"threads\": %d, "
        "\"calls\": %u,\n   \"median_seconds\": %.4f, \"minimum_seconds\": %.4f, \"gflop\": %.1f, \"gflops\": %.0f, "
        "\"best_gflops\": %.0f,\n   \"ready_seconds\": %.1f, \"resident_mb\": %.0f, \"arena_mb\": %.0f, \"peak_mb\": "
        "%.0f",
        config->network, config->family, config->precision, config->latents, config->batch,
        config->threads ? config->threads : (int)g_get_num_processors(), seconds->len, median, minimum,
        summary.flops / 1e9, summary.flops / median / 1e9, summary.flops / minimum / 1e9, ready,
        (double)summary.resident_bytes / 1e6, (double)summary.arena_bytes / 1e6, (double)usage.ru_maxrss / 1e3);
    if (config->profile)
        print_profile(plan);
    printf("}");
}

static gboolean measure(const Case *config, GError **error)
{
    aimf_set_threads(config->threads);
    double start = now_seconds();
    AimfSdGraph built = { 0 };
    gboolean good = build(config, &built, error);
    g_autoptr(AimfGraph) graph = built.graph;
    AimfCompileOptions options = {
        .precision = strcmp(config->precision, "bf16") == 0 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32,
        .outputs = &built.output,
        .n_outputs = 1,
        .winograd = strcmp(config->network, "conv") != 0, /* the best speed is that of multiplications that are done */
    };
    g_autoptr(AimfPlan) plan = good ? aimf_graph_compile(graph, &options, error) : NULL;
    g_autoptr(AimfTensors) weights = plan ? draw_weights(graph, error) : NULL;
    if (!weights || !aimf_plan_load(plan, weights, error) || !fill_inputs(plan, &built, error))
        return FALSE;
    double ready = now_seconds() - start;
    if (!aimf_plan_run(plan, error)) /* warms caches and pages; not counted */
        return FALSE;
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    double begin = now_seconds();
    while (config->calls ? seconds->len < config->calls : seconds->len < 3 || now_seconds() - begin < 10) {
        double before = now_seconds();
        if (!aimf_plan_run(plan, error) || !aimf_plan_wait(plan, error))
            return FALSE;
        double took = now_seconds() - before;
        g_array_append_val(seconds, took);
    }
    print_case(config, plan, ready, seconds);
    return TRUE;
}

static int measure_one(const Case *config)
{
    g_autoptr(GError) error = NULL;
    if (measure(config, &error))
        return 0;
    printf("  {\"name\": \"%s\", \"family\": %d, \"precision\": \"%s\", \"error\": \"%s\"}", config->network,
           config->family, config->precision, error->message);
    return error->code == AIMF_ERROR_UNSUPPORTED ? 0 : 1;
}

static int measure_standard(void)
{
    static const char *const networks[] = { "conv", "product", "text", "unet", "decoder" };
    static const char *const precisions[] = { "bf16", "f32" };
    int status = 0;
    g_autofree char *engine = aimf_device_engine(NULL);
    printf("{\"benchmark\": \"diffusion\", \"version\": \"%s\", \"engine\": \"%s\", \"cases\": [\n", aimf_version(),
           engine);
    for (guint i = 0; i < G_N_ELEMENTS(networks) * G_N_ELEMENTS(precisions); i++) {
        const char *network = networks[i / G_N_ELEMENTS(precisions)];
        const char *precision = precisions[i % G_N_ELEMENTS(precisions)];
        const char *arguments[] = { "bench_diffusion", "--profile", network, "2", precision, NULL };
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            execv("/proc/self/exe", (char *const *)(guintptr)arguments);
            _exit(127);
        }
        int result = 1;
        if (child < 0 || waitpid(child, &result, 0) < 0 || result != 0)
            status = 1;
        printf("%s\n", i + 1 < G_N_ELEMENTS(networks) * G_N_ELEMENTS(precisions) ? "," : "");
    }
    printf("]}\n");
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return measure_standard();
    gboolean profile = strcmp(argv[1], "--profile") == 0;
    argc -= profile;
    argv += profile;
    if (argc < 4 || argc > 8) {
        fputs(
            "usage: bench_diffusion [[--profile] text|unet|decoder|conv|product 1|2 f32|bf16 [LATENTS [BATCH [THREADS "
            "[CALLS]]]]]\n",
            stderr);
        return 2;
    }
    Case config = {
        .network = argv[1],
        .family = atoi(argv[2]),
        .precision = argv[3],
        .latents = argc > 4 ? atoi(argv[4]) : 64,
        .batch = argc > 5                       ? atoi(argv[5])
                 : strcmp(argv[1], "unet") == 0 ? 2
                                                : 1,
        .threads = argc > 6 ? atoi(argv[6]) : 0,
        .calls = argc > 7 ? (guint)atoi(argv[7]) : 0,
        .profile = profile,
    };
    return measure_one(&config);
}
