#include "train/batches.h"

#include "model/evaluator.h"

#include <math.h>
#include <string.h>

enum { IN_FLIGHT = 4 }; /* batches whose losses have not been looked at */

struct AimfBatches {
    AimfPlan *plan;
    AimfValue images;  /* (batch, 3, H, W) */
    AimfValue targets; /* (batch) */
    AimfValue draw;    /* of dropout, or AIMF_NONE */
    guint batch;
    gsize image_values;
    AimfReading *losses[IN_FLIGHT]; /* of batch b at b % IN_FLIGHT, as all that is in flight */
    AimfReading *logits[IN_FLIGHT]; /* NULL where answers are not judged */
    float *judged_targets[IN_FLIGHT];
    int outputs;
    double threshold;
    guint number; /* of the series */
    guint given, taken;
    double sum;
    guint64 n_right;
    char *where;
    const char *hint;
};

AimfBatches *aimf_batches_new(AimfPlan *plan, const AimfModelGraph *built, guint batch, gsize image_values,
                              const AimfModel *judge, GError **error)
{
    g_autoptr(AimfBatches) batches = g_new(AimfBatches, 1);
    *batches = (AimfBatches){
        .plan = plan,
        .images = built->images,
        .targets = built->targets,
        .draw = built->draw,
        .batch = batch,
        .image_values = image_values,
    };
    for (int i = 0; i < IN_FLIGHT; i++)
        if (!(batches->losses[i] = aimf_reading_new(plan, built->loss, error)))
            return NULL;
    for (int i = 0; judge && i < IN_FLIGHT; i++) {
        if (!(batches->logits[i] = aimf_reading_new(plan, built->logits, error)))
            return NULL;
        batches->judged_targets[i] = g_new(float, batch);
        batches->outputs = judge->outputs;
        batches->threshold = judge->threshold;
    }
    return g_steal_pointer(&batches);
}

void aimf_batches_free(AimfBatches *batches)
{
    if (!batches)
        return;
    for (int i = 0; i < IN_FLIGHT; i++) {
        aimf_reading_free(batches->losses[i]);
        aimf_reading_free(batches->logits[i]);
        g_free(batches->judged_targets[i]);
    }
    g_free(batches->where);
    g_free(batches);
}

void aimf_batches_begin(AimfBatches *batches, guint number, const char *where, const char *hint)
{
    batches->number = number;
    g_free(batches->where);
    batches->where = g_strdup(where);
    batches->hint = hint;
    batches->given = batches->taken = 0;
    batches->sum = 0;
    batches->n_right = 0;
}

static gboolean fill(AimfBatches *batches, const AimfBatch *loaded, GError **error)
{
    gsize values = batches->image_values;
    float *judged_targets = batches->judged_targets[batches->given % IN_FLIGHT];
    for (guint done = 0; done < batches->batch;) {
        guint n = MIN(loaded->n, batches->batch - done);
        if (!aimf_plan_write(batches->plan, batches->images, done * values, n * values, loaded->images, error) ||
            !aimf_plan_write(batches->plan, batches->targets, done, n, loaded->targets, error))
            return FALSE;
        if (judged_targets)
            memcpy(judged_targets + done, loaded->targets, n * sizeof *judged_targets);
        done += n;
    }
    enum { DRAWS = 1 << 24 }; /* that an f32 tells apart */
    const float draw[] = { (float)(batches->number % DRAWS), (float)(batches->given % DRAWS) };
    return batches->draw == AIMF_NONE || aimf_plan_write(batches->plan, batches->draw, 0, 2, draw, error);
}

static void count_right(AimfBatches *batches, const float *logits, const float *targets)
{
    float probability;
    for (guint i = 0; i < batches->batch; i++, logits += batches->outputs)
        batches->n_right += aimf_decide(logits, batches->outputs, batches->threshold, &probability) == (int)targets[i];
}

static gboolean take(AimfBatches *batches, GError **error)
{
    guint number = batches->taken + 1, place = batches->taken % IN_FLIGHT;
    const float *loss = aimf_reading_wait(batches->losses[place], error), *logits = NULL;
    if (!loss || (batches->logits[place] && !(logits = aimf_reading_wait(batches->logits[place], error)))) {
        g_prefix_error(error, "%s, batch %u: ", batches->where, number);
        return FALSE;
    }
    batches->taken++;
    if (isfinite(*loss)) {
        batches->sum += (double)*loss;
        if (logits)
            count_right(batches, logits, batches->judged_targets[place]);
        return TRUE;
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "the loss is %g in %s, batch %u%s", (double)*loss, batches->where,
                number, batches->hint);
    return FALSE;
}

/* Takes the losses that are there; waits for the oldest where there is no room for another. */
static gboolean take_some(AimfBatches *batches, GError **error)
{
    while (batches->taken < batches->given && (batches->given - batches->taken == IN_FLIGHT ||
                                               aimf_reading_is_there(batches->losses[batches->taken % IN_FLIGHT])))
        if (!take(batches, error))
            return FALSE;
    return TRUE;
}

gboolean aimf_batches_run(AimfBatches *batches, const AimfBatch *loaded, GError **error)
{
    AimfReading *loss = batches->losses[batches->given % IN_FLIGHT];
    AimfReading *logits = batches->logits[batches->given % IN_FLIGHT];
    if (!fill(batches, loaded, error) || !aimf_plan_run(batches->plan, error) || !aimf_reading_begin(loss, error) ||
        (logits && !aimf_reading_begin(logits, error))) {
        g_prefix_error(error, "%s, batch %u: ", batches->where, batches->given + 1);
        return FALSE;
    }
    batches->given++;
    return take_some(batches, error);
}

gboolean aimf_batches_finish(AimfBatches *batches, GError **error)
{
    while (batches->taken < batches->given)
        if (!take(batches, error))
            return FALSE;
    return TRUE;
}

guint aimf_batches_count(const AimfBatches *batches)
{
    return batches->taken;
}

double aimf_batches_mean_loss(const AimfBatches *batches)
{
    return batches->sum / batches->taken;
}

double aimf_batches_accuracy(const AimfBatches *batches)
{
    return batches->logits[0] ? (double)batches->n_right / ((double)batches->taken * batches->batch) : NAN;
}
