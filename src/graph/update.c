/*
 * What a plan does with gradients once they are there. Trainable parameters form buckets: as many as lie one after
 * another in the store, which usually is all of them, or all with weight decay and all without. Gradients, sums and
 * what the optimizer remembers of a bucket are laid out as its parameters, so that a step upon a bucket is one loop.
 */
#include "graph/plan.h"

const char *aimf_memory_name(AimfMemory memory)
{
    static const char *const names[] = {
        [MEMORY_MOMENTUM] = "momentum",
        [MEMORY_EXP_AVG] = "exp_avg",
        [MEMORY_EXP_AVG_SQ] = "exp_avg_sq",
        [MEMORY_AVERAGE] = "average",
    };
    return names[memory];
}

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
        gboolean decays = aimf_trained(plan, i)->decays;
        gboolean follows = i > 0 && aimf_trained(plan, i - 1)->decays == decays &&
                           distance(plan, i - 1, i) == elements_with_padding(plan, i - 1);
        if (!follows)
            g_array_append_val(plan->buckets, ((AimfBucket){ .first = i, .decays = decays }));
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

/* --- The optimizer --- */

static AimfValue add_memory(AimfPlan *plan, AimfBucket *bucket, AimfMemory memory)
{
    const char *name = aimf_memory_name(memory);
    bucket->memories[memory] = add_bucket(plan, bucket, name);
    for (guint i = bucket->first; i < bucket->first + bucket->n; i++)
        aimf_trained(plan, i)->memories[memory] = add_part(plan, aimf_trained(plan, i), name);
    return bucket->memories[memory];
}

static AimfBucket *bucket_at(const AimfPlan *plan, guint index)
{
    return &g_array_index(plan->buckets, AimfBucket, index);
}

/* Each bucket's sum of squares first, then the scaling by all of them. */
static void add_clipping(AimfPlan *plan, double norm)
{
    plan->squares = aimf_graph_add_leaf(plan->graph, AIMF_SHAPE(plan->buckets->len), AIMF_LEAF_BUCKET, "squares");
    for (guint b = 0; b < 2 * plan->buckets->len; b++) {
        gboolean sum = b < plan->buckets->len;
        AimfNode node = { .op = sum ? AIMF_OP_SQUARES : AIMF_OP_CLIP_NORM, .n_inputs = 2 };
        node.inputs[0] = bucket_at(plan, b % plan->buckets->len)->gradients;
        node.inputs[1] = plan->squares;
        if (sum)
            node.attributes.index = (int)b;
        else
            node.attributes.number = norm;
        aimf_graph_add_node(plan->graph, &node);
    }
}

static void add_step(AimfPlan *plan, AimfBucket *bucket, const AimfOptimizer *optimizer)
{
    AimfNode node = { .op = AIMF_OP_SGD, .inputs = { bucket->parameters, bucket->gradients } };
    node.n_inputs = 2;
    node.attributes.optimizer = *optimizer;
    if (!bucket->decays)
        node.attributes.optimizer.weight_decay = 0;
    if (optimizer->kind == AIMF_OPTIMIZER_SGD) {
        node.inputs[node.n_inputs++] = add_memory(plan, bucket, MEMORY_MOMENTUM);
    } else {
        node.op = AIMF_OP_ADAMW;
        node.inputs[node.n_inputs++] = add_memory(plan, bucket, MEMORY_EXP_AVG);
        node.inputs[node.n_inputs++] = add_memory(plan, bucket, MEMORY_EXP_AVG_SQ);
    }
    node.inputs[node.n_inputs++] = plan->learning_rate;
    if (optimizer->kind == AIMF_OPTIMIZER_ADAMW)
        node.inputs[node.n_inputs++] = plan->n_optimized;
    aimf_graph_add_node(plan->graph, &node);
}

static void add_average(AimfPlan *plan, AimfValue of, AimfValue average, double decay)
{
    AimfNode node = { .op = AIMF_OP_AVERAGE, .n_inputs = 2, .inputs = { of, average }, .attributes.number = decay };
    aimf_graph_add_node(plan->graph, &node);
}

static void add_averages(AimfPlan *plan, double decay)
{
    for (guint b = 0; b < plan->buckets->len; b++) {
        AimfValue average = add_memory(plan, bucket_at(plan, b), MEMORY_AVERAGE);
        add_average(plan, bucket_at(plan, b)->parameters, average, decay);
    }
    guint n_values = plan->graph->values->len;
    for (guint i = 1; i < n_values; i++) {
        AimfValueInfo info = g_array_index(plan->graph->values, AimfValueInfo, i);
        if (info.leaf != AIMF_LEAF_STATE)
            continue;
        AimfAveraged averaged = { .state = (AimfValue)i };
        averaged.average =
            aimf_graph_add_leaf(plan->graph, info.shape, AIMF_LEAF_BUCKET, aimf_memory_name(MEMORY_AVERAGE));
        g_array_append_val(plan->averaged, averaged);
        add_average(plan, averaged.state, averaged.average, decay);
    }
}

static void add_optimizer(AimfPlan *plan, const AimfOptimizer *optimizer)
{
    plan->learning_rate = aimf_graph_add_leaf(plan->graph, (AimfShape){ 0 }, AIMF_LEAF_INPUT, "learning rate");
    if (optimizer->clip_norm > 0)
        add_clipping(plan, optimizer->clip_norm);
    if (optimizer->kind == AIMF_OPTIMIZER_ADAMW) {
        plan->n_optimized = aimf_graph_add_leaf(plan->graph, (AimfShape){ 0 }, AIMF_LEAF_BUCKET, "step");
        AimfNode count = { .op = AIMF_OP_COUNT_STEP, .n_inputs = 1, .inputs = { plan->n_optimized } };
        aimf_graph_add_node(plan->graph, &count);
    }
    for (guint b = 0; b < plan->buckets->len; b++)
        add_step(plan, bucket_at(plan, b), optimizer);
    if (optimizer->average > 0)
        add_averages(plan, optimizer->average);
}

gboolean aimf_plan_add_updates(AimfPlan *plan, const AimfCompileOptions *options, GError **error)
{
    if (!reserve(plan, error))
        return FALSE;
    find_buckets(plan);
    for (guint b = 0; b < plan->buckets->len; b++) {
        AimfBucket *bucket = bucket_at(plan, b);
        bucket->parameters = add_bucket(plan, bucket, "parameters");
        bucket->gradients = add_bucket(plan, bucket, "gradients");
        if (options->accumulate)
            add_accumulation(plan, bucket);
    }
    if (options->optimizer)
        add_optimizer(plan, options->optimizer);
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
        const AimfBucket *bucket = bucket_at(plan, b);
        add_bucket_buffer(plan, bucket->parameters, AIMF_F32, HOME_STORE, aimf_trained(plan, bucket->first)->stored);
        add_bucket_buffer(plan, bucket->gradients, AIMF_F32, HOME_RESIDENT, -1);
        for (int m = 0; m < N_MEMORIES; m++)
            add_bucket_buffer(plan, bucket->memories[m], AIMF_F32, HOME_RESIDENT, -1);
        add_bucket_buffer(plan, bucket->sums, AIMF_F64, HOME_RESIDENT, -1);
        for (guint i = bucket->first; i < bucket->first + bucket->n; i++) {
            const AimfTrained *trained = aimf_trained(plan, i);
            for (int m = 0; m < N_MEMORIES; m++)
                add_part_buffer(plan, trained->memories[m], AIMF_F32, bucket->memories[m], trained->offset);
            add_part_buffer(plan, trained->sum, AIMF_F64, bucket->sums, trained->offset);
        }
    }
    for (guint i = 0; i < plan->averaged->len; i++)
        add_bucket_buffer(plan, g_array_index(plan->averaged, AimfAveraged, i).average, AIMF_F32, HOME_RESIDENT, -1);
    add_bucket_buffer(plan, plan->n_optimized, AIMF_F64, HOME_RESIDENT, -1);
    add_bucket_buffer(plan, plan->squares, AIMF_F64, HOME_RESIDENT, -1);
}
