/* Pearson's chi-square test on a table of counts. */
#pragma once

#include <glib.h>

/**
 * aimf_gamma_q: the regularised upper incomplete gamma function Q(a, x), a > 0, x >= 0. Source: Abramowitz and Stegun
 * 6.5.29, 6.5.31.
 */
double aimf_gamma_q(double a, double x);

/** aimf_chi_square_tail: the probability of a chi-square of @degrees degrees of freedom at or above @x. */
double aimf_chi_square_tail(double x, guint degrees);

/**
 * AimfChiSquare:
 * @smallest: the smallest expected count; @cramers_v: NaN for fewer than two rows or columns; @column: contributes
 * most to @statistic
 */
typedef struct {
    double statistic;
    guint degrees;
    double p_value;
    double cramers_v;
    double smallest;
    guint column;
} AimfChiSquare;

/** aimf_chi_square: of @counts (rows, columns), every row and column of which has a sum above 0. */
AimfChiSquare aimf_chi_square(const guint *counts, guint rows, guint columns);
