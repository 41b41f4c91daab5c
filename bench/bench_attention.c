/*
 * Attention as Stable Diffusion's networks have it, the kernel alone: billions of multiply-adds counted as two per
 * second (what a mask hides is not counted), the best of many runs. Prints JSON.
 *
 *     bench_attention [THREADS [SECONDS_PER_KERNEL [f32|bf16]]]
 */
#include "backend/onednn/onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *name;
    int n, queries, keys, heads, head_size, causal;
} Case;

/* Pictures come in twos, with the prompt and without. */
static const Case cases[] = {
    { "sd2_unet_64x64", 2, 4096, 4096, 5, 64, 0 },   { "sd2_unet_32x32", 2, 1024, 1024, 10, 64, 0 },
    { "sd2_unet_16x16", 2, 256, 256, 20, 64, 0 },    { "sd2_unet_8x8", 2, 64, 64, 20, 64, 0 },
    { "sd2_unet_96x96", 2, 9216, 9216, 5, 64, 0 },   { "sd2_prompt_64x64", 2, 4096, 77, 5, 64, 0 },
    { "sd2_prompt_16x16", 2, 256, 77, 20, 64, 0 },   { "sd1_unet_64x64", 2, 4096, 4096, 8, 40, 0 },
    { "sd1_unet_32x32", 2, 1024, 1024, 8, 80, 0 },   { "sd1_unet_16x16", 2, 256, 256, 8, 160, 0 },
    { "sd1_unet_8x8", 2, 64, 64, 8, 160, 0 },        { "sd1_prompt_64x64", 2, 4096, 77, 8, 40, 0 },
    { "clip_vit_l_batch16", 16, 77, 77, 12, 64, 1 }, { "openclip_vit_h_batch2", 2, 77, 77, 16, 64, 1 },
    { "vae_64x64", 1, 4096, 4096, 1, 512, 0 },
};

/* With one thread its own processor time is read, which other programs on the machine disturb least. */
static double now(int threads)
{
    struct timespec time;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void run(AimfKernel *kernel)
{
    g_autoptr(GError) error = NULL;
    if (!kernel->run(kernel, NULL, &error))
        g_error("%s", error->message);
}

/* The fastest of the runs that fit into the time, in seconds. Operands are small numbers in either type. */
static double fastest(AimfKernel *kernel, const AimfNodePlan *plan, int threads, double seconds)
{
    const gsize bytes[] = { plan->in[0].bytes, plan->in[1].bytes, plan->in[2].bytes, plan->out[0].bytes,
                            plan->scratch_bytes };
    void *addresses[G_N_ELEMENTS(bytes)];
    for (gsize i = 0; i < G_N_ELEMENTS(bytes); i++) {
        if (posix_memalign(&addresses[i], 64, MAX(bytes[i], 64)) != 0)
            g_error("no memory");
        memset(addresses[i], 0x3c, bytes[i]);
    }
    kernel->bind(kernel, addresses);
    run(kernel);
    double best = 1e9, end = now(threads) + seconds;
    for (double start = now(threads); start < end; start = now(threads)) {
        run(kernel);
        best = MIN(best, now(threads) - start);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bytes); i++)
        free(addresses[i]);
    return best;
}

static void measure(const AimfBackend *backend, gpointer state, AimfPrecision precision, const Case *c, int threads,
                    double seconds)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    gint64 channels = (gint64)c->heads * c->head_size;
    AimfValue q = aimf_graph_input(graph, "q", AIMF_SHAPE(c->n, c->queries, channels));
    AimfValue k = aimf_graph_input(graph, "k", AIMF_SHAPE(c->n, c->keys, channels));
    AimfValue v = aimf_graph_input(graph, "v", AIMF_SHAPE(c->n, c->keys, channels));
    aimf_attention(graph, q, k, v, (AimfAttention){ .heads = c->heads, .causal = c->causal });
    const AimfNode *node = &g_array_index(graph->nodes, AimfNode, graph->nodes->len - 1);

    g_autoptr(GError) error = NULL;
    AimfNodePlan plan = { .graph = graph, .node = node, .precision = precision };
    AimfKernel *kernel = backend->plan[node->op](state, &plan, &error);
    if (!kernel)
        g_error("%s", error->message);
    double run_seconds = fastest(kernel, &plan, threads, seconds), flops = aimf_ops[node->op].flops(graph, node);
    printf("{\"case\": \"%s\", \"precision\": \"%s\", \"batch\": %d, \"queries\": %d, \"keys\": %d, \"heads\": %d, "
           "\"head_size\": %d, \"causal\": %s, \"implementation\": \"%s\", \"milliseconds\": %.3f, \"gflops\": %.1f, "
           "\"scratch_mb\": %.2f}",
           c->name, precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", c->n, c->queries, c->keys, c->heads,
           c->head_size, c->causal ? "true" : "false", kernel->implementation, run_seconds * 1e3,
           flops / run_seconds * 1e-9, (double)plan.scratch_bytes * 1e-6);
    fflush(stdout);
    kernel->free(kernel);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 0;
    double seconds = argc > 2 ? g_ascii_strtod(argv[2], NULL) : 0.2;
    aimf_set_threads(threads);
    const AimfBackend *backend = &aimf_backend_onednn;
    g_autofree char *version = backend->version();
    printf("{\"backend\": \"%s\", \"threads\": %d, \"attention\": [", version, threads);
    const char *separator = "\n  ";
    for (int precision = AIMF_PRECISION_F32; precision <= AIMF_PRECISION_BF16; precision++) {
        gpointer state = NULL;
        if ((argc > 3 && strcmp(argv[3], precision == AIMF_PRECISION_BF16 ? "bf16" : "f32") != 0) ||
            !(state = backend->open((AimfPrecision)precision, NULL)))
            continue;
        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++, separator = ",\n  ") {
            fputs(separator, stdout);
            measure(backend, state, (AimfPrecision)precision, &cases[i], threads, seconds);
        }
        backend->close(state);
    }
    printf("\n]}\n");
    return 0;
}
