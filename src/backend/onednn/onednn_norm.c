#include "backend/onednn/onednn.h"

/* Operands as graph.h lists them. */
enum { X, WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VARIANCE };
enum { BACKWARD_X, BACKWARD_DY, BACKWARD_WEIGHT, BACKWARD_MEAN, BACKWARD_VARIANCE, BACKWARD_WORKSPACE };

/* Features (N, C) are so many pictures of one pixel. */
static AimfShape as_pictures(const AimfShape *shape)
{
    return shape->rank == 2 ? AIMF_SHAPE(shape->dim[0], shape->dim[1], 1, 1) : *shape;
}

/*
 * Operand @i as it lies; as features do where it is those. Channels-last values whose channels do not fill vectors are
 * put in blocks where oneDNN 2.6 has a kernel for these, because it has none but plain loops for the others, five times
 * slower than both together.
 */
static void want_pictures(gpointer state, AimfNodePlan *plan, int i)
{
    enum { LANES = 16 };
    const AimfShape *shape = cpu_input_shape(plan, i);
    if (shape->rank == 2) {
        cpu_want_row_major(plan, i, cpu_compute_dtype(plan));
        return;
    }
    cpu_want_activation(state, plan, i);
    gint64 channels = shape->dim[1];
    if (aimf_instruction_set() >= AIMF_ISA_AVX512 && channels % LANES && channels > 1 &&
        cpu_layout_channel_block(&plan->in[i], shape) == channels)
        plan->in[i] = cpu_layout_blocked(state, shape, LANES, plan->in[i].dtype);
}

typedef struct {
    AimfKernel base;
    OnednnPrimitive *primitive;
    int n; /* inputs and outputs */
    int arguments[AIMF_MAX_INPUTS + AIMF_MAX_OUTPUTS];
    gboolean training;
    gint64 channels;
    float momentum;
    float unbias; /* from the biased variance to the unbiased one */
    float *running_mean, *running_variance;
    const float *mean, *variance;
} BatchNormKernel;

static void batch_norm_bind(AimfKernel *base, void *const *addresses)
{
    BatchNormKernel *kernel = (BatchNormKernel *)base;
    for (int i = 0; i < kernel->n; i++)
        onednn_primitive_bind(kernel->primitive, kernel->arguments[i], addresses[i]);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SCRATCHPAD, addresses[kernel->n]);
    if (!kernel->training)
        return;
    kernel->running_mean = addresses[RUNNING_MEAN];
    kernel->running_variance = addresses[RUNNING_VARIANCE];
    kernel->mean = addresses[RUNNING_VARIANCE + 2];
    kernel->variance = addresses[RUNNING_VARIANCE + 3];
}

static gboolean batch_norm_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    BatchNormKernel *kernel = (BatchNormKernel *)base;
    if (!onednn_primitive_run(kernel->primitive, error))
        return FALSE;
    if (!kernel->training)
        return TRUE;
    float fresh = kernel->momentum, old = 1 - fresh;
    for (gint64 c = 0; c < kernel->channels; c++) {
        kernel->running_mean[c] = old * kernel->running_mean[c] + fresh * kernel->mean[c];
        kernel->running_variance[c] =
            old * kernel->running_variance[c] + fresh * (kernel->variance[c] * kernel->unbias);
    }
    return TRUE;
}

static void batch_norm_free(AimfKernel *base)
{
    onednn_primitive_free(((BatchNormKernel *)base)->primitive);
    g_free(base);
}

AimfKernel *onednn_plan_batch_norm(gpointer state, AimfNodePlan *plan, GError **error)
{
    static const int training_arguments[] = { DNNL_ARG_SRC,  DNNL_ARG_SCALE,    DNNL_ARG_SHIFT,    0, 0, DNNL_ARG_DST,
                                              DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_WORKSPACE };
    static const int evaluation_arguments[] = { DNNL_ARG_SRC,  DNNL_ARG_SCALE,    DNNL_ARG_SHIFT,
                                                DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_DST };
    const AimfBatchNorm *options = &plan->node->attributes.batch_norm;
    AimfShape shape = as_pictures(cpu_input_shape(plan, X));
    want_pictures(state, plan, X);
    OnednnPrimitive *primitive =
        onednn_batch_norm(state, &(OnednnOperand){ &shape, plan->in[X].dtype, &plan->in[X] }, options, error);
    if (!primitive)
        return NULL;
    for (int i = WEIGHT; i <= RUNNING_VARIANCE; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    plan->out[0] = plan->in[X];
    plan->overwrites[0] = X;
    cpu_give_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 2, AIMF_F32);
    if (cpu_output_shape(plan, 3))
        plan->out[3] = onednn_primitive_layout(primitive, DNNL_ARG_WORKSPACE);
    plan->scratch_bytes = onednn_primitive_scratch_bytes(primitive);

    BatchNormKernel *kernel = g_new0(BatchNormKernel, 1);
    kernel->base = (AimfKernel){ onednn_primitive_name(primitive), batch_norm_bind, batch_norm_run, batch_norm_free };
    kernel->primitive = primitive;
    kernel->n = plan->node->n_inputs + plan->node->n_outputs;
    for (int i = 0; i < kernel->n; i++)
        kernel->arguments[i] = (options->training ? training_arguments : evaluation_arguments)[i];
    kernel->training = options->training;
    kernel->channels = shape.dim[1];
    kernel->momentum = (float)options->momentum;
    double count = (double)(shape.dim[0] * shape.dim[2] * shape.dim[3]);
    kernel->unbias = (float)(count / MAX(count - 1, 1));
    return &kernel->base;
}

/* Gradients that oneDNN computes together with those that are wanted go to scratch memory. */
typedef struct {
    AimfKernel base;
    OnednnPrimitive *primitive;
    int n_inputs, n_outputs;
    gsize unwanted_offset[3];
} BatchNormBackwardKernel;

static void backward_bind(AimfKernel *base, void *const *addresses)
{
    static const int inputs[] = { DNNL_ARG_SRC,  DNNL_ARG_DIFF_DST, DNNL_ARG_SCALE,
                                  DNNL_ARG_MEAN, DNNL_ARG_VARIANCE, DNNL_ARG_WORKSPACE };
    static const int outputs[] = { DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_SCALE, DNNL_ARG_DIFF_SHIFT };
    BatchNormBackwardKernel *kernel = (BatchNormBackwardKernel *)base;
    char *scratch = addresses[kernel->n_inputs + kernel->n_outputs];
    for (int i = 0; i < kernel->n_inputs; i++)
        onednn_primitive_bind(kernel->primitive, inputs[i], addresses[i]);
    for (int i = 0; i < 3; i++) {
        void *given = i < kernel->n_outputs ? addresses[kernel->n_inputs + i] : NULL;
        onednn_primitive_bind(kernel->primitive, outputs[i], given ? given : scratch + kernel->unwanted_offset[i]);
    }
    /* oneDNN 2.6 insists on a shift, on which no gradient depends: readable memory of its size will do; 3 has none. */
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SHIFT, addresses[BACKWARD_WEIGHT]);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SCRATCHPAD, scratch);
}

static gboolean backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    return onednn_primitive_run(((BatchNormBackwardKernel *)base)->primitive, error);
}

static void backward_free(AimfKernel *base)
{
    onednn_primitive_free(((BatchNormBackwardKernel *)base)->primitive);
    g_free(base);
}

/* Room in the scratch memory behind what is there, on a cache line. */
static gsize reserve(AimfNodePlan *plan, gsize bytes)
{
    gsize offset = (plan->scratch_bytes + 63) / 64 * 64;
    plan->scratch_bytes = offset + bytes;
    return offset;
}

AimfKernel *onednn_plan_batch_norm_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfShape shape = as_pictures(cpu_input_shape(plan, BACKWARD_X));
    const AimfLayout *workspace = cpu_input_shape(plan, BACKWARD_WORKSPACE) ? &plan->in[BACKWARD_WORKSPACE] : NULL;
    want_pictures(state, plan, BACKWARD_X);
    OnednnOperand x = { &shape, plan->in[BACKWARD_X].dtype, &plan->in[BACKWARD_X] };
    OnednnPrimitive *primitive =
        onednn_batch_norm_backward(state, &x, &plan->node->attributes.batch_norm, workspace, error);
    if (!primitive)
        return NULL;
    plan->in[BACKWARD_DY] = plan->in[BACKWARD_X];
    for (int i = BACKWARD_WEIGHT; i <= BACKWARD_VARIANCE; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    if (cpu_output_shape(plan, 0))
        plan->out[0] = plan->in[BACKWARD_X];
    plan->overwrites[0] = BACKWARD_DY;
    cpu_give_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 2, AIMF_F32);

    BatchNormBackwardKernel *kernel = g_new0(BatchNormBackwardKernel, 1);
    kernel->base = (AimfKernel){ onednn_primitive_name(primitive), backward_bind, backward_run, backward_free };
    kernel->primitive = primitive;
    kernel->n_inputs = plan->node->n_inputs;
    kernel->n_outputs = plan->node->n_outputs;
    plan->scratch_bytes = onednn_primitive_scratch_bytes(primitive);
    for (int i = 0; i < 3; i++)
        if (!cpu_output_shape(plan, i))
            kernel->unwanted_offset[i] =
                reserve(plan, i == 0 ? plan->in[BACKWARD_X].bytes : (gsize)shape.dim[1] * sizeof(float));
    return &kernel->base;
}
