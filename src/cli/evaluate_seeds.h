/* Several seeds: `aimfair evaluate --average`, and --compare of several pairs. */
#pragma once

#include "evaluate_options.h"

#include <aimfair/seeds.h>

/**
 * aimf_evaluate_average: of (n) @paths, which are results, or models and tables; into @evaluation, with seeds and
 * verdicts. FALSE with what reading and asking them gives, or INVALID: not of the same test set, or no average.
 */
gboolean aimf_evaluate_average(AimfCli *cli, AimfEvaluateOptions *options, char **paths, guint n,
                               AimfEvaluation *evaluation, GError **error);
/** aimf_cli_print_seeds: means, deviations, intervals in percent or, of changes, points. @labels: the protected ones */
void aimf_cli_print_seeds(AimfCli *cli, const AimfSeeds *seeds, char *const *labels);

/** aimf_evaluate_pairs: (2 n) @paths, those before and then those after: as aimf_evaluate_compare. */
gboolean aimf_evaluate_pairs(AimfCli *cli, AimfEvaluateOptions *options, char **paths, guint n, GError **error);
