#include "fuzz/support_fuzz_weights.h"

#include "fuzz/support_fuzz.h"
#include "weights/element.h"

#include <string.h>

enum { MAX_READ_BYTES = 1 << 20 };

static void *read_tensor(const AimfTensors *tensors, guint index, AimfDtype dtype)
{
    GError *error = NULL;
    gint64 count = aimf_shape_count(&aimf_tensors_at(tensors, index)->shape);
    /* Of just the size, so that what is written beyond is found. */
    void *values = g_malloc0(MAX((gsize)count * aimf_dtype_bytes(dtype), 1));
    fuzz_check(aimf_tensors_read(tensors, index, dtype, values, &error), &error);
    return values;
}

void fuzz_read_tensors(const AimfTensors *tensors)
{
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        if (tensor->bytes > MAX_READ_BYTES)
            continue;
        g_free(read_tensor(tensors, i, tensor->dtype));
        if (aimf_dtype_is_float(tensor->dtype))
            g_free(read_tensor(tensors, i, AIMF_F64));
    }
}

void fuzz_same_tensors(const AimfTensors *one, const AimfTensors *other)
{
    g_assert_cmpuint(aimf_tensors_count(one), ==, aimf_tensors_count(other));
    for (guint i = 0; i < aimf_tensors_count(one); i++) {
        const AimfTensor *tensor = aimf_tensors_at(one, i);
        int index = aimf_tensors_find(other, tensor->name);
        g_assert_cmpint(index, >=, 0);
        const AimfTensor *twin = aimf_tensors_at(other, (guint)index);
        g_assert_true(tensor->dtype == twin->dtype && aimf_shape_equal(&tensor->shape, &twin->shape));
        g_autofree void *bytes = read_tensor(one, i, tensor->dtype);
        g_autofree void *same = read_tensor(other, (guint)index, tensor->dtype);
        g_assert_true(tensor->bytes == twin->bytes && memcmp(bytes, same, twin->bytes) == 0);
    }
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(one);
    g_auto(GStrv) others = aimf_tensors_metadata_keys(other);
    g_assert_cmpstrv(keys, others);
    for (char **key = keys; *key; key++)
        g_assert_cmpstr(aimf_tensors_metadata(one, *key), ==, aimf_tensors_metadata(other, *key));
}
