/* aimfair demo: the whole method on drawn portraits, and a table of what it changed. */
#include "allow.h"

#include <aimfair/demo.h>

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

static double scalar(const AimfDemoModel *model, gsize column)
{
    return G_STRUCT_MEMBER(double, &model->measures->scalars, columns[column].offset);
}

static void print_measures(AimfCli *cli, const AimfDemoResult *result)
{
    const AimfDemoModel *before = &result->models[AIMF_DEMO_BIASED];
    aimf_cli_print(cli, "%-18s %8s", "", "trained");
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_cli_print(cli, " %15s", columns[c].title);
    aimf_cli_print(cli, "\n");
    for (int i = 0; i < AIMF_DEMO_N_MODELS; i++) {
        const AimfDemoModel *model = &result->models[i];
        aimf_cli_print(cli, "%-18s %2u of %2u", model->name, model->trained, result->n_tensors);
        for (gsize c = 0; c < G_N_ELEMENTS(columns); c++) {
            aimf_cli_print(cli, " %7.1f", 100 * scalar(model, c));
            if (i == AIMF_DEMO_BIASED)
                aimf_cli_print(cli, "%8s", "");
            else
                aimf_cli_print(cli, " %+6.1f ", 100 * (scalar(model, c) - scalar(before, c)));
        }
        aimf_cli_print(cli, "\n");
    }
}

static void print_groups(AimfCli *cli, const AimfDemoResult *result)
{
    aimf_cli_print(cli, "\n%-27s", "accuracy of the group");
    for (int i = 0; i < AIMF_DEMO_N_MODELS; i++)
        aimf_cli_print(cli, " %17s", result->models[i].name);
    aimf_cli_print(cli, "\n");
    const AimfMeasures *before = result->models[AIMF_DEMO_BIASED].measures;
    for (int g = 0; g < before->n_targets * before->n_protected; g++) {
        const AimfGroupMeasure *group = &before->groups[g];
        aimf_cli_print(cli, "%-27s", aimf_demo_group_name(group->target, group->group));
        for (int i = 0; i < AIMF_DEMO_N_MODELS; i++) {
            double accuracy = result->models[i].measures->groups[g].accuracy;
            if (i == AIMF_DEMO_BIASED)
                aimf_cli_print(cli, " %17.1f", 100 * accuracy);
            else
                aimf_cli_print(cli, " %10.1f %+6.1f", 100 * accuracy, 100 * (accuracy - group->accuracy));
        }
        aimf_cli_print(cli, "\n");
    }
}

/* (owned) which groups a model has made worse, whatever has become of the gap between them. */
static AimfFindings *find_worse(const AimfDemoResult *result)
{
    AimfFindings *findings = aimf_findings_new();
    const AimfMeasures *before = result->models[AIMF_DEMO_BIASED].measures;
    for (int i = AIMF_DEMO_BIASED + 1; i < AIMF_DEMO_N_MODELS; i++) {
        const AimfMeasures *after = result->models[i].measures;
        g_autoptr(GString) worse = g_string_new(NULL);
        for (int g = 0; g < before->n_targets * before->n_protected; g++) {
            const AimfGroupMeasure *group = &before->groups[g];
            double accuracy = after->groups[g].accuracy;
            if (accuracy < group->accuracy)
                g_string_append_printf(worse, "%s %s from %.1f to %.1f %%", worse->len ? ";" : "",
                                       aimf_demo_group_name(group->target, group->group), 100 * group->accuracy,
                                       100 * accuracy);
        }
        if (worse->len)
            aimf_findings_add(findings, "levelling-down", FALSE, "levelling down by %s:%s", result->models[i].name,
                              worse->str);
    }
    return findings;
}

/* In words, and only what the figures say. */
static void print_verdict(AimfCli *cli, const AimfDemoResult *result)
{
    const AimfScalars *before = &result->models[AIMF_DEMO_BIASED].measures->scalars;
    const AimfScalars *after = &result->models[AIMF_DEMO_SELECTIVE].measures->scalars;
    gboolean worst_better = after->worst_group_accuracy > before->worst_group_accuracy;
    gboolean gap_smaller = after->equalized_odds_mean < before->equalized_odds_mean;
    const char *verdict = worst_better && gap_smaller   ? "AIM-Fair made the classifier fairer"
                          : worst_better || gap_smaller ? "AIM-Fair helped by one measure and not by the other"
                                                        : "AIM-Fair did not help here";
    aimf_cli_print(cli,
                   "\n%s: the worst group's accuracy went from %.1f to %.1f %%, equalized odds from %.1f to %.1f, "
                   "overall accuracy from %.1f to %.1f %%.\n",
                   verdict, 100 * before->worst_group_accuracy, 100 * after->worst_group_accuracy,
                   100 * before->equalized_odds_mean, 100 * after->equalized_odds_mean, 100 * before->accuracy,
                   100 * after->accuracy);
    g_autoptr(AimfFindings) worse = find_worse(result);
    for (guint i = 0; i < aimf_findings_count(worse); i++)
        aimf_cli_print(cli, "%s\n", aimf_findings_at(worse, i)->text);
}

static void print_text(AimfCli *cli, const AimfDemoResult *result, const char *directory)
{
    const AimfMeasures *before = result->models[AIMF_DEMO_BIASED].measures;
    aimf_cli_print(
        cli, "Is the person smiling? %u test photographs, as many of each group; in percent, ± against biased\n\n",
        before->n);
    print_measures(cli, result);
    aimf_cli_print(cli, "\nACC: accuracy. WST: accuracy of the worst group. EO: equalized odds, the mean gap between "
                        "bearded and long-haired.\nSTD: standard deviation of the groups' accuracies. Lower is better "
                        "for EO and STD.\n");
    print_groups(cli, result);
    print_verdict(cli, result);
    aimf_cli_print(
        cli,
        "\nExamples: %s\nChart:    %s\nEverything else (%u pictures, manifests, models, sensitivities) is in "
        "'%s'. %.0f s in all.\n",
        result->portraits, result->chart, result->n_pictures, directory, result->seconds);
}

static void add_model(JsonBuilder *builder, const AimfDemoModel *model)
{
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "name", model->name);
    aimf_cli_json_int(builder, "tensors_trained", model->trained);
    aimf_cli_json_double(builder, "seconds", model->seconds);
    for (gsize c = 0; c < G_N_ELEMENTS(columns); c++)
        aimf_cli_json_double(builder, columns[c].member, scalar(model, c));
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    const AimfMeasures *measures = model->measures;
    for (int g = 0; g < measures->n_targets * measures->n_protected; g++) {
        const AimfGroupMeasure *group = &measures->groups[g];
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", aimf_demo_group_name(group->target, group->group));
        aimf_cli_json_int(builder, "n", group->n);
        aimf_cli_json_double(builder, "accuracy", group->accuracy);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static void print_json(AimfCli *cli, const AimfDemoResult *result)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_int(builder, "seed", (gint64)cli->seed);
    aimf_cli_json_text(builder, "precision", cli->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32");
    aimf_cli_json_int(builder, "pictures", result->n_pictures);
    aimf_cli_json_int(builder, "top_k", result->top_k);
    aimf_cli_json_int(builder, "tensors", result->n_tensors);
    json_builder_set_member_name(builder, "models");
    json_builder_begin_array(builder);
    for (int i = 0; i < AIMF_DEMO_N_MODELS; i++)
        add_model(builder, &result->models[i]);
    json_builder_end_array(builder);
    g_autoptr(AimfFindings) worse = find_worse(result);
    aimf_allow_json(builder, worse);
    aimf_cli_json_text(builder, "portraits", result->portraits);
    aimf_cli_json_text(builder, "chart", result->chart);
    aimf_cli_json_double(builder, "seconds", result->seconds);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_autofree char *output = NULL;
    const GOptionEntry entries[] = {
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "folder for everything it makes (demo-out)", "DIR" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    const AimfDemoOptions options = {
        .directory = output ? output : "demo-out",
        .seed = cli->seed,
        .device = cli->device,
        .precision = cli->precision,
        .threads = cli->threads,
    };
    AimfDemoResult result;
    if (!aimf_demo(&options, cli->monitor, &result, error))
        return FALSE;
    if (cli->json)
        print_json(cli, &result);
    else
        print_text(cli, &result, options.directory);
    aimf_demo_result_clear(&result);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_DEMO = {
    .name = "demo",
    .summary = "the whole method on portraits drawn on the spot, in minutes and without any data",
    .description =
        "Draws photographs in which smiles go with long hair, trains a classifier that falls for it, and makes\n"
        "it fairer with synthetic pictures: of all parameters and of the selected ones. See docs/demo.md.\n",
    .run = run,
};
