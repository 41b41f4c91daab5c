/* Learning curves: each figure a panel, each seed a line. */
#include "run/report_sections.h"

#include <stddef.h>

enum { MOST_SEEDS = 12, MOST_POINTS = 240, N_PANELS = 3 };

/* AimfPanel: what is shown of an epoch. @percent: it is a share */
typedef struct {
    const char *title;
    gsize offset;
    gboolean percent;
} AimfPanel;

static const AimfPanel panels[N_PANELS] = {
    { "Training loss", offsetof(AimfEpoch, loss), FALSE },
    { "Validation accuracy, %", offsetof(AimfEpoch, val_accuracy), TRUE },
    { "Validation, worst group, %", offsetof(AimfEpoch, val_worst_group_accuracy), TRUE },
};

static double figure_of(const AimfEpoch *epoch, const AimfPanel *panel)
{
    return *(const double *)(const void *)((const char *)epoch + panel->offset);
}

/* Points of a cell: its start, if it was measured, as number 0, then its epochs from 1. */
static guint n_points(const AimfRunCell *cell)
{
    return cell->history && !cell->failure ? cell->history->len + 1 : 0;
}

static double point_at(const AimfRunCell *cell, const AimfPanel *panel, guint number)
{
    if (number)
        return figure_of(&g_array_index(cell->history, AimfEpoch, number - 1), panel);
    return cell->start ? figure_of(cell->start, panel) : NAN;
}

/* The epoch whose weights were kept, from 1; 0: those that it began with. */
static guint chosen_point(const AimfRunCell *cell)
{
    guint chosen = 0;
    for (guint e = 0; e < cell->history->len; e++)
        chosen = g_array_index(cell->history, AimfEpoch, e).best ? e + 1 : chosen;
    return chosen;
}

typedef struct {
    AimfScale x, y;
} Axes;

static gboolean axes_of(const AimfRunResults *results, guint method, const AimfPanel *panel, Axes *axes)
{
    double low = INFINITY, high = -INFINITY;
    guint first = 1, last = 1;
    for (guint s = 0; s < MIN(results->n_seeds, (guint)MOST_SEEDS); s++) {
        const AimfRunCell *cell = aimf_run_cell(results, method, s);
        for (guint i = 0; i < n_points(cell); i++) {
            const double value = point_at(cell, panel, i);
            if (!isfinite(value))
                continue;
            low = fmin(low, value);
            high = fmax(high, value);
            first = MIN(first, i);
            last = MAX(last, i);
        }
    }
    if (!isfinite(low))
        return FALSE;
    axes->y = aimf_scale_new(low, high, 172, 10, 4, panel->percent);
    axes->x = (AimfScale){ .low = first, .high = MAX(last, first + 1), .from = 48, .to = 310 };
    return TRUE;
}

static void put_epochs(AimfHtml *html, const AimfScale *x)
{
    const AimfScale nice = aimf_scale_new(x->low, x->high, 0, 1, 6, FALSE);
    const double step = fmax(1, nice.step);
    for (double epoch = ceil(x->low / step) * step; epoch <= x->high; epoch += step)
        aimf_html_put(html, "<text class=\"s m\" x=\"%s\" y=\"190\">%s</text>\n", AIMF_XY(aimf_scale_at(x, epoch)),
                      AIMF_DECIMAL(epoch, 0));
    aimf_html_put(html, "<text class=\"s m\" x=\"%s\" y=\"208\">epoch</text>\n", AIMF_XY((x->from + x->to) / 2));
}

static void put_line(AimfHtml *html, const AimfRunCell *cell, const AimfPanel *panel, const Axes *axes, guint index,
                     guint64 seed)
{
    const guint n = n_points(cell), step = 1 + (n - 1) / MOST_POINTS, chosen = chosen_point(cell);
    const double value = point_at(cell, panel, chosen);
    g_autofree char *tip = g_strdup_printf("seed %" G_GUINT64_FORMAT, seed);
    gboolean pen = FALSE;
    aimf_svg_series(html, index);
    for (guint i = 0; i < n; i += i + 1 < n && i + step >= n ? n - 1 - i : step) {
        const double y = point_at(cell, panel, i);
        if (isfinite(y))
            aimf_html_put(html, "%s%s %s", pen ? "L" : "M", AIMF_XY(aimf_scale_at(&axes->x, i)),
                          AIMF_XY(aimf_scale_at(&axes->y, y)));
        pen = isfinite(y);
    }
    aimf_svg_series_end(html, tip);
    if (!isfinite(value))
        return;
    g_autofree char *kept = g_strdup_printf("seed %" G_GUINT64_FORMAT ", kept: epoch %u, %s", seed, chosen,
                                            panel->percent ? AIMF_PERCENT(value) : AIMF_DECIMAL(value, 4));
    aimf_svg_mark(html, AIMF_MARK_CHOSEN, aimf_scale_at(&axes->x, chosen), aimf_scale_at(&axes->y, value), kept);
}

static void put_panel(AimfHtml *html, const AimfRunResults *results, guint method, const AimfPanel *panel)
{
    Axes axes;
    aimf_html_put(html, "<div><p class=\"panel-title\">%s</p>\n", panel->title);
    if (!axes_of(results, method, panel, &axes)) {
        aimf_html_missing(html, "Not known.");
        aimf_html_put(html, "</div>\n");
        return;
    }
    g_autofree char *label = g_strdup_printf("%s by epoch, a line for each seed", panel->title);
    aimf_svg_begin(html, 320, 214, label);
    aimf_svg_axis_y(html, &axes.y, axes.x.from, axes.x.to, NULL);
    put_epochs(html, &axes.x);
    for (guint s = 0; s < MIN(results->n_seeds, (guint)MOST_SEEDS); s++) {
        const AimfRunCell *cell = aimf_run_cell(results, method, s);
        if (n_points(cell))
            put_line(html, cell, panel, &axes, s, results->seeds[s]);
    }
    aimf_svg_end(html);
    aimf_html_put(html, "</div>\n");
}

/* What was kept, in words, for those who do not see the chart. */
static void put_kept(AimfHtml *html, const AimfRunResults *results, guint method)
{
    aimf_html_put(html, " Kept: ");
    gboolean any = FALSE;
    for (guint s = 0; s < MIN(results->n_seeds, (guint)MOST_SEEDS); s++) {
        const AimfRunCell *cell = aimf_run_cell(results, method, s);
        if (!n_points(cell))
            continue;
        const guint chosen = chosen_point(cell);
        aimf_html_put(html, "%sseed %" G_GUINT64_FORMAT, any ? "; " : "", results->seeds[s]);
        if (chosen)
            aimf_html_put(html, ", epoch %u of %u", chosen, cell->history->len);
        else
            aimf_html_put(html, ", the weights that it began with");
        any = TRUE;
    }
    aimf_html_put(html, ".%s", results->n_seeds > MOST_SEEDS ? " Further seeds are not drawn." : "");
}

static gboolean has_history(const AimfRunResults *results, guint method)
{
    for (guint s = 0; s < MIN(results->n_seeds, (guint)MOST_SEEDS); s++)
        if (n_points(aimf_run_cell(results, method, s)) > 1)
            return TRUE;
    return FALSE;
}

static void put_legend(AimfHtml *html, const AimfRunResults *results, guint method)
{
    aimf_legend_begin(html);
    for (guint s = 0; s < MIN(results->n_seeds, (guint)MOST_SEEDS); s++) {
        g_autofree char *text = g_strdup_printf("seed %" G_GUINT64_FORMAT, results->seeds[s]);
        if (n_points(aimf_run_cell(results, method, s)))
            aimf_legend_line(html, s, text);
    }
    aimf_legend_mark(html, AIMF_MARK_CHOSEN, "the epoch that was kept");
    aimf_legend_end(html);
}

void aimf_report_curves(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_section(html, "curves", "Learning curves");
    for (guint m = 0; m < results->n_methods; m++) {
        if (!has_history(results, m)) {
            aimf_html_put(html, "<p class=\"missing\">%s: no training is known, so it has no curves.</p>\n",
                          AIMF_HTML(results->methods[m].title));
            continue;
        }
        aimf_html_heading(html, results->methods[m].title);
        put_legend(html, results, m);
        aimf_html_figure(html, FALSE);
        aimf_html_put(html, "<div class=\"panels\">\n");
        for (guint p = 0; p < N_PANELS; p++)
            put_panel(html, results, m, &panels[p]);
        aimf_html_put(html, "</div>\n");
        aimf_html_caption(html, FALSE);
        aimf_html_put(html, "%s, a line for each seed.%s", AIMF_HTML(results->methods[m].title),
                      m ? " Epoch 0 is the model that the training began with." : "");
        put_kept(html, results, m);
        aimf_html_caption_end(html);
    }
    aimf_html_section_end(html);
}
