/*
 * Pictures from prompts with a tiny model: that they depend on nothing but model, prompt, sampling and seed; that
 * they are the parts put together; what becomes of numbers that are not finite; what is refused; stopping.
 */
#include "device/support_devices.h"
#include "diffusion/sampler.h"
#include "diffusion/support_tiny_diffusion.h"
#include "graph/support_precision.h"

#include <math.h>
#include <string.h>

enum { LATENTS = 4 * TINY_LATENTS * TINY_LATENTS, PIXELS = 3 * TINY_SIDE * TINY_SIDE, STEPS = 4, STATES = 77 * 32 };

static const char *const prompts[] = { "portrait face photo of a smiling female person", "an old man in a hat", "",
                                       "10 20 30 40 50 years old" };

/* A model in a folder of its own. */
typedef struct {
    char *folder;
    AimfDiffusion *diffusion;
} Fixture;

static void fixture_clear(Fixture *fixture)
{
    aimf_diffusion_free(fixture->diffusion);
    tiny_diffusion_remove(fixture->folder);
    g_free(fixture->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static AimfDiffusion *open_model(const char *folder, AimfPrecision precision, int threads)
{
    g_autoptr(GError) error = NULL;
    AimfDiffusionOptions options = tiny_diffusion_options(folder);
    options.precision = precision;
    options.threads = threads;
    AimfDiffusion *diffusion = aimf_diffusion_open(&options, NULL, &error);
    g_assert_no_error(error);
    return diffusion;
}

static void fixture_init(Fixture *fixture, TinyFault fault, AimfPrecision precision)
{
    fixture->folder = tiny_diffusion_write(fault);
    fixture->diffusion = open_model(fixture->folder, precision, 1);
}

static AimfSampling short_sampling(AimfSamplerKind sampler)
{
    return (AimfSampling){ .sampler = sampler, .steps = STEPS, .guidance = 7.5 };
}

/* bf16 is a property of the processor; FALSE, with the test marked as skipped, only where it has none. */
static gboolean has_bf16(AimfDiffusion *diffusion)
{
    g_autoptr(GError) error = NULL;
    int width;
    g_autofree float *states = aimf_diffusion_encode_text(diffusion, prompts, 1, &width, &error);
    if (precision_is_missing(AIMF_PRECISION_BF16, error))
        return FALSE;
    g_assert_no_error(error);
    g_assert_nonnull(states);
    return TRUE;
}

static void generate(AimfDiffusion *diffusion, const AimfSampling *sampling, AimfPicture *pictures, guint n)
{
    g_autoptr(GError) error = NULL;
    gboolean good = aimf_diffusion_generate(diffusion, sampling, pictures, n, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(good);
}

static void assert_same(const AimfPicture *a, const AimfPicture *b)
{
    g_assert_cmpint(memcmp(a->latents, b->latents, LATENTS * sizeof(float)), ==, 0);
    g_assert_cmpint(memcmp(a->image->data, b->image->data, PIXELS), ==, 0);
}

/* Picture @i is that of prompt and seed @i, whatever is in the batch with it. */
static AimfPicture picture_of(guint i, float *latents)
{
    return (AimfPicture){ .prompt = prompts[i % G_N_ELEMENTS(prompts)], .seed = 100 + i, .latents = latents };
}

/* The same bytes where memory is apart and work is late. */
static void test_devices(void)
{
    g_autofree char *folder = tiny_diffusion_write(TINY_SOUND);
    static const char *const names[] = { "cpu", "mirror" };
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_EULER_ANCESTRAL);
    g_autofree float *latents = g_new(float, 4 * LATENTS);
    AimfPicture pictures[4];
    for (guint d = 0; d < 2; d++) {
        g_autoptr(AimfDevice) device = support_device(names[d]);
        AimfDiffusionOptions options = tiny_diffusion_options(folder);
        options.device = device;
        options.threads = 1;
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfDiffusion) diffusion = aimf_diffusion_open(&options, NULL, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < 2; i++)
            pictures[2 * d + i] = picture_of(i, latents + (2 * d + i) * LATENTS);
        generate(diffusion, &sampling, pictures + 2 * d, 2);
    }
    for (guint i = 0; i < 2; i++)
        assert_same(&pictures[i], &pictures[2 + i]);
    for (guint i = 0; i < 4; i++)
        aimf_image_free(pictures[i].image);
    tiny_diffusion_remove(folder);
}

/* --- What a picture depends on --- */

static void check_batches(AimfDiffusion *diffusion, const AimfSampling *sampling, const AimfPicture *alone)
{
    static const guint batches[][4] = { { 0, 1 }, { 1, 0 }, { 3, 2, 1 }, { 2, 3, 0, 1 } };
    static const guint sizes[] = { 2, 2, 3, 4 };
    g_autofree float *latents = g_new(float, 4 * LATENTS);
    for (guint b = 0; b < G_N_ELEMENTS(batches); b++) {
        AimfPicture pictures[4];
        for (guint i = 0; i < sizes[b]; i++)
            pictures[i] = picture_of(batches[b][i], latents + i * LATENTS);
        generate(diffusion, sampling, pictures, sizes[b]);
        for (guint i = 0; i < sizes[b]; i++) {
            assert_same(&pictures[i], &alone[batches[b][i]]);
            aimf_image_free(pictures[i].image);
        }
    }
}

static void check_independence(AimfPrecision precision)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, precision);
    if (!has_bf16(fixture.diffusion))
        return;
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_EULER_ANCESTRAL); /* draws noise in every step */
    g_autofree float *latents = g_new(float, 4 * LATENTS);
    AimfPicture alone[4];
    for (guint i = 0; i < 4; i++) {
        alone[i] = picture_of(i, latents + i * LATENTS);
        generate(fixture.diffusion, &sampling, &alone[i], 1);
        g_assert_cmpint(alone[i].image->width, ==, TINY_SIDE);
        g_assert_cmpint(alone[i].image->height, ==, TINY_SIDE);
    }
    g_assert_cmpint(memcmp(alone[0].image->data, alone[1].image->data, PIXELS), !=, 0);
    for (int threads = 1; threads <= 4; threads++) {
        g_autoptr(AimfDiffusion) diffusion = open_model(fixture.folder, precision, threads);
        check_batches(diffusion, &sampling, alone);
    }
    for (guint i = 0; i < 4; i++)
        aimf_image_free(alone[i].image);
}

static void test_independent_f32(void)
{
    check_independence(AIMF_PRECISION_F32);
}

static void test_independent_bf16(void)
{
    check_independence(AIMF_PRECISION_BF16);
}

static void test_seed_and_prompt_matter(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    float latents[4][LATENTS];
    AimfPicture pictures[] = { { .prompt = prompts[0], .seed = 1, .latents = latents[0] },
                               { .prompt = prompts[0], .seed = 2, .latents = latents[1] },
                               { .prompt = prompts[1], .seed = 1, .latents = latents[2] },
                               { .prompt = prompts[0], .seed = 1, .latents = latents[3] } };
    generate(fixture.diffusion, &sampling, pictures, 4);
    assert_same(&pictures[0], &pictures[3]);
    for (guint i = 1; i < 3; i++)
        g_assert_cmpint(memcmp(latents[0], latents[i], sizeof latents[0]), !=, 0);
    for (guint i = 0; i < 4; i++)
        aimf_image_free(pictures[i].image);
    sampling.negative = prompts[1];
    AimfPicture led_away = { .prompt = prompts[0], .seed = 1, .latents = latents[1] };
    generate(fixture.diffusion, &sampling, &led_away, 1);
    g_assert_cmpint(memcmp(latents[0], latents[1], sizeof latents[0]), !=, 0);
    aimf_image_free(led_away.image);
}

static void test_low_memory_is_the_same(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    g_autoptr(GError) error = NULL;
    AimfDiffusionOptions options = tiny_diffusion_options(fixture.folder);
    options.low_memory = TRUE;
    options.threads = 1;
    g_autoptr(AimfDiffusion) frugal = aimf_diffusion_open(&options, NULL, &error);
    g_assert_no_error(error);
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_PLMS);
    float latents[2][LATENTS];
    AimfPicture a = picture_of(0, latents[0]), b = picture_of(0, latents[1]);
    generate(fixture.diffusion, &sampling, &a, 1);
    for (int i = 0; i < 2; i++) {
        generate(frugal, &sampling, &b, 1);
        assert_same(&a, &b);
        aimf_image_free(b.image);
    }
    aimf_image_free(a.image);
}

/* --- That pictures are the parts put together --- */

/* DDIM's and Euler's loop by hand: guidance as in Ho and Salimans 2022, 8 bit by truncation. */
static void by_hand(AimfDiffusion *diffusion, const AimfSampling *sampling, const char *prompt, guint64 seed,
                    float *latents, float *planes)
{
    g_autoptr(GError) error = NULL;
    int width;
    g_autofree float *states =
        aimf_diffusion_encode_text(diffusion, (const char *const[]){ "", prompt }, 2, &width, &error);
    g_assert_no_error(error);
    g_assert_cmpint(width, ==, STATES / 77);
    AimfSdSchedule schedule = { .train_steps = 1000, .beta_start = 0.00085, .beta_end = 0.012, .scaled_linear = TRUE };
    g_autoptr(AimfSampler) sampler = aimf_sampler_new(&schedule, sampling, 1, LATENTS, &error);
    g_assert_no_error(error);
    aimf_initial_noise(seed, latents, LATENTS);
    aimf_sampler_begin(sampler, latents);
    for (guint call = 0; call < aimf_sampler_calls(sampler); call++) {
        float input[2 * LATENTS], prediction[2 * LATENTS], guided[LATENTS];
        float timestep = (float)aimf_sampler_timestep(sampler, call);
        aimf_sampler_input(sampler, call, latents, input);
        memcpy(input + LATENTS, input, LATENTS * sizeof(float));
        aimf_diffusion_predict(diffusion, input, (float[]){ timestep, timestep }, states, 2, TINY_LATENTS, TINY_LATENTS,
                               prediction, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < LATENTS; i++)
            guided[i] = prediction[i] + (float)sampling->guidance * (prediction[LATENTS + i] - prediction[i]);
        aimf_sampler_step(sampler, call, guided, latents, &seed);
    }
    aimf_diffusion_decode(diffusion, latents, TINY_LATENTS, TINY_LATENTS, planes, &error);
    g_assert_no_error(error);
}

static void test_parts(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    g_autofree float *planes = g_new(float, PIXELS);
    for (AimfSamplerKind kind = 0; kind < AIMF_N_SAMPLERS; kind++) {
        AimfSampling sampling = short_sampling(kind);
        float made[LATENTS], expected[LATENTS];
        AimfPicture picture = { .prompt = prompts[0], .seed = 7, .latents = made };
        generate(fixture.diffusion, &sampling, &picture, 1);
        by_hand(fixture.diffusion, &sampling, prompts[0], 7, expected, planes);
        g_assert_cmpint(memcmp(made, expected, sizeof made), ==, 0);
        for (guint i = 0; i < PIXELS; i++) {
            float level = 255 * fminf(fmaxf((planes[i] + 1) / 2, 0), 1);
            guint pixel = i % (PIXELS / 3), channel = i / (PIXELS / 3);
            g_assert_cmpint(picture.image->data[3 * pixel + channel], ==, (int)floorf(level));
        }
        aimf_image_free(picture.image);
    }
}

static void test_no_guidance(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfSampling plain = short_sampling(AIMF_SAMPLER_DDIM), nearly = plain;
    plain.guidance = 1;
    nearly.guidance = 1 + 1e-6;
    float latents[2][LATENTS];
    AimfPicture a = picture_of(0, latents[0]), b = picture_of(0, latents[1]);
    generate(fixture.diffusion, &plain, &a, 1);
    generate(fixture.diffusion, &nearly, &b, 1);
    double difference = 0, size = 0;
    for (guint i = 0; i < LATENTS; i++) {
        difference += pow((double)(latents[0][i] - latents[1][i]), 2);
        size += pow((double)latents[0][i], 2);
    }
    g_assert_cmpfloat(sqrt(difference / size), <, 1e-4); /* 1e-6 of guidance, amplified by the steps */
    aimf_image_free(a.image);
    aimf_image_free(b.image);
}

static void test_given_noise(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    float noise[LATENTS], latents[2][LATENTS];
    aimf_initial_noise(5, noise, LATENTS);
    AimfPicture drawn = { .prompt = prompts[0], .seed = 5, .latents = latents[0] };
    AimfPicture given = { .prompt = prompts[0], .seed = 6, .noise = noise, .latents = latents[1] };
    generate(fixture.diffusion, &sampling, &drawn, 1);
    generate(fixture.diffusion, &sampling, &given, 1);
    assert_same(&drawn, &given);
    aimf_image_free(drawn.image);
    aimf_image_free(given.image);
    noise[17] = INFINITY;
    g_autoptr(GError) error = NULL;
    g_assert_false(aimf_diffusion_generate(fixture.diffusion, &sampling, &given, 1, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void test_tokens_cut(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    g_autoptr(GString) words = g_string_new("");
    for (int i = 0; i < 80; i++)
        g_string_append(words, "! ");
    AimfPicture pictures[] = { { .prompt = words->str }, { .prompt = "!" }, { .prompt = words->str } };
    generate(fixture.diffusion, &sampling, pictures, 3);
    g_assert_cmpuint(pictures[0].tokens_cut, ==, 5);
    g_assert_cmpuint(pictures[1].tokens_cut, ==, 0);
    g_assert_cmpuint(pictures[2].tokens_cut, ==, 5); /* from the store */
    for (guint i = 0; i < 3; i++)
        aimf_image_free(pictures[i].image);
}

static void test_encode(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    g_autoptr(GError) error = NULL;
    g_autofree char *vae = g_build_filename(fixture.folder, "vae", NULL);
    g_autoptr(AimfAutoencoder) autoencoder = aimf_autoencoder_open(
        &(AimfDiffusionOptions){ .vae = vae, .device = support_device_under_test() }, NULL, &error);
    g_assert_no_error(error);
    g_autofree float *planes = g_new(float, PIXELS), *decoded = g_new(float, 2 * PIXELS);
    float latents[2][LATENTS];
    for (guint i = 0; i < PIXELS; i++)
        planes[i] = sinf((float)i / 50);
    g_assert_true(aimf_diffusion_encode(fixture.diffusion, planes, TINY_LATENTS, TINY_LATENTS, latents[0], &error));
    g_assert_true(aimf_autoencoder_encode(autoencoder, planes, TINY_LATENTS, TINY_LATENTS, latents[1], &error));
    g_assert_cmpint(memcmp(latents[0], latents[1], sizeof latents[0]), ==, 0);
    g_assert_true(aimf_diffusion_decode(fixture.diffusion, latents[0], TINY_LATENTS, TINY_LATENTS, decoded, &error));
    g_assert_true(
        aimf_autoencoder_decode(autoencoder, latents[0], TINY_LATENTS, TINY_LATENTS, decoded + PIXELS, &error));
    g_assert_cmpint(memcmp(decoded, decoded + PIXELS, PIXELS * sizeof(float)), ==, 0);
}

/* --- Numbers that are not finite --- */

static void check_retry(TinyFault fault)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, fault, AIMF_PRECISION_BF16);
    if (!has_bf16(fixture.diffusion))
        return;
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    float latents[3][LATENTS];
    AimfPicture pictures[] = { picture_of(0, latents[0]), picture_of(1, latents[1]) };
    generate(fixture.diffusion, &sampling, pictures, 2);
    g_autoptr(AimfDiffusion) exact = open_model(fixture.folder, AIMF_PRECISION_F32, 1);
    for (guint i = 0; i < 2; i++) {
        g_assert_true(pictures[i].retried);
        g_assert_nonnull(pictures[i].image);
        AimfPicture expected = picture_of(i, latents[2]);
        generate(exact, &sampling, &expected, 1);
        g_assert_false(expected.retried);
        assert_same(&pictures[i], &expected);
        aimf_image_free(expected.image);
        aimf_image_free(pictures[i].image);
    }
}

static void test_retry_latents(void)
{
    check_retry(TINY_BF16_OVERFLOWS_IN_UNET);
}

static void test_retry_decoding(void)
{
    check_retry(TINY_BF16_OVERFLOWS_IN_DECODER);
}

static void check_hopeless(AimfPrecision precision)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_NAN_IN_UNET, precision);
    if (!has_bf16(fixture.diffusion))
        return;
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    AimfPicture pictures[] = { { .prompt = prompts[0] }, { .prompt = prompts[1] } };
    generate(fixture.diffusion, &sampling, pictures, 2);
    for (guint i = 0; i < 2; i++) {
        g_assert_null(pictures[i].image);
        g_assert_cmpint(pictures[i].retried, ==, precision != AIMF_PRECISION_F32);
    }
}

static void test_hopeless(void)
{
    check_hopeless(AIMF_PRECISION_F32);
    check_hopeless(AIMF_PRECISION_BF16);
}

/* --- What is refused --- */

static void test_refusals(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    static const struct {
        AimfSampling sampling;
        const char *says;
    } cases[] = {
        { { .steps = 4, .guidance = -1 }, "-1" },
        { { .steps = 4, .guidance = (double)NAN }, "guidance" },
        { { .steps = 0, .guidance = 2 }, "steps" },
        { { .steps = 4, .guidance = 2, .width = 33 }, "multiples of 4" },
        { { .steps = 4, .guidance = 2, .height = 34 }, "multiples of 4" },
        { { .steps = 4, .guidance = 2, .width = -32 }, "-32" },
        { { .steps = 4, .guidance = 2, .width = 1 << 20 }, "1048576" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        AimfPicture picture = { .prompt = prompts[0] };
        g_assert_false(aimf_diffusion_generate(fixture.diffusion, &cases[i].sampling, &picture, 1, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_null(picture.image);
    }
}

static void assert_not_opened(const AimfDiffusionOptions *options, AimfErrorCode code, const char *says)
{
    g_autoptr(GError) error = NULL;
    AimfDiffusion *diffusion = aimf_diffusion_open(options, NULL, &error);
    g_assert_null(diffusion);
    g_assert_error(error, AIMF_ERROR, (int)code);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, says));
}

static void test_not_opened(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfDiffusionOptions options = tiny_diffusion_options(fixture.folder);
    options.prediction = "x0";
    assert_not_opened(&options, AIMF_ERROR_INVALID, "x0");
    options = tiny_diffusion_options(fixture.folder);
    options.tokenizer = NULL;
    assert_not_opened(&options, AIMF_ERROR_NOT_FOUND, "bpe_simple_vocab_16e6.txt");
    options = tiny_diffusion_options("/nonexistent/model");
    assert_not_opened(&options, AIMF_ERROR_NOT_FOUND, "/nonexistent/model");
    g_autofree char *config = g_build_filename(fixture.folder, "text_encoder", "config.json", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(config, &text, NULL, NULL));
    char *positions = strstr(text, "\"max_position_embeddings\": 77");
    memcpy(positions, "\"max_position_embeddings\": 76", strlen("\"max_position_embeddings\": 76"));
    g_assert_true(g_file_set_contents(config, text, -1, NULL));
    options = tiny_diffusion_options(fixture.folder);
    assert_not_opened(&options, AIMF_ERROR_INVALID, "76");
}

/* --- Progress and stopping --- */

typedef struct {
    volatile int stop;
    guint64 stop_at;
    guint64 last, total;
} Watch;

static void watch_progress(const AimfProgress *progress, gpointer data)
{
    Watch *watch = data;
    watch->last = progress->done;
    watch->total = progress->total;
    if (progress->done >= watch->stop_at)
        watch->stop = 1;
}

static void test_stops(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfSampling sampling = short_sampling(AIMF_SAMPLER_DDIM);
    Watch watch = { .stop_at = G_MAXUINT64 };
    AimfMonitor monitor = { .progress = watch_progress, .stop = &watch.stop, .user_data = &watch };
    AimfPicture picture = { .prompt = prompts[0] };
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_diffusion_generate(fixture.diffusion, &sampling, &picture, 1, &monitor, &error));
    g_assert_cmpuint(watch.last, ==, STEPS);
    g_assert_cmpuint(watch.total, ==, STEPS);
    g_clear_pointer(&picture.image, aimf_image_free);
    watch.stop_at = 0; /* the first report, before any step */
    g_assert_false(aimf_diffusion_generate(fixture.diffusion, &sampling, &picture, 1, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
    g_assert_null(picture.image);
}

static void test_info(void)
{
    g_auto(Fixture) fixture = { 0 };
    fixture_init(&fixture, TINY_SOUND, AIMF_PRECISION_F32);
    AimfDiffusionInfo info = aimf_diffusion_info(fixture.diffusion);
    g_assert_cmpstr(info.prediction, ==, "epsilon");
    g_assert_cmpstr(info.vae, ==, "KL");
    g_assert_cmpint(info.image_size, ==, TINY_SIDE);
    g_assert_cmpint(info.scale, ==, TINY_SIDE / TINY_LATENTS);
    g_assert_cmpint(info.latent_channels, ==, 4);
    g_assert_cmpuint(strlen(info.hash), ==, 64);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pictures/devices", test_devices);
    g_test_add_func("/pictures/independent_f32", test_independent_f32);
    g_test_add_func("/pictures/independent_bf16", test_independent_bf16);
    g_test_add_func("/pictures/seed_and_prompt_matter", test_seed_and_prompt_matter);
    g_test_add_func("/pictures/low_memory", test_low_memory_is_the_same);
    g_test_add_func("/pictures/parts", test_parts);
    g_test_add_func("/pictures/no_guidance", test_no_guidance);
    g_test_add_func("/pictures/given_noise", test_given_noise);
    g_test_add_func("/pictures/tokens_cut", test_tokens_cut);
    g_test_add_func("/pictures/encode", test_encode);
    g_test_add_func("/pictures/retry_latents", test_retry_latents);
    g_test_add_func("/pictures/retry_decoding", test_retry_decoding);
    g_test_add_func("/pictures/hopeless", test_hopeless);
    g_test_add_func("/pictures/refusals", test_refusals);
    g_test_add_func("/pictures/not_opened", test_not_opened);
    g_test_add_func("/pictures/stops", test_stops);
    g_test_add_func("/pictures/info", test_info);
    return g_test_run();
}
