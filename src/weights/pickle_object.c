/* What the names in a checkpoint's pickle mean, and how storages and tensors are made from them. */
#include "weights/pickle.h"

#include <string.h>

typedef enum {
    MAKES_STORAGE,
    MAKES_DICT,
    MAKES_TUPLE,
    MAKES_TENSOR,
    MAKES_PARAMETER,
    MAKES_OPAQUE, /* what calling it would give is of no use here, and it is not called */
    MAKES_NOTHING,
} Makes;

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
    { "torch.autograd.variable.Variable", MAKES_PARAMETER, AIMF_N_DTYPES },
    /* What PyTorch Lightning stored beside the weights in the original Stable Diffusion checkpoints: the state of its callbacks. */
    { "numpy.core.multiarray.scalar", MAKES_OPAQUE, AIMF_N_DTYPES },
    { "numpy._core.multiarray.scalar", MAKES_OPAQUE, AIMF_N_DTYPES },
    { "numpy.dtype", MAKES_OPAQUE, AIMF_N_DTYPES },
    { "_codecs.encode", MAKES_OPAQUE, AIMF_N_DTYPES },
    { "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", MAKES_NOTHING, AIMF_N_DTYPES },
    { "pytorch_lightning.callbacks.early_stopping.EarlyStopping", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.FloatTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.HalfTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.DoubleTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.LongTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.IntTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.ShortTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.CharTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.ByteTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.FloatTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.HalfTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.DoubleTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.LongTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.IntTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.ShortTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.CharTensor", MAKES_NOTHING, AIMF_N_DTYPES },
    { "torch.cuda.ByteTensor", MAKES_NOTHING, AIMF_N_DTYPES },
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

gboolean aimf_pickle_storage_type(const AimfPickleValue *value, AimfDtype *dtype)
{
    if (value->kind != AIMF_PICKLE_GLOBAL || value->global->makes != MAKES_STORAGE)
        return FALSE;
    *dtype = value->global->dtype;
    return TRUE;
}

/* The index of storage @key; the same key must always mean the same block. */
static gboolean find_storage(AimfPickle *pickle, const char *key, AimfDtype dtype, gint64 count, guint *index,
                             GError **error)
{
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(pickle->storage_indices, key));
    if (found) {
        const AimfPickleStorage *storage = &g_array_index(pickle->storages, AimfPickleStorage, found - 1);
        *index = found - 1;
        if (storage->dtype == dtype && storage->count == count)
            return TRUE;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is described in two ways", key);
        return FALSE;
    }
    gint64 bytes;
    if (count < 0 || __builtin_mul_overflow(count, (gint64)aimf_dtype_bytes(dtype), &bytes)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' has the impossible size %" G_GINT64_FORMAT, key,
                    count);
        return FALSE;
    }
    AimfPickleStorage storage = { .key = g_strdup(key), .dtype = dtype, .count = count };
    *index = pickle->storages->len;
    g_array_append_val(pickle->storages, storage);
    g_hash_table_insert(pickle->storage_indices, storage.key, GUINT_TO_POINTER(*index + 1));
    return TRUE;
}

AimfPickleValue *aimf_pickle_storage(AimfPickle *pickle, const char *key, AimfDtype dtype, gint64 count, GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_STORAGE, error);
    if (!value || !find_storage(pickle, key, dtype, count, &value->storage.index, error))
        return NULL;
    value->storage.count = count;
    return value;
}

AimfPickleValue *aimf_pickle_narrow(AimfPickle *pickle, const AimfPickleValue *storage, gint64 offset, gint64 count,
                                    GError **error)
{
    if (offset < 0 || count < 0 || offset > storage->storage.count || count > storage->storage.count - offset)
        return refuse(error, "a view does not lie within its storage");
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_STORAGE, error);
    if (!value)
        return NULL;
    value->storage = storage->storage;
    value->storage.offset += offset;
    value->storage.count = count;
    return value;
}

void aimf_pickle_define(AimfPickle *pickle, gint64 id, AimfPickleValue *value)
{
    g_hash_table_replace(pickle->objects, g_strdup_printf("%" G_GINT64_FORMAT, id), value);
}

static AimfPickleValue *lookup_object(AimfPickle *pickle, const AimfPickleValue *id, GError **error)
{
    g_autofree char *text = g_strndup(id->text.data, MIN(id->text.bytes, MAX_KEY_BYTES));
    AimfPickleValue *value = g_hash_table_lookup(pickle->objects, text);
    return value ? value : refuse(error, "a persistent id means nothing");
}

AimfPickleValue *aimf_pickle_persistent(AimfPickle *pickle, const AimfPickleValue *id, GError **error)
{
    if (id->kind == AIMF_PICKLE_TEXT)
        return lookup_object(pickle, id, error);
    /* ("storage", type, key, device, number of elements[, view or None]) */
    if (id->kind != AIMF_PICKLE_TUPLE || id->items->len < 5 || !aimf_pickle_is_text(id->items->pdata[0], "storage"))
        return refuse(error, "a persistent id is not a storage's");
    const AimfPickleValue *key = item(id, 2, AIMF_PICKLE_TEXT), *count = item(id, 4, AIMF_PICKLE_INT);
    AimfDtype dtype;
    if (!aimf_pickle_storage_type(id->items->pdata[1], &dtype) || !key || key->text.bytes > MAX_KEY_BYTES || !count)
        return refuse(error, "a storage lacks its type, its key or its size");
    g_autofree char *text = g_strndup(key->text.data, key->text.bytes);
    AimfPickleValue *storage = aimf_pickle_storage(pickle, text, dtype, count->integer, error);
    const AimfPickleValue *view = item(id, 5, AIMF_PICKLE_TUPLE); /* (key, offset, number of elements) */
    if (!storage || !view)
        return storage;
    const AimfPickleValue *offset = item(view, 1, AIMF_PICKLE_INT), *size = item(view, 2, AIMF_PICKLE_INT);
    if (!offset || !size)
        return refuse(error, "a view does not lie within its storage");
    return aimf_pickle_narrow(pickle, storage, offset->integer, size->integer, error);
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

/* Whether all elements lie within the @count elements of the storage's part; no size or stride is negative. */
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

AimfPickleValue *aimf_pickle_tensor(AimfPickle *pickle, const AimfPickleValue *storage, const AimfPickleView *view,
                                    GError **error)
{
    if (!view_fits(view, storage->storage.count)) {
        g_autofree char *text = aimf_shape_text(&view->shape);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "a tensor of the shape %s does not lie within its storage '%s' of %" G_GINT64_FORMAT " elements",
                    text, g_array_index(pickle->storages, AimfPickleStorage, storage->storage.index).key,
                    storage->storage.count);
        return NULL;
    }
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
    if (!value)
        return NULL;
    value->view = g_memdup2(view, sizeof *view);
    value->view->storage = storage->storage.index;
    value->view->offset += storage->storage.offset;
    return value;
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
    AimfPickleView view = { .offset = offset->integer };
    view.shape.rank = (int)size->items->len;
    if (!take_sizes(size, view.shape.dim, size->items->len) || !take_sizes(stride, view.stride, size->items->len))
        return refuse(error, "a tensor's sizes or strides are not numbers from 0 on");
    return aimf_pickle_tensor(pickle, storage, &view, error);
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
    case MAKES_PARAMETER: /* (tensor[, requires_grad, hooks, state]), or () and the tensor comes with its state */
        if (args->items->len == 0)
            return aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
        return item(args, 0, AIMF_PICKLE_TENSOR) ? args->items->pdata[0]
                                                 : refuse(error, "a Parameter is made from what is not a tensor");
    case MAKES_TUPLE: /* of one argument, the tuple itself */
        return item(args, 0, AIMF_PICKLE_TUPLE) ? args->items->pdata[0]
                                                : refuse(error, "a torch.Size is made from what is not a tuple");
    case MAKES_OPAQUE:
        return aimf_pickle_value(pickle, AIMF_PICKLE_OPAQUE, error);
    case MAKES_STORAGE:
    case MAKES_NOTHING:
        break;
    }
    return refuse(error, "it calls a type of storage or tensor, or a callback");
}

/*
 * An OrderedDict's attributes (a state_dict's _metadata) and a Parameter's flags change no value. PyTorch before 0.2 made Parameters
 * empty and gave them their tensor here: (data, gradient, hooks, requires_grad, volatile), see torch/_tensor.py, __setstate__.
 */
gboolean aimf_pickle_build(AimfPickleValue *object, const AimfPickleValue *state, GError **error)
{
    if (object->kind == AIMF_PICKLE_DICT || object->kind == AIMF_PICKLE_OPAQUE)
        return TRUE;
    if (object->kind != AIMF_PICKLE_TENSOR)
        return refuse(error, "it gives a state to what has none") != NULL;
    if (object->view)
        return TRUE;
    const AimfPickleValue *data =
        state->kind == AIMF_PICKLE_TUPLE && state->items->len == 5 ? item(state, 0, AIMF_PICKLE_TENSOR) : NULL;
    if (!data || !data->view)
        return refuse(error, "a Parameter is made without a tensor") != NULL;
    object->view = g_memdup2(data->view, sizeof *data->view);
    return TRUE;
}
