/* Two results side by side: `aimfair evaluate --compare`. */
#pragma once

#include "evaluate_options.h"

/** aimf_evaluate_compare: models or tables @paths, before and after: tables in percent and points, or one JSON object. */
gboolean aimf_evaluate_compare(AimfCli *cli, AimfEvaluateOptions *options, char **paths, GError **error);
