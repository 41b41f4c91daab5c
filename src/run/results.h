/* What a finished run says, read back from its folder: results, report, card and verification are made of it alone. */
#pragma once

#include "run/config.h"

#include <aimfair/seeds.h>
#include <aimfair/train.h>

/**
 * AimfRunSet: pictures that the run used; everything owned. @name: (static) "training", "validation", "test",
 * "synthetic, balanced", "synthetic, biased"; @path: of the manifest, from the run's folder; @sha256: of the
 * manifest's file; @pictures_sha256: of its pictures, see pictures_hash.h
 */
typedef struct {
    const char *name;
    char *path;
    AimfManifest *manifest;
    char *sha256;
    char *pictures_sha256;
} AimfRunSet;

enum { AIMF_SET_TRAIN, AIMF_SET_VAL, AIMF_SET_TEST, AIMF_SET_BALANCED, AIMF_SET_BIASED, AIMF_N_SETS };

/**
 * AimfRunMethod: @name: "aim-fair-k55", owned; @title: "AIM-Fair, k = 55", owned; @k: tensors, 0 where none selects.
 */
typedef struct {
    char *name;
    char *title;
    guint k;
} AimfRunMethod;

/**
 * AimfRunCell: one method with one seed; everything owned.
 * @folder: "cells/aim-fair-0", from the run's folder
 * @failure: (nullable) why there is nothing; then all pointers below are NULL
 * @outcomes, @measures: on the test set; @comparison: against the biased one of the seed, NULL of that itself
 * @history: (nullable) of AimfEpoch, of the training's log, where there was a training; @start: (nullable) its line of
 *   epoch 0; @group_names, @group_accuracy: as of AimfTrainResult
 * @trained: (nullable) NULL-terminated names of the tensors that were trained; @n_tensors: that the model has
 * @model_sha256: of the file; @weights_sha256: aimf_model_hash; @engine, @instruction_set: that trained it
 * @test_engine, @test_instruction_set: that judged the test set
 */
typedef struct {
    char *folder;
    char *failure;
    AimfOutcomes *outcomes;
    AimfMeasures *measures;
    AimfComparison *comparison;
    GArray *history;
    AimfEpoch *start;
    char **group_names;
    GArray *group_accuracy;
    char **trained;
    guint n_tensors;
    char *model_sha256;
    char *weights_sha256;
    char *engine;
    char *instruction_set;
    char *test_engine;
    char *test_instruction_set;
} AimfRunCell;

/**
 * AimfRunAverage: one method over the seeds that did not fail; everything owned, NULL where all did.
 * @measures: averaged as the paper does; @spread: of them; @changes: against the biased ones of the same seeds, NULL
 *   of these themselves
 */
typedef struct {
    AimfMeasures *measures;
    AimfSeeds *spread;
    AimfSeeds *changes;
    guint n;
} AimfRunAverage;

/**
 * AimfRunResults: everything owned.
 * @title: of the report; @architecture: of the models
 * @methods: (n_methods) the biased classifier first, then in the configuration's order; @seeds: (n_seeds)
 * @cells: (n_methods, n_seeds); @averages: (n_methods)
 * @sensitivities: (n_seeds, elements nullable)
 * @verdicts: on the gates that are judged on the average; @seed_verdicts: (n_seeds, elements nullable) on those that
 *   every seed must meet: of evidence, and of groups that may not lose. Both of method 1, or of 0 where there is no
 *   other. @decision: on all of them
 * @impact: (n_methods, elements nullable) selection rates, of aimf_run_first_seed
 * @target: (nullable) what is predicted; @label_names: (nullable) see aimf_run_label_name
 * @program, @precision, @threads: of the run
 */
typedef struct {
    char *folder;
    AimfConfig *config;
    char *title;
    char *architecture;
    char *target;
    char **labels;
    char **label_names;
    char **classes;
    AimfRunSet sets[AIMF_N_SETS];
    AimfRunMethod *methods;
    guint n_methods;
    guint64 *seeds;
    guint n_seeds;
    AimfRunCell *cells;
    AimfRunAverage *averages;
    AimfSensitivities **sensitivities;
    AimfVerdicts *verdicts;
    AimfVerdicts **seed_verdicts;
    AimfDecision decision;
    AimfImpact **impact;
    char *program;
    char *precision;
    int threads;
} AimfRunResults;

/**
 * aimf_run_results_name_labels: gives the labels names where the configuration says what they are: in CelebA and
 * UTKFace 1 and 0 are that the protected attribute holds and that it does not, "White" and "not White".
 */
void aimf_run_results_name_labels(AimfRunResults *results);
/** aimf_run_label_name: (borrowed) what readers call @label, itself where it has no name. */
const char *aimf_run_label_name(const AimfRunResults *results, const char *label);

/** aimf_run_results_open: (owned) of the finished run in @folder; NULL with NOT_FOUND, IO, FORMAT or INVALID. */
AimfRunResults *aimf_run_results_open(const char *folder, const AimfMonitor *monitor, GError **error);
void aimf_run_results_free(AimfRunResults *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfRunResults, aimf_run_results_free)

/** aimf_run_cell: (borrowed) of method @method and the seed of that index. */
static inline const AimfRunCell *aimf_run_cell(const AimfRunResults *results, guint method, guint seed)
{
    return &results->cells[method * results->n_seeds + seed];
}

/** aimf_run_first_seed: index of the method's first seed that came to something; n_seeds where none did. */
guint aimf_run_first_seed(const AimfRunResults *results, guint method);

/** aimf_run_any_gates: whether anything was demanded, also where every seed failed, so that there is no verdict. */
gboolean aimf_run_any_gates(const AimfRunResults *results);
/** aimf_run_any_verdicts: whether a demand was judged. */
gboolean aimf_run_any_verdicts(const AimfRunResults *results);

/* What is written of them; each as a file of the name's kind, atomically. FALSE with IO and its like. */

/** aimf_results_json: (owned) results.json; docs/results.schema.json is its schema. */
char *aimf_results_json(const AimfRunResults *results);
/** aimf_results_csv: (owned) every figure in a row of its own; docs/results-files.md has the columns. */
char *aimf_results_csv(const AimfRunResults *results);
/** aimf_results_card: (owned) a Hugging Face model card of the first method's first model, model-card.md. */
char *aimf_results_card(const AimfRunResults *results);
/** aimf_results_junit: (owned) what became of the gates, junit.xml. */
char *aimf_results_junit(const AimfRunResults *results);
/** aimf_results_save_events: TensorBoard's events of all cells below @folder, a folder for each. */
gboolean aimf_results_save_events(const AimfRunResults *results, const char *folder, GError **error);
/**
 * aimf_report_html: (owned) the report of @results (n); of several side by side. Pictures that are gone, damaged or
 * forbidden are left out; NULL with IO or MEMORY where the machine kept one from being read, and INVALID without runs.
 */
char *aimf_report_html(const AimfRunResults *const *results, guint n, GError **error);
