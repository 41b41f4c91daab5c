/* A configuration from within: its keys by name, its values by type. */
#pragma once

#include <aimfair/run.h>

/** AimfConfigKey: one for each line of config_list.h. */
typedef enum {
#define AIMF_SECTION(name, text, about)
#define AIMF_KEY(name, key, kind, low, high, choices, standard, about) AIMF_KEY_##name,
#include "run/config_list.h"
#undef AIMF_SECTION
#undef AIMF_KEY
    AIMF_N_KEYS
} AimfConfigKey;

/**
 * aimf_config_read_back: (owned) what a run wrote of its configuration. Whoever reads it has other variables in the
 * environment, and needs none: they are not looked at. NULL as aimf_config_open.
 */
AimfConfig *aimf_config_read_back(const char *path, GError **error);
/** aimf_config_name: (borrowed) "train.epochs", "seeds". */
const char *aimf_config_name(AimfConfigKey key);
/** aimf_config_value: (owned) the value as it is written, a list with ", " between; "" for none. */
char *aimf_config_value(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_given: whether there is a value at all. */
gboolean aimf_config_given(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_place: (borrowed, nullable) where the value was set: "my.yaml, line 7"; NULL for the default. */
const char *aimf_config_place(const AimfConfig *config, AimfConfigKey key);

/* Values by the key's kind; the last four are of lists. */

/** aimf_config_text_at: (borrowed, nullable) a TEXT or a CHOICE; NULL for none. */
const char *aimf_config_text_at(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_path: (owned, nullable) a PATH that can be opened from here. */
char *aimf_config_path(const AimfConfig *config, AimfConfigKey key);
gint64 aimf_config_integer(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_real: NaN for none. */
double aimf_config_real(const AimfConfig *config, AimfConfigKey key);
gboolean aimf_config_boolean(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_choice: index of the CHOICE; -1 for none. */
int aimf_config_choice(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_list: (borrowed) NULL-terminated, the elements' texts. */
char *const *aimf_config_list(const AimfConfig *config, AimfConfigKey key);
guint aimf_config_length(const AimfConfig *config, AimfConfigKey key);
/** aimf_config_number_at: element @index of INTEGERS or REALS. */
double aimf_config_number_at(const AimfConfig *config, AimfConfigKey key, guint index);
guint64 aimf_config_integer_at(const AimfConfig *config, AimfConfigKey key, guint index);

/** aimf_config_error: sets INVALID: "my.yaml, line 7: train.epochs: …". */
void aimf_config_error(const AimfConfig *config, AimfConfigKey key, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
