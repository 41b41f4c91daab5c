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
/** aimf_graph_state: f32, loaded by name; changed by the operations themselves (running statistics), never by the optimizer. */
AimfValue aimf_graph_state(AimfGraph *graph, const char *name, AimfShape shape);

/* --- Operations. Activations are (N, C, H, W) or (N, features). --- */

typedef struct {
    int stride;  /* both directions, 0 means 1 */
    int padding; /* zeros on every side */
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
/** aimf_linear: x (N, in) * weight (out, in) transposed [+ bias (out), or AIMF_NONE] -> (N, out), f32. */
AimfValue aimf_linear(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias);
/** aimf_sigmoid_cross_entropy: mean over all elements of BCE with logits; @logits and @targets have one shape; scalar. */
AimfValue aimf_sigmoid_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets);
/** aimf_softmax_cross_entropy: mean over rows; logits (N, classes), targets (N) class numbers as f32; scalar. */
AimfValue aimf_softmax_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets);

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
 * @precision: bf16 keeps activations and the weights used in computing in bf16; master weights, statistics, losses, logits,
 *   gradients of parameters and momenta are f32
 * @outputs: (n_outputs) values the caller will read after a run
 * @loss: the value to differentiate, or AIMF_NONE for a plan that only goes forward
 * @loss_gradient: an input of the loss's shape, the gradient to begin with; AIMF_NONE for 1, the loss then being a scalar
 * @trainable: (n_trainable) parameters that get a gradient; nothing is computed below the lowest of them
 * @sgd: (nullable) make the optimizer's step part of the plan
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
} AimfCompileOptions;

typedef struct AimfPlan AimfPlan;

/**
 * aimf_graph_compile:
 * Returns: (owned) a plan, independent of the graph afterwards (value ids stay valid for it), or NULL with INVALID (the first
 * mistake made in building), UNSUPPORTED (an operation or precision the backend or processor lacks; names it) or MEMORY.
 */
AimfPlan *aimf_graph_compile(const AimfGraph *graph, const AimfCompileOptions *options, GError **error);
void aimf_plan_free(AimfPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPlan, aimf_plan_free)

/**
 * aimf_plan_load: parameters and states by name from @tensors; momenta become zero. @tensors is not needed afterwards.
 * Returns: FALSE with NOT_FOUND (a tensor is missing) or INVALID (wrong shape), or what reading gives.
 */
gboolean aimf_plan_load(AimfPlan *plan, const AimfTensors *tensors, GError **error);
/** aimf_plan_store: writes trainable parameters and states into entries of the same name, f32 and in memory. */
gboolean aimf_plan_store(const AimfPlan *plan, AimfTensors *tensors, GError **error);

/** aimf_plan_data: (borrowed) f32 memory of the host for an input or an output in row-major order; NULL if it is neither. */
float *aimf_plan_data(AimfPlan *plan, AimfValue value);

/** aimf_plan_run: one pass. All memory for tensors is there already; a backend's library may still allocate small change. */
void aimf_plan_run(AimfPlan *plan);
void aimf_plan_set_learning_rate(AimfPlan *plan, double learning_rate);

/**
 * aimf_plan_gradients, aimf_plan_momenta: (borrowed) one contiguous f32 block of the host's memory over all trainable parameters
 * in the graph's order, @n elements; momenta is NULL without an optimizer. aimf_plan_gradient: where one parameter's lies, NULL if frozen.
 */
float *aimf_plan_gradients(AimfPlan *plan, gsize *n);
float *aimf_plan_momenta(AimfPlan *plan, gsize *n);
float *aimf_plan_gradient(AimfPlan *plan, AimfValue parameter);

/**
 * AimfPlanSummary:
 * @flops: floating-point operations of a run (a multiply-add is two), convolutions and matrix products
 * @flops_forward: the forward part of them
 * @n_steps: kernels a run calls; @n_reorders: those of them that only change a layout
 * @arena_bytes: memory for activations, gradients and scratch; @resident_bytes: parameters, packed weights, momenta, inputs
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
/** aimf_plan_describe: (owned) the plan as text: a line per step with shapes, layouts, implementation, offset and FLOPs. */
char *aimf_plan_describe(const AimfPlan *plan);
/** aimf_plan_profile: (owned) one run, timed step by step; a line per operation, slowest first. */
char *aimf_plan_profile(AimfPlan *plan);

/** aimf_backend_version: (owned) a backend's name, version and instruction set, for instance "oneDNN 2.6.3, AVX-512 BF16". */
char *aimf_backend_version(const char *backend);

/** aimf_set_threads: threads for computing, 0 for one per processor; call before compiling. */
void aimf_set_threads(int threads);

G_END_DECLS
