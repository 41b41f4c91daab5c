/*
 * Samplers against diffusers' schedulers: the latents that tests/golden/make_sampler.py got from a closed formula as
 * the network.
 */
#include "diffusion/sampler.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

#define N_PICTURES 2u
#define N_ELEMENTS 6u
#define N (N_PICTURES * N_ELEMENTS)

/* Stable Diffusion's. */
static const AimfSdSchedule usual = {
    .train_steps = 1000, .beta_start = 0.00085, .beta_end = 0.012, .scaled_linear = TRUE
};
static const guint64 seeds[N_PICTURES] = { 7, 0xfedcba9876543210 };

static void predict(const float *shown, double timestep, float *prediction, gsize n)
{
    for (gsize i = 0; i < n; i++)
        prediction[i] = (float)(0.6 * sin(0.7 * (double)shown[i] + (double)(float)timestep / 200));
}

static void run(AimfSampler *sampler, float *latents, const guint64 *picture_seeds, gsize n)
{
    g_autofree float *shown = g_new(float, n), *prediction = g_new(float, n);
    aimf_sampler_begin(sampler, latents);
    for (guint call = 0; call < aimf_sampler_calls(sampler); call++) {
        aimf_sampler_input(sampler, call, latents, shown);
        predict(shown, aimf_sampler_timestep(sampler, call), prediction, n);
        aimf_sampler_step(sampler, call, prediction, latents, picture_seeds);
    }
}

static void start(float latents[N])
{
    for (guint i = 0; i < N_PICTURES; i++)
        aimf_initial_noise(seeds[i], latents + i * N_ELEMENTS, N_ELEMENTS);
}

static JsonObject *golden(JsonNode **root)
{
    g_autoptr(GError) error = NULL;
    *root = aimf_json_open(GOLDEN_DIR "/sampler/latents.json", 1 << 20, &error);
    g_assert_no_error(error);
    return json_node_get_object(*root);
}

static AimfSampler *make(const AimfSdSchedule *schedule, const AimfSampling *sampling, guint n_pictures)
{
    g_autoptr(GError) error = NULL;
    AimfSampler *sampler = aimf_sampler_new(schedule, sampling, n_pictures, N_ELEMENTS, &error);
    g_assert_no_error(error);
    return sampler;
}

static void read_case(JsonObject *row, AimfSdSchedule *schedule, AimfSampling *sampling)
{
    *schedule = usual;
    schedule->v_prediction = json_object_get_boolean_member(row, "v");
    *sampling = (AimfSampling)AIMF_SAMPLING_DEFAULT;
    while (strcmp(aimf_sampler_name(sampling->sampler), json_object_get_string_member(row, "sampler")))
        sampling->sampler++;
    while (strcmp(aimf_spacing_name(sampling->spacing), json_object_get_string_member(row, "spacing")))
        sampling->spacing++;
    sampling->steps = (int)json_object_get_int_member(row, "steps");
    sampling->eta = json_object_get_double_member(row, "eta");
}

static void check_case(JsonObject *row)
{
    AimfSdSchedule schedule;
    AimfSampling sampling;
    read_case(row, &schedule, &sampling);
    g_autoptr(AimfSampler) sampler = make(&schedule, &sampling, N_PICTURES);
    const char *name = aimf_sampler_name(sampling.sampler);
    g_assert_cmpint(aimf_sampler_calls(sampler), ==, json_object_get_int_member(row, "calls"));
    JsonArray *timesteps = json_object_get_array_member(row, "timesteps");
    for (guint i = 0; i < json_array_get_length(timesteps); i++)
        g_assert_cmpfloat((float)aimf_sampler_timestep(sampler, i), ==,
                          (float)json_array_get_double_element(timesteps, i));
    float latents[N];
    start(latents);
    run(sampler, latents, seeds, N);
    double difference = 0, size = 0;
    JsonArray *expected = json_object_get_array_member(row, "latents");
    for (guint i = 0; i < N; i++) {
        double reference = json_array_get_double_element(expected, i);
        difference = MAX(difference, fabs(latents[i] - reference));
        size = MAX(size, fabs(reference));
    }
    /* diffusers computes in float throughout, ours in double: differences of neighbouring levels lose digits there. */
    double tolerance = sampling.steps > 100 ? 3e-5 : 1e-5;
    if (!(difference <= tolerance * size))
        g_error("%s with %d steps is %.1e off diffusers, relative to the largest latent", name, sampling.steps,
                difference / size);
}

static void test_goldens(void)
{
    g_autoptr(JsonNode) root = NULL;
    JsonArray *cases = json_object_get_array_member(golden(&root), "cases");
    g_assert_cmpuint(json_array_get_length(cases), >, 100);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i));
}

static void test_noise(void)
{
    g_autoptr(JsonNode) root = NULL;
    JsonArray *expected = json_object_get_array_member(golden(&root), "noise");
    float noise[N];
    start(noise);
    for (guint i = 0; i < N; i++)
        g_assert_cmpfloat_with_epsilon(noise[i], json_array_get_double_element(expected, i), 1e-6);
    enum { MANY = 100000 };
    g_autofree float *many = g_new(float, MANY);
    aimf_initial_noise(1, many, MANY);
    double mean = 0, square = 0;
    for (guint i = 0; i < MANY; i++) {
        mean += many[i] / (double)MANY;
        square += (double)many[i] * many[i] / MANY;
    }
    g_assert_cmpfloat_with_epsilon(mean, 0, 5 / sqrt(MANY));
    g_assert_cmpfloat_with_epsilon(square, 1, 5 * sqrt(2.0 / MANY));
}

/* A picture made alone has the bytes that it has among others, at whichever place. */
static void test_neighbours(void)
{
    for (AimfSamplerKind kind = 0; kind < AIMF_N_SAMPLERS; kind++) {
        AimfSampling sampling = { .sampler = kind, .steps = 7, .eta = kind == AIMF_SAMPLER_DDIM ? 0.7 : 0 };
        g_autoptr(AimfSampler) both = make(&usual, &sampling, N_PICTURES);
        float together[N], alone[N_ELEMENTS];
        start(together);
        run(both, together, seeds, N);
        for (guint i = 0; i < N_PICTURES; i++) {
            g_autoptr(AimfSampler) one = make(&usual, &sampling, 1);
            aimf_initial_noise(seeds[i], alone, N_ELEMENTS);
            run(one, alone, &seeds[i], N_ELEMENTS);
            g_assert_cmpint(memcmp(alone, together + (gsize)i * N_ELEMENTS, sizeof alone), ==, 0);
        }
    }
}

static void assert_refused(AimfSdSchedule schedule, AimfSampling sampling, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_sampler_new(&schedule, &sampling, 1, 4, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    if (!strstr(error->message, says))
        g_error("'%s' does not say '%s'", error->message, says);
}

static void test_limits(void)
{
    static const int steps[] = { 0, -1, 1000, 1001, G_MAXINT, G_MININT };
    for (AimfSamplerKind kind = 0; kind < AIMF_N_SAMPLERS; kind++)
        for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
            assert_refused(usual, (AimfSampling){ .sampler = kind, .steps = steps[i] }, "takes 1 to 999, not");
    static const double etas[] = { -0.1, 1.1, NAN, INFINITY, -INFINITY };
    for (guint i = 0; i < G_N_ELEMENTS(etas); i++)
        assert_refused(usual, (AimfSampling){ .steps = 10, .eta = etas[i] }, "eta");
    assert_refused(usual, (AimfSampling){ .sampler = AIMF_SAMPLER_EULER, .steps = 10, .eta = 0.5 }, "only ddim");
    assert_refused(usual, (AimfSampling){ .sampler = AIMF_N_SAMPLERS, .steps = 10 }, "no sampler");
    assert_refused(usual, (AimfSampling){ .sampler = (AimfSamplerKind)-1, .steps = 10 }, "no sampler");
    AimfSampling leading = { .sampler = AIMF_SAMPLER_DPM_SOLVER, .steps = 999, .spacing = AIMF_SPACING_LEADING };
    assert_refused(usual, leading, "takes 1 to 998");
    assert_refused(usual, (AimfSampling){ .steps = 10, .spacing = AIMF_N_SPACINGS }, "no spacing");
    static const AimfSdSchedule bad[] = {
        { .train_steps = 0, .beta_start = 0.1, .beta_end = 0.2 },
        { .train_steps = G_MAXINT, .beta_start = 0.1, .beta_end = 0.2 },
        { .train_steps = 10, .beta_start = 0, .beta_end = 0.2 },
        { .train_steps = 10, .beta_start = 0.3, .beta_end = 0.2 },
        { .train_steps = 10, .beta_start = 0.1, .beta_end = 1 },
        { .train_steps = 10, .beta_start = NAN, .beta_end = 0.2 },
        { .train_steps = 10, .beta_start = 0.1, .beta_end = NAN },
    };
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_refused(bad[i], (AimfSampling){ .steps = 1 }, "noise schedule");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampler/goldens", test_goldens);
    g_test_add_func("/sampler/noise", test_noise);
    g_test_add_func("/sampler/neighbours", test_neighbours);
    g_test_add_func("/sampler/limits", test_limits);
    return g_test_run();
}
