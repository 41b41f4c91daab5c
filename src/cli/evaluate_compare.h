/* Two results side by side: `aimfair evaluate --compare`. */
#pragma once

#include "allow.h"
#include "evaluate_table.h"

/** AimfComparedFiles: what was compared. @data: (nullable) the manifest that models were asked about */
typedef struct {
    const char *before;
    const char *after;
    const char *data;
    const AimfEvidence *of_before;
    const AimfEvidence *of_after;
} AimfComparedFiles;

/** aimf_cli_print_comparison: tables in percent and points. */
void aimf_cli_print_comparison(AimfCli *cli, const AimfComparison *comparison, const AimfComparedFiles *files);
/** aimf_cli_json_comparison: one JSON object. */
void aimf_cli_json_comparison(AimfCli *cli, const AimfComparison *comparison, const AimfComparedFiles *files,
                              const AimfFindings *findings);

/** aimf_cli_check_chart: FALSE unless a chart could be made at @path: its ending, and as aimf_cli_check_output. */
gboolean aimf_cli_check_chart(const char *option, const char *path, GError **error);
