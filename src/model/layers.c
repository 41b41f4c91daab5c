#include "model/architecture.h"

static void clear_spec(gpointer data)
{
    g_free(((AimfTensorSpec *)data)->name);
}

void aimf_builder_init(AimfBuilder *builder, gboolean training)
{
    *builder = (AimfBuilder){
        .graph = aimf_graph_new(),
        .scope = g_string_new(NULL),
        .tensors = g_array_new(FALSE, FALSE, sizeof(AimfTensorSpec)),
        .training = training,
    };
    g_array_set_clear_func(builder->tensors, clear_spec);
}

void aimf_builder_clear(AimfBuilder *builder)
{
    g_clear_pointer(&builder->graph, aimf_graph_free);
    if (builder->scope)
        g_string_free(g_steal_pointer(&builder->scope), TRUE);
    g_clear_pointer(&builder->tensors, g_array_unref);
}

/* Notes "<scope><layer>.<tensor>"; the name is borrowed from the note. */
static const char *note(AimfBuilder *builder, const char *layer, const char *tensor, AimfTensorSpec spec)
{
    spec.name = g_strdup_printf("%s%s.%s", builder->scope->str, layer, tensor);
    g_array_append_val(builder->tensors, spec);
    return spec.name;
}

static AimfValue parameter(AimfBuilder *builder, const char *layer, const char *tensor, AimfShape shape, AimfInit init,
                           gint64 fan)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init, .fan = fan };
    return aimf_graph_parameter(builder->graph, note(builder, layer, tensor, spec), shape);
}

static AimfValue state(AimfBuilder *builder, const char *layer, const char *tensor, AimfShape shape, AimfInit init)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init };
    return aimf_graph_state(builder->graph, note(builder, layer, tensor, spec), shape);
}

AimfValue aimf_build_conv2d(AimfBuilder *builder, const char *name, AimfValue x, int channels, int kernel,
                            AimfConv2d options)
{
    gint64 inputs = aimf_graph_shape(builder->graph, x).dim[1];
    AimfShape shape = AIMF_SHAPE(channels, inputs, kernel, kernel);
    gint64 fan_out = (gint64)channels * kernel * kernel;
    AimfValue weight = parameter(builder, name, "weight", shape, AIMF_INIT_KAIMING_NORMAL, fan_out);
    return aimf_conv2d(builder->graph, x, weight, AIMF_NONE, options);
}

AimfValue aimf_build_batch_norm(AimfBuilder *builder, const char *name, AimfValue x, gboolean relu)
{
    AimfShape channels = AIMF_SHAPE(aimf_graph_shape(builder->graph, x).dim[1]);
    AimfValue weight = parameter(builder, name, "weight", channels, AIMF_INIT_ONE, 0);
    AimfValue bias = parameter(builder, name, "bias", channels, AIMF_INIT_ZERO, 0);
    AimfValue mean = state(builder, name, "running_mean", channels, AIMF_INIT_ZERO);
    AimfValue variance = state(builder, name, "running_var", channels, AIMF_INIT_ONE);
    /* The graph has no use for it, but PyTorch's strict load_state_dict wants it. */
    note(builder, name, "num_batches_tracked", (AimfTensorSpec){ .dtype = AIMF_I64 });
    AimfBatchNorm options = { .training = builder->training, .relu = relu };
    return aimf_batch_norm(builder->graph, x, weight, bias, mean, variance, options);
}

AimfValue aimf_build_linear(AimfBuilder *builder, const char *name, AimfValue x, int outputs)
{
    gint64 inputs = aimf_graph_shape(builder->graph, x).dim[1];
    AimfValue weight = parameter(builder, name, "weight", AIMF_SHAPE(outputs, inputs), AIMF_INIT_UNIFORM, inputs);
    AimfValue bias = parameter(builder, name, "bias", AIMF_SHAPE(outputs), AIMF_INIT_UNIFORM, inputs);
    return aimf_linear(builder->graph, x, weight, bias);
}
