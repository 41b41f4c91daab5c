/* Answers and labels side by side: from a model, and to CSV. */
#include <aimfair/fair.h>

#include "base/file.h"
#include "base/number.h"
#include "base/shown.h"
#include "data/csv.h"
#include "data/spellings.h"
#include "fair/measures.h"
#include "model/model.h"

#include <aimfair/names.h>
#include <math.h>
#include <string.h>

void aimf_outcomes_free(AimfOutcomes *outcomes)
{
    if (!outcomes)
        return;
    g_strfreev(outcomes->paths);
    g_strfreev(outcomes->labels);
    g_strfreev(outcomes->classes);
    g_free(outcomes->target);
    g_free(outcomes->group);
    g_free(outcomes->prediction);
    g_free(outcomes->logit);
    g_free(outcomes->probability);
    g_free(outcomes->class_probability);
    aimf_impact_rows_free(outcomes->impact);
    g_free(outcomes);
}

AimfRows aimf_outcomes_rows(const AimfOutcomes *outcomes)
{
    return (AimfRows){
        .n = outcomes->n,
        .n_targets = outcomes->n_targets,
        .n_protected = outcomes->n_protected,
        .positive = outcomes->positive,
        .target = outcomes->target,
        .prediction = outcomes->prediction,
        .group = outcomes->group,
        .score = outcomes->logit ? outcomes->logit : outcomes->probability,
        .probability = outcomes->probability,
        .class_probability = outcomes->class_probability,
    };
}

AimfMeasures *aimf_outcomes_measure(const AimfOutcomes *outcomes, guint resamples, guint64 seed,
                                    const AimfMonitor *monitor, GError **error)
{
    const AimfRows rows = aimf_outcomes_rows(outcomes);
    return aimf_measure_rows(&rows, resamples, seed, monitor, error);
}

/* The only class whose name is @text in another spelling, or -1. */
static int find_alike(const AimfOutcomes *outcomes, const char *text)
{
    g_autofree char *key = g_utf8_validate(text, -1, NULL) ? aimf_spelling_key(text) : NULL;
    int found = -1;
    for (int k = 0; key && outcomes->classes && k < outcomes->n_targets; k++) {
        g_autofree char *own = aimf_spelling_key(outcomes->classes[k]);
        if (strcmp(own, key) != 0)
            continue;
        if (found >= 0)
            return -1;
        found = k;
    }
    return found;
}

int aimf_outcomes_find_class(const AimfOutcomes *outcomes, const char *text, GError **error)
{
    guint64 number;
    for (int k = 0; outcomes->classes && k < outcomes->n_targets; k++)
        if (strcmp(outcomes->classes[k], text) == 0)
            return k;
    if (g_ascii_string_to_unsigned(text, 10, 0, (guint64)outcomes->n_targets - 1, &number, NULL))
        return (int)number;
    int alike = find_alike(outcomes, text);
    if (alike >= 0)
        return alike;
    g_autofree char *names = outcomes->classes ? g_strjoinv(", ", outcomes->classes) : NULL;
    g_autofree char *hint = names ? aimf_name_hint(text, (const char *const *)outcomes->classes) : g_strdup("");
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is no class%s; there are 0 to %d%s%s", AIMF_SHOWN(text),
                hint, outcomes->n_targets - 1, names ? ", called " : "", names ? names : "");
    return -1;
}

/* --- From a model --- */

static gboolean check_classes(const AimfManifest *manifest, int n_targets, GError **error)
{
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        if (sample.target >= n_targets) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s' is of class %d, but the model knows %d classes (from 0)", sample.path, sample.target,
                        n_targets);
            return FALSE;
        }
    }
    return TRUE;
}

/* @shares: (n_targets) scratch with more than two classes, else NULL. */
static void take_prediction(AimfOutcomes *outcomes, const AimfPredictions *predictions, guint row,
                            const AimfSample *sample, float *shares)
{
    const float *logits = predictions->logits + (gsize)row * (gsize)predictions->outputs;
    guint i = outcomes->n++;
    outcomes->paths[i] = g_strdup(sample->path);
    outcomes->target[i] = sample->target;
    outcomes->group[i] = sample->group;
    outcomes->prediction[i] = predictions->prediction[row];
    if (shares)
        aimf_softmax_shares(logits, outcomes->n_targets, shares);
    for (gsize k = 0, n = (gsize)outcomes->n_targets; shares && k < n; k++)
        outcomes->class_probability[i * n + k] = aimf_number_of_single(shares[k]);
    if (outcomes->n_targets > 2)
        return;
    outcomes->logit[i] = aimf_number_of_single(predictions->outputs == 1 ? logits[0] : logits[1] - logits[0]);
    outcomes->probability[i] = aimf_number_of_single(predictions->probability[row]);
}

AimfOutcomes *aimf_outcomes_from_predictions(const AimfManifest *manifest, const AimfPredictions *predictions,
                                             GError **error)
{
    guint n = aimf_manifest_count(manifest), n_labels;
    int n_targets = MAX(predictions->outputs, 2);
    const char *const *labels = aimf_manifest_groups(manifest, &n_labels);
    g_assert(predictions->n == n);
    if (!check_classes(manifest, n_targets, error))
        return NULL;
    g_autoptr(AimfOutcomes) outcomes = g_new0(AimfOutcomes, 1);
    outcomes->n_dropped = aimf_manifest_n_dropped(manifest);
    outcomes->n_targets = n_targets;
    outcomes->n_protected = (int)n_labels;
    outcomes->labels = g_new0(char *, n_labels + 1);
    for (guint i = 0; i < n_labels; i++)
        outcomes->labels[i] = g_strdup(labels[i]);
    outcomes->paths = g_new0(char *, (gsize)n + 1);
    outcomes->target = g_new(int, n);
    outcomes->group = g_new(int, n);
    outcomes->prediction = g_new(int, n);
    outcomes->logit = n_targets == 2 ? g_new(double, n) : NULL;
    outcomes->probability = n_targets == 2 ? g_new(double, n) : NULL;
    outcomes->class_probability = n_targets > 2 ? g_new(double, (gsize)n *(gsize)n_targets) : NULL;
    outcomes->classes = g_strdupv(predictions->classes);
    outcomes->positive = n_targets == 2 ? 1 : -1;
    outcomes->threshold = n_targets == 2 ? predictions->threshold : NAN;
    g_autofree float *shares = n_targets > 2 ? g_new(float, n_targets) : NULL;
    for (guint row = 0; row < n; row++) {
        AimfSample sample = aimf_manifest_at(manifest, row);
        if (predictions->prediction[row] < 0)
            outcomes->n_skipped++;
        else
            take_prediction(outcomes, predictions, row, &sample, shares);
    }
    if (!outcomes->n) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no picture was predicted: there is nothing to measure");
        return NULL;
    }
    return g_steal_pointer(&outcomes);
}

static void append_number(GString *line, double value)
{
    char text[AIMF_NUMBER_SIZE];
    g_string_append_c(line, ',');
    g_string_append(line, aimf_number_text(text, value));
}

static void append_row(GString *line, const AimfOutcomes *outcomes, guint i)
{
    if (outcomes->paths) {
        aimf_csv_append(line, outcomes->paths[i]);
        g_string_append_c(line, ',');
    }
    g_string_append_printf(line, "%d,", outcomes->target[i]);
    aimf_csv_append(line, outcomes->labels[outcomes->group[i]]);
    if (outcomes->logit)
        append_number(line, outcomes->logit[i]);
    if (outcomes->probability)
        append_number(line, outcomes->probability[i]);
    g_string_append_printf(line, ",%d", outcomes->prediction[i]);
    for (int k = 0; outcomes->class_probability && k < outcomes->n_targets; k++)
        append_number(line, outcomes->class_probability[(gsize)i * (gsize)outcomes->n_targets + (gsize)k]);
    if (outcomes->classes) {
        g_string_append_c(line, ',');
        aimf_csv_append(line, outcomes->classes[outcomes->prediction[i]]);
    }
    g_string_append_c(line, '\n');
}

gboolean aimf_outcomes_save(const AimfOutcomes *outcomes, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    g_autoptr(GString) line = g_string_new(NULL);
    if (!writer)
        return FALSE;
    aimf_writer_printf(writer, "%starget,protected,%s%sprediction", outcomes->paths ? "path," : "",
                       outcomes->logit ? "logit," : "", outcomes->probability ? "probability," : "");
    for (int k = 0; outcomes->class_probability && k < outcomes->n_targets; k++)
        aimf_writer_printf(writer, ",probability_%d", k);
    aimf_writer_printf(writer, outcomes->classes ? ",class\n" : "\n");
    for (guint i = 0; i < outcomes->n; i++) {
        g_string_truncate(line, 0);
        append_row(line, outcomes, i);
        aimf_writer_write(writer, line->str, line->len);
    }
    return aimf_writer_commit(writer, error);
}
