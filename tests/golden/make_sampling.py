"""Golden biased sampling: a small attribute table in CelebA's two forms, and what the original algorithm takes from it.

The algorithm is that of arXiv 2503.05665, code of 27 March 2025, cut_dataset.py, restated with pandas from its facts: sizes are
round(N * share) with Python's round, images are taken in file order from the training range, those not on disk are skipped, the
list is in file order. Run from this folder: python3 make_sampling.py
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20250327
LAST_TRAIN, LAST_VAL = 162770, 182637
OUT = Path(__file__).parent / "sampling"


def sizes(bias, count):
    r = bias / (bias + 1) / 2
    return {g: round(count * share) for g, share in zip(["0_0", "0_1", "1_0", "1_1"], [r, 0.5 - r, 0.5 - r, r])}


def make_table(rng):
    """Ids around the two borders, so that a border off by one shows, and the first ones; correlated attributes."""
    ids = list(range(1, 201)) + list(range(LAST_TRAIN - 99, LAST_TRAIN + 31)) + list(range(LAST_VAL - 9, LAST_VAL + 21))
    male = rng.random(len(ids)) < 0.45
    columns = {
        "Male": male,
        "Smiling": rng.random(len(ids)) < np.where(male, 0.4, 0.6),
        "Young": rng.random(len(ids)) < 0.6,
        "Blond_Hair": rng.random(len(ids)) < 0.4,
    }
    table = pd.DataFrame({name: np.where(v, 1, -1) for name, v in columns.items()})
    table.insert(0, "image_id", [f"{i:06d}.jpg" for i in ids])
    return table


def write_table(table):
    table.to_csv(OUT / "list_attr_celeba.csv", index=False)
    lines = [str(len(table)), " ".join(table.columns[1:]) + " "]
    for row in table.itertuples(index=False):
        lines.append(row[0] + "".join(f" {v:2d}" for v in row[1:]))
    (OUT / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")


def part_of(image_id):
    number = int(image_id.split(".")[0])
    return "train" if number <= LAST_TRAIN else "val" if number <= LAST_VAL else "test"


def sample(table, on_disk, target, protected, bias, count):
    there = table[table.image_id.isin(on_disk)]
    train = there[there.image_id.map(part_of) == "train"]
    taken = []
    for group, n in sizes(bias, count).items():
        y, s = (1 if v == "1" else -1 for v in group.split("_"))
        members = train[(train[target] == y) & (train[protected] == s)]
        assert len(members) >= n, (target, protected, group, len(members), n)
        taken.append(members.head(n))
    return pd.concat(taken).sort_index()


def main():
    OUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(SEED)
    table = make_table(rng)
    write_table(table)
    absent = set(rng.choice(table.image_id, 60, replace=False))
    (OUT / "absent.txt").write_text("\n".join(sorted(absent)) + "\n")
    on_disk = set(table.image_id) - absent
    cases = [("Smiling", "Male", "1/9", 100), ("Smiling", "Young", "2/8", 60), ("Young", "Male", "3/7", 75),
             ("Blond_Hair", "Male", "1/9", 50), ("Smiling", "Male", "0", 40), ("Smiling", "Male", "1", 33)]
    rows = []
    for number, (target, protected, bias, count) in enumerate(cases):
        ratio = eval(bias)
        for row in sample(table, on_disk, target, protected, ratio, count).to_dict("records"):
            rows.append((number, target, protected, bias, count, row["image_id"]))
    pd.DataFrame(rows, columns=["case", "target", "protected", "bias", "count", "image_id"]).to_csv(
        OUT / "samples.csv", index=False)
    grid = [(b, n) for b in ["0", "1/19", "1/9", "2/8", "3/7", "4/6", "1", "9", "0.1", "0.25"]
            for n in [1, 2, 5, 10, 20, 30, 50, 70, 90, 110, 130, 999, 1000, 4000, 20000, 162770]]
    pd.DataFrame([(b, n, *sizes(eval(b), n).values()) for b, n in grid],
                 columns=["bias", "count", "0_0", "0_1", "1_0", "1_1"]).to_csv(OUT / "sizes.csv", index=False)
    (OUT / "VERSIONS").write_text(f"python {sys.version.split()[0]}, numpy {np.__version__}, pandas {pd.__version__}, seed {SEED}\n")


main()
