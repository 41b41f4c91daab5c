/* aimfair generate: pictures from prompts. */
#include "generate_one.h"

#include <string.h>

enum { MAX_SIDE = 4096, PAPER_SIZE = 224, NOT_GIVEN = G_MININT };

static void arguments_clear(AimfGenerateArguments *a)
{
    char *const texts[] = { a->model,  a->vae,   a->tokenizer, a->prediction, a->sampler, a->negative, a->size,
                            a->prompt, a->noise, a->latents,   a->prompts,    a->shard,   a->output,   a->spacing };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfGenerateArguments, arguments_clear)

/* --- Options --- */

/* "512" or "512x768". */
static gboolean take_size(AimfGenerateArguments *a, GError **error)
{
    if (!a->size)
        return TRUE;
    g_auto(GStrv) sides = g_strsplit(a->size, "x", 3);
    guint n = g_strv_length(sides);
    guint64 width = 0, height = 0;
    gboolean good = (n == 1 || n == 2) && g_ascii_string_to_unsigned(sides[0], 10, 8, MAX_SIDE, &width, NULL) &&
                    g_ascii_string_to_unsigned(sides[n - 1], 10, 8, MAX_SIDE, &height, NULL);
    if (!good || width % 8 || height % 8) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--size takes a multiple of 8 up to %d, or two of them like 512x768, not '%s'", MAX_SIDE, a->size);
        return FALSE;
    }
    a->sampling.width = (int)width;
    a->sampling.height = (int)height;
    return TRUE;
}

static gboolean take_sampling(AimfGenerateArguments *a, GError **error)
{
    const char *names[AIMF_N_SAMPLERS + 1] = { NULL };
    for (int i = 0; i < AIMF_N_SAMPLERS; i++)
        names[i] = aimf_sampler_name((AimfSamplerKind)i);
    int sampler = a->sampler ? aimf_cli_choice("--sampler", a->sampler, names, error) : AIMF_SAMPLER_DDIM;
    const char *spacings[AIMF_N_SPACINGS + 1] = { NULL };
    for (int i = 0; i < AIMF_N_SPACINGS; i++)
        spacings[i] = aimf_spacing_name((AimfSpacing)i);
    int spacing = a->spacing ? aimf_cli_choice("--spacing", a->spacing, spacings, error) : AIMF_SPACING_USUAL;
    if (sampler < 0 || spacing < 0 || !take_size(a, error))
        return FALSE;
    if (a->eta > 0 && sampler != AIMF_SAMPLER_DDIM) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--eta is DDIM's noise; --sampler %s has no use for it",
                    a->sampler);
        return FALSE;
    }
    a->sampling.sampler = (AimfSamplerKind)sampler;
    a->sampling.steps = a->steps;
    a->sampling.spacing = (AimfSpacing)spacing;
    a->sampling.guidance = a->guidance;
    a->sampling.eta = a->eta;
    a->sampling.negative = a->negative;
    return TRUE;
}

/* One picture or a job: what belongs to the one is a mistake with the other. */
static gboolean check_form(const AimfGenerateArguments *a, GError **error)
{
    const struct {
        const char *option;
        gboolean given;
        gboolean of_one;
    } options[] = {
        { "--noise", a->noise != NULL, TRUE },
        { "--latents-out", a->latents != NULL, TRUE },
        { "--per-group", a->per_group != 0, FALSE },
        { "--batch", a->batch != 0, FALSE },
        { "--image-size", a->image_size != NOT_GIVEN, FALSE },
        { "--shard", a->shard != NULL, FALSE },
        { "--resume", a->resume, FALSE },
        { "--preview", a->preview, FALSE },
    };
    if ((a->prompt != NULL) == (a->prompts != NULL)) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "give --prompt TEXT for one picture, or --prompts FILE for a job; 'aimfair help generate' says more");
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (!options[i].given || options[i].of_one == (a->prompt != NULL))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s goes with %s only", options[i].option,
                    options[i].of_one ? "--prompt" : "--prompts");
        return FALSE;
    }
    return TRUE;
}

static gboolean take_shard(const char *text, AimfGeneration *generation, GError **error)
{
    if (!text)
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(text, "/", 3);
    guint64 shard = 0, shards = 0;
    if (g_strv_length(parts) != 2 || !g_ascii_string_to_unsigned(parts[1], 10, 1, 1000000, &shards, NULL) ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, shards - 1, &shard, NULL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--shard takes a number and how many there are, from 0/4 to 3/4 for four, not '%s'", text);
        return FALSE;
    }
    generation->shard = (guint)shard;
    generation->shards = (guint)shards;
    return TRUE;
}

static gboolean parse(AimfCli *cli, AimfGenerateArguments *a, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &a->model, "a checkpoint or a folder in diffusers' layout", "PATH" },
        { "prompts", 0, 0, G_OPTION_ARG_FILENAME, &a->prompts, "groups and their prompts, prompts.json", "FILE" },
        { "per-group", 0, 0, G_OPTION_ARG_INT, &a->per_group, "pictures for each group", "N [1, 1000000]" },
        { "prompt", 0, 0, G_OPTION_ARG_STRING, &a->prompt, "one picture of this", "TEXT" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->output, "the folder of the job, or the PNG", "PATH" },
        { "image-size", 0, 0, G_OPTION_ARG_INT, &a->image_size, "side of a job's files, 0 for the model's (224)",
          "N [0, 4096]" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &a->batch, "pictures at once (1)", "N [1, 1024]" },
        { "resume", 0, 0, G_OPTION_ARG_NONE, &a->resume, "go on with the job in the folder", NULL },
        { "shard", 0, 0, G_OPTION_ARG_STRING, &a->shard, "make part I of N, counted from 0", "I/N" },
        { "preview", 0, 0, G_OPTION_ARG_NONE, &a->preview, "a contact sheet for each group", NULL },
        { "sampler", 0, 0, G_OPTION_ARG_STRING, &a->sampler, "ddim, plms, dpm-solver++, euler or euler-a (ddim)",
          "NAME" },
        { "steps", 0, 0, G_OPTION_ARG_INT, &a->steps, "of the sampler (50)", "N [1, 999]" },
        { "spacing", 0, 0, G_OPTION_ARG_STRING, &a->spacing, "of timesteps: usual, leading, linspace, trailing (usual)",
          "NAME" },
        { "guidance", 0, 0, G_OPTION_ARG_DOUBLE, &a->guidance, "classifier-free, 1 for none (9)", "SCALE [0, 1000]" },
        { "negative", 0, 0, G_OPTION_ARG_STRING, &a->negative, "what guidance leads away from (nothing)", "TEXT" },
        { "eta", 0, 0, G_OPTION_ARG_DOUBLE, &a->eta, "noise of DDIM, from 0 to 1 (0)", "X [0, 1]" },
        { "size", 0, 0, G_OPTION_ARG_STRING, &a->size, "what the model paints, N or WxH (its own size)", "PIXELS" },
        { "vae", 0, 0, G_OPTION_ARG_FILENAME, &a->vae, "another autoencoder, or TAESD", "PATH" },
        { "tokenizer", 0, 0, G_OPTION_ARG_FILENAME, &a->tokenizer, "CLIP's vocabulary", "PATH" },
        { "prediction", 0, 0, G_OPTION_ARG_STRING, &a->prediction, "epsilon or v, if the files do not say it", "KIND" },
        { "raw-weights", 0, 0, G_OPTION_ARG_NONE, &a->raw_weights, "not the averaged (EMA) weights", NULL },
        { "low-memory", 0, 0, G_OPTION_ARG_NONE, &a->low_memory, "hold one network at a time", NULL },
        { "noise", 0, 0, G_OPTION_ARG_FILENAME, &a->noise, "initial noise in place of the seed's", "FILE" },
        { "latents-out", 0, 0, G_OPTION_ARG_FILENAME, &a->latents, "also write the final latents", "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, &argc, argv, error) && aimf_cli_require(cli, "--model", a->model, error) &&
           aimf_cli_require(cli, "-o", a->output, error) && check_form(a, error) && take_sampling(a, error);
}

static gboolean take_options(const AimfCli *cli, AimfGenerateArguments *a, GError **error)
{
    static const char *const predictions[] = { "epsilon", "v", NULL };
    if (a->prediction && aimf_cli_choice("--prediction", a->prediction, predictions, error) < 0)
        return FALSE;
    a->options = (AimfDiffusionOptions){
        .model = a->model,
        .vae = a->vae,
        .tokenizer = a->tokenizer,
        .prediction = a->prediction,
        .device = cli->device,
        .precision = cli->precision,
        .raw_weights = a->raw_weights,
        .low_memory = a->low_memory,
        .threads = cli->threads,
    };
    return TRUE;
}

/* --- The job --- */

static void report(AimfCli *cli, const AimfGenerateArguments *a, const AimfDiffusion *diffusion,
                   const AimfGenerationResult *result)
{
    if (!cli->json) {
        g_autofree char *output = aimf_cli_printable(a->output);
        aimf_cli_print(cli, "%s: %u picture%s made, %u %s there, %u failed, %u retried in f32", output, result->made,
                       AIMF_PLURAL(result->made), result->there_before, result->there_before == 1 ? "was" : "were",
                       result->failed, result->retried);
        if (result->made)
            aimf_cli_print(cli, "; %.1f a minute", result->images_per_minute);
        aimf_cli_print(cli, "\n");
        return;
    }
    g_autofree char *manifest = g_build_filename(a->output, "manifest.csv", NULL);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "folder", a->output);
    aimf_cli_json_text(builder, "manifest", manifest);
    aimf_cli_json_int(builder, "made", result->made);
    aimf_cli_json_int(builder, "there_before", result->there_before);
    aimf_cli_json_int(builder, "failed", result->failed);
    aimf_cli_json_int(builder, "retried", result->retried);
    aimf_cli_json_double(builder, "images_per_minute", result->images_per_minute);
    aimf_generate_json_model(builder, diffusion, &a->sampling);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static gboolean check_folder(const AimfGenerateArguments *a, GError **error)
{
    if (!g_str_equal(a->output, "-"))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "-o is a folder of pictures, so there is no -o - for the standard output");
    return FALSE;
}

static gboolean generate_many(AimfCli *cli, const AimfGenerateArguments *a, GError **error)
{
    AimfGeneration generation = {
        .per_group = (guint)a->per_group,
        .batch = (guint)a->batch,
        .seed = cli->seed,
        .image_size = a->image_size == NOT_GIVEN ? PAPER_SIZE : a->image_size,
        .resume = a->resume,
        .preview = a->preview,
        .folder = a->output,
    };
    if (!aimf_cli_require(cli, "--per-group", a->per_group ? a : NULL, error) || !check_folder(a, error) ||
        !take_shard(a->shard, &generation, error))
        return FALSE;
    g_autoptr(AimfPrompts) prompts = aimf_prompts_open(a->prompts, error);
    generation.prompts = prompts;
    g_autoptr(AimfDiffusion) diffusion = prompts ? aimf_diffusion_open(&a->options, cli->monitor, error) : NULL;
    AimfGenerationResult result;
    if (!diffusion || !aimf_generate(diffusion, &a->sampling, &generation, &result, cli->monitor, error)) {
        if (error && g_error_matches(*error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED))
            aimf_cli_message(cli, AIMF_LOG_INFO, "--resume goes on with this job");
        return FALSE;
    }
    if (result.failed)
        aimf_cli_message(cli, AIMF_LOG_WARNING, "%u picture%s failed and %s missing; generation.jsonl says which",
                         result.failed, AIMF_PLURAL(result.failed), result.failed == 1 ? "is" : "are");
    report(cli, a, diffusion, &result);
    return TRUE;
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(AimfGenerateArguments) a = { .steps = 50, .guidance = 9, .image_size = NOT_GIVEN };
    if (!parse(cli, &a, argc, argv, error) || !take_options(cli, &a, error))
        return FALSE;
    return a.prompt ? aimf_generate_one(cli, &a, error) : generate_many(cli, &a, error);
}

const AimfCommand AIMF_COMMAND_GENERATE = {
    .name = "generate",
    .summary = "make pictures from prompts with Stable Diffusion, balanced over groups",
    .description = "Defaults are the paper's: DDIM, 50 steps, guidance 9, pictures of 224 pixels for a job.\n"
                   "Example: aimfair generate --model v2-1_512-ema-pruned.safetensors --prompts prompts.json "
                   "--per-group 5000 -o pictures\n"
                   "         aimfair generate --model v2-1_512-ema-pruned.safetensors --prompt \"a lighthouse at "
                   "dusk\" -o one.png",
    .run = run,
};
