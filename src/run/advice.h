/* Advice of the library, which names options of commands, in words of a configuration. */
#pragma once

#include <aimfair/findings.h>

/** aimf_run_advice: (owned) @text, where options that a configuration has a key for are called by that key. */
char *aimf_run_advice(const char *text);
/** aimf_run_advise: hands @failure (taken, nullable) on as @error, in these words. */
void aimf_run_advise(GError *failure, GError **error);
/**
 * aimf_run_advise_findings: (owned) a copy of @findings in these words, where files of the run in @folder are called by
 * their path within it, whatever the folder is called.
 */
AimfFindings *aimf_run_advise_findings(const AimfFindings *findings, const char *folder);
