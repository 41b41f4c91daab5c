#include "data/overlap.h"

#include "base/monitor.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * @CHUNK: files between two looks at whether to stop; @SHOWN: fewer files take no time that anybody would want to
 * see
 */
enum { DIGEST_BYTES = 32, CHUNK = 64, BUFFER_BYTES = 1 << 16, SHOWN = 5000 };

/* What is known of one file. Files in the hash table are found by device and inode. */
typedef struct {
    dev_t device;
    ino_t inode;
    goffset size;     /* negative: cannot be looked at, or no regular file */
    const char *path; /* borrowed from the first manifest that has it */
    guint set;        /* the first manifest that has it */
    gboolean shared;  /* another one has it, too */
    gboolean hashed;
    guint8 digest[DIGEST_BYTES];
    guint number;
} File;

static guint file_hash(gconstpointer key)
{
    const File *file = key;
    guint64 inode = (guint64)file->inode, device = (guint64)file->device;
    return (guint)(inode ^ inode >> 32 ^ device * 2654435761u);
}

static gboolean file_equal(gconstpointer a, gconstpointer b)
{
    const File *x = a, *y = b;
    return x->device == y->device && x->inode == y->inode;
}

/* --- Which file --- */

typedef struct {
    GPtrArray *files;    /* of File, owned; the index is the file's number */
    GHashTable *by_node; /* File → itself */
    GHashTable *by_name; /* owned canonical path → File: what cannot be looked at */
} Files;

static void files_clear(Files *files)
{
    g_clear_pointer(&files->by_node, g_hash_table_unref);
    g_clear_pointer(&files->by_name, g_hash_table_unref);
    g_clear_pointer(&files->files, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

static File *find_file(Files *files, const char *path, guint set)
{
    struct stat status;
    gboolean there = stat(path, &status) == 0;
    File key = { .path = path, .set = set, .size = -1 };
    g_autofree char *name = there ? NULL : g_canonicalize_filename(path, NULL);
    if (there) {
        key.device = status.st_dev;
        key.inode = status.st_ino;
        key.size = S_ISREG(status.st_mode) ? status.st_size : -1;
    }
    File *file = there ? g_hash_table_lookup(files->by_node, &key) : g_hash_table_lookup(files->by_name, name);
    if (file) {
        file->shared = file->shared || file->set != set;
        return file;
    }
    file = g_memdup2(&key, sizeof key);
    file->number = files->files->len;
    g_ptr_array_add(files->files, file);
    if (there)
        g_hash_table_add(files->by_node, file);
    else
        g_hash_table_insert(files->by_name, g_steal_pointer(&name), file);
    return file;
}

static gboolean find_files(Files *files, const AimfManifest *const *manifests, AimfPictures *pictures,
                           const AimfMonitor *monitor, GError **error)
{
    AimfStage stage;
    guint64 total = 0;
    for (guint m = 0; m < pictures->n; m++)
        total += pictures->n_rows[m];
    aimf_stage_begin(&stage, total < SHOWN ? NULL : monitor, "looking for common pictures", "images", total);
    for (guint m = 0; m < pictures->n; m++) {
        for (guint i = 0; i < pictures->n_rows[m]; i++) {
            if (i % 1024 == 0 && !aimf_check_stop(monitor, "looking for common pictures", error))
                return FALSE;
            pictures->file[m][i] = find_file(files, aimf_manifest_at(manifests[m], i).path, m)->number;
            aimf_stage_step(&stage, 1, NULL);
        }
    }
    return TRUE;
}

/* --- The same content --- */

static gint by_size(gconstpointer a, gconstpointer b)
{
    const File *x = *(File *const *)a, *y = *(File *const *)b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Whether the files [first, end) of one size may have a copy among them that is looked for. */
static gboolean worth_hashing(File *const *files, guint first, guint end, AimfCompareFiles comparison)
{
    gboolean across = FALSE;
    for (guint i = first; i < end; i++)
        across = across || files[i]->shared || files[i]->set != files[first]->set;
    return end - first > 1 && (comparison == AIMF_COMPARE_ALL || (comparison == AIMF_COMPARE_ACROSS && across));
}

/* (owned) the files that must be read: their size coincides with another's. */
static GPtrArray *candidates(const Files *files, AimfCompareFiles comparison)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    for (guint i = 0; i < files->files->len; i++) {
        File *file = g_ptr_array_index(files->files, i);
        if (file->size > 0) /* empty ones are no pictures */
            g_ptr_array_add(sorted, file);
    }
    g_ptr_array_sort(sorted, by_size);
    File *const *all = (File *const *)sorted->pdata;
    GPtrArray *found = g_ptr_array_new();
    for (guint first = 0, end; first < sorted->len; first = end) {
        for (end = first + 1; end < sorted->len && all[end]->size == all[first]->size;)
            end++;
        gboolean worth = worth_hashing(all, first, end, comparison);
        for (guint i = first; worth && i < end; i++)
            g_ptr_array_add(found, all[i]);
    }
    return found;
}

/*
 * A file that cannot be read, or changes its size meanwhile, is like no other; reading it as a picture will say
 * what is wrong.
 */
static void hash_file(File *file)
{
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return;
    g_autofree guint8 *buffer = g_malloc(BUFFER_BYTES);
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    goffset left = file->size;
    while (left > 0) {
        gssize n = read(descriptor, buffer, (gsize)MIN(left, (goffset)BUFFER_BYTES));
        if (n <= 0)
            break;
        g_checksum_update(checksum, buffer, n);
        left -= n;
    }
    gsize length = DIGEST_BYTES;
    if (left == 0)
        g_checksum_get_digest(checksum, file->digest, &length);
    file->hashed = left == 0;
    g_checksum_free(checksum);
    close(descriptor);
}

static gboolean hash_files(GPtrArray *files, const AimfMonitor *monitor, GError **error)
{
    AimfStage stage;
    aimf_stage_begin(&stage, files->len < SHOWN ? NULL : monitor, "comparing pictures of equal size", "images",
                     files->len);
    for (guint first = 0; first < files->len; first += CHUNK) {
        guint end = MIN(first + CHUNK, files->len);
        if (!aimf_check_stop(monitor, "comparing pictures", error))
            return FALSE;
#pragma omp parallel for schedule(dynamic)
        for (guint i = first; i < end; i++)
            hash_file(g_ptr_array_index(files, i));
        aimf_stage_step(&stage, end - first, NULL);
    }
    return TRUE;
}

static guint digest_hash(gconstpointer key)
{
    guint hash;
    memcpy(&hash, ((const File *)key)->digest, sizeof hash);
    return hash;
}

static gboolean digest_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(((const File *)a)->digest, ((const File *)b)->digest, DIGEST_BYTES) == 0;
}

/* (owned) for each file the number of the first one with its bytes. */
static guint *number_contents(const Files *files)
{
    guint *numbers = g_new(guint, (gsize)files->files->len + 1);
    g_autoptr(GHashTable) first = g_hash_table_new(digest_hash, digest_equal);
    for (guint i = 0; i < files->files->len; i++) {
        File *file = g_ptr_array_index(files->files, i);
        const File *same = file->hashed ? g_hash_table_lookup(first, file) : NULL;
        numbers[i] = same ? same->number : i;
        if (file->hashed && !same)
            g_hash_table_add(first, file);
    }
    return numbers;
}

/* --- The whole --- */

void aimf_pictures_free(AimfPictures *pictures)
{
    if (!pictures)
        return;
    for (guint m = 0; m < pictures->n; m++) {
        g_free(pictures->file[m]);
        g_free(pictures->content[m]);
    }
    g_free(pictures->n_rows);
    g_free(pictures->file);
    g_free(pictures->content);
    g_free(pictures);
}

AimfPictures *aimf_pictures_compare(const AimfManifest *const *manifests, guint n, AimfCompareFiles comparison,
                                    const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfPictures) pictures = g_new0(AimfPictures, 1);
    pictures->n = n;
    pictures->n_rows = g_new0(guint, n);
    pictures->file = g_new0(guint *, n);
    pictures->content = g_new0(guint *, n);
    for (guint m = 0; m < n; m++) {
        pictures->n_rows[m] = aimf_manifest_count(manifests[m]);
        pictures->file[m] = g_new0(guint, (gsize)pictures->n_rows[m] + 1);
        pictures->content[m] = g_new0(guint, (gsize)pictures->n_rows[m] + 1);
    }
    g_auto(Files) files = { .files = g_ptr_array_new_with_free_func(g_free) };
    files.by_node = g_hash_table_new(file_hash, file_equal);
    files.by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!find_files(&files, manifests, pictures, monitor, error))
        return NULL;
    g_autoptr(GPtrArray) alike = candidates(&files, comparison);
    if (alike->len && !hash_files(alike, monitor, error))
        return NULL;
    g_autofree guint *contents = number_contents(&files);
    for (guint m = 0; m < n; m++)
        for (guint i = 0; i < pictures->n_rows[m]; i++)
            pictures->content[m][i] = contents[pictures->file[m][i]];
    pictures->n_files = files.files->len;
    return g_steal_pointer(&pictures);
}

AimfOverlap aimf_pictures_overlap(const AimfPictures *pictures, guint a, guint b)
{
    AimfOverlap overlap = { .whole = pictures->n_rows[a] > 0 && pictures->n_rows[b] > 0 };
    /* Row + 1 in a of each file and content. */
    g_autofree guint *file_in_a = g_new0(guint, (gsize)pictures->n_files + 1);
    g_autofree guint *content_in_a = g_new0(guint, (gsize)pictures->n_files + 1);
    g_autofree guint8 *content_in_b = g_new0(guint8, (gsize)pictures->n_files + 1);
    for (guint i = pictures->n_rows[a]; i-- > 0;) {
        file_in_a[pictures->file[a][i]] = i + 1;
        content_in_a[pictures->content[a][i]] = i + 1;
    }
    for (guint i = 0; i < pictures->n_rows[b]; i++) {
        guint content = pictures->content[b][i], row = file_in_a[pictures->file[b][i]];
        content_in_b[content] = 1;
        if (row)
            overlap.n_files++;
        else if ((row = content_in_a[content]))
            overlap.n_copies++;
        else
            overlap.whole = FALSE;
        if (row && overlap.n_files + overlap.n_copies == 1) {
            overlap.row_a = row - 1;
            overlap.row_b = i;
        }
    }
    for (guint i = 0; i < pictures->n_rows[a]; i++)
        overlap.whole = overlap.whole && content_in_b[pictures->content[a][i]];
    return overlap;
}

gboolean aimf_check_parts(const AimfManifest *const *parts, const char *const *names, guint n,
                          const AimfMonitor *monitor, AimfFindings *findings, GError **error)
{
    g_autoptr(AimfPictures) pictures = aimf_pictures_compare(parts, n, AIMF_COMPARE_FILES, monitor, error);
    if (!pictures)
        return FALSE;
    for (guint a = 0; a < n; a++) {
        for (guint b = a + 1; b < n; b++) {
            AimfOverlap overlap = aimf_pictures_overlap(pictures, a, b);
            if (overlap.n_files)
                aimf_findings_add(findings, "overlap", TRUE,
                                  "%u picture%s of the %s %s also in the %s; the first is '%s'", overlap.n_files,
                                  AIMF_PLURAL(overlap.n_files), names[b], overlap.n_files == 1 ? "is" : "are", names[a],
                                  aimf_manifest_at(parts[b], overlap.row_b).path);
        }
    }
    return TRUE;
}
