/* The rows of config_list.h and the values that follow them, for the files that read and write configurations. */
#pragma once

#include "run/config.h"

/** AIMF_CONFIG_MAX_ITEMS: of a list; AIMF_CONFIG_MAX_TEXT: bytes of each, or of a text. */
enum { AIMF_CONFIG_MAX_ITEMS = 1000, AIMF_CONFIG_MAX_TEXT = 4096 };

/** AimfConfigKind: lists come last. */
typedef enum {
    AIMF_CONFIG_TEXT,
    AIMF_CONFIG_PATH,
    AIMF_CONFIG_INTEGER,
    AIMF_CONFIG_REAL,
    AIMF_CONFIG_CHOICE,
    AIMF_CONFIG_BOOLEAN,
    AIMF_CONFIG_TEXTS,
    AIMF_CONFIG_INTEGERS,
    AIMF_CONFIG_REALS,
    AIMF_CONFIG_CHOICES,
} AimfConfigKind;

/** AimfConfigRow: a key as config_list.h has it. */
typedef struct {
    const char *name;
    AimfConfigKind kind;
    double low, high;
    const char *choices;
    const char *standard;
    const char *about;
} AimfConfigRow;

extern const AimfConfigRow aimf_config_rows[AIMF_N_KEYS];

/**
 * AimfConfigValue: everything owned. @items: (n) as they are written, NULL-terminated; @numbers: (n) what they say,
 * of a choice its index. @place: (nullable) where it was set; @base: the folder at which relative paths begin
 */
typedef struct {
    char **items;
    double *numbers;
    guint n;
    char *place;
    char *base;
} AimfConfigValue;

struct AimfConfig {
    AimfConfigValue values[AIMF_N_KEYS];
};

gboolean aimf_config_is_list(AimfConfigKey key);
/** aimf_config_find: the key called @name; -1 with INVALID that has the nearest. */
int aimf_config_find(const char *name, GError **error);
/**
 * aimf_config_take: the value of @key becomes @items, NULL-terminated; FALSE with INVALID that has no place yet, the
 * value is then as it was.
 */
gboolean aimf_config_take(AimfConfig *config, AimfConfigKey key, const char *const *items, const char *place,
                          const char *base, GError **error);
/** aimf_config_split: (owned) the elements of "0, 1,2" without the blanks around them; of a scalar the one text. */
char **aimf_config_split(AimfConfigKey key, const char *text);
/** aimf_config_read_list: (owned) the elements of "[a, 'b, c']", YAML's flow sequence. NULL with INVALID. */
char **aimf_config_read_list(const char *text, GError **error);
/**
 * aimf_config_expand: (owned) @text with ${NAME} replaced by variables of the environment; NULL with INVALID: one that
 * is not set, or a brace that is not closed.
 */
char *aimf_config_expand(const char *text, GError **error);
