"""Rational numbers in bulk: integer multiples of a unit, split into limbs of 20 bits that numpy adds and multiplies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sps
from numpy.typing import NDArray

__all__ = ["LIMB", "column_order", "distinct", "joined", "split"]

#: Bits of a limb: products of two, shifted to be positive, leave 2^21 of them room in int64.
LIMB = 20


def column_order(pattern: sps.csr_array) -> NDArray[np.int64]:
    """Return the order of the stored entries that makes columns increase within rows."""
    numbered = sps.csr_array(
        (np.arange(pattern.nnz, dtype=np.int64), pattern.indices.copy(), pattern.indptr), shape=pattern.shape
    )
    numbered.sort_indices()
    return numbered.data


#: Odd multipliers of a hash of limbs; a collision is noticed, and the next multiplier is tried.
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


def distinct(limbs: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the distinct tuples of limbs.

    Returns:
        For every entry its number, and for every number the place of an entry that has it. Tuples are told apart by
        a hash mod 2^64; that entries of one number agree limb by limb is checked.

    Raises:
        OverflowError: If four hashes collide, each with a chance near k^2 / 2^65 for k distinct tuples.
    """
    for multiplier in _MULTIPLIERS:
        mixed = limbs[0].view(np.uint64)
        for limb in limbs[1:]:
            mixed = mixed * np.uint64(multiplier) + limb.view(np.uint64)
            mixed = mixed ^ (mixed >> np.uint64(29))
        numbers = np.sort(mixed)
        numbers = numbers[np.r_[True, numbers[1:] != numbers[:-1]]]
        code = np.searchsorted(numbers, mixed)
        first = np.zeros(len(numbers), dtype=np.int64)
        first[code] = np.arange(len(code))
        if all(np.array_equal(limb[first][code], limb) for limb in limbs):
            return code, first
    raise OverflowError("four hashes of the entries collide")


def split(integers: Sequence[int]) -> list[NDArray[np.int64]]:
    """Split signed integers into limbs of 20 bits (signed alike), least significant first."""
    count = max((abs(value).bit_length() for value in integers), default=1)
    count = max(1, -(-count // LIMB))
    mask = (1 << LIMB) - 1
    return [
        np.array([(1 if v >= 0 else -1) * ((abs(v) >> (LIMB * i)) & mask) for v in integers], dtype=np.int64)
        for i in range(count)
    ]


def joined(limbs: list[NDArray[np.int64]], places: NDArray[np.int64]) -> list[int]:
    """Return the integers at some places, put together from their limbs."""
    return [sum(int(column[i]) << (LIMB * limb) for limb, column in enumerate(limbs)) for i in places]
