"""Both bounds together: they meet where the truth is known, and they survive whatever ends a search."""

from __future__ import annotations

import os
import signal
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from empirical.certify import crew as crews
from empirical.certify import search
from empirical.certify.affine import AffineTarget
from empirical.certify.certificate import Certificate
from empirical.certify.chain import ReluChain
from empirical.certify.crew import Crew, local_crew
from empirical.certify.expm import ExpmTarget
from empirical.certify.inverse import InverseTarget
from empirical.certify.nodes import Nodes
from empirical.certify.norms import NORMS
from empirical.certify.piece import Findings, Problem, examine
from empirical.certify.region import Region
from empirical.certify.search import Options, certify
from theory.errors import BadInput


def _certify(chain: ReluChain, region: Region, target=None, crew: Crew | None = None, **options) -> Certificate:
    target = target or InverseTarget(region.n)
    with crew or local_crew(1) as workers:
        return certify(chain, target, region, Options(**{"seconds": 30.0, **options}), workers)


@pytest.mark.parametrize("norm", list(NORMS))
@pytest.mark.parametrize(("name", "widths"), [("first", (8,)), ("second", (8, 8))])
def test_networks_on_two_by_two_close_to_two_percent(trained, quarter, name: str, widths: tuple, norm: str) -> None:
    region = quarter(name)
    certificate = _certify(trained(name, widths), region, norm=norm)
    assert certificate.closed
    assert certificate.ended == "closed"
    assert certificate.upper <= 1.02 * certificate.lower
    # Samples are floats at points of the box: below the supremum, up to their own rounding of 1e-13.
    assert certificate.sampled <= certificate.upper + 1e-12
    assert region.contains(certificate.matrix)


def test_three_by_three_closes_to_ten_percent(trained, quarter) -> None:
    certificate = _certify(trained("three", (18,)), quarter("three"), gap=Fraction(1, 10))
    assert certificate.closed
    # The point of certifying: random samples miss most of the worst error in nine dimensions.
    assert certificate.sampled < 0.8 * certificate.lower


def test_the_exponential_closes(trained, quarter) -> None:
    region = Region(np.array([[0.5, -1.0], [0.25, -0.5]]), Fraction(1, 4))
    certificate = _certify(trained("first", (8,)), region, ExpmTarget.over(region))
    assert certificate.closed


def test_dense_search_stays_between_the_bounds(trained, quarter) -> None:
    """A grid of 17^4 points with the corners: no error above ``upper``."""
    chain, region = trained("second", (8,)), quarter("second")
    certificate = _certify(chain, region, gap=Fraction(1, 1000))
    axes = [np.linspace(a, b, 17) for a, b in zip(*region.inner, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 4)
    errors = chain.values(grid) - np.linalg.inv(grid.reshape(-1, 2, 2)).reshape(-1, 4)
    # Rounding of the float errors is below 1e-13.
    assert np.abs(errors).max() <= certificate.upper + 1e-12


def test_the_same_seed_gives_the_same_certificate_on_one_core_and_on_two(trained, quarter, monkeypatch) -> None:
    # Small pieces, so that rounds have several and two workers share them.
    monkeypatch.setattr(Problem, "batch", 8)
    chain, region = trained("first", (8,)), quarter("first")
    alone, again = _certify(chain, region), _certify(chain, region)
    shared = _certify(chain, region, crew=local_crew(2))
    for other in (again, shared):
        assert (other.lower, other.upper, other.boxes) == (alone.lower, alone.upper, alone.boxes)
        assert (other.matrix == alone.matrix).all()


_MARKER = "CERTIFY_TEST_MARKER"


def _examine_and_die_once(problem: Problem, nodes: Nodes, threshold: float) -> Findings:
    marker = Path(os.environ[_MARKER])
    if os.environ.get("CERTIFY_TEST_PARENT") != str(os.getpid()) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(problem, nodes, threshold)


def test_killing_a_worker_in_the_middle_changes_nothing(trained, quarter, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Problem, "batch", 8)
    chain, region = trained("first", (8,)), quarter("first")
    alone = _certify(chain, region)
    monkeypatch.setattr(search, "examine", _examine_and_die_once)
    monkeypatch.setenv(_MARKER, str(tmp_path / "died"))
    monkeypatch.setenv("CERTIFY_TEST_PARENT", str(os.getpid()))
    survived = _certify(chain, region, crew=local_crew(2))
    assert (tmp_path / "died").exists()
    assert (survived.lower, survived.upper, survived.boxes) == (alone.lower, alone.upper, alone.boxes)


def _examine_and_die(problem: Problem, nodes: Nodes, threshold: float) -> Findings:
    if os.environ["CERTIFY_TEST_PARENT"] != str(os.getpid()):
        os.kill(os.getpid(), signal.SIGKILL)
    return examine(problem, nodes, threshold)


def test_when_all_workers_keep_dying_the_bound_so_far_stands(trained, quarter, monkeypatch) -> None:
    chain, region = trained("first", (8,)), quarter("first")
    reference = _certify(chain, region)
    monkeypatch.setattr(Problem, "batch", 1)
    monkeypatch.setattr(search, "examine", _examine_and_die)
    monkeypatch.setattr(crews, "_REBUILDS", 2)
    monkeypatch.setenv("CERTIFY_TEST_PARENT", str(os.getpid()))
    certificate = _certify(chain, region, crew=local_crew(2), gap=Fraction(1, 100), seconds=600.0)
    assert certificate.ended == "workers lost"
    assert certificate.lower <= reference.upper
    assert reference.lower <= certificate.upper < np.inf


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_interrupted_at_any_round_the_bounds_hold(trained, quarter, monkeypatch, rounds: int) -> None:
    chain, region = trained("first", (8,)), quarter("first")
    reference = _certify(chain, region, gap=Fraction(1, 1000))
    monkeypatch.setattr(Problem, "batch", 2)
    monkeypatch.setattr(search, "_PIECES", 2)
    seen: list[int] = []
    certificate = _certify(chain, region, stop=lambda: len(seen) >= rounds, report=lambda boxes, *_: seen.append(boxes))
    assert certificate.ended == "interrupted"
    assert not certificate.closed
    assert certificate.open_boxes > 0
    assert certificate.lower <= reference.upper
    assert reference.lower <= certificate.upper < np.inf


def test_time_up_at_once_still_gives_valid_bounds(trained, quarter) -> None:
    chain, region = trained("second", (8, 8)), quarter("second")
    reference = _certify(chain, region)
    started = time.monotonic()
    certificate = _certify(chain, region, seconds=1e-9, gap=Fraction(1, 10**6))
    assert certificate.ended == "time"
    assert certificate.seconds <= time.monotonic() - started
    assert certificate.lower <= reference.upper
    assert reference.lower <= certificate.upper < np.inf


def test_upper_bounds_only_fall_and_lower_ones_only_rise(trained, quarter, monkeypatch) -> None:
    monkeypatch.setattr(Problem, "batch", 2)
    monkeypatch.setattr(search, "_PIECES", 2)
    history: list[tuple[float, float]] = []
    chain, region = trained("first", (8,)), quarter("first")
    _certify(chain, region, report=lambda boxes, open_boxes, lower, upper: history.append((lower, upper)))
    assert len(history) > 3
    assert all(a[0] <= b[0] and a[1] >= b[1] for a, b in pairwise(history))


def test_when_memory_runs_short_the_search_goes_deep_and_closes(trained, quarter, monkeypatch) -> None:
    monkeypatch.setattr(Problem, "batch", 2)
    monkeypatch.setattr(search, "_FRONTIER_BYTES", 1000)
    certificate = _certify(trained("first", (8,)), quarter("first"))
    assert certificate.closed


def test_nothing_left_to_split_ends_the_search() -> None:
    """A box one float wide against its own affine map: no error to find, so no relative gap to close."""
    matrix = np.eye(4)
    region = Region(np.array([[1.0, 2.0], [3.0, 4.0]]), Fraction(1, 2**60))
    certificate = _certify(ReluChain((matrix,), (np.zeros(4),)), region, AffineTarget(matrix, np.zeros(4)))
    assert certificate.ended == "exhausted"
    assert certificate.lower == 0
    assert 0 <= certificate.upper < 1e-9


def test_a_network_of_another_size_is_refused(trained, quarter) -> None:
    with pytest.raises(BadInput, match="takes 9 numbers, but 2 x 2"):
        _certify(trained("three", (18,)), quarter("first"))
    chain = ReluChain((np.zeros((3, 4)),), (np.zeros(3),))
    with pytest.raises(BadInput, match="gives 3 numbers"):
        _certify(chain, quarter("first"))


SENSELESS = [({"norm": "two"}, "norm"), ({"gap": Fraction(0)}, "gap"), ({"seconds": 0.0}, "gap")]


@pytest.mark.parametrize(("options", "word"), SENSELESS)
def test_options_that_make_no_sense_are_refused(options: dict, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        Options(**options)
