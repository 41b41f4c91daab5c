#include "backend/onednn/onednn_descriptor.h"

#include <string.h>

void onednn_detail_free(gpointer data)
{
    OnednnDetail *detail = data;
    if (detail->forward)
        dnnl_primitive_desc_destroy(detail->forward);
    onednn_memory_free(detail->memory);
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

static OnednnMemory *row_major(const AimfShape *shape, AimfDtype dtype)
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
    return onednn_memory_by_strides(rank, dims, onednn_data_type(dtype), strides);
}

OnednnMemory *onednn_by_tag(const AimfShape *shape, AimfDtype dtype, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = { 0 };
    memcpy(dims, shape->dim, sizeof shape->dim);
    return onednn_memory_by_tag(shape->rank, dims, onednn_data_type(dtype), tag);
}

OnednnMemory *onednn_describe(const OnednnOperand *operand)
{
    if (!operand || !operand->shape)
        return NULL;
    if (!operand->layout)
        return onednn_by_tag(operand->shape, operand->dtype, dnnl_format_tag_any);
    if (operand->layout->detail)
        return onednn_memory_copy(((const OnednnDetail *)operand->layout->detail)->memory);
    return row_major(operand->shape, operand->layout->dtype);
}

gint64 onednn_offset_of(const OnednnMemory *memory, int dim, gint64 at)
{
    gint64 offset = 0, inner = 1;
    for (int i = memory->n_blocks - 1; i >= 0; i--) {
        if (memory->blocked_dims[i] == dim) {
            offset += at % memory->blocks[i] * inner;
            at /= memory->blocks[i];
        }
        inner *= memory->blocks[i];
    }
    return offset + at * memory->strides[dim];
}

gboolean onednn_lies_in(const OnednnMemory *memory, int dim, gint64 stride, gint64 block, gint64 distance)
{
    for (gint64 i = 0; i < memory->dims[dim]; i++)
        if (onednn_offset_of(memory, dim, i) != i / block * distance + i % block * stride)
            return FALSE;
    return TRUE;
}

static gboolean is_row_major(const OnednnMemory *memory)
{
    if (!memory->is_plain)
        return FALSE;
    gint64 stride = 1;
    for (int i = memory->rank - 1; i >= 0; i--) {
        if (memory->padded_dims[i] != memory->dims[i] || !onednn_lies_in(memory, i, stride, memory->dims[i], 0))
            return FALSE;
        stride *= memory->dims[i];
    }
    return TRUE;
}

/* @memory: (copied) @forward: (nullable, owned by the detail) */
static AimfLayout remember(OnednnState *state, const OnednnMemory *memory, dnnl_primitive_desc_t forward)
{
    OnednnDetail *detail = g_new0(OnednnDetail, 1);
    detail->memory = onednn_memory_copy(memory);
    detail->forward = forward;
    g_ptr_array_add(state->details, detail);
    return (AimfLayout){ .dtype = dtype_of(memory->type), .bytes = memory->bytes, .detail = detail };
}

AimfLayout onednn_layout_of(OnednnState *state, const OnednnMemory *memory)
{
    AimfLayout layout = { .dtype = dtype_of(memory->type), .bytes = memory->bytes };
    if (is_row_major(memory))
        return layout;
    for (guint i = 0; i < state->details->len; i++) {
        OnednnDetail *known = g_ptr_array_index(state->details, i);
        if (!known->forward && !known->packing.name && onednn_memory_equal(known->memory, memory)) {
            layout.detail = known;
            return layout;
        }
    }
    return remember(state, memory, NULL);
}

AimfLayout onednn_workspace_layout(OnednnState *state, const_dnnl_primitive_desc_t forward, const OnednnMemory *memory)
{
    dnnl_primitive_desc_t copy = NULL;
    if (dnnl_primitive_desc_clone(&copy, forward) != dnnl_success)
        copy = NULL;
    return remember(state, memory, copy);
}

const_dnnl_primitive_desc_t onednn_workspace_forward(const AimfLayout *workspace)
{
    return workspace && workspace->detail ? ((const OnednnDetail *)workspace->detail)->forward : NULL;
}
