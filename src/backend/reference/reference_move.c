/* Operations that put elements elsewhere: each copies boxes of one value to boxes of another. */
#include "backend/reference/reference.h"

#include <string.h>

typedef struct {
    gint64 of[AIMF_MAX_RANK];
} Strides;

static Strides strides_of(const AimfShape *shape)
{
    Strides strides = { { 0 } };
    gint64 stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides.of[i] = stride;
        stride *= shape->dim[i];
    }
    return strides;
}

/* A box of @size (rank), whose elements lie by strides of their own on either side. */
static void copy_box(int rank, const gint64 *size, const float *from, const gint64 *from_strides, float *to,
                     const gint64 *to_strides)
{
    if (rank == 0)
        *to = *from;
    for (gint64 i = 0; rank > 0 && i < size[0]; i++)
        copy_box(rank - 1, size + 1, from + i * from_strides[0], from_strides + 1, to + i * to_strides[0],
                 to_strides + 1);
}

/* All of a part, which is a box of the whole that begins at @begin, into the whole or out of it. */
static void copy_part(float *part, const AimfShape *part_shape, float *whole, const AimfShape *whole_shape,
                      const gint64 *begin, gboolean into)
{
    Strides inner = strides_of(part_shape), outer = strides_of(whole_shape);
    for (int i = 0; i < part_shape->rank; i++)
        whole += begin[i] * outer.of[i];
    if (into)
        copy_box(part_shape->rank, part_shape->dim, part, inner.of, whole, outer.of);
    else
        copy_box(part_shape->rank, part_shape->dim, whole, outer.of, part, inner.of);
}

void reference_concat(const ReferenceCall *call)
{
    gint64 begin[AIMF_MAX_RANK] = { 0 };
    for (int i = 0; i < AIMF_MAX_INPUTS && call->in[i]; i++) {
        copy_part(call->in[i], &call->in_shape[i], call->out[0], &call->out_shape[0], begin, TRUE);
        begin[call->attributes.axis] += call->in_shape[i].dim[call->attributes.axis];
    }
}

void reference_split(const ReferenceCall *call)
{
    gint64 begin[AIMF_MAX_RANK] = { 0 };
    for (int i = 0; i < AIMF_MAX_OUTPUTS && call->out[i]; i++) {
        copy_part(call->out[i], &call->out_shape[i], call->in[0], &call->in_shape[0], begin, FALSE);
        begin[call->attributes.axis] += call->out_shape[i].dim[call->attributes.axis];
    }
}

void reference_slice(const ReferenceCall *call)
{
    copy_part(call->out[0], &call->out_shape[0], call->in[0], &call->in_shape[0], call->attributes.begin, FALSE);
}

void reference_pad(const ReferenceCall *call)
{
    const AimfPadding *padding = &call->attributes.padding;
    float *y = call->out[0];
    for (gint64 i = 0; i < aimf_shape_count(&call->out_shape[0]); i++)
        y[i] = (float)padding->value;
    copy_part(call->in[0], &call->in_shape[0], y, &call->out_shape[0], padding->before, TRUE);
}

void reference_transpose(const ReferenceCall *call)
{
    const AimfShape *ys = &call->out_shape[0];
    Strides from = strides_of(&call->in_shape[0]), turned = { { 0 } }, to = strides_of(ys);
    for (int i = 0; i < ys->rank; i++)
        turned.of[i] = from.of[call->attributes.order[i]];
    copy_box(ys->rank, ys->dim, call->in[0], turned.of, call->out[0], to.of);
}

void reference_reshape(const ReferenceCall *call)
{
    memcpy(call->out[0], call->in[0], (gsize)aimf_shape_count(&call->out_shape[0]) * sizeof(float));
}
