/* How much of the signal and of the noise is left at every step of the training. */
#pragma once

#include "model/stable_diffusion.h"
#include <aimfair/diffusion.h>

/** AimfNoiseLevels: @n: training steps; @alphas_cumprod: (n) share of the signal's variance, falling. */
typedef struct {
    int n;
    double *alphas_cumprod;
} AimfNoiseLevels;

/** aimf_noise_levels_new: (owned) or NULL with INVALID: betas must rise or stay within (0, 1). */
AimfNoiseLevels *aimf_noise_levels_new(const AimfSdSchedule *schedule, GError **error);
void aimf_noise_levels_free(AimfNoiseLevels *levels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfNoiseLevels, aimf_noise_levels_free)

/**
 * aimf_noise_levels_alpha: alphas_cumprod at @timestep; before the first step that of the first
 * (set_alpha_to_one=False).
 */
double aimf_noise_levels_alpha(const AimfNoiseLevels *levels, int timestep);
/** aimf_noise_levels_sigma: sqrt((1 - a) / a) at @timestep, linear between whole ones. */
double aimf_noise_levels_sigma(const AimfNoiseLevels *levels, double timestep);

/** aimf_schedule_spacing: the one asked for, or the sampler's usual one. */
AimfSpacing aimf_schedule_spacing(const AimfSampling *sampling);
/** aimf_schedule_max_steps: beyond it, steps coincide or lie outside of the training's. */
int aimf_schedule_max_steps(const AimfSdSchedule *schedule, const AimfSampling *sampling);
/** aimf_schedule_timesteps: (owned) the steps of the training to sample, from the noisy end on. */
double *aimf_schedule_timesteps(const AimfSdSchedule *schedule, const AimfSampling *sampling);
