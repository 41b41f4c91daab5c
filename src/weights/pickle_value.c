#include "weights/pickle_value.h"

#include <string.h>

enum { MAX_VALUES = 1 << 21 /* large checkpoints have some hundred thousand */ };

static void value_free(gpointer data)
{
    AimfPickleValue *value = data;
    if (value->kind == AIMF_PICKLE_TUPLE || value->kind == AIMF_PICKLE_LIST || value->kind == AIMF_PICKLE_DICT)
        g_ptr_array_unref(value->items);
    else if (value->kind == AIMF_PICKLE_TENSOR)
        g_free(value->view);
    g_free(value);
}

static void storage_clear(gpointer data)
{
    g_free(((AimfPickleStorage *)data)->key);
}

AimfPickle *aimf_pickle_new(void)
{
    AimfPickle *pickle = g_new0(AimfPickle, 1);
    pickle->values = g_ptr_array_new_with_free_func(value_free);
    pickle->storages = g_array_new(FALSE, TRUE, sizeof(AimfPickleStorage));
    g_array_set_clear_func(pickle->storages, storage_clear);
    pickle->storage_indices = g_hash_table_new(g_str_hash, g_str_equal);
    pickle->objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return pickle;
}

void aimf_pickle_free(AimfPickle *pickle)
{
    if (!pickle)
        return;
    g_hash_table_unref(pickle->objects);
    g_hash_table_unref(pickle->storage_indices);
    g_array_unref(pickle->storages);
    g_ptr_array_unref(pickle->values);
    g_free(pickle);
}

AimfPickleValue *aimf_pickle_value(AimfPickle *pickle, AimfPickleKind kind, GError **error)
{
    if (pickle->values->len >= MAX_VALUES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the pickle has more than %d values", MAX_VALUES);
        return NULL;
    }
    AimfPickleValue *value = g_new0(AimfPickleValue, 1);
    value->kind = kind;
    if (kind == AIMF_PICKLE_TUPLE || kind == AIMF_PICKLE_LIST || kind == AIMF_PICKLE_DICT)
        value->items = g_ptr_array_new();
    g_ptr_array_add(pickle->values, value);
    return value;
}

gboolean aimf_pickle_is_text(const AimfPickleValue *value, const char *text)
{
    return value->kind == AIMF_PICKLE_TEXT && value->text.bytes == strlen(text) &&
           memcmp(value->text.data, text, value->text.bytes) == 0;
}

const AimfPickleValue *aimf_pickle_lookup(const AimfPickleValue *value, const char *key)
{
    if (value->kind == AIMF_PICKLE_DICT)
        for (guint i = 0; i < value->items->len; i += 2)
            if (aimf_pickle_is_text(value->items->pdata[i], key))
                return value->items->pdata[i + 1];
    return NULL;
}
