/* What a configuration looks like: written out, as a commented start, as a JSON schema, as the manual's tables. */
#include "base/format.h"
#include "base/json.h"
#include "run/config_values.h"

#include <aimfair/error.h>
#include <aimfair/json.h>
#include <aimfair/names.h>
#include <math.h>
#include <string.h>

/* Sections with their keys in one row of lines, as config_list.h has them. */
typedef struct {
    const char *section; /* NULL for a key */
    const char *about;
    AimfConfigKey key;
} Line;

static const Line lines[] = {
#define AIMF_SECTION(name, text, about) { text, about, AIMF_N_KEYS },
#define AIMF_KEY(name, text, kind, low, high, choices, standard, about) { NULL, about, AIMF_KEY_##name },
#include "run/config_list.h"
#undef AIMF_SECTION
#undef AIMF_KEY
};

/* "epochs" of "train.epochs". */
static const char *last_word(AimfConfigKey key)
{
    const char *dot = strchr(aimf_config_rows[key].name, '.');
    return dot ? dot + 1 : aimf_config_rows[key].name;
}

/* --- Values --- */

static gboolean is_text(AimfConfigKind kind)
{
    return kind == AIMF_CONFIG_TEXT || kind == AIMF_CONFIG_PATH || kind == AIMF_CONFIG_TEXTS;
}

/*
 * Whether YAML takes the value for what it is without quotes: a text for a text, and any other for one on its line,
 * which a fraction with blanks around its parts may not be.
 */
static gboolean is_plain(AimfConfigKind kind, const char *text)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", NULL };
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-<>=";
    g_autofree char *lower = g_ascii_strdown(text, -1);
    if (!*text || strspn(text, safe) != strlen(text))
        return FALSE;
    return !is_text(kind) || (!strchr("-<>=", *text) && !g_strv_contains(words, lower));
}

/* Characters that JSON has as they are, and YAML not at all, or as ends of lines. */
static gboolean is_unprintable(gunichar c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* JSON's strings are YAML's, but for those. */
static void append_quoted(GString *text, const char *quoted)
{
    for (const char *c = quoted; *c; c = g_utf8_next_char(c)) {
        gunichar character = g_utf8_get_char(c);
        if (is_unprintable(character))
            g_string_append_printf(text, "\\u%04x", character);
        else
            g_string_append_unichar(text, character);
    }
}

static void append_item(GString *text, AimfConfigKind kind, const char *item)
{
    if (is_plain(kind, item)) {
        g_string_append(text, item);
        return;
    }
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), item);
    g_autofree char *quoted = aimf_json_write(node, FALSE);
    append_quoted(text, quoted);
}

/* A relative path begins elsewhere for whoever reads what is written. */
static char *path_text(const AimfConfigValue *value)
{
    const char *path = value->items[0];
    if (g_path_is_absolute(path) || g_str_has_prefix(path, "${"))
        return g_strdup(path);
    g_autofree char *from = g_canonicalize_filename(value->base, NULL);
    return g_canonicalize_filename(path, from);
}

static void append_value(GString *text, const AimfConfig *config, AimfConfigKey key)
{
    const AimfConfigValue *value = &config->values[key];
    AimfConfigKind kind = aimf_config_rows[key].kind;
    gboolean list = aimf_config_is_list(key);
    if (list)
        g_string_append_c(text, '[');
    for (guint i = 0; i < value->n; i++) {
        g_autofree char *path = kind == AIMF_CONFIG_PATH ? path_text(value) : NULL;
        if (i)
            g_string_append(text, ", ");
        append_item(text, kind, path ? path : value->items[i]);
    }
    if (list)
        g_string_append_c(text, ']');
}

/* --- Written out --- */

char *aimf_config_text(const AimfConfig *config)
{
    GString *text = g_string_new(NULL);
    gboolean inside = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (lines[i].section) {
            inside = *lines[i].section != 0;
            if (inside)
                g_string_append_printf(text, "%s:\n", lines[i].section);
            continue;
        }
        g_autoptr(GString) value = g_string_new(NULL);
        append_value(value, config, lines[i].key);
        g_string_append_printf(text, "%s%s:%s%s\n", inside ? "  " : "", last_word(lines[i].key), value->len ? " " : "",
                               value->str);
    }
    return g_string_free(text, FALSE);
}

/* --- A start --- */

typedef struct {
    AimfConfigKey key;
    const char *value;
} Setting;

typedef struct {
    const char *name;
    const char *head;
    const Setting *settings; /* up to one without a value */
} Template;

static const Setting celeba[] = {
    { AIMF_KEY_SEEDS, "100, 200, 300" },
    { AIMF_KEY_DATA_KIND, "celeba" },
    { AIMF_KEY_DATA_ROOT, "celeba" },
    { AIMF_KEY_DATA_TARGET, "Smiling" },
    { AIMF_KEY_DATA_PROTECTED, "Male" },
    { AIMF_KEY_DATA_BIAS, "1/9" },
    { AIMF_KEY_DATA_COUNT, "20000" },
    { AIMF_KEY_GENERATE_MODEL, "v2-1_512-ema-pruned.safetensors" },
    { AIMF_KEY_TRAIN_INIT, "resnet18.pth" },
    { AIMF_KEY_GATES_REQUIRE, "no_group_worse_than<=0.02" },
    { 0, NULL },
};

static const Setting utkface[] = {
    { AIMF_KEY_SEEDS, "100, 200, 300" },     { AIMF_KEY_DATA_KIND, "utkface" },
    { AIMF_KEY_DATA_ROOT, "utkface" },       { AIMF_KEY_DATA_TARGET, "Female" },
    { AIMF_KEY_DATA_PROTECTED, "White" },    { AIMF_KEY_DATA_BIAS, "1/9" },
    { AIMF_KEY_DATA_COUNT, "4000" },         { AIMF_KEY_GENERATE_MODEL, "v2-1_512-ema-pruned.safetensors" },
    { AIMF_KEY_TRAIN_INIT, "resnet18.pth" }, { 0, NULL },
};

static const Setting folders[] = {
    { AIMF_KEY_DATA_KIND, "groups" },
    { AIMF_KEY_DATA_ROOT, "pictures" },
    { AIMF_KEY_DATA_VAL_PER_GROUP, "100" },
    { AIMF_KEY_DATA_TEST_PER_GROUP, "300" },
    { AIMF_KEY_TASK_FILE, "task.yaml" },
    { AIMF_KEY_GENERATE_MODEL, "v2-1_512-ema-pruned.safetensors" },
    { 0, NULL },
};

static const Setting own_model[] = {
    { AIMF_KEY_DATA_TRAIN, "train.csv" },
    { AIMF_KEY_DATA_VAL, "val.csv" },
    { AIMF_KEY_DATA_TEST, "test.csv" },
    { AIMF_KEY_GENERATE_BALANCED, "synthetic.csv" },
    { AIMF_KEY_TRAIN_MODEL, "model.safetensors" },
    { 0, NULL },
};

/* As many steps as fit into a few minutes on two cores. */
static const Setting portraits[] = {
    { AIMF_KEY_TITLE, "Is the person smiling?" },
    { AIMF_KEY_DATA_KIND, "portraits" },
    { AIMF_KEY_DATA_TARGET, "Smiling" },
    { AIMF_KEY_DATA_CLASSES, "not smiling, smiling" },
    { AIMF_KEY_GENERATE_BALANCED_PER_GROUP, "200" },
    { AIMF_KEY_GENERATE_BIASED_COUNT, "444" },
    { AIMF_KEY_TRAIN_IMAGE_SIZE, "48" },
    { AIMF_KEY_TRAIN_EPOCHS, "6" },
    { AIMF_KEY_TRAIN_BATCH, "32" },
    { AIMF_KEY_TRAIN_LEARNING_RATE, "0.01" },
    { AIMF_KEY_TRAIN_MILESTONES, "5" },
    { AIMF_KEY_TRAIN_CROP_SCALE, "0.85, 1" },
    { AIMF_KEY_SENSITIVITY_BATCH, "32" },
    { AIMF_KEY_FINETUNE_METHODS, "aim-fair, full" },
    { AIMF_KEY_FINETUNE_EPOCHS, "4" },
    { AIMF_KEY_FINETUNE_BATCH, "32" },
    { AIMF_KEY_FINETUNE_LEARNING_RATE, "0.01" },
    { AIMF_KEY_FINETUNE_MILESTONES, "3" },
    { AIMF_KEY_FINETUNE_CROP_SCALE, "0.85, 1" },
    { AIMF_KEY_REPORT_PICTURES, "true" },
    { 0, NULL },
};

static const Template templates[] = {
    { "celeba", "The paper's experiment: is somebody smiling, trained where most smiles are women's.", celeba },
    { "utkface", "Faces whose age, gender and race are in the files' names.", utkface },
    { "folders", "Pictures in a folder for each group, <target>_<protected>/, and a task of your own.", folders },
    { "own-model", "A model that is there already, and ready synthetic pictures.", own_model },
    { "portraits", "Portraits that are drawn on the spot: the whole method without any data.", portraits },
};

static const char *setting_of(const Template *template, AimfConfigKey key)
{
    for (const Setting *s = template->settings; s->value; s++)
        if (s->key == key)
            return s->value;
    return NULL;
}

/* Whether the key is of another kind of data: what it says begins with "csv: ", and data.kind is not csv. */
static gboolean is_elsewhere(const AimfConfig *config, const char *about)
{
    const char *end = strstr(about, ": ");
    g_autofree char *kind = end ? g_strndup(about, (gsize)(end - about)) : NULL;
    g_auto(GStrv) kinds = g_strsplit(aimf_config_rows[AIMF_KEY_DATA_KIND].choices, " ", -1);
    return kind && g_strv_contains((const char *const *)kinds, kind) &&
           strcmp(kind, aimf_config_text_at(config, AIMF_KEY_DATA_KIND)) != 0;
}

/* Keys that are set stand there; all others are comments with their defaults. */
static void append_start(GString *text, const Template *template, const AimfConfig *config, const Line *line,
                         gboolean inside)
{
    g_autoptr(GString) value = g_string_new(NULL);
    gboolean set = setting_of(template, line->key) != NULL;
    const AimfConfigRow *row = &aimf_config_rows[line->key];
    if (row->kind == AIMF_CONFIG_PATH && config->values[line->key].n)
        append_item(value, row->kind, config->values[line->key].items[0]); /* as it is written, beside this file */
    else
        append_value(value, config, line->key);
    g_autofree char *entry = g_strdup_printf("%s%s%s:%s%s", inside ? "  " : "", set ? "" : "# ", last_word(line->key),
                                             value->len ? " " : "", value->str);
    g_autofree char *choices = *row->choices ? g_strdup_printf("%s; ", row->choices) : g_strdup("");
    g_string_append_printf(text, "%-44s  # %s%s\n", entry, choices, line->about);
}

char *aimf_config_template(const char *kind, GError **error)
{
    const char *names[G_N_ELEMENTS(templates) + 1] = { NULL };
    const Template *template = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(templates); i++) {
        names[i] = templates[i].name;
        if (strcmp(kind, names[i]) == 0)
            template = &templates[i];
    }
    if (!template) {
        g_autofree char *list = g_strjoinv(", ", (char **)(gsize)names), *hint = aimf_name_hint(kind, names);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no start '%s'%s; there are %s", kind, hint,
                    list);
        return NULL;
    }
    g_autoptr(AimfConfig) config = aimf_config_new();
    for (const Setting *s = template->settings; s->value; s++) {
        g_autofree char *setting = g_strdup_printf("%s=%s", aimf_config_name(s->key), s->value);
        if (!aimf_config_set(config, setting, error))
            return NULL;
    }
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "# %s\n# What is commented out has its default. See docs/run.md, and try it: aimfair run --dry-run THIS.yaml\n",
        template->head);
    gboolean inside = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (!lines[i].section) {
            if (!is_elsewhere(config, lines[i].about))
                append_start(text, template, config, &lines[i], inside);
            continue;
        }
        inside = *lines[i].section != 0;
        g_string_append_printf(text, "\n# %s\n", lines[i].about);
        if (inside)
            g_string_append_printf(text, "%s:\n", lines[i].section);
    }
    return g_string_free(text, FALSE);
}

/* --- Schema --- */

static JsonArray *choices_array(const AimfConfigRow *row)
{
    JsonArray *array = json_array_new();
    g_auto(GStrv) choices = g_strsplit(row->choices, " ", -1);
    for (guint i = 0; choices[i]; i++)
        json_array_add_string_element(array, choices[i]);
    return array;
}

static void set_types(JsonObject *object, const char *one, const char *other)
{
    JsonArray *array = json_array_new();
    json_array_add_string_element(array, one);
    json_array_add_string_element(array, other);
    json_object_set_array_member(object, "type", array);
}

static void set_range(JsonObject *object, const AimfConfigRow *row)
{
    json_object_set_double_member(object, "minimum", row->low);
    json_object_set_double_member(object, "maximum", row->high);
}

/* What one value of the row is; of a list, an element. */
static JsonObject *item_schema(const AimfConfigRow *row, gboolean nullable)
{
    JsonObject *object = json_object_new();
    switch (row->kind) {
    case AIMF_CONFIG_INTEGER:
    case AIMF_CONFIG_INTEGERS:
        json_object_set_string_member(object, "type", "integer");
        set_range(object, row);
        break;
    case AIMF_CONFIG_REAL:
    case AIMF_CONFIG_REALS: /* a text may be a fraction, 1/9 */
        set_types(object, "number", "string");
        set_range(object, row);
        json_object_set_string_member(object, "pattern", "^[0-9.eE+-]+ */ *[0-9.eE+-]+$");
        break;
    case AIMF_CONFIG_CHOICE:
    case AIMF_CONFIG_CHOICES:
        json_object_set_array_member(object, "enum", choices_array(row));
        break;
    case AIMF_CONFIG_BOOLEAN:
        json_object_set_string_member(object, "type", "boolean");
        break;
    case AIMF_CONFIG_TEXT:
    case AIMF_CONFIG_PATH:
    case AIMF_CONFIG_TEXTS: /* a number without quotes is the text that it looks like */
        set_types(object, "string", "number");
        break;
    }
    if (!nullable)
        return object;
    JsonObject *nothing = json_object_new(), *either = json_object_new();
    JsonArray *array = json_array_new();
    json_object_set_string_member(nothing, "type", "null");
    json_array_add_object_element(array, object);
    json_array_add_object_element(array, nothing);
    json_object_set_array_member(either, "anyOf", array);
    return either;
}

static JsonObject *key_schema(AimfConfigKey key)
{
    const AimfConfigRow *row = &aimf_config_rows[key];
    gboolean list = aimf_config_is_list(key);
    JsonObject *object = item_schema(row, !list && !*row->standard);
    if (list) { /* one element may stand without brackets */
        JsonObject *items = object, *array = json_object_new();
        JsonArray *forms = json_array_new();
        json_object_set_string_member(array, "type", "array");
        json_object_set_object_member(array, "items", items);
        json_array_add_object_element(forms, array);
        json_array_add_object_element(forms, item_schema(row, TRUE));
        object = json_object_new();
        json_object_set_array_member(object, "anyOf", forms);
    }
    json_object_set_string_member(object, "description", row->about);
    if (*row->standard)
        json_object_set_string_member(object, "$comment", row->standard);
    return object;
}

static JsonObject *object_schema(JsonObject **properties)
{
    JsonObject *object = json_object_new();
    *properties = json_object_new();
    json_object_set_string_member(object, "type", "object");
    json_object_set_boolean_member(object, "additionalProperties", FALSE);
    json_object_set_object_member(object, "properties", *properties);
    return object;
}

char *aimf_config_schema(void)
{
    JsonObject *all, *properties, *root = object_schema(&all);
    json_object_set_string_member(root, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_object_set_string_member(root, "title", "aimfair run");
    properties = all;
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (!lines[i].section) {
            json_object_set_object_member(properties, last_word(lines[i].key), key_schema(lines[i].key));
        } else if (*lines[i].section) {
            JsonObject *section = object_schema(&properties);
            json_object_set_string_member(section, "description", lines[i].about);
            json_object_set_object_member(all, lines[i].section, section);
        }
    }
    return aimf_json_lines(root);
}

/* --- Manual --- */

/* (owned) "whole number, 1 to 100000". */
static char *kind_text(const AimfConfigRow *row)
{
    static const char *const names[] = { "text",          "path",  "whole number",  "number",  "",
                                         "true or false", "texts", "whole numbers", "numbers", "" };
    if (*row->choices) {
        g_auto(GStrv) choices = g_strsplit(row->choices, " ", -1);
        g_autofree char *list = g_strjoinv("`, `", choices);
        return g_strdup_printf("%s`%s`", row->kind == AIMF_CONFIG_CHOICES ? "of " : "", list);
    }
    if (row->low == row->high)
        return g_strdup(names[row->kind]);
    return aimf_format("%s, %.16g to %.16g", names[row->kind], row->low, row->high);
}

char *aimf_config_manual(void)
{
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (lines[i].section) {
            g_string_append_printf(text,
                                   "%s### %s%s%s\n\n| key | value | default | what it says |\n| --- | --- | --- | "
                                   "--- |\n",
                                   i ? "\n" : "", lines[i].section, *lines[i].section ? ": " : "", lines[i].about);
            continue;
        }
        const AimfConfigRow *row = &aimf_config_rows[lines[i].key];
        g_autofree char *kind = kind_text(row);
        const char *quote = *row->standard ? "`" : "";
        g_string_append_printf(text, "| `%s` | %s | %s%s%s | %s |\n", last_word(lines[i].key), kind, quote,
                               row->standard, quote, row->about);
    }
    return g_string_free(text, FALSE);
}
