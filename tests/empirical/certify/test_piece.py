"""One unit of work loses nothing: what leaves is below ``settled``, what stays is covered and bounded."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.inverse import InverseTarget
from empirical.certify.norms import NORMS
from empirical.certify.piece import Findings, Problem, examine


def _problem(trained, quarter, norm: str = "max") -> tuple[Problem, np.ndarray, np.ndarray]:
    chain, region = trained("second", (8, 8)), quarter("second")
    low, high = region.outer
    return Problem(chain, InverseTarget(2), norm, Budget.of(chain, low, high)), low, high


def _cells(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 16 boxes that halving every side gives."""
    middle = (low + high) / 2
    upper = np.array([[bool(index >> bit & 1) for bit in range(4)] for index in range(16)])
    return np.where(upper, middle, low), np.where(upper, high, middle)


@pytest.mark.parametrize("norm", list(NORMS))
@pytest.mark.parametrize("level", [0.0, 0.5, 0.9, 1.5])
def test_every_point_is_settled_or_covered(trained, quarter, norm: str, level: float) -> None:
    problem, low, high = _problem(trained, quarter, norm)
    generator = np.random.default_rng(1)
    points = low + (high - low) * generator.random((3000, 4))
    points[:1000] = np.where(generator.random((1000, 4)) < 0.5, low, high)
    errors = NORMS[norm].of(problem.errors(points))
    threshold = level * float(errors.max())
    lows, highs = _cells(low, high)
    findings = examine(problem, lows, highs, threshold)
    inside = ((findings.low <= points[:, None]) & (points[:, None] <= findings.high)).all(axis=2)
    covered = np.where(inside, findings.bound, -np.inf).max(axis=1, initial=-np.inf)
    # 1e-12: the float errors' own rounding; the bounds carry theirs.
    assert (errors <= np.maximum(covered, findings.settled) + 1e-12).all()
    assert findings.settled <= max(threshold, 0.0)
    assert (findings.bound > threshold).all()


def test_contraction_cuts_boxes_beyond_halving(trained, quarter) -> None:
    problem, low, high = _problem(trained, quarter)
    lows, highs = _cells(low, high)
    loose = examine(problem, lows, highs, 0.0)
    strict = examine(problem, lows, highs, 0.8 * float(loose.bound.max()))

    def volume(findings: Findings) -> float:
        return float((findings.high - findings.low).prod(axis=1).sum())

    assert 0 < volume(strict) < volume(loose)


def test_a_box_too_thin_to_halve_is_settled_with_its_bound(trained, quarter) -> None:
    problem, low, _ = _problem(trained, quarter)
    findings = examine(problem, low[None], np.nextafter(low, np.inf)[None], -1.0)
    error = NORMS["max"].of(problem.errors(low[None]))[0]
    assert not len(findings.bound)
    assert error <= findings.settled <= error * 1.001


def test_a_box_with_a_singular_matrix_stays_open_and_infinite() -> None:
    chain = ReluChain((np.zeros((4, 4)),), (np.zeros(4),))
    low, high = np.array([-1.0, -0.1, -0.1, -1.0]), np.array([1.0, 0.1, 0.1, 1.5])
    problem = Problem(chain, InverseTarget(2), "max", Budget.of(chain, low, high))
    findings = examine(problem, low[None], high[None], 1.0)
    assert len(findings.bound) == 2
    assert np.isinf(findings.bound).all()
    # Split across its widest side.
    assert findings.high[0, 3] == findings.low[1, 3] == 0.25


def test_problems_and_findings_travel(trained, quarter) -> None:
    problem, low, high = _problem(trained, quarter)
    there = pickle.loads(pickle.dumps(problem))
    one, two = examine(problem, low[None], high[None], 0.01), examine(there, low[None], high[None], 0.01)
    back = pickle.loads(pickle.dumps(two))
    assert (one.bound == back.bound).all()
    assert (one.low == back.low).all()
    assert one.settled == back.settled
