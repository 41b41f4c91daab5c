/* CelebA: list_attr_celeba.txt in its original layout or as CSV; the split is by image number. */
#include "data/attribute.h"
#include "data/csv.h"
#include "data/dataset.h"

#include "base/file.h"
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 30 };

/* Last images of the training and the validation range: the same as list_eval_partition.txt. */
enum { LAST_TRAIN = 162770, LAST_VAL = 182637 };

/* What is taken of every line, and where it goes. */
typedef struct {
    AimfDataset *dataset;
    const char *path; /* of the annotation file */
    GHashTable *on_disk;
    char *images; /* folder */
    AimfAttribute target;
    GArray *attributes;
    int target_column;
    GArray *label_columns; /* of int */
    GByteArray *parts;
} Reading;

static void reading_clear(Reading *r)
{
    g_clear_pointer(&r->on_disk, g_hash_table_unref);
    g_clear_pointer(&r->images, g_free);
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
    g_autofree char *what = g_strdup_vprintf(format, args);
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
    int number = strcmp(text, "1") == 0 ? 1 : strcmp(text, "-1") == 0 ? 0 : -1;
    if (number < 0)
        return fail_line(r, line, error, "column '%s': expected 1 or -1, found '%s'", attribute->field, text);
    *value = aimf_attribute_evaluate(attribute, number);
    return TRUE;
}

static gboolean read_part(const Reading *r, const char *name, guint64 line, guint8 *part, GError **error)
{
    gsize digits = strspn(name, "0123456789");
    guint64 number = g_ascii_strtoull(name, NULL, 10);
    if (digits == 0 || digits > 9 || name[digits] != '.')
        return fail_line(r, line, error, "expected an image number such as 000001.jpg, found '%s'", name);
    *part = number <= LAST_TRAIN ? AIMF_PART_TRAIN : number <= LAST_VAL ? AIMF_PART_VAL : AIMF_PART_TEST;
    return TRUE;
}

/* One line: the image's name and its values (char *, in the order of the named columns). */
static gboolean read_image(Reading *r, const char *name, const GPtrArray *values, guint64 line, GError **error)
{
    guint8 part;
    int target = 0;
    if (!read_part(r, name, line, &part, error) ||
        !read_value(r, &r->target, g_ptr_array_index(values, (guint)r->target_column), line, &target, error))
        return FALSE;
    g_autoptr(GString) label = g_string_new(NULL), names = g_string_new(NULL);
    gboolean good = TRUE;
    for (guint i = 0; good && i < r->attributes->len; i++) {
        int value = 0;
        guint column = (guint)g_array_index(r->label_columns, int, i);
        const AimfAttribute *attribute = &g_array_index(r->attributes, AimfAttribute, i);
        good = read_value(r, attribute, g_ptr_array_index(values, column), line, &value, error);
        g_autofree char *value_name = aimf_attribute_name_of(attribute, value);
        g_string_append_printf(label, "%s%d", i ? "_" : "", value);
        g_string_append_printf(names, "%s%s", i ? " and " : "", value_name);
    }
    if (good && g_hash_table_contains(r->on_disk, name)) {
        g_autofree char *path = g_build_filename(r->images, name, NULL);
        g_autofree char *target_name = aimf_attribute_name_of(&r->target, target);
        aimf_manifest_add(r->dataset->samples, path, target, label->str);
        aimf_dataset_name_last(r->dataset, target_name, names->str);
        g_byte_array_append(r->parts, &part, 1);
    } else if (good) {
        r->dataset->n_missing++;
    }
    return good;
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
        return fail_line(r, 1, error, "expected the number of images, found '%.40s'", first);
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

static gboolean read_text(Reading *r, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_file_read(r->path, MAX_FILE_BYTES, error);
    if (!bytes)
        return FALSE;
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (memchr(data, 0, size))
        return fail_line(r, 1, error, "the file has NUL bytes; it is not the text file it should be");
    g_autofree char *text = g_strndup(data, size);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    return read_text_lines(r, text, words, error);
}

/* --- The CSV form: image_id and the 40 names --- */

static gboolean read_table(Reading *r, GError **error)
{
    g_autoptr(AimfCsv) csv = aimf_csv_open(r->path, error);
    if (!csv)
        return FALSE;
    int name = aimf_csv_require(csv, "image_id", error);
    if (name < 0 || !find_columns(r, csv->columns, csv->line, error))
        return FALSE;
    GError *failure = NULL;
    while (!failure && aimf_csv_next(csv, &failure))
        read_image(r, aimf_csv_field(csv, name), csv->fields, csv->line, &failure);
    if (!failure)
        return TRUE;
    g_propagate_error(error, failure);
    return FALSE;
}

/* A listing is read once; asking the file system for each of 202 599 names would take longer than all the rest. */
static GHashTable *list_images(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    if (!names)
        return NULL;
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < names->len; i++)
        g_hash_table_add(set, g_strdup(g_ptr_array_index(names, i)));
    return set;
}

gboolean aimf_read_celeba(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error)
{
    (void)monitor;
    g_auto(Reading) r = { .dataset = dataset };
    if (!aimf_option_required("--root", options->root, error) ||
        !aimf_option_required("--target", options->target, error) ||
        !aimf_option_required("--protected", options->protected_attributes, error) ||
        !aimf_attribute_parse("celeba", options->target, &r.target, error))
        return FALSE;
    r.images = g_build_filename(options->root, "img_align_celeba", NULL);
    r.attributes = aimf_attributes_parse("celeba", options->protected_attributes, error);
    r.on_disk = r.attributes ? list_images(r.images, error) : NULL;
    if (!r.on_disk)
        return FALSE;
    r.label_columns = g_array_new(FALSE, FALSE, sizeof(int));
    r.parts = g_byte_array_new();
    g_autofree char *text = g_build_filename(options->root, "list_attr_celeba.txt", NULL);
    g_autofree char *table = g_build_filename(options->root, "list_attr_celeba.csv", NULL);
    gboolean as_table = !g_file_test(text, G_FILE_TEST_EXISTS) && g_file_test(table, G_FILE_TEST_EXISTS);
    r.path = as_table ? table : text;
    if (!(as_table ? read_table(&r, error) : read_text(&r, error)))
        return FALSE;
    dataset->parts = g_byte_array_free(g_steal_pointer(&r.parts), FALSE);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "none of the images named in '%s' is in '%s'", r.path,
                r.images);
    return FALSE;
}
