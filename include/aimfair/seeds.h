/*
 * Several models of one method: how much it is the seed that speaks, and how much the pictures.
 *
 * Example:
 *     gboolean print_spread(const AimfMeasures *const *runs, guint n, GError **error)
 *     {
 *         g_autoptr(AimfSeeds) seeds = aimf_seeds_of_measures(runs, n, error);
 *         for (guint i = 0; seeds && i < AIMF_N_SCALARS; i++)
 *             g_print("%s: %.3f ± %.3f\n", aimf_scalar_name(i), seeds->scalars[i].mean, seeds->scalars[i].deviation);
 *         return seeds != NULL;
 *     }
 */
#pragma once

#include <aimfair/fair.h>

G_BEGIN_DECLS

/** AIMF_LEAST_SEEDS: of fewer runs, nothing is concluded about others. */
#define AIMF_LEAST_SEEDS 5

/**
 * AimfSeedStatistic: a measure, or its change, over the runs; NaN where unknown.
 * @mean, @deviation: of the runs' own values; the sample's deviation, NaN of one run
 * @over_seeds: 95 % of the mean over all seeds, on this test set: Student's t. AIMF_LEAST_SEEDS runs or more,
 *   which differ
 * @over_pictures: 95 % on all pictures, of these models: the mean of the ends of the runs' own intervals, as wide as if
 *   all of them erred together, since they are judged by the same pictures
 * @over_both: 95 % of the mean over all seeds on all pictures: a bootstrap of runs and of pictures, whose percentiles'
 *   distances from the mean are longer by t / z * sqrt(n / (n - 1)), since few runs vary too little
 * @p: of changes that are 0 in the mean over all seeds, by the paired t test
 */
typedef struct {
    double mean, deviation;
    AimfInterval over_seeds, over_pictures, over_both;
    double p;
} AimfSeedStatistic;

/**
 * AimfSeeds: everything owned.
 * @changes: of after against before, run by run; otherwise of the measures themselves
 * @scalars: in the order of AimfScalars' members; @groups: (n_groups) accuracies, target-major
 * @values: (n_runs, AIMF_N_SCALARS + n_groups) of each run
 */
struct AimfSeeds {
    guint n_runs;
    guint n_groups;
    gboolean changes;
    AimfSeedStatistic scalars[AIMF_N_SCALARS];
    AimfSeedStatistic *groups;
    double *values;
};

/**
 * aimf_seeds_of_measures, aimf_seeds_of_comparisons:
 * @runs, @pairs: (n) of the same groups of the same sizes
 * Returns: (owned) without @over_both; without @over_pictures too where the runs have no intervals, as those that were
 * read have not. NULL with INVALID: none, or other groups.
 */
AimfSeeds *aimf_seeds_of_measures(const AimfMeasures *const *runs, guint n, GError **error);
AimfSeeds *aimf_seeds_of_comparisons(const AimfComparison *const *pairs, guint n, GError **error);

/**
 * aimf_seeds_resample:
 * @outcomes: (n_runs) what @seeds is of; @before: (nullable) the same of changes
 * Fills @over_both by @resamples of runs and, the same for all of them, of pictures; AIMF_LEAST_SEEDS runs or more. The
 * same at any number of threads. FALSE with INVALID: they are not of the same pictures, naming the runs, from 1; MEMORY
 * or INTERRUPTED.
 * Source: Efron and Tibshirani 1993, of more than one sample.
 */
gboolean aimf_seeds_resample(AimfSeeds *seeds, const AimfOutcomes *const *outcomes, const AimfOutcomes *const *before,
                             guint resamples, guint64 seed, const AimfMonitor *monitor, GError **error);

/** aimf_seeds_json: (owned) an array of objects, one for each measure and group that is known in every run. */
char *aimf_seeds_json(const AimfSeeds *seeds, char *const *labels);

G_END_DECLS
