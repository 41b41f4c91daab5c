/* A network's tensors from a file: by name, by shape, and what is left over. */
#include "model/sd_source.h"

#include "base/monitor.h"
#include "weights/element.h"

#include <string.h>

enum { MAX_LISTED = 8 };

static char *list(const GPtrArray *names)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(names->len, MAX_LISTED); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
    if (names->len > MAX_LISTED)
        g_string_append_printf(text, " and %u more", names->len - MAX_LISTED);
    return g_string_free(text, FALSE);
}

gboolean aimf_sd_source_has(const AimfSdSource *source, const char *name)
{
    return aimf_tensors_find(source->tensors, name) >= 0;
}

/* The file's tensor for @ours under @naming, or -1. */
static int find(const AimfSdSource *source, const AimfSdNaming *naming, const char *ours, int *part)
{
    g_autofree char *theirs = aimf_sd_file_name(naming, ours, part);
    return theirs ? aimf_tensors_find(source->tensors, theirs) : -1;
}

/* The naming that most of the graph's parameters are found under. */
static const AimfSdNaming *usual_naming(const AimfSdSource *source, const AimfGraph *graph, const AimfSdNaming *namings,
                                        guint n)
{
    guint best = 0, best_hits = 0;
    for (guint k = 0; k < n; k++) {
        guint hits = 0;
        for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
            int part;
            hits += find(source, &namings[k], aimf_graph_name(graph, aimf_graph_parameter_at(graph, i)), &part) >= 0;
        }
        if (hits > best_hits) {
            best = k;
            best_hits = hits;
        }
    }
    return &namings[best];
}

/*
 * Whether @theirs holds the elements of @ours: the same shape, or with a 1 x 1 kernel behind it, or thrice the rows.
 */
static gboolean fits(const AimfShape *ours, AimfShape theirs, int part)
{
    if (part != AIMF_SD_WHOLE) {
        if (theirs.rank < 1 || theirs.dim[0] % AIMF_SD_FUSED_PARTS != 0)
            return FALSE;
        theirs.dim[0] /= AIMF_SD_FUSED_PARTS;
    }
    if (ours->rank == 2 && theirs.rank == 4 && theirs.dim[2] == 1 && theirs.dim[3] == 1)
        theirs.rank = 2;
    return aimf_shape_equal(ours, &theirs);
}

typedef struct {
    AimfSdSource *source;
    const AimfSdNaming *namings;
    guint n_namings;
    const AimfSdNaming *usual;
    AimfTensors *view;
    GPtrArray *missing, *misshapen;
} Take;

static void note_misshapen(Take *take, const AimfTensor *tensor, const AimfShape *ours, int part)
{
    g_autofree char *expected = aimf_shape_text(ours), *found = aimf_shape_text(&tensor->shape);
    g_ptr_array_add(take->misshapen,
                    g_strdup_printf("%s is %s %s, expected %s%s", tensor->name, aimf_dtype_name(tensor->dtype), found,
                                    expected, part == AIMF_SD_WHOLE ? "" : " three times"));
}

/* FP8 is read by value, but some programs keep factors beside it, without which the values mean something else. */
static gboolean check_unscaled(const AimfSdSource *source, const AimfTensor *tensor, GError **error)
{
    if (tensor->dtype != AIMF_F8_E4M3 && tensor->dtype != AIMF_F8_E5M2)
        return TRUE;
    gsize stem = strlen(tensor->name) - (g_str_has_suffix(tensor->name, ".weight") ? strlen(".weight") : 0);
    g_autofree char *comfy = g_strdup_printf("%.*s.scale_weight", (int)stem, tensor->name);
    g_autofree char *torch = g_strdup_printf("%s_scale", tensor->name);
    const char *scale = aimf_sd_source_has(source, comfy) ? comfy : torch;
    if (!aimf_sd_source_has(source, "scaled_fp8") && !aimf_sd_source_has(source, scale))
        return TRUE;
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
        "'%s': '%s' is FP8 with a scale beside it ('%s'); only FP8 that needs none is read: get the model as f16",
        source->path, tensor->name, aimf_sd_source_has(source, scale) ? scale : "scaled_fp8");
    return FALSE;
}

static gboolean take_one(Take *take, const char *ours, AimfShape shape, GError **error)
{
    int index = -1, part = AIMF_SD_WHOLE;
    for (guint k = 0; k < take->n_namings && index < 0; k++)
        index = find(take->source, &take->namings[k], ours, &part);
    if (index < 0) {
        int unused;
        char *theirs = aimf_sd_file_name(take->usual, ours, &unused);
        g_ptr_array_add(take->missing, theirs ? theirs : g_strdup(ours));
        return TRUE;
    }
    take->source->used[index] = TRUE;
    const AimfTensor *tensor = aimf_tensors_at(take->source->tensors, (guint)index);
    if (!check_unscaled(take->source, tensor, error))
        return FALSE;
    if (!aimf_dtype_is_float(tensor->dtype) || !fits(&shape, tensor->shape, part)) {
        note_misshapen(take, tensor, &shape, part);
        return TRUE;
    }
    gint64 first = part == AIMF_SD_WHOLE ? 0 : part * aimf_shape_count(&shape);
    return aimf_tensors_add_view(take->view, ours, take->source->tensors, (guint)index, first, &shape, error);
}

static gboolean complain(const Take *take, const char *what, GError **error)
{
    if (take->missing->len + take->misshapen->len == 0)
        return TRUE;
    g_autofree char *missing = list(take->missing), *misshapen = list(take->misshapen);
    g_autoptr(GString) text = g_string_new(NULL);
    if (take->missing->len)
        g_string_append_printf(text, "; missing (%u): %s", take->missing->len, missing);
    if (take->misshapen->len)
        g_string_append_printf(text, "; of the wrong shape or type (%u): %s", take->misshapen->len, misshapen);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': the tensors of the %s are not all there%s",
                take->source->path, what, text->str);
    return FALSE;
}

AimfTensors *aimf_sd_take(AimfSdSource *source, const AimfGraph *graph, const AimfSdNaming *namings, guint n,
                          const char *what, GError **error)
{
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    Take take = { source,
                  namings,
                  n,
                  usual_naming(source, graph, namings, n),
                  view,
                  g_ptr_array_new_with_free_func(g_free),
                  g_ptr_array_new_with_free_func(g_free) };
    gboolean good = TRUE;
    for (guint i = 0; good && i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        good = take_one(&take, aimf_graph_name(graph, parameter), aimf_graph_shape(graph, parameter), error);
    }
    good = good && complain(&take, what, error);
    g_ptr_array_unref(take.missing);
    g_ptr_array_unref(take.misshapen);
    return good ? g_steal_pointer(&view) : NULL;
}

guint aimf_sd_leave(AimfSdSource *source, const AimfGraph *graph, const AimfSdNaming *naming)
{
    guint n = 0;
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        int part, index = find(source, naming, aimf_graph_name(graph, aimf_graph_parameter_at(graph, i)), &part);
        if (index < 0)
            continue;
        n += !source->used[index];
        source->used[index] = TRUE;
    }
    return n;
}

/* --- What is left over --- */

/* Harmless kinds; the first pattern that fits a name counts. */
static const struct {
    const char *pattern;
    const char *kind;
} known[] = {
    { "model_ema.*", "averaged (EMA) copies" },
    { "*position_ids", "numbers of positions" },
    { "betas", "buffers of the noise schedule" },
    { "alphas_cumprod*", "buffers of the noise schedule" },
    { "sqrt_*", "buffers of the noise schedule" },
    { "log_one_minus_alphas_cumprod", "buffers of the noise schedule" },
    { "posterior_*", "buffers of the noise schedule" },
    { "lvlb_weights", "buffers of the noise schedule" },
    { "logvar", "buffers of the noise schedule" },
    { "scale_factor", "buffers of the noise schedule" },
    { "cond_stage_model.model.transformer.resblocks.*", "text blocks behind the penultimate" },
    { "*text_projection*", "projections of CLIP" },
    { "*logit_scale", "projections of CLIP" },
    { "*visual_projection*", "projections of CLIP" },
    { "vision_model.*", "parts of CLIP's picture encoder" },
    { "*attn_mask", "attention masks" },
    { "first_stage_model.loss.*", "weights of a training loss" },
    { "loss.*", "weights of a training loss" },
    { "optimizer_states.*", "states of an optimizer" },
};

static const char *kind_of(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_pattern_match_simple(known[i].pattern, name))
            return known[i].kind;
    return NULL;
}

void aimf_sd_report_surplus(const AimfSdSource *source, const AimfMonitor *monitor)
{
    g_autoptr(GPtrArray) unknown = g_ptr_array_new();
    for (guint i = 0; i < aimf_tensors_count(source->tensors); i++) {
        const char *name = aimf_tensors_at(source->tensors, i)->name;
        if (!source->used[i] && !kind_of(name))
            g_ptr_array_add(unknown, (char *)name);
    }
    const char *last = NULL;
    for (guint k = 0; k < G_N_ELEMENTS(known); k++) {
        if (last == known[k].kind) /* its patterns stand together */
            continue;
        last = known[k].kind;
        guint n = 0;
        for (guint i = 0; i < aimf_tensors_count(source->tensors); i++)
            n += !source->used[i] && kind_of(aimf_tensors_at(source->tensors, i)->name) == last;
        if (n)
            aimf_message(monitor, AIMF_LOG_INFO, "'%s': not needed: %u %s", source->path, n, last);
    }
    g_autofree char *names = list(unknown);
    if (unknown->len)
        aimf_message(monitor, AIMF_LOG_WARNING, "'%s': %u unknown tensors are not used: %s", source->path, unknown->len,
                     names);
}
