"""Freezing rounds every merged weight once, to nearest, and changes nothing the second time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from constructions.algebra import compose
from constructions.exact import ExactMatrix
from constructions.network import Affine, Network
from tests.naive.naive_networks import dense, from_dense, networks

X, Y, Z = (("x", 3),), (("y", 2),), (("p", 2),)
WEIGHTS = st.fractions(-100, 100, max_denominator=10**30)


@given(networks(X, Y), networks(Y, Z))
def test_every_merged_weight_is_rounded_once(f: Network, g: Network) -> None:
    ideal = compose(g, f)
    for before, after in zip(ideal.maps, ideal.freeze().maps, strict=True):
        expected = [[Fraction(float(w)) for w in row] for row in dense(before.augmented)]
        assert dense(after.augmented) == expected


@given(networks(X, Y))
def test_freezing_is_idempotent_and_recognised(f: Network) -> None:
    frozen = f.freeze()
    assert frozen.is_frozen
    assert all(a.augmented.equals(b.augmented) for a, b in zip(frozen.maps, frozen.freeze().maps, strict=True))
    assert f.is_frozen == all(
        w.denominator & (w.denominator - 1) == 0 for m in f.maps for row in dense(m.augmented) for w in row
    )


@given(st.lists(WEIGHTS, min_size=1, max_size=8))
def test_weights_that_round_alike_become_one(weights: list[Fraction]) -> None:
    near = [*weights, *(w + Fraction(1, 10**40) for w in weights)]
    rounded = from_dense([near], len(near)).rounded()
    assert dense(rounded) == [[Fraction(float(w)) for w in near]]
    assert len(set(rounded.table)) == len(rounded.table)
    assert rounded.equals(ExactMatrix.from_floats(rounded.floats()))


def test_what_rounds_to_zero_is_no_weight() -> None:
    tiny = Fraction(1, 10**400)
    matrix = from_dense([[tiny, Fraction(1)], [tiny, tiny]], 2)
    frozen = Affine(matrix).frozen().augmented
    assert matrix.nnz == 4
    assert frozen.nnz == 1
    assert np.array_equal(frozen.floats().toarray(), [[0.0, 1.0], [0.0, 0.0]])
