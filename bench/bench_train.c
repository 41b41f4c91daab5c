/*
 * ResNet-18 as the method uses it: training steps, fine-tuning steps with only layer4 and fc trainable, and
 * inference, on random pictures; or another architecture. Prints JSON. Without arguments it measures the standard
 * configurations, each in a process of its own so that peak memory is that configuration's; with arguments just one:
 *
 *     bench_train KIND IMAGE_SIZE BATCH PRECISION [THREADS [STEPS [ARCHITECTURE]]]
 *
 * KIND: train, finetune or infer
 */
#include <aimfair/model.h>
#include <aimfair/version.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *kind;
    int image_size;
    guint batch;
    const char *precision;
    int threads;
    guint steps;              /* 0: as many as fit into five seconds, at least five */
    const char *architecture; /* NULL: ResNet-18 */
} Case;

static const Case standard[] = {
    { "train", 224, 32, "f32", 0, 0, NULL },    { "train", 224, 32, "bf16", 0, 0, NULL },
    { "train", 224, 128, "f32", 0, 0, NULL },   { "train", 224, 128, "bf16", 0, 0, NULL },
    { "train", 64, 128, "f32", 0, 0, NULL },    { "train", 64, 128, "bf16", 0, 0, NULL },
    { "finetune", 224, 32, "f32", 0, 0, NULL }, { "finetune", 224, 32, "bf16", 0, 0, NULL },
    { "infer", 224, 32, "f32", 0, 0, NULL },    { "infer", 224, 32, "bf16", 0, 0, NULL },
    { "infer", 64, 128, "f32", 0, 0, NULL },    { "infer", 64, 128, "bf16", 0, 0, NULL },
};

static double now_seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Seconds since this process was started, to the kernel's hundredth. */
static double process_age(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/stat", &text, NULL, NULL))
        return -1;
    const char *field = strrchr(text, ')'); /* the name may contain blanks; field 22 is the 20th after it */
    for (int i = 0; field && i < 20; i++)
        field = strchr(field + 1, ' ');
    return field ? now_seconds(CLOCK_BOOTTIME) - g_ascii_strtod(field, NULL) / (double)sysconf(_SC_CLK_TCK) : -1;
}

static int compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All parameters, those of layer4 and fc, or none. */
static GArray *find_trainable(const AimfGraph *graph, const char *kind)
{
    GArray *trainable = g_array_new(FALSE, FALSE, sizeof(AimfValue));
    for (guint i = 0; i < aimf_graph_n_parameters(graph) && strcmp(kind, "infer") != 0; i++) {
        AimfValue value = aimf_graph_parameter_at(graph, i);
        const char *name = aimf_graph_name(graph, value);
        if (strcmp(kind, "train") == 0 || g_str_has_prefix(name, "layer4.") || g_str_has_prefix(name, "fc."))
            g_array_append_val(trainable, value);
    }
    return trainable;
}

static AimfPlan *compile(const Case *config, const AimfModel *model, AimfModelGraph *built, GError **error)
{
    gboolean training = strcmp(config->kind, "infer") != 0;
    if (!aimf_model_build(model, config->batch, &(AimfBuildOptions){ .training = training }, built, error))
        return NULL;
    g_autoptr(GArray) trainable = find_trainable(built->graph, config->kind);
    AimfCompileOptions options = {
        .precision = strcmp(config->precision, "bf16") == 0 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32,
        .outputs = (AimfValue[]){ training ? built->loss : built->logits },
        .n_outputs = 1,
        .loss = training ? built->loss : AIMF_NONE,
        .trainable = (const AimfValue *)(const void *)trainable->data,
        .n_trainable = trainable->len,
        .optimizer = training ? &(AimfOptimizer){ .momentum = 0.9, .weight_decay = 1e-4 } : NULL,
    };
    return aimf_graph_compile(built->graph, &options, error);
}

static gboolean fill_inputs(const Case *config, AimfPlan *plan, const AimfModelGraph *built, GError **error)
{
    gsize n = (gsize)config->batch * 3 * (gsize)config->image_size * (gsize)config->image_size;
    guint32 state = 1;
    g_autofree float *images = g_new(float, n), *targets = g_new(float, config->batch);
    for (gsize i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        images[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    for (guint i = 0; i < config->batch; i++)
        targets[i] = (float)(i % 2);
    return aimf_plan_write(plan, built->images, 0, n, images, error) &&
           (built->targets == AIMF_NONE || aimf_plan_write(plan, built->targets, 0, config->batch, targets, error));
}

static void print_case(const Case *config, const AimfPlan *plan, double first_step, GArray *seconds)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    AimfPlanSummary summary = aimf_plan_summary(plan);
    g_array_sort(seconds, compare_doubles);
    double median = g_array_index(seconds, double, seconds->len / 2), minimum = g_array_index(seconds, double, 0);
    printf("  {\"name\": \"%s\", \"image_size\": %d, \"batch\": %u, \"precision\": \"%s\", \"threads\": %d, \"steps\": "
           "%u,\n"
           "   \"images_per_second\": %.1f, \"median_seconds\": %.5f, \"minimum_seconds\": %.5f, \"gflops\": %.0f,\n"
           "   \"first_step_begins_seconds\": %.2f, \"peak_resident_mb\": %.0f, \"arena_mb\": %.0f, \"planned_gflop\": "
           "%.2f}",
           config->kind, config->image_size, config->batch, config->precision,
           config->threads ? config->threads : (int)g_get_num_processors(), seconds->len, config->batch / median,
           median, minimum, summary.flops / median / 1e9, first_step, (double)usage.ru_maxrss / 1024,
           (double)summary.arena_bytes / 1e6, summary.flops / 1e9);
}

static const char *architecture_of(const Case *config)
{
    return config->architecture ? config->architecture : "resnet18";
}

static gboolean measure(const Case *config, GError **error)
{
    aimf_set_threads(config->threads);
    g_autoptr(AimfModel) model = aimf_model_new(architecture_of(config), config->image_size, 1, 1, error);
    if (!model)
        return FALSE;
    AimfModelGraph built = { 0 };
    g_autoptr(AimfPlan) plan = compile(config, model, &built, error);
    g_autoptr(AimfGraph) graph = built.graph;
    if (!plan || !aimf_plan_load(plan, model->tensors, error) || !fill_inputs(config, plan, &built, error) ||
        !aimf_plan_set_learning_rate(plan, 0.01, error))
        return FALSE;
    double first_step = process_age();
    if (!aimf_plan_run(plan, error)) /* warms caches and pages; not counted */
        return FALSE;
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    double begin = now_seconds(CLOCK_MONOTONIC);
    while (config->steps ? seconds->len < config->steps
                         : seconds->len < 5 || now_seconds(CLOCK_MONOTONIC) - begin < 5) {
        double start = now_seconds(CLOCK_MONOTONIC);
        if (!aimf_plan_run(plan, error) || !aimf_plan_wait(plan, error))
            return FALSE;
        double took = now_seconds(CLOCK_MONOTONIC) - start;
        g_array_append_val(seconds, took);
    }
    print_case(config, plan, first_step, seconds);
    return TRUE;
}

static int measure_one(const Case *config)
{
    g_autoptr(GError) error = NULL;
    if (measure(config, &error))
        return 0;
    printf("  {\"name\": \"%s\", \"image_size\": %d, \"batch\": %u, \"precision\": \"%s\", \"error\": \"%s\"}",
           config->kind, config->image_size, config->batch, config->precision, error->message);
    return error->code == AIMF_ERROR_UNSUPPORTED ? 0 : 1;
}

static int measure_standard(void)
{
    int status = 0;
    g_autofree char *engine = aimf_device_engine(NULL);
    printf("{\"benchmark\": \"train\", \"version\": \"%s\", \"engine\": \"%s\", \"cases\": [\n", aimf_version(),
           engine);
    for (guint i = 0; i < G_N_ELEMENTS(standard); i++) {
        g_autofree char *size = g_strdup_printf("%d", standard[i].image_size);
        g_autofree char *batch = g_strdup_printf("%u", standard[i].batch);
        const char *arguments[] = { "bench_train", standard[i].kind, size, batch, standard[i].precision, NULL };
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            execv("/proc/self/exe", (char *const *)(guintptr)arguments);
            _exit(127);
        }
        int result = 1;
        if (child < 0 || waitpid(child, &result, 0) < 0 || result != 0)
            status = 1;
        printf("%s\n", i + 1 < G_N_ELEMENTS(standard) ? "," : "");
    }
    printf("]}\n");
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return measure_standard();
    if (argc < 5 || argc > 8) {
        fputs("usage: bench_train [train|finetune|infer IMAGE_SIZE BATCH f32|bf16 [THREADS [STEPS [ARCHITECTURE]]]]\n",
              stderr);
        return 2;
    }
    Case config = {
        .kind = argv[1],
        .image_size = atoi(argv[2]),
        .batch = (guint)atoi(argv[3]),
        .precision = argv[4],
        .threads = argc > 5 ? atoi(argv[5]) : 0,
        .steps = argc > 6 ? (guint)atoi(argv[6]) : 0,
        .architecture = argc > 7 ? argv[7] : NULL,
    };
    return measure_one(&config);
}
