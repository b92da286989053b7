"""Planning, building, freezing and measuring e^A for 8 x 8 matrices against importing SymPy: CPU time of commands.

``python -m benchmarks.build``
"""

from __future__ import annotations

from statistics import median

from benchmarks.ratios import Ratio, interpreters, show

__all__ = ["main", "measure"]

_ROUNDS = 3
_BUILD = (
    "from constructions import build; net = build('expm', n=8, eps='1e-3'); "
    "print(net.measured.architecture.hidden_layers, net.measured.architecture.width, net.measured.nonzeros)"
)
_EXACT = f"{_BUILD}; net.exact([[1] * 8] * 8)"


def measure() -> list[Ratio]:
    """Return the ratios."""
    base, built, exact = interpreters([["-c", "import sympy"], ["-c", _BUILD], ["-c", _EXACT]], _ROUNDS)
    unit = median(run.cpu for run in base)
    layers, width, nonzeros = built[0].output.split()
    seconds = median(run.cpu for run in built)
    return [
        Ratio("build and measure, n = 8, eps = 1e-3 / import sympy", seconds / unit, "at_most", 20),
        Ratio("the same: largest memory, MB", max(run.megabytes for run in built)),
        Ratio("one exact forward pass / import sympy", (median(run.cpu for run in exact) - seconds) / unit),
        Ratio("hidden layers", float(layers), "at_most", 110),
        Ratio("widest layer", float(width), "at_most", 2952),
        Ratio("non-zeros", float(nonzeros)),
    ]


def main() -> int:
    show("building (medians of CPU time)", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
