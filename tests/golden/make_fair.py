#!/usr/bin/env python3
"""Golden values for tests/fair: measures, bootstrap intervals, sensitivities and selections.

Measures come from scikit-learn and fairlearn where those define them, and from a NumPy restatement of the paper's measures
(arXiv 2503.05665, section 4) where they do not; where both exist they are asserted to agree here. Run: make_fair.py > fair.json
"""
import json
import platform
import sys

import fairlearn
import numpy as np
import sklearn
from fairlearn.metrics import (MetricFrame, demographic_parity_difference, equal_opportunity_difference,
                               equalized_odds_difference, false_positive_rate, true_positive_rate)
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

SEED = 20250310
rng = np.random.default_rng(SEED)
NAMES = ["accuracy", "worst_group_accuracy", "std_group_accuracy", "equalized_odds.mean", "equalized_odds.max",
         "equalized_odds.sum", "equal_opportunity", "demographic_parity", "auc", "balanced_accuracy"]


def gap(rates):
    rates = [r for r in rates if not np.isnan(r)]
    return max(rates) - min(rates) if len(rates) > 1 else np.nan


def mean(values):
    return np.mean(values) if len(values) else np.nan


def midrank_auc(positive, score):
    p, q = score[positive], score[~positive]
    if not len(p) or not len(q):
        return np.nan
    below = np.searchsorted(np.sort(q), p, side="left")
    tied = np.searchsorted(np.sort(q), p, side="right") - below
    return (below + tied / 2).sum() / (len(p) * len(q))


def measures(target, prediction, score, group, n_targets, n_protected):
    """The paper's measures, straight from their definitions."""
    right = prediction == target
    accuracy = [[mean(right[(target == t) & (group == g)]) for g in range(n_protected)] for t in range(n_targets)]
    rates = [(mean(prediction[(group == g) & (target == 1)] == 1), mean(prediction[(group == g) & (target != 1)] == 1),
              mean(prediction[group == g] == 1)) for g in range(n_protected)]
    tpr, fpr, selection = (gap([r[i] for r in rates]) for i in range(3))
    recall = [mean(right[target == t]) for t in range(n_targets) if (target == t).any()]
    values = [right.mean(), np.nanmin(accuracy), np.nanstd(accuracy), (tpr + fpr) / 2,
              np.nan if np.isnan(tpr + fpr) else max(tpr, fpr), tpr + fpr, tpr, selection,
              np.nan if score is None else midrank_auc(target == 1, score), np.mean(recall)]
    return accuracy, rates, values


def check_against_others(target, prediction, score, group, values, rates):
    """What scikit-learn and fairlearn say of a case in which all of it is defined."""
    by_name = dict(zip(NAMES, values))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    close(by_name["accuracy"], accuracy_score(target, prediction))
    close(by_name["balanced_accuracy"], balanced_accuracy_score(target, prediction))
    if score is not None:
        close(by_name["auc"], roc_auc_score(target, score))
    close(by_name["demographic_parity"], demographic_parity_difference(target, prediction, sensitive_features=group))
    close(by_name["equalized_odds.max"], equalized_odds_difference(target, prediction, sensitive_features=group))
    close(by_name["equal_opportunity"], equal_opportunity_difference(target, prediction, sensitive_features=group))
    frame = MetricFrame(metrics={"tpr": true_positive_rate, "fpr": false_positive_rate}, y_true=target,
                        y_pred=prediction, sensitive_features=group)
    close(np.array([r[:2] for r in rates]), frame.by_group[["tpr", "fpr"]].to_numpy())


def draw(n, n_protected, ties=False, bias=1.0, n_targets=2):
    group = rng.integers(n_protected, size=n)
    target = rng.integers(n_targets, size=n)
    logit = ((target == 1) * 2.0 - 1 + bias * (group / max(1, n_protected - 1) - 0.5) + rng.normal(size=n) * 1.5)
    score = (np.round(logit * 2) / 2 if ties else logit).astype(np.float32)
    prediction = (score >= 0).astype(int)
    if n_targets > 2:
        prediction = np.where(rng.random(n) < 0.6, target, rng.integers(n_targets, size=n))
    return target, prediction, score, group


def bootstrap(case, resamples=20000):
    """Percentile intervals from NumPy's own generator, and their Monte-Carlo error when the program draws 2000."""
    target, prediction, score, group, n_targets, n_protected = case
    drawn = np.array([measures(target[i], prediction[i], None if score is None else score[i], group[i], n_targets,
                               n_protected)[2]
                      for i in rng.integers(len(target), size=(resamples, len(target)))])
    blocks = drawn.reshape(-1, 2000, drawn.shape[1])
    ends = np.percentile(blocks, [2.5, 97.5], axis=1)  # (end, block, measure)
    return np.percentile(drawn, [2.5, 97.5], axis=0).T.tolist(), ends.std(axis=1, ddof=1).T.tolist()


def main():
    cases = []

    def add(name, target, prediction, score, group, n_targets, n_protected, others=True, intervals=False):
        accuracy, rates, values = measures(target, prediction, score, group, n_targets, n_protected)
        if others:
            check_against_others(target, prediction, score, group, values, rates)
        case = dict(name=name, n_targets=n_targets, n_protected=n_protected, target=target.tolist(),
                    prediction=prediction.tolist(), score=None if score is None else score.tolist(),
                    group=group.tolist(), scalars=values, groups=accuracy, protected=rates)
        if intervals:
            case["intervals"], case["errors"] = bootstrap((target, prediction, score, group, n_targets, n_protected))
        cases.append(case)

    t, p, s, g = draw(400, 2, bias=2.0)
    add("two-groups", t, p, s, g, 2, 2, intervals=True)
    t, p, s, g = draw(300, 5)
    add("five-groups", t, p, s, g, 2, 5)
    t, p, s, g = draw(250, 2, ties=True)
    add("ties", t, p, s, g, 2, 2, intervals=True)
    t, p, s, g = draw(120, 2)
    add("constant-score", t, np.ones_like(p), np.zeros_like(s), g, 2, 2)
    t, p, s, g = draw(120, 3)
    keep = ~((g == 1) & (t == 1))
    add("label-without-positives", t[keep], p[keep], s[keep], g[keep], 2, 3, others=False)
    t, p, s, g = draw(100, 2)
    add("empty-label", t, p, s, g * 2, 2, 3, others=False)
    t, p, s, g = draw(60, 2)
    add("all-positive", np.ones_like(t), p, s, g, 2, 2, others=False)
    t, p, s, g = draw(60, 2)
    add("one-label", t, p, s, np.zeros_like(g), 2, 1, others=False)
    add("one-sample", t[:1], p[:1], s[:1], np.zeros_like(g[:1]), 2, 1, others=False)
    t, p, s, g = draw(200, 3, n_targets=4)
    add("four-classes", t, p, None, g, 4, 3, others=False)

    selections = []
    for n, kind in ((12, "plain"), (9, "ties"), (6, "opposed"), (1, "single"), (62, "resnet")):
        domain, bias = rng.random(n), rng.random(n)
        if kind == "ties":
            domain, bias = np.round(domain * 3), np.round(bias * 3)
        if kind == "opposed":  # the most domain-sensitive tensors are the most bias-sensitive ones
            domain, bias = np.arange(n, dtype=float), np.arange(n, dtype=float)
        by_domain = sorted(range(n), key=lambda i: domain[i])
        by_bias = sorted(range(n), key=lambda i: bias[i], reverse=True)
        masks = []
        for k in range(1, n + 1):
            chosen = set(by_domain[:k]) & set(by_bias[:k])
            masks.append("".join("1" if i in chosen else "0" for i in range(n)))
        selections.append(dict(name=kind, domain=domain.tolist(), bias=bias.tolist(), masks=masks))

    shapes = dict(weight=(4, 3, 3, 3), bias=(7,), scalar=())
    gradients = {f"{s}/{name}": (rng.normal(size=shape) * 1e-3).astype(np.float32)
                 for name, shape in shapes.items() for s in ("real", "biased", "balanced")}
    difference = lambda a, b, name: float(np.mean(np.abs(gradients[f"{a}/{name}"].astype(np.float64) -
                                                        gradients[f"{b}/{name}"].astype(np.float64))))
    sensitivities = dict(
        gradients=[dict(name=k, shape=list(v.shape), values=v.ravel().tolist()) for k, v in gradients.items()],
        domain={name: difference("real", "biased", name) for name in shapes},
        bias={name: difference("biased", "balanced", name) for name in shapes})

    versions = dict(python=platform.python_version(), numpy=np.__version__, sklearn=sklearn.__version__,
                    fairlearn=fairlearn.__version__)
    golden = dict(seed=SEED, versions=versions, measures=cases, selections=selections, sensitivities=sensitivities)
    text = json.dumps(golden, default=lambda x: x.item())
    print(text.replace("NaN", "null"))


if __name__ == "__main__":
    np.seterr(all="raise")
    sys.exit(main())
