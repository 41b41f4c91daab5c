#include "run_summary.h"

#include <aimfair/json.h>
#include <math.h>

/* The four measures of the paper, as the columns of the table. */
static const struct {
    const char *title, *member;
    gsize offset;
} columns[] = {
    { "ACC", "accuracy", G_STRUCT_OFFSET(AimfScalars, accuracy) },
    { "WST", "worst_group_accuracy", G_STRUCT_OFFSET(AimfScalars, worst_group_accuracy) },
    { "EO", "equalized_odds_mean", G_STRUCT_OFFSET(AimfScalars, equalized_odds_mean) },
    { "STD", "std_group_accuracy", G_STRUCT_OFFSET(AimfScalars, std_group_accuracy) },
};

static double scalar(const AimfRunRow *row, gsize column)
{
    return row->measures ? G_STRUCT_MEMBER(double, &row->measures->scalars, columns[column].offset) : NAN;
}

/* --- Text --- */

static void print_value(AimfCli *cli, double value, double before, gboolean first)
{
    if (isnan(value))
        aimf_cli_print(cli, " %15s", "-");
    else if (first || isnan(before))
        aimf_cli_print(cli, " %7.1f%8s", 100 * value, "");
    else
        aimf_cli_print(cli, " %7.1f %+6.1f ", 100 * value, 100 * (value - before));
}

static void print_measures(AimfCli *cli, const AimfRunSummary *summary)
{
    aimf_cli_print(cli, "%-18s %5s", "", "seeds");
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_cli_print(cli, " %15s", columns[c].title);
    aimf_cli_print(cli, "\n");
    for (guint i = 0; i < summary->n_rows; i++) {
        aimf_cli_print(cli, "%-18s %5u", summary->rows[i].name, summary->rows[i].n_seeds);
        for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
            print_value(cli, scalar(&summary->rows[i], c), scalar(&summary->rows[0], c), i == 0);
        aimf_cli_print(cli, "\n");
    }
}

static char *group_name(const AimfRunSummary *summary, const AimfGroupMeasure *group)
{
    if (summary->classes)
        return g_strdup_printf("%s, %s", summary->classes[group->target], summary->label_names[group->group]);
    return g_strdup_printf("%d, %s", group->target, summary->label_names[group->group]);
}

static void print_groups(AimfCli *cli, const AimfRunSummary *summary)
{
    enum { MOST = 40 }; /* the report has all */
    const AimfMeasures *before = summary->rows[0].measures;
    guint n = (guint)(before->n_targets * before->n_protected);
    aimf_cli_print(cli, "\n%-28s", "accuracy of the group");
    for (guint i = 0; i < summary->n_rows; i++)
        aimf_cli_print(cli, " %15s", summary->rows[i].name);
    aimf_cli_print(cli, "\n");
    for (guint g = 0; g < MIN(n, MOST); g++) {
        g_autofree char *name = group_name(summary, &before->groups[g]), *shown = aimf_cli_printable(name);
        aimf_cli_print_padded(cli, shown, 28);
        for (guint i = 0; i < summary->n_rows; i++)
            print_value(cli, summary->rows[i].measures ? summary->rows[i].measures->groups[g].accuracy : NAN,
                        before->groups[g].accuracy, i == 0);
        aimf_cli_print(cli, "\n");
    }
}

static void print_gates(AimfCli *cli, const AimfRunSummary *summary)
{
    if (!summary->n_gates)
        return;
    AimfCliColour colour = summary->decision == AIMF_MET       ? AIMF_CLI_GREEN
                           : summary->decision == AIMF_NOT_MET ? AIMF_CLI_RED
                                                               : AIMF_CLI_YELLOW;
    aimf_cli_print(cli, "\n%u gate%s: ", summary->n_gates, AIMF_PLURAL(summary->n_gates));
    aimf_cli_print_coloured(cli, colour, aimf_decision_name(summary->decision));
    aimf_cli_print(cli, summary->decision == AIMF_MET ? "\n" : "; the report says which, and why\n");
}

static void print_text(AimfCli *cli, const AimfRunSummary *summary, const char *folder)
{
    g_autofree char *report = aimf_cli_printable(summary->report), *shown = aimf_cli_printable(folder);
    const AimfMeasures *before = summary->rows[0].measures;
    if (before)
        aimf_cli_print(cli, "%u test picture%s; in percent, ± against biased\n\n", before->n, AIMF_PLURAL(before->n));
    print_measures(cli, summary);
    aimf_cli_print(cli,
                   "\nACC: accuracy. WST: accuracy of the worst group. EO: equalized odds, the mean gap between the "
                   "protected groups.\nSTD: standard deviation of the groups' accuracies. Lower is better for EO "
                   "and STD.\n");
    if (before)
        print_groups(cli, summary);
    print_gates(cli, summary);
    if (summary->failed)
        aimf_cli_print(cli, "\n%u of the models failed: the report says why.\n", summary->failed);
    aimf_cli_print(cli, "\nSHA256SUMS of '%s': %s\nReport to open: %s\n", shown, summary->sums_sha256, report);
}

/* --- JSON --- */

static void add_row(JsonBuilder *builder, const AimfRunSummary *summary, const AimfRunRow *row)
{
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "name", row->name);
    aimf_cli_json_int(builder, "seeds", row->n_seeds);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_cli_json_double(builder, columns[c].member, scalar(row, c));
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    const AimfMeasures *measures = row->measures;
    for (int g = 0; measures && g < measures->n_targets * measures->n_protected; g++) {
        const AimfGroupMeasure *group = &measures->groups[g];
        json_builder_begin_object(builder);
        aimf_cli_json_int(builder, "target", group->target);
        aimf_cli_json_text(builder, "protected", summary->labels[group->group]);
        aimf_cli_json_int(builder, "n", group->n);
        aimf_cli_json_double(builder, "accuracy", group->accuracy);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static void print_json(AimfCli *cli, const AimfRunSummary *summary, const char *folder)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "folder", folder);
    json_builder_set_member_name(builder, "methods");
    json_builder_begin_array(builder);
    for (guint i = 0; i < summary->n_rows; i++)
        add_row(builder, summary, &summary->rows[i]);
    json_builder_end_array(builder);
    aimf_cli_json_int(builder, "failed", summary->failed);
    aimf_cli_json_int(builder, "gates", summary->n_gates);
    aimf_cli_json_text(builder, "decision", summary->n_gates ? aimf_decision_name(summary->decision) : NULL);
    aimf_cli_json_text(builder, "report", summary->report);
    aimf_cli_json_text(builder, "sums_sha256", summary->sums_sha256);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

/* --- Running --- */

static gboolean set(AimfConfig *config, const char *key, const char *value, GError **error)
{
    g_autofree char *setting = g_strdup_printf("%s=%s", key, value);
    return aimf_config_set(config, setting, error);
}

/* What is said on the command line holds over what the file says. */
gboolean aimf_cli_configure(AimfCli *cli, AimfConfig *config, GError **error)
{
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, cli->seed);
    g_autofree char *threads = g_strdup_printf("%d", cli->threads);
    return (!cli->seed_given || set(config, "seeds", seed, error)) &&
           (!cli->threads_given || set(config, "threads", threads, error)) &&
           (!cli->device_given || set(config, "device", aimf_device_name(cli->device), error)) &&
           (!cli->precision_given ||
            set(config, "precision", cli->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", error));
}

gboolean aimf_cli_run(AimfCli *cli, AimfConfig *config, const AimfRunOptions *options, GError **error)
{
    AimfRunSummary summary;
    if (!aimf_run(config, options, cli->monitor, &summary, error)) {
        if (error && g_error_matches(*error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED))
            aimf_cli_message(cli, AIMF_LOG_INFO, "what is done is kept; the same command goes on with it");
        return FALSE;
    }
    if (cli->json)
        print_json(cli, &summary, options->folder);
    else
        print_text(cli, &summary, options->folder);
    if (summary.failed)
        cli->exit_status = AIMF_EXIT_FAILED;
    else if (summary.n_gates && summary.decision != AIMF_MET)
        cli->exit_status = summary.decision == AIMF_NOT_MET ? AIMF_EXIT_GATE : AIMF_EXIT_EVIDENCE;
    aimf_run_summary_clear(&summary);
    return TRUE;
}
