#include <aimfair/tensor.h>

static const struct {
    const char *name;
    gsize bytes;
} dtypes[AIMF_N_DTYPES] = {
    [AIMF_F32] = { "f32", 4 },   [AIMF_BF16] = { "bf16", 2 },       [AIMF_F16] = { "f16", 2 },
    [AIMF_F64] = { "f64", 8 },   [AIMF_I64] = { "i64", 8 },         [AIMF_I32] = { "i32", 4 },
    [AIMF_I16] = { "i16", 2 },   [AIMF_I8] = { "i8", 1 },           [AIMF_U8] = { "u8", 1 },
    [AIMF_BOOL] = { "bool", 1 }, [AIMF_F8_E4M3] = { "f8_e4m3", 1 }, [AIMF_F8_E5M2] = { "f8_e5m2", 1 },
    [AIMF_U64] = { "u64", 8 },   [AIMF_U32] = { "u32", 4 },         [AIMF_U16] = { "u16", 2 },
};

gsize aimf_dtype_bytes(AimfDtype dtype)
{
    return dtypes[dtype].bytes;
}

const char *aimf_dtype_name(AimfDtype dtype)
{
    return dtypes[dtype].name;
}

gint64 aimf_shape_count(const AimfShape *shape)
{
    gint64 count = 1;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] < 0 || __builtin_mul_overflow(count, shape->dim[i], &count))
            return -1;
    return count;
}

gboolean aimf_shape_equal(const AimfShape *a, const AimfShape *b)
{
    if (a->rank != b->rank)
        return FALSE;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return FALSE;
    return TRUE;
}

char *aimf_shape_text(const AimfShape *shape)
{
    if (shape->rank == 0)
        return g_strdup("scalar");
    GString *text = g_string_new(NULL);
    for (int i = 0; i < shape->rank; i++)
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i ? "x" : "", shape->dim[i]);
    return g_string_free(text, FALSE);
}
