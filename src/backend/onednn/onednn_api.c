#include "backend/onednn/onednn_api.h"

#include "backend/onednn/onednn_descriptor.h"
#include "backend/onednn/onednn_faults.h"
#include "base/intern.h"

#include <string.h>

enum { MAX_ARGUMENTS = 16 };

struct OnednnPrimitive {
    OnednnState *state;
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    int n, n_bound;
    gboolean faulty;
    dnnl_status_t bound;                      /* the first failure to bind, which running reports */
    dnnl_exec_arg_t arguments[MAX_ARGUMENTS]; /* (n), those first that have got memory */
};

/* --- Errors --- */

static const char *status_text(dnnl_status_t status)
{
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented for this processor";
    default:
        return "a failure at run time";
    }
}

/* Takes @status as an error of @operation on operands of the given shapes. TRUE: there is none. */
static gboolean check(dnnl_status_t status, GError **error, const char *operation, const OnednnOperand *const *operands,
                      int n)
{
    if (status == dnnl_success)
        return TRUE;
    g_autoptr(GString) shapes = g_string_new(NULL);
    for (int i = 0; i < n; i++) {
        if (!operands[i] || !operands[i]->shape)
            continue;
        g_autofree char *shape = aimf_shape_text(operands[i]->shape);
        g_string_append_printf(shapes, "%s%s %s", shapes->len ? ", " : "", aimf_dtype_name(operands[i]->dtype), shape);
    }
    int code = status == dnnl_unimplemented   ? AIMF_ERROR_UNSUPPORTED
               : status == dnnl_out_of_memory ? AIMF_ERROR_MEMORY
                                              : AIMF_ERROR_FAILED;
    g_set_error(error, AIMF_ERROR, code, "oneDNN: %s of %s: %s", operation, shapes->str, status_text(status));
    return FALSE;
}

/* --- Engine and state --- */

/* One for the process: oneDNN's cache of compiled primitives is keyed by it. */
static dnnl_engine_t the_engine(void)
{
    static gsize once;
    static dnnl_engine_t engine;
    if (g_once_init_enter(&once)) {
        if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
            engine = NULL;
        g_once_init_leave(&once, 1);
    }
    return engine;
}

gpointer onednn_state_open(AimfPrecision precision, GError **error)
{
    if (precision == AIMF_PRECISION_BF16 && aimf_instruction_set() < AIMF_ISA_AVX512_BF16) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "precision bf16 needs a processor with AVX512_BF16, which this one lacks; use f32");
        return NULL;
    }
    OnednnState *state = g_new0(OnednnState, 1);
    state->details = g_ptr_array_new_with_free_func(onednn_detail_free);
    dnnl_status_t status = the_engine() ? dnnl_success : dnnl_unimplemented;
    if (status == dnnl_success)
        status = dnnl_stream_create(&state->stream, the_engine(), dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&state->attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(state->attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        return state;
    if (status == dnnl_out_of_memory)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "oneDNN has no memory to begin with");
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "oneDNN cannot run on this processor");
    onednn_state_close(state);
    return NULL;
}

void onednn_state_close(gpointer data)
{
    OnednnState *state = data;
    if (!state)
        return;
    g_ptr_array_unref(state->details);
    if (state->attributes)
        dnnl_primitive_attr_destroy(state->attributes);
    if (state->stream)
        dnnl_stream_destroy(state->stream);
    g_free(state);
}

char *onednn_version(void)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = {
        { dnnl_cpu_isa_avx512_core_amx, "AMX" },
        { dnnl_cpu_isa_avx512_core_bf16, "AVX-512 BF16" },
        { dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI" },
        { dnnl_cpu_isa_avx512_core, "AVX-512" },
        { dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI" },
        { dnnl_cpu_isa_avx2, "AVX2" },
        { dnnl_cpu_isa_avx, "AVX" },
        { dnnl_cpu_isa_sse41, "SSE4.1" },
    };
    const dnnl_version_t *version = dnnl_version();
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    const char *name = "plain";
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if ((isa & names[i].isa) == names[i].isa) {
            name = names[i].name;
            break;
        }
    return g_strdup_printf("oneDNN %d.%d.%d, %s", version->major, version->minor, version->patch, name);
}

/* --- Primitives --- */

static OnednnPrimitive *primitive_new(OnednnState *state, const void *operation, const_dnnl_primitive_desc_t forward,
                                      dnnl_status_t *status)
{
    g_autoptr(OnednnPrimitive) primitive = g_new0(OnednnPrimitive, 1);
    primitive->state = state;
    *status = dnnl_primitive_desc_create(&primitive->descriptor, operation, state->attributes, the_engine(), forward);
    return *status == dnnl_success ? g_steal_pointer(&primitive) : NULL;
}

/* Compiles it and makes room for its operands, all those that oneDNN says it has. */
static gboolean primitive_build(OnednnPrimitive *primitive, dnnl_status_t *status)
{
    static const int names[] = { DNNL_ARG_SRC,        DNNL_ARG_WEIGHTS,   DNNL_ARG_BIAS,         DNNL_ARG_DST,
                                 DNNL_ARG_MEAN,       DNNL_ARG_VARIANCE,  DNNL_ARG_SCALE,        DNNL_ARG_SHIFT,
                                 DNNL_ARG_DIFF_SRC,   DNNL_ARG_DIFF_DST,  DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_SCALE,
                                 DNNL_ARG_DIFF_SHIFT, DNNL_ARG_WORKSPACE, DNNL_ARG_SCRATCHPAD };
    *status = dnnl_primitive_create(&primitive->primitive, primitive->descriptor);
    for (gsize i = 0; i < G_N_ELEMENTS(names) && *status == dnnl_success; i++) {
        const dnnl_memory_desc_t *memory =
            dnnl_primitive_desc_query_md(primitive->descriptor, dnnl_query_exec_arg_md, names[i]);
        if (!memory || dnnl_memory_desc_get_size(memory) == 0)
            continue;
        g_assert(primitive->n < MAX_ARGUMENTS);
        dnnl_exec_arg_t *argument = &primitive->arguments[primitive->n];
        argument->arg = names[i];
        *status = dnnl_memory_create(&argument->memory, memory, the_engine(), DNNL_MEMORY_NONE);
        primitive->n += *status == dnnl_success;
    }
    return *status == dnnl_success;
}

/* The way all primitives are made: descriptor, code, operands; any failure names @name and the operands' shapes. */
static OnednnPrimitive *make(OnednnState *state, const void *operation, const_dnnl_primitive_desc_t forward,
                             const char *name, const OnednnOperand *const *operands, int n, GError **error)
{
    dnnl_status_t status;
    g_autoptr(OnednnPrimitive) primitive = primitive_new(state, operation, forward, &status);
    if (primitive)
        primitive_build(primitive, &status);
    return check(status, error, name, operands, n) ? g_steal_pointer(&primitive) : NULL;
}

/* @primitive (nullable) */
static OnednnPrimitive *note_fault(OnednnPrimitive *primitive, gboolean faulty)
{
    if (primitive)
        primitive->faulty = faulty;
    return primitive;
}

static const char *const directions[] = { "forward", "backward data", "backward weight" };

OnednnPrimitive *onednn_convolution(OnednnState *state, OnednnDirection direction, const OnednnOperand *x,
                                    const OnednnOperand *weight, const OnednnOperand *bias, const OnednnOperand *y,
                                    const AimfConv2d *options, GError **error)
{
    const OnednnOperand *operands[] = { x, weight, bias, y };
    gboolean faulty = onednn_is_faulty(direction, x, weight, y, options);
    g_autofree char *name = g_strdup_printf("convolution %s", directions[direction]);
    dnnl_memory_desc_t mx = onednn_describe(x), mw = onednn_describe(weight), mb = onednn_describe(bias),
                       my = onednn_describe(y);
    dnnl_dims_t strides, between, before, after;
    for (int i = 0; i < 2; i++) {
        strides[i] = options->stride[i];
        /* With one tap there is nothing between, and kernels that are told otherwise fail (2.6's with AMX). */
        between[i] = weight->shape->dim[weight->shape->rank - 2 + i] > 1 ? options->dilation[i] - 1 : 0;
        before[i] = options->before[i];
        after[i] = options->after[i];
    }
    dnnl_convolution_desc_t forward, backward;
    /* A backward descriptor wants to see a forward one; that one may choose all layouts itself. */
    OnednnOperand free_x = *x, free_weight = *weight, free_y = *y;
    free_x.layout = free_weight.layout = free_y.layout = NULL;
    gboolean is_forward = direction == ONEDNN_FORWARD;
    free_weight.dtype = free_x.dtype;
    free_y.dtype = free_x.dtype;
    dnnl_memory_desc_t fx = is_forward ? mx : onednn_describe(&free_x),
                       fw = is_forward ? mw : onednn_describe(&free_weight),
                       fy = is_forward ? my : onednn_describe(&free_y);
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &forward, dnnl_forward_training, dnnl_convolution_direct, &fx, &fw, bias && bias->shape ? &mb : NULL, &fy,
        strides, between, before, after);
    if (!check(status, error, name, operands, 4))
        return NULL;
    if (is_forward)
        return note_fault(make(state, &forward, NULL, name, operands, 4, error), faulty);
    g_autoptr(OnednnPrimitive) hint = primitive_new(state, &forward, NULL, &status);
    if (status == dnnl_success && direction == ONEDNN_BACKWARD_DATA)
        status = dnnl_dilated_convolution_backward_data_desc_init(&backward, dnnl_convolution_direct, &mx, &mw, &my,
                                                                  strides, between, before, after);
    else if (status == dnnl_success)
        status = dnnl_dilated_convolution_backward_weights_desc_init(&backward, dnnl_convolution_direct, &mx, &mw, NULL,
                                                                     &my, strides, between, before, after);
    if (!check(status, error, name, operands, 4))
        return NULL;
    return note_fault(make(state, &backward, hint->descriptor, name, operands, 4, error), faulty);
}

OnednnPrimitive *onednn_linear_backward_weight(OnednnState *state, const OnednnOperand *x, const OnednnOperand *dweight,
                                               const OnednnOperand *dy, GError **error)
{
    static const char name[] = "linear, backward weight";
    const OnednnOperand *operands[] = { x, dweight, dy };
    dnnl_memory_desc_t mx = onednn_describe(x), mw = onednn_describe(dweight), my = onednn_describe(dy);
    OnednnOperand free_x = { x->shape, x->dtype, NULL }, free_weight = { dweight->shape, x->dtype, NULL };
    OnednnOperand free_y = { dy->shape, x->dtype, NULL };
    dnnl_memory_desc_t fx = onednn_describe(&free_x), fw = onednn_describe(&free_weight), fy = onednn_describe(&free_y);
    dnnl_inner_product_desc_t forward, backward;
    dnnl_status_t status = dnnl_inner_product_forward_desc_init(&forward, dnnl_forward_training, &fx, &fw, NULL, &fy);
    if (!check(status, error, name, operands, 3))
        return NULL;
    g_autoptr(OnednnPrimitive) hint = primitive_new(state, &forward, NULL, &status);
    if (status == dnnl_success)
        status = dnnl_inner_product_backward_weights_desc_init(&backward, &mx, &mw, NULL, &my);
    if (!check(status, error, name, operands, 3))
        return NULL;
    return make(state, &backward, hint->descriptor, name, operands, 3, error);
}

static OnednnPrimitive *product(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                                const OnednnOperand *bias, const OnednnOperand *y, const char *name, GError **error)
{
    const OnednnOperand *operands[] = { x, weight, bias, y };
    AimfShape row = AIMF_SHAPE(1, weight->shape->dim[1]);
    gboolean has_bias = bias && bias->shape;
    dnnl_memory_desc_t mx = onednn_describe(x), mw = onednn_describe(weight), my = onednn_describe(y);
    dnnl_memory_desc_t mb = onednn_by_tag(&row, AIMF_F32, dnnl_ab);
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, &mx, &mw, has_bias ? &mb : NULL, &my);
    if (!check(status, error, name, operands, 4))
        return NULL;
    return make(state, &operation, NULL, name, operands, 4, error);
}

OnednnPrimitive *onednn_linear(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                               const OnednnOperand *bias, const OnednnOperand *y, GError **error)
{
    AimfShape transposed = AIMF_SHAPE(weight->shape->dim[1], weight->shape->dim[0]);
    return product(state, x, &(OnednnOperand){ &transposed, weight->dtype, NULL }, bias, y, "linear", error);
}

OnednnPrimitive *onednn_linear_backward_data(OnednnState *state, const OnednnOperand *dy, const OnednnOperand *weight,
                                             const OnednnOperand *dx, GError **error)
{
    static const OnednnOperand no_bias = { NULL, AIMF_F32, NULL };
    return product(state, dy, weight, &no_bias, dx, "linear, backward data", error);
}

AimfLayout onednn_linear_weight_layout(const OnednnPrimitive *linear)
{
    static const int swap[] = { 1, 0 };
    dnnl_memory_desc_t memory = *dnnl_primitive_desc_query_md(linear->descriptor, dnnl_query_weights_md, 0), transposed;
    dnnl_status_t status = dnnl_memory_desc_permute_axes(&transposed, &memory, swap);
    g_assert(status == dnnl_success);
    return onednn_layout_of(linear->state, &transposed);
}

static dnnl_status_t batch_norm_forward(dnnl_batch_normalization_desc_t *operation, const dnnl_memory_desc_t *memory,
                                        const AimfBatchNorm *options, gboolean remember)
{
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    if (options->relu)
        flags |= dnnl_fuse_norm_relu;
    if (!options->training)
        flags |= dnnl_use_global_stats;
    return dnnl_batch_normalization_forward_desc_init(
        operation, remember ? dnnl_forward_training : dnnl_forward_inference, memory, (float)options->epsilon, flags);
}

OnednnPrimitive *onednn_batch_norm(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                   GError **error)
{
    dnnl_memory_desc_t memory = onednn_describe(x);
    dnnl_batch_normalization_desc_t operation;
    dnnl_status_t status = batch_norm_forward(&operation, &memory, options, options->training);
    if (!check(status, error, "batch normalisation", &x, 1))
        return NULL;
    return make(state, &operation, NULL, "batch normalisation", &x, 1, error);
}

OnednnPrimitive *onednn_batch_norm_backward(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                            const AimfLayout *workspace, GError **error)
{
    const char *name = "batch normalisation backward";
    dnnl_memory_desc_t memory = onednn_describe(x);
    dnnl_batch_normalization_desc_t forward, backward;
    AimfBatchNorm unfused = *options;
    unfused.relu = workspace != NULL;
    dnnl_status_t status = batch_norm_forward(&forward, &memory, &unfused, TRUE);
    if (!check(status, error, name, &x, 1))
        return NULL;
    g_autoptr(OnednnPrimitive) hint = NULL;
    const_dnnl_primitive_desc_t hint_descriptor = onednn_workspace_forward(workspace);
    if (!hint_descriptor) {
        hint = primitive_new(state, &forward, NULL, &status);
        hint_descriptor = hint ? hint->descriptor : NULL;
    }
    if (status == dnnl_success)
        /* Of 2.6's kernels none gives the data's gradient alone when there is a scale. */
        status = dnnl_batch_normalization_backward_desc_init(&backward, dnnl_backward, &memory, &memory,
                                                             (float)options->epsilon, forward.flags);
    if (!check(status, error, name, &x, 1))
        return NULL;
    return make(state, &backward, hint_descriptor, name, &x, 1, error);
}

/* A pooling window, with as much padding behind as the result's size asks for: see ceil of AimfPool. */
typedef struct {
    dnnl_dims_t strides, sizes, before, after;
} Window;

static Window window_of(const AimfPool *options, const OnednnOperand *x, const OnednnOperand *y)
{
    Window window;
    for (int i = 0; i < 2; i++) {
        window.strides[i] = options->stride[i];
        window.sizes[i] = options->window[i];
        window.before[i] = options->before[i];
        gint64 end = (y->shape->dim[2 + i] - 1) * options->stride[i] + options->window[i] - options->before[i];
        window.after[i] = MAX(end - x->shape->dim[2 + i], 0);
    }
    return window;
}

OnednnPrimitive *onednn_max_pool(OnednnState *state, const OnednnOperand *x, const OnednnOperand *y,
                                 const AimfPool *options, gboolean remember, GError **error)
{
    const OnednnOperand *operands[] = { x, y };
    dnnl_memory_desc_t mx = onednn_describe(x), my = onednn_describe(y);
    Window window = window_of(options, x, y);
    dnnl_pooling_desc_t operation;
    dnnl_status_t status = dnnl_pooling_forward_desc_init(
        &operation, remember ? dnnl_forward_training : dnnl_forward_inference, dnnl_pooling_max, &mx, &my,
        window.strides, window.sizes, window.before, window.after);
    if (!check(status, error, "max pooling", operands, 2))
        return NULL;
    return make(state, &operation, NULL, "max pooling", operands, 2, error);
}

OnednnPrimitive *onednn_max_pool_backward(OnednnState *state, const OnednnOperand *x, const OnednnOperand *y,
                                          const AimfPool *options, const AimfLayout *workspace, GError **error)
{
    const OnednnOperand *operands[] = { x, y };
    const_dnnl_primitive_desc_t forward = onednn_workspace_forward(workspace);
    dnnl_memory_desc_t mx = onednn_describe(x), my = onednn_describe(y);
    /*
     * The workspace counts positions in the forward kernel's order, so the gradients take the layouts of its operands.
     */
    if (forward) {
        mx = *dnnl_primitive_desc_query_md(forward, dnnl_query_src_md, 0);
        my = *dnnl_primitive_desc_query_md(forward, dnnl_query_dst_md, 0);
    }
    Window window = window_of(options, x, y);
    dnnl_pooling_desc_t operation;
    dnnl_status_t status = dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_max, &mx, &my, window.strides,
                                                           window.sizes, window.before, window.after);
    if (!check(status, error, "max pooling backward", operands, 2))
        return NULL;
    return make(state, &operation, forward, "max pooling backward", operands, 2, error);
}

OnednnPrimitive *onednn_transposed_product(OnednnState *state, gint64 m, gint64 n, gint64 k, AimfDtype dtype,
                                           GError **error)
{
    AimfShape as = AIMF_SHAPE(m, k), bs = AIMF_SHAPE(k, n), cs = AIMF_SHAPE(m, n);
    OnednnOperand a = { .shape = &as, .dtype = dtype }, b = { .shape = &bs, .dtype = dtype };
    const OnednnOperand *operands[] = { &a, &b };
    dnnl_memory_desc_t ma = onednn_by_tag(&as, dtype, dnnl_ba), mb = onednn_by_tag(&bs, dtype, dnnl_ab),
                       mc = onednn_by_tag(&cs, AIMF_F32, dnnl_ab);
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, &ma, &mb, NULL, &mc);
    if (!check(status, error, "matrix product", operands, 2))
        return NULL;
    return make(state, &operation, NULL, "matrix product", operands, 2, error);
}

OnednnPrimitive *onednn_reorder(OnednnState *state, const OnednnOperand *from, const OnednnOperand *to, GError **error)
{
    const OnednnOperand *operands[] = { from, to };
    dnnl_memory_desc_t source = onednn_describe(from), target = onednn_describe(to);
    g_autoptr(OnednnPrimitive) primitive = g_new0(OnednnPrimitive, 1);
    primitive->state = state;
    dnnl_status_t status = dnnl_success;
    /* The weight of a convolution in groups has one dimension more for oneDNN, which row-major order does not show. */
    if (source.ndims > target.ndims) {
        dnnl_memory_desc_t flat = target;
        status = dnnl_memory_desc_reshape(&target, &flat, source.ndims, source.dims);
    } else if (source.ndims < target.ndims) {
        dnnl_memory_desc_t flat = source;
        status = dnnl_memory_desc_reshape(&source, &flat, target.ndims, target.dims);
    }
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&primitive->descriptor, &source, the_engine(), &target,
                                                    the_engine(), state->attributes);
    if (status == dnnl_success)
        primitive_build(primitive, &status);
    return check(status, error, "reorder", operands, 2) ? g_steal_pointer(&primitive) : NULL;
}

AimfLayout onednn_primitive_layout(const OnednnPrimitive *primitive, int argument)
{
    const dnnl_memory_desc_t *memory =
        dnnl_primitive_desc_query_md(primitive->descriptor, dnnl_query_exec_arg_md, argument);
    if (!memory || dnnl_memory_desc_get_size(memory) == 0)
        return (AimfLayout){ 0 };
    return argument == DNNL_ARG_WORKSPACE ? onednn_workspace_layout(primitive->state, primitive->descriptor, memory)
                                          : onednn_layout_of(primitive->state, memory);
}

gsize onednn_primitive_scratch_bytes(const OnednnPrimitive *primitive)
{
    const dnnl_memory_desc_t *memory = dnnl_primitive_desc_query_md(primitive->descriptor, dnnl_query_scratchpad_md, 0);
    return memory ? dnnl_memory_desc_get_size(memory) : 0;
}

const char *onednn_primitive_name(const OnednnPrimitive *primitive)
{
    const char *name = NULL;
    dnnl_primitive_desc_query(primitive->descriptor, dnnl_query_impl_info_str, 0, &name);
    return aimf_intern(name ? name : "oneDNN");
}

gboolean onednn_is_amx(const OnednnPrimitive *primitive)
{
    return strstr(onednn_primitive_name(primitive), "amx") != NULL;
}

gboolean onednn_falls_back(const OnednnPrimitive *primitive)
{
    const char *name = onednn_primitive_name(primitive);
    return primitive->faulty || g_str_has_prefix(name, "gemm") || strstr(name, ":gemm") ||
           g_str_has_prefix(name, "ref");
}

gboolean onednn_primitive_is_faulty(const OnednnPrimitive *primitive)
{
    return primitive->faulty;
}

void onednn_primitive_bind(OnednnPrimitive *primitive, int argument, void *address)
{
    for (int i = 0; i < primitive->n; i++) {
        dnnl_exec_arg_t *found = &primitive->arguments[i], *target = found;
        if (found->arg != argument)
            continue;
        /* It also clears the padding of the layout, which takes a little memory. */
        dnnl_status_t status = dnnl_memory_set_data_handle(found->memory, address);
        if (primitive->bound == dnnl_success)
            primitive->bound = status;
        if (i >= primitive->n_bound)
            target = &primitive->arguments[primitive->n_bound++];
        dnnl_exec_arg_t displaced = *target;
        *target = *found;
        *found = displaced;
        return;
    }
}

gboolean onednn_primitive_run(OnednnPrimitive *primitive, GError **error)
{
    dnnl_status_t status = primitive->bound;
    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive->primitive, primitive->state->stream, primitive->n_bound,
                                        primitive->arguments);
    if (status == dnnl_success)
        return TRUE;
    /* Some matrix products allocate room for copies of their operands at every run. */
    g_set_error(error, AIMF_ERROR, status == dnnl_out_of_memory ? AIMF_ERROR_MEMORY : AIMF_ERROR_FAILED,
                "oneDNN: %s: %s", onednn_primitive_name(primitive), status_text(status));
    return FALSE;
}

void onednn_primitive_free(OnednnPrimitive *primitive)
{
    if (!primitive)
        return;
    for (int i = 0; i < primitive->n; i++)
        dnnl_memory_destroy(primitive->arguments[i].memory);
    if (primitive->primitive)
        dnnl_primitive_destroy(primitive->primitive);
    if (primitive->descriptor)
        dnnl_primitive_desc_destroy(primitive->descriptor);
    g_free(primitive);
}
