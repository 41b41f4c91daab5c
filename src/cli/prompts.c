/* aimfair prompts: prompts for every group of a task. */
#include "prompts_llm.h"

typedef struct {
    PromptsTaskOptions task;
    PromptsLlmOptions llm;
    PromptsLlmReport report; /* of the language model, if there is one */
    gint count;
    gboolean plain;
    char *output;
    char *text;
} Options;

static void options_clear(Options *o)
{
    prompts_task_options_clear(&o->task);
    prompts_llm_options_clear(&o->llm);
    g_free(o->output);
    g_free(o->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean check_options(AimfCli *cli, const Options *o, GError **error)
{
    const char *inputs[] = { o->task.task, o->task.tokenizer };
    const char *files[] = { o->task.task, o->task.tokenizer, o->output, o->text };
    if (o->plain && o->llm.url) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--plain prompts need no language model: leave out --llm");
        return FALSE;
    }
    return aimf_cli_require(cli, "-o", o->output, error) &&
           aimf_cli_require(cli, "--task, or --target and --protected,",
                            o->task.task || o->task.target || o->task.protected_attributes ? o : NULL, error) &&
           aimf_cli_check_text_output(cli, "-o", o->output, error) &&
           aimf_cli_check_apart("-o", o->output, inputs, G_N_ELEMENTS(inputs), error) &&
           (!o->text || (aimf_cli_check_text_output(cli, "--text", o->text, error) &&
                         aimf_cli_check_apart("--text", o->text, inputs, G_N_ELEMENTS(inputs), error) &&
                         aimf_cli_check_apart("--text", o->text, (const char *const[]){ o->output }, 1, error))) &&
           prompts_llm_check(&o->llm, files, G_N_ELEMENTS(files), error);
}

static void print_json_summary(AimfCli *cli, const AimfPrompts *prompts, const Options *o, const AimfBalance *balance)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "task", prompts->task);
    aimf_cli_json_text(builder, "output", o->output);
    aimf_cli_json_text(builder, "tokens", o->task.tokenizer ? "counted" : "estimated");
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (guint g = 0; g < prompts->n_groups; g++) {
        json_builder_begin_object(builder);
        aimf_cli_json_text(builder, "name", prompts->groups[g].name);
        aimf_cli_json_text(builder, "words", prompts->groups[g].words);
        aimf_cli_json_int(builder, "prompts", prompts->groups[g].n_prompts);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    prompts_json_balance(builder, balance);
    if (o->llm.url)
        prompts_llm_json(builder, &o->report);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

static void print_summary(AimfCli *cli, const AimfPrompts *prompts, const Options *o, const AimfBalance *balance)
{
    aimf_cli_print(cli, "%s: %s, tokens %s\n", o->output, prompts->task, o->task.tokenizer ? "counted" : "estimated");
    for (guint g = 0; g < prompts->n_groups; g++)
        aimf_cli_print(cli, "  %-8s%4u prompts  %s\n", prompts->groups[g].name, prompts->groups[g].n_prompts,
                       prompts->groups[g].words);
    if (balance->most < 0 && balance->n_dimensions)
        aimf_cli_print(cli, "Contexts are distributed alike in all groups.\n");
    else if (balance->most >= 0)
        aimf_cli_print(cli, "Contexts differ most between groups in %s: Cramer's V %.3f\n",
                       balance->dimensions[balance->most].name, balance->dimensions[balance->most].cramers_v);
    if (o->llm.url)
        prompts_llm_print(cli, &o->report);
}

static gboolean save(const char *path, gconstpointer prompts, GError **error)
{
    return aimf_prompts_save(prompts, path, error);
}

static gboolean save_text(const char *path, gconstpointer prompts, GError **error)
{
    return aimf_prompts_save_text(prompts, path, error);
}

static gboolean write_prompts(AimfCli *cli, const AimfPrompts *prompts, const AimfTask *task, const Options *o,
                              GError **error)
{
    if (!aimf_cli_write_text(cli, o->output, save, prompts, error) ||
        (o->text && !aimf_cli_write_text(cli, o->text, save_text, prompts, error)))
        return FALSE;
    g_autoptr(AimfBalance) balance = aimf_prompts_balance(prompts, task);
    (cli->json ? print_json_summary : print_summary)(cli, prompts, o, balance);
    prompts_warn_of_balance(cli, balance);
    return TRUE;
}

static AimfPrompts *make_prompts(AimfCli *cli, const PromptsJob *job, Options *o, GError **error)
{
    if (o->llm.url)
        return prompts_from_llm(cli, &o->llm, job, &o->report, error);
    AimfComposeOptions options = {
        .count = job->count,
        .seed = cli->seed,
        .tokenizer = job->tokenizer,
        .plain = o->plain,
    };
    return aimf_prompts_compose(job->task, &options, error);
}

static gboolean run_prompts(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { .count = 50 };
    prompts_llm_options_init(&o.llm);
    const GOptionEntry entries[] = {
        PROMPTS_TASK_ENTRIES(o.task),
        PROMPTS_LLM_ENTRIES(o.llm),
        { "count", 0, 0, G_OPTION_ARG_INT, &o.count, "prompts of each group (50)", "N [1, 2000]" },
        { "plain", 0, 0, G_OPTION_ARG_NONE, &o.plain, "one prompt per group without contexts, the baseline", NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "the prompts.json to write; - for stdout", "FILE" },
        { "text", 0, 0, G_OPTION_ARG_FILENAME, &o.text, "also write them as text for people; - for stdout", "FILE" },
        G_OPTION_ENTRY_NULL,
    };
    if (!aimf_cli_parse(cli, entries, &argc, argv, error) || !check_options(cli, &o, error))
        return FALSE;
    g_autoptr(AimfTask) task = prompts_open_task(&o.task, NULL, error);
    g_autoptr(AimfTokenizer) tokenizer = NULL;
    if (!task || !prompts_open_tokenizer(&o.task, &tokenizer, error))
        return FALSE;
    PromptsJob job = { task, tokenizer, (guint)o.count, o.output };
    g_autoptr(AimfPrompts) prompts = make_prompts(cli, &job, &o, error);
    if (!prompts || !write_prompts(cli, prompts, task, &o, error))
        return FALSE;
    if (o.llm.url)
        prompts_llm_saved(&job);
    return TRUE;
}

/* --- The command and its subcommands --- */

static const AimfCommand *const SUBCOMMANDS[] = { &AIMF_COMMAND_PROMPTS_CHECK, &AIMF_COMMAND_PROMPTS_TASKS, NULL };

const AimfCommand AIMF_COMMAND_PROMPTS = {
    .name = "prompts",
    .summary = "write prompts for every group of a task, check prompts",
    .description =
        "With --llm the server's key, if it wants one, comes from the environment variable AIMFAIR_LLM_API_KEY.",
    .subcommands = SUBCOMMANDS,
    .run = run_prompts,
};
