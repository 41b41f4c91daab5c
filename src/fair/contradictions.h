/* Where a table of answers says one thing in two columns, and they differ. */
#pragma once

#include <aimfair/findings.h>

/** AimfContradiction: what can contradict what; their texts are in contradictions.c. */
typedef enum {
    AIMF_LOGIT_PROBABILITY,  /* the sigmoid of the logit and the probability */
    AIMF_PROBABILITY_CLASS,  /* probability and probability_1, of two classes */
    AIMF_PROBABILITIES_SUM,  /* probabilities of all classes, which add up to 1 */
    AIMF_PREDICTION_LARGEST, /* the prediction and the class of the largest probability, of more than two */
    AIMF_N_CONTRADICTIONS
} AimfContradiction;

/** AimfContradictions: how many rows have each, and the first of them. Begins as { 0 }. */
typedef struct {
    struct {
        guint n;
        guint64 line;
        double a, b; /* what it says */
    } seen[AIMF_N_CONTRADICTIONS];
    struct {
        guint64 line;
        double probability;
    } lowest_positive, highest_negative; /* line 0: none yet */
} AimfContradictions;

/**
 * aimf_contradictions_compare: notes one if @a and @b differ by more than rounding to two digits explains. NaN differs
 * from nothing.
 */
void aimf_contradictions_compare(AimfContradictions *found, AimfContradiction kind, double a, double b, guint64 line);
/**
 * aimf_contradictions_predicted_class: of several classes with @shares (n): @prediction beside the @largest. Shares
 * that rounding makes equal are.
 */
void aimf_contradictions_predicted_class(AimfContradictions *found, int prediction, int largest, const double *shares,
                                         int n, guint64 line);
/**
 * aimf_contradictions_predicted: one row's @prediction of two classes beside the probability of class 1: together they
 * contradict each other if no threshold gives them all.
 */
void aimf_contradictions_predicted(AimfContradictions *found, int prediction, double probability, guint64 line);

/** aimf_contradictions_text: (owned, nullable) all of them; NULL for none. @n: rows there are */
char *aimf_contradictions_text(const AimfContradictions *found, guint n);
