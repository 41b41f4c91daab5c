#include "diffusion/sampler_plan.h"

#include <math.h>

/* A quantity that is a sum of multiples of the latents and of the prediction. */
typedef struct {
    double sample, prediction;
} Linear;

/* The image that a prediction at signal share @alpha means. */
static Linear image_at(const AimfSamplerSetting *setting, double alpha)
{
    double signal = sqrt(alpha), noise = sqrt(1 - alpha);
    return setting->v_prediction ? (Linear){ signal, -noise } : (Linear){ 1 / signal, -noise / signal };
}

static Linear noise_at(const AimfSamplerSetting *setting, double alpha)
{
    return setting->v_prediction ? (Linear){ sqrt(1 - alpha), sqrt(alpha) } : (Linear){ 0, 1 };
}

/* How far DDIM and PLMS go in one step, whatever the spacing. */
static int stride(const AimfSamplerSetting *setting)
{
    return setting->levels->n / setting->n_steps;
}

/* Source: Song et al. 2021, "Denoising diffusion implicit models", equations 12 and 16. */
int aimf_plan_ddim(const AimfSamplerSetting *setting, AimfSamplerCall *calls)
{
    for (int i = 0; i < setting->n_steps; i++) {
        int timestep = (int)setting->timesteps[i];
        double alpha = aimf_noise_levels_alpha(setting->levels, timestep);
        double next = aimf_noise_levels_alpha(setting->levels, timestep - stride(setting));
        double fresh = setting->eta * sqrt((1 - next) / (1 - alpha) * MAX(0, 1 - alpha / next));
        double direction = sqrt(MAX(0, 1 - next - fresh * fresh));
        Linear image = image_at(setting, alpha), noise = noise_at(setting, alpha);
        calls[i] = (AimfSamplerCall){
            .timestep = timestep,
            .input = 1,
            .sample = sqrt(next) * image.sample + direction * noise.sample,
            .prediction = sqrt(next) * image.prediction + direction * noise.prediction,
            .noise = fresh,
        };
    }
    return setting->n_steps;
}

/*
 * From one timestep to another along a mean prediction. Source: Liu et al. 2022, "Pseudo numerical methods for
 * diffusion models", equation 11.
 */
static Linear transfer(const AimfSamplerSetting *setting, int from, int to)
{
    double a = aimf_noise_levels_alpha(setting->levels, from), b = aimf_noise_levels_alpha(setting->levels, to);
    double noise_factor = (a - b) / (a * sqrt(1 - b) + sqrt(a * (1 - a) * b));
    Linear noise = noise_at(setting, a);
    return (Linear){ sqrt(b / a) + noise_factor * noise.sample, noise_factor * noise.prediction };
}

/*
 * Linear multistep of order four without Runge-Kutta steps before it; the second call improves the first step
 * instead, and is not kept. Source: CompVis/latent-diffusion, ldm/models/diffusion/plms.py; diffusers,
 * PNDMScheduler.step_plms.
 */
int aimf_plan_plms(const AimfSamplerSetting *setting, AimfSamplerCall *calls)
{
    static const double weights[4][4] = { /* the newest first */
                                          { 1 },
                                          { 3 / 2.0, -1 / 2.0 },
                                          { 23 / 12.0, -16 / 12.0, 5 / 12.0 },
                                          { 55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0 }
    };
    int n_calls = 0;
    for (int i = 0; i < setting->n_steps; i++) {
        int timestep = (int)setting->timesteps[i];
        if (i == 1) {
            /* The first step once more, with the mean of both predictions: it is undone on the way. */
            const AimfSamplerCall *first = &calls[0];
            Linear again = transfer(setting, timestep + stride(setting), timestep);
            calls[n_calls++] = (AimfSamplerCall){
                .timestep = timestep,
                .input = 1,
                .sample = again.sample / first->sample,
                .prediction = again.prediction / 2,
                .history = { again.prediction / 2 - again.sample / first->sample * first->prediction },
            };
        }
        Linear step = transfer(setting, timestep, timestep - stride(setting));
        const double *weight = weights[MIN(i, 3)];
        AimfSamplerCall *call = &calls[n_calls++];
        *call = (AimfSamplerCall){ .timestep = timestep, .input = 1, .sample = step.sample, .kept_prediction = 1 };
        call->prediction = step.prediction * weight[0];
        for (int k = 0; k < AIMF_SAMPLER_HISTORY; k++)
            call->history[k] = step.prediction * weight[k + 1];
    }
    return n_calls;
}

/* The noise level of step @i relative to the signal; 0 after the last one. */
static double sigma_of(const AimfSamplerSetting *setting, int i)
{
    return i < setting->n_steps ? aimf_noise_levels_sigma(setting->levels, setting->timesteps[i]) : 0;
}

/*
 * Second order, midpoint; the first and the last step are of first order. Source: Lu et al. 2022, "DPM-Solver++",
 * algorithm 2, with lambda = -log(sigma) and so exp(-h) = sigma(next) / sigma.
 */
int aimf_plan_dpm_solver(const AimfSamplerSetting *setting, AimfSamplerCall *calls)
{
    for (int i = 0; i < setting->n_steps; i++) {
        double sigma = sigma_of(setting, i), next = sigma_of(setting, i + 1);
        double signal = 1 / sqrt(sigma * sigma + 1), next_signal = 1 / sqrt(next * next + 1);
        double image_factor = next_signal * (1 - next / sigma), extrapolated = 0;
        if (i > 0 && i < setting->n_steps - 1)
            extrapolated = 0.5 * log(sigma / next) / log(sigma_of(setting, i - 1) / sigma);
        Linear image = image_at(setting, signal * signal);
        calls[i] = (AimfSamplerCall){
            .timestep = setting->timesteps[i],
            .input = 1,
            .sample = next * next_signal / (sigma * signal) + image_factor * (1 + extrapolated) * image.sample,
            .prediction = image_factor * (1 + extrapolated) * image.prediction,
            .history = { -image_factor * extrapolated },
            .kept_sample = image.sample,
            .kept_prediction = image.prediction,
        };
    }
    return setting->n_steps;
}

/*
 * One step of the Euler methods, whose latents are image + sigma noise: along (x - image) / sigma to @to, and @up of
 * fresh noise.
 */
static AimfSamplerCall euler_step(const AimfSamplerSetting *setting, int i, double to, double up)
{
    double sigma = sigma_of(setting, i), alpha = 1 / (sigma * sigma + 1);
    Linear noise = noise_at(setting, alpha);
    return (AimfSamplerCall){
        .timestep = setting->timesteps[i],
        .input = sqrt(alpha),
        .sample = 1 + (to - sigma) * noise.sample * sqrt(alpha),
        .prediction = (to - sigma) * noise.prediction,
        .noise = up,
    };
}

/*
 * Source: Karras et al. 2022, "Elucidating the design space of diffusion-based generative models", algorithm 2
 * without churn.
 */
int aimf_plan_euler(const AimfSamplerSetting *setting, AimfSamplerCall *calls)
{
    for (int i = 0; i < setting->n_steps; i++)
        calls[i] = euler_step(setting, i, sigma_of(setting, i + 1), 0);
    return setting->n_steps;
}

/*
 * Goes further down than the next level, then up to it by fresh noise. Source: crowsonkb/k-diffusion, sampling.py,
 * get_ancestral_step.
 */
int aimf_plan_euler_ancestral(const AimfSamplerSetting *setting, AimfSamplerCall *calls)
{
    for (int i = 0; i < setting->n_steps; i++) {
        double sigma = sigma_of(setting, i), next = sigma_of(setting, i + 1);
        double up = next * sqrt(MAX(0, 1 - next * next / (sigma * sigma)));
        calls[i] = euler_step(setting, i, sqrt(next * next - up * up), up);
    }
    return setting->n_steps;
}
