#include "fair/contradictions.h"

#include "base/format.h"

#include <math.h>

/* Probabilities with two digits, and the sums of several such. */
static const double ROUNDING = 0.011, SUM_ROUNDING = 0.05;

void aimf_contradictions_compare(AimfContradictions *found, AimfContradiction kind, double a, double b, guint64 line)
{
    if (!(fabs(a - b) > (kind == AIMF_PROBABILITIES_SUM ? SUM_ROUNDING : ROUNDING)))
        return;
    if (found->seen[kind].n++)
        return;
    found->seen[kind].line = line;
    found->seen[kind].a = a;
    found->seen[kind].b = b;
}

void aimf_contradictions_predicted_class(AimfContradictions *found, int prediction, int largest, const double *shares,
                                         int n, guint64 line)
{
    if (prediction >= n || shares[largest] - shares[prediction] > ROUNDING)
        aimf_contradictions_compare(found, AIMF_PREDICTION_LARGEST, prediction, largest, line);
}

void aimf_contradictions_predicted(AimfContradictions *found, int prediction, double probability, guint64 line)
{
    if (prediction && (!found->lowest_positive.line || probability < found->lowest_positive.probability)) {
        found->lowest_positive.line = line;
        found->lowest_positive.probability = probability;
    } else if (!prediction && (!found->highest_negative.line || probability > found->highest_negative.probability)) {
        found->highest_negative.line = line;
        found->highest_negative.probability = probability;
    }
}

static void describe(GString *text, AimfContradiction kind, double a, double b)
{
    switch (kind) {
    case AIMF_LOGIT_PROBABILITY:
        aimf_format_append(text, "the logit's sigmoid is %.4g and the probability %.4g", a, b);
        break;
    case AIMF_PROBABILITY_CLASS:
        aimf_format_append(text, "the probability is %.4g and that of class 1 %.4g", a, b);
        break;
    case AIMF_PROBABILITIES_SUM:
        aimf_format_append(text, "the probabilities of the classes add up to %.4g, not to %g", a, b);
        break;
    case AIMF_PREDICTION_LARGEST:
        aimf_format_append(text, "the prediction is class %g and the most probable class %g", a, b);
        break;
    case AIMF_N_CONTRADICTIONS:
        break;
    }
}

char *aimf_contradictions_text(const AimfContradictions *found, guint n)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint kind = 0; kind < AIMF_N_CONTRADICTIONS; kind++) {
        if (!found->seen[kind].n)
            continue;
        g_string_append_printf(text, "%sline %" G_GUINT64_FORMAT ": ", text->len ? "; " : "", found->seen[kind].line);
        describe(text, kind, found->seen[kind].a, found->seen[kind].b);
        g_string_append_printf(text, " (such rows: %u of %u)", found->seen[kind].n, n);
    }
    if (found->lowest_positive.line && found->highest_negative.line &&
        found->highest_negative.probability > found->lowest_positive.probability + ROUNDING)
        aimf_format_append(text,
                           "%sno single threshold makes the predictions of the probabilities: line %" G_GUINT64_FORMAT
                           " is class 1 at %.4g, line %" G_GUINT64_FORMAT " class 0 at %.4g",
                           text->len ? "; " : "", found->lowest_positive.line, found->lowest_positive.probability,
                           found->highest_negative.line, found->highest_negative.probability);
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
