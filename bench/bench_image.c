/*
 * What a training picture costs on its way from file to network input, on one thread; prints JSON. It draws its own
 * pictures.
 */
#include "base/random.h"
#include "image/formats.h"
#include "image/resize.h"

#include <aimfair/version.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

/* CelebA's size; the network input of the paper. */
enum { WIDTH = 178, HEIGHT = 218, SIZE = 224, N_PICTURES = 64, N_ROUNDS = 25 };

typedef struct {
    AimfImage *images[N_PICTURES];
    GBytes *files[N_PICTURES];
    float *planes;
} Bench;

/* Gradients under noise: at quality 95 a file of CelebA's mean size, 10 to 15 KB. */
static AimfImage *draw_picture(guint64 index)
{
    AimfImage *image = aimf_image_new(WIDTH, HEIGHT, NULL);
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, index);
    guint8 *sample = image->data;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double noise = 3.5 * aimf_random_normal(&random);
            for (int c = 0; c < 3; c++) {
                double shade = 128 + 90 * sin((x + 40 * c) * 0.03 + (double)index) * cos((y - 20 * c) * 0.02);
                *sample++ = (guint8)CLAMP(shade + noise, 0, 255);
            }
        }
    return image;
}

static AimfImage *decode_picture(const Bench *bench, guint i)
{
    gsize bytes;
    const void *data = g_bytes_get_data(bench->files[i], &bytes);
    return aimf_image_decode(data, bytes, "picture", NULL);
}

static void run_decode(Bench *bench, guint i)
{
    aimf_image_free(decode_picture(bench, i));
}

static void run_resize(Bench *bench, guint i)
{
    aimf_image_free(aimf_image_resize(bench->images[i], NULL, SIZE, SIZE, AIMF_BILINEAR, NULL));
}

static void run_lanczos(Bench *bench, guint i)
{
    aimf_image_free(aimf_image_resize(bench->images[i], NULL, 64, 64, AIMF_LANCZOS, NULL));
}

static void to_planes(Bench *bench, const AimfImage *image, guint i)
{
    static const AimfAugment augment = AIMF_AUGMENT_DEFAULT;
    static const AimfPreprocess preprocess = {
        .width = SIZE, .height = SIZE, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f }
    };
    AimfBox box;
    gboolean flip;
    aimf_augment_draw(&augment, 1, 0, i, image->width, image->height, &box, &flip);
    aimf_image_to_planes(image, &box, flip, &preprocess, bench->planes, NULL);
}

static void run_planes(Bench *bench, guint i)
{
    to_planes(bench, bench->images[i], i);
}

static void run_pipeline(Bench *bench, guint i)
{
    g_autoptr(AimfImage) image = decode_picture(bench, i);
    to_planes(bench, image, i);
}

static const struct {
    const char *name;
    void (*run)(Bench *bench, guint i);
} cases[] = {
    { "decode", run_decode },
    { "resize_bilinear_224", run_resize },
    { "resize_lanczos_64", run_lanczos },
    { "crop_resize_flip_normalise_224", run_planes },
    { "pipeline_224", run_pipeline },
};

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** Times: microseconds per picture in each round, sorted: by the clock, and of this thread's own processor time. */
typedef struct {
    double wall[N_ROUNDS];
    double cpu[N_ROUNDS];
} Times;

static double now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

/* The first round only warms up. */
static void measure(Bench *bench, gsize which, Times *times)
{
    for (int round = -1; round < N_ROUNDS; round++) {
        double wall = now_us(CLOCK_MONOTONIC), cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
        for (guint i = 0; i < N_PICTURES; i++)
            cases[which].run(bench, i);
        if (round < 0)
            continue;
        times->wall[round] = (now_us(CLOCK_MONOTONIC) - wall) / N_PICTURES;
        times->cpu[round] = (now_us(CLOCK_THREAD_CPUTIME_ID) - cpu) / N_PICTURES;
    }
    qsort(times->wall, N_ROUNDS, sizeof(double), compare_doubles);
    qsort(times->cpu, N_ROUNDS, sizeof(double), compare_doubles);
}

static void print_case(Bench *bench, gsize which, gboolean last)
{
    Times times;
    measure(bench, which, &times);
    double median = times.wall[N_ROUNDS / 2];
    printf("    {\"name\": \"%s\", \"median_us\": %.1f, \"minimum_us\": %.1f, \"median_cpu_us\": %.1f, "
           "\"minimum_cpu_us\": %.1f, \"median_images_per_second\": %.0f}%s\n",
           cases[which].name, median, times.wall[0], times.cpu[N_ROUNDS / 2], times.cpu[0], 1e6 / median,
           last ? "" : ",");
}

static char *processor_name(void)
{
    g_autofree char *text = NULL;
    if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL)) {
        const char *at = strstr(text, "model name");
        if (at && (at = strchr(at, ':')))
            return g_strstrip(g_strndup(at + 1, strcspn(at + 1, "\n\"\\")));
    }
    return g_strdup("unknown");
}

int main(void)
{
    Bench bench = { .planes = g_new(float, 3 * SIZE * SIZE) };
    gsize file_bytes = 0;
    for (guint i = 0; i < N_PICTURES; i++) {
        bench.images[i] = draw_picture(i);
        bench.files[i] = aimf_jpeg_encode(bench.images[i], NULL);
        file_bytes += g_bytes_get_size(bench.files[i]);
    }
    guint n_passes;
    const AimfPasses *const *passes = aimf_passes_supported(&n_passes);
    g_autofree char *processor = processor_name();
    printf("{\n  \"benchmark\": \"image\",\n  \"version\": \"%s\",\n  \"processor\": \"%s\",\n", aimf_version(),
           processor);
    printf("  \"libjpeg_turbo\": \"%s\",\n  \"instructions\": \"%s\",\n", G_STRINGIFY(LIBJPEG_TURBO_VERSION),
           passes[n_passes - 1]->name);
    printf("  \"threads\": 1,\n  \"picture\": [%d, %d],\n  \"mean_file_bytes\": %" G_GSIZE_FORMAT ",\n  \"cases\": [\n",
           WIDTH, HEIGHT, file_bytes / N_PICTURES);
    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++)
        print_case(&bench, c, c + 1 == G_N_ELEMENTS(cases));
    printf("  ]\n}\n");
    for (guint i = 0; i < N_PICTURES; i++) {
        aimf_image_free(bench.images[i]);
        g_bytes_unref(bench.files[i]);
    }
    g_free(bench.planes);
    return 0;
}
