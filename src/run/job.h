/* A run at work: its stages in order, what each needs, and what they share. */
#pragma once

#include "base/work.h"
#include "run/pictures_hash.h"
#include "run/results.h"
#include "run/stage.h"

#include <aimfair/diffusion.h>

typedef struct AimfRunStage AimfRunStage;
typedef struct AimfRunJob AimfRunJob;

/**
 * AimfStageKind: what stages of one kind do.
 * @keys: of the configuration that they depend on, ended by AIMF_N_KEYS; a PATH among them is an input, its file's
 *   hash
 * @describe: (nullable) adds other settings and inputs to @wanted; what the stage needs is done then
 * @make: fills @part, a folder that may have what an earlier try left, and adds to @made's outputs what are no files
 * @cost: what it takes, in pictures that are looked at once; @each: receives what one does that progress counts
 * @of_cell: a failure of the computation itself concerns one seed alone
 */
typedef struct {
    const AimfConfigKey *keys;
    gboolean (*describe)(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error);
    gboolean (*make)(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made, GError **error);
    double (*cost)(const AimfRunJob *job, const AimfRunStage *stage, double *each);
    gboolean of_cell;
} AimfStageKind;

extern const AimfStageKind AIMF_STAGE_DATA, AIMF_STAGE_PROMPTS, AIMF_STAGE_PICTURES, AIMF_STAGE_SETS, AIMF_STAGE_TRAIN,
    AIMF_STAGE_SENSITIVITY, AIMF_STAGE_FINETUNE, AIMF_STAGE_TEST;

/**
 * AimfRunStage: everything owned, but @needs' elements. @method, @seed: indices, of cells
 * @state: of its place; @waits: what it needs is not done, so that its key is not known; @blocked: it failed
 * @differs: it waits, and what stands in its place has other settings, or follows from other stages, all the same
 * @done: (nullable) the provenance in its place, where that is what it should be
 */
struct AimfRunStage {
    char *name;
    const AimfStageKind *kind;
    guint method;
    guint seed;
    GPtrArray *needs;
    AimfStageState state;
    gboolean waits;
    gboolean blocked;
    gboolean differs;
    AimfProvenance *done;
};

/**
 * AimfRunJob:
 * @writes: whether it may change the folder; an estimate may not, and has no lock
 * @monitor: the work's; @methods: (n_methods), as of AimfRunResults
 * @stages: of AimfRunStage, each after those that it needs, owned
 * @data: (AIMF_PART_… ) the data's sets as they were found, before the first stage; NULL of portraits
 * @sets: (AIMF_SET_…, nullable) of stages that are done
 * @n_generated, @n_balanced, @n_biased: synthetic pictures that there will be, about; @n_groups: of them
 * @n_made: stages that were made by this process
 * @diffusion_hash: (nullable) of Stable Diffusion's files, once they were opened
 * @findings: what is doubtful about the sets
 */
struct AimfRunJob {
    const AimfConfig *config;
    const char *folder;
    gboolean writes;
    AimfWork work;
    const AimfMonitor *monitor;
    AimfDevice *device;
    AimfPrecision precision;
    int threads;
    AimfPictureHashes *hashes;
    AimfRunMethod *methods;
    guint n_methods;
    guint n_tensors;
    GPtrArray *stages;
    AimfManifest *data[AIMF_N_PARTS];
    AimfManifest *sets[AIMF_N_SETS];
    guint n_generated;
    guint n_balanced;
    guint n_biased;
    guint n_groups;
    guint n_made;
    char *diffusion_hash;
    AimfFindings *findings;
    guint findings_told;
};

/** aimf_run_job_new: (owned) NULL with INVALID and what finding the device, models and methods gives. */
AimfRunJob *aimf_run_job_new(const AimfConfig *config, const char *folder, const AimfMonitor *monitor, GError **error);
void aimf_run_job_free(AimfRunJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfRunJob, aimf_run_job_free)

/** aimf_run_methods: (owned, n) of the configuration; @n_tensors: that the model has. NULL with INVALID. */
AimfRunMethod *aimf_run_methods(const AimfConfig *config, guint n_tensors, guint *n, GError **error);
void aimf_run_method_clear(AimfRunMethod *method);
/** aimf_run_count_tensors: that the models of @config have; FALSE with what opening a model gives. */
gboolean aimf_run_count_tensors(const AimfConfig *config, guint *n, GError **error);
/** aimf_run_architecture: (owned) of the run's models; NULL with an error. */
char *aimf_run_architecture(const AimfConfig *config, GError **error);

/** aimf_run_stage: (borrowed, nullable) the stage called @name. */
AimfRunStage *aimf_run_stage(const AimfRunJob *job, const char *name);
/** aimf_run_stage_path: (owned) "<run>/cells/biased-0/model/<file>". */
char *aimf_run_stage_path(const AimfRunJob *job, const char *stage, const char *file);
/** aimf_run_cell_name: (owned) "cells/biased-0". */
char *aimf_run_cell_name(const AimfRunMethod *method, guint64 seed);

/** aimf_run_take_output: @wanted's input becomes the file @file of the stage @stage, which is done. */
void aimf_run_take_output(const AimfRunJob *job, const char *stage, const char *file, AimfProvenance *wanted);
/**
 * aimf_run_take_pictures: @wanted's inputs become the manifest @file of the stage @stage and its pictures, @manifest.
 */
gboolean aimf_run_take_pictures(const AimfRunJob *job, const char *stage, const char *file,
                                const AimfManifest *manifest, AimfProvenance *wanted, GError **error);
/** aimf_run_rows_hash: (owned) of the absolute paths and labels of @manifest's rows, in order. */
char *aimf_run_rows_hash(const AimfManifest *manifest);
/** aimf_run_is_drawn: whether the data are portraits that are drawn on the spot. */
gboolean aimf_run_is_drawn(const AimfConfig *config);
/** aimf_run_set: (borrowed) one of the sets of done stages, read when it is first needed. NULL with an error. */
AimfManifest *aimf_run_set(AimfRunJob *job, int set, GError **error);
/**
 * aimf_run_open_set: (owned) one of the sets of the run in @folder, with the labels that it was written with: a word
 * for nothing is one, where it was one before. NULL as aimf_manifest_open_with.
 */
AimfManifest *aimf_run_open_set(const AimfConfig *config, const char *folder, int set, const AimfMonitor *monitor,
                                GError **error);
/** aimf_run_open_predictions: (owned) the same of a predictions.csv of a run; NULL as aimf_outcomes_open. */
AimfOutcomes *aimf_run_open_predictions(const char *path, const AimfMonitor *monitor, GError **error);
/** aimf_run_set_path: (static) "shared/data/train.csv". */
const char *aimf_run_set_path(int set);
/** aimf_run_tell_findings: those that are not allowed are an error; others become warnings, once. */
gboolean aimf_run_tell_findings(AimfRunJob *job, GError **error);

/**
 * aimf_run_expect_sets: how many synthetic pictures there will be; FALSE where there will be too few of a group, or
 * ready ones cannot be read.
 */
gboolean aimf_run_expect_sets(AimfRunJob *job, GError **error);
/**
 * aimf_run_forget_findings: so that a stage says what was found about its own sets alone, whether those before it were
 * made by this process or by one that was stopped.
 */
void aimf_run_forget_findings(AimfRunJob *job);

/**
 * aimf_run_draw_sets: the two sets from the synthetic pictures, which are there; both (owned). @train: whose groups
 * the biased one has. FALSE with INVALID where there are too few, or what opening the pictures gives.
 */
gboolean aimf_run_draw_sets(AimfRunJob *job, const AimfManifest *train, AimfManifest **balanced, AimfManifest **biased,
                            GError **error);
/**
 * aimf_run_check_job: what the configuration asks for against data, expected sets and model, before the first stage.
 * FALSE with INVALID, or what opening a model gives.
 */
gboolean aimf_run_check_job(AimfRunJob *job, GError **error);
/** aimf_run_check_recipes: that both trainings can be done as asked for. FALSE with INVALID. */
gboolean aimf_run_check_recipes(const AimfRunJob *job, GError **error);

/** aimf_run_open_data: finds the data's sets, @job->data, and checks them. */
gboolean aimf_run_open_data(AimfRunJob *job, GError **error);

/** aimf_run_look: the state of each stage, as far as it can be known. @job->stages then say what is to be done. */
gboolean aimf_run_look(AimfRunJob *job, GError **error);
/**
 * aimf_run_wanted: (owned) what the stage should be; of one that waits what its keys say, without what it takes from
 * other stages. NULL with an error.
 */
AimfProvenance *aimf_run_wanted(AimfRunJob *job, AimfRunStage *stage, GError **error);

/** AIMF_RUN_RESAMPLING_SEED: of the bootstrap of measures and comparisons: the same for all cells. */
#define AIMF_RUN_RESAMPLING_SEED 0
/** aimf_run_set_positive: evaluate.positive becomes @outcomes' positive class. FALSE with INVALID. */
gboolean aimf_run_set_positive(const AimfConfig *config, AimfOutcomes *outcomes, GError **error);
/** aimf_run_measure: (owned) as the configuration asks for; NULL as aimf_outcomes_measure. */
AimfMeasures *aimf_run_measure(const AimfConfig *config, const AimfOutcomes *outcomes, const AimfMonitor *monitor,
                               GError **error);
/** aimf_run_look_at: the state of one stage: all of its members from @state on. FALSE with an error. */
gboolean aimf_run_look_at(AimfRunJob *job, AimfRunStage *stage, GError **error);
/** aimf_run_open_diffusion: (owned) Stable Diffusion, as the configuration has it; NULL as aimf_diffusion_open. */
AimfDiffusion *aimf_run_open_diffusion(AimfRunJob *job, GError **error);
/**
 * aimf_run_choose_preprocess: as the model in @file (nullable) prepares pictures, else as the paper does, at the size
 * that is asked for. FALSE with INVALID, or FORMAT where @file is damaged.
 */
gboolean aimf_run_choose_preprocess(const AimfConfig *config, const AimfTensors *file, AimfPreprocess *preprocess,
                                    GError **error);
/** aimf_run_image_size: what train.image_size says; FALSE with INVALID. */
gboolean aimf_run_image_size(const AimfConfig *config, int *width, int *height, GError **error);
