/*
 * How often the intervals of changes hold the truth: two classifiers whose accuracies in each group are known, and
 * that agree more often than chance has it, judge the same pictures. JSON on stdout; what it gave is in
 * docs/results.md. Usage: simulate_comparisons [SETS]
 */
#include "base/random.h"

#include <aimfair/fair.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_GROUPS = 4, DEFAULT_SETS = 2000, RESAMPLES = 200, LARGE = 400000 };

/* Accuracies in the groups 0_a, 0_b, 1_a, 1_b; @agreement: share of pictures that are as hard for both. */
typedef struct {
    const char *name;
    double before[N_GROUPS], after[N_GROUPS];
    double agreement;
} World;

static const World worlds[] = {
    { "no change, equal groups", { 0.8, 0.8, 0.8, 0.8 }, { 0.8, 0.8, 0.8, 0.8 }, 0.7 },
    { "no change, a gap", { 0.9, 0.8, 0.9, 0.6 }, { 0.9, 0.8, 0.9, 0.6 }, 0.7 },
    { "the gap closes", { 0.9, 0.8, 0.9, 0.6 }, { 0.85, 0.85, 0.85, 0.8 }, 0.7 },
    { "the gap closes, nothing in common", { 0.9, 0.8, 0.9, 0.6 }, { 0.85, 0.85, 0.85, 0.8 }, 0 },
    { "rare errors", { 0.98, 0.98, 0.98, 0.94 }, { 0.98, 0.98, 0.98, 0.98 }, 0.7 },
};
static const guint sizes[] = { 25, 100, 500 };

typedef struct {
    AimfOutcomes before, after;
} Sets;

static AimfOutcomes outcomes_new(guint n, int *target, int *group, char **labels)
{
    return (AimfOutcomes){ .n = n,
                           .n_targets = 2,
                           .n_protected = 2,
                           .target = target,
                           .group = group,
                           .prediction = g_new(int, n),
                           .labels = labels,
                           .positive = 1,
                           .threshold = NAN };
}

/* Picture @i is as hard as a uniform number says; both meet the same number, or each its own. */
static void fill(Sets *sets, const World *world, AimfRandom *random)
{
    for (guint i = 0; i < sets->before.n; i++) {
        int cell = 2 * sets->before.target[i] + sets->before.group[i], target = sets->before.target[i];
        double hardness = aimf_random_uniform(random), own = aimf_random_uniform(random);
        gboolean shared = aimf_random_uniform(random) < world->agreement;
        sets->before.prediction[i] = hardness < world->before[cell] ? target : 1 - target;
        sets->after.prediction[i] = (shared ? hardness : own) < world->after[cell] ? target : 1 - target;
    }
}

/* Changes in groups so large that they are the truth: the counts are exact. */
static void truth_of(const World *world, double changes[AIMF_N_SCALARS])
{
    int *target = g_new(int, LARGE), *group = g_new(int, LARGE), *one = g_new(int, LARGE), *two = g_new(int, LARGE);
    for (guint i = 0; i < LARGE; i++) {
        guint cell = i % N_GROUPS, place = i / N_GROUPS;
        target[i] = (int)(cell / 2);
        group[i] = (int)(cell % 2);
        one[i] = place < rint(world->before[cell] * LARGE / N_GROUPS) ? target[i] : 1 - target[i];
        two[i] = place < rint(world->after[cell] * LARGE / N_GROUPS) ? target[i] : 1 - target[i];
    }
    g_autoptr(AimfMeasures) a = aimf_measure(LARGE, target, one, NULL, group, 2, 2, 0, 0, NULL, NULL);
    g_autoptr(AimfMeasures) b = aimf_measure(LARGE, target, two, NULL, group, 2, 2, 0, 0, NULL, NULL);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        changes[i] = aimf_scalar_at(&b->scalars, i) - aimf_scalar_at(&a->scalars, i);
    g_free(target);
    g_free(group);
    g_free(one);
    g_free(two);
}

static void simulate(const World *world, guint size, guint n_sets, guint64 seed)
{
    guint n = size * N_GROUPS, known[AIMF_N_SCALARS] = { 0 }, covered[AIMF_N_SCALARS] = { 0 };
    int *target = g_new(int, n), *group = g_new(int, n);
    char *labels[] = { (char *)"a", (char *)"b", NULL };
    for (guint i = 0; i < n; i++) {
        target[i] = (int)(i % N_GROUPS / 2);
        group[i] = (int)(i % 2);
    }
    Sets sets = { outcomes_new(n, target, group, labels), outcomes_new(n, target, group, labels) };
    double truth[AIMF_N_SCALARS];
    truth_of(world, truth);
    for (guint s = 0; s < n_sets; s++) {
        AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, s);
        fill(&sets, world, &random);
        g_autoptr(AimfComparison) c = aimf_compare_outcomes(&sets.before, &sets.after, RESAMPLES, s, NULL, NULL);
        for (guint i = 0; i < AIMF_N_SCALARS; i++) {
            AimfInterval interval = c->intervals[i];
            if (isnan(interval.low) || isnan(truth[i]))
                continue;
            known[i]++;
            covered[i] += truth[i] >= interval.low - 1e-12 && truth[i] <= interval.high + 1e-12 ? 1 : 0;
        }
    }
    const char *separator = "";
    printf("{\"world\": \"%s\", \"group_size\": %u, \"coverage\": {", world->name, size);
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (!known[i])
            continue;
        printf("%s\"%s\": %.4f", separator, aimf_scalar_name(i), covered[i] / (double)known[i]);
        separator = ", ";
    }
    printf("}}");
    g_free(sets.before.prediction);
    g_free(sets.after.prediction);
    g_free(target);
    g_free(group);
}

int main(int argc, char **argv)
{
    guint n_sets = argc > 1 ? (guint)g_ascii_strtoull(argv[1], NULL, 10) : DEFAULT_SETS;
    printf("{\"sets\": %u, \"resamples\": %d, \"cases\": [\n  ", n_sets, RESAMPLES);
    for (gsize w = 0; w < G_N_ELEMENTS(worlds); w++) {
        for (gsize z = 0; z < G_N_ELEMENTS(sizes); z++) {
            if (w + z)
                printf(",\n  ");
            simulate(&worlds[w], sizes[z], n_sets, w * G_N_ELEMENTS(sizes) + z);
        }
    }
    printf("\n]}\n");
    return 0;
}
