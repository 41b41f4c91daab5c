/* aimfair train: a classifier from random or from given weights. */
#include "training.h"

typedef struct {
    char *architecture;
    char *init;
    char *only;
    char *train;
    char *validation;
    char *output;
    char *target;
    char *classes;
    gint image_size;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->architecture);
    g_free(a->init);
    g_free(a->only);
    g_free(a->train);
    g_free(a->validation);
    g_free(a->output);
    g_free(a->target);
    g_free(a->classes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean is_random(const Arguments *a)
{
    return !a->init || g_str_equal(a->init, "random");
}

static gboolean parse(AimfCli *cli, Arguments *a, AimfTrainingArguments *training, int argc, char **argv,
                      GError **error)
{
    const GOptionEntry own[] = {
        { "arch", 0, 0, G_OPTION_ARG_STRING, &a->architecture, "architecture (resnet18)", "NAME" },
        { "init", 0, 0, G_OPTION_ARG_FILENAME, &a->init,
          "weights to begin with, or random: torchvision's scheme (random)", "FILE" },
        { "only", 0, 0, G_OPTION_ARG_STRING, &a->only, "of the weights to begin with, take those below these keys",
          "KEY,…" },
        { "train", 0, 0, G_OPTION_ARG_FILENAME, &a->train, "manifest to train on", "CSV" },
        { "val", 0, 0, G_OPTION_ARG_FILENAME, &a->validation, "manifest that chooses the epoch to keep", "CSV" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the model to write, .safetensors", "FILE" },
        { "image-size", 0, 0, G_OPTION_ARG_INT, &a->image_size, "side of the network's input in pixels (224)", "N" },
        { "target", 0, 0, G_OPTION_ARG_STRING, &a->target, "what is predicted, to be kept in the model", "NAME" },
        { "classes", 0, 0, G_OPTION_ARG_STRING, &a->classes, "names of the classes, to be kept in the model",
          "NAME,…" },
        G_OPTION_ENTRY_NULL,
    };
    g_autofree GOptionEntry *entries = aimf_training_entries(training, own, FALSE);
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !aimf_cli_require(cli, "--train", a->train, error) ||
        !aimf_cli_require(cli, "--val", a->validation, error) || !aimf_cli_require(cli, "-o", a->output, error))
        return FALSE;
    if (a->only && (!a->init || g_str_equal(a->init, "random"))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--only chooses among the weights of --init, which names no file");
        return FALSE;
    }
    training->inputs[0] = a->init;
    training->inputs[1] = a->train;
    training->inputs[2] = a->validation;
    training->options.measure_start = !is_random(a);
    return aimf_cli_check_output("-o", a->output, error) && aimf_training_take(cli, training, a->output, error) &&
           aimf_check_model_output(a->output, error);
}

static gboolean set_names(AimfModel *model, const Arguments *a, GError **error)
{
    guint expected = model->outputs == 1 ? 2 : (guint)model->outputs;
    model->target = g_strdup(a->target);
    model->classes = a->classes ? g_strsplit(a->classes, ",", -1) : NULL;
    if (!model->classes || g_strv_length(model->classes) == expected)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--classes has %u names; the training set has %u classes",
                g_strv_length(model->classes), expected);
    return FALSE;
}

/* @file: receives (owned) that of --init */
static AimfModel *make_model(AimfCli *cli, const Arguments *a, AimfTensors **file, GError **error)
{
    g_autoptr(AimfManifest) train =
        aimf_cli_open_manifest(cli, a->train, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_OPTIONAL, error);
    if (!train)
        return NULL;
    int classes = aimf_manifest_classes(train);
    const char *architecture = a->architecture ? a->architecture : "resnet18";
    g_autoptr(AimfModel) model =
        aimf_model_new(architecture, a->image_size, classes > 2 ? classes : 1, cli->seed, error);
    if (!model || !set_names(model, a, error))
        return NULL;
    if (is_random(a))
        return g_steal_pointer(&model);
    *file = aimf_tensors_open(a->init, error);
    if (!*file)
        return NULL;
    g_autoptr(AimfTensors) weights =
        aimf_model_select_weights(*file, model->architecture, a->only, cli->monitor, error);
    if (!weights || !aimf_model_take_weights(model, weights, cli->monitor, error)) {
        g_prefix_error(error, "--init %s: ", a->init);
        return NULL;
    }
    return g_steal_pointer(&model);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) arguments = { .image_size = 224 };
    g_auto(AimfTrainingArguments) training;
    aimf_training_arguments_init(&training, &AIMF_PRETRAIN_DEFAULTS);
    if (!parse(cli, &arguments, &training, argc, argv, error))
        return FALSE;
    g_autoptr(AimfTensors) weights = NULL;
    g_autoptr(AimfModel) model = make_model(cli, &arguments, &weights, error);
    if (!model)
        return FALSE;
    training.start = weights;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    if (!aimf_run_training(cli, model, arguments.train, arguments.validation, arguments.output, &training, builder,
                           error))
        return FALSE;
    json_builder_end_object(builder);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_TRAIN = {
    .name = "train",
    .summary = "train a classifier and keep its best epoch",
    .description = "Defaults are the paper's: 15 epochs, learning rate 0.01, a tenth of it after epoch 10.\n"
                   "Example: aimfair train --train train.csv --val val.csv -o biased.safetensors",
    .reads_labels = TRUE,
    .run = run,
};
