/*
 * Hashes of pictures, remembered as CSV: sha256,bytes,modified_ns,inode,device,path. A line counts only where the file
 * is by all of these still the one that was read, and lines that are none are passed over.
 */
#include "run/pictures_hash.h"

#include "base/monitor.h"
#include "data/csv.h"
#include "run/file_hash.h"

#include <stdlib.h>
#include <string.h>

/* @CHUNK: files between two looks at whether to stop; @SHOWN: fewer take no time that anybody would want to see */
enum { CHUNK = 64, SHOWN = 2000 };
static const gsize MAX_CACHE_BYTES = (gsize)1 << 30;
static const char HEADER[] = "sha256,bytes,modified_ns,inode,device,path";

/*
 * File systems write times in steps of some milliseconds, FAT of two seconds: what was written so short a time before
 * it was read may be written to again without another time. Such a file is not remembered.
 */
static const gint64 SETTLED_NS = G_GINT64_CONSTANT(2000000000);

typedef struct {
    char sha256[AIMF_SHA256_SIZE];
    AimfStamp stamp;
} Remembered;

struct AimfPictureHashes {
    char *path;        /* nullable */
    GHashTable *files; /* owned absolute path → owned Remembered */
    gboolean added;
};

/* --- The file --- */

static gboolean take_number(const char **text, guint64 most, guint64 *value)
{
    gsize n = strspn(*text, "0123456789");
    g_autofree char *digits = g_strndup(*text, n);
    if ((*text)[n] != ',' || !g_ascii_string_to_unsigned(digits, 10, 0, most, value, NULL))
        return FALSE;
    *text += n + 1;
    return TRUE;
}

/* (owned, nullable) a field that ends with its line, as aimf_csv_append writes it. */
static char *take_path(const char *text)
{
    g_autoptr(GString) path = g_string_new(NULL);
    gboolean quoted = *text == '"';
    for (text += quoted; *text; text++) {
        if (quoted && *text == '"' && *++text != '"')
            return *text ? NULL : g_strdup(path->str);
        g_string_append_c(path, *text);
    }
    return quoted ? NULL : g_strdup(path->str);
}

static void take_line(AimfPictureHashes *hashes, char *line)
{
    Remembered found;
    guint64 bytes, modified;
    if (strlen(line) < AIMF_SHA256_SIZE || line[AIMF_SHA256_SIZE - 1] != ',')
        return;
    line[AIMF_SHA256_SIZE - 1] = 0;
    if (!aimf_sha256_valid(line))
        return;
    g_strlcpy(found.sha256, line, sizeof found.sha256);
    const char *rest = line + AIMF_SHA256_SIZE;
    if (!take_number(&rest, G_MAXINT64, &bytes) || !take_number(&rest, G_MAXINT64, &modified) ||
        !take_number(&rest, G_MAXUINT64, &found.stamp.inode) || !take_number(&rest, G_MAXUINT64, &found.stamp.device))
        return;
    found.stamp.bytes = (gint64)bytes;
    found.stamp.modified_ns = (gint64)modified;
    char *path = take_path(rest);
    if (path && *path == '/')
        g_hash_table_insert(hashes->files, path, g_memdup2(&found, sizeof found));
    else
        g_free(path);
}

AimfPictureHashes *aimf_picture_hashes_open(const char *path)
{
    AimfPictureHashes *hashes = g_new0(AimfPictureHashes, 1);
    hashes->path = g_strdup(path);
    hashes->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GBytes) bytes = path ? aimf_file_read(path, MAX_CACHE_BYTES, NULL) : NULL;
    gsize size = 0;
    const char *text = bytes ? g_bytes_get_data(bytes, &size) : "";
    for (const char *end = text + size; text < end;) {
        const char *stop = memchr(text, '\n', (gsize)(end - text));
        g_autofree char *line = stop ? g_strndup(text, (gsize)(stop - text)) : NULL; /* cut off: not what was written */
        if (line)
            take_line(hashes, line);
        text = stop ? stop + 1 : end;
    }
    return hashes;
}

void aimf_picture_hashes_free(AimfPictureHashes *hashes)
{
    if (!hashes)
        return;
    g_hash_table_unref(hashes->files);
    g_free(hashes->path);
    g_free(hashes);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

gboolean aimf_picture_hashes_save(AimfPictureHashes *hashes, GError **error)
{
    if (!hashes->path || !hashes->added)
        return TRUE;
    g_autoptr(AimfWriter) writer = aimf_writer_open(hashes->path, error);
    if (!writer)
        return FALSE;
    g_autoptr(GList) paths = g_list_sort(g_hash_table_get_keys(hashes->files), compare_paths);
    g_autoptr(GString) line = g_string_new(NULL);
    aimf_writer_printf(writer, "%s\n", HEADER);
    for (const GList *path = paths; path; path = path->next) {
        const Remembered *found = g_hash_table_lookup(hashes->files, path->data);
        const AimfStamp *stamp = &found->stamp;
        g_string_printf(line,
                        "%s,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",",
                        found->sha256, stamp->bytes, stamp->modified_ns, stamp->inode, stamp->device);
        aimf_csv_append(line, path->data);
        g_string_append_c(line, '\n');
        aimf_writer_write(writer, line->str, line->len);
    }
    if (!aimf_writer_commit(writer, error))
        return FALSE;
    hashes->added = FALSE;
    return TRUE;
}

/* --- Hashing --- */

/* A picture of the manifest; @path: absolute. */
typedef struct {
    char *path;
    Remembered found;
    gboolean readable;
    gboolean lasting; /* to be remembered */
    GError *fault;    /* (owned, nullable) of the machine: whether it can be read is not known */
} Picture;

/* Reads a file unless it is remembered; several threads do that, and none of them changes what is remembered. */
static void hash_picture(const AimfPictureHashes *hashes, Picture *picture, const AimfMonitor *monitor)
{
    AimfStamp stamp;
    GError *failure = NULL;
    const Remembered *known = g_hash_table_lookup(hashes->files, picture->path);
    picture->lasting = FALSE;
    picture->fault = NULL;
    picture->readable =
        known && aimf_file_stamp(picture->path, &stamp, NULL) && aimf_stamp_equal(&stamp, &known->stamp);
    if (picture->readable) {
        picture->found = *known;
        return;
    }
    gint64 now_ns = g_get_real_time() * 1000; /* before it is read */
    picture->readable = aimf_hash_file(picture->path, monitor, picture->found.sha256, &picture->found.stamp, &failure);
    if (aimf_is_fault(failure))
        picture->fault = g_steal_pointer(&failure);
    g_clear_error(&failure);
    gint64 modified = picture->found.stamp.modified_ns;
    picture->lasting =
        picture->readable && modified >= 0 && modified < now_ns - SETTLED_NS && !strpbrk(picture->path, "\r\n");
}

static void picture_clear(Picture *picture)
{
    g_clear_pointer(&picture->path, g_free);
    g_clear_error(&picture->fault);
}

/* FALSE with the picture's fault. */
static gboolean take_picture(AimfPictureHashes *hashes, Picture *picture, GChecksum *checksum, GError **error)
{
    if (picture->fault) {
        g_propagate_error(error, g_steal_pointer(&picture->fault));
        return FALSE;
    }
    const char *text = picture->readable ? picture->found.sha256 : "unreadable";
    g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text));
    g_checksum_update(checksum, (const guchar *)"\n", 1);
    if (picture->lasting) {
        Remembered *found = g_memdup2(&picture->found, sizeof picture->found);
        g_hash_table_replace(hashes->files, g_steal_pointer(&picture->path), found);
        hashes->added = TRUE;
    }
    return TRUE;
}

/*
 * (owned) One name for each file, wherever the run was started from and through whatever links; of a missing one any.
 */
static char *absolute_path(const char *path)
{
    char *real = realpath(path, NULL);
    char *name = real ? g_strdup(real) : g_canonicalize_filename(path, NULL);
    free(real);
    return name;
}

char *aimf_pictures_hash(AimfPictureHashes *hashes, const AimfManifest *manifest, const AimfMonitor *monitor,
                         GError **error)
{
    AimfStage stage;
    guint n = aimf_manifest_count(manifest);
    Picture pictures[CHUNK];
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    aimf_stage_begin(&stage, n < SHOWN ? NULL : monitor, "hashing pictures", "images", n);
    for (guint first = 0; first < n; first += CHUNK) {
        guint count = MIN(n - first, CHUNK);
        for (guint i = 0; i < count; i++)
            pictures[i].path = absolute_path(aimf_manifest_at(manifest, first + i).path);
#pragma omp parallel for schedule(dynamic)
        for (guint i = 0; i < count; i++)
            hash_picture(hashes, &pictures[i], monitor);
        gboolean goes_on = aimf_check_stop(monitor, "hashing pictures", error); /* else some may be read in part */
        for (guint i = 0; i < count; i++) {
            goes_on = goes_on && take_picture(hashes, &pictures[i], checksum, error);
            picture_clear(&pictures[i]);
        }
        if (!goes_on)
            return NULL;
        aimf_stage_step(&stage, count, NULL);
    }
    return g_strdup(g_checksum_get_string(checksum));
}
