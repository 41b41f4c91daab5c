/* aimfair predict: logits, probabilities and classes of images. */
#include "allow.h"

#include <aimfair/model.h>

typedef struct {
    char *model;
    char *data;
    gboolean images;
    char *output;
    gint batch;
    gint skip_bad;
    AimfAllow allow;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->model);
    g_free(a->data);
    g_free(a->output);
    aimf_allow_clear(&a->allow);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean check(AimfCli *cli, const Arguments *a, char *const *files, int n_files, GError **error)
{
    if (!aimf_cli_require(cli, "--model", a->model, error) || !aimf_cli_require(cli, "-o", a->output, error))
        return FALSE;
    if (a->images == (a->data != NULL) || a->images != (n_files > 0)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "name the images by --data MANIFEST, or by --images FILE…");
        return FALSE;
    }
    return aimf_cli_check_text_output(cli, "-o", a->output, error) &&
           aimf_cli_check_apart("-o", a->output, (const char *const[]){ a->model, a->data }, 2, error) &&
           aimf_cli_check_apart("-o", a->output, (const char *const *)files, (gsize)n_files, error) &&
           aimf_allow_check(&a->allow, error);
}

/* The answers will have the model's names of classes; the manifest may have others. */
static gboolean check_names(AimfCli *cli, Arguments *a, const AimfModel *model, const AimfManifest *manifest,
                            GError **error)
{
    g_autofree char *data = g_strdup_printf("the data '%s'", a->data);
    const AimfNamed sources[] = { { .source = "the model", .classes = model->classes },
                                  { .source = data, .manifest = manifest } };
    aimf_check_names(sources, a->data ? 2 : 1, a->allow.findings);
    return aimf_allow_report(cli, &a->allow, error);
}

static AimfManifest *open_images(AimfCli *cli, const Arguments *a, char *const *files, int n_files, GError **error)
{
    if (a->data)
        return aimf_cli_open_manifest(cli, a->data, AIMF_COLUMN_UNUSED, AIMF_COLUMN_UNUSED, NULL, error);
    AimfManifest *manifest = aimf_manifest_new();
    for (int i = 0; i < n_files; i++)
        aimf_manifest_add(manifest, files[i], -1, NULL);
    return manifest;
}

static void add_names(JsonBuilder *builder, char *const *names)
{
    if (!names) {
        json_builder_add_null_value(builder);
        return;
    }
    json_builder_begin_array(builder);
    for (; *names; names++)
        json_builder_add_string_value(builder, *names);
    json_builder_end_array(builder);
}

static void report(AimfCli *cli, const Arguments *a, const AimfModel *model, const AimfPredictions *predictions)
{
    int n_classes = model->outputs == 1 ? 2 : model->outputs;
    g_autofree guint *counts = g_new0(guint, (gsize)n_classes);
    guint skipped = 0;
    for (guint i = 0; i < predictions->n; i++) {
        if (predictions->prediction[i] < 0)
            skipped++;
        else
            counts[predictions->prediction[i]]++;
    }
    if (!cli->json) {
        g_autofree char *output = aimf_cli_printable(a->output);
        aimf_cli_print(cli, "%s: %u image%s", output, predictions->n - skipped, AIMF_PLURAL(predictions->n - skipped));
        for (int c = 0; c < n_classes; c++)
            aimf_cli_print(cli, ", %u of class %d%s%s", counts[c], c, model->classes ? " " : "",
                           model->classes ? model->classes[c] : "");
        aimf_cli_print(cli, skipped ? ", %u skipped\n" : "\n", skipped);
        return;
    }
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "predictions", a->output);
    aimf_cli_json_int(builder, "n", predictions->n - skipped);
    aimf_cli_json_int(builder, "skipped", skipped);
    json_builder_set_member_name(builder, "counts");
    json_builder_begin_array(builder);
    for (int c = 0; c < n_classes; c++)
        json_builder_add_int_value(builder, counts[c]);
    json_builder_end_array(builder);
    aimf_cli_json_text(builder, "target", model->target);
    json_builder_set_member_name(builder, "class_names");
    add_names(builder, model->classes);
    aimf_allow_json(builder, a->allow.findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

typedef struct {
    const AimfPredictions *predictions;
    const AimfManifest *manifest;
} Saved;

static gboolean save(const char *path, gconstpointer data, GError **error)
{
    const Saved *saved = data;
    return aimf_predictions_save(saved->predictions, saved->manifest, path, error);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) a = { .batch = 128 };
    aimf_allow_init(&a.allow);
    const GOptionEntry entries[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &a.model, "a saved model", "FILE" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &a.data, "manifest of the images", "CSV" },
        { "images", 0, 0, G_OPTION_ARG_NONE, &a.images, "the images are the arguments", NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a.output,
          "the CSV to write: path,logit,probability,prediction; - for stdout", "CSV" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &a.batch, "images at once, at most (128)", "N [1, 65536]" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &a.skip_bad, "tolerate N unreadable images (0)", "N [0, 2147483647]" },
        AIMF_ALLOW_ENTRY(&a.allow),
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !check(cli, &a, argv + 1, argc - 1, error))
        return FALSE;
    g_autoptr(AimfModel) model = aimf_model_open(a.model, error);
    g_autoptr(AimfManifest) manifest = model ? open_images(cli, &a, argv + 1, argc - 1, error) : NULL;
    if (!manifest || !check_names(cli, &a, model, manifest, error))
        return FALSE;
    const AimfPredictOptions options = {
        .batch = (guint)a.batch,
        .device = cli->device,
        .precision = cli->precision,
        .threads = cli->threads,
        .skip_bad = (guint)a.skip_bad,
    };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, manifest, &options, cli->monitor, error);
    const Saved saved = { predictions, manifest };
    if (!predictions || !aimf_cli_write_text(cli, a.output, save, &saved, error))
        return FALSE;
    report(cli, &a, model, predictions);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_PREDICT = {
    .name = "predict",
    .summary = "write what a model says about images",
    .arguments = "[FILE…]",
    .description = "Example: aimfair predict --model fair.safetensors --images a.jpg b.jpg -o predictions.csv",
    .run = run,
};
