"""Makes tests/golden/prompts/chi_square.txt with scipy: incomplete gamma functions, tails of chi-square, tests of tables of counts.

Run: python tests/golden/make_chi_square.py
Lines: "gamma A X Q", "tail X DEGREES P", "table ROWS COLUMNS STATISTIC DEGREES P V COUNT…" (counts row by row).
"""

import pathlib

import numpy
import scipy
from scipy import special, stats

SEED = 20251
out = pathlib.Path(__file__).parent / "prompts" / "chi_square.txt"
random = numpy.random.default_rng(SEED)
lines = [f"# scipy {scipy.__version__}, numpy {numpy.__version__}, seed {SEED}"]
for a in (0.5, 1, 1.5, 3, 7.5, 20, 100, 500):
    for x in (0, 1e-6, 0.1, 0.9, 1, 2.5, 8, 19, 21, 50, 99, 101, 300, 650):
        lines.append(f"gamma {a!r} {x!r} {float(special.gammaincc(a, x))!r}")
for degrees in (1, 2, 3, 6, 15, 60, 200):
    for x in (0.01, 0.5, 1, 3.841458820694124, 9.5, 24.995790139728616, 80, 250):
        lines.append(f"tail {x!r} {degrees} {float(stats.chi2.sf(x, degrees))!r}")
for rows, columns, low, high in ((2, 2, 5, 40), (2, 4, 5, 30), (3, 4, 8, 20), (5, 8, 3, 60), (7, 2, 0, 50), (12, 4, 6, 25)):
    table = random.integers(low, high, size=(rows, columns)) + (low == 0)
    result = stats.chi2_contingency(table, correction=False)
    v = stats.contingency.association(table, method="cramer")
    counts = " ".join(str(int(n)) for n in table.ravel())
    lines.append(
        f"table {rows} {columns} {float(result.statistic)!r} {int(result.dof)} {float(result.pvalue)!r} {float(v)!r} {counts}"
    )
out.parent.mkdir(exist_ok=True)
out.write_text("\n".join(lines) + "\n")
