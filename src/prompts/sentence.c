#include "prompts/sentence.h"

#include <string.h>

static const AimfTaskValue *value_of(const AimfTask *task, guint group, guint attribute)
{
    return &task->attributes[attribute].values[aimf_task_group_value(task, group, attribute)];
}

/* Words in turn; attributes take turns at different paces, so that no word of one always meets the same of another. */
static const char *word_of(const AimfTask *task, guint group, guint attribute, guint turn)
{
    for (guint a = 0; a < attribute; a++)
        turn /= g_strv_length(value_of(task, group, a)->words);
    char **words = value_of(task, group, attribute)->words;
    return words[turn % g_strv_length(words)];
}

static void append(GString *text, const char *words)
{
    if (text->len && *words)
        g_string_append_c(text, ' ');
    g_string_append(text, words);
}

/* By sound: "an unsmiling", but "a uniformed", "a European", "a one-eyed", and "an hour". */
static const char *article_for(const char *word)
{
    static const char *const CONSONANT[] = { "uni", "use", "usual", "eu", "one", "once", "ubiq", "uk" };
    static const char *const VOWEL[] = { "unin", "unim", "unid", "hour", "honest", "heir" };
    g_autofree char *lower = g_utf8_strdown(word, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(VOWEL); i++)
        if (g_str_has_prefix(lower, VOWEL[i]))
            return "an";
    for (gsize i = 0; i < G_N_ELEMENTS(CONSONANT); i++)
        if (g_str_has_prefix(lower, CONSONANT[i]))
            return "a";
    return *lower && strchr("aeiou", *lower) ? "an" : "a";
}

static const char *filling(const AimfTask *task, guint group, guint turn, const char *const *chosen, const char *name)
{
    for (guint a = 0; a < task->n_attributes; a++)
        if (g_strcmp0(task->attributes[a].slot, name) == 0)
            return word_of(task, group, a, turn);
    for (guint d = 0; d < task->n_dimensions; d++)
        if (strcmp(task->dimensions[d].name, name) == 0 && chosen[d])
            return chosen[d];
    return "";
}

static char *single_blanks(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    GString *joined = g_string_new(NULL);
    for (char **word = words; *word; word++)
        append(joined, *word);
    return g_string_free(joined, FALSE);
}

/* @phrase with each slot {name} filled; @task NULL: with nothing. */
static char *fill_slots(const char *phrase, const AimfTask *task, guint group, guint turn, const char *const *chosen)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (const char *at = phrase; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (!end) {
            g_string_append_c(text, *at++);
            continue;
        }
        g_autofree char *name = g_strndup(at + 1, (gsize)(end - at - 1));
        g_string_append(text, task ? filling(task, group, turn, chosen, name) : "");
        at = end + 1;
    }
    return single_blanks(text->str);
}

char *aimf_sentence_context(const char *phrase)
{
    return fill_slots(phrase, NULL, 0, 0, NULL);
}

static void append_placed(GString *text, const AimfTask *task, guint group, guint turn, AimfWordPlace place)
{
    for (guint a = 0; a < task->n_attributes; a++)
        if (value_of(task, group, a)->place == place)
            append(text, word_of(task, group, a, turn));
}

/* "smiling elderly woman" */
static char *subject(const AimfTask *task, guint group, guint turn)
{
    GString *text = g_string_new(NULL);
    append_placed(text, task, group, turn, AIMF_WORDS_BEFORE);
    gsize before = text->len;
    append_placed(text, task, group, turn, AIMF_WORDS_NOUN);
    if (text->len == before)
        append(text, task->noun);
    append_placed(text, task, group, turn, AIMF_WORDS_BEHIND);
    return g_string_free(text, FALSE);
}

/* "A, B and C" */
static void append_list(GString *text, char *const *items, guint n)
{
    for (guint i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", items[i]);
}

/*
 * Appends the contexts from dimension *@d on that share a lead, and moves *@d behind them. What only fills slots ends
 * no list.
 */
static void append_lead(GString *text, const AimfTask *task, guint group, guint turn, const char *const *chosen,
                        guint *d, gboolean *first)
{
    const char *lead = task->dimensions[*d].lead;
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_free);
    do {
        if (strcmp(task->dimensions[*d].lead, "{}") != 0 && chosen[*d] && *chosen[*d])
            g_ptr_array_add(items, fill_slots(chosen[*d], task, group, turn, chosen));
        ++*d;
    } while (*d < task->n_dimensions && *lead &&
             (strcmp(task->dimensions[*d].lead, lead) == 0 || strcmp(task->dimensions[*d].lead, "{}") == 0));
    if (!items->len)
        return;
    g_string_append(text, *first && strcmp(lead, "with") == 0 ? " " : ", ");
    if (*lead)
        g_string_append_printf(text, "%s ", lead);
    append_list(text, (char *const *)items->pdata, items->len);
    *first = FALSE;
}

static gboolean has_words_behind(const AimfTask *task, guint group)
{
    for (guint a = 0; a < task->n_attributes; a++)
        if (value_of(task, group, a)->place == AIMF_WORDS_BEHIND)
            return TRUE;
    return FALSE;
}

char *aimf_sentence(const AimfTask *task, guint group, guint turn, const char *const *chosen)
{
    g_autofree char *who = subject(task, group, turn);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s %s", task->opening, article_for(who), who);
    gboolean first = !has_words_behind(task, group); /* not "in a wheelchair with short hair" */
    for (guint d = 0; d < task->n_dimensions;)
        append_lead(text, task, group, turn, chosen, &d, &first);
    g_string_append_c(text, '.');
    return g_string_free(text, FALSE);
}
