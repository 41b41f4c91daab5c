#include "run/checksums.h"

#include "base/monitor.h"
#include "base/shown.h"

#include <stdlib.h>
#include <string.h>

static const gsize MAX_BYTES = (gsize)1 << 29;
enum { DIGITS = AIMF_SHA256_SIZE - 1 };

gboolean aimf_checksums_leave_out(const char *path)
{
    return strcmp(path, AIMF_CHECKSUMS) == 0 || strcmp(path, AIMF_RUN_LOCK) == 0;
}

void aimf_checksums_free(AimfChecksums *sums)
{
    if (!sums)
        return;
    for (guint i = 0; i < sums->n; i++)
        g_free(sums->files[i].path);
    g_free(sums->files);
    g_free(sums);
}

/* --- Writing --- */

static const char ESCAPED[] = "\\\n\r", ESCAPES[] = "\\nr";

static void append_line(GString *line, const char *sha256, const char *path)
{
    gboolean escapes = strpbrk(path, ESCAPED) != NULL;
    g_string_append_printf(line, "%s%s  ", escapes ? "\\" : "", sha256);
    for (const char *c = path; *c; c++) {
        const char *special = strchr(ESCAPED, *c);
        if (special)
            g_string_append_c(line, '\\');
        g_string_append_c(line, special ? ESCAPES[special - ESCAPED] : *c);
    }
    g_string_append_c(line, '\n');
}

gboolean aimf_checksums_write(const char *folder, const AimfMonitor *monitor, char *sha256, GError **error)
{
    g_autoptr(AimfFolderFiles) found = aimf_folder_files(folder, monitor, error);
    if (!found)
        return FALSE;
    if (found->odd->len) {
        const AimfOddFile *odd = g_ptr_array_index(found->odd, 0);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s/%s' %s", folder, odd->path, odd->why);
        return FALSE;
    }
    AimfStage stage;
    g_autoptr(GString) text = g_string_new(NULL);
    aimf_stage_begin(&stage, monitor, "hashing the run's files", "files", found->files->len);
    for (guint i = 0; i < found->files->len; i++) {
        const char *path = g_ptr_array_index(found->files, i);
        g_autofree char *full = g_build_filename(folder, path, NULL);
        char hash[AIMF_SHA256_SIZE];
        aimf_stage_step(&stage, 1, NULL);
        if (aimf_checksums_leave_out(path))
            continue;
        if (!aimf_check_stop(monitor, "hashing files", error) || !aimf_hash_file(full, monitor, hash, NULL, error))
            return FALSE;
        append_line(text, hash, path);
    }
    g_autofree char *path = g_build_filename(folder, AIMF_CHECKSUMS, NULL);
    if (sha256) {
        g_autofree char *own = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text->str, text->len);
        g_strlcpy(sha256, own, AIMF_SHA256_SIZE);
    }
    return aimf_file_write(path, text->str, text->len, error);
}

/* --- Reading --- */

/* (owned) The path that @text (@length) writes; NULL if it is not as append_line has it. */
static char *take_path(const char *text, gsize length, gboolean escaped)
{
    g_autoptr(GString) path = g_string_sized_new(length);
    gboolean special = FALSE;
    for (const char *c = text; c < text + length; c++) {
        if (*c == 0 || *c == '\r' || (!escaped && *c == '\\'))
            return NULL;
        if (*c != '\\') {
            g_string_append_c(path, *c);
            continue;
        }
        const char *escape = c + 1 < text + length && c[1] ? strchr(ESCAPES, c[1]) : NULL;
        if (!escape)
            return NULL;
        g_string_append_c(path, ESCAPED[escape - ESCAPES]);
        special = TRUE;
        c++;
    }
    return escaped == special ? g_strdup(path->str) : NULL;
}

/* One line without its end; what is wrong with it (static), or NULL. *@sum is owned from then on. */
static const char *take_line(const char *line, gsize length, const AimfChecksum *before, AimfChecksum *sum)
{
    gboolean escaped = length && *line == '\\';
    if (escaped) {
        line++;
        length--;
    }
    if (length < DIGITS)
        return "too short for a SHA-256, two blanks and a path";
    memcpy(sum->sha256, line, DIGITS);
    sum->sha256[DIGITS] = 0;
    if (!aimf_sha256_valid(sum->sha256))
        return "it does not begin with a SHA-256, 64 digits of lower case";
    if (length < DIGITS + 3 || line[DIGITS] != ' ' || line[DIGITS + 1] != ' ')
        return "two blanks and a path must follow the SHA-256";
    g_autofree char *path = take_path(line + DIGITS + 2, length - DIGITS - 2, escaped);
    if (!path)
        return "a backslash, CR or NUL in its path is not as sha256sum writes it";
    if (!aimf_run_path_valid(path))
        return "its path is not one below the folder";
    if (aimf_checksums_leave_out(path))
        return "this file is never listed";
    int order = before ? strcmp(before->path, path) : -1;
    if (order >= 0)
        return order == 0 ? "its path is there twice" : "its path does not follow that of the line before";
    sum->path = g_steal_pointer(&path);
    return NULL;
}

static gboolean take_lines(AimfChecksums *sums, const char *text, gsize size, const char *name, GError **error)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(AimfChecksum));
    const char *wrong = NULL;
    guint64 number = 0;
    for (const char *line = text, *end = text + size; line < end && !wrong; number++) {
        AimfChecksum sum = { .path = NULL };
        const AimfChecksum *before = files->len ? &g_array_index(files, AimfChecksum, files->len - 1) : NULL;
        const char *stop = memchr(line, '\n', (gsize)(end - line));
        wrong = stop ? take_line(line, (gsize)(stop - line), before, &sum) : "the file does not end with a line break";
        if (!wrong)
            g_array_append_val(files, sum);
        line = stop ? stop + 1 : end;
    }
    sums->n = files->len;
    sums->files = (AimfChecksum *)(void *)g_array_free(g_steal_pointer(&files), FALSE);
    if (!wrong)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s', line %" G_GUINT64_FORMAT ": %s", name, number, wrong);
    return FALSE;
}

AimfChecksums *aimf_checksums_open(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_read(path, MAX_BYTES, error);
    if (!bytes)
        return NULL;
    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    g_autofree char *own = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    g_autoptr(AimfChecksums) sums = g_new0(AimfChecksums, 1);
    g_strlcpy(sums->sha256, own, sizeof sums->sha256);
    return take_lines(sums, text, size, path, error) ? g_steal_pointer(&sums) : NULL;
}

static int compare_sums(const void *key, const void *element)
{
    return strcmp(key, ((const AimfChecksum *)element)->path);
}

const char *aimf_checksums_find(const AimfChecksums *sums, const char *path)
{
    const AimfChecksum *found = sums->n ? bsearch(path, sums->files, sums->n, sizeof *found, compare_sums) : NULL;
    return found ? found->sha256 : NULL;
}
