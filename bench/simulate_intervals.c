/*
 * How often the intervals of the measures hold the truth: test sets are drawn from groups whose accuracies are known,
 * measured, and the share of sets whose interval has the true value counted. JSON on stdout; what it gave is in
 * docs/results.md. Usage: simulate_intervals [SETS]
 */
#include "base/random.h"
#include "fair/measures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_GROUPS = 4, DEFAULT_SETS = 10000 };

/* Of the groups 0_a, 0_b, 1_a, 1_b. */
typedef struct {
    const char *name;
    double accuracy[N_GROUPS];
} World;

static const World worlds[] = {
    { "equal, 0.8", { 0.8, 0.8, 0.8, 0.8 } },      { "equal, rare errors", { 0.98, 0.98, 0.98, 0.98 } },
    { "one group worse", { 0.9, 0.9, 0.9, 0.7 } }, { "rare errors, one group worse", { 0.99, 0.99, 0.99, 0.94 } },
    { "all gaps", { 0.95, 0.75, 0.9, 0.6 } },
};
static const guint sizes[] = { 25, 100, 500 };

static guint binomial(AimfRandom *random, guint n, double p)
{
    guint x = 0;
    for (guint i = 0; i < n; i++)
        x += aimf_random_uniform(random) < p ? 1 : 0;
    return x;
}

/* @correct of @n in each group. */
static void fill(AimfCounts *counts, guint n, const double correct[N_GROUPS])
{
    for (int i = 0; i < N_GROUPS; i++)
        counts->cells[i] = (AimfCell){ .n = n, .correct = (guint64)correct[i] };
    for (int g = 0; g < 2; g++) {
        counts->totals[g] = 2 * n;
        guint64 positives = n - counts->cells[g].correct + counts->cells[2 + g].correct;
        counts->cells[2 + g].predicted = positives;
        counts->cells[g].predicted = 2 * n - positives;
        counts->cells[g].selected = n - counts->cells[g].correct;
        counts->cells[2 + g].selected = counts->cells[2 + g].correct;
    }
}

/* The measures of the world itself, as those of very large groups. */
static AimfScalars truth_of(const World *world, AimfCounts *counts)
{
    enum { LARGE = 1000000 };
    double correct[N_GROUPS];
    for (int i = 0; i < N_GROUPS; i++)
        correct[i] = rint(world->accuracy[i] * LARGE);
    fill(counts, LARGE, correct);
    return aimf_scalars_of_counts(counts);
}

typedef struct {
    guint known, low, high; /* sets with an interval; whose truth is below it, above it */
    double width;
} Tally;

static void simulate(const World *world, guint n, guint sets, guint64 seed, Tally tallies[AIMF_N_SCALARS])
{
    g_auto(AimfCounts) counts = { 0 };
    g_assert_true(aimf_counts_init(&counts, 2, 2, 1));
    AimfScalars truth = truth_of(world, &counts);
    for (guint s = 0; s < sets; s++) {
        AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, s);
        double correct[N_GROUPS];
        for (int i = 0; i < N_GROUPS; i++)
            correct[i] = binomial(&random, n, world->accuracy[i]);
        fill(&counts, n, correct);
        g_autoptr(AimfMeasures) measures = aimf_measures_of_counts(&counts);
        aimf_measures_set_intervals(measures, &counts);
        for (guint i = 0; i < AIMF_N_SCALARS; i++) {
            AimfInterval interval = measures->intervals[i];
            double value = aimf_scalar_at(&truth, i);
            if (isnan(interval.low) || isnan(value))
                continue;
            tallies[i].known++;
            tallies[i].low += value < interval.low - 1e-12 ? 1 : 0;
            tallies[i].high += value > interval.high + 1e-12 ? 1 : 0;
            tallies[i].width += interval.high - interval.low;
        }
    }
}

int main(int argc, char **argv)
{
    guint sets = argc > 1 ? (guint)g_ascii_strtoull(argv[1], NULL, 10) : DEFAULT_SETS;
    printf("{\"sets\": %u, \"cases\": [", sets);
    for (gsize w = 0; w < G_N_ELEMENTS(worlds); w++) {
        for (gsize z = 0; z < G_N_ELEMENTS(sizes); z++) {
            Tally tallies[AIMF_N_SCALARS] = { 0 };
            simulate(&worlds[w], sizes[z], sets, w * G_N_ELEMENTS(sizes) + z, tallies);
            printf("%s\n  {\"world\": \"%s\", \"group_size\": %u, \"coverage\": {", w + z ? "," : "", worlds[w].name,
                   sizes[z]);
            const char *separator = "";
            for (guint i = 0; i < AIMF_N_SCALARS; i++) {
                const Tally *t = &tallies[i];
                if (!t->known)
                    continue;
                printf(
                    "%s\"%s\": {\"covered\": %.4f, \"above\": %.4f, \"below\": %.4f, \"width\": %.4f, \"known\": %.4f}",
                    separator, aimf_scalar_name(i), 1 - (t->low + t->high) / (double)t->known,
                    t->high / (double)t->known, t->low / (double)t->known, t->width / t->known,
                    t->known / (double)sets);
                separator = ", ";
            }
            printf("}}");
        }
    }
    printf("\n]}\n");
    return 0;
}
