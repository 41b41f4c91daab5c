/*
 * Every call of oneDNN, in the words of this backend. Only onednn_api.c, onednn_descriptor.c and onednn_layout.c make
 * them, and onednn_library.c for what its versions 2 and 3 call differently.
 */
#pragma once

#include "backend/onednn/onednn_operand.h"
#include <oneapi/dnnl/dnnl_types.h> /* for DNNL_ARG_…, which name a primitive's operands in every version */

gpointer onednn_state_open(AimfPrecision precision, GError **error);
void onednn_state_close(gpointer state);
/** onednn_version: (owned) "oneDNN 2.6.3, AVX-512 BF16". */
char *onednn_version(void);

/** OnednnPrimitive: ready to run on memory that is bound to its operands, which DNNL_ARG_… name. */
typedef struct OnednnPrimitive OnednnPrimitive;

/*
 * Of a convolution in groups the weight has the shape (groups, O / groups, C / groups, kh, kw).
 *
 * Each returns a primitive (owned), or NULL with UNSUPPORTED, MEMORY or FAILED naming the operation and the shapes.
 * @x, @weight and @y stand for their gradients where the direction says so.
 */
OnednnPrimitive *onednn_convolution(OnednnState *state, OnednnDirection direction, const OnednnOperand *x,
                                    const OnednnOperand *weight, const OnednnOperand *bias, const OnednnOperand *y,
                                    const AimfConv2d *options, GError **error);
/**
 * onednn_linear: y (n, out) = x (n, in) * weight (out, in) transposed + bias; forward only. Where oneDNN has a kernel
 * for it, with AVX-512, sums have one order whatever n and the number of threads are, which those of oneDNN 2.6's inner
 * products have not (seen in f32 with 5120 inputs); onednn_linear.c says when that does not hold. The weight's layout
 * comes from onednn_linear_weight_layout, not from onednn_primitive_layout, to which it is transposed.
 * @without_amx: by the first kernel that is not one for AMX
 */
OnednnPrimitive *onednn_linear(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                               const OnednnOperand *bias, const OnednnOperand *y, gboolean without_amx, GError **error);
/** onednn_linear_takes_amx: whether oneDNN would take a kernel for AMX; nothing is compiled. */
gboolean onednn_linear_takes_amx(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                                 const OnednnOperand *bias, const OnednnOperand *y);
AimfLayout onednn_linear_weight_layout(const OnednnPrimitive *linear);
/** onednn_linear_backward_data: @dx (n, in) = @dy (n, out) * @weight (out, in). */
OnednnPrimitive *onednn_linear_backward_data(OnednnState *state, const OnednnOperand *dy, const OnednnOperand *weight,
                                             const OnednnOperand *dx, GError **error);
/** onednn_linear_backward_weight: @dweight (out, in) f32 = @dy (n, out) transposed * @x (n, in). */
OnednnPrimitive *onednn_linear_backward_weight(OnednnState *state, const OnednnOperand *x, const OnednnOperand *dweight,
                                               const OnednnOperand *dy, GError **error);
OnednnPrimitive *onednn_batch_norm(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                   GError **error);
/** @workspace: (nullable) of the forward kernel, if it fused a ReLU. */
OnednnPrimitive *onednn_batch_norm_backward(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                            const AimfLayout *workspace, GError **error);
/** @remember: for a backward kernel, in a workspace. */
OnednnPrimitive *onednn_max_pool(OnednnState *state, const OnednnOperand *x, const OnednnOperand *y,
                                 const AimfPool *options, gboolean remember, GError **error);
OnednnPrimitive *onednn_max_pool_backward(OnednnState *state, const OnednnOperand *x, const OnednnOperand *y,
                                          const AimfPool *options, const AimfLayout *workspace, GError **error);
/**
 * onednn_transposed_product: DST (m, n) f32 = transpose of SRC (k, m) * WEIGHTS (k, n), all row-major; the factors of
 * @dtype.
 */
OnednnPrimitive *onednn_transposed_product(OnednnState *state, gint64 m, gint64 n, gint64 k, AimfDtype dtype,
                                           GError **error);
OnednnPrimitive *onednn_reorder(OnednnState *state, const OnednnOperand *from, const OnednnOperand *to, GError **error);

/** onednn_primitive_layout: of one operand; bytes is 0 if the primitive has none of that name. */
AimfLayout onednn_primitive_layout(const OnednnPrimitive *primitive, int argument);
gsize onednn_primitive_scratch_bytes(const OnednnPrimitive *primitive);
/** onednn_primitive_name: (borrowed, interned) which of oneDNN's implementations it is. */
const char *onednn_primitive_name(const OnednnPrimitive *primitive);
/** onednn_is_amx: whether a primitive's kernel is one for AMX. */
gboolean onednn_is_amx(const OnednnPrimitive *primitive);
/**
 * onednn_falls_back: whether oneDNN has no kernel for such shapes and hands them to its GEMM or to its reference
 * loops. Which of the two can depend on the batch and the number of threads; the GEMM divides sums by that number and
 * allocates memory in every run. So in f32 kernels of our own take such a primitive's place. One that computes wrongly
 * counts as well.
 */
gboolean onednn_falls_back(const OnednnPrimitive *primitive);
/** onednn_primitive_is_faulty: a convolution that must not run; see onednn_faults.c. */
gboolean onednn_primitive_is_faulty(const OnednnPrimitive *primitive);
/** onednn_primitive_bind: nothing happens if the primitive has no such operand; a failure is told by running it. */
void onednn_primitive_bind(OnednnPrimitive *primitive, int argument, void *address);
/** onednn_primitive_run: FALSE with MEMORY or FAILED, naming the implementation; it may be run again. */
gboolean onednn_primitive_run(OnednnPrimitive *primitive, GError **error);
void onednn_primitive_free(OnednnPrimitive *primitive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OnednnPrimitive, onednn_primitive_free)
