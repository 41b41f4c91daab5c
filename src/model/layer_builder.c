#include "model/layer_builder.h"

void aimf_builder_init(AimfBuilder *b, gboolean training)
{
    *b = (AimfBuilder){
        .graph = aimf_graph_new(),
        .scope = g_string_new(NULL),
        .tensors = g_array_new(FALSE, FALSE, sizeof(AimfTensorSpec)),
        .training = training,
    };
}

void aimf_builder_clear(AimfBuilder *b)
{
    g_clear_pointer(&b->graph, aimf_graph_free);
    if (b->scope)
        g_string_free(g_steal_pointer(&b->scope), TRUE);
    g_clear_pointer(&b->tensors, g_array_unref);
}

AimfScope aimf_builder_enter(AimfBuilder *b, const char *format, ...)
{
    AimfScope scope = { b->scope, b->scope->len };
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(b->scope, format, arguments);
    va_end(arguments);
    g_string_append_c(b->scope, '.');
    return scope;
}

void aimf_scope_leave(AimfScope *scope)
{
    g_string_truncate(scope->scope, scope->length);
}

/* Notes "<scope><layer>.<tensor>" and gives that name. */
static const char *note(AimfBuilder *b, const char *layer, const char *tensor, AimfTensorSpec spec)
{
    g_autofree char *name = g_strdup_printf("%s%s.%s", b->scope->str, layer, tensor);
    spec.name = g_intern_string(name);
    g_array_append_val(b->tensors, spec);
    return spec.name;
}

static AimfValue parameter(AimfBuilder *b, const char *layer, const char *tensor, AimfShape shape, AimfInit init,
                           gint64 fan)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init, .fan = fan };
    return aimf_graph_parameter(b->graph, note(b, layer, tensor, spec), shape);
}

static AimfValue state(AimfBuilder *b, const char *layer, const char *tensor, AimfShape shape, AimfInit init)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init };
    return aimf_graph_state(b->graph, note(b, layer, tensor, spec), shape);
}

static gint64 channels_of(const AimfBuilder *b, AimfValue x)
{
    return aimf_graph_shape(b->graph, x).dim[1];
}

static gint64 width_of(const AimfBuilder *b, AimfValue x)
{
    AimfShape shape = aimf_graph_shape(b->graph, x);
    return shape.rank ? shape.dim[shape.rank - 1] : 0;
}

AimfValue aimf_build_conv2d(AimfBuilder *b, const char *name, AimfValue x, AimfConvLayer conv)
{
    gint64 inputs = channels_of(b, x), window = (gint64)conv.kernel * conv.kernel;
    AimfShape shape = AIMF_SHAPE(conv.channels, inputs, conv.kernel, conv.kernel), outputs = AIMF_SHAPE(conv.channels);
    AimfValue weight = parameter(b, name, "weight", shape, AIMF_INIT_KAIMING_NORMAL, conv.channels * window);
    AimfValue bias = conv.no_bias ? AIMF_NONE : parameter(b, name, "bias", outputs, AIMF_INIT_UNIFORM, inputs * window);
    if (conv.upsample)
        return aimf_upsample_conv2d(b->graph, x, weight, bias);
    AimfConv2d options = { .stride = conv.stride, .padding = conv.kernel / 2 };
    if (conv.pad_after)
        options = (AimfConv2d){ .stride = conv.stride, .padding_after = 1 };
    return aimf_conv2d(b->graph, x, weight, bias, options);
}

AimfValue aimf_build_batch_norm(AimfBuilder *b, const char *name, AimfValue x, gboolean relu)
{
    AimfShape channels = AIMF_SHAPE(channels_of(b, x));
    AimfValue weight = parameter(b, name, "weight", channels, AIMF_INIT_ONE, 0);
    AimfValue bias = parameter(b, name, "bias", channels, AIMF_INIT_ZERO, 0);
    AimfValue mean = state(b, name, "running_mean", channels, AIMF_INIT_ZERO);
    AimfValue variance = state(b, name, "running_var", channels, AIMF_INIT_ONE);
    /* The graph has no use for it, but PyTorch's strict load_state_dict wants it. */
    note(b, name, "num_batches_tracked", (AimfTensorSpec){ .dtype = AIMF_I64 });
    AimfBatchNorm options = { .training = b->training && !b->frozen_batch_norm, .relu = relu };
    return aimf_batch_norm(b->graph, x, weight, bias, mean, variance, options);
}

AimfValue aimf_build_group_norm(AimfBuilder *b, const char *name, AimfValue x, AimfGroupNorm options)
{
    AimfShape channels = AIMF_SHAPE(channels_of(b, x));
    AimfValue weight = parameter(b, name, "weight", channels, AIMF_INIT_ONE, 0);
    AimfValue bias = parameter(b, name, "bias", channels, AIMF_INIT_ZERO, 0);
    return aimf_group_norm(b->graph, x, weight, bias, options);
}

AimfValue aimf_build_layer_norm(AimfBuilder *b, const char *name, AimfValue x, double epsilon)
{
    AimfShape width = AIMF_SHAPE(width_of(b, x));
    AimfValue weight = parameter(b, name, "weight", width, AIMF_INIT_ONE, 0);
    AimfValue bias = parameter(b, name, "bias", width, AIMF_INIT_ZERO, 0);
    return aimf_layer_norm(b->graph, x, weight, bias, epsilon);
}

static AimfValue product(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs, gboolean biased)
{
    gint64 inputs = width_of(b, x);
    AimfValue weight = parameter(b, name, "weight", AIMF_SHAPE(outputs, inputs), AIMF_INIT_UNIFORM, inputs);
    AimfValue bias = biased ? parameter(b, name, "bias", AIMF_SHAPE(outputs), AIMF_INIT_UNIFORM, inputs) : AIMF_NONE;
    return aimf_linear(b->graph, x, weight, bias);
}

AimfValue aimf_build_linear(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs)
{
    return product(b, name, x, outputs, TRUE);
}

AimfValue aimf_build_projection(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs)
{
    return product(b, name, x, outputs, FALSE);
}

AimfValue aimf_build_table(AimfBuilder *b, const char *name, gint64 rows, gint64 width)
{
    /* A fan of 2 is a deviation of 1, torch.nn.Embedding's. */
    return parameter(b, name, "weight", AIMF_SHAPE(rows, width), AIMF_INIT_KAIMING_NORMAL, 2);
}
