/* aimfair finetune: train selected tensors of a model on another set. */
#include "parameters.h"
#include "training.h"

#include <aimfair/sets.h>
#include <string.h>

typedef struct {
    char *model;
    char *sensitivity;
    char *top_k;
    guint top_k_number; /* 0: a share */
    double top_k_share;
    char *trainable;
    char **prefixes;
    gboolean force;
    char *train;
    char *validation;
    char *output;
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->model);
    g_free(a->sensitivity);
    g_free(a->top_k);
    g_free(a->trainable);
    g_strfreev(a->prefixes);
    g_free(a->train);
    g_free(a->validation);
    g_free(a->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* "0.89", "89%" and "55/62" */
static gboolean take_share(const char *text, double *share)
{
    const char *slash = strchr(text, '/');
    if (!slash && !g_str_has_suffix(text, "%"))
        return aimf_cli_double("--top-k", text, share, NULL);
    g_autofree char *part = g_strndup(text, slash ? (gsize)(slash - text) : strlen(text) - 1);
    double whole = 100;
    gboolean good = aimf_cli_double("--top-k", part, share, NULL) &&
                    (!slash || aimf_cli_double("--top-k", slash + 1, &whole, NULL));
    good = good && *share > 0 && whole > 0;
    *share /= whole;
    return good;
}

/* "55" is a number of tensors; what has a point, a percent sign or a slash is a share of them. */
static gboolean take_top_k(Arguments *a, GError **error)
{
    a->top_k_share = AIMF_TOP_K_SHARE;
    if (!a->top_k)
        return TRUE;
    guint64 number = 0;
    gboolean is_share = strpbrk(a->top_k, ".%/") != NULL;
    gboolean good = is_share ? take_share(a->top_k, &a->top_k_share) && a->top_k_share > 0 && a->top_k_share <= 1
                             : g_ascii_string_to_unsigned(a->top_k, 10, 1, G_MAXINT, &number, NULL);
    a->top_k_number = (guint)number;
    if (good)
        return TRUE;
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_INVALID,
        "--top-k is %s; it must be a whole number of tensors from 1 to as many as the model has, or a share of "
        "them with a point, a percent sign or a slash, above 0 and at most 1: 55, 0.89, 89%%, 55/62; 1 is one tensor, "
        "1.0 are all",
        a->top_k);
    return FALSE;
}

static gboolean check(AimfCli *cli, const Arguments *a, GError **error)
{
    int ways = (a->sensitivity != NULL) + (a->trainable != NULL) + (a->prefixes != NULL);
    if (!aimf_cli_require(cli, "--model", a->model, error) || !aimf_cli_require(cli, "--train", a->train, error) ||
        !aimf_cli_require(cli, "--val", a->validation, error) || !aimf_cli_require(cli, "-o", a->output, error))
        return FALSE;
    if (ways != 1)
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "say once what to train: --sensitivity FILE [--top-k K], --trainable all|NAME,… or --prefix PREFIX");
    else if (a->top_k && !a->sensitivity)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--top-k needs --sensitivity");
    else
        return aimf_cli_check_output("-o", a->output, error);
    return FALSE;
}

static gboolean parse(AimfCli *cli, Arguments *a, AimfTrainingArguments *training, int argc, char **argv,
                      GError **error)
{
    const GOptionEntry own[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &a->model, "the model to begin with", "FILE" },
        { "sensitivity", 0, 0, G_OPTION_ARG_FILENAME, &a->sensitivity,
          "train what this file of its sensitivities selects", "FILE" },
        { "top-k", 0, 0, G_OPTION_ARG_STRING, &a->top_k,
          "length of the two lists that are intersected: tensors, or a share of them (55/62)", "N|SHARE" },
        { "trainable", 0, 0, G_OPTION_ARG_STRING, &a->trainable, "train all, or these tensors and modules", "NAME,…" },
        { "prefix", 0, 0, G_OPTION_ARG_STRING_ARRAY, &a->prefixes, "train tensors named so; may be repeated",
          "PREFIX" },
        { "force", 0, 0, G_OPTION_ARG_NONE, &a->force, "take sensitivities of another model", NULL },
        { "train", 0, 0, G_OPTION_ARG_FILENAME, &a->train, "manifest to train on: the balanced set", "CSV" },
        { "val", 0, 0, G_OPTION_ARG_FILENAME, &a->validation, "manifest that chooses the epoch to keep: real images",
          "CSV" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the model to write, .safetensors", "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    g_autofree GOptionEntry *entries = aimf_training_entries(training, own, FALSE);
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    training->inputs[0] = a->model;
    training->inputs[1] = a->sensitivity;
    training->inputs[2] = a->train;
    training->inputs[3] = a->validation;
    training->finetuning = TRUE;
    return take_top_k(a, error) && check(cli, a, error) && aimf_training_take(cli, training, a->output, error) &&
           aimf_check_model_output(a->output, error);
}

/* Sensitivities of another model would select without a word what they say nothing about. */
static gboolean check_origin(AimfCli *cli, const Arguments *a, const AimfModel *model,
                             const AimfSensitivities *sensitivities, GError **error)
{
    g_autofree char *hash = aimf_model_hash(model);
    if (g_strcmp0(hash, sensitivities->model_hash) == 0)
        return TRUE;
    if (a->force) {
        aimf_cli_message(cli, AIMF_LOG_WARNING, "'%s' was measured on another model than '%s'", a->sensitivity,
                         a->model);
        return TRUE;
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s' was measured on another model (%.12s) than '%s' (%.12s); --force takes it all the same",
                a->sensitivity, sensitivities->model_hash ? sensitivities->model_hash : "", a->model, hash);
    return FALSE;
}

/* --force is for other weights, not for another network. */
static gboolean check_tensors(const Arguments *a, const AimfModel *model, const AimfSensitivities *sensitivities,
                              GError **error)
{
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_auto(GStrv) names = aimf_parameter_names(model, sizes, error);
    if (!names)
        return FALSE;
    g_autoptr(GHashTable) size_of = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < sizes->len; i++)
        g_hash_table_insert(size_of, names[i], &g_array_index(sizes, gint64, i));
    for (guint i = 0; i < sensitivities->n; i++) {
        const AimfSensitivity *tensor = &sensitivities->tensors[i];
        const gint64 *size = g_hash_table_lookup(size_of, tensor->name);
        if (size && *size == tensor->size)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has the tensor '%s' with %" G_GINT64_FORMAT " values; the model has no such parameter",
                    a->sensitivity, tensor->name, tensor->size);
        return FALSE;
    }
    if (sensitivities->n == sizes->len)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has %u tensor%s; the model has %u parameters",
                a->sensitivity, sensitivities->n, AIMF_PLURAL(sensitivities->n), sizes->len);
    return FALSE;
}

/* Sensitivities that were taken from wrong sets say so. */
static void repeat_warnings(const char *path, const AimfSensitivities *sensitivities, AimfFindings *findings)
{
    for (guint i = 0; i < aimf_findings_count(sensitivities->findings); i++)
        aimf_findings_add(findings, "sensitivity", FALSE, "'%s' was measured with this warning: %s", path,
                          aimf_findings_at(sensitivities->findings, i)->text);
}

static char **selected_by_sensitivity(AimfCli *cli, const Arguments *a, const AimfModel *model,
                                      const AimfTrainingArguments *training, GError **error)
{
    AimfFindings *findings = training->allow.findings;
    g_autoptr(AimfSensitivities) sensitivities = aimf_sensitivities_open(a->sensitivity, error);
    if (!sensitivities || !check_origin(cli, a, model, sensitivities, error) ||
        !check_tensors(a, model, sensitivities, error))
        return NULL;
    repeat_warnings(a->sensitivity, sensitivities, findings);
    aimf_check_sensitivities(sensitivities, NULL, findings);
    aimf_check_batch_norm(sensitivities, model, training->options.batch_norm, findings);
    guint k = a->top_k_number ? a->top_k_number : aimf_top_k(sensitivities->n, a->top_k_share);
    return aimf_select_top_k(sensitivities, k, error);
}

static char **select_trainable(AimfCli *cli, const Arguments *a, const AimfModel *model,
                               const AimfTrainingArguments *training, GError **error)
{
    if (a->sensitivity)
        return selected_by_sensitivity(cli, a, model, training, error);
    if (a->trainable)
        return aimf_named_parameters(model, "--trainable", a->trainable, error);
    return aimf_prefixed_parameters(model, a->prefixes, error);
}

static void add_names(JsonBuilder *builder, const char *member, char *const *names, char *const *selected,
                      gboolean wanted)
{
    json_builder_set_member_name(builder, member);
    json_builder_begin_array(builder);
    for (char *const *name = names; *name; name++)
        if (g_strv_contains((const char *const *)selected, *name) == wanted)
            json_builder_add_string_value(builder, *name);
    json_builder_end_array(builder);
}

/* What is trained, for when the checks are done. */
typedef struct {
    AimfCli *cli;
    GArray *sizes;   /* of gint64 */
    char **names;    /* all parameters */
    char **selected; /* borrowed */
} Mask;

static void mask_clear(Mask *mask)
{
    g_clear_pointer(&mask->sizes, g_array_unref);
    g_strfreev(mask->names);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Mask, mask_clear)

/* Tensors and values of a module, or of all. */
typedef struct {
    guint tensors, trained_tensors;
    gint64 values, trained_values;
} Sum;

static void add_tensor(Sum *sum, gint64 size, gboolean trained)
{
    sum->tensors++;
    sum->values += size;
    sum->trained_tensors += trained ? 1 : 0;
    sum->trained_values += trained ? size : 0;
}

static void print_sum(AimfCli *cli, const char *what, const Sum *sum)
{
    aimf_cli_print(cli, "%-12s %3u of %3u tensors, %5.1f %% of %9" G_GINT64_FORMAT " values\n", what,
                   sum->trained_tensors, sum->tensors, 100 * (double)sum->trained_values / (double)sum->values,
                   sum->values);
}

/* A line for each part of the network ("layer3"), the last ones together where there are many. */
static void print_modules(const Mask *mask)
{
    enum { MAX_LINES = 9 };
    Sum sum = { 0 };
    g_autofree char *shown = NULL;
    guint n_lines = 0;
    for (guint i = 0; i < mask->sizes->len; i++) {
        g_autofree char *module = g_strndup(mask->names[i], strcspn(mask->names[i], "."));
        if (shown && strcmp(shown, module) != 0 && n_lines + 1 < MAX_LINES) {
            print_sum(mask->cli, shown, &sum);
            sum = (Sum){ 0 };
            g_clear_pointer(&shown, g_free);
            n_lines++;
        }
        gboolean further = shown && strcmp(shown, module) != 0;
        if (!shown || further) {
            g_free(shown);
            shown = further ? g_strdup("the rest") : g_steal_pointer(&module);
        }
        add_tensor(&sum, g_array_index(mask->sizes, gint64, i),
                   g_strv_contains((const char *const *)mask->selected, mask->names[i]));
    }
    print_sum(mask->cli, shown, &sum);
}

static void print_tensors(const Mask *mask)
{
    for (guint i = 0; i < mask->sizes->len; i++)
        aimf_cli_print(mask->cli, "%-32s %9" G_GINT64_FORMAT "  %s\n", mask->names[i],
                       g_array_index(mask->sizes, gint64, i),
                       g_strv_contains((const char *const *)mask->selected, mask->names[i]) ? "trained" : "frozen");
}

static void print_mask(gpointer data)
{
    const Mask *mask = data;
    Sum all = { 0 };
    for (guint i = 0; i < mask->sizes->len; i++)
        add_tensor(&all, g_array_index(mask->sizes, gint64, i),
                   g_strv_contains((const char *const *)mask->selected, mask->names[i]));
    (mask->cli->verbose ? print_tensors : print_modules)(mask);
    aimf_cli_print(mask->cli, "%u of %u tensors, %.1f %% of %" G_GINT64_FORMAT " values are trained\n",
                   all.trained_tensors, all.tensors, 100 * (double)all.trained_values / (double)all.values, all.values);
    aimf_cli_finish_output(mask->cli, NULL); /* to be seen before the work; what fails is reported at the end */
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) arguments = { 0 };
    g_auto(AimfTrainingArguments) training;
    aimf_training_arguments_init(&training, &AIMF_FINETUNE_DEFAULTS);
    if (!parse(cli, &arguments, &training, argc, argv, error))
        return FALSE;
    g_autoptr(AimfModel) model = aimf_model_open(arguments.model, error);
    if (!model || !aimf_recipe_apply(cli, &training.recipe, model->architecture, TRUE, &training.options, error))
        return FALSE;
    AimfFindings *findings = training.allow.findings;
    g_auto(GStrv) selected = select_trainable(cli, &arguments, model, &training, error);
    g_autoptr(AimfManifest) train = selected ? aimf_open_training_set(cli, arguments.train, findings, error) : NULL;
    if (!train)
        return FALSE;
    g_auto(Mask) mask = { .cli = cli, .sizes = g_array_new(FALSE, FALSE, sizeof(gint64)), .selected = selected };
    if (!(mask.names = aimf_parameter_names(model, mask.sizes, error)))
        return FALSE;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    training.options.trainable = (const char *const *)selected;
    training.start = model->tensors;
    if (cli->json) {
        add_names(builder, "trained", mask.names, selected, TRUE);
        add_names(builder, "frozen", mask.names, selected, FALSE);
    } else {
        training.options.ready = print_mask;
        training.options.ready_data = &mask;
    }
    if (!aimf_run_training(cli, model, train, arguments.validation, arguments.output, &training, builder, error))
        return FALSE;
    json_builder_end_object(builder);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_FINETUNE = {
    .name = "finetune",
    .summary = "train the selected tensors of a model on balanced images",
    .description = "Defaults are the paper's, 10 epochs, learning rate 0.06, k of 55 in 62, where an architecture has "
                   "none of its\n"
                   "own. What is not selected keeps its bits.\n"
                   "Example: aimfair finetune --model biased.safetensors --sensitivity sensitivity.json --top-k 55 "
                   "--train balanced.csv --val val.csv -o fair.safetensors",
    .reads_labels = TRUE,
    .run = run,
};
