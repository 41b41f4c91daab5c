/* CelebA: list_attr_celeba in its original layout or as CSV; the split is list_eval_partition's, or by number. */
#include "data/attribute.h"
#include "data/celeba_folder.h"
#include "data/csv.h"

#include "base/format.h"
#include "base/monitor.h"
#include "base/shown.h"
#include "base/text_file.h"
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 30 };

/* Last images of the training and the validation range: the same as list_eval_partition.txt. */
enum { LAST_TRAIN = 162770, LAST_VAL = 182637 };

/* What is taken of every line, and where it goes. */
typedef struct {
    AimfDataset *dataset;
    const AimfMonitor *monitor;
    const char *path; /* of the file that is being read */
    CelebaFolder folder;
    GHashTable *listed; /* number → AimfPart + 1, of list_eval_partition; NULL without one */
    guint n_moved;      /* pictures that it puts into another part than the official one */
    AimfAttribute target;
    GArray *attributes;
    int target_column;
    GArray *label_columns; /* of int */
    GByteArray *parts;
} Reading;

static void reading_clear(Reading *r)
{
    aimf_celeba_folder_clear(&r->folder);
    g_clear_pointer(&r->listed, g_hash_table_unref);
    g_clear_pointer(&r->attributes, g_array_unref);
    g_clear_pointer(&r->label_columns, g_array_unref);
    g_clear_pointer(&r->parts, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static gboolean fail_line(const Reading *r, guint64 line, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);
static gboolean fail_line(const Reading *r, guint64 line, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = aimf_format_list(format, args);
    va_end(args);
    g_autofree char *readable = g_utf8_make_valid(what, -1);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%" G_GUINT64_FORMAT ": %s", r->path, line, readable);
    return FALSE;
}

/* Where the attributes stand among @names; -1 and an error if one is not there. */
static int find_column(const Reading *r, const AimfAttribute *attribute, const GPtrArray *names, guint64 line,
                       GError **error)
{
    for (guint i = 0; i < names->len; i++)
        if (strcmp(g_ptr_array_index(names, i), attribute->field) == 0)
            return (int)i;
    fail_line(r, line, error, "no column '%s' among the %u named here", attribute->field, names->len);
    return -1;
}

static gboolean find_columns(Reading *r, const GPtrArray *names, guint64 line, GError **error)
{
    r->target_column = find_column(r, &r->target, names, line, error);
    if (r->target_column < 0)
        return FALSE;
    for (guint i = 0; i < r->attributes->len; i++) {
        int column = find_column(r, &g_array_index(r->attributes, AimfAttribute, i), names, line, error);
        if (column < 0)
            return FALSE;
        g_array_append_val(r->label_columns, column);
    }
    return TRUE;
}

static gboolean read_value(const Reading *r, const AimfAttribute *attribute, const char *text, guint64 line, int *value,
                           GError **error)
{
    char *end;
    double number = g_ascii_strtod(text, &end); /* other programs make 1.0 of 1 */
    if (end == text || end[strspn(end, " ")] || (number != 1 && number != -1))
        return fail_line(r, line, error, "column '%s': expected 1 or -1, found '%s'", attribute->field,
                         AIMF_SHOWN(text));
    *value = aimf_attribute_evaluate(attribute, number == 1);
    return TRUE;
}

static guint read_number(const Reading *r, const char *name, guint64 line, GError **error)
{
    guint number = aimf_celeba_number(name, FALSE);
    if (!number)
        fail_line(r, line, error, "expected an image number such as 000001.jpg, found '%s'", AIMF_SHOWN(name));
    return number;
}

static gboolean find_part(Reading *r, guint number, guint64 line, guint8 *part, GError **error)
{
    guint8 official = number <= LAST_TRAIN ? AIMF_PART_TRAIN : number <= LAST_VAL ? AIMF_PART_VAL : AIMF_PART_TEST;
    *part = official;
    if (!r->listed)
        return TRUE;
    guint listed = GPOINTER_TO_UINT(g_hash_table_lookup(r->listed, GUINT_TO_POINTER(number)));
    if (!listed)
        return fail_line(r, line, error,
                         "'%s' does not say to which part image %u belongs; without it the split is by number",
                         r->folder.partition, number);
    *part = (guint8)(listed - 1);
    r->n_moved += *part != official;
    return TRUE;
}

/* One line: the image's name and its values (char *, in the order of the named columns). */
static gboolean read_image(Reading *r, const char *name, const GPtrArray *values, guint64 line, GError **error)
{
    guint8 part;
    int target = 0;
    guint number = read_number(r, name, line, error);
    if (!number || !read_value(r, &r->target, g_ptr_array_index(values, (guint)r->target_column), line, &target, error))
        return FALSE;
    g_autoptr(GString) label = g_string_new(NULL), names = g_string_new(NULL);
    for (guint i = 0; i < r->attributes->len; i++) {
        int value = 0;
        guint column = (guint)g_array_index(r->label_columns, int, i);
        const AimfAttribute *attribute = &g_array_index(r->attributes, AimfAttribute, i);
        if (!read_value(r, attribute, g_ptr_array_index(values, column), line, &value, error))
            return FALSE;
        g_autofree char *value_name = aimf_attribute_name_of(attribute, value);
        g_string_append_printf(label, "%s%d", i ? "_" : "", value);
        g_string_append_printf(names, "%s%s", i ? " and " : "", value_name);
    }
    const char *path = g_hash_table_lookup(r->folder.pictures, GUINT_TO_POINTER(number));
    if (!path) {
        r->dataset->n_missing++;
        return TRUE;
    }
    if (!find_part(r, number, line, &part, error))
        return FALSE;
    g_autofree char *target_name = aimf_attribute_name_of(&r->target, target);
    aimf_manifest_add(r->dataset->samples, path, target, label->str);
    aimf_dataset_name_last(r->dataset, target_name, names->str);
    g_byte_array_append(r->parts, &part, 1);
    return TRUE;
}

/* --- The original layout: the count, the names, then a line per image; blanks between --- */

static void split_blanks(char *line, GPtrArray *words)
{
    g_ptr_array_set_size(words, 0);
    for (char *c = line; *(c += strspn(c, " \t\r"));) {
        g_ptr_array_add(words, c);
        c += strcspn(c, " \t\r");
        if (*c)
            *c++ = 0;
    }
}

static char *take_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = 0;
    return line;
}

static gboolean read_text_lines(Reading *r, char *text, GPtrArray *words, GError **error)
{
    guint64 promised, found = 0, line = 2;
    char *first = g_strstrip(take_line(&text));
    if (!g_ascii_string_to_unsigned(first, 10, 0, G_MAXUINT32, &promised, NULL))
        return fail_line(r, 1, error, "expected the number of images, found '%s'", AIMF_SHOWN(first));
    split_blanks(take_line(&text), words);
    if (!find_columns(r, words, line, error))
        return FALSE;
    guint n_columns = words->len;
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    while (*text) {
        line++;
        split_blanks(take_line(&text), words);
        if (words->len == 0)
            continue;
        if (words->len != n_columns + 1)
            return fail_line(r, line, error, "expected a name and %u values, found %u words", n_columns, words->len);
        g_ptr_array_set_size(values, 0);
        for (guint i = 1; i < words->len; i++)
            g_ptr_array_add(values, g_ptr_array_index(words, i));
        if (!read_image(r, g_ptr_array_index(words, 0), values, line, error))
            return FALSE;
        found++;
    }
    if (found != promised)
        return fail_line(r, 1, error,
                         "%" G_GUINT64_FORMAT " images are promised, %" G_GUINT64_FORMAT
                         " follow; is the file truncated? A shortened file must say its own number here",
                         promised, found);
    return TRUE;
}

/* (owned) The text of r->path; NULL with an error. */
static char *open_text(const Reading *r, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_text_read(r->path, MAX_FILE_BYTES, error);
    if (!bytes)
        return NULL;
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (!memchr(data, 0, size))
        return g_strndup(data, size);
    fail_line(r, 1, error, "the file has NUL bytes; it is not the text file it should be");
    return NULL;
}

/* Whether the first line is a CSV's: files change their form more often than their name. */
static gboolean is_table(const char *text)
{
    gsize n = strcspn(text, "\n");
    return memchr(text, ',', n) || memchr(text, ';', n) || g_strstr_len(text, (gssize)n, "image_id");
}

/* --- The CSV forms: image_id and the 40 names, or image_id and partition --- */

typedef gboolean (*RowReader)(Reading *r, const AimfCsv *csv, int name, GError **error);

static gboolean read_rows(Reading *r, AimfCsv *csv, RowReader read, GError **error)
{
    aimf_csv_tell(csv, r->monitor);
    int name = aimf_csv_require(csv, "image_id", error);
    GError *failure = NULL;
    while (name >= 0 && !failure && aimf_csv_next(csv, &failure))
        read(r, csv, name, &failure);
    if (failure)
        g_propagate_error(error, failure);
    return name >= 0 && !failure;
}

static gboolean read_image_row(Reading *r, const AimfCsv *csv, int name, GError **error)
{
    return read_image(r, aimf_csv_field(csv, name), csv->fields, csv->line, error);
}

static gboolean read_attributes(Reading *r, GError **error)
{
    r->path = r->folder.attributes;
    g_autofree char *text = open_text(r, error);
    if (!text)
        return FALSE;
    if (!is_table(text)) {
        g_autoptr(GPtrArray) words = g_ptr_array_new();
        return read_text_lines(r, text, words, error);
    }
    g_autoptr(AimfCsv) csv = aimf_csv_open(r->path, error);
    return csv && find_columns(r, csv->columns, csv->line, error) && read_rows(r, csv, read_image_row, error);
}

/* --- The official split's list --- */

static gboolean list_part(Reading *r, const char *name, const char *part, guint64 line, GError **error)
{
    guint number = read_number(r, name, line, error);
    guint64 value;
    if (!number)
        return FALSE;
    if (!g_ascii_string_to_unsigned(part, 10, AIMF_PART_TRAIN, AIMF_PART_TEST, &value, NULL))
        return fail_line(r, line, error, "expected 0 (training), 1 (validation) or 2 (test), found '%s'",
                         AIMF_SHOWN(part));
    g_hash_table_insert(r->listed, GUINT_TO_POINTER(number), GUINT_TO_POINTER((guint)value + 1));
    return TRUE;
}

static gboolean read_part_row(Reading *r, const AimfCsv *csv, int name, GError **error)
{
    int part = aimf_csv_require(csv, "partition", error);
    return part >= 0 && list_part(r, aimf_csv_field(csv, name), aimf_csv_field(csv, part), csv->line, error);
}

static gboolean read_partition(Reading *r, GError **error)
{
    if (!(r->path = r->folder.partition))
        return TRUE;
    r->listed = g_hash_table_new(NULL, NULL);
    g_autofree char *text = open_text(r, error);
    if (!text)
        return FALSE;
    if (is_table(text)) {
        g_autoptr(AimfCsv) csv = aimf_csv_open(r->path, error);
        return csv && read_rows(r, csv, read_part_row, error);
    }
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    guint64 line = 0;
    for (char *rest = text; *rest;) {
        line++;
        split_blanks(take_line(&rest), words);
        if (words->len == 0)
            continue;
        if (words->len != 2)
            return fail_line(r, line, error, "expected a name and 0, 1 or 2, found %u words", words->len);
        if (!list_part(r, g_ptr_array_index(words, 0), g_ptr_array_index(words, 1), line, error))
            return FALSE;
    }
    return TRUE;
}

/* --- The whole --- */

static gboolean fail_pictures(const CelebaFolder *folder, const char *root, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "no pictures 000001.jpg … in '%s', its img_align_celeba/, img_align_celeba_png/ or Img/%s%s%s%s", root,
                folder->archive ? "; unpack " : "", folder->archive ? folder->archive : "",
                folder->wild ? "; not used is img_celeba, whose pictures are not aligned: " : "",
                folder->wild ? folder->wild : "");
    return FALSE;
}

/* The folder of the pictures is easily taken for that of the data set. */
static gboolean fail_attributes(const char *root, GError **error)
{
    g_autofree char *above = g_build_filename(root, "..", NULL);
    g_auto(CelebaFolder) other = { 0 };
    gboolean there = aimf_celeba_find(&other, above, NULL) && other.attributes;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "no list_attr_celeba.txt or .csv in '%s' or its Anno/%s%s",
                root, there ? "; it is in the folder above, which --root should name: " : "",
                there ? other.attributes : "");
    return FALSE;
}

static void tell(const Reading *r)
{
    if (r->listed)
        aimf_message(r->monitor, AIMF_LOG_INFO,
                     "the split is that of '%s'; %u picture%s in another part than officially", r->folder.partition,
                     r->n_moved, r->n_moved == 1 ? " is" : "s are");
    guint n = 0;
    for (guint i = 0; i < aimf_manifest_count(r->dataset->samples); i++)
        n += !g_str_has_suffix(aimf_manifest_at(r->dataset->samples, i).path, ".jpg");
    if (n)
        aimf_message(r->monitor, AIMF_LOG_INFO,
                     "%u of the %u pictures are no .jpg, as the list has it, but of the same number", n,
                     aimf_manifest_count(r->dataset->samples));
}

gboolean aimf_read_celeba(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error)
{
    g_auto(Reading) r = { .dataset = dataset, .monitor = monitor };
    if (!aimf_option_required("--root", options->root, error) ||
        !aimf_option_required("--target", options->target, error) ||
        !aimf_option_required("--protected", options->protected_attributes, error) ||
        !aimf_attribute_parse("celeba", options->target, &r.target, error))
        return FALSE;
    r.attributes = aimf_attributes_parse("celeba", options->protected_attributes, error);
    if (!r.attributes || !aimf_attributes_check(&r.target, r.attributes, error) ||
        !aimf_celeba_find(&r.folder, options->root, error))
        return FALSE;
    aimf_other_formats_tell(&r.folder.others, dataset, monitor);
    if (g_hash_table_size(r.folder.pictures) == 0)
        return fail_pictures(&r.folder, options->root, error);
    if (!r.folder.attributes)
        return fail_attributes(options->root, error);
    r.label_columns = g_array_new(FALSE, FALSE, sizeof(int));
    r.parts = g_byte_array_new();
    if (!read_partition(&r, error) || !read_attributes(&r, error))
        return FALSE;
    tell(&r);
    dataset->parts = g_byte_array_free(g_steal_pointer(&r.parts), FALSE);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "none of the images named in '%s' is below '%s'",
                r.folder.attributes, options->root);
    return FALSE;
}
