/* Other names for tensors, by rules in a text file: what sed does to lines, to names. */
#include "weights/tensors.h"

#include "base/monitor.h"
#include "base/shown.h"
#include "base/text_file.h"

#include <string.h>

#define ARROW "->"

/* What matching one name may cost: a pattern that goes back and forth must not do it for ever. */
#define MATCH_LIMIT "(*LIMIT_MATCH=1000000)"

enum { MAX_FILE_BYTES = 1 << 20, MAX_RULES = 10000 };

/* @line: of the file, from 1; @used: it has matched some name */
typedef struct {
    GRegex *pattern;
    char *replacement;
    guint line;
    gboolean used;
} Rule;

/* @path: of the file, for messages */
typedef struct {
    const char *path;
    GArray *rules; /* of Rule */
} Rules;

static void rule_clear(gpointer data)
{
    Rule *rule = data;
    g_clear_pointer(&rule->pattern, g_regex_unref);
    g_free(rule->replacement);
}

/* --- Reading rules --- */

static GRegex *compile(const char *pattern, GError **error)
{
    g_autoptr(GRegex) plain = g_regex_new(pattern, 0, 0, error); /* whose errors show it as it stands in the file */
    g_autofree char *limited = g_strconcat(MATCH_LIMIT, pattern, NULL);
    return plain ? g_regex_new(limited, 0, 0, error) : NULL;
}

/* (owned) Why @replacement cannot be used with @pattern, or NULL. */
static char *complaint_of(const GRegex *pattern, const char *replacement)
{
    int groups = g_regex_get_capture_count(pattern);
    for (const char *p = replacement; *p; p++) {
        if (*p != '\\')
            continue;
        if (!g_ascii_isdigit(*++p))
            return g_strdup("in a replacement '\\' stands before the number of a group, from 0 to 9");
        if (*p - '0' > groups)
            return g_strdup_printf("the replacement has \\%c, and the pattern %d group%s in parentheses", *p, groups,
                                   AIMF_PLURAL(groups));
    }
    return NULL;
}

/* Nothing is done for an empty line and a comment. @text: without its line end */
static gboolean add_line(Rules *rules, char *text, guint line, GError **error)
{
    g_strstrip(text);
    if (!*text || *text == '#')
        return TRUE;
    char *arrow = strstr(text, ARROW), *replacement = arrow ? arrow + strlen(ARROW) : NULL;
    if (!arrow || arrow == text || strstr(replacement, ARROW)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%u: expected PATTERN " ARROW " REPLACEMENT, found '%s'",
                    rules->path, line, AIMF_SHOWN(text));
        return FALSE;
    }
    *arrow = 0;
    g_strstrip(replacement);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GRegex) pattern = compile(g_strchomp(text), &failure);
    g_autofree char *complaint = pattern ? complaint_of(pattern, replacement) : g_strdup(failure->message);
    if (complaint) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s:%u: %s", rules->path, line, complaint);
        return FALSE;
    }
    Rule rule = { g_steal_pointer(&pattern), g_strdup(replacement), line, FALSE };
    g_array_append_val(rules->rules, rule);
    return TRUE;
}

static gboolean read_rules(Rules *rules, GError **error)
{
    gsize size;
    g_autoptr(GBytes) bytes = aimf_text_read(rules->path, MAX_FILE_BYTES, error);
    const char *text = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    if (!bytes)
        return FALSE;
    if (size && !g_utf8_validate(text, (gssize)size, NULL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is no text in UTF-8", rules->path);
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(size ? text : "", "\n", -1);
    for (guint i = 0; lines[i]; i++)
        if (!add_line(rules, lines[i], i + 1, error))
            return FALSE;
    if (rules->rules->len > 0 && rules->rules->len <= MAX_RULES)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' has %u rules; 1 to %d are accepted", rules->path,
                rules->rules->len, MAX_RULES);
    return FALSE;
}

/* --- Applying them --- */

/* Appends what stands for one match; TRUE, which ends the search, where the name has become too long. */
static gboolean replace_match(const GMatchInfo *match, GString *name, gpointer data)
{
    Rule *rule = data;
    rule->used = TRUE;
    for (const char *p = rule->replacement; *p && name->len <= AIMF_MAX_NAME_BYTES; p++) {
        if (*p != '\\') {
            g_string_append_c(name, *p);
            continue;
        }
        g_autofree char *group = g_match_info_fetch(match, *++p - '0');
        g_string_append(name, group ? group : "");
    }
    return name->len > AIMF_MAX_NAME_BYTES;
}

/* (owned) The name of the tensor @name by all rules, one after another. */
static char *rename_one(const Rules *rules, const char *name, GError **error)
{
    g_autofree char *now = g_strdup(name);
    for (guint i = 0; i < rules->rules->len; i++) {
        Rule *rule = &g_array_index(rules->rules, Rule, i);
        g_autoptr(GError) failure = NULL;
        char *next = g_regex_replace_eval(rule->pattern, now, -1, 0, 0, replace_match, rule, &failure);
        g_free(now);
        now = next;
        gsize bytes = now ? strlen(now) : 0;
        if (failure)
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s:%u: at '%s' the pattern has too many ways to match",
                        rules->path, rule->line, AIMF_SHOWN(name));
        else if (bytes == 0 || bytes > AIMF_MAX_NAME_BYTES)
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s:%u: '%s' would get %s", rules->path, rule->line,
                        AIMF_SHOWN(name), bytes ? "too long a name" : "an empty name");
        else
            continue;
        return NULL;
    }
    return g_steal_pointer(&now);
}

static gboolean add_renamed(const Rules *rules, AimfTensors *view, AimfTensors *tensors, guint index, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    g_autofree char *name = rename_one(rules, tensor->name, error);
    int other = name ? aimf_tensors_find(view, name) : -1;
    if (other >= 0)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': '%s' and '%s' would both be called '%s'", rules->path,
                    AIMF_SHOWN(aimf_tensors_at(tensors, (guint)other)->name), AIMF_SHOWN(tensor->name),
                    AIMF_SHOWN(name));
    return name && other < 0 && aimf_tensors_add_view(view, name, tensors, index, 0, &tensor->shape, error);
}

/* What the file has beside its tensors, and those of kinds that are not read. */
static gboolean take_rest(const Rules *rules, AimfTensors *view, const AimfTensors *tensors, GError **error)
{
    const char *name, *kind;
    for (guint i = 0; (name = aimf_tensors_unreadable_at(tensors, i, &kind)) != NULL; i++) {
        g_autofree char *renamed = rename_one(rules, name, error);
        if (!renamed)
            return FALSE;
        aimf_tensors_note_unreadable(view, renamed, kind);
    }
    aimf_tensors_copy_metadata(tensors, view);
    aimf_tensors_set_wrapper(view, aimf_tensors_wrapper(tensors));
    return TRUE;
}

static void warn_of_idle_rules(const Rules *rules, const AimfMonitor *monitor)
{
    for (guint i = 0; i < rules->rules->len; i++) {
        const Rule *rule = &g_array_index(rules->rules, Rule, i);
        if (!rule->used)
            aimf_message(monitor, AIMF_LOG_WARNING, "%s:%u: no tensor's name has '%s'", rules->path, rule->line,
                         AIMF_SHOWN(g_regex_get_pattern(rule->pattern) + strlen(MATCH_LIMIT)));
    }
}

AimfTensors *aimf_tensors_rename(AimfTensors *tensors, const char *path, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(Rule));
    g_array_set_clear_func(array, rule_clear);
    Rules rules = { path, array };
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    if (!read_rules(&rules, error))
        return NULL;
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        if (!add_renamed(&rules, view, tensors, i, error))
            return NULL;
    if (!take_rest(&rules, view, tensors, error))
        return NULL;
    warn_of_idle_rules(&rules, monitor);
    return g_steal_pointer(&view);
}
