/*
 * What a generation job has made: the lines of generation.jsonl and of the journals, and the manifest that follows
 * from them.
 */
#include "diffusion/generation_record.h"

#include "base/file.h"
#include "base/monitor.h"

#include <string.h>

enum { MAX_LINE_BYTES = 1 << 20 };
static const gsize MAX_FILE_BYTES = (gsize)4 << 30;

AimfRecord *aimf_record_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

static gpointer key_of(guint64 index)
{
    return GSIZE_TO_POINTER((gsize)index + 1);
}

const AimfMade *aimf_record_find(const AimfRecord *record, guint64 index)
{
    return g_hash_table_lookup((GHashTable *)record, key_of(index));
}

void aimf_record_set(AimfRecord *record, guint64 index, const AimfMade *made)
{
    g_hash_table_insert(record, key_of(index), g_memdup2(made, sizeof *made));
}

void aimf_record_remove(AimfRecord *record, guint64 index)
{
    g_hash_table_remove(record, key_of(index));
}

/* A killed run may have left half a line, and people edit: a line counts only if it says just what this job writes. */
static void take_line(AimfRecord *record, const AimfJob *job, const char *line, gsize length, gboolean others_only,
                      guint *n_strange)
{
    guint64 index;
    AimfMade made;
    if (!length)
        return;
    if (length > MAX_LINE_BYTES || !aimf_job_take_line(job, line, length, &index, &made))
        ++*n_strange;
    else if (!others_only || !aimf_job_is_own(job, index))
        aimf_record_set(record, index, &made);
}

gboolean aimf_record_read(AimfRecord *record, const AimfJob *job, const char *path, gboolean others_only,
                          const AimfMonitor *monitor, GError **error)
{
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    if (!there)
        return TRUE;
    g_autoptr(GBytes) bytes = aimf_file_read(path, MAX_FILE_BYTES, error);
    if (!bytes)
        return FALSE;
    gsize size;
    const char *line = g_bytes_get_data(bytes, &size), *end = line + size;
    guint n_strange = 0;
    while (line < end) {
        const char *stop = memchr(line, '\n', (gsize)(end - line));
        gboolean whole = stop != NULL;
        stop = whole ? stop : end;
        take_line(record, job, line, (gsize)(stop - line), others_only, &n_strange);
        line = stop + whole;
    }
    if (n_strange)
        aimf_message(monitor, AIMF_LOG_INFO, "'%s': %u line%s broken or none of this job's; %s", path, n_strange,
                     n_strange == 1 ? " is" : "s are", n_strange == 1 ? "it does not count" : "they do not count");
    return TRUE;
}

/* --- Saving --- */

/* (owned) the manifest's lines in order, as text; @rows (nullable) receives them one by one. */
static GString *manifest_text(const AimfRecord *record, const AimfJob *job, guint per_group, GHashTable *rows)
{
    GString *text = g_string_new(AIMF_GENERATION_HEADER);
    g_string_append_c(text, '\n');
    guint64 n = (guint64)per_group * job->prompts->n_groups;
    for (guint64 index = 0; index < n; index++) {
        const AimfMade *made = aimf_record_find(record, index);
        if (!made || !made->sha256[0])
            continue;
        char *row = aimf_job_row(job, index);
        g_string_append_printf(text, "%s\n", row);
        if (rows)
            g_hash_table_add(rows, row);
        else
            g_free(row);
    }
    return text;
}

/*
 * Whether the manifest @found is one of ours: with every row that generation.jsonl, which is written after it, stands
 * for, and none but those and the ones about to be written.
 */
static gboolean is_ours(const char *found, GHashTable *listed, GHashTable *planned)
{
    g_auto(GStrv) lines = g_strsplit(found, "\n", -1);
    guint n_listed = 0, n = g_strv_length(lines);
    if (n < 2 || *lines[n - 1] || strcmp(lines[0], AIMF_GENERATION_HEADER) != 0)
        return FALSE;
    for (guint i = 1; i < n - 1; i++) {
        gboolean is_listed = g_hash_table_contains(listed, lines[i]);
        n_listed += is_listed ? 1 : 0;
        if (!is_listed && !g_hash_table_contains(planned, lines[i]))
            return FALSE;
    }
    return n_listed == g_hash_table_size(listed);
}

/* A manifest that somebody has worked on is put aside under a name that is free. */
static gboolean keep_edited(const char *path, const char *text, gsize length, const AimfMonitor *monitor,
                            GError **error)
{
    g_autofree char *kept = g_strdup_printf("%.*s.edited.csv", (int)(strlen(path) - strlen(".csv")), path);
    gboolean taken = TRUE;
    for (guint i = 2; taken; i++) {
        if (!aimf_path_there(kept, &taken, error))
            return FALSE;
        if (!taken)
            break;
        g_free(kept);
        kept = g_strdup_printf("%.*s.edited-%u.csv", (int)(strlen(path) - strlen(".csv")), path, i);
    }
    if (!aimf_file_write(kept, text, length, error))
        return FALSE;
    aimf_message(monitor, AIMF_LOG_WARNING, "'%s' was edited; what it held is now in '%s'", path, kept);
    return TRUE;
}

static gboolean save_manifest(const AimfRecord *record, const AimfJob *job, guint per_group, const AimfMonitor *monitor,
                              GError **error)
{
    g_autofree char *path = g_build_filename(job->generation->folder, "manifest.csv", NULL);
    g_autoptr(GHashTable) planned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) listed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) text = manifest_text(record, job, per_group, planned);
    g_autoptr(GBytes) found = NULL;
    gboolean there;
    if (!aimf_path_there(path, &there, error) || (there && !(found = aimf_file_read(path, MAX_FILE_BYTES, error))))
        return FALSE;
    if (found) {
        g_autofree char *lines = g_build_filename(job->generation->folder, "generation.jsonl", NULL);
        g_autoptr(GHashTable) before = aimf_record_new();
        if (!aimf_record_read(before, job, lines, FALSE, NULL, error))
            return FALSE;
        g_string_free(manifest_text(before, job, per_group, listed), TRUE);
        gsize length;
        const char *old = g_bytes_get_data(found, &length);
        if (!is_ours(old, listed, planned) && !keep_edited(path, old, length, monitor, error))
            return FALSE;
    }
    return aimf_file_write(path, text->str, text->len, error);
}

gboolean aimf_record_save(const AimfRecord *record, const AimfJob *job, guint per_group, const AimfMonitor *monitor,
                          GError **error)
{
    if (!save_manifest(record, job, per_group, monitor, error))
        return FALSE;
    g_autofree char *path = g_build_filename(job->generation->folder, "generation.jsonl", NULL);
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    guint64 n = (guint64)per_group * job->prompts->n_groups;
    for (guint64 index = 0; index < n; index++) {
        const AimfMade *made = aimf_record_find(record, index);
        g_autofree char *line = made ? aimf_job_line(job, index, made) : NULL;
        if (line) {
            aimf_writer_write(writer, line, strlen(line));
            aimf_writer_write(writer, "\n", 1);
        }
    }
    return aimf_writer_commit(writer, error);
}
