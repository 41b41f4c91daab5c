#include "data/support_data.h"

#include <glib/gstdio.h>
#include <string.h>

enum { N = 23, SIZE = 8, PIXELS = 3 * SIZE * SIZE };

typedef struct {
    char *folder;
    AimfManifest *manifest;
    char *paths[N];
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->folder = data_folder_new();
    f->manifest = aimf_manifest_new();
    for (guint i = 0; i < N; i++) {
        g_autofree char *name = g_strdup_printf("%02u.png", i);
        f->paths[i] = data_draw(f->folder, name, i);
        aimf_manifest_add(f->manifest, f->paths[i], (int)i % 2, i % 3 ? "1" : "0");
    }
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    for (guint i = 0; i < N; i++)
        g_free(f->paths[i]);
    aimf_manifest_free(f->manifest);
    data_folder_free(f->folder);
}

static void expect_same(gconstpointer a, gconstpointer b, gsize bytes)
{
    g_assert_cmpint(memcmp(a, b, bytes), ==, 0);
}

static const AimfAugment AUGMENT = AIMF_AUGMENT_DEFAULT;

static AimfLoaderOptions options_of(guint batch, int threads)
{
    return (AimfLoaderOptions){
        .preprocess = { .width = SIZE, .height = SIZE, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f } },
        .batch = batch,
        .augment = &AUGMENT,
        .shuffle = TRUE,
        .seed = 42,
        .threads = threads,
    };
}

static AimfLoader *open_loader(const AimfManifest *manifest, const AimfLoaderOptions *options,
                               const AimfMonitor *monitor)
{
    g_autoptr(GError) error = NULL;
    AimfLoader *loader = aimf_loader_new(manifest, options, monitor, &error);
    g_assert_no_error(error);
    return loader;
}

/* Reads one epoch: order (N), pixels by place in the epoch (N, PIXELS); returns the number of images. */
static guint read_epoch(AimfLoader *loader, guint epoch, guint batch, guint32 *order, float *pixels)
{
    g_autoptr(GError) error = NULL;
    guint n = 0, batches = 0;
    AimfBatch b;
    aimf_loader_begin(loader, epoch);
    while (aimf_loader_next(loader, &b, &error)) {
        g_assert_cmpuint(b.n, <=, batch);
        for (guint i = 0; i < b.n; i++) {
            g_assert_cmpfloat(b.targets[i], ==, (float)(b.samples[i] % 2));
            order[n] = b.samples[i];
            memcpy(pixels + (n++) * PIXELS, b.images + i * PIXELS, PIXELS * sizeof(float));
        }
        batches++;
    }
    g_assert_no_error(error);
    g_assert_cmpuint(batches, ==, aimf_loader_batches(loader));
    g_assert_false(aimf_loader_next(loader, &b, &error)); /* the end stays the end */
    g_assert_no_error(error);
    return n;
}

/* What one sample must look like, made without a loader. */
static void expect_pixels(const Fixture *f, const AimfLoaderOptions *o, guint epoch, guint32 sample, const float *found)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfImage) image = aimf_image_open(f->paths[sample], &error);
    g_assert_no_error(error);
    AimfBox box;
    gboolean flip = FALSE;
    if (o->augment)
        aimf_augment_draw(o->augment, o->seed, epoch, sample, image->width, image->height, &box, &flip);
    float planes[PIXELS];
    aimf_image_to_planes(image, o->augment ? &box : NULL, flip, &o->preprocess, planes, &error);
    g_assert_no_error(error);
    expect_same(planes, found, sizeof planes);
}

static void test_epochs(Fixture *f, gconstpointer data)
{
    (void)data;
    guint32 first_order[3][N];
    static const guint BATCHES[] = { 1, 4, 23, 100 };
    for (int threads = 1; threads <= 4; threads++) {
        for (gsize k = 0; k < G_N_ELEMENTS(BATCHES); k++) {
            AimfLoaderOptions options = options_of(BATCHES[k], threads);
            options.cache_bytes = threads % 2 ? 0 : k % 2 ? 1 << 20 : 3000; /* none, all, some */
            g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, NULL);
            g_assert_cmpuint(aimf_loader_batches(loader), ==, (N + BATCHES[k] - 1) / BATCHES[k]);
            for (guint epoch = 0; epoch < 3; epoch++) {
                guint32 order[N];
                float pixels[N * PIXELS];
                g_assert_cmpuint(read_epoch(loader, epoch, BATCHES[k], order, pixels), ==, N);
                for (guint i = 0; i < N; i++)
                    expect_pixels(f, &options, epoch, order[i], pixels + i * PIXELS);
                if (threads == 1 && k == 0)
                    memcpy(first_order[epoch], order, sizeof order);
                expect_same(order, first_order[epoch], sizeof order);
            }
        }
    }
    /* Each epoch is a permutation, and they differ. */
    for (guint epoch = 0; epoch < 3; epoch++) {
        guint seen[N] = { 0 };
        for (guint i = 0; i < N; i++)
            seen[first_order[epoch][i]]++;
        for (guint i = 0; i < N; i++)
            g_assert_cmpuint(seen[i], ==, 1);
    }
    g_assert_cmpint(memcmp(first_order[0], first_order[1], sizeof first_order[0]), !=, 0);
    g_assert_cmpint(memcmp(first_order[1], first_order[2], sizeof first_order[0]), !=, 0);
}

static void test_plain(Fixture *f, gconstpointer data)
{
    (void)data;
    AimfLoaderOptions options = options_of(5, 2);
    options.augment = NULL;
    options.shuffle = FALSE;
    options.drop_last = TRUE;
    g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, NULL);
    g_assert_cmpuint(aimf_loader_batches(loader), ==, 4);
    guint32 order[N];
    float pixels[N * PIXELS];
    g_assert_cmpuint(read_epoch(loader, 0, 5, order, pixels), ==, 20);
    for (guint i = 0; i < 20; i++) {
        g_assert_cmpuint(order[i], ==, i);
        expect_pixels(f, &options, 0, i, pixels + i * PIXELS);
    }
}

/* Beginning anew in the middle of an epoch, at each batch, gives the new epoch in full. */
static void test_begin_again(Fixture *f, gconstpointer data)
{
    (void)data;
    AimfLoaderOptions options = options_of(3, 3);
    g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, NULL);
    g_autoptr(GError) error = NULL;
    AimfBatch batch;
    g_assert_false(aimf_loader_next(loader, &batch, &error)); /* nothing before the first begin */
    g_assert_no_error(error);
    guint32 expected[N], order[N];
    float expected_pixels[N * PIXELS], pixels[N * PIXELS];
    read_epoch(loader, 7, 3, expected, expected_pixels);
    for (guint stop = 0; stop <= 8; stop++) {
        aimf_loader_begin(loader, stop);
        for (guint i = 0; i < stop; i++)
            g_assert_true(aimf_loader_next(loader, &batch, &error));
        g_assert_cmpuint(read_epoch(loader, 7, 3, order, pixels), ==, N);
        expect_same(order, expected, sizeof order);
        expect_same(pixels, expected_pixels, sizeof pixels);
    }
    aimf_loader_begin(loader, 1); /* freed while threads are busy */
}

/* With everything in the cache, the files are not opened any more; with half of it, they are. */
static void test_cache(Fixture *f, gconstpointer data)
{
    (void)data;
    guint32 order[N];
    float pixels[N * PIXELS];
    for (int whole = 0; whole < 2; whole++) {
        AimfLoaderOptions options = options_of(4, 2);
        options.cache_bytes = whole ? 1 << 20 : 500 * (N / 2);
        g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, NULL);
        read_epoch(loader, 0, 4, order, pixels);
        g_autofree char *hidden = g_strconcat(f->folder, "-hidden", NULL);
        g_assert_cmpint(g_rename(f->folder, hidden), ==, 0);
        if (whole) {
            g_assert_cmpuint(read_epoch(loader, 1, 4, order, pixels), ==, N);
        } else {
            g_autoptr(GError) error = NULL;
            AimfBatch batch;
            aimf_loader_begin(loader, 1);
            while (aimf_loader_next(loader, &batch, &error))
                ;
            data_expect_error(&error, AIMF_ERROR_NOT_FOUND, f->folder, NULL);
        }
        g_assert_cmpint(g_rename(hidden, f->folder), ==, 0);
        for (guint i = 0; whole && i < N; i++)
            expect_pixels(f, &options, 1, order[i], pixels + i * PIXELS);
    }
}

static void count_warning(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_assert_cmpint(level, ==, AIMF_LOG_WARNING);
    g_ptr_array_add(user_data, g_strdup(text));
}

static void break_picture(const Fixture *f, guint index)
{
    g_autoptr(GError) error = NULL;
    g_file_set_contents(f->paths[index], "no picture", -1, &error);
    g_assert_no_error(error);
}

static void test_skip_bad(Fixture *f, gconstpointer data)
{
    (void)data;
    break_picture(f, 4);
    break_picture(f, 5);
    g_assert_cmpint(g_remove(f->paths[9]), ==, 0);
    for (guint tolerated = 0; tolerated < 5; tolerated++) {
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        AimfMonitor monitor = { .message = count_warning, .user_data = warnings };
        AimfLoaderOptions options = options_of(2, 3);
        options.shuffle = FALSE;
        options.skip_bad = tolerated;
        g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, &monitor);
        g_autoptr(GError) error = NULL;
        guint n = 0, batches = 0;
        AimfBatch batch;
        for (guint epoch = 0; epoch < 2 && !error; epoch++) {
            aimf_loader_begin(loader, epoch);
            while (aimf_loader_next(loader, &batch, &error)) {
                for (guint i = 0; i < batch.n; i++) {
                    g_assert_true(batch.samples[i] != 4 && batch.samples[i] != 5 && batch.samples[i] != 9);
                    expect_pixels(f, &options, epoch, batch.samples[i], batch.images + i * PIXELS);
                }
                g_assert_cmpuint(batch.n, >, 0);
                n += batch.n;
                batches++;
            }
        }
        g_assert_cmpuint(warnings->len, ==, MIN(tolerated, 3)); /* once each, not once an epoch */
        if (tolerated >= 3) {
            g_assert_no_error(error);
            g_assert_cmpuint(n, ==, 2 * (N - 3));
            g_assert_cmpuint(batches, ==, 2 * (12 - 1)); /* the batch of 4 and 5 has nothing left */
            continue;
        }
        const char *path = f->paths[tolerated == 0 ? 4 : tolerated == 1 ? 5 : 9];
        g_assert_nonnull(strstr(error->message, path));
        g_assert_nonnull(strstr(error->message, "--skip-bad N"));
        g_clear_error(&error);
        g_assert_false(aimf_loader_next(loader, &batch, &error)); /* a failure stays one */
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, path));
    }
}

static void test_stop(Fixture *f, gconstpointer data)
{
    (void)data;
    volatile int stop = 0;
    AimfMonitor monitor = { .stop = &stop };
    AimfLoaderOptions options = options_of(4, 2);
    g_autoptr(AimfLoader) loader = open_loader(f->manifest, &options, &monitor);
    g_autoptr(GError) error = NULL;
    AimfBatch batch;
    aimf_loader_begin(loader, 0);
    g_assert_true(aimf_loader_next(loader, &batch, &error));
    stop = 1;
    g_assert_false(aimf_loader_next(loader, &batch, &error));
    data_expect_error(&error, AIMF_ERROR_INTERRUPTED, NULL);
    stop = 0;
    guint32 order[N];
    float pixels[N * PIXELS];
    g_assert_cmpuint(read_epoch(loader, 0, 4, order, pixels), ==, N);
}

static void expect_refused(const AimfManifest *manifest, AimfLoaderOptions options, AimfErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_loader_new(manifest, &options, NULL, &error));
    data_expect_error(&error, code, NULL);
}

static void test_refusals(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfManifest) empty = aimf_manifest_new();
    AimfLoaderOptions options = options_of(4, 1);
    expect_refused(empty, options, AIMF_ERROR_INVALID);
    options.drop_last = TRUE;
    options.batch = N + 1;
    expect_refused(f->manifest, options, AIMF_ERROR_INVALID);
    options = options_of(0, 1);
    expect_refused(f->manifest, options, AIMF_ERROR_INVALID);
    options = options_of(4, -1);
    expect_refused(f->manifest, options, AIMF_ERROR_INVALID);
    options = options_of(4, 1);
    options.preprocess.height = 0;
    expect_refused(f->manifest, options, AIMF_ERROR_INVALID);
    options = options_of(4, 1);
    options.preprocess.std[1] = 0;
    expect_refused(f->manifest, options, AIMF_ERROR_INVALID);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/loader/epochs", Fixture, NULL, set_up, test_epochs, tear_down);
    g_test_add("/loader/plain", Fixture, NULL, set_up, test_plain, tear_down);
    g_test_add("/loader/begin-again", Fixture, NULL, set_up, test_begin_again, tear_down);
    g_test_add("/loader/cache", Fixture, NULL, set_up, test_cache, tear_down);
    g_test_add("/loader/skip-bad", Fixture, NULL, set_up, test_skip_bad, tear_down);
    g_test_add("/loader/stop", Fixture, NULL, set_up, test_stop, tear_down);
    g_test_add("/loader/refusals", Fixture, NULL, set_up, test_refusals, tear_down);
    return g_test_run();
}
