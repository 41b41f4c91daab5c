#include "weights/pickle_object.h"

#include "base/shown.h"
#include "weights/pickle_names.h"

#include <string.h>

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

gboolean aimf_pickle_storage_type(const AimfPickleValue *value, AimfPickleElement *type)
{
    if (value->kind != AIMF_PICKLE_GLOBAL || value->global->makes != AIMF_MAKES_STORAGE)
        return FALSE;
    *type = value->global->element;
    return TRUE;
}

/* The index of storage @key; the same key must always mean the same block. */
static gboolean find_storage(AimfPickle *pickle, const char *key, const AimfPickleElement *type, gint64 count,
                             guint *index, GError **error)
{
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(pickle->storage_indices, key));
    if (found) {
        const AimfPickleStorage *storage = &g_array_index(pickle->storages, AimfPickleStorage, found - 1);
        *index = found - 1;
        if (storage->type.dtype == type->dtype && storage->type.unreadable == type->unreadable &&
            storage->count == count)
            return TRUE;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is described in two ways", AIMF_SHOWN(key));
        return FALSE;
    }
    gint64 bytes;
    if (count < 0 || __builtin_mul_overflow(count, (gint64)type->bytes, &bytes)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' has the impossible size %" G_GINT64_FORMAT, key,
                    count);
        return FALSE;
    }
    AimfPickleStorage storage = { .key = g_strdup(key), .type = *type, .count = count };
    *index = pickle->storages->len;
    g_array_append_val(pickle->storages, storage);
    g_hash_table_insert(pickle->storage_indices, storage.key, GUINT_TO_POINTER(*index + 1));
    return TRUE;
}

AimfPickleValue *aimf_pickle_storage(AimfPickle *pickle, const char *key, const AimfPickleElement *type, gint64 count,
                                     GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_STORAGE, error);
    if (!value || !find_storage(pickle, key, type, count, &value->storage.index, error))
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
    AimfPickleElement type;
    if (!aimf_pickle_storage_type(id->items->pdata[1], &type) || !key || key->text.bytes > MAX_KEY_BYTES || !count)
        return refuse(error, "a storage lacks its type, its key or its size");
    g_autofree char *text = g_strndup(key->text.data, key->text.bytes);
    AimfPickleValue *storage = aimf_pickle_storage(pickle, text, &type, count->integer, error);
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

static AimfPickleValue *unreadable(AimfPickle *pickle, const char *kind, GError **error)
{
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_UNREADABLE, error);
    if (value)
        value->unreadable = kind;
    return value;
}

/* The tensor whose elements of @type @view sees in the part of a storage that @storage is. */
static AimfPickleValue *view_storage(AimfPickle *pickle, const AimfPickleValue *storage, const AimfPickleView *view,
                                     const AimfPickleElement *type, GError **error)
{
    const AimfPickleStorage *whole = &g_array_index(pickle->storages, AimfPickleStorage, storage->storage.index);
    if (type->unreadable)
        return unreadable(pickle, type->unreadable, error);
    /* No overflow: the storage's bytes were counted when it was made. */
    gint64 size = (gint64)type->bytes, first = storage->storage.offset * (gint64)whole->type.bytes;
    gint64 count = storage->storage.count * (gint64)whole->type.bytes / size;
    if (first % size != 0)
        return refuse(error, "a tensor's elements do not begin where elements of its storage do");
    if (!view_fits(view, count)) {
        g_autofree char *text = aimf_shape_text(&view->shape);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "a tensor of the shape %s does not lie within its storage '%s' of %" G_GINT64_FORMAT " elements",
                    text, whole->key, count);
        return NULL;
    }
    AimfPickleValue *value = aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
    if (!value)
        return NULL;
    value->view = g_memdup2(view, sizeof *view);
    value->view->storage = storage->storage.index;
    value->view->dtype = type->dtype;
    value->view->offset += first / size;
    return value;
}

AimfPickleValue *aimf_pickle_tensor(AimfPickle *pickle, const AimfPickleValue *storage, const AimfPickleView *view,
                                    GError **error)
{
    AimfPickleElement type = g_array_index(pickle->storages, AimfPickleStorage, storage->storage.index).type;
    return view_storage(pickle, storage, view, &type, error);
}

/*
 * _rebuild_tensor(storage, offset, size, stride), _rebuild_tensor_v2(…, requires_grad, hooks[, metadata]), and,
 * @typed, _rebuild_tensor_v3(…, requires_grad, hooks, dtype[, metadata]).
 */
static AimfPickleValue *rebuild_tensor(AimfPickle *pickle, const AimfPickleValue *args, gboolean typed, GError **error)
{
    const AimfPickleValue *storage = item(args, 0, AIMF_PICKLE_STORAGE);
    const AimfPickleValue *offset = item(args, 1, AIMF_PICKLE_INT);
    const AimfPickleValue *size = item(args, 2, AIMF_PICKLE_TUPLE);
    const AimfPickleValue *stride = item(args, 3, AIMF_PICKLE_TUPLE);
    if (!storage || !offset || offset->integer < 0 || !size || !stride || size->items->len != stride->items->len)
        return refuse(error, "a tensor lacks its storage, offset, size or stride");
    const AimfPickleValue *type = typed ? item(args, 6, AIMF_PICKLE_GLOBAL) : NULL;
    if (typed && (!type || type->global->makes != AIMF_MAKES_ELEMENT))
        return refuse(error, "a tensor lacks the type of its elements");
    const AimfPickleValue *metadata = item(args, typed ? 7 : 6, AIMF_PICKLE_DICT);
    if (metadata && metadata->items->len > 0)
        return unreadable(
            pickle, "a conjugated or negated view, which is not read (save its resolve_conj().resolve_neg())", error);
    if (size->items->len > AIMF_MAX_RANK) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "a tensor has %u dimensions; at most %d are accepted",
                    size->items->len, AIMF_MAX_RANK);
        return NULL;
    }
    AimfPickleView view = { .offset = offset->integer };
    view.shape.rank = (int)size->items->len;
    if (!take_sizes(size, view.shape.dim, size->items->len) || !take_sizes(stride, view.stride, size->items->len))
        return refuse(error, "a tensor's sizes or strides are not numbers from 0 on");
    return type ? view_storage(pickle, storage, &view, &type->global->element, error)
                : aimf_pickle_tensor(pickle, storage, &view, error);
}

/* (data, dtype, device, requires_grad): a tensor of another device, copied. */
static AimfPickleValue *copied_tensor(const AimfPickleValue *args, GError **error)
{
    AimfPickleValue *data = args->items->len ? args->items->pdata[0] : NULL;
    const AimfPickleValue *type = item(args, 1, AIMF_PICKLE_GLOBAL);
    if (data && data->kind == AIMF_PICKLE_UNREADABLE)
        return data;
    gboolean same = data && data->kind == AIMF_PICKLE_TENSOR && data->view && type &&
                    type->global->element.dtype == data->view->dtype;
    return same ? data : refuse(error, "a tensor of another device is not made from one of the same type");
}

/* The first argument if it is a tensor, readable or not. */
static AimfPickleValue *parameter(AimfPickle *pickle, const AimfPickleValue *args, GError **error)
{
    if (args->items->len == 0)
        return aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
    AimfPickleValue *data = args->items->pdata[0];
    gboolean is_tensor = data->kind == AIMF_PICKLE_TENSOR || data->kind == AIMF_PICKLE_UNREADABLE;
    return is_tensor ? data : refuse(error, "a Parameter is made from what is not a tensor");
}

/*
 * (function, type, its arguments, attributes): a tensor that a Python program has given a type or attributes of its
 * own.
 */
static AimfPickleValue *from_type(AimfPickle *pickle, const AimfPickleValue *args, GError **error)
{
    const AimfPickleValue *function = item(args, 0, AIMF_PICKLE_GLOBAL), *inner = item(args, 2, AIMF_PICKLE_TUPLE);
    /* Not itself: calls within calls could be as deep as the file is long. */
    if (!function || !inner || function->global->makes == AIMF_MAKES_FROM_TYPE)
        return refuse(error, "a tensor with attributes is not made as tensors are");
    AimfPickleValue *tensor = aimf_pickle_call(pickle, function, inner, error);
    gboolean is_tensor = tensor && (tensor->kind == AIMF_PICKLE_TENSOR || tensor->kind == AIMF_PICKLE_UNREADABLE);
    return !tensor || is_tensor ? tensor : refuse(error, "a tensor with attributes is not made as tensors are");
}

/*
 * The first argument if it is a container of one of these kinds that has items, not copied; otherwise an empty one of
 * the first kind.
 */
static AimfPickleValue *first_or_new(AimfPickle *pickle, const AimfPickleValue *args, AimfPickleKind kind,
                                     AimfPickleKind other, GError **error)
{
    AimfPickleValue *first = args->items->len ? args->items->pdata[0] : NULL;
    gboolean fits = first && (first->kind == kind || first->kind == other) && first->items->len > 0;
    return fits ? first : aimf_pickle_value(pickle, kind, error);
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
    /*
     * A list that is copied over and over could fill the memory from few bytes; a real one is made for its dict
     * alone.
     */
    g_ptr_array_set_size(pairs->items, 0);
    return dict;
}

AimfPickleValue *aimf_pickle_call(AimfPickle *pickle, const AimfPickleValue *callable, const AimfPickleValue *args,
                                  GError **error)
{
    if (callable->kind != AIMF_PICKLE_GLOBAL)
        return refuse(error, "it calls what cannot be called");
    switch (callable->global->makes) {
    case AIMF_MAKES_DICT:
        return make_dict(pickle, args, error);
    case AIMF_MAKES_COUNTS:
        return first_or_new(pickle, args, AIMF_PICKLE_DICT, AIMF_PICKLE_DICT, error);
    case AIMF_MAKES_SET:
        return first_or_new(pickle, args, AIMF_PICKLE_LIST, AIMF_PICKLE_TUPLE, error);
    case AIMF_MAKES_TUPLE: /* of one argument, the tuple itself */
        return item(args, 0, AIMF_PICKLE_TUPLE) ? args->items->pdata[0]
                                                : refuse(error, "a torch.Size is made from what is not a tuple");
    case AIMF_MAKES_TENSOR:
        return rebuild_tensor(pickle, args, FALSE, error);
    case AIMF_MAKES_TYPED_TENSOR:
        return rebuild_tensor(pickle, args, TRUE, error);
    case AIMF_MAKES_COPIED_TENSOR:
        return copied_tensor(args, error);
    case AIMF_MAKES_PARAMETER: /* (tensor[, requires_grad, hooks, state]), or () and the tensor comes with its state */
        return parameter(pickle, args, error);
    case AIMF_MAKES_EMPTY_TENSOR:
        if (args->items->len == 0)
            return aimf_pickle_value(pickle, AIMF_PICKLE_TENSOR, error);
        break;
    case AIMF_MAKES_FROM_TYPE:
        return from_type(pickle, args, error);
    case AIMF_MAKES_UNREADABLE:
        return unreadable(pickle, callable->global->element.unreadable, error);
    case AIMF_MAKES_OPAQUE:
        return aimf_pickle_value(pickle, AIMF_PICKLE_OPAQUE, error);
    case AIMF_MAKES_STORAGE:
    case AIMF_MAKES_ELEMENT:
    case AIMF_MAKES_CALLBACK:
    case AIMF_MAKES_NOTHING:
        break;
    }
    return refuse(error, "it calls a type of storage, tensor or element, or a callback");
}

/*
 * An OrderedDict's attributes (a state_dict's _metadata) and a Parameter's flags change no value. PyTorch before 0.2
 * made tensors and Parameters empty and gave them their elements here: (storage, offset, size, stride), or (data,
 * gradient, hooks, requires_grad, volatile), see torch/_tensor.py, __setstate__.
 */
gboolean aimf_pickle_build(AimfPickle *pickle, AimfPickleValue *object, const AimfPickleValue *state, GError **error)
{
    if (object->kind == AIMF_PICKLE_DICT || object->kind == AIMF_PICKLE_OPAQUE ||
        object->kind == AIMF_PICKLE_UNREADABLE)
        return TRUE;
    if (object->kind != AIMF_PICKLE_TENSOR)
        return refuse(error, "it gives a state to what has none") != NULL;
    if (object->view)
        return TRUE;
    guint n = state->kind == AIMF_PICKLE_TUPLE ? state->items->len : 0;
    const AimfPickleValue *data = n == 5 ? item(state, 0, AIMF_PICKLE_TENSOR) : NULL;
    if (n == 4 && !(data = rebuild_tensor(pickle, state, FALSE, error)))
        return FALSE;
    if (!data || data->kind != AIMF_PICKLE_TENSOR || !data->view)
        return refuse(error, "a Parameter is made without a tensor") != NULL;
    object->view = g_memdup2(data->view, sizeof *data->view);
    return TRUE;
}
