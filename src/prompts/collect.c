/* Collecting prompts from a source that may be wrong: ask, check, keep the good ones, ask again for the rest. */
#include "base/monitor.h"
#include "prompts/prompts.h"

#include <string.h>

enum { MAX_REMEMBERED = 8, DEFAULT_PATIENCE = 3, MAX_SHOWN_CHARACTERS = 200 };

struct AimfPromptSink {
    const AimfTask *task;
    const AimfMonitor *monitor;
    AimfPromptChecker *checker;
    AimfPrompts *prompts;
    guint count;
    GPtrArray **refused; /* (n_groups) the newest refusals as text, the list ended by NULL */
    AimfCollectStats stats;
    AimfStage stage;
    const char *note;
};

const AimfTask *aimf_prompt_sink_task(const AimfPromptSink *sink)
{
    return sink->task;
}

const AimfMonitor *aimf_prompt_sink_monitor(const AimfPromptSink *sink)
{
    return sink->monitor;
}

const AimfPromptGroup *aimf_prompt_sink_group(const AimfPromptSink *sink, guint group)
{
    g_return_val_if_fail(group < sink->prompts->n_groups, NULL);
    return &sink->prompts->groups[group];
}

guint aimf_prompt_sink_wanted(const AimfPromptSink *sink, guint group)
{
    g_return_val_if_fail(group < sink->prompts->n_groups, 0);
    guint have = sink->prompts->groups[group].n_prompts;
    return have < sink->count ? sink->count - have : 0;
}

const char *const *aimf_prompt_sink_refused(const AimfPromptSink *sink, guint group)
{
    g_return_val_if_fail(group < sink->prompts->n_groups, NULL);
    return (const char *const *)sink->refused[group]->pdata;
}

static guint wanted_in_all(const AimfPromptSink *sink)
{
    guint wanted = 0;
    for (guint g = 0; g < sink->prompts->n_groups; g++)
        wanted += aimf_prompt_sink_wanted(sink, g);
    return wanted;
}

/* --- One candidate --- */

static void remember_refusal(AimfPromptSink *sink, guint group, AimfRefusal refusal, const char *reason,
                             const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, AIMF_MAX_PROMPT_BYTES));
    g_autofree char *shown = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), MAX_SHOWN_CHARACTERS));
    g_autofree char *group_name = aimf_task_group_name(sink->task, group);
    aimf_message(sink->monitor, AIMF_LOG_DEBUG, "refused for %s: %s: %s", group_name, reason, shown);
    GPtrArray *refused = sink->refused[group];
    if (refused->len > MAX_REMEMBERED) /* the NULL at its end counts */
        g_ptr_array_remove_index(refused, 0);
    g_ptr_array_insert(refused, (int)refused->len - 1, g_strdup_printf("%s: %s", reason, shown));
    sink->stats.refused[refusal]++;
}

static gboolean has_text(const char *text)
{
    return text && *text && strlen(text) <= AIMF_MAX_PROMPT_BYTES && g_utf8_validate(text, -1, NULL);
}

/* Labels are for reports: those that prompts.json could not hold are left out, and the prompt kept. */
static void add_to_group(AimfPromptGroup *group, const char *text, const AimfPrompt *candidate)
{
    g_autoptr(GPtrArray) dimensions = g_ptr_array_new();
    g_autoptr(GPtrArray) contexts = g_ptr_array_new();
    for (guint i = 0; i < MIN(candidate->n_contexts, AIMF_MAX_CONTEXTS); i++) {
        const char *dimension = candidate->dimensions[i], *context = candidate->contexts[i];
        g_autofree char *blank = has_text(dimension) && has_text(context) ? g_strstrip(g_strdup(context)) : NULL;
        if (!blank || !*blank)
            continue;
        g_ptr_array_add(dimensions, candidate->dimensions[i]);
        g_ptr_array_add(contexts, candidate->contexts[i]);
    }
    aimf_prompt_group_add(group, &(AimfPrompt){ .text = (char *)text,
                                                .n_contexts = dimensions->len,
                                                .dimensions = (char **)dimensions->pdata,
                                                .contexts = (char **)contexts->pdata });
}

gboolean aimf_prompt_sink_offer(AimfPromptSink *sink, guint group, const AimfPrompt *candidate)
{
    g_return_val_if_fail(group < sink->prompts->n_groups, FALSE);
    sink->stats.offered++;
    if (!aimf_prompt_sink_wanted(sink, group))
        return FALSE;
    g_autofree char *text = g_strstrip(g_strdup(candidate->text ? candidate->text : ""));
    g_autofree char *reason = NULL;
    AimfRefusal refusal;
    if (!aimf_prompt_checker_admit(sink->checker, group, text, &refusal, &reason)) {
        remember_refusal(sink, group, refusal, reason, text);
        return FALSE;
    }
    add_to_group(&sink->prompts->groups[group], text, candidate);
    sink->stats.accepted++;
    aimf_stage_step(&sink->stage, 1, sink->note);
    return TRUE;
}

gboolean aimf_prompt_sink_offer_all(AimfPromptSink *sink, const AimfPrompt *candidates)
{
    guint n_groups = sink->prompts->n_groups;
    for (guint g = 0; g < n_groups; g++) {
        const char *text = candidates[g].text ? candidates[g].text : "";
        g_autofree char *reason = NULL;
        AimfRefusal refusal;
        if (aimf_prompt_sink_wanted(sink, g) && aimf_prompt_checker_look(sink->checker, g, text, &refusal, &reason))
            continue;
        sink->stats.offered += n_groups;
        if (reason)
            remember_refusal(sink, g, refusal, reason, text);
        return FALSE;
    }
    for (guint g = 0; g < n_groups; g++)
        aimf_prompt_sink_offer(sink, g, &candidates[g]);
    return TRUE;
}

void aimf_prompt_sink_note(AimfPromptSink *sink, const char *note)
{
    sink->note = note;
    if (wanted_in_all(sink)) /* the end is reported once, by the last prompt */
        aimf_stage_step(&sink->stage, 0, note);
}

/* --- The loop --- */

/* What an earlier run left is not taken on trust: the task or the checks may have changed. */
static void check_again(AimfPromptSink *sink)
{
    for (guint g = 0; g < sink->prompts->n_groups; g++) {
        AimfPromptGroup old = sink->prompts->groups[g];
        AimfPromptGroup *group = &sink->prompts->groups[g];
        group->n_prompts = 0;
        group->prompts = NULL;
        for (guint i = 0; i < old.n_prompts; i++)
            if (aimf_prompt_checker_admit(sink->checker, g, old.prompts[i].text, NULL, NULL))
                aimf_prompt_group_add(group, &old.prompts[i]);
        if (group->n_prompts < old.n_prompts)
            aimf_message(sink->monitor, AIMF_LOG_WARNING, "%u of the %u prompts that %s had are refused and replaced",
                         old.n_prompts - group->n_prompts, old.n_prompts, group->name);
        aimf_prompt_group_clear_prompts(&old);
    }
}

static gboolean same_groups(const AimfPrompts *prompts, const AimfTask *task, GError **error)
{
    gboolean same = prompts->n_groups == aimf_task_groups(task) && strcmp(prompts->task, task->name) == 0;
    for (guint g = 0; g < prompts->n_groups && same; g++) {
        g_autofree char *name = aimf_task_group_name(task, g);
        same = strcmp(name, prompts->groups[g].name) == 0;
    }
    if (!same)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the prompts to go on with are of the task %s, not of %s",
                    prompts->task, task->name);
    return same;
}

/* (owned) "0_1 has 37 of 50" for each group that is short. */
static char *shortages(const AimfPromptSink *sink)
{
    GString *text = g_string_new(NULL);
    for (guint g = 0; g < sink->prompts->n_groups; g++)
        if (aimf_prompt_sink_wanted(sink, g))
            g_string_append_printf(text, "%s%s has %u of %u", text->len ? ", " : "", sink->prompts->groups[g].name,
                                   sink->prompts->groups[g].n_prompts, sink->count);
    return g_string_free(text, FALSE);
}

static gboolean lose_patience(const AimfPromptSink *sink, guint patience, GError **error)
{
    GString *why = g_string_new(NULL);
    for (guint r = 0; r < AIMF_N_REFUSALS; r++)
        if (sink->stats.refused[r])
            g_string_append_printf(why, "%s%" G_GUINT64_FORMAT " %s", why->len ? ", " : "", sink->stats.refused[r],
                                   aimf_refusal_name(r));
    const char *example = NULL;
    for (guint g = 0; g < sink->prompts->n_groups; g++)
        if (sink->refused[g]->len > 1 && aimf_prompt_sink_wanted(sink, g))
            example = g_ptr_array_index(sink->refused[g], sink->refused[g]->len - 2);
    g_autofree char *lacking = shortages(sink);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                "%u rounds brought no new prompt that is accepted: %s. Refused: %s%s%s", patience, lacking,
                why->len ? why->str : "none, for none came", example ? "; the last: " : "", example ? example : "");
    g_string_free(why, TRUE);
    return FALSE;
}

static gboolean collect(AimfPromptSink *sink, const AimfPromptSource *source, guint patience, GError **error)
{
    guint barren = 0;
    while (wanted_in_all(sink)) {
        guint64 before = sink->stats.accepted;
        if (!aimf_check_stop(sink->monitor, "collecting prompts", error) ||
            !source->supply(sink, sink->stats.rounds++, source->user_data, error))
            return FALSE;
        barren = sink->stats.accepted > before ? 0 : barren + 1;
        if (barren == patience)
            return lose_patience(sink, patience, error);
    }
    return TRUE;
}

gboolean aimf_prompts_collect(AimfPrompts *prompts, const AimfTask *task, const AimfPromptSource *source,
                              const AimfCollectOptions *options, AimfCollectStats *stats, const AimfMonitor *monitor,
                              GError **error)
{
    if (!same_groups(prompts, task, error))
        return FALSE;
    AimfPromptSink sink = {
        .task = task,
        .monitor = monitor,
        .checker = aimf_prompt_checker_new(task, prompts->n_groups, options->tokenizer),
        .prompts = prompts,
        .count = options->count,
        .refused = g_new(GPtrArray *, prompts->n_groups),
    };
    for (guint g = 0; g < prompts->n_groups; g++) {
        sink.refused[g] = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(sink.refused[g], NULL);
    }
    check_again(&sink);
    aimf_stage_begin(&sink.stage, monitor, "prompts", "prompts", wanted_in_all(&sink));
    gboolean done = collect(&sink, source, options->patience ? options->patience : DEFAULT_PATIENCE, error);
    if (stats)
        *stats = sink.stats;
    for (guint g = 0; g < prompts->n_groups; g++)
        g_ptr_array_unref(sink.refused[g]);
    g_free(sink.refused);
    aimf_prompt_checker_free(sink.checker);
    return done;
}
