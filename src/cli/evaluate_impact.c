#include "evaluate_impact.h"

#include <math.h>

/* --- Before --- */

char **aimf_cli_impact_columns(const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    for (char **name = names; *name; name++) {
        if (*g_strstrip(*name))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--impact takes names of columns with commas between them, not '%s'", text);
        return NULL;
    }
    return g_steal_pointer(&names);
}

AimfImpactRows *aimf_cli_impact_rows(AimfCli *cli, const AimfManifest *manifest, char *const *columns, int classes,
                                     const char *positive, AimfFindings *findings, GError **error)
{
    AimfLabelRules rules = cli->labels;
    rules.findings = findings;
    if (classes <= 2 || positive)
        return aimf_impact_rows_new(manifest, (const char *const *)columns, &rules, cli->monitor, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "--impact: the model has %d classes; --positive says which of them is selection", classes);
    return NULL;
}

/* --- Tables --- */

/* (owned) "female × white" */
static char *category_text(const AimfImpactCategory *category)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (char **value = category->values; *value; value++) {
        g_autofree char *shown = aimf_cli_label(*value);
        g_string_append_printf(text, "%s%s", text->len ? " × " : "", shown);
    }
    return g_strdup(text->str);
}

/* (owned) names of columns, which are any text of a file. */
static char *columns_text(const AimfImpactTable *table)
{
    g_autofree char *joined = g_strjoinv(" × ", table->columns);
    return aimf_cli_printable(joined);
}

static glong widest(const AimfImpactTable *table)
{
    enum { WIDEST = 60 };
    glong width = 8;
    for (guint i = 0; i < table->n_categories; i++) {
        g_autofree char *text = category_text(&table->categories[i]);
        width = MAX(width, g_utf8_strlen(text, -1));
    }
    return MIN(width, WIDEST);
}

/* @factor: 100 for percent */
static void print_interval(AimfCli *cli, AimfInterval interval, double factor, gboolean last)
{
    g_autofree char *text = isnan(interval.low)
                                ? g_strdup("")
                                : g_strdup_printf("%.2f – %.2f", factor * interval.low, factor * interval.high);
    aimf_cli_print(cli, *text || !last ? "   " : "");
    aimf_cli_print_padded(cli, text, last ? 0 : 14);
}

static void print_category(AimfCli *cli, const AimfImpactCategory *category, glong width)
{
    g_autofree char *text = category_text(category);
    gboolean marked = category->reference || category->small || category->below_four_fifths;
    aimf_cli_print_padded(cli, text, width);
    aimf_cli_print(cli, "%10u%10.2f%10u%10.2f", category->n, 100 * category->share, category->hits,
                   100 * category->rate);
    print_interval(cli, category->rate_interval, 100, FALSE);
    if (isnan(category->ratio))
        aimf_cli_print(cli, "%8s", "-");
    else
        aimf_cli_print(cli, "%8.3f", category->ratio);
    print_interval(cli, category->ratio_interval, 1, !marked);
    aimf_cli_print(cli, "%s%s%s%s\n", marked ? "  " : "", category->reference ? " highest" : "",
                   category->below_four_fifths ? " <4/5" : "", category->small ? " <2%" : "");
}

static void print_table(AimfCli *cli, const AimfImpactTable *table, const char *hits)
{
    glong width = widest(table);
    g_autofree char *columns = columns_text(table);
    aimf_cli_print(cli, "\n%s: %u sample%s, %u of unknown category left out\n", columns, table->n,
                   AIMF_PLURAL(table->n), table->unknown);
    aimf_cli_print_padded(cli, "category", width);
    aimf_cli_print(cli, "%10s%10s%10s%10s   %-14s%8s   95 %% interval\n", "n", "share %", hits, "rate %",
                   "95 % interval", "ratio");
    for (guint i = 0; i < table->n_categories; i++)
        print_category(cli, &table->categories[i], width);
}

static gboolean any_small(const AimfImpact *impact)
{
    for (guint t = 0; t < impact->n_tables; t++)
        for (guint i = 0; i < impact->selection[t].n_categories; i++)
            if (impact->selection[t].categories[i].small)
                return TRUE;
    return FALSE;
}

void aimf_cli_print_impact(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfImpact *impact = evaluation->impact;
    g_autofree char *name =
        evaluation->classes ? aimf_cli_printable(evaluation->classes[impact->positive]) : g_strdup("");
    aimf_cli_print(cli, "\nimpact ratios: selected are those who were predicted as class %d%s%s\n", impact->positive,
                   *name ? " " : "", name);
    for (guint t = 0; t < impact->n_tables; t++)
        print_table(cli, &impact->selection[t], "selected");
    if (impact->scoring) {
        aimf_cli_print(cli, "\nimpact ratios of scores: above are those whose %s is above the median, %.6g\n",
                       impact->score, impact->median);
        for (guint t = 0; t < impact->n_tables; t++)
            print_table(cli, &impact->scoring[t], "above");
    }
    aimf_cli_print(cli, "\nA ratio is the rate by the highest one; <4/5: it is below four fifths.\n");
    if (any_small(impact))
        aimf_cli_print(cli,
                       "<2%%: a category of less than 2 %% of all samples, whose rate is not taken for the highest."
                       "\n");
}
