/*
 * How often demands for evidence are decided wrongly: test sets are drawn from groups whose accuracies are known, and
 * judged by demands whose bound is exactly the truth, where "met" may come about in 2.5 % and "not met" in 5 % of the
 * sets; where all gaps are 0 also by a bound of 0.1, which must not be refuted. JSON on stdout; what it gave is in
 * docs/results.md. Usage: simulate_demands [SETS]
 */
#include "base/random.h"
#include "fair/intervals.h"

#include <aimfair/verdicts.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_GROUPS = 4, DEFAULT_SETS = 10000, LARGE = 4000000 };

/*
 * Of the groups 0_a, 0_b, 1_a, 1_b. @before: of a classifier that @accuracy is compared with
 * @demands: measures whose bound is @bound, or with a negative one the world's truth
 */
typedef struct {
    const char *name;
    double accuracy[N_GROUPS], before[N_GROUPS];
    double bound;
    const char *demands[12];
} World;

#define GAPS                                                                                                           \
    "equal_opportunity<=", "demographic_parity<=", "equalized_odds.max<=", "equalized_odds.mean<=", "precision_gap<="
#define ALL                                                                                                            \
    "accuracy>=", "balanced_accuracy>=", "worst_group_accuracy>=", GAPS,                                               \
        "equal_opportunity_ratio>=", "auc>=", "no_group_worse_than<="

static const World worlds[] = {
    { "equal, 0.8", { 0.8, 0.8, 0.8, 0.8 }, { 0.8, 0.8, 0.8, 0.8 }, 0.1, { GAPS } },
    { "equal, rare errors", { 0.98, 0.98, 0.98, 0.98 }, { 0.98, 0.98, 0.98, 0.98 }, 0.1, { GAPS } },
    { "one group worse", { 0.9, 0.9, 0.9, 0.7 }, { 0.9, 0.9, 0.9, 0.75 }, -1, { ALL } },
    { "rare errors, one group worse", { 0.99, 0.99, 0.99, 0.94 }, { 0.99, 0.99, 0.99, 0.98 }, -1, { ALL } },
    { "all gaps", { 0.95, 0.75, 0.9, 0.6 }, { 0.95, 0.8, 0.95, 0.6 }, -1, { ALL } },
    { "equal, at the bound",
      { 0.8, 0.8, 0.8, 0.8 },
      { 0.85, 0.85, 0.85, 0.85 },
      -1,
      { "accuracy>=", "balanced_accuracy>=", "worst_group_accuracy>=", "no_group_worse_than<=" } },
    { "rare errors, at the bound",
      { 0.98, 0.98, 0.98, 0.98 },
      { 0.99, 0.99, 0.99, 0.99 },
      -1,
      { "accuracy>=", "balanced_accuracy>=", "worst_group_accuracy>=", "no_group_worse_than<=" } },
};
static const guint sizes[] = { 25, 100, 500 };

typedef struct {
    AimfOutcomes before, after;
} Sets;

static AimfOutcomes outcomes_new(guint n)
{
    static char *labels[] = { (char *)"a", (char *)"b", NULL };
    AimfOutcomes outcomes = { .n = n,
                              .n_targets = 2,
                              .n_protected = 2,
                              .target = g_new(int, n),
                              .group = g_new(int, n),
                              .prediction = g_new(int, n),
                              .logit = g_new0(double, n),
                              .labels = labels,
                              .positive = 1,
                              .threshold = NAN };
    for (guint i = 0; i < n; i++) {
        outcomes.target[i] = (int)(i % N_GROUPS / 2);
        outcomes.group[i] = (int)(i % 2);
    }
    return outcomes;
}

static void outcomes_free(AimfOutcomes *outcomes)
{
    g_free(outcomes->target);
    g_free(outcomes->group);
    g_free(outcomes->prediction);
    g_free(outcomes->logit);
}

/* A picture that is as hard as @hardness says, uniformly, is right below @accuracy; logits are normal. */
static void answer(AimfOutcomes *outcomes, guint i, double accuracy, double hardness)
{
    int target = outcomes->target[i];
    double margin = aimf_normal_quantile(accuracy) - aimf_normal_quantile(CLAMP(hardness, 1e-12, 1 - 1e-12));
    outcomes->prediction[i] = margin > 0 ? target : 1 - target;
    outcomes->logit[i] = target ? margin : -margin;
}

/* Nine pictures of ten are as hard for both classifiers. */
static void draw(Sets *sets, const World *world, AimfRandom *random)
{
    for (guint i = 0; i < sets->after.n; i++) {
        double hardness = aimf_random_uniform(random), own = aimf_random_uniform(random);
        gboolean shared = aimf_random_uniform(random) < 0.9;
        answer(&sets->before, i, world->before[i % N_GROUPS], hardness);
        answer(&sets->after, i, world->accuracy[i % N_GROUPS], shared ? hardness : own);
    }
}

/* Of classes 0 and 1, each half of label a and half of b, whose logits are normal. */
static double area_of(const World *world)
{
    double area = 0;
    for (int i = 0; i < 2; i++)
        for (int k = 2; k < N_GROUPS; k++)
            area +=
                erfc(-(aimf_normal_quantile(world->accuracy[i]) + aimf_normal_quantile(world->accuracy[k])) / 2) / 8;
    return area;
}

/* The measures of a set whose counts are exactly the world's. */
static AimfScalars truth_of(const World *world)
{
    AimfOutcomes large = outcomes_new(LARGE);
    for (guint i = 0; i < LARGE; i++) {
        gboolean right = i / N_GROUPS < rint(world->accuracy[i % N_GROUPS] * LARGE / N_GROUPS);
        large.prediction[i] = right ? large.target[i] : 1 - large.target[i];
    }
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(&large, 0, 0, NULL, NULL);
    AimfScalars truth = measures->scalars;
    truth.auc = area_of(world);
    outcomes_free(&large);
    return truth;
}

static double largest_loss(const World *world)
{
    double loss = -1;
    for (int i = 0; i < N_GROUPS; i++)
        loss = MAX(loss, world->before[i] - world->accuracy[i]);
    return loss;
}

static guint make_gates(const World *world, AimfGate *gates)
{
    AimfScalars truth = truth_of(world);
    guint n = 0;
    for (; n < G_N_ELEMENTS(world->demands) && world->demands[n]; n++) {
        g_autofree char *text = g_strconcat(world->demands[n], "0.5", NULL);
        g_assert_true(aimf_gate_parse(text, TRUE, &gates[n], NULL));
        double own =
            gates[n].scalar == AIMF_NO_GROUP_WORSE_THAN ? largest_loss(world) : aimf_scalar_at(&truth, gates[n].scalar);
        gates[n].bound = world->bound < 0 ? own : world->bound;
    }
    return n;
}

static void simulate(const World *world, guint size, guint n_sets, guint64 seed)
{
    AimfGate gates[G_N_ELEMENTS(world->demands)] = { 0 };
    guint n = make_gates(world, gates), decided[G_N_ELEMENTS(world->demands)][3] = { 0 };
    Sets sets = { outcomes_new(size * N_GROUPS), outcomes_new(size * N_GROUPS) };
    for (guint s = 0; s < n_sets; s++) {
        AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, s);
        draw(&sets, world, &random);
        AimfOutcomes before = sets.before, after = sets.after; /* without scores, which only the AUC needs sorted */
        before.logit = after.logit = NULL;
        g_autoptr(AimfComparison) c = aimf_compare_outcomes(&before, &after, 0, 0, NULL, NULL);
        for (guint i = 0; i < n; i++) {
            gboolean scores = g_str_equal(aimf_gate_measure(&gates[i]), "auc");
            g_autoptr(AimfVerdicts) judged =
                aimf_judge(&gates[i], 1, c->after, scores ? &sets.after : &after, c, NULL, NULL);
            decided[i][judged->verdicts[0].decision]++;
        }
    }
    printf("{\"world\": \"%s\", \"group_size\": %u, \"demands\": {", world->name, size);
    for (guint i = 0; i < n; i++) {
        printf("%s\"%s\": {\"bound\": %.6g, \"met\": %.4f, \"not_met\": %.4f}", i ? ", " : "",
               aimf_gate_measure(&gates[i]), gates[i].bound, decided[i][AIMF_MET] / (double)n_sets,
               decided[i][AIMF_NOT_MET] / (double)n_sets);
        aimf_gate_clear(&gates[i]);
    }
    printf("}}");
    outcomes_free(&sets.before);
    outcomes_free(&sets.after);
}

int main(int argc, char **argv)
{
    guint n_sets = argc > 1 ? (guint)g_ascii_strtoull(argv[1], NULL, 10) : DEFAULT_SETS;
    printf("{\"sets\": %u, \"cases\": [\n  ", n_sets);
    for (gsize w = 0; w < G_N_ELEMENTS(worlds); w++) {
        for (gsize z = 0; z < G_N_ELEMENTS(sizes); z++) {
            if (w + z)
                printf(",\n  ");
            simulate(&worlds[w], sizes[z], n_sets, w * G_N_ELEMENTS(sizes) + z);
            fflush(stdout);
        }
    }
    printf("\n]}\n");
    return 0;
}
