/*
 * A run: one configuration from data to a fairer model, and a folder of evidence that a stranger can check.
 *
 * Example:
 *     gboolean run(const char *configuration, const char *folder, GError **error)
 *     {
 *         const AimfRunOptions options = { .folder = folder };
 *         AimfRunSummary summary;
 *         g_autoptr(AimfConfig) config = aimf_config_open(configuration, NULL, error);
 *         if (!config || !aimf_run(config, &options, NULL, &summary, error))
 *             return FALSE;
 *         g_print("%s\n", summary.report);
 *         aimf_run_summary_clear(&summary);
 *         return TRUE;
 *     }
 */
#pragma once

#include <aimfair/fair.h>
#include <aimfair/verdicts.h>

G_BEGIN_DECLS

/* --- Configurations --- */

/** AimfConfig: the settings of a run; docs/run.md has every key. */
typedef struct AimfConfig AimfConfig;

/** aimf_config_new: (owned) every key as its default has it; relative paths begin at the working directory. */
AimfConfig *aimf_config_new(void);
/**
 * aimf_config_open:
 * A configuration in YAML: sections with keys, texts, numbers and lists; no anchors, no tags. @settings: (nullable)
 * NULL-terminated, "train.epochs=3", which take the place of what the file says
 * Returns: (owned) or NULL with NOT_FOUND, IO, FORMAT (naming file and line) or INVALID: an unknown key (with the
 * nearest one), one that is there twice, a value of another type or out of its range.
 */
AimfConfig *aimf_config_open(const char *path, const char *const *settings, GError **error);
/**
 * aimf_config_parse: a configuration in memory, in the same form; @name: what errors call it. Relative paths begin at
 * the working directory. NULL as aimf_config_open.
 */
AimfConfig *aimf_config_parse(const char *text, const char *name, GError **error);
/** aimf_config_set: "train.epochs=3"; a list as "0,1,2". FALSE with INVALID. */
gboolean aimf_config_set(AimfConfig *config, const char *setting, GError **error);
void aimf_config_free(AimfConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfConfig, aimf_config_free)

/** aimf_config_text: (owned) YAML with every key and its value, so that nothing depends on defaults. */
char *aimf_config_text(const AimfConfig *config);
/**
 * aimf_config_template: (owned) a configuration to begin with, commented: "celeba", "utkface", "folders",
 * "own-model", "portraits". NULL with NOT_FOUND that lists them.
 */
char *aimf_config_template(const char *kind, GError **error);
/** aimf_config_schema: (owned) JSON Schema (2020-12) of configurations. */
char *aimf_config_schema(void);
/** aimf_config_manual: (owned) all keys with their defaults and ranges, as tables of Markdown. */
char *aimf_config_manual(void);

/* --- Running --- */

/**
 * AimfRunOptions: @folder: of the run, made if missing; @update: what a changed configuration has made stale is done
 * again, and replaced when the new stands
 */
typedef struct {
    const char *folder;
    gboolean update;
} AimfRunOptions;

/**
 * AimfRunRow: a method of a run, averaged over its seeds as the paper does; all owned.
 * @name: "biased", "aim-fair", "full", "last-layer"; with several k "aim-fair-k55"
 * @measures: (nullable) where every seed failed; @n_seeds: those that did not
 */
typedef struct {
    char *name;
    AimfMeasures *measures;
    guint n_seeds;
} AimfRunRow;

/**
 * AimfRunSummary: what came out; all owned.
 * @rows: (n_rows) the biased classifier first; @labels: of the protected attribute, NULL-terminated; @label_names:
 * what readers call them; @classes: (nullable) names
 * @report: path of the report; @sums_sha256: of SHA256SUMS, by which the whole folder is known
 * @decision: on all gates (@n_gates): AIMF_MET where there are none; @failed: seeds that failed, of all methods
 */
typedef struct {
    AimfRunRow *rows;
    guint n_rows;
    char **labels;
    char **label_names;
    char **classes;
    char *report;
    char *sums_sha256;
    AimfDecision decision;
    guint n_gates;
    guint failed;
} AimfRunSummary;

void aimf_run_summary_clear(AimfRunSummary *summary);

/**
 * aimf_run:
 * Does what is not done yet, stage by stage. Stopped at any moment, even by SIGKILL, the same call goes on, and the
 * folder ends up the same to the byte, but for machine.json, machine-pictures.csv and logs, and so SHA256SUMS. Of
 * several seeds one may fail: that is reported, and the others count.
 * Returns: FALSE with INVALID (a configuration that cannot be; stages that another configuration made, listed, without
 * @update; another process works in the folder), INTERRUPTED (the same call goes on), or what the steps give.
 */
gboolean aimf_run(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                  AimfRunSummary *summary, GError **error);

/**
 * AimfRunEstimate: what a run would do, as far as it is not done. @text: (owned) for people; the figures are of what
 * is left: @pictures to be generated, @passes of pictures through the network (forward and backward),
 * @seconds on this machine and @bytes on disk.
 */
typedef struct {
    char *text;
    guint64 pictures;
    guint64 passes;
    double seconds;
    guint64 bytes;
} AimfRunEstimate;

void aimf_run_estimate_clear(AimfRunEstimate *estimate);
/**
 * aimf_run_estimate: checks all inputs and says what aimf_run would do, from a short measurement on this machine.
 * Writes nothing. FALSE as aimf_run.
 */
gboolean aimf_run_estimate(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                           AimfRunEstimate *estimate, GError **error);

/**
 * aimf_run_report: the report of the finished runs in @folders (n) as one HTML file: of one as aimf_run writes it, of
 * several side by side. FALSE with NOT_FOUND, FORMAT, INVALID (a run that is not finished; @path is
 * within one of them), IO, MEMORY.
 */
gboolean aimf_run_report(const char *const *folders, guint n, const char *path, const AimfMonitor *monitor,
                         GError **error);

/* --- Verifying --- */

/**
 * AimfVerifyOptions:
 * @folder: of the run; @data: (nullable) where the data's pictures are now, in place of the folder they were in
 * @sample: predictions of each model that are computed again, 0: none; @seed: which ones
 * @device: (nullable), @threads: that compute; 0: as many as the run had
 */
typedef struct {
    const char *folder;
    const char *data;
    guint sample;
    guint64 seed;
    AimfDevice *device;
    int threads;
} AimfVerifyOptions;

/** AimfVerifyKind: of a line of the result: it holds, it does not, or it could not be looked at. */
typedef enum { AIMF_VERIFIED, AIMF_REFUTED, AIMF_UNCHECKED } AimfVerifyKind;

/** AimfVerifyLine: @what: (owned) the file or the figure; @text: (owned) what was seen */
typedef struct {
    AimfVerifyKind kind;
    char *what;
    char *text;
} AimfVerifyLine;

/**
 * AimfVerification: @lines: (n) owned; @refuted, @unchecked: how many are, also of those beyond 10 000 that are not
 * listed; @sums_sha256: (owned, nullable) of SHA256SUMS as it is
 */
typedef struct {
    AimfVerifyLine *lines;
    guint n;
    guint refuted;
    guint unchecked;
    char *sums_sha256;
} AimfVerification;

void aimf_verification_free(AimfVerification *verification);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfVerification, aimf_verification_free)

/**
 * aimf_run_verify:
 * Whether the files of a run are those that SHA256SUMS lists, whether hashes of data, pictures, models and results
 * follow from one another, measures from predictions, results and report from measures, and a sample of predictions
 * from models and pictures.
 * Returns: (owned) also where something is refuted; NULL with NOT_FOUND (no run), INTERRUPTED, IO or MEMORY.
 */
AimfVerification *aimf_run_verify(const AimfVerifyOptions *options, const AimfMonitor *monitor, GError **error);

G_END_DECLS
