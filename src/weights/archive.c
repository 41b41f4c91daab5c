#include "weights/archive.h"

#include "weights/foreign.h"

#include <errno.h>
#include <string.h>
#include <zip.h>

struct AimfArchive {
    GBytes *map;
    zip_t *zip;
    GMutex lock; /* a zip_t has one position and one error */
    char *folder;
};

static gboolean zip_failed(GError **error, const char *member, const char *message)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the ZIP archive is broken%s%s: %s", member ? " at " : "",
                member ? member : "", message);
    return FALSE;
}

/* The same for what libzip says. */
static void zip_complain(GError **error, const char *member, zip_error_t *cause, const char *message)
{
    if (zip_error_code_zip(cause) == ZIP_ER_MEMORY || errno == ENOMEM) /* libzip may call it something else */
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading the ZIP archive");
    else
        zip_failed(error, member, message);
}

/* The folder, with its slash, of the one member named FOLDER/@marker. */
static char *find_folder(zip_t *zip, const char *marker)
{
    g_autofree char *suffix = g_strdup_printf("/%s", marker);
    for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        const char *slash = name ? strchr(name, '/') : NULL;
        if (slash && strcmp(slash, suffix) == 0)
            return g_strndup(name, (gsize)(slash - name) + 1);
    }
    return NULL;
}

/* (static, nullable) What an archive without a marker is, by its first members' names. */
static const char *other_kind(zip_t *zip)
{
    enum { MAX_NAMES = 1000 };
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (zip_int64_t i = 0; i < MIN(zip_get_num_entries(zip, 0), MAX_NAMES); i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        if (name)
            g_ptr_array_add(names, (char *)name);
    }
    return aimf_foreign_archive((const char *const *)names->pdata, names->len);
}

#ifndef ZIP_ER_TRUNCATED_ZIP /* libzip before 1.11 calls this ZIP_ER_NOZIP, too */
#define ZIP_ER_TRUNCATED_ZIP 35
#endif

/* The directory of an archive is its end. */
static const char *why_not(zip_error_t *cause)
{
    int code = zip_error_code_zip(cause);
    return code == ZIP_ER_NOZIP || code == ZIP_ER_TRUNCATED_ZIP
               ? "its directory, which stands at the end, is missing: the file is "
                 "cut off (an incomplete download? get it again)"
               : zip_error_strerror(cause);
}

AimfArchive *aimf_archive_open(GBytes *map, const char *marker, GError **error)
{
    zip_error_t cause;
    zip_error_init(&cause);
    gsize size;
    const void *data = g_bytes_get_data(map, &size);
    errno = 0;
    zip_source_t *source = zip_source_buffer_create(data, size, 0, &cause);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &cause) : NULL;
    if (!zip) {
        zip_complain(error, NULL, &cause, why_not(&cause));
        zip_source_free(source);
        zip_error_fini(&cause);
        return NULL;
    }
    zip_error_fini(&cause);
    AimfArchive *archive = g_new0(AimfArchive, 1);
    g_mutex_init(&archive->lock);
    archive->map = g_bytes_ref(map);
    archive->zip = zip;
    archive->folder = find_folder(zip, marker);
    if (archive->folder)
        return archive;
    const char *kind = other_kind(zip);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "a ZIP archive, but not a PyTorch checkpoint: '%s' is not in a folder of it%s%s", marker,
                kind ? "; it looks like " : "", kind ? kind : "");
    aimf_archive_free(archive);
    return NULL;
}

void aimf_archive_free(AimfArchive *archive)
{
    if (!archive)
        return;
    zip_discard(archive->zip);
    g_mutex_clear(&archive->lock);
    g_bytes_unref(archive->map);
    g_free(archive->folder);
    g_free(archive);
}

gint64 aimf_archive_find(AimfArchive *archive, const char *name)
{
    g_autofree char *full = g_strconcat(archive->folder, name, NULL);
    g_mutex_lock(&archive->lock);
    gint64 member = zip_name_locate(archive->zip, full, ZIP_FL_ENC_RAW);
    g_mutex_unlock(&archive->lock);
    return member;
}

gboolean aimf_archive_size(AimfArchive *archive, guint64 member, guint64 *bytes, GError **error)
{
    zip_stat_t info;
    g_mutex_lock(&archive->lock);
    gboolean known = zip_stat_index(archive->zip, member, 0, &info) == 0 && info.valid & ZIP_STAT_SIZE;
    *bytes = known ? info.size : 0;
    g_mutex_unlock(&archive->lock);
    return known || zip_failed(error, NULL, "the size of a member is unknown");
}

/* The lock is held. */
static gboolean is_stored(AimfArchive *archive, guint64 member)
{
    zip_stat_t info;
    zip_stat_init(&info);
    zip_stat_index(archive->zip, member, 0, &info);
    return info.valid & ZIP_STAT_COMP_METHOD && info.comp_method == ZIP_CM_STORE;
}

gboolean aimf_archive_is_packed(AimfArchive *archive, guint64 member)
{
    g_mutex_lock(&archive->lock);
    gboolean stored = is_stored(archive, member);
    g_mutex_unlock(&archive->lock);
    return !stored;
}

/* Forward to @begin: at once in stored members, by unpacking in others, which a failed seek would spoil. */
static gboolean skip_to(zip_file_t *file, gboolean stored, gsize begin)
{
    if (stored || begin == 0)
        return begin == 0 || (begin <= G_MAXINT64 && zip_fseek(file, (zip_int64_t)begin, SEEK_SET) == 0);
    guint8 buffer[16384];
    while (begin > 0) {
        zip_int64_t n = zip_fread(file, buffer, MIN(begin, sizeof buffer));
        if (n <= 0)
            return FALSE;
        begin -= (gsize)n;
    }
    return TRUE;
}

static gboolean read_fully(zip_file_t *file, guint8 *to, gsize bytes)
{
    while (bytes > 0) {
        zip_int64_t n = zip_fread(file, to, bytes);
        if (n <= 0)
            return FALSE;
        to += n;
        bytes -= (gsize)n;
    }
    return TRUE;
}

gboolean aimf_archive_read(AimfArchive *archive, guint64 member, gsize begin, void *to, gsize bytes, GError **error)
{
    g_mutex_lock(&archive->lock);
    const char *name = zip_get_name(archive->zip, member, ZIP_FL_ENC_RAW);
    zip_stat_t info;
    errno = 0;
    zip_stat_init(&info);
    zip_stat_index(archive->zip, member, 0, &info);
    gboolean stored = is_stored(archive, member);
    gboolean whole = begin == 0 && info.valid & ZIP_STAT_SIZE && info.size == bytes;
    zip_file_t *file = zip_fopen_index(archive->zip, member, 0);
    gboolean done = FALSE;
    if (!file) {
        zip_complain(error, name, zip_get_error(archive->zip), zip_strerror(archive->zip));
    } else {
        guint8 end;
        done = skip_to(file, stored, begin) && read_fully(file, to, bytes);
        /* The checksum is compared where the member ends, so the end has to be met. */
        if (done && whole)
            done = zip_fread(file, &end, 1) == 0;
        if (!done) {
            zip_error_t *cause = zip_file_get_error(file);
            gboolean failed = zip_error_code_zip(cause) != ZIP_ER_OK;
            zip_complain(error, name, cause, failed ? zip_file_strerror(file) : "it has another size than it claims");
        }
        zip_fclose(file);
    }
    g_mutex_unlock(&archive->lock);
    return done;
}

GBytes *aimf_archive_member(AimfArchive *archive, guint64 member, gsize limit, GError **error)
{
    guint64 bytes;
    if (!aimf_archive_size(archive, member, &bytes, error))
        return NULL;
    if (bytes > limit) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "a member of the archive claims %" G_GUINT64_FORMAT " bytes; at most %" G_GSIZE_FORMAT
                    " are accepted there",
                    bytes, limit);
        return NULL;
    }
    g_autofree guint8 *data = g_try_malloc(MAX((gsize)bytes, 1));
    if (!data) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %" G_GUINT64_FORMAT " bytes", bytes);
        return NULL;
    }
    if (!aimf_archive_read(archive, member, 0, data, (gsize)bytes, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&data), (gsize)bytes);
}
