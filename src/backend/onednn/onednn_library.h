/*
 * What differs between oneDNN 2 and 3: memory descriptors, which version 3 closed, and how operations are described.
 * onednn_library.c has both versions; whatever else calls oneDNN is the same for them.
 */
#pragma once

#include "backend/onednn/onednn_operand.h"

#include <oneapi/dnnl/dnnl.h>

/** OnednnMaker: what primitives are made for and with: the processor, and scratch memory that the caller has. */
typedef struct {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
} OnednnMaker;

/**
 * OnednnMemory: a memory descriptor, and what it says. @is_plain: elements lie where strides and blocks say, and
 * nothing else is stored; @n_blocks, @blocks, @blocked_dims and @strides count only then. @blocks from the outermost,
 * of the dimensions @blocked_dims; @strides of the blocks, in elements.
 */
typedef struct {
    gpointer handle;
    gsize bytes;
    dnnl_data_type_t type;
    int rank, n_blocks;
    gboolean is_plain;
    dnnl_dims_t dims, padded_dims, strides, blocks, blocked_dims;
} OnednnMemory;

/* Each of these is owned, and asserts that oneDNN takes its arguments, unless another thing is said. */
OnednnMemory *onednn_memory_by_strides(int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                                       const dnnl_dims_t strides);
OnednnMemory *onednn_memory_by_tag(int rank, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag);
/** onednn_memory_of: (nullable) what a primitive tells of one of its operands; NULL if it has none such. */
OnednnMemory *onednn_memory_of(const_dnnl_primitive_desc_t primitive, dnnl_query_t what, int index);
/** onednn_memory_of_argument: (nullable) likewise, of the one that it takes as @argument, one of DNNL_ARG_…. */
OnednnMemory *onednn_memory_of_argument(const_dnnl_primitive_desc_t primitive, int argument);
OnednnMemory *onednn_memory_copy(const OnednnMemory *memory);
/** onednn_memory_cast: (nullable) the same order of elements of another type; NULL if oneDNN has no word for it. */
OnednnMemory *onednn_memory_cast(const OnednnMemory *memory, dnnl_data_type_t type);
/** onednn_memory_reshape: (nullable) NULL where the elements do not lie so that they have these dimensions too. */
OnednnMemory *onednn_memory_reshape(const OnednnMemory *memory, int rank, const dnnl_dims_t dims);
/** onednn_memory_transpose: of a matrix. */
OnednnMemory *onednn_memory_transpose(const OnednnMemory *memory);
gboolean onednn_memory_equal(const OnednnMemory *a, const OnednnMemory *b);
/** onednn_memory_room: memory of this form that has no address yet. */
dnnl_status_t onednn_memory_room(const OnednnMemory *memory, dnnl_engine_t engine, dnnl_memory_t *room);
void onednn_memory_free(OnednnMemory *memory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OnednnMemory, onednn_memory_free)

/** OnednnWindow: of a convolution or a pooling; @dilation counts from 0, as oneDNN does. @size: of a pooling. */
typedef struct {
    dnnl_dims_t stride, dilation, before, after, size;
} OnednnWindow;

/*
 * Descriptors of primitives (owned by the caller, in @primitive). Operands stand for their gradients where the
 * direction says so; @hint is the descriptor of a forward primitive, which backward ones ask for. @unwanted:
 * (nullable) a word; oneDNN's first kernel whose name does not have it is taken.
 */
dnnl_status_t onednn_new_convolution(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                     const OnednnMemory *weight, const OnednnMemory *bias, const OnednnMemory *y,
                                     const OnednnWindow *window, const char *unwanted, const_dnnl_primitive_desc_t hint,
                                     dnnl_primitive_desc_t *primitive);
/** onednn_new_inner_product: ONEDNN_FORWARD or ONEDNN_BACKWARD_WEIGHT. */
dnnl_status_t onednn_new_inner_product(const OnednnMaker *maker, OnednnDirection direction, const OnednnMemory *x,
                                       const OnednnMemory *weight, const OnednnMemory *y,
                                       const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *primitive);
/** onednn_new_product: @bias: (nullable) */
dnnl_status_t onednn_new_product(const OnednnMaker *maker, const OnednnMemory *a, const OnednnMemory *b,
                                 const OnednnMemory *bias, const OnednnMemory *product, const char *unwanted,
                                 dnnl_primitive_desc_t *primitive);
/** onednn_kernel_name: (borrowed) */
const char *onednn_kernel_name(const_dnnl_primitive_desc_t primitive);
/** ONEDNN_AMX: what the names of its kernels for AMX, and no others, have. */
#define ONEDNN_AMX "amx"
/** onednn_is_amx_kernel: whether it is one for AMX. */
gboolean onednn_is_amx_kernel(const_dnnl_primitive_desc_t primitive);
dnnl_status_t onednn_new_batch_norm(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                    float epsilon, unsigned flags, const_dnnl_primitive_desc_t hint,
                                    dnnl_primitive_desc_t *primitive);
dnnl_status_t onednn_new_max_pool(const OnednnMaker *maker, dnnl_prop_kind_t kind, const OnednnMemory *x,
                                  const OnednnMemory *y, const OnednnWindow *window, const_dnnl_primitive_desc_t hint,
                                  dnnl_primitive_desc_t *primitive);
dnnl_status_t onednn_new_reorder(const OnednnMaker *maker, const OnednnMemory *from, const OnednnMemory *to,
                                 dnnl_primitive_desc_t *primitive);
