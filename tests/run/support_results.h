/* Results of a run that never was, made in memory by the library's own measures, for tests of what is written. */
#pragma once

#include "run/results.h"

/**
 * SupportResultsOptions: all members may be 0.
 * @n_seeds: 0 means 3; @n_targets: classes, 0 means 2; @n_k: AIM-Fair with so many k, 0 means 1
 * @failed_cell: the last seed of AIM-Fair came to nothing
 * @mixed_engines: the last seed was trained on another machine
 * @no_sensitivities: of no seed there are any; @no_gates: there are no demands
 * @hostile: (nullable) stands in titles, names and labels
 */
typedef struct {
    guint n_seeds;
    int n_targets;
    guint n_k;
    gboolean failed_cell;
    gboolean mixed_engines;
    gboolean no_sensitivities;
    gboolean no_gates;
    const char *hostile;
    gboolean utkface; /* labels 1 and 0, of who is white and who is not */
} SupportResultsOptions;

/** support_results_cases: what files of results must be right for; the last is hostile. */
enum { SUPPORT_N_RESULTS = 6 };
extern const SupportResultsOptions support_results_cases[SUPPORT_N_RESULTS];

/** support_results_new: (owned) @options: (nullable). The same options give the same results. */
AimfRunResults *support_results_new(const SupportResultsOptions *options);
