/*
 * What was found to be wrong or doubtful about sets of pictures.
 *
 * Example:
 *     #include <aimfair/data.h>
 *     gboolean look_at(const AimfManifest *samples, double bias, GError **error)
 *     {
 *         g_autoptr(AimfFindings) findings = aimf_findings_new();
 *         aimf_check_dataset(samples, "dataset", findings);
 *         aimf_check_bias(samples, bias, 1000, findings);
 *         if (!aimf_findings_allow(findings, NULL, error))
 *             return FALSE; // something is certain: the error names it
 *         for (guint i = 0; i < aimf_findings_count(findings); i++)
 *             g_printerr("doubtful: %s\n", aimf_findings_at(findings, i)->text);
 *         return TRUE;
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AimfFinding:
 * @name: (static) the kind, "overlap"; @text: (owned) what was seen
 * @certain: manifests or hashes show that it is wrong: an error unless it is allowed; otherwise it is only doubtful:
 *   a warning
 */
typedef struct {
    const char *name;
    char *text;
    gboolean certain;
} AimfFinding;

/** AimfFindings: a list of findings, which it owns. */
typedef struct AimfFindings AimfFindings;

/** aimf_findings_new: (owned) an empty list. */
AimfFindings *aimf_findings_new(void);
/** aimf_findings_free: @findings (nullable). */
void aimf_findings_free(AimfFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfFindings, aimf_findings_free)

/** aimf_findings_count: how many there are; 0 for NULL. */
guint aimf_findings_count(const AimfFindings *findings);
/** aimf_findings_at: (borrowed) until the next is added; @index below the count. */
const AimfFinding *aimf_findings_at(const AimfFindings *findings, guint index);
/** aimf_findings_has: whether there is one called @name. */
gboolean aimf_findings_has(const AimfFindings *findings, const char *name);

/** aimf_findings_add: @name must be static. A finding that is there already is not repeated. */
void aimf_findings_add(AimfFindings *findings, const char *name, gboolean certain, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/** aimf_findings_copy: adds a copy of @finding, which may be of another set of findings. */
void aimf_findings_copy(AimfFindings *findings, const AimfFinding *finding);

/**
 * aimf_allowable_findings: (borrowed) NULL-terminated names of the findings that can be certain, and so can be
 * allowed.
 */
const char *const *aimf_allowable_findings(void);

/**
 * aimf_findings_allow:
 * @names: (nullable) NULL-terminated; "overlap" also allows "same-set", which is the whole overlap
 * Certain findings of these names become doubtful ones. Returns: FALSE with INVALID, naming all that remain certain.
 */
gboolean aimf_findings_allow(AimfFindings *findings, const char *const *names, GError **error);

/** aimf_findings_json: (owned) [{"name": …, "text": …}, …] on one line; "[]" also for NULL. */
char *aimf_findings_json(const AimfFindings *findings);
/**
 * aimf_findings_parse: appends what aimf_findings_json made; names may be unknown. FALSE if @text is not of that
 * form.
 */
gboolean aimf_findings_parse(AimfFindings *findings, const char *text);

G_END_DECLS
