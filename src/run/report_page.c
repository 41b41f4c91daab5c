#include "run/report_page.h"

#include "run/report_style.h"

#include <math.h>
#include <string.h>

/* --- Text --- */

/* What would let a name rule the text around it: controls, and Unicode's marks of direction. */
static gboolean is_harmful(gunichar c)
{
    return g_unichar_iscntrl(c) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E ||
           c == 0x200F || c == 0x061C || c == 0x2028 || c == 0x2029 || (c >= 0xFDD0 && c <= 0xFDEF) ||
           (c & 0xFFFE) == 0xFFFE;
}

/* The character at *@text, which moves on. */
static gunichar next_character(const char **text)
{
    gunichar c = g_utf8_get_char_validated(*text, -1);
    gboolean valid = c != (gunichar)-1 && c != (gunichar)-2;
    *text = valid ? g_utf8_next_char(*text) : *text + 1;
    return valid ? c : 0xFFFD;
}

/* @c as it stands in elements and attributes; @buffer: 8 bytes. */
static const char *escaped(gunichar c, char *buffer)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        buffer[g_unichar_to_utf8(is_harmful(c) ? 0xFFFD : c, buffer)] = '\0';
        return buffer;
    }
}

static guint columns_of(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

guint aimf_html_columns(const char *text)
{
    guint columns = 0;
    for (const char *at = text; *at;)
        columns += columns_of(next_character(&at));
    return columns;
}

/* Whether @text is at most @columns wide, and how many bytes of it are one less, for the "…". */
static gboolean fits(const char *text, guint columns, gsize *most)
{
    guint width = 0, n = 0;
    *most = 0;
    for (const char *at = text; *at; n++) {
        width += columns_of(next_character(&at));
        if (width > columns || n > columns * 4)
            return FALSE;
        if (width < columns)
            *most = (gsize)(at - text);
    }
    return TRUE;
}

char *aimf_html_escape(char *buffer, const char *text, guint columns)
{
    gsize most, bytes = 0;
    if (!text)
        text = "";
    const gboolean whole = fits(text, columns, &most);
    for (const char *at = text; *at && (whole || at < text + most);) {
        char one[8];
        gunichar c = next_character(&at);
        const char *shown = escaped(c == '\n' || c == '\t' || c == '\r' ? ' ' : c, one);
        gsize n = strlen(shown);
        if (bytes + n + sizeof "…" > AIMF_HTML_BYTES)
            break;
        memcpy(buffer + bytes, shown, n);
        bytes += n;
    }
    strcpy(buffer + bytes, whole ? "" : "…");
    return buffer;
}

void aimf_html_put_text(AimfHtml *html, const char *text, gsize most)
{
    gsize n = 0;
    for (const char *at = text ? text : ""; *at; n++) {
        char one[8];
        if (n == most) {
            g_string_append(html->text, "…");
            return;
        }
        gunichar c = next_character(&at);
        if (c == '\n' || c == '\t')
            g_string_append_c(html->text, (char)c);
        else
            g_string_append(html->text, escaped(c, one));
    }
}

void aimf_html_put(AimfHtml *html, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(html->text, format, arguments);
    va_end(arguments);
}

/* --- Numbers --- */

/* Locales have no say: g_ascii_formatd. What rounds to 0 has no sign. */
static char *put_number(char *buffer, double value, const char *format, gboolean sign)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value))
        return strcpy(buffer, "–");
    g_ascii_formatd(digits, sizeof digits, format, fabs(value));
    gboolean zero = !digits[strspn(digits, "0.")];
    g_snprintf(buffer, AIMF_FIGURE_BYTES, "%s%s", zero ? "" : value < 0 ? "−" : sign ? "+" : "", digits);
    return buffer;
}

char *aimf_html_percent(char *buffer, double value, int decimals, gboolean sign)
{
    return put_number(buffer, 100 * value, decimals == 1 ? "%.1f" : "%.2f", sign);
}

char *aimf_html_between(char *buffer, AimfInterval interval, int decimals)
{
    char low[AIMF_FIGURE_BYTES], high[AIMF_FIGURE_BYTES];
    if (!isfinite(interval.low) || !isfinite(interval.high))
        return strcpy(buffer, "–");
    g_snprintf(buffer, AIMF_FIGURES_BYTES, "%s to %s", aimf_html_percent(low, interval.low, decimals, TRUE),
               aimf_html_percent(high, interval.high, decimals, TRUE));
    return buffer;
}

char *aimf_html_decimal(char *buffer, double value, int decimals)
{
    char format[8];
    g_snprintf(format, sizeof format, "%%.%df", decimals);
    return fabs(value) < 1e15 ? put_number(buffer, value, format, FALSE) : aimf_html_significant(buffer, value);
}

char *aimf_html_scientific(char *buffer, double value)
{
    return put_number(buffer, value, "%.2e", FALSE);
}

char *aimf_html_significant(char *buffer, double value)
{
    return put_number(buffer, value, "%.3g", FALSE);
}

char *aimf_html_count(char *buffer, guint64 value)
{
    char digits[24];
    gsize n = (gsize)g_snprintf(digits, sizeof digits, "%" G_GUINT64_FORMAT, value), at = 0;
    for (gsize i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0 && n > 4) { /* a thin space that does not break */
            memcpy(buffer + at, "\u202F", strlen("\u202F"));
            at += strlen("\u202F");
        }
        buffer[at++] = digits[i];
    }
    buffer[at] = '\0';
    return buffer;
}

char *aimf_html_coordinate(char *buffer, double value)
{
    double rounded = isfinite(value) ? round(CLAMP(value, -1e6, 1e6) * 100) / 100 : 0;
    g_ascii_formatd(buffer, AIMF_FIGURE_BYTES, "%.2f", rounded == 0 ? 0 : rounded);
    char *end = buffer + strlen(buffer);
    while (end[-1] == '0')
        *--end = '\0';
    if (end[-1] == '.')
        end[-1] = '\0';
    return buffer;
}

/* --- The page --- */

/* The policy keeps the promise that nothing is loaded, whatever a name in the data would like. */
void aimf_html_page(AimfHtml *html, const char *title, const char *program)
{
    aimf_html_put(html,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                  "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<meta name=\"generator\" content=\"aimfair %s\">\n<title>%s</title>\n"
                  "<link rel=\"icon\" href=\"data:,\">\n",
                  AIMF_HTML(program), AIMF_HTML(title));
    aimf_html_put(html, "<style>\n");
    for (const char *const *style = aimf_report_style(); *style; style++)
        g_string_append(html->text, *style);
    aimf_html_put(html, "</style>\n</head>\n<body>\n");
}

void aimf_html_page_end(AimfHtml *html)
{
    aimf_html_put(html, "</body>\n</html>\n");
}

void aimf_html_section(AimfHtml *html, const char *id, const char *title)
{
    aimf_html_put(html, "<section aria-labelledby=\"%s\">\n<h%d id=\"%s\">%s</h%d>\n", id, html->level, id, title,
                  html->level);
}

void aimf_html_section_end(AimfHtml *html)
{
    aimf_html_put(html, "</section>\n");
}

void aimf_html_heading(AimfHtml *html, const char *title)
{
    aimf_html_put(html, "<h%d>%s</h%d>\n", html->level + 1, AIMF_HTML(title), html->level + 1);
}

void aimf_html_missing(AimfHtml *html, const char *sentence)
{
    aimf_html_put(html, "<p class=\"missing\">%s</p>\n", sentence);
}

void aimf_html_table(AimfHtml *html, const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    html->n_tables++;
    aimf_html_put(html,
                  "<div class=\"scroll %s\" role=\"region\" tabindex=\"0\" aria-label=\"Table %u\">\n<table>\n"
                  "<caption><span><b>Table %u.</b> ",
                  kind, html->n_tables, html->n_tables);
    g_string_append_vprintf(html->text, format, arguments);
    aimf_html_put(html, "</span></caption>\n");
    va_end(arguments);
}

void aimf_html_table_end(AimfHtml *html)
{
    aimf_html_put(html, "</table>\n</div>\n");
}

void aimf_html_figure(AimfHtml *html, gboolean scrolls)
{
    html->n_figures++;
    aimf_html_put(html, "<figure>\n");
    if (scrolls)
        aimf_html_put(html, "<div class=\"scroll chart\" role=\"region\" tabindex=\"0\" aria-label=\"Figure %u\">\n",
                      html->n_figures);
}

void aimf_html_caption(AimfHtml *html, gboolean scrolls)
{
    aimf_html_put(html, "%s<figcaption><b>Figure %u.</b> ", scrolls ? "</div>\n" : "", html->n_figures);
}

void aimf_html_caption_end(AimfHtml *html)
{
    aimf_html_put(html, "</figcaption>\n</figure>\n");
}

void aimf_html_figure_end(AimfHtml *html, gboolean scrolls, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    aimf_html_caption(html, scrolls);
    g_string_append_vprintf(html->text, format, arguments);
    aimf_html_caption_end(html);
    va_end(arguments);
}
