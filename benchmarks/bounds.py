"""``theory.bounds`` against importing SymPy: CPU time of whole commands, memory, and what they load.

``python -m benchmarks.bounds``
"""

from __future__ import annotations

from statistics import median

from benchmarks.ratios import Ratio, interpreters, show

__all__ = ["main", "measure"]

_ROUNDS = 5
_MODULES = (
    "import sys; from theory.bounds import main; main(['--eps', '1e-3', '--n', '8']); "
    "print('LOADED', *sorted({'torch', 'matplotlib', 'numpy'} & set(sys.modules)))"
)


def measure() -> list[Ratio]:
    """Return the ratios."""
    sympy = ["-c", "import sympy"]
    small = ["-m", "theory.bounds", "--eps", "1e-3", "--n", "8"]
    large = ["-m", "theory.bounds", "--eps", "1e-3", "--n", "1000000"]
    base, eight, million = interpreters([sympy, small, large], _ROUNDS)
    (loaded,) = interpreters([["-c", _MODULES]], 1)
    names = loaded[0].output.rsplit("LOADED", 1)[1].split()
    unit = median(run.cpu for run in base)
    return [
        Ratio("bounds --eps 1e-3 --n 8 / import sympy", median(r.cpu for r in eight) / unit, "at_most", 2),
        Ratio("bounds --n 8: largest memory, MB", max(r.megabytes for r in eight), "at_most", 150),
        Ratio("bounds --n 8: torch or matplotlib loaded", len({"torch", "matplotlib"} & set(names)), "at_most", 0),
        Ratio("bounds --n 1000000 / import sympy", median(r.cpu for r in million) / unit),
        Ratio("bounds --n 1000000: seconds (CPU)", median(r.cpu for r in million), "at_most", 5),
        Ratio("bounds --n 1000000: largest memory, MB", max(r.megabytes for r in million), "at_most", 150),
    ]


def main() -> int:
    show("theory.bounds (medians of CPU time)", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
