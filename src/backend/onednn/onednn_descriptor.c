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

gint64 onednn_offset_of(const dnnl_memory_desc_t *memory, int dim, gint64 at)
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

gboolean onednn_lies_in(const dnnl_memory_desc_t *memory, int dim, gint64 stride, gint64 block, gint64 distance)
{
    for (gint64 i = 0; i < memory->dims[dim]; i++)
        if (onednn_offset_of(memory, dim, i) != i / block * distance + i % block * stride)
            return FALSE;
    return TRUE;
}

gboolean onednn_is_simple(const dnnl_memory_desc_t *memory)
{
    return memory->format_kind == dnnl_blocked && memory->extra.flags == dnnl_memory_extra_flag_none &&
           memory->offset0 == 0;
}

static gboolean is_row_major(const dnnl_memory_desc_t *memory)
{
    if (!onednn_is_simple(memory))
        return FALSE;
    gint64 stride = 1;
    for (int i = memory->ndims - 1; i >= 0; i--) {
        if (memory->padded_dims[i] != memory->dims[i] || !onednn_lies_in(memory, i, stride, memory->dims[i], 0))
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
