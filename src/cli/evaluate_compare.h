/* Two results side by side: `aimfair evaluate --compare`. */
#pragma once

#include "evaluate_options.h"

/**
 * aimf_evaluate_compare: models or tables @paths, before and after: tables in percent and points, or one JSON object.
 * FALSE with what reading and asking them gives, or INVALID: they are not of the same test set.
 */
gboolean aimf_evaluate_compare(AimfCli *cli, AimfEvaluateOptions *options, char **paths, GError **error);
/** aimf_cli_json_evidence: the member @name: what one side was: @path, hashes, threshold. */
void aimf_cli_json_evidence(JsonBuilder *builder, const char *name, const char *path, const AimfEvidence *evidence);
