/* Losses: f32 in and out, computed in double in one order. Batches are small here, so one thread does it. */
#include "backend/cpu/cpu.h"

#include <math.h>

typedef struct {
    AimfKernel base;
    gint64 rows, classes; /* sigmoid: one class per element */
    int n_inputs;
    double smoothing;
    const float *logits, *targets, *dloss;
    float *out;
} LossKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    LossKernel *kernel = (LossKernel *)base;
    kernel->logits = addresses[0];
    kernel->targets = addresses[1];
    kernel->dloss = kernel->n_inputs > 2 ? addresses[2] : NULL;
    kernel->out = addresses[kernel->n_inputs];
}

static double scale(const LossKernel *kernel)
{
    return (kernel->dloss ? (double)*kernel->dloss : 1.0) / (double)kernel->rows;
}

/* A sigmoid's target; without smoothing what it was. */
static double smoothed(const LossKernel *kernel, float target)
{
    return (double)target * (1 - kernel->smoothing) + kernel->smoothing / 2;
}

/* max(z, 0) - z t + log(1 + exp(-|z|)): the form that neither overflows nor cancels. */
static gboolean sigmoid_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LossKernel *kernel = (LossKernel *)base;
    double sum = 0;
    for (gint64 i = 0; i < kernel->rows; i++) {
        double z = (double)kernel->logits[i], t = smoothed(kernel, kernel->targets[i]);
        sum += (z > 0 ? z : 0) - z * t + log1p(exp(-fabs(z)));
    }
    *kernel->out = (float)(sum / (double)kernel->rows);
    return TRUE;
}

static gboolean sigmoid_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LossKernel *kernel = (LossKernel *)base;
    double factor = scale(kernel);
    for (gint64 i = 0; i < kernel->rows; i++) {
        double z = (double)kernel->logits[i], small = exp(-fabs(z));
        double sigmoid = z >= 0 ? 1 / (1 + small) : small / (1 + small);
        kernel->out[i] = (float)((sigmoid - smoothed(kernel, kernel->targets[i])) * factor);
    }
    return TRUE;
}

static double row_max(const float *z, gint64 n)
{
    float max = z[0]; /* not double: gcc 12 for ARM fails at the largest of numbers that it converts */
    for (gint64 i = 1; i < n; i++)
        max = fmaxf(max, z[i]);
    return (double)max;
}

static double row_exp_sum(const float *z, gint64 n, double max)
{
    double sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += exp((double)z[i] - max);
    return sum;
}

/* A target that is no class makes the loss, and every gradient of its row, not a number. */
static gboolean is_class(float target, gint64 classes)
{
    return target >= 0 && target < (float)classes;
}

/* The target's logit, or with smoothing that and the mean of all. */
static double weighed(const LossKernel *kernel, const float *z, float target)
{
    double hit = is_class(target, kernel->classes) ? (double)z[(gint64)target] : (double)NAN, sum = 0;
    if (kernel->smoothing == 0)
        return hit;
    for (gint64 k = 0; k < kernel->classes; k++)
        sum += (double)z[k];
    return (1 - kernel->smoothing) * hit + kernel->smoothing * sum / (double)kernel->classes;
}

static gboolean softmax_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LossKernel *kernel = (LossKernel *)base;
    double sum = 0;
    for (gint64 r = 0; r < kernel->rows; r++) {
        const float *z = kernel->logits + r * kernel->classes;
        double max = row_max(z, kernel->classes);
        sum += max + log(row_exp_sum(z, kernel->classes, max)) - weighed(kernel, z, kernel->targets[r]);
    }
    *kernel->out = (float)(sum / (double)kernel->rows);
    return TRUE;
}

static gboolean softmax_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LossKernel *kernel = (LossKernel *)base;
    double factor = scale(kernel), hit = 1 - kernel->smoothing, rest = kernel->smoothing / (double)kernel->classes;
    for (gint64 r = 0; r < kernel->rows; r++) {
        const float *z = kernel->logits + r * kernel->classes;
        float *out = kernel->out + r * kernel->classes, target = kernel->targets[r];
        double max = row_max(z, kernel->classes), total = row_exp_sum(z, kernel->classes, max);
        gint64 chosen = is_class(target, kernel->classes) ? (gint64)target : -1;
        for (gint64 k = 0; k < kernel->classes; k++) {
            double probability = chosen < 0 ? (double)NAN : exp((double)z[k] - max) / total;
            out[k] = (float)((probability - (k == chosen ? hit : 0) - rest) * factor);
        }
    }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static AimfKernel *kernel_new(AimfNodePlan *plan, gboolean softmax,
                              gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    const AimfShape *shape = cpu_input_shape(plan, 0);
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    LossKernel *kernel = g_new0(LossKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:loss", bind, run, kernel_free };
    kernel->classes = softmax ? shape->dim[1] : 1;
    kernel->rows = aimf_shape_count(shape) / kernel->classes;
    kernel->n_inputs = plan->node->n_inputs;
    kernel->smoothing = plan->node->attributes.number;
    return &kernel->base;
}

AimfKernel *cpu_plan_loss(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    gboolean softmax = plan->node->op == AIMF_OP_SOFTMAX_CROSS_ENTROPY;
    return kernel_new(plan, softmax, softmax ? softmax_run : sigmoid_run);
}

AimfKernel *cpu_plan_loss_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    gboolean softmax = plan->node->op == AIMF_OP_SOFTMAX_CROSS_ENTROPY_BACKWARD;
    return kernel_new(plan, softmax, softmax ? softmax_backward_run : sigmoid_backward_run);
}
