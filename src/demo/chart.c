#include "demo/chart.h"

#include "base/drawing.h"

#include <math.h>

static const AimfPaint MODEL_PAINTS[AIMF_DEMO_N_MODELS] = { AIMF_GREY, AIMF_AMBER, AIMF_TEAL };

/* --- The sheet of portraits --- */

enum { SHEET_COLUMNS = 6, SHEET_LABELS = 170, SHEET_GAP = 4, SHEET_TOP = 62, SHEET_MARGIN = 20 };

static gboolean place_picture(cairo_t *cr, const char *path, double x, double y, GError **error)
{
    g_autoptr(AimfImage) image = aimf_image_open(path, error);
    if (!image)
        return FALSE;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    guint8 *rows = cairo_image_surface_get_data(surface);
    for (int row = 0; rows && row < image->height; row++) {
        guint32 *to = (guint32 *)(void *)(rows + row * cairo_image_surface_get_stride(surface));
        const guint8 *from = image->data + (gsize)row * (gsize)image->width * 3;
        for (int column = 0; column < image->width; column++, from += 3)
            to[column] = (guint32)from[0] << 16 | (guint32)from[1] << 8 | from[2];
    }
    cairo_surface_mark_dirty(surface);
    cairo_set_source_surface(cr, surface, x, y);
    cairo_paint(cr);
    cairo_surface_destroy(surface);
    return TRUE;
}

static gboolean place_group(cairo_t *cr, const char *directory, const AimfPortraitSet *set, int smiling, int bearded,
                            double x, double y, GError **error)
{
    guint n = MIN(set->count[smiling][bearded], (guint)SHEET_COLUMNS);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = aimf_portrait_set_path(directory, set, smiling, bearded, i);
        if (!place_picture(cr, path, x + i * (AIMF_PORTRAIT_PX + SHEET_GAP), y, error))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_demo_draw_sheet(const char *directory, const AimfPortraitSet *photographs,
                              const AimfPortraitSet *synthetic, const char *path, GError **error)
{
    const int pitch = AIMF_PORTRAIT_PX + SHEET_GAP, half = SHEET_COLUMNS * pitch + SHEET_MARGIN;
    const double left = SHEET_MARGIN + SHEET_LABELS, right = left + half;
    g_autoptr(AimfPage) page =
        aimf_page_new(path, (int)left + 2 * half, SHEET_TOP + 4 * pitch + SHEET_MARGIN, 1, error);
    if (!page)
        return FALSE;
    cairo_t *cr = page->cr;
    aimf_draw_font(cr, 17, TRUE);
    aimf_draw_text(cr, left, 30, AIMF_LEFT, "Photographic look: biased training set");
    aimf_draw_text(cr, right, 30, AIMF_LEFT, "Synthetic look: balanced");
    aimf_draw_font(cr, 12, FALSE);
    aimf_draw_paint(cr, AIMF_FAINT);
    aimf_draw_text(cr, left, 49, AIMF_LEFT, "light, clutter, blur, grain; JPEG");
    aimf_draw_text(cr, right, 49, AIMF_LEFT, "flat colours, plain ground; every group equally often");
    gboolean ok = TRUE;
    for (int row = 0; row < 4 && ok; row++) {
        int smiling = row / 2, bearded = row % 2;
        double y = SHEET_TOP + row * pitch, share = (double)photographs->count[smiling][bearded];
        g_autofree char *text =
            g_strdup_printf("%.0f %% of training", 100 * share / aimf_portrait_set_size(photographs));
        aimf_draw_paint(cr, AIMF_INK);
        aimf_draw_font(cr, 15, TRUE);
        aimf_draw_text(cr, SHEET_MARGIN, y + 40, AIMF_LEFT, smiling ? "smiling" : "not smiling");
        aimf_draw_font(cr, 14, FALSE);
        aimf_draw_text(cr, SHEET_MARGIN, y + 59, AIMF_LEFT, AIMF_PORTRAIT_HAIR[bearded]);
        aimf_draw_paint(cr, AIMF_FAINT);
        aimf_draw_font(cr, 12, FALSE);
        aimf_draw_text(cr, SHEET_MARGIN, y + 77, AIMF_LEFT, text);
        ok = place_group(cr, directory, photographs, smiling, bearded, left, y, error) &&
             place_group(cr, directory, synthetic, smiling, bearded, right, y, error);
    }
    return ok && aimf_page_write(page, error);
}

/* --- The chart --- */

enum { CHART_BARS = 8, CHART_WIDTH = 1180, CHART_HEIGHT = 470, CHART_TOP = 118, CHART_BASE = 380, CHART_LEFT = 56 };

/* One cluster of bars: a quantity, with the value that each model reached. */
typedef struct {
    const char *name[2]; /* two lines */
    double value[AIMF_DEMO_N_MODELS];
} Cluster;

static void draw_axis(cairo_t *cr)
{
    cairo_set_line_width(cr, 1);
    aimf_draw_font(cr, 12, FALSE);
    for (int percent = 0; percent <= 100; percent += 25) {
        double y = CHART_BASE - (CHART_BASE - CHART_TOP) * percent / 100.0;
        g_autofree char *text = g_strdup_printf("%d", percent);
        aimf_draw_paint(cr, AIMF_RULE);
        cairo_move_to(cr, CHART_LEFT, floor(y) + 0.5);
        cairo_line_to(cr, CHART_WIDTH - 24, floor(y) + 0.5);
        cairo_stroke(cr);
        aimf_draw_paint(cr, AIMF_FAINT);
        aimf_draw_text(cr, CHART_LEFT - 8, y + 4, AIMF_RIGHT, text);
    }
}

static void draw_cluster(cairo_t *cr, const Cluster *cluster, double x, double width)
{
    double bar = width / (AIMF_DEMO_N_MODELS + 1.0);
    for (int model = 0; model < AIMF_DEMO_N_MODELS; model++) {
        double value = cluster->value[model], at = x + bar * (model + 0.5);
        if (isnan(value))
            continue;
        double height = (CHART_BASE - CHART_TOP) * value;
        aimf_draw_paint(cr, MODEL_PAINTS[model]);
        cairo_rectangle(cr, at + 1, CHART_BASE - height, bar - 2, height);
        cairo_fill(cr);
        g_autofree char *text = g_strdup_printf("%.0f", 100 * value);
        aimf_draw_paint(cr, AIMF_INK);
        aimf_draw_font(cr, 12, FALSE);
        aimf_draw_text(cr, at + bar / 2, CHART_BASE - height - 5, AIMF_CENTRE, text);
    }
    aimf_draw_paint(cr, AIMF_INK);
    aimf_draw_font(cr, 13, FALSE);
    for (int line = 0; line < 2; line++)
        aimf_draw_text(cr, x + width / 2, CHART_BASE + 20 + 17 * line, AIMF_CENTRE, cluster->name[line]);
}

static void draw_legend(cairo_t *cr, const AimfDemoResult *result)
{
    double x = CHART_LEFT;
    aimf_draw_font(cr, 13, FALSE);
    for (int model = 0; model < AIMF_DEMO_N_MODELS; model++) {
        const AimfDemoModel *m = &result->models[model];
        g_autofree char *text =
            g_strdup_printf("%s (%u of %u tensors trained)", m->name, m->trained, result->n_tensors);
        aimf_draw_paint(cr, MODEL_PAINTS[model]);
        cairo_rectangle(cr, x, 54, 13, 13);
        cairo_fill(cr);
        aimf_draw_paint(cr, AIMF_INK);
        aimf_draw_text(cr, x + 20, 65, AIMF_LEFT, text);
        x += 20 + aimf_text_width(cr, text) + 28;
    }
}

static void collect_clusters(const AimfDemoResult *result, Cluster clusters[CHART_BARS])
{
    static const char *const names[CHART_BARS][2] = {
        { "not smiling,", "bearded" },      { "not smiling,", "long-haired" }, { "smiling,", "bearded" },
        { "smiling,", "long-haired" },      { "accuracy", "overall" },         { "accuracy of the", "worst group" },
        { "equalized odds", "(mean gap)" }, { "deviation", "of groups" },
    };
    for (int i = 0; i < CHART_BARS; i++) {
        clusters[i] = (Cluster){ .name = { names[i][0], names[i][1] } };
        for (int model = 0; model < AIMF_DEMO_N_MODELS; model++) {
            const AimfMeasures *m = result->models[model].measures;
            const AimfScalars *s = &m->scalars;
            const double summary[] = { s->accuracy, s->worst_group_accuracy, s->equalized_odds_mean,
                                       s->std_group_accuracy };
            clusters[i].value[model] = i < 4 ? m->groups[i].accuracy : summary[i - 4];
        }
    }
}

gboolean aimf_demo_draw_chart(const AimfDemoResult *result, const char *path, GError **error)
{
    Cluster clusters[CHART_BARS];
    collect_clusters(result, clusters);
    g_autoptr(AimfPage) page = aimf_page_new(path, CHART_WIDTH, CHART_HEIGHT, 1, error);
    if (!page)
        return FALSE;
    cairo_t *cr = page->cr;
    aimf_draw_font(cr, 19, TRUE);
    aimf_draw_text(cr, CHART_LEFT, 34, AIMF_LEFT, "Is the person smiling? On test photographs, in percent");
    draw_legend(cr, result);
    draw_axis(cr);
    double gap = 34, width = (CHART_WIDTH - 24 - CHART_LEFT - gap) / CHART_BARS;
    for (int i = 0; i < CHART_BARS; i++)
        draw_cluster(cr, &clusters[i], CHART_LEFT + i * width + (i < 4 ? 0 : gap), width);
    aimf_draw_paint(cr, AIMF_FAINT);
    aimf_draw_font(cr, 12, TRUE);
    aimf_draw_text(cr, CHART_LEFT, CHART_TOP - 22, AIMF_LEFT, "ACCURACY OF EACH GROUP");
    aimf_draw_text(cr, CHART_LEFT + 4 * width + gap, CHART_TOP - 22, AIMF_LEFT, "HIGHER IS BETTER");
    aimf_draw_text(cr, CHART_LEFT + 6 * width + gap, CHART_TOP - 22, AIMF_LEFT, "LOWER IS BETTER");
    return aimf_page_write(page, error);
}
