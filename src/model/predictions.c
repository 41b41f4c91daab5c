#include "model/model.h"

#include "base/file.h"
#include "base/number.h"
#include "data/csv.h"

#include <math.h>

AimfPredictions *aimf_predictions_new(guint n, int outputs, GError **error)
{
    gsize n_logits = (gsize)n * (gsize)outputs;
    AimfPredictions *predictions = g_new0(AimfPredictions, 1);
    predictions->n = n;
    predictions->outputs = outputs;
    predictions->logits = g_try_new(float, n_logits);
    predictions->probability = g_try_new(float, n);
    predictions->prediction = g_try_new(int, n);
    if (n && (!predictions->logits || !predictions->probability || !predictions->prediction)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the predictions of %u images", n);
        aimf_predictions_free(predictions);
        return NULL;
    }
    for (gsize i = 0; i < n_logits; i++)
        predictions->logits[i] = NAN;
    for (guint i = 0; i < n; i++) {
        predictions->probability[i] = NAN;
        predictions->prediction[i] = -1;
    }
    return predictions;
}

void aimf_predictions_free(AimfPredictions *predictions)
{
    if (!predictions)
        return;
    g_free(predictions->logits);
    g_free(predictions->probability);
    g_free(predictions->prediction);
    g_strfreev(predictions->classes);
    g_free(predictions);
}

void aimf_softmax_shares(const float *logits, int n, float *shares)
{
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < n; k++)
        largest = MAX(largest, (double)logits[k]);
    for (int k = 0; k < n; k++)
        sum += exp((double)logits[k] - largest);
    for (int k = 0; k < n; k++)
        shares[k] = (float)(exp((double)logits[k] - largest) / sum);
}

static void append_number(GString *line, float value)
{
    char text[AIMF_NUMBER_SIZE];
    g_string_append_c(line, ',');
    if (!isnan(value))
        g_string_append(line, aimf_number_text_single(text, value));
}

static void append_row(GString *line, const AimfPredictions *predictions, guint i, float *shares)
{
    int outputs = predictions->outputs, prediction = predictions->prediction[i];
    const float *logits = predictions->logits + (gsize)i * (gsize)outputs;
    for (int k = 0; k < outputs; k++)
        append_number(line, logits[k]);
    append_number(line, predictions->probability[i]);
    g_string_append_c(line, ',');
    if (prediction >= 0)
        g_string_append_printf(line, "%d", prediction);
    if (outputs > 2)
        aimf_softmax_shares(logits, outputs, shares); /* all NaN where the image was skipped */
    for (int k = 0; outputs > 2 && k < outputs; k++)
        append_number(line, shares[k]);
    if (predictions->classes) {
        g_string_append_c(line, ',');
        aimf_csv_append(line, prediction >= 0 ? predictions->classes[prediction] : "");
    }
    g_string_append_c(line, '\n');
}

static void write_rows(const AimfPredictions *predictions, const AimfManifest *manifest, AimfWriter *writer)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree float *shares = g_new(float, predictions->outputs);
    for (guint i = 0; i < predictions->n; i++) {
        g_string_truncate(line, 0);
        aimf_csv_append(line, aimf_manifest_at(manifest, i).path);
        append_row(line, predictions, i, shares);
        aimf_writer_write(writer, line->str, line->len);
    }
}

gboolean aimf_predictions_save(const AimfPredictions *predictions, const AimfManifest *manifest, const char *path,
                               GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    aimf_writer_printf(writer, "path");
    for (int k = 0; k < predictions->outputs; k++) {
        if (predictions->outputs == 1)
            aimf_writer_printf(writer, ",logit");
        else
            aimf_writer_printf(writer, ",logit_%d", k);
    }
    aimf_writer_printf(writer, ",probability,prediction");
    for (int k = 0; predictions->outputs > 2 && k < predictions->outputs; k++)
        aimf_writer_printf(writer, ",probability_%d", k);
    aimf_writer_printf(writer, predictions->classes ? ",class\n" : "\n");
    write_rows(predictions, manifest, writer);
    return aimf_writer_commit(writer, error);
}
