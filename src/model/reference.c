/* Logits of another program on the same pictures: whether a model gives the same, and if not, what would. */
#include "model/evaluator.h"

#include "base/shown.h"
#include "model/model.h"

#include "data/csv.h"

#include <math.h>

enum { EXPLAINED_PICTURES = 4 };

/* --- Reading --- */

void aimf_references_free(AimfReferences *references)
{
    if (!references)
        return;
    aimf_manifest_free(references->pictures);
    g_free(references->logits);
    g_free(references);
}

static int logit_column(const AimfCsv *csv, int output)
{
    g_autofree char *plain = g_strdup_printf("logit%d", output), *underlined = g_strdup_printf("logit_%d", output);
    int column = aimf_csv_column(csv, plain);
    return column >= 0 ? column : aimf_csv_column(csv, underlined);
}

/* (owned) the column of every logit */
static int *find_columns(const AimfCsv *csv, int outputs, GError **error)
{
    g_autofree int *columns = g_new(int, (gsize)outputs);
    for (int i = 0; i < outputs; i++) {
        columns[i] = logit_column(csv, i);
        if (columns[i] < 0 && outputs == 1)
            columns[i] = aimf_csv_column(csv, "logit");
        if (columns[i] >= 0)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "%s: there is no column for logit %d of the model's %d; expected path and %s", csv->path, i,
                    outputs, outputs == 1 ? "logit" : "logit0, logit1 and so on");
        return NULL;
    }
    if (logit_column(csv, outputs) >= 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "%s: it has logit %d too, but the model has %d output%s, numbered from 0", csv->path, outputs,
                    outputs, AIMF_PLURAL(outputs));
        return NULL;
    }
    return g_steal_pointer(&columns);
}

static gboolean read_logit(const AimfCsv *csv, int column, double *logit, GError **error)
{
    g_autofree char *text = g_strstrip(g_strdup(aimf_csv_field(csv, column)));
    char *end;
    *logit = g_ascii_strtod(text, &end);
    if (*text && !*end && isfinite(*logit))
        return TRUE;
    return aimf_csv_fail(csv, column, AIMF_ERROR_FORMAT, error, "'%s' is not a finite number", AIMF_SHOWN(text));
}

static gboolean read_rows(AimfCsv *csv, int path, const int *columns, AimfReferences *references, GArray *logits,
                          GError **error)
{
    g_autofree char *folder = g_path_get_dirname(csv->path);
    GError *failure = NULL;
    while (aimf_csv_next(csv, &failure)) {
        const char *name = aimf_csv_field(csv, path);
        g_autofree char *full = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
        if (!*name)
            return aimf_csv_fail(csv, path, AIMF_ERROR_FORMAT, error, "the path is empty");
        aimf_manifest_add(references->pictures, full, 0, "0");
        for (int i = 0; i < references->outputs; i++) {
            double logit;
            if (!read_logit(csv, columns[i], &logit, error))
                return FALSE;
            g_array_append_val(logits, logit);
        }
    }
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

AimfReferences *aimf_references_open(const char *path, int outputs, GError **error)
{
    g_autoptr(AimfCsv) csv = aimf_csv_open(path, error);
    int path_column = csv ? aimf_csv_require(csv, "path", error) : -1;
    g_autofree int *columns = path_column >= 0 ? find_columns(csv, outputs, error) : NULL;
    if (!columns)
        return NULL;
    g_autoptr(AimfReferences) references = g_new0(AimfReferences, 1);
    g_autoptr(GArray) logits = g_array_new(FALSE, FALSE, sizeof(double));
    references->pictures = aimf_manifest_new();
    references->outputs = outputs;
    if (!read_rows(csv, path_column, columns, references, logits, error))
        return NULL;
    if (logits->len == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: it has no rows: there is nothing to compare", path);
        return NULL;
    }
    references->logits = (double *)(void *)g_array_free(g_steal_pointer(&logits), FALSE);
    return g_steal_pointer(&references);
}

/* --- Comparing --- */

static AimfDisagreement worst_of(const AimfReferences *references, const AimfPredictions *predictions)
{
    AimfDisagreement worst = { .largest = -1 };
    gsize outputs = (gsize)references->outputs;
    for (gsize i = 0; i < predictions->n * outputs; i++) {
        double found = (double)predictions->logits[i], expected = references->logits[i];
        double difference = fabs(found - expected) / MAX(1, fabs(expected));
        if (difference > worst.largest)
            worst = (AimfDisagreement){ difference, (guint)(i / outputs), (int)(i % outputs), found, expected };
    }
    return worst;
}

static gboolean check_outputs(const AimfReferences *references, const AimfModel *model, GError **error)
{
    if (references->outputs == model->outputs)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the references have %d logits, the model has %d outputs",
                references->outputs, model->outputs);
    return FALSE;
}

gboolean aimf_references_compare(const AimfReferences *references, const AimfModel *model,
                                 const AimfPredictOptions *options, const AimfMonitor *monitor,
                                 AimfDisagreement *disagreement, GError **error)
{
    if (!check_outputs(references, model, error))
        return FALSE;
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, references->pictures, options, monitor, error);
    if (predictions)
        *disagreement = worst_of(references, predictions);
    return predictions != NULL;
}

/* --- Explaining --- */

static void swap_colours(float values[3])
{
    float red = values[0];
    values[0] = values[2];
    values[2] = red;
}

/*
 * Variant @number of @from; FALSE when there is no such one. The lower bits of the number are what differs, the rest
 * the resizer.
 */
static gboolean vary(const AimfPreprocess *from, guint number, AimfPreprocess *variant)
{
    *variant = *from;
    variant->filter = number & 1 ? AIMF_BICUBIC : AIMF_BILINEAR;
    variant->aliased = (number & 2) != 0;
    variant->bgr = (number & 4) != 0;
    variant->full_range = (number & 8) != 0;
    if (number & 16) {
        swap_colours(variant->mean);
        swap_colours(variant->std);
    }
    variant->resizing = (AimfResizing)(number >> 5);
    return number >> 5 <= AIMF_RESIZE_FLOAT;
}

/* How far the model is off with the pictures brought before it by @preprocess; NULL as aimf_model_predict. */
static AimfPredictions *predict_with(AimfEvaluator *evaluator, const AimfPreprocess *preprocess,
                                     const AimfManifest *pictures, const AimfPredictOptions *options,
                                     const AimfMonitor *monitor, GError **error)
{
    const AimfLoaderOptions loading = { .preprocess = *preprocess,
                                        .batch = aimf_evaluator_batch(evaluator),
                                        .threads = options->threads };
    g_autoptr(AimfLoader) loader = aimf_loader_new(pictures, &loading, monitor, error);
    return loader ? aimf_evaluator_run(evaluator, loader, pictures, "comparing", monitor, error) : NULL;
}

gboolean aimf_references_explain(const AimfReferences *references, const AimfModel *model, double tolerance,
                                 const AimfPredictOptions *options, const AimfMonitor *monitor,
                                 AimfPreprocess *preprocess, GError **error)
{
    static const guint32 first[EXPLAINED_PICTURES] = { 0, 1, 2, 3 };
    guint n = MIN(EXPLAINED_PICTURES, aimf_manifest_count(references->pictures));
    if (!check_outputs(references, model, error))
        return FALSE;
    g_autoptr(AimfManifest) pictures = aimf_manifest_subset(references->pictures, first, n);
    AimfEvaluatorOptions evaluating = { .device = options->device,
                                        .threads = options->threads,
                                        .precision = options->precision };
    g_autoptr(AimfEvaluator) evaluator = aimf_evaluator_new(model, n, &evaluating, error);
    if (!evaluator || !aimf_evaluator_load(evaluator, model->tensors, error))
        return FALSE;
    const AimfMonitor silent = { .stop = monitor ? monitor->stop : NULL };
    AimfPreprocess variant;
    gboolean found = FALSE;
    for (guint number = 0; vary(&model->preprocess, number, &variant); number++) {
        if (!aimf_preprocess_check(&variant, NULL))
            continue;
        GError *failure = NULL;
        g_autoptr(AimfPredictions) predictions =
            predict_with(evaluator, &variant, pictures, options, &silent, &failure);
        if (!predictions && !g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_FAILED)) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        g_clear_error(&failure); /* logits that are not finite do not agree */
        double largest = predictions ? worst_of(references, predictions).largest : G_MAXDOUBLE;
        if (largest > tolerance || (found && largest == tolerance))
            continue;
        tolerance = largest;
        *preprocess = variant;
        found = TRUE;
    }
    return found;
}
