/* Layouts and operands as oneDNN's memory descriptors: for onednn_api.c and onednn_layout.c alone. */
#pragma once

#include "backend/onednn/onednn_library.h"

/*
 * A layout's detail. @forward: of a workspace, the descriptor of the primitive that writes it, which its backward one
 * needs.
 * @packing: of a parameter that was packed for a kernel of our own; name NULL if it is none. @memory is NULL then.
 */
typedef struct {
    OnednnMemory *memory;
    dnnl_primitive_desc_t forward;
    CpuPacking packing;
} OnednnDetail;

struct OnednnState {
    dnnl_engine_t engine; /* (borrowed) */
    dnnl_stream_t stream;
    dnnl_primitive_attr_t attributes;
    GPtrArray *details; /* OnednnDetail, each once */
};

void onednn_detail_free(gpointer detail);
dnnl_data_type_t onednn_data_type(AimfDtype dtype);
/** onednn_by_tag: (owned) */
OnednnMemory *onednn_by_tag(const AimfShape *shape, AimfDtype dtype, dnnl_format_tag_t tag);
/** onednn_describe: (owned) NULL stands for an operand that is not there. */
OnednnMemory *onednn_describe(const OnednnOperand *operand);
/** onednn_layout_of: (borrowed from @state) */
AimfLayout onednn_layout_of(OnednnState *state, const OnednnMemory *memory);
/** onednn_workspace_layout: of memory that remembers for a backward primitive what the one of @forward did. */
AimfLayout onednn_workspace_layout(OnednnState *state, const_dnnl_primitive_desc_t forward, const OnednnMemory *memory);
/** onednn_workspace_forward: (nullable, borrowed) */
const_dnnl_primitive_desc_t onednn_workspace_forward(const AimfLayout *workspace);

/** onednn_offset_of: how far apart index 0 and index @at of dimension @dim lie, in elements. */
gint64 onednn_offset_of(const OnednnMemory *memory, int dim, gint64 at);
/** onednn_lies_in: whether dimension @dim of stride @stride in blocks of @block elements @distance apart lies so. */
gboolean onednn_lies_in(const OnednnMemory *memory, int dim, gint64 stride, gint64 block, gint64 distance);
