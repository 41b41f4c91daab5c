#include "diffusion/sampler.h"

#include "base/random.h"
#include "diffusion/sampler_plan.h"

#include <math.h>
#include <string.h>

typedef struct {
    const char *name;
    int (*plan)(const AimfSamplerSetting *setting, AimfSamplerCall *calls);
    gboolean by_sigma; /* latents are image + sigma noise, not scaled to unit variance */
} SamplerKind;

static const SamplerKind kinds[AIMF_N_SAMPLERS] = {
    [AIMF_SAMPLER_DDIM] = { "ddim", aimf_plan_ddim, FALSE },
    [AIMF_SAMPLER_PLMS] = { "plms", aimf_plan_plms, FALSE },
    [AIMF_SAMPLER_DPM_SOLVER] = { "dpm-solver++", aimf_plan_dpm_solver, FALSE },
    [AIMF_SAMPLER_EULER] = { "euler", aimf_plan_euler, TRUE },
    [AIMF_SAMPLER_EULER_ANCESTRAL] = { "euler-a", aimf_plan_euler_ancestral, TRUE },
};

struct AimfSampler {
    AimfSamplerCall *calls;
    guint n_calls;
    double initial; /* factor of the unit noise that it starts from */
    guint n_pictures;
    gsize n_elements;
    float *history[AIMF_SAMPLER_HISTORY]; /* (n_pictures, n_elements) each; the newest first */
    float *noise;                         /* (n_elements) */
};

const char *aimf_sampler_name(AimfSamplerKind sampler)
{
    g_assert((guint)sampler < AIMF_N_SAMPLERS);
    return kinds[sampler].name;
}

const char *aimf_spacing_name(AimfSpacing spacing)
{
    static const char *const names[AIMF_N_SPACINGS] = { "usual", "leading", "linspace", "trailing" };
    g_assert((guint)spacing < AIMF_N_SPACINGS);
    return names[spacing];
}

static gboolean check(const AimfSdSchedule *schedule, const AimfSampling *sampling, GError **error)
{
    if ((guint)sampling->sampler >= AIMF_N_SAMPLERS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there is no sampler number %d", (int)sampling->sampler);
        return FALSE;
    }
    if ((guint)sampling->spacing >= AIMF_N_SPACINGS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there is no spacing number %d", (int)sampling->spacing);
        return FALSE;
    }
    const char *name = kinds[sampling->sampler].name;
    int most = aimf_schedule_max_steps(schedule, sampling);
    if (sampling->steps < 1 || sampling->steps > most) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "steps: %s takes 1 to %d, not %d", name, most,
                    sampling->steps);
        return FALSE;
    }
    if (!(sampling->eta >= 0 && sampling->eta <= 1)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "eta: expected a number from 0 (no fresh noise) to 1 (as DDPM), found %g", sampling->eta);
        return FALSE;
    }
    if (sampling->eta > 0 && sampling->sampler != AIMF_SAMPLER_DDIM) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "eta: only ddim has it, and %s was asked for; leave it 0",
                    name);
        return FALSE;
    }
    return TRUE;
}

/* Room for what the plan uses, and no more. */
static gboolean allocate(AimfSampler *sampler, GError **error)
{
    guint deepest = 0;
    gboolean noisy = FALSE, there = TRUE;
    for (guint i = 0; i < sampler->n_calls; i++) {
        for (guint k = 0; k < AIMF_SAMPLER_HISTORY; k++)
            if (sampler->calls[i].history[k] != 0)
                deepest = MAX(deepest, k + 1);
        noisy = noisy || sampler->calls[i].noise != 0;
    }
    for (guint k = 0; k < deepest; k++) {
        sampler->history[k] = g_try_malloc0_n(MAX(sampler->n_pictures, 1), MAX(sampler->n_elements, 1) * sizeof(float));
        there = there && sampler->history[k];
    }
    if (noisy)
        there = (sampler->noise = g_try_new(float, MAX(sampler->n_elements, 1))) && there;
    if (!there)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                    "no memory to sample %u pictures of %" G_GSIZE_FORMAT " latents", sampler->n_pictures,
                    sampler->n_elements);
    return there;
}

AimfSampler *aimf_sampler_new(const AimfSdSchedule *schedule, const AimfSampling *sampling, guint n_pictures,
                              gsize n_elements, GError **error)
{
    g_autoptr(AimfNoiseLevels) levels = aimf_noise_levels_new(schedule, error);
    if (!levels || !check(schedule, sampling, error))
        return NULL;
    const SamplerKind *kind = &kinds[sampling->sampler];
    g_autofree double *timesteps = aimf_schedule_timesteps(schedule, sampling);
    AimfSamplerSetting setting = { levels, timesteps, sampling->steps, sampling->eta, schedule->v_prediction };
    g_autoptr(AimfSampler) sampler = g_new0(AimfSampler, 1);
    sampler->calls = g_new0(AimfSamplerCall, sampling->steps + 1);
    sampler->n_calls = (guint)kind->plan(&setting, sampler->calls);
    sampler->n_pictures = n_pictures;
    sampler->n_elements = n_elements;
    sampler->initial = 1;
    if (kind->by_sigma) {
        double sigma = aimf_noise_levels_sigma(levels, timesteps[0]);
        /* Where the first step is not the noisiest of the training, diffusers adds the image's own unit variance. */
        gboolean leading = aimf_schedule_spacing(sampling) == AIMF_SPACING_LEADING;
        sampler->initial = leading ? sqrt(sigma * sigma + 1) : sigma;
    }
    return allocate(sampler, error) ? g_steal_pointer(&sampler) : NULL;
}

void aimf_sampler_free(AimfSampler *sampler)
{
    if (!sampler)
        return;
    for (guint k = 0; k < AIMF_SAMPLER_HISTORY; k++)
        g_free(sampler->history[k]);
    g_free(sampler->noise);
    g_free(sampler->calls);
    g_free(sampler);
}

guint aimf_sampler_calls(const AimfSampler *sampler)
{
    return sampler->n_calls;
}

double aimf_sampler_timestep(const AimfSampler *sampler, guint call)
{
    g_assert(call < sampler->n_calls);
    return sampler->calls[call].timestep;
}

static void scale(const float *from, double factor, float *to, gsize n)
{
    for (gsize i = 0; i < n; i++)
        to[i] = (float)(from[i] * factor);
}

void aimf_sampler_begin(const AimfSampler *sampler, float *latents)
{
    scale(latents, sampler->initial, latents, sampler->n_pictures * sampler->n_elements);
}

void aimf_sampler_input(const AimfSampler *sampler, guint call, const float *latents, float *input)
{
    g_assert(call < sampler->n_calls);
    scale(latents, sampler->calls[call].input, input, sampler->n_pictures * sampler->n_elements);
}

static void draw_noise(guint64 seed, guint64 index, float *noise, gsize n)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_NOISE, index);
    for (gsize i = 0; i < n; i++)
        noise[i] = (float)aimf_random_normal(&random);
}

void aimf_initial_noise(guint64 seed, float *noise, gsize n)
{
    draw_noise(seed, 0, noise, n);
}

/* One picture's part of a call; rounded once, at the end. */
static void step_picture(const AimfSamplerCall *call, const float *prediction, const float *const *history,
                         const float *noise, float *latents, float *kept, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        double x = latents[i], p = prediction[i], next = call->sample * x + call->prediction * p;
        for (guint k = 0; k < AIMF_SAMPLER_HISTORY; k++)
            if (history[k])
                next += call->history[k] * history[k][i];
        if (noise)
            next += call->noise * noise[i];
        if (kept)
            kept[i] = (float)(call->kept_sample * x + call->kept_prediction * p);
        latents[i] = (float)next;
    }
}

void aimf_sampler_step(AimfSampler *sampler, guint call, const float *prediction, float *latents, const guint64 *seeds)
{
    g_assert(call < sampler->n_calls);
    const AimfSamplerCall *now = &sampler->calls[call];
    guint depth = 0;
    while (depth < AIMF_SAMPLER_HISTORY && sampler->history[depth])
        depth++;
    gboolean keeps = depth && (now->kept_sample != 0 || now->kept_prediction != 0);
    /* What is kept takes the oldest one's place, which is read in the same pass, element by element. */
    float *kept = keeps ? sampler->history[depth - 1] : NULL;
    for (guint picture = 0; picture < sampler->n_pictures; picture++) {
        gsize from = picture * sampler->n_elements;
        const float *history[AIMF_SAMPLER_HISTORY] = { NULL };
        for (guint k = 0; k < depth; k++)
            history[k] = now->history[k] != 0 ? sampler->history[k] + from : NULL;
        if (now->noise != 0)
            draw_noise(seeds[picture], 1 + (guint64)call, sampler->noise, sampler->n_elements);
        step_picture(now, prediction + from, history, now->noise != 0 ? sampler->noise : NULL, latents + from,
                     kept ? kept + from : NULL, sampler->n_elements);
    }
    if (keeps) {
        memmove(&sampler->history[1], &sampler->history[0], (depth - 1) * sizeof sampler->history[0]);
        sampler->history[0] = kept;
    }
}
