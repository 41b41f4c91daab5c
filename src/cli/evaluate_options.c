#include "evaluate_options.h"

#include "evaluate_impact.h"

void aimf_evaluate_options_clear(AimfEvaluateOptions *o)
{
    g_free(o->model);
    g_free(o->data);
    g_free(o->save);
    g_free(o->given);
    g_free(o->positive);
    g_free(o->by_group_text);
    aimf_demands_clear(&o->demands);
    g_free(o->impact_text);
    g_strfreev(o->impact);
    g_free(o->changes);
    g_free(o->chart);
    aimf_allow_clear(&o->allow);
}

static gboolean invalid(const char *message, GError **error)
{
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, message);
    return FALSE;
}

static gboolean is_table(const char *path)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    return g_str_has_suffix(lower, ".csv") || g_str_has_suffix(lower, ".tsv");
}

gboolean aimf_are_tables(int n_files, char **files)
{
    for (int i = 0; i < n_files; i++)
        if (!is_table(files[i]))
            return FALSE;
    return TRUE;
}

gboolean aimf_averages_answers(const AimfEvaluateOptions *o, int n_files, char **files)
{
    return o->average && (o->data || aimf_are_tables(n_files, files));
}

static gboolean check_average(const AimfEvaluateOptions *o, int n_files, char **files, GError **error)
{
    if (n_files < 2)
        return invalid("--average needs two files or more: JSON results, tables of predictions (.csv), or models",
                       error);
    if (o->save)
        return invalid("--predictions has no meaning with --average", error);
    if (o->data && aimf_are_tables(n_files, files))
        return invalid("--data is for models, and the files are tables", error);
    int n_tables = 0;
    for (int i = 0; i < n_files; i++)
        n_tables += is_table(files[i]) ? 1 : 0;
    if (!o->data && n_tables && n_tables < n_files)
        return invalid("--average takes results, or tables (.csv, .tsv), not both", error);
    if (!aimf_averages_answers(o, n_files, files) && (o->threshold >= 0 || o->positive))
        return invalid("--threshold and --positive have no meaning with --average of results", error);
    return TRUE;
}

static gboolean check_chart(const char *option, const char *path, GError **error)
{
    if (aimf_chart_check_name(path, error))
        return aimf_cli_check_output(option, path, error);
    g_prefix_error(error, "%s: ", option);
    return FALSE;
}

static gboolean check_compare(const AimfEvaluateOptions *o, int n_files, char **files, GError **error)
{
    if (n_files < 2 || n_files % 2)
        return invalid("--compare needs two files, before and after: models, or tables of predictions (.csv); or those "
                       "before of several seeds, then as many after",
                       error);
    gboolean several = n_files > 2;
    if (several && (o->changes || o->chart || o->demands.require || o->demands.require_evidence))
        return invalid("--changes, --chart and demands are about one pair; compare one at a time", error);
    if (o->save || o->by_group_text)
        return invalid("--predictions and --by-group have no meaning with --compare", error);
    gboolean tables = aimf_are_tables(n_files, files);
    for (int i = 0; i < n_files && !o->data; i++)
        if (!is_table(files[i])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s' is taken for a model, as it does not end in .csv or .tsv, and --data is missing",
                        files[i]);
            return FALSE;
        }
    if (tables && o->data)
        return invalid("--data is for models, and the files are tables", error);
    return TRUE;
}

static gboolean check_options(AimfCli *cli, AimfEvaluateOptions *o, int n_files, char **files, GError **error)
{
    if ((o->model != NULL) + (o->given != NULL) + (o->average != FALSE) + (o->compare != FALSE) > 1)
        return invalid("--model, --from-predictions, --average and --compare exclude each other", error);
    if (o->changes && !o->compare)
        return invalid("--changes is of --compare", error);
    if (o->chart && !o->compare)
        return invalid("--chart is of --compare", error);
    if (o->impact_text && (o->compare || o->average))
        return invalid("--impact needs the rows of one result: it has no meaning with --compare and --average", error);
    if (o->impact_text && !(o->impact = aimf_cli_impact_columns(o->impact_text, error)))
        return FALSE;
    if (o->compare && !check_compare(o, n_files, files, error))
        return FALSE;
    if (o->compare)
        return aimf_allow_check(&o->allow, error);
    if (!o->average && n_files)
        return invalid("files without an option belong to --average or --compare", error);
    if (o->average && !check_average(o, n_files, files, error))
        return FALSE;
    if (o->given && (o->data || o->save))
        return invalid("--data and --predictions belong to --model, not to --from-predictions", error);
    if (!o->given && !o->average &&
        (!aimf_cli_require(cli, "--model (or --from-predictions, or --average)", o->model, error) ||
         !aimf_cli_require(cli, "--data", o->data, error)))
        return FALSE;
    return aimf_cli_by_group(o->by_group_text, &o->by_group, error) && aimf_allow_check(&o->allow, error);
}

/* That @output is none of the command's other files. */
static gboolean check_apart(const AimfEvaluateOptions *o, const char *option, const char *output, int n_files,
                            char **files, GError **error)
{
    const char *const named[] = { o->model, o->data, o->given, o->save, o->changes, o->chart, o->demands.junit };
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
        if (named[i] && named[i] != output)
            g_ptr_array_add(others, (gpointer)named[i]);
    for (int i = 0; i < n_files; i++)
        g_ptr_array_add(others, files[i]);
    return aimf_cli_check_apart(option, output, (const char *const *)others->pdata, others->len, error);
}

static gboolean check_outputs(AimfCli *cli, const AimfEvaluateOptions *o, int n_files, char **files, GError **error)
{
    const struct {
        const char *option, *path;
    } texts[] = { { "--predictions", o->save }, { "--changes", o->changes }, { "--junit", o->demands.junit } };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (texts[i].path && (!aimf_cli_check_text_output(cli, texts[i].option, texts[i].path, error) ||
                              !check_apart(o, texts[i].option, texts[i].path, n_files, files, error)))
            return FALSE;
    return !o->chart ||
           (check_chart("--chart", o->chart, error) && check_apart(o, "--chart", o->chart, n_files, files, error));
}

static gboolean parse_demands(AimfEvaluateOptions *o, GError **error)
{
    return aimf_demands_parse(&o->demands,
                              o->average   ? AIMF_ABOUT_AN_AVERAGE
                              : o->compare ? AIMF_ABOUT_A_COMPARISON
                                           : AIMF_ABOUT_ANSWERS,
                              error);
}

gboolean aimf_evaluate_parse(AimfCli *cli, int *argc, char **argv, AimfEvaluateOptions *o, GError **error)
{
    *o = (AimfEvaluateOptions){ .bootstrap = AIMF_DEFAULT_RESAMPLES, .batch = 128, .threshold = -1 };
    aimf_allow_init(&o->allow);
    const GOptionEntry entries[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &o->model, "a saved model to evaluate", "FILE" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &o->data, "manifest to evaluate it on", "CSV" },
        { "predictions", 0, 0, G_OPTION_ARG_FILENAME, &o->save,
          "also write the model's answers, with the labels; - for stdout", "CSV" },
        { "from-predictions", 0, 0, G_OPTION_ARG_FILENAME, &o->given, "evaluate answers of any program instead",
          "CSV" },
        { "average", 0, 0, G_OPTION_ARG_NONE, &o->average,
          "average several seeds instead: JSON results, tables of predictions, or models on --data", NULL },
        { "compare", 0, 0, G_OPTION_ARG_NONE, &o->compare,
          "compare two models on --data, or two tables of predictions; of several seeds those before, then those after",
          NULL },
        { "changes", 0, 0, G_OPTION_ARG_FILENAME, &o->changes, "list the pictures whose answers changed; - for stdout",
          "CSV" },
        { "chart", 0, 0, G_OPTION_ARG_FILENAME, &o->chart, "draw the comparison, as .svg or .png", "FILE" },
        { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->threshold,
          "probability from which on it is class 1 (the model's own, 0.5)", "P [0, 1]" },
        { "positive", 0, 0, G_OPTION_ARG_STRING, &o->positive,
          "the class, by number or name, that rates and gaps are of (1; none of more than two)", "CLASS" },
        { "by-group", 0, 0, G_OPTION_ARG_STRING, &o->by_group_text,
          "what to show of every protected label: tpr,precision,… or all", "MEASURES" },
        { "impact", 0, 0, G_OPTION_ARG_STRING, &o->impact_text,
          "selection rates and impact ratios by each of these columns, and by all together", "COLUMN,…" },
        { "bootstrap", 0, 0, G_OPTION_ARG_INT, &o->bootstrap,
          "resamples, for the intervals that do not follow from counts, 0 for none (1000)", "N [0, 1000000]" },
        { "require", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->demands.require,
          "exit with 3 unless this holds, \"worst_group_accuracy>=0.7\"; repeatable", "GATE" },
        { "require-evidence", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->demands.require_evidence,
          "exit with 3 if the test set refutes this, with 4 if it does not show it; repeatable", "GATE" },
        { "junit", 0, 0, G_OPTION_ARG_FILENAME, &o->demands.junit,
          "write what became of the demands as JUnit's XML; - for stdout", "XML" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &o->batch, "images at a time (128)", "N [1, 65536]" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &o->skip_bad, "unreadable images to tolerate (0)", "N [0, 2147483647]" },
        AIMF_ALLOW_ENTRY(&o->allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, argc, argv, error) && check_options(cli, o, *argc - 1, argv + 1, error) &&
           parse_demands(o, error) && check_outputs(cli, o, *argc - 1, argv + 1, error);
}
