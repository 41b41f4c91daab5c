#include "parameters.h"

#include <aimfair/names.h>
#include <string.h>

char **aimf_parameter_names(const AimfModel *model, GArray *sizes, GError **error)
{
    AimfModelGraph built;
    if (!aimf_model_build(model, 1, NULL, &built, error))
        return NULL;
    g_autoptr(AimfGraph) graph = built.graph;
    guint n = aimf_graph_n_parameters(graph);
    char **names = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        AimfShape shape = aimf_graph_shape(graph, parameter);
        gint64 size = aimf_shape_count(&shape);
        names[i] = g_strdup(aimf_graph_name(graph, parameter));
        if (sizes)
            g_array_append_val(sizes, size);
    }
    return names;
}

/* "layer1" means the module and all below it, not layer10. */
static gboolean belongs(const char *name, const char *wanted)
{
    gsize length = strlen(wanted);
    return strncmp(name, wanted, length) == 0 && (name[length] == 0 || name[length] == '.');
}

/* (owned) " (did you mean 'layer4'?)": of the tensors and of the modules that they belong to. */
static char *hint_of(char *const *names, const char *text)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
    for (; *names; names++) {
        for (const char *dot = strchr(*names, '.'); dot; dot = strchr(dot + 1, '.'))
            g_ptr_array_add(known, g_strndup(*names, (gsize)(dot - *names)));
        g_ptr_array_add(known, g_strdup(*names));
    }
    g_ptr_array_add(known, NULL);
    return aimf_name_hint(text, (const char *const *)known->pdata);
}

/* The names that @fits says yes to for one of @wanted, each of which must fit something. */
static char **filter(const AimfModel *model, const char *option, char *const *wanted,
                     gboolean (*fits)(const char *, const char *), GError **error)
{
    g_auto(GStrv) names = aimf_parameter_names(model, NULL, error);
    if (!names)
        return NULL;
    for (char *const *part = wanted; *part; part++) {
        guint hits = 0;
        for (char **name = names; *name; name++)
            hits += fits(*name, *part) ? 1 : 0;
        if (hits && **part)
            continue;
        g_autofree char *hint = hint_of(names, *part);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%s: no parameter of the model fits '%s'%s; there are %s … %s", option, *part, hint, names[0],
                    names[g_strv_length(names) - 1]);
        return NULL;
    }
    GPtrArray *selected = g_ptr_array_new();
    for (char **name = names; *name; name++) {
        gboolean hit = FALSE;
        for (char *const *part = wanted; *part && !hit; part++)
            hit = fits(*name, *part);
        if (hit)
            g_ptr_array_add(selected, g_strdup(*name));
    }
    g_ptr_array_add(selected, NULL);
    return (char **)g_ptr_array_free(selected, FALSE);
}

char **aimf_named_parameters(const AimfModel *model, const char *option, const char *list, GError **error)
{
    if (g_str_equal(list, "all"))
        return aimf_parameter_names(model, NULL, error);
    if (!*list) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s names nothing; it takes all, or tensors and modules",
                    option);
        return NULL;
    }
    g_auto(GStrv) wanted = g_strsplit(list, ",", -1);
    return filter(model, option, wanted, belongs, error);
}

char **aimf_prefixed_parameters(const AimfModel *model, char *const *prefixes, GError **error)
{
    return filter(model, "--prefix", prefixes, g_str_has_prefix, error);
}
