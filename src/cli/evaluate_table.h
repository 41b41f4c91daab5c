/* An evaluation as tables for people. */
#pragma once

#include "cli.h"

#include <aimfair/fair.h>

/** aimf_cli_print_evaluation: groups, protected labels and measures, aligned, in percent; "-" for what is unknown. */
void aimf_cli_print_evaluation(AimfCli *cli, const AimfEvaluation *evaluation);
