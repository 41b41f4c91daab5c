#!/usr/bin/env python3
"""Golden values for tests/fair/test_intervals.c, to stdout: intervals and tests from statsmodels and SciPy, and where
they have none from the definition, without any formula that the program uses: Tango's score interval from a likelihood
that is maximised numerically, DeLong's variance from all pairs.
"""
import json
import platform

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

ALPHAS = [0.05, 0.01, 0.05 / 12]
rng = np.random.default_rng(1998)


def tango(both, lost, won, neither, alpha):
    n, z = both + lost + won + neither, stats.norm.isf(alpha / 2)

    def statistic(delta):
        """(change - delta) / its standard deviation, at the most likely probabilities with that change."""
        def loss(p):  # p: probability of a loss; p + delta: of a win
            rest = 1 - 2 * p - delta
            terms = [(won, p + delta), (lost, p), (n - won - lost, rest)]
            return -sum(k * np.log(q) if k else 0 for k, q in terms) if all(q > 0 or not k for k, q in terms) else np.inf
        low, high = max(0, -delta), (1 - delta) / 2
        p = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        for end in (low, high):
            p = end if loss(end) <= loss(p) else p
        variance = (2 * p + delta - delta**2) / n
        return ((won - lost) / n - delta) / np.sqrt(max(variance, 1e-300))

    change = (won - lost) / n
    ends = []
    for sign in (1, -1):
        far = -sign * (1 - 1e-9)
        crosses = lambda d: statistic(d) - sign * z
        ends.append(-sign * 1.0 if crosses(far) * sign < 0 else
                    optimize.brentq(crosses, far, change - sign * 1e-12, xtol=1e-13))
    return ends


def delong(score, positive):
    wins = np.greater.outer(score[positive], score[~positive]) + 0.5 * np.equal.outer(score[positive], score[~positive])
    by_positive, by_negative = wins.mean(axis=1), wins.mean(axis=0)
    variance = by_positive.var(ddof=1) / len(by_positive) + by_negative.var(ddof=1) / len(by_negative)
    return wins.mean(), variance


def main():
    shares = [(0, 10), (10, 10), (1, 29), (81, 263), (15, 148), (499, 500), (250, 500), (0, 1), (3, 100000)]
    wilson = [dict(x=x, n=n, alpha=a, interval=proportion_confint(x, n, a, "wilson")) for x, n in shares for a in ALPHAS]
    twos = [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((6, 7), (2, 7)), ((5, 56), (0, 29)), ((0, 10), (0, 20)), ((0, 10), (0, 10)),
            ((10, 10), (0, 20)), ((10, 10), (0, 10)), ((400, 500), (380, 500)), ((7, 34), (1, 34)), ((3, 25), (25, 25))]
    differences = [dict(a=a, b=b, alpha=alpha, interval=confint_proportions_2indep(*a, *b, compare="diff", method="newcomb", alpha=alpha))
                   for a, b in twos for alpha in ALPHAS]
    ratios = [dict(a=a, b=b, alpha=alpha, interval=confint_proportions_2indep(*a, *b, compare="ratio", method="score", alpha=alpha,
                                                                             correction=False))
              for a, b in twos if 0 < a[0] < a[1] and 0 < b[0] < b[1] for alpha in ALPHAS]
    tables = [(36, 2, 12, 0), (54, 0, 0, 0), (53, 1, 0, 0), (1, 0, 10, 50), (20, 10, 12, 5), (0, 30, 0, 0), (4, 3, 9, 16), (380, 20, 45, 55),
              (0, 5, 5, 0), (43, 0, 1, 0)]
    pairs = [dict(table=t, alpha=alpha, tango=tango(*t, alpha)) for t in tables for alpha in ALPHAS]
    tests = [dict(table=t, exact=mcnemar([[t[0], t[1]], [t[2], t[3]]], exact=True).pvalue,
                  mid=midp(t[1], t[2])) for t in tables + [(0, 900, 1000, 0)]]
    aucs = []
    for n, digits in (12, 1), (40, 1), (200, 3), (30, 0):
        positive = rng.random(n) < 0.4
        score = np.round(rng.normal(size=n) + positive, digits)
        auc, variance = delong(score, positive)
        aucs.append(dict(score=score.tolist(), target=positive.astype(int).tolist(), auc=auc, variance=variance))
    quantiles = [dict(p=p, z=stats.norm.ppf(p)) for p in (1e-300, 1e-20, 1e-5, 0.001, 0.025, 0.075, 0.3, 0.5, 0.6, 0.975, 1 - 1e-10)]
    student = [dict(t=t, freedom=f, p=2 * stats.t.sf(t, f), alpha=a, critical=stats.t.isf(a / 2, f))
               for f in (1, 2, 3, 4, 5, 9, 10, 29, 199) for t, a in ((0.1, 0.05), (1.5, 0.01), (4.0, 0.2))]
    exact = [dict(x=x, n=n, alpha=a, interval=proportion_confint(x, n, a, "beta")) for x, n in shares + [(1, 1000000), (999000, 1000000)]
             for a in ALPHAS + [1e-6]]
    seeds = []
    for n in (2, 5, 8):
        changes = rng.normal(0.02, 0.02, n).round(4)
        interval = stats.t.interval(0.95, n - 1, changes.mean(), stats.sem(changes))
        seeds.append(dict(changes=changes.tolist(), mean=changes.mean(), deviation=changes.std(ddof=1), interval=list(interval),
                          p=stats.ttest_rel(changes, np.zeros(n)).pvalue))
    versions = dict(python=platform.python_version(), numpy=np.__version__, scipy=scipy.__version__, statsmodels=statsmodels.__version__)
    print(json.dumps(dict(versions=versions, quantiles=quantiles, wilson=wilson, differences=differences, ratios=ratios, pairs=pairs,
                          mcnemar=tests, aucs=aucs, student=student, exact=exact, seeds=seeds), default=lambda x: x.item()))


def midp(lost, won):
    n = lost + won
    return 1.0 if n == 0 else min(1.0, 2 * (stats.binom.cdf(min(lost, won) - 1, n, 0.5) + 0.5 * stats.binom.pmf(min(lost, won), n, 0.5)))


if __name__ == "__main__":
    main()
