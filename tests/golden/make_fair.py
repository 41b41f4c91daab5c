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
from fairlearn.metrics import (MetricFrame, demographic_parity_difference, demographic_parity_ratio,
                               equal_opportunity_difference, equal_opportunity_ratio, equalized_odds_difference,
                               equalized_odds_ratio, false_negative_rate, false_positive_rate, selection_rate,
                               true_negative_rate, true_positive_rate)
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, roc_auc_score

SEED = 20250310
rng = np.random.default_rng(SEED)
CLASS_NAMES = ["equalized_odds.mean", "equalized_odds.max", "equalized_odds.sum", "equal_opportunity", "demographic_parity",
               "auc", "demographic_parity_ratio", "equalized_odds_ratio", "equal_opportunity_ratio",
               "false_negative_rate_gap", "precision_gap", "calibration_error", "calibration_error_gap"]
LOW_IS_BAD = ["auc", "demographic_parity_ratio", "equalized_odds_ratio", "equal_opportunity_ratio"]
NAMES = ["accuracy", "worst_group_accuracy", "std_group_accuracy", "balanced_accuracy", *CLASS_NAMES,
         *("macro." + name for name in CLASS_NAMES), *("worst." + name for name in CLASS_NAMES)]
LABEL_NAMES = ["accuracy", "balanced_accuracy", "tpr", "fpr", "tnr", "fnr", "precision", "selection_rate", "auc",
               "calibration_error"]
BINS = 15


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


def ratio(rates):
    rates = [r for r in rates if not np.isnan(r)]
    return min(rates) / max(rates) if len(rates) > 1 and max(rates) > 0 else np.nan


def calibration_error(positive, probability):
    """Expected calibration error, bins (b/15, (b+1)/15]."""
    if probability is None or not len(positive):
        return np.nan
    exact = probability.astype(np.float64)
    bins = np.searchsorted(np.arange(1, BINS) / BINS, exact, side="left")
    return sum(abs(exact[bins == b].sum() - positive[bins == b].sum()) for b in range(BINS)) / len(positive)


def label_measures(target, prediction, positive, selected, score, probability):
    """Those of one protected label; score and probability are of the class that is positive."""
    recall = [mean(prediction[target == t] == t) for t in np.unique(target)]
    return [mean(prediction == target), mean(recall), mean(selected[positive]), mean(selected[~positive]),
            mean(~selected[~positive]), mean(~selected[positive]), mean(positive[selected]), mean(selected),
            np.nan if score is None else midrank_auc(positive, score), calibration_error(positive, probability)]


def class_measures(target, prediction, c, score, probability, group, n_protected):
    """The labels' measures and the scalars of class c against all others."""
    positive, selected = target == c, prediction == c
    at = lambda values, g: None if values is None else values[group == g]
    labels = [label_measures(target[group == g], prediction[group == g], positive[group == g], selected[group == g],
                             at(score, g), at(probability, g)) for g in range(n_protected)]
    column = {name: [label[i] for label in labels] for i, name in enumerate(LABEL_NAMES)}
    tpr, fpr = gap(column["tpr"]), gap(column["fpr"])
    known = lambda name: np.count_nonzero(~np.isnan(column[name])) > 1
    odds = [r for r in (ratio(column["tpr"]), ratio(column["fpr"])) if not np.isnan(r)]
    return labels, [(tpr + fpr) / 2, np.nan if np.isnan(tpr + fpr) else max(tpr, fpr), tpr + fpr, tpr,
                    gap(column["selection_rate"]), np.nan if score is None else midrank_auc(positive, score),
                    ratio(column["selection_rate"]),
                    min(odds) if odds and known("tpr") and known("fpr") else np.nan, ratio(column["tpr"]),
                    gap(column["fnr"]), gap(column["precision"]), calibration_error(positive, probability),
                    gap(column["calibration_error"])]


def measures(target, prediction, scores, group, n_targets, n_protected):
    """All of it from the definitions. @scores: (score, probability) of class 1, or (n, n_targets) probabilities, or None."""
    right = prediction == target
    accuracy = [[mean(right[(target == t) & (group == g)]) for g in range(n_protected)] for t in range(n_targets)]
    recall = [mean(right[target == t]) for t in range(n_targets) if (target == t).any()]
    values = [right.mean(), np.nanmin(accuracy), np.nanstd(accuracy), np.mean(recall)]
    unknown = [np.nan] * len(CLASS_NAMES)
    if n_targets == 2:
        labels, scalars = class_measures(target, prediction, 1, *(scores or (None, None)), group, n_protected)
        return accuracy, labels, values + scalars + 2 * unknown
    of = lambda c: None if scores is None else scores[:, c]
    each = [class_measures(target, prediction, c, of(c), of(c), group, n_protected)[1] for c in range(n_targets)]
    each = [e for c, e in enumerate(each) if (target == c).any() or (prediction == c).any()]  # others only dilute the mean
    columns = [[v for v in column if not np.isnan(v)] for column in zip(*each)]
    worst = [min if name in LOW_IS_BAD else max for name in CLASS_NAMES]
    labels = [[label[0], label[1]] + [np.nan] * 8
              for label in class_measures(target, prediction, 1, None, None, group, n_protected)[0]]
    return (accuracy, labels, values + unknown + [mean(c) for c in columns] +
            [f(c) if c else np.nan for f, c in zip(worst, columns)])


def check_against_others(target, prediction, score, probability, group, values, labels):
    """What scikit-learn and fairlearn say of a case in which all of it is defined; target and prediction are 0 and 1."""
    by_name = dict(zip(NAMES, values))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    others = dict(sensitive_features=group)
    close(by_name["demographic_parity"], demographic_parity_difference(target, prediction, **others))
    close(by_name["demographic_parity_ratio"], demographic_parity_ratio(target, prediction, **others))
    close(by_name["equalized_odds.mean"], equalized_odds_difference(target, prediction, agg="mean", **others))
    close(by_name["equalized_odds.max"], equalized_odds_difference(target, prediction, **others))
    close(by_name["equalized_odds_ratio"], equalized_odds_ratio(target, prediction, **others))
    close(by_name["equal_opportunity"], equal_opportunity_difference(target, prediction, **others))
    close(by_name["equal_opportunity_ratio"], equal_opportunity_ratio(target, prediction, **others))
    metrics = {"tpr": true_positive_rate, "fpr": false_positive_rate, "tnr": true_negative_rate,
               "fnr": false_negative_rate, "precision": precision_score, "selection_rate": selection_rate}
    frame = MetricFrame(metrics=metrics, y_true=target, y_pred=prediction, **others)
    close(np.array([label[2:8] for label in labels]), frame.by_group[list(metrics)].to_numpy())
    close(by_name["false_negative_rate_gap"], frame.difference()["fnr"])
    close(by_name["precision_gap"], frame.difference()["precision"])
    if score is None:
        return
    frame = MetricFrame(metrics={"auc": roc_auc_score, "ece": curve_error}, y_true=target,
                        y_pred=probability.astype(np.float64), **others)
    np.testing.assert_allclose([label[9] for label in labels], frame.by_group["ece"], rtol=1e-9)
    np.testing.assert_allclose(by_name["calibration_error"], frame.overall["ece"], rtol=1e-9)
    np.testing.assert_allclose(by_name["calibration_error_gap"], frame.difference()["ece"], rtol=1e-9)
    close(by_name["auc"], roc_auc_score(target, score))
    close([label[8] for label in labels],
          MetricFrame(metrics=roc_auc_score, y_true=target, y_pred=score, **others).by_group)


def curve_error(target, probability):
    """The calibration error from scikit-learn's reliability diagram."""
    share, confidence = calibration_curve(target, probability, n_bins=BINS)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], probability), minlength=BINS)
    return np.abs(share - confidence) @ counts[counts > 0] / len(target)


def check_all_classes(target, prediction, values):
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    by_name = dict(zip(NAMES, values))
    close(by_name["accuracy"], accuracy_score(target, prediction))
    close(by_name["balanced_accuracy"], balanced_accuracy_score(target, prediction))


def draw(n, n_protected, ties=False, bias=1.0, n_targets=2):
    group = rng.integers(n_protected, size=n)
    target = rng.integers(n_targets, size=n)
    logit = ((target == 1) * 2.0 - 1 + bias * (group / max(1, n_protected - 1) - 0.5) + rng.normal(size=n) * 1.5)
    score = (np.round(logit * 2) / 2 if ties else logit).astype(np.float32)
    prediction = (score >= 0).astype(int)
    if n_targets > 2:
        prediction = np.where(rng.random(n) < 0.6, target, rng.integers(n_targets, size=n))
    return target, prediction, score, group


def bootstrap(case, resamples=4000, block=500):
    """Percentile intervals from NumPy's own generator, and their Monte-Carlo error when the program draws 2000."""
    target, prediction, scores, group, n_targets, n_protected = case
    pick = lambda i: (scores[0][i], scores[1][i]) if isinstance(scores, tuple) else scores[i]
    drawn = np.array([measures(target[i], prediction[i], pick(i), group[i], n_targets, n_protected)[2]
                      for i in rng.integers(len(target), size=(resamples, len(target)))])
    blocks = drawn.reshape(-1, block, drawn.shape[1])
    ends = np.nanpercentile(blocks, [2.5, 97.5], axis=1)  # (end, block, measure)
    errors = ends.std(axis=1, ddof=1) * np.sqrt(block / 2000 + block / resamples)  # the program's draws, and these here
    return np.nanpercentile(drawn, [2.5, 97.5], axis=0).T.tolist(), errors.T.tolist()


def main():
    cases = []

    def add(name, target, prediction, score, group, n_targets, n_protected, others=True, intervals=False,
            class_probability=None):
        probability = None if score is None else (1 / (1 + np.exp(-score.astype(np.float64)))).astype(np.float32)
        scores = class_probability if score is None else (score, probability)
        accuracy, labels, values = measures(target, prediction, scores, group, n_targets, n_protected)
        check_all_classes(target, prediction, values)
        if others and n_targets == 2:
            check_against_others(target, prediction, score, probability, group, values, labels)
        of_classes = []
        for c in range(n_targets if n_targets > 2 else 0):
            of = None if class_probability is None else class_probability[:, c]
            class_labels, scalars = class_measures(target, prediction, c, of, of, group, n_protected)
            of_classes.append(dict(scalars=scalars, protected=class_labels))
            if others:
                check_against_others((target == c).astype(int), (prediction == c).astype(int), of, of, group,
                                     [np.nan] * 4 + scalars, class_labels)
        lists = lambda array: None if array is None else array.tolist()
        case = dict(name=name, n_targets=n_targets, n_protected=n_protected, target=target.tolist(),
                    prediction=prediction.tolist(), score=lists(score), probability=lists(probability),
                    class_probability=None if class_probability is None else class_probability.ravel().tolist(),
                    group=group.tolist(), scalars=values, groups=accuracy, protected=labels, classes=of_classes)
        if intervals:
            case["intervals"], case["errors"] = bootstrap((target, prediction, scores, group, n_targets, n_protected))
        cases.append(case)

    t, p, s, g = draw(400, 2, bias=2.0)
    add("two-groups", t, p, s, g, 2, 2, intervals=True)
    t, p, s, g = draw(300, 5)
    add("five-groups", t, p, s, g, 2, 5)
    t, p, s, g = draw(250, 2, ties=True)
    add("ties", t, p, s, g, 2, 2)
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
    add("four-classes", t, p, None, g, 4, 3)
    own = np.random.default_rng(SEED + 1)  # so that what is drawn below stays as it was
    logits = own.normal(size=(300, 3)) + 2 * np.eye(3)[own.integers(3, size=300)]
    t, g = (logits + own.normal(size=(300, 3))).argmax(axis=1), own.integers(2, size=300)
    logits[:, 1] += g
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    add("three-classes-with-probabilities", t, shares.argmax(axis=1), None, g, 3, 2, intervals=True,
        class_probability=shares.astype(np.float32))
    t, p, s, g = t[:40], np.where(np.arange(40) % 2, 0, t[:40]), None, g[:40]
    keep = t != 2
    add("a-class-that-nobody-has", t[keep], p[keep], None, g[keep], 3, 2, others=False,
        class_probability=shares.astype(np.float32)[:40][keep])

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
    text = json.dumps(golden, default=lambda x: x.item())  # NumPy's scalars
    print(text.replace("NaN", "null"))


if __name__ == "__main__":
    np.seterr(all="raise")
    sys.exit(main())
