#include "data/value_map.h"

#include "base/shown.h"

#include <aimfair/names.h>
#include <string.h>

struct AimfValueMap {
    GHashTable *values; /* char *, borrowed → AimfMapEntry * */
    GHashTable *alike;  /* the same by key of spelling, entries borrowed */
};

static void entry_free(gpointer data)
{
    AimfMapEntry *entry = data;
    g_free(entry->value);
    g_free(entry->result);
    g_free(entry);
}

void aimf_value_map_free(AimfValueMap *map)
{
    if (!map)
        return;
    g_hash_table_unref(map->values);
    g_hash_table_unref(map->alike);
    g_free(map);
}

/* @value and @result: owned by the map from here on. */
static gboolean add_entry(AimfValueMap *map, const char *option, char *value, char *result, gboolean alike,
                          GError **error)
{
    AimfMapEntry *entry = g_new(AimfMapEntry, 1);
    *entry = (AimfMapEntry){ value, result };
    g_autofree char *key = aimf_spelling_key(value);
    g_autofree char *number = aimf_number_key(value); /* a number's entry is for the number */
    const AimfMapEntry *known = g_hash_table_lookup(map->values, value);
    if (!known && (alike || number))
        known = g_hash_table_lookup(map->alike, key);
    gboolean good = !known || strcmp(known->result, result) == 0;
    if (!good)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s: '%s' becomes '%s' and '%s'; it can become one", option,
                    AIMF_SHOWN(value), AIMF_SHOWN(known->result), AIMF_SHOWN(result));
    g_hash_table_replace(map->alike, g_steal_pointer(&key), entry);
    g_hash_table_replace(map->values, value, entry);
    return good;
}

AimfValueMap *aimf_value_map_parse(const char *option, const char *text, gboolean alike, GError **error)
{
    g_autoptr(AimfValueMap) map = g_new(AimfValueMap, 1);
    map->values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    map->alike = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_auto(GStrv) pairs = g_strsplit(text, ",", -1);
    for (char **pair = pairs; *pair; pair++) {
        char *sign = strrchr(*pair, '=');
        g_autofree char *value = sign ? g_strstrip(g_strndup(*pair, (gsize)(sign - *pair))) : NULL;
        g_autofree char *result = sign ? g_strstrip(g_strdup(sign + 1)) : NULL;
        if (!sign || !*value || !*result || !g_utf8_validate(*pair, -1, NULL)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s: expected VALUE=NUMBER-OR-LABEL, found '%s'", option,
                        AIMF_SHOWN(*pair));
            return NULL;
        }
        if (aimf_stands_for_nothing(result)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "%s: '%s' would become '%s', which stands for a missing value wherever it is read", option,
                        value, result);
            return NULL;
        }
        if (!add_entry(map, option, g_steal_pointer(&value), g_steal_pointer(&result), alike, error))
            return NULL;
    }
    return g_steal_pointer(&map);
}

const AimfMapEntry *aimf_value_map_find(const AimfValueMap *map, const char *text, gboolean alike)
{
    const AimfMapEntry *entry = g_hash_table_lookup(map->values, text);
    if (entry)
        return entry;
    g_autofree char *number = aimf_number_key(text);
    g_autofree char *key = alike || number ? aimf_spelling_key(text) : NULL;
    return key ? g_hash_table_lookup(map->alike, key) : NULL;
}

const char *aimf_value_map_others(const AimfValueMap *map)
{
    const AimfMapEntry *entry = g_hash_table_lookup(map->values, "*");
    return entry ? entry->result : NULL;
}

void aimf_value_map_list(const AimfValueMap *map, AimfSpellings *spellings)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, map->values);
    while (g_hash_table_iter_next(&iter, &value, NULL))
        if (strcmp(value, "*") != 0)
            aimf_spellings_add(spellings, value, 0);
}

char *aimf_value_map_describe_unused(const AimfValueMap *map, const AimfSpellings *column)
{
    enum { SHOWN = 5 };
    g_autoptr(GPtrArray) unused = aimf_spellings_list(column, FALSE), met = aimf_spellings_list(column, TRUE);
    for (guint i = met->len; i-- > 0;) /* only what has no entry can have been meant by another */
        if (g_hash_table_contains(map->values, g_ptr_array_index(met, i)))
            g_ptr_array_remove_index(met, i);
    g_ptr_array_add(met, NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < MIN(unused->len, SHOWN); i++) {
        g_autofree char *hint = aimf_name_hint(g_ptr_array_index(unused, i), (const char *const *)met->pdata);
        g_string_append_printf(text, "%s'%s'%s", i ? ", " : "", (const char *)g_ptr_array_index(unused, i), hint);
    }
    if (unused->len > SHOWN)
        g_string_append_printf(text, " and %u more", unused->len - SHOWN);
    return unused->len ? g_strdup(text->str) : NULL;
}
