/*
 * How often intervals that rest on scores, or on more than two classes, hold the truth: of the AUC, and of the mean
 * over the classes and the worst of them. Logits are normal, each class's own is higher by what the group's pictures
 * show. JSON on stdout; what it gave is in docs/results.md. Usage: simulate_scores [SETS]
 */
#include "base/random.h"
#include "fair/intervals.h"

#include <aimfair/fair.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_SETS = 10000, MOST_CLASSES = 3, N_LABELS = 2, LARGE = 1200000 };

/* @margin: by which a picture's own logit is higher, by class and label; @size: pictures of each */
typedef struct {
    const char *name;
    int n_classes;
    double margin[MOST_CLASSES][N_LABELS];
    guint size[MOST_CLASSES];
} World;

static const World worlds[] = {
    { "two classes, AUC 0.8", 2, { { 0.6, 0.6 }, { 0.6, 0.6 } }, { 25, 25, 0 } },
    { "two classes, AUC 0.8", 2, { { 0.6, 0.6 }, { 0.6, 0.6 } }, { 100, 100, 0 } },
    { "two classes, AUC 0.98", 2, { { 1.45, 1.45 }, { 1.45, 1.45 } }, { 25, 25, 0 } },
    { "two classes, AUC 0.98", 2, { { 1.45, 1.45 }, { 1.45, 1.45 } }, { 100, 100, 0 } },
    { "two classes, one rare", 2, { { 0.9, 0.9 }, { 0.9, 0.9 } }, { 100, 10, 0 } },
    { "two classes, unlike labels", 2, { { 1.2, 0.6 }, { 0.9, 0.3 } }, { 50, 50, 0 } },
    { "three equal classes", 3, { { 1.5, 1.5 }, { 1.5, 1.5 }, { 1.5, 1.5 } }, { 25, 25, 25 } },
    { "three equal classes", 3, { { 1.5, 1.5 }, { 1.5, 1.5 }, { 1.5, 1.5 } }, { 100, 100, 100 } },
    { "three equal classes", 3, { { 1.5, 1.5 }, { 1.5, 1.5 }, { 1.5, 1.5 } }, { 500, 500, 500 } },
    { "three classes, one label worse in one", 3, { { 1.8, 1.8 }, { 1.8, 1.8 }, { 1.8, 0.8 } }, { 25, 25, 25 } },
    { "three classes, one label worse in one", 3, { { 1.8, 1.8 }, { 1.8, 1.8 }, { 1.8, 0.8 } }, { 100, 100, 100 } },
    { "three classes, one label worse in one", 3, { { 1.8, 1.8 }, { 1.8, 1.8 }, { 1.8, 0.8 } }, { 500, 500, 500 } },
    { "three classes, rare errors", 3, { { 3.5, 3.5 }, { 3.5, 3.5 }, { 3.5, 2.8 } }, { 100, 100, 100 } },
};

static double draw_normal(AimfRandom *random)
{
    return aimf_normal_quantile(CLAMP(aimf_random_uniform(random), 1e-16, 1 - 1e-16));
}

/* As many pictures of each class and label as the world has, times @times. */
static AimfOutcomes outcomes_new(const World *world, guint times)
{
    static char *labels[] = { (char *)"a", (char *)"b", NULL };
    AimfOutcomes o = { .n_targets = world->n_classes, .n_protected = N_LABELS, .labels = labels, .threshold = NAN };
    for (int k = 0; k < world->n_classes; k++)
        o.n += N_LABELS * world->size[k] * times;
    o.positive = world->n_classes == 2 ? 1 : -1;
    o.target = g_new(int, o.n);
    o.group = g_new(int, o.n);
    o.prediction = g_new(int, o.n);
    if (world->n_classes == 2)
        o.logit = g_new(double, o.n);
    else
        o.class_probability = g_new(double, (gsize)o.n *(gsize)world->n_classes);
    guint row = 0;
    for (int k = 0; k < world->n_classes; k++)
        for (int label = 0; label < N_LABELS; label++)
            for (guint i = 0; i < world->size[k] * times; i++, row++) {
                o.target[row] = k;
                o.group[row] = label;
            }
    return o;
}

static void outcomes_free(AimfOutcomes *o)
{
    g_free(o->target);
    g_free(o->group);
    g_free(o->prediction);
    g_free(o->logit);
    g_free(o->class_probability);
}

static void draw(const World *world, AimfOutcomes *o, AimfRandom *random)
{
    for (guint i = 0; i < o->n; i++) {
        double logits[MOST_CLASSES], sum = 0, margin = world->margin[o->target[i]][o->group[i]];
        if (o->logit) {
            o->logit[i] = draw_normal(random) + (o->target[i] ? margin : -margin);
            o->prediction[i] = o->logit[i] >= 0;
            continue;
        }
        o->prediction[i] = 0;
        for (int k = 0; k < world->n_classes; k++) {
            logits[k] = draw_normal(random) + (k == o->target[i] ? margin : 0);
            sum += exp(logits[k]);
            o->prediction[i] = logits[k] > logits[o->prediction[i]] ? k : o->prediction[i];
        }
        for (int k = 0; k < world->n_classes; k++)
            o->class_probability[(gsize)i * (gsize)world->n_classes + (gsize)k] = exp(logits[k]) / sum;
    }
}

/* The measures of a set so large that chance hardly moves them. */
static AimfScalars truth_of(const World *world, guint64 seed)
{
    guint one = 0;
    for (int k = 0; k < world->n_classes; k++)
        one += N_LABELS * world->size[k];
    AimfOutcomes large = outcomes_new(world, LARGE / MAX(one, 1));
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_TEST, 0);
    draw(world, &large, &random);
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(&large, 0, 0, NULL, NULL);
    AimfScalars truth = measures->scalars;
    outcomes_free(&large);
    return truth;
}

static void simulate(const World *world, guint n_sets, guint64 seed)
{
    guint known[AIMF_N_SCALARS] = { 0 }, covered[AIMF_N_SCALARS] = { 0 };
    AimfScalars truth = truth_of(world, seed);
    AimfOutcomes outcomes = outcomes_new(world, 1);
    for (guint s = 0; s < n_sets; s++) {
        AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, s);
        draw(world, &outcomes, &random);
        g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(&outcomes, 0, 0, NULL, NULL);
        for (guint i = 0; i < AIMF_N_SCALARS; i++) {
            double value = aimf_scalar_at(&truth, i);
            if (isnan(measures->intervals[i].low) || isnan(value))
                continue;
            known[i]++;
            covered[i] += value >= measures->intervals[i].low && value <= measures->intervals[i].high ? 1 : 0;
        }
    }
    const char *separator = "";
    printf("{\"world\": \"%s\", \"per_class_and_label\": [%u, %u, %u], \"coverage\": {", world->name, world->size[0],
           world->size[1], world->size[2]);
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (!known[i])
            continue;
        printf("%s\"%s\": {\"truth\": %.4f, \"covered\": %.4f}", separator, aimf_scalar_name(i),
               aimf_scalar_at(&truth, i), covered[i] / (double)known[i]);
        separator = ", ";
    }
    printf("}}");
    outcomes_free(&outcomes);
}

int main(int argc, char **argv)
{
    guint n_sets = argc > 1 ? (guint)g_ascii_strtoull(argv[1], NULL, 10) : DEFAULT_SETS;
    printf("{\"sets\": %u, \"cases\": [\n  ", n_sets);
    for (gsize w = 0; w < G_N_ELEMENTS(worlds); w++) {
        if (w)
            printf(",\n  ");
        simulate(&worlds[w], n_sets, w);
        fflush(stdout);
    }
    printf("\n]}\n");
    return 0;
}
