/* The planner of attention: our own kernels, the ones for the best instructions this processor has. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_attention_loop.h"

#include <omp.h>

const AttentionKernels *const cpu_attention_kernels[] = {
#if defined(__x86_64__)
    &cpu_attention_bf16,  &cpu_attention_avx512,
    &cpu_attention_avx2,
#endif
    &cpu_attention_plain, NULL,
};

typedef struct {
    AimfKernel base;
    AttentionWork work;
    void *addresses[5]; /* q, k, v, out, scratch */
} AttentionKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    AttentionKernel *kernel = (AttentionKernel *)base;
    for (gsize i = 0; i < G_N_ELEMENTS(kernel->addresses); i++)
        kernel->addresses[i] = addresses[i];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const AttentionKernel *kernel = (const AttentionKernel *)base;
    void *const *addresses = kernel->addresses;
    cpu_attention_run(&kernel->work, addresses[0], addresses[1], addresses[2], addresses[3], addresses[4]);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* (nullable) */
static const AttentionKernels *choose_kernels(AimfDtype dtype)
{
    const AttentionKernels *const *kernels = cpu_attention_kernels;
    while (*kernels && ((*kernels)->pair != (dtype == AIMF_BF16 ? 2 : 1) || !(*kernels)->is_supported()))
        kernels++;
    return *kernels;
}

AimfKernel *cpu_plan_attention(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state;
    AimfDtype dtype = cpu_compute_dtype(plan);
    const AimfShape *q = cpu_input_shape(plan, 0), *k = cpu_input_shape(plan, 1);
    const AimfAttention *options = &plan->node->attributes.attention;
    const AttentionKernels *kernels = choose_kernels(dtype);
    if (!kernels) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "attention: this processor has no AVX512_BF16; use f32");
        return NULL;
    }
    for (int i = 0; i < 3; i++)
        cpu_want_row_major(plan, i, dtype);
    cpu_give_row_major(plan, 0, dtype);
    plan->overwrites[0] = 0;

    AttentionShape shape = { .n = q->dim[0],
                             .heads = options->heads,
                             .head_size = q->dim[2] / options->heads,
                             .queries = q->dim[1],
                             .keys = k->dim[1],
                             .causal = options->causal };
    AttentionKernel *kernel = g_new0(AttentionKernel, 1);
    kernel->base = (AimfKernel){ kernels->name, bind, run, kernel_free };
    kernel->work = cpu_attention_work(kernels, &shape, omp_get_max_threads());
    plan->scratch_bytes = cpu_attention_scratch_bytes(&kernel->work);
    return &kernel->base;
}
