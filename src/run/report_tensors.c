/* Why these tensors were trained: two sensitivities of each, and the selection that they make. */
#include "run/report_sections.h"

#include <string.h>

enum { MOST_TENSORS = 1500, MOST_MODULES = 400 };

/* The selection of one method: @chosen: (tensors) with the shown seed; @times: (tensors) of @n_seeds. */
typedef struct {
    const AimfRunResults *results;
    const AimfSensitivities *shown;
    guint seed; /* index of the shown one */
    guint method;
    guint k;
    guint n;
    gboolean *chosen;
    guint *times;
    guint n_seeds;
} Selection;

/* --- What was selected --- */

/* (owned) by name: of a cell that noted what it trained, else by its ranks. */
static GHashTable *selected_names(const AimfRunResults *results, guint method, guint seed)
{
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    const AimfRunCell *cell = aimf_run_cell(results, method, seed);
    const AimfSensitivities *s = results->sensitivities[seed];
    for (guint i = 0; cell->trained && cell->trained[i]; i++)
        g_hash_table_add(names, cell->trained[i]);
    for (guint i = 0; !cell->trained && i < s->n; i++)
        if (s->tensors[i].domain_rank <= results->methods[method].k &&
            s->tensors[i].bias_rank <= results->methods[method].k)
            g_hash_table_add(names, s->tensors[i].name);
    return names;
}

static gboolean selection_init(Selection *selection, const AimfRunResults *results)
{
    *selection = (Selection){ .results = results, .method = aimf_report_selecting(results) };
    for (guint s = 0; results->sensitivities && s < results->n_seeds; s++)
        if (results->sensitivities[s] && results->sensitivities[s]->n && !selection->shown) {
            selection->shown = results->sensitivities[s];
            selection->seed = s;
        }
    if (!selection->shown)
        return FALSE;
    selection->n = MIN(selection->shown->n, (guint)MOST_TENSORS);
    selection->k = selection->method ? results->methods[selection->method].k : 0;
    selection->chosen = g_new0(gboolean, selection->n + 1);
    selection->times = g_new0(guint, selection->n + 1);
    for (guint s = selection->seed; selection->method && s < results->n_seeds; s++) {
        if (!results->sensitivities[s])
            continue;
        g_autoptr(GHashTable) names = selected_names(results, selection->method, s);
        selection->n_seeds++;
        for (guint i = 0; i < selection->n; i++) {
            if (!g_hash_table_contains(names, selection->shown->tensors[i].name))
                continue;
            selection->times[i]++;
            selection->chosen[i] = selection->chosen[i] || s == selection->seed;
        }
    }
    return TRUE;
}

static void selection_clear(Selection *selection)
{
    g_free(selection->chosen);
    g_free(selection->times);
}

static guint n_chosen(const Selection *selection)
{
    guint n = 0;
    for (guint i = 0; i < selection->n; i++)
        n += selection->chosen[i] != FALSE;
    return n;
}

/* --- Modules --- */

typedef struct {
    char name[64];
    guint first, n, chosen;
} Module;

/* Bytes of a tensor's name up to its @depth th dot. */
static gsize module_length(const char *name, guint depth)
{
    const char *at = name;
    for (guint d = 0; d < depth; d++) {
        const char *dot = strchr(d ? at + 1 : at, '.');
        if (!dot)
            return d ? (gsize)(at - name) : strlen(name);
        at = dot;
    }
    return (gsize)(at - name);
}

static guint modules_at(const Selection *selection, guint depth, Module *modules)
{
    guint n = 0;
    for (guint i = 0; i < selection->n; i++) {
        const char *name = selection->shown->tensors[i].name;
        const gsize length = MIN(module_length(name, depth), sizeof modules->name - 1);
        if (!n || strlen(modules[n - 1].name) != length || strncmp(modules[n - 1].name, name, length) != 0) {
            if (n == MOST_MODULES)
                return n;
            modules[n] = (Module){ .first = i };
            memcpy(modules[n++].name, name, length);
        }
        modules[n - 1].n++;
        modules[n - 1].chosen += selection->chosen[i] != FALSE;
    }
    return n;
}

/* Modules in their order; one deeper where nearly all of the network lies in one. */
static guint modules_of(const Selection *selection, Module *modules)
{
    guint n = 0;
    for (guint depth = 1; depth <= 3; depth++) {
        guint largest = 0;
        n = modules_at(selection, depth, modules);
        for (guint i = 0; i < n; i++)
            largest = MAX(largest, modules[i].n);
        if (largest * 10 <= selection->n * 6)
            break;
    }
    return n;
}

/* --- The map --- */

/* Sensitivities of 0 have no logarithm: the smallest other one stands for the edge. */
static void reach_of(const Selection *selection, gboolean bias, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (guint i = 0; i < selection->n; i++) {
        const AimfSensitivity *tensor = &selection->shown->tensors[i];
        const double value = bias ? tensor->bias : tensor->domain;
        if (!(value > 0) || !isfinite(value))
            continue;
        *low = fmin(*low, value);
        *high = fmax(*high, value);
    }
    if (!isfinite(*low))
        *low = *high = 1;
}

static char *tensor_tip(const Selection *selection, guint i)
{
    const AimfSensitivity *t = &selection->shown->tensors[i];
    return g_strdup_printf("%s: domain %s (rank %u), bias %s (rank %u)%s", t->name, AIMF_SIGNIFICANT(t->domain),
                           t->domain_rank, AIMF_SIGNIFICANT(t->bias), t->bias_rank,
                           selection->chosen[i] ? ", trained" : "");
}

/* Between the tensor of rank k and the next one: to its left, or above it, lies what is selected. */
static double threshold(const Selection *selection, gboolean bias)
{
    double inside = NAN, outside = NAN;
    for (guint i = 0; i < selection->shown->n; i++) {
        const AimfSensitivity *t = &selection->shown->tensors[i];
        const guint rank = bias ? t->bias_rank : t->domain_rank;
        const double value = bias ? t->bias : t->domain;
        inside = rank == selection->k ? value : inside;
        outside = rank == selection->k + 1 ? value : outside;
    }
    return isfinite(outside) && outside > 0 && inside > 0 ? sqrt(inside * outside) : inside;
}

static void put_zone(AimfHtml *html, const Selection *selection, const AimfScale *x, const AimfScale *y)
{
    const double domain = threshold(selection, FALSE), bias = threshold(selection, TRUE);
    if (!selection->k || !isfinite(domain) || !isfinite(bias))
        return;
    const double right = selection->k >= selection->shown->n ? x->to : aimf_scale_at(x, domain);
    const double bottom = selection->k >= selection->shown->n ? y->from : aimf_scale_at(y, bias);
    aimf_html_put(html, "<rect class=\"zone\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>\n", AIMF_XY(x->from),
                  AIMF_XY(y->to), AIMF_XY(right - x->from), AIMF_XY(bottom - y->to));
}

static void put_map(AimfHtml *html, const Selection *selection)
{
    double low, high;
    reach_of(selection, FALSE, &low, &high);
    const AimfScale x = aimf_scale_log(low, high, 64, 746);
    reach_of(selection, TRUE, &low, &high);
    const AimfScale y = aimf_scale_log(low, high, 356, 28);
    aimf_svg_begin(html, 760, 400,
                   "Every tensor by its sensitivity to the synthetic look and to bias; the table below "
                   "has the numbers");
    put_zone(html, selection, &x, &y);
    aimf_svg_axis_x(html, &x, y.to, y.from, "sensitivity to the synthetic look (domain), logarithmic");
    aimf_svg_axis_y(html, &y, x.from, x.to, "sensitivity to bias, logarithmic");
    for (guint i = 0; i < selection->n; i++) {
        const AimfSensitivity *t = &selection->shown->tensors[i];
        g_autofree char *tip = tensor_tip(selection, i);
        aimf_svg_mark(html, selection->chosen[i] ? AIMF_MARK_CHOSEN : AIMF_MARK_OPEN, aimf_scale_at(&x, t->domain),
                      aimf_scale_at(&y, t->bias), tip);
    }
    aimf_svg_end(html);
}

/* --- Along the network --- */

#define STRIP_LEFT 64.0
#define STRIP_RIGHT 746.0

static double strip_x(const Selection *selection, double i)
{
    return STRIP_LEFT + (STRIP_RIGHT - STRIP_LEFT) * (i + 0.5) / selection->n;
}

static void put_bands(AimfHtml *html, const Selection *selection, const Module *modules, guint n, double top,
                      double bottom)
{
    for (guint m = 0; m < n; m++) {
        const double left = strip_x(selection, modules[m].first - 0.5);
        const double right = strip_x(selection, modules[m].first + modules[m].n - 0.5);
        aimf_html_put(html,
                      "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>%s: %u of %u "
                      "trained</title></rect>\n",
                      m % 2 ? "none" : "band", AIMF_XY(left), AIMF_XY(top), AIMF_XY(right - left),
                      AIMF_XY(bottom - top), AIMF_HTML(modules[m].name), modules[m].chosen, modules[m].n);
    }
}

/* Slanted, since most modules are narrower than their names; those without room have none. */
static void put_module_names(AimfHtml *html, const Selection *selection, const Module *modules, guint n, double y)
{
    double last = -INFINITY;
    for (guint m = 0; m < n; m++) {
        const double middle = strip_x(selection, modules[m].first + (modules[m].n - 1) / 2.0);
        if (middle - last < 16)
            continue;
        last = middle;
        aimf_html_put(html, "<text class=\"s e\" transform=\"translate(%s %s) rotate(-45)\">%s</text>\n",
                      AIMF_XY(middle + 4), AIMF_XY(y), AIMF_HTML_FIT(modules[m].name, 16));
    }
}

static void put_strip(AimfHtml *html, const Selection *selection, gboolean bias, double top, double bottom)
{
    double low, high;
    reach_of(selection, bias, &low, &high);
    const AimfScale y = aimf_scale_log(low, high, bottom, top);
    aimf_svg_axis_y(html, &y, STRIP_LEFT, STRIP_RIGHT,
                    bias ? "sensitivity to bias, logarithmic" : "sensitivity to the synthetic look, logarithmic");
    for (guint i = 0; i < selection->n; i++) {
        const AimfSensitivity *t = &selection->shown->tensors[i];
        g_autofree char *tip = tensor_tip(selection, i);
        aimf_svg_mark(html, selection->chosen[i] ? AIMF_MARK_CHOSEN : AIMF_MARK_OPEN, strip_x(selection, i),
                      aimf_scale_at(&y, bias ? t->bias : t->domain), tip);
    }
}

static void put_network(AimfHtml *html, const Selection *selection, const Module *modules, guint n)
{
    aimf_svg_begin(html, 760, 436,
                   "Both sensitivities of every tensor in the network's order, from the input to the "
                   "output");
    put_bands(html, selection, modules, n, 24, 166);
    put_bands(html, selection, modules, n, 204, 346);
    put_strip(html, selection, TRUE, 30, 160);
    put_strip(html, selection, FALSE, 210, 340);
    put_module_names(html, selection, modules, n, 360);
    aimf_html_put(html,
                  "<text class=\"s m\" x=\"%s\" y=\"432\">tensors from the input to the output, by module</text>\n",
                  AIMF_XY((STRIP_LEFT + STRIP_RIGHT) / 2));
    aimf_svg_end(html);
}

/* --- Words and table --- */

static void put_why(AimfHtml *html, const Selection *selection, const Module *modules, guint n)
{
    const Module *most = NULL;
    const guint chosen = n_chosen(selection);
    for (guint m = 0; m < n; m++)
        if (!most || modules[m].chosen > most->chosen)
            most = &modules[m];
    if (!selection->method) {
        aimf_html_put(html, "<p>No method of this run selects tensors by them.</p>\n");
        return;
    }
    aimf_html_put(html,
                  "<p>%s trains a tensor that is both among the %u that react least to the look of synthetic pictures "
                  "and among the %u that react most to bias: learning from synthetic pictures then changes what makes "
                  "the model biased and little of what tells photographs apart. Of %u tensors that is so for %u",
                  AIMF_HTML(selection->results->methods[selection->method].title), selection->k, selection->k,
                  selection->shown->n, chosen);
    if (most && most->chosen)
        aimf_html_put(html, ", %u of them among the %u of <code>%s</code>", most->chosen, most->n,
                      AIMF_HTML(most->name));
    aimf_html_put(html, ".</p>\n");
    if (selection->n_seeds < 2)
        return;
    guint always = 0, never = 0;
    for (guint i = 0; i < selection->n; i++) {
        always += selection->times[i] == selection->n_seeds;
        never += !selection->times[i];
    }
    aimf_html_put(html,
                  "<p>With %u seeds, %u tensors are selected every time, %u never and %u with some seeds only; the "
                  "charts show seed %" G_GUINT64_FORMAT ".</p>\n",
                  selection->n_seeds, always, never, selection->n - always - never,
                  selection->results->seeds[selection->seed]);
}

static void put_tensor_table(AimfHtml *html, const Selection *selection)
{
    aimf_html_table(html, "tall",
                    "Tensors in the network’s order; rank 1 is the least sensitive to the look, and the "
                    "most sensitive to bias.");
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Tensor</th><th scope=\"col\">Values</th>"
                  "<th scope=\"col\">Look</th><th scope=\"col\">Rank</th><th scope=\"col\">Bias</th>"
                  "<th scope=\"col\">Rank</th><th scope=\"col\">Selected, of %u seed%s</th></tr></thead>\n"
                  "<tbody>\n",
                  selection->n_seeds, AIMF_PLURAL(selection->n_seeds));
    for (guint i = 0; i < selection->n; i++) {
        const AimfSensitivity *t = &selection->shown->tensors[i];
        aimf_html_put(
            html,
            "<tr><th scope=\"row\"><code>%s</code></th><td>%s</td><td>%s</td><td>%u</td><td>%s</td><td>%u</td>"
            "<td>%u</td></tr>\n",
            AIMF_HTML(t->name), AIMF_COUNT((guint64)MAX(t->size, 0)), AIMF_SCIENTIFIC(t->domain), t->domain_rank,
            AIMF_SCIENTIFIC(t->bias), t->bias_rank, selection->times[i]);
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
}

static void put_tensors(AimfHtml *html, const Selection *selection)
{
    g_autofree Module *modules = g_new(Module, MOST_MODULES);
    const guint n = modules_of(selection, modules);
    put_why(html, selection, modules, n);
    aimf_legend_begin(html);
    aimf_legend_mark(html, AIMF_MARK_CHOSEN, "trained");
    aimf_legend_mark(html, AIMF_MARK_OPEN, "left as it was");
    aimf_legend_end(html);
    aimf_html_figure(html, TRUE);
    put_map(html, selection);
    aimf_html_figure_end(html, TRUE,
                         "Each tensor of the model. What is selected lies in the shaded corner: little moved "
                         "by the synthetic look, much by bias.");
    aimf_html_figure(html, TRUE);
    put_network(html, selection, modules, n);
    aimf_html_figure_end(html, TRUE, "The same along the network.");
    put_tensor_table(html, selection);
    if (selection->n < selection->shown->n)
        aimf_html_missing(html, "There are more tensors; the run’s sensitivity.json has all of them.");
}

void aimf_report_tensors(AimfHtml *html, const AimfRunResults *results)
{
    Selection selection;
    aimf_html_section(html, "tensors", "Which tensors, and why");
    if (selection_init(&selection, results))
        put_tensors(html, &selection);
    else
        aimf_html_missing(html, "No sensitivities were measured in this run.");
    selection_clear(&selection);
    aimf_html_section_end(html);
}
