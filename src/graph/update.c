/*
 * What a plan does with gradients once they are there. Trainable parameters form buckets: as many as lie one after
 * another in the store, which usually is all of them. Gradients, momenta and sums of a bucket are laid out as its
 * parameters, so that a step upon a bucket is one loop.
 */
#include "graph/plan.h"

static gboolean reserve(AimfPlan *plan, GError **error)
{
    guint n = plan->trained->len;
    g_autofree const AimfValueInfo **infos = g_new(const AimfValueInfo *, n + 1);
    g_autofree int *stored = g_new(int, n + 1);
    for (guint i = 0; i < n; i++)
        infos[i] = &g_array_index(plan->graph->values, AimfValueInfo, aimf_trained(plan, i)->parameter);
    if (!aimf_store_reserve(plan->store, infos, n, stored, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        aimf_trained(plan, i)->stored = stored[i];
    return TRUE;
}

/* Elements from the parameter @from to @to in one slab of the store; 0 if it lies before, or elsewhere. */
static gsize distance(const AimfPlan *plan, guint from, guint to)
{
    const AimfStored *begin = aimf_stored(plan->store, aimf_trained(plan, from)->stored);
    const AimfStored *end = aimf_stored(plan->store, aimf_trained(plan, to)->stored);
    if (begin->slab != end->slab || end->address <= begin->address)
        return 0;
    return (gsize)((const char *)end->address - (const char *)begin->address) / sizeof(float);
}

static gsize elements_with_padding(const AimfPlan *plan, guint index)
{
    gsize bytes = aimf_stored(plan->store, aimf_trained(plan, index)->stored)->bytes;
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT / sizeof(float);
}

static void find_buckets(AimfPlan *plan)
{
    for (guint i = 0; i < plan->trained->len; i++) {
        gboolean follows = i > 0 && distance(plan, i - 1, i) == elements_with_padding(plan, i - 1);
        if (!follows)
            g_array_append_val(plan->buckets, ((AimfBucket){ .first = i }));
        guint bucket = plan->buckets->len - 1;
        AimfBucket *to = &g_array_index(plan->buckets, AimfBucket, bucket);
        to->n++;
        aimf_trained(plan, i)->bucket = bucket;
        aimf_trained(plan, i)->offset = distance(plan, to->first, i);
    }
}

static AimfValue add_bucket(AimfPlan *plan, const AimfBucket *bucket, const char *name)
{
    guint last = bucket->first + bucket->n - 1;
    gsize n = aimf_trained(plan, last)->offset + elements_with_padding(plan, last);
    return aimf_graph_add_leaf(plan->graph, AIMF_SHAPE((gint64)n), AIMF_LEAF_BUCKET, name);
}

static AimfValue add_part(AimfPlan *plan, const AimfTrained *trained, const char *name)
{
    return aimf_graph_add_leaf(plan->graph, *aimf_value_shape(plan->graph, trained->parameter), AIMF_LEAF_PART, name);
}

static void add_accumulation(AimfPlan *plan, AimfBucket *bucket)
{
    bucket->sums = add_bucket(plan, bucket, "sums");
    for (guint i = bucket->first; i < bucket->first + bucket->n; i++)
        aimf_trained(plan, i)->sum = add_part(plan, aimf_trained(plan, i), "sum");
    AimfNode node = { .op = AIMF_OP_ACCUMULATE, .n_inputs = 2, .inputs = { bucket->gradients, bucket->sums } };
    aimf_graph_add_node(plan->graph, &node);
}

static void add_sgd(AimfPlan *plan, AimfBucket *bucket, const AimfSgd *sgd)
{
    bucket->momenta = add_bucket(plan, bucket, "momenta");
    for (guint i = bucket->first; i < bucket->first + bucket->n; i++)
        aimf_trained(plan, i)->momentum = add_part(plan, aimf_trained(plan, i), "momentum");
    if (plan->learning_rate == AIMF_NONE)
        plan->learning_rate = aimf_graph_add_leaf(plan->graph, (AimfShape){ 0 }, AIMF_LEAF_INPUT, "learning rate");
    AimfNode node = {
        .op = AIMF_OP_SGD,
        .n_inputs = 4,
        .inputs = { bucket->parameters, bucket->gradients, bucket->momenta, plan->learning_rate },
        .attributes.sgd = *sgd,
    };
    aimf_graph_add_node(plan->graph, &node);
}

gboolean aimf_plan_add_updates(AimfPlan *plan, const AimfCompileOptions *options, GError **error)
{
    if (!reserve(plan, error))
        return FALSE;
    find_buckets(plan);
    for (guint b = 0; b < plan->buckets->len; b++) {
        AimfBucket *bucket = &g_array_index(plan->buckets, AimfBucket, b);
        bucket->parameters = add_bucket(plan, bucket, "parameters");
        bucket->gradients = add_bucket(plan, bucket, "gradients");
        if (options->accumulate)
            add_accumulation(plan, bucket);
        if (options->sgd)
            add_sgd(plan, bucket, options->sgd);
    }
    return TRUE;
}

static void add_bucket_buffer(AimfPlan *plan, AimfValue value, AimfDtype dtype, AimfHome home, int stored)
{
    if (value == AIMF_NONE)
        return;
    AimfLayout layout = aimf_layout_row_major(aimf_value_shape(plan->graph, value), dtype);
    int buffer = aimf_plan_add_buffer(plan, value, layout, home);
    aimf_buffer(plan, buffer)->stored = stored;
    plan->canonical[value] = plan->primary[value] = buffer;
}

static void add_part_buffer(AimfPlan *plan, AimfValue value, AimfDtype dtype, AimfValue bucket, gsize offset)
{
    if (value == AIMF_NONE)
        return;
    add_bucket_buffer(plan, value, dtype, HOME_BUCKET, -1);
    aimf_buffer(plan, plan->canonical[value])->within = plan->canonical[bucket];
    aimf_buffer(plan, plan->canonical[value])->offset = offset * aimf_dtype_bytes(dtype);
}

void aimf_plan_add_buckets(AimfPlan *plan)
{
    for (guint b = 0; b < plan->buckets->len; b++) {
        const AimfBucket *bucket = &g_array_index(plan->buckets, AimfBucket, b);
        add_bucket_buffer(plan, bucket->parameters, AIMF_F32, HOME_STORE, aimf_trained(plan, bucket->first)->stored);
        add_bucket_buffer(plan, bucket->gradients, AIMF_F32, HOME_RESIDENT, -1);
        add_bucket_buffer(plan, bucket->momenta, AIMF_F32, HOME_RESIDENT, -1);
        add_bucket_buffer(plan, bucket->sums, AIMF_F64, HOME_RESIDENT, -1);
        for (guint i = bucket->first; i < bucket->first + bucket->n; i++) {
            const AimfTrained *trained = aimf_trained(plan, i);
            add_part_buffer(plan, trained->momentum, AIMF_F32, bucket->momenta, trained->offset);
            add_part_buffer(plan, trained->sum, AIMF_F64, bucket->sums, trained->offset);
        }
    }
}
