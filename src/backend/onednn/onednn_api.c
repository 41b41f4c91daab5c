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
    state->maker.engine = the_engine();
    dnnl_status_t status = state->maker.engine ? dnnl_success : dnnl_unimplemented;
    if (status == dnnl_success)
        status = dnnl_stream_create(&state->stream, state->maker.engine, dnnl_stream_default_flags);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&state->maker.attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(state->maker.attributes, dnnl_scratchpad_mode_user);
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
    if (state->maker.attributes)
        dnnl_primitive_attr_destroy(state->maker.attributes);
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
#if defined(__x86_64__) /* elsewhere the same numbers are levels that oneDNN's headers do not tell */
        { dnnl_cpu_isa_avx512_core_amx, "AMX" },
        { dnnl_cpu_isa_avx512_core_bf16, "AVX-512 BF16" },
        { dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI" },
        { dnnl_cpu_isa_avx512_core, "AVX-512" },
        { dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI" },
        { dnnl_cpu_isa_avx2, "AVX2" },
        { dnnl_cpu_isa_avx, "AVX" },
        { dnnl_cpu_isa_sse41, "SSE4.1" },
#endif
        { 0, "plain" },
    };
    const dnnl_version_t *version = dnnl_version();
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    gsize i = 0;
    while ((isa & names[i].isa) != names[i].isa)
        i++;
    return g_strdup_printf("oneDNN %d.%d.%d, %s", version->major, version->minor, version->patch, names[i].name);
}

/* --- Primitives --- */

/* Compiles it and makes room for its operands, all those that oneDNN says it has. */
static gboolean primitive_build(OnednnPrimitive *primitive, dnnl_status_t *status)
{
    static const int names[] = { DNNL_ARG_SRC,        DNNL_ARG_WEIGHTS,   DNNL_ARG_BIAS,         DNNL_ARG_DST,
                                 DNNL_ARG_MEAN,       DNNL_ARG_VARIANCE,  DNNL_ARG_SCALE,        DNNL_ARG_SHIFT,
                                 DNNL_ARG_DIFF_SRC,   DNNL_ARG_DIFF_DST,  DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_SCALE,
                                 DNNL_ARG_DIFF_SHIFT, DNNL_ARG_WORKSPACE, DNNL_ARG_SCRATCHPAD };
    *status = dnnl_primitive_create(&primitive->primitive, primitive->descriptor);
    for (gsize i = 0; i < G_N_ELEMENTS(names) && *status == dnnl_success; i++) {
        g_autoptr(OnednnMemory) memory = onednn_memory_of_argument(primitive->descriptor, names[i]);
        if (!memory)
            continue;
        g_assert(primitive->n < MAX_ARGUMENTS);
        dnnl_exec_arg_t *argument = &primitive->arguments[primitive->n];
        argument->arg = names[i];
        *status = onednn_memory_room(memory, primitive->state->maker.engine, &argument->memory);
        primitive->n += *status == dnnl_success;
    }
    return *status == dnnl_success;
}

/* The end of making any primitive from @descriptor (owned), of which oneDNN says @status: code and operands. */
static OnednnPrimitive *make(OnednnState *state, dnnl_status_t status, dnnl_primitive_desc_t descriptor,
                             const char *name, const OnednnOperand *const *operands, int n, GError **error)
{
    g_autoptr(OnednnPrimitive) primitive = g_new0(OnednnPrimitive, 1);
    primitive->state = state;
    if (status == dnnl_success) {
        primitive->descriptor = descriptor;
        primitive_build(primitive, &status);
    }
    return check(status, error, name, operands, n) ? g_steal_pointer(&primitive) : NULL;
}

/* @primitive (nullable) */
static OnednnPrimitive *note_fault(OnednnPrimitive *primitive, gboolean faulty)
{
    if (primitive)
        primitive->faulty = faulty;
    return primitive;
}

/* A descriptor for a backward one to see; operands in layouts that it may choose. */
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(dnnl_primitive_desc_t, dnnl_primitive_desc_destroy, NULL)

/* (owned) @operand in any layout, as of type @dtype */
static OnednnMemory *describe_freely(const OnednnOperand *operand, AimfDtype dtype)
{
    return onednn_describe(&(OnednnOperand){ operand->shape, dtype, NULL });
}

/*
 * (nullable) What the names of kernels have that are not worth taking for this weight. Channel by channel, 3.7 would
 * make the data's gradient as matrix products of one column, 40 to 100 times slower than by its depthwise kernel,
 * which it names second.
 */
static const char *slow_kernels(const AimfShape *weight)
{
    gboolean depthwise = weight->rank == 5 && weight->dim[1] == 1 && weight->dim[2] == 1;
    return depthwise ? "brgconv" : NULL;
}

static const char *const directions[] = { "forward", "backward data", "backward weight" };

OnednnPrimitive *onednn_convolution(OnednnState *state, OnednnDirection direction, const OnednnOperand *x,
                                    const OnednnOperand *weight, const OnednnOperand *bias, const OnednnOperand *y,
                                    const AimfConv2d *options, GError **error)
{
    const OnednnOperand *operands[] = { x, weight, bias, y };
    gboolean faulty = onednn_is_faulty(direction, x, weight, y, options);
    g_autofree char *name = g_strdup_printf("convolution %s", directions[direction]);
    g_autoptr(OnednnMemory) mx = onednn_describe(x);
    g_autoptr(OnednnMemory) mw = onednn_describe(weight);
    g_autoptr(OnednnMemory) mb = onednn_describe(bias);
    g_autoptr(OnednnMemory) my = onednn_describe(y);
    OnednnWindow window = { 0 };
    for (int i = 0; i < 2; i++) {
        window.stride[i] = options->stride[i];
        /* With one tap there is nothing between, and kernels that are told otherwise fail (2.6's with AMX). */
        window.dilation[i] = weight->shape->dim[weight->shape->rank - 2 + i] > 1 ? options->dilation[i] - 1 : 0;
        window.before[i] = options->before[i];
        window.after[i] = options->after[i];
    }
    g_auto(dnnl_primitive_desc_t) hint = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = dnnl_success;
    if (direction != ONEDNN_FORWARD) {
        g_autoptr(OnednnMemory) fx = describe_freely(x, x->dtype);
        g_autoptr(OnednnMemory) fw = describe_freely(weight, x->dtype);
        g_autoptr(OnednnMemory) fy = describe_freely(y, x->dtype);
        status = onednn_new_convolution(&state->maker, ONEDNN_FORWARD, fx, fw, mb, fy, &window, NULL, NULL, &hint);
    }
    if (status == dnnl_success)
        status = onednn_new_convolution(&state->maker, direction, mx, mw, mb, my, &window, slow_kernels(weight->shape),
                                        hint, &descriptor);
    return note_fault(make(state, status, descriptor, name, operands, 4, error), faulty);
}

OnednnPrimitive *onednn_linear_backward_weight(OnednnState *state, const OnednnOperand *x, const OnednnOperand *dweight,
                                               const OnednnOperand *dy, GError **error)
{
    const OnednnOperand *operands[] = { x, dweight, dy };
    g_autoptr(OnednnMemory) mx = onednn_describe(x);
    g_autoptr(OnednnMemory) mw = onednn_describe(dweight);
    g_autoptr(OnednnMemory) my = onednn_describe(dy);
    g_autoptr(OnednnMemory) fx = describe_freely(x, x->dtype);
    g_autoptr(OnednnMemory) fw = describe_freely(dweight, x->dtype);
    g_autoptr(OnednnMemory) fy = describe_freely(dy, x->dtype);
    g_auto(dnnl_primitive_desc_t) hint = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = onednn_new_inner_product(&state->maker, ONEDNN_FORWARD, fx, fw, fy, NULL, &hint);
    if (status == dnnl_success)
        status = onednn_new_inner_product(&state->maker, ONEDNN_BACKWARD_WEIGHT, mx, mw, my, hint, &descriptor);
    return make(state, status, descriptor, "linear, backward weight", operands, 3, error);
}

static dnnl_status_t describe_product(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                                      const OnednnOperand *bias, const OnednnOperand *y, const char *unwanted,
                                      dnnl_primitive_desc_t *descriptor)
{
    AimfShape row = AIMF_SHAPE(1, weight->shape->dim[1]);
    g_autoptr(OnednnMemory) mx = onednn_describe(x);
    g_autoptr(OnednnMemory) mw = onednn_describe(weight);
    g_autoptr(OnednnMemory) mb = bias && bias->shape ? onednn_by_tag(&row, AIMF_F32, dnnl_ab) : NULL;
    g_autoptr(OnednnMemory) my = onednn_describe(y);
    return onednn_new_product(&state->maker, mx, mw, mb, my, unwanted, descriptor);
}

/* The weight of a linear layer as the second factor, however oneDNN wants it to lie. */
static OnednnOperand second_factor(const OnednnOperand *weight, AimfShape *shape)
{
    *shape = AIMF_SHAPE(weight->shape->dim[1], weight->shape->dim[0]);
    return (OnednnOperand){ shape, weight->dtype, NULL };
}

OnednnPrimitive *onednn_linear(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                               const OnednnOperand *bias, const OnednnOperand *y, gboolean without_amx, GError **error)
{
    AimfShape shape;
    const OnednnOperand factor = second_factor(weight, &shape), *operands[] = { x, &factor, bias, y };
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = describe_product(state, x, &factor, bias, y, without_amx ? ONEDNN_AMX : NULL, &descriptor);
    return make(state, status, descriptor, "linear", operands, 4, error);
}

gboolean onednn_linear_takes_amx(OnednnState *state, const OnednnOperand *x, const OnednnOperand *weight,
                                 const OnednnOperand *bias, const OnednnOperand *y)
{
    AimfShape shape;
    const OnednnOperand factor = second_factor(weight, &shape);
    g_auto(dnnl_primitive_desc_t) descriptor = NULL;
    return describe_product(state, x, &factor, bias, y, NULL, &descriptor) == dnnl_success &&
           onednn_is_amx_kernel(descriptor);
}

OnednnPrimitive *onednn_linear_backward_data(OnednnState *state, const OnednnOperand *dy, const OnednnOperand *weight,
                                             const OnednnOperand *dx, GError **error)
{
    const OnednnOperand *operands[] = { dy, weight, dx };
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = describe_product(state, dy, weight, NULL, dx, NULL, &descriptor);
    return make(state, status, descriptor, "linear, backward data", operands, 3, error);
}

AimfLayout onednn_linear_weight_layout(const OnednnPrimitive *linear)
{
    g_autoptr(OnednnMemory) weight = onednn_memory_of(linear->descriptor, dnnl_query_weights_md, 0);
    g_autoptr(OnednnMemory) transposed = onednn_memory_transpose(weight);
    return onednn_layout_of(linear->state, transposed);
}

static unsigned batch_norm_flags(const AimfBatchNorm *options, gboolean relu)
{
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
    if (relu)
        flags |= dnnl_fuse_norm_relu;
    if (!options->training)
        flags |= dnnl_use_global_stats;
    return flags;
}

OnednnPrimitive *onednn_batch_norm(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                   GError **error)
{
    g_autoptr(OnednnMemory) memory = onednn_describe(x);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status =
        onednn_new_batch_norm(&state->maker, options->training ? dnnl_forward_training : dnnl_forward_inference, memory,
                              (float)options->epsilon, batch_norm_flags(options, options->relu), NULL, &descriptor);
    return make(state, status, descriptor, "batch normalisation", &x, 1, error);
}

OnednnPrimitive *onednn_batch_norm_backward(OnednnState *state, const OnednnOperand *x, const AimfBatchNorm *options,
                                            const AimfLayout *workspace, GError **error)
{
    g_autoptr(OnednnMemory) memory = onednn_describe(x);
    unsigned flags = batch_norm_flags(options, workspace != NULL);
    float epsilon = (float)options->epsilon;
    g_auto(dnnl_primitive_desc_t) hint = NULL;
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = dnnl_success;
    const_dnnl_primitive_desc_t forward = onednn_workspace_forward(workspace);
    if (!forward) {
        status = onednn_new_batch_norm(&state->maker, dnnl_forward_training, memory, epsilon, flags, NULL, &hint);
        forward = hint;
    }
    if (status == dnnl_success) /* of 2.6's kernels none gives the data's gradient alone when there is a scale */
        status = onednn_new_batch_norm(&state->maker, dnnl_backward, memory, epsilon, flags, forward, &descriptor);
    return make(state, status, descriptor, "batch normalisation backward", &x, 1, error);
}

/* With as much padding behind as the result's size asks for: see ceil of AimfPool. */
static OnednnWindow window_of(const AimfPool *options, const OnednnOperand *x, const OnednnOperand *y)
{
    OnednnWindow window = { 0 };
    for (int i = 0; i < 2; i++) {
        window.stride[i] = options->stride[i];
        window.size[i] = options->window[i];
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
    g_autoptr(OnednnMemory) mx = onednn_describe(x);
    g_autoptr(OnednnMemory) my = onednn_describe(y);
    OnednnWindow window = window_of(options, x, y);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = onednn_new_max_pool(&state->maker, remember ? dnnl_forward_training : dnnl_forward_inference,
                                               mx, my, &window, NULL, &descriptor);
    return make(state, status, descriptor, "max pooling", operands, 2, error);
}

OnednnPrimitive *onednn_max_pool_backward(OnednnState *state, const OnednnOperand *x, const OnednnOperand *y,
                                          const AimfPool *options, const AimfLayout *workspace, GError **error)
{
    const OnednnOperand *operands[] = { x, y };
    const_dnnl_primitive_desc_t forward = onednn_workspace_forward(workspace);
    /*
     * The workspace counts positions in the forward kernel's order, so the gradients take the layouts of its operands.
     */
    g_autoptr(OnednnMemory) mx = forward ? onednn_memory_of(forward, dnnl_query_src_md, 0) : onednn_describe(x);
    g_autoptr(OnednnMemory) my = forward ? onednn_memory_of(forward, dnnl_query_dst_md, 0) : onednn_describe(y);
    OnednnWindow window = window_of(options, x, y);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = onednn_new_max_pool(&state->maker, dnnl_backward, mx, my, &window, forward, &descriptor);
    return make(state, status, descriptor, "max pooling backward", operands, 2, error);
}

OnednnPrimitive *onednn_transposed_product(OnednnState *state, gint64 m, gint64 n, gint64 k, AimfDtype dtype,
                                           GError **error)
{
    AimfShape as = AIMF_SHAPE(m, k), bs = AIMF_SHAPE(k, n), cs = AIMF_SHAPE(m, n);
    OnednnOperand a = { .shape = &as, .dtype = dtype }, b = { .shape = &bs, .dtype = dtype };
    const OnednnOperand *operands[] = { &a, &b };
    g_autoptr(OnednnMemory) ma = onednn_by_tag(&as, dtype, dnnl_ba);
    g_autoptr(OnednnMemory) mb = onednn_by_tag(&bs, dtype, dnnl_ab);
    g_autoptr(OnednnMemory) mc = onednn_by_tag(&cs, AIMF_F32, dnnl_ab);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = onednn_new_product(&state->maker, ma, mb, NULL, mc, NULL, &descriptor);
    return make(state, status, descriptor, "matrix product", operands, 2, error);
}

/* (owned) @memory with the dimensions of @other, if that has more */
static OnednnMemory *split_groups(const OnednnMemory *memory, const OnednnMemory *other)
{
    return other->rank > memory->rank ? onednn_memory_reshape(memory, other->rank, other->dims)
                                      : onednn_memory_copy(memory);
}

OnednnPrimitive *onednn_reorder(OnednnState *state, const OnednnOperand *from, const OnednnOperand *to, GError **error)
{
    const OnednnOperand *operands[] = { from, to };
    g_autoptr(OnednnMemory) source = onednn_describe(from);
    g_autoptr(OnednnMemory) target = onednn_describe(to);
    /* The weight of a convolution in groups has one dimension more for oneDNN, which row-major order does not show. */
    g_autoptr(OnednnMemory) split_source = split_groups(source, target);
    g_autoptr(OnednnMemory) split_target = split_groups(target, source);
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_status_t status = split_source && split_target
                               ? onednn_new_reorder(&state->maker, split_source, split_target, &descriptor)
                               : dnnl_invalid_arguments;
    return make(state, status, descriptor, "reorder", operands, 2, error);
}

AimfLayout onednn_primitive_layout(const OnednnPrimitive *primitive, int argument)
{
    g_autoptr(OnednnMemory) memory = onednn_memory_of_argument(primitive->descriptor, argument);
    if (!memory)
        return (AimfLayout){ 0 };
    return argument == DNNL_ARG_WORKSPACE ? onednn_workspace_layout(primitive->state, primitive->descriptor, memory)
                                          : onednn_layout_of(primitive->state, memory);
}

gsize onednn_primitive_scratch_bytes(const OnednnPrimitive *primitive)
{
    g_autoptr(OnednnMemory) memory = onednn_memory_of(primitive->descriptor, dnnl_query_scratchpad_md, 0);
    return memory ? memory->bytes : 0;
}

const char *onednn_primitive_name(const OnednnPrimitive *primitive)
{
    return aimf_intern(onednn_kernel_name(primitive->descriptor));
}

gboolean onednn_is_amx(const OnednnPrimitive *primitive)
{
    return onednn_is_amx_kernel(primitive->descriptor);
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
