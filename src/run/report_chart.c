#include "run/report_chart.h"

/* --- Scales --- */

/* The round step, 1, 2 or 5 by a power of ten, that is no less than @least. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    for (double step = 1; step <= 5; step = step == 2 ? 5 : 2 * step)
        if (step * power >= least * (1 - 1e-9))
            return step * power;
    return 10 * power;
}

AimfScale aimf_scale_new(double low, double high, double from, double to, int ticks, gboolean percent)
{
    if (!isfinite(low) || !isfinite(high) || high < low)
        low = 0, high = 1;
    const double least = percent ? 0.01 : fmax(1e-9, 1e-6 * fmax(fabs(low), fabs(high)));
    if (high - low < least) {
        low -= least / 2;
        high = low + least;
    }
    AimfScale scale = { .from = from, .to = to, .percent = percent, .step = round_step((high - low) / ticks) };
    scale.low = floor(low / scale.step + 1e-9) * scale.step;
    scale.high = ceil(high / scale.step - 1e-9) * scale.step;
    const double shown = percent ? 100 * scale.step : scale.step;
    scale.decimals = shown >= 1 ? 0 : (int)ceil(-log10(shown) - 1e-9);
    scale.decimals = CLAMP(scale.decimals, 0, 9);
    return scale;
}

AimfScale aimf_scale_log(double low, double high, double from, double to)
{
    AimfScale scale = { .from = from, .to = to, .log = TRUE, .low = log10(low), .high = log10(high) };
    const double margin = fmax(0.04 * (scale.high - scale.low), 0.05);
    scale.low -= margin;
    scale.high += margin;
    return scale;
}

double aimf_scale_at(const AimfScale *scale, double value)
{
    const double at = scale->log ? (value > 0 ? log10(value) : scale->low) : value;
    const double share = (at - scale->low) / (scale->high - scale->low);
    return scale->from + CLAMP(share, 0, 1) * (scale->to - scale->from);
}

/* --- Axes --- */

void aimf_svg_begin(AimfHtml *html, double width, double height, const char *label)
{
    aimf_html_put(html, "<svg viewBox=\"0 0 %s %s\" width=\"%s\" height=\"%s\" role=\"img\" aria-label=\"%s\">\n",
                  AIMF_XY(width), AIMF_XY(height), AIMF_XY(width), AIMF_XY(height), AIMF_HTML(label));
}

void aimf_svg_end(AimfHtml *html)
{
    aimf_html_put(html, "</svg>\n");
}

enum { MOST_TICKS = 16 };

/* Values of ticks; of a long logarithmic scale not every decade. */
static guint ticks_of(const AimfScale *scale, double *values)
{
    guint n = 0;
    if (!scale->log) {
        for (guint i = 0; i < MOST_TICKS && scale->low + i * scale->step <= scale->high + scale->step * 1e-6; i++)
            values[n++] = scale->low + i * scale->step;
        return n;
    }
    const double span = scale->high - scale->low;
    const double step = ceil(span / 8);
    if (span < 1.3) { /* too short for decades alone */
        static const double steps[] = { 1, 2, 5 };
        for (double decade = floor(scale->low); decade <= scale->high; decade++)
            for (gsize i = 0; i < G_N_ELEMENTS(steps) && n < MOST_TICKS; i++) {
                const double at = decade + log10(steps[i]);
                if (at >= scale->low && at <= scale->high)
                    values[n++] = steps[i] * pow(10, decade);
            }
        return n;
    }
    for (double decade = ceil(scale->low); decade <= scale->high && n < MOST_TICKS; decade += step)
        values[n++] = pow(10, decade);
    return n;
}

/* "10⁻³", "5·10⁻³". */
static const char *power_text(double value, char *buffer)
{
    static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    const int exponent = (int)floor(log10(value) + 1e-9);
    const int digit = (int)(value / pow(10, exponent) + 0.5);
    const guint size = (guint)ABS(exponent);
    g_snprintf(buffer, AIMF_FIGURE_BYTES, "%s10%s%s%s",
               digit == 2   ? "2·"
               : digit == 5 ? "5·"
                            : "",
               exponent < 0 ? "⁻" : "", size > 9 ? raised[size / 10 % 10] : "", raised[size % 10]);
    return buffer;
}

static const char *tick_text(const AimfScale *scale, double value, char *buffer)
{
    if (scale->log)
        return power_text(value, buffer);
    return aimf_html_decimal(buffer, scale->percent ? 100 * value : value, scale->decimals);
}

void aimf_svg_axis_x(AimfHtml *html, const AimfScale *scale, double top, double bottom, const char *title)
{
    double values[MOST_TICKS];
    const guint n = ticks_of(scale, values);
    for (guint i = 0; i < n; i++) {
        char text[AIMF_FIGURE_BYTES];
        const double x = aimf_scale_at(scale, values[i]);
        aimf_html_put(html, "<path class=\"grid\" d=\"M%s %sV%s\"/><text class=\"s m\" x=\"%s\" y=\"%s\">%s</text>\n",
                      AIMF_XY(x), AIMF_XY(top), AIMF_XY(bottom), AIMF_XY(x), AIMF_XY(bottom + 16),
                      tick_text(scale, values[i], text));
    }
    if (title)
        aimf_html_put(html, "<text class=\"s m\" x=\"%s\" y=\"%s\">%s</text>\n", AIMF_XY((scale->from + scale->to) / 2),
                      AIMF_XY(bottom + 34), title);
}

void aimf_svg_axis_y(AimfHtml *html, const AimfScale *scale, double left, double right, const char *title)
{
    double values[MOST_TICKS];
    const guint n = ticks_of(scale, values);
    for (guint i = 0; i < n; i++) {
        char text[AIMF_FIGURE_BYTES];
        const double y = aimf_scale_at(scale, values[i]);
        aimf_html_put(html, "<path class=\"grid\" d=\"M%s %sH%s\"/><text class=\"s e\" x=\"%s\" y=\"%s\">%s</text>\n",
                      AIMF_XY(left), AIMF_XY(y), AIMF_XY(right), AIMF_XY(left - 6), AIMF_XY(y + 4),
                      tick_text(scale, values[i], text));
    }
    if (title)
        aimf_html_put(html, "<text class=\"s\" x=\"0\" y=\"%s\">%s</text>\n", AIMF_XY(scale->to - 14), title);
}

/* --- Marks --- */

static void put_shape(AimfHtml *html, AimfMark mark, double x, double y)
{
    switch (mark) {
    case AIMF_MARK_BEFORE:
        aimf_html_put(html, "<circle class=\"before\" cx=\"%s\" cy=\"%s\" r=\"5.5\"/>", AIMF_XY(x), AIMF_XY(y));
        break;
    case AIMF_MARK_AFTER:
        aimf_html_put(html, "<circle class=\"after\" cx=\"%s\" cy=\"%s\" r=\"5.5\"/>", AIMF_XY(x), AIMF_XY(y));
        break;
    case AIMF_MARK_LOSS:
        aimf_html_put(html, "<path class=\"loss\" d=\"M%s %sl6.5 6.5l-6.5 6.5l-6.5 -6.5z\"/>", AIMF_XY(x),
                      AIMF_XY(y - 6.5));
        break;
    case AIMF_MARK_OPEN:
        aimf_html_put(html, "<circle class=\"open\" cx=\"%s\" cy=\"%s\" r=\"4\"/>", AIMF_XY(x), AIMF_XY(y));
        break;
    case AIMF_MARK_CHOSEN:
        aimf_html_put(html, "<rect class=\"after\" x=\"%s\" y=\"%s\" width=\"9\" height=\"9\"/>", AIMF_XY(x - 4.5),
                      AIMF_XY(y - 4.5));
        break;
    }
}

void aimf_svg_mark(AimfHtml *html, AimfMark mark, double x, double y, const char *title)
{
    if (title)
        aimf_html_put(html, "<g><title>%s</title>", AIMF_HTML(title));
    put_shape(html, mark, x, y);
    aimf_html_put(html, title ? "</g>\n" : "\n");
}

void aimf_svg_interval(AimfHtml *html, double change, AimfInterval interval, double most, AimfDirection direction)
{
    static const char *const colours[] = { "3", "0", "1", "3" };
    const double width = 116, middle = 9;
    const AimfScale scale = { .low = -most, .high = most, .from = 6, .to = width - 6 };
    if (!isfinite(change) || most <= 0)
        return;
    const double at = aimf_scale_at(&scale, change);
    aimf_html_put(html, "<svg width=\"%s\" height=\"18\" viewBox=\"0 0 %s 18\" aria-hidden=\"true\">", AIMF_XY(width),
                  AIMF_XY(width));
    aimf_html_put(html, "<path class=\"grid\" d=\"M6 9H%s\"/><path class=\"axis\" d=\"M%s 1V17\"/>", AIMF_XY(width - 6),
                  AIMF_XY(width / 2));
    if (aimf_interval_known(interval))
        aimf_html_put(html, "<path class=\"line c%s\" d=\"M%s 9H%s\" stroke-width=\"3\"/>", colours[direction],
                      AIMF_XY(aimf_scale_at(&scale, interval.low)), AIMF_XY(aimf_scale_at(&scale, interval.high)));
    if (direction == AIMF_WORSE)
        aimf_html_put(html, "<path class=\"loss\" d=\"M%s 3.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z\"/>", AIMF_XY(at));
    else
        aimf_html_put(html, "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"4.5\"/>",
                      direction == AIMF_BETTER ? "after" : "before", AIMF_XY(at), AIMF_XY(middle));
    aimf_html_put(html, "</svg>");
}

/* --- Legends and lines --- */

void aimf_legend_begin(AimfHtml *html)
{
    aimf_html_put(html, "<ul class=\"legend\">\n");
}

void aimf_legend_mark(AimfHtml *html, AimfMark mark, const char *text)
{
    aimf_html_put(html, "<li><svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">");
    put_shape(html, mark, 8, 8);
    aimf_html_put(html, "</svg> %s</li>\n", AIMF_HTML(text));
}

enum { N_COLOURS = 4 };
/* A colour's second and third lines are broken, so that no two of the first twelve are alike. */
static const char *const dashes[] = { "", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"1.5 4\"" };

static const char *dash_of(guint index)
{
    return dashes[(index / N_COLOURS + index % N_COLOURS) % G_N_ELEMENTS(dashes)];
}

void aimf_legend_line(AimfHtml *html, guint index, const char *text)
{
    aimf_html_put(html,
                  "<li><svg width=\"30\" height=\"10\" viewBox=\"0 0 30 10\" aria-hidden=\"true\">"
                  "<path class=\"line c%u\"%s d=\"M2 5H28\"/></svg> %s</li>\n",
                  index % N_COLOURS, dash_of(index), AIMF_HTML(text));
}

void aimf_legend_end(AimfHtml *html)
{
    aimf_html_put(html, "</ul>\n");
}

void aimf_svg_series(AimfHtml *html, guint index)
{
    aimf_html_put(html, "<path class=\"line c%u\"%s d=\"", index % N_COLOURS, dash_of(index));
}

void aimf_svg_series_end(AimfHtml *html, const char *title)
{
    aimf_html_put(html, "\"><title>%s</title></path>\n", AIMF_HTML(title));
}

/* --- Dumbbells --- */

#define WIDTH 760.0
#define NAMES 226.0
#define NOTES 84.0
#define ROW 27.0
#define TOP 12.0

static AimfScale dumbbell_scale(const AimfDumbbell *rows, guint n)
{
    double low = INFINITY, high = -INFINITY;
    for (guint i = 0; i < n; i++) {
        low = fmin(low, fmin(rows[i].before, rows[i].after)); /* fmin passes NaN over */
        high = fmax(high, fmax(rows[i].before, rows[i].after));
    }
    const double lacks = isfinite(high - low) ? fmax(0.02 - (high - low), 0) : 0;
    low = fmax(low - lacks, 0);
    return aimf_scale_new(low, fmax(high, low + 0.02), NAMES + 14, WIDTH - NOTES - 14, 7, TRUE);
}

enum { NAME_COLUMNS = 32, LEAST_COLUMNS = 15 };

/* Neither part of a name pushes the other one out. */
static void put_name(AimfHtml *html, const AimfDumbbell *row, double y)
{
    const char *second = row->second ? row->second : "";
    const guint after = MIN(aimf_html_columns(second), (guint)LEAST_COLUMNS) + 2;
    const guint before = MIN(aimf_html_columns(row->name), NAME_COLUMNS - after) + 2;
    const char *name = AIMF_HTML_FIT(row->name, *second ? NAME_COLUMNS - after : NAME_COLUMNS);
    aimf_html_put(html, "<text class=\"e\" x=\"%s\" y=\"%s\">%s%s%s</text>", AIMF_XY(NAMES), AIMF_XY(y), name,
                  *second ? ", " : "", AIMF_HTML_FIT(second, NAME_COLUMNS - before));
}

static void put_dumbbell(AimfHtml *html, const AimfDumbbell *row, const AimfScale *scale, double y)
{
    const double before = aimf_scale_at(scale, row->before), after = aimf_scale_at(scale, row->after);
    g_autofree char *tip =
        g_strdup_printf("%s%s%s: before %s %%, after %s %%", row->name, row->second ? ", " : "",
                        row->second ? row->second : "", AIMF_PERCENT(row->before), AIMF_PERCENT(row->after));
    aimf_html_put(html, "<g><title>%s</title>", AIMF_HTML(tip));
    put_name(html, row, y + 4);
    aimf_html_put(html, "<text class=\"e%s\" x=\"%s\" y=\"%s\">%s</text>", row->lost ? " b" : "", AIMF_XY(WIDTH - 6),
                  AIMF_XY(y + 4), row->note ? row->note : "");
    if (isfinite(row->before) && isfinite(row->after))
        aimf_html_put(html, "<path class=\"link%s\" d=\"M%s %sH%s\"/>", row->lost ? " l" : "", AIMF_XY(before),
                      AIMF_XY(y), AIMF_XY(after));
    if (isfinite(row->before))
        put_shape(html, AIMF_MARK_BEFORE, before, y);
    if (isfinite(row->after))
        put_shape(html, row->lost ? AIMF_MARK_LOSS : AIMF_MARK_AFTER, after, y);
    aimf_html_put(html, "</g>\n");
}

void aimf_svg_dumbbells(AimfHtml *html, const AimfDumbbell *rows, guint n, const char *title, const char *label)
{
    const AimfScale scale = dumbbell_scale(rows, n);
    const double bottom = TOP + ROW * n;
    aimf_svg_begin(html, WIDTH, bottom + 42, label);
    for (guint i = 0; i < n; i++)
        if (rows[i].lost)
            aimf_html_put(html, "<rect class=\"bad\" x=\"0\" y=\"%s\" width=\"%s\" height=\"%s\"/>\n",
                          AIMF_XY(TOP + ROW * i), AIMF_XY(WIDTH), AIMF_XY(ROW));
    aimf_svg_axis_x(html, &scale, TOP, bottom, title);
    for (guint i = 0; i < n; i++)
        put_dumbbell(html, &rows[i], &scale, TOP + ROW * (i + 0.5));
    aimf_svg_end(html);
}

void aimf_dumbbells_clear(AimfDumbbell *rows, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_free(rows[i].name);
        g_free(rows[i].second);
        g_free(rows[i].note);
    }
}

void aimf_dumbbell_legend(AimfHtml *html, const char *worse)
{
    aimf_legend_begin(html);
    aimf_legend_mark(html, AIMF_MARK_BEFORE, "before");
    aimf_legend_mark(html, AIMF_MARK_AFTER, "after");
    aimf_legend_mark(html, AIMF_MARK_LOSS, worse);
    aimf_legend_end(html);
}

const char *aimf_html_direction(AimfDirection direction)
{
    switch (direction) {
    case AIMF_BETTER:
        return "<span class=\"better\"><span aria-hidden=\"true\">●</span> better</span>";
    case AIMF_WORSE:
        return "<span class=\"worse\"><span aria-hidden=\"true\">◆</span> worse</span>";
    case AIMF_UNTOLD:
        return "<span class=\"apart\"><span aria-hidden=\"true\">○</span> not told apart</span>";
    default:
        return "<span class=\"apart\">no interval</span>";
    }
}
