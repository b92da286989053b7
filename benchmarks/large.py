"""The largest networks that are built here: e^A for 16 x 16 and 32 x 32 matrices, error 1e-3 in the infinity norm.

``python -m benchmarks.large``; every network in an interpreter of its own, its values held against balls.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.ratios import Ratio, interpreter, show

__all__ = ["CASES", "Case", "main", "measure"]

_SCRIPT = """
import json, sys, time
from fractions import Fraction
import numpy as np
from flint import arb, arb_mat, ctx
from constructions import build
from theory.objectives import Demand

n, M, demand = json.loads(sys.argv[1])
start = time.process_time()
net = build("expm", n=n, eps="1e-3", norm="inf", M=M, demand=Demand(**demand))
measured = net.measured
built = time.process_time() - start

def error(A):
    ctx.prec = 128
    value, exact = net(A), arb_mat([[arb(float(a)) for a in row] for row in A]).exp()
    rows = range(n)
    return float(max(sum(abs(arb(float(value[i, j])) - exact[i, j]) for j in rows).upper() for i in rows))

bound = float(Fraction(M))
draws = np.random.default_rng(0).uniform(-bound, bound, (4, n, n))
corner = np.full((n, n), bound)
start = time.process_time()
errors = [error(A) for A in [corner, *draws]]
print(json.dumps({
    "built": built, "error": max(errors), "value": (time.process_time() - start) / len(errors),
    "layers": measured.architecture.hidden_layers, "width": measured.architecture.width,
    "nonzeros": measured.nonzeros, "promised": float(net.bound),
}))
"""


@dataclass(frozen=True)
class Case:
    """A network to build: its name, and what the script is told."""

    name: str
    n: int
    M: str
    demand: dict[str, object]


CASES = (
    Case("n = 16, M = 1", 16, "1", {}),
    Case("n = 32, M = 1/4, fewest non-zeros", 32, "1/4", {"minimise": "nonzeros"}),
    Case("n = 32, M = 1/4, squarer width 2", 32, "1/4", {"squarer_width": 2}),
)


def measure() -> list[Ratio]:
    """Return what building and evaluating took, and the largest error found at a corner and four random matrices."""
    ratios = []
    for case in CASES:
        run = interpreter(["-c", _SCRIPT, json.dumps([case.n, case.M, case.demand])])
        found = json.loads(run.output)
        ratios += [
            Ratio(f"{case.name}: hidden layers", found["layers"]),
            Ratio(f"{case.name}: widest layer", found["width"]),
            Ratio(f"{case.name}: non-zeros", found["nonzeros"]),
            Ratio(f"{case.name}: building, CPU seconds", found["built"]),
            Ratio(f"{case.name}: one value and its reference in balls, CPU seconds", found["value"]),
            Ratio(f"{case.name}: largest memory, MB", run.megabytes),
            Ratio(f"{case.name}: largest error found / proved bound", found["error"] / found["promised"], "at_most", 1),
        ]
    return ratios


def main() -> int:
    show("large networks (CPU seconds)", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
