/*
 * The optimizer's step over contiguous blocks, rounding as torch.optim.SGD on the CPU does: there, adding a multiple
 * is one fused multiply-add where the processor has it, and scaling the momentum is a step of its own.
 */
#include "backend/cpu/cpu.h"

#include <immintrin.h>

typedef struct {
    float weight_decay, momentum, step; /* step: minus the learning rate */
} Factors;

static void baseline(const AimfSgdRun *run, const Factors *factors, gsize begin, gsize end)
{
    for (gsize i = begin; i < end; i++) {
        float gradient = run->gradients[i] + factors->weight_decay * run->parameters[i];
        run->momenta[i] = run->momenta[i] * factors->momentum + gradient;
        run->parameters[i] += factors->step * run->momenta[i];
    }
}

__attribute__((target("avx512f"))) static void avx512(const AimfSgdRun *run, const Factors *factors, gsize begin,
                                                      gsize end)
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
__attribute__((target("avx2,fma"))) static void avx2(const AimfSgdRun *run, const Factors *factors, gsize begin,
                                                     gsize end)
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

void cpu_sgd(const AimfSgdRun *run)
{
    enum { CHUNK = 1 << 14 };
    static void (*const loops[AIMF_N_ISAS])(const AimfSgdRun *, const Factors *, gsize, gsize) = { baseline, avx2,
                                                                                                   avx512, avx512 };
    Factors factors = { (float)run->sgd.weight_decay, (float)run->sgd.momentum, -*run->learning_rate };
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < run->n; begin += CHUNK)
        loops[aimf_instruction_set()](run, &factors, begin, MIN(begin + CHUNK, run->n));
}
