#include "train/batches.h"

#include <math.h>

enum { IN_FLIGHT = 4 }; /* batches whose losses have not been looked at */

struct AimfBatches {
    AimfPlan *plan;
    AimfValue images;  /* (batch, 3, H, W) */
    AimfValue targets; /* (batch) */
    AimfValue draw;    /* of dropout, or AIMF_NONE */
    guint batch;
    gsize image_values;
    AimfReading *losses[IN_FLIGHT]; /* of batch b at b % IN_FLIGHT */
    guint number;                   /* of the series */
    guint given, taken;
    double sum;
    char *where;
    const char *hint;
};

AimfBatches *aimf_batches_new(AimfPlan *plan, const AimfModelGraph *built, guint batch, gsize image_values,
                              GError **error)
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
    return g_steal_pointer(&batches);
}

void aimf_batches_free(AimfBatches *batches)
{
    if (!batches)
        return;
    for (int i = 0; i < IN_FLIGHT; i++)
        aimf_reading_free(batches->losses[i]);
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
}

static gboolean fill(AimfBatches *batches, const AimfBatch *loaded, GError **error)
{
    gsize values = batches->image_values;
    for (guint done = 0; done < batches->batch;) {
        guint n = MIN(loaded->n, batches->batch - done);
        if (!aimf_plan_write(batches->plan, batches->images, done * values, n * values, loaded->images, error) ||
            !aimf_plan_write(batches->plan, batches->targets, done, n, loaded->targets, error))
            return FALSE;
        done += n;
    }
    enum { DRAWS = 1 << 24 }; /* that an f32 tells apart */
    const float draw[] = { (float)(batches->number % DRAWS), (float)(batches->given % DRAWS) };
    return batches->draw == AIMF_NONE || aimf_plan_write(batches->plan, batches->draw, 0, 2, draw, error);
}

static gboolean take(AimfBatches *batches, GError **error)
{
    guint number = batches->taken + 1;
    const float *loss = aimf_reading_wait(batches->losses[batches->taken % IN_FLIGHT], error);
    if (!loss) {
        g_prefix_error(error, "%s, batch %u: ", batches->where, number);
        return FALSE;
    }
    batches->taken++;
    if (isfinite(*loss)) {
        batches->sum += (double)*loss;
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
    if (!fill(batches, loaded, error) || !aimf_plan_run(batches->plan, error) || !aimf_reading_begin(loss, error)) {
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
