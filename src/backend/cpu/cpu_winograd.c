/*
 * 3x3 convolutions and their gradients by Winograd's F(2x2, 3x3), which multiplies 2.25 times less than the
 * definition; in f32.
 *
 * In training only the gradients: the forward pass stays direct, because its rounding decides on which side of zero a
 * ReLU's input falls, and with that how far all gradients are from those of exact arithmetic. Errors in a gradient
 * are only ever added up. Forward it is for plans that ask for it (AimfCompileOptions).
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_winograd_tiles.h"

#include <omp.h>

enum {
    TILES = 64, /* about as many are worked on at once, so that what one product needs stays in the second cache */
    MOST_TILES = TILES + CPU_MOST_PRODUCT_ROWS,
    BLOCK = 64,  /* channels of x and of dy whose part of dweight is one piece of work */
    PIECES = 16, /* at least, where tiles suffice; whatever the number of threads: it decides the order of sums */
    LINE = 16,   /* floats in a cache line */
};

typedef struct {
    AimfKernel base;
    const WinogradKernels *kernels;
    WinogradTiling tiling;
    gint64 tiles;             /* worked on at once: whole register tiles of a product */
    gint64 inputs, outputs;   /* channels of x and of y */
    WinogradPlanes weight;    /* packed; for y and dx */
    gint64 slices;            /* of the tiles, summed apart; for dweight */
    int n_inputs;             /* of the node */
    int n_threads;            /* for which there is scratch memory */
    gsize shared, per_thread; /* floats of it */
    float *in[3];             /* dy and weight, or x and dy, or x, weight and bias */
    float *out, *scratch;
} WinogradKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    WinogradKernel *kernel = (WinogradKernel *)base;
    kernel->in[0] = addresses[0];
    kernel->in[1] = addresses[1];
    kernel->in[2] = kernel->n_inputs == 3 ? addresses[2] : NULL;
    kernel->out = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
    kernel->weight.data = kernel->in[1];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/*
 * One line more in each plane: a transform writes to all 16, and distances of 4096 bytes would meet in one set of the
 * first cache.
 */
static WinogradPlanes planes_at(float *data, gint64 rows, gint64 columns)
{
    return (WinogradPlanes){ data, columns, rows * columns + LINE };
}

static gsize planes_size(gint64 rows, gint64 columns)
{
    return (gsize)(WINOGRAD_POSITIONS * (rows * columns + LINE));
}

static float *thread_scratch(const WinogradKernel *kernel)
{
    return kernel->scratch + kernel->shared + (gsize)omp_get_thread_num() * kernel->per_thread;
}

/* --- Convolutions: y from x and the weights, dx from dy and the weights, turned --- */

/* From @depth channels of in[0] to @width channels of out. */
static void convolve_tiles(const WinogradKernel *kernel, gint64 depth, gint64 width, gint64 first, gint64 n)
{
    WinogradTile tiles[MOST_TILES];
    float *memory = thread_scratch(kernel);
    WinogradPlanes patches = planes_at(memory, kernel->tiles, depth);
    WinogradPlanes sums = planes_at(memory + planes_size(kernel->tiles, depth), kernel->tiles, width);
    cpu_winograd_locate(&kernel->tiling, first, n, tiles);
    WinogradActivation from = { depth, 0, depth }, to = { width, 0, width };
    const gint64 tile = kernel->kernels->product->rows, panel = kernel->kernels->product->panel;
    kernel->kernels->patches(&kernel->tiling, tiles, n, &from, kernel->in[0], &patches);
    for (int p = 0; p < WINOGRAD_POSITIONS; p++) {
        CpuProduct product = {
            .rows = n,
            .columns = width,
            .depth = depth,
            .a = patches.data + p * patches.plane,
            .a_tile = tile * patches.row,
            .a_row = patches.row,
            .a_step = 1,
            .b = kernel->weight.data + p * kernel->weight.plane,
            .b_step = panel,
            .b_panel = depth * panel,
            .c = sums.data + p * sums.plane,
            .c_row = sums.row,
        };
        kernel->kernels->product->multiply(&product);
    }
    kernel->kernels->outputs(&kernel->tiling, tiles, n, &sums, &to, kernel->in[2], kernel->out);
}

static void convolve(const WinogradKernel *kernel, gint64 depth, gint64 width)
{
    gint64 n_tiles = kernel->tiling.tiles;
#pragma omp parallel for schedule(static) num_threads(kernel->n_threads)
    for (gint64 first = 0; first < n_tiles; first += kernel->tiles)
        convolve_tiles(kernel, depth, width, first, MIN(kernel->tiles, n_tiles - first));
}

static gboolean forward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const WinogradKernel *kernel = (WinogradKernel *)base;
    convolve(kernel, kernel->inputs, kernel->outputs);
    return TRUE;
}

static gboolean data_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const WinogradKernel *kernel = (WinogradKernel *)base;
    convolve(kernel, kernel->outputs, kernel->inputs);
    return TRUE;
}

/* --- dweight: at each position, the transposed dy times x --- */

/* A piece of dweight: a block of each kind of channel, over one slice of the tiles. */
typedef struct {
    gint64 slice, output, input; /* the first channels */
    float *sums;                 /* (16, BLOCK, BLOCK) */
} Piece;

static gint64 n_pieces(const WinogradKernel *kernel)
{
    return kernel->slices * (kernel->outputs / BLOCK) * (kernel->inputs / BLOCK);
}

/* Where the piece of these channels is in the scratch memory. */
static float *piece_sums(const WinogradKernel *kernel, gint64 slice, gint64 output, gint64 input)
{
    gint64 index = (slice * (kernel->outputs / BLOCK) + output / BLOCK) * (kernel->inputs / BLOCK) + input / BLOCK;
    return kernel->scratch + index * WINOGRAD_POSITIONS * BLOCK * BLOCK;
}

static Piece find_piece(const WinogradKernel *kernel, gint64 index)
{
    gint64 across = kernel->inputs / BLOCK, down = kernel->outputs / BLOCK;
    Piece piece = { index / (across * down), index / across % down * BLOCK, index % across * BLOCK, NULL };
    piece.sums = piece_sums(kernel, piece.slice, piece.output, piece.input);
    return piece;
}

static void add_tiles(const WinogradKernel *kernel, const Piece *piece, gint64 first, gint64 n, gboolean accumulate)
{
    WinogradTile tiles[MOST_TILES];
    float *memory = thread_scratch(kernel);
    WinogradPlanes patches = planes_at(memory, kernel->tiles, BLOCK);
    WinogradPlanes gradients = planes_at(memory + planes_size(kernel->tiles, BLOCK), kernel->tiles, BLOCK);
    cpu_winograd_locate(&kernel->tiling, first, n, tiles);
    WinogradActivation x = { kernel->inputs, piece->input, BLOCK };
    WinogradActivation dy = { kernel->outputs, piece->output, BLOCK };
    kernel->kernels->patches(&kernel->tiling, tiles, n, &x, kernel->in[0], &patches);
    kernel->kernels->gradients(&kernel->tiling, tiles, n, &dy, kernel->in[1], &gradients);
    for (int p = 0; p < WINOGRAD_POSITIONS; p++) {
        CpuProduct product = {
            .rows = BLOCK,
            .columns = BLOCK,
            .depth = n,
            .a = gradients.data + p * gradients.plane,
            .a_tile = kernel->kernels->product->rows,
            .a_row = 1,
            .a_step = gradients.row,
            .b = patches.data + p * patches.plane,
            .b_step = patches.row,
            .b_panel = kernel->kernels->product->panel,
            .c = piece->sums + p * BLOCK * BLOCK,
            .c_row = BLOCK,
            .accumulate = accumulate,
        };
        kernel->kernels->product->multiply(&product);
    }
}

static void sum_piece(const WinogradKernel *kernel, gint64 index)
{
    Piece piece = find_piece(kernel, index);
    gint64 begin = kernel->tiling.tiles * piece.slice / kernel->slices;
    gint64 end = kernel->tiling.tiles * (piece.slice + 1) / kernel->slices;
    for (gint64 first = begin; first < end; first += kernel->tiles)
        add_tiles(kernel, &piece, first, MIN(kernel->tiles, end - first), first > begin);
}

/* Adds up the slices of output channel @o, in their order, and transforms the sums. */
static void finish(const WinogradKernel *kernel, gint64 o)
{
    const int lanes = kernel->kernels->lanes;
    for (gint64 i = 0; i < kernel->inputs; i += lanes) {
        float sums[WINOGRAD_POSITIONS * WINOGRAD_MOST_LANES] = { 0 };
        for (gint64 slice = 0; slice < kernel->slices; slice++) {
            const float *part = piece_sums(kernel, slice, o, i) + o % BLOCK * BLOCK + i % BLOCK;
            for (int p = 0; p < WINOGRAD_POSITIONS; p++)
                for (int lane = 0; lane < lanes; lane++)
                    sums[p * lanes + lane] += part[p * BLOCK * BLOCK + lane];
        }
        kernel->kernels->weight_gradient(sums, kernel->out + (o * kernel->inputs + i) * 9);
    }
}

static gboolean weight_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const WinogradKernel *kernel = (WinogradKernel *)base;
#pragma omp parallel num_threads(kernel->n_threads)
    {
#pragma omp for schedule(static)
        for (gint64 index = 0; index < n_pieces(kernel); index++)
            sum_piece(kernel, index);
#pragma omp for schedule(static)
        for (gint64 o = 0; o < kernel->outputs; o++)
            finish(kernel, o);
    }
    return TRUE;
}

/* --- Packing: the transformed weights --- */

typedef struct {
    AimfKernel base;
    void (*transform)(const float *weight, gint64 row, gint64 outputs, gint64 inputs, const WinogradPlanes *to);
    gint64 rows; /* of each of the 16 matrices */
    gint64 outputs, inputs;
    WinogradPlanes to;
    const float *weight;
} PackKernel;

static void pack_bind(AimfKernel *base, void *const *addresses)
{
    PackKernel *kernel = (PackKernel *)base;
    kernel->weight = addresses[0];
    kernel->to.data = addresses[1];
}

static gboolean pack_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PackKernel *kernel = (PackKernel *)base;
#pragma omp parallel for schedule(static)
    for (gint64 row = 0; row < kernel->rows; row++)
        kernel->transform(kernel->weight, row, kernel->outputs, kernel->inputs, &kernel->to);
    return TRUE;
}

static PackKernel *pack_new(const AimfShape *shape)
{
    PackKernel *kernel = g_new0(PackKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:winograd_filters", pack_bind, pack_run, kernel_free };
    kernel->outputs = shape->dim[0];
    kernel->inputs = shape->dim[1];
    kernel->to = planes_at(NULL, kernel->outputs, kernel->inputs);
    return kernel;
}

static AimfKernel *plan_filters(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    PackKernel *kernel = pack_new(shape);
    kernel->transform = cpu_winograd_kernels()->filters;
    kernel->rows = kernel->inputs;
    return &kernel->base;
}

static AimfKernel *plan_turned(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)bytes, (void)error;
    PackKernel *kernel = pack_new(shape);
    kernel->transform = cpu_winograd_kernels()->turned;
    kernel->rows = kernel->outputs;
    return &kernel->base;
}

static const CpuPacking FILTERS = { .name = "winograd filters", .plan = plan_filters };
static const CpuPacking TURNED = { .name = "turned winograd filters", .plan = plan_turned };

/* --- Planning --- */

/*
 * Measured for ResNet-18's layers against oneDNN 2.6.3 (Zen 4, 2 threads, f32), milliseconds before and after:
 *
 *   batch 32    56x56, 64 channels   28x28, 128     14x14, 256     7x7, 512
 *   dx          33.3 -> 20.6         31.9 -> 17.3   30.3 -> 17.2   31.9 -> 23.8
 *   dweight     36.1 -> 21.2         33.3 -> 21.1   36.3 -> 20.2   38.8 -> 27.4
 *   batch 128   16x16, 64            8x8, 128       4x4, 256       2x2, 512
 *   dx          9.9 -> 6.5           9.7 -> 5.6     7.7 -> 5.6     8.3 -> 7.2
 *   dweight     11.1 -> 7.0          10.2 -> 7.0    10.7 -> 6.6    (matrix products per tap are faster)
 *
 * oneDNN skips what padding multiplies, so that odd sizes, whose tiles hang over, lose at 3x3 pixels (0.7 times as
 * fast), are even at 5x5 and win at 7x7. Transforming the weights pays from some number of tiles on: at 512 channels
 * 64 tiles (7x7, batch 4) make 0.8 and 1.2 times oneDNN's speed, 128 make 0.9 and 1.6; at 256 channels 49 make 1.1
 * and 1.4 (1 thread). Forward, Stable Diffusion's layers (1 thread): 1.8 to 1.95 times oneDNN's speed from 320
 * channels at 64x64 pixels to 1920 at 32x32, 1.4 to 1.5 times at 1280 and 2560 channels and 128 tiles, 1.9 to 2.0
 * times in the autoencoder.
 */
gboolean cpu_winograd_pay(const AimfNodePlan *plan)
{
    gboolean is_dweight = plan->node->op == AIMF_OP_CONV2D_BACKWARD_WEIGHT;
    const AimfShape *weight = is_dweight ? cpu_output_shape(plan, 0) : cpu_input_shape(plan, 1);
    const AimfShape *dy = cpu_input_shape(plan, is_dweight ? 1 : 0); /* or x: as large, with this padding */
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gboolean is_forward = plan->node->op == AIMF_OP_CONV2D;
    if ((is_forward && !plan->winograd) || (!is_dweight && !cpu_lies_plain(plan, 1)))
        return FALSE;
    if (plan->precision != AIMF_PRECISION_F32 || !cpu_winograd_kernels() || weight->dim[2] != 3 ||
        weight->dim[3] != 3 || !cpu_conv_keeps_size(options) || weight->dim[0] % BLOCK || weight->dim[1] % BLOCK)
        return FALSE;
    gint64 height = dy->dim[2], width = dy->dim[3];
    WinogradTiling tiling = cpu_winograd_tiling(dy->dim[0], height, width, 0);
    gint64 direct = (3 * height - 2) * (3 * width - 2), in_picture = tiling.rows * tiling.columns;
    if (direct < WINOGRAD_POSITIONS * in_picture) /* multiplications, those by padding left out */
        return FALSE;
    gint64 connections = weight->dim[0] * weight->dim[1];
    /* Forward the batch has no say in it, because a picture's result must not depend on its neighbours. */
    return is_forward ? in_picture >= MAX(TILES / 2, connections / 65536)
                      : tiling.tiles >= MAX(TILES, connections / 2048);
}

static WinogradKernel *kernel_new(const AimfNodePlan *plan, const AimfShape *x, const AimfShape *dy,
                                  gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    WinogradKernel *kernel = g_new0(WinogradKernel, 1);
    kernel->kernels = cpu_winograd_kernels();
    kernel->base = (AimfKernel){ kernel->kernels->name, bind, run, kernel_free };
    kernel->tiling = cpu_winograd_tiling(x->dim[0], x->dim[2], x->dim[3], kernel->kernels->lanes);
    kernel->tiles = (TILES + kernel->kernels->product->rows - 1) / kernel->kernels->product->rows;
    kernel->tiles *= kernel->kernels->product->rows;
    kernel->inputs = x->dim[1];
    kernel->outputs = dy->dim[1];
    kernel->n_inputs = plan->node->n_inputs;
    kernel->n_threads = omp_get_max_threads();
    return kernel;
}

static void plan_scratch(WinogradKernel *kernel, AimfNodePlan *plan, gsize shared, gsize per_thread)
{
    kernel->shared = shared;
    kernel->per_thread = per_thread;
    plan->scratch_bytes = (shared + (gsize)kernel->n_threads * per_thread) * sizeof(float);
}

/* The weights as matrices (depth, width), and scratch for the tiles of either side. */
static void take_packed(WinogradKernel *kernel, gpointer state, AimfNodePlan *plan, const CpuPacking *packing,
                        gint64 depth, gint64 width)
{
    gsize floats = planes_size(depth, width);
    kernel->weight = planes_at(NULL, depth, width);
    plan->in[1] = cpu_layout_packed(state, packing, AIMF_F32, floats * sizeof(float));
    plan_scratch(kernel, plan, 0, planes_size(kernel->tiles, depth) + planes_size(kernel->tiles, width));
}

AimfKernel *cpu_plan_winograd_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *dy = cpu_input_shape(plan, 0), *dx = cpu_output_shape(plan, 0);
    cpu_want_blocked(state, plan, 0, cpu_winograd_kernels()->lanes);
    plan->out[0] = cpu_layout_activation(state, dx, AIMF_F32);
    WinogradKernel *kernel = kernel_new(plan, dx, dy, data_run);
    take_packed(kernel, state, plan, &TURNED, kernel->outputs, kernel->inputs);
    return &kernel->base;
}

AimfKernel *cpu_plan_winograd_forward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *x = cpu_input_shape(plan, 0), *y = cpu_output_shape(plan, 0);
    cpu_want_blocked(state, plan, 0, cpu_winograd_kernels()->lanes);
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->out[0] = cpu_layout_activation(state, y, AIMF_F32);
    WinogradKernel *kernel = kernel_new(plan, x, y, forward_run);
    take_packed(kernel, state, plan, &FILTERS, kernel->inputs, kernel->outputs);
    return &kernel->base;
}

AimfKernel *cpu_plan_winograd_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    cpu_want_blocked(state, plan, 0, cpu_winograd_kernels()->lanes);
    cpu_want_blocked(state, plan, 1, cpu_winograd_kernels()->lanes);
    cpu_give_row_major(plan, 0, AIMF_F32);
    WinogradKernel *kernel = kernel_new(plan, cpu_input_shape(plan, 0), cpu_input_shape(plan, 1), weight_run);
    gint64 blocks = kernel->inputs / BLOCK * (kernel->outputs / BLOCK);
    kernel->slices = CLAMP(kernel->tiling.tiles / (2 * TILES), 1, MAX(1, PIECES / blocks));
    plan_scratch(kernel, plan, (gsize)(n_pieces(kernel) * WINOGRAD_POSITIONS * BLOCK * BLOCK),
                 2 * planes_size(kernel->tiles, BLOCK));
    return &kernel->base;
}
