/* Pages that cairo draws on: colours, fonts and text, and the page as a PNG or SVG file, as its name says. */
#pragma once

#include <aimfair/error.h>
#include <cairo.h>

/** AimfPaint: the colours of all charts. Marks are told apart in grey print too: they differ in lightness. */
typedef enum {
    AIMF_PAPER,
    AIMF_INK,
    AIMF_FAINT, /* text of less weight */
    AIMF_RULE,  /* lines behind marks */
    AIMF_GREY,
    AIMF_AMBER,
    AIMF_TEAL,
    AIMF_RUST,
    AIMF_PALE_TEAL, /* behind marks */
    AIMF_PALE_RUST,
    AIMF_N_PAINTS
} AimfPaint;

/**
 * AimfPage:
 * @cr: (owned) to draw with; a unit is a pixel of @scale 1, and one of CSS in SVG. It begins as white paper and ink.
 */
typedef struct {
    cairo_t *cr;
    char *path;
    GByteArray *svg; /* (nullable) what cairo wrote so far */
} AimfPage;

/** aimf_page_check_name: FALSE with INVALID unless @path ends in .png or .svg, in whatever case. */
gboolean aimf_page_check_name(const char *path, GError **error);
/**
 * aimf_page_new:
 * @path: of the file, for aimf_page_write; @scale: pixels of a PNG for each unit
 * Returns: (owned) or NULL with INVALID, as aimf_page_check_name. Want of memory is told when the page is written.
 */
AimfPage *aimf_page_new(const char *path, int width, int height, double scale, GError **error);
/**
 * aimf_page_write: the file, atomically; afterwards nothing can be drawn. The same drawing gives the same bytes.
 * FALSE with NOT_FOUND, IO or INVALID (of the file), MEMORY or FAILED (of cairo).
 */
gboolean aimf_page_write(AimfPage *page, GError **error);
void aimf_page_free(AimfPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPage, aimf_page_free)

typedef enum { AIMF_LEFT, AIMF_CENTRE, AIMF_RIGHT } AimfAlign;

void aimf_draw_paint(cairo_t *cr, AimfPaint paint);
/** aimf_draw_font: the system's sans-serif. Letters that it lacks are drawn as boxes. */
void aimf_draw_font(cairo_t *cr, double size, gboolean bold);
/** aimf_draw_text: one line of valid UTF-8; @x: of its left end, centre or right end; @y: of its baseline */
void aimf_draw_text(cairo_t *cr, double x, double y, AimfAlign align, const char *text);
double aimf_text_width(cairo_t *cr, const char *text);
/**
 * aimf_fit_text: (owned) @text, any bytes, as one line that is at most @width wide in the present font: valid UTF-8
 * without control characters (U+FFFD in their place); what does not fit is cut at its end, or @keep_end at its start,
 * and "…" stands there.
 */
char *aimf_fit_text(cairo_t *cr, const char *text, double width, gboolean keep_end);
