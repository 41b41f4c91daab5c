/*
 * What a demand for evidence is judged by. A largest gap is small if every signed difference of two labels lies near
 * 0, a lowest accuracy is high if every group's is: these components have intervals that hold. As a decision hangs on
 * them, shares have the exact interval, and sums of them square-and-add of those. A mean over classes has that of the
 * measures.
 */
#pragma once

#include "fair/shares.h"

typedef enum { AIMF_SUM_OF_SHARES, AIMF_AREA, AIMF_PAIRED_CHANGE, AIMF_MEAN_OF_CLASSES } AimfForm;

/**
 * AimfTerm: pictures that were counted. @share: how many of them answered so; of an area and of pairs only @n counts
 * @weight: in a sum; @of: (owned) which pictures, "1_old"
 */
typedef struct {
    AimfShare share;
    double weight;
    char *of;
} AimfTerm;

/**
 * AimfComponent: @what: (owned) what it is, for people; @low, @high: where the demand asks it to be
 * @terms: (n_terms) owned
 * @pairs: of a paired change; @auc, @variance: of an area, whose terms are class and others
 * @class_scalar: of a mean over classes, of @measures and @counts, borrowed
 */
typedef struct {
    AimfForm form;
    char *what;
    double low, high;
    AimfTerm *terms;
    guint n_terms;
    AimfPairs pairs;
    double auc, variance;
    guint class_scalar;
    const AimfMeasures *measures;
    const AimfCounts *counts;
} AimfComponent;

void aimf_component_free(AimfComponent *component);

/** aimf_components_objection: (static, nullable) why evidence of @gate cannot be had, and the mend. */
const char *aimf_components_objection(const AimfGate *gate);

/**
 * aimf_components_of:
 * @counts: of @measures; @labels: the protected ones; @comparison: (nullable) where @gate is of it
 * Appends AimfComponent of @gate to @components; none where the measure is unknown. FALSE with INVALID: too many.
 */
gboolean aimf_components_of(const AimfGate *gate, const AimfMeasures *measures, const AimfCounts *counts,
                            char *const *labels, const AimfComparison *comparison, GPtrArray *components,
                            GError **error);

/** aimf_component_value: NaN where nothing was counted. */
double aimf_component_value(const AimfComponent *component);
/**
 * aimf_component_interval: at the two-sided level @alpha, if there were at least @least pictures of each term that has
 * some, and the rates the same. NaN where nothing was counted.
 */
AimfInterval aimf_component_interval(const AimfComponent *component, double alpha, guint64 least);
