/* What the subcommands of aimfair prompts share. */
#pragma once

#include "cli.h"

#include <aimfair/prompts.h>

/**
 * PromptsJob: prompts to be made.
 * @tokenizer: (nullable); @output: where they will be saved
 */
typedef struct {
    const AimfTask *task;
    const AimfTokenizer *tokenizer;
    guint count;
    const char *output;
} PromptsJob;

/** PromptsTaskOptions: how a task is named on the command line; filled by the entries of PROMPTS_TASK_ENTRIES. */
typedef struct {
    char *task;
    char *target;
    char *protected_attributes;
    char *dataset;
    char *tokenizer;
} PromptsTaskOptions;

void prompts_task_options_clear(PromptsTaskOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PromptsTaskOptions, prompts_task_options_clear)

/* clang-format off */
#define PROMPTS_TASK_ENTRIES(o)                                                                                        \
    { "task", 0, 0, G_OPTION_ARG_FILENAME, &(o).task, "a built-in task, or a file that describes one", "NAME|FILE.yaml" }, \
    { "target", 0, 0, G_OPTION_ARG_STRING, &(o).target, "the attribute to predict", "NAME" },                          \
    { "protected", 0, 0, G_OPTION_ARG_STRING, &(o).protected_attributes,                                               \
      "the attribute that makes the groups; several: with commas", "NAMES" },                                          \
    { "dataset", 0, 0, G_OPTION_ARG_STRING, &(o).dataset, "whose attributes these are: celeba or utkface", "NAME" },   \
    { "tokenizer", 0, 0, G_OPTION_ARG_FILENAME, &(o).tokenizer,                                                        \
      "CLIP's vocabulary, to count tokens instead of estimating them", "PATH" }
/* clang-format on */

/**
 * prompts_open_task:
 * @fallback: (nullable) a built-in task's name where the options name none
 * Returns: (owned) the task; NULL without an error when none is named and @fallback is not one.
 */
AimfTask *prompts_open_task(const PromptsTaskOptions *options, const char *fallback, GError **error);

/** prompts_open_tokenizer: FALSE with an error; @tokenizer is NULL where the options name none. */
gboolean prompts_open_tokenizer(const PromptsTaskOptions *options, AimfTokenizer **tokenizer, GError **error);

/** prompts_print_balance: the report as text. */
void prompts_print_balance(AimfCli *cli, const AimfBalance *balance);
/** prompts_json_balance: the report as the member "balance" of the object that @builder is in. */
void prompts_json_balance(JsonBuilder *builder, const AimfBalance *balance);
/** prompts_warn_of_balance: warnings about dimensions that differ beyond chance. */
void prompts_warn_of_balance(AimfCli *cli, const AimfBalance *balance);

extern const AimfCommand AIMF_COMMAND_PROMPTS_CHECK;
extern const AimfCommand AIMF_COMMAND_PROMPTS_TASKS;
