/*
 * The engine: build a static graph of tensor operations once, compile it for a device, run it many times.
 *
 * Values are small integers. Building never fails loudly: a bad call returns AIMF_NONE, later calls pass it on, and
 * aimf_graph_compile reports the first mistake with the operation's name, so model code stays linear.
 *
 * A plan's memory is its device's: what goes in is written, what comes out is read. Running only gives the work to the
 * device, which may do it later; reading waits for it.
 *
 * Example:
 *     // y = W x for a row of three numbers.
 *     gboolean multiply(const AimfTensors *weights, const float in[3], float out[2], GError **error)
 *     {
 *         g_autoptr(AimfGraph) graph = aimf_graph_new();
 *         AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(1, 3));
 *         AimfValue y = aimf_linear(graph, x, aimf_graph_parameter(graph, "W", AIMF_SHAPE(2, 3)), AIMF_NONE);
 *         AimfCompileOptions options = { .outputs = &y, .n_outputs = 1 };
 *         g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, error);
 *         return plan && aimf_plan_load(plan, weights, error) && aimf_plan_write(plan, x, 0, 3, in, error) &&
 *                aimf_plan_run(plan, error) && aimf_plan_read(plan, y, 0, 2, out, error);
 *     }
 */
#pragma once

#include <aimfair/device.h>
#include <aimfair/error.h>
#include <aimfair/tensor.h>
#include <aimfair/trace.h>
#include <aimfair/weights.h>

G_BEGIN_DECLS

typedef struct AimfGraph AimfGraph;
typedef gint32 AimfValue;
#define AIMF_NONE ((AimfValue)0)

AimfGraph *aimf_graph_new(void);
void aimf_graph_free(AimfGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfGraph, aimf_graph_free)

/* --- Leaves. Names are copied and must be unique among leaves. --- */

/** aimf_graph_input: f32, filled by the caller before every run. */
AimfValue aimf_graph_input(AimfGraph *graph, const char *name, AimfShape shape);
/** aimf_graph_parameter: f32, loaded by name; gets a gradient if the compile options say so. */
AimfValue aimf_graph_parameter(AimfGraph *graph, const char *name, AimfShape shape);
/**
 * aimf_graph_exempt_from_decay: AimfOptimizer's decay_weights_only leaves @parameter without weight decay whatever its
 * shape is, as timm's no_weight_decay() of a model does with rows for places. AIMF_NONE is passed over.
 */
void aimf_graph_exempt_from_decay(AimfGraph *graph, AimfValue parameter);
/**
 * aimf_graph_state: f32, loaded by name; changed by the operations themselves (running statistics), never by the
 * optimizer.
 */
AimfValue aimf_graph_state(AimfGraph *graph, const char *name, AimfShape shape);

/* --- Operations. Activations are (N, C, H, W), (N, features) or token sequences (N, T, C). --- */

/**
 * AimfConv2d: pairs are of rows, then of columns.
 * @stride: 0 means 1
 * @dilation: pixels from one tap to the next, 0 means 1
 * @before: zeros above and on the left; @after: zeros below and on the right
 * @groups: divide C and O, 0 means 1: an output sees the inputs of its own group only. As many as C is a depthwise
 *   convolution
 */
typedef struct {
    int stride[2], dilation[2], before[2], after[2];
    int groups;
} AimfConv2d;

/** aimf_conv2d_square: one stride in both directions, as many zeros on every side. */
static inline AimfConv2d aimf_conv2d_square(int stride, int padding)
{
    return (AimfConv2d){ .stride = { stride, stride }, .before = { padding, padding }, .after = { padding, padding } };
}

/**
 * aimf_conv2d: x (N, C, H, W) * weight (O, C / groups, kh, kw) [+ bias (O), or AIMF_NONE] -> (N, O, H', W') with
 * H' = (H + before + after - dilation (kh - 1) - 1) / stride + 1, rounded down, W' likewise.
 * A mistake: options below 0, groups that do not divide, a kernel larger than the picture with its zeros.
 * Source: torch.nn.functional.conv2d, of whose padding every side may differ here.
 */
AimfValue aimf_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfConv2d options);

typedef struct {
    gboolean training; /* batch statistics, which also move the running ones; otherwise the running ones are used */
    gboolean relu;     /* fused: y = max(0, batch_norm(x)) */
    double momentum;   /* weight of the new statistics, 0 means 0.1 */
    double epsilon;    /* 0 means 1e-5 */
} AimfBatchNorm;

/**
 * aimf_batch_norm: over N, H, W of x (N, C, H, W), or N of (N, C); weight, bias, running_mean, running_var (C).
 * The running variance takes the unbiased batch variance, as PyTorch's does.
 */
AimfValue aimf_batch_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfValue running_mean,
                          AimfValue running_var, AimfBatchNorm options);

AimfValue aimf_relu(AimfGraph *graph, AimfValue x);
/** aimf_leaky_relu: x where x > 0, @slope x otherwise; @slope in [0, 1). Source: Maas, Hannun and Ng 2013. */
AimfValue aimf_leaky_relu(AimfGraph *graph, AimfValue x, double slope);
/** aimf_add_relu: max(0, a + b), same shapes. */
AimfValue aimf_add_relu(AimfGraph *graph, AimfValue a, AimfValue b);

/**
 * AimfPool: pairs are of rows, then of columns.
 * @window: at least 1; @stride: 0 means the window's size
 * @before: padding above and on the left; @after: below and on the right; each less than the window
 * @ceil: sizes are rounded up, so that the last window may hang over; one that would see nothing but padding is left
 *   out
 * @count_padding: an average divides by all that its window sees, padding included, as PyTorch's count_include_pad;
 *   what hangs over the padding does not count. Otherwise by the pixels of the picture alone
 */
typedef struct {
    int window[2], stride[2], before[2], after[2];
    gboolean ceil, count_padding;
} AimfPool;

/** aimf_pool_square: a square window, one stride in both directions, as much padding on every side. */
static inline AimfPool aimf_pool_square(int window, int stride, int padding)
{
    return (AimfPool){ .window = { window, window },
                       .stride = { stride, stride },
                       .before = { padding, padding },
                       .after = { padding, padding } };
}

/**
 * aimf_max_pool, aimf_average_pool: (N, C, H, W) -> (N, C, H', W') with
 * H' = (H + before + after - window) / stride + 1, rounded as the options say, W' likewise. A maximum takes padding for
 * minus infinity; of several equal ones the first gets the gradient. A mistake: options out of range, a window larger
 * than the picture with its padding.
 * Source: torch.nn.functional.max_pool2d, avg_pool2d.
 */
AimfValue aimf_max_pool(AimfGraph *graph, AimfValue x, AimfPool options);
AimfValue aimf_average_pool(AimfGraph *graph, AimfValue x, AimfPool options);
/**
 * aimf_adaptive_average_pool: (N, C, H, W) -> (N, C, @height, @width): row i of the result averages the rows from
 * i H / @height, rounded down, to (i + 1) H / @height, rounded up; columns likewise. Both sizes are at least 1 and may
 * be larger than the picture's. Source: torch.nn.functional.adaptive_avg_pool2d.
 */
AimfValue aimf_adaptive_average_pool(AimfGraph *graph, AimfValue x, int height, int width);
/** aimf_global_average_pool: (N, C, H, W) -> (N, C). */
AimfValue aimf_global_average_pool(AimfGraph *graph, AimfValue x);
/**
 * aimf_linear: x (..., in) of rank 2 or more * weight (out, in) transposed [+ bias (out), or AIMF_NONE] -> (..., out);
 * of rank 2 in f32 (logits), else in the precision of activations.
 */
AimfValue aimf_linear(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias);
/**
 * aimf_sigmoid_cross_entropy: mean over all elements of BCE with logits; @logits and @targets have one shape; scalar.
 */
AimfValue aimf_sigmoid_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets);
/** aimf_softmax_cross_entropy: mean over rows; logits (N, classes), targets (N) class numbers as f32; scalar. */
AimfValue aimf_softmax_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets);
/**
 * aimf_smooth_sigmoid_cross_entropy, aimf_smooth_softmax_cross_entropy: the same losses with smoothed labels;
 * @smoothing in [0, 1), 0 gives the others. A class's row of targets becomes (1 - smoothing) one-hot + smoothing /
 * classes, as with torch.nn.CrossEntropyLoss(label_smoothing); a sigmoid's target t becomes t (1 - smoothing) +
 * smoothing / 2.
 * Source: Szegedy et al. 2016, "Rethinking the Inception architecture", section 7.
 */
AimfValue aimf_smooth_sigmoid_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets, double smoothing);
AimfValue aimf_smooth_softmax_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets, double smoothing);

/* --- Operations on elements: any shape, which the result has too --- */

/** aimf_silu: x * sigmoid(x). Source: Elfwing et al. 2018; also called Swish. */
AimfValue aimf_silu(AimfGraph *graph, AimfValue x);
/**
 * aimf_gelu: x * Phi(x), the exact one. aimf_gelu_tanh: its approximation by tanh. aimf_quick_gelu: x * sigmoid(1.702
 * x), CLIP's. Source: Hendrycks and Gimpel 2016.
 */
AimfValue aimf_gelu(AimfGraph *graph, AimfValue x);
AimfValue aimf_gelu_tanh(AimfGraph *graph, AimfValue x);
AimfValue aimf_quick_gelu(AimfGraph *graph, AimfValue x);
/** aimf_geglu: (N, T, 2 C) -> (N, T, C): the first half times the exact GELU of the second. Source: Shazeer 2020. */
AimfValue aimf_geglu(AimfGraph *graph, AimfValue x);
AimfValue aimf_sigmoid(AimfGraph *graph, AimfValue x);
AimfValue aimf_tanh(AimfGraph *graph, AimfValue x);
/**
 * aimf_hard_sigmoid: clip(x + 3, 0, 6) / 6, PyTorch's; aimf_hard_swish: x times that. Source: Howard et al. 2019
 * (MobileNetV3). Their gradients at -3 and 3 are PyTorch's: those of the constant or straight parts outside.
 */
AimfValue aimf_hard_sigmoid(AimfGraph *graph, AimfValue x);
AimfValue aimf_hard_swish(AimfGraph *graph, AimfValue x);
/**
 * aimf_clip: min(max(x, @low), @high), so ReLU6 for 0 and 6; @low < @high, either may be infinite. The gradient is 0 at
 * the bounds and beyond, as that of PyTorch's hardtanh and ReLU6.
 */
AimfValue aimf_clip(AimfGraph *graph, AimfValue x, double low, double high);
/**
 * aimf_prelu: x where x > 0, slope * x otherwise; x (N, C, ...), slopes (C), or (1) for all channels, of any x.
 * Source: He et al. 2015.
 */
AimfValue aimf_prelu(AimfGraph *graph, AimfValue x, AimfValue slopes);
/** aimf_sqrt, aimf_exp, aimf_log (natural), aimf_erf, aimf_reciprocal (1 / x): as in C, with infinities and NaN. */
AimfValue aimf_sqrt(AimfGraph *graph, AimfValue x);
AimfValue aimf_exp(AimfGraph *graph, AimfValue x);
AimfValue aimf_log(AimfGraph *graph, AimfValue x);
AimfValue aimf_erf(AimfGraph *graph, AimfValue x);
AimfValue aimf_reciprocal(AimfGraph *graph, AimfValue x);

/*
 * --- Operations on pairs of elements: operands broadcast as NumPy's do ---
 * Counted from the last, two dimensions are equal, or one of them is 1 or missing and its numbers serve all places of
 * the other's. Anything else is INVALID when compiling.
 */

AimfValue aimf_add(AimfGraph *graph, AimfValue a, AimfValue b);
AimfValue aimf_subtract(AimfGraph *graph, AimfValue a, AimfValue b);
AimfValue aimf_multiply(AimfGraph *graph, AimfValue a, AimfValue b);
AimfValue aimf_divide(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_power: a to the b, as C's pow. */
AimfValue aimf_power(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_minimum, aimf_maximum: NaN if either is; equal ones get half of the gradient each, as in PyTorch. */
AimfValue aimf_minimum(AimfGraph *graph, AimfValue a, AimfValue b);
AimfValue aimf_maximum(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_expand: x broadcast to @shape; INVALID when compiling if it cannot be. */
AimfValue aimf_expand(AimfGraph *graph, AimfValue x, AimfShape shape);

/**
 * aimf_reduce_sum, aimf_reduce_mean, aimf_reduce_max: over @axes, bit i for dimension i; @keep: those become 1,
 * otherwise they go. Equal maxima share the gradient, as with PyTorch's amax. INVALID when compiling if x lacks an
 * axis.
 */
AimfValue aimf_reduce_sum(AimfGraph *graph, AimfValue x, guint axes, gboolean keep);
AimfValue aimf_reduce_mean(AimfGraph *graph, AimfValue x, guint axes, gboolean keep);
AimfValue aimf_reduce_max(AimfGraph *graph, AimfValue x, guint axes, gboolean keep);

/*
 * --- Operations of transformers and diffusion ---
 * Some only go forward: compiling says so when a gradient is asked through one.
 */

typedef struct {
    int groups;
    double epsilon; /* 0 means 1e-5 */
    gboolean silu;  /* fused: y = silu(group_norm(x)) */
} AimfGroupNorm;

/** aimf_group_norm: over each sample's channels of a group and all pixels; x (N, C, H, W); weight, bias (C). */
AimfValue aimf_group_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfGroupNorm options);
/** aimf_layer_norm: over the last dimension of x (..., C), rank 2 or more; weight, bias (C); @epsilon 0 means 1e-5. */
AimfValue aimf_layer_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, double epsilon);

typedef struct {
    int heads;       /* divide C; head h has channels h * C/heads and on, PyTorch's order */
    gboolean causal; /* token t sees tokens up to t only; needs T = S */
} AimfAttention;

/**
 * aimf_attention: softmax(q k^T / sqrt(C / heads)) v per head; q (N, T, C), k and v (N, S, C) -> (N, T, C).
 * The T x S matrix of scores is never stored whole; the gradient computes it again, a head and a block of queries at a
 * time.
 */
AimfValue aimf_attention(AimfGraph *graph, AimfValue q, AimfValue k, AimfValue v, AimfAttention options);

typedef struct {
    gboolean transpose_a; /* a is (..., K, M) */
    gboolean transpose_b; /* b is (..., N, K) */
} AimfMatmul;

/** aimf_matmul: a (..., M, K) times b (..., K, N) -> (..., M, N), rank 2 or more, with the same leading dimensions. */
AimfValue aimf_matmul(AimfGraph *graph, AimfValue a, AimfValue b, AimfMatmul options);
/** aimf_softmax: exp(x) over its sum along dimension @axis, which may be negative: counted from the end. */
AimfValue aimf_softmax(AimfGraph *graph, AimfValue x, int axis);

/** aimf_add_channels: x (N, C, H, W) + offsets (N, C), the same for all pixels of a channel; both get gradients. */
AimfValue aimf_add_channels(AimfGraph *graph, AimfValue x, AimfValue offsets);
/**
 * aimf_upsample_nearest: (N, C, H, W) -> (N, C, 2 H, 2 W), every pixel twice in both directions; a pixel's gradient is
 * the sum of its four copies'.
 */
AimfValue aimf_upsample_nearest(AimfGraph *graph, AimfValue x);
/**
 * aimf_upsample_conv2d: a 3 x 3 convolution with padding 1 of the upsampled picture, (N, C, H, W) -> (N, O, 2 H, 2
 * W). One operation, because four 2 x 2 convolutions of the small picture with summed weights give the same with 4/9
 * of the multiplications. Its gradients are computed at the full size.
 */
AimfValue aimf_upsample_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias);
/** aimf_tokens: (N, C, H, W) -> (N, H W, C), pixels in row-major order; aimf_planes: back again. With gradients. */
AimfValue aimf_tokens(AimfGraph *graph, AimfValue x);
AimfValue aimf_planes(AimfGraph *graph, AimfValue x, int height, int width);
/**
 * aimf_embedding: ids (N, T), whole numbers as f32, in table (V, C) [+ positions (P, C) with P >= T, or AIMF_NONE] ->
 * (N, T, C). An id that is not in the table gives NaN.
 */
AimfValue aimf_embedding(AimfGraph *graph, AimfValue ids, AimfValue table, AimfValue positions);
/**
 * aimf_timestep_embedding: t (N) -> (N, channels), f32: cos(t w_i), then sin(t w_i) with w_i = 10000^(-i / (channels
 * / 2)).
 * Source: the original Stable Diffusion's timestep_embedding.
 */
AimfValue aimf_timestep_embedding(AimfGraph *graph, AimfValue timesteps, int channels);

/*
 * --- Operations that move elements and change none of them ---
 * All have gradients. They keep the precision of what they move. An @axis may be negative: it counts from the end.
 */

/**
 * aimf_concat: puts the @values (n) one behind the other along @axis; they agree in all other dimensions. @n: 1 to 8.
 * The graph fails where @n or @axis is out of range or shapes do not agree. Semantics: torch.cat.
 */
AimfValue aimf_concat(AimfGraph *graph, const AimfValue *values, int n, int axis);
/**
 * aimf_slice: the indices [@begin, @end) of @x along @axis.
 * The graph fails unless 0 <= @begin < @end <= the dimension's size.
 */
AimfValue aimf_slice(AimfGraph *graph, AimfValue x, int axis, gint64 begin, gint64 end);
/**
 * aimf_split: cuts @x along @axis into parts of the @sizes (n), which must add up to the dimension's.
 * @parts: (n) receives them, or AIMF_NONE where the graph fails. Semantics: torch.split.
 */
void aimf_split(AimfGraph *graph, AimfValue x, int axis, const gint64 *sizes, int n, AimfValue *parts);
/**
 * aimf_pad: @value around @x: @before[i] of them in front of dimension i and @after[i] behind it, one number for each
 * dimension, none negative. Semantics: torch.nn.functional.pad with mode "constant".
 */
AimfValue aimf_pad(AimfGraph *graph, AimfValue x, const gint64 *before, const gint64 *after, double value);
/**
 * aimf_transpose: dimension i of the result is dimension @order[i] of @x; @order is a permutation of all dimensions.
 * Semantics: torch.permute.
 */
AimfValue aimf_transpose(AimfGraph *graph, AimfValue x, const int *order);
/** aimf_reshape: the same elements in row-major order as @shape, which has as many. */
AimfValue aimf_reshape(AimfGraph *graph, AimfValue x, AimfShape shape);
/**
 * aimf_flatten: (d0 * .. * d(axis - 1), d(axis) * .. * d(rank - 1)); a product of none is 1; @axis from 0 to the rank.
 * Semantics: ONNX's Flatten; torch.flatten(x, 1) is its axis 1.
 */
AimfValue aimf_flatten(AimfGraph *graph, AimfValue x, int axis);

/* --- Dropout --- */

/**
 * AimfDropout:
 * @share: of elements or samples that are dropped, in [0, 1)
 * @key: different for every dropout of a network and for every seed, so that no two draw alike
 * @samples: whole samples are dropped: stochastic depth
 */
typedef struct {
    double share;
    guint64 key;
    gboolean samples;
} AimfDropout;

/**
 * aimf_dropout: every element of x, or every sample x[n], becomes zero with probability @share and is divided by
 * 1 - @share otherwise; the gradient likewise, by the same draws.
 * @draw: an input (2) of whole numbers from 0 to 2^24 - 1, for instance an epoch and a step: other numbers draw anew.
 * Element i in row-major order (or sample i) is dropped by the i-th number drawn for (@key, @draw): on every device,
 * at any number of threads, in any layout.
 * With a share of 0 the result is x itself. In evaluation, leave it out. The graph fails where @share is out of range.
 * Source: Srivastava et al. 2014; Huang et al. 2016, "Deep networks with stochastic depth", scaled as in PyTorch and
 * torchvision.
 */
AimfValue aimf_dropout(AimfGraph *graph, AimfValue x, AimfValue draw, AimfDropout options);

/** aimf_graph_shape: the value's shape; rank 0 for AIMF_NONE. */
AimfShape aimf_graph_shape(const AimfGraph *graph, AimfValue value);
/** aimf_graph_n_parameters, aimf_graph_parameter_at: the parameters in the order they were made. */
guint aimf_graph_n_parameters(const AimfGraph *graph);
AimfValue aimf_graph_parameter_at(const AimfGraph *graph, guint index);
/** aimf_graph_name: (borrowed) the name of a leaf; NULL for other values. */
const char *aimf_graph_name(const AimfGraph *graph, AimfValue value);

/** aimf_graph_flops: of one pass over all operations: multiplications and additions of products, counted as two. */
double aimf_graph_flops(const AimfGraph *graph);

/* --- Stores: parameters and states, resident on a device --- */

/**
 * AimfStore:
 * Parameters and states by name on a device, shared by the plans that are compiled for it: training and validation,
 * for instance. A plan that packs a parameter for its kernels packs it again when the store's has changed.
 */
typedef struct AimfStore AimfStore;

/**
 * aimf_store_new: an empty store; compiling plans for it makes room for what they need, as zeros.
 * @device: (nullable) for "auto"; @threads: that compute there, 0: see aimf_set_threads
 * Returns: (owned) or NULL with UNSUPPORTED, MEMORY or FAILED: what the device gives.
 */
AimfStore *aimf_store_new(AimfDevice *device, int threads, GError **error);
AimfStore *aimf_store_ref(AimfStore *store);
/** aimf_store_free: lets go of one reference; plans hold one of their own. */
void aimf_store_free(AimfStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfStore, aimf_store_free)

/**
 * aimf_store_load: all that the store has by name from @tensors, which is not needed afterwards.
 * Returns: FALSE with NOT_FOUND (a tensor is missing), INVALID (wrong shape), MEMORY or FAILED, or what reading gives;
 * the store must then be loaded again before its plans run.
 */
gboolean aimf_store_load(AimfStore *store, const AimfTensors *tensors, GError **error);
/** aimf_store_save: all that the store has into entries of the same name, f32 and in memory. */
gboolean aimf_store_save(AimfStore *store, AimfTensors *tensors, GError **error);
/**
 * aimf_store_tensors: the tensors of @like; of those that the store has the store's values, which aimf_store_save
 * brings up to date. Where the device's memory is the host's they lie there and nothing is copied: they change with
 * the store, and what is written to them counts once aimf_store_load has been called with them.
 * Returns: (owned), not to be used after the store, or NULL with MEMORY or FAILED, or what reading @like gives.
 */
AimfTensors *aimf_store_tensors(AimfStore *store, const AimfTensors *like, GError **error);
/** aimf_store_version: grows whenever something in the store changes. */
guint64 aimf_store_version(const AimfStore *store);

/* --- Compiling --- */

typedef enum { AIMF_PRECISION_F32, AIMF_PRECISION_BF16 } AimfPrecision;

typedef enum { AIMF_OPTIMIZER_SGD, AIMF_OPTIMIZER_ADAMW } AimfOptimizerKind;

/**
 * AimfOptimizer: what a run does with the gradients g of the parameters p.
 * @kind: AIMF_OPTIMIZER_SGD is torch.optim.SGD: g += weight_decay * p; m = momentum * m + g; p -= learning_rate * m.
 *   AIMF_OPTIMIZER_ADAMW is torch.optim.AdamW (Loshchilov and Hutter 2019): m = betas[0] * m + (1 - betas[0]) * g;
 *   v = betas[1] * v + (1 - betas[1]) * g^2; p *= 1 - learning_rate * weight_decay; in step t
 *   p -= learning_rate * (m / (1 - betas[0]^t)) / (sqrt(v / (1 - betas[1]^t)) + epsilon)
 * @momentum: of SGD; @betas, @epsilon: of AdamW
 * @decay_weights_only: weight decay is not for norms and biases: tensors of one dimension or none, those whose name
 *   ends in ".bias", and those of aimf_graph_exempt_from_decay (timm's param_groups_weight_decay)
 * @clip_norm: the gradients of all trainable parameters together are scaled by min(1, clip_norm / (norm + 1e-6))
 *   before they are used, norm being that of all their elements (torch.nn.utils.clip_grad_norm_); 0: they are not.
 *   aimf_plan_gradient then gives the scaled ones, aimf_plan_read_sum the sums of those that were there before
 * @average: decay of the averages of parameters and states: a = average * a + (1 - average) * w after every step,
 *   beginning with the weights that there are at the first one (timm's ModelEmaV3 without warm-up, which averages
 *   running statistics too); 0: there are none
 */
typedef struct {
    AimfOptimizerKind kind;
    double weight_decay;
    gboolean decay_weights_only;
    double momentum;
    double betas[2];
    double epsilon;
    double clip_norm;
    double average;
} AimfOptimizer;

/**
 * AimfCompileOptions:
 * @store: (nullable) whose parameters and states the plan uses; the device and threads are the store's then. NULL: a
 *   store of the plan's own, which keeps of frozen parameters only the form in which kernels use them
 * @device: (nullable) for "auto"; @threads: that compute, 0: see aimf_set_threads
 * @trace: (nullable) receives the steps and copies of the store's plans from now on; must live as long as this plan
 * @precision: bf16 keeps activations and the weights used in computing in bf16; master weights, statistics, losses,
 *   logits, gradients of parameters and what the optimizer remembers are f32
 * @outputs: (n_outputs) values the caller will read after a run
 * @loss: the value to differentiate, or AIMF_NONE for a plan that only goes forward
 * @loss_gradient: an input of the loss's shape, the gradient to begin with; AIMF_NONE for 1, the loss then being a
 * scalar
 * @trainable: (n_trainable) parameters that get a gradient; nothing is computed below the lowest of them
 * @optimizer: (nullable) make the optimizer's step part of the plan
 * @accumulate: make adding up gradients over runs, in f64, part of the plan; see aimf_plan_read_sum
 * @private_states: states change in the plan alone; aimf_plan_reset gives it the store's again
 * @winograd: 3x3 convolutions may go by Winograd's F(2x2, 3x3) in f32: 2.25 times fewer multiplications, rounding
 *   errors a few times as large. For networks without the kinks of ReLU; gradients may always do so
 */
typedef struct {
    AimfStore *store;
    AimfDevice *device;
    int threads;
    AimfTrace *trace;
    AimfPrecision precision;
    const AimfValue *outputs;
    guint n_outputs;
    AimfValue loss;
    AimfValue loss_gradient;
    const AimfValue *trainable;
    guint n_trainable;
    const AimfOptimizer *optimizer;
    gboolean accumulate;
    gboolean private_states;
    gboolean winograd;
} AimfCompileOptions;

typedef struct AimfPlan AimfPlan;

/**
 * aimf_graph_compile:
 * Returns: (owned) a plan, independent of the graph afterwards (value ids stay valid for it), or NULL with INVALID
 * (the first mistake made in building, or a tensor that the store has in another shape), UNSUPPORTED (an operation or
 * precision the device lacks; names it) or MEMORY.
 */
AimfPlan *aimf_graph_compile(const AimfGraph *graph, const AimfCompileOptions *options, GError **error);
void aimf_plan_free(AimfPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPlan, aimf_plan_free)

/**
 * aimf_plan_load: the plan's parameters and states by name from @tensors into its store; then aimf_plan_reset.
 * @tensors is not needed afterwards.
 * Returns: FALSE as aimf_store_load, or where a tensor could not be brought into the layout it is used in; the plan
 * must then be loaded again before it runs.
 */
gboolean aimf_plan_load(AimfPlan *plan, const AimfTensors *tensors, GError **error);
/**
 * aimf_plan_save: writes trainable parameters and states into entries of the same name, f32 and in memory. FALSE with
 * NOT_FOUND or INVALID (there is no such entry), or what aimf_plan_wait gives.
 */
gboolean aimf_plan_save(AimfPlan *plan, AimfTensors *tensors, GError **error);
/**
 * aimf_plan_reset: momenta, AdamW's means and steps and sums become zero, private states those of the store, averages
 * its parameters and states. FALSE with FAILED.
 */
gboolean aimf_plan_reset(AimfPlan *plan, GError **error);

/* --- Running --- */

/**
 * aimf_plan_write: @n numbers of an input from element @first on, row-major; @from may change as soon as
 * it returns. FALSE with INVALID (no such value or elements), MEMORY or FAILED.
 */
gboolean aimf_plan_write(AimfPlan *plan, AimfValue value, gsize first, gsize n, const float *from, GError **error);

/**
 * aimf_plan_run: gives one pass to the device. All memory for tensors is there already; a device's library may still
 * allocate its own.
 * Returns: FALSE with MEMORY or FAILED when a step could not be computed; the message names it. A device that works
 * later tells of that when it is next waited for, and passes over all that it was given meanwhile. Outputs and
 * gradients are undefined then and states may have changed, but parameters, momenta and sums are as before, unless
 * changing them was the step that failed, and the plan may be run again. FALSE also with INVALID: a tensor of the plan
 * was never loaded.
 */
gboolean aimf_plan_run(AimfPlan *plan, GError **error);
/** aimf_plan_wait: until the device has done all that it was given; FALSE with the first error of it. */
gboolean aimf_plan_wait(AimfPlan *plan, GError **error);
/** aimf_plan_set_learning_rate: for the runs from now on; without effect where there is no optimizer. */
gboolean aimf_plan_set_learning_rate(AimfPlan *plan, double learning_rate, GError **error);

/** aimf_plan_shape: of a value; rank 0 for AIMF_NONE. */
AimfShape aimf_plan_shape(const AimfPlan *plan, AimfValue value);
/**
 * aimf_plan_read: @n numbers from element @first on, row-major, of an input, output or gradient, after all that was
 * run. FALSE with INVALID (no such value or elements) or what aimf_plan_wait gives.
 */
gboolean aimf_plan_read(AimfPlan *plan, AimfValue value, gsize first, gsize n, float *to, GError **error);
/** aimf_plan_gradient: the value of a trainable parameter's gradient, for aimf_plan_read; AIMF_NONE if frozen. */
AimfValue aimf_plan_gradient(const AimfPlan *plan, AimfValue parameter);
/** aimf_plan_read_sum: the sum of a parameter's gradients since the last reset, all elements; see aimf_plan_read. */
gboolean aimf_plan_read_sum(AimfPlan *plan, AimfValue parameter, double *to, GError **error);

/**
 * aimf_plan_optimizer_state: what the optimizer remembers from step to step, none without an optimizer:
 * "momentum/<name>" of every trainable parameter with SGD; "exp_avg/<name>", "exp_avg_sq/<name>" and the number of
 * steps as "step", a scalar in f64, with AdamW; and with averages "average/<name>" of every trainable parameter and
 * every state. Where the device's memory is the host's they lie there and nothing but "step" is copied, see
 * aimf_store_tensors.
 * Returns: (owned), not to be used after the plan, or NULL with MEMORY or FAILED.
 */
AimfTensors *aimf_plan_optimizer_state(AimfPlan *plan, GError **error);
/**
 * aimf_plan_load_optimizer_state: all of it from @tensors, by those names; FALSE as aimf_plan_load, or with INVALID:
 * the number of steps is none.
 */
gboolean aimf_plan_load_optimizer_state(AimfPlan *plan, const AimfTensors *tensors, GError **error);

/**
 * AimfReading: an output on its way to the host, for who does not want to wait for every run: a loop may look at a
 * loss some runs later.
 */
typedef struct AimfReading AimfReading;
/** aimf_reading_new: (owned) for all of @value, an output of @plan, which must live longer; NULL with INVALID. */
AimfReading *aimf_reading_new(AimfPlan *plan, AimfValue value, GError **error);
void aimf_reading_free(AimfReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfReading, aimf_reading_free)
/** aimf_reading_begin: of what the last run gives; forgets what it had before. FALSE with MEMORY or FAILED. */
gboolean aimf_reading_begin(AimfReading *reading, GError **error);
/** aimf_reading_is_there: whether aimf_reading_wait would not wait. */
gboolean aimf_reading_is_there(AimfReading *reading);
/** aimf_reading_wait: (borrowed) the numbers, until the next begin; NULL with what aimf_plan_wait gives. */
const float *aimf_reading_wait(AimfReading *reading, GError **error);

/**
 * AimfPlanSummary:
 * @flops: floating-point operations of a run (a multiply-add is two), convolutions and matrix products
 * @flops_forward: the forward part of them
 * @n_steps: kernels a run calls; @n_reorders: those of them that only change a layout
 * @arena_bytes: memory for activations and scratch; @resident_bytes: parameters (a store that is shared not counted),
 * packed weights, gradients, what the optimizer remembers, inputs
 * @peak_bytes: most bytes of the arena alive at one step, @peak_step: (borrowed) that step's name
 */
typedef struct {
    double flops;
    double flops_forward;
    guint n_steps;
    guint n_reorders;
    gsize arena_bytes;
    gsize resident_bytes;
    gsize peak_bytes;
    const char *peak_step;
} AimfPlanSummary;

AimfPlanSummary aimf_plan_summary(const AimfPlan *plan);
/**
 * aimf_plan_describe: (owned) the plan as text: a line per step with shapes, layouts, implementation, offset and FLOPs.
 */
char *aimf_plan_describe(const AimfPlan *plan);
/**
 * aimf_plan_profile: one run without what changes parameters and sums, timed step by step; a line per operation,
 * slowest first.
 * Returns: (owned) the text, or NULL with what aimf_plan_run gives.
 */
char *aimf_plan_profile(AimfPlan *plan, GError **error);

G_END_DECLS
