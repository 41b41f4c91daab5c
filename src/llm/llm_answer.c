#include "llm/llm_answer.h"

#include "base/json.h"

#include <string.h>

/* How often a bracket may turn out not to begin JSON, so that hostile answers cost no quadratic time. */
enum { MAX_ATTEMPTS = 64, MAX_NESTING = 64, MAX_SEARCH = 4 };

typedef struct {
    const char *const *dimensions;
    guint n_dimensions;
    guint limit;
    GArray *found; /* of AimfPrompt */
} Reader;

static void candidate_clear(gpointer data)
{
    AimfPrompt *candidate = data;
    g_free(candidate->text);
    g_strfreev(candidate->dimensions);
    g_strfreev(candidate->contexts);
}

char *aimf_answer_name(const char *name)
{
    char *plain = g_ascii_strdown(name, -1);
    return g_strdelimit(plain, " -", '_');
}

static gboolean same_name(const char *a, const char *b)
{
    g_autofree char *plain_a = aimf_answer_name(a), *plain_b = aimf_answer_name(b);
    return strcmp(plain_a, plain_b) == 0;
}

/* Ways in which a model says that a dimension does not appear. */
static gboolean says_nothing(const char *value)
{
    static const char *const ways[] = { "", "-", "none", "n/a", "na", "null", "not mentioned", "unmentioned" };
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
        if (g_ascii_strcasecmp(value, ways[i]) == 0)
            return TRUE;
    return FALSE;
}

/* --- Candidates --- */

/* (owned) contexts by dimension, in the order of the dimensions; NULL where there is none */
typedef char **Contexts;

static void take_context(const Reader *reader, Contexts contexts, const char *name, const char *value)
{
    g_autofree char *plain = g_strstrip(g_utf8_make_valid(value, -1)); /* JSON's \ud800 gives what is none */
    gsize n = strlen(plain);
    if (n && strchr(".;,", plain[n - 1]))
        plain[n - 1] = 0;
    if (says_nothing(plain))
        return;
    for (guint d = 0; d < reader->n_dimensions; d++)
        if (!contexts[d] && same_name(reader->dimensions[d], name))
            contexts[d] = g_strdup(plain);
}

/* Takes the text and the contexts (borrowed) if they say anything. */
static void add_candidate(Reader *reader, const char *text, Contexts contexts)
{
    guint n = 0;
    for (guint d = 0; d < reader->n_dimensions; d++)
        n += contexts[d] != NULL;
    if ((!text && !n) || reader->found->len >= reader->limit)
        return;
    AimfPrompt candidate = { text ? g_utf8_make_valid(text, -1) : NULL, n, g_new0(char *, n + 1),
                             g_new0(char *, n + 1) };
    for (guint d = 0, i = 0; d < reader->n_dimensions; d++) {
        if (!contexts[d])
            continue;
        candidate.dimensions[i] = g_strdup(reader->dimensions[d]);
        candidate.contexts[i++] = g_strdup(contexts[d]);
    }
    g_array_append_val(reader->found, candidate);
}

static Contexts contexts_new(const Reader *reader)
{
    return g_new0(char *, reader->n_dimensions + 1);
}

static void contexts_free(const Reader *reader, Contexts contexts)
{
    for (guint d = 0; d < reader->n_dimensions; d++)
        g_free(contexts[d]);
    g_free(contexts);
}

/* "hair: short and grey; light: evening sun": contexts in a line of text. Their number. */
static guint split_pairs(const Reader *reader, const char *line, Contexts contexts)
{
    guint n = 0;
    g_auto(GStrv) parts = g_strsplit(line, ";", -1);
    for (char **part = parts; *part; part++) {
        char *value = strpbrk(*part, ":=");
        if (!value)
            continue;
        *value++ = 0;
        take_context(reader, contexts, g_strstrip(*part), value);
    }
    for (guint d = 0; d < reader->n_dimensions; d++)
        n += contexts[d] != NULL;
    return n;
}

/* One text: a prompt, unless two or more dimensions are named in it. */
static void take_text(Reader *reader, const char *text)
{
    g_autofree char *plain = g_strstrip(g_strdup(text));
    Contexts contexts = contexts_new(reader);
    gboolean pairs = split_pairs(reader, plain, contexts) >= 2;
    if (pairs)
        add_candidate(reader, NULL, contexts);
    contexts_free(reader, contexts);
    Contexts none = contexts_new(reader);
    if (!pairs && *plain)
        add_candidate(reader, plain, none);
    contexts_free(reader, none);
}

/* --- JSON --- */

static const char *node_text(JsonNode *node)
{
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
                                                                                          : NULL;
}

static gboolean is_text_name(const char *name)
{
    static const char *const names[] = { "prompt", "text", "description", "caption", "sentence" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return TRUE;
    return FALSE;
}

/* An object's contexts, also those one level down, as in {"prompt": …, "context": {"hair": …}}; its text, borrowed. */
static const char *read_members(const Reader *reader, JsonObject *object, Contexts contexts, guint depth)
{
    const char *text = NULL;
    g_autoptr(GList) names = json_object_get_members(object);
    for (GList *name = names; name; name = name->next) {
        JsonNode *node = json_object_get_member(object, name->data);
        const char *value = node_text(node);
        if (value && is_text_name(name->data))
            text = text ? text : value;
        else if (value)
            take_context(reader, contexts, name->data, value);
        else if (JSON_NODE_HOLDS_OBJECT(node) && !depth)
            read_members(reader, json_node_get_object(node), contexts, depth + 1);
    }
    return text;
}

static gboolean take_object(Reader *reader, JsonObject *object)
{
    guint before = reader->found->len;
    Contexts contexts = contexts_new(reader);
    const char *text = read_members(reader, object, contexts, 0);
    add_candidate(reader, text, contexts);
    contexts_free(reader, contexts);
    return reader->found->len > before;
}

static gboolean take_node(Reader *reader, JsonNode *node, guint depth);

static void take_elements(Reader *reader, JsonArray *array, guint depth)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (node_text(node))
            take_text(reader, node_text(node));
        else
            take_node(reader, node, depth + 1);
    }
}

/* {"prompts": […]} whatever the name, else the object as one candidate, else {"1": "…", "2": "…"}. */
static void take_root_object(Reader *reader, JsonObject *object, guint depth)
{
    g_autoptr(GList) names = json_object_get_members(object);
    guint before = reader->found->len;
    for (GList *name = names; name && reader->found->len == before; name = name->next) {
        JsonNode *node = json_object_get_member(object, name->data);
        if (JSON_NODE_HOLDS_ARRAY(node))
            take_elements(reader, json_node_get_array(node), depth);
    }
    if (reader->found->len > before || take_object(reader, object))
        return;
    for (GList *name = names; name; name = name->next) {
        JsonNode *node = json_object_get_member(object, name->data);
        if (node_text(node))
            take_text(reader, node_text(node));
        else
            take_node(reader, node, depth + 1);
    }
}

static gboolean take_node(Reader *reader, JsonNode *node, guint depth)
{
    guint before = reader->found->len;
    if (depth > MAX_SEARCH)
        return FALSE;
    if (JSON_NODE_HOLDS_ARRAY(node))
        take_elements(reader, json_node_get_array(node), depth);
    else if (JSON_NODE_HOLDS_OBJECT(node))
        take_root_object(reader, json_node_get_object(node), depth);
    return reader->found->len > before;
}

/*
 * Looks for the end of the JSON value that begins at @text. @length: up to its closing bracket, or 0 if the text ends
 * before; then
 * @repaired (owned, nullable) is the value closed after the last whole element of an array.
 */
static void find_end(const char *text, gsize *length, char **repaired)
{
    char stack[MAX_NESTING + 1], closers[MAX_NESTING + 1] = "";
    gsize depth = 0, whole = 0;
    gboolean quoted = FALSE;
    *length = 0;
    *repaired = NULL;
    for (gsize i = 0; text[i]; i++) {
        char c = text[i];
        gboolean element = FALSE;
        if (quoted) {
            if (c == '\\' && text[i + 1])
                i++;
            quoted = c != '"';
            element = !quoted;
        } else if (c == '"') {
            quoted = TRUE;
        } else if (c == '{' || c == '[') {
            if (depth == MAX_NESTING)
                return;
            stack[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (c != stack[depth - 1])
                return;
            if (!--depth) {
                *length = i + 1;
                return;
            }
            element = TRUE;
        }
        if (!element || stack[depth - 1] != ']')
            continue;
        whole = i + 1;
        for (gsize d = 0; d < depth; d++)
            closers[d] = stack[depth - 1 - d];
        closers[depth] = 0;
    }
    if (whole) {
        g_autofree char *start = g_strndup(text, whole);
        *repaired = g_strconcat(start, closers, NULL);
    }
}

static gboolean take_json(Reader *reader, const char *text, gsize length)
{
    g_autoptr(JsonNode) root = aimf_json_parse(text, length, NULL);
    return root && take_node(reader, root, 0);
}

/* Every JSON value within the text, fenced or surrounded by prose; the last one may be cut off. */
static void search_json(Reader *reader, const char *text)
{
    guint attempts = 0;
    for (const char *at = strpbrk(text, "{["); at && attempts < MAX_ATTEMPTS; attempts++) {
        gsize length;
        g_autofree char *repaired = NULL;
        find_end(at, &length, &repaired);
        gboolean taken = length && take_json(reader, at, length);
        if (repaired && take_json(reader, repaired, strlen(repaired)))
            return;
        at = strpbrk(at + (taken ? length : 1), "{[");
    }
}

/* Whether it could be an answer: any object, an array of objects or texts; 2 for an object that has "prompts". */
static int likeness(const char *text, gsize length)
{
    g_autoptr(JsonNode) root = aimf_json_parse(text, length, NULL);
    if (root && JSON_NODE_HOLDS_OBJECT(root))
        return json_object_has_member(json_node_get_object(root), "prompts") ? 2 : 1;
    JsonArray *array = root && JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root) : NULL;
    JsonNode *first = array && json_array_get_length(array) ? json_array_get_element(array, 0) : NULL;
    return first && (JSON_NODE_HOLDS_OBJECT(first) || node_text(first));
}

char *aimf_answer_json(const char *thoughts)
{
    const char *start = thoughts + strspn(thoughts, " \t\r\n"), *found = NULL;
    gsize found_length = 0;
    int found_likeness = 1;
    guint attempts = 0;
    if (*start == '{' || *start == '[' || g_str_has_prefix(start, "```"))
        return g_strdup(start);
    for (const char *at = strpbrk(start, "{["); at && attempts < MAX_ATTEMPTS; attempts++) {
        gsize length;
        g_autofree char *repaired = NULL;
        find_end(at, &length, &repaired);
        int like = length ? likeness(at, length) : 0;
        if (like >= found_likeness) {
            found = at;
            found_length = length;
            found_likeness = like;
        }
        at = strpbrk(at + (like ? length : 1), "{[");
    }
    return found ? g_strndup(found, found_length) : NULL;
}

/* --- Lines --- */

/* The text after "3.", "3)", "-", "*" or "•" (borrowed), NULL without such a mark. */
static const char *after_mark(const char *line)
{
    const char *at = line;
    while (g_ascii_isdigit(*at))
        at++;
    if (at > line && at < line + 4 && (*at == '.' || *at == ')' || *at == ':') && at[1] == ' ')
        return at + 2;
    if ((*line == '-' || *line == '*') && line[1] == ' ')
        return line + 2;
    return g_str_has_prefix(line, "• ") ? line + strlen("• ") : NULL;
}

static void strip_quotes(char *text)
{
    static const char *const pairs[][2] = { { "\"", "\"" }, { "“", "”" }, { "**", "**" }, { "'", "'" }, { "`", "`" } };
    g_strstrip(text);
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        gsize before = strlen(pairs[i][0]), after = strlen(pairs[i][1]), n = strlen(text);
        if (n < before + after || !g_str_has_prefix(text, pairs[i][0]) || !g_str_has_suffix(text, pairs[i][1]))
            continue;
        text[n - after] = 0;
        memmove(text, text + before, n - before - after + 1);
    }
}

/* (owned) The line at *@text without blanks around it, and *@text behind it; NULL at the end. */
static char *next_line(const char **text)
{
    if (!**text)
        return NULL;
    const char *end = strchrnul(*text, '\n');
    char *line = g_strstrip(g_strndup(*text, (gsize)(end - *text)));
    *text = *end ? end + 1 : end;
    return line;
}

static gboolean has_marked_line(const char *text)
{
    gboolean marked = FALSE;
    for (char *line; !marked && (line = next_line(&text)); g_free(line))
        marked = after_mark(line) != NULL;
    return marked;
}

/* With marks, only marked lines are meant; without, every line that announces nothing. */
static void take_lines(Reader *reader, const char *text)
{
    gboolean marked = has_marked_line(text);
    for (char *line; reader->found->len < reader->limit && (line = next_line(&text)); g_free(line)) {
        const char *item = marked ? after_mark(line) : line;
        if (!item || !*item || g_str_has_prefix(item, "```") || g_str_has_suffix(item, ":"))
            continue;
        g_autofree char *plain = g_strdup(item);
        strip_quotes(plain);
        take_text(reader, plain);
    }
}

GArray *aimf_answer_read(const char *text, const char *const *dimensions, guint n, guint limit)
{
    Reader reader = { dimensions, n, limit, g_array_new(FALSE, FALSE, sizeof(AimfPrompt)) };
    g_array_set_clear_func(reader.found, candidate_clear);
    search_json(&reader, text);
    if (!reader.found->len)
        take_lines(&reader, text);
    return reader.found;
}
