/*
 * Operations that put elements elsewhere and change none: each is a few boxes of elements that are copied, every one
 * by nested loops with strides of their own on either side. Values lie row-major or in blocks of channels, as
 * activations do; nothing else is asked of them, and no padding is copied.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_bf16.h"
#include "backend/cpu/cpu_view.h"

#include <string.h>

enum { MOST_LOOPS = AIMF_MAX_RANK + 2 };
enum { VALUE = -1 }; /* instead of an operand: the number that pads */

/* Strides are in elements. */
typedef struct {
    gint64 size, from, to;
} Loop;

/*
 * Loops are in the order of their strides in the output. The last two are done tile by tile: pieces of rows that are
 * contiguous on both sides, or where they are not, squares that stay in the cache while they are turned.
 */
typedef struct {
    int in, out;
    gint64 from, to; /* where it begins, in elements */
    int n_loops;     /* at least 2 */
    Loop loops[MOST_LOOPS];
    gint64 tile[2];
    gint64 n_tiles;
} Box;

typedef struct {
    AimfKernel base;
    gsize element_bytes;
    float value;
    guint16 value_bf16;
    GArray *boxes; /* Box */
    gint64 n_tiles;
    int n_operands, n_inputs;
    char *operands[AIMF_MAX_INPUTS + AIMF_MAX_OUTPUTS];
} MoveKernel;

/* --- Running --- */

typedef float Four __attribute__((vector_size(4 * sizeof(float))));

/* to[i][j] = from[j][i] of 4 x 4 numbers, whose rows are @from_stride and @to_stride apart. */
static inline void turn_four(const float *from, gint64 from_stride, float *to, gint64 to_stride)
{
    Four rows[4], columns[4];
    for (int i = 0; i < 4; i++)
        memcpy(&rows[i], from + i * from_stride, sizeof(Four));
    Four a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    Four b = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    Four c = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    Four d = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    columns[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    columns[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    columns[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    columns[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
    for (int i = 0; i < 4; i++)
        memcpy(to + i * to_stride, &columns[i], sizeof(Four));
}

enum { SQUARE = 8 }; /* that many rows stay in the cache while they are filled */

static inline void turn_square_f32(const float *from, gint64 from_stride, float *to, gint64 to_stride)
{
    for (int i = 0; i < SQUARE; i += 4)
        for (int j = 0; j < SQUARE; j += 4)
            turn_four(from + j * from_stride + i, from_stride, to + i * to_stride + j, to_stride);
}

static inline void turn_square_bf16(const guint16 *from, gint64 from_stride, guint16 *to, gint64 to_stride)
{
    for (int i = 0; i < SQUARE; i++)
        for (int j = 0; j < SQUARE; j++)
            to[i * to_stride + j] = from[j * from_stride + i];
}

/* to[i][j] = from[i][j], square by square where the one lies by rows and the other by columns. */
#define TURN(name, TYPE)                                                                                               \
    static void turn_##name(const Loop *rows, const Loop *columns, const void *from, void *to, gint64 n_rows,          \
                            gint64 n_columns)                                                                          \
    {                                                                                                                  \
        const TYPE *x = from;                                                                                          \
        TYPE *y = to;                                                                                                  \
        gboolean squares = rows->from == 1 && columns->to == 1, fills = columns->from == 0 && columns->to == 1;        \
        for (gint64 i = 0, next; i < n_rows; i = next) {                                                               \
            gint64 j = 0;                                                                                              \
            next = squares && i + SQUARE <= n_rows ? i + SQUARE : i + 1;                                               \
            for (; next > i + 1 && j + SQUARE <= n_columns; j += SQUARE)                                               \
                turn_square_##name(x + j * columns->from + i, columns->from, y + i * rows->to + j, rows->to);          \
            for (gint64 row = i; row < next; row++)                                                                    \
                if (fills)                                                                                             \
                    for (gint64 k = 0; k < n_columns; k++)                                                             \
                        y[row * rows->to + k] = x[row * rows->from];                                                   \
                else                                                                                                   \
                    for (gint64 k = j; k < n_columns; k++)                                                             \
                        y[row * rows->to + k * columns->to] = x[row * rows->from + k * columns->from];                 \
        }                                                                                                              \
    }

TURN(f32, float)
TURN(bf16, guint16)

static void move_tile(const MoveKernel *kernel, const Box *box, gint64 tile)
{
    const Loop *rows = &box->loops[box->n_loops - 2], *columns = rows + 1;
    gint64 across = (columns->size + box->tile[1] - 1) / box->tile[1];
    gint64 down = (rows->size + box->tile[0] - 1) / box->tile[0];
    gint64 column = tile % across * box->tile[1], row = tile / across % down * box->tile[0];
    gint64 from = box->from + row * rows->from + column * columns->from;
    gint64 to = box->to + row * rows->to + column * columns->to;
    gint64 rest = tile / across / down;
    for (int i = box->n_loops - 3; i >= 0; i--) {
        from += rest % box->loops[i].size * box->loops[i].from;
        to += rest % box->loops[i].size * box->loops[i].to;
        rest /= box->loops[i].size;
    }
    gint64 n_rows = MIN(box->tile[0], rows->size - row), n_columns = MIN(box->tile[1], columns->size - column);
    gsize bytes = kernel->element_bytes;
    const char *source = bytes == sizeof(float) ? (const char *)&kernel->value : (const char *)&kernel->value_bf16;
    const char *x = box->in == VALUE ? source : kernel->operands[box->in] + from * (gint64)bytes;
    char *y = kernel->operands[box->out] + to * (gint64)bytes;
    if (columns->from == 1 && columns->to == 1)
        for (gint64 i = 0; i < n_rows; i++)
            cpu_copy_chunk(y + i * rows->to * (gint64)bytes, x + i * rows->from * (gint64)bytes,
                           (gsize)n_columns * bytes);
    else if (bytes == sizeof(float))
        turn_f32(rows, columns, x, y, n_rows, n_columns);
    else
        turn_bf16(rows, columns, x, y, n_rows, n_columns);
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const MoveKernel *kernel = (MoveKernel *)base;
    if (kernel->operands[0] == kernel->operands[kernel->n_inputs]) /* a new shape in the same memory */
        return TRUE;
    const Box *boxes = (const Box *)(const void *)kernel->boxes->data;
#pragma omp parallel for schedule(static)
    for (gint64 tile = 0; tile < kernel->n_tiles; tile++) {
        gint64 within = tile;
        const Box *box = boxes;
        for (; within >= box->n_tiles; box++)
            within -= box->n_tiles;
        move_tile(kernel, box, within);
    }
    return TRUE;
}

/* --- Boxes --- */

/* Where the elements of a value lie: strides of its dimensions, of which that of channels counts @block at once. */
typedef struct {
    gint64 block;
    gint64 stride[AIMF_MAX_RANK];
} Place;

static Place place_of(const AimfShape *shape, gint64 block)
{
    Place place = { .block = block };
    gint64 stride = block;
    for (int i = shape->rank - 1; i >= 0; i--) {
        place.stride[i] = stride;
        stride *= i == 1 ? shape->dim[i] / block : shape->dim[i];
    }
    return place;
}

/* The offset of an index; that of a channel begins a block. */
static gint64 offset_of(const Place *place, const AimfShape *shape, const gint64 *index)
{
    gint64 offset = 0;
    for (int i = 0; i < shape->rank; i++)
        offset += (i == 1 ? index[i] / place->block : index[i]) * place->stride[i];
    return offset;
}

static void add_loop(Box *box, gint64 size, gint64 from, gint64 to)
{
    int at = box->n_loops;
    if (size == 1)
        return;
    box->n_loops++;
    for (; at > 0 && box->loops[at - 1].to < to; at--)
        box->loops[at] = box->loops[at - 1];
    box->loops[at] = (Loop){ size, from, to };
}

/* Two loops that are one on both sides become one. */
static void merge_loops(Box *box)
{
    int n = 0;
    for (int i = 0; i < box->n_loops; i++) {
        const Loop *inner = &box->loops[i];
        Loop *outer = n ? &box->loops[n - 1] : NULL;
        if (outer && outer->from == inner->from * inner->size && outer->to == inner->to * inner->size)
            *outer = (Loop){ outer->size * inner->size, inner->from, inner->to };
        else
            box->loops[n++] = *inner;
    }
    box->n_loops = n;
}

static void choose_tiles(Box *box, gsize element_bytes)
{
    enum { PIECE_BYTES = 1 << 15, SIDE = 64 };
    while (box->n_loops < 2) {
        memmove(box->loops + 1, box->loops, (gsize)box->n_loops * sizeof(Loop));
        box->loops[0] = (Loop){ .size = 1, .from = 1, .to = 1 };
        box->n_loops++;
    }
    Loop *rows = &box->loops[box->n_loops - 2], *columns = rows + 1;
    gint64 piece = PIECE_BYTES / (gint64)element_bytes;
    if (columns->from == 1 || box->in == VALUE) {
        box->tile[1] = MIN(columns->size, piece);
        box->tile[0] = CLAMP(piece / box->tile[1], 1, rows->size);
    } else { /* rows are what is contiguous in the input */
        Loop *nearest = rows;
        for (Loop *loop = box->loops; loop < rows; loop++)
            if (loop->from < nearest->from)
                nearest = loop;
        Loop kept = *nearest;
        memmove(nearest, nearest + 1, (gsize)(rows - nearest) * sizeof(Loop));
        *rows = kept;
        box->tile[0] = box->tile[1] = SIDE;
    }
    box->n_tiles = 1;
    for (int i = 0; i < box->n_loops - 2; i++)
        box->n_tiles *= box->loops[i].size;
    box->n_tiles *=
        (rows->size + box->tile[0] - 1) / box->tile[0] * ((columns->size + box->tile[1] - 1) / box->tile[1]);
}

/* @size: of the box in the output's dimensions; @order: which of the input's each is; NULL: the same. */
static void add_box(MoveKernel *kernel, Box box, const Place *from, const Place *to, const int *order,
                    const AimfShape *size)
{
    for (int i = 0; i < size->rank; i++) {
        int source = order ? order[i] : i;
        gint64 from_block = source == 1 ? from->block : 1, to_block = i == 1 ? to->block : 1;
        gint64 block = MAX(from_block, to_block);
        add_loop(&box, size->dim[i] / block, from->stride[source] * (block / from_block),
                 to->stride[i] * (block / to_block));
        if (block > 1)
            add_loop(&box, block, from_block > 1 ? 1 : from->stride[source], to_block > 1 ? 1 : to->stride[i]);
    }
    merge_loops(&box);
    choose_tiles(&box, kernel->element_bytes);
    kernel->n_tiles += box.n_tiles;
    g_array_append_val(kernel->boxes, box);
}

/* --- Kernels --- */

static void bind(AimfKernel *base, void *const *addresses)
{
    MoveKernel *kernel = (MoveKernel *)base;
    for (int i = 0; i < kernel->n_operands; i++)
        kernel->operands[i] = addresses[i];
}

static void kernel_free(AimfKernel *base)
{
    g_array_unref(((MoveKernel *)base)->boxes);
    g_free(base);
}

static MoveKernel *kernel_new(const AimfNodePlan *plan)
{
    MoveKernel *kernel = g_new0(MoveKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:copy", bind, run, kernel_free };
    kernel->element_bytes = aimf_dtype_bytes(plan->in[0].dtype);
    kernel->boxes = g_array_new(FALSE, FALSE, sizeof(Box));
    kernel->n_inputs = plan->node->n_inputs;
    kernel->n_operands = plan->node->n_inputs + plan->node->n_outputs;
    return kernel;
}

/* All of operand @part becomes, or comes from, the box of operand @whole that begins at @begin. */
static void add_part(MoveKernel *kernel, int part, const AimfShape *part_shape, int whole, const AimfShape *whole_shape,
                     const gint64 *begin, gint64 block)
{
    Place inner = place_of(part_shape, block), outer = place_of(whole_shape, block);
    gint64 offset = offset_of(&outer, whole_shape, begin);
    if (part < whole)
        add_box(kernel, (Box){ .in = part, .out = whole, .to = offset }, &inner, &outer, NULL, part_shape);
    else
        add_box(kernel, (Box){ .in = whole, .out = part, .from = offset }, &outer, &inner, NULL, part_shape);
}

/* --- Layouts --- */

/* How many channels lie together where activations of @shape lie in blocks; 1 where they do not. */
static gint64 activation_block(gpointer state, const AimfShape *shape)
{
    AimfLayout layout = cpu_layout_activation(state, shape, AIMF_F32);
    return layout.detail ? cpu_layout_channel_block(&layout, shape) : 1;
}

static gboolean lies_in_blocks(gpointer state, const AimfNodePlan *plan, int i)
{
    const AimfShape *shape = cpu_input_shape(plan, i);
    return plan->in[i].detail && cpu_layout_channel_block(&plan->in[i], shape) == activation_block(state, shape) &&
           activation_block(state, shape) > 1;
}

static AimfLayout layout_in(gpointer state, const AimfShape *shape, AimfDtype dtype, gint64 block)
{
    return block > 1 ? cpu_layout_activation(state, shape, dtype) : aimf_layout_row_major(shape, dtype);
}

/*
 * All operands in blocks if @blocked and if all can, row-major otherwise; returns the block. The elements' type stays,
 * but for inputs of several.
 */
static gint64 choose_layouts(gpointer state, AimfNodePlan *plan, gboolean blocked)
{
    int n_inputs = plan->node->n_inputs, n_outputs = plan->node->n_outputs;
    gint64 block = blocked ? activation_block(state, cpu_input_shape(plan, 0)) : 1;
    AimfDtype dtype = plan->in[0].dtype;
    for (int i = 0; i < n_inputs; i++) {
        block = MIN(block, activation_block(state, cpu_input_shape(plan, i)));
        if (plan->in[i].dtype != dtype)
            dtype = cpu_compute_dtype(plan);
    }
    for (int i = 0; i < n_outputs; i++)
        block = MIN(block, activation_block(state, cpu_output_shape(plan, i)));
    for (int i = 0; i < n_inputs; i++)
        plan->in[i] = layout_in(state, cpu_input_shape(plan, i), dtype, block);
    for (int i = 0; i < n_outputs; i++)
        plan->out[i] = layout_in(state, cpu_output_shape(plan, i), dtype, block);
    return block;
}

/* --- Planners --- */

/* Pictures joined by channels come from convolutions and go to one, even where they lie row-major now. */
AimfKernel *cpu_plan_concat(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    int axis = plan->node->attributes.axis, n = plan->node->n_inputs;
    gboolean blocked = axis == 1;
    for (int i = 0; i < n; i++)
        blocked |= lies_in_blocks(state, plan, i);
    gint64 block = choose_layouts(state, plan, blocked), begin[AIMF_MAX_RANK] = { 0 };
    MoveKernel *kernel = kernel_new(plan);
    for (int i = 0; i < n; i++) {
        const AimfShape *shape = cpu_input_shape(plan, i);
        add_part(kernel, i, shape, n, cpu_output_shape(plan, 0), begin, block);
        begin[axis] += shape->dim[axis];
    }
    return &kernel->base;
}

AimfKernel *cpu_plan_split(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    int axis = plan->node->attributes.axis;
    gint64 block = choose_layouts(state, plan, lies_in_blocks(state, plan, 0)), begin[AIMF_MAX_RANK] = { 0 };
    MoveKernel *kernel = kernel_new(plan);
    for (int i = 0; i < plan->node->n_outputs; i++) {
        const AimfShape *shape = cpu_output_shape(plan, i);
        add_part(kernel, 1 + i, shape, 0, cpu_input_shape(plan, 0), begin, block);
        begin[axis] += shape->dim[axis];
    }
    return &kernel->base;
}

/* In blocks if it lies so and the part begins with a block; there are blocks for shapes of rank 4 only. */
static gint64 choose_block(gpointer state, AimfNodePlan *plan, const gint64 *begin)
{
    gboolean blocked = lies_in_blocks(state, plan, 0);
    return choose_layouts(state, plan, blocked && begin[1] % activation_block(state, cpu_input_shape(plan, 0)) == 0);
}

AimfKernel *cpu_plan_slice(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const gint64 *begin = plan->node->attributes.begin;
    gint64 block = choose_block(state, plan, begin);
    MoveKernel *kernel = kernel_new(plan);
    add_part(kernel, 1, cpu_output_shape(plan, 0), 0, cpu_input_shape(plan, 0), begin, block);
    return &kernel->base;
}

/* What is beside the input in dimension @dim, within it in those before; both sides. */
static void add_padding(MoveKernel *kernel, const AimfNodePlan *plan, int dim, const Place *to)
{
    const AimfShape *xs = cpu_input_shape(plan, 0), *ys = cpu_output_shape(plan, 0);
    const gint64 *before = plan->node->attributes.padding.before;
    const Place nowhere = { .block = 1 };
    gint64 index[AIMF_MAX_RANK] = { 0 };
    AimfShape size = *ys;
    for (int i = 0; i < dim; i++) {
        index[i] = before[i];
        size.dim[i] = xs->dim[i];
    }
    const gint64 begins[] = { 0, before[dim] + xs->dim[dim] }, ends[] = { before[dim], ys->dim[dim] };
    for (int side = 0; side < 2; side++) {
        index[dim] = begins[side];
        size.dim[dim] = ends[side] - begins[side];
        if (size.dim[dim] > 0)
            add_box(kernel, (Box){ .in = VALUE, .out = 1, .to = offset_of(to, ys, index) }, &nowhere, to, NULL, &size);
    }
}

AimfKernel *cpu_plan_pad(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfPadding *padding = &plan->node->attributes.padding;
    const AimfShape *xs = cpu_input_shape(plan, 0), *ys = cpu_output_shape(plan, 0);
    gint64 block = choose_block(state, plan, padding->before);
    MoveKernel *kernel = kernel_new(plan);
    kernel->value = (float)padding->value;
    kernel->value_bf16 = cpu_to_bf16(kernel->value);
    Place to = place_of(ys, block);
    for (int i = 0; i < ys->rank; i++)
        add_padding(kernel, plan, i, &to);
    add_part(kernel, 0, xs, 1, ys, padding->before, block);
    return &kernel->base;
}

/* To a picture's channels in front of its pixels goes what convolutions will have in blocks. */
AimfKernel *cpu_plan_transpose(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const int *order = plan->node->attributes.order;
    const AimfShape *xs = cpu_input_shape(plan, 0), *ys = cpu_output_shape(plan, 0);
    gboolean to_picture = ys->rank == 4 && order[0] == 0 && order[1] == 3 && order[2] == 1 && order[3] == 2;
    AimfDtype dtype = plan->in[0].dtype;
    gint64 from_block = lies_in_blocks(state, plan, 0) ? activation_block(state, xs) : 1;
    gint64 to_block = to_picture ? activation_block(state, ys) : 1;
    plan->in[0] = layout_in(state, xs, dtype, from_block);
    plan->out[0] = layout_in(state, ys, dtype, to_block);
    MoveKernel *kernel = kernel_new(plan);
    Place from = place_of(xs, from_block), to = place_of(ys, to_block);
    add_box(kernel, (Box){ .in = 0, .out = 1 }, &from, &to, order, ys);
    return &kernel->base;
}

AimfKernel *cpu_plan_reshape(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = plan->in[0].dtype;
    cpu_want_row_major(plan, 0, dtype);
    cpu_give_row_major(plan, 0, dtype);
    plan->overwrites[0] = 0;
    MoveKernel *kernel = kernel_new(plan);
    const AimfShape flat = AIMF_SHAPE(aimf_shape_count(cpu_input_shape(plan, 0)));
    Place place = place_of(&flat, 1);
    add_box(kernel, (Box){ .in = 0, .out = 1 }, &place, &place, NULL, &flat);
    return &kernel->base;
}
