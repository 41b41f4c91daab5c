/* Configurations from YAML, by libyaml's events: scalars stay the texts that they are, with their lines. */
#include "base/format.h"
#include "base/text_file.h"
#include "run/config_values.h"

#include <aimfair/error.h>
#include <aimfair/names.h>
#include <string.h>
#include <yaml.h>

enum { MAX_FILE_BYTES = 1 << 20, MAX_WRITTEN_BYTES = 1 << 28 };

/* @shown: what the text is called in messages; @line: of the event that was read last, from 1 */
typedef struct {
    AimfConfig *config;
    const char *shown;
    const char *base;
    yaml_parser_t parser;
    yaml_event_t event;
    gboolean there; /* an event to be deleted */
    gulong line;
    guint64 seen[(AIMF_N_KEYS + 63) / 64];
} Reader;

static void reader_clear(Reader *reader)
{
    if (reader->there)
        yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

static gboolean begin(Reader *reader, const char *text, gsize length, GError **error)
{
    if (!yaml_parser_initialize(&reader->parser)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading %s", reader->shown);
        return FALSE;
    }
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, length);
    return TRUE;
}

static gboolean broken(const Reader *reader, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean broken(const Reader *reader, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = aimf_format_list(format, args);
    va_end(args);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s, line %lu: %s", reader->shown, reader->line, text);
    return FALSE;
}

/* Anchors repeat what is elsewhere, without end if they like, and tags ask for types: neither is needed. */
static gboolean check_plain(const Reader *reader, GError **error)
{
    const yaml_event_t *e = &reader->event;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (anchor || e->type == YAML_ALIAS_EVENT)
        return broken(reader, error, "anchors and aliases are not used here: write the value out");
    return !tag || broken(reader, error, "tags are not used here: leave out %s", tag);
}

static gboolean next(Reader *reader, GError **error)
{
    if (reader->there)
        yaml_event_delete(&reader->event);
    reader->there = yaml_parser_parse(&reader->parser, &reader->event);
    if (!reader->there) {
        const yaml_parser_t *p = &reader->parser;
        reader->line = (gulong)p->problem_mark.line + 1;
        if (p->error == YAML_MEMORY_ERROR) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for reading %s", reader->shown);
            return FALSE;
        }
        return broken(reader, error, "not YAML: %s%s%s", p->problem ? p->problem : "it cannot be read",
                      p->context ? " " : "", p->context ? p->context : "");
    }
    reader->line = (gulong)reader->event.start_mark.line + 1;
    return check_plain(reader, error);
}

/* Whether the scalar says that there is no value: nothing at all, or null, without quotes. */
static gboolean is_null(const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* (owned) the scalar's text; NULL with an error for one with a character 0. */
static char *scalar_text(const Reader *reader, GError **error)
{
    const yaml_event_t *e = &reader->event;
    const char *text = (const char *)e->data.scalar.value;
    if (strlen(text) == e->data.scalar.length)
        return g_strdup(text);
    broken(reader, error, "a text has a character 0");
    return NULL;
}

/* Elements up to the sequence's end, to @items. */
static gboolean read_items(Reader *reader, GPtrArray *items, const char *name, GError **error)
{
    for (;;) {
        if (!next(reader, error))
            return FALSE;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return TRUE;
        if (reader->event.type != YAML_SCALAR_EVENT)
            return broken(reader, error, "%s is a list of texts or numbers, and has a list or a section in it", name);
        char *text = scalar_text(reader, error);
        if (!text)
            return FALSE;
        g_ptr_array_add(items, text);
    }
}

/* The value of the key called @name, whose event is read. */
static gboolean read_value(Reader *reader, const char *name, GError **error)
{
    GError *failure = NULL;
    gulong line = reader->line;
    int key = aimf_config_find(name, &failure);
    if (key < 0) {
        broken(reader, error, "%s", failure->message);
        g_error_free(failure);
        return FALSE;
    }
    if (reader->seen[key / 64] & ((guint64)1 << key % 64))
        return broken(reader, error, "%s is there twice", name);
    reader->seen[key / 64] |= (guint64)1 << key % 64;
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    gboolean list = aimf_config_is_list((AimfConfigKey)key);
    if (reader->event.type == YAML_SEQUENCE_START_EVENT) {
        if (!list)
            return broken(reader, error, "%s takes one value, not a list", name);
        if (!read_items(reader, items, name, error))
            return FALSE;
    } else if (reader->event.type == YAML_SCALAR_EVENT) {
        char *text = is_null(&reader->event) ? NULL : scalar_text(reader, error);
        if (!text && !is_null(&reader->event))
            return FALSE;
        if (text)
            g_ptr_array_add(items, text);
    } else {
        return broken(reader, error, "%s takes a value, not a section", name);
    }
    g_ptr_array_add(items, NULL);
    g_autofree char *place = g_strdup_printf("%s, line %lu", reader->shown, line);
    if (aimf_config_take(reader->config, (AimfConfigKey)key, (const char *const *)items->pdata, place, reader->base,
                         &failure))
        return TRUE;
    reader->line = line;
    broken(reader, error, "%s", failure->message);
    g_error_free(failure);
    return FALSE;
}

static gboolean is_section(const char *name)
{
    for (int k = 0; k < AIMF_N_KEYS; k++)
        if (g_str_has_prefix(aimf_config_rows[k].name, name) && aimf_config_rows[k].name[strlen(name)] == '.')
            return TRUE;
    return FALSE;
}

static gboolean unknown_section(const Reader *reader, const char *name, GError **error)
{
    static const char *const sections[] = {
#define AIMF_SECTION(section, text, about) text,
#define AIMF_KEY(key, text, kind, low, high, choices, standard, about)
#include "run/config_list.h"
#undef AIMF_SECTION
#undef AIMF_KEY
        NULL
    };
    g_autofree char *list = g_strjoinv(", ", (char **)(gsize)(sections + 1)); /* the first has no name */
    g_autofree char *hint = aimf_name_hint(name, sections + 1);
    return broken(reader, error, "there is no section '%s'%s; there are %s", name, hint, list);
}

/* Keys and values up to the mapping's end. @section: (nullable) whose they are */
static gboolean read_mapping(Reader *reader, const char *section, GError **error)
{
    for (;;) {
        if (!next(reader, error))
            return FALSE;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return TRUE;
        if (reader->event.type != YAML_SCALAR_EVENT)
            return broken(reader, error, "a key is a word");
        g_autofree char *key = scalar_text(reader, error);
        if (!key)
            return FALSE;
        g_autofree char *name = section ? g_strconcat(section, ".", key, NULL) : g_strdup(key);
        if (!next(reader, error))
            return FALSE;
        gboolean known = !section && is_section(key);
        gboolean mapping = reader->event.type == YAML_MAPPING_START_EVENT;
        if (mapping && !section && !known)
            return unknown_section(reader, key, error);
        if (known && reader->event.type == YAML_SCALAR_EVENT && is_null(&reader->event))
            continue; /* a section whose keys are all commented out */
        if (known && !mapping)
            return broken(reader, error, "%s is a section: its keys follow, indented", key);
        if (known ? !read_mapping(reader, key, error) : !read_value(reader, name, error))
            return FALSE;
    }
}

static gboolean expect(Reader *reader, yaml_event_type_t type, const char *otherwise, GError **error)
{
    return next(reader, error) && (reader->event.type == type || broken(reader, error, "%s", otherwise));
}

static gboolean read_document(Reader *reader, GError **error)
{
    if (!expect(reader, YAML_STREAM_START_EVENT, "not YAML", error) || !next(reader, error))
        return FALSE;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return TRUE; /* nothing but comments: all defaults */
    if (!next(reader, error))
        return FALSE;
    if (reader->event.type == YAML_MAPPING_START_EVENT) {
        if (!read_mapping(reader, NULL, error))
            return FALSE;
    } else if (reader->event.type != YAML_SCALAR_EVENT || !is_null(&reader->event)) {
        return broken(reader, error, "a configuration is made of sections and keys, 'train:' and below it 'epochs: 3'");
    }
    return expect(reader, YAML_DOCUMENT_END_EVENT, "more than one value", error) &&
           expect(reader, YAML_STREAM_END_EVENT, "a second document; a configuration is one", error);
}

char **aimf_config_read_list(const char *text, GError **error)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    g_auto(Reader) reader = { .shown = "--set" };
    if (!begin(&reader, text, strlen(text), error))
        return NULL;
    const yaml_event_type_t opening[] = { YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                                          YAML_SEQUENCE_START_EVENT };
    for (gsize i = 0; i < G_N_ELEMENTS(opening); i++)
        if (!expect(&reader, opening[i], "not a list", error))
            return NULL;
    if (!read_items(&reader, items, "it", error) ||
        !expect(&reader, YAML_DOCUMENT_END_EVENT, "more than one value", error))
        return NULL;
    g_ptr_array_add(items, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&items), FALSE);
}

gboolean aimf_config_set(AimfConfig *config, const char *setting, GError **error)
{
    const char *equals = strchr(setting, '=');
    if (!equals) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' sets nothing: it has the form train.epochs=3",
                    setting);
        return FALSE;
    }
    g_autofree char *name = g_strndup(setting, (gsize)(equals - setting));
    int key = aimf_config_find(g_strstrip(name), error);
    if (key < 0)
        return FALSE;
    const char *text = equals + 1;
    g_auto(GStrv) items = NULL;
    if (aimf_config_is_list((AimfConfigKey)key) && *text == '[')
        items = aimf_config_read_list(text, error);
    else
        items = aimf_config_split((AimfConfigKey)key, text);
    return items && aimf_config_take(config, (AimfConfigKey)key, (const char *const *)items, "--set", ".", error);
}

/* Variables of the environment must be there when the file is read, not when a path is needed, hours later. */
static gboolean check_paths(const AimfConfig *config, GError **error)
{
    for (int k = 0; k < AIMF_N_KEYS; k++) {
        g_autoptr(GError) failure = NULL;
        const char *text = aimf_config_text_at(config, (AimfConfigKey)k);
        if (aimf_config_rows[k].kind != AIMF_CONFIG_PATH || !text)
            continue;
        g_autofree char *expanded = aimf_config_expand(text, &failure);
        if (!expanded) {
            aimf_config_error(config, (AimfConfigKey)k, error, "%s", failure->message);
            return FALSE;
        }
    }
    return TRUE;
}

AimfConfig *aimf_config_parse(const char *text, const char *name, GError **error)
{
    g_autoptr(AimfConfig) config = aimf_config_new();
    g_auto(Reader) reader = { .config = config, .shown = name, .base = "." };
    if (!begin(&reader, text, strlen(text), error) || !read_document(&reader, error) || !check_paths(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

/* @limit: bytes of the file */
static AimfConfig *read_file(const char *path, gsize limit, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_text_read(path, limit, error);
    if (!bytes)
        return NULL;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    g_autofree char *base = g_path_get_dirname(path), *shown = g_strdup_printf("'%s'", path);
    g_autoptr(AimfConfig) config = aimf_config_new();
    g_auto(Reader) reader = { .config = config, .shown = shown, .base = base };
    if (!begin(&reader, text, length, error) || !read_document(&reader, error))
        return NULL;
    return g_steal_pointer(&config);
}

AimfConfig *aimf_config_read_back(const char *path, GError **error)
{
    return read_file(path, MAX_WRITTEN_BYTES, error);
}

AimfConfig *aimf_config_open(const char *path, const char *const *settings, GError **error)
{
    g_autoptr(AimfConfig) config = read_file(path, MAX_FILE_BYTES, error);
    for (; config && settings && *settings; settings++) {
        if (!aimf_config_set(config, *settings, error)) {
            g_prefix_error(error, "--set %s: ", *settings);
            return NULL;
        }
    }
    return config && check_paths(config, error) ? g_steal_pointer(&config) : NULL;
}
