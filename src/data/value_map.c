#include "data/value_map.h"

#include <string.h>

struct AimfValueMap {
    GHashTable *values; /* char * → char * */
    GHashTable *alike;  /* the same by key of spelling */
};

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
    char *key = aimf_spelling_key(value);
    const char *known = g_hash_table_lookup(map->values, value);
    if (!known && alike)
        known = g_hash_table_lookup(map->alike, key);
    gboolean good = !known || strcmp(known, result) == 0;
    if (!good)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s: '%s' becomes '%s' and '%s'; it can become one", option,
                    value, known, result);
    g_hash_table_replace(map->alike, key, g_strdup(result));
    g_hash_table_replace(map->values, value, result);
    return good;
}

AimfValueMap *aimf_value_map_parse(const char *option, const char *text, gboolean alike, GError **error)
{
    g_autoptr(AimfValueMap) map = g_new(AimfValueMap, 1);
    map->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    map->alike = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(text, ",", -1);
    for (char **pair = pairs; *pair; pair++) {
        char *sign = strrchr(*pair, '=');
        g_autofree char *value = sign ? g_strstrip(g_strndup(*pair, (gsize)(sign - *pair))) : NULL;
        g_autofree char *result = sign ? g_strstrip(g_strdup(sign + 1)) : NULL;
        if (!sign || !*value || !*result || !g_utf8_validate(*pair, -1, NULL)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s: expected VALUE=NUMBER-OR-LABEL, found '%s'", option,
                        *pair);
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

const char *aimf_value_map_get(const AimfValueMap *map, const char *text, gboolean alike)
{
    const char *result = g_hash_table_lookup(map->values, text);
    if (result || !alike)
        return result;
    g_autofree char *key = aimf_spelling_key(text);
    return g_hash_table_lookup(map->alike, key);
}

const char *aimf_value_map_others(const AimfValueMap *map)
{
    return g_hash_table_lookup(map->values, "*");
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
