#include "backend/cpu/cpu_nest.h"

#include <string.h>

/* Strides of a row-major operand, 0 where it is broadcast. */
static void row_major_strides(const AimfShape *shape, gint64 *strides)
{
    gint64 stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = shape->dim[i] == 1 ? 0 : stride;
        stride *= shape->dim[i];
    }
}

/* Dimensions [N][C / block][all others][lanes]: @lanes of each of @blocks blocks, from block @first on. */
static void fill_blocked(CpuNest *nest, const CpuNestOperand *operands, const AimfShape *whole, gint64 block,
                         gint64 first, gint64 blocks, gint64 lanes)
{
    int rank = whole->rank;
    nest->n_dims = rank + 1;
    memcpy(nest->size, whole->dim, sizeof whole->dim);
    nest->size[1] = blocks;
    nest->size[rank] = lanes;
    for (int k = 0; k < CPU_NEST_OPERANDS; k++) {
        gint64 *strides = nest->stride[k], positions = 1, channel;
        row_major_strides(&operands[k].shape, strides);
        channel = strides[1];
        if (operands[k].blocked) {
            for (int i = rank - 1; i >= 2; i--) {
                strides[i] = positions * block;
                positions *= whole->dim[i];
            }
            strides[0] = (whole->dim[1] + block - 1) / block * block * positions;
            channel = 1;
        }
        strides[1] = channel * block * positions;
        strides[rank] = channel;
        nest->first[k] = first * strides[1];
    }
}

static void fill_row_major(CpuNest *nest, const CpuNestOperand *operands, const AimfShape *whole)
{
    nest->n_dims = whole->rank;
    memcpy(nest->size, whole->dim, sizeof whole->dim);
    for (int k = 0; k < CPU_NEST_OPERANDS; k++)
        row_major_strides(&operands[k].shape, nest->stride[k]);
}

static gboolean can_join(const CpuNest *nest, int outer, int inner)
{
    for (int k = 0; k < CPU_NEST_OPERANDS; k++)
        if (nest->stride[k][outer] != nest->stride[k][inner] * nest->size[inner])
            return FALSE;
    return TRUE;
}

static void copy_dim(CpuNest *to, int at, const CpuNest *from, int dim)
{
    to->size[at] = from->size[dim];
    for (int k = 0; k < CPU_NEST_OPERANDS; k++)
        to->stride[k][at] = from->stride[k][dim];
}

/*
 * Joins what can be, and drops dimensions of 1, but never the last of a blocked whole: elements lie side by side there
 * only.
 */
static void simplify(CpuNest *nest, gboolean blocked)
{
    CpuNest joined = { 0 };
    memcpy(joined.first, nest->first, sizeof joined.first);
    int at = CPU_NEST_DIMS; /* filled from the innermost dimension on, which stands last */
    for (int d = nest->n_dims - 1; d >= 0; d--) {
        if (nest->size[d] == 1 && !(blocked && d == nest->n_dims - 1))
            continue;
        copy_dim(&joined, --at, nest, d);
        if (at + 1 < CPU_NEST_DIMS && can_join(&joined, at, at + 1)) {
            joined.size[at + 1] *= joined.size[at];
            at++;
        }
    }
    while (at > CPU_NEST_DIMS - 2) {
        at--;
        joined.size[at] = 1;
        for (int k = 0; k < CPU_NEST_OPERANDS; k++)
            joined.stride[k][at] = 0;
    }
    joined.n_dims = CPU_NEST_DIMS - at;
    for (int d = 0; d < joined.n_dims; d++)
        copy_dim(&joined, d, &joined, at + d);
    *nest = joined;
}

int cpu_nests(CpuNest nests[2], const CpuNestOperand operands[CPU_NEST_OPERANDS], const AimfShape *whole, gint64 block)
{
    int n = 0;
    memset(nests, 0, 2 * sizeof *nests);
    if (block <= 1) {
        fill_row_major(&nests[n++], operands, whole);
    } else {
        gint64 full = whole->dim[1] / block, rest = whole->dim[1] % block;
        if (full)
            fill_blocked(&nests[n++], operands, whole, block, 0, full, block);
        if (rest)
            fill_blocked(&nests[n++], operands, whole, block, full, 1, rest);
    }
    for (int i = 0; i < n; i++)
        simplify(&nests[i], block > 1);
    return n;
}
