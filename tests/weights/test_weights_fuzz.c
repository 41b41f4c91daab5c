/* Thousands of damaged files: each must open or give an error, and neither may touch memory that is not its own. */
#include "base/random.h"
#include "weights/archive.h"
#include "weights/element.h"
#include "weights/support_weights.h"

#include <string.h>
#include <zip.h>

enum { MUTANTS = 300, MAX_READ_BYTES = 1 << 20 };

/* Opens it and reads all that is not absurdly large. Returns 1 if it opened, else 0. */
static guint exercise(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, &error);
    g_assert_true((tensors == NULL) == (error != NULL));
    g_assert_true(!error || (error->domain == AIMF_ERROR && g_utf8_validate(error->message, -1, NULL)));
    for (guint i = 0; tensors && i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        if (tensor->bytes > MAX_READ_BYTES)
            continue;
        g_autoptr(GError) cause = NULL;
        gint64 count = aimf_shape_count(&tensor->shape);
        AimfDtype dtype = aimf_dtype_is_float(tensor->dtype) ? AIMF_F64 : tensor->dtype;
        g_autofree void *values = g_malloc((gsize)count * aimf_dtype_bytes(dtype) + 1);
        gboolean done = aimf_tensors_read(tensors, i, dtype, values, &cause);
        g_assert_true(done == (cause == NULL));
    }
    return tensors ? 1 : 0;
}

/* One to four changes: a byte, a bit, a run copied from elsewhere, an end cut off. */
static gsize damage(AimfRandom *random, char *data, gsize bytes)
{
    static const char codes[] =
        "\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x93\x94()]}.0RQbcehjqstuaNJKMGX\xff\0\x7f\1\x8f\x90\x91"
        "CB";
    for (guint64 changes = aimf_random_below(random, 4) + 1; changes > 0 && bytes > 0; changes--) {
        gsize at = (gsize)aimf_random_below(random, bytes), from = (gsize)aimf_random_below(random, bytes);
        switch (aimf_random_below(random, 8)) {
        case 0:
            data[at] = (char)(data[at] ^ (1 << aimf_random_below(random, 8)));
            break;
        case 1:
            memmove(data + at, data + from, (gsize)aimf_random_below(random, MIN(32, bytes - MAX(at, from)) + 1));
            break;
        case 2:
            bytes = aimf_random_below(random, 8) ? bytes : at;
            break;
        case 3:
            data[at] = (char)aimf_random_u32(random);
            break;
        default:
            data[at] = codes[aimf_random_below(random, sizeof codes - 1)];
        }
    }
    return bytes;
}

static void test_files(void)
{
    static const char *const names[] = { "types.safetensors",
                                         "checkpoint.safetensors",
                                         "network.old.pth",
                                         "views.old.pth",
                                         "checkpoint.old.pth",
                                         "protocol5.old.pth",
                                         "types_plain.old.pth",
                                         "network.pth",
                                         "views.pth",
                                         "deflated.pth",
                                         "alone.pth",
                                         "whole_module.pth",
                                         "network.tar.pth",
                                         "views.tar.pth",
                                         "foreign/harmless.old.pth",
                                         "foreign/keys.old.pth",
                                         "foreign/attributes.old.pth",
                                         "foreign/training.old.pth",
                                         "foreign/trusted.old.pth",
                                         "foreign/quantised.old.pth",
                                         "foreign/sparse.old.pth",
                                         "foreign/types.pth",
                                         "foreign/protocol5.pth",
                                         "foreign/types.safetensors" };
    guint opened = 0;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(GOLDEN_DIR "/weights", names[i], NULL);
        g_autofree char *original = NULL;
        gsize bytes;
        g_assert_true(g_file_get_contents(path, &original, &bytes, NULL));
        for (guint mutant = 0; mutant < MUTANTS; mutant++) {
            AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, (guint64)i << 32 | mutant);
            g_autofree char *data = g_memdup2(original, bytes);
            gsize left = damage(&random, data, bytes);
            opened += exercise(support_weights_write("mutant", data, left));
        }
    }
    /* Neither all refused nor all accepted: the damage is small enough to reach the inner checks. */
    g_test_message("%u of %u opened", opened, (guint)G_N_ELEMENTS(names) * MUTANTS);
    g_assert_cmpuint(opened, >, 100);
    g_assert_cmpuint(opened, <, G_N_ELEMENTS(names) * MUTANTS / 2);
}

/* With libzip, because AimfWriter syncs every file to the disk. @archive gives the sizes of the storages. */
static const char *pack(const void *pickle, gsize bytes, AimfArchive *archive)
{
    static const char zeros[4096];
    const char *path = support_weights_path("mutant.pth");
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    g_assert_nonnull(zip);
    g_assert_cmpint(zip_file_add(zip, "x/data.pkl", zip_source_buffer(zip, pickle, bytes, 0), 0), ==, 0);
    for (guint k = 0; k < 20; k++) {
        char name[32];
        g_snprintf(name, sizeof name, "x/data/%u", k);
        gint64 storage = aimf_archive_find(archive, name + strlen("x/"));
        guint64 size = 0;
        if (storage >= 0 && aimf_archive_size(archive, (guint64)storage, &size, NULL))
            g_assert_cmpint(zip_file_add(zip, name, zip_source_buffer(zip, zeros, size, 0), 0), >, 0);
    }
    g_assert_cmpint(zip_close(zip), ==, 0);
    return path;
}

/* Checksums would stop nearly all of the above at the door, so here the pickle is damaged before it is packed. */
static void test_pickles_in_archives(void)
{
    static const char *const names[] = { "network.pth", "views.pth", "checkpoint.pth" };
    guint opened = 0;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *path = g_build_filename(GOLDEN_DIR "/weights", names[i], NULL);
        g_autofree char *file = NULL;
        gsize bytes;
        g_assert_true(g_file_get_contents(path, &file, &bytes, NULL));
        g_autoptr(GBytes) map = g_bytes_new_static(file, bytes);
        g_autoptr(AimfArchive) archive = aimf_archive_open(map, "data.pkl", &error);
        g_assert_no_error(error);
        guint64 member = (guint64)aimf_archive_find(archive, "data.pkl");
        g_autoptr(GBytes) pickle = aimf_archive_member(archive, member, 1 << 20, &error);
        g_assert_no_error(error);
        for (guint mutant = 0; mutant < MUTANTS; mutant++) {
            AimfRandom random = aimf_random_at(2, AIMF_STREAM_TEST, (guint64)i << 32 | mutant);
            gsize length;
            g_autofree char *data = g_memdup2(g_bytes_get_data(pickle, &length), g_bytes_get_size(pickle));
            gsize left = damage(&random, data, length);
            opened += exercise(pack(data, left, archive));
        }
    }
    g_test_message("%u of %u opened", opened, (guint)G_N_ELEMENTS(names) * MUTANTS);
    g_assert_cmpuint(opened, >, 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/weights_fuzz/files", test_files);
    g_test_add_func("/weights_fuzz/pickles_in_archives", test_pickles_in_archives);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
