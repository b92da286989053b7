"""theory.architecture's laws against the tuples read off matrices: two independent sides of one count."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructions.algebra import compose, extend, identity, parallel
from constructions.measure import measure
from constructions.network import Network
from tests.naive.naive_networks import dense, networks
from theory.architecture import Architecture

X, Y, Z = (("x", 3),), (("y", 2), ("z", 1)), (("p", 2),)
WIDTHS = st.lists(st.integers(1, 3), min_size=2, max_size=7)


def widths(network: Network) -> list[int]:
    """Layer widths off the dense matrices, and the inputs off the first one's columns."""
    matrices = [dense(affine.augmented) for affine in network.maps]
    return [len(matrices[0][0]) - 1, *(len(matrix) for matrix in matrices)]


@given(networks(X, Y))
def test_what_is_measured_is_what_the_matrices_are(f: Network) -> None:
    measured, entries = measure(f), [w for affine in f.maps for row in dense(affine.augmented) for w in row]
    assert list(measured.architecture.widths()) == widths(f)
    assert measured.nonzeros == sum(w != 0 for w in entries)
    assert measured.largest_weight == max(abs(w) for w in entries)


@given(networks(X, Y), networks(Y, Z))
def test_composition(f: Network, g: Network) -> None:
    assert g.architecture.compose(f.architecture) == compose(g, f).architecture


@given(networks(X, Y), networks((("z", 1),), Z))
def test_selection_of_wires(f: Network, g: Network) -> None:
    assert g.architecture.compose(f.architecture.select(1)) == compose(g, f).architecture
    assert f.architecture.select(1) == compose(identity((("z", 1),)), f).architecture


@given(st.data(), st.integers(0, 3))
def test_parallel(data: st.DataObject, hidden: int) -> None:
    f, g = data.draw(networks(X, Y, hidden)), data.draw(networks((("u", 1),), Z, hidden))
    assert f.architecture.parallel(g.architecture) == parallel(f, g).architecture


@given(networks(X, Y), st.integers(0, 4))
def test_extension(f: Network, layers: int) -> None:
    assert f.architecture.extend(layers) == extend(f, layers, Fraction(-1), Fraction(1)).architecture


@given(WIDTHS)
def test_runs_code_the_tuple_and_numbers_follow_from_it(tuple_: list[int]) -> None:
    architecture = Architecture.of(tuple_)
    assert list(architecture.widths()) == tuple_
    assert architecture == Architecture.of_runs([(w, 1) for w in tuple_])
    assert (architecture.inputs, architecture.outputs) == (tuple_[0], tuple_[-1])
    assert architecture.hidden_layers == len(tuple_) - 2
    assert architecture.width == max(tuple_[1:-1], default=0)
    assert [w for w, times in architecture.hidden_runs for _ in range(times)] == tuple_[1:-1]
    product = 1
    for w in tuple_[1:-1]:
        product *= w + 1
    # bits = log2(product) rounded up at 64 bits: 2^bits brackets the product.
    assert product - Fraction(1, 10**9) < 2 ** float(architecture.bits) * (1 + 1e-12)
    assert 2 ** float(architecture.bits) < product * (1 + 1e-12)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (lambda: Architecture(((0, 2),)), "at least 1"),
        (lambda: Architecture(((2, 1), (2, 1))), "one run"),
        (lambda: Architecture(((2, 1),)), "an input and an output"),
        (lambda: Architecture.of([2, 1]).compose(Architecture.of([2, 3])), "3 outputs into 2 inputs"),
        (lambda: Architecture.of([2, 1]).parallel(Architecture.of([2, 3, 1])), "equal depth"),
    ],
)
def test_validators_fire(wrong: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        wrong()  # type: ignore[operator]
