/* Before against after as one picture. */
#include "base/drawing.h"

#include <aimfair/fair.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 1280,
    MARGIN = 28,
    PROTECTED_LEFT = 168,
    LABEL_ROOM = 130,
    COUNT_RIGHT = 356,
    PLOT_LEFT = 384,
    PLOT_RIGHT = 840,
    PLOT_INSET = 12, /* so that marks at an end of the axis stay inside */
    BEFORE_RIGHT = 900,
    AFTER_RIGHT = 962,
    CHANGE_RIGHT = 1044,
    LOST_RIGHT = 1108,
    WON_RIGHT = 1164,
    INTERVAL_RIGHT = 1186,
    HEAD_HEIGHT = 122,
    PANEL_HEAD = 62,
    PANEL_GAP = 30,
    ROW_HEIGHT = 25,
    BASELINE = 17, /* of text in a row */
    FOOT_HEIGHT = 24,
};

/* What a 95 % interval says about a change. */
typedef enum { NOT_TOLD_APART, BETTER, WORSE } Direction;

typedef struct {
    const AimfComparison *c;
    cairo_t *cr;
    const char *names[2];
    const guint *groups; /* (n_groups) those that have a row */
    guint n_groups;
    guint n_empty;  /* left out for want of pictures */
    guint n_hidden; /* for want of room */
    guint scalars[AIMF_N_SCALARS];
    guint n_scalars;
    guint n_headings; /* between the measures */
} Chart;

/* --- Numbers --- */

static double share(guint part, guint n)
{
    return (double)part / n;
}

static double group_change(const AimfGroupPairs *group)
{
    return share(group->right_after, group->n) - share(group->right_before, group->n);
}

static Direction direction_of(AimfInterval change, gboolean low_is_bad)
{
    if (isnan(change.low) || isnan(change.high) || (change.low <= 0 && change.high >= 0))
        return NOT_TOLD_APART;
    return (change.low > 0) == (low_is_bad != FALSE) ? BETTER : WORSE;
}

/* (owned) 100 @value whatever the locale says; @sign: "+" or "−" unless it is 0, kept where rounding leaves zeros. */
static char *number_text(double value, int decimals, gboolean sign)
{
    char format[8], digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_snprintf(format, sizeof format, "%%.%df", decimals);
    g_ascii_formatd(digits, sizeof digits, format, fabs(100 * value));
    return g_strconcat(value < 0 ? "−" : sign && value > 0 ? "+" : "", digits, NULL);
}

/* --- Axes --- */

/* Of shares, from @low to @high; @step: between round ticks. */
typedef struct {
    double low, high, step;
    int decimals; /* of the ticks, in percent */
} Axis;

/* From @low to @high, which differ; ticks are 1, 2 or 5 times a power of ten apart. */
static Axis axis_between(double low, double high)
{
    enum { MOST_STEPS = 10 };
    static const double round_steps[] = { 1, 2, 5, 10 };
    double rough = 100 * (high - low) / MOST_STEPS, power = pow(10, floor(log10(rough)));
    gsize i = 0;
    while (i + 1 < G_N_ELEMENTS(round_steps) && round_steps[i] * power < rough * (1 - 1e-9))
        i++;
    double step = round_steps[i] * power;
    return (Axis){ low, high, step / 100, step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0 };
}

static double axis_x(const Axis *axis, double value)
{
    double place = (value - axis->low) / (axis->high - axis->low);
    return PLOT_LEFT + PLOT_INSET + CLAMP(place, 0, 1) * (PLOT_RIGHT - PLOT_LEFT - 2 * PLOT_INSET);
}

/* Rules from @top to @bottom with their numbers above. @sign: changes, whose 0 stands out */
static void draw_axis(const Chart *chart, const Axis *axis, double top, double bottom, gboolean sign)
{
    cairo_t *cr = chart->cr;
    aimf_draw_font(cr, 12, FALSE);
    const int first = (int)ceil(axis->low / axis->step - 1e-9), last = (int)floor(axis->high / axis->step + 1e-9);
    for (int i = first; i <= last; i++) {
        const double value = i * axis->step;
        const gboolean zero = i == 0;
        g_autofree char *text = number_text(value, axis->decimals, sign);
        aimf_draw_paint(cr, sign && zero ? AIMF_INK : AIMF_RULE);
        cairo_set_line_width(cr, sign && zero ? 1.5 : 1);
        cairo_move_to(cr, axis_x(axis, value), top);
        cairo_line_to(cr, axis_x(axis, value), bottom);
        cairo_stroke(cr);
        aimf_draw_paint(cr, AIMF_FAINT);
        aimf_draw_text(cr, axis_x(axis, value), top - 8, AIMF_CENTRE, text);
    }
}

/* --- Marks --- */

static const AimfPaint VERDICT_PAINTS[] = { AIMF_FAINT, AIMF_TEAL, AIMF_RUST };
static const char *const VERDICT_WORDS[] = { "", "better", "worse" };

static void draw_dot(cairo_t *cr, double x, double y, double radius, AimfPaint paint)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, radius, 0, 2 * G_PI);
    aimf_draw_paint(cr, paint);
    cairo_fill(cr);
}

/* A dot, a diamond or a ring: verdicts are told apart by shape, for those who do not see the colour. */
static void draw_verdict(cairo_t *cr, double x, double y, Direction verdict)
{
    if (verdict == BETTER) {
        draw_dot(cr, x, y, 5, AIMF_TEAL);
        return;
    }
    aimf_draw_paint(cr, verdict == WORSE ? AIMF_RUST : AIMF_PAPER);
    if (verdict == WORSE) {
        cairo_move_to(cr, x, y - 6.5);
        cairo_line_to(cr, x + 6.5, y);
        cairo_line_to(cr, x, y + 6.5);
        cairo_line_to(cr, x - 6.5, y);
        cairo_close_path(cr);
        cairo_fill(cr);
        return;
    }
    cairo_new_sub_path(cr);
    cairo_arc(cr, x, y, 4, 0, 2 * G_PI);
    cairo_fill_preserve(cr);
    aimf_draw_paint(cr, AIMF_FAINT);
    cairo_set_line_width(cr, 1.8);
    cairo_stroke(cr);
}

static void draw_interval(cairo_t *cr, double low, double high, double y, Direction verdict)
{
    const double whisker = 4.5;
    aimf_draw_paint(cr, VERDICT_PAINTS[verdict]);
    cairo_set_line_width(cr, verdict == NOT_TOLD_APART ? 1.6 : 3);
    cairo_move_to(cr, low, y);
    cairo_line_to(cr, high, y);
    cairo_move_to(cr, low, y - whisker);
    cairo_line_to(cr, low, y + whisker);
    cairo_move_to(cr, high, y - whisker);
    cairo_line_to(cr, high, y + whisker);
    cairo_stroke(cr);
}

/* Filled where the loss is certain. */
static void draw_loss(cairo_t *cr, double x, double y, gboolean certain)
{
    cairo_move_to(cr, x - 5, y - 4);
    cairo_line_to(cr, x + 5, y - 4);
    cairo_line_to(cr, x, y + 5);
    cairo_close_path(cr);
    aimf_draw_paint(cr, AIMF_RUST);
    cairo_set_line_width(cr, 1.4);
    if (certain)
        cairo_fill_preserve(cr);
    cairo_stroke(cr);
}

static void fill_row(cairo_t *cr, double left, double right, double y, AimfPaint paint)
{
    aimf_draw_paint(cr, paint);
    cairo_rectangle(cr, left, y, right - left, ROW_HEIGHT);
    cairo_fill(cr);
}

/* --- Text --- */

static void draw_cell(const Chart *chart, double right, double y, const char *text, AimfPaint paint, gboolean bold)
{
    aimf_draw_font(chart->cr, 13, bold);
    aimf_draw_paint(chart->cr, paint);
    aimf_draw_text(chart->cr, right, y + BASELINE, AIMF_RIGHT, text);
}

static void draw_number(const Chart *chart, double right, double y, double value, gboolean sign, gboolean bold)
{
    g_autofree char *text = number_text(value, 2, sign);
    draw_cell(chart, right, y, text, AIMF_INK, bold);
}

static void draw_count(const Chart *chart, double right, double y, guint count, gboolean bold)
{
    g_autofree char *text = g_strdup_printf("%u", count);
    draw_cell(chart, right, y, text, count ? AIMF_INK : AIMF_FAINT, bold);
}

static void draw_verdict_word(const Chart *chart, double y, Direction verdict)
{
    draw_cell(chart, WIDTH - MARGIN, y, VERDICT_WORDS[verdict], VERDICT_PAINTS[verdict], TRUE);
}

static void draw_label(const Chart *chart, double left, double room, double y, const char *text)
{
    aimf_draw_font(chart->cr, 13, FALSE);
    g_autofree char *fitting = aimf_fit_text(chart->cr, *text ? text : "\"\"", room, FALSE);
    aimf_draw_paint(chart->cr, AIMF_INK);
    aimf_draw_text(chart->cr, left, y + BASELINE, AIMF_LEFT, fitting);
}

/* The panel's title; returns where its legend may begin. */
static double draw_title(const Chart *chart, double top, const char *title)
{
    aimf_draw_font(chart->cr, 16, TRUE);
    aimf_draw_paint(chart->cr, AIMF_INK);
    aimf_draw_text(chart->cr, MARGIN, top + 16, AIMF_LEFT, title);
    return PLOT_LEFT + PLOT_INSET;
}

/* Returns where the next one may begin. */
static double draw_legend(const Chart *chart, double x, double top, const char *text)
{
    aimf_draw_font(chart->cr, 12, FALSE);
    aimf_draw_paint(chart->cr, AIMF_FAINT);
    aimf_draw_text(chart->cr, x + 12, top + 15, AIMF_LEFT, text);
    return x + 12 + aimf_text_width(chart->cr, text) + 30;
}

typedef struct {
    double x;
    AimfAlign align;
    const char *text;
} Heading;

static void draw_headings(const Chart *chart, double top, const Heading *headings, gsize n)
{
    aimf_draw_font(chart->cr, 12, FALSE);
    aimf_draw_paint(chart->cr, AIMF_FAINT);
    for (gsize i = 0; i < n; i++)
        aimf_draw_text(chart->cr, headings[i].x, top + PANEL_HEAD - 8, headings[i].align, headings[i].text);
    cairo_set_line_width(chart->cr, 1);
    aimf_draw_paint(chart->cr, AIMF_RULE);
    cairo_move_to(chart->cr, MARGIN, top + PANEL_HEAD);
    cairo_line_to(chart->cr, WIDTH - MARGIN, top + PANEL_HEAD);
    cairo_stroke(chart->cr);
}

/* --- Groups --- */

typedef struct {
    guint group;
    double change;
} Candidate;

static int by_change(const void *a, const void *b)
{
    const Candidate *one = a, *two = b;
    return one->change != two->change ? (one->change < two->change ? 1 : -1) : one->group < two->group ? -1 : 1;
}

static int by_number(const void *a, const void *b)
{
    const Candidate *one = a, *two = b;
    return one->group < two->group ? -1 : 1;
}

/* (owned) those that have a row. */
static guint *choose_groups(Chart *chart)
{
    const AimfComparison *c = chart->c;
    const guint n = (guint)(c->before->n_targets * c->before->n_protected);
    g_autofree Candidate *candidates = g_new(Candidate, n);
    guint n_known = 0;
    for (guint i = 0; i < n; i++)
        if (c->groups[i].n)
            candidates[n_known++] = (Candidate){ i, fabs(group_change(&c->groups[i])) };
    chart->n_groups = MIN(n_known, (guint)AIMF_CHART_MOST_GROUPS);
    chart->n_hidden = n_known - chart->n_groups;
    chart->n_empty = n - n_known;
    if (chart->n_hidden)
        qsort(candidates, n_known, sizeof *candidates, by_change);
    qsort(candidates, chart->n_groups, sizeof *candidates, by_number);
    guint *groups = g_new(guint, chart->n_groups);
    for (guint i = 0; i < chart->n_groups; i++)
        groups[i] = candidates[i].group;
    return groups;
}

static Axis groups_axis(const Chart *chart)
{
    double low = 1, high = 0;
    for (guint i = 0; i < chart->n_groups; i++) {
        const AimfGroupPairs *group = &chart->c->groups[chart->groups[i]];
        double before = share(group->right_before, group->n), after = share(group->right_after, group->n);
        low = MIN(low, MIN(before, after));
        high = MAX(high, MAX(before, after));
    }
    const double lacks = MAX(0.02 - (high - low), 0); /* without it changes of nothing fill the page */
    low = CLAMP(low - lacks / 2, 0, 1 - lacks);
    return axis_between(low, MAX(high, low + lacks));
}

static void draw_group_label(const Chart *chart, const AimfGroupPairs *group, double y)
{
    const AimfComparison *c = chart->c;
    const char *class_name = c->classes ? c->classes[group->target] : NULL;
    g_autofree char *target =
        g_strdup_printf("%d%s%s", group->target, class_name ? " " : "", class_name ? class_name : "");
    draw_label(chart, MARGIN, LABEL_ROOM, y, target);
    draw_label(chart, PROTECTED_LEFT, LABEL_ROOM, y, c->labels[group->group]);
    draw_count(chart, COUNT_RIGHT, y, group->n, FALSE);
}

static void draw_group(const Chart *chart, const AimfGroupPairs *group, const Axis *axis, double y)
{
    cairo_t *cr = chart->cr;
    const double before = share(group->right_before, group->n), after = share(group->right_after, group->n);
    const double middle = y + ROW_HEIGHT / 2.0;
    const gboolean lost = group->right_after < group->right_before;
    const Direction verdict = direction_of(group->change, TRUE);
    draw_group_label(chart, group, y);
    aimf_draw_paint(cr, lost ? AIMF_RUST : AIMF_GREY);
    cairo_set_line_width(cr, 3);
    cairo_move_to(cr, axis_x(axis, before), middle);
    cairo_line_to(cr, axis_x(axis, after), middle);
    cairo_stroke(cr);
    draw_dot(cr, axis_x(axis, before), middle, 6.5, AIMF_GREY); /* wider: seen around the other one where they meet */
    draw_dot(cr, axis_x(axis, after), middle, 5, AIMF_TEAL);
    draw_number(chart, BEFORE_RIGHT, y, before, FALSE, FALSE);
    draw_number(chart, AFTER_RIGHT, y, after, FALSE, FALSE);
    draw_number(chart, CHANGE_RIGHT, y, after - before, TRUE, verdict != NOT_TOLD_APART);
    if (lost)
        draw_loss(cr, CHANGE_RIGHT - 70, middle, verdict == WORSE);
    draw_count(chart, LOST_RIGHT, y, group->lost, lost);
    draw_count(chart, WON_RIGHT, y, group->won, FALSE);
    draw_verdict_word(chart, y, verdict);
}

static void draw_groups_legend(const Chart *chart, double x, double top)
{
    cairo_t *cr = chart->cr;
    const double middle = top + 11;
    draw_dot(cr, x, middle, 6, AIMF_GREY);
    x = draw_legend(chart, x, top, "before");
    draw_dot(cr, x, middle, 5.5, AIMF_TEAL);
    x = draw_legend(chart, x, top, "after");
    draw_loss(cr, x, middle, TRUE);
    draw_loss(cr, x + 16, middle, FALSE);
    draw_legend(chart, x + 16, top, "the group lost accuracy; filled where the 95 % interval excludes no change");
}

/* (owned, nullable) what the page does not show. */
static char *groups_note(const Chart *chart)
{
    g_autoptr(GString) note = g_string_new(NULL);
    if (chart->n_hidden)
        g_string_append_printf(note, "%u of %u groups: those whose accuracy changed most. ", chart->n_groups,
                               chart->n_groups + chart->n_hidden);
    if (chart->n_empty)
        g_string_append_printf(note, "%u group%s without pictures %s left out.", chart->n_empty,
                               AIMF_PLURAL(chart->n_empty), chart->n_empty == 1 ? "is" : "are");
    return note->len ? g_string_free(g_steal_pointer(&note), FALSE) : NULL;
}

static double groups_height(const Chart *chart)
{
    return PANEL_HEAD + ROW_HEIGHT * ((double)chart->n_groups + (chart->n_hidden || chart->n_empty ? 1 : 0));
}

static void draw_groups(const Chart *chart, double top)
{
    static const Heading headings[] = {
        { MARGIN, AIMF_LEFT, "target" },           { PROTECTED_LEFT, AIMF_LEFT, "protected" },
        { COUNT_RIGHT, AIMF_RIGHT, "n" },          { BEFORE_RIGHT, AIMF_RIGHT, "before" },
        { AFTER_RIGHT, AIMF_RIGHT, "after" },      { CHANGE_RIGHT, AIMF_RIGHT, "change" },
        { LOST_RIGHT, AIMF_RIGHT, "lost" },        { WON_RIGHT, AIMF_RIGHT, "won" },
        { WIDTH - MARGIN, AIMF_RIGHT, "at 95 %" },
    };
    const Axis axis = groups_axis(chart);
    const double first = top + PANEL_HEAD;
    draw_groups_legend(chart, draw_title(chart, top, "Accuracy of every group, %"), top);
    for (guint i = 0; i < chart->n_groups; i++) {
        const AimfGroupPairs *group = &chart->c->groups[chart->groups[i]];
        if (group->right_after < group->right_before)
            fill_row(chart->cr, MARGIN - 8, WIDTH - MARGIN + 8, first + i * ROW_HEIGHT, AIMF_PALE_RUST);
    }
    draw_headings(chart, top, headings, G_N_ELEMENTS(headings));
    draw_axis(chart, &axis, first, first + chart->n_groups * ROW_HEIGHT, FALSE);
    for (guint i = 0; i < chart->n_groups; i++)
        draw_group(chart, &chart->c->groups[chart->groups[i]], &axis, first + i * ROW_HEIGHT);
    g_autofree char *note = groups_note(chart);
    if (note) {
        aimf_draw_font(chart->cr, 12, FALSE);
        aimf_draw_paint(chart->cr, AIMF_FAINT);
        aimf_draw_text(chart->cr, MARGIN, first + chart->n_groups * ROW_HEIGHT + BASELINE, AIMF_LEFT, note);
    }
}

/* --- Measures --- */

/* (nullable) the heading above the row @i. */
static const char *heading_above(const Chart *chart, guint i)
{
    const guint first = AIMF_N_SCALARS - 2 * AIMF_N_CLASS_SCALARS, worst = first + AIMF_N_CLASS_SCALARS;
    const guint scalar = chart->scalars[i], previous = i ? chart->scalars[i - 1] : 0;
    if (scalar >= worst)
        return previous < worst ? "worst of the classes, each against all others" : NULL;
    return scalar >= first && previous < first ? "macro: mean over the classes, each against all others" : NULL;
}

static void choose_scalars(Chart *chart)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        if (isfinite(chart->c->changes[i]))
            chart->scalars[chart->n_scalars++] = i;
    for (guint i = 0; i < chart->n_scalars; i++)
        chart->n_headings += heading_above(chart, i) ? 1 : 0;
}

static Axis scalars_axis(const Chart *chart)
{
    double low = 0, high = 0;
    for (guint i = 0; i < chart->n_scalars; i++) {
        const double change = chart->c->changes[chart->scalars[i]];
        const AimfInterval interval = chart->c->intervals[chart->scalars[i]];
        low = fmin(low, fmin(change, interval.low)); /* fmin passes NaN over */
        high = fmax(high, fmax(change, interval.high));
    }
    const double lacks = MAX(0.01 - (high - low), 0);
    return axis_between(low - lacks / 2, high + lacks / 2);
}

static void draw_scalar(const Chart *chart, guint scalar, const Axis *axis, double y)
{
    const AimfComparison *c = chart->c;
    const AimfInterval interval = c->intervals[scalar];
    const double middle = y + ROW_HEIGHT / 2.0;
    const gboolean known = isfinite(interval.low) && isfinite(interval.high);
    const Direction verdict = direction_of(interval, aimf_scalar_low_is_bad(scalar));
    draw_label(chart, MARGIN, COUNT_RIGHT - MARGIN - 60, y, aimf_scalar_title(scalar));
    aimf_draw_font(chart->cr, 11, FALSE);
    aimf_draw_paint(chart->cr, AIMF_TEAL);
    aimf_draw_text(chart->cr, PLOT_LEFT - 10, y + BASELINE, AIMF_RIGHT,
                   aimf_scalar_low_is_bad(scalar) ? "better →" : "← better");
    if (known)
        draw_interval(chart->cr, axis_x(axis, interval.low), axis_x(axis, interval.high), middle, verdict);
    draw_verdict(chart->cr, axis_x(axis, c->changes[scalar]), middle, verdict);
    draw_number(chart, BEFORE_RIGHT, y, aimf_scalar_at(&c->before->scalars, scalar), FALSE, FALSE);
    draw_number(chart, AFTER_RIGHT, y, aimf_scalar_at(&c->after->scalars, scalar), FALSE, FALSE);
    draw_number(chart, CHANGE_RIGHT, y, c->changes[scalar], TRUE, verdict != NOT_TOLD_APART);
    if (known) {
        g_autofree char *low = number_text(interval.low, 2, TRUE), *high = number_text(interval.high, 2, TRUE);
        g_autofree char *text = g_strconcat(low, " … ", high, NULL);
        draw_cell(chart, INTERVAL_RIGHT, y, text, AIMF_INK, FALSE);
    }
    draw_verdict_word(chart, y, verdict);
}

static double scalars_height(const Chart *chart)
{
    return PANEL_HEAD + ROW_HEIGHT * ((double)chart->n_scalars + chart->n_headings);
}

static void draw_scalars_legend(const Chart *chart, double x, double top)
{
    static const struct {
        Direction verdict;
        const char *text;
    } items[] = {
        { BETTER, "better" },
        { WORSE, "worse" },
        { NOT_TOLD_APART, "not told apart from no change: the 95 % interval contains 0" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
        draw_verdict(chart->cr, x, top + 11, items[i].verdict);
        x = draw_legend(chart, x, top, items[i].text);
    }
}

static void draw_scalars(const Chart *chart, double top)
{
    static const Heading headings[] = {
        { MARGIN, AIMF_LEFT, "measure" },
        { BEFORE_RIGHT, AIMF_RIGHT, "before" },
        { AFTER_RIGHT, AIMF_RIGHT, "after" },
        { CHANGE_RIGHT, AIMF_RIGHT, "change" },
        { INTERVAL_RIGHT, AIMF_RIGHT, "95 % interval" },
        { WIDTH - MARGIN, AIMF_RIGHT, "at 95 %" },
    };
    const Axis axis = scalars_axis(chart);
    const double first = top + PANEL_HEAD, bottom = top + scalars_height(chart), zero = axis_x(&axis, 0);
    draw_scalars_legend(chart, draw_title(chart, top, "Change of every measure, points"), top);
    double y = first;
    for (guint i = 0; i < chart->n_scalars; i++, y += ROW_HEIGHT) {
        y += heading_above(chart, i) ? ROW_HEIGHT : 0;
        const gboolean right = aimf_scalar_low_is_bad(chart->scalars[i]);
        fill_row(chart->cr, right ? zero : PLOT_LEFT, right ? PLOT_RIGHT : zero, y, AIMF_PALE_TEAL);
    }
    draw_headings(chart, top, headings, G_N_ELEMENTS(headings));
    draw_axis(chart, &axis, first, bottom, TRUE);
    y = first;
    for (guint i = 0; i < chart->n_scalars; i++, y += ROW_HEIGHT) {
        const char *heading = heading_above(chart, i);
        if (heading) {
            aimf_draw_font(chart->cr, 12, TRUE);
            aimf_draw_paint(chart->cr, AIMF_FAINT);
            aimf_draw_text(chart->cr, MARGIN, y + BASELINE, AIMF_LEFT, heading);
            y += ROW_HEIGHT;
        }
        draw_scalar(chart, chart->scalars[i], &axis, y);
    }
}

/* --- The page --- */

/* A file's own name says more than its folders, unless both are called the same. */
static void draw_names(const Chart *chart, double y)
{
    static const char *const words[] = { "before: ", "after: " };
    static const AimfPaint paints[] = { AIMF_GREY, AIMF_TEAL };
    const double half = WIDTH / 2.0 - MARGIN;
    g_autofree char *one = g_path_get_basename(chart->names[0]), *two = g_path_get_basename(chart->names[1]);
    const gboolean differ = strcmp(one, two) != 0;
    double x = MARGIN;
    aimf_draw_font(chart->cr, 15, FALSE);
    for (int i = 0; i < 2; i++) {
        const char *name = !differ ? chart->names[i] : i ? two : one;
        g_autofree char *fitting =
            aimf_fit_text(chart->cr, name, half - 40 - aimf_text_width(chart->cr, words[i]), TRUE);
        g_autofree char *text = g_strconcat(words[i], fitting, NULL);
        draw_dot(chart->cr, x + 7, y - 5, 7, paints[i]);
        aimf_draw_paint(chart->cr, AIMF_INK);
        aimf_draw_text(chart->cr, x + 22, y, AIMF_LEFT, text);
        x += 22 + aimf_text_width(chart->cr, text) + 36;
    }
}

static void draw_head(const Chart *chart)
{
    const AimfComparison *c = chart->c;
    char p[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *title = g_strdup_printf("Before and after on the same %u sample%s", c->n, AIMF_PLURAL(c->n));
    g_autofree char *test =
        g_strdup_printf("%u sample%s lost (right before, wrong after), %u won: McNemar's mid-p is %s", c->lost,
                        AIMF_PLURAL(c->lost), c->won, g_ascii_formatd(p, sizeof p, "%.3g", c->mcnemar_mid));
    aimf_draw_font(chart->cr, 21, TRUE);
    aimf_draw_paint(chart->cr, AIMF_INK);
    aimf_draw_text(chart->cr, MARGIN, 40, AIMF_LEFT, title);
    draw_names(chart, 68);
    aimf_draw_font(chart->cr, 13, FALSE);
    aimf_draw_paint(chart->cr, AIMF_FAINT);
    aimf_draw_text(chart->cr, MARGIN, 92, AIMF_LEFT, test);
}

/* Letters as they are, not fitted to pixels, so that PNG and SVG have the same widths, and grey edges for print. */
static void set_text_quality(cairo_t *cr)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
}

gboolean aimf_chart_check_name(const char *path, GError **error)
{
    return aimf_page_check_name(path, error);
}

gboolean aimf_comparison_draw(const AimfComparison *comparison, const char *before, const char *after, const char *path,
                              GError **error)
{
    const double pixels = 2; /* of a PNG, for each unit: sharp on a slide and in print */
    Chart chart = { .c = comparison, .names = { before, after } };
    g_autofree guint *groups = choose_groups(&chart);
    chart.groups = groups;
    choose_scalars(&chart);
    const double second = HEAD_HEIGHT + groups_height(&chart) + PANEL_GAP;
    const int height = (int)(second + scalars_height(&chart)) + FOOT_HEIGHT;
    g_autoptr(AimfPage) page = aimf_page_new(path, WIDTH, height, pixels, error);
    if (!page)
        return FALSE;
    chart.cr = page->cr;
    set_text_quality(chart.cr);
    draw_head(&chart);
    draw_groups(&chart, HEAD_HEIGHT);
    draw_scalars(&chart, second);
    return aimf_page_write(page, error);
}
