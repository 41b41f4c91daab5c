/*
 * A set as a PyTorch checkpoint in ZIP form: the pickle of a dict of tensors, and each tensor's bytes as a storage of
 * its own.
 */
#include "weights/archive.h"
#include "weights/checkpoint.h"
#include "weights/checkpoint_build.h"
#include "weights/header.h"
#include "weights/tensors.h"

#include <string.h>

static const char *const storage_types[AIMF_N_DTYPES] = {
    [AIMF_F32] = "FloatStorage",  [AIMF_BF16] = "BFloat16Storage", [AIMF_F16] = "HalfStorage",
    [AIMF_F64] = "DoubleStorage", [AIMF_I64] = "LongStorage",      [AIMF_I32] = "IntStorage",
    [AIMF_I16] = "ShortStorage",  [AIMF_I8] = "CharStorage",       [AIMF_U8] = "ByteStorage",
    [AIMF_BOOL] = "BoolStorage",
};

/* Those that have no storage type of their own: bytes, and the tensor says what they are. */
static const char *const element_types[AIMF_N_DTYPES] = {
    [AIMF_F8_E4M3] = "float8_e4m3fn",
    [AIMF_F8_E5M2] = "float8_e5m2",
    [AIMF_U64] = "uint64",
    [AIMF_U32] = "uint32",
    [AIMF_U16] = "uint16",
};

static void put_code(GByteArray *pickle, char code)
{
    g_byte_array_append(pickle, (const guint8 *)&code, 1);
}

static void put_number(GByteArray *pickle, char code, gsize bytes, guint64 value)
{
    guint64 little = GUINT64_TO_LE(value);
    put_code(pickle, code);
    g_byte_array_append(pickle, (const guint8 *)&little, (guint)bytes);
}

static void put_text(GByteArray *pickle, const char *text)
{
    put_number(pickle, 'X', 4, strlen(text));
    g_byte_array_append(pickle, (const guint8 *)text, (guint)strlen(text));
}

static void put_global(GByteArray *pickle, const char *module, const char *name)
{
    g_autofree char *lines = g_strdup_printf("c%s\n%s\n", module, name);
    g_byte_array_append(pickle, (const guint8 *)lines, (guint)strlen(lines));
}

static void put_integer(GByteArray *pickle, gint64 value)
{
    if (value <= G_MAXINT32) {
        put_number(pickle, 'J', 4, (guint64)value);
        return;
    }
    put_number(pickle, (char)0x8a, 1, sizeof value); /* LONG1 */
    guint64 little = GUINT64_TO_LE((guint64)value);
    g_byte_array_append(pickle, (const guint8 *)&little, sizeof little);
}

static void put_tuple(GByteArray *pickle, const gint64 *values, int n)
{
    put_code(pickle, '(');
    for (int i = 0; i < n; i++)
        put_integer(pickle, values[i]);
    put_code(pickle, 't');
}

/*
 * name: torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()), or _rebuild_tensor_v3 with
 * the type of the elements behind that
 */
static void put_tensor(GByteArray *pickle, const AimfTensor *tensor, guint index)
{
    gint64 stride[AIMF_MAX_RANK], count = aimf_shape_count(&tensor->shape), step = 1;
    for (int i = tensor->shape.rank - 1; i >= 0; i--) {
        stride[i] = step;
        /* An empty tensor's sizes may overflow, and its strides mean nothing. */
        step *= count ? tensor->shape.dim[i] : 1;
    }
    const char *element_type = element_types[tensor->dtype];
    g_autofree char *key = g_strdup_printf("%u", index);
    put_text(pickle, tensor->name);
    put_global(pickle, "torch._utils", element_type ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
    put_code(pickle, '(');
    put_code(pickle, '(');
    put_text(pickle, "storage");
    if (element_type)
        put_global(pickle, "torch.storage", "UntypedStorage");
    else
        put_global(pickle, "torch", storage_types[tensor->dtype]);
    put_text(pickle, key);
    put_text(pickle, "cpu");
    put_integer(pickle, element_type ? (gint64)tensor->bytes : count);
    put_code(pickle, 't');
    put_code(pickle, 'Q'); /* the tuple is a persistent id: a storage */
    put_integer(pickle, 0);
    put_tuple(pickle, tensor->shape.dim, tensor->shape.rank);
    put_tuple(pickle, stride, tensor->shape.rank);
    put_code(pickle, (char)0x89); /* False: requires_grad */
    put_global(pickle, "collections", "OrderedDict");
    put_code(pickle, ')');
    put_code(pickle, 'R'); /* no hooks */
    if (element_type)
        put_global(pickle, "torch", element_type);
    put_code(pickle, 't');
    put_code(pickle, 'R');
    put_code(pickle, 's');
}

static GByteArray *make_pickle(const AimfTensors *tensors)
{
    GByteArray *pickle = g_byte_array_new();
    put_number(pickle, (char)0x80, 1, 2); /* protocol 2 */
    put_code(pickle, '}');
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        put_tensor(pickle, aimf_tensors_at(tensors, i), i);
    put_code(pickle, '.');
    return pickle;
}

static gboolean write_storages(const AimfTensors *tensors, AimfArchiveWriter *archive, GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        g_autofree void *buffer = NULL;
        const void *bytes = aimf_tensors_bytes(tensors, i, &buffer, error);
        if (!bytes)
            return FALSE;
        g_autofree char *name = g_strdup_printf("data/%u", i);
        aimf_archive_writer_add(archive, name, bytes, aimf_tensors_at(tensors, i)->bytes);
    }
    return TRUE;
}

gboolean aimf_checkpoint_write(const AimfTensors *tensors, AimfWriter *writer, GError **error)
{
    AimfArchiveWriter *archive = aimf_archive_writer_new(writer, "archive");
    g_autoptr(GByteArray) pickle = make_pickle(tensors);
    aimf_archive_writer_add(archive, "data.pkl", pickle->data, pickle->len);
    aimf_archive_writer_add(archive, "byteorder", "little", strlen("little"));
    gboolean done = write_storages(tensors, archive, error);
    aimf_archive_writer_add(archive, "version", "3\n", strlen("3\n")); /* the first with these records */
    if (aimf_tensors_has_metadata(tensors)) {
        g_autoptr(JsonBuilder) builder = json_builder_new();
        gsize bytes;
        aimf_header_build_metadata(builder, tensors);
        g_autofree char *text = aimf_header_text(builder, &bytes);
        aimf_archive_writer_add(archive, AIMF_CHECKPOINT_METADATA, text, bytes);
    }
    aimf_archive_writer_finish(archive);
    return done;
}
