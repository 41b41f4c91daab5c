/*
 * What the engine asks of a device: nothing of its memory is touched and nothing is taken for done, whatever fails is
 * an error that names its step, and a store serves several plans.
 */
#include "device/support_devices.h"
#include "device/support_mirror.h"
#include "graph/plan.h"
#include "graph/support_op_cases.h"
#include "graph/support_precision.h"
#include "graph/support_small_net.h"
#include "weights/support_weights.h"

#include <aimfair/device.h>
#include <omp.h>
#include <string.h>

/* --- Devices by name --- */

static void test_names(void)
{
    GError *error = NULL;
    g_autoptr(AimfDevice) best = aimf_device_open(NULL, &error), again = aimf_device_open("auto", &error);
    g_assert_cmpstr(aimf_device_name(best), ==, "cpu");
    g_assert_cmpstr(aimf_device_name(again), ==, "cpu");
    g_assert_null(aimf_device_open("cpuu", &error));
    g_assert_true(strstr(error->message, "did you mean 'cpu'") != NULL);
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "there are: cpu, reference, auto");
    g_autoptr(GArray) devices = aimf_devices();
    g_assert_cmpuint(devices->len, ==, 2);
    for (guint i = 0; i < devices->len; i++) {
        const AimfDeviceInfo *info = &g_array_index(devices, AimfDeviceInfo, i);
        g_autoptr(AimfDevice) device = aimf_device_open(info->name, &error);
        g_autofree char *engine = aimf_device_engine(device);
        g_assert_cmpstr(info->engine, ==, engine);
        g_assert_null(info->unusable);
        g_assert_cmpuint(info->memory_bytes, >=, info->memory_left_bytes);
        g_assert_cmpuint(info->memory_left_bytes, >, 0);
        g_assert_cmpint(info->threads, >=, 1);
    }
}

/* --- The mirror itself --- */

/* In a process of its own: a touch of the mirror's memory ends it. */
static void test_mirror_faults(void)
{
    if (g_test_subprocess()) {
        g_autoptr(AimfDevice) device = support_device("mirror");
        const volatile char *memory = device->class->allocate(device, 100, "nothing", NULL);
        g_print("%d", memory[0]);
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
    g_test_trap_assert_stdout_unmatched("0");
}

/* Nothing is done before somebody waits. */
static void test_mirror_is_late(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device("mirror");
    const AimfDeviceClass *class = device->class;
    AimfStream *stream = aimf_stream_open(device, 1, &error);
    void *memory = class->allocate(device, sizeof(int), "a number", &error);
    int seven = 7, read = 0;
    g_assert_true(class->upload(stream, memory, &seven, sizeof seven, &error));
    seven = 8; /* it may change as soon as the call returns */
    g_assert_true(class->download(stream, &read, memory, sizeof read, &error));
    guint64 mark = class->mark(stream);
    g_assert_false(class->is_reached(stream, mark));
    g_assert_cmpint(read, ==, 0);
    g_assert_true(class->wait(stream, mark, &error));
    g_assert_cmpint(read, ==, 7);
    aimf_stream_close(stream);
    class->release(device, memory, sizeof(int));
}

/* --- The same bytes --- */

static GPtrArray *results_on(const char *device, const OpCase *c, AimfPrecision precision)
{
    g_autoptr(GError) error = NULL;
    int trainable = op_case_is_differentiable(c) ? OP_ALL_TRAINABLE : 0;
    g_autoptr(OpRig) rig = op_rig_new(c, device, precision, trainable, &error);
    if (precision_is_missing(precision, error))
        return NULL;
    g_assert_no_error(error);
    op_rig_run(rig);
    return op_rig_results(rig);
}

static void test_same_bytes(gconstpointer data)
{
    AimfPrecision precision = (AimfPrecision)GPOINTER_TO_INT(data);
    for (guint i = 0; i < n_op_cases; i++) {
        OpCase c = op_cases[i];
        c.coarse = precision == AIMF_PRECISION_BF16;
        g_autoptr(GPtrArray) here = results_on("cpu", &c, precision);
        if (!here)
            return;
        g_autoptr(GPtrArray) there = results_on("mirror", &c, precision);
        g_assert_cmpuint(here->len, ==, there->len);
        for (guint k = 0; k < here->len; k++) {
            const OpResult *a = g_ptr_array_index(here, k), *b = g_ptr_array_index(there, k);
            g_assert_cmpstr(a->name, ==, b->name);
            support_assert_same_bytes(a->data, a->n * sizeof(float), b->data, b->n * sizeof(float));
        }
    }
}

/* --- Failures, everywhere --- */

/*
 * Compiles for a device, loads, runs twice, and returns (owned) all that comes of it; NULL with an error. Whatever
 * happens, everything is released.
 */
static GByteArray *train_on(AimfDevice *device, const SmallNet *net, GError **error)
{
    AimfValue all[] = { net->conv1, net->bn1_weight, net->bn1_bias, net->conv2, net->fc_weight };
    AimfOptimizer optimizer = { .kind = AIMF_OPTIMIZER_ADAMW,
                                .betas = { 0.9, 0.999 },
                                .epsilon = 1e-8,
                                .decay_weights_only = TRUE,
                                .clip_norm = 0.1,
                                .average = 0.5 };
    float images[2 * 3 * 8 * 8] = { 0, 1, 2, 3 }, targets[2] = { 0, 1 }, loss;
    double sum[5];
    AimfCompileOptions options = { .device = device,
                                   .threads = 1,
                                   .outputs = &net->loss,
                                   .n_outputs = 1,
                                   .loss = net->loss,
                                   .trainable = all,
                                   .n_trainable = G_N_ELEMENTS(all),
                                   .optimizer = &optimizer,
                                   .accumulate = TRUE,
                                   .private_states = TRUE };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net->graph, &options, error);
    g_autoptr(AimfTensors) after = aimf_tensors_load(net->tensors, AIMF_F32, NULL);
    g_autoptr(AimfReading) reading = plan ? aimf_reading_new(plan, net->loss, error) : NULL;
    if (!reading || !aimf_plan_load(plan, net->tensors, error) || !aimf_plan_set_learning_rate(plan, 0.1, error) ||
        !aimf_plan_write(plan, net->images, 0, G_N_ELEMENTS(images), images, error) ||
        !aimf_plan_write(plan, net->targets, 0, 2, targets, error) || !aimf_plan_run(plan, error) ||
        !aimf_reading_begin(reading, error) || !aimf_plan_run(plan, error))
        return NULL;
    const float *first = aimf_reading_wait(reading, error);
    g_autoptr(AimfTensors) state = first ? aimf_plan_optimizer_state(plan, error) : NULL;
    if (!state || !aimf_plan_load_optimizer_state(plan, state, error) ||
        !aimf_plan_read(plan, net->loss, 0, 1, &loss, error) || !aimf_plan_read_sum(plan, net->fc_weight, sum, error) ||
        !aimf_plan_save(plan, after, error))
        return NULL;
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, (const guint8 *)first, sizeof *first);
    g_byte_array_append(bytes, (const guint8 *)&loss, sizeof loss);
    g_byte_array_append(bytes, (const guint8 *)sum, sizeof sum);
    for (guint i = 0; i < aimf_tensors_count(after); i++)
        g_byte_array_append(bytes, aimf_tensors_data(after, i), (guint)aimf_tensors_at(after, i)->bytes);
    for (guint i = 0; i < aimf_tensors_count(state); i++)
        g_byte_array_append(bytes, aimf_tensors_data(state, i), (guint)aimf_tensors_at(state, i)->bytes);
    return bytes;
}

/* Each call of each kind in turn fails: an error, nothing left behind, and the device as good as before. */
static void test_failures(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(AimfDevice) here = support_device("cpu"), there = support_device("mirror");
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) expected = train_on(here, &net, &error), same = train_on(there, &net, &error);
    g_assert_no_error(error);
    support_assert_same_bytes(expected->data, expected->len, same->data, same->len);
    for (MirrorCall call = 0; call < MIRROR_N_CALLS; call++) {
        guint n = 0;
        for (guint nth = 1; nth == 1 || nth <= n; nth++) {
            mirror_fail(there, call, nth == 1 ? 0 : nth - 1);
            g_autoptr(GByteArray) bytes = train_on(there, &net, &error);
            g_assert_cmpuint(mirror_live_bytes(there), ==, 0);
            if (nth == 1) {
                g_assert_no_error(error);
                n = mirror_calls(there, call) + 1;
                g_assert_cmpuint(n, >, 1);
                continue;
            }
            /* Waiting for what is not needed any more, when a plan is freed, has nobody to tell. */
            if (bytes) {
                g_assert_cmpint(call, ==, MIRROR_WAIT);
                support_assert_same_bytes(expected->data, expected->len, bytes->data, bytes->len);
                continue;
            }
            g_assert_nonnull(error);
            g_assert_true(g_str_has_suffix(error->message, ": no luck"));
            if (call == MIRROR_KERNEL)
                g_assert_true(g_str_has_prefix(error->message, "step ") ||
                              g_str_has_prefix(error->message, "packing the tensor "));
            if (call == MIRROR_ALLOCATION)
                g_assert_true(g_str_has_prefix(error->message, "no memory for "));
            g_clear_error(&error);
        }
        g_test_message("%u calls of kind %d failed in turn", n - 1, call);
    }
    mirror_fail(there, MIRROR_KERNEL, 0);
    g_autoptr(GByteArray) again = train_on(there, &net, &error);
    support_assert_same_bytes(expected->data, expected->len, again->data, again->len);
}

/*
 * What was given after a step that fails is passed over: parameters and momenta are as before, and the plan runs again.
 */
static void test_failing_late(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfOptimizer sgd = { .momentum = 0.9 };
    AimfValue all[] = { net.conv1, net.fc_weight };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPlan) plan = small_net_compile(&net, "mirror", all, 2, &sgd);
    g_autoptr(AimfTensors) after = aimf_tensors_load(net.tensors, AIMF_F32, NULL);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, &error));
    guint middle = plan->steps->len / 2;
    mirror_fail(plan->store->device, MIRROR_KERNEL, plan->steps->len + middle + 1);
    for (int run = 0; run < 4; run++) /* the second one fails */
        g_assert_true(aimf_plan_run(plan, &error));
    g_assert_false(aimf_plan_wait(plan, &error));
    g_autofree char *says =
        g_strdup_printf("step %u, %s: no luck", middle, aimf_step_name(plan, aimf_step(plan, middle)));
    g_assert_cmpstr(error->message, ==, says);
    g_clear_error(&error);
    g_assert_true(aimf_plan_save(plan, after, &error));
    g_autoptr(AimfPlan) once = small_net_compile(&net, "cpu", all, 2, &sgd);
    g_autoptr(AimfTensors) expected = aimf_tensors_load(net.tensors, AIMF_F32, NULL);
    g_assert_true(aimf_plan_set_learning_rate(once, 0.1, &error) && aimf_plan_run(once, &error) &&
                  aimf_plan_save(once, expected, &error));
    for (guint i = 0; i < aimf_tensors_count(after); i++)
        if (!strstr(aimf_tensors_at(after, i)->name, "running_"))
            support_assert_same_bytes(aimf_tensors_data(after, i), aimf_tensors_at(after, i)->bytes,
                                      aimf_tensors_data(expected, i), aimf_tensors_at(expected, i)->bytes);
    g_assert_true(aimf_plan_run(plan, &error) && aimf_plan_wait(plan, &error));
}

/* --- Stores --- */

static void set_first(AimfTensors *tensors, const char *name, float value)
{
    *(float *)aimf_tensors_writable(tensors, (guint)aimf_tensors_find(tensors, name)) = value;
}

static AimfPlan *compile_for(AimfStore *store, const SmallNet *net, const AimfValue *trainable, guint n)
{
    g_autoptr(GError) error = NULL;
    AimfOptimizer sgd = { 0 };
    AimfCompileOptions options = { .store = store,
                                   .outputs = &net->logits,
                                   .n_outputs = 1,
                                   .loss = n ? net->loss : AIMF_NONE,
                                   .trainable = trainable,
                                   .n_trainable = n,
                                   .optimizer = n ? &sgd : NULL };
    AimfPlan *plan = aimf_graph_compile(net->graph, &options, &error);
    g_assert_no_error(error);
    float images[2 * 3 * 8 * 8];
    for (guint i = 0; i < G_N_ELEMENTS(images); i++)
        images[i] = (float)(i % 7) - 3;
    support_write(plan, net->images, images);
    if (n)
        support_write(plan, net->targets, (const float[]){ 1, 0 });
    return plan;
}

static float first_logit(AimfPlan *plan, const SmallNet *net)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_plan_run(plan, &error));
    return support_read_one(plan, net->logits);
}

/* A plan that only looks sees what another one has trained, packed forms included. */
static void test_shared_store(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device(data);
    g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
    AimfValue trainable[] = { net.conv1, net.conv2, net.fc_weight };
    g_autoptr(AimfPlan) training = compile_for(store, &net, trainable, 3), looking = compile_for(store, &net, NULL, 0);
    gsize bytes = store->bytes;
    g_autoptr(AimfPlan) another = compile_for(store, &net, NULL, 0);
    g_assert_cmpuint(store->bytes, ==, bytes); /* nothing is there twice */
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    guint64 version = aimf_store_version(store);
    float before = first_logit(looking, &net);
    g_assert_true(aimf_plan_set_learning_rate(training, 0.5, &error) && aimf_plan_run(training, &error));
    g_assert_cmpuint(aimf_store_version(store), >, version);
    float after = first_logit(looking, &net);
    g_assert_cmpfloat(before, !=, after);
    /* A plan of its own, loaded with the same tensors, agrees to the bit. */
    g_autoptr(AimfTensors) saved = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_true(aimf_store_save(store, saved, &error));
    g_autoptr(AimfStore) fresh = aimf_store_new(device, 1, &error);
    g_autoptr(AimfPlan) alone = compile_for(fresh, &net, NULL, 0);
    g_assert_true(aimf_store_load(fresh, saved, &error));
    g_assert_cmpfloat(first_logit(alone, &net), ==, after);
    /* What is loaded anew is packed anew. */
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    set_first(saved, "conv2.weight", 100);
    g_assert_true(aimf_store_load(store, saved, &error));
    g_assert_cmpfloat(first_logit(looking, &net), !=, after);
    g_assert_cmpfloat(first_logit(another, &net), ==, first_logit(looking, &net));
}

static void test_store_tensors(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device(data);
    g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
    g_autoptr(AimfPlan) plan = compile_for(store, &net, NULL, 0);
    gint64 seen = 5;
    aimf_tensors_add(net.tensors, "bn1.num_batches_tracked", AIMF_I64, &(AimfShape){ 0 }, &seen, &error);
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    g_autoptr(AimfTensors) tensors = aimf_store_tensors(store, net.tensors, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(tensors), ==, aimf_tensors_count(net.tensors));
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        support_assert_same_bytes(aimf_tensors_data(tensors, i), aimf_tensors_at(tensors, i)->bytes,
                                  aimf_tensors_data(net.tensors, i), aimf_tensors_at(net.tensors, i)->bytes);
    float before = first_logit(plan, &net);
    set_first(tensors, "fc.bias", 50);
    set_first(tensors, "conv1.weight", 50);
    g_assert_true(aimf_store_load(store, tensors, &error));
    g_assert_cmpfloat(first_logit(plan, &net), !=, before);
    g_assert_true(aimf_store_save(store, tensors, &error));
    g_assert_cmpfloat(*(const float *)aimf_tensors_data(tensors, (guint)aimf_tensors_find(tensors, "fc.bias")), ==, 50);
}

static void test_store_refuses(void)
{
    GError *error = NULL;
    g_autoptr(AimfStore) store = aimf_store_new(NULL, 1, &error);
    g_autoptr(AimfDevice) other = support_device("reference");
    for (gint64 n = 2; n < 4; n++) {
        g_autoptr(AimfGraph) graph = aimf_graph_new();
        AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(1, n));
        AimfValue y = aimf_linear(graph, x, aimf_graph_parameter(graph, "w", AIMF_SHAPE(1, n)), AIMF_NONE);
        AimfCompileOptions options = { .store = store, .outputs = &y, .n_outputs = 1 };
        g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
        g_assert_cmpint(plan != NULL, ==, n == 2);
        if (!plan)
            support_assert_error(&error, AIMF_ERROR_INVALID, "'w' has the shape 1x2, and this plan's 1x3");
        options.device = other;
        g_assert_null(aimf_graph_compile(graph, &options, &error));
        support_assert_error(&error, AIMF_ERROR_INVALID, "on another device");
    }
}

/* Trainable parameters that do not lie one after another in the store are trained as well, in several buckets. */
static void test_scattered(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device(data);
    AimfValue trainable[] = { net.conv1, net.conv2, net.fc_weight, net.fc_bias };
    float logits[2];
    guint n_buckets[2];
    for (int looked_first = 0; looked_first < 2; looked_first++) {
        g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
        g_autoptr(AimfPlan) looking = looked_first ? compile_for(store, &net, NULL, 0) : NULL;
        g_assert_cmpint(looking != NULL, ==, looked_first);
        g_autoptr(AimfPlan) training = compile_for(store, &net, trainable, 4);
        g_assert_true(aimf_store_load(store, net.tensors, &error));
        g_assert_true(aimf_plan_set_learning_rate(training, 0.5, &error) && aimf_plan_run(training, &error));
        n_buckets[looked_first] = training->buckets->len;
        logits[looked_first] = first_logit(training, &net);
    }
    g_assert_cmpuint(n_buckets[0], ==, 1);
    g_assert_cmpuint(n_buckets[1], >, 1);
    g_assert_cmpfloat(logits[0], ==, logits[1]);
}

/* Running statistics of a plan's own begin anew with each reset, sums too; the store's never move. */
static void test_private_states(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device(data);
    AimfCompileOptions options = { .device = device,
                                   .threads = 1,
                                   .outputs = &net.loss,
                                   .n_outputs = 1,
                                   .loss = net.loss,
                                   .trainable = &net.fc_weight,
                                   .n_trainable = 1,
                                   .accumulate = TRUE,
                                   .private_states = TRUE };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net.tensors, &error));
    support_write(plan, net.targets, (const float[]){ 1, 0 });
    g_autoptr(AimfTensors) saved = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    double sums[3][5];
    for (int pass = 0; pass < 3; pass++) { /* the last one runs twice */
        g_assert_true(aimf_plan_reset(plan, &error));
        for (int run = 0; run <= (pass == 2); run++)
            g_assert_true(aimf_plan_run(plan, &error));
        g_assert_true(aimf_plan_read_sum(plan, net.fc_weight, sums[pass], &error));
        g_autofree float *gradient = support_read(plan, aimf_plan_gradient(plan, net.fc_weight));
        for (int i = 0; i < 5; i++)
            g_assert_cmpfloat(sums[pass][i], ==, (pass == 2 ? 2 : 1) * (double)gradient[i]);
    }
    support_assert_same_bytes(sums[0], sizeof sums[0], sums[1], sizeof sums[1]);
    g_assert_true(aimf_plan_save(plan, saved, &error)); /* its own have moved */
    guint mean = (guint)aimf_tensors_find(saved, "bn1.running_mean");
    g_assert_cmpint(memcmp(aimf_tensors_data(saved, mean), aimf_tensors_data(net.tensors, mean), 16), !=, 0);
    g_assert_true(aimf_store_save(plan->store, saved, &error));
    support_assert_same_bytes(aimf_tensors_data(saved, mean), 16, aimf_tensors_data(net.tensors, mean), 16);
}

/* --- After a failure that was told --- */

/* What a failed pack has left is packed again. */
static void test_failed_pack(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) device = support_device("mirror");
    g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
    g_autoptr(AimfPlan) plan = compile_for(store, &net, NULL, 0);
    g_assert_cmpuint(plan->packs->len, >, 0);
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    float expected = first_logit(plan, &net);
    for (guint k = 1; k <= plan->packs->len; k++) {
        g_assert_true(aimf_store_load(store, net.tensors, &error));
        mirror_fail(device, MIRROR_KERNEL, k);
        g_assert_true(aimf_plan_run(plan, &error));
        g_assert_false(aimf_plan_wait(plan, &error));
        g_assert_true(g_str_has_prefix(error->message, "packing the tensor "));
        g_clear_error(&error);
        g_assert_cmpfloat(first_logit(plan, &net), ==, expected);
    }
}

/* A reading behind a run that failed is an error too, whoever was told of the failure. */
static void test_failed_reading(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    GError *error = NULL;
    g_autoptr(AimfPlan) plan = small_net_compile(&net, "mirror", NULL, 0, NULL);
    g_autoptr(AimfReading) first = aimf_reading_new(plan, net.loss, &error),
                           second = aimf_reading_new(plan, net.loss, &error);
    mirror_fail(plan->store->device, MIRROR_KERNEL, 2);
    g_assert_true(aimf_plan_run(plan, &error) && aimf_reading_begin(first, &error));
    g_assert_true(aimf_plan_run(plan, &error) && aimf_reading_begin(second, &error));
    g_assert_null(aimf_reading_wait(first, &error));
    support_assert_error(&error, AIMF_ERROR_FAILED, "no luck");
    g_assert_null(aimf_reading_wait(second, &error));
    support_assert_error(&error, AIMF_ERROR_FAILED, "passed over");
    g_assert_true(aimf_plan_run(plan, &error) && aimf_reading_begin(second, &error));
    g_assert_nonnull(aimf_reading_wait(second, &error));
}

/* Freeing something else tells nobody of a failure, and takes it from nobody. */
static void test_failure_is_kept(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    GError *error = NULL;
    g_autoptr(AimfDevice) device = support_device("mirror");
    g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
    g_autoptr(AimfPlan) plan = compile_for(store, &net, NULL, 0);
    AimfPlan *other = compile_for(store, &net, NULL, 0);
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    g_assert_true(aimf_plan_run(plan, &error) && aimf_plan_wait(plan, &error));
    AimfReading *reading = aimf_reading_new(plan, net.logits, &error);
    mirror_fail(device, MIRROR_KERNEL, 1);
    g_assert_true(aimf_plan_run(plan, &error) && aimf_reading_begin(reading, &error));
    aimf_reading_free(reading);
    aimf_plan_free(other);
    g_assert_false(aimf_plan_wait(plan, &error));
    support_assert_error(&error, AIMF_ERROR_FAILED, "no luck");
}

/* What was never loaded is not taken for zeros; momenta that were loaded are not lost by the first run. */
static void test_first_run(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    GError *error = NULL;
    g_autoptr(AimfDevice) device = support_device(data);
    g_autoptr(AimfStore) store = aimf_store_new(device, 1, &error);
    AimfOptimizer sgd = { .momentum = 1 };
    AimfCompileOptions options = { .store = store,
                                   .outputs = &net.loss,
                                   .n_outputs = 1,
                                   .loss = net.loss,
                                   .trainable = &net.fc_bias,
                                   .n_trainable = 1,
                                   .optimizer = &sgd };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    g_assert_no_error(error);
    g_assert_false(aimf_plan_run(plan, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "has no values yet");
    g_assert_true(aimf_store_load(store, net.tensors, &error));
    g_autoptr(AimfTensors) momenta = aimf_tensors_new();
    const float momentum = 1000;
    aimf_tensors_add(momenta, "momentum/fc.bias", AIMF_F32, &AIMF_SHAPE(1), &momentum, &error);
    g_assert_true(aimf_plan_load_optimizer_state(plan, momenta, &error) && aimf_plan_run(plan, &error));
    g_autoptr(AimfTensors) after = aimf_plan_optimizer_state(plan, &error);
    g_assert_cmpfloat(*(const float *)aimf_tensors_data(after, 0), >, 990);
}

/* --- What may be read and written --- */

static void test_elements(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    GError *error = NULL;
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, NULL, 0, NULL);
    float number = 3, read[4];
    g_assert_true(aimf_plan_write(plan, net.targets, 1, 1, &number, &error));
    g_assert_true(aimf_plan_read(plan, net.targets, 0, 2, read, &error));
    g_assert_cmpfloat(read[0], ==, 1);
    g_assert_cmpfloat(read[1], ==, 3);
    g_assert_false(aimf_plan_write(plan, net.targets, 2, 1, &number, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "has 2 elements, not 1 from 2 on");
    g_assert_false(aimf_plan_read(plan, net.targets, 1, G_MAXSIZE, read, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "has 2 elements");
    g_assert_false(aimf_plan_write(plan, net.logits, 0, 1, &number, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "is not an input");
    g_assert_false(aimf_plan_read(plan, AIMF_NONE, 0, 0, read, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "neither an input nor an output");
    g_assert_false(aimf_plan_read(plan, net.logits + 1000, 0, 0, read, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "neither an input nor an output");
    g_assert_null(aimf_reading_new(plan, AIMF_NONE, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "neither an input nor an output");
    double sum;
    g_assert_false(aimf_plan_read_sum(plan, net.fc_bias, &sum, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "neither an input nor an output");
}

/* --- Threads --- */

/* The caller's number of threads is its own: a plan has another one, and leaves it as it was. */
static void test_threads(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    int usual = omp_get_max_threads();
    AimfCompileOptions options = { .threads = usual + 2, .outputs = &net.loss, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    g_assert_true(aimf_plan_load(plan, net.tensors, &error) && aimf_plan_run(plan, &error));
    g_assert_cmpint(plan->store->stream->threads, ==, usual + 2);
    g_assert_cmpint(omp_get_max_threads(), ==, usual);
    aimf_set_threads(3);
    options.threads = 0;
    g_autoptr(AimfPlan) other = aimf_graph_compile(net.graph, &options, &error);
    g_assert_cmpint(other->store->stream->threads, ==, 3);
    aimf_set_threads(0);
    g_assert_cmpint(omp_get_max_threads(), ==, usual);
}

typedef struct {
    const char *device;
    GByteArray *bytes;
} Worker;

static gpointer work(gpointer data)
{
    Worker *worker = data;
    g_autoptr(GError) error = NULL;
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(AimfDevice) device = support_device(worker->device);
    for (int i = 0; i < 5; i++) {
        g_clear_pointer(&worker->bytes, g_byte_array_unref);
        worker->bytes = train_on(device, &net, &error);
        g_assert_no_error(error);
    }
    return NULL;
}

/* Plans on several threads at once, on two devices, get in nobody's way. */
static void test_several_at_once(void)
{
    Worker workers[] = { { "cpu", NULL }, { "mirror", NULL }, { "cpu", NULL }, { "mirror", NULL } };
    GThread *threads[G_N_ELEMENTS(workers)];
    for (guint i = 0; i < G_N_ELEMENTS(workers); i++)
        threads[i] = g_thread_new("worker", work, &workers[i]);
    for (guint i = 0; i < G_N_ELEMENTS(workers); i++)
        g_thread_join(threads[i]);
    for (guint i = 0; i < G_N_ELEMENTS(workers); i++)
        support_assert_same_bytes(workers[i].bytes->data, workers[i].bytes->len, workers[0].bytes->data,
                                  workers[0].bytes->len);
    for (guint i = 0; i < G_N_ELEMENTS(workers); i++)
        g_byte_array_unref(workers[i].bytes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const char *const devices[] = { "cpu", "reference", "mirror" };
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "shared-store", test_shared_store }, { "store-tensors", test_store_tensors },
        { "scattered", test_scattered },       { "private-states", test_private_states },
        { "elements", test_elements },         { "first-run", test_first_run },
    };
    g_test_add_func("/device/names", test_names);
    g_test_add_func("/device/mirror/faults", test_mirror_faults);
    g_test_add_func("/device/mirror/late", test_mirror_is_late);
    g_test_add_data_func("/device/same-bytes/f32", GINT_TO_POINTER(AIMF_PRECISION_F32), test_same_bytes);
    g_test_add_data_func("/device/same-bytes/bf16", GINT_TO_POINTER(AIMF_PRECISION_BF16), test_same_bytes);
    g_test_add_func("/device/failures", test_failures);
    g_test_add_func("/device/failing-late", test_failing_late);
    g_test_add_func("/device/failed-pack", test_failed_pack);
    g_test_add_func("/device/failed-reading", test_failed_reading);
    g_test_add_func("/device/failure-is-kept", test_failure_is_kept);
    g_test_add_func("/device/store-refuses", test_store_refuses);
    g_test_add_func("/device/threads", test_threads);
    g_test_add_func("/device/several-at-once", test_several_at_once);
    for (guint d = 0; d < G_N_ELEMENTS(devices); d++)
        for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
            g_autofree char *path = g_strdup_printf("/device/%s/%s", devices[d], tests[i].name);
            g_test_add_data_func(path, devices[d], tests[i].function);
        }
    return g_test_run();
}
