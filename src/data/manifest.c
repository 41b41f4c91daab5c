#include <aimfair/data.h>

#include "base/file.h"
#include "data/labels.h"
#include "data/manifest.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    const char *written;  /* the path as the file has it */
    const char *path;     /* as it can be opened from here; the same pointer where the two agree */
    const char **columns; /* (manifest->columns) or NULL: all empty */
    int target;
    guint label;  /* index in order of appearance */
    guint64 line; /* of the file, 0 without one */
} Row;

struct AimfManifest {
    AimfStamp stamp; /* of its file, with @path */
    char *path;
    GStringChunk *text;
    GArray *rows;         /* of Row */
    GPtrArray *columns;   /* of char *, NULL-terminated: the names beyond path and target */
    GPtrArray *labels;    /* of const char *, sorted */
    GHashTable *label_id; /* label → index in order of appearance + 1 */
    GArray *rank;         /* of guint: index in order of appearance → index in labels */
    int max_target;
    gboolean has_targets;
    gboolean has_labels;
    guint n_dropped;
};

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
    manifest->has_targets = manifest->has_labels = TRUE;
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

void aimf_manifest_relabel(AimfManifest *manifest, const char *const *labels)
{
    guint n = manifest->rank->len;
    g_autofree const char **renamed = g_new(const char *, (gsize)n + 1); /* by appearance */
    for (guint id = 0; id < n; id++)
        renamed[id] = labels[g_array_index(manifest->rank, guint, id)];
    g_ptr_array_set_size(manifest->labels, 0);
    g_hash_table_remove_all(manifest->label_id);
    g_array_set_size(manifest->rank, 0);
    g_autofree guint *number = g_new(guint, (gsize)n + 1);
    for (guint id = 0; id < n; id++)
        number[id] = intern_label(manifest, renamed[id]);
    for (guint i = 0; i < manifest->rows->len; i++) {
        Row *row = &g_array_index(manifest->rows, Row, i);
        row->label = number[row->label];
    }
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
static void append_row(AimfManifest *manifest, const char *folder, const char *written, int target, guint label,
                       const char **columns)
{
    Row row = { .target = target, .label = label, .columns = columns };
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
    g_assert(target >= -1 && *path);
    manifest->has_targets = target >= 0 && (manifest->rows->len == 0 || manifest->has_targets);
    if (!protected_label && manifest->has_labels) {
        manifest->has_labels = FALSE;
        g_ptr_array_remove_index(manifest->columns, 0); /* protected, which a new manifest has */
    }
    append_row(manifest, NULL, path, target, intern_label(manifest, protected_label ? protected_label : ""), NULL);
}

gboolean aimf_manifest_has_targets(const AimfManifest *manifest)
{
    return manifest->has_targets;
}

gboolean aimf_manifest_has_labels(const AimfManifest *manifest)
{
    return manifest->has_labels;
}

guint aimf_manifest_n_dropped(const AimfManifest *manifest)
{
    return manifest->n_dropped;
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
    return manifest->max_target < 0 ? 0 : MAX(manifest->max_target + 1, 2);
}

guint *aimf_manifest_counts(const AimfManifest *manifest)
{
    guint n_labels = manifest->labels->len;
    guint *counts = g_new0(guint, (gsize)aimf_manifest_classes(manifest) * n_labels + 1);
    for (guint i = 0; manifest->has_targets && i < manifest->rows->len; i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        counts[(guint)sample.target * n_labels + (guint)sample.group]++;
    }
    return counts;
}

const char *aimf_manifest_path(const AimfManifest *manifest)
{
    return manifest->path;
}

guint64 aimf_manifest_line(const AimfManifest *manifest, guint index)
{
    g_assert(index < manifest->rows->len);
    return g_array_index(manifest->rows, Row, index).line;
}

char *aimf_manifest_place(const AimfManifest *manifest, guint index)
{
    guint64 line = aimf_manifest_line(manifest, index);
    return line ? g_strdup_printf("line %" G_GUINT64_FORMAT, line) : g_strdup_printf("row %u", index + 1);
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

const char *const *aimf_manifest_columns(const AimfManifest *manifest)
{
    return (const char *const *)manifest->columns->pdata;
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
    g_assert(index < manifest->rows->len && !aimf_is_protected_column(name));
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
    subset->has_targets = manifest->has_targets;
    subset->has_labels = manifest->has_labels;
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
        append_row(subset, NULL, sample.path, sample.target, intern_label(subset, sample.protected_label), columns);
    }
    return subset;
}

/* --- Reading --- */

/* Where the columns of a file go. */
typedef struct {
    AimfManifest *manifest;
    AimfCsv *csv;
    const AimfManifestOptions *options;
    int path;
    int target; /* or -1 */
    AimfLabels *labels;
    GArray *columns;          /* of int: the columns of the manifest, in the order of the file */
    GArray *label_part;       /* of int: for each of them which part of the label it is, or -1 */
    guint n_unlabelled;       /* rows whose label is missing although nothing asks for it */
    guint64 first_unlabelled; /* its line */
} Reading;

static void reading_clear(Reading *r)
{
    aimf_csv_free(r->csv);
    aimf_labels_free(r->labels);
    g_clear_pointer(&r->columns, g_array_unref);
    g_clear_pointer(&r->label_part, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* The column @name if it is to be read, else -1; FALSE with an error when it must be there and is not. */
static gboolean find_used(const AimfCsv *csv, const char *name, AimfColumnUse use, int *column, GError **error)
{
    *column = use == AIMF_COLUMN_UNUSED ? -1 : aimf_csv_column(csv, name);
    return *column >= 0 || use != AIMF_COLUMN_REQUIRED || aimf_csv_require(csv, name, error) >= 0;
}

static gboolean read_header(Reading *r, GError **error)
{
    int protected;
    r->path = aimf_csv_require(r->csv, "path", error);
    if (r->path < 0 || !find_used(r->csv, "target", r->options->target, &r->target, error) ||
        !find_used(r->csv, "protected", r->options->protected_labels, &protected, error))
        return FALSE;
    r->labels = aimf_labels_new(r->csv, &r->options->labels);
    r->columns = g_array_new(FALSE, FALSE, sizeof(int));
    r->label_part = g_array_new(FALSE, FALSE, sizeof(int));
    r->manifest->has_targets = r->target >= 0;
    r->manifest->has_labels = protected >= 0;
    if (protected >= 0)
        aimf_labels_add_protected(r->labels);
    if (r->options->protected_labels == AIMF_COLUMN_OPTIONAL)
        aimf_labels_let_lack(r->labels);
    g_ptr_array_set_size(r->manifest->columns, 0);
    for (int i = 0; i < (int)r->csv->columns->len; i++) {
        if (i == r->path || i == r->target)
            continue;
        int part = aimf_labels_part_of(r->labels, i);
        g_array_append_val(r->columns, i);
        g_array_append_val(r->label_part, part);
        g_ptr_array_add(r->manifest->columns, g_strdup(g_ptr_array_index(r->csv->columns, (guint)i)));
    }
    g_ptr_array_add(r->manifest->columns, NULL);
    return TRUE;
}

/* A label that nobody asked for may be missing unless its row is then to be left out. */
static AimfCellState read_label(Reading *r, guint *label, GError **error)
{
    AimfCellState state = aimf_labels_read(r->labels, label, error);
    if (state != AIMF_CELL_MISSING || r->options->labels.missing == AIMF_MISSING_DROP)
        return state;
    r->first_unlabelled = r->n_unlabelled++ ? r->first_unlabelled : r->csv->line;
    *label = 0;
    return AIMF_CELL_READ;
}

/* The texts of the row's columns; those of labels may change once all of the file is known. */
static const char **read_columns(const Reading *r)
{
    gboolean told_by_label = r->manifest->has_labels && r->options->protected_labels == AIMF_COLUMN_REQUIRED;
    if (r->columns->len <= (told_by_label ? 1 : 0))
        return NULL;
    const char **columns = g_new(const char *, r->columns->len);
    for (guint i = 0; i < r->columns->len; i++) {
        const char *text = aimf_csv_field(r->csv, g_array_index(r->columns, int, i));
        columns[i] = g_string_chunk_insert_const(r->manifest->text, text); /* most texts are in many rows */
    }
    return columns;
}

static gboolean read_sample(Reading *r, const char *folder, GError **error)
{
    const char *path = aimf_csv_field(r->csv, r->path);
    if (!*path)
        return aimf_csv_fail(r->csv, r->path, AIMF_ERROR_INVALID, error, "no path");
    int target = -1;
    guint label;
    AimfCellState state = AIMF_CELL_READ;
    if (r->target >= 0)
        state = aimf_cell_class(r->csv, r->target, &r->options->labels, AIMF_MAX_CLASSES, &target, error);
    if (state == AIMF_CELL_READ)
        state = read_label(r, &label, error);
    r->manifest->n_dropped += state == AIMF_CELL_MISSING;
    if (state != AIMF_CELL_READ)
        return state == AIMF_CELL_MISSING;
    append_row(r->manifest, folder, path, target, label, read_columns(r));
    g_array_index(r->manifest->rows, Row, r->manifest->rows->len - 1).line = r->csv->line;
    return TRUE;
}

/* With labels of some rows only there are no groups: the set has no labels, and its columns keep their texts. */
static void drop_labels(Reading *r)
{
    AimfManifest *manifest = r->manifest;
    manifest->has_labels = FALSE;
    guint none = intern_label(manifest, "");
    for (guint i = 0; i < manifest->rows->len; i++)
        g_array_index(manifest->rows, Row, i).label = none;
}

/* Rows have labels by number of appearance until all of the file is known. */
static gboolean finish_labels(Reading *r, GError **error)
{
    AimfManifest *manifest = r->manifest;
    if (!aimf_labels_finish(r->labels, error))
        return FALSE;
    guint n = aimf_labels_count(r->labels), n_parts = aimf_labels_n_columns(r->labels);
    g_autofree guint *interned = g_new(guint, n + 1);
    g_autofree const char **parts = g_new(const char *, (gsize)n *n_parts + 1);
    for (guint id = 0; id < n; id++) {
        interned[id] = intern_label(manifest, aimf_labels_at(r->labels, id));
        for (guint i = 0; i < n_parts; i++)
            parts[id * n_parts + i] = g_string_chunk_insert_const(manifest->text, aimf_labels_part(r->labels, id, i));
    }
    for (guint i = 0; i < manifest->rows->len; i++) {
        Row *row = &g_array_index(manifest->rows, Row, i);
        guint id = row->label;
        row->label = interned[id];
        for (guint c = 0; row->columns && c < r->columns->len; c++) {
            int part = g_array_index(r->label_part, int, c);
            if (part >= 0)
                row->columns[c] = parts[id * n_parts + (guint)part];
        }
    }
    return TRUE;
}

/* --- Sets of manifests --- */

/* There while several get their names: those with these names, a line each, may be of two different runs. */
#define UNFINISHED ".aimfair-unfinished"
enum { MAX_UNFINISHED_BYTES = 1 << 16 };

static char *unfinished_path(const char *folder)
{
    return g_build_filename(folder, UNFINISHED, NULL);
}

/* FALSE with INVALID if @path is of a set that was being written when its writer was killed. */
static gboolean check_finished(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
    g_autofree char *unfinished = unfinished_path(folder);
    gboolean there;
    if (!aimf_path_there(unfinished, &there, NULL) || !there)
        return TRUE; /* opening the manifest will say what is wrong with the folder */
    g_autoptr(GBytes) text = aimf_file_read(unfinished, MAX_UNFINISHED_BYTES, NULL);
    if (!text)
        return TRUE;
    g_auto(GStrv) names = g_strsplit(g_bytes_get_data(text, NULL), "\n", -1);
    if (!g_strv_contains((const char *const *)names, name))
        return TRUE;
    g_autofree char *others = g_strjoinv(" ", names);
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_INVALID,
        "'%s': the program was stopped while it gave new manifests their names (%s), so that these may not belong "
        "together; make them again, or remove '%s' if they are right",
        path, g_strchomp(others), unfinished);
    return FALSE;
}

AimfManifest *aimf_manifest_open_with(const char *path, const AimfManifestOptions *options, const AimfMonitor *monitor,
                                      GError **error)
{
    static const AimfManifestOptions DEFAULTS = { 0 };
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    g_auto(Reading) r = { .manifest = manifest, .options = options ? options : &DEFAULTS };
    if (!check_finished(path, error))
        return NULL;
    gboolean stamped = aimf_file_stamp(path, &manifest->stamp, NULL);
    r.csv = aimf_csv_open(path, error);
    aimf_csv_tell(r.csv, monitor);
    if (!r.csv || (!stamped && !aimf_file_stamp(path, &manifest->stamp, error)) || !read_header(&r, error))
        return NULL;
    manifest->path = g_strdup(path);
    g_autofree char *folder = g_path_get_dirname(path);
    GError *failure = NULL;
    while (!failure && aimf_csv_next(r.csv, &failure))
        read_sample(&r, folder, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return NULL;
    }
    if (r.n_unlabelled) {
        drop_labels(&r);
        aimf_labels_tell(r.labels, "unlabelled", monitor,
                         "'%s': %u of %u rows have no protected label, the first in line %" G_GUINT64_FORMAT
                         ": this set's groups are not looked at; --missing drop leaves such rows out",
                         path, r.n_unlabelled, manifest->rows->len, r.first_unlabelled);
        return g_steal_pointer(&manifest);
    }
    if (!finish_labels(&r, error))
        return NULL;
    aimf_labels_warn(r.labels, NULL, path, manifest->n_dropped, monitor);
    return g_steal_pointer(&manifest);
}

gboolean aimf_manifest_unchanged(const AimfManifest *manifest, GError **error)
{
    AimfStamp now;
    if (!manifest->path)
        return TRUE;
    if (!aimf_file_stamp(manifest->path, &now, error))
        return FALSE;
    if (aimf_stamp_equal(&now, &manifest->stamp))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "'%s' was replaced or written to since it was read", manifest->path);
    return FALSE;
}

AimfManifest *aimf_manifest_open(const char *path, GError **error)
{
    return aimf_manifest_open_with(path, NULL, NULL, error);
}

/* --- Writing --- */

/* @root: (absolute) @folder or one above it; paths below it are relative */
static char *path_seen_from(const char *folder, const char *root, const char *path)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    const char *inside = aimf_path_below(absolute, folder), *below = aimf_path_below(absolute, root);
    const char *up = aimf_path_below(folder, root);
    if (inside)
        return g_strdup(inside);
    if (!below || !up)
        return g_steal_pointer(&absolute);
    GString *shown = g_string_new("../");
    for (; *up; up++)
        if (*up == '/')
            g_string_append(shown, "../");
    g_string_append(shown, below);
    return g_string_free(shown, FALSE);
}

/* @within: (nullable) the folder below which paths are relative; NULL for the manifest's own */
static void write_manifest(const AimfManifest *manifest, const char *path, const char *within, AimfWriter *writer)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *folder = g_canonicalize_filename(directory, NULL);
    g_autofree char *root = g_canonicalize_filename(within ? within : folder, NULL);
    GString *line = g_string_new(manifest->has_targets ? "path,target" : "path");
    for (guint c = 0; c < n_columns(manifest); c++) {
        g_string_append_c(line, ',');
        aimf_csv_append(line, g_ptr_array_index(manifest->columns, c));
    }
    for (guint i = 0; i < manifest->rows->len; i++) {
        g_string_append_c(line, '\n');
        aimf_writer_write(writer, line->str, line->len);
        g_string_truncate(line, 0);
        AimfSample sample = aimf_manifest_at(manifest, i);
        g_autofree char *shown = path_seen_from(folder, root, sample.path);
        aimf_csv_append(line, shown);
        if (manifest->has_targets)
            g_string_append_printf(line, ",%d", sample.target);
        for (guint c = 0; c < n_columns(manifest); c++) {
            g_string_append_c(line, ',');
            aimf_csv_append(line, column_text(manifest, i, c));
        }
    }
    g_string_append_c(line, '\n');
    aimf_writer_write(writer, line->str, line->len);
    g_string_free(line, TRUE);
}

gboolean aimf_manifest_save_within(const AimfManifest *manifest, const char *path, const char *root, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    write_manifest(manifest, path, root, writer);
    return aimf_writer_commit(writer, error);
}

gboolean aimf_manifest_save(const AimfManifest *manifest, const char *path, GError **error)
{
    return aimf_manifest_save_within(manifest, path, NULL, error);
}

/* --- Several that belong together --- */

static gboolean note_unfinished(const char *folder, const AimfNamedManifest *manifests, guint n, GError **error)
{
    g_autofree char *path = unfinished_path(folder);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(names, "%s\n", manifests[i].name);
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error); /* which removes what a killed one left */
    if (!writer)
        return FALSE;
    aimf_writer_write(writer, names->str, names->len);
    return aimf_writer_commit(writer, error);
}

static gboolean open_writers(const char *folder, const AimfNamedManifest *manifests, guint n, GPtrArray *writers,
                             GError **error)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_build_filename(folder, manifests[i].name, NULL);
        AimfWriter *writer = aimf_writer_open(path, error);
        if (!writer)
            return FALSE;
        g_ptr_array_add(writers, writer);
        write_manifest(manifests[i].manifest, path, NULL, writer);
        if (!aimf_writer_finish(writer, error))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_manifests_save(const AimfNamedManifest *manifests, guint n, const char *folder, GError **error)
{
    g_autoptr(GPtrArray) writers = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_writer_free);
    g_autofree char *unfinished = unfinished_path(folder);
    if (!open_writers(folder, manifests, n, writers, error) || !note_unfinished(folder, manifests, n, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        if (!aimf_writer_commit(writers->pdata[i], error)) {
            if (i == 0) /* all are the old ones */
                g_unlink(unfinished);
            return FALSE;
        }
    g_unlink(unfinished);
    return TRUE;
}
