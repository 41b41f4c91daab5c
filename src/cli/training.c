#include "training.h"

#include <glib/gstdio.h>
#include <math.h>

void aimf_training_arguments_init(AimfTrainingArguments *arguments, const AimfTrainOptions *defaults)
{
    *arguments = (AimfTrainingArguments){
        .batch = (gint)defaults->batch,
        .augmentation = AIMF_AUGMENT_DEFAULT,
        .options = *defaults,
    };
    aimf_recipe_arguments_init(&arguments->recipe, defaults->epochs);
    aimf_allow_init(&arguments->allow);
}

void aimf_training_arguments_clear(AimfTrainingArguments *arguments)
{
    g_free(arguments->batch_norm);
    g_free(arguments->crop_scale);
    g_free(arguments->augment);
    g_free(arguments->shuffle);
    g_free(arguments->cache);
    g_free(arguments->log);
    g_free(arguments->trace);
    aimf_trace_free(arguments->options.trace);
    g_free(arguments->state_path);
    g_free(arguments->keep_best_of);
    g_free(arguments->select);
    aimf_allow_clear(&arguments->allow);
    aimf_recipe_arguments_clear(&arguments->recipe);
}

GOptionEntry *aimf_training_entries(AimfTrainingArguments *a, const GOptionEntry *own, gboolean single_pass)
{
    const GOptionEntry pass[] = {
        { "batch", 0, 0, G_OPTION_ARG_INT, &a->batch, "images per step (128)", "N [1, 65536]" },
        { "crop-scale", 0, 0, G_OPTION_ARG_STRING, &a->crop_scale, "area of the random crop (0.08,1)", "LOW,HIGH" },
        { "augment", 0, 0, G_OPTION_ARG_STRING, &a->augment, "crop-flip, or none: whole pictures (crop-flip)", "KIND" },
        { "shuffle", 0, 0, G_OPTION_ARG_STRING, &a->shuffle, "epoch, or none: in file order (epoch)", "KIND" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &a->skip_bad, "tolerate N unreadable images (0)", "N [0, 2147483647]" },
        { "batch-norm", 0, 0, G_OPTION_ARG_STRING, &a->batch_norm,
          "train, or frozen: with the running statistics, as they are (train)", "MODE" },
        AIMF_ALLOW_ENTRY(&a->allow),
        G_OPTION_ENTRY_NULL,
    };
    const GOptionEntry training[] = {
        { "epochs", 0, 0, G_OPTION_ARG_INT, &a->recipe.given.epochs, "passes over the training set", "N [1, 100000]" },
        { "lr", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.learning_rate, "learning rate (the architecture's)",
          "RATE [1e-12, 1e+06]" },
        { "schedule", 0, 0, G_OPTION_ARG_STRING, &a->recipe.schedule,
          "of the learning rate: steps or cosine (the architecture's)", "KIND" },
        { "milestones", 0, 0, G_OPTION_ARG_STRING, &a->recipe.milestone_text,
          "epochs after which the rate falls to a tenth, or none (10); makes the schedule steps", "N,…|none" },
        { "warmup", 0, 0, G_OPTION_ARG_INT, &a->recipe.given.warmup_epochs,
          "epochs in which the rate rises to what it is (the architecture's)", "N [0, 100000]" },
        { "optimizer", 0, 0, G_OPTION_ARG_STRING, &a->recipe.optimizer, "sgd or adamw (the architecture's)", "NAME" },
        { "momentum", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.momentum, "of SGD (0.9)", "M [0, 0.999999]" },
        { "betas", 0, 0, G_OPTION_ARG_STRING, &a->recipe.betas, "of AdamW (0.9,0.999)", "B,B" },
        { "epsilon", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.epsilon, "of AdamW (1e-08)", "E [1e-30, 1]" },
        { "weight-decay", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.weight_decay, "weight decay (the architecture's)",
          "W [0, 1000]" },
        { "decay", 0, 0, G_OPTION_ARG_STRING, &a->recipe.decay,
          "of all tensors, or weights: none of norms and biases (the architecture's)", "WHAT" },
        { "clip-norm", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.clip_norm,
          "scale gradients down to this norm; 0: do not (the architecture's)", "X [0, 1e+12]" },
        { "label-smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.label_smoothing,
          "share of a label for all classes (the architecture's)", "S [0, 0.999999]" },
        { "ema", 0, 0, G_OPTION_ARG_DOUBLE, &a->recipe.given.average,
          "decay of an average of the weights, which is then the model; 0: none (0)", "D [0, 0.9999999]" },
        { "cache", 0, 0, G_OPTION_ARG_STRING, &a->cache, "memory for decoded pictures (0)", "BYTES" },
        { "log", 0, 0, G_OPTION_ARG_FILENAME, &a->log, "a line per epoch: .csv, or JSON lines", "FILE" },
        { "trace", 0, 0, G_OPTION_ARG_FILENAME, &a->trace, "what was done when, for Perfetto: .json", "FILE" },
        { "keep-best-of", 0, 0, G_OPTION_ARG_STRING, &a->keep_best_of,
          "epochs, or start: also the weights it begins with (epochs)", "WHICH" },
        { "select", 0, 0, G_OPTION_ARG_STRING, &a->select,
          "the best epoch by accuracy, worst-group or equalized-odds, of the validation set (accuracy)", "WHAT" },
        { "resume", 0, 0, G_OPTION_ARG_NONE, &a->resume,
          "continue a training that was stopped or killed, or make it longer", NULL },
        { "keep-state", 0, 0, G_OPTION_ARG_NONE, &a->keep_state,
          "leave OUTPUT.state there at the end, for --resume with more --epochs", NULL },
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

static gboolean take_batch_norm(AimfTrainingArguments *a, GError **error)
{
    static const char *const modes[] = { "train", "frozen", NULL };
    int mode = a->batch_norm ? aimf_cli_choice("--batch-norm", a->batch_norm, modes, error) : 0;
    a->options.batch_norm = mode == 1 ? AIMF_BATCH_NORM_FROZEN : AIMF_BATCH_NORM_TRAIN;
    return mode >= 0;
}

static gboolean take_start(AimfTrainingArguments *a, GError **error)
{
    static const char *const choices[] = { "epochs", "start", NULL };
    int choice = a->keep_best_of ? aimf_cli_choice("--keep-best-of", a->keep_best_of, choices, error) : 0;
    if (choice < 0)
        return FALSE;
    a->options.keep_best_of = choice == 1 ? AIMF_KEEP_BEST_OF_START : AIMF_KEEP_BEST_OF_EPOCHS;
    a->options.measure_start = a->options.measure_start || choice == 1;
    return TRUE;
}

static gboolean take_select(AimfTrainingArguments *a, GError **error)
{
    static const char *const choices[] = { "accuracy", "worst-group", "equalized-odds", NULL };
    int choice = a->select ? aimf_cli_choice("--select", a->select, choices, error) : 0;
    a->options.select = (AimfSelect)MAX(choice, 0);
    return choice >= 0;
}

static gboolean check_paths(const AimfTrainingArguments *a, const char *output, GError **error)
{
    const char *const outputs[] = { output, a->state_path };
    if (!aimf_cli_check_output("-o", a->state_path, error) ||
        !aimf_cli_check_apart("-o", output, a->inputs, G_N_ELEMENTS(a->inputs), error))
        return FALSE;
    const char *const others[] = { output, a->state_path, a->log };
    if (a->trace && (!aimf_cli_check_output("--trace", a->trace, error) ||
                     !aimf_cli_check_apart("--trace", a->trace, a->inputs, G_N_ELEMENTS(a->inputs), error) ||
                     !aimf_cli_check_apart("--trace", a->trace, others, G_N_ELEMENTS(others), error)))
        return FALSE;
    return !a->log || (aimf_cli_check_output("--log", a->log, error) &&
                       aimf_cli_check_apart("--log", a->log, a->inputs, G_N_ELEMENTS(a->inputs), error) &&
                       aimf_cli_check_apart("--log", a->log, outputs, G_N_ELEMENTS(outputs), error));
}

gboolean aimf_training_take(AimfCli *cli, AimfTrainingArguments *a, const char *output, GError **error)
{
    if (!take_augmentation(a, error) || !aimf_recipe_take(&a->recipe, error) || !take_batch_norm(a, error) ||
        !take_start(a, error) || !take_select(a, error) || !aimf_allow_check(&a->allow, error))
        return FALSE;
    if (a->cache && !aimf_cli_bytes("--cache", a->cache, &a->options.cache_bytes, error))
        return FALSE;
    a->state_path = g_strconcat(output, ".state", NULL);
    if (!check_paths(a, output, error))
        return FALSE;
    a->options.batch = (guint)a->batch;
    a->options.skip_bad = (guint)a->skip_bad;
    a->options.device = cli->device;
    a->options.precision = cli->precision;
    a->options.seed = cli->seed;
    a->options.threads = cli->threads;
    a->options.state_path = a->state_path;
    a->options.resume = a->resume;
    a->options.trace = a->trace ? aimf_trace_new() : NULL;
    a->options.log_path = a->log;
    return TRUE;
}

gboolean aimf_check_class_names(char **names, GError **error)
{
    for (guint i = 0; names[i]; i++) {
        g_strstrip(names[i]);
        guint64 number;
        gboolean repeated = FALSE;
        for (guint k = 0; k < i; k++)
            repeated = repeated || g_str_equal(names[k], names[i]);
        const char *what = !*names[i] ? "no name" : repeated ? "a name that is there twice" : NULL;
        if (g_ascii_string_to_unsigned(names[i], 10, 0, G_MAXUINT64, &number, NULL) && number != i)
            what = "the number of another class";
        if (!what)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--classes: class %u has %s: '%s'", i, what, names[i]);
        return FALSE;
    }
    return TRUE;
}

gboolean aimf_check_model_output(const char *path, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    if (g_str_has_suffix(lower, ".safetensors"))
        return aimf_cli_check_output("-o", path, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "-o %s: a model's name ends in .safetensors, as '%s.safetensors' does%s", path, path,
                aimf_is_checkpoint_name(path) ? "; 'aimfair convert' makes a PyTorch checkpoint of one" : "");
    return FALSE;
}

/* --- What came out --- */

/* (nullable) */
static const char *label_text(const AimfManifest *validation, int group)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(validation, &n);
    return aimf_manifest_has_labels(validation) ? labels[group] : NULL;
}

static double share(guint part, guint n)
{
    return n ? (double)part / n : NAN;
}

static void json_groups(JsonBuilder *builder, const AimfTrainResult *result, const AimfManifest *validation)
{
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (guint i = 0; i < result->groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        json_builder_begin_object(builder);
        aimf_cli_json_int(builder, "target", group->target);
        aimf_cli_json_text(builder, "protected", label_text(validation, group->group));
        aimf_cli_json_int(builder, "n", group->n);
        aimf_cli_json_double(builder, "before", share(group->right_before, group->n));
        aimf_cli_json_double(builder, "after", share(group->right_after, group->n));
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void report_json(const AimfModel *model, const char *output, const AimfTrainResult *result,
                        const AimfManifest *validation, const AimfTrainingArguments *arguments, JsonBuilder *builder)
{
    g_autofree char *hash = aimf_model_hash(model), *epochs = aimf_train_result_json(result);
    aimf_cli_json_text(builder, "model", output);
    aimf_cli_json_text(builder, "model_hash", hash);
    aimf_cli_json_int(builder, "best_epoch", result->kept_start ? 0 : (gint64)result->best_epoch + 1);
    aimf_cli_json_double(builder, "best_accuracy", result->best_accuracy);
    json_builder_set_member_name(builder, "epochs");
    json_builder_add_value(builder, json_from_string(epochs, NULL));
    if (result->groups) {
        aimf_cli_json_bool(builder, "fresh_head", arguments->fresh_head);
        json_groups(builder, result, validation);
    }
    aimf_allow_json(builder, arguments->allow.findings);
}

static void print_groups(AimfCli *cli, const AimfTrainResult *result, const AimfManifest *validation)
{
    aimf_cli_print(cli, "%-8s%-16s%8s%10s%10s%10s\n", "target", "protected", "n", "start", "now", "change");
    for (guint i = 0; i < result->groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        if (!group->n)
            continue;
        double before = 100 * share(group->right_before, group->n), after = 100 * share(group->right_after, group->n);
        const char *label = label_text(validation, group->group);
        g_autofree char *shown = label ? aimf_cli_label(label) : g_strdup("-");
        aimf_cli_print(cli, "%-8d", group->target);
        aimf_cli_print_padded(cli, shown, 16);
        aimf_cli_print(cli, "%8u%10.2f%10.2f%+10.2f\n", group->n, before, after, after - before);
    }
}

static void report_text(AimfCli *cli, const char *path, const AimfTrainResult *result, const AimfManifest *validation,
                        const AimfTrainingArguments *arguments)
{
    const AimfEpoch *start = &result->start;
    const AimfEpoch *best = result->kept_start ? start : &g_array_index(result->history, AimfEpoch, result->best_epoch);
    g_autofree char *output = aimf_cli_printable(path);
    if (result->kept_start)
        aimf_cli_print(cli, "%s: the start", output);
    else
        aimf_cli_print(cli, "%s: epoch %u of %u", output, best->epoch + 1, result->history->len);
    aimf_cli_print(cli, ", validation accuracy %.2f %%", 100 * best->val_accuracy);
    if (!isnan(best->val_worst_group_accuracy))
        aimf_cli_print(cli, ", worst group %.2f %%", 100 * best->val_worst_group_accuracy);
    if (result->groups && !result->kept_start)
        aimf_cli_print(cli, " (%.2f %% at the start)", 100 * start->val_accuracy);
    aimf_cli_print(cli, "\n");
    if (result->groups && arguments->fresh_head)
        aimf_cli_print(cli,
                       "the final layer was new: what it said at the start is chance, and nothing is judged by it\n");
    if (result->groups)
        print_groups(cli, result, validation);
}

/* --- The work --- */

AimfManifest *aimf_open_training_set(AimfCli *cli, const char *path, AimfFindings *findings, GError **error)
{
    return aimf_cli_open_manifest(cli, path, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_OPTIONAL, findings, error);
}

static gboolean check_sets(AimfCli *cli, AimfTrainingArguments *arguments, const AimfModel *model,
                           const AimfManifest *train, const AimfManifest *validation, GError **error)
{
    const AimfTrainingSets sets = {
        .start = arguments->start,
        .model = model,
        .train = train,
        .validation = validation,
        .finetuning = arguments->finetuning,
        .batch_norm = arguments->options.batch_norm,
    };
    return aimf_check_training_sets(&sets, cli->monitor, arguments->allow.findings, error) &&
           aimf_allow_report(cli, &arguments->allow, error);
}

static void explain_interruption(const char *state_path, GError *failure)
{
    if (!g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_INTERRUPTED) || !g_file_test(state_path, G_FILE_TEST_EXISTS))
        return;
    g_autofree char *what = g_steal_pointer(&failure->message);
    failure->message =
        g_strdup_printf("%s; the same command with --resume goes on after the last finished epoch", what);
}

/* Also of a training that failed or was stopped. What it won is not lost because its trace cannot be written. */
static void save_trace(AimfCli *cli, const AimfTrainingArguments *arguments)
{
    g_autoptr(GError) failure = NULL;
    if (arguments->trace && !aimf_trace_save(arguments->options.trace, arguments->trace, &failure))
        aimf_cli_message(cli, AIMF_LOG_WARNING, "--trace: %s", failure->message);
}

gboolean aimf_run_training(AimfCli *cli, AimfModel *model, AimfManifest *train, const char *validation_path,
                           const char *output, AimfTrainingArguments *arguments, JsonBuilder *builder, GError **error)
{
    AimfFindings *findings = arguments->allow.findings;
    g_autoptr(AimfTrainingLock) lock = aimf_training_lock(arguments->state_path, error);
    if (!lock)
        return FALSE;
    g_autoptr(AimfManifest) validation = aimf_open_training_set(cli, validation_path, findings, error);
    if (!validation)
        return FALSE;
    if (cli->labels.merge_spellings)
        aimf_manifests_merge_labels((AimfManifest *[]){ train, validation }, 2);
    if (!check_sets(cli, arguments, model, train, validation, error))
        return FALSE;
    AimfTrainResult result;
    GError *failure = NULL;
    gboolean trained = aimf_train(model, train, validation, &arguments->options, cli->monitor, &result, &failure);
    save_trace(cli, arguments);
    if (!trained) {
        explain_interruption(arguments->state_path, failure);
        g_propagate_error(error, failure);
        return FALSE;
    }
    aimf_check_result(&result, validation, arguments->fresh_head, findings);
    gboolean saved = aimf_model_save(model, output, error);
    if (saved && !arguments->keep_state)
        g_unlink(arguments->state_path);
    if (saved && cli->json)
        report_json(model, output, &result, validation, arguments, builder);
    else if (saved)
        report_text(cli, output, &result, validation, arguments);
    aimf_train_result_clear(&result);
    return saved && aimf_allow_report(cli, &arguments->allow, error);
}
