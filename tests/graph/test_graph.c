/*
 * The engine as a whole: mistakes, what trainability costs, running statistics, the optimizer, loading, repeatability.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_small_net.h"

#include <math.h>
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

/* --- What trainability costs --- */

/* Multiply-adds count twice: conv1 (2,4,8,8) from 3x3x3, conv2 (2,5,4,4) from 4x3x3, fc (2,1) from 5. */
enum { CONV1 = 2 * 2 * 4 * 8 * 8 * 27, CONV2 = 2 * 2 * 5 * 4 * 4 * 36, FC = 2 * 2 * 5 };

typedef struct {
    AimfValue trainable[6];
    guint n;
    double backward;
    gboolean data_gradients; /* of a convolution */
} Cost;

static void test_cost(gconstpointer data)
{
    const char *device = data;
    g_auto(SmallNet) net;
    small_net_init(&net);
    const Cost costs[] = {
        { { 0 }, 0, 0, FALSE },
        { { net.fc_weight, net.fc_bias }, 2, FC, FALSE },
        { { net.fc_bias }, 1, 0, FALSE },
        { { net.conv2 }, 1, FC + CONV2, FALSE },
        { { net.bn1_bias }, 1, FC + CONV2, TRUE },
        { { net.conv1 }, 1, FC + CONV2 + CONV1, TRUE },
        { { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias },
          6,
          2 * FC + 2 * CONV2 + CONV1,
          TRUE },
    };
    for (guint i = 0; i < G_N_ELEMENTS(costs); i++) {
        g_autoptr(AimfPlan) plan = small_net_compile(&net, device, costs[i].trainable, costs[i].n, NULL);
        AimfPlanSummary summary = aimf_plan_summary(plan);
        g_assert_cmpfloat(summary.flops_forward, ==, CONV1 + CONV2 + FC);
        g_assert_cmpfloat(summary.flops, ==, CONV1 + CONV2 + FC + costs[i].backward);
        g_autofree char *text = aimf_plan_describe(plan);
        g_assert_cmpint(strstr(text, "conv2d_backward_data") != NULL, ==, costs[i].data_gradients);
        for (guint k = 0; k < aimf_graph_n_parameters(net.graph); k++) {
            AimfValue parameter = aimf_graph_parameter_at(net.graph, k);
            gboolean trainable = FALSE;
            for (guint t = 0; t < costs[i].n; t++)
                trainable |= costs[i].trainable[t] == parameter;
            g_assert_cmpint(aimf_plan_gradient(plan, parameter) != AIMF_NONE, ==, trainable);
        }
    }
}

/*
 * What operations that only go forward multiply, counted by hand: two floating-point operations for each multiply-add.
 */
static void test_forward_cost(gconstpointer data)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(2, 3, 5, 4));
    AimfValue tokens = aimf_graph_input(graph, "tokens", AIMF_SHAPE(2, 7, 6));
    AimfValue context = aimf_graph_input(graph, "context", AIMF_SHAPE(2, 9, 6));
    AimfValue taps = aimf_graph_parameter(graph, "taps", AIMF_SHAPE(8, 3, 3, 3));
    AimfValue depthwise = aimf_graph_parameter(graph, "depthwise", AIMF_SHAPE(6, 1, 3, 3));
    AimfValue matrix = aimf_graph_parameter(graph, "matrix", AIMF_SHAPE(5, 6));
    AimfAttention heads = { .heads = 2 }, causal = { .heads = 2, .causal = TRUE };
    const struct {
        AimfValue output;
        double multiply_adds;
    } costs[] = {
        { aimf_upsample_conv2d(graph, x, taps, AIMF_NONE), 2 * 8 * (10 * 8) * (3 * 4) },
        { aimf_conv2d(graph, x, depthwise, AIMF_NONE, (AimfConv2d){ .groups = 3 }), 2 * 6 * (3 * 2) * 9 },
        { aimf_linear(graph, tokens, matrix, AIMF_NONE), 2 * 7 * 6 * 5 },
        { aimf_attention(graph, tokens, context, context, heads), 2 * (7 * 9) * 6 * 2 },
        { aimf_attention(graph, tokens, tokens, tokens, causal), 2 * (7 * 8 / 2) * 6 * 2 },
        { aimf_concat(graph, (AimfValue[]){ x, aimf_silu(graph, x) }, 2, 1), 0 },
        { aimf_matmul(graph, tokens, context, (AimfMatmul){ .transpose_b = TRUE }), 2 * (7 * 9) * 6 },
    };
    for (guint i = 0; i < G_N_ELEMENTS(costs); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfDevice) opened = support_device(data);
        AimfCompileOptions options = { .device = opened, .outputs = &costs[i].output, .n_outputs = 1 };
        g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(aimf_plan_summary(plan).flops, ==, 2 * costs[i].multiply_adds);
    }
}

/* --- Running statistics, the optimizer --- */

static void test_frozen(gconstpointer data)
{
    const char *device = data;
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 0.1 };
    AimfValue last[] = { net.fc_weight, net.fc_bias };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, device, last, 2, &sgd);
    g_autoptr(AimfPlan) full = small_net_compile(&net, device, all, 6, NULL);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_plan_run(plan, &error) && aimf_plan_run(full, &error));
    g_autoptr(AimfTensors) after = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_autoptr(AimfTensors) expected = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, after, &error) && aimf_plan_save(full, expected, &error));
    for (guint i = 0; i < aimf_tensors_count(net.tensors); i++) {
        gsize n;
        const char *name = aimf_tensors_at(net.tensors, i)->name;
        const float *before = small_net_read(net.tensors, name, &n), *now = small_net_read(after, name, &n);
        gboolean changed = memcmp(before, now, n * sizeof(float)) != 0;
        gboolean is_state = strstr(name, "running") != NULL;
        g_assert_cmpint(changed, ==, is_state || g_str_has_prefix(name, "fc."));
        if (is_state)
            g_assert_true(memcmp(now, small_net_read(expected, name, &n), n * sizeof(float)) == 0);
    }
}

static double norm(const float *data, gsize n)
{
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += (double)data[i] * (double)data[i];
    return sqrt(squares);
}

/* Compares the plan's parameters and momenta with PyTorch's in f64 after @step steps. */
static void compare_with_torch(AimfPlan *plan, const SmallNet *net, const AimfTensors *golden, int step)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) now = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    gsize n;
    g_autoptr(AimfTensors) momenta = aimf_plan_optimizer_state(plan, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_graph_n_parameters(net->graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(net->graph, i);
        const char *name = aimf_graph_name(net->graph, parameter);
        g_autofree char *value_name = g_strdup_printf("%d/%s", step, name);
        g_autofree char *momentum_name = g_strdup_printf("%d/momentum/%s", step, name);
        const float *expected = small_net_read(golden, value_name, &n);
        /*
         * Inputs, weights and batch norm are rounded to 24 bits at every step: 1e-6 is some ten roundings, of numbers
         * as large as those that it began with or ended at. fc.bias crosses zero on its way from one to the other.
         */
        const float *found = small_net_read(now, name, &n), *start = small_net_read(net->tensors, name, &n);
        double scale = MAX(1, norm(start, n) / norm(expected, n));
        g_assert_cmpfloat(relative_error(found, expected, n), <=, 1e-6 * scale);
        g_autofree char *state_name = g_strconcat("momentum/", name, NULL);
        const float *momentum = small_net_read(momenta, state_name, &n);
        g_assert_cmpfloat(relative_error(momentum, small_net_read(golden, momentum_name, &n), n), <=, 1e-5);
    }
}

static void test_sgd(gconstpointer data)
{
    static const double learning_rates[] = { 0.5, 0.5, 0.5, 0.05, 0.05 }; /* as in tests/golden/make_ops.py */
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/sgd.safetensors", &error);
    g_assert_no_error(error);
    g_autoptr(AimfTensors) golden = aimf_tensors_load(file, AIMF_F32, &error);
    g_assert_no_error(error);
    AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 0.05 };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 6, &sgd);
    for (int step = 0; step < (int)G_N_ELEMENTS(learning_rates); step++) {
        g_assert_true(aimf_plan_set_learning_rate(plan, learning_rates[step], &error));
        g_assert_true(aimf_plan_run(plan, &error));
        gsize n;
        g_autofree char *name = g_strdup_printf("%d/loss", step + 1);
        g_assert_cmpfloat(
            relative_error((const float[]){ support_read_one(plan, net.loss) }, small_net_read(golden, name, &n), 1),
            <=, 1e-5);
        compare_with_torch(plan, &net, golden, step + 1);
    }
}

/* --- Loading, repeatability --- */

static void test_load_refuses(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfValue all[] = { net.conv1, net.fc_weight };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 2, NULL);
    for (guint wrong = 0; wrong < aimf_tensors_count(net.tensors); wrong++)
        for (int missing = 0; missing < 2; missing++) {
            g_autoptr(AimfTensors) tensors = aimf_tensors_new();
            g_autoptr(GError) error = NULL;
            const char *name = aimf_tensors_at(net.tensors, wrong)->name;
            for (guint i = 0; i < aimf_tensors_count(net.tensors); i++) {
                const AimfTensor *tensor = aimf_tensors_at(net.tensors, i);
                AimfShape shape = tensor->shape;
                if (i == wrong && missing)
                    continue;
                shape.dim[0] += i == wrong;
                aimf_tensors_add(tensors, tensor->name, AIMF_F32, &shape, NULL, &error);
                g_assert_no_error(error);
            }
            g_assert_false(aimf_plan_load(plan, tensors, &error));
            g_assert_error(error, AIMF_ERROR, missing ? AIMF_ERROR_NOT_FOUND : AIMF_ERROR_INVALID);
            ASSERT_CONTAINS(error->message, name);
        }
}

/* What a file stores as another type is the same model, also where only a packed form of it is kept. */
static void test_load_other_type(gconstpointer data)
{
    g_auto(SmallNet) net;
    g_autoptr(GError) error = NULL;
    small_net_init(&net);
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, NULL, 0, NULL);
    g_assert_true(aimf_plan_run(plan, &error));
    float expected = support_read_one(plan, net.loss);
    g_autoptr(AimfTensors) zero = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_tensors_count(zero); i++)
        memset(aimf_tensors_writable(zero, i), 0, aimf_tensors_at(zero, i)->bytes);
    g_assert_true(aimf_plan_load(plan, zero, &error));
    g_assert_true(aimf_plan_run(plan, &error));
    g_assert_cmpfloat(support_read_one(plan, net.loss), !=, expected);
    g_autoptr(AimfTensors) wide = aimf_tensors_load(net.tensors, AIMF_F64, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_tensors_at(wide, 0)->dtype, ==, AIMF_F64);
    g_assert_true(aimf_plan_load(plan, wide, &error));
    g_assert_true(aimf_plan_run(plan, &error));
    g_assert_cmpfloat(support_read_one(plan, net.loss), ==, expected);
}

/* Loads, trains @n steps, and returns all that came of it. */
static GByteArray *train(AimfPlan *plan, const SmallNet *net, int n)
{
    g_autoptr(GError) error = NULL;
    GByteArray *bytes = g_byte_array_new();
    g_assert_true(aimf_plan_load(plan, net->tensors, &error));
    for (int i = 0; i < n; i++)
        g_assert_true(aimf_plan_run(plan, &error));
    gsize n_gradients;
    g_autofree float *gradients = support_read_gradients(plan, net->graph, &n_gradients);
    float loss = support_read_one(plan, net->loss);
    g_byte_array_append(bytes, (const guint8 *)gradients, (guint)(n_gradients * sizeof(float)));
    g_byte_array_append(bytes, (const guint8 *)&loss, sizeof loss);
    g_autoptr(AimfTensors) now = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    for (guint i = 0; i < aimf_tensors_count(now); i++)
        g_byte_array_append(bytes, aimf_tensors_data(now, i), (guint)aimf_tensors_at(now, i)->bytes);
    return bytes;
}

static void test_repeats(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfOptimizer sgd = { .momentum = 0.9 };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 6, &sgd);
    g_autoptr(AimfPlan) another = small_net_compile(&net, data, all, 6, &sgd);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, NULL));
    g_assert_true(aimf_plan_set_learning_rate(another, 0.1, NULL));
    g_autoptr(GByteArray) first = train(plan, &net, 3), again = train(plan, &net, 3);
    g_autoptr(GByteArray) elsewhere = train(another, &net, 3), longer = train(plan, &net, 4);
    g_assert_true(memcmp(first->data, again->data, first->len) == 0);
    g_assert_true(memcmp(first->data, elsewhere->data, first->len) == 0);
    g_assert_false(memcmp(first->data, longer->data, first->len) == 0);
}

/* --- What moves --- */

/* How many of a plan's steps are @op and say @says. */
static guint count_steps(const char *text, const char *op, const char *says)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *name = g_strdup_printf("  %s ", op);
    guint n = 0;
    for (char **line = lines; *line; line++)
        n += strstr(*line, name) && strstr(*line, says) ? 1 : 0;
    return n;
}

/*
 * Channels joined between convolutions, as in DenseNet, stay in blocks forward and backward, and a row-major value that
 * is not needed any more gets its new shape where it lies.
 */
static void test_stays_where_it_lies(gconstpointer data)
{
    if (g_str_equal(data, "reference")) /* which has no other layouts */
        return;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue image = aimf_graph_input(graph, "image", AIMF_SHAPE(2, 3, 12, 12));
    AimfValue weights[] = {
        aimf_graph_parameter(graph, "first", AIMF_SHAPE(64, 3, 3, 3)),
        aimf_graph_parameter(graph, "second", AIMF_SHAPE(32, 64, 3, 3)),
        aimf_graph_parameter(graph, "third", AIMF_SHAPE(16, 96, 3, 3)),
        aimf_graph_parameter(graph, "last", AIMF_SHAPE(1, 100)),
    };
    AimfValue x = aimf_conv2d(graph, image, weights[0], AIMF_NONE, (AimfConv2d){ 0 });
    AimfValue y = aimf_conv2d(graph, aimf_relu(graph, x), weights[1], AIMF_NONE,
                              (AimfConv2d){ .before = { 1, 1 }, .after = { 1, 1 } });
    y = aimf_concat(graph, (AimfValue[]){ x, aimf_relu(graph, y) }, 2, 1);
    y = aimf_conv2d(graph, aimf_relu(graph, y), weights[2], AIMF_NONE,
                    (AimfConv2d){ .before = { 1, 1 }, .after = { 1, 1 } });
    y = aimf_slice(graph, aimf_tokens(graph, y), -1, 0, 1);
    y = aimf_linear(graph, aimf_reshape(graph, y, AIMF_SHAPE(2, 100)), weights[3], AIMF_NONE);
    AimfValue loss = aimf_sigmoid_cross_entropy(graph, y, aimf_graph_input(graph, "targets", AIMF_SHAPE(2, 1)));
    g_autoptr(AimfDevice) opened = support_device(data);
    g_autoptr(GError) error = NULL;
    AimfCompileOptions options = { .device = opened,
                                   .outputs = &loss,
                                   .n_outputs = 1,
                                   .loss = loss,
                                   .trainable = weights,
                                   .n_trainable = G_N_ELEMENTS(weights) };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_autofree char *text = aimf_plan_describe(plan);
    g_assert_cmpuint(count_steps(text, "concat", "aBcd"), ==, 1);
    g_assert_cmpuint(count_steps(text, "slice", ""), ==, 3);
    g_assert_cmpuint(count_steps(text, "slice", "aBcd"), ==, 2); /* the third cuts tokens */
    g_assert_cmpuint(count_steps(text, "reshape", "="), ==, 2);  /* memory taken over */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "cost", test_cost },
        { "forward_cost", test_forward_cost },
        { "frozen", test_frozen },
        { "sgd", test_sgd },
        { "load_refuses", test_load_refuses },
        { "load_other_type", test_load_other_type },
        { "repeats", test_repeats },
        { "stays_where_it_lies", test_stays_where_it_lies },
    };
    g_test_add_func("/graph/mistakes_stick", test_mistakes_stick);
    g_test_add_func("/graph/compile_refuses", test_compile_refuses);
    g_test_add_func("/graph/gradients_refused", test_gradients_refused);
    for (const char *const *device = support_devices(); *device; device++)
        for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
            g_autofree char *path = g_strdup_printf("/graph/%s/%s", *device, tests[i].name);
            g_test_add_data_func(path, *device, tests[i].function);
        }
    return g_test_run();
}
