/* The checks on every prompt, wherever it came from. */
#include "base/format.h"
#include "prompts/lexicon.h"
#include "prompts/prompts.h"

#include <string.h>

/* Of a set of words: a bit for each word, which others may share, and how many words there are. */
typedef struct {
    guint64 bits;
    guint n;
} Outline;

typedef struct {
    GHashTable *texts;   /* set of normalised texts */
    GPtrArray *admitted; /* of GArray *: words without function words, as sorted numbers (guint) */
    GArray *outlines;    /* of Outline, of the same */
    GPtrArray *shown;    /* of char *: the prompts themselves, for messages */
} Group;

struct AimfPromptChecker {
    const AimfTask *task;
    const AimfTokenizer *tokenizer;
    AimfLexicon *lexicon;
    GHashTable *numbers; /* of words */
    guint n_groups;
    Group *groups;
};

/* What is being looked at, and what to answer. */
typedef struct {
    AimfPromptChecker *checker;
    guint group;
    const char *text;
    AimfWords *words;
    AimfRefusal *refusal;
    char **reason;
} Look;

const char *aimf_refusal_name(AimfRefusal refusal)
{
    static const char *const NAMES[AIMF_N_REFUSALS] = { "text",     "sentence", "length",    "tokens", "unsaid",
                                                        "opposite", "telling",  "duplicate", "similar" };
    g_return_val_if_fail(refusal < AIMF_N_REFUSALS, NULL);
    return NAMES[refusal];
}

AimfPromptChecker *aimf_prompt_checker_new(const AimfTask *task, guint n_groups, const AimfTokenizer *tokenizer)
{
    AimfPromptChecker *checker = g_new0(AimfPromptChecker, 1);
    *checker = (AimfPromptChecker){
        .task = task,
        .tokenizer = tokenizer,
        .lexicon = task ? aimf_lexicon_new(task) : NULL,
        .numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .n_groups = n_groups,
        .groups = g_new0(Group, n_groups),
    };
    for (guint g = 0; g < n_groups; g++)
        checker->groups[g] = (Group){
            .texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
            .admitted = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref),
            .outlines = g_array_new(FALSE, FALSE, sizeof(Outline)),
            .shown = g_ptr_array_new_with_free_func(g_free),
        };
    return checker;
}

void aimf_prompt_checker_free(AimfPromptChecker *checker)
{
    if (!checker)
        return;
    for (guint g = 0; g < checker->n_groups; g++) {
        g_hash_table_unref(checker->groups[g].texts);
        g_ptr_array_unref(checker->groups[g].admitted);
        g_array_unref(checker->groups[g].outlines);
        g_ptr_array_unref(checker->groups[g].shown);
    }
    g_free(checker->groups);
    g_hash_table_unref(checker->numbers);
    aimf_lexicon_free(checker->lexicon);
    g_free(checker);
}

static gboolean refuse(const Look *look, AimfRefusal refusal, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean refuse(const Look *look, AimfRefusal refusal, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (look->refusal)
        *look->refusal = refusal;
    if (look->reason)
        *look->reason = aimf_format_list(format, args);
    va_end(args);
    return FALSE;
}

/* --- Text --- */

/*
 * Letters of two alphabets in one word are a disguise ("w\u043eman" with a Cyrillic o), which no list of words sees
 * through.
 */
static gboolean check_alphabets(const Look *look)
{
    GUnicodeScript script = G_UNICODE_SCRIPT_COMMON;
    const char *start = look->text;
    for (const char *c = look->text; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (!g_unichar_isalpha(letter)) {
            if (!g_unichar_ismark(letter) && g_unichar_type(letter) != G_UNICODE_FORMAT) {
                script = G_UNICODE_SCRIPT_COMMON;
                start = g_utf8_next_char(c);
            }
            continue;
        }
        GUnicodeScript own = g_unichar_get_script(letter);
        if (own == G_UNICODE_SCRIPT_COMMON || own == G_UNICODE_SCRIPT_INHERITED)
            continue;
        if (script != G_UNICODE_SCRIPT_COMMON && own != script &&
            (script == G_UNICODE_SCRIPT_LATIN || own == G_UNICODE_SCRIPT_LATIN))
            return refuse(look, AIMF_REFUSED_TEXT, "a word mixes two alphabets: '%.*s…'", (int)(c - start), start);
        script = own;
    }
    return TRUE;
}

static gboolean check_text(const Look *look)
{
    if (!g_utf8_validate(look->text, -1, NULL))
        return refuse(look, AIMF_REFUSED_TEXT, "it is not valid UTF-8");
    if (strlen(look->text) > AIMF_MAX_PROMPT_BYTES)
        return refuse(look, AIMF_REFUSED_TEXT, "it has more than %d bytes", AIMF_MAX_PROMPT_BYTES);
    for (const char *c = look->text; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        GUnicodeType type = g_unichar_type(letter);
        if (letter == '\n' || letter == '\r' || type == G_UNICODE_LINE_SEPARATOR ||
            type == G_UNICODE_PARAGRAPH_SEPARATOR)
            return refuse(look, AIMF_REFUSED_SENTENCE, "it has several lines");
        if (type == G_UNICODE_CONTROL || type == G_UNICODE_PRIVATE_USE || type == G_UNICODE_UNASSIGNED)
            return refuse(look, AIMF_REFUSED_TEXT, "it has the control or unassigned character U+%04X", letter);
    }
    return check_alphabets(look);
}

/* --- Sentence and length --- */

/* After "St." or "f/1." a sentence goes on; a word of more letters before the full stop ends it. */
static gboolean ends_sentence(const char *text, const char *mark)
{
    if (*mark != '.')
        return TRUE;
    gsize letters = 0;
    while (mark - letters > text && g_ascii_isalpha(mark[-(gssize)letters - 1]))
        letters++;
    return letters > 2;
}

static gboolean check_sentence(const Look *look)
{
    for (const char *mark = look->text; (mark = strpbrk(mark, ".!?")); mark++) {
        const char *next = mark + strspn(mark, ".!?\"')");
        if (!ends_sentence(look->text, mark) || !*next || !g_unichar_isspace(g_utf8_get_char(next)))
            continue;
        for (const char *c = next; *c; c = g_utf8_next_char(c))
            if (g_unichar_isalnum(g_utf8_get_char(c)))
                return refuse(look, AIMF_REFUSED_SENTENCE, "it has several sentences; the second begins '%.*s'",
                              (int)(g_utf8_offset_to_pointer(c, MIN(12, g_utf8_strlen(c, -1))) - c), c);
    }
    return TRUE;
}

guint aimf_prompt_tokens_estimate(const char *text)
{
    enum { LETTERS = 5 };
    guint tokens = 0, letters = 0;
    for (const guchar *c = (const guchar *)text;; c++) {
        if (g_ascii_isalpha(*c)) {
            letters++;
            continue;
        }
        tokens += (letters + LETTERS - 1) / LETTERS;
        letters = 0;
        if (!*c)
            return tokens;
        tokens += !g_ascii_isspace(*c);
    }
}

static gboolean check_length(const Look *look)
{
    guint n = look->words->words->len;
    if (n < AIMF_MIN_PROMPT_WORDS || n > AIMF_MAX_PROMPT_WORDS)
        return refuse(look, AIMF_REFUSED_LENGTH, "it has %u words; a prompt has %d to %d", n, AIMF_MIN_PROMPT_WORDS,
                      AIMF_MAX_PROMPT_WORDS);
    const guint room = AIMF_PROMPT_TOKENS - 2; /* without begin and end */
    guint tokens;
    if (look->checker->tokenizer)
        g_free(aimf_tokenizer_encode(look->checker->tokenizer, look->text, &tokens));
    else
        tokens = aimf_prompt_tokens_estimate(look->text);
    if (tokens > room)
        return refuse(look, AIMF_REFUSED_TOKENS, "it has %u tokens%s; CLIP sees %u", tokens,
                      look->checker->tokenizer ? "" : " (estimated; --tokenizer counts them)", room);
    return TRUE;
}

/* --- What it says --- */

static char *words_at(const Look *look, guint at, guint n)
{
    return aimf_words_join(look->words, at, at + n);
}

static gboolean refuse_unsaid(const Look *look, const AimfTaskAttribute *attribute, const AimfTaskValue *value)
{
    g_autofree char *words = g_strjoinv("', '", value->words);
    return refuse(look, AIMF_REFUSED_UNSAID, "it does not say that %s is %s, as '%s' would%s", attribute->name,
                  value->label, words, attribute->describes && attribute->describes[0] ? " before its noun" : "");
}

static gboolean check_values(const Look *look)
{
    const AimfTask *task = look->checker->task;
    for (guint a = 0; a < task->n_attributes; a++) {
        const AimfTaskAttribute *attribute = &task->attributes[a];
        guint own = aimf_task_group_value(task, look->group, a);
        g_autoptr(GArray) mentions = aimf_lexicon_mentions(look->checker->lexicon, a, look->words);
        gboolean said = FALSE;
        for (guint i = 0; i < mentions->len; i++) {
            const AimfMention *mention = &g_array_index(mentions, AimfMention, i);
            g_autofree char *word = words_at(look, mention->at, mention->n);
            if (mention->negated && mention->value == own)
                return refuse(look, AIMF_REFUSED_OPPOSITE, "it denies '%s', its own value of %s", word,
                              attribute->name);
            if (!mention->negated && mention->value != own)
                return refuse(look, AIMF_REFUSED_OPPOSITE, "'%s' says that %s is %s, not %s", word, attribute->name,
                              attribute->values[mention->value].label, attribute->values[own].label);
            said = said || !mention->negated;
        }
        if (!said)
            return refuse_unsaid(look, attribute, &attribute->values[own]);
    }
    return TRUE;
}

static gboolean check_telling(const Look *look)
{
    const AimfTask *task = look->checker->task;
    guint at, n;
    for (guint a = 0; a < task->n_attributes; a++) {
        if (!aimf_lexicon_telling(look->checker->lexicon, a, look->words, &at, &n))
            continue;
        g_autofree char *word = words_at(look, at, n);
        return refuse(look, AIMF_REFUSED_TELLING, "'%s' gives %s away", word, task->attributes[a].name);
    }
    return TRUE;
}

/* --- Duplicates --- */

static guint number_of(AimfPromptChecker *checker, const char *word)
{
    gpointer number = g_hash_table_lookup(checker->numbers, word);
    if (!number) {
        number = GUINT_TO_POINTER(g_hash_table_size(checker->numbers) + 1);
        g_hash_table_insert(checker->numbers, g_strdup(word), number);
    }
    return GPOINTER_TO_UINT(number);
}

static int compare_numbers(gconstpointer a, gconstpointer b)
{
    guint x = *(const guint *)a, y = *(const guint *)b;
    return (x > y) - (x < y);
}

static GArray *content_of(AimfPromptChecker *checker, const AimfWords *words)
{
    GArray *content = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < words->words->len; i++) {
        const char *word = aimf_words_at(words, i);
        guint number = number_of(checker, word);
        if (!aimf_word_is_function(word))
            g_array_append_val(content, number);
    }
    g_array_sort(content, compare_numbers);
    guint n = 0;
    for (guint i = 0; i < content->len; i++)
        if (i == 0 || g_array_index(content, guint, i) != g_array_index(content, guint, n - 1))
            g_array_index(content, guint, n++) = g_array_index(content, guint, i);
    g_array_set_size(content, n);
    return content;
}

/* Jaccard 1901: the share of the words of both that they have in common. */
static double similarity(const GArray *a, const GArray *b)
{
    guint common = 0;
    for (guint i = 0, j = 0; i < a->len && j < b->len;) {
        guint x = g_array_index(a, guint, i), y = g_array_index(b, guint, j);
        common += x == y;
        i += x <= y;
        j += y <= x;
    }
    guint all = a->len + b->len - common;
    return all ? (double)common / all : 1;
}

static Outline outline_of(const GArray *content)
{
    Outline outline = { 0, content->len };
    for (guint i = 0; i < content->len; i++)
        outline.bits |= G_GUINT64_CONSTANT(1) << (g_array_index(content, guint, i) * 0x9e3779b9u >> 26);
    return outline;
}

/*
 * FALSE only if the sets overlap by less than AIMF_PROMPT_SIMILARITY, s: a bit that only one has is a word that only
 * one has, and with d such words and n in both sets together the overlap is (n - d) / (n + d). This is all that most
 * pairs need: they are many.
 */
static gboolean may_be_similar(Outline a, Outline b)
{
    const double most = (1 - AIMF_PROMPT_SIMILARITY) / (1 + AIMF_PROMPT_SIMILARITY) + 1e-9; /* d / n */
    return __builtin_popcountll(a.bits ^ b.bits) <= most * (a.n + b.n);
}

static gboolean check_new(const Look *look, const char *normalised, const GArray *content)
{
    const Group *group = &look->checker->groups[look->group];
    if (g_hash_table_contains(group->texts, normalised))
        return refuse(look, AIMF_REFUSED_DUPLICATE, "the group has it already");
    const Outline outline = outline_of(content);
    for (guint i = 0; i < group->admitted->len; i++) {
        if (!may_be_similar(outline, g_array_index(group->outlines, Outline, i)))
            continue;
        double common = similarity(content, g_ptr_array_index(group->admitted, i));
        if (common >= AIMF_PROMPT_SIMILARITY)
            return refuse(look, AIMF_REFUSED_SIMILAR, "%.0f %% of its words are those of '%s'", 100 * common,
                          (const char *)g_ptr_array_index(group->shown, i));
    }
    return TRUE;
}

/* --- All of it --- */

static gboolean examine(const Look *look, gboolean admit)
{
    AimfPromptChecker *checker = look->checker;
    if (!check_sentence(look) || !check_length(look) || (checker->task && !(check_values(look) && check_telling(look))))
        return FALSE;
    g_autofree char *normalised = aimf_words_join(look->words, 0, look->words->words->len);
    g_autoptr(GArray) content = content_of(checker, look->words);
    if (!check_new(look, normalised, content))
        return FALSE;
    if (admit) {
        Group *group = &checker->groups[look->group];
        const Outline outline = outline_of(content);
        g_hash_table_add(group->texts, g_steal_pointer(&normalised));
        g_array_append_val(group->outlines, outline);
        g_ptr_array_add(group->admitted, g_steal_pointer(&content));
        g_ptr_array_add(group->shown, g_strdup(look->text));
    }
    return TRUE;
}

static gboolean look_at(AimfPromptChecker *checker, guint group, const char *text, gboolean admit, AimfRefusal *refusal,
                        char **reason)
{
    g_return_val_if_fail(group < checker->n_groups, FALSE);
    Look look = { checker, group, text, NULL, refusal, reason };
    if (!check_text(&look))
        return FALSE;
    look.words = aimf_words_new(text);
    gboolean good = examine(&look, admit);
    aimf_words_free(look.words);
    return good;
}

gboolean aimf_prompt_checker_look(AimfPromptChecker *checker, guint group, const char *text, AimfRefusal *refusal,
                                  char **reason)
{
    return look_at(checker, group, text, FALSE, refusal, reason);
}

gboolean aimf_prompt_checker_admit(AimfPromptChecker *checker, guint group, const char *text, AimfRefusal *refusal,
                                   char **reason)
{
    return look_at(checker, group, text, TRUE, refusal, reason);
}

static void refused_clear(gpointer refused)
{
    g_free(((AimfRefused *)refused)->reason);
}

static gboolean find_group(const AimfPrompts *prompts, guint index, const AimfTask *task, guint *group, GError **error)
{
    const char *name = prompts->groups[index].name;
    int found = task ? aimf_task_find_group(task, name) : (int)index;
    if (found < 0) {
        g_autofree char *first = aimf_task_group_name(task, 0);
        g_autofree char *last = aimf_task_group_name(task, aimf_task_groups(task) - 1);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the task %s has no group '%s'; its groups are %s to %s",
                    task->name, name, first, last);
        return FALSE;
    }
    *group = (guint)found;
    return TRUE;
}

GArray *aimf_prompts_check(const AimfPrompts *prompts, const AimfTask *task, const AimfTokenizer *tokenizer,
                           GError **error)
{
    g_autoptr(AimfPromptChecker) checker =
        aimf_prompt_checker_new(task, task ? aimf_task_groups(task) : prompts->n_groups, tokenizer);
    g_autoptr(GArray) refused = g_array_new(FALSE, FALSE, sizeof(AimfRefused));
    g_array_set_clear_func(refused, refused_clear);
    for (guint i = 0; i < prompts->n_groups; i++) {
        guint group;
        if (!find_group(prompts, i, task, &group, error))
            return NULL;
        for (guint p = 0; p < prompts->groups[i].n_prompts; p++) {
            AimfRefused one = { .group = i, .index = p };
            if (!aimf_prompt_checker_admit(checker, group, prompts->groups[i].prompts[p].text, &one.refusal,
                                           &one.reason))
                g_array_append_val(refused, one);
        }
    }
    return g_steal_pointer(&refused);
}
