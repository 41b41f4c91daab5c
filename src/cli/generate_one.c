/* aimfair generate --prompt: one picture, and the noise and latents by which other programs can be compared. */
#include "generate_one.h"

#include <math.h>
#include <string.h>

/** Latents: shape of the model's latents for a picture of this size. */
typedef struct {
    gint64 channels, height, width;
} Latents;

static Latents latents_of(const AimfDiffusion *diffusion, const AimfSampling *sampling)
{
    AimfDiffusionInfo info = aimf_diffusion_info(diffusion);
    int height = sampling->height ? sampling->height : info.image_size;
    int width = sampling->width ? sampling->width : info.image_size;
    return (Latents){ info.latent_channels, height / info.scale, width / info.scale };
}

static gsize n_values(const Latents *latents)
{
    return (gsize)(latents->channels * latents->height * latents->width);
}

/* (owned) room for them, all 0; NULL with MEMORY. */
static float *numbers(const Latents *latents, GError **error)
{
    float *values = g_try_new0(float, n_values(latents));
    if (!values)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                    "no memory for latents of %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT " numbers", latents->height,
                    latents->width);
    return values;
}

/* (C, h, w), or (1, C, h, w) as diffusers has it. */
static gboolean fits(const AimfShape *shape, const Latents *latents)
{
    const gint64 *dim = shape->dim + (shape->rank == 4);
    return (shape->rank == 3 || (shape->rank == 4 && shape->dim[0] == 1)) && dim[0] == latents->channels &&
           dim[1] == latents->height && dim[2] == latents->width;
}

static gboolean check_finite(const float *values, gsize n, const char *path, GError **error)
{
    for (gsize i = 0; i < n; i++) {
        if (isfinite(values[i]))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "--noise %s: value %" G_GSIZE_FORMAT " is not finite", path,
                    i);
        return FALSE;
    }
    return TRUE;
}

/* (owned) the noise in the file @path. */
static float *read_noise(const char *path, const Latents *latents, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, error);
    if (!tensors)
        return NULL;
    guint n = aimf_tensors_count(tensors);
    const AimfTensor *tensor = n ? aimf_tensors_at(tensors, 0) : NULL;
    if (n != 1 || !fits(&tensor->shape, latents)) {
        g_autofree char *found = n == 1 ? aimf_shape_text(&tensor->shape) : g_strdup_printf("%u tensors", n);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--noise %s: one tensor of %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT "x%" G_GINT64_FORMAT
                    " was expected, %s found",
                    path, latents->channels, latents->height, latents->width, found);
        return NULL;
    }
    g_autofree float *noise = numbers(latents, error);
    if (!noise || !aimf_tensors_read(tensors, 0, AIMF_F32, noise, error) ||
        !check_finite(noise, n_values(latents), path, error))
        return NULL;
    return g_steal_pointer(&noise);
}

static gboolean save_latents(const float *values, const Latents *latents, const char *path, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    const AimfShape shape = AIMF_SHAPE(1, latents->channels, latents->height, latents->width);
    return aimf_tensors_add(tensors, "latents", AIMF_F32, &shape, values, error) >= 0 &&
           aimf_tensors_save(tensors, path, error);
}

static void report(AimfCli *cli, const AimfGenerateArguments *a, const AimfDiffusion *diffusion,
                   const AimfPicture *picture)
{
    if (picture->tokens_cut)
        aimf_cli_message(cli, AIMF_LOG_WARNING, "the prompt is too long: its last %u tokens are cut off",
                         picture->tokens_cut);
    if (!cli->json) {
        g_autofree char *output = aimf_cli_printable(a->output);
        aimf_cli_print(cli, "%s: %d x %d pixels%s\n", output, picture->image->width, picture->image->height,
                       picture->retried ? ", made in f32 after numbers that were not finite" : "");
        return;
    }
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "image", a->output);
    aimf_cli_json_text(builder, "prompt", picture->prompt);
    if (!picture->noise) { /* as text: 64 bits do not fit every reader's numbers */
        g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, picture->seed);
        aimf_cli_json_text(builder, "seed", seed);
    }
    aimf_cli_json_int(builder, "tokens_cut", picture->tokens_cut);
    aimf_cli_json_bool(builder, "retried", picture->retried);
    aimf_generate_json_model(builder, diffusion, &a->sampling);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static gboolean save(const AimfGenerateArguments *a, const AimfDiffusion *diffusion, const AimfPicture *picture,
                     const Latents *latents, GError **error)
{
    if (a->latents && !save_latents(picture->latents, latents, a->latents, error))
        return FALSE;
    if (picture->image)
        return aimf_picture_save(diffusion, &a->sampling, picture, a->output, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                "the picture's numbers were not finite, in f32 neither; are these weights whole?");
    return FALSE;
}

static gboolean check(const AimfGenerateArguments *a, GError **error)
{
    if (!g_str_has_suffix(a->output, ".png")) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "-o %s: the picture is a PNG, so its name ends in .png",
                    a->output);
        return FALSE;
    }
    const char *const others[] = { a->model, a->vae, a->tokenizer, a->noise, a->output };
    gsize n = G_N_ELEMENTS(others);
    return aimf_cli_check_output("-o", a->output, error) &&
           aimf_cli_check_apart("-o", a->output, others, n - 1, error) &&
           (!a->latents || (aimf_cli_check_output("--latents-out", a->latents, error) &&
                            aimf_cli_check_apart("--latents-out", a->latents, others, n, error)));
}

void aimf_generate_json_model(JsonBuilder *builder, const AimfDiffusion *diffusion, const AimfSampling *sampling)
{
    AimfDiffusionInfo info = aimf_diffusion_info(diffusion);
    json_builder_set_member_name(builder, "model");
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "family", info.family);
    aimf_cli_json_text(builder, "weights", info.weights);
    aimf_cli_json_text(builder, "vae", info.vae);
    aimf_cli_json_text(builder, "prediction", info.prediction);
    aimf_cli_json_text(builder, "hash", info.hash);
    json_builder_end_object(builder);
    json_builder_set_member_name(builder, "sampling");
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "sampler", aimf_sampler_name(sampling->sampler));
    aimf_cli_json_int(builder, "steps", sampling->steps);
    aimf_cli_json_text(builder, "spacing", aimf_spacing_name(sampling->spacing));
    aimf_cli_json_double(builder, "guidance", sampling->guidance);
    aimf_cli_json_double(builder, "eta", sampling->eta);
    aimf_cli_json_text(builder, "negative_prompt", sampling->negative ? sampling->negative : "");
    aimf_cli_json_int(builder, "width", sampling->width ? sampling->width : info.image_size);
    aimf_cli_json_int(builder, "height", sampling->height ? sampling->height : info.image_size);
    json_builder_end_object(builder);
}

gboolean aimf_generate_one(AimfCli *cli, const AimfGenerateArguments *a, GError **error)
{
    g_autoptr(AimfDiffusion) diffusion = check(a, error) ? aimf_diffusion_open(&a->options, cli->monitor, error) : NULL;
    if (!diffusion)
        return FALSE;
    const Latents latents = latents_of(diffusion, &a->sampling);
    g_autofree float *noise = a->noise ? read_noise(a->noise, &latents, error) : NULL;
    if (a->noise && !noise)
        return FALSE;
    g_autofree float *final = a->latents ? numbers(&latents, error) : NULL;
    if (a->latents && !final)
        return FALSE;
    AimfPicture picture = { .prompt = a->prompt, .seed = cli->seed, .noise = noise, .latents = final };
    gboolean good = aimf_diffusion_generate(diffusion, &a->sampling, &picture, 1, cli->monitor, error) &&
                    save(a, diffusion, &picture, &latents, error);
    if (good)
        report(cli, a, diffusion, &picture);
    aimf_image_free(picture.image);
    return good;
}
