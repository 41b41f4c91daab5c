/* What the names in a checkpoint's pickle mean, and how storages and tensors are made from them. */
#include "weights/pickle.h"

#include <string.h>

typedef enum { MAKES_STORAGE, MAKES_DICT, MAKES_TUPLE, MAKES_TENSOR, MAKES_PARAMETER } Makes;

struct AimfPickleGlobal {
    const char *name;
    Makes makes;
    AimfDtype dtype; /* of a storage */
};

/* Everything a pickle may name. */
static const AimfPickleGlobal globals[] = {
    { "torch.FloatStorage", MAKES_STORAGE, AIMF_F32 },
    { "torch.BFloat16Storage", MAKES_STORAGE, AIMF_BF16 },
    { "torch.HalfStorage", MAKES_STORAGE, AIMF_F16 },
    { "torch.DoubleStorage", MAKES_STORAGE, AIMF_F64 },
    { "torch.LongStorage", MAKES_STORAGE, AIMF_I64 },
    { "torch.IntStorage", MAKES_STORAGE, AIMF_I32 },
    { "torch.ShortStorage", MAKES_STORAGE, AIMF_I16 },
    { "torch.CharStorage", MAKES_STORAGE, AIMF_I8 },
    { "torch.ByteStorage", MAKES_STORAGE, AIMF_U8 },
    { "torch.BoolStorage", MAKES_STORAGE, AIMF_BOOL },
    { "collections.OrderedDict", MAKES_DICT, AIMF_N_DTYPES },
    { "torch.Size", MAKES_TUPLE, AIMF_N_DTYPES },
    { "torch._utils._rebuild_tensor", MAKES_TENSOR, AIMF_N_DTYPES },
    { "torch._utils._rebuild_tensor_v2", MAKES_TENSOR, AIMF_N_DTYPES },
    { "torch._utils._rebuild_parameter", MAKES_PARAMETER, AIMF_N_DTYPES },
    { "torch._utils._rebuild_parameter_with_state", MAKES_PARAMETER, AIMF_N_DTYPES },
    { "torch.nn.parameter.Parameter", MAKES_PARAMETER, AIMF_N_DTYPES },
};

const AimfPickleGlobal *aimf_pickle_global(const char *module, const char *name, GError **error)
{
    g_autofree char *full = g_strdup_printf("%s.%s", module, name);
    for (guint i = 0; i < G_N_ELEMENTS(globals); i++)
        if (strcmp(full, globals[i].name) == 0)
            return &globals[i];
    g_autofree char *printable = g_strescape(full, NULL);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "the pickle names %s; only tensors, dicts, lists, numbers and texts are accepted "
                "(save the model's state_dict() instead)",
                printable);
    return NULL;
}

static AimfPickleValue *refuse(GError **error, const char *what)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the pickle is broken: %s", what);
    return NULL;
}

/* The @index-th item of a tuple or list if there is one of this kind, NULL otherwise. */
static const AimfPickleValue *item(const AimfPickleValue *sequence, guint index, AimfPickleKind kind)
{
    if (index >= sequence->items->len)
        return NULL;
    const AimfPickleValue *value = sequence->items->pdata[index];
    return value->kind == kind ? value : NULL;
}

/* --- Storages --- */

enum { MAX_KEY_BYTES = 200 };

/* The index of storage @key; the same key must always mean the same block. */
static gboolean find_storage(AimfPickle *pickle, const AimfPickleValue *key, AimfDtype dtype, gint64 count,
                             guint *index, GError **error)
{
    g_autofree char *text = g_strndup(key->text.data, key->text.bytes);
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(pickle->storage_indices, text));
    if (found) {
        const AimfPickleStorage *storage = &g_array_index(pickle->storages, AimfPickleStorage, found - 1);
        *index = found - 1;
        if (storage->dtype == dtype && storage->count == count)
            return TRUE;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is described in two ways", text);
        return FALSE;
    }
    gint64 bytes;
    if (count < 0 || __builtin_mul_overflow(count, (gint64)aimf_dtype_bytes(dtype), &bytes)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' has the impossible size %" G_GINT64_FORMAT,
                    text, count);
        return FALSE;
    }
    AimfPickleStorage storage = { g_steal_pointer(&text), dtype, count };
    *index = pickle->storages->len;
    g_array_append_val(pickle->storages, storage);
    g_hash_table_insert(pickle->storage_indices, storage.key, GUINT_TO_POINTER(*index + 1));
    return TRUE;
}

/* A view of a storage, which the older form has: (its key, offset, size). */
static gboolean narrow_storage(AimfPickleValue *value, const AimfPickleValue *view)
{
    const AimfPickleValue *offset = item(view, 1, AIMF_PICKLE_INT);
    const AimfPickleValue *size = item(view, 2, AIMF_PICKLE_INT);
    if (!offset || !size || offset->integer < 0 || size->integer < 0 || offset->integer > value->storage.count ||
        size->integer > value->storage.count - offset->integer)
        return FALSE;
    value->storage.offset = offset->integer;
    value->storage.count = size->integer;
    return TRUE;
}

AimfPickleValue *aimf_pickle_persistent(AimfPickle *pickle, const AimfPickleValue *id, GError **error)
{
    /* ("storage", type, key, device, number of elements[, view or None]) */
    if (id->kind != AIMF_PICKLE_TUPLE || id->items->len < 5 || !aimf_pickle_is_text(id->items->pdata[0], "storage"))
        return refuse(error, "a persistent id is not a storage's");
    const AimfPickleValue *type = item(id, 1, AIMF_PICKLE_GLOBAL);
    const AimfPickleValue *key = item(id, 2, AIMF_PICKLE_TEXT);
    const AimfPickleValue *count = item(id, 4, AIMF_PICKLE_INT);
    if (!type || type->global->makes != MAKES_STORAGE || !key || key->text.bytes > MAX_KEY_BYTES || !count)
        return refuse(error, "a storage lacks its type, its key or its size");
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_STORAGE, error);
    if (!value || !find_storage(pickle, key, type->global->dtype, count->integer, &value->storage.index, error))
        return NULL;
    value->storage.count = count->integer;
    const AimfPickleValue *view = item(id, 5, AIMF_PICKLE_TUPLE);
    if (view && !narrow_storage(value, view))
        return refuse(error, "a view does not lie within its storage");
    return value;
}

/* --- Tensors --- */

static gboolean take_sizes(const AimfPickleValue *tuple, gint64 *sizes, guint n)
{
    for (guint i = 0; i < n; i++) {
        const AimfPickleValue *size = item(tuple, i, AIMF_PICKLE_INT);
        if (!size || size->integer < 0)
            return FALSE;
        sizes[i] = size->integer;
    }
    return TRUE;
}

/* Whether all elements lie within the @count elements of the storage's part. */
static gboolean view_fits(const AimfPickleView *view, gint64 count)
{
    gint64 elements = aimf_shape_count(&view->shape), last = view->offset;
    if (elements < 0 || view->offset > count)
        return FALSE;
    for (int i = 0; elements > 0 && i < view->shape.rank; i++) {
        gint64 reach;
        if (__builtin_mul_overflow(view->shape.dim[i] - 1, view->stride[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return FALSE;
    }
    return elements == 0 || last < count;
}

/* _rebuild_tensor(storage, offset, size, stride), _rebuild_tensor_v2(…, requires_grad, hooks[, metadata]). */
static AimfPickleValue *rebuild_tensor(AimfPickle *pickle, const AimfPickleValue *args, GError **error)
{
    const AimfPickleValue *storage = item(args, 0, AIMF_PICKLE_STORAGE);
    const AimfPickleValue *offset = item(args, 1, AIMF_PICKLE_INT);
    const AimfPickleValue *size = item(args, 2, AIMF_PICKLE_TUPLE);
    const AimfPickleValue *stride = item(args, 3, AIMF_PICKLE_TUPLE);
    if (!storage || !offset || offset->integer < 0 || !size || !stride || size->items->len != stride->items->len)
        return refuse(error, "a tensor lacks its storage, offset, size or stride");
    const AimfPickleValue *metadata = item(args, 6, AIMF_PICKLE_DICT);
    if (metadata && metadata->items->len > 0)
        return refuse(error, "a tensor is a conjugated or negated view; clone() it before saving");
    if (size->items->len > AIMF_MAX_RANK) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "a tensor has %u dimensions; at most %d are accepted",
                    size->items->len, AIMF_MAX_RANK);
        return NULL;
    }
    AimfPickleView view = { .storage = storage->storage.index, .offset = offset->integer };
    view.shape.rank = (int)size->items->len;
    if (!take_sizes(size, view.shape.dim, size->items->len) || !take_sizes(stride, view.stride, size->items->len))
        return refuse(error, "a tensor's sizes or strides are not numbers from 0 on");
    if (!view_fits(&view, storage->storage.count)) {
        g_autofree char *text = aimf_shape_text(&view.shape);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "a tensor of the shape %s does not lie within its storage '%s' of %" G_GINT64_FORMAT " elements",
                    text, g_array_index(pickle->storages, AimfPickleStorage, view.storage).key, storage->storage.count);
        return NULL;
    }
    view.offset += storage->storage.offset;
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
    if (value)
        value->view = g_memdup2(&view, sizeof view);
    return value;
}

/* Python 2 gives an OrderedDict its items as a list of pairs; later ones are filled by SETITEMS. */
static AimfPickleValue *make_dict(AimfPickle *pickle, const AimfPickleValue *args, GError **error)
{
    AimfPickleValue *dict = aimf_pickle_value(pickle, AIMF_PICKLE_DICT, error);
    if (!dict || args->items->len == 0)
        return dict;
    const AimfPickleValue *pairs = item(args, 0, AIMF_PICKLE_LIST);
    if (!pairs)
        return refuse(error, "an OrderedDict is not made from a list of pairs");
    for (guint i = 0; i < pairs->items->len; i++) {
        const AimfPickleValue *pair = pairs->items->pdata[i];
        if ((pair->kind != AIMF_PICKLE_LIST && pair->kind != AIMF_PICKLE_TUPLE) || pair->items->len != 2)
            return refuse(error, "an OrderedDict is not made from a list of pairs");
        g_ptr_array_add(dict->items, pair->items->pdata[0]);
        g_ptr_array_add(dict->items, pair->items->pdata[1]);
    }
    /* A list that is copied over and over could fill the memory from few bytes; a real one is made for its dict alone. */
    g_ptr_array_set_size(pairs->items, 0);
    return dict;
}

AimfPickleValue *aimf_pickle_call(AimfPickle *pickle, const AimfPickleValue *callable, const AimfPickleValue *args,
                                  GError **error)
{
    if (callable->kind != AIMF_PICKLE_GLOBAL)
        return refuse(error, "it calls what cannot be called");
    switch (callable->global->makes) {
    case MAKES_DICT:
        return make_dict(pickle, args, error);
    case MAKES_TENSOR:
        return rebuild_tensor(pickle, args, error);
    case MAKES_PARAMETER: /* (tensor[, requires_grad, hooks, state]) */
        return item(args, 0, AIMF_PICKLE_TENSOR) ? args->items->pdata[0]
                                                 : refuse(error, "a Parameter is made from what is not a tensor");
    case MAKES_TUPLE: /* of one argument, the tuple itself */
        return item(args, 0, AIMF_PICKLE_TUPLE) ? args->items->pdata[0]
                                                : refuse(error, "a torch.Size is made from what is not a tuple");
    case MAKES_STORAGE:
        break;
    }
    return refuse(error, "it calls a storage type");
}
