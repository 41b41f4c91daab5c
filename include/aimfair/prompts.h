/*
 * Prompts for groups: what a task says about its groups, prompts composed from our own vocabulary or collected from
 * another source such as a language model, the checks on every prompt wherever it came from, and prompts.json, which
 * image generation reads.
 *
 * Example:
 *     gboolean compose(const char *to, GError **error)
 *     {
 *         const AimfComposeOptions options = { .count = 50, .seed = 1 };
 *         g_autoptr(AimfTask) task = aimf_task_make("celeba", "Smiling", "Male", error);
 *         g_autoptr(AimfPrompts) prompts = task ? aimf_prompts_compose(task, &options, error) : NULL;
 *         return prompts && aimf_prompts_save(prompts, to, error);
 *     }
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>
#include <aimfair/text.h>

G_BEGIN_DECLS

/* --- prompts.json --- */

/** AimfPrompt: one prompt. @dimensions, @contexts: (n_contexts) "hair" and "short curly hair" …, owned */
typedef struct {
    char *text;
    guint n_contexts;
    char **dimensions;
    char **contexts;
} AimfPrompt;

/**
 * AimfPromptGroup:
 * @name: "1_0", or "1_0_1" with two protected attributes: the folder of its images
 * @target: class number; @protected_group: the manifest's text; @words: "smiling woman"
 */
typedef struct {
    char *name;
    int target;
    char *protected_group;
    char *words;
    guint n_prompts;
    AimfPrompt *prompts; /* (n_prompts), owned */
} AimfPromptGroup;

/**
 * AimfPrompts: the contents of prompts.json.
 * @task: "Smiling_Male"; @origin: (nullable) a JSON object as text: who wrote them, when, with which seed
 */
typedef struct {
    char *task;
    char *origin;
    guint n_groups;
    AimfPromptGroup *groups; /* (n_groups), owned */
} AimfPrompts;

/** What a file may hold: groups, prompts in a group, bytes in a prompt, contexts of a prompt. */
#define AIMF_MAX_PROMPT_GROUPS 1000
#define AIMF_MAX_GROUP_PROMPTS 10000
#define AIMF_MAX_PROMPT_BYTES 4096
#define AIMF_MAX_CONTEXTS 64

void aimf_prompts_free(AimfPrompts *prompts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPrompts, aimf_prompts_free)

/**
 * aimf_prompts_open: reads prompts.json, version 1.
 * Returns: (owned) or NULL with NOT_FOUND, IO or FORMAT (not JSON, another version, a group without prompts or with a
 * name that is no plain folder name, two groups of one name, an empty prompt; names the group and the prompt).
 */
AimfPrompts *aimf_prompts_open(const char *path, GError **error);
/** aimf_prompts_open_partial: the same, but groups may be without prompts: what an interrupted collection left. */
AimfPrompts *aimf_prompts_open_partial(const char *path, GError **error);
/**
 * aimf_prompts_save: writes prompts.json atomically; the same prompts give the same bytes. FALSE with INVALID for an
 * origin that is no JSON object, or IO.
 */
gboolean aimf_prompts_save(const AimfPrompts *prompts, const char *path, GError **error);
/** aimf_prompts_save_text: a text for people: each group under a heading, its prompts numbered. */
gboolean aimf_prompts_save_text(const AimfPrompts *prompts, const char *path, GError **error);

/**
 * aimf_prompts_import:
 * Prompts in a user's own form: prompts.json; a folder with one text file per group (1_0.txt, a prompt per line), or
 * one of these; or a CSV with the columns group and prompt. Nothing is asked of the prompts themselves:
 * aimf_prompts_check says what is wrong with them.
 * Returns: (owned) or NULL with NOT_FOUND, IO or FORMAT (names file and line).
 */
AimfPrompts *aimf_prompts_import(const char *path, GError **error);

/* --- Tasks --- */

/**
 * AimfWordPlace: where a value's words stand: before the noun ("smiling"), as the noun ("woman"), behind it ("in a
 * wheelchair"), or as a context's slot ("blond").
 */
typedef enum { AIMF_WORDS_BEFORE, AIMF_WORDS_NOUN, AIMF_WORDS_BEHIND, AIMF_WORDS_SLOT } AimfWordPlace;

/*
 * Lists of words below are NULL-terminated. An entry is a word or several in a row ("grey hair"); plural and
 * possessive match too; an entry that ends in '*' is a verb or an adjective and matches with -s, -ed, -ing, -er, -est
 * as well ("smile*": smiled, smiling); a '~' stands for up to three words ("grey ~ hair").
 */

/**
 * AimfTaskValue: one value of an attribute.
 * @label: "0": the class number of a target, or the text of the protected label
 * @words: one or more, used in turn by composed prompts: { "middle-aged", "elderly" }; each of them says the value
 * @also: further words that say the value; @impossible: words of contexts that cannot go with it
 */
typedef struct {
    char *label;
    AimfWordPlace place;
    char **words;
    char **also;
    char **impossible;
} AimfTaskValue;

/**
 * AimfTaskAttribute: a target or protected attribute.
 * @slot: (nullable) AIMF_WORDS_SLOT only: the dimension whose place its words take, "hair colour"
 * @describes: if any: the words of this attribute count only where they stand right before one of these ("white"
 *   before "woman", not before "wall"), with two other words between at most
 * @telling: words that give the attribute away by a stereotype or a fact and so are forbidden in every group
 * @without: dimensions from which no context may come
 */
typedef struct {
    char *name;
    char *slot;
    guint n_values;
    AimfTaskValue *values; /* (n_values), owned */
    char **describes;
    char **telling;
    char **without;
} AimfTaskAttribute;

/**
 * AimfTaskDimension: one thing that varies between prompts.
 * @lead: the word its contexts follow: "with", "wearing"; "" when they stand for themselves ("in the shade"); "{}"
 *   when they only fill the slots {name} of other contexts
 * @phrases: NULL-terminated; "" means: not mentioned
 */
typedef struct {
    char *name;
    char *lead;
    char **phrases;
} AimfTaskDimension;

/** AimfTaskClash: a context with a word of @one never goes with a context with a word of @other. */
typedef struct {
    char **one;
    char **other;
} AimfTaskClash;

/**
 * AimfTask: what is asked of prompts. Groups are numbered with the target slowest: 0_0, 0_1, 1_0, 1_1.
 * @opening: what every composed prompt begins with: "A portrait photo of"; @noun: "person", where no attribute gives
 * the noun
 * @attributes: the target first, then the protected ones; @dimensions: what contexts come from, less what the
 * attributes exclude
 */
typedef struct {
    char *name;
    char *summary;
    char *opening;
    char *noun;
    guint n_attributes;
    AimfTaskAttribute *attributes; /* (n_attributes), owned */
    guint n_dimensions;
    AimfTaskDimension *dimensions; /* (n_dimensions), owned */
    guint n_clashes;
    AimfTaskClash *clashes; /* (n_clashes), owned */
} AimfTask;

void aimf_task_free(AimfTask *task);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfTask, aimf_task_free)

/** aimf_task_names: (borrowed) NULL-terminated names of the built-in tasks. */
const char *const *aimf_task_names(void);
/**
 * aimf_task_find: (owned) the built-in task @name, without regard to case, '_', '-' and blanks; NULL with NOT_FOUND
 * that lists them.
 */
AimfTask *aimf_task_find(const char *name, GError **error);
/**
 * aimf_task_make:
 * The task of @target and the comma-separated @protected_attributes, named as for aimf_dataset_open; labels are those
 * of its manifests.
 * @dataset: "celeba" or "utkface", or NULL for the first of them that knows all the names
 * Returns: (owned) or NULL with NOT_FOUND (no such attribute, or none that words are known for) or INVALID.
 */
AimfTask *aimf_task_make(const char *dataset, const char *target, const char *protected_attributes, GError **error);
/**
 * aimf_task_open: (owned) a task described in a YAML file (docs/prompts.md has the form); NULL with NOT_FOUND, IO or
 * FORMAT naming the file and, where its form is broken, the line.
 */
AimfTask *aimf_task_open(const char *path, GError **error);

guint aimf_task_groups(const AimfTask *task);
/** aimf_task_group_value: index of the value that group @group has of attribute @attribute. */
guint aimf_task_group_value(const AimfTask *task, guint group, guint attribute);
/** aimf_task_group_name: (owned) "1_0". */
char *aimf_task_group_name(const AimfTask *task, guint group);
/** aimf_task_group_words: (owned) "smiling woman"; words used in turn are parted by '/'. */
char *aimf_task_group_words(const AimfTask *task, guint group);
/** aimf_task_find_group: index of the group called @name, -1 if there is none. */
int aimf_task_find_group(const AimfTask *task, const char *name);

/** aimf_prompts_new: (owned) the task's groups, without prompts. */
AimfPrompts *aimf_prompts_new(const AimfTask *task);
/** aimf_prompt_group_add: appends a copy of @prompt. */
void aimf_prompt_group_add(AimfPromptGroup *group, const AimfPrompt *prompt);

/* --- Checks --- */

/** AimfRefusal: why a prompt was refused. */
typedef enum {
    AIMF_REFUSED_TEXT,      /* no UTF-8, control characters, alphabets mixed within a word */
    AIMF_REFUSED_SENTENCE,  /* several sentences or lines */
    AIMF_REFUSED_LENGTH,    /* too few or too many words */
    AIMF_REFUSED_TOKENS,    /* more than CLIP's text encoder sees */
    AIMF_REFUSED_UNSAID,    /* its own target or protected value is not said */
    AIMF_REFUSED_OPPOSITE,  /* another value of an attribute is said */
    AIMF_REFUSED_TELLING,   /* a word that gives an attribute away */
    AIMF_REFUSED_DUPLICATE, /* the same prompt was there before */
    AIMF_REFUSED_SIMILAR,   /* nearly the same prompt was there before */
    AIMF_N_REFUSALS,
} AimfRefusal;

/**
 * aimf_refusal_name: (borrowed) "text", "sentence", "length", "tokens", "unsaid", "opposite", "telling", "duplicate",
 * "similar".
 */
const char *aimf_refusal_name(AimfRefusal refusal);

/**
 * Two prompts of a group whose sets of words (function words left out) overlap by this Jaccard index or more are
 * nearly the same.
 */
#define AIMF_PROMPT_SIMILARITY 0.8
/** Words of a prompt. */
#define AIMF_MIN_PROMPT_WORDS 4
#define AIMF_MAX_PROMPT_WORDS 70

typedef struct AimfPromptChecker AimfPromptChecker;

/**
 * aimf_prompt_checker_new:
 * @task: (nullable) without it what prompts say about attributes is not looked at; borrowed for the checker's life
 * @n_groups: of the task, or of a file without one
 * @tokenizer: (nullable) counts tokens exactly; borrowed. Without it they are estimated: see
 * aimf_prompt_tokens_estimate
 */
AimfPromptChecker *aimf_prompt_checker_new(const AimfTask *task, guint n_groups, const AimfTokenizer *tokenizer);
void aimf_prompt_checker_free(AimfPromptChecker *checker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPromptChecker, aimf_prompt_checker_free)

/**
 * aimf_prompt_checker_look: whether @text could be a prompt of group @group beside those admitted before.
 * @refusal, @reason: (nullable) receive why not; @reason is owned and names the word
 */
gboolean aimf_prompt_checker_look(AimfPromptChecker *checker, guint group, const char *text, AimfRefusal *refusal,
                                  char **reason);
/**
 * aimf_prompt_checker_admit: like look; an accepted prompt is remembered, and its like will be refused in its group.
 */
gboolean aimf_prompt_checker_admit(AimfPromptChecker *checker, guint group, const char *text, AimfRefusal *refusal,
                                   char **reason);

/**
 * aimf_prompt_tokens_estimate:
 * Tokens of CLIP without begin and end, without its vocabulary: a heuristic that is above the truth for ordinary
 * English words, no proven bound. One for every started five letters of a word, one for each digit and mark, one per
 * byte of other scripts.
 */
guint aimf_prompt_tokens_estimate(const char *text);

/** AimfRefused: a prompt that was refused. @group, @index: where it stood; @reason: owned */
typedef struct {
    guint group;
    guint index;
    AimfRefusal refusal;
    char *reason;
} AimfRefused;

/**
 * aimf_prompts_check:
 * All prompts, in order. @task: (nullable) its groups are found by name
 * Returns: (owned) array of AimfRefused, empty when all are accepted; NULL with INVALID for a group that the task
 * does not have.
 */
GArray *aimf_prompts_check(const AimfPrompts *prompts, const AimfTask *task, const AimfTokenizer *tokenizer,
                           GError **error);

/* --- Balance --- */

/**
 * AimfBalanceDimension: how the values of one contextual dimension are distributed over the groups.
 * @values: (n_values) sorted; "unmentioned" among them, and "others" for those beyond what fills 2^22 counts;
 *   @counts: (n_values, n_groups)
 * @cramers_v, @chi_square, @degrees, @p_value: Pearson's test of homogeneity between the groups that have prompts,
 *   over values of which the rarest are pooled until every cell expects 5 or more or two are left; V is from 0, the
 *   same in every group, to 1, and NaN where there is but one value or group
 * @tested: the p value may be believed: every cell expects 5 or more; @group: the one that differs most from all
 * together
 */
typedef struct {
    char *name;
    guint n_values;
    char **values;
    guint *counts;
    double cramers_v;
    gboolean tested;
    double chi_square;
    guint degrees;
    double p_value;
    guint group;
} AimfBalanceDimension;

/**
 * AimfBalance:
 * @most: index of the dimension that differs most (Cramér's V), -1 if none differs
 * @level: what a p value must be below to be beyond chance: 0.05 shared among the tested dimensions (Bonferroni)
 */
typedef struct {
    guint n_groups;
    char **groups;
    guint n_dimensions;
    AimfBalanceDimension *dimensions;
    int most;
    double level;
} AimfBalance;

/**
 * aimf_prompts_balance:
 * Contexts, as the labels say them or else the prompt's text, are put into classes by their words ("short curly
 * hair": hair length short, hair style curly); labels of dimensions without such classes count as they are. @task:
 * (nullable) what its attributes fill is left out
 * Returns: (owned). Source: Pearson's chi-square test of homogeneity; Cramér 1946, chapter 21, for V.
 */
AimfBalance *aimf_prompts_balance(const AimfPrompts *prompts, const AimfTask *task);
void aimf_balance_free(AimfBalance *balance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfBalance, aimf_balance_free)
/** aimf_balance_beyond_chance: whether dimension @dimension was tested and its p value is below the level. */
gboolean aimf_balance_beyond_chance(const AimfBalance *balance, guint dimension);

/* --- Composing --- */

/**
 * AimfComposeOptions:
 * @count: prompts of each group; @seed: of the design; @tokenizer: (nullable) as for the checks
 * @plain: one prompt per group that says the values and nothing else, the paper's baseline; @count is not used
 */
typedef struct {
    guint count;
    guint64 seed;
    const AimfTokenizer *tokenizer;
    gboolean plain;
} AimfComposeOptions;

/**
 * aimf_prompts_compose:
 * Prompts from the task's own vocabulary, all accepted by the checks. Every group gets the same contexts: prompt i of
 * two groups differs only in the attributes' words. Each dimension's values are used equally often, but for one
 * (Latin hypercube sampling: McKay, Beckman and Conover, Technometrics 1979), as far as contexts that clash allow it.
 * A longer list begins with the shorter one of the same seed.
 * Returns: (owned), origin filled in; or NULL with INVALID when the vocabulary does not give so many different
 * prompts (says how many).
 */
AimfPrompts *aimf_prompts_compose(const AimfTask *task, const AimfComposeOptions *options, GError **error);

/* --- Collecting from another source --- */

/**
 * AimfPromptSink: where a source puts its candidates; checks them, keeps the good ones, remembers why others were
 * refused.
 */
typedef struct AimfPromptSink AimfPromptSink;

const AimfTask *aimf_prompt_sink_task(const AimfPromptSink *sink);
const AimfMonitor *aimf_prompt_sink_monitor(const AimfPromptSink *sink);
/** aimf_prompt_sink_group: (borrowed) the accepted prompts of group @group so far. */
const AimfPromptGroup *aimf_prompt_sink_group(const AimfPromptSink *sink, guint group);
/** aimf_prompt_sink_wanted: how many prompts group @group still lacks. */
guint aimf_prompt_sink_wanted(const AimfPromptSink *sink, guint group);
/**
 * aimf_prompt_sink_refused: (borrowed) NULL-terminated, newest last, at most 8: "reason: prompt" of refusals in group
 * @group.
 */
const char *const *aimf_prompt_sink_refused(const AimfPromptSink *sink, guint group);
/**
 * aimf_prompt_sink_offer: TRUE if @candidate (borrowed) was accepted; FALSE when it was refused or its group is full.
 * Its text may be anything, also invalid UTF-8; blanks around it are removed.
 */
gboolean aimf_prompt_sink_offer(AimfPromptSink *sink, guint group, const AimfPrompt *candidate);
/**
 * aimf_prompt_sink_offer_all: one candidate per group; TRUE if every group accepted its own, otherwise none is kept.
 */
gboolean aimf_prompt_sink_offer_all(AimfPromptSink *sink, const AimfPrompt *candidates);
/**
 * aimf_prompt_sink_note: a figure worth showing beside the progress; borrowed until the next one. Reports progress as
 * well.
 */
void aimf_prompt_sink_note(AimfPromptSink *sink, const char *note);

/**
 * AimfPromptSource:
 * @supply: called once a round while prompts are wanted, from one thread; offers candidates for the groups that want
 *   some and returns when it has none left for this round, so that the next can be asked for what is still missing.
 *   FALSE with an error ends the collection. It looks at the sink's monitor to stop early.
 */
typedef struct {
    gboolean (*supply)(AimfPromptSink *sink, guint round, gpointer user_data, GError **error);
    gpointer user_data;
} AimfPromptSource;

/**
 * AimfCollectOptions:
 * @count: accepted prompts wanted in each group; @tokenizer: (nullable) as for the checks
 * @patience: rounds in a row without one new prompt after which it gives up; 0 for 3
 */
typedef struct {
    guint count;
    const AimfTokenizer *tokenizer;
    guint patience;
} AimfCollectOptions;

/** AimfCollectStats: @offered, @accepted: candidates in all; @refused: by reason; @rounds. */
typedef struct {
    guint rounds;
    guint64 offered;
    guint64 accepted;
    guint64 refused[AIMF_N_REFUSALS];
} AimfCollectStats;

/**
 * aimf_prompts_collect:
 * The loop of asking, checking and asking again for what was refused, until each group of @prompts has its number.
 * @prompts: of aimf_prompts_new or of an earlier run; what it holds is checked too, and refused ones leave; more than
 * @count stay
 * @stats: (nullable)
 * Returns: FALSE with the source's error, INTERRUPTED, INVALID (the groups are not the task's) or FAILED (patience
 * ran out; says why prompts were refused). What was won is in @prompts all the same.
 */
gboolean aimf_prompts_collect(AimfPrompts *prompts, const AimfTask *task, const AimfPromptSource *source,
                              const AimfCollectOptions *options, AimfCollectStats *stats, const AimfMonitor *monitor,
                              GError **error);

G_END_DECLS
