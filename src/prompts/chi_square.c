#include "prompts/chi_square.h"

#include <float.h>
#include <math.h>

enum { MAX_TERMS = 100000 };

/* P(a, x) by its power series, for x below a + 1, where the terms fall from the start. */
static double gamma_p_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int n = 1; n < MAX_TERMS && term > sum * DBL_EPSILON; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * exp(a * log(x) - x - lgamma(a));
}

/*
 * Q(a, x) by the even part of its continued fraction, evaluated forwards (Lentz's method: Thompson and Barnett 1986).
 */
static double gamma_q_fraction(double a, double x)
{
    double b = x + 1 - a;
    double c = 1 / DBL_MIN, d = 1 / b, fraction = d;
    for (int n = 1; n < MAX_TERMS; n++) {
        double numerator = -n * (n - a);
        b += 2;
        d = numerator * d + b;
        d = 1 / (fabs(d) < DBL_MIN ? DBL_MIN : d);
        c = b + numerator / c;
        c = fabs(c) < DBL_MIN ? DBL_MIN : c;
        fraction *= c * d;
        if (fabs(c * d - 1) < DBL_EPSILON)
            break;
    }
    return fraction * exp(a * log(x) - x - lgamma(a));
}

double aimf_gamma_q(double a, double x)
{
    if (x <= 0)
        return 1;
    return x < a + 1 ? 1 - gamma_p_series(a, x) : gamma_q_fraction(a, x);
}

double aimf_chi_square_tail(double x, guint degrees)
{
    return aimf_gamma_q(degrees / 2.0, x / 2);
}

AimfChiSquare aimf_chi_square(const guint *counts, guint rows, guint columns)
{
    g_autofree double *row_sums = g_new0(double, rows);
    g_autofree double *column_sums = g_new0(double, columns);
    double all = 0;
    for (guint r = 0; r < rows; r++)
        for (guint c = 0; c < columns; c++) {
            row_sums[r] += counts[(gsize)r * columns + c];
            column_sums[c] += counts[(gsize)r * columns + c];
            all += counts[(gsize)r * columns + c];
        }
    AimfChiSquare result = { .smallest = INFINITY, .p_value = NAN, .cramers_v = NAN };
    double most = -1;
    for (guint c = 0; c < columns; c++) {
        double share = 0;
        for (guint r = 0; r < rows; r++) {
            double expected = row_sums[r] * column_sums[c] / all, gap = counts[(gsize)r * columns + c] - expected;
            share += gap * gap / expected;
            result.smallest = MIN(result.smallest, expected);
        }
        result.statistic += share;
        result.column = share > most ? c : result.column;
        most = MAX(most, share);
    }
    if (rows < 2 || columns < 2)
        return result;
    result.degrees = (rows - 1) * (columns - 1);
    result.p_value = aimf_chi_square_tail(result.statistic, result.degrees);
    result.cramers_v = sqrt(result.statistic / (all * (MIN(rows, columns) - 1)));
    return result;
}
