#include "training.h"

#include <glib/gstdio.h>
#include <math.h>

void aimf_training_arguments_init(AimfTrainingArguments *arguments, const AimfTrainOptions *defaults)
{
    *arguments = (AimfTrainingArguments){
        .epochs = (gint)defaults->epochs,
        .batch = (gint)defaults->batch,
        .learning_rate = defaults->learning_rate,
        .momentum = defaults->momentum,
        .weight_decay = defaults->weight_decay,
        .augmentation = AIMF_AUGMENT_DEFAULT,
        .options = *defaults,
    };
}

void aimf_training_arguments_clear(AimfTrainingArguments *arguments)
{
    g_free(arguments->milestone_text);
    g_free(arguments->crop_scale);
    g_free(arguments->augment);
    g_free(arguments->shuffle);
    g_free(arguments->cache);
    g_free(arguments->log);
    g_free(arguments->state_path);
    g_clear_pointer(&arguments->milestones, g_array_unref);
}

GOptionEntry *aimf_training_entries(AimfTrainingArguments *a, const GOptionEntry *own, gboolean single_pass)
{
    const GOptionEntry pass[] = {
        { "batch", 0, 0, G_OPTION_ARG_INT, &a->batch, "images per step (128)", "N [1, 65536]" },
        { "crop-scale", 0, 0, G_OPTION_ARG_STRING, &a->crop_scale, "area of the random crop (0.08,1)", "LOW,HIGH" },
        { "augment", 0, 0, G_OPTION_ARG_STRING, &a->augment, "crop-flip, or none: whole pictures (crop-flip)", "KIND" },
        { "shuffle", 0, 0, G_OPTION_ARG_STRING, &a->shuffle, "epoch, or none: in file order (epoch)", "KIND" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &a->skip_bad, "tolerate N unreadable images (0)", "N [0, 2147483647]" },
        G_OPTION_ENTRY_NULL,
    };
    const GOptionEntry training[] = {
        { "epochs", 0, 0, G_OPTION_ARG_INT, &a->epochs, "passes over the training set", "N [1, 100000]" },
        { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &a->learning_rate, "learning rate", "RATE [1e-12, 1e+06]" },
        { "momentum", 0, 0, G_OPTION_ARG_DOUBLE, &a->momentum, "of SGD (0.9)", "M [0, 0.999999]" },
        { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &a->weight_decay, "of SGD (0.0001)", "W [0, 1000]" },
        { "milestones", 0, 0, G_OPTION_ARG_STRING, &a->milestone_text,
          "epochs after which the rate falls to a tenth (10)", "N,…" },
        { "cache", 0, 0, G_OPTION_ARG_STRING, &a->cache, "memory for decoded pictures (0)", "BYTES" },
        { "log", 0, 0, G_OPTION_ARG_FILENAME, &a->log, "a line per epoch: .csv, or JSON lines", "FILE" },
        { "resume", 0, 0, G_OPTION_ARG_NONE, &a->resume, "continue a training that was stopped or killed", NULL },
        G_OPTION_ENTRY_NULL,
    };
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (; own->long_name; own++)
        g_array_append_val(entries, *own);
    g_array_append_vals(entries, pass, G_N_ELEMENTS(pass) - 1);
    if (!single_pass)
        g_array_append_vals(entries, training, G_N_ELEMENTS(training) - 1);
    return (GOptionEntry *)(void *)g_array_free(entries, FALSE);
}

static gboolean take_augmentation(AimfTrainingArguments *a, GError **error)
{
    static const char *const augmentations[] = { "crop-flip", "none", NULL };
    static const char *const orders[] = { "epoch", "none", NULL };
    int augment = a->augment ? aimf_cli_choice("--augment", a->augment, augmentations, error) : 0;
    int shuffle = augment < 0 ? -1 : a->shuffle ? aimf_cli_choice("--shuffle", a->shuffle, orders, error) : 0;
    if (shuffle < 0)
        return FALSE;
    double *scale = a->augmentation.scale;
    if (a->crop_scale && !aimf_cli_pair("--crop-scale", a->crop_scale, scale, error))
        return FALSE;
    if (!(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--crop-scale is %g,%g; it must be two shares of the area above 0 and at most 1, the smaller first",
                    scale[0], scale[1]);
        return FALSE;
    }
    a->options.augment = augment == 0 ? &a->augmentation : NULL;
    a->options.shuffle = shuffle == 0;
    return TRUE;
}

static gboolean take_schedule(AimfTrainingArguments *a, GError **error)
{
    if (a->milestone_text) {
        a->milestones = aimf_cli_uints("--milestones", a->milestone_text, error);
        if (!a->milestones)
            return FALSE;
        a->options.milestones = (const guint *)(void *)a->milestones->data;
        a->options.n_milestones = a->milestones->len;
    }
    a->options.epochs = (guint)a->epochs;
    a->options.learning_rate = a->learning_rate;
    a->options.momentum = a->momentum;
    a->options.weight_decay = a->weight_decay;
    return TRUE;
}

static gboolean check_paths(const AimfTrainingArguments *a, const char *output, GError **error)
{
    const char *const outputs[] = { output, a->state_path };
    if (!aimf_cli_check_apart("-o", output, a->inputs, G_N_ELEMENTS(a->inputs), error))
        return FALSE;
    return !a->log || (aimf_cli_check_output("--log", a->log, error) &&
                       aimf_cli_check_apart("--log", a->log, a->inputs, G_N_ELEMENTS(a->inputs), error) &&
                       aimf_cli_check_apart("--log", a->log, outputs, G_N_ELEMENTS(outputs), error));
}

gboolean aimf_training_take(AimfCli *cli, AimfTrainingArguments *a, const char *output, GError **error)
{
    if (!take_augmentation(a, error) || !take_schedule(a, error))
        return FALSE;
    if (a->cache && !aimf_cli_bytes("--cache", a->cache, &a->options.cache_bytes, error))
        return FALSE;
    a->state_path = g_strconcat(output, ".state", NULL);
    if (!check_paths(a, output, error))
        return FALSE;
    a->options.batch = (guint)a->batch;
    a->options.skip_bad = (guint)a->skip_bad;
    a->options.precision = cli->precision;
    a->options.seed = cli->seed;
    a->options.threads = cli->threads;
    a->options.state_path = a->state_path;
    a->options.resume = a->resume;
    a->options.log_path = a->log;
    return TRUE;
}

gboolean aimf_check_model_output(const char *path, GError **error)
{
    if (!aimf_is_checkpoint_name(path))
        return aimf_cli_check_output("-o", path, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "-o %s: models are saved as .safetensors, with what is needed to use them; 'aimfair convert' makes a "
                "PyTorch checkpoint of one",
                path);
    return FALSE;
}

static void report(AimfCli *cli, const AimfModel *model, const char *output, const AimfTrainResult *result,
                   JsonBuilder *builder)
{
    if (cli->json) {
        g_autofree char *hash = aimf_model_hash(model), *epochs = aimf_history_json(result->history);
        aimf_cli_json_text(builder, "model", output);
        aimf_cli_json_text(builder, "model_hash", hash);
        aimf_cli_json_int(builder, "best_epoch", (gint64)result->best_epoch + 1);
        aimf_cli_json_double(builder, "best_accuracy", result->best_accuracy);
        json_builder_set_member_name(builder, "epochs");
        json_builder_add_value(builder, json_from_string(epochs, NULL));
        return;
    }
    const AimfEpoch *best = &g_array_index(result->history, AimfEpoch, result->best_epoch);
    aimf_cli_print(cli, "%s: epoch %u of %u, validation accuracy %.2f %%", output, best->epoch + 1,
                   result->history->len, 100 * best->val_accuracy);
    if (!isnan(best->val_worst_group_accuracy))
        aimf_cli_print(cli, ", worst group %.2f %%", 100 * best->val_worst_group_accuracy);
    aimf_cli_print(cli, "\n");
}

gboolean aimf_run_training(AimfCli *cli, AimfModel *model, const char *train_path, const char *validation_path,
                           const char *output, AimfTrainingArguments *arguments, JsonBuilder *builder, GError **error)
{
    g_autoptr(AimfManifest) train =
        aimf_cli_open_manifest(cli, train_path, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_OPTIONAL, error);
    g_autoptr(AimfManifest) validation =
        train ? aimf_cli_open_manifest(cli, validation_path, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_OPTIONAL, error) : NULL;
    if (!validation)
        return FALSE;
    AimfTrainResult result;
    GError *failure = NULL;
    if (!aimf_train(model, train, validation, &arguments->options, cli->monitor, &result, &failure)) {
        if (g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_INTERRUPTED) &&
            g_file_test(arguments->state_path, G_FILE_TEST_EXISTS)) {
            g_autofree char *what = g_steal_pointer(&failure->message);
            failure->message =
                g_strdup_printf("%s; the same command with --resume goes on after the last finished epoch", what);
        }
        g_propagate_error(error, failure);
        return FALSE;
    }
    gboolean saved = aimf_model_save(model, output, error);
    if (saved) {
        g_unlink(arguments->state_path);
        report(cli, model, output, &result, builder);
    }
    aimf_train_result_clear(&result);
    return saved;
}
