/* The inside of resizing: rows of a resized picture, one by one. */
#pragma once

#include "image/passes.h"

/** aimf_passes_supported: (borrowed) what this processor can run, the slowest first; their number in @n. */
const AimfPasses *const *aimf_passes_supported(guint *n);

/**
 * AimfResizer: yields the rows of a resized picture from top to bottom, holding no more of the horizontally resized
 * input than one row's taps.
 */
typedef struct AimfResizer AimfResizer;

/**
 * AimfResizeOptions:
 * @box: the part of @image that is resized; @width, @height: of the output
 * @whole: the size that @box becomes, of which the output is the part at (@x, @y); zero: the output is all of it
 * @resizing, @aliased: see AimfPreprocess; AimfResizer does the kinds that round to 8 bits after each pass,
 *   AimfFloatResizer the others
 */
typedef struct {
    const AimfImage *image;
    AimfBox box;
    int width, height;
    struct {
        int width, height, x, y;
    } whole;
    AimfFilter filter;
    AimfResizing resizing;
    gboolean aliased;
    gboolean flip;
    const AimfPasses *passes; /* NULL: the fastest */
} AimfResizeOptions;

/** aimf_resize_prepare: checks the sizes of @options and fills in both axes. FALSE with INVALID. */
gboolean aimf_resize_prepare(const AimfResizeOptions *options, AimfAxis *across, AimfAxis *down, GError **error);

/** aimf_resizer_new: (owned) or NULL with INVALID (box, size) or MEMORY. */
AimfResizer *aimf_resizer_new(const AimfResizeOptions *options, GError **error);
void aimf_resizer_free(AimfResizer *resizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfResizer, aimf_resizer_free)
/** aimf_resizer_row: (borrowed) the next row, RGB, valid until the next call. */
const guint8 *aimf_resizer_row(AimfResizer *resizer);

/** AimfFloatResizer: the same in single precision, as PyTorch's kernels for floating-point tensors compute. */
typedef struct AimfFloatResizer AimfFloatResizer;

/** aimf_float_resizer_new: (owned) @samples: the values of the 256 samples there are. NULL with INVALID or MEMORY. */
AimfFloatResizer *aimf_float_resizer_new(const AimfResizeOptions *options, const float samples[256], GError **error);
void aimf_float_resizer_free(AimfFloatResizer *resizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfFloatResizer, aimf_float_resizer_free)
/** aimf_float_resizer_row: (borrowed) the next row, RGB, valid until the next call. */
const float *aimf_float_resizer_row(AimfFloatResizer *resizer);

/** aimf_box_check: @box, or all of @image when NULL, into @out; FALSE with INVALID when it is not inside. */
gboolean aimf_box_check(const AimfImage *image, const AimfBox *box, AimfBox *out, GError **error);
