/* Demands of `aimfair evaluate`: --require, --require-evidence, --junit. */
#pragma once

#include "cli.h"

#include <aimfair/verdicts.h>

/** AimfDemands: the options, and the gates that they are, those of --require first; all owned. */
typedef struct {
    char **require;
    char **require_evidence;
    char *junit;
    AimfGate *gates;
    guint n;
} AimfDemands;

/** AIMF_EVALUATE_SUITE: what JUnit's suite is called. */
#define AIMF_EVALUATE_SUITE "aimfair evaluate"

void aimf_demands_clear(AimfDemands *demands);

/** AimfDemandsAbout: what they can be about. */
typedef enum { AIMF_ABOUT_ANSWERS, AIMF_ABOUT_AN_AVERAGE, AIMF_ABOUT_A_COMPARISON } AimfDemandsAbout;

/** aimf_demands_parse: reads the gates. FALSE with INVALID, also where they cannot be @about it. */
gboolean aimf_demands_parse(AimfDemands *demands, AimfDemandsAbout about, GError **error);
/** aimf_demands_save: the file of --junit, if there is one. @suite: its name */
gboolean aimf_demands_save(AimfCli *cli, const AimfDemands *demands, const AimfVerdicts *verdicts, const char *suite,
                           GError **error);
/** aimf_cli_print_verdicts: the decisions on demands for evidence, and what would settle them. */
void aimf_cli_print_verdicts(AimfCli *cli, const AimfVerdicts *verdicts);
/** aimf_demands_end: names each that is not met or lacks evidence on stderr, and sets the exit status. */
void aimf_demands_end(AimfCli *cli, const AimfVerdicts *verdicts, const AimfMeasures *measures);
