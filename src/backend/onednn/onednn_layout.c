/* Layouts: oneDNN's memory descriptors, compared, named and read. */
#include "backend/onednn/onednn_layout.h"
#include "backend/onednn/onednn_descriptor.h"

/* Of a layout that has a detail, and is not packed. */
static const OnednnMemory *memory_of(const AimfLayout *layout)
{
    return ((const OnednnDetail *)layout->detail)->memory;
}

gboolean onednn_layout_equal(const AimfLayout *a, const AimfLayout *b)
{
    if (a->dtype != b->dtype || a->bytes != b->bytes)
        return FALSE;
    if (a->detail == b->detail)
        return TRUE;
    if (!a->detail || !b->detail)
        return FALSE;
    const CpuPacking *a_packing = onednn_layout_packing(a), *b_packing = onednn_layout_packing(b);
    if (a_packing || b_packing)
        return a_packing && b_packing && g_str_equal(a_packing->name, b_packing->name) &&
               onednn_layout_equal(&a_packing->part, &b_packing->part);
    return onednn_memory_equal(memory_of(a), memory_of(b));
}

char *onednn_layout_text(const AimfLayout *layout, const AimfShape *shape)
{
    (void)shape;
    const OnednnDetail *detail = layout->detail;
    if (!detail)
        return g_strdup("row-major");
    if (detail->forward)
        return g_strdup("workspace");
    if (detail->packing.name)
        return g_strdup(detail->packing.name);
    const OnednnMemory *memory = detail->memory;
    if (!memory->is_plain)
        return g_strdup("opaque");
    GString *text = g_string_new(NULL);
    gboolean named[DNNL_MAX_NDIMS] = { FALSE };
    for (int n = 0; n < memory->rank; n++) {
        int widest = -1;
        for (int i = 0; i < memory->rank; i++)
            if (!named[i] && (widest < 0 || memory->strides[i] > memory->strides[widest]))
                widest = i;
        named[widest] = TRUE;
        gboolean blocked = FALSE;
        for (int i = 0; i < memory->n_blocks; i++)
            blocked |= memory->blocked_dims[i] == widest;
        g_string_append_c(text, (char)((blocked ? 'A' : 'a') + widest));
    }
    for (int i = 0; i < memory->n_blocks; i++)
        g_string_append_printf(text, "%d%c", (int)memory->blocks[i], (char)('a' + (int)memory->blocked_dims[i]));
    return g_string_free(text, FALSE);
}

AimfLayout cpu_layout_cast(gpointer state, const AimfLayout *layout, const AimfShape *shape, AimfDtype dtype)
{
    if (layout->dtype == dtype)
        return *layout;
    if (!layout->detail)
        return aimf_layout_row_major(shape, dtype);
    g_autoptr(OnednnMemory) memory = onednn_memory_cast(memory_of(layout), onednn_data_type(dtype));
    return memory ? onednn_layout_of(state, memory) : aimf_layout_row_major(shape, dtype);
}

AimfLayout cpu_layout_activation(gpointer state, const AimfShape *shape, AimfDtype dtype)
{
    gint64 block = aimf_instruction_set() >= AIMF_ISA_AVX512 ? 16 : 8;
    return cpu_layout_blocked(state, shape, shape->rank != 4 || shape->dim[1] % block ? 1 : block, dtype);
}

AimfLayout cpu_layout_blocked(gpointer state, const AimfShape *shape, gint64 block, AimfDtype dtype)
{
    if (block == 1)
        return aimf_layout_row_major(shape, dtype);
    dnnl_format_tag_t tag = block == shape->dim[1] ? dnnl_acdb : block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b;
    g_autoptr(OnednnMemory) memory = onednn_by_tag(shape, dtype, tag);
    return onednn_layout_of(state, memory);
}

AimfLayout cpu_layout_taps_first(gpointer state, const AimfShape *shape)
{
    dnnl_dim_t o = shape->dim[0], i = shape->dim[1], height = shape->dim[2], width = shape->dim[3];
    dnnl_dims_t dims = { o, i, height, width }, strides = { i, 1, width * o * i, o * i };
    g_autoptr(OnednnMemory) memory = onednn_memory_by_strides(4, dims, dnnl_f32, strides);
    return onednn_layout_of(state, memory);
}

gint64 cpu_layout_channel_block(const AimfLayout *layout, const AimfShape *shape)
{
    if (!layout->detail)
        return 1;
    const OnednnMemory *memory = memory_of(layout);
    if (!memory->is_plain || shape->rank < 2)
        return 0;
    gint64 block = 1, positions = 1;
    while (block < memory->padded_dims[1] && onednn_offset_of(memory, 1, block) == block)
        block++;
    gint64 blocks = (shape->dim[1] + block - 1) / block;
    for (int i = shape->rank - 1; i >= 2; i--) {
        if (!onednn_lies_in(memory, i, block * positions, shape->dim[i], 0))
            return 0;
        positions *= shape->dim[i];
    }
    gboolean fits = onednn_lies_in(memory, 1, 1, block, block * positions) &&
                    onednn_lies_in(memory, 0, blocks * block * positions, shape->dim[0], 0);
    return fits ? block : 0;
}

gint64 *onednn_layout_offsets(const AimfLayout *layout, const AimfShape *shape, int dim)
{
    OnednnOperand operand = { shape, layout->dtype, layout };
    g_autoptr(OnednnMemory) memory = onednn_describe(&operand);
    g_assert(memory->is_plain);
    gint64 *offsets = g_new(gint64, shape->dim[dim]);
    for (gint64 i = 0; i < shape->dim[dim]; i++)
        offsets[i] = onednn_offset_of(memory, dim, i);
    return offsets;
}

AimfShape onednn_layout_shape(const AimfLayout *layout)
{
    const OnednnMemory *memory = memory_of(layout);
    AimfShape shape = { .rank = memory->rank };
    for (int i = 0; i < memory->rank; i++)
        shape.dim[i] = memory->dims[i];
    return shape;
}

AimfLayout cpu_layout_packed(gpointer state, const CpuPacking *packing, AimfDtype dtype, gsize bytes)
{
    OnednnDetail *detail = g_new0(OnednnDetail, 1);
    detail->packing = *packing;
    g_ptr_array_add(((OnednnState *)state)->details, detail);
    return (AimfLayout){ .dtype = dtype, .bytes = bytes, .detail = detail };
}

const CpuPacking *onednn_layout_packing(const AimfLayout *layout)
{
    const OnednnDetail *detail = layout->detail;
    return detail && detail->packing.name ? &detail->packing : NULL;
}
