/* How much each parameter tensor feels the domain and the bias: mean absolute differences of mean gradients. */
#include "fair/sensitivity.h"

#include "base/shown.h"

#include <math.h>
#include <string.h>

enum { REAL, BIASED, BALANCED, N_SETS };
static const char *const prefixes[N_SETS] = { "real/", "biased/", "balanced/" };

void aimf_sensitivities_free(AimfSensitivities *sensitivities)
{
    if (!sensitivities)
        return;
    for (guint i = 0; i < sensitivities->n; i++)
        g_free(sensitivities->tensors[i].name);
    g_free(sensitivities->tensors);
    g_free(sensitivities->model_hash);
    aimf_findings_free(sensitivities->findings);
    g_free(sensitivities);
}

/* --- Ranks --- */

static int by_domain(gconstpointer a, gconstpointer b, gpointer data)
{
    const AimfSensitivity *tensors = data;
    guint i = *(const guint *)a, j = *(const guint *)b;
    int order = (tensors[i].domain > tensors[j].domain) - (tensors[i].domain < tensors[j].domain);
    return order ? order : (i > j) - (i < j);
}

static int by_bias(gconstpointer a, gconstpointer b, gpointer data)
{
    const AimfSensitivity *tensors = data;
    guint i = *(const guint *)a, j = *(const guint *)b;
    int order = (tensors[i].bias < tensors[j].bias) - (tensors[i].bias > tensors[j].bias);
    return order ? order : (i > j) - (i < j);
}

void aimf_sensitivities_rank(AimfSensitivities *sensitivities)
{
    guint n = sensitivities->n;
    g_autofree guint *order = g_new(guint, n);
    for (guint i = 0; i < n; i++)
        order[i] = i;
    g_qsort_with_data(order, (gint)n, sizeof *order, by_domain, sensitivities->tensors);
    for (guint i = 0; i < n; i++)
        sensitivities->tensors[order[i]].domain_rank = i + 1;
    g_qsort_with_data(order, (gint)n, sizeof *order, by_bias, sensitivities->tensors);
    for (guint i = 0; i < n; i++)
        sensitivities->tensors[order[i]].bias_rank = i + 1;
}

/* --- From gradients --- */

/* The three entries of one parameter; FALSE unless all are there and of one shape. */
static gboolean find_three(const AimfTensors *gradients, const char *name, int index[N_SETS], GError **error)
{
    for (int set = 0; set < N_SETS; set++) {
        g_autofree char *entry = g_strconcat(prefixes[set], name, NULL);
        index[set] = aimf_tensors_find(gradients, entry);
        if (index[set] < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "the gradient '%s' is missing", entry);
            return FALSE;
        }
        AimfShape first = aimf_tensors_at(gradients, (guint)index[0])->shape;
        AimfShape shape = aimf_tensors_at(gradients, (guint)index[set])->shape;
        if (!aimf_shape_equal(&first, &shape)) {
            g_autofree char *found = aimf_shape_text(&shape), *expected = aimf_shape_text(&first);
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the gradient '%s' is %s, but '%s%s' is %s", entry,
                        found, prefixes[REAL], name, expected);
            return FALSE;
        }
    }
    return TRUE;
}

static float *read_gradient(const AimfTensors *gradients, int index, gsize n, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(gradients, (guint)index);
    g_autofree float *values = g_try_new(float, n);
    if (!values) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the %" G_GSIZE_FORMAT " values of '%s'", n,
                    tensor->name);
        return NULL;
    }
    if (!aimf_tensors_read(gradients, (guint)index, AIMF_F32, values, error))
        return NULL;
    for (gsize i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                        "the gradient '%s' is not finite at element %" G_GSIZE_FORMAT
                        "; the model it was measured on has diverged or its pass overflowed",
                        tensor->name, i);
            return NULL;
        }
    }
    return g_steal_pointer(&values);
}

static double mean_difference(const float *a, const float *b, gsize n)
{
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += fabs((double)a[i] - (double)b[i]);
    return sum / (double)n;
}

static gboolean measure_tensor(const AimfTensors *gradients, const char *name, AimfSensitivity *tensor, GError **error)
{
    int index[N_SETS];
    if (!find_three(gradients, name, index, error))
        return FALSE;
    gint64 size = aimf_shape_count(&aimf_tensors_at(gradients, (guint)index[REAL])->shape);
    if (size < 1) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the gradient '%s%s' has no elements", prefixes[REAL], name);
        return FALSE;
    }
    gsize n = (gsize)size;
    g_autofree float *real = read_gradient(gradients, index[REAL], n, error);
    g_autofree float *biased = real ? read_gradient(gradients, index[BIASED], n, error) : NULL;
    g_autofree float *balanced = biased ? read_gradient(gradients, index[BALANCED], n, error) : NULL;
    if (!balanced)
        return FALSE;
    tensor->name = g_strdup(name);
    tensor->size = size;
    tensor->domain = mean_difference(real, biased, n);
    tensor->bias = mean_difference(biased, balanced, n);
    return TRUE;
}

static gboolean read_batch_norm(const AimfTensors *gradients, AimfBatchNormMode *mode, GError **error)
{
    const char *text = aimf_tensors_metadata(gradients, AIMF_GRADIENTS_BATCH_NORM_KEY);
    *mode = text ? AIMF_BATCH_NORM_FROZEN : AIMF_BATCH_NORM_TRAIN;
    if (!text || strcmp(text, "frozen") == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "the gradients' " AIMF_GRADIENTS_BATCH_NORM_KEY " is '%s'; it can only be 'frozen'", AIMF_SHOWN(text));
    return FALSE;
}

AimfSensitivities *aimf_sensitivities_from_gradients(const AimfTensors *gradients, const char *model_hash,
                                                     GError **error)
{
    guint count = aimf_tensors_count(gradients);
    g_autoptr(AimfSensitivities) sensitivities = g_new0(AimfSensitivities, 1);
    sensitivities->model_hash = g_strdup(model_hash);
    sensitivities->tensors = g_new0(AimfSensitivity, (gsize)count + 1);
    if (!read_batch_norm(gradients, &sensitivities->batch_norm, error))
        return NULL;
    for (guint i = 0; i < count; i++) {
        const char *name = aimf_tensors_at(gradients, i)->name;
        if (!g_str_has_prefix(name, prefixes[REAL]))
            continue;
        name += strlen(prefixes[REAL]);
        if (!measure_tensor(gradients, name, &sensitivities->tensors[sensitivities->n], error))
            return NULL;
        sensitivities->n++;
    }
    if (!sensitivities->n || count != sensitivities->n * N_SETS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%u gradients of which %u are called real/…: there must be one of each of real/, biased/ and "
                    "balanced/ per parameter",
                    count, sensitivities->n);
        return NULL;
    }
    aimf_sensitivities_rank(sensitivities);
    return g_steal_pointer(&sensitivities);
}
