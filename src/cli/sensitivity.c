/* aimfair sensitivity: how the tensors of a model react to bias and to the change from real to synthetic images. */
#include "training.h"

#include <aimfair/sets.h>
#include <string.h>

#define MODEL_KEY "aimfair.model_hash"
#define WARNINGS_KEY "aimfair.warnings"

typedef struct {
    char *model;
    char *data[3]; /* in the order of the sets */
    char *gradients;
    char *output;
} Arguments;

static const struct {
    const char *name;
    const char *option;
} sets[] = { { "real", "--real" }, { "biased", "--biased" }, { "balanced", "--balanced" } };

static void arguments_clear(Arguments *a)
{
    g_free(a->model);
    for (gsize i = 0; i < G_N_ELEMENTS(a->data); i++)
        g_free(a->data[i]);
    g_free(a->gradients);
    g_free(a->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* "sensitivity.json" -> "sensitivity.gradients.safetensors". */
static char *gradients_path(const char *output)
{
    gsize length = strlen(output);
    if (g_str_has_suffix(output, ".json"))
        length -= strlen(".json");
    return g_strdup_printf("%.*s.gradients.safetensors", (int)length, output);
}

static gboolean check(AimfCli *cli, const Arguments *a, GError **error)
{
    if (!aimf_cli_require(cli, "-o", a->output, error) || !aimf_cli_check_text_output(cli, "-o", a->output, error))
        return FALSE;
    g_autofree char *gradients = gradients_path(a->output);
    if (!a->gradients && strcmp(a->output, "-") != 0 && !aimf_cli_check_output("-o", gradients, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
        if (!a->gradients && !aimf_cli_require(cli, sets[i].option, a->data[i], error))
            return FALSE;
        if (a->gradients && a->data[i]) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--from-gradients needs no %s: it makes no pass",
                        sets[i].option);
            return FALSE;
        }
    }
    return a->gradients || aimf_cli_require(cli, "--model", a->model, error);
}

static gboolean parse(AimfCli *cli, Arguments *a, AimfTrainingArguments *training, int argc, char **argv,
                      GError **error)
{
    const GOptionEntry own[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &a->model, "the biased model", "FILE" },
        { "real", 0, 0, G_OPTION_ARG_FILENAME, &a->data[0], "manifest of the biased real set", "CSV" },
        { "biased", 0, 0, G_OPTION_ARG_FILENAME, &a->data[1], "manifest of the biased synthetic set", "CSV" },
        { "balanced", 0, 0, G_OPTION_ARG_FILENAME, &a->data[2], "manifest of the balanced synthetic set", "CSV" },
        { "from-gradients", 0, 0, G_OPTION_ARG_FILENAME, &a->gradients, "recompute from these, without a pass",
          "FILE" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the sensitivities to write, .json; - for stdout",
          "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    g_autofree GOptionEntry *entries = aimf_training_entries(training, own, TRUE);
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !check(cli, a, error))
        return FALSE;
    training->inputs[0] = a->model;
    training->inputs[1] = a->gradients;
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
        training->inputs[2 + i] = a->data[i];
    return aimf_training_take(cli, training, a->output, error);
}

static gboolean pass(AimfCli *cli, const AimfModel *model, const AimfGradientSet *data,
                     const AimfTrainOptions *training, AimfTensors *gradients, GError **error)
{
    const AimfGradientOptions options = {
        .batch = training->batch,
        .augment = training->augment,
        .shuffle = training->shuffle,
        .batch_norm = training->batch_norm,
        .device = training->device,
        .precision = training->precision,
        .seed = training->seed,
        .threads = training->threads,
        .skip_bad = training->skip_bad,
    };
    if (!aimf_mean_gradients(model, data, G_N_ELEMENTS(sets), &options, cli->monitor, gradients, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *key = g_strconcat(AIMF_GRADIENTS_DATA_KEY, data[i].name, NULL);
        g_autofree char *hash = aimf_manifest_hash(data[i].manifest);
        aimf_tensors_set_metadata(gradients, key, hash);
    }
    return TRUE;
}

static gboolean check_sets(AimfCli *cli, const AimfModel *model, const AimfGradientSet *data, AimfAllow *allow,
                           GError **error)
{
    const AimfSensitivitySets given = {
        .model = model,
        .real = data[0].manifest,
        .biased = data[1].manifest,
        .balanced = data[2].manifest,
    };
    return aimf_check_sensitivity_sets(&given, cli->monitor, allow->findings, error) &&
           aimf_allow_report(cli, allow, error);
}

static AimfTensors *measure(AimfCli *cli, const Arguments *a, AimfTrainingArguments *training, GError **error)
{
    g_autoptr(AimfModel) model = aimf_model_open(a->model, error);
    if (!model)
        return NULL;
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    AimfFindings *findings = training->allow.findings;
    g_autoptr(AimfManifest) real = aimf_open_training_set(cli, a->data[0], findings, error);
    g_autoptr(AimfManifest) biased = real ? aimf_open_training_set(cli, a->data[1], findings, error) : NULL;
    g_autoptr(AimfManifest) balanced = biased ? aimf_open_training_set(cli, a->data[2], findings, error) : NULL;
    if (balanced && cli->labels.merge_spellings)
        aimf_manifests_merge_labels((AimfManifest *[]){ real, biased, balanced }, G_N_ELEMENTS(sets));
    const AimfGradientSet data[] = { { sets[0].name, real }, { sets[1].name, biased }, { sets[2].name, balanced } };
    if (!balanced || !check_sets(cli, model, data, &training->allow, error) ||
        !pass(cli, model, data, &training->options, gradients, error))
        return NULL;
    g_autofree char *warnings = aimf_findings_json(findings);
    aimf_tensors_set_metadata(gradients, WARNINGS_KEY, warnings);
    g_autofree char *hash = aimf_model_hash(model);
    g_autofree char *path = gradients_path(a->output);
    aimf_tensors_set_metadata(gradients, MODEL_KEY, hash);
    if (g_str_equal(a->output, "-")) {
        aimf_cli_message(cli, AIMF_LOG_INFO, "with -o - the gradients are not kept");
        return g_steal_pointer(&gradients);
    }
    return aimf_tensors_save(gradients, path, error) ? g_steal_pointer(&gradients) : NULL;
}

/* What was found about the sets when they were passed over. */
static gboolean read_warnings(const Arguments *a, const AimfTensors *gradients, AimfFindings *findings, GError **error)
{
    const char *text = aimf_tensors_metadata(gradients, WARNINGS_KEY);
    if (!text || aimf_findings_parse(findings, text))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': its warnings are damaged", a->gradients);
    return FALSE;
}

/* A file of gradients says which model they are of; a model that is named must be that one. */
static gboolean check_origin(const Arguments *a, const AimfTensors *gradients, GError **error)
{
    const char *stored = aimf_tensors_metadata(gradients, MODEL_KEY);
    if (!stored) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' does not say which model its gradients are of; 'aimfair sensitivity' writes files that do",
                    a->gradients);
        return FALSE;
    }
    if (!a->model)
        return TRUE;
    g_autoptr(AimfModel) model = aimf_model_open(a->model, error);
    g_autofree char *hash = model ? aimf_model_hash(model) : NULL;
    if (!hash || g_str_equal(hash, stored))
        return hash != NULL;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the gradients in '%s' are of another model than '%s'",
                a->gradients, a->model);
    return FALSE;
}

static gboolean save(const char *path, gconstpointer sensitivities, GError **error)
{
    return aimf_sensitivities_save(sensitivities, path, error);
}

static void report(AimfCli *cli, const AimfSensitivities *sensitivities)
{
    if (cli->json) {
        g_autofree char *text = aimf_sensitivities_json(sensitivities);
        aimf_cli_print(cli, "%s", text);
        return;
    }
    aimf_cli_print(cli, "%-32s %9s %12s %12s %7s %7s\n", "tensor", "size", "domain", "bias", "domain#", "bias#");
    for (guint i = 0; i < sensitivities->n; i++) {
        const AimfSensitivity *s = &sensitivities->tensors[i];
        aimf_cli_print(cli, "%-32s %9" G_GINT64_FORMAT " %12.5g %12.5g %7u %7u\n", s->name, s->size, s->domain, s->bias,
                       s->domain_rank, s->bias_rank);
    }
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) arguments = { 0 };
    g_auto(AimfTrainingArguments) training;
    aimf_training_arguments_init(&training, &AIMF_FINETUNE_DEFAULTS);
    if (!parse(cli, &arguments, &training, argc, argv, error))
        return FALSE;
    g_autoptr(AimfTensors) gradients = arguments.gradients ? aimf_tensors_open(arguments.gradients, error)
                                                           : measure(cli, &arguments, &training, error);
    if (!gradients || (arguments.gradients && (!check_origin(&arguments, gradients, error) ||
                                               !read_warnings(&arguments, gradients, training.allow.findings, error))))
        return FALSE;
    g_autoptr(AimfSensitivities) sensitivities =
        aimf_sensitivities_from_gradients(gradients, aimf_tensors_metadata(gradients, MODEL_KEY), error);
    if (!sensitivities)
        return FALSE;
    aimf_check_sensitivities(sensitivities, gradients, training.allow.findings);
    if (!aimf_allow_report(cli, &training.allow, error))
        return FALSE;
    sensitivities->findings = g_steal_pointer(&training.allow.findings);
    if (!aimf_cli_write_text(cli, arguments.output, save, sensitivities, error))
        return FALSE;
    report(cli, sensitivities);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_SENSITIVITY = {
    .name = "sensitivity",
    .summary = "measure how a model's tensors react to bias and to domain",
    .description = "With -o sensitivity.json the mean gradients go to sensitivity.gradients.safetensors, for "
                   "--from-gradients.\n"
                   "Example: aimfair sensitivity --model biased.safetensors --real train.csv --biased biased.csv "
                   "--balanced balanced.csv -o sensitivity.json",
    .reads_labels = TRUE,
    .run = run,
};
