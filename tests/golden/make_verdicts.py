#!/usr/bin/env python3
"""Golden values for tests/fair/test_verdicts.c, to stdout: demands for evidence decided by statsmodels' intervals, by
levels found with SciPy's root finder and by statsmodels' Holm. Tables are counts of two or three labels and two classes.
"""
import itertools
import json
import platform

import numpy as np
import scipy
import statsmodels
from scipy import optimize
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(1979)
ALPHA = 0.05


class Table:
    """cells[target][label] = (right, n)"""

    def __init__(self, cells):
        self.cells = cells
        self.labels = range(len(cells[0]))

    def share(self, rate, label):
        (right0, n0), (right1, n1) = self.cells[0][label], self.cells[1][label]
        return {"tpr": (right1, n1), "fpr": (n0 - right0, n0), "selection": (n0 - right0 + right1, n0 + n1),
                "precision": (right1, n0 - right0 + right1)}[rate]

    def pairs(self):
        return list(itertools.combinations(self.labels, 2))


def exact(share, alpha):
    return proportion_confint(*share, alpha=alpha, method="beta")


def summed(shares, weights):
    """Square-and-add, written from the paper: Zou and Donner 2008, equation (6)."""
    def interval(alpha):
        values = np.array([x / n for x, n in shares])
        low, high = np.array([exact(s, alpha) for s in shares]).T
        w = np.array(weights)
        centre = (w * values).sum()
        to_low = np.where(w > 0, values - low, high - values) * w
        to_high = np.where(w > 0, high - values, values - low) * w
        return centre - np.sqrt((to_low**2).sum()), centre + np.sqrt((to_high**2).sum())
    return interval


def components(table, measure, bound):
    """(interval(alpha), low, high) of each."""
    gaps = {"equal_opportunity": ["tpr"], "false_negative_rate_gap": ["tpr"], "demographic_parity": ["selection"],
            "precision_gap": ["precision"], "equalized_odds.max": ["tpr", "fpr"]}
    ratios = {"equal_opportunity_ratio": ["tpr"], "demographic_parity_ratio": ["selection"],
              "equalized_odds_ratio": ["tpr", "fpr"]}
    if measure in gaps:
        return [(summed([table.share(r, a), table.share(r, b)], [1, -1]), -bound, bound)
                for r in gaps[measure] for a, b in table.pairs()]
    if measure in ratios:
        return [(summed([table.share(r, a), table.share(r, b)], [1, -bound]), 0, np.inf)
                for r in ratios[measure] for a, b in itertools.permutations(table.labels, 2)]
    if measure in ("equalized_odds.mean", "equalized_odds.sum"):
        w = 0.5 if measure.endswith("mean") else 1
        return [(summed([table.share("tpr", a), table.share("tpr", b), table.share("fpr", c), table.share("fpr", d)],
                        [w, -w, s * w, -s * w]), -bound, bound)
                for a, b in table.pairs() for c, d in table.pairs() for s in (-1, 1)]
    if measure == "worst_group_accuracy":
        return [(lambda alpha, s=share: exact(s, alpha), bound, np.inf) for row in table.cells for share in row]
    if measure == "accuracy":
        share = tuple(np.sum([s for row in table.cells for s in row], axis=0))
        return [(lambda alpha: exact(share, alpha), bound, np.inf)]
    if measure == "balanced_accuracy":
        recalls = [tuple(np.sum(row, axis=0)) for row in table.cells]
        return [(summed(recalls, [0.5, 0.5]), bound, np.inf)]
    raise KeyError(measure)


def level(interval, low, high):
    """At which it begins to touch [low, high]."""
    def outside(alpha):
        l, h = interval(alpha)
        return max(l - high, low - h)
    if outside(1 - 1e-9) <= 0:
        return 1.0
    if outside(1e-14) > 0:
        return 0.0
    return float(np.exp(optimize.brentq(lambda a: outside(np.exp(a)), np.log(1e-14), np.log(1 - 1e-9), xtol=1e-12)))


def decide(table, demands):
    parts, owner = [], []
    for i, (measure, bound) in enumerate(demands):
        for interval, low, high in components(table, measure, bound):
            l, h = interval(ALPHA)
            parts.append((bool(low <= l and h <= high), 1.0 if low <= l and h <= high else level(interval, low, high)))
            owner.append(i)
    rejected = multipletests([p for _, p in parts], ALPHA, method="holm")[0]
    decisions, smallest = [], []
    for i in range(len(demands)):
        own = [k for k in range(len(parts)) if owner[k] == i]
        decisions.append("not met" if any(rejected[k] for k in own) else
                         "met" if all(parts[k][0] for k in own) else "not enough evidence")
        smallest.append(min(parts[k][1] for k in own))
    return decisions, smallest


MEASURES = ["accuracy>=0.75", "balanced_accuracy>=0.8", "worst_group_accuracy>=0.6", "equal_opportunity<=0.15",
            "demographic_parity<=0.1", "equalized_odds.max<=0.2", "equalized_odds.mean<=0.12", "equalized_odds.sum<=0.3",
            "precision_gap<=0.2", "false_negative_rate_gap<=0.3", "equal_opportunity_ratio>=0.8",
            "demographic_parity_ratio>=0.8", "equalized_odds_ratio>=0.5"]


def case(labels, sizes):
    accuracy = rng.uniform(0.55, 0.97, (2, labels))
    n = rng.integers(*sizes, (2, labels))
    cells = [[(int(rng.binomial(n[t][g], accuracy[t][g])), int(n[t][g])) for g in range(labels)] for t in range(2)]
    table = Table(cells)
    texts = list(rng.choice(MEASURES, 4, replace=False))
    demands = [(t.split(">=" if ">" in t else "<=")[0], float(t.split("=")[1])) for t in texts]
    decisions, levels = decide(table, demands)
    return {"right": [c[0] for row in cells for c in row], "n": [c[1] for row in cells for c in row],
            "demands": texts, "decisions": decisions, "levels": levels}


cases = [case(labels, sizes) for labels in (2, 3) for sizes in ((15, 40), (80, 200), (300, 900), (3000, 9000))
         for _ in range(6)]
print(json.dumps({"python": platform.python_version(), "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
                  "cases": cases}, separators=(",", ":")))
