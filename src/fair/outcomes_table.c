/* Any program's answers from CSV. */
#include "base/format.h"
#include "base/shown.h"
#include "data/labels.h"
#include "fair/class_columns.h"
#include "fair/contradictions.h"
#include "fair/impact_rows.h"

#include <aimfair/fair.h>
#include <math.h>
#include <string.h>

/* What is read beside the answers for impact ratios; @reader is NULL if they were not asked for. */
typedef struct {
    AimfImpactReader *reader;
    int columns[AIMF_MAX_IMPACT_COLUMNS];
    guint n_columns;
    GArray *predictions, *scores, *class_scores;
} Impact;

/* Where the columns are (-1: not there), and what has been read so far. */
typedef struct {
    AimfCsv *csv;
    const AimfLabelRules *rules;
    int path, target, logit, probability, prediction, name;
    int both[2]; /* the probabilities of two classes */
    AimfClassColumns class_columns;
    double *class_row; /* (class_columns.n) of the current row */
    double threshold;
    gboolean thresholded; /* predictions are made from scores */
    int classes;
    AimfLabels *labels;
    guint n_dropped;
    AimfContradictions contradictions;
    GPtrArray *names;      /* (nullable each) of the classes, as the column class has them */
    gboolean two_names;    /* of one class */
    GString *contradicted; /* names and targets of which there are two */
    GHashTable *target_of; /* path → target + 1 */
    GPtrArray *paths;      /* (owned each) with a column path */
    GArray *targets, *groups, *predictions, *logits, *probabilities, *class_probabilities;
    Impact impact;
} Reading;

static void reading_clear(Reading *r)
{
    aimf_labels_free(r->labels);
    aimf_csv_free(r->csv);
    aimf_class_columns_clear(&r->class_columns);
    g_clear_pointer(&r->class_row, g_free);
    g_clear_pointer(&r->names, g_ptr_array_unref);
    g_clear_pointer(&r->paths, g_ptr_array_unref);
    g_clear_pointer(&r->target_of, g_hash_table_unref);
    if (r->contradicted)
        g_string_free(r->contradicted, TRUE);
    g_clear_pointer(&r->impact.reader, aimf_impact_reader_free);
    GArray **arrays[] = {
        &r->targets,
        &r->groups,
        &r->predictions,
        &r->logits,
        &r->probabilities,
        &r->class_probabilities,
        &r->impact.scores,
        &r->impact.class_scores,
        &r->impact.predictions,
    };
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
    r->both[0] = r->both[1] = -1;
    if (found->n == 2) {
        memcpy(r->both, found->columns, sizeof r->both);
        if (r->probability < 0 && r->logit < 0)
            r->probability = found->columns[1];
        found->n = 0;
    }
    r->classes = MAX(r->classes, found->n);
    r->class_row = g_new(double, (gsize)found->n + 1);
    return TRUE;
}

static gboolean find_impact_columns(Reading *r, const char *const *columns, GError **error)
{
    Impact *impact = &r->impact;
    if (columns && !(impact->reader = aimf_impact_reader_new(columns, r->rules, error)))
        return FALSE;
    for (; impact->reader && columns[impact->n_columns]; impact->n_columns++) {
        int column = aimf_csv_require(r->csv, columns[impact->n_columns], error);
        if (column < 0) {
            g_prefix_error(error, "impact ratios: ");
            return FALSE;
        }
        impact->columns[impact->n_columns] = column;
    }
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
    r->path = aimf_csv_column(r->csv, "path");
    r->name = aimf_csv_column(r->csv, "class");
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
    int largest; /* the most probable of several classes */
    guint group;
    double logit, probability;
    gboolean complete; /* but perhaps for the group */
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
        state = aimf_class_columns_read(&r->class_columns, r->csv, r->rules, r->class_row, &answer->largest, error);
    answer->prediction = answer->largest;
    if (state == AIMF_CELL_READ && !r->thresholded)
        state = aimf_cell_class(r->csv, r->prediction, r->rules, AIMF_MAX_CLASSES, &answer->prediction, error);
    answer->complete = state == AIMF_CELL_READ;
    if (state == AIMF_CELL_READ) /* last, so that a row that is left out leaves no label behind */
        state = aimf_labels_read(r->labels, &answer->group, error);
    return state;
}

/* A column that is only compared with others; NaN if it is not there or holds no number. */
static double peek(const Reading *r, int column)
{
    char *end;
    const char *text = column < 0 ? "" : aimf_csv_field(r->csv, column);
    double value = g_ascii_strtod(text, &end);
    return end == text || *end ? NAN : value;
}

static double sum_of_classes(const Reading *r)
{
    double sum = 0;
    for (int k = 0; k < r->class_columns.n; k++)
        sum += r->class_row[k];
    return r->class_columns.n ? sum : peek(r, r->both[0]) + peek(r, r->both[1]);
}

static void compare_scores(Reading *r, const Answer *answer, int largest)
{
    AimfContradictions *found = &r->contradictions;
    guint64 line = r->csv->line;
    aimf_contradictions_compare(found, AIMF_PROBABILITIES_SUM, sum_of_classes(r), 1, line);
    if (r->class_columns.n) {
        aimf_contradictions_predicted_class(found, answer->prediction, largest, r->class_row, r->class_columns.n, line);
        return;
    }
    if (r->logit >= 0 && r->probability >= 0)
        aimf_contradictions_compare(found, AIMF_LOGIT_PROBABILITY, 1 / (1 + exp(-answer->logit)), answer->probability,
                                    line);
    if (r->logit >= 0 || r->probability >= 0) {
        aimf_contradictions_compare(found, AIMF_PROBABILITY_CLASS, answer->probability, peek(r, r->both[1]), line);
        if (!r->thresholded)
            aimf_contradictions_predicted(found, answer->prediction, answer->probability, line);
    }
}

static void contradict(Reading *r, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void contradict(Reading *r, const char *format, ...)
{
    if (!r->contradicted)
        r->contradicted = g_string_new(NULL);
    else if (r->contradicted->len > 500)
        return;
    g_string_append_printf(r->contradicted, "%sline %" G_GUINT64_FORMAT ": ", r->contradicted->len ? "; " : "",
                           r->csv->line);
    va_list args;
    va_start(args, format);
    g_autofree char *what = aimf_format_list(format, args);
    g_string_append(r->contradicted, what);
    va_end(args);
}

/* What the class of the prediction is called. */
static void take_name(Reading *r, const Answer *answer)
{
    if (r->name < 0 || r->thresholded || !g_utf8_validate(aimf_csv_field(r->csv, r->name), -1, NULL))
        return;
    const char *text = aimf_label_strip(g_ptr_array_index(r->csv->fields, (guint)r->name));
    guint k = (guint)answer->prediction;
    if (k >= r->names->len)
        g_ptr_array_set_size(r->names, answer->prediction + 1);
    const char *known = g_ptr_array_index(r->names, k);
    if (!known && *text) {
        g_ptr_array_index(r->names, k) = g_strdup(text);
    } else if (known && *text && strcmp(known, text) != 0) {
        r->two_names = TRUE;
        contradict(r, "class %u is called '%s', and '%s' before", k, AIMF_SHOWN(text), AIMF_SHOWN(known));
    }
}

static void check_target(Reading *r, const Answer *answer)
{
    const char *path = r->path < 0 ? "" : aimf_csv_field(r->csv, r->path);
    if (!*path)
        return;
    int before = GPOINTER_TO_INT(g_hash_table_lookup(r->target_of, path)) - 1;
    if (before < 0)
        g_hash_table_insert(r->target_of, g_strdup(path), GINT_TO_POINTER(answer->target + 1));
    else if (before != answer->target)
        contradict(r, "'%s' has the target %d, and %d before", AIMF_SHOWN(path), answer->target, before);
}

/* Those without a protected label, too: that somebody was not selected does not depend on it. */
static gboolean read_impact(Reading *r, const Answer *answer, GError **error)
{
    Impact *impact = &r->impact;
    for (guint i = 0; i < impact->n_columns; i++) {
        AimfErrorCode code;
        const char *text = aimf_csv_field(r->csv, impact->columns[i]);
        g_autofree char *wrong = aimf_impact_reader_add(impact->reader, i, text, &code);
        if (wrong)
            return aimf_csv_fail(r->csv, impact->columns[i], code, error, "%s", wrong);
    }
    g_array_append_val(impact->predictions, answer->prediction);
    g_array_append_vals(impact->class_scores, r->class_row, (guint)r->class_columns.n);
    if (r->logit >= 0)
        g_array_append_val(impact->scores, answer->logit);
    else if (r->probability >= 0)
        g_array_append_val(impact->scores, answer->probability);
    return TRUE;
}

static gboolean read_row(Reading *r, GError **error)
{
    Answer answer = { 0 };
    AimfCellState state = read_answer(r, &answer, error);
    r->n_dropped += state == AIMF_CELL_MISSING;
    if (r->thresholded && !r->class_columns.n)
        answer.prediction = answer.probability >= (r->threshold >= 0 ? r->threshold : 0.5);
    if (state == AIMF_CELL_FAILED || (r->impact.reader && answer.complete && !read_impact(r, &answer, error)))
        return FALSE;
    if (state == AIMF_CELL_MISSING)
        return TRUE;
    compare_scores(r, &answer, answer.largest);
    take_name(r, &answer);
    check_target(r, &answer);
    if (r->path >= 0)
        g_ptr_array_add(r->paths, g_strdup(aimf_csv_field(r->csv, r->path)));
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

/*
 * (owned, nullable) from the file's header, or from its rows: a class that is never predicted is called by its number.
 */
static char **take_names(Reading *r)
{
    if (r->class_columns.names && g_strv_length(r->class_columns.names) == (guint)r->classes)
        return g_steal_pointer(&r->class_columns.names);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(GStrv) names = g_new0(char *, (gsize)r->classes + 1);
    guint n = 0;
    for (guint k = 0; k < (guint)r->classes; k++) {
        const char *name = k < r->names->len ? g_ptr_array_index(r->names, k) : NULL;
        n += name != NULL;
        names[k] = name ? g_strdup(name) : g_strdup_printf("%u", k);
        if (!g_hash_table_add(seen, names[k]))
            return NULL;
    }
    return n && !r->two_names ? g_steal_pointer(&names) : NULL;
}

/* With more than two classes, "probability" is usually that of the predicted one. */
static void warn_of_contradictions(Reading *r, const char *path, const AimfMonitor *monitor)
{
    if (r->classes > 2) {
        static const AimfContradictions NONE = { 0 };
        AimfContradictions of_classes = NONE;
        of_classes.seen[AIMF_PROBABILITIES_SUM] = r->contradictions.seen[AIMF_PROBABILITIES_SUM];
        of_classes.seen[AIMF_PREDICTION_LARGEST] = r->contradictions.seen[AIMF_PREDICTION_LARGEST];
        r->contradictions = of_classes;
    }
    g_autofree char *text = aimf_contradictions_text(&r->contradictions, r->targets->len);
    if (text)
        aimf_labels_tell(r->labels, "contradiction", monitor, "'%s' contradicts itself: %s", path, text);
    if (r->contradicted)
        aimf_labels_tell(r->labels, "contradiction", monitor, "'%s' contradicts itself: %s", path,
                         r->contradicted->str);
}

static gpointer take_array(GArray **array)
{
    return g_array_free(g_steal_pointer(array), FALSE);
}

static AimfImpactRows *take_impact(Reading *r, const char *path, const AimfMonitor *monitor)
{
    Impact *impact = &r->impact;
    AimfImpactRows *rows = aimf_impact_reader_finish(impact->reader, path, monitor);
    if (r->classes == 2 && impact->scores->len) {
        rows->n_scores = 1;
        rows->scores = take_array(&impact->scores);
        rows->score = r->logit >= 0 ? "logit" : "probability";
    } else if (r->class_columns.n) {
        rows->n_scores = r->class_columns.n;
        rows->scores = take_array(&impact->class_scores);
        rows->score = "probability";
    }
    rows->prediction = take_array(&impact->predictions);
    return rows;
}

AimfOutcomes *aimf_outcomes_open(const char *path, double threshold, const AimfLabelRules *rules,
                                 const AimfMonitor *monitor, GError **error)
{
    const AimfOutcomesOptions options = { .threshold = threshold, .rules = rules };
    return aimf_outcomes_open_with(path, &options, monitor, error);
}

AimfOutcomes *aimf_outcomes_open_with(const char *path, const AimfOutcomesOptions *options, const AimfMonitor *monitor,
                                      GError **error)
{
    static const AimfLabelRules STRICT = { 0 };
    g_auto(Reading) r = { .threshold = options->threshold, .classes = 2 };
    r.rules = options->rules ? options->rules : &STRICT;
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
    r.impact.predictions = g_array_new(FALSE, FALSE, sizeof(int));
    r.impact.scores = g_array_new(FALSE, FALSE, sizeof(double));
    r.impact.class_scores = g_array_new(FALSE, FALSE, sizeof(double));
    r.names = g_ptr_array_new_with_free_func(g_free);
    r.paths = g_ptr_array_new_with_free_func(g_free);
    r.target_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!find_columns(&r, path, error) || !find_impact_columns(&r, options->impact, error) ||
        !read_rows(&r, path, error) || !aimf_labels_finish(r.labels, error))
        return NULL;
    aimf_labels_warn(r.labels, NULL, path, r.n_dropped, monitor);
    warn_of_contradictions(&r, path, monitor);
    AimfOutcomes *outcomes = g_new0(AimfOutcomes, 1);
    gboolean binary = r.classes == 2; /* with more, "probability" is usually that of the predicted class */
    outcomes->n = r.targets->len;
    outcomes->n_dropped = r.n_dropped;
    outcomes->n_targets = r.classes;
    outcomes->labels = sort_labels(r.labels, r.groups, &outcomes->n_protected);
    if (r.path >= 0) {
        g_ptr_array_add(r.paths, NULL);
        outcomes->paths = (char **)g_ptr_array_steal(r.paths, NULL);
    }
    outcomes->target = take_array(&r.targets);
    outcomes->group = take_array(&r.groups);
    outcomes->prediction = take_array(&r.predictions);
    if (binary && r.logits->len)
        outcomes->logit = take_array(&r.logits);
    if (binary && r.probabilities->len)
        outcomes->probability = take_array(&r.probabilities);
    if (r.class_columns.n)
        outcomes->class_probability = take_array(&r.class_probabilities);
    outcomes->classes = take_names(&r);
    outcomes->positive = binary ? 1 : -1;
    outcomes->threshold = binary && r.thresholded ? (r.threshold >= 0 ? r.threshold : 0.5) : NAN;
    outcomes->impact = r.impact.reader ? take_impact(&r, path, monitor) : NULL;
    return outcomes;
}
