/* Opening weight files: single ones, and a component's of diffusers' layout. */
#include "model/sd_source.h"

#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"

#include <string.h>

enum { MAX_INDEX_BYTES = 16 << 20, MAX_SHARDS = 1000 };

static AimfSdSource *source_new(AimfTensors *tensors, const char *path)
{
    AimfSdSource *source = g_new0(AimfSdSource, 1);
    source->tensors = tensors;
    source->used = g_new0(gboolean, MAX(aimf_tensors_count(tensors), 1));
    source->path = g_strdup(path);
    return source;
}

void aimf_sd_source_free(AimfSdSource *source)
{
    if (!source)
        return;
    aimf_tensors_free(source->tensors);
    g_free(source->used);
    g_free(source->path);
    g_free(source);
}

/* --- Single files --- */

/*
 * How many bytes of wrappers come before the name proper. A training checkpoint has its optimizer's tensors beside
 * its model's: then opening it could not take "state_dict." away; the others come from training on several devices
 * and from torch.compile.
 */
static gsize wrapped_bytes(const char *name)
{
    static const char *const wrappers[] = { "state_dict.", "model_state_dict.", "module.", "_orig_mod." };
    gsize bytes = 0, before;
    do {
        before = bytes;
        for (guint w = 0; w < G_N_ELEMENTS(wrappers); w++)
            if (g_str_has_prefix(name + bytes, wrappers[w]))
                bytes += strlen(wrappers[w]);
    } while (bytes > before);
    return bytes;
}

static AimfTensors *unwrap(AimfTensors *wrapped, GError **error)
{
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    for (guint i = 0; i < aimf_tensors_count(wrapped); i++) {
        const AimfTensor *tensor = aimf_tensors_at(wrapped, i);
        const char *name = tensor->name + wrapped_bytes(tensor->name);
        if (!aimf_tensors_add_view(view, *name ? name : tensor->name, wrapped, i, 0, &tensor->shape, error))
            return NULL;
    }
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(wrapped);
    for (char **key = keys; *key; key++)
        aimf_tensors_set_metadata(view, *key, aimf_tensors_metadata(wrapped, *key));
    return g_steal_pointer(&view);
}

AimfSdSource *aimf_sd_source_open(const char *path, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, error);
    if (!tensors)
        return NULL;
    gboolean wrapped = FALSE;
    for (guint i = 0; i < aimf_tensors_count(tensors) && !wrapped; i++)
        wrapped = wrapped_bytes(aimf_tensors_at(tensors, i)->name) > 0;
    AimfTensors *unwrapped = wrapped ? unwrap(tensors, error) : g_steal_pointer(&tensors);
    return unwrapped ? source_new(unwrapped, path) : NULL;
}

/* --- Shards --- */

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the files that an index mentions, sorted, each once; NULL with FORMAT. */
static GPtrArray *shard_names(const char *path, GError **error)
{
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_INDEX_BYTES, error);
    JsonObject *map = root ? aimf_json_object(json_node_get_object(root), path, "weight_map", error) : NULL;
    if (!map)
        return NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GList) values = json_object_get_values(map);
    for (GList *value = values; value; value = value->next) {
        const char *name = JSON_NODE_HOLDS_VALUE(value->data) ? json_node_get_string(value->data) : NULL;
        if (!name || !*name || strchr(name, '/') || strchr(name, '\\') || *name == '.' || names->len > MAX_SHARDS) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "'%s': 'weight_map' must name at most %d files beside it, not '%s'", path, MAX_SHARDS,
                        AIMF_SHOWN(name));
            return NULL;
        }
        if (g_hash_table_contains(seen, name))
            continue;
        g_ptr_array_add(names, g_strdup(name));
        g_hash_table_add(seen, names->pdata[names->len - 1]);
    }
    g_ptr_array_sort(names, compare_names);
    return g_steal_pointer(&names);
}

static AimfTensors *open_shards(const char *folder, const char *index, GError **error)
{
    g_autoptr(GPtrArray) names = shard_names(index, error);
    if (!names)
        return NULL;
    g_autoptr(AimfTensors) all = aimf_tensors_new_view();
    for (guint s = 0; s < names->len; s++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[s], NULL);
        g_autoptr(AimfTensors) shard = aimf_tensors_open(path, error);
        if (!shard)
            return NULL;
        for (guint i = 0; i < aimf_tensors_count(shard); i++) {
            const AimfTensor *tensor = aimf_tensors_at(shard, i);
            if (!aimf_tensors_add_view(all, tensor->name, shard, i, 0, &tensor->shape, error)) {
                g_prefix_error(error, "'%s': ", path);
                return NULL;
            }
        }
    }
    return g_steal_pointer(&all);
}

/* --- Components of diffusers' layout --- */

/*
 * NAME, or NAME with the variant before the last ending, as diffusers and transformers write them; NULL if it is not
 * there.
 */
static char *variant_of(const char *folder, const char *name, const char *variant, GError **error)
{
    const char *ending = strrchr(name, '.');
    g_autofree char *file =
        *variant ? g_strdup_printf("%.*s.%s%s", (int)(ending - name), name, variant, ending) : g_strdup(name);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    gboolean there;
    return aimf_path_there(path, &there, error) && there ? g_steal_pointer(&path) : NULL;
}

/* In the order of preference: formats without code in them first. */
static const char *const component_files[] = {
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
};

/* The first of them in the first of @variants (n) that has any; NULL with an error if a file cannot be examined. */
static char *find_component(const char *folder, const char *const *variants, guint n, guint *variant, GError **error)
{
    GError *failure = NULL;
    char *path = NULL;
    for (guint v = 0; v < n && !path && !failure; v++) {
        *variant = v;
        for (guint i = 0; i < G_N_ELEMENTS(component_files) && !path && !failure; i++)
            path = variant_of(folder, component_files[i], variants[v], &failure);
    }
    if (!path && !failure)
        g_set_error(&failure, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                    "'%s' has no weights: none of diffusion_pytorch_model, model (.safetensors, or .bin with "
                    "pytorch_model) nor an index of shards is there",
                    folder);
    if (failure)
        g_propagate_error(error, failure);
    return path;
}

AimfSdSource *aimf_sd_source_open_component(const char *folder, gboolean raw, gboolean *is_raw, GError **error)
{
    static const char *const variants[] = { "non_ema", "", "fp16" };
    guint skipped = raw ? 0 : 1, variant;
    g_autofree char *path =
        find_component(folder, variants + skipped, G_N_ELEMENTS(variants) - skipped, &variant, error);
    if (!path)
        return NULL;
    *is_raw = raw && variant == 0;
    AimfTensors *tensors =
        g_str_has_suffix(path, ".json") ? open_shards(folder, path, error) : aimf_tensors_open(path, error);
    return tensors ? source_new(tensors, path) : NULL;
}
