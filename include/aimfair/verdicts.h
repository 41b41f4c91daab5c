/*
 * What a test set shows about demands: met, not met, or not enough evidence.
 *
 * Example:
 *     gboolean judge(const AimfOutcomes *outcomes, const AimfMeasures *measures, GError **error)
 *     {
 *         AimfGate gate;
 *         if (!aimf_gate_parse("worst_group_accuracy>=0.7", TRUE, &gate, error))
 *             return FALSE;
 *         g_autoptr(AimfVerdicts) verdicts = aimf_judge(&gate, 1, measures, outcomes, NULL, NULL, error);
 *         if (verdicts)
 *             g_print("%s: %s\n", gate.text, aimf_decision_name(verdicts->verdicts[0].decision));
 *         aimf_gate_clear(&gate);
 *         return verdicts != NULL;
 *     }
 */
#pragma once

#include <aimfair/fair.h>

G_BEGIN_DECLS

/** AimfDecision: on a demand. Without AimfGate's evidence it is never the last. */
typedef enum { AIMF_MET, AIMF_NOT_MET, AIMF_NOT_ENOUGH_EVIDENCE } AimfDecision;

/** aimf_decision_name: (static) "met", "not met", "not enough evidence". */
const char *aimf_decision_name(AimfDecision decision);

/**
 * AimfVerdictPart: one of the components that a demand for evidence is judged by: a share, a signed difference or a
 * ratio of two, which has an interval that holds, as a largest gap or a lowest accuracy has not.
 * @what: (owned) "TPR of old - TPR of young"; @value, @interval: of 95 %, NaN where nothing was counted
 * @low, @high: where it must lie
 * @inside: the interval lies there; @outside: it lies elsewhere, at Holm's level
 * @p: the level at which its interval leaves [@low, @high]; 1 if @value lies there
 */
typedef struct {
    char *what;
    double value;
    AimfInterval interval;
    double low, high;
    gboolean inside;
    gboolean outside;
    double p;
} AimfVerdictPart;

/**
 * AimfNeed: @n pictures there are of @what (owned), "1_old"; with @needed of them, rates as they are, the demand is
 * settled.
 */
typedef struct {
    char *what;
    guint64 n;
    guint64 needed;
} AimfNeed;

/**
 * AimfVerdict: on one demand.
 * @gate: (owned) the demand; @value: the measure's estimate, NaN if unknown
 * @parts: (n_parts) by which it was judged, the most telling first; none without AimfGate's evidence
 * @needs: (n_needs) of which pictures more are needed, where evidence lacks and a number can be said
 */
typedef struct {
    AimfGate gate;
    double value;
    AimfDecision decision;
    AimfVerdictPart *parts;
    guint n_parts;
    AimfNeed *needs;
    guint n_needs;
} AimfVerdict;

struct AimfVerdicts {
    AimfVerdict *verdicts; /* (n), in the order of the demands, owned */
    guint n;
};

/**
 * aimf_judge:
 * @gates: (n); @measures: that they are about: of @outcomes, or after in @comparison
 * @outcomes: (nullable) what was measured; without it nothing may need evidence
 * @comparison: (nullable) for AIMF_NO_GROUP_WORSE_THAN; @monitor: (nullable) may stop it
 * A demand that needs evidence is met if the 95 % intervals of all of its parts lie where it asks (an
 * intersection-union test: no correction is due), and not met if one lies wholly elsewhere at Holm's level, over the
 * parts of all demands, of 5 % in all.
 * Returns: (owned) or NULL with INVALID: evidence without @outcomes, AIMF_NO_GROUP_WORSE_THAN without @comparison, more
 * than 16384 parts of one demand; MEMORY or INTERRUPTED.
 * Sources: Berger 1982 for intersection-union tests; Holm 1979; docs/evaluate.md for the intervals.
 */
AimfVerdicts *aimf_judge(const AimfGate *gates, guint n, const AimfMeasures *measures, const AimfOutcomes *outcomes,
                         const AimfComparison *comparison, const AimfMonitor *monitor, GError **error);

/** aimf_verdict_text: (owned) why it is not met or open, and what would settle it; "" where it is met. */
char *aimf_verdict_text(const AimfVerdict *verdict);

/**
 * aimf_verdicts_save_junit: JUnit's XML, a test case per demand; what is not met and what lacks evidence are failures
 * of the types "not-met" and "not-enough-evidence". @suite: its name, of any bytes. FALSE as aimf_manifest_save.
 */
gboolean aimf_verdicts_save_junit(const AimfVerdicts *verdicts, const char *suite, const char *path, GError **error);

G_END_DECLS
