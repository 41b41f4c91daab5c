/*
 * The gradient of a convolution's weights in f32 as matrix products on blocked activations: for each tap
 *
 *   dweight (O, I) = sum over the positions of y that see the tap: dy (O) of the position times x (I) of what it sees
 *
 * so that padding costs nothing: at 2x2 pixels a 3x3 kernel meets zeros in 20 of its 36 products. The order of a sum
 * follows from the shapes alone.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_product.h"
#include "backend/cpu/cpu_view.h"

#include <omp.h>

enum {
    PIECE_ROWS = 96,     /* at most; a multiple of every tile's rows */
    PIECE_COLUMNS = 256, /* at most, so that the gathered numbers stay in the second cache */
    DEPTH = 256,         /* positions at a time, so that a panel stays in the first */
    MOST_TAPS = 49,
};

/* A position of y that sees a tap, and what it sees. */
typedef struct {
    gint32 y, x;
} Meeting;

typedef struct {
    AimfKernel base;
    const CpuProductKernels *kernels;
    CpuView x, dy;
    int n_taps, n_threads;
    Meeting *meetings[MOST_TAPS]; /* of a picture */
    gint64 n_meetings[MOST_TAPS];
    gint64 piece_rows, piece_columns, n_row_pieces, n_column_pieces;
    gsize a_floats, b_floats; /* of scratch memory for a thread */
    const float *x_data, *dy_data;
    float *dweight, *scratch; /* dweight: (taps, O, I) */
} WeightKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    WeightKernel *kernel = (WeightKernel *)base;
    kernel->x_data = addresses[0];
    kernel->dy_data = addresses[1];
    kernel->dweight = addresses[2];
    kernel->scratch = addresses[3];
}

static void kernel_free(AimfKernel *base)
{
    WeightKernel *kernel = (WeightKernel *)base;
    for (int tap = 0; tap < kernel->n_taps; tap++)
        g_free(kernel->meetings[tap]);
    g_free(kernel);
}

/* --- Running --- */

/* Where the first channels of what meets begin, of one depth of positions. */
typedef struct {
    gint64 x[DEPTH], dy[DEPTH];
} Places;

static void find_places(const WeightKernel *kernel, int tap, gint64 first, gint64 depth, Places *places)
{
    const CpuView *x = &kernel->x, *dy = &kernel->dy;
    gint64 n = kernel->n_meetings[tap], picture = first / n, at = first % n;
    for (gint64 k = 0; k < depth; k++) {
        Meeting meeting = kernel->meetings[tap][at];
        places->x[k] = (picture * x->blocks * x->positions + meeting.x) * x->block;
        places->dy[k] = (picture * dy->blocks * dy->positions + meeting.y) * dy->block;
        if (++at == n) {
            at = 0;
            picture++;
        }
    }
}

/* Copies of a constant size become a few instructions; these are the sizes that occur where tiles meet blocks. */
static inline void copy_few(float *to, const float *from, gint64 n)
{
    switch (n) {
    case 0:
        break;
    case 2:
        memcpy(to, from, 2 * sizeof *to);
        break;
    case 4:
        memcpy(to, from, 4 * sizeof *to);
        break;
    case 6:
        memcpy(to, from, 6 * sizeof *to);
        break;
    case 8:
        memcpy(to, from, 8 * sizeof *to);
        break;
    default:
        memcpy(to, from, (gsize)n * sizeof *to);
    }
}

/* @rows channels of dy from @channel on, as tiles [rows / tile][depth][tile]. */
static void gather_dy(const WeightKernel *kernel, const Places *places, gint64 depth, gint64 channel, gint64 rows,
                      float *to)
{
    const CpuView *view = &kernel->dy;
    gint64 tile = kernel->kernels->rows, block_step = view->positions * view->block;
    for (gint64 row = 0; row < rows; row += tile) {
        gint64 c = channel + row, there = MIN(tile, rows - row);
        /* A tile lies in one block, or in two. */
        gint64 in_first = MIN(there, view->block - c % view->block), in_second = there - in_first;
        const float *first = kernel->dy_data + c / view->block * block_step + c % view->block;
        const float *second = kernel->dy_data + (c / view->block + 1) * block_step;
        for (gint64 k = 0; k < depth; k++, to += tile) {
            copy_few(to, first + places->dy[k], in_first);
            if (in_second)
                copy_few(to + in_first, second + places->dy[k], in_second);
        }
    }
}

/* @columns channels of x from @channel on, as panels [columns / panel][depth][panel]. */
static void gather_x(const WeightKernel *kernel, const Places *places, gint64 depth, gint64 channel, gint64 columns,
                     float *to)
{
    const CpuView *view = &kernel->x;
    gint64 panel = kernel->kernels->panel, block_step = view->positions * view->block;
    gsize bytes = (gsize)view->block * sizeof *to;
    for (gint64 c = 0; c < columns; c += view->block) {
        const float *from = kernel->x_data + (channel + c) / view->block * block_step;
        float *column = to + c / panel * panel * depth + c % panel;
        for (gint64 k = 0; k < depth; k++)
            cpu_copy_chunk((char *)(column + k * panel), (const char *)(from + places->x[k]), bytes);
    }
}

static void sum_piece(const WeightKernel *kernel, gint64 index, float *scratch)
{
    gint64 outputs = kernel->dy.channels, inputs = kernel->x.channels;
    gint64 first_row = index / kernel->n_column_pieces % kernel->n_row_pieces * kernel->piece_rows;
    gint64 first_column = index % kernel->n_column_pieces * kernel->piece_columns;
    int tap = (int)(index / (kernel->n_column_pieces * kernel->n_row_pieces));
    gint64 rows = MIN(kernel->piece_rows, outputs - first_row);
    gint64 columns = MIN(kernel->piece_columns, inputs - first_column);
    gint64 total = kernel->x.n * kernel->n_meetings[tap];
    gint64 tile = kernel->kernels->rows, panel = kernel->kernels->panel;
    float *a = scratch, *b = scratch + kernel->a_floats;
    Places places;
    float *c = kernel->dweight + (tap * outputs + first_row) * inputs + first_column;
    for (gint64 r = 0; r < rows && !total; r++) /* a tap that only ever sees padding */
        memset(c + r * inputs, 0, (gsize)columns * sizeof *c);
    for (gint64 first = 0; first < total; first += DEPTH) {
        gint64 depth = MIN(DEPTH, total - first);
        find_places(kernel, tap, first, depth, &places);
        gather_dy(kernel, &places, depth, first_row, rows, a);
        gather_x(kernel, &places, depth, first_column, columns, b);
        kernel->kernels->multiply(&(CpuProduct){
            .rows = rows,
            .columns = columns,
            .depth = depth,
            .a = a,
            .a_tile = tile * depth,
            .a_row = 1,
            .a_step = tile,
            .b = b,
            .b_step = panel,
            .b_panel = panel * depth,
            .c = c,
            .c_row = inputs,
            .accumulate = first > 0,
        });
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const WeightKernel *kernel = (WeightKernel *)base;
    gint64 pieces = kernel->n_taps * kernel->n_row_pieces * kernel->n_column_pieces;
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_threads)
    for (gint64 index = 0; index < pieces; index++)
        sum_piece(kernel, index, kernel->scratch + (gsize)omp_get_thread_num() * (kernel->a_floats + kernel->b_floats));
    return TRUE;
}

/* --- Planning --- */

static void find_meetings(WeightKernel *kernel, const AimfNodePlan *plan)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1), *weight = cpu_output_shape(plan, 0);
    kernel->n_taps = (int)(weight->dim[2] * weight->dim[3]);
    for (int tap = 0; tap < kernel->n_taps; tap++) {
        kernel->meetings[tap] = g_new(Meeting, kernel->dy.positions);
        for (gint64 p = 0; p < kernel->dy.positions; p++) {
            gint64 row = p / dy->dim[3] * options->stride[0] - options->before[0] + tap / weight->dim[3];
            gint64 column = p % dy->dim[3] * options->stride[1] - options->before[1] + tap % weight->dim[3];
            if (row >= 0 && row < x->dim[2] && column >= 0 && column < x->dim[3])
                kernel->meetings[tap][kernel->n_meetings[tap]++] =
                    (Meeting){ (gint32)p, (gint32)(row * x->dim[3] + column) };
        }
    }
}

/*
 * Measured for ResNet-18's 3x3 layers against oneDNN 2.6.3 on AVX2 (Zen 3, 2 threads, batch 128), GFLOP/s before and
 * after, what padding multiplies counted: 2x2 pixels and 512 channels 155 -> 200; with a stride, 4x4 to 2x2 71 -> 115
 * and 8x8 to 4x4 even. Larger pictures lose to the gathering, and to Winograd's products. For AVX-512 the products are
 * oneDNN's (onednn_taps.c).
 */
gboolean cpu_direct_weight_pays(const AimfNodePlan *plan)
{
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1), *weight = cpu_output_shape(plan, 0);
    gint64 n_taps = weight->dim[2] * weight->dim[3], pixels = dy->dim[2] * dy->dim[3];
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gint64 most_pixels = cpu_conv_has_stride(options) ? 16 : 9;
    return cpu_conv_is_dense(options) && plan->precision == AIMF_PRECISION_F32 &&
           aimf_instruction_set() < AIMF_ISA_AVX512 && n_taps > 1 && n_taps <= MOST_TAPS && pixels <= most_pixels &&
           x->dim[1] % 16 == 0 && dy->dim[1] % 16 == 0 && x->dim[1] >= 64;
}

AimfKernel *cpu_plan_direct_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    WeightKernel *kernel = g_new0(WeightKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:direct_weight", bind, run, kernel_free };
    kernel->kernels = cpu_product_kernels();
    for (int i = 0; i < 2; i++)
        plan->in[i] = cpu_layout_activation(state, cpu_input_shape(plan, i), AIMF_F32);
    kernel->x = cpu_view(&plan->in[0], cpu_input_shape(plan, 0));
    kernel->dy = cpu_view(&plan->in[1], cpu_input_shape(plan, 1));
    plan->out[0] = cpu_layout_taps_first(state, cpu_output_shape(plan, 0));
    find_meetings(kernel, plan);
    gint64 tile = kernel->kernels->rows, panel = kernel->kernels->panel;
    kernel->n_row_pieces = (kernel->dy.channels + PIECE_ROWS - 1) / PIECE_ROWS;
    kernel->piece_rows = (kernel->dy.channels + kernel->n_row_pieces - 1) / kernel->n_row_pieces;
    kernel->piece_rows = (kernel->piece_rows + tile - 1) / tile * tile;
    kernel->n_row_pieces = (kernel->dy.channels + kernel->piece_rows - 1) / kernel->piece_rows;
    kernel->n_column_pieces = (kernel->x.channels + PIECE_COLUMNS - 1) / PIECE_COLUMNS;
    kernel->piece_columns = (kernel->x.channels + kernel->n_column_pieces - 1) / kernel->n_column_pieces;
    kernel->piece_columns = (kernel->piece_columns + panel - 1) / panel * panel;
    kernel->n_threads = omp_get_max_threads();
    kernel->a_floats = (gsize)(kernel->piece_rows * DEPTH);
    kernel->b_floats = (gsize)(kernel->piece_columns * DEPTH);
    plan->scratch_bytes = (gsize)kernel->n_threads * (kernel->a_floats + kernel->b_floats) * sizeof(float);
    return &kernel->base;
}
