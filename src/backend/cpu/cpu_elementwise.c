/*
 * Activations and additions: any layout will do as long as all operands share it, so the kernels walk over flat memory.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"
#include "backend/cpu/cpu_view.h"

#include <math.h>

/*
 * y[i] = f(a[i], b[i]) for the elements [begin, end); functions of one operand ignore b, most ignore the operation's
 * @numbers. y may be a or b. What is called backward takes x or y, and dy.
 */
typedef void (*Loop)(const void *a, const void *b, void *y, const float numbers[2], gint64 begin, gint64 end);

/* NaN goes through ReLU, as in PyTorch: a run that diverged shall show it. */
#define RELU(a, b) ((a) < 0 ? 0 : (a))
#define ADD(a, b) ((a) + (b))
#define ADD_RELU(a, b) ((a) + (b) < 0 ? 0 : (a) + (b))
#define RELU_BACKWARD(a, b) ((a) > 0 ? (b) : 0)
#define LEAKY_RELU(a, b) cpu_choose((a) > 0, a, first * (a))
#define LEAKY_RELU_BACKWARD(a, b) cpu_choose((a) > 0, b, first * (b))
#define SILU(a, b) cpu_silu(a)
#define GELU(a, b) cpu_gelu(a)
#define GELU_TANH(a, b) cpu_gelu_tanh(a)
#define QUICK_GELU(a, b) cpu_quick_gelu(a)
#define SIGMOID(a, b) cpu_sigmoid(a)
#define TANH(a, b) cpu_tanh(a)
#define HARD_SIGMOID(a, b) ((cpu_clip(a, first, second) + 3) * (1.0f / 6))
#define HARD_SWISH(a, b) ((a) * ((cpu_clip(a, first, second) + 3) * (1.0f / 6)))
#define LOG(a, b) logf(a)
#define ERF(a, b) cpu_erf(a)
#define CLIP(a, b) cpu_clip(a, first, second)
#define SQRT(a, b) sqrtf(a)
#define EXP(a, b) cpu_any_exp(a)
#define RECIPROCAL(a, b) (1 / (a))
#define SILU_BACKWARD(a, b) ((b)*cpu_silu_slope(a))
#define GELU_BACKWARD(a, b) ((b)*cpu_gelu_slope(a))
#define GELU_TANH_BACKWARD(a, b) ((b)*cpu_gelu_tanh_slope(a))
#define QUICK_GELU_BACKWARD(a, b) ((b)*cpu_silu_slope(1.702f * (a)))
#define SIGMOID_BACKWARD(a, b) ((b)*cpu_sigmoid_slope(a))
#define TANH_BACKWARD(a, b) ((b) * (4 * cpu_sigmoid_slope(2 * (a))))
#define HARD_SIGMOID_BACKWARD(a, b) ((b) * (1.0f / 6) * cpu_clip_slope(a, first, second))
#define HARD_SWISH_BACKWARD(a, b) ((b)*cpu_hard_swish_slope(a, first, second))
#define LOG_BACKWARD(a, b) ((b) / (a))
#define ERF_BACKWARD(a, b) ((b)*cpu_erf_slope(a))
#define CLIP_BACKWARD(a, b) ((b)*cpu_clip_slope(a, first, second))
#define SQRT_BACKWARD(a, b) ((b) / (2 * sqrtf(a)))
#define EXP_BACKWARD(a, b) ((b)*cpu_any_exp(a))
#define RECIPROCAL_BACKWARD(a, b) (-(b) / (a) / (a))

#define LOOP(name, TARGET, FUNCTION, TYPE, LOAD, STORE)                                                                \
    TARGET static void name(const void *a, const void *b, void *y, const float numbers[2], gint64 begin, gint64 end)   \
    {                                                                                                                  \
        const TYPE *as = a, *bs = b;                                                                                   \
        TYPE *ys = y;                                                                                                  \
        float first = numbers[0], second = numbers[1];                                                                 \
        (void)bs, (void)first, (void)second;                                                                           \
        _Pragma("omp simd") for (gint64 i = begin; i < end; i++) ys[i] = STORE(FUNCTION(LOAD(as[i]), LOAD(bs[i])));    \
    }

#define LOOPS(name, FUNCTION)                                                                                          \
    LOOP(name##_f32, CPU_BASELINE, FUNCTION, float, CPU_SAME, CPU_SAME)                                                \
    LOOP(name##_f32_avx2, CPU_AVX2, FUNCTION, float, CPU_SAME, CPU_SAME)                                               \
    LOOP(name##_f32_avx512, CPU_AVX512, FUNCTION, float, CPU_SAME, CPU_SAME)                                           \
    LOOP(name##_bf16, CPU_AVX512, FUNCTION, guint16, cpu_from_bf16, cpu_to_bf16)

LOOPS(relu, RELU)
LOOPS(add, ADD)
LOOPS(add_relu, ADD_RELU)
LOOPS(relu_backward, RELU_BACKWARD)
LOOPS(leaky_relu, LEAKY_RELU)
LOOPS(leaky_relu_backward, LEAKY_RELU_BACKWARD)
LOOPS(silu, SILU)
LOOPS(silu_backward, SILU_BACKWARD)
LOOPS(gelu, GELU)
LOOPS(gelu_backward, GELU_BACKWARD)
LOOPS(gelu_tanh, GELU_TANH)
LOOPS(gelu_tanh_backward, GELU_TANH_BACKWARD)
LOOPS(quick_gelu, QUICK_GELU)
LOOPS(quick_gelu_backward, QUICK_GELU_BACKWARD)
LOOPS(sigmoid, SIGMOID)
LOOPS(sigmoid_backward, SIGMOID_BACKWARD)
LOOPS(tanh, TANH)
LOOPS(tanh_backward, TANH_BACKWARD)
LOOPS(hard_sigmoid, HARD_SIGMOID)
LOOPS(hard_sigmoid_backward, HARD_SIGMOID_BACKWARD)
LOOPS(hard_swish, HARD_SWISH)
LOOPS(hard_swish_backward, HARD_SWISH_BACKWARD)
LOOPS(log, LOG)
LOOPS(log_backward, LOG_BACKWARD)
LOOPS(erf, ERF)
LOOPS(erf_backward, ERF_BACKWARD)
LOOPS(clip, CLIP)
LOOPS(clip_backward, CLIP_BACKWARD)
LOOPS(sqrt, SQRT)
LOOPS(sqrt_backward, SQRT_BACKWARD)
LOOPS(exp, EXP)
LOOPS(exp_backward, EXP_BACKWARD)
LOOPS(reciprocal, RECIPROCAL)
LOOPS(reciprocal_backward, RECIPROCAL_BACKWARD)

static const struct {
    AimfOpKind op;
    int overwrites;
    Loop loops[2][AIMF_N_ISAS];
} rows[] = {
    { AIMF_OP_RELU, 0, CPU_FORMS(relu) },
    { AIMF_OP_ADD, 0, CPU_FORMS(add) },
    { AIMF_OP_ADD_RELU, 0, CPU_FORMS(add_relu) },
    { AIMF_OP_RELU_BACKWARD, 1, CPU_FORMS(relu_backward) },
    { AIMF_OP_LEAKY_RELU, 0, CPU_FORMS(leaky_relu) },
    { AIMF_OP_LEAKY_RELU_BACKWARD, 1, CPU_FORMS(leaky_relu_backward) },
    { AIMF_OP_SILU, 0, CPU_FORMS(silu) },
    { AIMF_OP_SILU_BACKWARD, 1, CPU_FORMS(silu_backward) },
    { AIMF_OP_GELU, 0, CPU_FORMS(gelu) },
    { AIMF_OP_GELU_BACKWARD, 1, CPU_FORMS(gelu_backward) },
    { AIMF_OP_GELU_TANH, 0, CPU_FORMS(gelu_tanh) },
    { AIMF_OP_GELU_TANH_BACKWARD, 1, CPU_FORMS(gelu_tanh_backward) },
    { AIMF_OP_QUICK_GELU, 0, CPU_FORMS(quick_gelu) },
    { AIMF_OP_QUICK_GELU_BACKWARD, 1, CPU_FORMS(quick_gelu_backward) },
    { AIMF_OP_SIGMOID, 0, CPU_FORMS(sigmoid) },
    { AIMF_OP_SIGMOID_BACKWARD, 1, CPU_FORMS(sigmoid_backward) },
    { AIMF_OP_TANH, 0, CPU_FORMS(tanh) },
    { AIMF_OP_TANH_BACKWARD, 1, CPU_FORMS(tanh_backward) },
    { AIMF_OP_HARD_SIGMOID, 0, CPU_FORMS(hard_sigmoid) },
    { AIMF_OP_HARD_SIGMOID_BACKWARD, 1, CPU_FORMS(hard_sigmoid_backward) },
    { AIMF_OP_HARD_SWISH, 0, CPU_FORMS(hard_swish) },
    { AIMF_OP_HARD_SWISH_BACKWARD, 1, CPU_FORMS(hard_swish_backward) },
    { AIMF_OP_LOG, 0, CPU_FORMS(log) },
    { AIMF_OP_LOG_BACKWARD, 1, CPU_FORMS(log_backward) },
    { AIMF_OP_ERF, 0, CPU_FORMS(erf) },
    { AIMF_OP_ERF_BACKWARD, 1, CPU_FORMS(erf_backward) },
    { AIMF_OP_CLIP, 0, CPU_FORMS(clip) },
    { AIMF_OP_CLIP_BACKWARD, 1, CPU_FORMS(clip_backward) },
    { AIMF_OP_SQRT, 0, CPU_FORMS(sqrt) },
    { AIMF_OP_SQRT_BACKWARD, 1, CPU_FORMS(sqrt_backward) },
    { AIMF_OP_EXP, 0, CPU_FORMS(exp) },
    { AIMF_OP_EXP_BACKWARD, 1, CPU_FORMS(exp_backward) },
    { AIMF_OP_RECIPROCAL, 0, CPU_FORMS(reciprocal) },
    { AIMF_OP_RECIPROCAL_BACKWARD, 1, CPU_FORMS(reciprocal_backward) },
};

typedef struct {
    AimfKernel base;
    Loop loop;
    float numbers[2];
    int n_inputs;
    gint64 n;
    const void *a, *b;
    void *y;
    CpuView padded; /* n is 0 if there is no padding, or zeros in it stay zeros */
    gsize element_bytes;
} ElementwiseKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    ElementwiseKernel *kernel = (ElementwiseKernel *)base;
    kernel->a = addresses[0];
    kernel->b = addresses[kernel->n_inputs - 1];
    kernel->y = addresses[kernel->n_inputs];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    enum { CHUNK = 1 << 14 }; /* elements: small beside the cache, large beside the cost of a call */
    const ElementwiseKernel *kernel = (ElementwiseKernel *)base;
#pragma omp parallel for schedule(static)
    for (gint64 begin = 0; begin < kernel->n; begin += CHUNK)
        kernel->loop(kernel->a, kernel->b, kernel->y, kernel->numbers, begin, MIN(begin + CHUNK, kernel->n));
    cpu_clear_padding(&kernel->padded, kernel->element_bytes, kernel->y);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* An operation's bounds, or its number. In bf16 bounds are what bf16 has, so that the result tells which were met. */
static void take_numbers(const AimfNodePlan *plan, gboolean is_bf16, float numbers[2])
{
    const AimfAttributes *attributes = &plan->node->attributes;
    switch (plan->node->op) {
    case AIMF_OP_CLIP:
    case AIMF_OP_CLIP_BACKWARD:
        numbers[0] = (float)attributes->clip.low;
        numbers[1] = (float)attributes->clip.high;
        for (int i = 0; i < 2 && is_bf16; i++)
            numbers[i] = cpu_from_bf16(cpu_to_bf16(numbers[i]));
        break;
    case AIMF_OP_HARD_SIGMOID:
    case AIMF_OP_HARD_SIGMOID_BACKWARD:
    case AIMF_OP_HARD_SWISH:
    case AIMF_OP_HARD_SWISH_BACKWARD:
        numbers[0] = -3;
        numbers[1] = 3;
        break;
    default:
        numbers[0] = (float)attributes->number;
    }
}

/* Of convolutions' results padding is zeros, and must be for those that follow: they multiply it by zeros. */
static gboolean keeps_zeros(Loop loop, const float numbers[2])
{
    float zero = 0, result = 0; /* or two of bf16 */
    loop(&zero, &zero, &result, numbers, 0, 1);
    return result == 0;
}

AimfKernel *cpu_plan_elementwise(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    guint row = 0;
    while (rows[row].op != plan->node->op)
        row++;
    /*
     * All operands take the layout of the first that is not row-major: there it came from, or goes to, a convolution.
     */
    int leader = 0, n_inputs = plan->node->n_inputs;
    while (leader < n_inputs - 1 && !plan->in[leader].detail)
        leader++;
    if (!plan->in[leader].detail)
        leader = 0;
    cpu_want_activation(state, plan, leader);

    gboolean is_bf16 = plan->in[leader].dtype == AIMF_BF16;
    const AimfShape *shape = cpu_output_shape(plan, 0);
    ElementwiseKernel *kernel = g_new0(ElementwiseKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->loop = rows[row].loops[is_bf16][aimf_instruction_set()];
    take_numbers(plan, is_bf16, kernel->numbers);
    kernel->n_inputs = n_inputs;
    kernel->element_bytes = aimf_dtype_bytes(plan->in[leader].dtype);
    /* Padding goes through as well. */
    kernel->n = (gint64)(plan->in[leader].bytes / kernel->element_bytes);
    if (kernel->n > aimf_shape_count(shape) && !keeps_zeros(kernel->loop, kernel->numbers)) {
        cpu_want_viewable(plan, leader);
        kernel->padded = cpu_view(&plan->in[leader], shape);
        kernel->n = (gint64)(plan->in[leader].bytes / kernel->element_bytes);
    }
    for (int i = 0; i < n_inputs; i++)
        plan->in[i] = plan->in[leader];
    plan->out[0] = plan->in[leader];
    plan->overwrites[0] = rows[row].overwrites;
    return &kernel->base;
}
