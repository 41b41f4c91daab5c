#include "graph/support_op_cases.h"
#include "device/support_devices.h"
#include "graph/support_formula.h"

#include <math.h>
#include <string.h>

/* Read by tests/golden/make_ops.py as well. */
/* clang-format off */
const OpCase op_cases[] = {
    { .op = OP_CONV2D, .n = 2, .c = 3, .h = 7, .w = 5, .o = 5, .kh = 3, .kw = 3, .stride = 1, .padding = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 5, .h = 6, .w = 9, .o = 17, .kh = 3, .kw = 3, .stride = 2, .padding = 1, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 3, .h = 13, .w = 11, .o = 8, .kh = 7, .kw = 7, .stride = 2, .padding = 3 },
    { .op = OP_CONV2D, .n = 1, .c = 1, .h = 9, .w = 8, .o = 3, .kh = 7, .kw = 7, .stride = 1, .padding = 0, .bias = 1 },
    { .op = OP_CONV2D, .n = 3, .c = 17, .h = 4, .w = 3, .o = 16, .kh = 1, .kw = 1, .stride = 1, .padding = 0, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 16, .h = 6, .w = 5, .o = 32, .kh = 1, .kw = 1, .stride = 2, .padding = 0 },
    { .op = OP_CONV2D, .n = 2, .c = 16, .h = 4, .w = 4, .o = 16, .kh = 3, .kw = 3, .stride = 1, .padding = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 16, .h = 5, .w = 4, .o = 16, .kh = 3, .kw = 3, .stride = 2, .padding = 1 },
    { .op = OP_CONV2D, .n = 3, .c = 17, .h = 2, .w = 2, .o = 5, .kh = 3, .kw = 3, .stride = 2, .padding = 1, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 3, .h = 8, .w = 7, .o = 5, .kh = 1, .kw = 3, .stride = 1, .padding = 0, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 4, .h = 3, .w = 3, .o = 1, .kh = 3, .kw = 3, .stride = 1, .padding = 0 },
    { .op = OP_BATCH_NORM, .n = 3, .c = 5, .h = 4, .w = 3, .training = 1 },
    { .op = OP_BATCH_NORM, .n = 3, .c = 5, .h = 4, .w = 3, .training = 1, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 3, .c = 5, .h = 4, .w = 3 },
    { .op = OP_BATCH_NORM, .n = 3, .c = 5, .h = 4, .w = 3, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 1, .c = 17, .h = 5, .w = 7, .training = 1 },
    { .op = OP_BATCH_NORM, .n = 1, .c = 16, .h = 5, .w = 7, .training = 1, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 1, .c = 16, .h = 5, .w = 3, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 9, .c = 3, .h = 1, .w = 1, .training = 1, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 2, .c = 3, .h = 6, .w = 5, .training = 1, .scale = 64 },
    { .op = OP_RELU, .n = 2, .c = 5, .h = 3, .w = 7 },
    { .op = OP_RELU, .n = 1, .c = 17, .h = 2, .w = 3 },
    { .op = OP_RELU, .n = 3, .c = 17 },
    { .op = OP_ADD, .n = 2, .c = 3, .h = 5, .w = 4 },
    { .op = OP_ADD, .n = 1, .c = 17, .h = 2, .w = 3 },
    { .op = OP_ADD_RELU, .n = 2, .c = 5, .h = 5, .w = 4 },
    { .op = OP_ADD_RELU, .n = 1, .c = 17, .h = 2, .w = 3 },
    { .op = OP_MAX_POOL, .n = 2, .c = 5, .h = 9, .w = 7, .kh = 3, .stride = 2, .padding = 1 },
    { .op = OP_MAX_POOL, .n = 1, .c = 17, .h = 6, .w = 5, .kh = 2, .stride = 2, .padding = 0 },
    { .op = OP_MAX_POOL, .n = 2, .c = 16, .h = 6, .w = 8, .kh = 3, .stride = 2, .padding = 1 },
    { .op = OP_MAX_POOL, .n = 1, .c = 3, .h = 6, .w = 7, .kh = 3, .stride = 1, .padding = 0 },
    { .op = OP_GLOBAL_AVERAGE_POOL, .n = 2, .c = 5, .h = 4, .w = 3 },
    { .op = OP_GLOBAL_AVERAGE_POOL, .n = 3, .c = 17, .h = 1, .w = 1 },
    { .op = OP_GLOBAL_AVERAGE_POOL, .n = 1, .c = 16, .h = 7, .w = 7 },
    { .op = OP_LINEAR, .n = 3, .c = 17, .o = 5, .bias = 1 },
    { .op = OP_LINEAR, .n = 4, .c = 32, .o = 1, .bias = 1 },
    { .op = OP_LINEAR, .n = 1, .c = 5, .o = 3 },
    { .op = OP_LINEAR, .n = 16, .c = 3, .o = 17 },
    { .op = OP_SIGMOID_CROSS_ENTROPY, .n = 7, .c = 1, .scale = 4 },
    { .op = OP_SIGMOID_CROSS_ENTROPY, .n = 1, .c = 1 },
    { .op = OP_SIGMOID_CROSS_ENTROPY, .n = 5, .c = 3, .scale = 256 },
    { .op = OP_SOFTMAX_CROSS_ENTROPY, .n = 5, .c = 3, .scale = 4 },
    { .op = OP_SOFTMAX_CROSS_ENTROPY, .n = 1, .c = 17 },
    { .op = OP_SOFTMAX_CROSS_ENTROPY, .n = 4, .c = 10, .scale = 256 },
    { .op = OP_LEAKY_RELU, .n = 2, .c = 5, .h = 3, .w = 7 },
    { .op = OP_LEAKY_RELU, .n = 1, .c = 17, .h = 2, .w = 3 },
    { .op = OP_LEAKY_RELU, .n = 3, .c = 17 },
    { .op = OP_CONV2D, .n = 2, .c = 3, .h = 6, .w = 7, .o = 5, .kh = 3, .kw = 3, .stride = 2, .padding_after = 1, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 16, .h = 4, .w = 4, .o = 16, .kh = 3, .kw = 3, .stride = 2, .padding_after = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 2, .h = 4, .w = 3, .o = 3, .kh = 3, .kw = 3, .stride = 1, .padding = 1, .padding_after = 2 },
    { .op = OP_LINEAR, .n = 2, .t = 5, .c = 17, .o = 7, .bias = 1 },
    { .op = OP_LINEAR, .n = 1, .t = 1, .c = 16, .o = 32 },
    { .op = OP_LINEAR, .n = 3, .t = 77, .c = 8, .o = 5, .bias = 1 },
    { .op = OP_SILU, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 8 },
    { .op = OP_SILU, .n = 3, .c = 17, .scale = 64 },
    { .op = OP_GELU, .n = 2, .t = 7, .c = 19 },
    { .op = OP_GELU, .n = 1, .t = 3, .c = 33, .scale = 4 },
    { .op = OP_GELU, .n = 1, .t = 2, .c = 33, .scale = 64 },
    { .op = OP_QUICK_GELU, .n = 2, .t = 3, .c = 17 },
    { .op = OP_QUICK_GELU, .n = 1, .t = 1, .c = 40, .scale = 64 },
    { .op = OP_GEGLU, .n = 2, .t = 3, .c = 17, .scale = 4 },
    { .op = OP_GEGLU, .n = 1, .t = 1, .c = 32 },
    { .op = OP_GROUP_NORM, .n = 2, .c = 6, .h = 5, .w = 3, .groups = 3 },
    { .op = OP_GROUP_NORM, .n = 1, .c = 6, .h = 4, .w = 5, .groups = 1, .silu = 1 },
    { .op = OP_GROUP_NORM, .n = 3, .c = 16, .h = 3, .w = 5, .groups = 4, .silu = 1 },
    { .op = OP_GROUP_NORM, .n = 2, .c = 32, .h = 2, .w = 3, .groups = 32 },
    { .op = OP_GROUP_NORM, .n = 2, .c = 48, .h = 3, .w = 3, .groups = 4, .silu = 1, .scale = 64 },
    { .op = OP_GROUP_NORM, .n = 1, .c = 80, .h = 2, .w = 3, .groups = 8 },
    { .op = OP_LAYER_NORM, .n = 2, .t = 5, .c = 17 },
    { .op = OP_LAYER_NORM, .n = 3, .c = 33, .scale = 64 },
    { .op = OP_LAYER_NORM, .n = 1, .t = 1, .c = 64 },
    { .op = OP_ATTENTION, .n = 2, .t = 5, .s = 5, .c = 12, .heads = 3 },
    { .op = OP_ATTENTION, .n = 1, .t = 9, .s = 4, .c = 16, .heads = 1, .scale = 8 },
    { .op = OP_ATTENTION, .n = 2, .t = 1, .s = 1, .c = 8, .heads = 2 },
    { .op = OP_ATTENTION, .n = 1, .t = 1, .s = 77, .c = 10, .heads = 2 },
    { .op = OP_ATTENTION, .n = 2, .t = 7, .s = 7, .c = 16, .heads = 2, .causal = 1 },
    { .op = OP_ATTENTION, .n = 1, .t = 33, .s = 33, .c = 5, .heads = 1, .causal = 1, .scale = 16 },
    { .op = OP_ADD_CHANNELS, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_ADD_CHANNELS, .n = 3, .c = 32, .h = 2, .w = 3 },
    { .op = OP_CONCAT, .n = 2, .c = 3, .h = 3, .w = 4, .o = 5 },
    { .op = OP_CONCAT, .n = 2, .c = 32, .h = 2, .w = 3, .o = 16 },
    { .op = OP_UPSAMPLE_NEAREST, .n = 2, .c = 3, .h = 3, .w = 5 },
    { .op = OP_UPSAMPLE_CONV2D, .n = 2, .c = 3, .h = 3, .w = 5, .o = 4, .bias = 1 },
    { .op = OP_UPSAMPLE_CONV2D, .n = 1, .c = 16, .h = 2, .w = 3, .o = 16 },
    { .op = OP_UPSAMPLE_CONV2D, .n = 1, .c = 2, .h = 1, .w = 1, .o = 3, .bias = 1 },
    { .op = OP_TOKENS, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_TOKENS, .n = 1, .c = 16, .h = 2, .w = 2 },
    { .op = OP_PLANES, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_PLANES, .n = 1, .c = 32, .h = 2, .w = 1 },
    { .op = OP_EMBEDDING, .n = 2, .t = 7, .s = 9, .o = 11, .c = 17 },
    { .op = OP_EMBEDDING, .n = 1, .t = 3, .o = 2, .c = 4 },
    { .op = OP_TIMESTEP_EMBEDDING, .n = 5, .c = 32 },
    { .op = OP_TIMESTEP_EMBEDDING, .n = 1, .c = 2 },
    { .op = OP_CONV2D, .n = 2, .c = 5, .h = 9, .w = 8, .o = 4, .kh = 3, .kw = 2, .stride = 2, .stride2 = 1, .padding = 1, .padding_after = 1, .padding2 = 1, .dilation = 1, .dilation2 = 3, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 16, .h = 9, .w = 7, .o = 8, .kh = 3, .kw = 3, .stride = 1, .padding = 2, .dilation = 2 },
    { .op = OP_CONV2D, .n = 1, .c = 64, .h = 4, .w = 3, .o = 64, .kh = 3, .kw = 3, .stride = 1, .padding = 2, .dilation = 2 },
    { .op = OP_CONV2D, .n = 2, .c = 6, .h = 5, .w = 6, .o = 10, .kh = 3, .kw = 3, .stride = 1, .padding = 1, .groups = 2, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 32, .h = 5, .w = 4, .o = 32, .kh = 3, .kw = 3, .stride = 2, .padding = 1, .groups = 2, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 32, .h = 4, .w = 4, .o = 16, .kh = 3, .kw = 3, .stride = 1, .padding = 1, .groups = 8 },
    { .op = OP_CONV2D, .n = 1, .c = 128, .h = 2, .w = 2, .o = 128, .kh = 1, .kw = 1, .stride = 1, .groups = 2 },
    { .op = OP_CONV2D, .n = 2, .c = 16, .h = 7, .w = 6, .o = 16, .kh = 3, .kw = 3, .stride = 1, .padding = 1, .groups = 16, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 12, .h = 9, .w = 7, .o = 12, .kh = 5, .kw = 5, .stride = 2, .padding = 2, .groups = 12 },
    { .op = OP_CONV2D, .n = 2, .c = 8, .h = 9, .w = 11, .o = 8, .kh = 7, .kw = 7, .stride = 1, .padding = 3, .groups = 8, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 24, .h = 6, .w = 7, .o = 24, .kh = 3, .kw = 5, .stride = 1, .stride2 = 2, .padding = 1, .padding_after = 1, .padding2 = 1, .dilation = 2, .dilation2 = 1, .groups = 24 },
    { .op = OP_CONV2D, .n = 2, .c = 8, .h = 5, .w = 5, .o = 16, .kh = 3, .kw = 3, .stride = 1, .padding = 1, .groups = 8, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 3, .h = 5, .w = 4, .o = 6, .kh = 3, .kw = 3, .stride = 2, .padding = 1, .groups = 3 },
    { .op = OP_MAX_POOL, .n = 1, .c = 5, .h = 8, .w = 9, .kh = 3, .kw = 2, .stride = 2, .stride2 = 3, .padding = 1, .ceil = 1 },
    { .op = OP_MAX_POOL, .n = 2, .c = 16, .h = 6, .w = 6, .kh = 3, .stride = 2, .ceil = 1 },
    { .op = OP_MAX_POOL, .n = 1, .c = 3, .h = 4, .w = 5, .kh = 1, .stride = 1 },
    { .op = OP_AVERAGE_POOL, .n = 2, .c = 5, .h = 7, .w = 6, .kh = 2, .stride = 2 },
    { .op = OP_AVERAGE_POOL, .n = 1, .c = 16, .h = 6, .w = 5, .kh = 3, .stride = 1, .padding = 1, .counted = 1 },
    { .op = OP_AVERAGE_POOL, .n = 1, .c = 17, .h = 6, .w = 5, .kh = 3, .stride = 2, .padding = 1, .ceil = 1, .counted = 1 },
    { .op = OP_AVERAGE_POOL, .n = 2, .c = 8, .h = 8, .w = 9, .kh = 3, .kw = 2, .stride = 2, .stride2 = 3, .padding = 1, .ceil = 1 },
    { .op = OP_AVERAGE_POOL, .n = 1, .c = 3, .h = 3, .w = 4, .kh = 1, .stride = 1 },
    { .op = OP_ADAPTIVE_AVERAGE_POOL, .n = 2, .c = 5, .h = 5, .w = 9, .kh = 7, .kw = 7 },
    { .op = OP_ADAPTIVE_AVERAGE_POOL, .n = 1, .c = 16, .h = 7, .w = 7, .kh = 2, .kw = 3 },
    { .op = OP_ADAPTIVE_AVERAGE_POOL, .n = 2, .c = 17, .h = 4, .w = 3, .kh = 1, .kw = 1 },
    { .op = OP_CONCAT, .n = 2, .c = 3, .h = 2, .w = 3, .o = 5, .s = 4 },
    { .op = OP_CONCAT, .n = 2, .c = 8, .h = 3, .w = 2, .o = 24, .s = 16 },
    { .op = OP_CONCAT, .n = 2, .c = 16, .h = 3, .w = 2, .o = 1, .s = 3, .dim = 1 },
    { .op = OP_CONCAT, .n = 2, .c = 16, .h = 3, .w = 2, .o = 2, .s = 1, .dim = 3 },
    { .op = OP_CONCAT, .n = 2, .c = 5, .h = 3, .w = 2, .o = 1, .s = 4, .dim = 4 },
    { .op = OP_CONCAT, .n = 2, .t = 1, .c = 7, .o = 5 },
    { .op = OP_CONCAT, .n = 2, .t = 3, .c = 1, .o = 1, .s = 2, .dim = 3 },
    { .op = OP_CONCAT, .n = 3, .c = 7, .o = 2, .dim = 1 },
    { .op = OP_SPLIT, .n = 2, .c = 7, .h = 3, .w = 2, .o = 3 },
    { .op = OP_SPLIT, .n = 2, .c = 48, .h = 3, .w = 2, .o = 16 },
    { .op = OP_SPLIT, .n = 2, .c = 64, .h = 2, .w = 2, .o = 16, .s = 32 },
    { .op = OP_SPLIT, .n = 5, .c = 16, .h = 2, .w = 3, .o = 2, .s = 1, .dim = 1 },
    { .op = OP_SPLIT, .n = 2, .c = 16, .h = 2, .w = 6, .o = 2, .s = 1, .dim = 4 },
    { .op = OP_SPLIT, .n = 2, .t = 3, .c = 15, .o = 5, .s = 5, .dim = 3 },
    { .op = OP_SPLIT, .n = 2, .t = 3, .c = 15, .o = 5, .dim = 3 },
    { .op = OP_SPLIT, .n = 2, .t = 5, .c = 3, .o = 1 },
    { .op = OP_SLICE, .n = 2, .c = 7, .h = 3, .w = 2, .begin = 2, .end = 6 },
    { .op = OP_SLICE, .n = 2, .c = 48, .h = 3, .w = 2, .begin = 16, .end = 32 },
    { .op = OP_SLICE, .n = 2, .c = 48, .h = 3, .w = 2, .begin = 3, .end = 35 },
    { .op = OP_SLICE, .n = 5, .c = 16, .h = 3, .w = 2, .dim = 1, .begin = 1, .end = 4 },
    { .op = OP_SLICE, .n = 2, .c = 16, .h = 5, .w = 2, .dim = 3, .end = 3 },
    { .op = OP_SLICE, .n = 2, .c = 3, .h = 3, .w = 5, .dim = 4, .begin = 4, .end = 5 },
    { .op = OP_SLICE, .n = 2, .t = 5, .c = 7, .end = 1 },
    { .op = OP_SLICE, .n = 2, .t = 3, .c = 15, .dim = 3, .begin = 5, .end = 10 },
    { .op = OP_SLICE, .n = 4, .c = 9, .begin = 8, .end = 9 },
    { .op = OP_PAD, .n = 2, .c = 3, .h = 3, .w = 4, .padding = 2, .begin = 1, .end = 2, .bias = 1 },
    { .op = OP_PAD, .n = 2, .c = 16, .h = 3, .w = 4, .padding = 1, .dim = 3, .begin = 1, .end = 1 },
    { .op = OP_PAD, .n = 1, .c = 16, .h = 2, .w = 2, .begin = 16, .end = 32, .bias = 1 },
    { .op = OP_PAD, .n = 1, .c = 16, .h = 2, .w = 2, .begin = 3, .end = 5 },
    { .op = OP_PAD, .n = 2, .t = 4, .c = 5, .dim = 1, .end = 2, .padding = 1 },
    { .op = OP_PAD, .n = 2, .c = 5, .begin = 3, .bias = 1 },
    { .op = OP_TRANSPOSE, .n = 3, .c = 70, .order = 21 },
    { .op = OP_TRANSPOSE, .n = 2, .t = 9, .c = 17, .order = 132 },
    { .op = OP_TRANSPOSE, .n = 2, .t = 3, .c = 5, .order = 312 },
    { .op = OP_TRANSPOSE, .n = 2, .t = 3, .c = 5, .order = 213 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 3, .h = 4, .w = 5, .order = 1342 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 16, .h = 3, .w = 5, .order = 1342 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 3, .h = 5, .w = 16, .order = 1423 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 16, .h = 5, .w = 32, .order = 1423 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 16, .h = 5, .w = 3, .order = 1324 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 8, .h = 5, .w = 3, .order = 4321 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 8, .h = 5, .w = 3, .order = 2413 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 12, .h = 2, .w = 3, .groups = 3, .order = 13245 },
    { .op = OP_TRANSPOSE, .n = 2, .c = 32, .h = 2, .w = 3, .groups = 4, .order = 52413 },
    { .op = OP_TRANSPOSE, .n = 2, .t = 9, .c = 12, .groups = 3, .order = 1324 },
    { .op = OP_RESHAPE, .n = 2, .c = 6, .h = 2, .w = 3, .groups = 2 },
    { .op = OP_RESHAPE, .n = 2, .c = 32, .h = 2, .w = 3, .groups = 4 },
    { .op = OP_RESHAPE, .n = 2, .t = 3, .c = 12, .groups = 3 },
    { .op = OP_RESHAPE, .n = 2, .c = 12, .groups = 4 },
    { .op = OP_FLATTEN, .n = 2, .c = 3, .h = 2, .w = 5 },
    { .op = OP_FLATTEN, .n = 2, .c = 16, .h = 2, .w = 3 },
    { .op = OP_FLATTEN, .n = 2, .t = 3, .c = 5, .dim = 3 },
    { .op = OP_FLATTEN, .n = 2, .t = 3, .c = 5, .dim = 1 },
    { .op = OP_LINEAR, .n = 2, .c = 6, .h = 3, .w = 2, .o = 9, .bias = 1 },
    { .op = OP_LINEAR, .n = 2, .t = 197, .c = 24, .o = 33, .bias = 1 },
    { .op = OP_LAYER_NORM, .n = 2, .c = 19, .h = 3, .w = 4 },
    { .op = OP_LAYER_NORM, .n = 40, .t = 9, .c = 24, .scale = 4 },
    { .op = OP_GROUP_NORM, .n = 2, .c = 8, .h = 9, .w = 8, .groups = 2, .silu = 1 },
    { .op = OP_ATTENTION, .n = 1, .t = 50, .s = 50, .c = 128, .heads = 2 },
    { .op = OP_ATTENTION, .n = 2, .t = 100, .s = 37, .c = 24, .heads = 2 },
    { .op = OP_ATTENTION, .n = 1, .t = 197, .s = 197, .c = 20, .heads = 1, .causal = 1 },
    { .op = OP_BATCH_NORM, .n = 9, .c = 5, .training = 1 },
    { .op = OP_BATCH_NORM, .n = 12, .c = 16, .training = 1, .relu = 1 },
    { .op = OP_BATCH_NORM, .n = 4, .c = 7, .relu = 1 },
    { .op = OP_MATMUL, .t = 5, .c = 7, .o = 3 },
    { .op = OP_MATMUL, .n = 3, .t = 9, .c = 20, .o = 17, .transpose = 2 },
    { .op = OP_MATMUL, .n = 2, .h = 3, .t = 7, .c = 5, .o = 18, .transpose = 1 },
    { .op = OP_MATMUL, .n = 2, .h = 2, .t = 33, .c = 16, .o = 4, .transpose = 3 },
    { .op = OP_MATMUL, .n = 1, .t = 100, .c = 300, .o = 40 },
    { .op = OP_SOFTMAX, .n = 3, .c = 17, .axis = 1, .scale = 8 },
    { .op = OP_SOFTMAX, .n = 2, .t = 5, .c = 33, .axis = 2 },
    { .op = OP_SOFTMAX, .n = 2, .c = 5, .h = 3, .w = 7, .axis = 1, .scale = 4 },
    { .op = OP_SOFTMAX, .n = 20, .c = 40 },
    { .op = OP_SOFTMAX, .n = 2, .c = 1, .h = 2, .w = 3, .axis = 1 },
    { .op = OP_SILU, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_GELU, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_GELU_TANH, .n = 2, .t = 7, .c = 19 },
    { .op = OP_GELU_TANH, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_QUICK_GELU, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_SIGMOID, .n = 2, .t = 7, .c = 19 },
    { .op = OP_SIGMOID, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 8 },
    { .op = OP_TANH, .n = 2, .t = 7, .c = 19 },
    { .op = OP_TANH, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_HARD_SIGMOID, .n = 2, .t = 7, .c = 19 },
    { .op = OP_HARD_SIGMOID, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_HARD_SWISH, .n = 2, .t = 7, .c = 19 },
    { .op = OP_HARD_SWISH, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_ERF, .n = 2, .t = 7, .c = 19 },
    { .op = OP_ERF, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 2 },
    { .op = OP_CLIP, .n = 2, .t = 7, .c = 19 },
    { .op = OP_CLIP, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 4 },
    { .op = OP_EXP, .n = 2, .t = 7, .c = 19 },
    { .op = OP_EXP, .n = 2, .c = 5, .h = 3, .w = 7, .scale = 2 },
    { .op = OP_LOG, .n = 2, .t = 7, .c = 19 },
    { .op = OP_LOG, .n = 2, .c = 5, .h = 3, .w = 7 },
    { .op = OP_RECIPROCAL, .n = 2, .t = 7, .c = 19 },
    { .op = OP_RECIPROCAL, .n = 2, .c = 5, .h = 3, .w = 7 },
    { .op = OP_SQRT, .n = 2, .t = 7, .c = 19 },
    { .op = OP_SQRT, .n = 2, .c = 5, .h = 3, .w = 7 },
    { .op = OP_ADD, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_ADD, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_ADD, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_SUBTRACT, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_SUBTRACT, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_SUBTRACT, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_SUBTRACT, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_MULTIPLY, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_MULTIPLY, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_DIVIDE, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_DIVIDE, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_DIVIDE, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_DIVIDE, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_POWER, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_POWER, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_POWER, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_POWER, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_MINIMUM, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_MINIMUM, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_MINIMUM, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_MINIMUM, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_MAXIMUM, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_MAXIMUM, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 12 },
    { .op = OP_MAXIMUM, .n = 2, .c = 6, .h = 3, .w = 5, .ones_a = 5, .ones_b = 10 },
    { .op = OP_MAXIMUM, .n = 3, .t = 4, .c = 33, .lack = 2 },
    { .op = OP_ADD, .n = 2, .c = 5, .h = 3, .w = 4, .lack = 4 },
    { .op = OP_MULTIPLY, .n = 3, .c = 8, .h = 5, .w = 4, .ones_b = 13 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 2 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 4 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 8 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 1 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_b = 15 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .lack = 4 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .lack = 1, .ones_b = 12 },
    { .op = OP_MULTIPLY, .n = 2, .c = 5, .h = 3, .w = 4, .ones_a = 12 },
    { .op = OP_MULTIPLY, .n = 4, .c = 17, .ones_a = 1, .ones_b = 2 },
    { .op = OP_MULTIPLY, .n = 2, .c = 3, .h = 33, .w = 41, .ones_b = 10 },
    { .op = OP_PRELU, .n = 2, .c = 5, .h = 3, .w = 4, .o = 5 },
    { .op = OP_PRELU, .n = 2, .c = 5, .h = 3, .w = 4, .o = 1 },
    { .op = OP_PRELU, .n = 3, .c = 17, .o = 17 },
    { .op = OP_PRELU, .n = 2, .t = 5, .c = 9, .o = 5 },
    { .op = OP_EXPAND, .n = 2, .c = 5, .h = 3, .w = 4, .ones_a = 12 },
    { .op = OP_EXPAND, .n = 2, .c = 5, .h = 3, .w = 4, .lack = 2, .ones_a = 4 },
    { .op = OP_EXPAND, .n = 2, .c = 5, .h = 3, .w = 4, .lack = 4 },
    { .op = OP_EXPAND, .n = 3, .t = 4, .c = 16, .ones_a = 2 },
    { .op = OP_REDUCE_SUM, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 12, .keep = 1 },
    { .op = OP_REDUCE_SUM, .n = 2, .c = 17, .h = 5, .w = 7, .axes = 12 },
    { .op = OP_REDUCE_SUM, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 2 },
    { .op = OP_REDUCE_SUM, .n = 3, .c = 6, .h = 3, .w = 4, .axes = 5, .keep = 1 },
    { .op = OP_REDUCE_SUM, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 15 },
    { .op = OP_REDUCE_SUM, .n = 2, .t = 9, .c = 70, .axes = 4 },
    { .op = OP_REDUCE_MEAN, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 12, .keep = 1 },
    { .op = OP_REDUCE_MEAN, .n = 2, .c = 17, .h = 5, .w = 7, .axes = 12 },
    { .op = OP_REDUCE_MEAN, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 2 },
    { .op = OP_REDUCE_MEAN, .n = 3, .c = 6, .h = 3, .w = 4, .axes = 5, .keep = 1 },
    { .op = OP_REDUCE_MEAN, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 15 },
    { .op = OP_REDUCE_MEAN, .n = 2, .t = 9, .c = 70, .axes = 4 },
    { .op = OP_REDUCE_MAX, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 12, .keep = 1 },
    { .op = OP_REDUCE_MAX, .n = 2, .c = 17, .h = 5, .w = 7, .axes = 12 },
    { .op = OP_REDUCE_MAX, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 2 },
    { .op = OP_REDUCE_MAX, .n = 3, .c = 6, .h = 3, .w = 4, .axes = 5, .keep = 1 },
    { .op = OP_REDUCE_MAX, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 15 },
    { .op = OP_REDUCE_MAX, .n = 2, .t = 9, .c = 70, .axes = 4 },
    { .op = OP_REDUCE_SUM, .n = 2, .c = 5, .h = 3, .w = 4 },
    { .op = OP_REDUCE_MEAN, .n = 2, .t = 9, .c = 70, .axes = 2 },
    { .op = OP_REDUCE_SUM, .n = 5, .t = 9, .c = 70, .axes = 3 },
    { .op = OP_REDUCE_MAX, .n = 2, .c = 5, .h = 3, .w = 4, .axes = 8, .keep = 1 },
    { .op = OP_REDUCE_SUM, .n = 1, .c = 1, .h = 47, .w = 53, .axes = 12 },
    { .op = OP_GEGLU, .n = 2, .t = 5, .c = 19, .scale = 4 },
};
/* clang-format on */
const guint n_op_cases = G_N_ELEMENTS(op_cases);

/*
 * f32 against f64: 1e-5 is what this project promises of every operation; sums here have at most some thousand terms,
 * so that correct kernels stay ten times below it.
 *
 * bf16: coarse operands are exact in bf16 and sums are kept in f32, so only what is written in bf16 is rounded, to 8
 * bits: an error of at most 2^-8, and over many elements half of that. Forward and backward results are rounded once,
 * the cotangent twice where it passes a mask, attention's weights once more: 2^-8 in the 2-norm. upsample_conv2d also
 * rounds its taps' sums, which what cancels between taps makes felt: 2^-7. Losses take f32 logits and must be as good
 * as in f32; linear gives f32, but its operands' gradients are rounded. Softmax's gradient is made of the result that
 * was rounded already, so that three roundings meet: 2^-7. Operations that only move elements change none;
 * upsample_nearest's gradient is a sum.
 */
#define ROUNDED 0x1p-8
const OpTolerance op_tolerances[OP_N_FAMILIES] = {
    [OP_CONV2D] = { 1e-5, ROUNDED },
    [OP_BATCH_NORM] = { 1e-5, ROUNDED },
    [OP_RELU] = { 1e-5, ROUNDED },
    [OP_ADD] = { 1e-5, ROUNDED },
    [OP_ADD_RELU] = { 1e-5, ROUNDED },
    [OP_MAX_POOL] = { 1e-5, ROUNDED },
    [OP_GLOBAL_AVERAGE_POOL] = { 1e-5, ROUNDED },
    [OP_LINEAR] = { 1e-5, ROUNDED },
    [OP_SIGMOID_CROSS_ENTROPY] = { 1e-5, 1e-5 },
    [OP_SOFTMAX_CROSS_ENTROPY] = { 1e-5, 1e-5 },
    [OP_LEAKY_RELU] = { 1e-5, ROUNDED },
    [OP_SILU] = { 1e-5, ROUNDED },
    [OP_GELU] = { 1e-5, ROUNDED },
    [OP_QUICK_GELU] = { 1e-5, ROUNDED },
    [OP_GEGLU] = { 1e-5, ROUNDED },
    [OP_GROUP_NORM] = { 1e-5, ROUNDED },
    [OP_LAYER_NORM] = { 1e-5, ROUNDED },
    [OP_ATTENTION] = { 1e-5, ROUNDED },
    [OP_ADD_CHANNELS] = { 1e-5, ROUNDED },
    [OP_CONCAT] = { 0, 0 },
    [OP_UPSAMPLE_NEAREST] = { 1e-5, ROUNDED },
    [OP_UPSAMPLE_CONV2D] = { 1e-5, 2 * ROUNDED },
    [OP_TOKENS] = { 0, 0 },
    [OP_PLANES] = { 0, 0 },
    [OP_EMBEDDING] = { 1e-5, ROUNDED },
    [OP_TIMESTEP_EMBEDDING] = { 1e-5, 1e-5 },
    [OP_AVERAGE_POOL] = { 1e-5, ROUNDED },
    [OP_ADAPTIVE_AVERAGE_POOL] = { 1e-5, ROUNDED },
    [OP_SPLIT] = { 0, 0 },
    [OP_SLICE] = { 0, 0 },
    [OP_PAD] = { 0, 0 },
    [OP_TRANSPOSE] = { 0, 0 },
    [OP_RESHAPE] = { 0, 0 },
    [OP_FLATTEN] = { 0, 0 },
    [OP_MATMUL] = { 1e-5, ROUNDED },
    [OP_SOFTMAX] = { 1e-5, 2 * ROUNDED },
    [OP_GELU_TANH] = { 1e-5, ROUNDED },
    [OP_SIGMOID] = { 1e-5, ROUNDED },
    [OP_TANH] = { 1e-5, ROUNDED },
    [OP_HARD_SIGMOID] = { 1e-5, ROUNDED },
    [OP_HARD_SWISH] = { 1e-5, ROUNDED },
    [OP_LOG] = { 1e-5, ROUNDED },
    [OP_ERF] = { 1e-5, ROUNDED },
    [OP_RECIPROCAL] = { 1e-5, ROUNDED },
    [OP_CLIP] = { 1e-5, ROUNDED },
    [OP_SQRT] = { 1e-5, ROUNDED },
    [OP_EXP] = { 1e-5, ROUNDED },
    [OP_SUBTRACT] = { 1e-5, ROUNDED },
    [OP_MULTIPLY] = { 1e-5, ROUNDED },
    [OP_DIVIDE] = { 1e-5, ROUNDED },
    [OP_POWER] = { 1e-5, ROUNDED },
    [OP_MINIMUM] = { 1e-5, ROUNDED },
    [OP_MAXIMUM] = { 1e-5, ROUNDED },
    [OP_PRELU] = { 1e-5, ROUNDED },
    [OP_EXPAND] = { 1e-5, ROUNDED },
    [OP_REDUCE_SUM] = { 1e-5, ROUNDED },
    [OP_REDUCE_MEAN] = { 1e-5, ROUNDED },
    [OP_REDUCE_MAX] = { 1e-5, ROUNDED },
};

/*
 * A 3x3 kernel's gradient may be computed by Winograd's algorithm, which rounds the transformed x and the transformed
 * dy to bf16 before they meet: two roundings more, of values up to twice as large as what is left after the transform
 * back.
 */
double op_bf16_dweight_tolerance(const OpCase *c)
{
    gboolean may_transform = c->kh == 3 && c->kw == 3 && c->stride == 1 && c->padding == 1 && c->groups <= 1;
    return may_transform ? 2 * ROUNDED : ROUNDED;
}

const char *op_family_name(OpFamily op)
{
    static const char *const names[OP_N_FAMILIES] = {
        "conv2d",
        "batch_norm",
        "relu",
        "add",
        "add_relu",
        "max_pool",
        "global_average_pool",
        "linear",
        "sigmoid_cross_entropy",
        "softmax_cross_entropy",
        "leaky_relu",
        "silu",
        "gelu",
        "quick_gelu",
        "geglu",
        "group_norm",
        "layer_norm",
        "attention",
        "add_channels",
        "concat",
        "upsample_nearest",
        "upsample_conv2d",
        "tokens",
        "planes",
        "embedding",
        "timestep_embedding",
        "average_pool",
        "adaptive_average_pool",
        "split",
        "slice",
        "pad",
        "transpose",
        "reshape",
        "flatten",
        "matmul",
        "softmax",
        "gelu_tanh",
        "sigmoid",
        "tanh",
        "hard_sigmoid",
        "hard_swish",
        "log",
        "erf",
        "reciprocal",
        "clip",
        "sqrt",
        "exp",
        "subtract",
        "multiply",
        "divide",
        "power",
        "minimum",
        "maximum",
        "prelu",
        "expand",
        "reduce_sum",
        "reduce_mean",
        "reduce_max",
    };
    return names[op];
}

gboolean op_case_is_differentiable(const OpCase *c)
{
    switch (c->op) {
    case OP_TIMESTEP_EMBEDDING:
        return FALSE;
    default:
        return TRUE;
    }
}

gboolean op_is_unary(OpFamily op)
{
    return op == OP_SILU || op == OP_GELU || op == OP_QUICK_GELU || (op >= OP_GELU_TANH && op <= OP_EXP);
}

gboolean op_is_binary(OpFamily op)
{
    return op == OP_ADD || (op >= OP_SUBTRACT && op <= OP_MAXIMUM);
}

gboolean op_is_reduction(OpFamily op)
{
    return op >= OP_REDUCE_SUM && op <= OP_REDUCE_MAX;
}

char *op_case_name(const OpCase *c)
{
    const struct {
        const char *name;
        int value;
    } fields[] = {
        { "n", c->n },
        { "c", c->c },
        { "h", c->h },
        { "w", c->w },
        { "t", c->t },
        { "s", c->s },
        { "o", c->o },
        { "kh", c->kh },
        { "kw", c->kw },
        { "stride", c->stride },
        { "padding", c->padding },
        { "padding_after", c->padding_after },
        { "groups", c->groups },
        { "heads", c->heads },
        { "axis", c->axis },
        { "transpose", c->transpose },
        { "bias", c->bias },
        { "training", c->training },
        { "relu", c->relu },
        { "silu", c->silu },
        { "causal", c->causal },
        { "ones_a", c->ones_a },
        { "ones_b", c->ones_b },
        { "lack", c->lack },
        { "axes", c->axes },
        { "keep", c->keep },
        { "scale", c->scale },
        { "stride2", c->stride2 },
        { "padding2", c->padding2 },
        { "dilation", c->dilation },
        { "dilation2", c->dilation2 },
        { "ceil", c->ceil },
        { "counted", c->counted },
        { "dim", c->dim },
        { "begin", c->begin },
        { "end", c->end },
        { "order", c->order },
        { "coarse", c->coarse },
    };
    GString *name = g_string_new(op_family_name(c->op));
    const char *separator = "/";
    for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].value) {
            g_string_append_printf(name, "%s%s%d", separator, fields[i].name, fields[i].value);
            separator = "_";
        }
    return g_string_free(name, FALSE);
}

static double fill(const OpCase *c, const OpLeaf *leaf, guint32 seed, guint32 index)
{
    double value = c->coarse ? (double)formula_coarse(seed, index) : formula_fine(seed, index);
    switch (leaf->fill) {
    case FILL_POSITIVE:
        return value / 4 + 0.5;
    case FILL_AWAY: /* exact in bf16 if the formula's are */
        return c->coarse ? floor(fabs(value) * 128) / 256 + 0.5 : value / 4 + 0.5;
    case FILL_BINARY:
        return formula_hash(seed, index) >> 8 & 1;
    case FILL_INDEX:
        return (formula_hash(seed, index) >> 8) % (guint32)leaf->limit;
    case FILL_SIGNED:
        break;
    }
    return strcmp(leaf->name, "x") == 0 && c->scale ? value * c->scale : value;
}

static void leaf_fill(const OpRig *rig, OpLeaf *leaf)
{
    g_autofree char *name = g_strdup_printf("%s/%s", rig->name, leaf->name);
    guint32 seed = formula_seed(name);
    leaf->n = (gsize)aimf_shape_count(&leaf->shape);
    leaf->data = g_new(float, leaf->n);
    for (guint32 i = 0; i < leaf->n; i++)
        leaf->data[i] = (float)fill(rig->c, leaf, seed, i);
}

static AimfValue take_leaf(OpRig *rig, AimfGraph *graph, OpLeaf description)
{
    OpLeaf *leaf = &rig->leaves[rig->n_leaves++];
    *leaf = description;
    leaf_fill(rig, leaf);
    if (leaf->kind == LEAF_PARAMETER)
        leaf->value = aimf_graph_parameter(graph, leaf->name, leaf->shape);
    else if (leaf->kind == LEAF_STATE)
        leaf->value = aimf_graph_state(graph, leaf->name, leaf->shape);
    else
        leaf->value = aimf_graph_input(graph, leaf->name, leaf->shape);
    return leaf->value;
}

static AimfValue add_leaf(OpRig *rig, AimfGraph *graph, const char *name, OpLeafKind kind, OpFill how, AimfShape shape)
{
    return take_leaf(rig, graph, (OpLeaf){ .name = name, .kind = kind, .fill = how, .shape = shape });
}

static AimfValue parameter(OpRig *rig, AimfGraph *graph, const char *name, AimfShape shape)
{
    return add_leaf(rig, graph, name, LEAF_PARAMETER, FILL_SIGNED, shape);
}

/* Whole numbers below @limit. */
static AimfValue indices(OpRig *rig, AimfGraph *graph, const char *name, int limit, AimfShape shape)
{
    OpLeaf leaf = { .name = name, .limit = limit, .kind = LEAF_INPUT, .fill = FILL_INDEX, .shape = shape };
    return take_leaf(rig, graph, leaf);
}

static AimfValue build_conv2d(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c / MAX(c->groups, 1), c->kh, c->kw));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    int after = c->padding + c->padding_after;
    AimfConv2d options = { .stride = { c->stride, c->stride2 ? c->stride2 : c->stride },
                           .dilation = { c->dilation, c->dilation2 ? c->dilation2 : c->dilation },
                           .before = { c->padding, c->padding + c->padding2 },
                           .after = { after, after },
                           .groups = c->groups };
    return aimf_conv2d(graph, x, weight, bias, options);
}

static AimfValue build_pool(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    if (c->op == OP_ADAPTIVE_AVERAGE_POOL)
        return aimf_adaptive_average_pool(graph, x, c->kh, c->kw);
    int after = c->padding + c->padding_after;
    AimfPool options = { .window = { c->kh, c->kw ? c->kw : c->kh },
                         .stride = { c->stride, c->stride2 ? c->stride2 : c->stride },
                         .before = { c->padding, c->padding + c->padding2 },
                         .after = { after, after },
                         .ceil = c->ceil,
                         .count_padding = c->counted };
    return c->op == OP_MAX_POOL ? aimf_max_pool(graph, x, options) : aimf_average_pool(graph, x, options);
}

static AimfValue build_batch_norm(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfShape shape = AIMF_SHAPE(rig->c->c);
    AimfValue weight = parameter(rig, graph, "weight", shape), bias = parameter(rig, graph, "bias", shape);
    AimfValue running_mean = add_leaf(rig, graph, "running_mean", LEAF_STATE, FILL_SIGNED, shape);
    AimfValue running_var = add_leaf(rig, graph, "running_var", LEAF_STATE, FILL_POSITIVE, shape);
    AimfBatchNorm options = { .training = rig->c->training, .relu = rig->c->relu };
    return aimf_batch_norm(graph, x, weight, bias, running_mean, running_var, options);
}

static AimfValue build_linear(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    return aimf_linear(graph, x, weight, bias);
}

static AimfValue build_group_norm(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfShape shape = AIMF_SHAPE(rig->c->c);
    AimfValue weight = parameter(rig, graph, "weight", shape), bias = parameter(rig, graph, "bias", shape);
    if (rig->c->op == OP_LAYER_NORM)
        return aimf_layer_norm(graph, x, weight, bias, 0);
    return aimf_group_norm(graph, x, weight, bias, (AimfGroupNorm){ .groups = rig->c->groups, .silu = rig->c->silu });
}

static AimfValue build_attention(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue k = parameter(rig, graph, "k", AIMF_SHAPE(c->n, c->s, c->c));
    AimfValue v = parameter(rig, graph, "v", AIMF_SHAPE(c->n, c->s, c->c));
    return aimf_attention(graph, x, k, v, (AimfAttention){ .heads = c->heads, .causal = c->causal });
}

static AimfValue build_upsample_conv2d(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c, 3, 3));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    return aimf_upsample_conv2d(graph, x, weight, bias);
}

static AimfValue build_embedding(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    AimfValue ids = indices(rig, graph, "ids", c->o, AIMF_SHAPE(c->n, c->t));
    AimfValue table = parameter(rig, graph, "table", AIMF_SHAPE(c->o, c->c));
    AimfValue positions = c->s ? parameter(rig, graph, "positions", AIMF_SHAPE(c->s, c->c)) : AIMF_NONE;
    return aimf_embedding(graph, ids, table, positions);
}

/* The last two dimensions of a matrix or of many, swapped if asked. */
static AimfShape matrices(const OpCase *c, int rows, int columns, gboolean transpose)
{
    int last[] = { transpose ? columns : rows, transpose ? rows : columns };
    if (c->h)
        return AIMF_SHAPE(c->n, c->h, last[0], last[1]);
    return c->n ? AIMF_SHAPE(c->n, last[0], last[1]) : AIMF_SHAPE(last[0], last[1]);
}

static AimfValue build_matmul(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    gboolean transpose_a = c->transpose & 1, transpose_b = c->transpose >> 1;
    AimfValue b = parameter(rig, graph, "b", matrices(c, c->c, c->o, transpose_b));
    return aimf_matmul(graph, x, b, (AimfMatmul){ transpose_a, transpose_b });
}

/* Which dimensions of the case an operand has: those of @ones as 1, and the first @lack of them not. */
static AimfShape broadcast_shape(const OpCase *c, int ones, int lack)
{
    AimfShape whole = c->h   ? AIMF_SHAPE(c->n, c->c, c->h, c->w)
                      : c->t ? AIMF_SHAPE(c->n, c->t, c->c)
                             : AIMF_SHAPE(c->n, c->c);
    AimfShape shape = { 0 };
    for (int i = lack; i < whole.rank; i++)
        shape.dim[shape.rank++] = ones >> i & 1 ? 1 : whole.dim[i];
    return shape;
}

static AimfValue build_unary(OpFamily op, AimfGraph *graph, AimfValue x)
{
    AimfValue (*const functions[OP_N_FAMILIES])(AimfGraph *, AimfValue) = {
        [OP_SILU] = aimf_silu,
        [OP_GELU] = aimf_gelu,
        [OP_GELU_TANH] = aimf_gelu_tanh,
        [OP_QUICK_GELU] = aimf_quick_gelu,
        [OP_SIGMOID] = aimf_sigmoid,
        [OP_TANH] = aimf_tanh,
        [OP_HARD_SIGMOID] = aimf_hard_sigmoid,
        [OP_HARD_SWISH] = aimf_hard_swish,
        [OP_LOG] = aimf_log,
        [OP_ERF] = aimf_erf,
        [OP_RECIPROCAL] = aimf_reciprocal,
        [OP_SQRT] = aimf_sqrt,
        [OP_EXP] = aimf_exp,
    };
    return op == OP_CLIP ? aimf_clip(graph, x, -0.75, 1.5) : functions[op](graph, x);
}

static AimfValue build_binary(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfValue (*const functions[OP_N_FAMILIES])(AimfGraph *, AimfValue, AimfValue) = {
        [OP_ADD] = aimf_add,         [OP_SUBTRACT] = aimf_subtract, [OP_MULTIPLY] = aimf_multiply,
        [OP_DIVIDE] = aimf_divide,   [OP_POWER] = aimf_power,       [OP_MINIMUM] = aimf_minimum,
        [OP_MAXIMUM] = aimf_maximum,
    };
    const OpCase *c = rig->c;
    AimfShape shape = broadcast_shape(c, c->ones_b, c->lack);
    AimfValue b = c->op == OP_DIVIDE ? add_leaf(rig, graph, "positive", LEAF_PARAMETER, FILL_AWAY, shape)
                                     : parameter(rig, graph, "b", shape);
    return functions[c->op](graph, x, b);
}

static AimfValue build_reduction(const OpCase *c, AimfGraph *graph, AimfValue x)
{
    return c->op == OP_REDUCE_SUM    ? aimf_reduce_sum(graph, x, (guint)c->axes, c->keep)
           : c->op == OP_REDUCE_MEAN ? aimf_reduce_mean(graph, x, (guint)c->axes, c->keep)
                                     : aimf_reduce_max(graph, x, (guint)c->axes, c->keep);
}

static AimfShape first_shape(const OpCase *c)
{
    if (c->op == OP_MATMUL)
        return matrices(c, c->t, c->c, c->transpose & 1);
    if ((c->op == OP_LINEAR || c->op == OP_LAYER_NORM) && c->h)
        return AIMF_SHAPE(c->n, c->h, c->w, c->c);
    if (op_is_binary(c->op) || c->op == OP_EXPAND)
        return broadcast_shape(c, c->ones_a, c->op == OP_EXPAND ? c->lack : 0);
    if (c->op == OP_PLANES)
        return AIMF_SHAPE(c->n, c->h * c->w, c->c);
    if (c->op == OP_GEGLU)
        return AIMF_SHAPE(c->n, c->t, 2 * c->c);
    if (c->h)
        return AIMF_SHAPE(c->n, c->c, c->h, c->w);
    return c->t ? AIMF_SHAPE(c->n, c->t, c->c) : AIMF_SHAPE(c->n, c->c);
}

/* Operations whose first operand are whole numbers, which nothing could train. */
static AimfValue build_from_indices(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    if (c->op == OP_EMBEDDING)
        return build_embedding(rig, graph);
    return aimf_timestep_embedding(graph, indices(rig, graph, "timesteps", 1000, AIMF_SHAPE(c->n)), c->c);
}

static int axis_of(const OpCase *c)
{
    return c->dim ? c->dim - 1 : 1;
}

static AimfValue build_concat(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfShape shape = first_shape(c);
    AimfValue values[3] = { x };
    int n = 1, axis = axis_of(c);
    shape.dim[axis] = c->o;
    values[n++] = parameter(rig, graph, "b", shape);
    shape.dim[axis] = c->s;
    if (c->s)
        values[n++] = parameter(rig, graph, "d", shape);
    return aimf_concat(graph, values, n, axis - shape.rank);
}

/* The parts in another order; of three the middle one is left out. */
static AimfValue build_split(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    int axis = axis_of(c), n = c->s ? 3 : 2;
    gint64 size = first_shape(c).dim[axis];
    const gint64 sizes[] = { c->o, c->s ? c->s : size - c->o, size - c->o - c->s };
    AimfValue parts[3];
    aimf_split(graph, x, axis, sizes, n, parts);
    return aimf_concat(graph, (AimfValue[]){ parts[n - 1], parts[0] }, 2, axis);
}

static AimfValue build_pad(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    gint64 before[AIMF_MAX_RANK] = { 0 }, after[AIMF_MAX_RANK] = { 0 };
    int last = first_shape(c).rank - 1;
    before[last] = after[last] = c->padding;
    before[axis_of(c)] += c->begin;
    after[axis_of(c)] += c->end;
    return aimf_pad(graph, x, before, after, c->bias ? 0.75 : 0);
}

static AimfValue build_reshape(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    int rest = c->c / c->groups;
    if (c->h)
        return aimf_reshape(graph, x, AIMF_SHAPE(c->n, c->groups, rest, c->h, c->w));
    return aimf_reshape(graph, x, c->t ? AIMF_SHAPE(c->n, c->t, c->groups, rest) : AIMF_SHAPE(c->n, c->groups, rest));
}

static AimfValue build_transpose(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    int order[AIMF_MAX_RANK] = { 0 }, digits = rig->c->order;
    if (rig->c->groups)
        x = build_reshape(rig, graph, x);
    for (int i = aimf_graph_shape(graph, x).rank - 1; i >= 0; i--, digits /= 10)
        order[i] = digits % 10 - 1;
    return aimf_transpose(graph, x, order);
}

/*
 * Operations that keep what they move as it lies see x as a neighbour would give it: in blocks where activations lie
 * so, and in their precision.
 */
static AimfValue as_activation(const OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    if (c->h)
        return aimf_planes(graph, aimf_tokens(graph, x), c->h, c->w);
    return c->t ? aimf_tokens(graph, aimf_planes(graph, x, c->t, 1)) : x;
}

static AimfValue build_move(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    x = as_activation(rig, graph, x);
    switch (c->op) {
    case OP_CONCAT:
        return build_concat(rig, graph, x);
    case OP_SPLIT:
        return build_split(rig, graph, x);
    case OP_SLICE:
        return aimf_slice(graph, x, axis_of(c), c->begin, c->end);
    case OP_PAD:
        return build_pad(rig, graph, x);
    case OP_TRANSPOSE:
        return build_transpose(rig, graph, x);
    case OP_RESHAPE:
        return build_reshape(rig, graph, x);
    case OP_FLATTEN:
        return aimf_flatten(graph, x, axis_of(c));
    default:
        g_assert_not_reached();
    }
}

static AimfValue build_further(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    switch (c->op) {
    case OP_GEGLU:
        return aimf_geglu(graph, x);
    case OP_GROUP_NORM:
    case OP_LAYER_NORM:
        return build_group_norm(rig, graph, x);
    case OP_ATTENTION:
        return build_attention(rig, graph, x);
    case OP_ADD_CHANNELS:
        return aimf_add_channels(graph, x, parameter(rig, graph, "offsets", AIMF_SHAPE(c->n, c->c)));
    case OP_UPSAMPLE_NEAREST:
        return aimf_upsample_nearest(graph, x);
    case OP_UPSAMPLE_CONV2D:
        return build_upsample_conv2d(rig, graph, x);
    case OP_TOKENS:
        return aimf_tokens(graph, x);
    case OP_PLANES:
        return aimf_planes(graph, x, c->h, c->w);
    case OP_MATMUL:
        return build_matmul(rig, graph, x);
    case OP_SOFTMAX: /* counted from the end, too */
        return aimf_softmax(graph, x, c->axis ? c->axis - aimf_graph_shape(graph, x).rank : 0);
    default:
        return build_move(rig, graph, x);
    }
}

static AimfValue build(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    if (c->op == OP_EMBEDDING || c->op == OP_TIMESTEP_EMBEDDING)
        return build_from_indices(rig, graph);
    AimfShape shape = first_shape(c);
    gboolean away = c->op == OP_SQRT || c->op == OP_LOG || c->op == OP_RECIPROCAL || c->op == OP_POWER;
    AimfValue x =
        away ? add_leaf(rig, graph, "positive", LEAF_PARAMETER, FILL_AWAY, shape) : parameter(rig, graph, "x", shape);
    if (op_is_unary(c->op))
        return build_unary(c->op, graph, x);
    if (op_is_binary(c->op))
        return build_binary(rig, graph, x);
    if (op_is_reduction(c->op))
        return build_reduction(c, graph, x);
    switch (c->op) {
    case OP_EXPAND:
        return aimf_expand(graph, x, broadcast_shape(c, 0, 0));
    case OP_PRELU:
        return aimf_prelu(graph, x, parameter(rig, graph, "slopes", AIMF_SHAPE(c->o)));
    case OP_CONV2D:
        return build_conv2d(rig, graph, x);
    case OP_BATCH_NORM:
        return build_batch_norm(rig, graph, x);
    case OP_RELU:
        return aimf_relu(graph, x);
    case OP_LEAKY_RELU:
        return aimf_leaky_relu(graph, x, 0.125);
    case OP_ADD_RELU:
        return aimf_add_relu(graph, x, parameter(rig, graph, "b", shape));
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
    case OP_ADAPTIVE_AVERAGE_POOL:
        return build_pool(rig, graph, x);
    case OP_GLOBAL_AVERAGE_POOL:
        return aimf_global_average_pool(graph, x);
    case OP_LINEAR:
        return build_linear(rig, graph, x);
    case OP_SIGMOID_CROSS_ENTROPY:
        return aimf_sigmoid_cross_entropy(graph, x, add_leaf(rig, graph, "targets", LEAF_INPUT, FILL_BINARY, shape));
    case OP_SOFTMAX_CROSS_ENTROPY:
        return aimf_softmax_cross_entropy(graph, x, indices(rig, graph, "targets", c->c, AIMF_SHAPE(c->n)));
    default:
        return build_further(rig, graph, x);
    }
}

OpRig *op_rig_new(const OpCase *c, const char *device, AimfPrecision precision, int trainable, GError **error)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(OpRig) rig = g_new0(OpRig, 1);
    rig->c = c;
    rig->name = op_case_name(c);
    rig->tensors = aimf_tensors_new();
    rig->output = build(rig, graph);
    rig->cotangent = (OpLeaf){ .name = "cotangent", .shape = aimf_graph_shape(graph, rig->output) };
    leaf_fill(rig, &rig->cotangent);
    rig->cotangent.value = aimf_graph_input(graph, "cotangent", rig->cotangent.shape);

    AimfValue wanted[OP_MAX_LEAVES];
    guint n_wanted = 0;
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        if (leaf->kind == LEAF_PARAMETER && trainable >> i & 1)
            wanted[n_wanted++] = leaf->value;
        if (leaf->kind != LEAF_INPUT &&
            aimf_tensors_add(rig->tensors, leaf->name, AIMF_F32, &leaf->shape, leaf->data, error) < 0)
            return NULL;
    }
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .precision = precision,
                                   .outputs = &rig->output,
                                   .n_outputs = 1,
                                   .loss = n_wanted ? rig->output : AIMF_NONE,
                                   .loss_gradient = n_wanted ? rig->cotangent.value : AIMF_NONE,
                                   .trainable = wanted,
                                   .n_trainable = n_wanted,
                                   .winograd = c->winograd };
    rig->plan = aimf_graph_compile(graph, &options, error);
    return rig->plan ? g_steal_pointer(&rig) : NULL;
}

void op_rig_free(OpRig *rig)
{
    if (!rig)
        return;
    for (guint i = 0; i < rig->n_leaves; i++)
        g_free(rig->leaves[i].data);
    g_free(rig->cotangent.data);
    g_free(rig->name);
    aimf_tensors_free(rig->tensors);
    if (rig->plan)
        aimf_plan_free(rig->plan);
    g_free(rig);
}

void op_rig_run(OpRig *rig)
{
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        if (leaf->kind == LEAF_INPUT) {
            support_write(rig->plan, leaf->value, leaf->data);
        } else {
            int index = aimf_tensors_find(rig->tensors, leaf->name);
            memcpy(aimf_tensors_writable(rig->tensors, (guint)index), leaf->data, leaf->n * sizeof(float));
        }
    }
    support_write(rig->plan, rig->cotangent.value, rig->cotangent.data);
    g_autoptr(GError) error = NULL;
    if (!aimf_plan_load(rig->plan, rig->tensors, &error) || !aimf_plan_run(rig->plan, &error))
        g_error("%s: %s", rig->name, error->message);
}

static void result_free(gpointer pointer)
{
    OpResult *result = pointer;
    g_free(result->name);
    g_free(result->data);
    g_free(result);
}

static void add_result(GPtrArray *results, const char *prefix, const char *name, const float *data, gsize n)
{
    OpResult *result = g_new(OpResult, 1);
    *result = (OpResult){ g_strconcat(prefix, name, NULL), g_memdup2(data, n * sizeof *data), n };
    g_ptr_array_add(results, result);
}

GPtrArray *op_rig_results(const OpRig *rig)
{
    GPtrArray *results = g_ptr_array_new_with_free_func(result_free);
    g_autofree float *y = support_read(rig->plan, rig->output);
    add_result(results, "", "y", y, rig->cotangent.n);
    g_autoptr(GError) error = NULL;
    if (!aimf_plan_save(rig->plan, rig->tensors, &error))
        g_error("%s: %s", rig->name, error->message);
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        AimfValue gradient = leaf->kind == LEAF_PARAMETER ? aimf_plan_gradient(rig->plan, leaf->value) : AIMF_NONE;
        if (gradient != AIMF_NONE) {
            g_autofree float *numbers = support_read(rig->plan, gradient);
            add_result(results, "d_", leaf->name, numbers, leaf->n);
        }
        if (leaf->kind == LEAF_STATE && rig->c->training) {
            int index = aimf_tensors_find(rig->tensors, leaf->name);
            add_result(results, "", leaf->name, aimf_tensors_data(rig->tensors, (guint)index), leaf->n);
        }
    }
    return results;
}
