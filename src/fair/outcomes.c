/* Answers and labels side by side: from a model, from any program's CSV, and to CSV. */
#include <aimfair/fair.h>

#include "base/file.h"
#include "base/number.h"
#include "data/labels.h"
#include "fair/class_columns.h"
#include "fair/measures.h"
#include "model/model.h"

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
        aimf_softmax(logits, outcomes->n_targets, shares);
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
        if (predictions->prediction[row] >= 0)
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

/* --- From a CSV file --- */

/* Where the columns are (-1: not there), and what has been read so far. */
typedef struct {
    AimfCsv *csv;
    const AimfLabelRules *rules;
    int target, logit, probability, prediction;
    AimfClassColumns class_columns;
    double *class_row; /* (class_columns.n) of the current row */
    double threshold;
    gboolean thresholded; /* predictions are made from scores */
    int classes;
    AimfLabels *labels;
    guint n_dropped;
    GArray *targets, *groups, *predictions, *logits, *probabilities, *class_probabilities;
} Reading;

static void reading_clear(Reading *r)
{
    aimf_labels_free(r->labels);
    aimf_csv_free(r->csv);
    aimf_class_columns_clear(&r->class_columns);
    g_clear_pointer(&r->class_row, g_free);
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
    r->class_row = g_new(double, (gsize)found->n + 1);
    return TRUE;
}

static gboolean find_columns(Reading *r, const char *path, GError **error)
{
    r->target = aimf_csv_require(r->csv, "target", error);
    if (r->target < 0 || aimf_csv_require(r->csv, "protected", error) < 0)
        return FALSE;
    aimf_labels_add_protected(r->labels);
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

/* What one row says. */
typedef struct {
    int target, prediction;
    guint group;
    double logit, probability;
} Answer;

/* A number in [@low, @high]; infinity is one, since f32 logits can be. */
static AimfCellState read_number(const Reading *r, int column, double low, double high, const char *expected,
                                 double *value, GError **error)
{
    const char *text;
    AimfCellState state = aimf_cell_text(r->csv, column, r->rules, &text, error);
    if (state != AIMF_CELL_READ)
        return state;
    char *end;
    *value = g_ascii_strtod(text, &end);
    if (end != text && !*end && *value >= low && *value <= high)
        return AIMF_CELL_READ;
    aimf_csv_fail(r->csv, column, AIMF_ERROR_INVALID, error, "expected %s, found '%s'", expected, text);
    return AIMF_CELL_FAILED;
}

static AimfCellState read_scores(const Reading *r, Answer *answer, GError **error)
{
    AimfCellState state = AIMF_CELL_READ;
    if (r->logit >= 0)
        state = read_number(r, r->logit, -INFINITY, INFINITY, "a logit", &answer->logit, error);
    if (state == AIMF_CELL_READ && r->probability >= 0)
        state = read_number(r, r->probability, 0, 1, "a probability from 0 to 1", &answer->probability, error);
    else if (r->logit >= 0)
        answer->probability = 1 / (1 + exp(-answer->logit));
    return state;
}

static AimfCellState read_answer(Reading *r, Answer *answer, GError **error)
{
    AimfCellState state = aimf_cell_class(r->csv, r->target, r->rules, AIMF_MAX_CLASSES, &answer->target, error);
    if (state == AIMF_CELL_READ)
        state = read_scores(r, answer, error);
    if (state == AIMF_CELL_READ)
        state = aimf_class_columns_read(&r->class_columns, r->csv, r->rules, r->class_row, &answer->prediction, error);
    if (state == AIMF_CELL_READ && !r->thresholded)
        state = aimf_cell_class(r->csv, r->prediction, r->rules, AIMF_MAX_CLASSES, &answer->prediction, error);
    if (state == AIMF_CELL_READ) /* last, so that a row that is left out leaves no label behind */
        state = aimf_labels_read(r->labels, &answer->group, error);
    return state;
}

static gboolean read_row(Reading *r, GError **error)
{
    Answer answer = { 0 };
    AimfCellState state = read_answer(r, &answer, error);
    r->n_dropped += state == AIMF_CELL_MISSING;
    if (state != AIMF_CELL_READ)
        return state == AIMF_CELL_MISSING;
    if (r->thresholded && !r->class_columns.n)
        answer.prediction = answer.probability >= (r->threshold >= 0 ? r->threshold : 0.5);
    g_array_append_val(r->targets, answer.target);
    g_array_append_val(r->groups, answer.group);
    g_array_append_val(r->predictions, answer.prediction);
    g_array_append_vals(r->class_probabilities, r->class_row, (guint)r->class_columns.n);
    if (r->logit >= 0)
        g_array_append_val(r->logits, answer.logit);
    if (r->logit >= 0 || r->probability >= 0)
        g_array_append_val(r->probabilities, answer.probability);
    r->classes = MAX(r->classes, MAX(answer.target, answer.prediction) + 1);
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
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    r->n_dropped ? "'%s' has no rows without missing values: there is nothing to measure"
                                 : "'%s' has no rows: there is nothing to measure",
                    path);
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

/* (owned) the different labels, sorted; @groups, numbers by appearance, become indices into them. */
static char **sort_labels(const AimfLabels *labels, GArray *groups, int *n_labels)
{
    guint n = aimf_labels_count(labels), kept = 0;
    char **sorted = g_new0(char *, (gsize)n + 1);
    for (guint i = 0; i < n; i++)
        sorted[i] = g_strdup(aimf_labels_at(labels, i));
    qsort(sorted, n, sizeof *sorted, compare_labels);
    for (guint i = 0; i < n; i++) {
        if (kept && strcmp(sorted[kept - 1], sorted[i]) == 0)
            g_free(sorted[i]); /* another spelling of the one before */
        else
            sorted[kept++] = sorted[i];
    }
    sorted[kept] = NULL;
    g_autofree int *place = g_new(int, n + 1);
    for (guint i = 0; i < n; i++) {
        const char *label = aimf_labels_at(labels, i);
        place[i] = (int)((char **)bsearch(&label, sorted, kept, sizeof *sorted, compare_labels) - sorted);
    }
    for (guint i = 0; i < groups->len; i++)
        g_array_index(groups, int, i) = place[g_array_index(groups, int, i)];
    *n_labels = (int)kept;
    return sorted;
}

static gpointer take_array(GArray **array)
{
    return g_array_free(g_steal_pointer(array), FALSE);
}

AimfOutcomes *aimf_outcomes_open(const char *path, double threshold, const AimfLabelRules *rules,
                                 const AimfMonitor *monitor, GError **error)
{
    static const AimfLabelRules STRICT = { 0 };
    g_auto(Reading) r = { .threshold = threshold, .classes = 2, .rules = rules ? rules : &STRICT };
    r.csv = aimf_csv_open(path, error);
    aimf_csv_tell(r.csv, monitor);
    if (!r.csv)
        return NULL;
    r.labels = aimf_labels_new(r.csv, r.rules);
    r.targets = g_array_new(FALSE, FALSE, sizeof(int));
    r.groups = g_array_new(FALSE, FALSE, sizeof(int));
    r.predictions = g_array_new(FALSE, FALSE, sizeof(int));
    r.logits = g_array_new(FALSE, FALSE, sizeof(double));
    r.probabilities = g_array_new(FALSE, FALSE, sizeof(double));
    r.class_probabilities = g_array_new(FALSE, FALSE, sizeof(double));
    if (!find_columns(&r, path, error) || !read_rows(&r, path, error) || !aimf_labels_finish(r.labels, error))
        return NULL;
    aimf_labels_warn(r.labels, NULL, path, r.n_dropped, monitor);
    AimfOutcomes *outcomes = g_new0(AimfOutcomes, 1);
    gboolean binary = r.classes == 2; /* with more, "probability" is usually that of the predicted class */
    outcomes->n = r.targets->len;
    outcomes->n_dropped = r.n_dropped;
    outcomes->n_targets = r.classes;
    outcomes->labels = sort_labels(r.labels, r.groups, &outcomes->n_protected);
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
