#include "evaluate_seeds.h"

#include <aimfair/json.h>
#include <math.h>

/* --- Text --- */

/* "75.20 ± 1.31", with a sign if they are @changes. */
static char *mean_text(const AimfSeedStatistic *s, gboolean changes)
{
    g_autofree char *mean = changes ? g_strdup_printf("%+.2f", 100 * s->mean) : g_strdup_printf("%.2f", 100 * s->mean);
    return isnan(s->deviation) ? g_strdup(mean) : g_strdup_printf("%s ± %.2f", mean, 100 * s->deviation);
}

/* "-5.20 … +4.13", "-" where it is unknown. */
static char *interval_text(AimfInterval interval, gboolean changes)
{
    if (isnan(interval.low))
        return g_strdup("-");
    return changes ? g_strdup_printf("%+.2f … %+.2f", 100 * interval.low, 100 * interval.high)
                   : g_strdup_printf("%.2f – %.2f", 100 * interval.low, 100 * interval.high);
}

/* The rest of a line. */
static void print_statistic(AimfCli *cli, const AimfSeedStatistic *s, gboolean changes)
{
    g_autofree char *mean = mean_text(s, changes), *pictures = interval_text(s->over_pictures, changes);
    g_autofree char *seeds = interval_text(s->over_seeds, changes), *both = interval_text(s->over_both, changes);
    aimf_cli_print_padded(cli, mean, 18);
    aimf_cli_print_padded(cli, pictures, 19);
    aimf_cli_print_padded(cli, seeds, 19);
    if (changes) {
        aimf_cli_print_padded(cli, both, 19);
        if (isnan(s->p))
            aimf_cli_print(cli, "-");
        else
            aimf_cli_print(cli, "%.3g", s->p);
    } else {
        aimf_cli_print(cli, "%s", both);
    }
    aimf_cli_print(cli, "\n");
}

static void print_heading(AimfCli *cli, const char *what, gboolean changes)
{
    aimf_cli_print(cli, "\n%-36s", what);
    aimf_cli_print_padded(cli, "mean ± deviation", 18);
    aimf_cli_print(cli, "%-19s%-19s", "other pictures", "other seeds");
    aimf_cli_print(cli, changes ? "%-19s%s\n" : "%s%s\n", "both", changes ? "p (t test)" : "");
}

void aimf_cli_print_seeds(AimfCli *cli, const AimfSeeds *seeds, char *const *labels)
{
    guint n_labels = g_strv_length((char **)labels);
    print_heading(cli, seeds->changes ? "change, in points" : "over the runs", seeds->changes);
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (isnan(seeds->scalars[i].mean))
            continue;
        aimf_cli_print_title(cli, i);
        aimf_cli_print(cli, "  ");
        print_statistic(cli, &seeds->scalars[i], seeds->changes);
    }
    for (guint g = 0; g < seeds->n_groups; g++) {
        if (isnan(seeds->groups[g].mean))
            continue;
        g_autofree char *name = g_strdup_printf("accuracy of %u_%s", g / n_labels, labels[g % n_labels]);
        g_autofree char *shown = aimf_cli_printable(name);
        aimf_cli_print_padded(cli, shown, 36);
        print_statistic(cli, &seeds->groups[g], seeds->changes);
    }
    aimf_cli_print(cli,
                   "\n95 %% intervals. Other pictures: these %u models, on all pictures. Other seeds: all seeds, on "
                   "these pictures.\n",
                   seeds->n_runs);
    if (seeds->n_runs < AIMF_LEAST_SEEDS)
        aimf_cli_print(cli, "Of fewer than %d runs nothing is concluded about other seeds.\n", AIMF_LEAST_SEEDS);
}

static void print_pair(AimfCli *cli, const AimfSeedPairs *all, guint r, glong width)
{
    const AimfComparison *c = all->pairs[r];
    g_autofree char *before = aimf_cli_printable(all->before[r]), *after = aimf_cli_printable(all->after[r]);
    aimf_cli_print_padded(cli, before, width);
    aimf_cli_print_padded(cli, after, width);
    aimf_cli_print(cli, "%8.2f%8.2f%8u%8u%12.3g\n", 100 * c->before->scalars.accuracy, 100 * c->after->scalars.accuracy,
                   c->lost, c->won, c->mcnemar_mid);
}

void aimf_cli_print_pairs(AimfCli *cli, const AimfSeedPairs *all)
{
    glong width = 8;
    for (guint r = 0; r < all->n; r++)
        width = MAX(width, 2 + MAX(g_utf8_strlen(all->before[r], -1), g_utf8_strlen(all->after[r], -1)));
    g_autofree char *data = all->data ? aimf_cli_printable(all->data) : NULL;
    aimf_cli_print(cli, "%u pairs, %u sample%s%s%s\n\n", all->n, all->pairs[0]->n, AIMF_PLURAL(all->pairs[0]->n),
                   data ? " of " : "", data ? data : "");
    aimf_cli_print_padded(cli, "before", width);
    aimf_cli_print_padded(cli, "after", width);
    aimf_cli_print(cli, "%16s%8s%8s%12s\n", "accuracy, %", "lost", "won", "McNemar's p");
    for (guint r = 0; r < all->n; r++)
        print_pair(cli, all, r, width);
    aimf_cli_print_seeds(cli, all->seeds, all->pairs[0]->labels);
}

/* --- JSON --- */

static JsonNode *pair_node(const AimfSeedPairs *all, guint r)
{
    const AimfComparison *c = all->pairs[r];
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "before", all->before[r]);
    aimf_cli_json_text(builder, "after", all->after[r]);
    g_autofree char *text = aimf_comparison_json(c);
    json_builder_set_member_name(builder, "comparison");
    json_builder_add_value(builder, json_from_string(text, NULL));
    json_builder_end_object(builder);
    return json_builder_get_root(builder);
}

void aimf_cli_json_pairs(AimfCli *cli, const AimfSeedPairs *all, const AimfFindings *findings)
{
    g_autofree char *text = aimf_seeds_json(all->seeds, all->pairs[0]->labels);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "data", all->data);
    json_builder_set_member_name(builder, "pairs");
    json_builder_begin_array(builder);
    for (guint r = 0; r < all->n; r++)
        json_builder_add_value(builder, pair_node(all, r));
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "changes");
    json_builder_add_value(builder, json_from_string(text, NULL));
    aimf_allow_json(builder, findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}
