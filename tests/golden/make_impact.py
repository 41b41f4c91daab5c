#!/usr/bin/env python3
"""Golden values for tests/fair/test_impact.c, to stdout: selection rates and impact ratios from pandas, Wilson's
intervals from statsmodels, intervals of ratios from a likelihood that is maximised numerically, and comparisons with
four fifths and with 2 % in fractions.
"""
import functools
import io
import json
import platform
from fractions import Fraction

import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

NOTHING = ["", "NA", "nan", "None"]
Z = stats.norm.isf(0.025)


@functools.lru_cache(maxsize=None)
def ratio_interval(x1, n1, x2, n2):
    """Koopman 1984: the ratios theta = p1 / p2 whose score statistic is at most Z. The shares under theta are the most
    likely ones with p1 = theta p2."""
    def statistic(theta):
        def loss(p2):
            terms = [(x1, theta * p2), (n1 - x1, 1 - theta * p2), (x2, p2), (n2 - x2, 1 - p2)]
            return -sum(k * np.log(max(p, 1e-300)) for k, p in terms if k)
        top = min(1, 1 / theta)
        p2 = optimize.minimize_scalar(loss, bounds=(0, top), method="bounded", options={"xatol": 1e-14}).x
        p2 = min([p2, top], key=loss)
        variance = theta * p2 * (1 - theta * p2) / n1 + theta**2 * p2 * (1 - p2) / n2
        return (x1 / n1 - theta * x2 / n2) / np.sqrt(max(variance, 1e-300))
    ratio = (x1 / n1) / (x2 / n2)
    low = 0.0 if x1 == 0 else optimize.brentq(lambda t: statistic(t) - Z, 1e-9, ratio * (1 - 1e-12), xtol=1e-12)
    high = optimize.brentq(lambda t: statistic(t) + Z, max(ratio * (1 + 1e-12), 1e-9), 1e4, xtol=1e-12)
    return [low, high]


def table(frame, columns, hit):
    """One table of `aimfair evaluate --json`, with the general names of AimfImpactCategory."""
    known = frame.dropna(subset=columns)
    groups = known.groupby(columns, observed=True)[hit].agg(["size", "sum"]).sort_index()
    rows = [(list(key) if isinstance(key, tuple) else [key], int(n), int(x)) for key, n, x in groups.itertuples()]
    small = [100 * n < 2 * len(frame) for _, n, _ in rows]
    best = [row for row, s in zip(rows, small) if not s or all(small)]
    reference = max(best, key=lambda row: (Fraction(row[2], row[1]), row[1]), default=None)
    known_ratios = reference is not None and reference[2] > 0
    categories = []
    for row, s in zip(rows, small):
        values, n, x = row
        itself = known_ratios and row is reference
        highest = Fraction(reference[2], reference[1])
        categories.append(dict(
            values=values, n=n, hits=x, share=n / len(known), rate=x / n,
            rate_interval=list(proportion_confint(x, n, method="wilson")),
            ratio=float(Fraction(x, n) / highest) if known_ratios else None,
            ratio_interval=ratio_interval(x, n, reference[2], reference[1]) if known_ratios and not itself else None,
            reference=itself, small=s,
            below_four_fifths=bool(known_ratios and Fraction(x, n) < Fraction(4, 5) * highest)))
    return dict(columns=columns, n=len(frame), unknown=len(frame) - len(known), categories=categories)


def tables(frame, columns, hit):
    together = [columns] if len(columns) > 1 else []
    return [table(frame, c, hit) for c in [[c] for c in columns] + together]


def impact(text, columns, prediction, score=None, keep=False, merge=None):
    """@prediction, @score: of a frame: whether a row is selected, and its score; @merge: spelling of each value."""
    frame = pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=str)
    for column in columns:
        words = [""] if keep else NOTHING
        values = frame[column].str.strip()
        frame[column] = values.map(lambda v: np.nan if v in words else (merge or {}).get(v, v))
    frame["hit"] = prediction(frame)
    result = dict(selection=tables(frame, columns, "hit"), scoring=None, median=None)
    if score:
        scores = score(frame)
        frame["above"] = scores > scores.median()
        result.update(scoring=tables(frame, columns, "above"), median=float(scores.median()))
    return result


def draw(rng, values, n, p):
    return [str(v) for v in rng.choice(values, size=n, p=p)]


def random_table(rng, n, classes, attributes, head):
    """@attributes: name: (values, shares). @head: 'prediction', 'logit', 'probability' or 'classes'."""
    data = {"target": rng.integers(0, classes, n).astype(str)}
    for name, (values, shares) in attributes.items():
        data[name] = draw(rng, values, n, shares)
    if head == "prediction":
        data["prediction"] = rng.integers(0, classes, n).astype(str)
    elif head == "classes":
        p = rng.dirichlet(np.ones(classes), n).round(3)
        p[:, 0] = 1 - p[:, 1:].sum(axis=1)
        for k in range(classes):
            data[f"probability_{k}"] = [repr(abs(round(float(v), 3))) for v in p[:, k]]
    else:
        logit = rng.normal(size=n).round(2)
        data[head] = [repr(float(v)) for v in (logit if head == "logit" else (1 / (1 + np.exp(-logit))).round(2))]
    return pd.DataFrame(data).to_csv(index=False)


def predicted(positive, head, classes):
    def selected(frame):
        if head == "prediction":
            return frame["prediction"].astype(int) == positive
        if head == "classes":
            p = np.stack([frame[f"probability_{k}"].astype(float) for k in range(classes)], axis=1)
            return p.argmax(axis=1) == positive
        return (frame[head].astype(float) >= (0 if head == "logit" else 0.5)) == bool(positive)
    return selected


def scored(positive, head):
    def scores(frame):
        if head == "classes":
            return frame[f"probability_{positive}"].astype(float)
        values = frame[head].astype(float)
        return values if positive else (1 if head == "probability" else 0) - values
    return None if head == "prediction" else scores


SEX = (["female", "male", "x", ""], [0.5, 0.42, 0.02, 0.06])
RACE = (["a", "b", "c", "d", "NA", "None"], [0.4, 0.3, 0.235, 0.015, 0.03, 0.02])
AGE = (["18-39", "40+", "nan"], [0.6, 0.35, 0.05])
GROUP = (["p", "q"], [0.5, 0.5])


def case(rng, n, classes, head, positive, attributes, columns, missing="error", merge=None):
    text = random_table(rng, n, classes, attributes, head)
    expected = impact(text, columns, predicted(positive, head, classes), scored(positive, head), missing == "keep",
                      merge)
    return dict(text=text, columns=columns, positive=positive, missing=missing, merge=bool(merge), **expected)


def short(value):
    """Numbers in 12 digits."""
    if isinstance(value, dict):
        return {k: short(v) for k, v in value.items()}
    if isinstance(value, list):
        return [short(v) for v in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def main():
    rng = np.random.default_rng(144)
    spelled = (["F", "f", " F", "M", "NA"], [0.4, 0.1, 0.1, 0.3, 0.1])
    lacking = (["p", "q", ""], [0.5, 0.4, 0.1])
    cases = [
        case(rng, 130, 2, "prediction", 1, dict(protected=GROUP, sex=SEX), ["sex"]),
        case(rng, 150, 2, "probability", 1, dict(protected=lacking, sex=SEX), ["protected", "sex"], "drop"),
        case(rng, 150, 3, "classes", 2, dict(protected=GROUP, sex=SEX, race=RACE, age=AGE), ["sex", "race", "age"]),
        case(rng, 90, 2, "logit", 0, dict(protected=GROUP, sex=spelled), ["sex"], "keep", {"f": "F"}),
        case(rng, 101, 3, "prediction", 0, dict(protected=GROUP, race=RACE), ["race", "protected"]),
    ]
    # Rates that are all 0; all categories small; a tie; nobody known; a small category with the highest rate; 4/5.
    rows = ["target,protected,spare,prediction,one,two,few,none,fifths"]
    for i in range(120):
        few = "rare" if i == 0 else "many" if i % 2 else "more"
        fifths = "h" if i < 60 else "l"
        rows.append(f"{i % 2},p,{'k' if i % 3 else 'l'},{int(i < 30 or 60 <= i < 84)},v{i // 2},{'t' if i % 2 else 'u'},"
                    f"{few},,{fifths}")
    text = "\n".join(rows) + "\n"
    for columns, positive in [(["one"], 1), (["two"], 1), (["few", "none"], 1), (["fifths"], 1), (["two"], 5)]:
        expected = impact(text, columns, lambda frame, p=positive: frame["prediction"].astype(int) == p)
        cases.append(dict(text=text, columns=columns, positive=positive, missing="error", merge=False, **expected))
    versions = dict(python=platform.python_version(), numpy=np.__version__, pandas=pd.__version__,
                    scipy=scipy.__version__, statsmodels=statsmodels.__version__)
    print(json.dumps(short(dict(versions=versions, cases=cases)), separators=(",", ":")))


if __name__ == "__main__":
    main()
