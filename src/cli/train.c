/* aimfair train: a classifier from random or from given weights. */
#include "architectures.h"
#include "training.h"

typedef struct {
    char *architecture;
    char *init;
    char *only;
    char *rename;
    char *head;
    char *train;
    char *validation;
    char *output;
    char *target;
    char *classes;
    char *image_size;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->architecture);
    g_free(a->init);
    g_free(a->only);
    g_free(a->rename);
    g_free(a->head);
    g_free(a->image_size);
    g_free(a->train);
    g_free(a->validation);
    g_free(a->output);
    g_free(a->target);
    g_free(a->classes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean parse(AimfCli *cli, Arguments *a, AimfTrainingArguments *training, int argc, char **argv,
                      GError **error)
{
    const GOptionEntry own[] = {
        AIMF_ARCHITECTURE_ENTRY(&a->architecture),
        { "init", 0, 0, G_OPTION_ARG_FILENAME, &a->init,
          "weights to begin with, or random: as the architecture's own program draws them (random)", "FILE" },
        { "only", 0, 0, G_OPTION_ARG_STRING, &a->only, "of the weights to begin with, take those below these keys",
          "KEY,…" },
        AIMF_RENAME_ENTRY(&a->rename),
        { "train", 0, 0, G_OPTION_ARG_FILENAME, &a->train, "manifest to train on", "CSV" },
        { "val", 0, 0, G_OPTION_ARG_FILENAME, &a->validation, "manifest that chooses the epoch to keep", "CSV" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the model to write, .safetensors", "FILE" },
        { "head", 0, 0, G_OPTION_ARG_STRING, &a->head,
          "keep the final layer of --init, or draw a new one (keep where its outputs fit the classes)", "keep|new" },
        { "image-size", 0, 0, G_OPTION_ARG_STRING, &a->image_size,
          "pixels of the network's input (224, or those of the model at --init)", "N|WxH" },
        { "target", 0, 0, G_OPTION_ARG_STRING, &a->target, "what is predicted, to be kept in the model", "NAME" },
        { "classes", 0, 0, G_OPTION_ARG_STRING, &a->classes,
          "names of the classes, to be kept in the model (the training set's, if it has any)", "NAME,…" },
        G_OPTION_ENTRY_NULL,
    };
    g_autofree GOptionEntry *entries = aimf_training_entries(training, own, FALSE);
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || aimf_cli_list_architectures(cli, a->architecture) ||
        !aimf_cli_require(cli, "--train", a->train, error) || !aimf_cli_require(cli, "--val", a->validation, error) ||
        !aimf_cli_require(cli, "-o", a->output, error))
        return FALSE;
    if (!a->architecture)
        a->architecture = g_strdup("resnet18");
    if (g_strcmp0(a->init, "random") == 0)
        g_clear_pointer(&a->init, g_free);
    if ((a->only || a->rename) && !a->init) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s the weights of --init, which names no file",
                    a->only ? "--only chooses among" : "--rename is for");
        return FALSE;
    }
    training->inputs[0] = a->init;
    training->inputs[1] = a->train;
    training->inputs[2] = a->validation;
    training->inputs[3] = a->rename;
    training->options.measure_start = a->init != NULL;
    return aimf_cli_check_output("-o", a->output, error) && aimf_training_take(cli, training, a->output, error) &&
           aimf_check_model_output(a->output, error) &&
           aimf_recipe_apply(cli, &training->recipe, a->architecture, FALSE, &training->options, error);
}

/* What --classes says, else what the training set's reader knew. */
static gboolean set_names(AimfModel *model, const AimfManifest *train, const Arguments *a, GError **error)
{
    guint expected = model->outputs == 1 ? 2 : (guint)model->outputs;
    model->target = g_strdup(a->target);
    model->classes = a->classes ? g_strsplit(a->classes, ",", -1) : aimf_manifest_class_names(train);
    if (!model->classes || g_strv_length(model->classes) == expected)
        return !a->classes || aimf_check_class_names(model->classes, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--classes has %u name%s; the training set has %u classes",
                g_strv_length(model->classes), AIMF_PLURAL(g_strv_length(model->classes)), expected);
    return FALSE;
}

typedef enum { HEAD_THAT_FITS, HEAD_KEEP, HEAD_NEW } Head;

static gboolean parse_head(const Arguments *a, Head *head, GError **error)
{
    static const char *const names[] = { "keep", "new", NULL };
    int choice = a->head ? aimf_cli_choice("--head", a->head, names, error) : 0;
    *head = !a->head ? HEAD_THAT_FITS : choice == 0 ? HEAD_KEEP : HEAD_NEW;
    if (choice >= 0 && a->head && !a->init)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--head says what becomes of --init's final layer");
    return choice >= 0 && (!a->head || a->init);
}

/*
 * How many outputs the model has: those of the final layer in @weights where they are for as many classes as the
 * training set's, be it one or two for two classes; else the fewest.
 */
static gboolean choose_outputs(AimfCli *cli, const Arguments *a, Head head, const AimfTensors *weights, int classes,
                               int *outputs, GError **error)
{
    *outputs = classes > 2 ? classes : 1;
    int found = weights ? aimf_weights_outputs(a->architecture, weights) : 0;
    gboolean fits = found > 0 && MAX(found, 2) == MAX(classes, 2);
    if (fits && head != HEAD_NEW) {
        if (found == 2)
            aimf_cli_message(cli, AIMF_LOG_INFO,
                             "the final layer of '%s' has 2 outputs: it is kept, and trained by softmax cross-entropy",
                             a->init);
        *outputs = found;
    }
    if (fits || head != HEAD_KEEP)
        return TRUE;
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_INVALID,
        "--head keep: the final layer of '%s' has %d output%s, and the training set has %d classes; without the "
        "option the layer is replaced",
        a->init, found, AIMF_PLURAL(found), MAX(classes, 2));
    return FALSE;
}

/* How the model in @file prepares pictures, else as the paper's; at the size that was asked for. */
static gboolean choose_preprocess(AimfCli *cli, const Arguments *a, const AimfTensors *file, AimfPreprocess *p,
                                  GError **error)
{
    GError *failure = NULL;
    gboolean saved = file && aimf_saved_preprocess(file, p, &failure);
    int width = p->width, height = p->height, resize = p->resize;
    if (failure) {
        g_propagate_prefixed_error(error, failure, "--init %s: ", a->init);
        return FALSE;
    }
    if (a->image_size && !aimf_cli_size("--image-size", a->image_size, &width, &height, error))
        return FALSE;
    aimf_preprocess_resize_input(p, width, height);
    if (saved) {
        g_autofree char *text = aimf_preprocess_text(p);
        aimf_cli_message(cli, AIMF_LOG_INFO, "pictures are prepared as by '%s': %s", a->init, text);
    }
    if (p->resize != resize)
        aimf_cli_message(
            cli, AIMF_LOG_INFO,
            "with --image-size %s the shorter side is resized to %d pixels in place of %d, so that as much "
            "of a picture is seen",
            a->image_size, p->resize, resize);
    return aimf_preprocess_check(p, error);
}

static gboolean take_weights(AimfCli *cli, const Arguments *a, Head head, const AimfTensors *weights, AimfModel *model,
                             GError **error)
{
    if (!aimf_model_take_weights(model, weights, cli->monitor, error)) {
        g_prefix_error(error, "--init %s: ", a->init);
        return FALSE;
    }
    return head != HEAD_NEW || aimf_model_renew_head(model, cli->seed, error);
}

/* (owned) The architecture's weights among what --init holds. */
static AimfTensors *select_weights(AimfCli *cli, const Arguments *a, Head head, AimfTensors *file, GError **error)
{
    const AimfWeightSearch search = { .only = a->only, .any_head = head == HEAD_NEW, .rename = a->rename };
    AimfTensors *weights = aimf_model_select_weights(file, a->architecture, &search, cli->monitor, error);
    if (!weights)
        g_prefix_error(error, "--init %s: ", a->init);
    return weights;
}

/* @opened: receives (owned, nullable) the file of --init; @fresh_head: that the final layer is none of its */
static AimfModel *make_model(AimfCli *cli, const Arguments *a, const AimfManifest *train, Head head,
                             AimfTensors **opened, gboolean *fresh_head, GError **error)
{
    AimfPreprocess preprocess = { /* the paper's */
                                  .width = 224,
                                  .height = 224,
                                  .mean = { 0.5f, 0.5f, 0.5f },
                                  .std = { 0.5f, 0.5f, 0.5f }
    };
    g_autoptr(AimfTensors) file = a->init ? aimf_tensors_open_partly(a->init, error) : NULL;
    g_autoptr(AimfTensors) weights = file ? select_weights(cli, a, head, file, error) : NULL;
    int outputs;
    if ((a->init && !weights) ||
        !choose_outputs(cli, a, head, weights, aimf_manifest_classes(train), &outputs, error) ||
        !choose_preprocess(cli, a, file, &preprocess, error))
        return NULL;
    g_autoptr(AimfModel) model = aimf_model_new_for(a->architecture, &preprocess, outputs, cli->seed, error);
    if (!model || !set_names(model, train, a, error) || (weights && !take_weights(cli, a, head, weights, model, error)))
        return NULL;
    *fresh_head = !weights || head == HEAD_NEW || aimf_weights_outputs(a->architecture, weights) != outputs;
    *opened = g_steal_pointer(&file);
    return g_steal_pointer(&model);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) arguments = { 0 };
    Head head;
    g_auto(AimfTrainingArguments) training;
    aimf_training_arguments_init(&training, &AIMF_PRETRAIN_DEFAULTS);
    if (!parse(cli, &arguments, &training, argc, argv, error) || !parse_head(&arguments, &head, error))
        return FALSE;
    g_autoptr(AimfManifest) train = aimf_open_training_set(cli, arguments.train, training.allow.findings, error);
    g_autoptr(AimfTensors) file = NULL;
    g_autoptr(AimfModel) model =
        train ? make_model(cli, &arguments, train, head, &file, &training.fresh_head, error) : NULL;
    if (!model)
        return FALSE;
    training.start = file;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    if (!aimf_run_training(cli, model, train, arguments.validation, arguments.output, &training, builder, error))
        return FALSE;
    json_builder_end_object(builder);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_TRAIN = {
    .name = "train",
    .summary = "train a classifier and keep its best epoch",
    .description =
        "Defaults are the paper's, 15 epochs, learning rate 0.01, a tenth of it after epoch 10, where an architecture\n"
        "has none of its own.\n"
        "Example: aimfair train --train train.csv --val val.csv -o biased.safetensors",
    .reads_labels = TRUE,
    .run = run,
};
