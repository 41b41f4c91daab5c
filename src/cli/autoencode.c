/* aimfair autoencode: pictures through an autoencoder and back, to see what it loses. */
#include "cli.h"

#include <aimfair/diffusion.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct {
    char *vae;
    char *output;
    gint image_size;
    gboolean is_folder; /* the output */
} Arguments;

static void arguments_clear(Arguments *a)
{
    g_free(a->vae);
    g_free(a->output);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/** Loss: of one picture, in steps of 8 bits. */
typedef struct {
    double mean;
    int largest;
} Loss;

/* --- Pictures --- */

/* (owned) the picture at the wanted size, or its middle, whose sides the latents' pixels divide. */
static AimfImage *prepare(const AimfImage *image, int image_size, int scale, GError **error)
{
    if (image_size)
        return aimf_image_resize(image, NULL, image_size, image_size, AIMF_LANCZOS, error);
    const AimfBox box = { image->width % scale / 2, image->height % scale / 2, image->width / scale * scale,
                          image->height / scale * scale };
    if (box.width && box.height)
        return aimf_image_resize(image, &box, box.width, box.height, AIMF_LANCZOS, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%d x %d pixels; a side needs at least %d", image->width,
                image->height, scale);
    return NULL;
}

/* (3, height, width) in [-1, 1]. */
static void to_planes(const AimfImage *image, float *planes)
{
    gsize n = (gsize)image->width * (gsize)image->height;
    for (gsize i = 0; i < n; i++)
        for (gsize c = 0; c < 3; c++)
            planes[c * n + i] = (float)image->data[i * 3 + c] / 127.5f - 1;
}

/* Rounded, so that nothing lost means nothing changed. */
static gboolean from_planes(const float *planes, AimfImage *image, GError **error)
{
    gsize n = (gsize)image->width * (gsize)image->height;
    for (gsize i = 0; i < n; i++)
        for (gsize c = 0; c < 3; c++) {
            float value = (planes[c * n + i] + 1) * 127.5f + 0.5f;
            if (!isfinite(value)) {
                g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                            "the autoencoder's numbers are not finite; are these weights whole?");
                return FALSE;
            }
            image->data[i * 3 + c] = value >= 255 ? 255 : value > 0 ? (guint8)value : 0;
        }
    return TRUE;
}

static Loss compare(const AimfImage *before, const AimfImage *after)
{
    gsize n = (gsize)before->width * (gsize)before->height * 3;
    Loss loss = { 0, 0 };
    for (gsize i = 0; i < n; i++) {
        int difference = abs(before->data[i] - after->data[i]);
        loss.mean += difference;
        loss.largest = MAX(loss.largest, difference);
    }
    loss.mean /= (double)n;
    return loss;
}

/* (owned) what comes back of @image. */
static AimfImage *pass(AimfAutoencoder *autoencoder, const AimfImage *image, GError **error)
{
    gsize n = (gsize)image->width * (gsize)image->height;
    int scale = aimf_autoencoder_scale(autoencoder), height = image->height / scale, width = image->width / scale;
    gsize n_latents = (gsize)aimf_autoencoder_channels(autoencoder) * (gsize)height * (gsize)width;
    g_autofree float *planes = g_try_new(float, 3 * n);
    g_autofree float *latents = g_try_new(float, n_latents);
    g_autoptr(AimfImage) back = aimf_image_new(image->width, image->height, error);
    if (!back)
        return NULL;
    if (!planes || !latents) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %d x %d pixels", image->width, image->height);
        return NULL;
    }
    to_planes(image, planes);
    if (!aimf_autoencoder_encode(autoencoder, planes, height, width, latents, error) ||
        !aimf_autoencoder_decode(autoencoder, latents, height, width, planes, error) ||
        !from_planes(planes, back, error))
        return NULL;
    return g_steal_pointer(&back);
}

/* --- The command --- */

/* A name that ends like a picture's is a picture's, unless a folder has it. */
static gboolean is_folder(const char *output)
{
    static const char *const endings[] = { ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff" };
    g_autofree char *lower = g_ascii_strdown(output, -1);
    gboolean picture = g_str_equal(output, "-"); /* no place for a PNG, but no folder either */
    for (gsize i = 0; i < G_N_ELEMENTS(endings); i++)
        picture = picture || g_str_has_suffix(lower, endings[i]);
    return g_file_test(output, G_FILE_TEST_IS_DIR) || !picture;
}

/* The folder that the pictures go to is made once nothing else is wrong. */
static gboolean make_folder(const Arguments *a, GError **error)
{
    g_autofree char *folder = a->is_folder ? g_strdup(a->output) : g_path_get_dirname(a->output);
    if (aimf_cli_make_folder(folder, error))
        return TRUE;
    g_prefix_error(error, "-o: ");
    return FALSE;
}

/* (owned) where the picture @path goes: the file -o, or one of its own name in the folder -o. */
static char *output_of(const Arguments *a, const char *path)
{
    if (!a->is_folder)
        return g_strdup(a->output);
    g_autofree char *name = g_path_get_basename(path);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = 0;
    g_autofree char *png = g_strconcat(name, ".png", NULL);
    return g_build_filename(a->output, png, NULL);
}

static gboolean check_outputs(const Arguments *a, char *const *paths, int n, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (n > 1 && !a->is_folder) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "-o %s: several pictures need a folder, not one PNG",
                    a->output);
        return FALSE;
    }
    for (int i = 0; i < n; i++) {
        char *output = output_of(a, paths[i]);
        gboolean fresh = g_hash_table_add(seen, output);
        if (!g_str_has_suffix(output, ".png") || !fresh) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        fresh ? "-o %s: the pictures are PNG, so the name ends in .png"
                              : "two pictures would become %s",
                        output);
            return FALSE;
        }
        if (!aimf_cli_check_new_output("-o", output, error) ||
            !aimf_cli_check_apart("-o", output, (const char *const *)paths, (gsize)n, error) ||
            !aimf_cli_check_apart("-o", output, (const char *const[]){ a->vae }, 1, error))
            return FALSE;
    }
    return TRUE;
}

static void report(AimfCli *cli, JsonBuilder *builder, const char *path, const char *output, const AimfImage *image,
                   const Loss *loss)
{
    if (!cli->json) {
        aimf_cli_print(cli, "%s: %d x %d pixels, mean difference %.2f/255, largest %d/255\n", output, image->width,
                       image->height, loss->mean, loss->largest);
        return;
    }
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "image", path);
    aimf_cli_json_text(builder, "output", output);
    aimf_cli_json_int(builder, "width", image->width);
    aimf_cli_json_int(builder, "height", image->height);
    aimf_cli_json_double(builder, "mean_difference", loss->mean / 255);
    aimf_cli_json_double(builder, "largest_difference", loss->largest / 255.0);
    json_builder_end_object(builder);
}

static gboolean autoencode(AimfCli *cli, AimfAutoencoder *autoencoder, const Arguments *a, const char *path,
                           JsonBuilder *builder, GError **error)
{
    g_autoptr(AimfImage) picture = aimf_image_open(path, error);
    if (!picture)
        return FALSE;
    g_autoptr(AimfImage) before = prepare(picture, a->image_size, aimf_autoencoder_scale(autoencoder), error);
    g_autoptr(AimfImage) after = before ? pass(autoencoder, before, error) : NULL;
    if (!after) {
        g_prefix_error(error, "'%s': ", path);
        return FALSE;
    }
    g_autofree char *output = output_of(a, path);
    if (!aimf_image_save(after, output, error))
        return FALSE;
    const Loss loss = compare(before, after);
    report(cli, builder, path, output, after, &loss);
    return TRUE;
}

static gboolean stopped(const AimfCli *cli, GError **error)
{
    if (!*cli->monitor->stop)
        return FALSE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED, "interrupted between two pictures");
    return TRUE;
}

static void show_progress(const AimfCli *cli, guint done, guint n, gint64 started_us)
{
    double seconds = (double)(g_get_monotonic_time() - started_us) / G_USEC_PER_SEC;
    const AimfProgress progress = {
        .stage = "autoencoding",
        .unit = "pictures",
        .done = done,
        .total = n,
        .rate = done && seconds > 0 ? done / seconds : 0,
        .seconds_left = done ? seconds / done * (n - done) : -1,
        .whole_seconds_left = -1,
    };
    cli->monitor->progress(&progress, cli->monitor->user_data);
}

static gboolean check_image_size(const Arguments *a, int scale, GError **error)
{
    if (a->image_size % scale == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--image-size is %d; it must be a multiple of %d", a->image_size,
                scale);
    return FALSE;
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Arguments) a = { 0 };
    const GOptionEntry entries[] = {
        { "vae", 0, 0, G_OPTION_ARG_FILENAME, &a.vae, "a KL autoencoder or TAESD, file or folder", "PATH" },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a.output, "the PNG, or a folder; it is made", "PATH" },
        { "image-size", 0, 0, G_OPTION_ARG_INT, &a.image_size, "squares of N pixels, 0 for their own size (0)",
          "N [0, 4096]" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !aimf_cli_require(cli, "--vae", a.vae, error) ||
        !aimf_cli_require(cli, "-o", a.output, error) ||
        !aimf_cli_require(cli, "the picture", argc > 1 ? argv[1] : NULL, error))
        return FALSE;
    a.is_folder = is_folder(a.output);
    if (!check_outputs(&a, argv + 1, argc - 1, error))
        return FALSE;
    const AimfDiffusionOptions options = {
        .vae = a.vae, .device = cli->device, .precision = cli->precision, .threads = cli->threads
    };
    g_autoptr(AimfAutoencoder) autoencoder = aimf_autoencoder_open(&options, cli->monitor, error);
    if (!autoencoder || !check_image_size(&a, aimf_autoencoder_scale(autoencoder), error))
        return FALSE;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "pictures");
    json_builder_begin_array(builder);
    gint64 started_us = g_get_monotonic_time();
    if (!make_folder(&a, error))
        return FALSE;
    for (int i = 1; i < argc; i++) {
        if (argc > 2)
            show_progress(cli, (guint)i - 1, (guint)argc - 1, started_us);
        if (stopped(cli, error) || !autoencode(cli, autoencoder, &a, argv[i], builder, error))
            return FALSE;
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_AUTOENCODE = {
    .name = "autoencode",
    .summary = "show what an autoencoder does to pictures",
    .arguments = "PICTURE…",
    .description = "Example: aimfair autoencode --vae taesd photograph.jpg -o after.png",
    .run = run,
};
