#include "evaluate_compare.h"

#include "evaluate_answers.h"

#include <math.h>

/* What was compared. @data: (nullable) the manifest that models were asked about */
typedef struct {
    const char *before;
    const char *after;
    const char *data;
    const AimfEvidence *of_before;
    const AimfEvidence *of_after;
} ComparedFiles;

/* --- Text --- */

static void print_points(AimfCli *cli, double share)
{
    if (isnan(share))
        aimf_cli_print(cli, "%10s", "-");
    else
        aimf_cli_print(cli, "%+10.2f", 100 * share);
}

static void print_percent(AimfCli *cli, double share)
{
    if (isnan(share))
        aimf_cli_print(cli, "%10s", "-");
    else
        aimf_cli_print(cli, "%10.2f", 100 * share);
}

/* @width: of the interval; 0 at the end of a line */
static void print_change(AimfCli *cli, double before, double after, AimfInterval interval, glong width)
{
    g_autofree char *text = aimf_cli_interval_text(interval, TRUE, "");
    print_percent(cli, before);
    print_percent(cli, after);
    print_points(cli, after - before);
    if (*text || width)
        aimf_cli_print(cli, "   ");
    aimf_cli_print_padded(cli, text, width);
}

static double share(guint part, guint n)
{
    return n ? (double)part / n : NAN;
}

static void print_groups(AimfCli *cli, const AimfComparison *c)
{
    glong width = 9;
    for (char **label = c->labels; *label; label++)
        width = MAX(width, g_utf8_strlen(*label, -1));
    aimf_cli_print(cli, "\n%-8s", "target");
    aimf_cli_print_padded(cli, "protected", width);
    aimf_cli_print(cli, "%8s%10s%10s%10s   %-16s%8s%8s\n", "n", "before", "after", "change", "95 % interval", "lost",
                   "won");
    for (int i = 0; i < c->before->n_targets * c->before->n_protected; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        g_autofree char *label = aimf_cli_label(c->labels[group->group]);
        aimf_cli_print(cli, "%-8d", group->target);
        aimf_cli_print_padded(cli, label, width);
        aimf_cli_print(cli, "%8u", group->n);
        print_change(cli, share(group->right_before, group->n), share(group->right_after, group->n), group->change, 16);
        aimf_cli_print(cli, "%8u%8u\n", group->lost, group->won);
    }
}

static void print_measures(AimfCli *cli, const AimfComparison *c)
{
    aimf_cli_print(cli, "\n%-36s%8s%10s%10s   %s\n", "measure", "before", "after", "change", "95 % interval");
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if ((aimf_scalar_of_classes(i) && c->before->n_targets == 2) || isnan(c->changes[i]))
            continue;
        aimf_cli_print_title(cli, i);
        print_change(cli, aimf_scalar_at(&c->before->scalars, i), aimf_scalar_at(&c->after->scalars, i),
                     c->intervals[i], 0);
        aimf_cli_print(cli, "\n");
    }
}

static void print_comparison(AimfCli *cli, const AimfComparison *c, const ComparedFiles *files)
{
    g_autofree char *before = aimf_cli_printable(files->before), *after = aimf_cli_printable(files->after);
    g_autofree char *data = files->data ? aimf_cli_printable(files->data) : NULL;
    aimf_cli_print(cli, "before: %s\nafter:  %s\n%u sample%s%s%s\n", before, after, c->n, AIMF_PLURAL(c->n),
                   data ? " of " : "", data ? data : "");
    print_groups(cli, c);
    print_measures(cli, c);
    aimf_cli_print(cli, "\n%u sample%s lost, %u won: McNemar's p is %.3g (mid-p), %.3g (exact)\n", c->lost,
                   AIMF_PLURAL(c->lost), c->won, c->mcnemar_mid, c->mcnemar_exact);
    if (c->verdicts)
        aimf_cli_print_verdicts(cli, c->verdicts);
}

/* --- JSON --- */

void aimf_cli_json_evidence(JsonBuilder *builder, const char *name, const char *path, const AimfEvidence *evidence)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "file", path);
    aimf_cli_json_text(builder, "model_sha256", evidence->model_sha256);
    aimf_cli_json_text(builder, "data_sha256", evidence->data_sha256);
    aimf_cli_json_double(builder, "threshold", evidence->threshold);
    json_builder_end_object(builder);
}

static void json_comparison(AimfCli *cli, const AimfComparison *comparison, const ComparedFiles *files,
                            const AimfFindings *findings)
{
    g_autofree char *text = aimf_comparison_json(comparison);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_evidence(builder, "before", files->before, files->of_before);
    aimf_cli_json_evidence(builder, "after", files->after, files->of_after);
    aimf_cli_json_text(builder, "data", files->data);
    json_builder_set_member_name(builder, "comparison");
    json_builder_add_value(builder, json_from_string(text, NULL));
    aimf_allow_json(builder, findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

/* --- The whole --- */

static gboolean save_changes(const char *path, gconstpointer comparison, GError **error)
{
    return aimf_comparison_save_changes(comparison, path, error);
}

gboolean aimf_evaluate_compare(AimfCli *cli, AimfEvaluateOptions *o, char **paths, GError **error)
{
    g_autoptr(AimfEvaluation) one = g_new0(AimfEvaluation, 1), two = g_new0(AimfEvaluation, 1);
    g_autoptr(AimfOutcomes) before = aimf_evaluate_answers(cli, o, paths[0], one, error);
    g_autoptr(AimfOutcomes) after = before ? aimf_evaluate_answers(cli, o, paths[1], two, error) : NULL;
    g_autoptr(AimfComparison) comparison =
        after ? aimf_compare_outcomes(before, after, (guint)o->bootstrap, cli->seed, cli->monitor, error) : NULL;
    if (!comparison)
        return FALSE;
    aimf_comparison_check(comparison, o->allow.findings);
    comparison->verdicts =
        aimf_judge(o->demands.gates, o->demands.n, comparison->after, after, comparison, cli->monitor, error);
    if (!comparison->verdicts || !aimf_allow_report(cli, &o->allow, error) ||
        !aimf_demands_save(cli, &o->demands, comparison->verdicts, AIMF_EVALUATE_SUITE, error) ||
        (o->changes && !aimf_cli_write_text(cli, o->changes, save_changes, comparison, error)) ||
        (o->chart && !aimf_comparison_draw(comparison, paths[0], paths[1], o->chart, error)))
        return FALSE;
    const ComparedFiles files = { paths[0], paths[1], o->data, one->evidence, two->evidence };
    if (cli->json)
        json_comparison(cli, comparison, &files, o->allow.findings);
    else
        print_comparison(cli, comparison, &files);
    aimf_demands_end(cli, comparison->verdicts, comparison->after);
    return TRUE;
}
