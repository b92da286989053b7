"""One unit of work loses nothing: what leaves is below ``settled``, what stays is covered and bounded."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from empirical.certify import branching
from empirical.certify.chain import Budget, ReluChain
from empirical.certify.inverse import InverseTarget
from empirical.certify.nodes import Nodes
from empirical.certify.norms import NORMS
from empirical.certify.piece import Findings, Problem, examine
from empirical.certify.relaxation import relax


def _problem(trained, quarter, norm: str = "max", widths: tuple[int, ...] = (8, 8)) -> tuple[Problem, Nodes]:
    chain, region = trained("second", widths), quarter("second")
    low, high = region.outer
    problem = Problem(chain, InverseTarget(2), norm, Budget.of(chain, low, high))
    return problem, Nodes.root(low, high, len(problem.functionals), sum(chain.hidden))


def _signs(chain: ReluChain, points: np.ndarray) -> np.ndarray:
    """Signs of all hidden pre-activations, (points, neurons)."""
    hidden, signs = points, []
    for weight, bias in zip(chain.weights[:-1], chain.biases[:-1], strict=True):
        value = hidden @ weight.T + bias
        signs.append(np.sign(value))
        hidden = np.maximum(value, 0)
    return np.concatenate(signs, axis=1)


def _covered(problem: Problem, nodes: Nodes, points: np.ndarray, functional: int) -> np.ndarray:
    """The largest bound of the functional's nodes that hold each point, -inf where none does."""
    own = nodes[nodes.functional == functional]
    inside = ((own.low <= points[:, None]) & (points[:, None] <= own.high)).all(axis=2)
    signs = _signs(problem.chain, points)
    inside &= (signs[:, None] * own.decided >= 0).all(axis=2)
    return np.where(inside, own.bound, -np.inf).max(axis=1, initial=-np.inf)


@pytest.mark.parametrize("norm", list(NORMS))
@pytest.mark.parametrize("level", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("widths", [(8,), (8, 8)])
def test_over_several_rounds_every_point_is_settled_or_covered(
    trained, quarter, norm: str, level: float, widths: tuple[int, ...]
) -> None:
    problem, nodes = _problem(trained, quarter, norm, widths)
    low, high = nodes.low[0], nodes.high[0]
    generator = np.random.default_rng(1)
    points = low + (high - low) * generator.random((1500, 4))
    points[:500] = np.where(generator.random((500, 4)) < 0.5, low, high)
    values = problem.errors(points).reshape(len(points), -1) @ problem.functionals.T
    threshold, settled = level * float(values.max()), -np.inf
    for _ in range(5):
        findings = examine(problem, nodes, threshold)
        settled, nodes = max(settled, findings.settled), findings.nodes
        assert (nodes.bound > threshold).all()
        for functional in range(len(problem.functionals)):
            covered = _covered(problem, nodes, points, functional)
            # 1e-12: the float errors' own rounding; the bounds carry theirs.
            assert (values[:, functional] <= np.maximum(covered, settled) + 1e-12).all()
    assert settled <= max(threshold, 0.0)
    if level == 0.5 and len(widths) == 1:
        assert nodes.decided.any() or not len(nodes)


def test_bounds_of_children_never_exceed_their_parents(trained, quarter) -> None:
    problem, nodes = _problem(trained, quarter)
    for _ in range(4):
        findings = examine(problem, nodes, 0.01)
        largest = {f: nodes.bound[nodes.functional == f].max() for f in set(nodes.functional.tolist())}
        nodes = findings.nodes
        assert all(b <= largest[f] for f, b in zip(nodes.functional.tolist(), nodes.bound, strict=True))


def test_contraction_cuts_boxes_beyond_halving(trained, quarter) -> None:
    problem, nodes = _problem(trained, quarter)
    loose = examine(problem, nodes, 0.0)
    strict = examine(problem, nodes, 0.8 * float(loose.nodes.bound.max()))

    def volume(findings: Findings) -> float:
        return float((findings.nodes.high - findings.nodes.low).prod(axis=1).sum())

    assert 0 < volume(strict) < volume(loose)


def test_a_box_too_thin_to_halve_is_settled_with_its_bound(trained, quarter) -> None:
    problem, nodes = _problem(trained, quarter)
    low = nodes.low[0]
    thin = Nodes.root(low, np.nextafter(low, np.inf), len(problem.functionals), 16)
    findings = examine(problem, thin, -10.0)
    error = NORMS["max"].of(problem.errors(low[None]))[0]
    # Nothing left to halve, and at most a few neurons whose sign is open within a last place.
    assert not len(findings.nodes)
    assert error <= findings.settled <= error * 1.001


def test_a_box_with_a_singular_matrix_stays_open_and_infinite() -> None:
    chain = ReluChain((np.zeros((4, 4)),), (np.zeros(4),))
    low, high = np.array([-1.0, -0.1, -0.1, -1.0]), np.array([1.0, 0.1, 0.1, 1.5])
    problem = Problem(chain, InverseTarget(2), "max", Budget.of(chain, low, high))
    findings = examine(problem, Nodes.root(low, high, 8, 0)[:1], 1.0)
    assert len(findings.nodes) == 2
    assert np.isinf(findings.nodes.bound).all()
    # Split across its widest side.
    assert findings.nodes.high[0, 3] == findings.nodes.low[1, 3] == 0.25


def test_a_node_without_points_disappears() -> None:
    """Two neurons y and -y - 1 cannot both be non-negative: the first round of tightening or bounding sees it."""
    weight = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    chain = ReluChain((weight, np.ones((4, 2))), (np.array([0.0, -1.0]), np.zeros(4)))
    low, high = np.array([1.0, -0.1, -0.1, 1.0]), np.array([2.0, 0.1, 0.1, 2.0])
    problem = Problem(chain, InverseTarget(2), "max", Budget.of(chain, low, high))
    nodes = Nodes.root(low, high, 8, 2)
    impossible = replace(nodes, decided=np.ones((8, 2), dtype=np.int8))
    findings = examine(problem, impossible, 0.0)
    assert not len(findings.nodes)
    assert findings.settled == -np.inf


def test_problems_and_findings_travel(trained, quarter) -> None:
    problem, nodes = _problem(trained, quarter)
    there = pickle.loads(pickle.dumps(problem))
    one, two = examine(problem, nodes, 0.01), examine(there, nodes, 0.01)
    back = pickle.loads(pickle.dumps(two))
    assert (one.nodes.bound == back.nodes.bound).all()
    assert (one.nodes.low == back.nodes.low).all()
    assert one.settled == back.settled


def test_scores_do_not_depend_on_how_many_boxes_are_scored_at_once(trained, quarter, monkeypatch) -> None:
    problem, nodes = _problem(trained, quarter)
    whole = examine(problem, nodes, 0.01)
    monkeypatch.setattr(branching, "_BLOCK_FLOATS", 1)
    single = examine(problem, nodes, 0.01)
    assert (whole.nodes.low == single.nodes.low).all()
    assert (whole.nodes.decided == single.nodes.decided).all()


def test_nodes_on_one_box_share_its_relaxation(trained, quarter) -> None:
    """512 functionals of one 16 x 16 box must not take 512 copies of what its neurons depend on."""
    problem, nodes = _problem(trained, quarter, widths=(8, 8))
    centre, radius = (nodes.low + nodes.high) / 2, (nodes.high - nodes.low) / 2
    one = relax(problem.chain, problem.budget, centre[:1], radius[:1], nodes.decided[:1])
    many = one.taken(np.zeros(len(nodes), dtype=np.intp))
    assert all(a is b for a, b in zip(one.slopes, many.slopes, strict=True))
    assert many.sensitivity(1).shape == (1, 8, 4)
    apart = relax(problem.chain, problem.budget, centre, radius, nodes.decided).taken(np.array([2, 0]))
    # The same box, relaxed alone or in a batch: the same products in another order.
    np.testing.assert_allclose(apart.sensitivity(1), np.repeat(one.slopes[1], 2, axis=0), rtol=1e-12)
