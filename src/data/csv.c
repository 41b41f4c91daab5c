#include "data/csv.h"

#include "base/file.h"
#include <aimfair/names.h>
#include <string.h>

enum { MAX_ROW_BYTES = 1 << 20, MAX_COLUMNS = 4096 };
static const gsize MAX_FILE_BYTES = (gsize)1 << 31;

static gboolean fail_row(const AimfCsv *csv, GError **error, const char *what)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%" G_GUINT64_FORMAT ": %s", csv->path, csv->line, what);
    return FALSE;
}

/* Takes a field that begins behind its opening quote up to and with the closing one. */
static gboolean take_quoted(AimfCsv *csv, GError **error)
{
    for (;;) {
        const char *quote = memchr(csv->next, '"', (gsize)(csv->end - csv->next));
        const char *stop = quote ? quote : csv->end;
        for (const char *c = csv->next; c < stop; c++)
            csv->next_line += *c == '\n';
        if (csv->text->len + (gsize)(stop - csv->next) > MAX_ROW_BYTES)
            return fail_row(csv, error, "a row of more than 1 MiB; is a closing quote missing?");
        g_string_append_len(csv->text, csv->next, stop - csv->next);
        if (!quote)
            return fail_row(csv, error, "the file ends inside a quoted field; a closing quote is missing");
        csv->next = quote + 1;
        if (csv->next == csv->end || *csv->next != '"')
            return TRUE;
        g_string_append_c(csv->text, '"');
        csv->next++;
    }
}

static gboolean take_bare(AimfCsv *csv, GError **error)
{
    const char *start = csv->next;
    while (csv->next < csv->end && !strchr(",\"\r\n", *csv->next)) /* strchr finds 0 too: reported by the caller */
        csv->next++;
    if (csv->text->len + (gsize)(csv->next - start) > MAX_ROW_BYTES)
        return fail_row(csv, error, "a row of more than 1 MiB; this is not a CSV file of ours");
    g_string_append_len(csv->text, start, csv->next - start);
    return TRUE;
}

/* What stands behind a field: a comma (*more), the end of the line or of the file; anything else is an error. */
static gboolean take_separator(AimfCsv *csv, gboolean *more, GError **error)
{
    *more = FALSE;
    if (csv->next == csv->end)
        return TRUE;
    char c = *csv->next++;
    *more = c == ',';
    if (c == ',')
        return TRUE;
    if (c == '\r' && csv->next < csv->end && *csv->next == '\n')
        c = *csv->next++;
    csv->next_line += c == '\n';
    if (c == '\n')
        return TRUE;
    if (c == 0)
        return fail_row(csv, error, "a NUL byte; is the file UTF-16 or binary? CSV must be UTF-8 text");
    if (c == '\r')
        return fail_row(csv, error, "a carriage return without a line feed; lines end with LF or CRLF");
    return fail_row(csv, error,
                    c == '"' ? "a quote inside a bare field; quote the whole field and double the quotes in it"
                             : "text behind a closing quote; double a quote that belongs to the field");
}

static gboolean read_row(AimfCsv *csv, GError **error)
{
    g_string_truncate(csv->text, 0);
    g_array_set_size(csv->offsets, 0);
    csv->line = csv->next_line;
    for (gboolean more = TRUE; more;) {
        gsize offset = csv->text->len;
        if (csv->offsets->len == MAX_COLUMNS)
            return fail_row(csv, error, "more than 4096 columns");
        g_array_append_val(csv->offsets, offset);
        gboolean quoted = csv->next < csv->end && *csv->next == '"';
        csv->next += quoted;
        if (!(quoted ? take_quoted(csv, error) : take_bare(csv, error)))
            return FALSE;
        if (memchr(csv->text->str + offset, 0, csv->text->len - offset))
            return fail_row(csv, error, "a NUL byte inside a quoted field");
        g_string_append_c(csv->text, 0);
        if (!take_separator(csv, &more, error))
            return FALSE;
    }
    g_ptr_array_set_size(csv->fields, 0);
    for (guint i = 0; i < csv->offsets->len; i++)
        g_ptr_array_add(csv->fields, csv->text->str + g_array_index(csv->offsets, gsize, i));
    return TRUE;
}

static void skip_blank_lines(AimfCsv *csv)
{
    while (csv->next < csv->end) {
        gsize left = (gsize)(csv->end - csv->next);
        gsize n = *csv->next == '\n' ? 1 : left > 1 && csv->next[0] == '\r' && csv->next[1] == '\n' ? 2 : 0;
        if (n == 0)
            return;
        csv->next += n;
        csv->next_line++;
    }
}

gboolean aimf_csv_next(AimfCsv *csv, GError **error)
{
    skip_blank_lines(csv);
    if (csv->next == csv->end || !read_row(csv, error))
        return FALSE;
    if (csv->fields->len == csv->columns->len)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%s:%" G_GUINT64_FORMAT ": %u fields, but the header names %u columns", csv->path, csv->line,
                csv->fields->len, csv->columns->len);
    return FALSE;
}

static gboolean read_header(AimfCsv *csv, GError **error)
{
    skip_blank_lines(csv);
    if (csv->next == csv->end)
        return fail_row(csv, error, "the file is empty; its first line must name the columns");
    if (!read_row(csv, error))
        return FALSE;
    for (guint i = 0; i < csv->fields->len; i++) {
        char *name = g_strstrip(g_strdup(g_ptr_array_index(csv->fields, i)));
        g_ptr_array_add(csv->columns, name);
        if (!g_utf8_validate(name, -1, NULL))
            return fail_row(csv, error, "the name of a column is not UTF-8");
    }
    for (guint i = 0; i < csv->columns->len; i++) {
        const char *name = g_ptr_array_index(csv->columns, i);
        if (aimf_csv_column(csv, name) != (int)i) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%" G_GUINT64_FORMAT ": column '%s' is there twice",
                        csv->path, csv->line, name);
            return FALSE;
        }
    }
    return TRUE;
}

AimfCsv *aimf_csv_open(const char *path, GError **error)
{
    GBytes *bytes = aimf_file_read(path, MAX_FILE_BYTES, error);
    if (!bytes)
        return NULL;
    g_autoptr(AimfCsv) csv = g_new0(AimfCsv, 1);
    gsize size;
    csv->path = g_strdup(path);
    csv->bytes = bytes;
    csv->next = g_bytes_get_data(bytes, &size);
    csv->end = csv->next + size;
    csv->line = csv->next_line = 1;
    csv->text = g_string_new(NULL);
    csv->offsets = g_array_new(FALSE, FALSE, sizeof(gsize));
    csv->fields = g_ptr_array_new();
    csv->columns = g_ptr_array_new_with_free_func(g_free);
    if (size >= 3 && memcmp(csv->next, "\xEF\xBB\xBF", 3) == 0)
        csv->next += 3;
    return read_header(csv, error) ? g_steal_pointer(&csv) : NULL;
}

void aimf_csv_free(AimfCsv *csv)
{
    if (!csv)
        return;
    g_free(csv->path);
    g_bytes_unref(csv->bytes);
    g_string_free(csv->text, TRUE);
    g_array_unref(csv->offsets);
    g_ptr_array_unref(csv->fields);
    g_ptr_array_unref(csv->columns);
    g_free(csv);
}

int aimf_csv_column(const AimfCsv *csv, const char *name)
{
    for (guint i = 0; i < csv->columns->len; i++)
        if (strcmp(g_ptr_array_index(csv->columns, i), name) == 0)
            return (int)i;
    return -1;
}

int aimf_csv_require(const AimfCsv *csv, const char *name, GError **error)
{
    int column = aimf_csv_column(csv, name);
    if (column < 0) {
        GString *names = g_string_new(NULL);
        g_autoptr(GPtrArray) known = g_ptr_array_new();
        for (guint i = 0; i < csv->columns->len; i++)
            g_ptr_array_add(known, g_ptr_array_index(csv->columns, i));
        g_ptr_array_add(known, NULL);
        g_autofree char *hint = aimf_name_hint(name, (const char *const *)known->pdata);
        for (guint i = 0; i < csv->columns->len && names->len < 500; i++)
            g_string_append_printf(names, "%s%s", i ? ", " : "", (const char *)g_ptr_array_index(csv->columns, i));
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "%s: no column '%s'%s; its columns are: %s", csv->path,
                    name, hint, names->str);
        g_string_free(names, TRUE);
    }
    return column;
}

const char *aimf_csv_field(const AimfCsv *csv, int column)
{
    return g_ptr_array_index(csv->fields, (guint)column);
}

gboolean aimf_csv_fail(const AimfCsv *csv, int column, AimfErrorCode code, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *readable = g_utf8_make_valid(what, -1);
    g_set_error(error, AIMF_ERROR, (gint)code, "%s:%" G_GUINT64_FORMAT ": column '%s': %s", csv->path, csv->line,
                (const char *)g_ptr_array_index(csv->columns, (guint)column), readable);
    return FALSE;
}

void aimf_csv_append(GString *line, const char *field)
{
    gboolean plain = !strpbrk(field, ",\"\r\n") && field[0] != ' ';
    if (plain) {
        g_string_append(line, field);
        return;
    }
    g_string_append_c(line, '"');
    for (const char *c = field; *c; c++) {
        if (*c == '"')
            g_string_append_c(line, '"');
        g_string_append_c(line, *c);
    }
    g_string_append_c(line, '"');
}
