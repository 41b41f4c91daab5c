/*
 * Activations and additions: any layout will do as long as all operands share it, so the kernels walk over flat memory.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

/*
 * y[i] = f(a[i], b[i]) for the elements [begin, end); functions of one operand ignore b, most ignore @slope. y may be a
 * or b.
 */
typedef void (*Loop)(const void *a, const void *b, void *y, float slope, gint64 begin, gint64 end);

/* NaN goes through ReLU, as in PyTorch: a run that diverged shall show it. */
#define RELU(a, b) ((a) < 0 ? 0 : (a))
#define ADD(a, b) ((a) + (b))
#define ADD_RELU(a, b) ((a) + (b) < 0 ? 0 : (a) + (b))
#define RELU_BACKWARD(a, b) ((a) > 0 ? (b) : 0)
#define LEAKY_RELU(a, b) ((a) > 0 ? (a) : slope * (a))
#define LEAKY_RELU_BACKWARD(a, b) ((a) > 0 ? (b) : slope * (b))
#define SILU(a, b) cpu_silu(a)
#define GELU(a, b) cpu_gelu(a)
#define QUICK_GELU(a, b) cpu_quick_gelu(a)

#define LOOP(name, TARGET, FUNCTION, TYPE, LOAD, STORE)                                                                \
    TARGET static void name(const void *a, const void *b, void *y, float slope, gint64 begin, gint64 end)              \
    {                                                                                                                  \
        const TYPE *as = a, *bs = b;                                                                                   \
        TYPE *ys = y;                                                                                                  \
        (void)bs, (void)slope;                                                                                         \
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
LOOPS(gelu, GELU)
LOOPS(quick_gelu, QUICK_GELU)

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
    { AIMF_OP_GELU, 0, CPU_FORMS(gelu) },
    { AIMF_OP_QUICK_GELU, 0, CPU_FORMS(quick_gelu) },
};

typedef struct {
    AimfKernel base;
    Loop loop;
    float slope;
    int n_inputs;
    gint64 n;
    const void *a, *b;
    void *y;
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
        kernel->loop(kernel->a, kernel->b, kernel->y, kernel->slope, begin, MIN(begin + CHUNK, kernel->n));
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
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
    for (int i = 0; i < n_inputs; i++)
        plan->in[i] = plan->in[leader];
    plan->out[0] = plan->in[leader];
    plan->overwrites[0] = rows[row].overwrites;

    gboolean is_bf16 = plan->in[leader].dtype == AIMF_BF16;
    ElementwiseKernel *kernel = g_new0(ElementwiseKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->loop = rows[row].loops[is_bf16][aimf_instruction_set()];
    kernel->slope = (float)plan->node->attributes.number;
    kernel->n_inputs = n_inputs;
    /* Padding goes through as well: zeros stay zeros. */
    kernel->n = (gint64)(plan->in[leader].bytes / aimf_dtype_bytes(plan->in[leader].dtype));
    return &kernel->base;
}
