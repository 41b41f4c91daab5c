#include "backend/reference/reference.h"
#include "graph/dropout_draw.h"

void reference_dropout(const ReferenceCall *call)
{
    const AimfDropout *options = &call->attributes.dropout;
    AimfDropoutDraw draw = aimf_dropout_draw(options, call->in[1]);
    const float *x = call->in[0];
    float *y = call->out[0];
    gint64 n = aimf_shape_count(&call->out_shape[0]), each = options->samples ? n / call->out_shape[0].dim[0] : 1;
    for (gint64 i = 0; i < n; i++)
        y[i] = x[i] * aimf_dropout_factor(&draw, i / each);
}
