#include "graph/graph.h"

#include "base/format.h"
#include "base/intern.h"

static AimfValue add_value(AimfGraph *graph, const AimfValueInfo *info)
{
    g_array_append_val(graph->values, *info);
    return (AimfValue)graph->values->len - 1;
}

AimfGraph *aimf_graph_new(void)
{
    AimfGraph *graph = g_new0(AimfGraph, 1);
    graph->nodes = g_array_new(FALSE, TRUE, sizeof(AimfNode));
    graph->values = g_array_new(FALSE, TRUE, sizeof(AimfValueInfo));
    graph->parameters = g_array_new(FALSE, TRUE, sizeof(AimfValue));
    add_value(graph, &(AimfValueInfo){ 0 }); /* AIMF_NONE */
    return graph;
}

void aimf_graph_free(AimfGraph *graph)
{
    if (!graph)
        return;
    g_array_unref(graph->nodes);
    g_array_unref(graph->values);
    g_array_unref(graph->parameters);
    g_free(graph->failure);
    g_free(graph);
}

AimfGraph *aimf_graph_copy(const AimfGraph *graph)
{
    AimfGraph *copy = g_new0(AimfGraph, 1);
    copy->nodes = g_array_copy(graph->nodes);
    copy->values = g_array_copy(graph->values);
    copy->parameters = g_array_copy(graph->parameters);
    copy->failure = g_strdup(graph->failure);
    return copy;
}

AimfValue aimf_graph_fail(AimfGraph *graph, const char *format, ...)
{
    if (!graph->failure) {
        va_list args;
        va_start(args, format);
        graph->failure = aimf_format_list(format, args);
        va_end(args);
    }
    return AIMF_NONE;
}

gboolean aimf_graph_has(const AimfGraph *graph, AimfValue value)
{
    return value > AIMF_NONE && (guint)value < graph->values->len;
}

gboolean aimf_graph_operands(AimfGraph *graph, const char *op, const AimfValue *operands, int n)
{
    for (int i = 0; i < n; i++)
        if (!aimf_graph_has(graph, operands[i])) {
            aimf_graph_fail(graph, "%s: operand %d is missing", op, i + 1);
            return FALSE;
        }
    return !graph->failure;
}

AimfValue aimf_graph_add_value(AimfGraph *graph, AimfShape shape)
{
    return add_value(graph, &(AimfValueInfo){ .shape = shape });
}

AimfValue aimf_graph_add_workspace(AimfGraph *graph)
{
    return add_value(graph, &(AimfValueInfo){ .workspace = TRUE });
}

AimfValue aimf_graph_add_leaf(AimfGraph *graph, AimfShape shape, AimfLeaf leaf, const char *name)
{
    return add_value(graph, &(AimfValueInfo){ .shape = shape, .leaf = leaf, .name = aimf_intern(name) });
}

void aimf_graph_add_node(AimfGraph *graph, const AimfNode *node)
{
    g_array_append_val(graph->nodes, *node);
}

static AimfValue add_leaf(AimfGraph *graph, const char *name, const AimfShape *shape, AimfLeaf leaf)
{
    name = aimf_intern(name);
    for (guint i = 1; i < graph->values->len; i++)
        if (g_array_index(graph->values, AimfValueInfo, i).name == name)
            return aimf_graph_fail(graph, "the name '%s' is used twice", name);
    if (shape->rank < 0 || shape->rank > AIMF_MAX_RANK || aimf_shape_count(shape) <= 0) {
        g_autofree char *text = aimf_shape_text(shape);
        return aimf_graph_fail(graph, "'%s' cannot have the shape %s", name, text);
    }
    return add_value(graph, &(AimfValueInfo){ .shape = *shape, .leaf = leaf, .name = name });
}

AimfValue aimf_graph_input(AimfGraph *graph, const char *name, AimfShape shape)
{
    return add_leaf(graph, name, &shape, AIMF_LEAF_INPUT);
}

AimfValue aimf_graph_state(AimfGraph *graph, const char *name, AimfShape shape)
{
    return add_leaf(graph, name, &shape, AIMF_LEAF_STATE);
}

AimfValue aimf_graph_parameter(AimfGraph *graph, const char *name, AimfShape shape)
{
    AimfValue value = add_leaf(graph, name, &shape, AIMF_LEAF_PARAMETER);
    if (value != AIMF_NONE)
        g_array_append_val(graph->parameters, value);
    return value;
}

void aimf_graph_exempt_from_decay(AimfGraph *graph, AimfValue parameter)
{
    if (parameter != AIMF_NONE)
        g_array_index(graph->values, AimfValueInfo, parameter).exempt = TRUE;
}

gboolean aimf_graph_decays(const AimfGraph *graph, AimfValue parameter)
{
    const AimfValueInfo *info = &g_array_index(graph->values, AimfValueInfo, parameter);
    return info->shape.rank > 1 && !info->exempt && !g_str_has_suffix(info->name, ".bias");
}

AimfShape aimf_graph_shape(const AimfGraph *graph, AimfValue value)
{
    return *aimf_value_shape(graph, value);
}

guint aimf_graph_n_parameters(const AimfGraph *graph)
{
    return graph->parameters->len;
}

AimfValue aimf_graph_parameter_at(const AimfGraph *graph, guint index)
{
    return g_array_index(graph->parameters, AimfValue, index);
}

const char *aimf_graph_name(const AimfGraph *graph, AimfValue value)
{
    return g_array_index(graph->values, AimfValueInfo, value).name;
}
