/*
 * Pictures from prompts: text, noise, the steps of a sampler with guidance, decoding, and a second try for numbers
 * gone wrong.
 */
#include "base/monitor.h"
#include "diffusion/sampler.h"
#include "diffusion/text_states.h"

#include <math.h>
#include <string.h>

/* One batch on its way. */
typedef struct {
    AimfDiffusion *diffusion;
    const AimfSampling *sampling;
    AimfPicture **pictures; /* (n) */
    guint n;
    AimfPrecision precision;
    const char *stage;
    int height, width;  /* of the latents */
    gsize elements;     /* of one picture's latents */
    gboolean is_guided; /* the UNet sees every picture twice: all with the negative prompt, then all with their own */
    float *states;      /* (n or 2 n, 77, width), owned */
    float *latents;     /* (n, C, h, w), owned */
    float *seen;        /* (n or 2 n, C, h, w), owned: what the UNet is given, and then what it says */
    float *timesteps;   /* (n or 2 n), owned */
    guint64 *seeds;     /* (n), owned */
} Batch;

static void batch_clear(Batch *batch)
{
    g_free(batch->states);
    g_free(batch->latents);
    g_free(batch->seen);
    g_free(batch->timesteps);
    g_free(batch->seeds);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Batch, batch_clear)

static gboolean is_finite(const float *values, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return FALSE;
    return TRUE;
}

static gboolean any_finite(const Batch *batch)
{
    for (guint i = 0; i < batch->n; i++)
        if (is_finite(batch->latents + i * batch->elements, batch->elements))
            return TRUE;
    return FALSE;
}

static gboolean fill_states(Batch *batch, GError **error)
{
    AimfDiffusion *diffusion = batch->diffusion;
    const char *negative = batch->sampling->negative ? batch->sampling->negative : "";
    gsize values = aimf_text_states_values(diffusion);
    guint n = batch->is_guided ? 2 * batch->n : batch->n, first_own = n - batch->n;
    batch->states = aimf_numbers_new(n * values, "the prompts' states", error);
    if (!batch->states)
        return FALSE;
    for (guint i = 0; i < n; i++) {
        AimfPicture *picture = i < first_own ? NULL : batch->pictures[i - first_own];
        const AimfTextStates *text =
            aimf_text_states_get(diffusion, picture ? picture->prompt : negative, batch->precision, error);
        if (!text)
            return FALSE;
        memcpy(batch->states + i * values, text->states, values * sizeof(float));
        if (picture)
            picture->tokens_cut = text->tokens_cut;
    }
    aimf_networks_done(&diffusion->networks, AIMF_NETWORK_TEXT);
    return TRUE;
}

static gboolean fill_noise(Batch *batch, GError **error)
{
    batch->seeds = g_new(guint64, batch->n);
    batch->latents = aimf_numbers_new(batch->n * batch->elements, "latents", error);
    if (!batch->latents)
        return FALSE;
    for (guint i = 0; i < batch->n; i++) {
        const AimfPicture *picture = batch->pictures[i];
        float *latents = batch->latents + i * batch->elements;
        if (picture->noise)
            memcpy(latents, picture->noise, batch->elements * sizeof(float));
        else
            aimf_initial_noise(picture->seed, latents, batch->elements);
        batch->seeds[i] = picture->seed;
    }
    return TRUE;
}

/* Ho and Salimans 2022, equation 6, as Stable Diffusion writes it: away from the negative prompt's prediction. */
static void guide(const Batch *batch, const float *predicted, float *prediction)
{
    gsize n = batch->n * batch->elements;
    float scale = (float)batch->sampling->guidance;
    const float *own = batch->is_guided ? predicted + n : predicted;
    for (gsize i = 0; i < n; i++)
        prediction[i] = batch->is_guided ? predicted[i] + scale * (own[i] - predicted[i]) : own[i];
}

static AimfNetwork *ready_unet(Batch *batch, GError **error)
{
    AimfNetworkForm form = { batch->precision, batch->is_guided ? 2 * batch->n : batch->n, batch->height,
                             batch->width };
    AimfNetwork *unet = aimf_networks_need(&batch->diffusion->networks, AIMF_NETWORK_UNET, &form, error);
    gsize n_states = form.batch * aimf_text_states_values(batch->diffusion);
    if (!unet || !aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.context, batch->states, n_states, error))
        return NULL;
    batch->seen = aimf_numbers_new(form.batch * batch->elements, "what the UNet sees", error);
    batch->timesteps = g_new(float, form.batch);
    return batch->seen ? unet : NULL;
}

static gboolean call_unet(const Batch *batch, AimfNetwork *unet, const AimfSampler *sampler, guint call,
                          float *prediction, GError **error)
{
    gsize n = batch->n * batch->elements, n_seen = unet->form.batch * batch->elements;
    aimf_sampler_input(sampler, call, batch->latents, batch->seen);
    if (batch->is_guided)
        memcpy(batch->seen + n, batch->seen, n * sizeof(float));
    for (guint i = 0; i < unet->form.batch; i++)
        batch->timesteps[i] = (float)aimf_sampler_timestep(sampler, call);
    if (!aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.input, batch->seen, n_seen, error) ||
        !aimf_networks_give(unet, AIMF_NETWORK_UNET, unet->values.timestep, batch->timesteps, unet->form.batch,
                            error) ||
        !aimf_networks_run(unet, AIMF_NETWORK_UNET, batch->seen, n_seen, error))
        return FALSE;
    guide(batch, batch->seen, prediction);
    return TRUE;
}

/* All steps; ends early when no picture has finite numbers left, for they do not come back. */
static gboolean denoise(Batch *batch, const AimfMonitor *monitor, GError **error)
{
    const AimfSdModel *model = batch->diffusion->networks.model;
    g_autoptr(AimfSampler) sampler =
        aimf_sampler_new(&model->schedule, batch->sampling, batch->n, batch->elements, error);
    if (!sampler)
        return FALSE;
    AimfNetwork *unet = ready_unet(batch, error);
    if (!unet)
        return FALSE;
    /* (n, C, h, w) */
    g_autofree float *prediction = aimf_numbers_new(batch->n * batch->elements, "a prediction", error);
    if (!prediction)
        return FALSE;
    AimfStage stage;
    guint calls = aimf_sampler_calls(sampler);
    aimf_stage_begin(&stage, monitor, batch->stage, "steps", calls);
    aimf_sampler_begin(sampler, batch->latents);
    for (guint call = 0; call < calls && any_finite(batch); call++) {
        if (!aimf_check_stop(monitor, batch->stage, error) || !call_unet(batch, unet, sampler, call, prediction, error))
            return FALSE;
        aimf_sampler_step(sampler, call, prediction, batch->latents, batch->seeds);
        aimf_stage_step(&stage, 1, NULL);
    }
    aimf_networks_done(&batch->diffusion->networks, AIMF_NETWORK_UNET);
    return TRUE;
}

/* [-1, 1] to 8 bit as the original does: clamped to [0, 1], times 255, truncated and not rounded. */
static AimfImage *planes_to_image(const float *planes, int width, int height, GError **error)
{
    AimfImage *image = aimf_image_new(width, height, error);
    gsize pixels = (gsize)width * (gsize)height;
    for (gsize i = 0; image && i < pixels; i++)
        for (gsize c = 0; c < 3; c++)
            image->data[3 * i + c] = (guint8)(255.0f * CLAMP((planes[c * pixels + i] + 1.0f) / 2.0f, 0.0f, 1.0f));
    return image;
}

/* Pictures whose numbers are not finite get no image; that is no error. */
static gboolean decode(Batch *batch, const AimfMonitor *monitor, GError **error)
{
    AimfNetworks *networks = &batch->diffusion->networks;
    int scale = aimf_vae_scale(&networks->model->vae), width = batch->width * scale, height = batch->height * scale;
    gsize values = 3 * (gsize)width * (gsize)height;
    g_autofree float *planes = aimf_numbers_new(values, "a picture", error); /* (3, H, W) */
    if (!planes)
        return FALSE;
    for (guint i = 0; i < batch->n; i++) {
        AimfPicture *picture = batch->pictures[i];
        const float *latents = batch->latents + i * batch->elements;
        if (picture->latents)
            memcpy(picture->latents, latents, batch->elements * sizeof(float));
        if (!is_finite(latents, batch->elements))
            continue;
        if (!aimf_check_stop(monitor, "decoding", error) ||
            !aimf_networks_decode(networks, batch->precision, latents, batch->height, batch->width, planes, error))
            return FALSE;
        if (is_finite(planes, values) && !(picture->image = planes_to_image(planes, width, height, error)))
            return FALSE;
    }
    aimf_networks_done(networks, AIMF_NETWORK_DECODER);
    return TRUE;
}

static gboolean make(Batch *batch, const AimfMonitor *monitor, GError **error)
{
    return aimf_check_stop(monitor, batch->stage, error) && fill_states(batch, error) && fill_noise(batch, error) &&
           denoise(batch, monitor, error) && decode(batch, monitor, error);
}

/* Those without an image once more, each by itself, in f32. */
static gboolean retry(const Batch *failed, const AimfMonitor *monitor, GError **error)
{
    AimfNetworks *networks = &failed->diffusion->networks;
    gboolean good = TRUE;
    for (guint i = 0; good && i < failed->n && failed->precision != AIMF_PRECISION_F32; i++) {
        if (failed->pictures[i]->image)
            continue;
        g_auto(Batch) batch = {
            .diffusion = failed->diffusion,
            .sampling = failed->sampling,
            .pictures = &failed->pictures[i],
            .n = 1,
            .precision = AIMF_PRECISION_F32,
            .stage = "sampling again in f32",
            .height = failed->height,
            .width = failed->width,
            .elements = failed->elements,
            .is_guided = failed->is_guided,
        };
        failed->pictures[i]->retried = TRUE;
        good = make(&batch, monitor, error);
    }
    aimf_networks_release_unusual(networks);
    return good;
}

static gboolean check_sampling(const AimfSampling *sampling, GError **error)
{
    /* Beyond this the prediction is lost in rounding; diffusers' and the original's users stay below 30. */
    if (sampling->guidance >= 0 && sampling->guidance <= 1000)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "a guidance scale of %g is out of range: 0 to 1000, usually 9",
                sampling->guidance);
    return FALSE;
}

static gboolean check_pictures(const AimfPicture *pictures, guint n, gsize elements, GError **error)
{
    for (guint i = 0; i < n; i++) {
        if (!pictures[i].prompt) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "picture %u has no prompt", i);
            return FALSE;
        }
        if (pictures[i].noise && !is_finite(pictures[i].noise, elements)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "the initial noise of picture %u has numbers that are not finite", i);
            return FALSE;
        }
    }
    return TRUE;
}

/* Pixels of one side to latents; not a multiple of the scale gives a size that aimf_networks_fits refuses. */
static gboolean find_size(const AimfDiffusion *diffusion, const AimfSampling *sampling, Batch *batch, GError **error)
{
    int scale = aimf_vae_scale(&diffusion->networks.model->vae),
        own = diffusion->networks.model->unet.sample_size * scale;
    int width = sampling->width ? sampling->width : own, height = sampling->height ? sampling->height : own;
    if (width % scale == 0 && height % scale == 0) {
        batch->width = width / scale;
        batch->height = height / scale;
        return aimf_networks_fits(&diffusion->networks, AIMF_NETWORK_UNET, batch->height, batch->width, error);
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "a picture of %d x %d pixels cannot be made: width and height must be multiples of %d", width, height,
                scale << (diffusion->networks.model->unet.levels - 1));
    return FALSE;
}

gboolean aimf_diffusion_generate(AimfDiffusion *diffusion, const AimfSampling *sampling, AimfPicture *pictures, guint n,
                                 const AimfMonitor *monitor, GError **error)
{
    g_autofree AimfPicture **all = g_new(AimfPicture *, n + 1);
    for (guint i = 0; i < n; i++) {
        all[i] = &pictures[i];
        pictures[i].image = NULL;
        pictures[i].tokens_cut = 0;
        pictures[i].retried = FALSE;
    }
    g_auto(Batch) batch = {
        .diffusion = diffusion,
        .sampling = sampling,
        .pictures = all,
        .n = n,
        .precision = diffusion->networks.precision,
        .stage = "sampling",
        .is_guided = sampling->guidance != 1,
    };
    if (!check_sampling(sampling, error) || !find_size(diffusion, sampling, &batch, error))
        return FALSE;
    batch.elements = (gsize)diffusion->networks.model->unet.in_channels * (gsize)batch.height * (gsize)batch.width;
    if (!check_pictures(pictures, n, batch.elements, error))
        return FALSE;
    if (n == 0 || (make(&batch, monitor, error) && retry(&batch, monitor, error)))
        return TRUE;
    for (guint i = 0; i < n; i++)
        g_clear_pointer(&pictures[i].image, aimf_image_free);
    return FALSE;
}
