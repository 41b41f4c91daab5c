/* Several seeds: `aimfair evaluate --average`, and --compare of several pairs. */
#pragma once

#include "evaluate_options.h"

#include <aimfair/seeds.h>

/**
 * aimf_evaluate_average: of (n) @paths, which are results, or models and tables; into @evaluation, with seeds and
 * verdicts.
 */
gboolean aimf_evaluate_average(AimfCli *cli, AimfEvaluateOptions *options, char **paths, guint n,
                               AimfEvaluation *evaluation, GError **error);
/** aimf_cli_print_seeds: means, deviations and intervals in percent or, of changes, in points. @labels: protected ones */
void aimf_cli_print_seeds(AimfCli *cli, const AimfSeeds *seeds, char *const *labels);

/** aimf_evaluate_pairs: (2 n) @paths, those before and then those after: tables, or one JSON object. */
gboolean aimf_evaluate_pairs(AimfCli *cli, AimfEvaluateOptions *options, char **paths, guint n, GError **error);
