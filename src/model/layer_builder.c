#include "model/layer_builder.h"

#include "base/intern.h"

#include <math.h>

void aimf_builder_init(AimfBuilder *b, gboolean training)
{
    *b = (AimfBuilder){
        .graph = aimf_graph_new(),
        .scope = g_string_new(NULL),
        .tensors = g_array_new(FALSE, FALSE, sizeof(AimfTensorSpec)),
        .training = training,
        .scheme = { .conv = AIMF_DRAW_FAN_OUT },
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

/* Notes "<scope><layer>.<tensor>", or "<scope><tensor>" without a layer, and gives that name. */
static const char *note(AimfBuilder *b, const char *layer, const char *tensor, AimfTensorSpec spec)
{
    g_autofree char *name = g_strdup_printf("%s%s%s%s", b->scope->str, layer ? layer : "", layer ? "." : "", tensor);
    spec.name = aimf_intern(name);
    g_array_append_val(b->tensors, spec);
    return spec.name;
}

static AimfValue parameter(AimfBuilder *b, const char *layer, const char *tensor, AimfShape shape, AimfInit init)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init };
    return aimf_graph_parameter(b->graph, note(b, layer, tensor, spec), shape);
}

static AimfValue state(AimfBuilder *b, const char *layer, const char *tensor, AimfShape shape, AimfInit init)
{
    AimfTensorSpec spec = { .dtype = AIMF_F32, .shape = shape, .init = init };
    return aimf_graph_state(b->graph, note(b, layer, tensor, spec), shape);
}

AimfValue aimf_build_parameter(AimfBuilder *b, const char *name, AimfShape shape, AimfInit init)
{
    AimfValue value = parameter(b, NULL, name, shape, init);
    aimf_graph_exempt_from_decay(b->graph, value);
    return value;
}

static const AimfInit zeros = { AIMF_INIT_CONSTANT, 0 }, ones = { AIMF_INIT_CONSTANT, 1 };

/* @weight: the shape of the layer's weight (O, I, ...), of whose bias this may be as well. */
static AimfInit drawn(const AimfBuilder *b, AimfDraw draw, const AimfShape *weight, int groups)
{
    gint64 fan_in = weight->dim[1], fan_out = weight->dim[0];
    for (int i = 2; i < weight->rank; i++) {
        fan_in *= weight->dim[i];
        fan_out *= weight->dim[i];
    }
    switch (draw) {
    case AIMF_DRAW_FAN_OUT:
        return (AimfInit){ AIMF_INIT_NORMAL, sqrt(2.0 / (double)fan_out) };
    case AIMF_DRAW_FAN_IN:
        return (AimfInit){ AIMF_INIT_NORMAL, sqrt(2.0 / (double)fan_in) };
    case AIMF_DRAW_FAN_OUT_OF_GROUP:
        return (AimfInit){ AIMF_INIT_NORMAL, sqrt(2.0 / (double)(fan_out / groups)) };
    case AIMF_DRAW_ROWS:
        return (AimfInit){ AIMF_INIT_UNIFORM, 1 / sqrt((double)weight->dim[0]) };
    case AIMF_DRAW_NORMAL:
        return (AimfInit){ AIMF_INIT_NORMAL, b->scheme.deviation };
    case AIMF_DRAW_DEFAULT:
        return (AimfInit){ AIMF_INIT_UNIFORM, 1 / sqrt((double)fan_in) };
    default:
        return zeros;
    }
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
    int groups = MAX(conv.groups, 1);
    AimfShape shape = AIMF_SHAPE(conv.channels, channels_of(b, x) / groups, conv.kernel, conv.kernel);
    AimfShape outputs = AIMF_SHAPE(conv.channels);
    AimfValue weight = parameter(b, name, "weight", shape, drawn(b, b->scheme.conv, &shape, groups)), bias = AIMF_NONE;
    if (!conv.no_bias)
        bias = parameter(b, name, "bias", outputs, drawn(b, b->scheme.conv_bias, &shape, groups));
    if (conv.upsample)
        return aimf_upsample_conv2d(b->graph, x, weight, bias);
    AimfConv2d options = aimf_conv2d_square(conv.stride, conv.kernel / 2 * MAX(conv.dilation, 1));
    for (int i = 0; i < 2; i++) {
        options.dilation[i] = conv.dilation;
        if (conv.padded) {
            options.before[i] = conv.before[i];
            options.after[i] = conv.after[i];
        }
    }
    options.groups = conv.groups;
    return aimf_conv2d(b->graph, x, weight, bias, options);
}

AimfValue aimf_build_batch_norm(AimfBuilder *b, const char *name, AimfValue x, gboolean relu)
{
    AimfShape channels = AIMF_SHAPE(channels_of(b, x));
    AimfValue weight = parameter(b, name, "weight", channels, ones);
    AimfValue bias = parameter(b, name, "bias", channels, zeros);
    AimfValue mean = state(b, name, "running_mean", channels, zeros);
    AimfValue variance = state(b, name, "running_var", channels, ones);
    /* The graph has no use for it, but PyTorch's strict load_state_dict wants it. */
    note(b, name, "num_batches_tracked", (AimfTensorSpec){ .dtype = AIMF_I64 });
    AimfBatchNorm options = b->batch_norm;
    options.training = b->training && !b->frozen_batch_norm;
    options.relu = relu;
    AimfShape shape = aimf_graph_shape(b->graph, x);
    b->one_value = b->one_value || (options.training && aimf_shape_count(&shape) == channels.dim[0]);
    return aimf_batch_norm(b->graph, x, weight, bias, mean, variance, options);
}

AimfValue aimf_build_group_norm(AimfBuilder *b, const char *name, AimfValue x, AimfGroupNorm options)
{
    AimfShape channels = AIMF_SHAPE(channels_of(b, x));
    AimfValue weight = parameter(b, name, "weight", channels, ones);
    AimfValue bias = parameter(b, name, "bias", channels, zeros);
    return aimf_group_norm(b->graph, x, weight, bias, options);
}

AimfValue aimf_build_layer_norm(AimfBuilder *b, const char *name, AimfValue x, double epsilon)
{
    AimfShape width = AIMF_SHAPE(width_of(b, x));
    AimfValue weight = parameter(b, name, "weight", width, ones);
    AimfValue bias = parameter(b, name, "bias", width, zeros);
    return aimf_layer_norm(b->graph, x, weight, bias, epsilon);
}

static AimfValue product(AimfBuilder *b, const char *name, AimfValue x, gint64 outputs, gboolean biased)
{
    AimfShape shape = AIMF_SHAPE(outputs, width_of(b, x));
    AimfValue weight = parameter(b, name, "weight", shape, drawn(b, b->scheme.linear, &shape, 1)), bias = AIMF_NONE;
    if (biased)
        bias = parameter(b, name, "bias", AIMF_SHAPE(outputs), drawn(b, b->scheme.linear_bias, &shape, 1));
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
    return parameter(b, name, "weight", AIMF_SHAPE(rows, width), (AimfInit){ AIMF_INIT_NORMAL, 1 });
}

const char *aimf_module_name(int number)
{
    char text[16];
    g_snprintf(text, sizeof text, "%d", number);
    return aimf_intern(text);
}

AimfValue aimf_build_activation(AimfBuilder *b, AimfValue x, AimfActivation activation)
{
    switch (activation) {
    case AIMF_RELU:
        return aimf_relu(b->graph, x);
    case AIMF_RELU6:
        return aimf_clip(b->graph, x, 0, 6);
    case AIMF_SILU:
        return aimf_silu(b->graph, x);
    case AIMF_HARD_SWISH:
        return aimf_hard_swish(b->graph, x);
    default:
        return x;
    }
}

static AimfValue drop(AimfBuilder *b, AimfValue x, double share, gboolean samples)
{
    if (!b->dropout || share == 0)
        return x;
    if (b->draw == AIMF_NONE)
        b->draw = aimf_graph_input(b->graph, "dropout", AIMF_SHAPE(2));
    /* Another key for each of a seed's layers; multiples of the golden ratio lie far apart. */
    guint64 key = b->seed ^ ++b->n_dropouts * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    AimfDropout options = { .share = share, .key = key, .samples = samples };
    return aimf_dropout(b->graph, x, b->draw, options);
}

AimfValue aimf_build_dropout(AimfBuilder *b, AimfValue x, double share)
{
    return drop(b, x, share, FALSE);
}

AimfValue aimf_build_stochastic_depth(AimfBuilder *b, AimfValue x, double share)
{
    return drop(b, x, share, TRUE);
}
