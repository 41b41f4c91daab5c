/* The inside of resizing: filter weights and the passes over them, for resize.c, planes.c and their tests. */
#pragma once

#include <aimfair/image.h>

/*
 * Weights are 22-bit fixed point: 32 bits less 8 for a sample and 2 so that a sum with negative lobes cannot overflow.
 * Source: Pillow, src/libImaging/Resample.c, PRECISION_BITS.
 */
enum { AIMF_WEIGHT_BITS = 22 };

/*
 * For the SIMD passes a weight is high * 2^15 + low, with low in [0, 2^15), so that 16-bit multiply-add instructions
 * take two taps at once; sums of both parts are exact in 32 bits.
 */
enum { AIMF_LOW_BITS = 15 };

/**
 * AimfTapPair: the two halves of the weights of two neighbouring taps, the first tap's in the lower 16 bits of each.
 */
typedef struct {
    gint32 low;
    gint32 high;
} AimfTapPair;

/* Outputs that the horizontal pass may take together: what is stored per output is padded to a multiple of it. */
enum { AIMF_GROUP = 4 };

/**
 * AimfTaps: output position i is the sum over t < @width of @weights[i * width + t] times input position @first[i] +
 * t. Every run lies inside the input; weights that do not count are 0. @first never decreases, or never increases
 * when mirrored.
 * @pairs: (n_pairs, stride) the same weights for SIMD; an odd last tap has a partner of weight 0. @first and @pairs
 *   go on to
 * @stride, n rounded up to a multiple of AIMF_GROUP, with outputs of weight 0 at input position 0.
 */
typedef struct {
    int n;
    int stride;
    int width;
    int n_pairs;
    int *first;
    gint32 *weights;
    AimfTapPair *pairs;
} AimfTaps;

/**
 * AimfAxis: one direction of resizing @in positions to @out, of which those from @first on are wanted, @n of them.
 * @mirror: the wanted outputs in reverse order
 */
typedef struct {
    int in, out;
    int first, n;
    AimfFilter filter;
    AimfResizing resizing;
    gboolean aliased;
    gboolean mirror;
} AimfAxis;

/** aimf_taps_init: for resizing to 8 bits. FALSE when memory is short. */
gboolean aimf_taps_init(AimfTaps *taps, const AimfAxis *axis);
void aimf_taps_clear(AimfTaps *taps);

/** What a pass may read or write beyond the end of its rows. */
enum { AIMF_ROW_SLACK = 32 };

/**
 * AimfPasses: one instruction set's inner loops.
 * @horizontal: one row of RGB; reads and writes up to AIMF_ROW_SLACK bytes too far
 * @vertical: output row @y; @rows: (2 * n_pairs) the input rows of its taps, @bytes each, read up to AIMF_ROW_SLACK
 *   bytes too far, as @out is written
 */
typedef struct {
    const char *name;
    void (*horizontal)(guint8 *out, const guint8 *in, const AimfTaps *taps);
    void (*vertical)(guint8 *out, const guint8 *const *rows, gsize bytes, const AimfTaps *taps, int y);
} AimfPasses;

/** aimf_passes_plain: C alone, what the others must equal. aimf_passes_avx2, _avx512: on x86-64 only. */
extern const AimfPasses aimf_passes_plain;
extern const AimfPasses aimf_passes_avx2;
extern const AimfPasses aimf_passes_avx512;
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
