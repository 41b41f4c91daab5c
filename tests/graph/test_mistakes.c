/* Mistakes: in building a graph, in compiling it, and gradients that there are not. */
#include "device/support_devices.h"
#include "graph/support_small_net.h"

#include <string.h>

#define ASSERT_CONTAINS(text, part)                                                                                    \
    do {                                                                                                               \
        if (!strstr(text, part))                                                                                       \
            g_error("'%s' does not say '%s'", text, part);                                                             \
    } while (0)

/* --- Mistakes in building --- */

static AimfValue x4(AimfGraph *graph)
{
    return aimf_graph_input(graph, "x", AIMF_SHAPE(2, 3, 5, 5));
}

static AimfValue conv_channels(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 2, 3, 3));
    return aimf_conv2d(graph, x4(graph), weight, AIMF_NONE, (AimfConv2d){ 0 });
}

static AimfValue conv_kernel_too_large(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 3, 7, 7));
    return aimf_conv2d(graph, x4(graph), weight, AIMF_NONE, (AimfConv2d){ 0 });
}

static AimfValue conv_bias(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 3, 3, 3));
    AimfValue bias = aimf_graph_parameter(graph, "bias", AIMF_SHAPE(3));
    return aimf_conv2d(graph, x4(graph), weight, bias, (AimfConv2d){ 0 });
}

static AimfValue conv_negative_stride(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 3, 3, 3));
    return aimf_conv2d(graph, x4(graph), weight, AIMF_NONE, aimf_conv2d_square(-1, 0));
}

static AimfValue batch_norm_channels(AimfGraph *graph)
{
    AimfValue c4 = aimf_graph_parameter(graph, "c4", AIMF_SHAPE(4));
    return aimf_batch_norm(graph, x4(graph), c4, c4, c4, c4, (AimfBatchNorm){ 0 });
}

static AimfValue batch_norm_single(AimfGraph *graph)
{
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(1, 3, 1, 1));
    AimfValue c3 = aimf_graph_parameter(graph, "c3", AIMF_SHAPE(3));
    return aimf_batch_norm(graph, x, c3, c3, c3, c3, (AimfBatchNorm){ .training = TRUE });
}

static AimfValue add_shapes(AimfGraph *graph)
{
    return aimf_add(graph, x4(graph), aimf_graph_input(graph, "b", AIMF_SHAPE(2, 3, 5, 4)));
}

static AimfValue pool_padding(AimfGraph *graph)
{
    return aimf_max_pool(graph, x4(graph), aimf_pool_square(2, 2, 2));
}

static AimfValue linear_features(AimfGraph *graph)
{
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(2, 3));
    return aimf_linear(graph, x, aimf_graph_parameter(graph, "weight", AIMF_SHAPE(1, 4)), AIMF_NONE);
}

static AimfValue softmax_targets(AimfGraph *graph)
{
    AimfValue logits = aimf_graph_input(graph, "logits", AIMF_SHAPE(2, 3));
    return aimf_softmax_cross_entropy(graph, logits, aimf_graph_input(graph, "targets", AIMF_SHAPE(3)));
}

static AimfValue x3(AimfGraph *graph)
{
    return aimf_graph_input(graph, "tokens", AIMF_SHAPE(2, 6, 5));
}

static AimfValue linear_rank(AimfGraph *graph)
{
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(5));
    return aimf_linear(graph, x, aimf_graph_parameter(graph, "weight", AIMF_SHAPE(1, 5)), AIMF_NONE);
}

static AimfValue conv_negative_padding(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 3, 3, 3));
    return aimf_conv2d(graph, x4(graph), weight, AIMF_NONE, (AimfConv2d){ .after = { 0, -1 } });
}

static AimfValue convolve(AimfGraph *graph, gint64 outputs, gint64 inputs, gint64 kernel, AimfConv2d options)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(outputs, inputs, kernel, kernel));
    return aimf_conv2d(graph, x4(graph), weight, AIMF_NONE, options);
}

static AimfValue conv_groups(AimfGraph *graph)
{
    return convolve(graph, 4, 1, 3, (AimfConv2d){ .groups = 2 });
}

static AimfValue conv_groups_of_outputs(AimfGraph *graph)
{
    return convolve(graph, 4, 1, 3, (AimfConv2d){ .groups = 3 });
}

static AimfValue conv_groups_of_inputs(AimfGraph *graph)
{
    return convolve(graph, 6, 3, 3, (AimfConv2d){ .groups = 3 });
}

static AimfValue conv_negative_groups(AimfGraph *graph)
{
    return convolve(graph, 4, 3, 3, (AimfConv2d){ .groups = -3 });
}

static AimfValue conv_negative_dilation(AimfGraph *graph)
{
    return convolve(graph, 4, 3, 3, (AimfConv2d){ .dilation = { 1, -2 } });
}

static AimfValue conv_wide_dilation(AimfGraph *graph)
{
    return convolve(graph, 4, 3, 3, (AimfConv2d){ .dilation = { 1, 3 } });
}

static AimfValue conv_huge_dilation(AimfGraph *graph)
{
    return convolve(graph, 4, 3, G_GINT64_CONSTANT(1) << 29, (AimfConv2d){ .dilation = { G_MAXINT, 1 } });
}

static AimfValue conv_huge_padding(AimfGraph *graph)
{
    return convolve(graph, 4, 3, 3, (AimfConv2d){ .before = { G_MAXINT, G_MAXINT }, .after = { G_MAXINT, 1 } });
}

static AimfValue pool_stride(AimfGraph *graph)
{
    return aimf_average_pool(graph, x4(graph), aimf_pool_square(2, -1, 0));
}

static AimfValue pool_no_window(AimfGraph *graph)
{
    return aimf_average_pool(graph, x4(graph), (AimfPool){ .stride = { 1, 1 } });
}

static AimfValue pool_negative_padding(AimfGraph *graph)
{
    return aimf_max_pool(graph, x4(graph), (AimfPool){ .window = { 3, 3 }, .after = { 0, -1 } });
}

static AimfValue pool_too_large(AimfGraph *graph)
{
    return aimf_average_pool(graph, x4(graph), aimf_pool_square(8, 1, 1));
}

static AimfValue pool_huge(AimfGraph *graph)
{
    return aimf_max_pool(graph, x4(graph), aimf_pool_square(G_MAXINT, G_MAXINT, 0));
}

static AimfValue pool_huge_result(AimfGraph *graph)
{
    const int most = G_MAXINT;
    AimfPool options = {
        .window = { most, most }, .stride = { 1, 1 }, .before = { most - 1, most - 1 }, .after = { most - 1, most - 1 }
    };
    return aimf_average_pool(graph, x4(graph), options);
}

static AimfValue pool_rank(AimfGraph *graph)
{
    return aimf_average_pool(graph, x3(graph), aimf_pool_square(2, 2, 0));
}

static AimfValue adaptive_nothing(AimfGraph *graph)
{
    return aimf_adaptive_average_pool(graph, x4(graph), 7, 0);
}

static AimfValue adaptive_huge(AimfGraph *graph)
{
    return aimf_adaptive_average_pool(graph, x4(graph), G_MAXINT, G_MAXINT);
}

static AimfValue group_norm_groups(AimfGraph *graph)
{
    AimfValue c3 = aimf_graph_parameter(graph, "c3", AIMF_SHAPE(3));
    return aimf_group_norm(graph, x4(graph), c3, c3, (AimfGroupNorm){ .groups = 2 });
}

static AimfValue group_norm_bias(AimfGraph *graph)
{
    AimfValue c3 = aimf_graph_parameter(graph, "c3", AIMF_SHAPE(3));
    AimfValue c4 = aimf_graph_parameter(graph, "c4", AIMF_SHAPE(4));
    return aimf_group_norm(graph, x4(graph), c3, c4, (AimfGroupNorm){ .groups = 3 });
}

static AimfValue layer_norm_rank(AimfGraph *graph)
{
    AimfValue c5 = aimf_graph_parameter(graph, "c5", AIMF_SHAPE(5));
    return aimf_layer_norm(graph, c5, c5, c5, 0);
}

static AimfValue batch_norm_rank(AimfGraph *graph)
{
    AimfValue c6 = aimf_graph_parameter(graph, "c6", AIMF_SHAPE(6));
    return aimf_batch_norm(graph, x3(graph), c6, c6, c6, c6, (AimfBatchNorm){ 0 });
}

static AimfValue matmul_rank(AimfGraph *graph)
{
    AimfValue c5 = aimf_graph_parameter(graph, "c5", AIMF_SHAPE(5));
    return aimf_matmul(graph, c5, c5, (AimfMatmul){ 0 });
}

static AimfValue matmul_depth(AimfGraph *graph)
{
    AimfValue x = x3(graph);
    return aimf_matmul(graph, x, x, (AimfMatmul){ .transpose_a = TRUE, .transpose_b = TRUE });
}

static AimfValue matmul_leading(AimfGraph *graph)
{
    return aimf_matmul(graph, x3(graph), aimf_graph_input(graph, "b", AIMF_SHAPE(3, 5, 4)), (AimfMatmul){ 0 });
}

static AimfValue softmax_axis(AimfGraph *graph)
{
    return aimf_softmax(graph, x3(graph), -4);
}

static AimfValue geglu_odd(AimfGraph *graph)
{
    return aimf_geglu(graph, x3(graph));
}

static AimfValue attention_heads(AimfGraph *graph)
{
    AimfValue x = x3(graph);
    return aimf_attention(graph, x, x, x, (AimfAttention){ .heads = 2 });
}

static AimfValue attention_causal(AimfGraph *graph)
{
    AimfValue k = aimf_graph_input(graph, "k", AIMF_SHAPE(2, 7, 5));
    return aimf_attention(graph, x3(graph), k, k, (AimfAttention){ .heads = 1, .causal = TRUE });
}

static AimfValue add_channels_shape(AimfGraph *graph)
{
    return aimf_add_channels(graph, x4(graph), aimf_graph_input(graph, "offsets", AIMF_SHAPE(1, 3)));
}

static AimfValue concat_size(AimfGraph *graph)
{
    return aimf_concat(graph, (AimfValue[]){ x4(graph), aimf_graph_input(graph, "b", AIMF_SHAPE(2, 3, 5, 4)) }, 2, 1);
}

static AimfValue concat_rank(AimfGraph *graph)
{
    return aimf_concat(graph, (AimfValue[]){ x4(graph), x3(graph) }, 2, 1);
}

static AimfValue concat_axis(AimfGraph *graph)
{
    AimfValue x = x4(graph);
    return aimf_concat(graph, (AimfValue[]){ x, x }, 2, 4);
}

static AimfValue concat_none(AimfGraph *graph)
{
    return aimf_concat(graph, NULL, 0, 0);
}

static AimfValue concat_many(AimfGraph *graph)
{
    AimfValue x = x4(graph);
    return aimf_concat(graph, (AimfValue[]){ x, x, x, x, x, x, x, x, x }, 9, 0);
}

static AimfValue slice_axis(AimfGraph *graph)
{
    return aimf_slice(graph, x4(graph), -5, 0, 1);
}

static AimfValue slice_empty(AimfGraph *graph)
{
    return aimf_slice(graph, x4(graph), 1, 2, 2);
}

static AimfValue slice_negative(AimfGraph *graph)
{
    return aimf_slice(graph, x4(graph), 1, -1, 2);
}

static AimfValue slice_beyond(AimfGraph *graph)
{
    return aimf_slice(graph, x4(graph), -1, 3, 6);
}

static AimfValue split_into(AimfGraph *graph, gint64 first, gint64 second)
{
    AimfValue parts[2] = { 1, 1 };
    aimf_split(graph, x4(graph), 2, (const gint64[]){ first, second }, 2, parts);
    return parts[0] == AIMF_NONE ? parts[1] : parts[0];
}

static AimfValue split_over(AimfGraph *graph)
{
    return split_into(graph, 2, 2);
}

static AimfValue split_much(AimfGraph *graph)
{
    return split_into(graph, 2, 4);
}

static AimfValue split_nothing(AimfGraph *graph)
{
    return split_into(graph, 0, 5);
}

static AimfValue split_axis(AimfGraph *graph)
{
    AimfValue part = 1;
    aimf_split(graph, x4(graph), 4, (const gint64[]){ 5 }, 1, &part);
    return part;
}

static AimfValue pad_negative(AimfGraph *graph)
{
    return aimf_pad(graph, x3(graph), (const gint64[]){ 0, 0, 1 }, (const gint64[]){ 0, -1, 0 }, 0);
}

static AimfValue pad_huge(AimfGraph *graph)
{
    const gint64 most[] = { G_MAXINT32, G_MAXINT32, G_MAXINT32 };
    return aimf_pad(graph, x3(graph), most, most, 0);
}

static AimfValue transpose_twice(AimfGraph *graph)
{
    return aimf_transpose(graph, x3(graph), (const int[]){ 0, 2, -1 });
}

static AimfValue transpose_axis(AimfGraph *graph)
{
    return aimf_transpose(graph, x3(graph), (const int[]){ 0, 1, 3 });
}

static AimfValue reshape_count(AimfGraph *graph)
{
    return aimf_reshape(graph, x3(graph), AIMF_SHAPE(2, 31));
}

static AimfValue reshape_rank(AimfGraph *graph)
{
    return aimf_reshape(graph, x3(graph), (AimfShape){ .rank = AIMF_MAX_RANK + 1 });
}

static AimfValue flatten_axis(AimfGraph *graph)
{
    return aimf_flatten(graph, x3(graph), 4);
}

static AimfValue dropout_share(AimfGraph *graph)
{
    AimfValue draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(2));
    return aimf_dropout(graph, x3(graph), draw, (AimfDropout){ .share = 1 });
}

static AimfValue dropout_draw(AimfGraph *graph)
{
    AimfValue draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(3));
    return aimf_dropout(graph, x3(graph), draw, (AimfDropout){ .share = 0.5 });
}

static AimfValue dropout_scalar(AimfGraph *graph)
{
    AimfValue draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(2));
    AimfValue x = aimf_graph_input(graph, "x", (AimfShape){ 0 });
    return aimf_dropout(graph, x, draw, (AimfDropout){ .share = 0.5, .samples = TRUE });
}

static AimfValue upsample_conv_kernel(AimfGraph *graph)
{
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(4, 3, 1, 1));
    return aimf_upsample_conv2d(graph, x4(graph), weight, AIMF_NONE);
}

static AimfValue planes_size(AimfGraph *graph)
{
    return aimf_planes(graph, x3(graph), 2, 2);
}

static AimfValue embedding_positions(AimfGraph *graph)
{
    AimfValue ids = aimf_graph_input(graph, "ids", AIMF_SHAPE(2, 6));
    AimfValue table = aimf_graph_parameter(graph, "table", AIMF_SHAPE(9, 5));
    return aimf_embedding(graph, ids, table, aimf_graph_parameter(graph, "positions", AIMF_SHAPE(5, 5)));
}

static AimfValue timesteps_odd(AimfGraph *graph)
{
    return aimf_timestep_embedding(graph, aimf_graph_input(graph, "t", AIMF_SHAPE(2)), 5);
}

static AimfValue leaf_twice(AimfGraph *graph)
{
    x4(graph);
    return x4(graph);
}

static AimfValue leaf_empty(AimfGraph *graph)
{
    return aimf_graph_input(graph, "nothing", AIMF_SHAPE(2, 0));
}

static const struct {
    AimfValue (*build)(AimfGraph *graph);
    const char *says;
} mistakes[] = {
    { conv_channels, "conv2d: the weight" },
    { conv_kernel_too_large, "conv2d: the input" },
    { conv_bias, "conv2d: the bias" },
    { conv_negative_stride, "conv2d: stride -1" },
    { batch_norm_channels, "batch_norm: the weight" },
    { batch_norm_single, "batch_norm: the input" },
    { add_shapes, "add: the shapes" },
    { pool_padding, "max_pool: window 2" },
    { linear_features, "linear: the weight" },
    { softmax_targets, "softmax_cross_entropy: the targets" },
    { linear_rank, "linear: the input" },
    { conv_negative_padding, "0 before and -1 after" },
    { group_norm_groups, "group_norm: 2 groups do not divide 3 channels" },
    { group_norm_bias, "group_norm: the bias" },
    { layer_norm_rank, "layer_norm: the input" },
    { batch_norm_rank, "batch_norm: the input" },
    { matmul_rank, "matmul: the first operand" },
    { matmul_depth, "matmul: the second operand" },
    { matmul_leading, "matmul: the second operand" },
    { softmax_axis, "softmax: the input has no dimension -4" },
    { geglu_odd, "geglu: the input" },
    { attention_heads, "attention: 2 heads do not divide 5 channels" },
    { attention_causal, "attention: the key" },
    { add_channels_shape, "add_channels: the offsets" },
    { concat_size, "concat: the operand 2" },
    { concat_rank, "concat: the operand 2" },
    { concat_axis, "concat: there is no axis 4" },
    { concat_none, "concat: 0 values" },
    { concat_many, "concat: 9 values" },
    { slice_axis, "slice: there is no axis -5" },
    { slice_empty, "slice: [2, 2)" },
    { slice_negative, "slice: [-1, 2)" },
    { slice_beyond, "slice: [3, 6) are no indices of axis 3, whose size is 5" },
    { split_over, "split: the parts leave 1 of 5" },
    { split_much, "split: part 2 has the size 4" },
    { split_nothing, "split: part 1 has the size 0" },
    { split_axis, "split: there is no axis 4" },
    { pad_negative, "pad: 0 before and -1 after dimension 1" },
    { pad_huge, "pad: the input" },
    { transpose_twice, "transpose: axis 2 is in the order twice" },
    { transpose_axis, "transpose: there is no axis 3" },
    { reshape_count, "reshape: the input has the shape 2x6x5, expected as many elements as 2x31" },
    { reshape_rank, "of rank 9" },
    { flatten_axis, "flatten: there is no axis 4" },
    { dropout_share, "dropout: the share 1" },
    { dropout_draw, "dropout: the draw" },
    { dropout_scalar, "dropout: the input" },
    { upsample_conv_kernel, "upsample_conv2d: the weight" },
    { planes_size, "planes: the input" },
    { embedding_positions, "embedding: the positions" },
    { timesteps_odd, "timestep_embedding: 5 channels" },
    { leaf_twice, "'x' is used twice" },
    { conv_groups, "conv2d: 2 groups do not divide 3 channels" },
    { conv_groups_of_outputs, "conv2d: the weight" },
    { conv_groups_of_inputs, "conv2d: the weight" },
    { conv_negative_groups, "conv2d: -3 groups" },
    { conv_negative_dilation, "dilation -2" },
    { conv_wide_dilation, "conv2d: the input" },
    { conv_huge_dilation, "conv2d: the input" },
    { conv_huge_padding, "conv2d: the result has more elements" },
    { pool_stride, "average_pool: window 2, stride -1" },
    { pool_no_window, "average_pool: window 0" },
    { pool_negative_padding, "max_pool: window 3, stride 3, padding 0 before and -1 after" },
    { pool_too_large, "average_pool: the input" },
    { pool_huge, "max_pool: the input" },
    { pool_huge_result, "average_pool: the result has more elements" },
    { pool_rank, "average_pool: the input" },
    { adaptive_nothing, "adaptive_average_pool: the size 7 x 0" },
    { adaptive_huge, "adaptive_average_pool: the result" },
    { leaf_empty, "'nothing'" },
};

/* The call fails, calls that build on it fail quietly, and compiling reports the first mistake, not the later one. */
static void test_mistakes_stick(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autoptr(AimfGraph) graph = aimf_graph_new();
        AimfValue wrong = mistakes[i].build(graph);
        g_assert_cmpint(wrong, ==, AIMF_NONE);
        AimfValue after = aimf_global_average_pool(graph, aimf_relu(graph, wrong));
        g_assert_cmpint(after, ==, AIMF_NONE);
        g_assert_cmpint(aimf_graph_shape(graph, after).rank, ==, 0);

        g_autoptr(GError) error = NULL;
        AimfPlan *plan = aimf_graph_compile(graph, &(AimfCompileOptions){ .outputs = &after, .n_outputs = 1 }, &error);
        g_assert_null(plan);
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        ASSERT_CONTAINS(error->message, mistakes[i].says);
    }
}

static void assert_refused(const SmallNet *net, AimfCompileOptions options, int code, const char *says)
{
    g_autoptr(GError) error = NULL;
    AimfPlan *plan = aimf_graph_compile(net->graph, &options, &error);
    g_assert_null(plan);
    g_assert_error(error, AIMF_ERROR, code);
    ASSERT_CONTAINS(error->message, says);
}

static void test_compile_refuses(void)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfValue foreign = 1000, image = net.images, weight = net.conv1;
    g_autoptr(AimfDevice) reference = support_device("reference");
    assert_refused(&net, (AimfCompileOptions){ .device = reference, .precision = AIMF_PRECISION_BF16 },
                   AIMF_ERROR_UNSUPPORTED, "reference");
    assert_refused(&net, (AimfCompileOptions){ .outputs = &foreign, .n_outputs = 1 }, AIMF_ERROR_INVALID, "output");
    assert_refused(&net, (AimfCompileOptions){ .loss = net.loss, .trainable = &image, .n_trainable = 1 },
                   AIMF_ERROR_INVALID, "parameter");
    assert_refused(&net, (AimfCompileOptions){ .trainable = &weight, .n_trainable = 1 }, AIMF_ERROR_INVALID, "loss");
    assert_refused(&net, (AimfCompileOptions){ .loss = net.logits, .trainable = &weight, .n_trainable = 1 },
                   AIMF_ERROR_INVALID, "scalar");
}

/* What an operation cannot pass on: the number 1 that a loss begins with, and a gradient of what is drawn. */
static void test_gradients_refused(void)
{
    for (int which = 0; which < 3; which++) {
        g_autoptr(AimfGraph) graph = aimf_graph_new();
        AimfValue x = aimf_graph_parameter(graph, "x", AIMF_SHAPE(1)),
                  draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(2));
        AimfValue loss = aimf_reshape(graph, x, (AimfShape){ 0 });
        AimfDropout dropout = { .share = 0.5 };
        if (which == 1)
            loss = aimf_dropout(graph, loss, draw, dropout);
        if (which == 2) {
            draw = aimf_reshape(graph, aimf_concat(graph, (AimfValue[]){ x, x }, 2, 0), AIMF_SHAPE(2));
            loss = aimf_dropout(graph, aimf_graph_input(graph, "y", AIMF_SHAPE(1)), draw, dropout);
        }
        AimfCompileOptions options = { .loss = loss, .trainable = &x, .n_trainable = 1 };
        if (which == 2)
            options.loss_gradient = aimf_graph_input(graph, "gradient", AIMF_SHAPE(1));
        static const char *const says[] = { "reshape: a loss", "dropout: a loss", "dropout: the draw has no gradient" };
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_graph_compile(graph, &options, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        ASSERT_CONTAINS(error->message, says[which]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mistakes/stick", test_mistakes_stick);
    g_test_add_func("/mistakes/compile_refuses", test_compile_refuses);
    g_test_add_func("/mistakes/gradients_refused", test_gradients_refused);
    return g_test_run();
}
