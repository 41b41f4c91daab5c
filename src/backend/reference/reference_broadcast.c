/* Operations on operands of different shapes, and reductions: operands are found by the place in the largest one. */
#include "backend/reference/reference.h"

#include <math.h>

/* Reads operands at one place; what is not there is 0. */
typedef double (*Term)(const ReferenceCall *call, double a, double b, double dy);

typedef struct {
    AimfShape whole, shapes[4]; /* three operands and the result, all of one rank */
} Space;

static Space space_of(const ReferenceCall *call)
{
    Space space = { .whole = call->out_shape[0] };
    const AimfShape *shapes[] = { &call->in_shape[0], &call->in_shape[1], &call->in_shape[2], &call->out_shape[0] };
    for (int i = 0; i < 3; i++)
        if (call->in[i] &&
            (shapes[i]->rank > space.whole.rank || aimf_shape_count(shapes[i]) > aimf_shape_count(&space.whole)))
            space.whole = *shapes[i];
    for (int i = 0; i < 4; i++)
        space.shapes[i] = aimf_broadcast_lay(shapes[i], space.whole.rank, call->attributes.broadcast.axes);
    return space;
}

/* Where @at lies in an operand. */
static gint64 offset_of(const AimfShape *shape, const gint64 *at)
{
    gint64 offset = 0;
    for (int i = 0; i < shape->rank; i++)
        offset = offset * shape->dim[i] + (shape->dim[i] == 1 ? 0 : at[i]);
    return offset;
}

/* Sets those coordinates of @at that the result has, or else those that it lacks, to the place number @index. */
static void place(const Space *space, gboolean kept, gint64 index, gint64 *at)
{
    for (int i = space->whole.rank - 1; i >= 0; i--) {
        if ((space->shapes[3].dim[i] == space->whole.dim[i]) != kept)
            continue;
        at[i] = index % space->whole.dim[i];
        index /= space->whole.dim[i];
    }
}

static double term_at(const ReferenceCall *call, const Space *space, Term term, const gint64 *at)
{
    double values[3] = { 0 };
    for (int i = 0; i < 3; i++)
        if (call->in[i])
            values[i] = ((const float *)call->in[i])[offset_of(&space->shapes[i], at)];
    return term(call, values[0], values[1], values[2]);
}

/* For each place of the result the sum, or else the maximum, of all terms there; NaN is a maximum. */
static void reduce(const ReferenceCall *call, Term term, gboolean maximum)
{
    Space space = space_of(call);
    gint64 n = aimf_shape_count(&call->out_shape[0]), each = aimf_shape_count(&space.whole) / n, at[AIMF_MAX_RANK];
    for (gint64 i = 0; i < n; i++) {
        double total = maximum ? -INFINITY : 0;
        place(&space, TRUE, i, at);
        for (gint64 k = 0; k < each; k++) {
            place(&space, FALSE, k, at);
            double value = term_at(call, &space, term, at);
            if (!maximum)
                total += value;
            else if (value > total || isnan(value))
                total = value;
        }
        ((float *)call->out[0])[i] = (float)total;
    }
}

/* An operation of two operands, and the gradients of both. */
#define BINARY(name, VALUE)                                                                                            \
    static double name##_term(const ReferenceCall *call, double a, double b, double dy)                                \
    {                                                                                                                  \
        (void)call, (void)a, (void)b, (void)dy;                                                                        \
        return VALUE;                                                                                                  \
    }                                                                                                                  \
    void reference_##name(const ReferenceCall *call)                                                                   \
    {                                                                                                                  \
        reduce(call, name##_term, FALSE);                                                                              \
    }
#define DERIVATIVES(name, OF_A, OF_B) BINARY(name##_backward, call->attributes.broadcast.operand ? (OF_B) : (OF_A))

BINARY(add, a + b)
BINARY(subtract, a - b)
BINARY(multiply, (a) * (b))
DERIVATIVES(multiply, (dy) * (b), (dy) * (a))
BINARY(divide, a / b)
DERIVATIVES(divide, dy / b, -dy / b / b * a)
BINARY(power, pow(a, b))
DERIVATIVES(power, b == 0 ? 0 : dy * b * pow(a, b - 1), a == 0 && b >= 0 ? 0 : dy * pow(a, b) * log(a))
BINARY(minimum, isnan(a) || a < b ? a : b)
DERIVATIVES(minimum, a < b ? dy : a == b ? dy / 2 : 0, b < a ? dy : a == b ? dy / 2 : 0)
BINARY(maximum, isnan(a) || a > b ? a : b)
DERIVATIVES(maximum, a > b ? dy : a == b ? dy / 2 : 0, b > a ? dy : a == b ? dy / 2 : 0)
BINARY(prelu, a > 0 ? a : b * a)
DERIVATIVES(prelu, a > 0 ? dy : b * dy, a > 0 ? 0 : a * dy)
DERIVATIVES(reduce_max, a == b ? dy : 0, a == b)

static double scaled(const ReferenceCall *call, double a, double b, double dy)
{
    (void)b, (void)dy;
    return (call->in[0] ? a : 1) * call->attributes.broadcast.scale;
}

void reference_expand(const ReferenceCall *call)
{
    reduce(call, scaled, FALSE);
}

void reference_reduce_sum(const ReferenceCall *call)
{
    reduce(call, scaled, FALSE);
}

void reference_reduce_max(const ReferenceCall *call)
{
    reduce(call, scaled, TRUE);
}
