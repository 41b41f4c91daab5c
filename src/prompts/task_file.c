/* A task described in a YAML file; libcyaml checks the form against the schema below and says where it is broken. */
#include "base/format.h"
#include "base/text_file.h"
#include "prompts/prompt_words.h"
#include "prompts/task.h"

#include <cyaml/cyaml.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20, MAX_TEXT = 300, MAX_WORDS = 2000, MAX_LIST = 500 };

/* --- The form of the file --- */

typedef struct {
    char **items;
    guint items_count;
} Words;

typedef struct {
    char *label;
    gint place;
    Words words, also, impossible;
} YamlValue;

typedef struct {
    char *attribute;
    char *name;
    char *slot;
    YamlValue *values;
    guint values_count;
    Words describes, telling, without;
} YamlAttribute;

typedef struct {
    char *name;
    char *lead;
    Words phrases;
} YamlDimension;

typedef struct {
    Words one, other;
} YamlClash;

typedef enum { CONTEXTS_OF_PEOPLE, CONTEXTS_OF_ANIMALS, CONTEXTS_OWN } Contexts;

typedef struct {
    char *name;
    char *summary;
    char *opening;
    char *noun;
    char *dataset;
    gint contexts;
    YamlAttribute *target;
    YamlAttribute *protected_attributes;
    guint protected_attributes_count;
    YamlDimension *dimensions;
    guint dimensions_count;
    YamlClash *clashes;
    guint clashes_count;
} YamlTask;

static const cyaml_schema_value_t WORD = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, MAX_TEXT) };

/* A list of texts in the member .items of a Words. */
#define WORDS_FIELD(key, structure, member)                                                                            \
    CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member.items,                 \
                               member.items_count, &WORD, 0, MAX_WORDS)
#define TEXT_FIELD(key, structure, member)                                                                             \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure, member, 0, MAX_TEXT)

static const cyaml_strval_t PLACES[] = {
    { "before", AIMF_WORDS_BEFORE },
    { "noun", AIMF_WORDS_NOUN },
    { "behind", AIMF_WORDS_BEHIND },
    { "slot", AIMF_WORDS_SLOT },
};

static const cyaml_strval_t CONTEXTS[] = {
    { "people", CONTEXTS_OF_PEOPLE },
    { "animals", CONTEXTS_OF_ANIMALS },
    { "own", CONTEXTS_OWN },
};

static const cyaml_schema_field_t VALUE_FIELDS[] = {
    TEXT_FIELD("label", YamlValue, label),
    CYAML_FIELD_ENUM("place", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, YamlValue, place, PLACES, G_N_ELEMENTS(PLACES)),
    WORDS_FIELD("words", YamlValue, words),
    WORDS_FIELD("also", YamlValue, also),
    WORDS_FIELD("impossible", YamlValue, impossible),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t VALUE = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, YamlValue, VALUE_FIELDS) };

static const cyaml_schema_field_t ATTRIBUTE_FIELDS[] = {
    TEXT_FIELD("attribute", YamlAttribute, attribute),
    TEXT_FIELD("name", YamlAttribute, name),
    TEXT_FIELD("slot", YamlAttribute, slot),
    CYAML_FIELD_SEQUENCE("values", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, YamlAttribute, values, &VALUE, 0,
                         MAX_LIST),
    WORDS_FIELD("describes", YamlAttribute, describes),
    WORDS_FIELD("telling", YamlAttribute, telling),
    WORDS_FIELD("without", YamlAttribute, without),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t ATTRIBUTE = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, YamlAttribute,
                                                                    ATTRIBUTE_FIELDS) };

static const cyaml_schema_field_t DIMENSION_FIELDS[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, YamlDimension, name, 1, MAX_TEXT),
    TEXT_FIELD("lead", YamlDimension, lead),
    WORDS_FIELD("phrases", YamlDimension, phrases),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t DIMENSION = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, YamlDimension,
                                                                    DIMENSION_FIELDS) };

static const cyaml_schema_field_t CLASH_FIELDS[] = {
    WORDS_FIELD("one", YamlClash, one),
    WORDS_FIELD("other", YamlClash, other),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t CLASH = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, YamlClash, CLASH_FIELDS) };

static const cyaml_schema_field_t TASK_FIELDS[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, YamlTask, name, 1, MAX_TEXT),
    TEXT_FIELD("summary", YamlTask, summary),
    TEXT_FIELD("opening", YamlTask, opening),
    TEXT_FIELD("noun", YamlTask, noun),
    TEXT_FIELD("dataset", YamlTask, dataset),
    CYAML_FIELD_ENUM("contexts", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, YamlTask, contexts, CONTEXTS,
                     G_N_ELEMENTS(CONTEXTS)),
    CYAML_FIELD_MAPPING_PTR("target", CYAML_FLAG_POINTER, YamlTask, target, ATTRIBUTE_FIELDS),
    CYAML_FIELD_SEQUENCE("protected", CYAML_FLAG_POINTER, YamlTask, protected_attributes, &ATTRIBUTE, 1, MAX_LIST),
    CYAML_FIELD_SEQUENCE("dimensions", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, YamlTask, dimensions, &DIMENSION, 0,
                         MAX_LIST),
    CYAML_FIELD_SEQUENCE("clashes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, YamlTask, clashes, &CLASH, 0, MAX_LIST),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t TASK = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, YamlTask, TASK_FIELDS) };

/* --- Reading it --- */

/*
 * libcyaml tells its errors as lines of a log: first what, then in which field, from the inside out, each with its
 * place.
 */
static void take_log(cyaml_log_t level, void *context, const char *format, va_list args)
{
    GString *log = context;
    if (level < CYAML_LOG_ERROR || log->len > 2000)
        return;
    g_autofree char *line = aimf_format_list(format, args);
    g_strstrip(line);
    if (*line && !g_str_has_prefix(line, "Load: Backtrace"))
        g_string_append_printf(log, "%s%s", log->len ? "; " : "",
                               g_str_has_prefix(line, "Load: ") ? line + strlen("Load: ") : line);
}

/*
 * libcyaml places an unknown key where its mapping stood before; this is the line of the key itself, 0 if @log is of
 * something else.
 */
static guint line_of_unknown_key(const char *log, const char *text)
{
    static const char SAYS[] = "Unexpected key: ";
    const char *key = strstr(log, SAYS);
    if (!key)
        return 0;
    key += strlen(SAYS);
    gsize n = strcspn(key, ";");
    guint line = 1;
    for (const char *at = text; *at; line += *at++ == '\n') {
        gboolean begins = at == text || strchr(" \t\n{,-\"'", at[-1]);
        if (begins && strncmp(at, key, n) == 0 && at[n + strspn(at + n, " \t\"'")] == ':')
            return line;
    }
    return 0;
}

/* @text: what the file holds, ended by a 0. */
static YamlTask *load(const char *path, GBytes *text, const cyaml_config_t *config, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(text, &size);
    if (!g_utf8_validate((const char *)data, (gssize)size, NULL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is not UTF-8 text", path);
        return NULL;
    }
    YamlTask *yaml = NULL;
    cyaml_err_t failure = cyaml_load_data(data, size, config, &TASK, (cyaml_data_t **)&yaml, NULL);
    if (failure == CYAML_OK && yaml)
        return yaml;
    const GString *log = config->log_ctx;
    g_autofree char *details = g_utf8_make_valid(log->len ? log->str : cyaml_strerror(failure), -1);
    guint line = line_of_unknown_key(log->str, (const char *)data);
    g_autofree char *place = line ? g_strdup_printf("%s:%u", path, line) : g_strdup_printf("'%s'", path);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s describes no task: %s", place,
                failure == CYAML_OK ? "it is empty" : details);
    return NULL;
}

/* --- Into a task --- */

static char **take_words(const Words *words)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    for (guint i = 0; i < words->items_count; i++)
        g_strv_builder_add(builder, words->items[i]);
    return g_strv_builder_end(builder);
}

static void add_words(char ***list, const Words *words)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    if (*list)
        g_strv_builder_addv(builder, (const char **)*list);
    for (guint i = 0; i < words->items_count; i++)
        g_strv_builder_add(builder, words->items[i]);
    g_strfreev(*list);
    *list = g_strv_builder_end(builder);
}

/* The line of @text, a file, on which the entry @word of a list stands; 0 if it is not found, or on several lines. */
static guint line_of_word(const char *text, const char *word)
{
    gsize n = strlen(word);
    guint found = 0;
    for (const char *at = strstr(text, word); at && n; at = strstr(at + 1, word)) {
        gboolean begins = at == text || strchr(" \t\n[,\"'", at[-1]) != NULL;
        gboolean ends = strchr(" \t\r\n],\"'#", at[n]) != NULL;
        if (!begins || !ends)
            continue;
        guint line = 1;
        for (const char *c = text; c < at; c++)
            line += *c == '\n';
        if (found && found != line)
            return 0;
        found = line;
    }
    return found;
}

static gboolean check_words(const Words *words, const char *path, const char *text, GError **error)
{
    for (guint i = 0; i < words->items_count; i++)
        if (!aimf_pattern_check(words->items[i], error)) {
            guint line = line_of_word(text, words->items[i]);
            g_autofree char *place = line ? g_strdup_printf("%s:%u", path, line) : g_strdup_printf("'%s'", path);
            g_prefix_error(error, "%s: ", place);
            return FALSE;
        }
    return TRUE;
}

/* Whether all that is looked for in prompts can be. */
static gboolean check_patterns(const YamlTask *yaml, const char *path, const char *text, GError **error)
{
    for (guint a = 0; a <= yaml->protected_attributes_count; a++) {
        const YamlAttribute *attribute = a ? &yaml->protected_attributes[a - 1] : yaml->target;
        if (!check_words(&attribute->describes, path, text, error) ||
            !check_words(&attribute->telling, path, text, error))
            return FALSE;
        for (guint v = 0; v < attribute->values_count; v++) {
            const YamlValue *value = &attribute->values[v];
            if (!check_words(&value->words, path, text, error) || !check_words(&value->also, path, text, error) ||
                !check_words(&value->impossible, path, text, error))
                return FALSE;
        }
    }
    for (guint c = 0; c < yaml->clashes_count; c++)
        if (!check_words(&yaml->clashes[c].one, path, text, error) ||
            !check_words(&yaml->clashes[c].other, path, text, error))
            return FALSE;
    return TRUE;
}

static gboolean take_attribute(AimfTask *task, const YamlTask *yaml, const YamlAttribute *from, const char *path,
                               GError **error)
{
    AimfTaskAttribute *to = aimf_task_add_attribute(task, NULL);
    if ((from->attribute != NULL) == (from->values_count > 0) || (from->attribute && (from->slot || from->name)) ||
        (!from->attribute && !(from->name && *from->name))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s': the %s: give either 'attribute', for which words are known, or 'name' and 'values'", path,
                    task->n_attributes == 1 ? "target" : "protected attribute");
        return FALSE;
    }
    if (from->attribute &&
        !aimf_words_for_attribute(yaml->dataset ? yaml->dataset : "celeba", from->attribute, to, error)) {
        g_prefix_error(error, "'%s': ", path);
        return FALSE;
    }
    if (!from->attribute) {
        to->name = g_strdup(from->name);
        to->slot = g_strdup(from->slot);
        to->n_values = from->values_count;
        to->values = g_new0(AimfTaskValue, from->values_count);
        for (guint v = 0; v < to->n_values; v++)
            to->values[v] = (AimfTaskValue){
                .label = from->values[v].label ? g_strdup(from->values[v].label) : g_strdup_printf("%u", v),
                .place = (AimfWordPlace)from->values[v].place,
                .words = take_words(&from->values[v].words),
                .also = take_words(&from->values[v].also),
                .impossible = take_words(&from->values[v].impossible),
            };
    }
    add_words(&to->describes, &from->describes);
    add_words(&to->telling, &from->telling);
    add_words(&to->without, &from->without);
    return TRUE;
}

static AimfTaskDimension *find_dimension(AimfTask *task, const char *name)
{
    for (guint d = 0; d < task->n_dimensions; d++)
        if (strcmp(task->dimensions[d].name, name) == 0)
            return &task->dimensions[d];
    task->dimensions = g_renew(AimfTaskDimension, task->dimensions, task->n_dimensions + 1);
    AimfTaskDimension *dimension = &task->dimensions[task->n_dimensions++];
    *dimension = (AimfTaskDimension){ .name = g_strdup(name), .lead = g_strdup("") };
    return dimension;
}

/* A dimension of the file takes the place of ours of the same name. */
static void take_contexts(AimfTask *task, const YamlTask *yaml)
{
    if (yaml->contexts == CONTEXTS_OF_PEOPLE)
        aimf_task_take_people(task);
    else if (yaml->contexts == CONTEXTS_OF_ANIMALS)
        aimf_task_take_animals(task);
    for (guint d = 0; d < yaml->dimensions_count; d++) {
        const YamlDimension *from = &yaml->dimensions[d];
        AimfTaskDimension *to = find_dimension(task, from->name);
        g_strfreev(to->phrases);
        to->phrases = take_words(&from->phrases);
        if (from->lead) {
            g_free(to->lead);
            to->lead = g_strdup(from->lead);
        }
    }
    task->clashes = g_renew(AimfTaskClash, task->clashes, task->n_clashes + yaml->clashes_count);
    for (guint c = 0; c < yaml->clashes_count; c++)
        task->clashes[task->n_clashes++] =
            (AimfTaskClash){ take_words(&yaml->clashes[c].one), take_words(&yaml->clashes[c].other) };
}

static AimfTask *make_task(const YamlTask *yaml, const char *path, GError **error)
{
    g_autoptr(AimfTask) task = g_new0(AimfTask, 1);
    task->name = g_strdup(yaml->name);
    task->summary = g_strdup(yaml->summary);
    task->opening = g_strdup(yaml->opening ? yaml->opening : "A photo of");
    task->noun = g_strdup(yaml->noun ? yaml->noun : "person");
    if (yaml->dataset && strcmp(yaml->dataset, "celeba") != 0 && strcmp(yaml->dataset, "utkface") != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': 'dataset' is celeba or utkface, not '%s'", path,
                    yaml->dataset);
        return NULL;
    }
    if (!take_attribute(task, yaml, yaml->target, path, error))
        return NULL;
    for (guint a = 0; a < yaml->protected_attributes_count; a++)
        if (!take_attribute(task, yaml, &yaml->protected_attributes[a], path, error))
            return NULL;
    take_contexts(task, yaml);
    g_autofree char *where = g_strdup_printf("'%s'", path);
    return aimf_task_finish(task, where, error) ? g_steal_pointer(&task) : NULL;
}

AimfTask *aimf_task_open(const char *path, GError **error)
{
    g_autoptr(GString) log = g_string_new(NULL);
    cyaml_config_t config = {
        .log_fn = take_log,
        .log_ctx = log,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS, /* aliases of aliases can make a gigabyte of a hundred bytes */
    };
    g_autoptr(GBytes) text = aimf_text_read(path, MAX_FILE_BYTES, error);
    YamlTask *yaml = text ? load(path, text, &config, error) : NULL;
    if (!yaml)
        return NULL;
    AimfTask *task =
        check_patterns(yaml, path, g_bytes_get_data(text, NULL), error) ? make_task(yaml, path, error) : NULL;
    cyaml_free(&config, &TASK, yaml, 0);
    return task;
}
