/*
 * Element types and shapes, the vocabulary that weights and graphs share.
 *
 * Example:
 *     gint64 bytes_of_convolution(int outputs, int inputs)
 *     {
 *         AimfShape shape = AIMF_SHAPE(outputs, inputs, 3, 3);
 *         gint64 n = aimf_shape_count(&shape);
 *         return n < 0 ? -1 : n * (gint64)aimf_dtype_bytes(AIMF_F32); // -1: no such tensor
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AIMF_MAX_RANK 8

typedef enum {
    AIMF_F32,
    AIMF_BF16,
    AIMF_F16,
    AIMF_F64,
    AIMF_I64,
    AIMF_I32,
    AIMF_I16,
    AIMF_I8,
    AIMF_U8,
    AIMF_BOOL,
    AIMF_F8_E4M3, /* without infinities: "e4m3fn", 448 at most. Micikevicius et al. 2022, and OCP's FP8 */
    AIMF_F8_E5M2,
    AIMF_U64,
    AIMF_U32,
    AIMF_U16,
    AIMF_N_DTYPES,
} AimfDtype;

/**
 * AimfShape:
 * @rank: number of dimensions, 0 for a scalar; @dim: their sizes, outermost first (row-major), the rest unused
 */
typedef struct {
    int rank;
    gint64 dim[AIMF_MAX_RANK];
} AimfShape;

/** AIMF_SHAPE: a shape from its sizes, for instance AIMF_SHAPE(64, 3, 7, 7). */
#define AIMF_SHAPE(...)                                                                                                \
    ((AimfShape){ .rank = (int)(sizeof((gint64[]){ __VA_ARGS__ }) / sizeof(gint64)), .dim = { __VA_ARGS__ } })

/** aimf_dtype_bytes: size of one element. */
gsize aimf_dtype_bytes(AimfDtype dtype);
/** aimf_dtype_name: (borrowed) "f32", "bf16" … */
const char *aimf_dtype_name(AimfDtype dtype);

/** aimf_shape_count: number of elements; 1 for a scalar, -1 if a size is negative or the product overflows. */
gint64 aimf_shape_count(const AimfShape *shape);
gboolean aimf_shape_equal(const AimfShape *a, const AimfShape *b);
/** aimf_shape_text: (owned) "64x3x7x7", "scalar" for rank 0. */
char *aimf_shape_text(const AimfShape *shape);

G_END_DECLS
