/* A task's groups, and what has to be right about it whoever described it. */
#include "prompts/task.h"

#include "prompts/lexicon.h"
#include "prompts/prompts.h"
#include <string.h>

enum { MAX_TEXT_BYTES = 300, MAX_LABEL_BYTES = 40, MAX_CLASHES = 64 };

static void attribute_clear(AimfTaskAttribute *attribute)
{
    for (guint v = 0; v < attribute->n_values; v++) {
        AimfTaskValue *value = &attribute->values[v];
        g_free(value->label);
        g_strfreev(value->words);
        g_strfreev(value->also);
        g_strfreev(value->impossible);
    }
    g_free(attribute->values);
    g_free(attribute->name);
    g_free(attribute->slot);
    g_strfreev(attribute->describes);
    g_strfreev(attribute->telling);
    g_strfreev(attribute->without);
}

static void dimension_clear(AimfTaskDimension *dimension)
{
    g_free(dimension->name);
    g_free(dimension->lead);
    g_strfreev(dimension->phrases);
}

void aimf_task_free(AimfTask *task)
{
    if (!task)
        return;
    for (guint a = 0; a < task->n_attributes; a++)
        attribute_clear(&task->attributes[a]);
    for (guint d = 0; d < task->n_dimensions; d++)
        dimension_clear(&task->dimensions[d]);
    for (guint c = 0; c < task->n_clashes; c++) {
        g_strfreev(task->clashes[c].one);
        g_strfreev(task->clashes[c].other);
    }
    g_free(task->attributes);
    g_free(task->dimensions);
    g_free(task->clashes);
    g_free(task->name);
    g_free(task->summary);
    g_free(task->opening);
    g_free(task->noun);
    g_free(task);
}

AimfTaskAttribute *aimf_task_add_attribute(AimfTask *task, const char *name)
{
    task->attributes = g_renew(AimfTaskAttribute, task->attributes, task->n_attributes + 1);
    AimfTaskAttribute *attribute = &task->attributes[task->n_attributes++];
    *attribute = (AimfTaskAttribute){ .name = g_strdup(name) };
    return attribute;
}

/* --- Groups --- */

guint aimf_task_groups(const AimfTask *task)
{
    guint n = 1;
    for (guint a = 0; a < task->n_attributes; a++)
        n *= task->attributes[a].n_values;
    return n;
}

gboolean aimf_phrase_has_slot(const char *phrase, const char *name)
{
    g_autofree char *slot = g_strdup_printf("{%s}", name);
    return strstr(phrase, slot) != NULL;
}

guint aimf_task_group_value(const AimfTask *task, guint group, guint attribute)
{
    for (guint a = task->n_attributes - 1; a > attribute; a--)
        group /= task->attributes[a].n_values;
    return group % task->attributes[attribute].n_values;
}

static const AimfTaskValue *value_of(const AimfTask *task, guint group, guint attribute)
{
    return &task->attributes[attribute].values[aimf_task_group_value(task, group, attribute)];
}

static char *join_labels(const AimfTask *task, guint group, guint first)
{
    GString *label = g_string_new(NULL);
    for (guint a = first; a < task->n_attributes; a++)
        g_string_append_printf(label, "%s%s", a > first ? "_" : "", value_of(task, group, a)->label);
    return g_string_free(label, FALSE);
}

char *aimf_task_group_name(const AimfTask *task, guint group)
{
    return join_labels(task, group, 0);
}

int aimf_task_find_group(const AimfTask *task, const char *name)
{
    guint n = aimf_task_groups(task);
    for (guint g = 0; g < n; g++) {
        g_autofree char *known = aimf_task_group_name(task, g);
        if (strcmp(known, name) == 0)
            return (int)g;
    }
    return -1;
}

static void append_words(GString *text, const AimfTask *task, guint group, AimfWordPlace place)
{
    for (guint a = 0; a < task->n_attributes; a++) {
        const AimfTaskValue *value = value_of(task, group, a);
        if (value->place != place)
            continue;
        g_autofree char *words = g_strjoinv("/", value->words);
        g_string_append_printf(text, "%s%s", text->len ? " " : "", words);
        if (place == AIMF_WORDS_SLOT) /* "black" alone would be read as the noun's */
            g_string_append_printf(text, " (%s)", task->attributes[a].slot);
    }
}

char *aimf_task_group_words(const AimfTask *task, guint group)
{
    GString *text = g_string_new(NULL);
    append_words(text, task, group, AIMF_WORDS_BEFORE);
    gsize before = text->len;
    append_words(text, task, group, AIMF_WORDS_NOUN);
    if (text->len == before)
        g_string_append_printf(text, "%s%s", text->len ? " " : "", task->noun);
    append_words(text, task, group, AIMF_WORDS_BEHIND);
    append_words(text, task, group, AIMF_WORDS_SLOT);
    return g_string_free(text, FALSE);
}

AimfPrompts *aimf_prompts_new(const AimfTask *task)
{
    AimfPrompts *prompts = g_new0(AimfPrompts, 1);
    prompts->task = g_strdup(task->name);
    prompts->n_groups = aimf_task_groups(task);
    prompts->groups = g_new0(AimfPromptGroup, prompts->n_groups);
    for (guint g = 0; g < prompts->n_groups; g++)
        prompts->groups[g] = (AimfPromptGroup){
            .name = aimf_task_group_name(task, g),
            .target = (int)aimf_task_group_value(task, g, 0),
            .protected_group = join_labels(task, g, 1),
            .words = aimf_task_group_words(task, g),
        };
    return prompts;
}

/* --- What has to be right --- */

static gboolean is_line(const char *text, gsize max_bytes)
{
    if (strlen(text) > max_bytes || !g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *c = text; *c; c = g_utf8_next_char(c))
        if (g_unichar_iscntrl(g_utf8_get_char(c)))
            return FALSE;
    return TRUE;
}

/* Words that something can be found by: an entry without a word would match nothing, and say so to nobody. */
static gboolean check_list(char *const *list, const char *where, const char *what, GError **error)
{
    for (char *const *text = list; text && *text; text++) {
        if (!is_line(*text, MAX_TEXT_BYTES))
            return aimf_prompts_refuse(error, "%s: %s must be words of at most %d bytes, without line breaks", where,
                                       what, MAX_TEXT_BYTES);
        if (!aimf_pattern_check(*text, error)) {
            g_prefix_error(error, "%s: %s: ", where, what);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean is_label(const char *label)
{
    return *label && *label != '.' && !strpbrk(label, "/\\") && is_line(label, MAX_LABEL_BYTES);
}

static gboolean check_value(const AimfTask *task, guint a, guint v, const char *where, GError **error)
{
    const AimfTaskAttribute *attribute = &task->attributes[a];
    const AimfTaskValue *value = &attribute->values[v];
    g_autofree char *place = g_strdup_printf("%s: value %u of %s", where, v, attribute->name);
    g_autofree char *number = g_strdup_printf("%u", v);
    if (a == 0 && strcmp(value->label, number) != 0)
        return aimf_prompts_refuse(error,
                                   "%s: a target's values are its classes 0, 1 … in order; expected '%u', found '%s'",
                                   place, v, value->label);
    if (!is_label(value->label))
        return aimf_prompts_refuse(error, "%s: its label becomes part of a folder's name; '%s' cannot", place,
                                   value->label);
    for (guint other = 0; other < v; other++)
        if (strcmp(attribute->values[other].label, value->label) == 0)
            return aimf_prompts_refuse(error, "%s: the label '%s' is there twice", place, value->label);
    if (!value->words || !value->words[0])
        return aimf_prompts_refuse(error, "%s: it needs words", place);
    if ((value->place == AIMF_WORDS_SLOT) != (attribute->slot != NULL))
        return aimf_prompts_refuse(
            error, "%s: its words fill the slot of a dimension, or no value's of the attribute do", place);
    return check_list(value->words, place, "its words", error) && check_list(value->also, place, "'also'", error) &&
           check_list(value->impossible, place, "'impossible'", error);
}

static gboolean check_attributes(const AimfTask *task, const char *where, GError **error)
{
    if (task->n_attributes < 2)
        return aimf_prompts_refuse(error, "%s: a task has a target and at least one protected attribute", where);
    guint n_groups = 1, n_nouns = 0;
    for (guint a = 0; a < task->n_attributes; a++) {
        const AimfTaskAttribute *attribute = &task->attributes[a];
        if (attribute->n_values < 2)
            return aimf_prompts_refuse(error, "%s: %s has %u values; it needs two or more", where, attribute->name,
                                       attribute->n_values);
        gboolean noun = FALSE;
        for (guint v = 0; v < attribute->n_values; v++) {
            if (!check_value(task, a, v, where, error))
                return FALSE;
            noun = noun || attribute->values[v].place == AIMF_WORDS_NOUN;
        }
        n_nouns += noun ? 1 : 0;
        n_groups = MIN(n_groups * attribute->n_values, AIMF_MAX_PROMPT_GROUPS + 1);
        if (!check_list(attribute->describes, where, "'describes'", error) ||
            !check_list(attribute->telling, where, "'telling'", error))
            return FALSE;
    }
    if (n_nouns > 1)
        return aimf_prompts_refuse(error, "%s: the words of one attribute only can be the noun", where);
    if (n_groups > AIMF_MAX_PROMPT_GROUPS)
        return aimf_prompts_refuse(error, "%s: more than %d groups", where, AIMF_MAX_PROMPT_GROUPS);
    return TRUE;
}

/* --- Leaving out what no prompt could use --- */

/* A slot's filling is judged where it will stand: "blond" says little, "short blond hair" enough. */
static char *in_place(const AimfTask *task, const AimfTaskDimension *dimension, const char *phrase)
{
    if (strcmp(dimension->lead, "{}") != 0)
        return g_strdup(phrase);
    for (guint d = 0; d < task->n_dimensions; d++) {
        for (char **other = task->dimensions[d].phrases; *other; other++) {
            if (!aimf_phrase_has_slot(*other, dimension->name))
                continue;
            g_autofree char *slot = g_strdup_printf("{%s}", dimension->name);
            g_auto(GStrv) parts = g_strsplit(*other, slot, -1);
            return g_strjoinv(phrase, parts);
        }
    }
    return g_strdup(phrase);
}

static gboolean is_usable(const AimfTask *task, const AimfLexicon *lexicon, const char *text)
{
    g_autoptr(AimfWords) words = aimf_words_new(text);
    for (guint a = 0; a < task->n_attributes; a++) {
        g_autoptr(GArray) mentions = aimf_lexicon_mentions(lexicon, a, words);
        if (mentions->len || aimf_lexicon_telling(lexicon, a, words, NULL, NULL) ||
            aimf_lexicon_impossible(lexicon, a, words))
            return FALSE;
    }
    return TRUE;
}

static void keep_usable(const AimfTask *task, const AimfLexicon *lexicon, AimfTaskDimension *dimension)
{
    GPtrArray *kept = g_ptr_array_new();
    for (char **phrase = dimension->phrases; *phrase; phrase++) {
        g_autofree char *text = in_place(task, dimension, *phrase);
        if (!**phrase || is_usable(task, lexicon, text))
            g_ptr_array_add(kept, *phrase);
        else
            g_free(*phrase);
    }
    g_ptr_array_add(kept, NULL);
    g_free(dimension->phrases);
    dimension->phrases = (char **)g_ptr_array_free(kept, FALSE);
}

static gboolean is_excluded(const AimfTask *task, const AimfTaskDimension *dimension)
{
    for (guint a = 0; a < task->n_attributes; a++) {
        const AimfTaskAttribute *attribute = &task->attributes[a];
        if (g_strcmp0(attribute->slot, dimension->name) == 0)
            return TRUE;
        if (attribute->without && g_strv_contains((const char *const *)attribute->without, dimension->name))
            return TRUE;
    }
    return FALSE;
}

static void drop_dimensions(AimfTask *task)
{
    guint n = 0;
    for (guint d = 0; d < task->n_dimensions; d++) {
        AimfTaskDimension *dimension = &task->dimensions[d];
        gboolean empty = !dimension->phrases[0] || (!*dimension->phrases[0] && !dimension->phrases[1]);
        if (empty || is_excluded(task, dimension))
            dimension_clear(dimension);
        else
            task->dimensions[n++] = *dimension;
    }
    task->n_dimensions = n;
}

static gboolean check_word(const AimfTask *task, const AimfLexicon *lexicon, guint attribute, guint value,
                           const char *text, const char *where, GError **error)
{
    g_autoptr(AimfWords) words = aimf_words_new(text);
    for (guint a = 0; a < task->n_attributes; a++) {
        guint at, n;
        if (!aimf_lexicon_telling(lexicon, a, words, &at, &n))
            continue;
        g_autofree char *found = aimf_words_join(words, at, at + n);
        return aimf_prompts_refuse(error, "%s: '%s' is a word for value %u of %s and forbidden as telling %s", where,
                                   found, value, task->attributes[attribute].name, task->attributes[a].name);
    }
    return TRUE;
}

/* A task whose own words its own lists forbid has no prompts at all; say it here, where the word can be named. */
static gboolean check_words(const AimfTask *task, const AimfLexicon *lexicon, const char *where, GError **error)
{
    for (guint a = 0; a < task->n_attributes; a++)
        for (guint v = 0; v < task->attributes[a].n_values; v++)
            for (char **text = task->attributes[a].values[v].words; *text; text++)
                if (!check_word(task, lexicon, a, v, *text, where, error))
                    return FALSE;
    return TRUE;
}

static gboolean check_slots(const AimfTask *task, const char *where, GError **error)
{
    for (guint a = 0; a < task->n_attributes; a++) {
        const char *slot = task->attributes[a].slot;
        gboolean found = !slot;
        for (guint d = 0; d < task->n_dimensions && !found; d++)
            for (char **phrase = task->dimensions[d].phrases; *phrase && !found; phrase++)
                found = aimf_phrase_has_slot(*phrase, slot);
        if (!found)
            return aimf_prompts_refuse(error, "%s: the words of %s stand in the slot {%s}, which no context has", where,
                                       task->attributes[a].name, slot);
    }
    return TRUE;
}

static gboolean is_slot(const AimfTask *task, const char *name)
{
    for (guint a = 0; a < task->n_attributes; a++)
        if (g_strcmp0(task->attributes[a].slot, name) == 0)
            return TRUE;
    for (guint d = 0; d < task->n_dimensions; d++)
        if (strcmp(task->dimensions[d].name, name) == 0)
            return TRUE;
    return FALSE;
}

/* A misspelt slot would be filled with nothing, and nobody would know. */
static gboolean check_spelling(const AimfTask *task, const char *where, GError **error)
{
    for (guint d = 0; d < task->n_dimensions; d++)
        for (char **phrase = task->dimensions[d].phrases; *phrase; phrase++)
            for (const char *at = *phrase, *end; (at = strchr(at, '{')) && (end = strchr(at, '}')); at = end) {
                g_autofree char *name = g_strndup(at + 1, (gsize)(end - at - 1));
                if (!is_slot(task, name))
                    return aimf_prompts_refuse(
                        error, "%s: '%s' of %s has the slot {%s}; no dimension and no attribute's slot has that name",
                        where, *phrase, task->dimensions[d].name, name);
            }
    return TRUE;
}

gboolean aimf_task_finish(AimfTask *task, const char *where, GError **error)
{
    if (!is_label(task->name) || !*task->opening || !is_line(task->opening, MAX_TEXT_BYTES) || !*task->noun ||
        !is_line(task->noun, MAX_TEXT_BYTES))
        return aimf_prompts_refuse(
            error, "%s: a task needs a plain name, an opening and a noun, each a short line of text", where);
    if (task->n_clashes > MAX_CLASHES)
        return aimf_prompts_refuse(error, "%s: %u clashes, more than %d", where, task->n_clashes, MAX_CLASHES);
    if (!check_attributes(task, where, error))
        return FALSE;
    g_autoptr(AimfLexicon) lexicon = aimf_lexicon_new(task);
    if (!check_words(task, lexicon, where, error) || !check_spelling(task, where, error))
        return FALSE;
    for (guint d = 0; d < task->n_dimensions; d++)
        keep_usable(task, lexicon, &task->dimensions[d]);
    drop_dimensions(task);
    return check_slots(task, where, error);
}
