/* Every sampler here is linear, so a call is a few coefficients, all worked out before the first one. */
#pragma once

#include "diffusion/schedule.h"

enum { AIMF_SAMPLER_HISTORY = 3 };

/**
 * AimfSamplerCall: with x the latents and p the prediction,
 * next x = @sample x + @prediction p + sum of @history[k] h[k] + @noise (fresh normal numbers), h[0] being the newest
 * of what was kept; then, where one of them is not 0, h[0] becomes @kept_sample x + @kept_prediction p, of the old x.
 * @timestep, @input: what the network is told, and the factor of the latents it is shown
 */
typedef struct {
    double timestep, input;
    double sample, prediction, noise;
    double history[AIMF_SAMPLER_HISTORY];
    double kept_sample, kept_prediction;
} AimfSamplerCall;

/** AimfSamplerSetting: what a plan is made from; @timesteps: (n_steps). */
typedef struct {
    const AimfNoiseLevels *levels;
    const double *timesteps;
    int n_steps;
    double eta;
    gboolean v_prediction;
} AimfSamplerSetting;

/* Each fills @calls, zeros with room for n_steps + 1, and returns how many there are. */
int aimf_plan_ddim(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
int aimf_plan_plms(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
int aimf_plan_dpm_solver(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
int aimf_plan_euler(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
int aimf_plan_euler_ancestral(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
