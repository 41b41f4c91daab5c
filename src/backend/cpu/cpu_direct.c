/*
 * Convolutions in f32 as matrix products on blocked activations, forward and for the gradient of the input: a row of
 * the product is a position of the result, its depth all channels of one tap after the other. Positions that see the
 * same taps stand together, so that where pictures are small, or a stride leaves most taps out, nothing is multiplied
 * by padding. What a position's sum is does not depend on its place: finite weights times the zeros that a neighbour's
 * tap adds change no bit.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_product.h"

#include <omp.h>
#include <string.h>

enum {
    PIECE_ROWS = 96,     /* at most; a multiple of every tile's rows */
    LEAST_ROWS = 32,     /* before positions of another kind begin a piece of their own */
    PIECE_COLUMNS = 512, /* at most, so that the sums of a piece stay in the second cache */
    DEPTH = 256,         /* channels at a time, so that a panel of the weight stays in the first cache */
    BLOCK = 8,           /* channels of activations that lie together */
    MOST_TAPS = 49,
};

typedef struct {
    gint32 picture, position;
} Row;

typedef struct {
    gint64 first, count; /* rows */
} Piece;

typedef struct {
    AimfKernel base;
    const CpuProductKernels *kernels;
    gint64 inputs, outputs;         /* channels of what is read, and of the result */
    gint64 in_positions, positions; /* of a picture of each */
    int n_taps, n_threads, n_inputs;
    gint32 *source; /* (taps, positions) where in a picture that is read; -1: nowhere */
    Row *rows;      /* (pictures * positions) */
    GArray *pieces; /* Piece */
    gint64 piece_columns, n_column_pieces;
    gsize sums, gathered; /* floats of scratch memory for a thread */
    const float *x, *weight, *bias;
    float *y, *scratch;
} DirectKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    DirectKernel *kernel = (DirectKernel *)base;
    kernel->x = addresses[0];
    kernel->weight = addresses[1];
    kernel->bias = kernel->n_inputs > 2 ? addresses[2] : NULL;
    kernel->y = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
}

static void kernel_free(AimfKernel *base)
{
    DirectKernel *kernel = (DirectKernel *)base;
    g_free(kernel->source);
    g_free(kernel->rows);
    g_array_unref(kernel->pieces);
    g_free(kernel);
}

/* --- Running --- */

/* Copies of a constant size become two instructions. */
static inline void copy_block(float *to, const float *from)
{
    memcpy(to, from, BLOCK * sizeof *to);
}

/* Channels [first, first + depth) of what the rows see through @tap, (rows, depth). FALSE: nothing. */
static gboolean gather(const DirectKernel *kernel, const Piece *piece, int tap, gint64 first, gint64 depth, float *to)
{
    const gint32 *source = kernel->source + tap * kernel->positions;
    gint64 blocks = kernel->inputs / BLOCK;
    gboolean any = FALSE;
    for (gint64 r = 0; r < piece->count && !any; r++)
        any = source[kernel->rows[piece->first + r].position] >= 0;
    for (gint64 r = 0; r < piece->count && any; r++, to += depth) {
        Row row = kernel->rows[piece->first + r];
        if (source[row.position] < 0) {
            memset(to, 0, (gsize)depth * sizeof *to);
            continue;
        }
        const float *from =
            kernel->x + ((row.picture * blocks + first / BLOCK) * kernel->in_positions + source[row.position]) * BLOCK;
        for (gint64 c = 0; c < depth; c += BLOCK, from += kernel->in_positions * BLOCK)
            copy_block(to + c, from);
    }
    return any;
}

/* What the sums (rows, columns) begin with. */
static void begin_sums(const DirectKernel *kernel, gint64 rows, gint64 first_column, gint64 columns, float *sums)
{
    for (gint64 r = 0; r < rows; r++, sums += columns)
        if (kernel->bias)
            memcpy(sums, kernel->bias + first_column, (gsize)columns * sizeof *sums);
        else
            memset(sums, 0, (gsize)columns * sizeof *sums);
}

static void store(const DirectKernel *kernel, const Piece *piece, gint64 first_column, gint64 columns,
                  const float *sums)
{
    gint64 blocks = kernel->outputs / BLOCK;
    for (gint64 r = 0; r < piece->count; r++, sums += columns) {
        Row row = kernel->rows[piece->first + r];
        float *to =
            kernel->y + ((row.picture * blocks + first_column / BLOCK) * kernel->positions + row.position) * BLOCK;
        for (gint64 c = 0; c < columns; c += BLOCK, to += kernel->positions * BLOCK)
            copy_block(to, sums + c);
    }
}

static void convolve_piece(const DirectKernel *kernel, gint64 index, float *scratch)
{
    const Piece *piece = &g_array_index(kernel->pieces, Piece, index / kernel->n_column_pieces);
    gint64 first_column = index % kernel->n_column_pieces * kernel->piece_columns;
    gint64 columns = MIN(kernel->piece_columns, kernel->outputs - first_column);
    gint64 tile = kernel->kernels->rows, panel = kernel->kernels->panel;
    float *sums = scratch, *gathered = scratch + kernel->sums;
    begin_sums(kernel, piece->count, first_column, columns, sums);
    for (int tap = 0; tap < kernel->n_taps; tap++)
        for (gint64 first = 0; first < kernel->inputs; first += DEPTH) {
            gint64 depth = MIN(DEPTH, kernel->inputs - first);
            if (!gather(kernel, piece, tap, first, depth, gathered))
                break;
            kernel->kernels->multiply(&(CpuProduct){
                .rows = piece->count,
                .columns = columns,
                .depth = depth,
                .a = gathered,
                .a_tile = tile * depth,
                .a_row = depth,
                .a_step = 1,
                .b = kernel->weight + first_column * kernel->n_taps * kernel->inputs +
                     (tap * kernel->inputs + first) * panel,
                .b_step = panel,
                .b_panel = kernel->n_taps * kernel->inputs * panel,
                .c = sums,
                .c_row = columns,
                .accumulate = TRUE,
            });
        }
    store(kernel, piece, first_column, columns, sums);
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const DirectKernel *kernel = (DirectKernel *)base;
    gint64 n = kernel->pieces->len * kernel->n_column_pieces;
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_threads)
    for (gint64 index = 0; index < n; index++)
        convolve_piece(kernel, index,
                       kernel->scratch + (gsize)omp_get_thread_num() * (kernel->sums + kernel->gathered));
    return TRUE;
}

/* --- Packing the weight (O, I, taps) into panels [columns / panel][tap][depth][panel] --- */

typedef struct {
    AimfKernel base;
    gint64 depth, columns, n_taps;
    gint64 depth_step, column_step; /* how far apart in the weight */
    const float *weight;
    float *panels;
} PackKernel;

static void pack_bind(AimfKernel *base, void *const *addresses)
{
    PackKernel *kernel = (PackKernel *)base;
    kernel->weight = addresses[0];
    kernel->panels = addresses[1];
}

static inline void pack_row(const float *from, gint64 step, gint64 panel, float *to)
{
    for (gint64 c = 0; c < panel; c++)
        to[c] = from[c * step];
}

static gboolean pack_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PackKernel *kernel = (PackKernel *)base;
    gint64 panel = cpu_product_kernels()->panel, n_taps = kernel->n_taps;
#pragma omp parallel for schedule(static)
    for (gint64 column = 0; column < kernel->columns; column += panel) {
        float *to = kernel->panels + column * kernel->depth * n_taps;
        for (gint64 d = 0; d < kernel->depth; d++)
            for (gint64 tap = 0; tap < n_taps; tap++)
                pack_row(kernel->weight + d * kernel->depth_step + column * kernel->column_step + tap,
                         kernel->column_step, panel, to + (tap * kernel->depth + d) * panel);
    }
    return TRUE;
}

static void pack_free(AimfKernel *base)
{
    g_free(base);
}

static PackKernel *pack_new(const AimfShape *shape)
{
    PackKernel *kernel = g_new0(PackKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:panels_of_taps", pack_bind, pack_run, pack_free };
    kernel->n_taps = shape->dim[2] * shape->dim[3];
    return kernel;
}

static AimfKernel *plan_forward_pack(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    PackKernel *kernel = pack_new(shape);
    kernel->depth = shape->dim[1];
    kernel->columns = shape->dim[0];
    kernel->depth_step = kernel->n_taps;
    kernel->column_step = shape->dim[1] * kernel->n_taps;
    return &kernel->base;
}

static AimfKernel *plan_data_pack(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    PackKernel *kernel = pack_new(shape);
    kernel->depth = shape->dim[0];
    kernel->columns = shape->dim[1];
    kernel->depth_step = shape->dim[1] * kernel->n_taps;
    kernel->column_step = kernel->n_taps;
    return &kernel->base;
}

static const CpuPacking FORWARD = { .name = "panels of taps", .plan = plan_forward_pack };
static const CpuPacking DATA = { .name = "transposed panels of taps", .plan = plan_data_pack };

/* --- Planning --- */

/* Where in direction @i position @at of the result meets @tap in what is read, of @size; -1: nowhere. */
static gint64 meet(const AimfNodePlan *plan, int i, gint64 at, gint64 tap, gint64 size)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gint64 stride = options->stride[i], found = at * stride - options->before[i] + tap;
    if (plan->node->op == AIMF_OP_CONV2D_BACKWARD_DATA) {
        found = at + options->before[i] - tap;
        if (found < 0 || found % stride)
            return -1;
        found /= stride;
    }
    return found >= 0 && found < size ? found : -1;
}

static void find_sources(DirectKernel *kernel, const AimfNodePlan *plan, const AimfShape *x, const AimfShape *weight,
                         const AimfShape *y)
{
    kernel->source = g_new(gint32, kernel->n_taps * kernel->positions);
    for (gint64 tap = 0; tap < kernel->n_taps; tap++)
        for (gint64 p = 0; p < kernel->positions; p++) {
            gint64 row = meet(plan, 0, p / y->dim[3], tap / weight->dim[3], x->dim[2]);
            gint64 column = meet(plan, 1, p % y->dim[3], tap % weight->dim[3], x->dim[3]);
            kernel->source[tap * kernel->positions + p] =
                (gint32)(row < 0 || column < 0 ? -1 : row * x->dim[3] + column);
        }
}

/* Which taps a position sees, as bits. */
static guint64 seen(const DirectKernel *kernel, gint64 position)
{
    guint64 bits = 0;
    for (int tap = 0; tap < kernel->n_taps; tap++)
        bits |= kernel->source[tap * kernel->positions + position] >= 0 ? G_GUINT64_CONSTANT(1) << tap : 0;
    return bits;
}

/* All rows of one kind, picture after picture, and then those of the next; and their pieces. */
static void order_rows(DirectKernel *kernel, gint64 n)
{
    g_assert(kernel->positions > 0);
    g_autofree guint64 *kinds = g_new(guint64, kernel->positions);
    g_autofree gboolean *taken = g_new0(gboolean, kernel->positions);
    for (gint64 p = 0; p < kernel->positions; p++)
        kinds[p] = seen(kernel, p);
    kernel->rows = g_new(Row, n * kernel->positions);
    kernel->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    gint64 n_rows = 0;
    Piece piece = { 0, 0 };
    for (gint64 leader = 0; leader < kernel->positions; leader++) {
        if (taken[leader])
            continue;
        for (gint64 i = 0; i < n; i++)
            for (gint64 p = leader; p < kernel->positions; p++)
                if (kinds[p] == kinds[leader]) {
                    kernel->rows[n_rows++] = (Row){ (gint32)i, (gint32)p };
                    taken[p] = TRUE;
                }
        while (n_rows - piece.first >= LEAST_ROWS) {
            gint64 left = n_rows - piece.first, pieces = (left + PIECE_ROWS - 1) / PIECE_ROWS;
            gint64 tile = kernel->kernels->rows, even = ((left + pieces - 1) / pieces + tile - 1) / tile * tile;
            piece.count = MIN(left, even);
            g_array_append_val(kernel->pieces, piece);
            piece = (Piece){ piece.first + piece.count, 0 };
        }
    }
    piece.count = n_rows - piece.first;
    if (piece.count)
        g_array_append_val(kernel->pieces, piece);
}

/*
 * Measured for ResNet-18's 3x3 layers against oneDNN 2.6.3 on AVX2 (Zen 3, 2 threads), GFLOP/s before and after; what
 * padding multiplies is counted, so that leaving it out shows as speed:
 *
 *               batch 32   28x28, 128   14x14, 256   7x7, 512    batch 128   8x8, 128   4x4, 256   2x2, 512
 *   y                      132 -> 124   122 -> 165   101 -> 148              109 -> 164 104 -> 168 75 -> 224
 *   y, stride 2            110 -> 120   108 -> 138   97 -> 146               108 -> 147 94 -> 131  71 -> 146
 *   dx, stride 2           115 -> 101   116 -> 128   110 -> 154              118 -> 101 98 -> 132  73 -> 135
 *
 * With 64 channels, 1x1 kernels and AVX-512 oneDNN is as fast or faster.
 */
gboolean cpu_direct_pays(const AimfNodePlan *plan)
{
    const AimfShape *x = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1), *y = cpu_output_shape(plan, 0);
    gint64 n_taps = weight->dim[2] * weight->dim[3];
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    if (plan->precision != AIMF_PRECISION_F32 || aimf_instruction_set() != AIMF_ISA_AVX2 ||
        !cpu_conv_is_dense(options) || x->dim[1] % BLOCK || y->dim[1] % CPU_MOST_PANEL || n_taps < 2 ||
        n_taps > MOST_TAPS || !cpu_lies_plain(plan, 1))
        return FALSE;
    gboolean is_forward = plan->node->op == AIMF_OP_CONV2D;
    if (cpu_conv_has_stride(options))
        return is_forward ? x->dim[1] >= 64 : x->dim[1] >= 256 && y->dim[1] >= 128;
    gint64 narrower = MIN(x->dim[1], y->dim[1]);
    return narrower >= 256 || (narrower >= 128 && y->dim[2] * y->dim[3] <= 400);
}

AimfKernel *cpu_plan_direct(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *x = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1), *y = cpu_output_shape(plan, 0);
    gboolean is_forward = plan->node->op == AIMF_OP_CONV2D;
    DirectKernel *kernel = g_new0(DirectKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:direct_avx2", bind, run, kernel_free };
    kernel->kernels = cpu_product_kernels();
    kernel->inputs = x->dim[1];
    kernel->outputs = y->dim[1];
    kernel->in_positions = x->dim[2] * x->dim[3];
    kernel->positions = y->dim[2] * y->dim[3];
    kernel->n_taps = (int)(weight->dim[2] * weight->dim[3]);
    kernel->n_threads = omp_get_max_threads();
    kernel->n_inputs = plan->node->n_inputs;
    find_sources(kernel, plan, x, weight, y);
    order_rows(kernel, y->dim[0]);
    gint64 panel = kernel->kernels->panel, panels = kernel->outputs / panel;
    gint64 wanted = (kernel->outputs + PIECE_COLUMNS - 1) / PIECE_COLUMNS;
    wanted = MAX(wanted, (2 * kernel->n_threads + (gint64)kernel->pieces->len - 1) / (gint64)kernel->pieces->len);
    kernel->piece_columns = (panels + MIN(wanted, panels) - 1) / MIN(wanted, panels) * panel;
    kernel->n_column_pieces = (kernel->outputs + kernel->piece_columns - 1) / kernel->piece_columns;
    kernel->sums = (gsize)(PIECE_ROWS * kernel->piece_columns);
    kernel->gathered = (gsize)(PIECE_ROWS * MIN(DEPTH, kernel->inputs));
    plan->scratch_bytes = (gsize)kernel->n_threads * (kernel->sums + kernel->gathered) * sizeof(float);

    cpu_want_blocked(state, plan, 0, BLOCK);
    plan->in[1] = cpu_layout_packed(state, is_forward ? &FORWARD : &DATA, AIMF_F32,
                                    (gsize)aimf_shape_count(weight) * sizeof(float));
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->out[0] = cpu_layout_activation(state, y, AIMF_F32);
    return &kernel->base;
}
