#include "model/sd_blocks.h"

char *aimf_sd_path(const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *rest = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return *at ? g_strconcat(at, ".", rest, NULL) : g_steal_pointer(&rest);
}

static AimfValue parameter(AimfGraph *graph, const char *at, const char *which, AimfShape shape)
{
    g_autofree char *name = aimf_sd_path(at, "%s", which);
    return aimf_graph_parameter(graph, name, shape);
}

static AimfValue bias_unless(gboolean absent, AimfGraph *graph, const char *at, gint64 n)
{
    return absent ? AIMF_NONE : parameter(graph, at, "bias", AIMF_SHAPE(n));
}

AimfValue aimf_sd_conv2d(AimfGraph *graph, const char *at, AimfValue x, AimfSdConv conv)
{
    gint64 inputs = aimf_graph_shape(graph, x).dim[1];
    AimfValue weight = parameter(graph, at, "weight", AIMF_SHAPE(conv.channels, inputs, conv.kernel, conv.kernel));
    return aimf_conv2d(graph, x, weight, bias_unless(conv.no_bias, graph, at, conv.channels), conv.options);
}

AimfValue aimf_sd_upsample(AimfGraph *graph, const char *at, AimfValue x, gboolean no_bias)
{
    gint64 channels = aimf_graph_shape(graph, x).dim[1];
    AimfValue weight = parameter(graph, at, "weight", AIMF_SHAPE(channels, channels, 3, 3));
    return aimf_upsample_conv2d(graph, x, weight, bias_unless(no_bias, graph, at, channels));
}

AimfValue aimf_sd_linear(AimfGraph *graph, const char *at, AimfValue x, gint64 outputs, gboolean no_bias)
{
    AimfShape shape = aimf_graph_shape(graph, x);
    gint64 inputs = shape.rank ? shape.dim[shape.rank - 1] : 0;
    AimfValue weight = parameter(graph, at, "weight", AIMF_SHAPE(outputs, inputs));
    return aimf_linear(graph, x, weight, bias_unless(no_bias, graph, at, outputs));
}

AimfValue aimf_sd_group_norm(AimfGraph *graph, const char *at, AimfValue x, AimfGroupNorm options)
{
    AimfShape channels = AIMF_SHAPE(aimf_graph_shape(graph, x).dim[1]);
    AimfValue weight = parameter(graph, at, "weight", channels);
    return aimf_group_norm(graph, x, weight, parameter(graph, at, "bias", channels), options);
}

AimfValue aimf_sd_layer_norm(AimfGraph *graph, const char *at, AimfValue x, double epsilon)
{
    AimfShape shape = aimf_graph_shape(graph, x);
    AimfShape channels = AIMF_SHAPE(shape.rank ? shape.dim[shape.rank - 1] : 0);
    AimfValue weight = parameter(graph, at, "weight", channels);
    return aimf_layer_norm(graph, x, weight, parameter(graph, at, "bias", channels), epsilon);
}

AimfValue aimf_sd_resnet(AimfGraph *graph, const char *at, AimfValue x, AimfSdResnet resnet)
{
    AimfGroupNorm norm = { .groups = resnet.groups, .epsilon = resnet.epsilon, .silu = TRUE };
    AimfSdConv conv = { .channels = resnet.channels, .kernel = 3, .options.padding = 1 };
    g_autofree char *norm1 = aimf_sd_path(at, "norm1"), *conv1 = aimf_sd_path(at, "conv1");
    g_autofree char *norm2 = aimf_sd_path(at, "norm2"), *conv2 = aimf_sd_path(at, "conv2");
    g_autofree char *time = aimf_sd_path(at, "time_emb_proj"), *shortcut = aimf_sd_path(at, "conv_shortcut");
    AimfValue h = aimf_sd_group_norm(graph, norm1, x, norm); /* (N, C, H, W) */
    h = aimf_sd_conv2d(graph, conv1, h, conv);
    if (resnet.embedding != AIMF_NONE)
        h = aimf_add_channels(graph, h, aimf_sd_linear(graph, time, resnet.embedding, resnet.channels, FALSE));
    h = aimf_sd_group_norm(graph, norm2, h, norm);
    h = aimf_sd_conv2d(graph, conv2, h, conv);
    if (aimf_graph_shape(graph, x).dim[1] != resnet.channels)
        x = aimf_sd_conv2d(graph, shortcut, x, (AimfSdConv){ .channels = resnet.channels, .kernel = 1 });
    return aimf_add(graph, x, h);
}
