/* HTML's named characters. */
#pragma once

#include <glib.h>

/**
 * AimfEntity: @name: without "&" and ";"; @first, @second: its characters, 0 where there is no second; @bare: also
 * without ";".
 */
typedef struct {
    const char *name;
    gunichar first, second;
    gboolean bare;
} AimfEntity;

/** aimf_entities: (aimf_n_entities), sorted by name. */
extern const AimfEntity aimf_entities[];
extern const guint aimf_n_entities;
