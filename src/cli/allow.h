/* --allow, and what was found about sets: errors that it turns into warnings, on stderr and in a command's JSON. */
#pragma once

#include "cli.h"

#include <aimfair/findings.h>

/**
 * AimfAllow: @texts: what --allow received; @findings: owned; @shown: how many of them have been reported. Begin
 * with aimf_allow_init.
 */
typedef struct {
    char **texts;
    AimfFindings *findings;
    guint shown;
} AimfAllow;

void aimf_allow_init(AimfAllow *allow);
void aimf_allow_clear(AimfAllow *allow);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfAllow, aimf_allow_clear)

/** AIMF_ALLOW_ENTRY: the option, for a command's entries. */
#define AIMF_ALLOW_ENTRY(allow)                                                                                        \
    {                                                                                                                  \
        "allow", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(allow)->texts,                                                     \
            "go on although it is wrong: overlap, same-set, swapped, one-class, trained-on, empty-group, names, "      \
            "insensitive",                                                                                             \
            "NAME,…"                                                                                                 \
    }

/** aimf_allow_check: FALSE with INVALID, with the nearest name, where --allow names what there is not. */
gboolean aimf_allow_check(const AimfAllow *allow, GError **error);
/** aimf_allow_report: new findings as warnings; FALSE with INVALID if one is certain and not allowed. */
gboolean aimf_allow_report(AimfCli *cli, AimfAllow *allow, GError **error);
/** aimf_allow_json: the member "warnings" of the object that @builder is in. */
void aimf_allow_json(JsonBuilder *builder, const AimfFindings *findings);
