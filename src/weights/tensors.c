#include "weights/tensors.h"

#include "base/file.h"
#include "base/shown.h"
#include "weights/element.h"

#include <string.h>

enum { MAX_LISTED = 8 };

typedef struct {
    AimfTensor tensor;
    guint8 *owned;
    void *writable;     /* of a set in memory: owned or the caller's */
    const guint8 *data; /* writable or mapped; NULL if it must be read */
} Entry;

/* A tensor that is not read. */
typedef struct {
    char *name;
    const char *kind;
} Unreadable;

struct AimfTensors {
    gint references;
    GArray *entries;      /* of Entry */
    GHashTable *indices;  /* name, owned by the entry, to index */
    GHashTable *metadata; /* text to text, both owned */
    GArray *unreadable;   /* of Unreadable */
    gboolean in_memory;
    const char *wrapper;          /* nullable */
    GBytes *map;                  /* nullable */
    gboolean maps_file;           /* the map is a file's pages, not memory */
    const AimfTensorSource *type; /* nullable */
    gpointer source;
};

static void unreadable_clear(gpointer data)
{
    g_free(((Unreadable *)data)->name);
}

static void entry_clear(gpointer data)
{
    Entry *entry = data;
    g_free((char *)entry->tensor.name);
    g_free(entry->owned);
}

AimfTensors *aimf_tensors_new_from_file(GBytes *map, const AimfTensorSource *type, gpointer source)
{
    AimfTensors *tensors = g_new0(AimfTensors, 1);
    tensors->references = 1;
    tensors->entries = g_array_new(FALSE, TRUE, sizeof(Entry));
    g_array_set_clear_func(tensors->entries, entry_clear);
    tensors->indices = g_hash_table_new(g_str_hash, g_str_equal);
    tensors->metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    tensors->unreadable = g_array_new(FALSE, FALSE, sizeof(Unreadable));
    g_array_set_clear_func(tensors->unreadable, unreadable_clear);
    tensors->map = map ? g_bytes_ref(map) : NULL;
    tensors->type = type;
    tensors->source = source;
    return tensors;
}

AimfTensors *aimf_tensors_new(void)
{
    AimfTensors *tensors = aimf_tensors_new_from_file(NULL, NULL, NULL);
    tensors->in_memory = TRUE;
    return tensors;
}

gpointer aimf_tensors_source(const AimfTensors *tensors, const AimfTensorSource *type)
{
    g_assert(tensors->type == type);
    return tensors->source;
}

AimfTensors *aimf_tensors_ref(AimfTensors *tensors)
{
    g_atomic_int_inc(&tensors->references);
    return tensors;
}

void aimf_tensors_free(AimfTensors *tensors)
{
    if (!tensors || !g_atomic_int_dec_and_test(&tensors->references))
        return;
    g_hash_table_unref(tensors->indices);
    g_array_unref(tensors->entries);
    g_hash_table_unref(tensors->metadata);
    g_array_unref(tensors->unreadable);
    if (tensors->type)
        tensors->type->free(tensors->source);
    g_clear_pointer(&tensors->map, g_bytes_unref);
    g_free(tensors);
}

static Entry *entry_at(const AimfTensors *tensors, guint index)
{
    g_assert(index < tensors->entries->len);
    return &g_array_index(tensors->entries, Entry, index);
}

guint aimf_tensors_count(const AimfTensors *tensors)
{
    return tensors->entries->len;
}

const AimfTensor *aimf_tensors_at(const AimfTensors *tensors, guint index)
{
    return &entry_at(tensors, index)->tensor;
}

int aimf_tensors_find(const AimfTensors *tensors, const char *name)
{
    gpointer index;
    return g_hash_table_lookup_extended(tensors->indices, name, NULL, &index) ? GPOINTER_TO_INT(index) : -1;
}

/* What every file format and every caller must keep to; @code tells the two apart. */
static gboolean check_entry(const AimfTensors *tensors, const char *name, const AimfShape *shape, gsize element_bytes,
                            gsize *bytes, gint code, GError **error)
{
    gsize length = strlen(name);
    if (length == 0) {
        g_set_error(error, AIMF_ERROR, code, "a tensor has an empty name");
    } else if (length > AIMF_MAX_NAME_BYTES) {
        g_set_error(error, AIMF_ERROR, code,
                    "the tensor name '%s' has %" G_GSIZE_FORMAT " bytes; at most %d are accepted", AIMF_SHOWN(name),
                    length, AIMF_MAX_NAME_BYTES);
    } else if (!g_utf8_validate(name, (gssize)length, NULL)) {
        g_autofree char *escaped = g_strescape(name, NULL);
        g_set_error(error, AIMF_ERROR, code, "the tensor name '%s' is not UTF-8", escaped);
    } else if (strcmp(name, "__metadata__") == 0) {
        g_set_error(error, AIMF_ERROR, code, "a tensor cannot be named '__metadata__': safetensors reserve it");
    } else if (aimf_tensors_find(tensors, name) >= 0) {
        g_set_error(error, AIMF_ERROR, code, "tensor '%s' is there twice", AIMF_SHOWN(name));
    } else if (shape->rank < 0 || shape->rank > AIMF_MAX_RANK) {
        g_set_error(error, AIMF_ERROR, code, "tensor '%s' has %d dimensions; 0 to %d are accepted", name, shape->rank,
                    AIMF_MAX_RANK);
    } else {
        gint64 count = aimf_shape_count(shape);
        if (count >= 0 && !__builtin_mul_overflow((gsize)count, element_bytes, bytes) && *bytes <= G_MAXSSIZE)
            return TRUE;
        g_autofree char *text = aimf_shape_text(shape);
        g_set_error(error, AIMF_ERROR, code, "tensor '%s' has the shape %s, which no memory can hold", name, text);
    }
    return FALSE;
}

static int insert(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape, gsize bytes)
{
    Entry entry = { .tensor = { g_strdup(name), dtype, *shape, bytes } };
    int index = (int)tensors->entries->len;
    g_array_append_val(tensors->entries, entry);
    g_hash_table_insert(tensors->indices, (char *)entry.tensor.name, GINT_TO_POINTER(index));
    return index;
}

gboolean aimf_tensors_append(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape,
                             const void *data, GError **error)
{
    gsize bytes;
    if (!check_entry(tensors, name, shape, aimf_dtype_bytes(dtype), &bytes, AIMF_ERROR_FORMAT, error))
        return FALSE;
    int index = insert(tensors, name, dtype, shape, bytes);
    entry_at(tensors, (guint)index)->data = data;
    return TRUE;
}

int aimf_tensors_add(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape, const void *data,
                     GError **error)
{
    g_assert(tensors->in_memory && dtype < AIMF_N_DTYPES);
    gsize bytes;
    if (!check_entry(tensors, name, shape, aimf_dtype_bytes(dtype), &bytes, AIMF_ERROR_INVALID, error))
        return -1;
    guint8 *owned = data ? g_try_malloc(MAX(bytes, 1)) : g_try_malloc0(MAX(bytes, 1));
    if (!owned) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the %" G_GSIZE_FORMAT " bytes of tensor '%s'",
                    bytes, name);
        return -1;
    }
    if (data && bytes)
        memcpy(owned, data, bytes);
    int index = insert(tensors, name, dtype, shape, bytes);
    Entry *entry = entry_at(tensors, (guint)index);
    entry->data = entry->writable = entry->owned = owned;
    return index;
}

gboolean aimf_tensors_add_borrowed(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape,
                                   void *data, GError **error)
{
    g_assert(tensors->in_memory && dtype < AIMF_N_DTYPES);
    gsize bytes;
    if (!check_entry(tensors, name, shape, aimf_dtype_bytes(dtype), &bytes, AIMF_ERROR_INVALID, error))
        return FALSE;
    Entry *entry = entry_at(tensors, (guint)insert(tensors, name, dtype, shape, bytes));
    entry->data = entry->writable = data;
    return TRUE;
}

gboolean aimf_tensors_read_bytes(const AimfTensors *tensors, guint index, gsize begin, gsize bytes, void *to,
                                 GError **error)
{
    const Entry *entry = entry_at(tensors, index);
    g_assert(begin <= entry->tensor.bytes && bytes <= entry->tensor.bytes - begin);
    if (entry->data) {
        if (bytes)
            memcpy(to, entry->data + begin, bytes);
        return TRUE;
    }
    if (tensors->type->read(tensors->source, index, begin, bytes, to, error))
        return TRUE;
    if (!tensors->type->names_tensors)
        g_prefix_error(error, "tensor '%s': ", entry->tensor.name);
    return FALSE;
}

const void *aimf_tensors_bytes(const AimfTensors *tensors, guint index, void **buffer, GError **error)
{
    const Entry *entry = entry_at(tensors, index);
    *buffer = NULL;
    if (entry->data)
        return entry->data;
    void *bytes = g_try_malloc(MAX(entry->tensor.bytes, 1));
    if (!bytes) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the %" G_GSIZE_FORMAT " bytes of tensor '%s'",
                    entry->tensor.bytes, entry->tensor.name);
        return NULL;
    }
    if (!aimf_tensors_read_bytes(tensors, index, 0, entry->tensor.bytes, bytes, error)) {
        g_free(bytes);
        return NULL;
    }
    *buffer = bytes;
    return bytes;
}

gboolean aimf_tensors_read(const AimfTensors *tensors, guint index, AimfDtype dtype, void *to, GError **error)
{
    const Entry *entry = entry_at(tensors, index);
    const AimfTensor *tensor = &entry->tensor;
    if (dtype != tensor->dtype && !(aimf_dtype_is_float(dtype) && aimf_dtype_is_float(tensor->dtype))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "tensor '%s' is %s and cannot be read as %s: only floating types are converted", tensor->name,
                    aimf_dtype_name(tensor->dtype), aimf_dtype_name(dtype));
        return FALSE;
    }
    if (!entry->data && dtype == tensor->dtype)
        return aimf_tensors_read_bytes(tensors, index, 0, tensor->bytes, to, error);
    g_autofree void *buffer = NULL;
    const void *bytes = aimf_tensors_bytes(tensors, index, &buffer, error);
    if (!bytes)
        return FALSE;
    aimf_elements_convert(tensor->bytes / aimf_dtype_bytes(tensor->dtype), tensor->dtype, bytes, dtype, to);
    return TRUE;
}

const void *aimf_tensors_data(const AimfTensors *tensors, guint index)
{
    const Entry *entry = entry_at(tensors, index);
    gboolean aligned = (guintptr)entry->data % aimf_dtype_bytes(entry->tensor.dtype) == 0;
    return aligned ? entry->data : NULL; /* files may place tensors anywhere; callers index them as numbers */
}

void *aimf_tensors_writable(AimfTensors *tensors, guint index)
{
    return entry_at(tensors, index)->writable;
}

void aimf_tensors_copy_metadata(const AimfTensors *from, AimfTensors *to)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, from->metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        aimf_tensors_set_metadata(to, key, value);
}

AimfTensors *aimf_tensors_load(const AimfTensors *tensors, AimfDtype dtype, GError **error)
{
    return aimf_tensors_select(tensors, "", dtype, error);
}

void aimf_tensors_set_maps_file(AimfTensors *tensors)
{
    tensors->maps_file = TRUE;
}

void aimf_tensors_set_wrapper(AimfTensors *tensors, const char *wrapper)
{
    tensors->wrapper = wrapper;
}

const char *aimf_tensors_wrapper(const AimfTensors *tensors)
{
    return tensors->wrapper;
}

char *aimf_tensors_below(const AimfTensors *tensors, const char *key)
{
    g_autofree char *prefix = g_strconcat(key, g_str_has_suffix(key, ".") ? "" : ".", NULL);
    g_autofree char *wrapper = tensors->wrapper ? g_strconcat(tensors->wrapper, ".", NULL) : NULL;
    return g_strdup(wrapper && g_str_has_prefix(prefix, wrapper) ? prefix + strlen(wrapper) : prefix);
}

char *aimf_tensors_beginnings(const AimfTensors *tensors)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const char *name = aimf_tensors_at(tensors, i)->name;
        char *begin = g_strndup(name, strcspn(name, "."));
        if (g_hash_table_add(seen, begin) && g_hash_table_size(seen) <= MAX_LISTED)
            g_string_append_printf(text, "%s'%s'", text->len ? ", " : "", begin);
    }
    guint n = g_hash_table_size(seen);
    if (n > MAX_LISTED)
        g_string_append_printf(text, " and %u more", n - MAX_LISTED);
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : g_strdup("nothing: there are none");
}

void aimf_tensors_note_unreadable(AimfTensors *tensors, const char *name, const char *kind)
{
    Unreadable entry = { g_strdup(name), kind };
    g_array_append_val(tensors->unreadable, entry);
}

const char *aimf_tensors_unreadable_at(const AimfTensors *tensors, guint index, const char **kind)
{
    if (index >= tensors->unreadable->len)
        return NULL;
    const Unreadable *entry = &g_array_index(tensors->unreadable, Unreadable, index);
    *kind = entry->kind;
    return entry->name;
}

gboolean aimf_tensors_check_kinds(const AimfTensors *tensors, const char *prefix, GError **error)
{
    for (guint i = 0; i < tensors->unreadable->len; i++) {
        const Unreadable *entry = &g_array_index(tensors->unreadable, Unreadable, i);
        if (!g_str_has_prefix(entry->name, prefix))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "the tensor '%s' is %s", AIMF_SHOWN(entry->name),
                    entry->kind);
        return FALSE;
    }
    return TRUE;
}

AimfTensors *aimf_tensors_select(const AimfTensors *tensors, const char *prefix, AimfDtype dtype, GError **error)
{
    if (!aimf_tensors_check_kinds(tensors, prefix, error))
        return NULL;
    g_autoptr(AimfTensors) loaded = aimf_tensors_new();
    gsize skipped = strlen(prefix);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        if (!g_str_has_prefix(tensor->name, prefix))
            continue;
        gboolean converts = dtype != AIMF_N_DTYPES && aimf_dtype_is_float(tensor->dtype);
        AimfDtype wanted = converts ? dtype : tensor->dtype;
        int index = aimf_tensors_add(loaded, tensor->name + skipped, wanted, &tensor->shape, NULL, error);
        if (index < 0 || !aimf_tensors_read(tensors, i, wanted, aimf_tensors_writable(loaded, (guint)index), error))
            return NULL;
    }
    if (skipped && aimf_tensors_count(loaded) == 0) {
        g_autofree char *names = aimf_tensors_beginnings(tensors);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "no tensor's name begins with '%s'; they begin with %s",
                    prefix, names);
        return NULL;
    }
    aimf_tensors_copy_metadata(tensors, loaded);
    return aimf_tensors_unchanged(tensors, error) ? g_steal_pointer(&loaded) : NULL;
}

const char *aimf_tensors_metadata(const AimfTensors *tensors, const char *key)
{
    return g_hash_table_lookup(tensors->metadata, key);
}

void aimf_tensors_set_metadata(AimfTensors *tensors, const char *key, const char *value)
{
    if (value)
        g_hash_table_replace(tensors->metadata, g_strdup(key), g_strdup(value));
    else
        g_hash_table_remove(tensors->metadata, key);
}

gboolean aimf_tensors_has_metadata(const AimfTensors *tensors)
{
    return g_hash_table_size(tensors->metadata) > 0;
}

static gint compare_keys(gconstpointer a, gconstpointer b, gpointer user_data)
{
    (void)user_data;
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char **aimf_tensors_metadata_keys(const AimfTensors *tensors)
{
    guint n;
    char **keys = (char **)g_hash_table_get_keys_as_array(tensors->metadata, &n);
    g_qsort_with_data(keys, (gint)n, sizeof *keys, compare_keys, NULL);
    for (guint i = 0; i < n; i++)
        keys[i] = g_strdup(keys[i]);
    return keys;
}

void aimf_tensors_release_pages(const AimfTensors *tensors)
{
    if (tensors->maps_file)
        aimf_file_map_release(tensors->map);
    if (tensors->type && tensors->type->release_pages)
        tensors->type->release_pages(tensors->source);
}

gboolean aimf_tensors_unchanged(const AimfTensors *tensors, GError **error)
{
    return (!tensors->maps_file || aimf_file_map_unchanged(tensors->map, error)) &&
           (!tensors->type || !tensors->type->unchanged || tensors->type->unchanged(tensors->source, error));
}
