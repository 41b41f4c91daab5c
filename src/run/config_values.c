/* The values of a configuration, read from texts by the rows of config_list.h. */
#include "run/config_values.h"

#include "base/format.h"

#include <aimfair/error.h>
#include <aimfair/names.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { MAX_ITEMS = AIMF_CONFIG_MAX_ITEMS, MAX_TEXT = AIMF_CONFIG_MAX_TEXT };

const AimfConfigRow aimf_config_rows[AIMF_N_KEYS] = {
#define AIMF_SECTION(name, text, about)
#define AIMF_KEY(name, key, kind, low, high, choices, standard, about)                                                 \
    [AIMF_KEY_##name] = { key, AIMF_CONFIG_##kind, low, high, choices, standard, about },
#include "run/config_list.h"
#undef AIMF_SECTION
#undef AIMF_KEY
};

const char *aimf_config_name(AimfConfigKey key)
{
    return aimf_config_rows[key].name;
}

gboolean aimf_config_is_list(AimfConfigKey key)
{
    return aimf_config_rows[key].kind >= AIMF_CONFIG_TEXTS;
}

/* --- Texts as values --- */

static gboolean wrong(const AimfConfigRow *row, const char *expected, const char *text, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes %s, not '%s'", row->name, expected, text);
    return FALSE;
}

/* A decimal number without inf, nan and hexadecimals. */
static gboolean parse_decimal(const char *text, double *value)
{
    char *end;
    if (!*text || strspn(text, "0123456789.eE+-") != strlen(text))
        return FALSE;
    *value = g_ascii_strtod(text, &end);
    return !*end && isfinite(*value);
}

/* "0.11" or "1/9". */
static gboolean parse_real(const char *text, double *value)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 3);
    double below = 1;
    guint n = g_strv_length(parts);
    if (n < 1 || n > 2 || !parse_decimal(g_strstrip(parts[0]), value) ||
        (n == 2 && (!parse_decimal(g_strstrip(parts[1]), &below) || below == 0)))
        return FALSE;
    *value /= below;
    return isfinite(*value);
}

static char *range_text(const AimfConfigRow *row, const char *what)
{
    return aimf_format("%s from %.16g to %.16g", what, row->low, row->high);
}

static gboolean parse_number(const AimfConfigRow *row, const char *text, gboolean whole, double *value, GError **error)
{
    guint64 integer = 0;
    gboolean read =
        whole ? g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &integer, NULL) : parse_real(text, value);
    if (whole)
        *value = (double)integer;
    if (read && *value >= row->low && *value <= row->high)
        return TRUE;
    g_autofree char *expected = range_text(row, whole ? "a whole number" : "a number");
    return wrong(row, expected, text, error);
}

static gboolean parse_choice(const AimfConfigRow *row, const char *text, double *value, GError **error)
{
    g_auto(GStrv) choices = g_strsplit(row->choices, " ", -1);
    for (guint i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *value = i;
            return TRUE;
        }
    }
    g_autofree char *list = g_strjoinv(", ", choices);
    g_autofree char *hint = aimf_name_hint(text, (const char *const *)choices);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes %s, not '%s'%s", row->name, list, text, hint);
    return FALSE;
}

static gboolean parse_boolean(const AimfConfigRow *row, const char *text, double *value, GError **error)
{
    *value = strcmp(text, "true") == 0;
    return *value != 0 || strcmp(text, "false") == 0 || wrong(row, "true or false", text, error);
}

/* @value: receives the number, the index of the choice, or 1 and 0 */
static gboolean parse_item(const AimfConfigRow *row, const char *text, double *value, GError **error)
{
    *value = NAN;
    if (!g_utf8_validate(text, -1, NULL) || strlen(text) > MAX_TEXT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s takes UTF-8 of at most %d bytes", row->name, MAX_TEXT);
        return FALSE;
    }
    switch (row->kind) {
    case AIMF_CONFIG_INTEGER:
    case AIMF_CONFIG_INTEGERS:
        return parse_number(row, text, TRUE, value, error);
    case AIMF_CONFIG_REAL:
    case AIMF_CONFIG_REALS:
        return parse_number(row, text, FALSE, value, error);
    case AIMF_CONFIG_CHOICE:
    case AIMF_CONFIG_CHOICES:
        return parse_choice(row, text, value, error);
    case AIMF_CONFIG_BOOLEAN:
        return parse_boolean(row, text, value, error);
    case AIMF_CONFIG_TEXT:
    case AIMF_CONFIG_PATH:
    case AIMF_CONFIG_TEXTS:
        break;
    }
    return TRUE;
}

static void value_clear(AimfConfigValue *value)
{
    g_strfreev(value->items);
    g_free(value->numbers);
    g_free(value->place);
    g_free(value->base);
    *value = (AimfConfigValue){ 0 };
}

/* What has a default that is not nothing needs a value, but for lists, of which none may be meant. */
static gboolean check_length(AimfConfigKey key, guint n, GError **error)
{
    const AimfConfigRow *row = &aimf_config_rows[key];
    gboolean needed = *row->standard && (!aimf_config_is_list(key) || key == AIMF_KEY_SEEDS ||
                                         key == AIMF_KEY_FINETUNE_METHODS || key == AIMF_KEY_FINETUNE_TOP_K);
    if (n == 0 && needed) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s has no value; its default is %s", row->name,
                    row->standard);
        return FALSE;
    }
    if (n > MAX_ITEMS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s has %u values; %d are the most", row->name, n,
                    MAX_ITEMS);
        return FALSE;
    }
    return TRUE;
}

gboolean aimf_config_take(AimfConfig *config, AimfConfigKey key, const char *const *items, const char *place,
                          const char *base, GError **error)
{
    const AimfConfigRow *row = &aimf_config_rows[key];
    guint n = g_strv_length((char **)items);
    if (!check_length(key, n, error))
        return FALSE;
    g_autofree double *numbers = g_new(double, n + 1);
    for (guint i = 0; i < n; i++)
        if (!parse_item(row, items[i], &numbers[i], error))
            return FALSE;
    AimfConfigValue *value = &config->values[key];
    value_clear(value);
    *value = (AimfConfigValue){
        .items = g_strdupv((char **)items),
        .numbers = g_steal_pointer(&numbers),
        .n = n,
        .place = g_strdup(place),
        .base = g_strdup(base),
    };
    return TRUE;
}

char **aimf_config_split(AimfConfigKey key, const char *text)
{
    if (!*text)
        return g_new0(char *, 1);
    if (!aimf_config_is_list(key))
        return g_strdupv((char *[]){ (char *)(gsize)text, NULL });
    char **items = g_strsplit(text, ",", -1);
    for (guint i = 0; items[i]; i++)
        g_strstrip(items[i]);
    return items;
}

AimfConfig *aimf_config_new(void)
{
    AimfConfig *config = g_new0(AimfConfig, 1);
    for (int k = 0; k < AIMF_N_KEYS; k++) {
        g_auto(GStrv) items = aimf_config_split((AimfConfigKey)k, aimf_config_rows[k].standard);
        g_autoptr(GError) error = NULL;
        if (!aimf_config_take(config, (AimfConfigKey)k, (const char *const *)items, NULL, ".", &error))
            g_error("default of %s", error->message); /* our own mistake, which every test meets */
    }
    return config;
}

void aimf_config_free(AimfConfig *config)
{
    if (!config)
        return;
    for (int k = 0; k < AIMF_N_KEYS; k++)
        value_clear(&config->values[k]);
    g_free(config);
}

int aimf_config_find(const char *name, GError **error)
{
    const char *names[AIMF_N_KEYS + 1] = { NULL };
    for (int k = 0; k < AIMF_N_KEYS; k++) {
        names[k] = aimf_config_rows[k].name;
        if (strcmp(names[k], name) == 0)
            return k;
    }
    g_autofree char *hint = aimf_name_hint(name, names);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there is no key '%s'%s", name, hint);
    return -1;
}

/* --- Reading values --- */

const char *aimf_config_place(const AimfConfig *config, AimfConfigKey key)
{
    return config->values[key].place;
}

gboolean aimf_config_given(const AimfConfig *config, AimfConfigKey key)
{
    return config->values[key].n > 0;
}

const char *aimf_config_text_at(const AimfConfig *config, AimfConfigKey key)
{
    return config->values[key].items[0];
}

char *aimf_config_expand(const char *text, GError **error)
{
    g_autoptr(GString) expanded = g_string_new(NULL);
    const char *rest = text;
    for (const char *open; (open = strstr(rest, "${"));) {
        const char *close = strchr(open, '}');
        if (!close) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has '${' without '}'", text);
            return NULL;
        }
        g_autofree char *name = g_strndup(open + 2, (gsize)(close - open) - 2);
        const char *value = g_getenv(name);
        if (!value) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': the environment has no %s", text, name);
            return NULL;
        }
        g_string_append_len(expanded, rest, open - rest);
        g_string_append(expanded, value);
        rest = close + 1;
    }
    g_string_append(expanded, rest);
    return g_string_free(g_steal_pointer(&expanded), FALSE);
}

char *aimf_config_path(const AimfConfig *config, AimfConfigKey key)
{
    const AimfConfigValue *value = &config->values[key];
    if (!value->n)
        return NULL;
    g_autofree char *expanded = aimf_config_expand(value->items[0], NULL);
    const char *path = expanded ? expanded : value->items[0];
    return g_path_is_absolute(path) || strcmp(value->base, ".") == 0 ? g_strdup(path)
                                                                     : g_build_filename(value->base, path, NULL);
}

gint64 aimf_config_integer(const AimfConfig *config, AimfConfigKey key)
{
    const AimfConfigValue *value = &config->values[key];
    return value->n ? (gint64)value->numbers[0] : 0;
}

double aimf_config_real(const AimfConfig *config, AimfConfigKey key)
{
    const AimfConfigValue *value = &config->values[key];
    return value->n ? value->numbers[0] : NAN;
}

gboolean aimf_config_boolean(const AimfConfig *config, AimfConfigKey key)
{
    return aimf_config_integer(config, key) != 0;
}

int aimf_config_choice(const AimfConfig *config, AimfConfigKey key)
{
    const AimfConfigValue *value = &config->values[key];
    return value->n ? (int)value->numbers[0] : -1;
}

char *const *aimf_config_list(const AimfConfig *config, AimfConfigKey key)
{
    return config->values[key].items;
}

guint aimf_config_length(const AimfConfig *config, AimfConfigKey key)
{
    return config->values[key].n;
}

double aimf_config_number_at(const AimfConfig *config, AimfConfigKey key, guint index)
{
    return config->values[key].numbers[index];
}

guint64 aimf_config_integer_at(const AimfConfig *config, AimfConfigKey key, guint index)
{
    return (guint64)config->values[key].numbers[index];
}

char *aimf_config_value(const AimfConfig *config, AimfConfigKey key)
{
    return g_strjoinv(", ", config->values[key].items);
}

void aimf_config_error(const AimfConfig *config, AimfConfigKey key, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = aimf_format_list(format, args);
    va_end(args);
    const char *place = aimf_config_place(config, key);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s%s%s: %s", place ? place : "", place ? ": " : "",
                aimf_config_name(key), text);
}
