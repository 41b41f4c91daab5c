#include "fair/intervals.h"

#include <math.h>

static const AimfInterval UNKNOWN = { NAN, NAN };

double aimf_share_value(AimfShare share)
{
    return share.n ? (double)share.x / (double)share.n : NAN;
}

/* --- The normal distribution --- */

static double polynomial(const double *coefficients, guint n, double x)
{
    double value = 0;
    for (guint i = n; i-- > 0;)
        value = value * x + coefficients[i];
    return value;
}

double aimf_normal_quantile(double p)
{
    static const double CENTRE[2][8] = {
        { 3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
          4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3 },
        { 1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
          3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3 }
    };
    static const double MIDDLE[2][8] = {
        { 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
          1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4 },
        { 1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
          1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9 }
    };
    static const double TAIL[2][8] = {
        { 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
          2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7 },
        { 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
          1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15 }
    };
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(CENTRE[0], 8, r) / polynomial(CENTRE[1], 8, r);
    }
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double z = r <= 5 ? polynomial(MIDDLE[0], 8, r - 1.6) / polynomial(MIDDLE[1], 8, r - 1.6)
                      : polynomial(TAIL[0], 8, r - 5) / polynomial(TAIL[1], 8, r - 5);
    return q < 0 ? -z : z;
}

/* From the lower tail, which is exact for any small @alpha. */
static double critical(double alpha)
{
    return -aimf_normal_quantile(alpha / 2);
}

/* Where @function, which is at least 0 at @inside and falls towards @outside, crosses 0. */
typedef double (*Function)(double at, gconstpointer data);

static double crossing(Function function, gconstpointer data, double inside, double outside)
{
    if (function(outside, data) >= 0)
        return outside;
    for (int i = 0; i < 200 && inside != outside; i++) {
        double middle = inside + (outside - inside) / 2;
        if (middle == inside || middle == outside)
            break;
        if (function(middle, data) >= 0)
            inside = middle;
        else
            outside = middle;
    }
    return inside;
}

/* --- Student's --- */

double aimf_student_two_sided(double t, guint freedom)
{
    double angle = atan2(fabs(t), sqrt((double)freedom)), cosine2 = cos(angle) * cos(angle);
    double term = freedom % 2 ? cos(angle) : 1, sum = freedom == 1 ? 0 : term;
    for (guint k = freedom % 2 ? 3 : 2; k < freedom; k += 2) {
        term *= cosine2 * (k - 1) / k;
        sum += term;
    }
    double inside = sin(angle) * sum;
    if (freedom % 2)
        inside = 2 / G_PI * (angle + inside);
    return MAX(1 - inside, 0);
}

typedef struct {
    double alpha;
    guint freedom;
} Student;

static double student_excess(double at, gconstpointer data)
{
    const Student *s = data;
    return aimf_student_two_sided(tan(at), s->freedom) - s->alpha;
}

double aimf_student_critical(double alpha, guint freedom)
{
    const Student student = { alpha, freedom };
    return tan(crossing(student_excess, &student, 0, G_PI_2));
}

/* --- Independent shares --- */

AimfInterval aimf_wilson(AimfShare share, double alpha)
{
    if (!share.n)
        return UNKNOWN;
    double n = (double)share.n, x = (double)share.x, z = critical(alpha), z2 = z * z;
    double centre = 2 * x + z2, spread = z * sqrt(z2 + 4 * x * (n - x) / n), scale = 2 * (n + z2);
    return (AimfInterval){ share.x ? MAX((centre - spread) / scale, 0) : 0,
                           share.x < share.n ? MIN((centre + spread) / scale, 1) : 1 };
}

/* The regularised incomplete beta function by its continued fraction, which is quick below the mean. */
static double beta_share(double x, double a, double b, double log_beta)
{
    enum { MOST = 100000 };
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    if (x > (a + 1) / (a + b + 2))
        return 1 - beta_share(1 - x, b, a, log_beta);
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), value;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    value = d;
    for (int m = 1; m < MOST; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / MAX(1 + even * d, tiny);
        c = MAX(1 + even / c, tiny);
        value *= d * c;
        d = 1 + odd * d;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = 1 + odd / c;
        c = fabs(c) < tiny ? tiny : c;
        value *= d * c;
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return exp(a * log(x) + b * log1p(-x) - log_beta) * value / a;
}

/* Where the share is @p: Newton's steps from @start, kept between what is too low and too high. */
static double beta_quantile(double p, double a, double b, double start)
{
    enum { MOST = 200 };
    double log_beta = lgamma(a) + lgamma(b) - lgamma(a + b), low = 0, high = 1, x = CLAMP(start, 1e-12, 1 - 1e-12);
    for (int i = 0; i < MOST; i++) {
        double excess = beta_share(x, a, b, log_beta) - p;
        if (excess > 0)
            high = x;
        else
            low = x;
        double step = excess / exp((a - 1) * log(x) + (b - 1) * log1p(-x) - log_beta), next = x - step;
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        if (fabs(next - x) <= 1e-15 * x || next == low || next == high)
            return next;
        x = next;
    }
    return x;
}

AimfInterval aimf_clopper_pearson(AimfShare share, double alpha)
{
    if (!share.n)
        return UNKNOWN;
    double n = (double)share.n, x = (double)share.x;
    AimfInterval start = aimf_wilson(share, alpha);
    return (AimfInterval){ share.x ? beta_quantile(alpha / 2, x, n - x + 1, start.low) : 0,
                           share.x < share.n ? 1 - beta_quantile(alpha / 2, n - x, x + 1, 1 - start.high) : 1 };
}

AimfInterval aimf_square_and_add(const double *values, const AimfInterval *intervals, const double *weights, guint n)
{
    double sum = 0, below = 0, above = 0;
    for (guint i = 0; i < n; i++) {
        double to_low = weights[i] * (values[i] - (weights[i] > 0 ? intervals[i].low : intervals[i].high));
        double to_high = weights[i] * ((weights[i] > 0 ? intervals[i].high : intervals[i].low) - values[i]);
        sum += weights[i] * values[i];
        below += to_low * to_low;
        above += to_high * to_high;
    }
    return (AimfInterval){ sum - sqrt(below), sum + sqrt(above) };
}

AimfInterval aimf_newcombe(AimfShare a, AimfShare b, double alpha)
{
    const double values[] = { aimf_share_value(a), aimf_share_value(b) }, weights[] = { 1, -1 };
    const AimfInterval intervals[] = { aimf_wilson(a, alpha), aimf_wilson(b, alpha) };
    return a.n && b.n ? aimf_square_and_add(values, intervals, weights, 2) : UNKNOWN;
}

/* A ratio is tried: how far its score statistic is from the critical value; 0 or more: not refuted. */
typedef struct {
    double x1, n1, x2, n2, z;
} RatioScore;

static double ratio_score(double at, gconstpointer data)
{
    const RatioScore *s = data;
    double ratio = tan(at); /* from 0 to infinity */
    double a = (s->n1 + s->n2) * ratio, b = -(s->n1 * ratio + s->x1 + s->n2 + s->x2 * ratio), c = s->x1 + s->x2;
    /* The share of b under the ratio: the root within [0, 1], in the form that does not cancel. */
    double p2 = MIN(2 * c / (-b + sqrt(MAX(b * b - 4 * a * c, 0))), 1), p1 = MIN(ratio * p2, 1);
    double variance = p1 * (1 - p1) / s->n1 + ratio * ratio * p2 * (1 - p2) / s->n2;
    double difference = fabs(s->x1 / s->n1 - ratio * (s->x2 / s->n2));
    return difference == 0 ? s->z : s->z * sqrt(variance) - difference;
}

AimfInterval aimf_ratio_interval(AimfShare a, AimfShare b, double alpha)
{
    if (!a.n || !b.n || (!a.x && !b.x))
        return UNKNOWN;
    const RatioScore score = { (double)a.x, (double)a.n, (double)b.x, (double)b.n, critical(alpha) };
    double estimate = atan2(aimf_share_value(a), aimf_share_value(b));
    double low = a.x ? crossing(ratio_score, &score, estimate, 0) : 0;
    return (AimfInterval){ tan(low), b.x ? tan(crossing(ratio_score, &score, estimate, G_PI_2)) : INFINITY };
}

/* --- Pairs --- */

AimfPairs aimf_group_pairs(const AimfGroupPairs *group)
{
    guint both = group->right_before - group->lost;
    return (AimfPairs){ both, group->lost, group->won, group->n - both - group->lost - group->won };
}

static double count_of(AimfPairs p)
{
    return (double)p.both + (double)p.lost + (double)p.won + (double)p.neither;
}

typedef struct {
    double n, won, lost, z;
} PairedScore;

/* Tango's statistic for the change @at, with the share of losses under it. */
static double paired_score(double at, gconstpointer data)
{
    const PairedScore *s = data;
    double a = 2 * s->n, b = -s->won - s->lost + (2 * s->n - s->won + s->lost) * at, c = -s->lost * at * (1 - at);
    double q = MAX((sqrt(MAX(b * b - 4 * a * c, 0)) - b) / (2 * a), 0);
    double variance = s->n * (2 * q + at * (1 - at));
    double difference = fabs(s->won - s->lost - s->n * at);
    return difference == 0 ? s->z : s->z * sqrt(MAX(variance, 0)) - difference;
}

AimfInterval aimf_tango(AimfPairs pairs, double alpha)
{
    double n = count_of(pairs);
    if (n == 0)
        return UNKNOWN;
    const PairedScore score = { n, (double)pairs.won, (double)pairs.lost, critical(alpha) };
    double estimate = (score.won - score.lost) / n;
    return (AimfInterval){ crossing(paired_score, &score, estimate, -1), crossing(paired_score, &score, estimate, 1) };
}

/* P(X <= k) and P(X = k) of n fair tosses. */
static double tosses(guint64 k, guint64 n, double *exactly)
{
    double sum = 0, base = lgamma((double)n + 1) - (double)n * G_LN2;
    for (guint64 i = 0; i <= k; i++) {
        *exactly = exp(base - lgamma((double)i + 1) - lgamma((double)(n - i) + 1));
        sum += *exactly;
    }
    return sum;
}

double aimf_mcnemar(AimfPairs pairs, gboolean mid)
{
    guint64 n = pairs.won + pairs.lost;
    double exactly = 1, tail = tosses(MIN(pairs.won, pairs.lost), n, &exactly);
    if (!n || pairs.won == pairs.lost)
        return 1;
    return MIN(2 * tail, 1) - (mid ? exactly : 0);
}

/* --- AUC --- */

typedef struct {
    double auc, positives, negatives, z;
} AucScore;

static double auc_score(double at, gconstpointer data)
{
    const AucScore *s = data;
    double n = (s->positives + s->negatives) / 2 - 1;
    double variance = at * (1 - at) * (1 + n * ((1 - at) / (2 - at) + at / (1 + at))) / (s->positives * s->negatives);
    return at == s->auc ? s->z : s->z * sqrt(MAX(variance, 0)) - fabs(at - s->auc);
}

AimfInterval aimf_auc_interval(double auc, double variance, guint64 positives, guint64 negatives, double alpha)
{
    if (isnan(auc) || !positives || !negatives)
        return UNKNOWN;
    double z = critical(alpha);
    if (variance > 0 && auc > 0 && auc < 1) {
        double logit = log(auc / (1 - auc)), spread = z * sqrt(variance) / (auc * (1 - auc));
        return (AimfInterval){ 1 / (1 + exp(spread - logit)), 1 / (1 + exp(-spread - logit)) };
    }
    const AucScore score = { auc, (double)positives, (double)negatives, z };
    return (AimfInterval){ crossing(auc_score, &score, auc, 0), crossing(auc_score, &score, auc, 1) };
}
