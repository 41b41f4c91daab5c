/* A page of HTML as it grows: escaped text, numbers, sections, tables and figures. */
#pragma once

#include <aimfair/fair.h>

/**
 * AimfHtml: @text: (owned) so far; @level: of a section's heading; the counts number captions; @failure: (owned) the
 * first thing that the machine kept from being read, after which the page is of no use
 */
typedef struct {
    GString *text;
    int level;
    guint n_tables;
    guint n_figures;
    GError *failure;
} AimfHtml;

enum { AIMF_HTML_BYTES = 1200, AIMF_HTML_CHARACTERS = 160, AIMF_FIGURE_BYTES = 48, AIMF_FIGURES_BYTES = 112 };

/**
 * AIMF_HTML: (char *) foreign @text, of any bytes, for elements and attributes: escaped, on one line, at most
 * AIMF_HTML_CHARACTERS. What is no UTF-8, controls, and what turns the direction of text are U+FFFD. "" for NULL. It
 * lives until the end of the block. AIMF_HTML_FIT: as wide as @columns of fixed width, and "…".
 */
#define AIMF_HTML(text) aimf_html_escape((char[AIMF_HTML_BYTES]){ 0 }, text, AIMF_HTML_CHARACTERS)
#define AIMF_HTML_FIT(text, columns) aimf_html_escape((char[AIMF_HTML_BYTES]){ 0 }, text, columns)
char *aimf_html_escape(char *buffer, const char *text, guint columns);
/** aimf_html_columns: how wide @text is, any bytes, in those. */
guint aimf_html_columns(const char *text);

/* Numbers, alive as long as AIMF_HTML: "81.30" and "+3.20" of 0.813 and 0.032; "–" where unknown; coordinates. */
#define AIMF_PERCENT(value) aimf_html_percent((char[AIMF_FIGURE_BYTES]){ 0 }, value, 2, FALSE)
#define AIMF_POINTS(value) aimf_html_percent((char[AIMF_FIGURE_BYTES]){ 0 }, value, 2, TRUE)
#define AIMF_PERCENT_SHORT(value) aimf_html_percent((char[AIMF_FIGURE_BYTES]){ 0 }, value, 1, FALSE)
#define AIMF_POINTS_SHORT(value) aimf_html_percent((char[AIMF_FIGURE_BYTES]){ 0 }, value, 1, TRUE)
#define AIMF_BETWEEN(interval) aimf_html_between((char[AIMF_FIGURES_BYTES]){ 0 }, interval, 2)
#define AIMF_BETWEEN_SHORT(interval) aimf_html_between((char[AIMF_FIGURES_BYTES]){ 0 }, interval, 1)
#define AIMF_DECIMAL(value, decimals) aimf_html_decimal((char[AIMF_FIGURE_BYTES]){ 0 }, value, decimals)
#define AIMF_SIGNIFICANT(value) aimf_html_significant((char[AIMF_FIGURE_BYTES]){ 0 }, value)
#define AIMF_SCIENTIFIC(value) aimf_html_scientific((char[AIMF_FIGURE_BYTES]){ 0 }, value)
#define AIMF_COUNT(value) aimf_html_count((char[AIMF_FIGURE_BYTES]){ 0 }, value)
#define AIMF_XY(value) aimf_html_coordinate((char[AIMF_FIGURE_BYTES]){ 0 }, value)
char *aimf_html_percent(char *buffer, double value, int decimals, gboolean sign);
char *aimf_html_between(char *buffer, AimfInterval interval, int decimals);
char *aimf_html_decimal(char *buffer, double value, int decimals);
char *aimf_html_significant(char *buffer, double value);
char *aimf_html_scientific(char *buffer, double value);
char *aimf_html_count(char *buffer, guint64 value);
char *aimf_html_coordinate(char *buffer, double value);

void aimf_html_put(AimfHtml *html, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** aimf_html_put_text: foreign @text (nullable), escaped with its line breaks, at most @most characters. */
void aimf_html_put_text(AimfHtml *html, const char *text, gsize most);

/** aimf_html_page: everything before the first section. @title: of the document, any text; @program: (nullable). */
void aimf_html_page(AimfHtml *html, const char *title, const char *program);
void aimf_html_page_end(AimfHtml *html);

/** aimf_html_section: @id: of the heading; @title: escaped already. */
void aimf_html_section(AimfHtml *html, const char *id, const char *title);
void aimf_html_section_end(AimfHtml *html);
/** aimf_html_heading: one level below the section's; @title: any text. */
void aimf_html_heading(AimfHtml *html, const char *title);
/** aimf_html_missing: a sentence in place of what is not there; @sentence: escaped already. */
void aimf_html_missing(AimfHtml *html, const char *sentence);

/** aimf_html_table: opens a table that scrolls by itself where it is wide; the caption is escaped already. */
void aimf_html_table(AimfHtml *html, const char *kind, const char *format, ...) G_GNUC_PRINTF(3, 4);
void aimf_html_table_end(AimfHtml *html);
/** aimf_html_figure: opens a figure; @scrolls: it keeps its width where the screen is narrower. */
void aimf_html_figure(AimfHtml *html, gboolean scrolls);
/** aimf_html_caption: its caption, which follows until aimf_html_caption_end. aimf_html_figure_end: all of that. */
void aimf_html_caption(AimfHtml *html, gboolean scrolls);
void aimf_html_caption_end(AimfHtml *html);
void aimf_html_figure_end(AimfHtml *html, gboolean scrolls, const char *format, ...) G_GNUC_PRINTF(3, 4);
