/* Pieces of charts as SVG within a page: axes, marks, legends, dumbbells. Colours are classes of the style sheet. */
#pragma once

#include "run/report_facts.h"
#include "run/report_page.h"

/** AimfScale: from values to coordinates; @percent: values are shares; @step: between ticks, of a linear one. */
typedef struct {
    double low, high;
    double from, to;
    double step;
    int decimals;
    gboolean log;
    gboolean percent;
} AimfScale;

/** aimf_scale_new: linear, with about @ticks round steps, and wide enough for both ends; NaN ends are 0 and 1. */
AimfScale aimf_scale_new(double low, double high, double from, double to, int ticks, gboolean percent);
/** aimf_scale_log: @low, @high: above 0; decades are its ticks. */
AimfScale aimf_scale_log(double low, double high, double from, double to);
/** aimf_scale_at: where @value is; beyond the ends it is at them. */
double aimf_scale_at(const AimfScale *scale, double value);

/** aimf_svg_begin: @label: what it shows, any text, for those who do not see it. */
void aimf_svg_begin(AimfHtml *html, double width, double height, const char *label);
void aimf_svg_end(AimfHtml *html);
/** aimf_svg_axis_x: lines and numbers; @y: from top to bottom, where the numbers are; @title: escaped. */
void aimf_svg_axis_x(AimfHtml *html, const AimfScale *scale, double top, double bottom, const char *title);
/** aimf_svg_axis_y: the same to the left; the title stands above. */
void aimf_svg_axis_y(AimfHtml *html, const AimfScale *scale, double left, double right, const char *title);

/** AimfMark: shapes differ as well as colours. */
typedef enum {
    AIMF_MARK_BEFORE, /* ring */
    AIMF_MARK_AFTER,  /* disc */
    AIMF_MARK_LOSS,   /* diamond */
    AIMF_MARK_OPEN,   /* small ring */
    AIMF_MARK_CHOSEN, /* square */
} AimfMark;

/** aimf_svg_mark: @title: (nullable) any text, which shows over it. */
void aimf_svg_mark(AimfHtml *html, AimfMark mark, double x, double y, const char *title);
/** aimf_svg_interval: the change and its interval on a line of its own, for a cell of a table; @most: ends of it. */
void aimf_svg_interval(AimfHtml *html, double change, AimfInterval interval, double most, AimfDirection direction);

void aimf_legend_begin(AimfHtml *html);
void aimf_legend_mark(AimfHtml *html, AimfMark mark, const char *text);
/** aimf_legend_line: of the series @index; @text: any. */
void aimf_legend_line(AimfHtml *html, guint index, const char *text);
void aimf_legend_end(AimfHtml *html);

/** aimf_svg_series: begins the line of the series @index: its points follow, then aimf_svg_series_end. */
void aimf_svg_series(AimfHtml *html, guint index);
void aimf_svg_series_end(AimfHtml *html, const char *title);

/**
 * AimfDumbbell: a row of before and after. @name: any text, and @second: (nullable) what follows it after a comma;
 * both are cut where they are long. @note: short, at the right, escaped; @lost: it got worse
 */
typedef struct {
    char *name;
    char *second;
    double before, after;
    gboolean lost;
    char *note;
} AimfDumbbell;

/** aimf_svg_dumbbells: @rows: (n); @title: of the axis, escaped; @label: as of aimf_svg_begin. */
void aimf_svg_dumbbells(AimfHtml *html, const AimfDumbbell *rows, guint n, const char *title, const char *label);
void aimf_dumbbells_clear(AimfDumbbell *rows, guint n);
/** aimf_dumbbell_legend: of those. */
void aimf_dumbbell_legend(AimfHtml *html, const char *worse);
/** aimf_html_direction: the mark and the word of it, as a cell's contents. */
const char *aimf_html_direction(AimfDirection direction);
