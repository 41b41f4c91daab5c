#include "diffusion/schedule.h"

#include <math.h>

enum { STEPS_OFFSET = 1, MAX_TRAIN_STEPS = 1000000 };

static double beta_at(const AimfSdSchedule *schedule, int step)
{
    double share = schedule->train_steps > 1 ? (double)step / (schedule->train_steps - 1) : 0;
    if (!schedule->scaled_linear)
        return schedule->beta_start + share * (schedule->beta_end - schedule->beta_start);
    double start = sqrt(schedule->beta_start), root = start + share * (sqrt(schedule->beta_end) - start);
    return root * root;
}

AimfNoiseLevels *aimf_noise_levels_new(const AimfSdSchedule *schedule, GError **error)
{
    gboolean good = schedule->train_steps > 0 && schedule->train_steps <= MAX_TRAIN_STEPS && schedule->beta_start > 0 &&
                    schedule->beta_start <= schedule->beta_end && schedule->beta_end < 1;
    if (!good) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "noise schedule: expected 1 to %d training steps and 0 < beta_start <= beta_end < 1, found %d, %g and %g",
            MAX_TRAIN_STEPS, schedule->train_steps, schedule->beta_start, schedule->beta_end);
        return NULL;
    }
    AimfNoiseLevels *levels = g_new(AimfNoiseLevels, 1);
    levels->n = schedule->train_steps;
    levels->alphas_cumprod = g_new(double, levels->n);
    double product = 1;
    for (int i = 0; i < levels->n; i++) {
        product *= 1 - beta_at(schedule, i);
        /*
         * As the original and diffusers keep them: what 1 - a loses by that near a = 1 can be seen in few-step results.
         */
        levels->alphas_cumprod[i] = (float)product;
    }
    return levels;
}

void aimf_noise_levels_free(AimfNoiseLevels *levels)
{
    if (!levels)
        return;
    g_free(levels->alphas_cumprod);
    g_free(levels);
}

double aimf_noise_levels_alpha(const AimfNoiseLevels *levels, int timestep)
{
    return levels->alphas_cumprod[CLAMP(timestep, 0, levels->n - 1)];
}

double aimf_noise_levels_sigma(const AimfNoiseLevels *levels, double timestep)
{
    int below = CLAMP((int)floor(timestep), 0, levels->n - 1), above = MIN(below + 1, levels->n - 1);
    double share = CLAMP(timestep - below, 0, 1), a = levels->alphas_cumprod[below], b = levels->alphas_cumprod[above];
    return (1 - share) * sqrt((1 - a) / a) + share * sqrt((1 - b) / b);
}

AimfSpacing aimf_schedule_spacing(const AimfSampling *sampling)
{
    if (sampling->spacing != AIMF_SPACING_USUAL)
        return sampling->spacing;
    gboolean leading = sampling->sampler == AIMF_SAMPLER_DDIM || sampling->sampler == AIMF_SAMPLER_PLMS;
    return leading ? AIMF_SPACING_LEADING : AIMF_SPACING_LINSPACE;
}

/* DPM-Solver divides the range as if it took one more step: the last is the end, which it does not ask about. */
static int n_points(AimfSamplerKind sampler, int steps)
{
    return steps + (sampler == AIMF_SAMPLER_DPM_SOLVER);
}

int aimf_schedule_max_steps(const AimfSdSchedule *schedule, const AimfSampling *sampling)
{
    gboolean leading = aimf_schedule_spacing(sampling) == AIMF_SPACING_LEADING;
    return schedule->train_steps - (leading ? n_points(sampling->sampler, STEPS_OFFSET) : 1);
}

double *aimf_schedule_timesteps(const AimfSdSchedule *schedule, const AimfSampling *sampling)
{
    gboolean euler = sampling->sampler == AIMF_SAMPLER_EULER || sampling->sampler == AIMF_SAMPLER_EULER_ANCESTRAL;
    AimfSpacing spacing = aimf_schedule_spacing(sampling);
    int steps = sampling->steps, points = n_points(sampling->sampler, steps), n = schedule->train_steps;
    double *timesteps = g_new(double, steps);
    for (int i = 0; i < steps; i++) {
        int from_end = points - 1 - i;
        if (spacing == AIMF_SPACING_LEADING)
            timesteps[i] = from_end * (n / points) + STEPS_OFFSET;
        else if (spacing == AIMF_SPACING_TRAILING)
            timesteps[i] = rint(n - i * ((double)n / steps)) - 1;
        else
            timesteps[i] = points > 1 ? from_end * ((n - 1.0) / (points - 1)) : 0;
        if (!euler)
            timesteps[i] = rint(timesteps[i]);
    }
    return timesteps;
}
