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
 * aimf_graph_state: f32, loaded by name; changed by the operations themselves (running statistics), never by the
 * optimizer.
 */
AimfValue aimf_graph_state(AimfGraph *graph, const char *name, AimfShape shape);

/* --- Operations. Activations are (N, C, H, W), (N, features) or token sequences (N, T, C). --- */

typedef struct {
    int stride;        /* both directions, 0 means 1 */
    int padding;       /* zeros on every side */
    int padding_after; /* further zeros below and to the right, as the autoencoder's downsampling has them */
} AimfConv2d;

/** aimf_conv2d: x (N, C, H, W) * weight (O, C, kh, kw) [+ bias (O), or AIMF_NONE] -> (N, O, H', W'). */
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
AimfValue aimf_add(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_add_relu: max(0, a + b), same shapes. */
AimfValue aimf_add_relu(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_max_pool: square window; padding counts as minus infinity; rounds sizes down. */
AimfValue aimf_max_pool(AimfGraph *graph, AimfValue x, int window, int stride, int padding);
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

/*
 * --- Operations of transformers and diffusion ---
 * Some only go forward: compiling says so when a gradient is asked through one.
 */

/** aimf_silu: x * sigmoid(x); aimf_gelu: x * Phi(x), the exact one; aimf_quick_gelu: x * sigmoid(1.702 x), CLIP's. */
AimfValue aimf_silu(AimfGraph *graph, AimfValue x);
AimfValue aimf_gelu(AimfGraph *graph, AimfValue x);
AimfValue aimf_quick_gelu(AimfGraph *graph, AimfValue x);
/** aimf_geglu: (N, T, 2 C) -> (N, T, C): the first half times the exact GELU of the second. */
AimfValue aimf_geglu(AimfGraph *graph, AimfValue x);

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

/** aimf_add_channels: x (N, C, H, W) + offsets (N, C), the same for all pixels of a channel. */
AimfValue aimf_add_channels(AimfGraph *graph, AimfValue x, AimfValue offsets);
/** aimf_concat: (N, A, H, W), (N, B, H, W) -> (N, A + B, H, W). */
AimfValue aimf_concat(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_upsample_nearest: (N, C, H, W) -> (N, C, 2 H, 2 W), every pixel twice in both directions. */
AimfValue aimf_upsample_nearest(AimfGraph *graph, AimfValue x);
/**
 * aimf_upsample_conv2d: a 3 x 3 convolution with padding 1 of the upsampled picture, (N, C, H, W) -> (N, O, 2 H, 2
 * W). One operation, because four 2 x 2 convolutions of the small picture with summed weights give the same with 4/9
 * of the multiplications.
 */
AimfValue aimf_upsample_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias);
/** aimf_tokens: (N, C, H, W) -> (N, H W, C), pixels in row-major order; aimf_planes: back again. */
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

/** aimf_graph_shape: the value's shape; rank 0 for AIMF_NONE. */
AimfShape aimf_graph_shape(const AimfGraph *graph, AimfValue value);
/** aimf_graph_n_parameters, aimf_graph_parameter_at: the parameters in the order they were made. */
guint aimf_graph_n_parameters(const AimfGraph *graph);
AimfValue aimf_graph_parameter_at(const AimfGraph *graph, guint index);
/** aimf_graph_name: (borrowed) the name of a leaf; NULL for other values. */
const char *aimf_graph_name(const AimfGraph *graph, AimfValue value);

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

/** AimfSgd: torch.optim.SGD: g += weight_decay * p; m = momentum * m + g; p -= learning_rate * m. */
typedef struct {
    double momentum;
    double weight_decay;
} AimfSgd;

/**
 * AimfCompileOptions:
 * @store: (nullable) whose parameters and states the plan uses; the device and threads are the store's then. NULL: a
 *   store of the plan's own, which keeps of frozen parameters only the form in which kernels use them
 * @device: (nullable) for "auto"; @threads: that compute, 0: see aimf_set_threads
 * @trace: (nullable) receives the steps and copies of the store's plans from now on; must live as long as this plan
 * @precision: bf16 keeps activations and the weights used in computing in bf16; master weights, statistics, losses,
 *   logits, gradients of parameters and momenta are f32
 * @outputs: (n_outputs) values the caller will read after a run
 * @loss: the value to differentiate, or AIMF_NONE for a plan that only goes forward
 * @loss_gradient: an input of the loss's shape, the gradient to begin with; AIMF_NONE for 1, the loss then being a
 * scalar
 * @trainable: (n_trainable) parameters that get a gradient; nothing is computed below the lowest of them
 * @sgd: (nullable) make the optimizer's step part of the plan
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
    const AimfSgd *sgd;
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
/** aimf_plan_reset: momenta and sums become zero, private states those of the store. FALSE with FAILED. */
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
 * aimf_plan_momenta: the optimizer's momenta under their parameters' names, none without an optimizer. Where the
 * device's memory is the host's they lie there and nothing is copied, see aimf_store_tensors.
 * Returns: (owned), not to be used after the plan, or NULL with MEMORY or FAILED.
 */
AimfTensors *aimf_plan_momenta(AimfPlan *plan, GError **error);
/** aimf_plan_load_momenta: all of them from @tensors, by their parameters' names; FALSE as aimf_plan_load. */
gboolean aimf_plan_load_momenta(AimfPlan *plan, const AimfTensors *tensors, GError **error);

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
 * packed weights, gradients, momenta, inputs
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
