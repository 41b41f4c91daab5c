/* The tables of `aimfair evaluate`. */
#pragma once

#include "cli.h"

#include <aimfair/fair.h>

/** AimfByGroup: which numbers of every protected label are shown. */
typedef struct {
    gboolean shown[AIMF_N_GROUP_MEASURES];
    gboolean given; /* the user chose them */
} AimfByGroup;

/** aimf_cli_by_group: "tpr,precision" or "all"; NULL: a few. FALSE with INVALID that lists what there is. */
gboolean aimf_cli_by_group(const char *text, AimfByGroup *by_group, GError **error);

/**
 * aimf_cli_print_title: what AimfScalars' member @scalar is called, in 34 columns; "macro, …" of those over classes.
 */
void aimf_cli_print_title(AimfCli *cli, guint scalar);

/** aimf_cli_interval_text: (owned) "1.20 – 3.40" in percent, or with signs, "-1.20 … +3.40"; @unknown where it is. */
char *aimf_cli_interval_text(AimfInterval interval, gboolean with_signs, const char *unknown);

/** aimf_cli_print_evaluation: everything in percent; "-" is what is not known. */
void aimf_cli_print_evaluation(AimfCli *cli, const AimfEvaluation *evaluation, const AimfByGroup *by_group);
