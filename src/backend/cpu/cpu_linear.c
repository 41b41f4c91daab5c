/*
 * Linear layers in f32 as products of ours. oneDNN's GEMM divides a product by the number of threads, which changes
 * the order of its sums, and allocates memory while it runs; these do neither. Activations are row-major, tokens (N,
 * T, features) so many more rows; the weight is packed.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_gemm.h"

#include <omp.h>

/* --- Packing the weight (O, I): for y = x W' its transpose is the second factor, for dx = dy W it is itself --- */

typedef struct {
    AimfKernel base;
    CpuMatrix weight; /* (depth, columns) */
    gint64 depth, columns;
    float *panels;
} PackKernel;

static void pack_bind(AimfKernel *base, void *const *addresses)
{
    PackKernel *kernel = (PackKernel *)base;
    kernel->weight.data = addresses[0];
    kernel->panels = addresses[1];
}

static gboolean pack_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PackKernel *kernel = (PackKernel *)base;
    cpu_gemm_pack(&kernel->weight, kernel->depth, kernel->columns, kernel->panels);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static AimfKernel *pack_new(gint64 depth, gint64 columns, CpuMatrix weight)
{
    PackKernel *kernel = g_new0(PackKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:panels", pack_bind, pack_run, kernel_free };
    kernel->weight = weight;
    kernel->depth = depth;
    kernel->columns = columns;
    return &kernel->base;
}

static AimfKernel *plan_transposed(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    return pack_new(shape->dim[1], shape->dim[0], (CpuMatrix){ .row = 1, .column = shape->dim[1] });
}

static AimfKernel *plan_straight(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    return pack_new(shape->dim[0], shape->dim[1], (CpuMatrix){ .row = shape->dim[1], .column = 1 });
}

static const CpuPacking TRANSPOSED = { .name = "transposed panels", .plan = plan_transposed };
static const CpuPacking STRAIGHT = { .name = "panels", .plan = plan_straight };

/* --- Multiplying --- */

typedef struct {
    AimfKernel base;
    CpuGemm gemm;
    CpuMatrix a;
    int n_inputs;
    const float *panels, *bias, *x; /* @x: of the gradient of the weight, which packs both factors at every run */
    float *c, *scratch;
} LinearKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    LinearKernel *kernel = (LinearKernel *)base;
    kernel->a.data = addresses[0];
    kernel->panels = addresses[1];
    kernel->bias = kernel->n_inputs > 2 ? addresses[2] : NULL;
    kernel->c = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LinearKernel *kernel = (LinearKernel *)base;
    cpu_gemm_run(&kernel->gemm, &(CpuGemmOperands){ .a = kernel->a,
                                                    .panels = kernel->panels,
                                                    .column_bias = kernel->bias,
                                                    .c = kernel->c,
                                                    .c_row = kernel->gemm.columns,
                                                    .scratch = kernel->scratch });
    return TRUE;
}

static void weight_bind(AimfKernel *base, void *const *addresses)
{
    LinearKernel *kernel = (LinearKernel *)base;
    kernel->x = addresses[0];
    kernel->a.data = addresses[1];
    kernel->c = addresses[2];
    kernel->scratch = addresses[3];
}

static gboolean weight_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const LinearKernel *kernel = (LinearKernel *)base;
    cpu_gemm_run_long(&kernel->gemm, kernel->a.data, kernel->x, kernel->c, kernel->scratch);
    return TRUE;
}

/* --- Planning --- */

/* A value's last dimension, and all the others as one. */
static gint64 columns_of(const AimfShape *shape)
{
    return shape->dim[shape->rank - 1];
}

static gint64 rows_of(const AimfShape *shape)
{
    return aimf_shape_count(shape) / columns_of(shape);
}

static LinearKernel *kernel_new(AimfNodePlan *plan, gint64 rows, gint64 columns, gint64 depth)
{
    LinearKernel *kernel = g_new0(LinearKernel, 1);
    kernel->base = (AimfKernel){ cpu_product_kernels()->name, bind, run, kernel_free };
    kernel->gemm = cpu_gemm(rows, columns, depth, omp_get_max_threads());
    kernel->a = (CpuMatrix){ .row = depth, .column = 1 };
    kernel->n_inputs = plan->node->n_inputs;
    plan->scratch_bytes = cpu_gemm_scratch_bytes(&kernel->gemm);
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    return kernel;
}

AimfKernel *cpu_plan_linear(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *x = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1);
    LinearKernel *kernel = kernel_new(plan, rows_of(x), weight->dim[0], weight->dim[1]);
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->in[1] =
        cpu_layout_packed(state, &TRANSPOSED, AIMF_F32, cpu_gemm_panels_bytes(weight->dim[1], weight->dim[0]));
    return &kernel->base;
}

AimfKernel *cpu_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *dy = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1);
    LinearKernel *kernel = kernel_new(plan, rows_of(dy), weight->dim[1], weight->dim[0]);
    plan->in[1] = cpu_layout_packed(state, &STRAIGHT, AIMF_F32, cpu_gemm_panels_bytes(weight->dim[0], weight->dim[1]));
    return &kernel->base;
}

AimfKernel *cpu_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1);
    LinearKernel *kernel = kernel_new(plan, columns_of(dy), columns_of(x), rows_of(x));
    cpu_want_row_major(plan, 1, AIMF_F32);
    kernel->base.bind = weight_bind;
    kernel->base.run = weight_run;
    plan->scratch_bytes = cpu_gemm_long_bytes(&kernel->gemm);
    return &kernel->base;
}
