/*
 * Composing prompts from a task's vocabulary. One design serves all groups: row i says which context each dimension
 * has in prompt i of every group, so groups differ in the attributes' words and in nothing else.
 */
#include "base/random.h"
#include "prompts/prompt_words.h"
#include "prompts/prompts.h"
#include "prompts/sentence.h"
#include "prompts/task.h"

#include <string.h>

/* Of a row, this many sentences are tried by exchanges, and then so many freely. */
enum { MAX_COUNT = 2000, FREE_TRIES = 400, ROW_TRIES = 1000 };

/* One dimension's column: permutations of its levels, one after another, so that every stretch of the list is even. */
typedef struct {
    guint n_levels;
    guint32 *block; /* (n_levels) the current permutation */
    guint at;       /* of the current row within it */
    guint64 n_blocks;
    guint64 *one; /* (n_levels) bit c: the level is on one side of clash c */
    guint64 *other;
} Column;

typedef struct {
    const AimfTask *task;
    guint64 seed;
    guint n;
    Column *columns;     /* (n) */
    guint *levels;       /* (n) the row being made */
    const char **chosen; /* (n) its phrases */
    AimfPromptChecker *checker;
    char *reason;     /* why the last row was refused */
    guint tries_left; /* of the row */
} Design;

static guint64 clash_bits(const AimfTask *task, const char *phrase, gboolean other)
{
    g_autoptr(AimfWords) words = aimf_words_new(phrase);
    guint64 bits = 0;
    for (guint c = 0; c < task->n_clashes; c++) {
        g_autoptr(AimfPatterns) patterns = aimf_patterns_new();
        aimf_patterns_add(patterns, other ? task->clashes[c].other : task->clashes[c].one);
        if (aimf_patterns_find(patterns, words, NULL, NULL))
            bits |= (guint64)1 << c;
    }
    return bits;
}

static void start_block(Design *design, guint d)
{
    Column *column = &design->columns[d];
    for (guint l = 0; l < column->n_levels; l++)
        column->block[l] = l;
    AimfRandom random = aimf_random_at(design->seed, AIMF_STREAM_PROMPTS, (guint64)(d + 1) << 32 | column->n_blocks++);
    aimf_random_shuffle(&random, column->block, column->n_levels);
    column->at = 0;
}

static Design *design_new(const AimfTask *task, const AimfComposeOptions *options)
{
    Design *design = g_new0(Design, 1);
    *design = (Design){
        .task = task,
        .seed = options->seed,
        .n = task->n_dimensions,
        .columns = g_new0(Column, task->n_dimensions),
        .levels = g_new0(guint, task->n_dimensions),
        .chosen = g_new0(const char *, task->n_dimensions),
        .checker = aimf_prompt_checker_new(task, aimf_task_groups(task), options->tokenizer),
    };
    for (guint d = 0; d < design->n; d++) {
        Column *column = &design->columns[d];
        char **phrases = task->dimensions[d].phrases;
        guint n = g_strv_length(phrases);
        *column = (Column){ n, g_new(guint32, n), 0, 0, g_new(guint64, n), g_new(guint64, n) };
        for (guint l = 0; l < n; l++) {
            column->one[l] = clash_bits(task, phrases[l], FALSE);
            column->other[l] = clash_bits(task, phrases[l], TRUE);
        }
        start_block(design, d);
    }
    return design;
}

static void design_free(Design *design)
{
    for (guint d = 0; d < design->n; d++) {
        g_free(design->columns[d].block);
        g_free(design->columns[d].one);
        g_free(design->columns[d].other);
    }
    g_free(design->columns);
    g_free(design->levels);
    g_free(design->chosen);
    g_free(design->reason);
    aimf_prompt_checker_free(design->checker);
    g_free(design);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Design, design_free)

/* --- Whether a row can be --- */

static gboolean any_has_slot(const Design *design, const char *name)
{
    for (guint d = 0; d < design->n; d++)
        if (aimf_phrase_has_slot(design->chosen[d], name))
            return TRUE;
    return FALSE;
}

/* A colour of hair needs hair that can have one. */
static gboolean slots_fit(const Design *design)
{
    for (guint a = 0; a < design->task->n_attributes; a++)
        if (design->task->attributes[a].slot && !any_has_slot(design, design->task->attributes[a].slot))
            return FALSE;
    for (guint d = 0; d < design->n; d++) {
        const AimfTaskDimension *dimension = &design->task->dimensions[d];
        if (strcmp(dimension->lead, "{}") == 0 && *design->chosen[d] && !any_has_slot(design, dimension->name))
            return FALSE;
    }
    return TRUE;
}

static gboolean row_clashes(const Design *design)
{
    for (guint a = 0; a < design->n; a++)
        for (guint b = 0; b < design->n; b++)
            if (a != b &&
                (design->columns[a].one[design->levels[a]] & design->columns[b].other[design->levels[b]]) != 0)
                return TRUE;
    return !slots_fit(design);
}

/* What one group cannot have, none gets. */
static gboolean row_accepted(Design *design, guint row)
{
    for (guint d = 0; d < design->n; d++)
        design->chosen[d] = design->task->dimensions[d].phrases[design->levels[d]];
    if (row_clashes(design) || !design->tries_left)
        return FALSE;
    design->tries_left--;
    guint n_groups = aimf_task_groups(design->task);
    for (guint g = 0; g < n_groups; g++) {
        g_clear_pointer(&design->reason, g_free);
        g_autofree char *text = aimf_sentence(design->task, g, row, design->chosen);
        guint tokens = aimf_prompt_tokens_estimate(text);
        if (tokens > AIMF_PROMPT_TOKENS - 2) { /* so that a tokenizer changes no design */
            design->reason = g_strdup_printf("it has about %u tokens, too many", tokens);
            return FALSE;
        }
        if (!aimf_prompt_checker_look(design->checker, g, text, NULL, &design->reason))
            return FALSE;
    }
    return TRUE;
}

/* --- Finding a row --- */

static void take_planned(Design *design)
{
    for (guint d = 0; d < design->n; d++)
        design->levels[d] = design->columns[d].block[design->columns[d].at];
}

/* Exchanges the row's level of dimension @d with that of a later row of the same block, which keeps the column even. */
static gboolean mend_by_exchange(Design *design, guint d, guint row)
{
    Column *column = &design->columns[d];
    for (guint later = column->at + 1; later < column->n_levels; later++) {
        design->levels[d] = column->block[later];
        if (!row_accepted(design, row))
            continue;
        column->block[later] = column->block[column->at];
        column->block[column->at] = design->levels[d];
        return TRUE;
    }
    design->levels[d] = column->block[column->at];
    return FALSE;
}

/* The row's levels as one number, which is theirs alone unless there are more of them than numbers. */
static guint64 number_of_row(const Design *design)
{
    guint64 number = 0;
    for (guint d = 0; d < design->n; d++)
        number = number * design->columns[d].n_levels + design->levels[d];
    return number;
}

static gboolean more_than_numbers(const Design *design)
{
    double rows = 1;
    for (guint d = 0; d < design->n; d++)
        rows *= design->columns[d].n_levels;
    return rows > 1e18;
}

/*
 * Small vocabularies: where evenness leaves nothing new, any row that is new will do. What was drawn before and refused
 * is not looked at again.
 */
static gboolean draw_freely(Design *design, guint row)
{
    AimfRandom random = aimf_random_at(design->seed, AIMF_STREAM_PROMPTS, row);
    g_autoptr(GHashTable) refused = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    gboolean remembers = !more_than_numbers(design);
    design->tries_left = FREE_TRIES;
    for (guint try = 0; try < FREE_TRIES; try++) {
        for (guint d = 0; d < design->n; d++)
            design->levels[d] = (guint)aimf_random_below(&random, design->columns[d].n_levels);
        guint64 number = number_of_row(design);
        if (remembers && !g_hash_table_add(refused, g_memdup2(&number, sizeof number)))
            continue;
        if (row_accepted(design, row))
            return TRUE;
    }
    return FALSE;
}

/* Exchanges in two dimensions at once, for rows that clash twice. */
static gboolean mend_twice(Design *design, guint row)
{
    for (guint d = 0; d < design->n; d++) {
        Column *column = &design->columns[d];
        for (guint later = column->at + 1; later < column->n_levels; later++) {
            guint32 planned = column->block[column->at];
            column->block[column->at] = design->levels[d] = column->block[later];
            column->block[later] = planned;
            for (guint e = d + 1; e < design->n; e++)
                if (mend_by_exchange(design, e, row))
                    return TRUE;
            column->block[later] = column->block[column->at];
            column->block[column->at] = design->levels[d] = planned;
        }
    }
    return FALSE;
}

static gboolean find_row(Design *design, guint row)
{
    take_planned(design);
    design->tries_left = ROW_TRIES;
    if (row_accepted(design, row))
        return TRUE;
    for (guint d = 0; d < design->n; d++)
        if (mend_by_exchange(design, (row + d) % design->n, row))
            return TRUE;
    return mend_twice(design, row) || draw_freely(design, row);
}

static void next_row(Design *design)
{
    for (guint d = 0; d < design->n; d++)
        if (++design->columns[d].at == design->columns[d].n_levels)
            start_block(design, d);
}

/* --- Prompts of rows --- */

static void add_row(Design *design, guint row, AimfPrompts *prompts)
{
    g_autoptr(GPtrArray) dimensions = g_ptr_array_new();
    g_autoptr(GPtrArray) contexts = g_ptr_array_new_with_free_func(g_free);
    for (guint d = 0; d < design->n; d++) {
        if (!*design->chosen[d])
            continue;
        g_ptr_array_add(dimensions, design->task->dimensions[d].name);
        g_ptr_array_add(contexts, aimf_sentence_context(design->chosen[d]));
    }
    for (guint g = 0; g < prompts->n_groups; g++) {
        g_autofree char *text = aimf_sentence(design->task, g, row, design->chosen);
        gboolean admitted = aimf_prompt_checker_admit(design->checker, g, text, NULL, NULL);
        g_assert(admitted); /* row_accepted has looked */
        aimf_prompt_group_add(&prompts->groups[g], &(AimfPrompt){ .text = text,
                                                                  .n_contexts = contexts->len,
                                                                  .dimensions = (char **)dimensions->pdata,
                                                                  .contexts = (char **)contexts->pdata });
    }
}

static gboolean exhausted(const Design *design, guint row, guint count, GError **error)
{
    const char *reason = design->reason ? design->reason : "its contexts clash";
    if (row == 0)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "no prompt of the task %s passes the checks: %s",
                    design->task->name, reason);
    else
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "the vocabulary of %s gives %u prompt%s per group that differ enough, not %u; ask for at most %u, or "
            "add contexts. The next would be refused: %s",
            design->task->name, row, AIMF_PLURAL(row), count, row, reason);
    return FALSE;
}

static gboolean compose_rows(Design *design, guint count, AimfPrompts *prompts, GError **error)
{
    for (guint row = 0; row < count; row++) {
        if (!find_row(design, row))
            return exhausted(design, row, count, error);
        add_row(design, row, prompts);
        next_row(design);
    }
    return TRUE;
}

/* No date: the same command gives the same file. */
static char *describe_origin(const AimfComposeOptions *options)
{
    if (options->plain)
        return g_strdup_printf("{\"method\":\"plain\",\"program\":\"aimfair " AIMF_VERSION "\"}");
    return g_strdup_printf("{\"method\":\"composed\",\"seed\":%" G_GUINT64_FORMAT ",\"program\":\"aimfair " AIMF_VERSION
                           "\"}",
                           options->seed);
}

/* What a plain prompt cannot do without: "with {hair colour} hair", where the colour is what the group is about. */
static guint plain_dimensions(const AimfTask *task, AimfTaskDimension *plain, char *phrases[][2])
{
    guint n = 0;
    for (guint a = 0; a < task->n_attributes; a++) {
        g_autofree char *slot = g_strdup_printf("{%s}", task->attributes[a].slot ? task->attributes[a].slot : "");
        char *found = NULL;
        for (guint d = 0; d < task->n_dimensions && !found; d++) {
            for (char **phrase = task->dimensions[d].phrases; *phrase && !found; phrase++)
                found = strstr(*phrase, slot);
            plain[n] = task->dimensions[d];
        }
        if (!found)
            continue;
        phrases[n][0] = found;
        phrases[n][1] = NULL;
        plain[n].phrases = phrases[n];
        n++;
    }
    return n;
}

AimfPrompts *aimf_prompts_compose(const AimfTask *task, const AimfComposeOptions *options, GError **error)
{
    guint count = options->plain ? 1 : options->count;
    if (count < 1 || count > MAX_COUNT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "from 1 to %d prompts per group can be composed, not %u",
                    MAX_COUNT, count);
        return NULL;
    }
    AimfTask plain = *task;
    g_autofree AimfTaskDimension *dimensions = g_new(AimfTaskDimension, task->n_attributes);
    g_autofree char *(*phrases)[2] = g_malloc_n(task->n_attributes, sizeof *phrases);
    plain.n_clashes = 0;
    plain.dimensions = dimensions;
    plain.n_dimensions = plain_dimensions(task, dimensions, phrases);
    g_autoptr(Design) design = design_new(options->plain ? &plain : task, options);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_new(task);
    prompts->origin = describe_origin(options);
    return compose_rows(design, count, prompts, error) ? g_steal_pointer(&prompts) : NULL;
}
