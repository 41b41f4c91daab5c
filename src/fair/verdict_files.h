/* Verdicts as other files have them. */
#pragma once

#include <aimfair/verdicts.h>
#include <json-glib/json-glib.h>

/** aimf_json_set_verdicts: the members "require" and "require_evidence", each where there are such demands. */
void aimf_json_set_verdicts(JsonObject *object, const AimfVerdicts *verdicts);

/**
 * AimfVerdictSuite: a test suite of JUnit's. @name: of any bytes; @verdicts: (nullable) of it; @skipped: (nullable) of
 * any bytes, why there are none, which makes it one skipped case
 */
typedef struct {
    const char *name;
    const AimfVerdicts *verdicts;
    const char *skipped;
} AimfVerdictSuite;

/** aimf_verdict_suites_junit: (owned) what aimf_verdicts_save_junit writes, of @suites (n). */
char *aimf_verdict_suites_junit(const AimfVerdictSuite *suites, guint n);
