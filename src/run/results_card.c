/*
 * A model card, Mitchell et al. 2019, in the form that Hugging Face reads: YAML that programs take measures from, then
 * Markdown for people.
 */
#include "base/number.h"
#include "run/card_text.h"
#include "run/results.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define SCALAR(member) (offsetof(AimfScalars, member) / sizeof(double))

/* The measures that a card shows; JSON has all. */
static const guint shown_scalars[] = { SCALAR(accuracy),
                                       SCALAR(worst_group_accuracy),
                                       SCALAR(std_group_accuracy),
                                       SCALAR(balanced_accuracy),
                                       SCALAR(auc),
                                       SCALAR(equalized_odds_mean),
                                       SCALAR(equalized_odds_max),
                                       SCALAR(demographic_parity),
                                       SCALAR(calibration_error) };

/*
 * What the card is of: the first seed of the first method that came to something, else of the biased classifier.
 * @cell: NULL where nothing did
 */
typedef struct {
    const AimfRunResults *results;
    const AimfRunCell *cell;
    guint method;
    guint seed;
} Subject;

static Subject find_subject(const AimfRunResults *results)
{
    const guint methods[] = { results->n_methods > 1 ? 1 : 0, 0 };
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
        guint s = aimf_run_first_seed(results, methods[i]);
        if (s < results->n_seeds)
            return (Subject){ results, aimf_run_cell(results, methods[i], s), methods[i], s };
    }
    return (Subject){ .results = results };
}

/* The measure of more than two classes, none of which is the positive one. */
static guint of_classes(const AimfMeasures *measures, guint scalar)
{
    gboolean of_positive = scalar >= SCALAR(positive) && scalar < SCALAR(macro);
    return of_positive && measures->positive < 0 ? scalar - SCALAR(positive) + SCALAR(macro) : scalar;
}

/* --- YAML --- */

static void append_metric(GString *card, const char *type, const char *name, double value)
{
    if (!isfinite(value))
        return;
    g_string_append(card, "    - type: ");
    aimf_yaml_append(card, type);
    g_string_append(card, "\n      name: ");
    aimf_yaml_append(card, name);
    g_string_append(card, "\n      value: ");
    aimf_yaml_append_number(card, value);
    g_string_append_c(card, '\n');
}

/* (owned) "smiling, female", "class 1, female". */
static char *group_name(const AimfRunResults *results, int target, int group)
{
    const char *label = aimf_run_label_name(results, results->labels[group]);
    return results->classes ? g_strdup_printf("%s, %s", results->classes[target], label)
                            : g_strdup_printf("class %d, %s", target, label);
}

static void append_metrics(GString *card, const Subject *subject)
{
    const AimfMeasures *measures = subject->cell->measures;
    for (gsize i = 0; i < G_N_ELEMENTS(shown_scalars); i++) {
        guint scalar = of_classes(measures, shown_scalars[i]);
        append_metric(card, aimf_scalar_name(scalar), aimf_scalar_title(scalar),
                      aimf_scalar_at(&measures->scalars, scalar));
    }
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        g_autofree char *of = group_name(subject->results, group->target, group->group);
        g_autofree char *name = g_strconcat("accuracy of ", of, NULL);
        append_metric(card, "group_accuracy", name, group->accuracy);
    }
}

/* (owned) "Smiling and gender: AIM-Fair, seed 0". */
static char *subject_name(const Subject *subject)
{
    const AimfRunResults *results = subject->results;
    return g_strdup_printf("%s: %s, seed %" G_GUINT64_FORMAT, results->title ? results->title : "run",
                           results->methods[subject->method].title, results->seeds[subject->seed]);
}

/* Without a license: it is not the program's to give one. */
static void append_front(GString *card, const Subject *subject)
{
    const AimfRunResults *results = subject->results;
    g_string_append(card, "---\nlibrary_name: aimfair\npipeline_tag: image-classification\n"
                          "tags:\n- image-classification\n- fairness\n- bias-mitigation\n- aimfair\n");
    if (results->architecture) {
        g_string_append(card, "- ");
        aimf_yaml_append(card, results->architecture);
        g_string_append_c(card, '\n');
    }
    if (subject->cell) {
        g_autofree char *name = subject_name(subject);
        g_autofree char *data = g_strdup_printf("test set of %s", results->title ? results->title : "the run");
        g_string_append(card, "metrics:\n- accuracy\nmodel-index:\n- name: ");
        aimf_yaml_append(card, name);
        g_string_append(card, "\n  results:\n  - task:\n      type: image-classification\n"
                              "      name: Image classification\n    dataset:\n      type: imagefolder\n      name: ");
        aimf_yaml_append(card, data);
        g_string_append(card, "\n      split: test\n    metrics:\n");
        append_metrics(card, subject);
    }
    g_string_append(card, "---\n\n");
}

/* --- Markdown --- */

/* A text of ours, then one of others. */
static void append(GString *card, const char *own, const char *foreign)
{
    g_string_append(card, own);
    aimf_markdown_append(card, foreign);
}

/* A share in percent with two digits; a dash where it is unknown. @sign: of changes, a plus */
static void append_percent(GString *card, double share, gboolean sign)
{
    char text[AIMF_NUMBER_SIZE];
    double rounded = floor(1e4 * share + 0.5) / 100 + 0.0; /* no -0 */
    if (!isfinite(share))
        g_string_append(card, "–");
    else
        g_string_append_printf(card, "%s%s", sign && rounded > 0 ? "+" : "", aimf_number_text(text, rounded));
}

static void append_interval(GString *card, AimfInterval interval, gboolean sign)
{
    if (isnan(interval.low)) {
        g_string_append(card, "–");
        return;
    }
    append_percent(card, interval.low, sign);
    g_string_append(card, " to ");
    append_percent(card, interval.high, sign);
}

static void append_about(GString *card, const Subject *subject)
{
    const AimfRunResults *results = subject->results;
    append(card, "# ", results->title ? results->title : "A run");
    g_string_append(card, "\n\n");
    if (!subject->cell) {
        g_string_append(card, "Nothing was trained in this run: every seed of it failed.\n");
        return;
    }
    append(card, "An image classifier (", results->architecture ? results->architecture : "unknown");
    append(card, ") that predicts ", results->target ? results->target : "the target");
    for (guint i = 0; results->classes && results->classes[i]; i++)
        append(card, i ? ", " : ": ", results->classes[i]);
    append(card, ". It was made by the method '", results->methods[subject->method].title);
    g_string_append_printf(card, "' with seed %" G_GUINT64_FORMAT ". ", results->seeds[subject->seed]);
    if (subject->method)
        g_string_append(card, "A classifier that had learned a bias from its photographs was fine-tuned on balanced "
                              "synthetic pictures, so that it is fairer to the groups below.\n");
    else
        g_string_append(card, "It is the biased classifier that fairer ones are compared with.\n");
}

static void append_use(GString *card, const Subject *subject)
{
    g_string_append(card, "\n## Intended use and limits\n\n"
                          "- For research on bias in image classifiers and on how it can be lessened, and for work on "
                          "pictures that are like those of the test set.\n"
                          "- Not for decisions about people. A label is what annotators or a dataset said of a "
                          "picture, not what a person is.\n"
                          "- Fairness was measured between these groups alone:");
    for (char *const *label = subject->results->labels; *label; label++)
        append(card, label == subject->results->labels ? " " : ", ", aimf_run_label_name(subject->results, *label));
    g_string_append(card, ". Other groups, and their intersections, were not looked at.\n"
                          "- No license is claimed here. Whoever publishes the model says what may be done with it, "
                          "which also depends on the licenses of its data and of the models that it was made with.\n");
}

/* --- Data --- */

static void append_set(GString *card, const AimfRunResults *results, const AimfRunSet *set)
{
    guint n_labels, n_classes = (guint)MAX(aimf_manifest_classes(set->manifest), 0);
    const char *const *labels = aimf_manifest_groups(set->manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(set->manifest);
    guint n_names = results->classes ? g_strv_length(results->classes) : 0;
    for (guint i = 0; i < n_classes * n_labels; i++) {
        g_string_append_printf(card, "| %s | ", set->name);
        if (i / n_labels < n_names)
            aimf_markdown_append(card, results->classes[i / n_labels]);
        else
            g_string_append_printf(card, "%u", i / n_labels);
        append(card, " | ", aimf_run_label_name(results, labels[i % n_labels]));
        g_string_append_printf(card, " | %u |\n", counts[i]);
    }
}

static void append_data(GString *card, const AimfRunResults *results)
{
    g_string_append(card, "\n## Data\n\n| set | class | group | pictures |\n| --- | --- | --- | ---: |\n");
    for (guint i = 0; i < AIMF_N_SETS; i++)
        if (results->sets[i].manifest)
            append_set(card, results, &results->sets[i]);
}

static void append_rate(GString *card, double rate)
{
    char text[AIMF_NUMBER_SIZE];
    g_string_append(card, aimf_number_text(text, rate));
}

static void append_training(GString *card, const Subject *subject)
{
    const AimfRunResults *results = subject->results;
    const AimfRunCell *cell = subject->cell;
    const AimfRunMethod *method = &results->methods[subject->method];
    guint n = cell->history ? cell->history->len : 0;
    g_string_append(card, "\n## How it was trained\n\n");
    if (cell->trained)
        g_string_append_printf(card, "- %u of its %u tensors were trained.", g_strv_length(cell->trained),
                               cell->n_tensors);
    if (cell->trained && method->k)
        g_string_append_printf(card,
                               " They are among both the %u that react least to the synthetic look and the %u that "
                               "react most to bias.",
                               method->k, method->k);
    g_string_append(card, cell->trained ? "\n" : "");
    if (n) {
        const AimfEpoch *first = &g_array_index(cell->history, AimfEpoch, 0);
        g_string_append_printf(card, "- %u epoch%s, the first at a learning rate of ", n, n == 1 ? "" : "s");
        append_rate(card, first->learning_rate);
        g_string_append(card, ", the last at ");
        append_rate(card, g_array_index(cell->history, AimfEpoch, n - 1).learning_rate);
        g_string_append(card, ".\n");
    } else {
        g_string_append(card, "- The training itself was not a part of the run.\n");
    }
    append(card, "- aimfair ", results->program ? results->program : "of an unknown version");
    append(card, ", precision ", results->precision ? results->precision : "unknown");
    g_string_append_printf(card, ", %d thread%s", results->threads, results->threads == 1 ? "" : "s");
    if (cell->engine)
        append(card, "; ", cell->engine);
    g_string_append(card, ".\n");
}

/* --- Results --- */

static void append_scalar_row(GString *card, const Subject *subject, guint scalar)
{
    const AimfMeasures *measures = subject->cell->measures;
    const AimfComparison *c = subject->cell->comparison;
    if (isnan(aimf_scalar_at(&measures->scalars, scalar)))
        return;
    g_string_append_printf(card, "| %s | ", aimf_scalar_title(scalar));
    append_percent(card, c ? aimf_scalar_at(&c->before->scalars, scalar) : NAN, FALSE);
    g_string_append(card, " | ");
    append_percent(card, aimf_scalar_at(&measures->scalars, scalar), FALSE);
    g_string_append(card, " | ");
    append_interval(card, measures->intervals[scalar], FALSE);
    g_string_append(card, " | ");
    append_percent(card, c ? c->changes[scalar] : NAN, TRUE);
    g_string_append(card, " | ");
    append_interval(card, c ? c->intervals[scalar] : (AimfInterval){ NAN, NAN }, TRUE);
    g_string_append(card, " |\n");
}

static void append_group_row(GString *card, const Subject *subject, int index)
{
    const AimfGroupMeasure *group = &subject->cell->measures->groups[index];
    const AimfComparison *c = subject->cell->comparison;
    const AimfGroupPairs *pairs = c ? &c->groups[index] : NULL;
    double n = pairs && pairs->n ? (double)pairs->n : NAN;
    g_autofree char *name = group_name(subject->results, group->target, group->group);
    append(card, "| accuracy of ", name);
    g_string_append_printf(card, " (%u) | ", group->n);
    append_percent(card, pairs ? pairs->right_before / n : NAN, FALSE);
    g_string_append(card, " | ");
    append_percent(card, group->accuracy, FALSE);
    g_string_append(card, " | ");
    append_interval(card, group->interval, FALSE);
    g_string_append(card, " | ");
    append_percent(card, pairs ? ((double)pairs->right_after - (double)pairs->right_before) / n : NAN, TRUE);
    g_string_append(card, " | ");
    append_interval(card, pairs ? pairs->change : (AimfInterval){ NAN, NAN }, TRUE);
    g_string_append(card, " |\n");
}

static void append_results(GString *card, const Subject *subject)
{
    const AimfMeasures *measures = subject->cell->measures;
    g_string_append_printf(card,
                           "\n## Results\n\nOf this model on the %u pictures of the test set, in percent, with "
                           "intervals of 95 %%. Before is the biased classifier of the same seed. Of groups the "
                           "number of pictures stands in parentheses.\n\n"
                           "| measure | before | after | interval | change | interval of the change |\n"
                           "| --- | ---: | ---: | --- | ---: | --- |\n",
                           measures->n);
    for (gsize i = 0; i < G_N_ELEMENTS(shown_scalars); i++)
        append_scalar_row(card, subject, of_classes(measures, shown_scalars[i]));
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++)
        append_group_row(card, subject, i);
}

/* One model may be lucky: the means of all seeds stand beside it. */
static void append_averages(GString *card, const AimfRunResults *results)
{
    static const guint scalars[] = { SCALAR(accuracy), SCALAR(worst_group_accuracy), SCALAR(equalized_odds_mean) };
    g_string_append(card, "\nAveraged over the seeds:\n\n"
                          "| method | seeds | accuracy | worst group | equalized odds |\n"
                          "| --- | ---: | ---: | ---: | ---: |\n");
    for (guint m = 0; m < results->n_methods; m++) {
        const AimfMeasures *measures = results->averages[m].measures;
        append(card, "| ", results->methods[m].title);
        g_string_append_printf(card, " | %u of %u", results->averages[m].n, results->n_seeds);
        for (gsize i = 0; i < G_N_ELEMENTS(scalars); i++) {
            g_string_append(card, " | ");
            append_percent(card, measures ? aimf_scalar_at(&measures->scalars, of_classes(measures, scalars[i])) : NAN,
                           FALSE);
        }
        g_string_append(card, " |\n");
    }
}

static void append_caveats(GString *card, const Subject *subject)
{
    const AimfComparison *c = subject->cell->comparison;
    guint lost = 0;
    g_string_append(card, "\n## Caveats\n\n"
                          "- Equal rates on this test set promise nothing elsewhere: other cameras, countries and "
                          "years give other pictures.\n"
                          "- Measures of fairness contradict one another; a small gap in one may come with a large "
                          "one in another, or with lower accuracy for all.\n"
                          "- Synthetic pictures have stereotypes and faults of the model that painted them.\n");
    for (int i = 0; c && i < c->before->n_targets * c->before->n_protected; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        g_autofree char *name = group_name(subject->results, group->target, group->group);
        if (group->right_after < group->right_before)
            append(card, lost++ ? "; " : "- Groups that lost accuracy against the biased classifier: ", name);
    }
    g_string_append(card, lost ? ".\n" : "");
    if (c && !lost)
        g_string_append(card, "- No group lost accuracy against the biased classifier on this test set.\n");
}

static void append_hash(GString *card, const char *own, const char *name, const char *sha256)
{
    if (!sha256)
        return;
    append(card, own, name);
    append(card, " | ", sha256);
    g_string_append(card, " |\n");
}

static void append_hashes(GString *card, const Subject *subject)
{
    const AimfRunCell *cell = subject->cell;
    g_string_append(card, "\n## Hashes\n\n| SHA-256 of | |\n| --- | --- |\n");
    append_hash(card, "| the model's file, ", cell->folder, cell->model_sha256);
    append_hash(card, "| its weights, ", cell->folder, cell->weights_sha256);
    for (guint i = 0; i < AIMF_N_SETS; i++) {
        const AimfRunSet *set = &subject->results->sets[i];
        append_hash(card, "| the list ", set->path, set->sha256);
        append_hash(card, "| the pictures of ", set->path, set->pictures_sha256);
    }
}

char *aimf_results_card(const AimfRunResults *results)
{
    GString *card = g_string_new(NULL);
    Subject subject = find_subject(results);
    append_front(card, &subject);
    append_about(card, &subject);
    append_use(card, &subject);
    append_data(card, results);
    if (subject.cell) {
        append_training(card, &subject);
        append_results(card, &subject);
        append_averages(card, results);
        append_caveats(card, &subject);
        append_hashes(card, &subject);
    }
    return g_string_free(card, FALSE);
}
