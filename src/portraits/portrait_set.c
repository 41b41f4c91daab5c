#include "portraits/portrait_set.h"

#include "base/file.h"
#include "base/monitor.h"
#include "image/formats.h"

#include <errno.h>
#include <stdio.h>

const char *const AIMF_PORTRAIT_HAIR[2] = { "long-haired", "bearded" };

guint aimf_portrait_set_size(const AimfPortraitSet *set)
{
    return set->count[0][0] + set->count[0][1] + set->count[1][0] + set->count[1][1];
}

static char *group_folder(const char *directory, const AimfPortraitSet *set, int smiling, int bearded)
{
    return g_strdup_printf("%s/%s/%d_%s", directory, set->folder, smiling, AIMF_PORTRAIT_HAIR[bearded]);
}

char *aimf_portrait_set_path(const char *directory, const AimfPortraitSet *set, int smiling, int bearded, guint number)
{
    g_autofree char *folder = group_folder(directory, set, smiling, bearded);
    /* A camera writes JPEG with its losses, an image generator's pictures are kept as they are. */
    return g_strdup_printf("%s/%05u.%s", folder, set->first + number,
                           set->look == AIMF_LOOK_PHOTOGRAPH ? "jpg" : "png");
}

/*
 * Not through AimfWriter: syncing thousands of small files costs half a minute, and the manifest written afterwards,
 * which is atomic, is what makes a set complete.
 */
static gboolean write_picture(const AimfImage *image, AimfLook look, const char *path, GError **error)
{
    const AimfImageText source = aimf_image_source_text(AIMF_SOURCE_ALGORITHMIC_MEDIA);
    g_autoptr(GBytes) encoded =
        look == AIMF_LOOK_PHOTOGRAPH ? aimf_jpeg_encode(image, error) : aimf_image_encode_png(image, &source, 1, error);
    if (!encoded)
        return FALSE;
    FILE *stream = fopen(path, "wbe");
    gsize bytes;
    const void *data = g_bytes_get_data(encoded, &bytes);
    gboolean written = stream && fwrite(data, 1, bytes, stream) == bytes;
    int number = errno;
    if (stream && fclose(stream) != 0 && written) {
        number = errno;
        written = FALSE;
    }
    if (!written)
        aimf_io_error(error, number, "write", path);
    return written;
}

static gboolean draw_one(const AimfPortraitSet *set, const char *directory, guint64 seed, int smiling, int bearded,
                         guint number, GError **error)
{
    AimfPortrait portrait = aimf_portrait_draw(seed, set->first + number, set->look, smiling, bearded);
    g_autoptr(AimfImage) image = aimf_portrait_paint(&portrait, error);
    if (!image)
        return FALSE;
    g_autofree char *path = aimf_portrait_set_path(directory, set, smiling, bearded, number);
    return write_picture(image, set->look, path, error);
}

/* Pictures [first, end) of a group, by as many threads as there are; the first error stands for all. */
static gboolean draw_some(const AimfPortraitSet *set, const char *directory, guint64 seed, int smiling, int bearded,
                          guint first, guint end, GError **error)
{
    GError *failure = NULL;
#pragma omp parallel for schedule(dynamic)
    for (guint i = first; i < end; i++) {
        GError *own = NULL;
        if (draw_one(set, directory, seed, smiling, bearded, i, &own))
            continue;
#pragma omp critical(aimf_portrait_failure)
        {
            if (failure)
                g_error_free(own);
            else
                failure = own;
        }
    }
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

gboolean aimf_portrait_set_draw(const AimfPortraitSet *set, const char *directory, guint64 seed,
                                const AimfMonitor *monitor, GError **error)
{
    enum { CHUNK = 32 }; /* pictures between two looks at whether to stop */
    AimfStage stage;
    g_autofree char *name = g_strdup_printf("drawing %s", set->folder);
    aimf_stage_begin(&stage, monitor, name, "pictures", aimf_portrait_set_size(set));
    for (int smiling = 0; smiling < 2; smiling++) {
        for (int bearded = 0; bearded < 2; bearded++) {
            guint count = set->count[smiling][bearded];
            g_autofree char *folder = group_folder(directory, set, smiling, bearded);
            if (!aimf_directory_make(folder, error))
                return FALSE;
            for (guint first = 0; first < count; first += CHUNK) {
                guint end = MIN(first + CHUNK, count);
                if (!draw_some(set, directory, seed, smiling, bearded, first, end, error) ||
                    !aimf_check_stop(monitor, name, error))
                    return FALSE;
                aimf_stage_step(&stage, end - first, NULL);
            }
        }
    }
    return TRUE;
}

AimfManifest *aimf_portrait_set_manifest(const AimfPortraitSet *set, const char *directory, const char *name,
                                         const guint count[2][2], GError **error)
{
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    for (int smiling = 0; smiling < 2; smiling++) {
        for (int bearded = 0; bearded < 2; bearded++) {
            g_assert(count[smiling][bearded] <= set->count[smiling][bearded]);
            for (guint i = 0; i < count[smiling][bearded]; i++) {
                g_autofree char *path = aimf_portrait_set_path(directory, set, smiling, bearded, i);
                aimf_manifest_add(manifest, path, smiling, AIMF_PORTRAIT_HAIR[bearded]);
            }
        }
    }
    g_autofree char *path = g_strdup_printf("%s/%s.csv", directory, name);
    return aimf_manifest_save(manifest, path, error) ? g_steal_pointer(&manifest) : NULL;
}
