/* aimfair prompts check: the checks on prompts that exist; aimfair prompts tasks: what can be asked for by name. */
#include "prompts_command.h"

#include <string.h>

void prompts_task_options_clear(PromptsTaskOptions *options)
{
    g_free(options->task);
    g_free(options->target);
    g_free(options->protected_attributes);
    g_free(options->dataset);
    g_free(options->tokenizer);
}

static gboolean is_task_file(const char *name)
{
    return strchr(name, '/') || g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml");
}

AimfTask *prompts_open_task(const PromptsTaskOptions *o, const char *fallback, GError **error)
{
    static const char *const DATASETS[] = { "celeba", "utkface", NULL };
    gboolean attributes = o->target || o->protected_attributes;
    if ((o->task && attributes) || (attributes && !(o->target && o->protected_attributes)) ||
        (o->dataset && !attributes)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "name the task by --task, or by --target and --protected; --dataset goes with these two");
        return NULL;
    }
    if (o->task)
        return is_task_file(o->task) ? aimf_task_open(o->task, error) : aimf_task_find(o->task, error);
    if (o->dataset && aimf_cli_choice("--dataset", o->dataset, DATASETS, error) < 0)
        return NULL;
    if (o->target)
        return aimf_task_make(o->dataset, o->target, o->protected_attributes, error);
    return fallback ? aimf_task_find(fallback, NULL) : NULL;
}

gboolean prompts_open_tokenizer(const PromptsTaskOptions *o, AimfTokenizer **tokenizer, GError **error)
{
    *tokenizer = o->tokenizer ? aimf_tokenizer_open(o->tokenizer, error) : NULL;
    return !o->tokenizer || *tokenizer;
}

/* --- check --- */

typedef struct {
    AimfCli *cli;
    const AimfPrompts *prompts;
    const AimfTask *task;
    const AimfBalance *balance;
    const GArray *refused; /* of AimfRefused */
    guint n;
    gboolean exact;
} Report;

static const char *text_of(const Report *r, const AimfRefused *refused)
{
    return r->prompts->groups[refused->group].prompts[refused->index].text;
}

static void print_report(const Report *r)
{
    for (guint i = 0; i < r->refused->len; i++) {
        const AimfRefused *one = &g_array_index(r->refused, AimfRefused, i);
        g_autofree char *text = aimf_cli_printable(text_of(r, one));
        g_autofree char *reason = aimf_cli_printable(one->reason);
        aimf_cli_print(r->cli, "%s, prompt %u: refused (%s): %s\n    %s\n", r->prompts->groups[one->group].name,
                       one->index + 1, aimf_refusal_name(one->refusal), reason, text);
    }
    prompts_print_balance(r->cli, r->balance);
    aimf_cli_print(r->cli, "%u of %u prompts accepted, task %s, tokens %s\n", r->n - r->refused->len, r->n,
                   r->task ? r->task->name : "unknown", r->exact ? "counted" : "estimated");
}

static void print_json_report(const Report *r)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "task", r->task ? r->task->name : NULL);
    aimf_cli_json_int(builder, "prompts", r->n);
    aimf_cli_json_int(builder, "accepted", r->n - r->refused->len);
    aimf_cli_json_text(builder, "tokens", r->exact ? "counted" : "estimated");
    json_builder_set_member_name(builder, "refused");
    json_builder_begin_array(builder);
    for (guint i = 0; i < r->refused->len; i++) {
        const AimfRefused *one = &g_array_index(r->refused, AimfRefused, i);
        g_autofree char *text = g_utf8_make_valid(text_of(r, one), -1);
        g_autofree char *reason = g_utf8_make_valid(one->reason, -1);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "group", r->prompts->groups[one->group].name);
        aimf_cli_json_int(builder, "index", one->index);
        aimf_cli_json_text(builder, "refusal", aimf_refusal_name(one->refusal));
        aimf_cli_json_text(builder, "reason", reason);
        aimf_cli_json_text(builder, "prompt", text);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    prompts_json_balance(builder, r->balance);
    json_builder_end_object(builder);
    aimf_cli_print_json(r->cli, builder);
}

static void warn(const Report *r)
{
    if (!r->task)
        aimf_cli_message(r->cli, AIMF_LOG_WARNING,
                         "no task is known by the name '%s', so what the prompts say of the attributes was not looked "
                         "at; name it by --task, or --target and --protected",
                         r->prompts->task);
    for (guint g = 0; g < r->prompts->n_groups; g++)
        if (r->prompts->groups[g].n_prompts != r->prompts->groups[0].n_prompts) {
            aimf_cli_message(r->cli, AIMF_LOG_WARNING, "the groups have different numbers of prompts: %s %u, %s %u",
                             r->prompts->groups[0].name, r->prompts->groups[0].n_prompts, r->prompts->groups[g].name,
                             r->prompts->groups[g].n_prompts);
            break;
        }
    prompts_warn_of_balance(r->cli, r->balance);
    if (r->refused->len) {
        aimf_cli_message(r->cli, AIMF_LOG_WARNING, "%u of %u prompts are refused", r->refused->len, r->n);
        r->cli->exit_status = AIMF_EXIT_USAGE;
    }
}

static gboolean check_file(AimfCli *cli, const PromptsTaskOptions *o, const char *path, GError **error)
{
    g_autoptr(AimfPrompts) prompts = aimf_prompts_import(path, error);
    if (!prompts)
        return FALSE;
    GError *reason = NULL;
    g_autoptr(AimfTask) task = prompts_open_task(o, prompts->task, &reason);
    if (reason) {
        g_propagate_error(error, reason);
        return FALSE;
    }
    g_autoptr(AimfTokenizer) tokenizer = NULL;
    g_autoptr(GArray) refused = NULL;
    if (!prompts_open_tokenizer(o, &tokenizer, error) ||
        !(refused = aimf_prompts_check(prompts, task, tokenizer, error)))
        return FALSE;
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, task);
    Report report = { cli, prompts, task, balance, refused, 0, tokenizer != NULL };
    for (guint g = 0; g < prompts->n_groups; g++)
        report.n += prompts->groups[g].n_prompts;
    (cli->json ? print_json_report : print_report)(&report);
    warn(&report);
    return TRUE;
}

static gboolean run_check(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(PromptsTaskOptions) o = { 0 };
    const GOptionEntry entries[] = { PROMPTS_TASK_ENTRIES(o), G_OPTION_ENTRY_NULL };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) ||
        !aimf_cli_require(cli, "FILE", argc > 1 ? argv[1] : NULL, error))
        return FALSE;
    if (argc == 2)
        return check_file(cli, &o, argv[1], error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s' is one file too many; give the folder of several groups' text files", argv[2]);
    return FALSE;
}

const AimfCommand AIMF_COMMAND_PROMPTS_CHECK = {
    .name = "prompts check",
    .summary = "check prompts of a file: prompts.json, a folder of 1_0.txt …, or a CSV (group,prompt)",
    .arguments = "FILE",
    .description = "Exit status 2 when a prompt is refused.",
    .run = run_check,
};

/* --- tasks --- */

static gboolean run_tasks(AimfCli *cli, int argc, char **argv, GError **error)
{
    const GOptionEntry entries[] = { G_OPTION_ENTRY_NULL };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error))
        return FALSE;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "tasks");
    json_builder_begin_array(builder);
    for (const char *const *name = aimf_task_names(); *name; name++) {
        g_autoptr(AimfTask) task = aimf_task_find(*name, error);
        if (!task)
            return FALSE;
        if (!cli->json)
            aimf_cli_print(cli, "%s: %s\n", task->name, task->summary);
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", task->name);
        aimf_cli_json_text(builder, "summary", task->summary);
        json_builder_set_member_name(builder, "groups");
        json_builder_begin_object(builder);
        for (guint g = 0; g < aimf_task_groups(task); g++) {
            g_autofree char *group = aimf_task_group_name(task, g);
            g_autofree char *words = aimf_task_group_words(task, g);
            aimf_cli_json_text(builder, group, words);
            if (!cli->json)
                aimf_cli_print(cli, "    %-8s%s\n", group, words);
        }
        json_builder_end_object(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    if (cli->json)
        aimf_cli_print_json(cli, builder);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_PROMPTS_TASKS = {
    .name = "prompts tasks",
    .summary = "list the built-in tasks and the words of their groups",
    .run = run_tasks,
};
