/* Layouts: oneDNN's memory descriptors, made, compared, named and read. */
#include "backend/onednn/onednn_descriptor.h"

#include <string.h>

void onednn_detail_free(gpointer data)
{
    OnednnDetail *detail = data;
    if (detail->forward)
        dnnl_primitive_desc_destroy(detail->forward);
    g_free(detail);
}

dnnl_data_type_t onednn_data_type(AimfDtype dtype)
{
    switch (dtype) {
    case AIMF_F32:
        return dnnl_f32;
    case AIMF_BF16:
        return dnnl_bf16;
    case AIMF_F16:
        return dnnl_f16;
    case AIMF_I32:
        return dnnl_s32;
    case AIMF_I8:
        return dnnl_s8;
    case AIMF_U8:
        return dnnl_u8;
    default:
        g_assert_not_reached();
    }
}

static AimfDtype dtype_of(dnnl_data_type_t type)
{
    switch (type) {
    case dnnl_f32:
        return AIMF_F32;
    case dnnl_bf16:
        return AIMF_BF16;
    case dnnl_f16:
        return AIMF_F16;
    case dnnl_s32:
        return AIMF_I32;
    case dnnl_s8:
        return AIMF_I8;
    case dnnl_u8:
        return AIMF_U8;
    default:
        g_assert_not_reached();
    }
}

static dnnl_memory_desc_t row_major(const AimfShape *shape, AimfDtype dtype)
{
    /* oneDNN has no scalars. */
    int rank = MAX(shape->rank, 1);
    dnnl_dims_t dims = { 1 }, strides = { 1 };
    gint64 stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        dims[i] = shape->dim[i];
        strides[i] = stride;
        stride *= MAX(shape->dim[i], 1);
    }
    dnnl_memory_desc_t memory;
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&memory, rank, dims, onednn_data_type(dtype), strides);
    g_assert(status == dnnl_success);
    return memory;
}

dnnl_memory_desc_t onednn_by_tag(const AimfShape *shape, AimfDtype dtype, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = { 0 };
    memcpy(dims, shape->dim, sizeof shape->dim);
    dnnl_memory_desc_t memory;
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&memory, shape->rank, dims, onednn_data_type(dtype), tag);
    g_assert(status == dnnl_success);
    return memory;
}

dnnl_memory_desc_t onednn_describe(const OnednnOperand *operand)
{
    if (!operand || !operand->shape)
        return (dnnl_memory_desc_t){ 0 };
    if (!operand->layout)
        return onednn_by_tag(operand->shape, operand->dtype, dnnl_format_tag_any);
    if (operand->layout->detail)
        return ((const OnednnDetail *)operand->layout->detail)->memory;
    return row_major(operand->shape, operand->layout->dtype);
}

/* How far apart index 0 and index @at of dimension @dim lie, in elements. */
static gint64 offset_of(const dnnl_memory_desc_t *memory, int dim, gint64 at)
{
    const dnnl_blocking_desc_t *blocking = &memory->format_desc.blocking;
    gint64 offset = 0, inner = 1;
    for (int i = blocking->inner_nblks - 1; i >= 0; i--) {
        if (blocking->inner_idxs[i] == dim) {
            offset += at % blocking->inner_blks[i] * inner;
            at /= blocking->inner_blks[i];
        }
        inner *= blocking->inner_blks[i];
    }
    return offset + at * blocking->strides[dim];
}

/* Whether dimension @dim of logical stride @stride in blocks of @block elements @distance apart lies so. */
static gboolean lies_in(const dnnl_memory_desc_t *memory, int dim, gint64 stride, gint64 block, gint64 distance)
{
    for (gint64 i = 0; i < memory->dims[dim]; i++)
        if (offset_of(memory, dim, i) != i / block * distance + i % block * stride)
            return FALSE;
    return TRUE;
}

static gboolean is_simple(const dnnl_memory_desc_t *memory)
{
    return memory->format_kind == dnnl_blocked && memory->extra.flags == dnnl_memory_extra_flag_none &&
           memory->offset0 == 0;
}

static gboolean is_row_major(const dnnl_memory_desc_t *memory)
{
    if (!is_simple(memory))
        return FALSE;
    gint64 stride = 1;
    for (int i = memory->ndims - 1; i >= 0; i--) {
        if (memory->padded_dims[i] != memory->dims[i] || !lies_in(memory, i, stride, memory->dims[i], 0))
            return FALSE;
        stride *= memory->dims[i];
    }
    return TRUE;
}

AimfLayout onednn_layout_of(OnednnState *state, const dnnl_memory_desc_t *memory)
{
    AimfLayout layout = { .dtype = dtype_of(memory->data_type), .bytes = dnnl_memory_desc_get_size(memory) };
    if (is_row_major(memory))
        return layout;
    for (guint i = 0; i < state->details->len; i++) {
        OnednnDetail *known = g_ptr_array_index(state->details, i);
        if (!known->forward && !known->packing.name && dnnl_memory_desc_equal(&known->memory, memory)) {
            layout.detail = known;
            return layout;
        }
    }
    OnednnDetail *detail = g_new0(OnednnDetail, 1);
    detail->memory = *memory;
    g_ptr_array_add(state->details, detail);
    layout.detail = detail;
    return layout;
}

AimfLayout onednn_workspace_layout(OnednnState *state, const_dnnl_primitive_desc_t forward,
                                   const dnnl_memory_desc_t *memory)
{
    OnednnDetail *detail = g_new0(OnednnDetail, 1);
    detail->memory = *memory;
    if (dnnl_primitive_desc_clone(&detail->forward, forward) != dnnl_success)
        detail->forward = NULL;
    g_ptr_array_add(state->details, detail);
    return (AimfLayout){ .dtype = dtype_of(memory->data_type),
                         .bytes = dnnl_memory_desc_get_size(memory),
                         .detail = detail };
}

const_dnnl_primitive_desc_t onednn_workspace_forward(const AimfLayout *workspace)
{
    return workspace && workspace->detail ? ((const OnednnDetail *)workspace->detail)->forward : NULL;
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
    return dnnl_memory_desc_equal(&((const OnednnDetail *)a->detail)->memory,
                                  &((const OnednnDetail *)b->detail)->memory) != 0;
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
    const dnnl_memory_desc_t *memory = &detail->memory;
    if (memory->format_kind != dnnl_blocked)
        return g_strdup("opaque");
    const dnnl_blocking_desc_t *blocking = &memory->format_desc.blocking;
    GString *text = g_string_new(NULL);
    gboolean named[DNNL_MAX_NDIMS] = { FALSE };
    for (int n = 0; n < memory->ndims; n++) {
        int widest = -1;
        for (int i = 0; i < memory->ndims; i++)
            if (!named[i] && (widest < 0 || blocking->strides[i] > blocking->strides[widest]))
                widest = i;
        named[widest] = TRUE;
        gboolean blocked = FALSE;
        for (int i = 0; i < blocking->inner_nblks; i++)
            blocked |= blocking->inner_idxs[i] == widest;
        g_string_append_c(text, (char)((blocked ? 'A' : 'a') + widest));
    }
    for (int i = 0; i < blocking->inner_nblks; i++)
        g_string_append_printf(text, "%d%c", (int)blocking->inner_blks[i], (char)('a' + (int)blocking->inner_idxs[i]));
    return g_string_free(text, FALSE);
}

AimfLayout cpu_layout_cast(gpointer state, const AimfLayout *layout, const AimfShape *shape, AimfDtype dtype)
{
    if (layout->dtype == dtype)
        return *layout;
    if (!layout->detail)
        return aimf_layout_row_major(shape, dtype);
    dnnl_memory_desc_t memory = ((const OnednnDetail *)layout->detail)->memory;
    memory.data_type = onednn_data_type(dtype);
    return onednn_layout_of(state, &memory);
}

AimfLayout cpu_layout_activation(gpointer state, const AimfShape *shape, AimfDtype dtype)
{
    gboolean wide = aimf_instruction_set() >= AIMF_ISA_AVX512;
    if (shape->rank != 4 || shape->dim[1] % (wide ? 16 : 8))
        return aimf_layout_row_major(shape, dtype);
    dnnl_memory_desc_t memory = onednn_by_tag(shape, dtype, wide ? dnnl_aBcd16b : dnnl_aBcd8b);
    return onednn_layout_of(state, &memory);
}

AimfLayout cpu_layout_taps_first(gpointer state, const AimfShape *shape)
{
    dnnl_dim_t o = shape->dim[0], i = shape->dim[1], height = shape->dim[2], width = shape->dim[3];
    dnnl_dims_t dims = { o, i, height, width }, strides = { i, 1, width * o * i, o * i };
    dnnl_memory_desc_t memory;
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&memory, 4, dims, dnnl_f32, strides);
    g_assert(status == dnnl_success);
    return onednn_layout_of(state, &memory);
}

gint64 cpu_layout_channel_block(const AimfLayout *layout, const AimfShape *shape)
{
    if (!layout->detail)
        return 1;
    const dnnl_memory_desc_t *memory = &((const OnednnDetail *)layout->detail)->memory;
    if (!is_simple(memory) || shape->rank < 2)
        return 0;
    gint64 block = 1, positions = 1;
    while (block < memory->padded_dims[1] && offset_of(memory, 1, block) == block)
        block++;
    gint64 blocks = (shape->dim[1] + block - 1) / block;
    for (int i = shape->rank - 1; i >= 2; i--) {
        if (!lies_in(memory, i, block * positions, shape->dim[i], 0))
            return 0;
        positions *= shape->dim[i];
    }
    gboolean fits = lies_in(memory, 1, 1, block, block * positions) &&
                    lies_in(memory, 0, blocks * block * positions, shape->dim[0], 0);
    return fits ? block : 0;
}

gint64 *onednn_layout_offsets(const AimfLayout *layout, const AimfShape *shape, int dim)
{
    OnednnOperand operand = { shape, layout->dtype, layout };
    dnnl_memory_desc_t memory = onednn_describe(&operand);
    g_assert(is_simple(&memory));
    gint64 *offsets = g_new(gint64, shape->dim[dim]);
    for (gint64 i = 0; i < shape->dim[dim]; i++)
        offsets[i] = offset_of(&memory, dim, i);
    return offsets;
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
