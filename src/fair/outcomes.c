/* Answers and labels side by side: from a model, from any program's CSV, and to CSV. */
#include <aimfair/fair.h>

#include "base/file.h"
#include "base/number.h"
#include "data/csv.h"
#include "fair/class_columns.h"
#include "fair/measures.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

enum { MAX_CLASSES = 1 << 16 };

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
    g_free(outcomes);
}

AimfMeasures *aimf_outcomes_measure(const AimfOutcomes *outcomes, guint resamples, guint64 seed,
                                    const AimfMonitor *monitor, GError **error)
{
    const AimfRows rows = {
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
    return aimf_measure_rows(&rows, resamples, seed, monitor, error);
}

int aimf_outcomes_find_class(const AimfOutcomes *outcomes, const char *text, GError **error)
{
    guint64 number;
    for (int k = 0; outcomes->classes && k < outcomes->n_targets; k++)
        if (strcmp(outcomes->classes[k], text) == 0)
            return k;
    if (g_ascii_string_to_unsigned(text, 10, 0, (guint64)outcomes->n_targets - 1, &number, NULL))
        return (int)number;
    g_autofree char *names = outcomes->classes ? g_strjoinv(", ", outcomes->classes) : NULL;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is no class; there are 0 to %d%s%s", text,
                outcomes->n_targets - 1, names ? ", called " : "", names ? names : "");
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

static void take_prediction(AimfOutcomes *outcomes, const AimfPredictions *predictions, guint row,
                            const AimfSample *sample)
{
    const float *logits = predictions->logits + (gsize)row * (gsize)predictions->outputs;
    guint i = outcomes->n++;
    outcomes->paths[i] = g_strdup(sample->path);
    outcomes->target[i] = sample->target;
    outcomes->group[i] = sample->group;
    outcomes->prediction[i] = predictions->prediction[row];
    if (outcomes->class_probability)
        aimf_softmax(logits, outcomes->n_targets, outcomes->class_probability + (gsize)i * (gsize)outcomes->n_targets);
    if (outcomes->n_targets > 2)
        return;
    outcomes->logit[i] = predictions->outputs == 1 ? logits[0] : logits[1] - logits[0];
    outcomes->probability[i] = predictions->probability[row];
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
    outcomes->n_targets = n_targets;
    outcomes->n_protected = (int)n_labels;
    outcomes->labels = g_new0(char *, n_labels + 1);
    for (guint i = 0; i < n_labels; i++)
        outcomes->labels[i] = g_strdup(labels[i]);
    outcomes->paths = g_new0(char *, (gsize)n + 1);
    outcomes->target = g_new(int, n);
    outcomes->group = g_new(int, n);
    outcomes->prediction = g_new(int, n);
    outcomes->logit = n_targets == 2 ? g_new(float, n) : NULL;
    outcomes->probability = n_targets == 2 ? g_new(float, n) : NULL;
    outcomes->class_probability = n_targets > 2 ? g_new(float, (gsize)n *(gsize)n_targets) : NULL;
    outcomes->classes = g_strdupv(predictions->classes);
    outcomes->positive = n_targets == 2 ? 1 : -1;
    outcomes->threshold = n_targets == 2 ? predictions->threshold : NAN;
    for (guint row = 0; row < n; row++) {
        AimfSample sample = aimf_manifest_at(manifest, row);
        if (predictions->prediction[row] >= 0)
            take_prediction(outcomes, predictions, row, &sample);
    }
    if (!outcomes->n) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no picture was predicted: there is nothing to measure");
        return NULL;
    }
    return g_steal_pointer(&outcomes);
}

static void append_number(GString *line, float value)
{
    char text[AIMF_NUMBER_SIZE];
    g_string_append_c(line, ',');
    g_string_append(line, aimf_number_text_single(text, value));
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

/* --- From a CSV file --- */

/* Where the columns are (-1: not there), and what has been read so far. */
typedef struct {
    AimfCsv *csv;
    int target, protected, logit, probability, prediction;
    AimfClassColumns class_columns;
    double threshold;
    gboolean thresholded; /* predictions are made from scores */
    int classes;
    GHashTable *label_index;
    GPtrArray *labels; /* in order of appearance */
    GArray *targets, *groups, *predictions, *logits, *probabilities, *class_probabilities;
} Reading;

static void reading_clear(Reading *r)
{
    aimf_csv_free(r->csv);
    g_clear_pointer(&r->label_index, g_hash_table_unref);
    g_clear_pointer(&r->labels, g_ptr_array_unref);
    aimf_class_columns_clear(&r->class_columns);
    GArray **arrays[] = { &r->targets, &r->groups,        &r->predictions,
                          &r->logits,  &r->probabilities, &r->class_probabilities };
    for (gsize i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_clear_pointer(arrays[i], g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* Of two classes, the second one's column is the probability of class 1. */
static gboolean find_class_columns(Reading *r, GError **error)
{
    AimfClassColumns *found = &r->class_columns;
    if (!aimf_class_columns_find(found, r->csv, error))
        return FALSE;
    if (found->n == 2) {
        if (r->probability < 0 && r->logit < 0)
            r->probability = found->columns[1];
        found->n = 0;
    }
    r->classes = MAX(r->classes, found->n);
    return TRUE;
}

static gboolean find_columns(Reading *r, const char *path, GError **error)
{
    r->target = aimf_csv_require(r->csv, "target", error);
    r->protected = r->target < 0 ? -1 : aimf_csv_require(r->csv, "protected", error);
    if (r->protected < 0)
        return FALSE;
    r->logit = aimf_csv_column(r->csv, "logit");
    r->probability = aimf_csv_column(r->csv, "probability");
    r->prediction = aimf_csv_column(r->csv, "prediction");
    if (!find_class_columns(r, error))
        return FALSE;
    gboolean scored = r->logit >= 0 || r->probability >= 0 || r->class_columns.n;
    r->thresholded = r->threshold >= 0 || r->prediction < 0;
    if (scored || !r->thresholded)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                r->prediction < 0 ? "'%s' has none of the columns logit, probability and prediction"
                                  : "'%s' has neither logit nor probability, so a threshold has no meaning for it",
                path);
    return FALSE;
}

/* A number in [@low, @high]; infinity is one, since f32 logits can be. */
static gboolean read_number(const AimfCsv *csv, int column, double low, double high, const char *expected,
                            double *value, GError **error)
{
    const char *text = aimf_csv_field(csv, column);
    char *end;
    *value = g_ascii_strtod(text, &end);
    if (end != text && !*end && *value >= low && *value <= high)
        return TRUE;
    return aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "expected %s, found '%s'", expected, text);
}

static gboolean read_class(Reading *r, int column, GArray *classes, GError **error)
{
    static const char expected[] = "a class number (0, 1, …)";
    double number;
    if (!read_number(r->csv, column, 0, MAX_CLASSES - 1, expected, &number, error))
        return FALSE;
    if (number != floor(number))
        return aimf_csv_fail(r->csv, column, AIMF_ERROR_INVALID, error, "expected %s, found '%s'", expected,
                             aimf_csv_field(r->csv, column));
    int value = (int)number;
    g_array_append_val(classes, value);
    r->classes = MAX(r->classes, value + 1);
    return TRUE;
}

static gboolean read_label(Reading *r, GError **error)
{
    const char *label = aimf_csv_field(r->csv, r->protected);
    if (!*label)
        return aimf_csv_fail(r->csv, r->protected, AIMF_ERROR_INVALID, error, "no protected label");
    gpointer known = g_hash_table_lookup(r->label_index, label); /* index + 1 */
    int index = known ? GPOINTER_TO_INT(known) - 1 : (int)r->labels->len;
    if (!known) {
        char *copy = g_strdup(label);
        g_ptr_array_add(r->labels, copy);
        g_hash_table_insert(r->label_index, copy, GINT_TO_POINTER(index + 1));
    }
    g_array_append_val(r->groups, index);
    return TRUE;
}

static gboolean read_scores(Reading *r, GError **error)
{
    double logit, probability;
    if (r->logit >= 0) {
        if (!read_number(r->csv, r->logit, -INFINITY, INFINITY, "a logit", &logit, error))
            return FALSE;
        float value = (float)logit;
        g_array_append_val(r->logits, value);
    }
    if (r->probability >= 0) {
        if (!read_number(r->csv, r->probability, 0, 1, "a probability from 0 to 1", &probability, error))
            return FALSE;
        float value = (float)probability;
        g_array_append_val(r->probabilities, value);
    } else if (r->logit >= 0) {
        float value = aimf_sigmoid((float)logit);
        g_array_append_val(r->probabilities, value);
    }
    return TRUE;
}

static gboolean read_row(Reading *r, GError **error)
{
    int prediction = 0;
    if (!read_class(r, r->target, r->targets, error) || !read_label(r, error) || !read_scores(r, error) ||
        !aimf_class_columns_read(&r->class_columns, r->csv, r->class_probabilities, &prediction, error))
        return FALSE;
    if (!r->thresholded)
        return read_class(r, r->prediction, r->predictions, error);
    float threshold = (float)(r->threshold >= 0 ? r->threshold : 0.5);
    if (!r->class_columns.n)
        prediction = g_array_index(r->probabilities, float, r->probabilities->len - 1) >= threshold;
    g_array_append_val(r->predictions, prediction);
    return TRUE;
}

static gboolean read_rows(Reading *r, const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    while (aimf_csv_next(r->csv, &failure)) {
        if (!read_row(r, error))
            return FALSE;
        if (r->targets->len == G_MAXINT / 2)
            break;
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!r->targets->len) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has no rows: there is nothing to measure", path);
        return FALSE;
    }
    int known = r->class_columns.n;
    if (known && r->classes > known) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has the class %d, but columns with the probabilities of %d classes (from 0)", path,
                    r->classes - 1, known);
        return FALSE;
    }
    if (r->thresholded && r->classes > 2 && (!known || r->threshold >= 0)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has %d classes: a threshold cannot tell them apart, the column prediction must", path,
                    r->classes);
        return FALSE;
    }
    return TRUE;
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the labels and lets @groups point into the sorted list. */
static char **sort_labels(GHashTable *label_index, const GPtrArray *labels, GArray *groups)
{
    guint n = labels->len;
    char **sorted = g_new0(char *, (gsize)n + 1);
    g_autofree int *place = g_new(int, n);
    for (guint i = 0; i < n; i++)
        sorted[i] = g_strdup(g_ptr_array_index(labels, i));
    qsort(sorted, n, sizeof *sorted, compare_labels);
    for (guint i = 0; i < n; i++)
        place[GPOINTER_TO_INT(g_hash_table_lookup(label_index, sorted[i])) - 1] = (int)i;
    for (guint i = 0; i < groups->len; i++)
        g_array_index(groups, int, i) = place[g_array_index(groups, int, i)];
    return sorted;
}

static gpointer take_array(GArray **array)
{
    return g_array_free(g_steal_pointer(array), FALSE);
}

AimfOutcomes *aimf_outcomes_open(const char *path, double threshold, GError **error)
{
    g_auto(Reading) r = { .csv = aimf_csv_open(path, error), .threshold = threshold, .classes = 2 };
    if (!r.csv || !find_columns(&r, path, error))
        return NULL;
    r.label_index = g_hash_table_new(g_str_hash, g_str_equal);
    r.labels = g_ptr_array_new_with_free_func(g_free);
    r.targets = g_array_new(FALSE, FALSE, sizeof(int));
    r.groups = g_array_new(FALSE, FALSE, sizeof(int));
    r.predictions = g_array_new(FALSE, FALSE, sizeof(int));
    r.logits = g_array_new(FALSE, FALSE, sizeof(float));
    r.probabilities = g_array_new(FALSE, FALSE, sizeof(float));
    r.class_probabilities = g_array_new(FALSE, FALSE, sizeof(float));
    if (!read_rows(&r, path, error))
        return NULL;
    AimfOutcomes *outcomes = g_new0(AimfOutcomes, 1);
    gboolean binary = r.classes == 2; /* with more, "probability" is usually that of the predicted class */
    outcomes->n = r.targets->len;
    outcomes->n_targets = r.classes;
    outcomes->n_protected = (int)r.labels->len;
    outcomes->labels = sort_labels(r.label_index, r.labels, r.groups);
    outcomes->target = take_array(&r.targets);
    outcomes->group = take_array(&r.groups);
    outcomes->prediction = take_array(&r.predictions);
    if (binary && r.logits->len)
        outcomes->logit = take_array(&r.logits);
    if (binary && r.probabilities->len)
        outcomes->probability = take_array(&r.probabilities);
    if (r.class_columns.n)
        outcomes->class_probability = take_array(&r.class_probabilities);
    if (r.class_columns.names && g_strv_length(r.class_columns.names) == (guint)r.classes)
        outcomes->classes = g_steal_pointer(&r.class_columns.names);
    outcomes->positive = binary ? 1 : -1;
    outcomes->threshold = binary && r.thresholded ? (r.threshold >= 0 ? r.threshold : 0.5) : NAN;
    return outcomes;
}
