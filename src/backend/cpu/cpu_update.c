/*
 * What a step does to whole buckets of parameters or gradients. The optimizer's step rounds as torch.optim.SGD on the
 * CPU does: there, adding a multiple is one fused multiply-add where the processor has it, and scaling the momentum
 * is a step of its own.
 */
#include "backend/cpu/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct {
    gsize n;
    AimfOptimizer optimizer;
    float *parameters;
    const float *gradients;
    float *momenta;
} Sgd;

typedef struct {
    float weight_decay, momentum, step; /* step: minus the learning rate */
} Factors;

static void baseline(const Sgd *run, const Factors *factors, gsize begin, gsize end)
{
    for (gsize i = begin; i < end; i++) {
        float gradient = run->gradients[i] + factors->weight_decay * run->parameters[i];
        run->momenta[i] = run->momenta[i] * factors->momentum + gradient;
        run->parameters[i] += factors->step * run->momenta[i];
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void avx512(const Sgd *run, const Factors *factors, gsize begin, gsize end)
{
    __m512 weight_decay = _mm512_set1_ps(factors->weight_decay), momentum = _mm512_set1_ps(factors->momentum),
           step = _mm512_set1_ps(factors->step);
    for (gsize i = begin; i < end; i += 16) {
        __mmask16 mask = (__mmask16)(end - i < 16 ? (1u << (end - i)) - 1 : 0xffffu);
        __m512 parameter = _mm512_maskz_loadu_ps(mask, run->parameters + i);
        __m512 gradient = _mm512_fmadd_ps(parameter, weight_decay, _mm512_maskz_loadu_ps(mask, run->gradients + i));
        __m512 scaled = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, run->momenta + i), momentum);
        __asm__("" : "+v"(scaled)); /* keeps the compiler from fusing it with the addition */
        __m512 moved = _mm512_add_ps(scaled, gradient);
        _mm512_mask_storeu_ps(run->momenta + i, mask, moved);
        _mm512_mask_storeu_ps(run->parameters + i, mask, _mm512_fmadd_ps(moved, step, parameter));
    }
}

typedef struct {
    __m256 parameter, momentum;
} Moved;

/* Eight elements' new values. */
__attribute__((target("avx2,fma"), always_inline)) static inline Moved move8(__m256 parameter, __m256 gradient,
                                                                             __m256 momentum, const Factors *factors)
{
    gradient = _mm256_fmadd_ps(parameter, _mm256_set1_ps(factors->weight_decay), gradient);
    __m256 scaled = _mm256_mul_ps(momentum, _mm256_set1_ps(factors->momentum));
    __asm__("" : "+x"(scaled)); /* keeps the compiler from fusing it with the addition */
    __m256 moved = _mm256_add_ps(scaled, gradient);
    return (Moved){ _mm256_fmadd_ps(moved, _mm256_set1_ps(factors->step), parameter), moved };
}

/* Masked stores are slow on some processors: they are for what is left over. */
__attribute__((target("avx2,fma"))) static void avx2(const Sgd *run, const Factors *factors, gsize begin, gsize end)
{
    static const gint32 ones[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    float *parameters = run->parameters, *momenta = run->momenta;
    gsize i = begin;
    for (; i + 8 <= end; i += 8) {
        Moved moved = move8(_mm256_loadu_ps(parameters + i), _mm256_loadu_ps(run->gradients + i),
                            _mm256_loadu_ps(momenta + i), factors);
        _mm256_storeu_ps(momenta + i, moved.momentum);
        _mm256_storeu_ps(parameters + i, moved.parameter);
    }
    __m256i mask = _mm256_loadu_si256((const __m256i *)(ones + 8 - (end - i)));
    Moved moved = move8(_mm256_maskload_ps(parameters + i, mask), _mm256_maskload_ps(run->gradients + i, mask),
                        _mm256_maskload_ps(momenta + i, mask), factors);
    _mm256_maskstore_ps(momenta + i, mask, moved.momentum);
    _mm256_maskstore_ps(parameters + i, mask, moved.parameter);
}
#endif

enum { CHUNK = 1 << 14 };

typedef struct {
    AimfKernel base;
    Sgd run;
    const float *learning_rate;
} SgdKernel;

static void sgd_bind(AimfKernel *base, void *const *addresses)
{
    SgdKernel *kernel = (SgdKernel *)base;
    kernel->run.parameters = addresses[0];
    kernel->run.gradients = addresses[1];
    kernel->run.momenta = addresses[2];
    kernel->learning_rate = addresses[3];
}

static gboolean sgd_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    static void (*const loops[AIMF_N_ISAS])(const Sgd *, const Factors *, gsize, gsize) =
        AIMF_ISA_TABLE(baseline, avx2, avx512, avx512);
    const SgdKernel *kernel = (const SgdKernel *)base;
    const Sgd *run = &kernel->run;
    Factors factors = { (float)run->optimizer.weight_decay, (float)run->optimizer.momentum, -*kernel->learning_rate };
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < run->n; begin += CHUNK)
        loops[aimf_instruction_set()](run, &factors, begin, MIN(begin + CHUNK, run->n));
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

AimfKernel *cpu_plan_sgd(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    SgdKernel *kernel = g_new0(SgdKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), sgd_bind, sgd_run, kernel_free };
    kernel->run.n = (gsize)aimf_shape_count(cpu_input_shape(plan, 0));
    kernel->run.optimizer = plan->node->attributes.optimizer;
    return &kernel->base;
}

typedef struct {
    AimfKernel base;
    gsize n;
    const float *gradients;
    double *sums;
} AccumulateKernel;

static void accumulate_bind(AimfKernel *base, void *const *addresses)
{
    AccumulateKernel *kernel = (AccumulateKernel *)base;
    kernel->gradients = addresses[0];
    kernel->sums = addresses[1];
}

static gboolean accumulate_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const AccumulateKernel *kernel = (const AccumulateKernel *)base;
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < kernel->n; begin += CHUNK)
        for (gsize i = begin; i < MIN(begin + CHUNK, kernel->n); i++)
            kernel->sums[i] += (double)kernel->gradients[i];
    return TRUE;
}

AimfKernel *cpu_plan_accumulate(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F64);
    AccumulateKernel *kernel = g_new0(AccumulateKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:accumulate", accumulate_bind, accumulate_run, kernel_free };
    kernel->n = (gsize)aimf_shape_count(cpu_input_shape(plan, 0));
    return &kernel->base;
}
