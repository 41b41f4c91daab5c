/*
 * Loops over operands of different shapes, whatever order of elements the largest one has: an operand that lacks a
 * dimension has a stride of 0 there.
 */
#pragma once

#include "backend/cpu/cpu.h"

enum { CPU_NEST_OPERANDS = 4, CPU_NEST_DIMS = AIMF_MAX_RANK + 2 };

/**
 * CpuNest: @n_dims, at least 2, outermost first; @stride and the place @first of each operand's first element are in
 * elements. Dimensions that are one for all operands have been joined.
 */
typedef struct {
    int n_dims;
    gint64 size[CPU_NEST_DIMS];
    gint64 stride[CPU_NEST_OPERANDS][CPU_NEST_DIMS];
    gint64 first[CPU_NEST_OPERANDS];
} CpuNest;

/**
 * CpuNestOperand: @shape: of the rank of the whole, 1 where it is broadcast; @blocked: it has all elements of the whole
 * and lies in blocks of channels as that does, otherwise it is row-major.
 */
typedef struct {
    AimfShape shape;
    gboolean blocked;
} CpuNestOperand;

/**
 * cpu_nests: for the @operands of a whole of the shape @whole in blocks of @block channels (1: row-major): full blocks
 * are one nest, and what channels are left over another, so that padding is neither read nor written.
 * Returns: how many
 */
int cpu_nests(CpuNest nests[2], const CpuNestOperand operands[CPU_NEST_OPERANDS], const AimfShape *whole, gint64 block);

/** cpu_nest_move: adds to @at (one per operand) where number @index of all places in the @dims (n) lies. */
static inline void cpu_nest_move(const CpuNest *nest, const int *dims, int n, gint64 index,
                                 gint64 at[CPU_NEST_OPERANDS])
{
    for (int i = n - 1; i >= 0; i--) {
        gint64 place = index % nest->size[dims[i]];
        index /= nest->size[dims[i]];
        for (int k = 0; k < CPU_NEST_OPERANDS; k++)
            at[k] += place * nest->stride[k][dims[i]];
    }
}
