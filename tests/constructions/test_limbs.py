"""Limbs of rationals: splitting loses nothing, equal tuples get equal numbers, columns end in order."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sps
from hypothesis import given
from hypothesis import strategies as st

from constructions.limbs import LIMB, column_order, distinct, split

INTEGERS = st.integers(-(2**90), 2**90)


@given(st.lists(INTEGERS, max_size=20))
def test_limbs_add_up_to_what_was_split(values: list[int]) -> None:
    parts = split(values)
    assert [sum(int(part[i]) << (LIMB * k) for k, part in enumerate(parts)) for i in range(len(values))] == values
    assert all(abs(int(limb)) < 1 << LIMB for part in parts for limb in part)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-(2**62), 2**62), st.integers(0, 1)), min_size=1, max_size=60)
)
def test_entries_share_a_number_exactly_when_their_limbs_agree(tuples: list[tuple[int, int, int]]) -> None:
    limbs = [np.array(column, dtype=np.int64) for column in zip(*tuples, strict=True)]
    code, first = distinct(limbs)
    assert [tuples[first[c]] for c in code] == tuples
    assert len(first) == len(set(tuples)) == int(code.max()) + 1


def test_a_collision_of_every_hash_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # A multiplier of 0 forgets all limbs but the last: one such hash is passed over, only such hashes are refused.
    limbs = [np.array([0, 1], dtype=np.int64), np.array([5, 5], dtype=np.int64)]
    monkeypatch.setattr("constructions.limbs._MULTIPLIERS", (0, 3))
    assert sorted(distinct(limbs)[0]) == [0, 1]
    monkeypatch.setattr("constructions.limbs._MULTIPLIERS", (0,))
    with pytest.raises(OverflowError, match="collide"):
        distinct(limbs)


@given(st.lists(st.permutations(range(5)), min_size=1, max_size=6))
def test_columns_increase_within_rows(rows: list[list[int]]) -> None:
    indices = np.array([column for row in rows for column in row])
    pattern = sps.csr_array((np.ones(len(indices)), indices, np.arange(0, len(indices) + 1, 5)), shape=(len(rows), 5))
    order = column_order(pattern)
    assert np.array_equal(pattern.indices[order], np.tile(np.arange(5), len(rows)))
