/* aimfair plan: what a model is compiled to, without running it (or timing one run of it). */
#include "architectures.h"
#include "parameters.h"
#include "training.h"

typedef struct {
    char *model;
    char *architecture;
    char *image_size;
    gint batch;
    char *trainable;
    gboolean training;
    gboolean profile;
    char *trace_path;
    AimfTrace *trace;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->model);
    g_free(a->architecture);
    g_free(a->image_size);
    g_free(a->trainable);
    g_free(a->trace_path);
    aimf_trace_free(a->trace);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean parse(AimfCli *cli, Arguments *a, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &a->model, "a saved model", "FILE" },
        AIMF_ARCHITECTURE_ENTRY(&a->architecture),
        { "image-size", 0, 0, G_OPTION_ARG_STRING, &a->image_size, "pixels of the input (224, or the model's)",
          "N|WxH" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &a->batch, "images per run (128)", "N [1, 65536]" },
        { "training", 0, 0, G_OPTION_ARG_NONE, &a->training, "a training step of all parameters", NULL },
        { "trainable", 0, 0, G_OPTION_ARG_STRING, &a->trainable, "a training step of these tensors and modules",
          "NAME,…" },
        { "profile", 0, 0, G_OPTION_ARG_NONE, &a->profile, "time one run, operation by operation", NULL },
        { "trace", 0, 0, G_OPTION_ARG_FILENAME, &a->trace_path,
          "loading and two runs, step by step, for Perfetto: .json", "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || aimf_cli_list_architectures(cli, a->architecture))
        return FALSE;
    if (a->model && a->architecture) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--model and --arch exclude each other");
        return FALSE;
    }
    const char *const inputs[] = { a->model };
    if (a->trace_path && (!aimf_cli_check_output("--trace", a->trace_path, error) ||
                          !aimf_cli_check_apart("--trace", a->trace_path, inputs, 1, error)))
        return FALSE;
    a->trace = a->trace_path ? aimf_trace_new() : NULL;
    return TRUE;
}

static AimfModel *open_model(AimfCli *cli, const Arguments *a, GError **error)
{
    int width = 224, height = 224;
    if (a->image_size && !aimf_cli_size("--image-size", a->image_size, &width, &height, error))
        return NULL;
    AimfPreprocess preprocess = { .std = { 1, 1, 1 } };
    g_autoptr(AimfModel) model = a->model ? aimf_model_open(a->model, error) : NULL;
    if (a->model && (!model || !a->image_size))
        return g_steal_pointer(&model);
    if (model)
        preprocess = model->preprocess;
    preprocess.width = width;
    preprocess.height = height;
    if (!model)
        return aimf_model_new_for(a->architecture ? a->architecture : "resnet18", &preprocess, 1, cli->seed, error);
    return aimf_model_set_preprocess(model, &preprocess, cli->monitor, error) ? g_steal_pointer(&model) : NULL;
}

/* The values of the parameters to train, in the graph's order. */
static gboolean find_trainable(const Arguments *a, const AimfModel *model, const AimfGraph *graph, GArray *trainable,
                               GError **error)
{
    if (!a->training && !a->trainable)
        return TRUE;
    const char *list = a->trainable ? a->trainable : "all";
    g_auto(GStrv) names = aimf_named_parameters(model, "--trainable", list, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        if (g_strv_contains((const char *const *)names, aimf_graph_name(graph, parameter)))
            g_array_append_val(trainable, parameter);
    }
    return TRUE;
}

static AimfPlan *compile(AimfCli *cli, const Arguments *a, const AimfModel *model, GError **error)
{
    AimfModelGraph built;
    gboolean training = a->training || a->trainable;
    const AimfBuildOptions building = { .training = training, .dropout = training };
    if (!aimf_model_build(model, (guint)a->batch, &building, &built, error))
        return NULL;
    g_autoptr(AimfGraph) graph = built.graph;
    g_autoptr(GArray) trainable = g_array_new(FALSE, FALSE, sizeof(AimfValue));
    if (!find_trainable(a, model, graph, trainable, error))
        return NULL;
    const AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 1e-4 };
    const AimfCompileOptions options = {
        .device = cli->device,
        .threads = cli->threads,
        .trace = a->trace,
        .precision = cli->precision,
        .outputs = training ? &built.loss : &built.logits,
        .n_outputs = 1,
        .loss = training ? built.loss : AIMF_NONE,
        .trainable = (const AimfValue *)(const void *)trainable->data,
        .n_trainable = trainable->len,
        .optimizer = training ? &sgd : NULL,
    };
    AimfPlan *plan = aimf_graph_compile(graph, &options, error);
    if (plan && aimf_plan_load(plan, model->tensors, error))
        return plan;
    aimf_plan_free(plan);
    return NULL;
}

static void report_json(AimfCli *cli, AimfPlan *plan, const char *description, const char *profile)
{
    AimfPlanSummary summary = aimf_plan_summary(plan);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_double(builder, "flops", summary.flops);
    aimf_cli_json_double(builder, "flops_forward", summary.flops_forward);
    aimf_cli_json_int(builder, "steps", summary.n_steps);
    aimf_cli_json_int(builder, "reorders", summary.n_reorders);
    aimf_cli_json_int(builder, "arena_bytes", (gint64)summary.arena_bytes);
    aimf_cli_json_int(builder, "resident_bytes", (gint64)summary.resident_bytes);
    aimf_cli_json_int(builder, "peak_bytes", (gint64)summary.peak_bytes);
    aimf_cli_json_text(builder, "peak_step", summary.peak_step);
    aimf_cli_json_text(builder, "plan", description);
    if (profile)
        aimf_cli_json_text(builder, "profile", profile);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) arguments = { .batch = 128 };
    if (!parse(cli, &arguments, argc, argv, error))
        return FALSE;
    g_autoptr(AimfModel) model = open_model(cli, &arguments, error);
    g_autoptr(AimfPlan) plan = model ? compile(cli, &arguments, model, error) : NULL;
    if (!plan)
        return FALSE;
    g_autofree char *description = aimf_plan_describe(plan);
    g_autofree char *profile = NULL;
    /* The first run is not timed: it touches the memory. */
    if (arguments.trace &&
        (!aimf_plan_run(plan, error) || !aimf_plan_run(plan, error) || !aimf_plan_wait(plan, error) ||
         !aimf_trace_save(arguments.trace, arguments.trace_path, error)))
        return FALSE;
    if (arguments.profile && (!aimf_plan_run(plan, error) || !(profile = aimf_plan_profile(plan, error))))
        return FALSE;
    if (cli->json)
        report_json(cli, plan, description, profile);
    else
        aimf_cli_print(cli, profile ? "%s\n%s" : "%s", description, profile);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_PLAN = {
    .name = "plan",
    .summary = "print the compiled plan of a model",
    .description = "Example: aimfair plan --image-size 224 --batch 32 --precision bf16 --trainable layer4,fc",
    .run = run,
};
