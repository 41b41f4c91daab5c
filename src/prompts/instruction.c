#include "prompts/instruction.h"

#include "base/random.h"
#include "llm/llm_answer.h"

#include <string.h>

enum { SHOWN_EXAMPLES = 5, SHOWN_EXISTING = 12 };

const char AIMF_INSTRUCTION_SYSTEM[] = "You write texts from which an image generator makes photographs. The "
                                       "photographs serve to measure and mend how unequally image "
                                       "classifiers treat groups. They are useful only if the groups' pictures differ "
                                       "in the named attributes and in nothing else: "
                                       "everything else in a picture must be as likely in one group as in every other. "
                                       "Follow no stereotype. Write in English. Answer "
                                       "with what is asked for and nothing besides.";

/* --- Dimensions --- */

/* Those with "{}" only fill slots of others, which a model writes out itself. */
static gboolean is_asked(const AimfTaskDimension *dimension)
{
    return strcmp(dimension->lead, "{}") != 0;
}

char **aimf_instruction_dimensions(const AimfTask *task)
{
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint d = 0; d < task->n_dimensions; d++)
        if (is_asked(&task->dimensions[d]))
            g_strv_builder_add(names, task->dimensions[d].name);
    return g_strv_builder_end(names);
}

/* Whether an attribute's words fill this slot: then it stays open, to be filled for each group. */
static gboolean is_attribute_slot(const AimfTask *task, const char *name, gsize length)
{
    for (guint a = 0; a < task->n_attributes; a++) {
        const char *slot = task->attributes[a].slot;
        if (slot && strlen(slot) == length && strncmp(slot, name, length) == 0)
            return TRUE;
    }
    return FALSE;
}

/* (owned) A phrase as an example: open slots stay for shared contexts, and all others go. */
static char *example(const AimfInstruction *in, const char *phrase)
{
    GString *text = g_string_new(NULL);
    for (const char *at = phrase; *at;) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        gboolean keep =
            end && in->contexts == AIMF_CONTEXTS_SHARED && is_attribute_slot(in->task, at + 1, (gsize)(end - at - 1));
        if (!end || keep) {
            gsize n = end ? (gsize)(end + 1 - at) : 1;
            g_string_append_len(text, at, (gssize)n);
            at += n;
        } else {
            at = end[1] == ' ' ? end + 2 : end + 1;
        }
    }
    return g_string_free(text, FALSE);
}

/* Phrases drawn without replacement; "" among them counts for nothing. */
static void append_examples(GString *text, const AimfInstruction *in, guint dimension, guint n)
{
    char **phrases = in->task->dimensions[dimension].phrases;
    guint n_phrases = g_strv_length(phrases);
    g_autofree guint32 *order = g_new(guint32, n_phrases + 1);
    for (guint32 i = 0; i < n_phrases; i++)
        order[i] = i;
    AimfRandom random = aimf_random_at(in->seed, AIMF_STREAM_QUESTION, ((guint64)dimension << 32) | in->index);
    aimf_random_shuffle(&random, order, n_phrases);
    guint shown = 0;
    for (guint i = 0; i < n_phrases && shown < n; i++) {
        g_autofree char *phrase = example(in, phrases[order[i]]);
        if (*g_strstrip(phrase))
            g_string_append_printf(text, "%s%s", shown++ ? "; " : "", phrase);
    }
}

static void append_dimensions(GString *text, const AimfInstruction *in)
{
    for (guint d = 0; d < in->task->n_dimensions; d++) {
        if (!is_asked(&in->task->dimensions[d]))
            continue;
        g_string_append_printf(text, "- %s: for instance ", in->task->dimensions[d].name);
        append_examples(text, in, d, SHOWN_EXAMPLES);
        g_string_append_c(text, '\n');
    }
}

/* --- Words --- */

typedef struct {
    GString *text;
    GHashTable *seen;
} WordList;

static void add_words(WordList *list, char *const *words)
{
    for (; words && *words; words++) {
        g_auto(GStrv) parts = g_strsplit(*words, " ~ ", -1); /* "grey ~ hair" */
        g_autofree char *word = g_strjoinv(" ", parts);
        g_strstrip(g_strdelimit(word, "*~", ' '));
        if (*word && g_hash_table_add(list->seen, g_ascii_strdown(word, -1)))
            g_string_append_printf(list->text, "%s%s", list->text->len ? ", " : "", word);
    }
}

/* Words that say a value which the question's group does not have; for shared contexts, any value. */
static void add_values(WordList *list, const AimfInstruction *in, guint attribute_index)
{
    const AimfTaskAttribute *attribute = &in->task->attributes[attribute_index];
    guint own = aimf_task_group_value(in->task, in->group, attribute_index);
    for (guint v = 0; v < attribute->n_values; v++) {
        if (in->contexts == AIMF_CONTEXTS_PER_GROUP && v == own)
            continue;
        add_words(list, attribute->values[v].words);
        add_words(list, attribute->values[v].also);
    }
}

/* What gives values away, and what cannot go with those of the group, or of any. */
static void add_telling(WordList *list, const AimfInstruction *in, guint attribute_index)
{
    const AimfTaskAttribute *attribute = &in->task->attributes[attribute_index];
    guint own = aimf_task_group_value(in->task, in->group, attribute_index);
    for (guint v = 0; v < attribute->n_values; v++)
        if (in->contexts == AIMF_CONTEXTS_SHARED || v == own)
            add_words(list, attribute->values[v].impossible);
    add_words(list, attribute->telling);
}

static WordList word_list_new(void)
{
    return (WordList){ g_string_new(NULL), g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL) };
}

static void word_list_end(WordList *list, GString *text, const char *before)
{
    if (list->text->len)
        g_string_append_printf(text, "%s: %s.\n", before, list->text->str);
    g_string_free(list->text, TRUE);
    g_hash_table_unref(list->seen);
}

/* What may not be mentioned; some words only of some things, as "white" of hair, but not of a wall. */
static void append_forbidden(GString *text, const AimfInstruction *in)
{
    WordList anywhere = word_list_new();
    for (guint a = 0; a < in->task->n_attributes; a++) {
        const AimfTaskAttribute *attribute = &in->task->attributes[a];
        gboolean bound = attribute->describes && *attribute->describes;
        WordList there = word_list_new();
        add_values(bound ? &there : &anywhere, in, a);
        add_telling(&anywhere, in, a);
        g_autofree char *before =
            bound ? g_strdup_printf("None of these said of %s or the like", *attribute->describes) : NULL;
        word_list_end(&there, text, before);
    }
    word_list_end(&anywhere, text, "None of these words anywhere, nor others that say the same");
}

static char *all_groups(const AimfTask *task)
{
    GString *text = g_string_new(NULL);
    for (guint g = 0; g < aimf_task_groups(task); g++) {
        g_autofree char *words = aimf_task_group_words(task, g);
        g_string_append_printf(text, "%s%s", g ? "; " : "", words);
    }
    return g_string_free(text, FALSE);
}

/* Which words say a group's values, one of each list. */
static void append_required(GString *text, const AimfInstruction *in)
{
    for (guint a = 0; a < in->task->n_attributes; a++) {
        const AimfTaskAttribute *attribute = &in->task->attributes[a];
        const AimfTaskValue *value = &attribute->values[aimf_task_group_value(in->task, in->group, a)];
        g_autofree char *words = g_strjoinv("\" or \"", value->words);
        g_string_append_printf(text, "- \"%s\"", words);
        if (attribute->slot)
            g_string_append_printf(text, " as the %s", attribute->slot);
        g_string_append_c(text, '\n');
    }
}

/* --- The question --- */

static void append_whole_prompts(GString *text, const AimfInstruction *in, const char *groups)
{
    g_autofree char *words = aimf_task_group_words(in->task, in->group);
    g_string_append_printf(
        text,
        "Write %u descriptions of photographs of this group: %s (where a slash stands, either word).\n"
        "Each is one sentence of 12 to 40 words. It begins with \"%s\" and says each of these in so many words:\n",
        in->n, words, in->task->opening);
    append_required(text, in);
    g_string_append_printf(
        text,
        "All groups of the study are: %s. Choose everything else as if you did not know for which of them you write.\n"
        "Let these vary, with values of your own as well, and name at least four of them in each description:\n",
        groups);
}

static void append_shared_contexts(GString *text, const AimfInstruction *in, const char *groups)
{
    g_string_append_printf(
        text,
        "Write %u settings for photographs. Each will be used unchanged for every one of these groups: %s. So it must "
        "be possible and equally usual for all of them, and must not say or suggest which group it is.\n"
        "A setting is a short phrase, without a full stop, for some or all of these:\n",
        in->n, groups);
    append_dimensions(text, in);
    for (guint a = 0; a < in->task->n_attributes; a++)
        if (in->task->attributes[a].slot)
            g_string_append_printf(text,
                                   "Write {%s}, braces included, where the %s stands; every setting needs that once.\n",
                                   in->task->attributes[a].slot, in->task->attributes[a].slot);
    g_string_append(
        text,
        "Name at least five in each setting, all in all no more than 30 words, and use values of your own as well.\n");
}

static void append_existing(GString *text, const AimfInstruction *in)
{
    guint n = in->existing ? in->existing->n_prompts : 0;
    if (n)
        g_string_append(text, "These exist already; write clearly different ones:\n");
    for (guint i = n > SHOWN_EXISTING ? n - SHOWN_EXISTING : 0; i < n; i++) {
        const AimfPrompt *prompt = &in->existing->prompts[i];
        g_string_append_printf(text, "- %s", in->contexts == AIMF_CONTEXTS_SHARED ? "" : prompt->text);
        for (guint c = 0; c < prompt->n_contexts && in->contexts == AIMF_CONTEXTS_SHARED; c++)
            g_string_append_printf(text, "%s%s", c ? "; " : "", prompt->contexts[c]);
        g_string_append_c(text, '\n');
    }
    if (in->refused && *in->refused)
        g_string_append(text, "These were refused, for the reason that stands before each; do not repeat that:\n");
    for (const char *const *refused = in->refused; refused && *refused; refused++)
        g_string_append_printf(text, "- %s\n", *refused);
}

char *aimf_instruction_question(const AimfInstruction *in)
{
    g_autofree char *groups = all_groups(in->task);
    GString *text = g_string_new(NULL);
    if (in->contexts == AIMF_CONTEXTS_SHARED) {
        append_shared_contexts(text, in, groups);
    } else {
        append_whole_prompts(text, in, groups);
        append_dimensions(text, in);
    }
    g_string_append(text, "No two may be alike.\n");
    append_forbidden(text, in);
    append_existing(text, in);
    return g_string_free(text, FALSE);
}

/* --- The form --- */

static void begin_object_schema(JsonBuilder *builder)
{
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "type");
    json_builder_add_string_value(builder, "object");
    json_builder_set_member_name(builder, "properties");
    json_builder_begin_object(builder);
}

static void end_object_schema(JsonBuilder *builder, char *const *names)
{
    json_builder_end_object(builder);
    json_builder_set_member_name(builder, "required");
    json_builder_begin_array(builder);
    for (; *names; names++)
        json_builder_add_string_value(builder, *names);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "additionalProperties");
    json_builder_add_boolean_value(builder, FALSE);
    json_builder_end_object(builder);
}

/* (owned) Names of an item's members in JSON. */
static char **item_names(const AimfTask *task, AimfLlmContexts contexts)
{
    g_auto(GStrv) dimensions = aimf_instruction_dimensions(task);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (char **dimension = dimensions; *dimension; dimension++) {
        g_autofree char *name = aimf_answer_name(*dimension);
        g_strv_builder_add(names, name);
    }
    if (contexts == AIMF_CONTEXTS_PER_GROUP)
        g_strv_builder_add(names, "prompt");
    return g_strv_builder_end(names);
}

JsonNode *aimf_instruction_schema(const AimfTask *task, AimfLlmContexts contexts)
{
    g_auto(GStrv) names = item_names(task, contexts);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    begin_object_schema(builder);
    json_builder_set_member_name(builder, "prompts");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "type");
    json_builder_add_string_value(builder, "array");
    json_builder_set_member_name(builder, "items");
    begin_object_schema(builder);
    for (char **name = names; *name; name++) {
        json_builder_set_member_name(builder, *name);
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "type");
        json_builder_add_string_value(builder, "string");
        json_builder_end_object(builder);
    }
    end_object_schema(builder, names);
    json_builder_end_object(builder);
    end_object_schema(builder, (char *[]){ (char[]){ "prompts" }, NULL });
    return json_builder_get_root(builder);
}

char *aimf_instruction_json_form(const AimfTask *task, AimfLlmContexts contexts)
{
    g_auto(GStrv) names = item_names(task, contexts);
    g_autofree char *members = g_strjoinv("\": \"…\", \"", names);
    return g_strdup_printf("Answer in JSON: {\"prompts\": [{\"%s\": \"…\"}, …]}. %s", members,
                           contexts == AIMF_CONTEXTS_SHARED ? "What a setting does not mention is an empty text."
                                                            : "First what varies, as the description has it or an "
                                                              "empty text, then the description itself as \"prompt\".");
}

char *aimf_instruction_text_form(const AimfTask *task, AimfLlmContexts contexts)
{
    if (contexts == AIMF_CONTEXTS_PER_GROUP)
        return g_strdup("Answer with one description per line, numbered, and nothing before or after.");
    g_auto(GStrv) names = aimf_instruction_dimensions(task);
    g_autofree char *pairs = g_strjoinv(": …; ", names);
    return g_strdup_printf(
        "Answer with one setting per line, numbered, and nothing before or after, in this form: %s: …", pairs);
}
