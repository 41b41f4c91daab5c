/*
 * Products of many pairs of matrices, all of one size, in f32: a plan in bf16 hands them over as f32, which holds their
 * products exactly.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_gemm.h"

#include <omp.h>

typedef struct {
    AimfKernel base;
    CpuGemm gemm;
    gint64 matrices;
    int n_threads;
    CpuMatrix a, b; /* the first of each */
    float *y, *panels, *scratch;
} MatmulKernel;

/* All second factors have their own, on cache lines. */
static gint64 panels_floats(const CpuGemm *gemm)
{
    return (gint64)(cpu_gemm_panels_bytes(gemm->depth, gemm->columns) / sizeof(float) + 15) / 16 * 16;
}

static void bind(AimfKernel *base, void *const *addresses)
{
    MatmulKernel *kernel = (MatmulKernel *)base;
    kernel->a.data = addresses[0];
    kernel->b.data = addresses[1];
    kernel->y = addresses[2];
    kernel->panels = addresses[3];
    kernel->scratch = kernel->panels + kernel->matrices * panels_floats(&kernel->gemm);
}

static void pack(const MatmulKernel *kernel, gint64 matrix, gint64 panel)
{
    const CpuGemm *gemm = &kernel->gemm;
    CpuMatrix b = kernel->b;
    b.data += matrix * gemm->depth * gemm->columns;
    cpu_gemm_pack_panel(&b, gemm->depth, gemm->columns, panel, kernel->panels + matrix * panels_floats(gemm));
}

static void multiply(const MatmulKernel *kernel, gint64 matrix, gint64 piece)
{
    const CpuGemm *gemm = &kernel->gemm;
    CpuMatrix a = kernel->a;
    a.data += matrix * gemm->rows * gemm->depth;
    cpu_gemm_run_piece(gemm,
                       &(CpuGemmOperands){ .a = a,
                                           .panels = kernel->panels + matrix * panels_floats(gemm),
                                           .c = kernel->y + matrix * gemm->rows * gemm->columns,
                                           .c_row = gemm->columns,
                                           .scratch = kernel->scratch },
                       piece);
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const MatmulKernel *kernel = (MatmulKernel *)base;
    gint64 panels = cpu_gemm_panels(kernel->gemm.columns), pieces = cpu_gemm_pieces(&kernel->gemm);
#pragma omp parallel num_threads(kernel->n_threads)
    {
#pragma omp for schedule(static)
        for (gint64 i = 0; i < kernel->matrices * panels; i++)
            pack(kernel, i / panels, i % panels);
#pragma omp for schedule(dynamic)
        for (gint64 i = 0; i < kernel->matrices * pieces; i++)
            multiply(kernel, i / pieces, i % pieces);
    }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* A matrix with rows of @length, or its transpose. */
static CpuMatrix matrix(gint64 length, gboolean transpose)
{
    return (CpuMatrix){ .row = transpose ? 1 : length, .column = transpose ? length : 1 };
}

AimfKernel *cpu_plan_matmul(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    const AimfMatmul *options = &plan->node->attributes.matmul;
    const AimfShape *a = cpu_input_shape(plan, 0), *b = cpu_input_shape(plan, 1), *y = cpu_output_shape(plan, 0);
    int last = y->rank - 1, n_threads = omp_get_max_threads();
    gint64 rows = y->dim[last - 1], columns = y->dim[last];
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);

    MatmulKernel *kernel = g_new0(MatmulKernel, 1);
    kernel->base = (AimfKernel){ cpu_product_kernels()->name, bind, run, kernel_free };
    kernel->matrices = aimf_shape_count(y) / (rows * columns);
    kernel->n_threads = n_threads;
    gint64 depth = a->dim[options->transpose_a ? last - 1 : last];
    kernel->gemm = cpu_gemm(rows, columns, depth, (int)((n_threads + kernel->matrices - 1) / kernel->matrices));
    kernel->a = matrix(a->dim[last], options->transpose_a);
    kernel->b = matrix(b->dim[last], options->transpose_b);
    plan->scratch_bytes = (gsize)(kernel->matrices * panels_floats(&kernel->gemm)) * sizeof(float);
    plan->scratch_bytes += (gsize)n_threads * cpu_gemm_thread_bytes(&kernel->gemm);
    return &kernel->base;
}
