/* What the values of a column become: "female=1,male=0,*=2". */
#pragma once

#include "data/spellings.h"

#include <aimfair/error.h>

typedef struct AimfValueMap AimfValueMap;

/**
 * aimf_value_map_parse: (owned); NULL with INVALID, naming @option, also where one value becomes two things.
 * Blanks around values and results do not count. @alike: spellings of one value are that value
 * (aimf_spelling_key)
 */
AimfValueMap *aimf_value_map_parse(const char *option, const char *text, gboolean alike, GError **error);
void aimf_value_map_free(AimfValueMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfValueMap, aimf_value_map_free)

/** AimfMapEntry: "female=1". */
typedef struct {
    char *value;
    char *result;
} AimfMapEntry;

/**
 * aimf_value_map_find: (borrowed, nullable) the entry of @text, or for a number of the same number.
 * @alike: an entry for another spelling of it (aimf_spelling_key) counts as well
 */
const AimfMapEntry *aimf_value_map_find(const AimfValueMap *map, const char *text, gboolean alike);
/** aimf_value_map_others: (borrowed, nullable) what all texts without an entry become: that of "*". */
const char *aimf_value_map_others(const AimfValueMap *map);
/** aimf_value_map_list: adds the values that have entries to @spellings, with 0 rows. */
void aimf_value_map_list(const AimfValueMap *map, AimfSpellings *spellings);
/**
 * aimf_value_map_describe_unused: (owned, nullable) "'wlf' (did you mean 'wolf'?)": the texts of @column that entries
 * named and no row had.
 */
char *aimf_value_map_describe_unused(const AimfValueMap *map, const AimfSpellings *column);
