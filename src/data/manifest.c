#include <aimfair/data.h>

#include "base/file.h"
#include "data/csv.h"
#include <string.h>

typedef struct {
    const char *written;  /* the path as the file has it */
    const char *path;     /* as it can be opened from here; the same pointer where the two agree */
    const char **columns; /* (manifest->columns) or NULL: all empty */
    int target;
    guint label; /* index in order of appearance */
} Row;

struct AimfManifest {
    char *path;
    GStringChunk *text;
    GArray *rows;         /* of Row */
    GPtrArray *columns;   /* of char *, NULL-terminated: the names beyond path and target */
    GPtrArray *labels;    /* of const char *, sorted */
    GHashTable *label_id; /* label → index in order of appearance + 1 */
    GArray *rank;         /* of guint: index in order of appearance → index in labels */
    int max_target;
};

/* protected, protected2, …; not protected_by or protected-attribute, which are columns like any other. */
static gboolean is_protected(const char *column)
{
    gsize n = strlen("protected");
    return strncmp(column, "protected", n) == 0 && strspn(column + n, "0123456789") == strlen(column + n);
}

AimfManifest *aimf_manifest_new(void)
{
    AimfManifest *manifest = g_new0(AimfManifest, 1);
    manifest->text = g_string_chunk_new(4096);
    manifest->rows = g_array_new(FALSE, TRUE, sizeof(Row));
    manifest->columns = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(manifest->columns, g_strdup("protected"));
    g_ptr_array_add(manifest->columns, NULL);
    manifest->labels = g_ptr_array_new();
    manifest->label_id = g_hash_table_new(g_str_hash, g_str_equal);
    manifest->rank = g_array_new(FALSE, FALSE, sizeof(guint));
    manifest->max_target = -1;
    return manifest;
}

void aimf_manifest_free(AimfManifest *manifest)
{
    if (!manifest)
        return;
    for (guint i = 0; i < manifest->rows->len; i++)
        g_free(g_array_index(manifest->rows, Row, i).columns);
    g_free(manifest->path);
    g_string_chunk_free(manifest->text);
    g_array_unref(manifest->rows);
    g_ptr_array_unref(manifest->columns);
    g_ptr_array_unref(manifest->labels);
    g_hash_table_unref(manifest->label_id);
    g_array_unref(manifest->rank);
    g_free(manifest);
}

/* Labels are few and rows many, so a new label may renumber the sorted ones; rows keep the order of appearance. */
static guint intern_label(AimfManifest *manifest, const char *label)
{
    guint id = GPOINTER_TO_UINT(g_hash_table_lookup(manifest->label_id, label));
    if (id)
        return id - 1;
    const char *kept = g_string_chunk_insert_const(manifest->text, label);
    id = manifest->rank->len;
    guint position = 0;
    while (position < manifest->labels->len && strcmp(g_ptr_array_index(manifest->labels, position), kept) < 0)
        position++;
    g_ptr_array_insert(manifest->labels, (gint)position, (gpointer)kept);
    for (guint i = 0; i < id; i++)
        g_array_index(manifest->rank, guint, i) += g_array_index(manifest->rank, guint, i) >= position;
    g_array_append_val(manifest->rank, position);
    g_hash_table_insert(manifest->label_id, (gpointer)kept, GUINT_TO_POINTER(id + 1));
    return id;
}

static guint n_columns(const AimfManifest *manifest)
{
    return manifest->columns->len - 1;
}

static int find_column(const AimfManifest *manifest, const char *name)
{
    for (guint i = 0; i < n_columns(manifest); i++)
        if (strcmp(g_ptr_array_index(manifest->columns, i), name) == 0)
            return (int)i;
    return -1;
}

/* Appends a row whose columns (n_columns, taken) may be NULL. */
static void append_row(AimfManifest *manifest, const char *folder, const char *written, int target, const char *label,
                       const char **columns)
{
    Row row = { .target = target, .label = intern_label(manifest, label), .columns = columns };
    row.path = row.written = g_string_chunk_insert(manifest->text, written);
    if (folder && strcmp(folder, ".") != 0 && !g_path_is_absolute(written)) {
        g_autofree char *path = g_build_filename(folder, written, NULL);
        row.path = g_string_chunk_insert(manifest->text, path);
    }
    manifest->max_target = MAX(manifest->max_target, target);
    g_array_append_val(manifest->rows, row);
}

void aimf_manifest_add(AimfManifest *manifest, const char *path, int target, const char *protected_label)
{
    g_assert(target >= 0 && *path);
    append_row(manifest, NULL, path, target, protected_label, NULL);
}

guint aimf_manifest_count(const AimfManifest *manifest)
{
    return manifest->rows->len;
}

AimfSample aimf_manifest_at(const AimfManifest *manifest, guint index)
{
    g_assert(index < manifest->rows->len);
    const Row *row = &g_array_index(manifest->rows, Row, index);
    guint group = g_array_index(manifest->rank, guint, row->label);
    return (AimfSample){
        .path = row->path,
        .target = row->target,
        .group = (int)group,
        .protected_label = g_ptr_array_index(manifest->labels, group),
    };
}

const char *const *aimf_manifest_groups(const AimfManifest *manifest, guint *n)
{
    *n = manifest->labels->len;
    return (const char *const *)manifest->labels->pdata;
}

int aimf_manifest_classes(const AimfManifest *manifest)
{
    return manifest->rows->len == 0 ? 0 : MAX(manifest->max_target + 1, 2);
}

guint *aimf_manifest_counts(const AimfManifest *manifest)
{
    guint n_labels = manifest->labels->len;
    guint *counts = g_new0(guint, (gsize)aimf_manifest_classes(manifest) * n_labels + 1);
    for (guint i = 0; i < manifest->rows->len; i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        counts[(guint)sample.target * n_labels + (guint)sample.group]++;
    }
    return counts;
}

const char *aimf_manifest_path(const AimfManifest *manifest)
{
    return manifest->path;
}

char *aimf_manifest_hash(const AimfManifest *manifest)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < manifest->rows->len; i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        const char *written = g_array_index(manifest->rows, Row, i).written;
        g_autofree char *target = g_strdup_printf("%d", sample.target);
        /* With their closing 0, so that no two different rows give the same bytes. */
        g_checksum_update(checksum, (const guchar *)written, (gssize)strlen(written) + 1);
        g_checksum_update(checksum, (const guchar *)target, (gssize)strlen(target) + 1);
        g_checksum_update(checksum, (const guchar *)sample.protected_label, (gssize)strlen(sample.protected_label) + 1);
    }
    char *hash = g_strdup(g_checksum_get_string(checksum));
    g_checksum_free(checksum);
    return hash;
}

static const char *column_text(const AimfManifest *manifest, guint index, guint column)
{
    const Row *row = &g_array_index(manifest->rows, Row, index);
    if (row->columns)
        return row->columns[column];
    gboolean label = strcmp(g_ptr_array_index(manifest->columns, column), "protected") == 0;
    return label ? aimf_manifest_at(manifest, index).protected_label : "";
}

const char *aimf_manifest_get(const AimfManifest *manifest, guint index, const char *name)
{
    g_assert(index < manifest->rows->len);
    int column = find_column(manifest, name);
    return column < 0 ? NULL : column_text(manifest, index, (guint)column);
}

static void add_column(AimfManifest *manifest, const char *name)
{
    guint n = n_columns(manifest);
    g_ptr_array_insert(manifest->columns, (gint)n, g_strdup(name));
    for (guint i = 0; i < manifest->rows->len; i++) {
        Row *row = &g_array_index(manifest->rows, Row, i);
        if (row->columns) {
            row->columns = g_renew(const char *, row->columns, n + 1);
            row->columns[n] = "";
        }
    }
}

void aimf_manifest_set(AimfManifest *manifest, guint index, const char *name, const char *value)
{
    g_assert(index < manifest->rows->len && !is_protected(name));
    g_assert(strcmp(name, "path") != 0 && strcmp(name, "target") != 0);
    int column = find_column(manifest, name);
    if (column < 0) {
        add_column(manifest, name);
        column = (int)n_columns(manifest) - 1;
    }
    Row *row = &g_array_index(manifest->rows, Row, index);
    if (!row->columns) {
        const char **columns = g_new(const char *, n_columns(manifest));
        for (guint i = 0; i < n_columns(manifest); i++)
            columns[i] = column_text(manifest, index, i);
        row->columns = columns;
    }
    row->columns[column] = g_string_chunk_insert_const(manifest->text, value);
}

AimfManifest *aimf_manifest_subset(const AimfManifest *manifest, const guint32 *rows, guint n)
{
    AimfManifest *subset = aimf_manifest_new();
    g_ptr_array_set_size(subset->columns, 0);
    for (guint i = 0; i < n_columns(manifest); i++)
        g_ptr_array_add(subset->columns, g_strdup(g_ptr_array_index(manifest->columns, i)));
    g_ptr_array_add(subset->columns, NULL);
    for (guint i = 0; i < n; i++) {
        AimfSample sample = aimf_manifest_at(manifest, rows[i]);
        const Row *row = &g_array_index(manifest->rows, Row, rows[i]);
        const char **columns = row->columns ? g_new(const char *, n_columns(manifest)) : NULL;
        for (guint c = 0; columns && c < n_columns(manifest); c++)
            columns[c] = g_string_chunk_insert_const(subset->text, row->columns[c]);
        append_row(subset, NULL, sample.path, sample.target, sample.protected_label, columns);
    }
    return subset;
}

/* --- Reading --- */

/* Where the columns of a file go. */
typedef struct {
    int path;
    int target;
    GArray *label;   /* of int: the protected columns, in the order in which they are joined */
    GArray *columns; /* of int: the columns of the manifest, in the order of the file */
} Layout;

static void layout_clear(Layout *layout)
{
    g_clear_pointer(&layout->label, g_array_unref);
    g_clear_pointer(&layout->columns, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Layout, layout_clear)

/* protected, protected2, …, protected10: the group must not depend on the order of the columns. */
static gint compare_protected(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const AimfCsv *csv = user_data;
    const char *x = g_ptr_array_index(csv->columns, *(const guint *)a);
    const char *y = g_ptr_array_index(csv->columns, *(const guint *)b);
    gsize nx = strlen(x), ny = strlen(y);
    return nx != ny ? (nx < ny ? -1 : 1) : strcmp(x, y);
}

static gboolean layout_read(Layout *layout, AimfCsv *csv, AimfManifest *manifest, GError **error)
{
    layout->path = aimf_csv_require(csv, "path", error);
    if (layout->path < 0 || (layout->target = aimf_csv_require(csv, "target", error)) < 0 ||
        aimf_csv_require(csv, "protected", error) < 0)
        return FALSE;
    layout->label = g_array_new(FALSE, FALSE, sizeof(int));
    layout->columns = g_array_new(FALSE, FALSE, sizeof(int));
    g_ptr_array_set_size(manifest->columns, 0);
    for (int i = 0; i < (int)csv->columns->len; i++) {
        const char *name = g_ptr_array_index(csv->columns, (guint)i);
        if (i == layout->path || i == layout->target)
            continue;
        if (is_protected(name))
            g_array_append_val(layout->label, i);
        g_array_append_val(layout->columns, i);
        g_ptr_array_add(manifest->columns, g_strdup(name));
    }
    g_ptr_array_add(manifest->columns, NULL);
    g_array_sort_with_data(layout->label, compare_protected, csv);
    return TRUE;
}

static gboolean read_label(const AimfCsv *csv, const Layout *layout, GString *label, GError **error)
{
    g_string_truncate(label, 0);
    for (guint i = 0; i < layout->label->len; i++) {
        int column = g_array_index(layout->label, int, i);
        const char *text = aimf_csv_field(csv, column);
        if (!*text)
            return aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "no protected label");
        if (!g_utf8_validate(text, -1, NULL))
            return aimf_csv_fail(csv, column, AIMF_ERROR_FORMAT, error, "'%s' is not UTF-8", text);
        if (i)
            g_string_append_c(label, '_');
        g_string_append(label, text);
    }
    return TRUE;
}

static gboolean read_sample(AimfManifest *manifest, const AimfCsv *csv, const Layout *layout, const char *folder,
                            GString *label, GError **error)
{
    const char *path = aimf_csv_field(csv, layout->path);
    if (!*path)
        return aimf_csv_fail(csv, layout->path, AIMF_ERROR_INVALID, error, "no path");
    const char *text = aimf_csv_field(csv, layout->target);
    guint64 target;
    if (!g_ascii_string_to_unsigned(text, 10, 0, AIMF_MAX_CLASSES - 1, &target, NULL))
        return aimf_csv_fail(csv, layout->target, AIMF_ERROR_INVALID, error, "'%s' is not a class number from 0 to %d",
                             text, AIMF_MAX_CLASSES - 1);
    if (!read_label(csv, layout, label, error))
        return FALSE;
    const char **columns = NULL;
    if (layout->columns->len > 1) { /* protected alone is told by the label */
        columns = g_new(const char *, layout->columns->len);
        for (guint i = 0; i < layout->columns->len; i++)
            columns[i] = g_string_chunk_insert_const(manifest->text,
                                                     aimf_csv_field(csv, g_array_index(layout->columns, int, i)));
    }
    append_row(manifest, folder, path, (int)target, label->str, columns);
    if (manifest->labels->len <= AIMF_MAX_LABELS)
        return TRUE;
    return aimf_csv_fail(csv, g_array_index(layout->label, int, 0), AIMF_ERROR_INVALID, error,
                         "more than %d different labels; a protected column holds a few groups, not numbers",
                         AIMF_MAX_LABELS);
}

AimfManifest *aimf_manifest_open(const char *path, GError **error)
{
    g_autoptr(AimfCsv) csv = aimf_csv_open(path, error);
    if (!csv)
        return NULL;
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    g_auto(Layout) layout = { 0 };
    if (!layout_read(&layout, csv, manifest, error))
        return NULL;
    manifest->path = g_strdup(path);
    g_autofree char *folder = g_path_get_dirname(path);
    GString *label = g_string_new(NULL);
    GError *failure = NULL;
    while (!failure && aimf_csv_next(csv, &failure))
        read_sample(manifest, csv, &layout, folder, label, &failure);
    g_string_free(label, TRUE);
    if (failure) {
        g_propagate_error(error, failure);
        return NULL;
    }
    return g_steal_pointer(&manifest);
}

/* --- Writing --- */

static char *path_seen_from(const char *folder, const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    gsize n = strlen(folder);
    gboolean root = n == 1;
    if (g_str_has_prefix(absolute, folder) && absolute[n] == '/' && !root)
        return g_strdup(absolute + n + 1);
    return g_steal_pointer(&absolute);
}

gboolean aimf_manifest_save(const AimfManifest *manifest, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *folder = g_canonicalize_filename(directory, NULL);
    GString *line = g_string_new("path,target");
    for (guint c = 0; c < n_columns(manifest); c++) {
        g_string_append_c(line, ',');
        aimf_csv_append(line, g_ptr_array_index(manifest->columns, c));
    }
    for (guint i = 0; i < manifest->rows->len; i++) {
        g_string_append_c(line, '\n');
        aimf_writer_write(writer, line->str, line->len);
        g_string_truncate(line, 0);
        AimfSample sample = aimf_manifest_at(manifest, i);
        g_autofree char *shown = path_seen_from(folder, sample.path);
        aimf_csv_append(line, shown);
        g_string_append_printf(line, ",%d", sample.target);
        for (guint c = 0; c < n_columns(manifest); c++) {
            g_string_append_c(line, ',');
            aimf_csv_append(line, column_text(manifest, i, c));
        }
    }
    g_string_append_c(line, '\n');
    aimf_writer_write(writer, line->str, line->len);
    g_string_free(line, TRUE);
    return aimf_writer_commit(writer, error);
}
