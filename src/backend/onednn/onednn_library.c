#include "backend/onednn/onednn_library.h"

#include <string.h>

/* --- Memory descriptors --- */

#if DNNL_VERSION_MAJOR >= 3

typedef const_dnnl_memory_desc_t Handle;

static gpointer keep(dnnl_memory_desc_t handle)
{
    return handle;
}

static dnnl_status_t copy_handle(dnnl_memory_desc_t *copy, Handle handle)
{
    return dnnl_memory_desc_clone(copy, handle);
}

static void drop(gpointer kept)
{
    dnnl_memory_desc_destroy(kept);
}

static void query(Handle handle, dnnl_query_t what, void *result)
{
    dnnl_status_t status = dnnl_memory_desc_query(handle, what, result);
    g_assert(status == dnnl_success);
}

static void query_dims(Handle handle, dnnl_query_t what, int n, dnnl_dims_t dims)
{
    const dnnl_dims_t *found;
    query(handle, what, (void *)&found);
    memcpy(dims, *found, (gsize)n * sizeof *dims);
}

static void describe(OnednnMemory *memory, Handle handle)
{
    dnnl_format_kind_t kind;
    query(handle, dnnl_query_data_type, &memory->type);
    query(handle, dnnl_query_ndims_s32, &memory->rank);
    query(handle, dnnl_query_format_kind, &kind);
    query_dims(handle, dnnl_query_dims, memory->rank, memory->dims);
    query_dims(handle, dnnl_query_padded_dims, memory->rank, memory->padded_dims);
    if (kind != dnnl_blocked)
        return;
    dnnl_dim_t offset;
    query(handle, dnnl_query_submemory_offset_s64, &offset);
    query(handle, dnnl_query_inner_nblks_s32, &memory->n_blocks);
    query_dims(handle, dnnl_query_strides, memory->rank, memory->strides);
    query_dims(handle, dnnl_query_inner_blks, memory->n_blocks, memory->blocks);
    query_dims(handle, dnnl_query_inner_idxs, memory->n_blocks, memory->blocked_dims);
    /* Whether something else is stored is not told; it would show in the size. */
    gsize dense = dnnl_data_type_size(memory->type);
    for (int i = 0; i < memory->rank; i++)
        dense *= (gsize)memory->padded_dims[i];
    memory->is_plain = offset == 0 && memory->bytes == dense;
}

/* A batch norm's backward primitive knows of a shift, and refuses to be given one. */
static gboolean is_refused(const_dnnl_primitive_desc_t primitive, int argument)
{
    dnnl_primitive_kind_t kind;
    dnnl_prop_kind_t direction;
    return argument == DNNL_ARG_SHIFT &&
           dnnl_primitive_desc_query(primitive, dnnl_query_primitive_kind, 0, &kind) == dnnl_success &&
           dnnl_primitive_desc_query(primitive, dnnl_query_prop_kind, 0, &direction) == dnnl_success &&
           kind == dnnl_batch_normalization && direction == dnnl_backward;
}

#else /* version 2 */

#define dnnl_memory_desc_create_with_strides dnnl_memory_desc_init_by_strides
#define dnnl_memory_desc_create_with_tag dnnl_memory_desc_init_by_tag

typedef const dnnl_memory_desc_t *Handle;

static gpointer keep(dnnl_memory_desc_t handle)
{
    return g_memdup2(&handle, sizeof handle);
}

static dnnl_status_t copy_handle(dnnl_memory_desc_t *copy, Handle handle)
{
    *copy = *handle;
    return dnnl_success;
}

static void drop(gpointer kept)
{
    g_free(kept);
}

static void describe(OnednnMemory *memory, Handle handle)
{
    const dnnl_blocking_desc_t *blocking = &handle->format_desc.blocking;
    memory->type = handle->data_type;
    memory->rank = handle->ndims;
    memcpy(memory->dims, handle->dims, sizeof memory->dims);
    memcpy(memory->padded_dims, handle->padded_dims, sizeof memory->padded_dims);
    if (handle->format_kind != dnnl_blocked)
        return;
    memory->is_plain = handle->extra.flags == dnnl_memory_extra_flag_none && handle->offset0 == 0;
    memory->n_blocks = blocking->inner_nblks;
    memcpy(memory->strides, blocking->strides, sizeof memory->strides);
    memcpy(memory->blocks, blocking->inner_blks, sizeof memory->blocks);
    memcpy(memory->blocked_dims, blocking->inner_idxs, sizeof memory->blocked_dims);
}

static gboolean is_refused(const_dnnl_primitive_desc_t primitive, int argument)
{
    (void)primitive, (void)argument;
    return FALSE;
}

#endif

static Handle handle_of(const OnednnMemory *memory)
{
    return memory ? memory->handle : NULL;
}

/* @handle: (owned by the result) of which oneDNN says @status; NULL if that is a failure. */
static OnednnMemory *adopt(dnnl_status_t status, dnnl_memory_desc_t *handle)
{
    if (status != dnnl_success)
        return NULL;
    OnednnMemory *memory = g_new0(OnednnMemory, 1);
    memory->handle = keep(*handle);
    memory->bytes = dnnl_memory_desc_get_size(handle_of(memory));
    describe(memory, handle_of(memory));
    return memory;
}

static OnednnMemory *certain(OnednnMemory *memory)
{
    g_assert(memory);
    return memory;
}

OnednnMemory *onednn_memory_by_strides(int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                       const dnnl_dims_t strides)
{
    dnnl_memory_desc_t handle;
    return certain(adopt(dnnl_memory_desc_create_with_strides(&handle, rank, dims, type, strides), &handle));
}

/* NULL: oneDNN has no such order of so many dimensions. */
static OnednnMemory *try_tag(int rank, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t handle;
    return adopt(dnnl_memory_desc_create_with_tag(&handle, rank, dims, type, tag), &handle);
}

OnednnMemory *onednn_memory_by_tag(int rank, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    return certain(try_tag(rank, dims, type, tag));
}

OnednnMemory *onednn_memory_of(const_dnnl_primitive_desc_t primitive, dnnl_query_t what, int index)
{
    Handle found = dnnl_primitive_desc_query_md(primitive, what, index);
    dnnl_memory_desc_t handle;
    return found && dnnl_memory_desc_get_size(found) ? adopt(copy_handle(&handle, found), &handle) : NULL;
}

OnednnMemory *onednn_memory_of_argument(const_dnnl_primitive_desc_t primitive, int argument)
{
    return is_refused(primitive, argument) ? NULL : onednn_memory_of(primitive, dnnl_query_exec_arg_md, argument);
}

OnednnMemory *onednn_memory_copy(const OnednnMemory *memory)
{
    dnnl_memory_desc_t handle;
    return certain(adopt(copy_handle(&handle, handle_of(memory)), &handle));
}

static gboolean lies_alike(const OnednnMemory *a, const OnednnMemory *b)
{
    gsize rank = (gsize)a->rank * sizeof *a->dims, blocks = (gsize)a->n_blocks * sizeof *a->dims;
    return b->is_plain && a->n_blocks == b->n_blocks && memcmp(a->padded_dims, b->padded_dims, rank) == 0 &&
           memcmp(a->strides, b->strides, rank) == 0 && memcmp(a->blocks, b->blocks, blocks) == 0 &&
           memcmp(a->blocked_dims, b->blocked_dims, blocks) == 0;
}

/* No call changes a descriptor's type, so among all oneDNN's words for an order this one is looked for. */
OnednnMemory *onednn_memory_cast(const OnednnMemory *memory, dnnl_data_type_t type)
{
    if (!memory->is_plain)
        return NULL;
    if (memory->n_blocks == 0)
        return onednn_memory_by_strides(memory->rank, memory->dims, type, memory->strides);
    for (int tag = dnnl_format_tag_any + 1; tag < dnnl_format_tag_last; tag++) {
        g_autoptr(OnednnMemory) candidate = try_tag(memory->rank, memory->dims, type, (dnnl_format_tag_t)tag);
        if (candidate && lies_alike(memory, candidate))
            return g_steal_pointer(&candidate);
    }
    return NULL;
}

OnednnMemory *onednn_memory_reshape(const OnednnMemory *memory, int rank, const dnnl_dims_t dims)
{
    dnnl_memory_desc_t handle;
    return adopt(dnnl_memory_desc_reshape(&handle, handle_of(memory), rank, dims), &handle);
}

OnednnMemory *onednn_memory_transpose(const OnednnMemory *memory)
{
    static const int swap[] = { 1, 0 };
    dnnl_memory_desc_t handle;
    return certain(adopt(dnnl_memory_desc_permute_axes(&handle, handle_of(memory), swap), &handle));
}

void onednn_memory_free(OnednnMemory *memory)
{
    if (!memory)
        return;
    drop(memory->handle);
    g_free(memory);
}

gboolean onednn_memory_equal(const OnednnMemory *a, const OnednnMemory *b)
{
    return dnnl_memory_desc_equal(handle_of(a), handle_of(b)) != 0;
}

dnnl_status_t onednn_memory_room(const OnednnMemory *memory, dnnl_engine_t engine, dnnl_memory_t *room)
{
    return dnnl_memory_create(room, handle_of(memory), engine, DNNL_MEMORY_NONE);
}

/* --- Operations --- */

const char *onednn_kernel_name(const_dnnl_primitive_desc_t primitive)
{
    const char *name = NULL;
    dnnl_primitive_desc_query(primitive, dnnl_query_impl_info_str, 0, &name);
    return name ? name : "oneDNN";
}

/* @word: (nullable) */
static gboolean has_word(const_dnnl_primitive_desc_t primitive, const char *word)
{
    return word && strstr(onednn_kernel_name(primitive), word);
}

gboolean onednn_is_amx_kernel(const_dnnl_primitive_desc_t primitive)
{
    return has_word(primitive, ONEDNN_AMX);
}

dnnl_status_t onednn_new_reorder(const OnednnMaker *maker, const OnednnMemory *from, const OnednnMemory *to,
                                 dnnl_primitive_desc_t *primitive)
{
    return dnnl_reorder_primitive_desc_create(primitive, handle_of(from), maker->engine, handle_of(to), maker->engine,
                                              maker->attributes);
}

#if DNNL_VERSION_MAJOR >= 3

/* Goes on from the kernel of @primitive to a wanted one; @status: of making it. */
static dnnl_status_t pass_over(const char *unwanted, dnnl_status_t status, dnnl_primitive_desc_t *primitive)
{
    while (status == dnnl_success && has_word(*primitive, unwanted)) {
        status = dnnl_primitive_desc_next_impl(*primitive);
        if (status != dnnl_success) {
            dnnl_primitive_desc_destroy(*primitive);
            *primitive = NULL;
        }
    }
    return status == dnnl_last_impl_reached ? dnnl_unimplemented : status;
}

dnnl_status_t onednn_new_convolution(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                     const OnednnMemory *weight, const OnednnMemory *bias, const OnednnMemory *y,
                                     const OnednnWindow *window, const char *unwanted, const_dnnl_primitive_desc_t hint,
                                     dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x), hw = handle_of(weight), hb = handle_of(bias), hy = handle_of(y);
    dnnl_status_t status;
    if (direction == ONEDNN_FORWARD)
        status = dnnl_convolution_forward_primitive_desc_create(
            primitive, maker->engine, dnnl_forward_training, dnnl_convolution_direct, hx, hw, hb, hy, window->stride,
            window->dilation, window->before, window->after, maker->attributes);
    else if (direction == ONEDNN_BACKWARD_DATA)
        status = dnnl_convolution_backward_data_primitive_desc_create(
            primitive, maker->engine, dnnl_convolution_direct, hx, hw, hy, window->stride, window->dilation,
            window->before, window->after, hint, maker->attributes);
    else
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            primitive, maker->engine, dnnl_convolution_direct, hx, hw, NULL, hy, window->stride, window->dilation,
            window->before, window->after, hint, maker->attributes);
    return pass_over(unwanted, status, primitive);
}

dnnl_status_t onednn_new_inner_product(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                       const OnednnMemory *weight, const OnednnMemory *y,
                                       const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x), hw = handle_of(weight), hy = handle_of(y);
    if (direction == ONEDNN_FORWARD)
        return dnnl_inner_product_forward_primitive_desc_create(primitive, maker->engine, dnnl_forward_training, hx, hw,
                                                                NULL, hy, maker->attributes);
    return dnnl_inner_product_backward_weights_primitive_desc_create(primitive, maker->engine, hx, hw, NULL, hy, hint,
                                                                     maker->attributes);
}

dnnl_status_t onednn_new_product(const OnednnMaker *maker, const OnednnMemory *a, const OnednnMemory *b,
                                 const OnednnMemory *bias, const OnednnMemory *product, const char *unwanted,
                                 dnnl_primitive_desc_t *primitive)
{
    dnnl_status_t status = dnnl_matmul_primitive_desc_create(primitive, maker->engine, handle_of(a), handle_of(b),
                                                             handle_of(bias), handle_of(product), maker->attributes);
    return pass_over(unwanted, status, primitive);
}

dnnl_status_t onednn_new_batch_norm(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                    float epsilon, unsigned flags, const_dnnl_primitive_desc_t hint,
                                    dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x);
    if (kind == dnnl_backward)
        return dnnl_batch_normalization_backward_primitive_desc_create(primitive, maker->engine, kind, hx, hx, hx,
                                                                       epsilon, flags, hint, maker->attributes);
    return dnnl_batch_normalization_forward_primitive_desc_create(primitive, maker->engine, kind, hx, hx, epsilon,
                                                                  flags, maker->attributes);
}

dnnl_status_t onednn_new_max_pool(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                  const OnednnMemory *y, const OnednnWindow *window, const_dnnl_primitive_desc_t hint,
                                  dnnl_primitive_desc_t *primitive)
{
    if (kind == dnnl_backward)
        return dnnl_pooling_backward_primitive_desc_create(primitive, maker->engine, dnnl_pooling_max, handle_of(x),
                                                           handle_of(y), window->stride, window->size, window->dilation,
                                                           window->before, window->after, hint, maker->attributes);
    return dnnl_pooling_forward_primitive_desc_create(primitive, maker->engine, kind, dnnl_pooling_max, handle_of(x),
                                                      handle_of(y), window->stride, window->size, window->dilation,
                                                      window->before, window->after, maker->attributes);
}

#else /* version 2 */

/* @status: of the description of @operation. */
static dnnl_status_t finish(const OnednnMaker *maker, dnnl_status_t status, const void *operation, const char *unwanted,
                            const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *primitive)
{
    dnnl_primitive_desc_iterator_t kernels = NULL;
    if (status == dnnl_success)
        status = dnnl_primitive_desc_iterator_create(&kernels, operation, maker->attributes, maker->engine, hint);
    *primitive = status == dnnl_success ? dnnl_primitive_desc_iterator_fetch(kernels) : NULL;
    while (status == dnnl_success && has_word(*primitive, unwanted)) {
        dnnl_primitive_desc_destroy(*primitive);
        status = dnnl_primitive_desc_iterator_next(kernels);
        *primitive = status == dnnl_success ? dnnl_primitive_desc_iterator_fetch(kernels) : NULL;
    }
    if (kernels)
        dnnl_primitive_desc_iterator_destroy(kernels);
    return status == dnnl_iterator_ends ? dnnl_unimplemented : status;
}

dnnl_status_t onednn_new_convolution(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                     const OnednnMemory *weight, const OnednnMemory *bias, const OnednnMemory *y,
                                     const OnednnWindow *window, const char *unwanted, const_dnnl_primitive_desc_t hint,
                                     dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x), hw = handle_of(weight), hb = handle_of(bias), hy = handle_of(y);
    dnnl_convolution_desc_t operation;
    dnnl_status_t status;
    if (direction == ONEDNN_FORWARD)
        status = dnnl_dilated_convolution_forward_desc_init(&operation, dnnl_forward_training, dnnl_convolution_direct,
                                                            hx, hw, hb, hy, window->stride, window->dilation,
                                                            window->before, window->after);
    else if (direction == ONEDNN_BACKWARD_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, hx, hw, hy,
                                                                  window->stride, window->dilation, window->before,
                                                                  window->after);
    else
        status = dnnl_dilated_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, hx, hw, NULL,
                                                                     hy, window->stride, window->dilation,
                                                                     window->before, window->after);
    return finish(maker, status, &operation, unwanted, hint, primitive);
}

dnnl_status_t onednn_new_inner_product(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                       const OnednnMemory *weight, const OnednnMemory *y,
                                       const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x), hw = handle_of(weight), hy = handle_of(y);
    dnnl_inner_product_desc_t operation;
    dnnl_status_t status =
        direction == ONEDNN_FORWARD
            ? dnnl_inner_product_forward_desc_init(&operation, dnnl_forward_training, hx, hw, NULL, hy)
            : dnnl_inner_product_backward_weights_desc_init(&operation, hx, hw, NULL, hy);
    return finish(maker, status, &operation, NULL, hint, primitive);
}

dnnl_status_t onednn_new_product(const OnednnMaker *maker, const OnednnMemory *a, const OnednnMemory *b,
                                 const OnednnMemory *bias, const OnednnMemory *product, const char *unwanted,
                                 dnnl_primitive_desc_t *primitive)
{
    dnnl_matmul_desc_t operation;
    dnnl_status_t status =
        dnnl_matmul_desc_init(&operation, handle_of(a), handle_of(b), handle_of(bias), handle_of(product));
    return finish(maker, status, &operation, unwanted, NULL, primitive);
}

dnnl_status_t onednn_new_batch_norm(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                    float epsilon, unsigned flags, const_dnnl_primitive_desc_t hint,
                                    dnnl_primitive_desc_t *primitive)
{
    Handle hx = handle_of(x);
    dnnl_batch_normalization_desc_t operation;
    dnnl_status_t status = kind == dnnl_backward
                               ? dnnl_batch_normalization_backward_desc_init(&operation, kind, hx, hx, epsilon, flags)
                               : dnnl_batch_normalization_forward_desc_init(&operation, kind, hx, epsilon, flags);
    return finish(maker, status, &operation, NULL, hint, primitive);
}

dnnl_status_t onednn_new_max_pool(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                  const OnednnMemory *y, const OnednnWindow *window, const_dnnl_primitive_desc_t hint,
                                  dnnl_primitive_desc_t *primitive)
{
    dnnl_pooling_desc_t operation;
    dnnl_status_t status =
        kind == dnnl_backward
            ? dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, handle_of(x), handle_of(y), window->stride,
                                              window->size, window->before, window->after)
            : dnnl_pooling_forward_desc_init(&operation, kind, dnnl_pooling_max, handle_of(x), handle_of(y),
                                             window->stride, window->size, window->before, window->after);
    return finish(maker, status, &operation, NULL, hint, primitive);
}

#endif
