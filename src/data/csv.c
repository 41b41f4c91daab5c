#include "data/csv.h"

#include "base/content.h"
#include "base/format.h"
#include "base/monitor.h"
#include "base/text_file.h"
#include "data/spellings.h"
#include <aimfair/names.h>
#include <string.h>

enum { MAX_ROW_BYTES = 1 << 20, MAX_COLUMNS = 4096 };
static const gsize MAX_FILE_BYTES = (gsize)1 << 31;
static const char SEPARATORS[] = ",;\t|";

static const char *separator_name(char separator)
{
    return separator == ';' ? "semicolons" : separator == '\t' ? "tabs" : separator == '|' ? "bars" : "commas";
}

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

/*
 * 0,75 or -1,5e-3 and nothing else: where fields are parted by semicolons, numbers have commas (Excel, write.csv2 of
 * R). With another separator, 1,234 may mean thousands: it stays as it is, and no reader takes it for a number.
 */
static void read_decimal_comma(char *field, char separator)
{
    static const char DIGITS[] = "0123456789";
    char *comma = field + strspn(field, "+- ");
    gsize whole = strspn(comma, DIGITS);
    comma += whole;
    if (*comma != ',')
        return;
    gsize n = strspn(comma + 1, DIGITS);
    const char *rest = comma + 1 + n;
    if (*rest == 'e' || *rest == 'E') {
        rest++;
        rest += *rest == '+' || *rest == '-';
        rest += strspn(rest, DIGITS);
    }
    gboolean thousands = separator != ';' && n == 3 && whole && whole <= 3 && comma[-(gssize)whole] != '0';
    if (whole && n && rest[strspn(rest, " ")] == 0 && !thousands)
        *comma = '.';
}

static gboolean take_bare(AimfCsv *csv, GError **error)
{
    const char *start = csv->next;
    for (; csv->next < csv->end; csv->next++) {
        char c = *csv->next;
        if (c == csv->separator || c == '"' || c == '\r' || c == '\n' || c == 0) /* 0 is reported by the caller */
            break;
    }
    gsize before = csv->text->len;
    if (before + (gsize)(csv->next - start) > MAX_ROW_BYTES)
        return fail_row(csv, error, "a row of more than 1 MiB; this is not a CSV file of ours");
    g_string_append_len(csv->text, start, csv->next - start);
    if (csv->separator != ',')
        read_decimal_comma(csv->text->str + before, csv->separator);
    return TRUE;
}

/* What stands behind a field: a separator (*more), the end of the line or of the file; anything else is an error. */
static gboolean take_separator(AimfCsv *csv, gboolean *more, GError **error)
{
    *more = FALSE;
    if (csv->next == csv->end)
        return TRUE;
    char c = *csv->next++;
    *more = c == csv->separator;
    if (*more)
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

/* The bytes of the line break at @at, 0 if there is none. */
static gsize line_break(const AimfCsv *csv, const char *at)
{
    gsize left = (gsize)(csv->end - at);
    return left && *at == '\n' ? 1 : left > 1 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

/* Passes over lines of nothing but blanks and @separators, which spreadsheets write for rows that are empty. */
static void skip_blank_lines(AimfCsv *csv, const char *separators)
{
    while (csv->next < csv->end) {
        const char *at = csv->next;
        while (at < csv->end && *at && (*at == ' ' || strchr(separators, *at)))
            at++;
        gsize n = line_break(csv, at);
        if ((n == 0 && at < csv->end) || at - csv->next > MAX_ROW_BYTES)
            return;
        csv->next = at + n;
        csv->next_line += n > 0;
    }
}

/* Empty fields too many are a spreadsheet's; a value too many is none of the columns'. */
static gboolean check_fields(AimfCsv *csv, GError **error)
{
    guint n = csv->fields->len;
    while (n > csv->columns->len) {
        const char *field = g_ptr_array_index(csv->fields, n - 1);
        if (field[strspn(field, " \t")])
            break;
        n--;
    }
    if (n == csv->columns->len)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%s:%" G_GUINT64_FORMAT ": %u fields, but the header names %u columns%s%s", csv->path, csv->line, n,
                csv->columns->len, csv->separator == ',' ? "" : "; they are separated by ",
                csv->separator == ',' ? "" : separator_name(csv->separator));
    return FALSE;
}

gboolean aimf_csv_next(AimfCsv *csv, GError **error)
{
    const char separators[] = { csv->separator, '\t', 0 };
    skip_blank_lines(csv, separators);
    return csv->next < csv->end && read_row(csv, error) && check_fields(csv, error);
}

/* Excel's "sep=;" before the header: takes the line and the separator. FALSE if there is no such line. */
static gboolean take_separator_line(AimfCsv *csv)
{
    const char *at = csv->next;
    gboolean quoted = at < csv->end && *at == '"';
    at += quoted;
    if (csv->end - at < 5 || g_ascii_strncasecmp(at, "sep=", 4) != 0 || !at[4] || !strchr(SEPARATORS, at[4]))
        return FALSE;
    char separator = at[4];
    at += 5 + (quoted && at[5] == '"'); /* a 0 follows the file's bytes */
    while (at < csv->end && (*at == separator || *at == ' '))
        at++;
    gsize n = line_break(csv, at);
    if (n == 0 && at < csv->end)
        return FALSE;
    csv->separator = separator;
    csv->next = at + n;
    csv->next_line += n > 0;
    return TRUE;
}

/* The first separator of the header that is not inside quotes; a comma where there is none. */
static char find_separator(const AimfCsv *csv)
{
    gboolean quoted = FALSE;
    gsize left = MIN((gsize)(csv->end - csv->next), MAX_ROW_BYTES);
    for (const char *c = csv->next; c < csv->next + left && *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (!quoted && (*c == '\n' || *c == '\r'))
            break;
        else if (!quoted && strchr(SEPARATORS, *c))
            return *c;
    }
    return ',';
}

/* The names of the header. Those missing at its end are columns that a spreadsheet has and nobody filled in. */
static gboolean take_names(AimfCsv *csv, GError **error)
{
    for (guint i = 0; i < csv->fields->len; i++) {
        char *name = g_ptr_array_index(csv->fields, i);
        if (!g_utf8_validate(name, -1, NULL))
            return fail_row(csv, error, "the name of a column is not UTF-8; spreadsheets call that form 'CSV UTF-8'");
        g_ptr_array_add(csv->columns, g_strdup(aimf_label_strip(name)));
    }
    for (guint n = csv->columns->len; n > 1 && *(char *)g_ptr_array_index(csv->columns, n - 1) == 0; n--)
        g_ptr_array_set_size(csv->columns, (gint)n - 1);
    for (guint i = 0; i < csv->columns->len; i++) {
        const char *name = g_ptr_array_index(csv->columns, i);
        int first = aimf_csv_column(csv, name);
        if (first == (int)i)
            continue;
        if (*name)
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%" G_GUINT64_FORMAT ": column '%s' is there twice",
                        csv->path, csv->line, name);
        else
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "%s:%" G_GUINT64_FORMAT ": columns %d and %u have no name in the header", csv->path, csv->line,
                        first + 1, i + 1);
        return FALSE;
    }
    return TRUE;
}

static gboolean read_header(AimfCsv *csv, GError **error)
{
    gsize bytes = (gsize)(csv->end - csv->next);
    const AimfContent *content = aimf_content_recognise(csv->next, bytes);
    if (!content)
        content = aimf_content_of_others(csv->next, bytes);
    if (content) {
        g_autofree char *what = g_strdup_printf("this is %s, not a CSV table; %s", content->name, content->mend);
        return fail_row(csv, error, what);
    }
    skip_blank_lines(csv, SEPARATORS);
    if (take_separator_line(csv))
        skip_blank_lines(csv, SEPARATORS);
    else
        csv->separator = find_separator(csv);
    csv->line = csv->next_line;
    if (csv->next == csv->end)
        return fail_row(csv, error, "the file is empty; its first line must name the columns");
    return read_row(csv, error) && take_names(csv, error);
}

AimfCsv *aimf_csv_open(const char *path, GError **error)
{
    GBytes *bytes = aimf_text_read(path, MAX_FILE_BYTES, error);
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
    return read_header(csv, error) ? g_steal_pointer(&csv) : NULL;
}

void aimf_csv_tell(const AimfCsv *csv, const AimfMonitor *monitor)
{
    if (csv && csv->separator != ',')
        aimf_message(monitor, AIMF_LOG_INFO,
                     "'%s' is read as a table separated by %s, with decimal commas as well as points", csv->path,
                     separator_name(csv->separator));
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
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "%s: no column '%s'%s; its columns%s%s are: %s", csv->path,
                    name, hint, csv->separator == ',' ? "" : ", separated by ",
                    csv->separator == ',' ? "" : separator_name(csv->separator), names->str);
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
    g_autofree char *what = aimf_format_list(format, args);
    va_end(args);
    g_set_error(error, AIMF_ERROR, (gint)code, "%s:%" G_GUINT64_FORMAT ": column '%s': %s", csv->path, csv->line,
                (const char *)g_ptr_array_index(csv->columns, (guint)column), what);
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
