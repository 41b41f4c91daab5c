/*
 * What train, finetune and sensitivity share: options of a pass over training data, and what is said about a
 * training.
 */
#pragma once

#include "allow.h"
#include "recipe.h"

#include <aimfair/sets.h>

/**
 * AimfTrainingArguments: what the options receive and what they mean. Begin with aimf_training_arguments_init.
 * @inputs: the command's other files, or NULL: nothing may be written over them
 * @start: (nullable, borrowed) the weights that training begins with, for what they tell of earlier trainings; NULL:
 *   fresh ones
 * @finetuning: the training set should be balanced; @fresh_head: the model's final layer is new, so that a measured
 *   start says nothing
 * @augmentation: what @options points to
 */
typedef struct {
    gint batch;
    AimfRecipeArguments recipe;
    char *batch_norm;
    char *crop_scale;
    char *augment;
    char *shuffle;
    gint skip_bad;
    char *cache;
    char *log;
    char *trace;
    gboolean resume;
    gboolean keep_state;
    char *keep_best_of;
    char *select;
    AimfAllow allow;
    const AimfTensors *start;
    gboolean finetuning;
    gboolean fresh_head;
    const char *inputs[5];
    AimfAugment augmentation;
    char *state_path;
    AimfTrainOptions options;
} AimfTrainingArguments;

void aimf_training_arguments_init(AimfTrainingArguments *arguments, const AimfTrainOptions *defaults);
void aimf_training_arguments_clear(AimfTrainingArguments *arguments);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfTrainingArguments, aimf_training_arguments_clear)

/** aimf_training_entries: (owned, an array) @own followed by the options of a training, or of a single pass. */
GOptionEntry *aimf_training_entries(AimfTrainingArguments *arguments, const GOptionEntry *own, gboolean single_pass);

/**
 * aimf_training_take: checks the arguments and turns them into arguments->options, all but the recipe, which
 * aimf_recipe_apply does when the architecture is known. @output: the result's path, for the state
 */
gboolean aimf_training_take(AimfCli *cli, AimfTrainingArguments *arguments, const char *output, GError **error);

/**
 * aimf_check_model_output: as aimf_cli_check_output for -o; also FALSE for a name that does not end in .safetensors.
 */
gboolean aimf_check_model_output(const char *path, GError **error);

/**
 * aimf_check_class_names: removes the blanks around @names, of --classes. FALSE with INVALID for an empty name,
 * one that is there twice, and a number that is not the class's own.
 */
gboolean aimf_check_class_names(char **names, GError **error);

/**
 * aimf_open_training_set: (owned) a manifest to learn from or to choose by: its protected labels are used where there
 * are any. @findings: receives what is doubtful about them
 */
AimfManifest *aimf_open_training_set(AimfCli *cli, const char *path, AimfFindings *findings, GError **error);

/**
 * aimf_run_training: checks the sets, trains @model, saves it as @output, removes the state, prints the result (in
 * JSON within @builder, an object that is open, and not yet printed). An interruption says how to go on.
 */
gboolean aimf_run_training(AimfCli *cli, AimfModel *model, AimfManifest *train, const char *validation_path,
                           const char *output, AimfTrainingArguments *arguments, JsonBuilder *builder, GError **error);
