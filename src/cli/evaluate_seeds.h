/* Several seeds side by side: the tables of `aimfair evaluate` with --average, and with --compare of several pairs. */
#pragma once

#include "allow.h"
#include "evaluate_table.h"

#include <aimfair/seeds.h>

/** aimf_cli_print_seeds: means, deviations and intervals in percent or, of changes, in points. @labels: protected ones */
void aimf_cli_print_seeds(AimfCli *cli, const AimfSeeds *seeds, char *const *labels);

/**
 * AimfSeedPairs: what was compared: (n) pairs of files with their comparisons, and what is said over all of them.
 * @data: (nullable) the manifest that models were asked about
 */
typedef struct {
    guint n;
    char *const *before;
    char *const *after;
    const char *data;
    const AimfComparison *const *pairs;
    const AimfSeeds *seeds;
} AimfSeedPairs;

/** aimf_cli_print_pairs: each pair's accuracy and McNemar's test, and aimf_cli_print_seeds of the changes. */
void aimf_cli_print_pairs(AimfCli *cli, const AimfSeedPairs *all);
/** aimf_cli_json_pairs: one JSON object. */
void aimf_cli_json_pairs(AimfCli *cli, const AimfSeedPairs *all, const AimfFindings *findings);
