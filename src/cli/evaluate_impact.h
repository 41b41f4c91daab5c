/* Impact ratios: `aimfair evaluate --impact`. */
#pragma once

#include "cli.h"

#include <aimfair/fair.h>

/** aimf_cli_impact_columns: (owned) "sex, race" as names; NULL with INVALID where one is empty. */
char **aimf_cli_impact_columns(const char *text, GError **error);

/**
 * aimf_cli_impact_rows: (owned) of the manifest that a model is to be asked about; NULL with INVALID also if the model
 * has more than two @classes and @positive (nullable) names none, before it is asked. @findings: receives what is
 * doubtful
 */
AimfImpactRows *aimf_cli_impact_rows(AimfCli *cli, const AimfManifest *manifest, char *const *columns, int classes,
                                     const char *positive, AimfFindings *findings, GError **error);

/** aimf_cli_print_impact: of an @evaluation that has them: a table by each column, and by all together. */
void aimf_cli_print_impact(AimfCli *cli, const AimfEvaluation *evaluation);
