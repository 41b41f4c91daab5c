/*
 * The engine: build a static graph of tensor operations once, compile it for a backend, run it many times.
 *
 * Values are small integers. Building never fails loudly: a bad call returns AIMF_NONE, later calls pass it on, and
 * aimf_graph_compile reports the first mistake with the operation's name, so model code stays linear.
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/tensor.h>
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
    gboolean
        training;    /* batch statistics, and the running ones are updated; otherwise the running statistics are used */
    gboolean relu;   /* fused: y = max(0, batch_norm(x)) */
    double momentum; /* weight of the new statistics, 0 means 0.1 */
    double epsilon;  /* 0 means 1e-5 */
} AimfBatchNorm;

/**
 * aimf_batch_norm: over N, H, W of x (N, C, H, W); weight, bias, running_mean, running_var (C).
 * The running variance takes the unbiased batch variance, as PyTorch's does.
 */
AimfValue aimf_batch_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfValue running_mean,
                          AimfValue running_var, AimfBatchNorm options);

AimfValue aimf_relu(AimfGraph *graph, AimfValue x);
AimfValue aimf_add(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_add_relu: max(0, a + b), same shapes. */
AimfValue aimf_add_relu(AimfGraph *graph, AimfValue a, AimfValue b);
/** aimf_max_pool: square window; padding counts as minus infinity; rounds sizes down. */
AimfValue aimf_max_pool(AimfGraph *graph, AimfValue x, int window, int stride, int padding);
/** aimf_global_average_pool: (N, C, H, W) -> (N, C). */
AimfValue aimf_global_average_pool(AimfGraph *graph, AimfValue x);
/**
 * aimf_linear: x (N, in) or (N, T, in) * weight (out, in) transposed [+ bias (out), or AIMF_NONE] -> (N, out), f32
 * (logits), or (N, T, out) in the precision of activations.
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
 * Forward only: compiling says so when a gradient is asked through one.
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
/** aimf_layer_norm: over the last dimension of x (N, T, C) or (N, C); weight, bias (C); @epsilon 0 means 1e-5. */
AimfValue aimf_layer_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, double epsilon);

typedef struct {
    int heads;       /* divide C; head h has channels h * C/heads and on, PyTorch's order */
    gboolean causal; /* token t sees tokens up to t only; needs T = S */
} AimfAttention;

/**
 * aimf_attention: softmax(q k^T / sqrt(C / heads)) v per head; q (N, T, C), k and v (N, S, C) -> (N, T, C).
 * The T x S matrix of scores is never stored whole.
 */
AimfValue aimf_attention(AimfGraph *graph, AimfValue q, AimfValue k, AimfValue v, AimfAttention options);

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

/* --- Compiling --- */

typedef enum { AIMF_PRECISION_F32, AIMF_PRECISION_BF16 } AimfPrecision;

/** AimfSgd: torch.optim.SGD: g += weight_decay * p; m = momentum * m + g; p -= learning_rate * m. */
typedef struct {
    double momentum;
    double weight_decay;
} AimfSgd;

/**
 * AimfCompileOptions:
 * @backend: "onednn" (also when NULL) or "reference"
 * @precision: bf16 keeps activations and the weights used in computing in bf16; master weights, statistics, losses,
 *   logits, gradients of parameters and momenta are f32
 * @outputs: (n_outputs) values the caller will read after a run
 * @loss: the value to differentiate, or AIMF_NONE for a plan that only goes forward
 * @loss_gradient: an input of the loss's shape, the gradient to begin with; AIMF_NONE for 1, the loss then being a
 * scalar
 * @trainable: (n_trainable) parameters that get a gradient; nothing is computed below the lowest of them
 * @sgd: (nullable) make the optimizer's step part of the plan
 * @winograd: 3x3 convolutions may go by Winograd's F(2x2, 3x3) in f32: 2.25 times fewer multiplications, rounding
 *   errors a few times as large. For networks without the kinks of ReLU; gradients may always do so
 */
typedef struct {
    const char *backend;
    AimfPrecision precision;
    const AimfValue *outputs;
    guint n_outputs;
    AimfValue loss;
    AimfValue loss_gradient;
    const AimfValue *trainable;
    guint n_trainable;
    const AimfSgd *sgd;
    gboolean winograd;
} AimfCompileOptions;

typedef struct AimfPlan AimfPlan;

/**
 * aimf_graph_compile:
 * Returns: (owned) a plan, independent of the graph afterwards (value ids stay valid for it), or NULL with INVALID
 * (the first mistake made in building), UNSUPPORTED (an operation or precision the backend or processor lacks; names
 * it) or MEMORY.
 */
AimfPlan *aimf_graph_compile(const AimfGraph *graph, const AimfCompileOptions *options, GError **error);
void aimf_plan_free(AimfPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPlan, aimf_plan_free)

/**
 * aimf_plan_load: parameters and states by name from @tensors; momenta become zero. @tensors is not needed afterwards.
 * Returns: FALSE with NOT_FOUND (a tensor is missing), INVALID (wrong shape), MEMORY or FAILED (a tensor could not be
 * brought into the layout it is used in), or what reading gives; the plan must then be loaded again before it runs.
 */
gboolean aimf_plan_load(AimfPlan *plan, const AimfTensors *tensors, GError **error);
/** aimf_plan_store: writes trainable parameters and states into entries of the same name, f32 and in memory. */
gboolean aimf_plan_store(const AimfPlan *plan, AimfTensors *tensors, GError **error);

/**
 * aimf_plan_data: (borrowed) f32 memory of the host for an input or an output in row-major order; NULL if it is
 * neither.
 */
float *aimf_plan_data(AimfPlan *plan, AimfValue value);

/**
 * aimf_plan_run: one pass. All memory for tensors is there already; a backend's library may still allocate its own.
 * Returns: FALSE with MEMORY or FAILED when that library could not compute; the message names the step. Outputs and
 * gradients are undefined then and states may have changed, but parameters and momenta are as before, and the plan may
 * be run again.
 */
gboolean aimf_plan_run(AimfPlan *plan, GError **error);
void aimf_plan_set_learning_rate(AimfPlan *plan, double learning_rate);

/**
 * aimf_plan_gradients, aimf_plan_momenta: (borrowed) one contiguous f32 block of the host's memory over all trainable
 * parameters in the graph's order, @n elements; momenta is NULL without an optimizer. aimf_plan_gradient: where one
 * parameter's lies, NULL if frozen.
 */
float *aimf_plan_gradients(AimfPlan *plan, gsize *n);
float *aimf_plan_momenta(AimfPlan *plan, gsize *n);
float *aimf_plan_gradient(AimfPlan *plan, AimfValue parameter);

/**
 * AimfPlanSummary:
 * @flops: floating-point operations of a run (a multiply-add is two), convolutions and matrix products
 * @flops_forward: the forward part of them
 * @n_steps: kernels a run calls; @n_reorders: those of them that only change a layout
 * @arena_bytes: memory for activations, gradients and scratch; @resident_bytes: parameters, packed weights, momenta,
 * inputs
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
 * aimf_plan_profile: one run without the optimizer, timed step by step; a line per operation, slowest first.
 * Returns: (owned) the text, or NULL with what aimf_plan_run gives.
 */
char *aimf_plan_profile(AimfPlan *plan, GError **error);

/**
 * aimf_backend_version: (owned) a backend's name, version and instruction set, for instance "oneDNN 2.6.3, AVX-512
 * BF16".
 */
char *aimf_backend_version(const char *backend);

/**
 * aimf_set_threads: threads for computing; 0: OMP_NUM_THREADS, or if that is not set one per processor. Call before
 * compiling.
 */
void aimf_set_threads(int threads);

G_END_DECLS
