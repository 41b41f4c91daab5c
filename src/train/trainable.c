#include "train/trainable.h"

#include <math.h>

gboolean aimf_train_all_finite(const float *values, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return FALSE;
    return TRUE;
}

static gboolean check_names(const AimfGraph *graph, const char *const *names, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++)
        g_hash_table_add(known, (gpointer)aimf_graph_name(graph, aimf_graph_parameter_at(graph, i)));
    g_autoptr(GString) unknown = g_string_new(NULL);
    for (const char *const *name = names; *name; name++)
        if (!g_hash_table_contains(known, *name))
            g_string_append_printf(unknown, "%s'%s'", unknown->len ? ", " : "", *name);
    if (unknown->len == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the model has no parameter named %s", unknown->str);
    return FALSE;
}

AimfValue *aimf_train_parameters(const AimfGraph *graph, const char *const *names, guint *n, GError **error)
{
    if (names && !check_names(graph, names, error))
        return NULL;
    guint count = aimf_graph_n_parameters(graph);
    g_autofree AimfValue *values = g_new(AimfValue, count);
    *n = 0;
    for (guint i = 0; i < count; i++) {
        AimfValue value = aimf_graph_parameter_at(graph, i);
        if (!names || g_strv_contains(names, aimf_graph_name(graph, value)))
            values[(*n)++] = value;
    }
    if (*n == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "nothing to train: no parameter is named");
        return NULL;
    }
    return g_steal_pointer(&values);
}
