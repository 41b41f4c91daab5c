/* Where the answers that `aimfair evaluate` measures come from. */
#pragma once

#include "evaluate_options.h"

/**
 * aimf_evaluate_answers: (owned) what the model or, by its ending or if it is that of --from-predictions, the table
 * @path says. Fills @evaluation's target and evidence, and adds to the findings of --allow. NULL with what opening and
 * asking it gives, or INVALID: something that is not allowed is wrong with the data, or --positive is no class.
 */
AimfOutcomes *aimf_evaluate_answers(AimfCli *cli, AimfEvaluateOptions *options, const char *path,
                                    AimfEvaluation *evaluation, GError **error);
