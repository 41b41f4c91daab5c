/*
 * A run allocates no memory of ours. This program's allocator counts; glibc's real one is reached by its internal
 * names. oneDNN's own dnnl_primitive_execute makes a small map of its arguments at every call and drops it again,
 * which its interface leaves no way around: from a device other than the reference, allocations of that size are
 * accepted if none is kept. Nor is there a way around libgomp, which makes a team of one thread anew for every loop;
 * it alone asks memalign() for memory, so that what comes from there has to be given back, but is not counted as ours.
 */
#include "device/support_devices.h"
#include "graph/support_op_cases.h"
#include "graph/support_small_net.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

enum {
    LIBRARY_BOOKKEEPING_BYTES = 256
}; /* oneDNN 2.6.3 needs 120; the convolutions here have operands of 432 and more */

static atomic_bool counting;
static atomic_uint n_allocations, n_large;
static atomic_long live_bytes;

#ifndef SANITIZED /* which has its own allocator */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

static void *counted(void *memory)
{
    if (memory && atomic_load(&counting)) {
        size_t bytes = malloc_usable_size(memory);
        atomic_fetch_add(&n_allocations, 1);
        atomic_fetch_add(&n_large, bytes > LIBRARY_BOOKKEEPING_BYTES ? 1 : 0);
        atomic_fetch_add(&live_bytes, (long)bytes);
    }
    return memory;
}

static void uncount(void *memory)
{
    if (memory && atomic_load(&counting))
        atomic_fetch_sub(&live_bytes, (long)malloc_usable_size(memory));
}

void *malloc(size_t bytes)
{
    return counted(__libc_malloc(bytes));
}

void *calloc(size_t n, size_t bytes)
{
    return counted(__libc_calloc(n, bytes));
}

void *realloc(void *old, size_t bytes)
{
    uncount(old);
    return counted(__libc_realloc(old, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return counted(__libc_memalign(alignment, bytes));
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    *memory = counted(__libc_memalign(alignment, bytes));
    return *memory ? 0 : ENOMEM;
}

void *memalign(size_t alignment, size_t bytes)
{
    void *memory = __libc_memalign(alignment, bytes);
    if (memory && atomic_load(&counting))
        atomic_fetch_add(&live_bytes, (long)malloc_usable_size(memory));
    return memory;
}

void free(void *memory)
{
    uncount(memory);
    __libc_free(memory);
}
#endif

static void start_counting(void)
{
    atomic_store(&n_allocations, 0);
    atomic_store(&n_large, 0);
    atomic_store(&live_bytes, 0);
    atomic_store(&counting, TRUE);
}

static void stop_counting(void)
{
    atomic_store(&counting, FALSE);
}

static void test_run(gconstpointer data)
{
    const char *device = data;
#ifdef SANITIZED
    g_test_skip("the sanitizer has its own allocator");
    return;
#endif
    g_auto(SmallNet) net;
    small_net_init(&net);
    static const AimfOptimizer optimizers[] = {
        { .momentum = 0.9 },
        { .kind = AIMF_OPTIMIZER_ADAMW, .betas = { 0.9, 0.999 }, .epsilon = 1e-8, .clip_norm = 0.1, .average = 0.9 },
    };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    for (gsize o = 0; o < G_N_ELEMENTS(optimizers); o++) {
        g_autoptr(AimfPlan) plan = small_net_compile(&net, device, all, 6, &optimizers[o]);
        g_assert_true(aimf_plan_run(plan, NULL)); /* OpenMP makes its threads at first use */
        gboolean good = TRUE;
        start_counting();
        for (int i = 0; i < 3; i++)
            good &= aimf_plan_run(plan, NULL);
        stop_counting();
        g_assert_true(good);
        if (strcmp(device, "reference") == 0)
            g_assert_cmpuint(atomic_load(&n_allocations), ==, 0);
        g_assert_cmpuint(atomic_load(&n_large), ==, 0);
        g_assert_cmpint(atomic_load(&live_bytes), ==, 0);
    }
}

static gboolean is_spatial(OpFamily op)
{
    return op == OP_CONV2D || op == OP_MAX_POOL || op == OP_AVERAGE_POOL || op == OP_ADAPTIVE_AVERAGE_POOL;
}

/* Convolutions and pooling have kernels that the network has no use for. */
static void test_layers(gconstpointer data)
{
    const char *device = data;
#ifdef SANITIZED
    g_test_skip("the sanitizer has its own allocator");
    return;
#endif
    for (guint i = 0; i < n_op_cases; i++) {
        if (!is_spatial(op_cases[i].op))
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(OpRig) rig = op_rig_new(&op_cases[i], device, AIMF_PRECISION_F32, OP_ALL_TRAINABLE, &error);
        g_assert_no_error(error);
        op_rig_run(rig);
        start_counting();
        gboolean good = aimf_plan_run(rig->plan, NULL);
        stop_counting();
        g_assert_true(good);
        g_test_message("%s: %u allocations, %u of them large", rig->name, atomic_load(&n_allocations),
                       atomic_load(&n_large));
        if (strcmp(device, "reference") == 0)
            g_assert_cmpuint(atomic_load(&n_allocations), ==, 0);
        g_assert_cmpuint(atomic_load(&n_large), ==, 0);
        g_assert_cmpint(atomic_load(&live_bytes), ==, 0);
    }
}

/* The counters count: otherwise the other tests could not fail. */
static void test_counter(void)
{
#ifdef SANITIZED
    g_test_skip("the sanitizer has its own allocator");
    return;
#endif
    start_counting();
    char *small = g_strdup("one"), *large = g_malloc(1000);
    stop_counting();
    g_assert_cmpuint(atomic_load(&n_allocations), ==, 2);
    g_assert_cmpuint(atomic_load(&n_large), ==, 1);
    g_assert_cmpint(atomic_load(&live_bytes), >=, 1004);
    atomic_store(&counting, TRUE);
    g_free(small);
    g_free(large);
    stop_counting();
    g_assert_cmpint(atomic_load(&live_bytes), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/allocations/counter", test_counter);
    for (const char *const *device = support_devices(); *device; device++) {
        g_autofree char *path = g_strdup_printf("/allocations/run/%s", *device);
        g_autofree char *layers = g_strdup_printf("/allocations/layers/%s", *device);
        g_test_add_data_func(path, *device, test_run);
        g_test_add_data_func(layers, *device, test_layers);
    }
    return g_test_run();
}
