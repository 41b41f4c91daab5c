#include "base/drawing.h"

#include "base/file.h"

#include <cairo-svg.h>
#include <string.h>

/* --- Pages --- */

static gboolean has_ending(const char *path, const char *ending)
{
    gsize length = strlen(path), n = strlen(ending);
    return length > n && g_ascii_strcasecmp(path + length - n, ending) == 0;
}

gboolean aimf_page_check_name(const char *path, GError **error)
{
    if (has_ending(path, ".png") || has_ending(path, ".svg"))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is no name of a picture: it must end in .svg or .png",
                path);
    return FALSE;
}

static cairo_status_t append_chunk(void *bytes, const unsigned char *data, unsigned int n)
{
    g_byte_array_append(bytes, data, n);
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *svg_surface(GByteArray *bytes, int width, int height)
{
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(append_chunk, bytes, width, height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    return surface;
}

AimfPage *aimf_page_new(const char *path, int width, int height, double scale, GError **error)
{
    if (!aimf_page_check_name(path, error))
        return NULL;
    AimfPage *page = g_new0(AimfPage, 1);
    page->path = g_strdup(path);
    page->svg = has_ending(path, ".svg") ? g_byte_array_new() : NULL;
    cairo_surface_t *surface = page->svg ? svg_surface(page->svg, width, height)
                                         : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale + 0.5),
                                                                      (int)(height * scale + 0.5));
    page->cr = cairo_create(surface);
    cairo_surface_destroy(surface); /* the context keeps it */
    if (!page->svg)
        cairo_scale(page->cr, scale, scale);
    aimf_draw_paint(page->cr, AIMF_PAPER);
    cairo_paint(page->cr);
    aimf_draw_paint(page->cr, AIMF_INK);
    return page;
}

void aimf_page_free(AimfPage *page)
{
    if (!page)
        return;
    cairo_destroy(page->cr);
    if (page->svg)
        g_byte_array_unref(page->svg);
    g_free(page->path);
    g_free(page);
}

static cairo_status_t write_chunk(void *writer, const unsigned char *data, unsigned int bytes)
{
    aimf_writer_write(writer, data, bytes);
    return CAIRO_STATUS_SUCCESS; /* the writer remembers a failure for its commit */
}

/* cairo 1.16 gives the page the number of all surfaces that the process made before: id="surface6". */
static void write_svg(AimfWriter *writer, const GByteArray *svg)
{
    static const char id[] = " id=\"surface";
    const char *text = (const char *)svg->data, *found = g_strstr_len(text, (gssize)svg->len, id);
    const char *end = found ? memchr(found + strlen(id), '"', svg->len - (gsize)(found + strlen(id) - text)) : NULL;
    gsize before = end ? (gsize)(found - text) : svg->len;
    aimf_writer_write(writer, text, before);
    if (end)
        aimf_writer_write(writer, end + 1, svg->len - (gsize)(end + 1 - text));
}

gboolean aimf_page_write(AimfPage *page, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(page->path, error);
    if (!writer)
        return FALSE;
    cairo_surface_t *surface = cairo_get_target(page->cr);
    cairo_status_t status = cairo_status(page->cr);
    if (status == CAIRO_STATUS_SUCCESS && !page->svg)
        status = cairo_surface_write_to_png_stream(surface, write_chunk, writer);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    if (status != CAIRO_STATUS_SUCCESS) {
        g_set_error(error, AIMF_ERROR, status == CAIRO_STATUS_NO_MEMORY ? AIMF_ERROR_MEMORY : AIMF_ERROR_FAILED,
                    "cannot draw '%s': %s", page->path, cairo_status_to_string(status));
        return FALSE;
    }
    if (page->svg)
        write_svg(writer, page->svg);
    return aimf_writer_commit(writer, error);
}

/* --- Colours and text --- */

void aimf_draw_paint(cairo_t *cr, AimfPaint paint)
{
    static const double colours[AIMF_N_PAINTS][3] = {
        [AIMF_PAPER] = { 1, 1, 1 },
        [AIMF_INK] = { 0.13, 0.15, 0.19 },
        [AIMF_FAINT] = { 0.45, 0.48, 0.53 },
        [AIMF_RULE] = { 0.88, 0.89, 0.91 },
        [AIMF_GREY] = { 0.62, 0.64, 0.69 },
        [AIMF_AMBER] = { 0.95, 0.69, 0.30 },
        [AIMF_TEAL] = { 0.07, 0.47, 0.50 },
        [AIMF_RUST] = { 0.72, 0.25, 0.05 },
        [AIMF_PALE_TEAL] = { 0.93, 0.97, 0.97 },
        [AIMF_PALE_RUST] = { 0.99, 0.94, 0.91 },
    };
    cairo_set_source_rgb(cr, colours[paint][0], colours[paint][1], colours[paint][2]);
}

void aimf_draw_font(cairo_t *cr, double size, gboolean bold)
{
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

double aimf_text_width(cairo_t *cr, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

void aimf_draw_text(cairo_t *cr, double x, double y, AimfAlign align, const char *text)
{
    double share = align == AIMF_LEFT ? 0 : align == AIMF_CENTRE ? 0.5 : 1;
    cairo_move_to(cr, x - aimf_text_width(cr, text) * share, y);
    cairo_show_text(cr, text);
}

enum { LONGEST = 400 }; /* characters that are looked at; no page has room for more */

/* cairo refuses what Unicode calls noncharacters. */
static gboolean can_be_drawn(gunichar c)
{
    return !g_unichar_iscntrl(c) && !(c >= 0xFDD0 && c <= 0xFDEF) && (c & 0xFFFE) != 0xFFFE;
}

/* (owned) the first @n characters, or the last, and "…" where there are more. */
static char *cut(const char *text, glong length, glong n, gboolean keep_end)
{
    if (n >= length)
        return g_strdup(text);
    g_autofree char *part = keep_end ? g_utf8_substring(text, length - n, length) : g_utf8_substring(text, 0, n);
    return g_strconcat(keep_end ? "…" : part, keep_end ? part : "…", NULL);
}

char *aimf_fit_text(cairo_t *cr, const char *text, double width, gboolean keep_end)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GString) line = g_string_new(NULL);
    const char *at = keep_end ? valid + strlen(valid) : valid;
    for (glong n = 0; keep_end && at > valid && n <= LONGEST; n++)
        at = g_utf8_prev_char(at);
    glong length = 0, low = 0;
    for (; *at && length <= LONGEST; at = g_utf8_next_char(at), length++) {
        gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(line, can_be_drawn(c) ? c : 0xFFFD);
    }
    if (length <= LONGEST && aimf_text_width(cr, line->str) <= width)
        return g_string_free(g_steal_pointer(&line), FALSE);
    for (glong high = length; high - low > 1;) { /* low characters fit, or none do; high do not */
        glong middle = (low + high) / 2;
        g_autofree char *tried = cut(line->str, length, middle, keep_end);
        if (aimf_text_width(cr, tried) <= width)
            low = middle;
        else
            high = middle;
    }
    return cut(line->str, length, low, keep_end);
}
