"""The certifier beside its rivals and its targets, on networks on 2 x 2 and 3 x 3 boxes.

Against affine functions: an exact mixed-integer solution, and CROWN as published on as many boxes. Against the inverse:
time to close the gap asked for, on the networks kept with the code and on constructed ones.

``python -m benchmarks.certify``
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ratios import Ratio, show

if TYPE_CHECKING:
    from empirical.certify.affine import AffineTarget
    from empirical.certify.certificate import Certificate
    from empirical.certify.chain import ReluChain
    from empirical.certify.expansion import Target
    from empirical.certify.region import Region
    from empirical.experiments.inversion.boxes import Box

__all__ = ["main", "measure"]

#: The solver's feasibility tolerance, 1e-6 a constraint, in terms of the error.
_SOLVER = 1e-4


@dataclass(frozen=True)
class _Case:
    name: str
    chain: ReluChain
    region: Region


def measure() -> list[Ratio]:
    """Return the ratios."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return [*_rivals(), *_targets()]


def _rivals() -> Iterator[Ratio]:
    from empirical.certify.chain import Budget
    from empirical.certify.crown import crown_search
    from empirical.certify.milp import exact_worst
    from empirical.certify.norms import NORMS

    for case in _cases():
        if case.region.n > 2 or sum(case.chain.hidden) > 40:
            continue
        target = _linearised(case.region)
        start = time.process_time()
        exact = exact_worst(case.chain, target, case.region)
        solved = time.process_time() - start
        start = time.process_time()
        ours = _certified(case, target, Fraction(1, 10**3))
        taken = time.process_time() - start
        theirs = crown_search(case.chain, target, case.region, ours.boxes)
        least = exact + _SOLVER * max(exact, 1e-3)
        yield Ratio(f"{case.name}: affine f, attained / exact", ours.lower / least, "at_most", 1)
        yield Ratio(f"{case.name}: affine f, proved / exact", ours.upper * (1 + _SOLVER) / exact, "at_least", 1)
        # CROWN's floats prove nothing: what outward rounding costs, network and target, is not looseness.
        slack = Budget.of(case.chain, *case.region.outer).functional_slack(NORMS["max"].functionals(case.region.n), [])
        beside = (theirs + 2 * float(slack.max())) / ours.upper
        yield Ratio(f"{case.name}: CROWN / proved, {ours.boxes} boxes each", beside, "at_least", 1)
        yield Ratio(f"{case.name}: mixed-integer CPU time / ours", solved / max(taken, 1e-9))


def _targets() -> Iterator[Ratio]:
    from empirical.certify.inverse import InverseTarget

    for case in _cases():
        n = case.region.n
        gap = Fraction(1, 50) if n == 2 else Fraction(1, 10)
        start = time.process_time()
        certificate = _certified(case, InverseTarget(n), gap)
        taken = time.process_time() - start
        if not certificate.closed:
            taken = float("inf")
        # Two cores for 5 seconds, or for 10 minutes.
        yield Ratio(f"{case.name}: CPU seconds to {float(gap):.0%}", taken, "at_most", 10 if n == 2 else 1200)
        yield Ratio(f"{case.name}: 10,000 samples / attained", certificate.sampled / certificate.lower)


def _certified(case: _Case, target: Target, gap: Fraction) -> Certificate:
    from empirical.certify.crew import local_crew
    from empirical.certify.search import Options, certify

    with local_crew(1) as crew:
        return certify(case.chain, target, case.region, Options(gap=gap, seconds=600.0), crew)


def _linearised(region: Region) -> AffineTarget:
    """2V - VAV with V the inverse of the centre."""
    import numpy as np

    from empirical.certify.affine import AffineTarget

    inverse = np.asarray(np.linalg.inv(region.centre), dtype=np.float64)
    slope = -np.einsum("ij,kl->iljk", inverse, inverse).reshape(inverse.size, -1)
    return AffineTarget(slope, np.asarray(2.0 * inverse.ravel(), dtype=np.float64))


def _cases() -> Iterator[_Case]:
    """Constructed networks of second order, and the first seed of every trained kind kept with the code."""
    from empirical.certify.reading import read_relu_chain, relu_chain_of
    from empirical.experiments.inversion.constructed import refined
    from empirical.experiments.inversion.settings import BoxSettings
    from empirical.store import RESULTS

    settings = BoxSettings()
    regions = {name: _region(settings.box(name)) for name in ("2x2-first", "2x2-second", "3x3")}
    for name in ("2x2-first", "2x2-second"):
        yield _Case(f"{name} second order", relu_chain_of(refined(settings.box(name), 4).network), regions[name])
    for file in sorted((RESULTS / "networks").glob("inversion.table[12]-full-*-seed0.safetensors")):
        place, _, kind = Path(file).stem.removeprefix("inversion.").partition("-full-")
        for name in regions:
            if kind.startswith(f"{name}-"):
                label = kind.removeprefix(f"{name}-").removesuffix("-seed0")
                yield _Case(f"{name} {place} {label}", read_relu_chain(file), regions[name])


def _region(box: Box) -> Region:
    import numpy as np

    from empirical.certify.region import Region

    return Region(np.array([[float(x) for x in row] for row in box.centre]), Fraction(box.half_width))


def main() -> int:
    show("certified worst errors", measure())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
