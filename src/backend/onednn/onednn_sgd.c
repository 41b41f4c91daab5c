/*
 * The optimizer's step over contiguous blocks, rounding as torch.optim.SGD on the CPU does: there, adding a multiple is one fused
 * multiply-add where the processor has it, and scaling the momentum is a step of its own.
 */
#include "backend/onednn/onednn.h"

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

void onednn_sgd(const AimfSgdRun *run)
{
    enum { CHUNK = 1 << 14 };
    Factors factors = { (float)run->sgd.weight_decay, (float)run->sgd.momentum, -*run->learning_rate };
    void (*loop)(const AimfSgdRun *, const Factors *, gsize, gsize) = onednn_has_avx512() ? avx512 : baseline;
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < run->n; begin += CHUNK)
        loop(run, &factors, begin, MIN(begin + CHUNK, run->n));
}
