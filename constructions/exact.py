"""Sparse matrices of exact rationals: a CSR pattern whose entries are indices into a short table of Fractions.

The networks of this library have hundreds of thousands of weights but few distinct ones. Products are taken in int64
limbs of a common rational unit, exactly, so that a map of a million weights multiplies at sparse-matrix speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import numpy as np
import scipy.sparse as sps
from jaxtyping import Int64
from numpy.typing import NDArray

from constructions.limbs import LIMB, column_order, distinct, joined, split

__all__ = ["Batch", "ExactMatrix", "common_unit", "vstack"]

#: (rows, columns, value): entries that share one value.
Batch = tuple[NDArray[np.int64], NDArray[np.int64], Fraction]


def common_unit(table: Sequence[Fraction]) -> tuple[Fraction, list[int]]:
    """Return the largest rational unit and the integers with ``value = unit * integer``."""
    if not table:
        return Fraction(1), []
    denominator = lcm(*(value.denominator for value in table))
    numerators = [value.numerator * (denominator // value.denominator) for value in table]
    common = gcd(*numerators) or 1
    return Fraction(common, denominator), [numerator // common for numerator in numerators]


@dataclass(frozen=True, eq=False)
class ExactMatrix:
    """A sparse rational matrix in canonical form.

    Attributes:
        shape: (rows, columns).
        indptr: CSR row pointers.
        indices: CSR column indices, increasing within a row.
        codes: For every stored entry its index in ``table``.
        table: The distinct non-zero values, increasing, each of them used.

    Raises:
        ValueError: If the parts do not fit together.
    """

    shape: tuple[int, int]
    indptr: Int64[np.ndarray, " pointers"]
    indices: Int64[np.ndarray, " nnz"]
    codes: Int64[np.ndarray, " coded"]
    table: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        rows, columns = self.shape
        if len(self.indptr) != rows + 1 or self.indptr[-1] != len(self.indices) or len(self.indices) != len(self.codes):
            raise ValueError("row pointers, indices and codes do not fit together")
        if len(self.indices) and not 0 <= int(self.indices.min()) <= int(self.indices.max()) < columns:
            raise ValueError("a column index is out of range")
        if len(self.codes) and not 0 <= int(self.codes.min()) <= int(self.codes.max()) < len(self.table):
            raise ValueError("a code is out of range")
        if any(value == 0 for value in self.table):
            raise ValueError("zeros are not stored")

    @classmethod
    def from_batches(cls, shape: tuple[int, int], batches: Iterable[Batch]) -> ExactMatrix:
        """Return the matrix with these entries; entries at the same place add up, zeros vanish.

        Raises:
            ValueError: If an entry is outside the shape.
        """
        kept = [(np.asarray(r), np.asarray(c), v) for r, c, v in batches if v and len(np.atleast_1d(r))]
        values = sorted({value for _, _, value in kept})
        unit, integers = common_unit(values)
        limb_table = split(integers)
        place = {value: i for i, value in enumerate(values)}
        for r, c, _ in kept:
            if min(r.min(), c.min()) < 0 or r.max() >= shape[0] or c.max() >= shape[1]:
                raise ValueError(f"an entry is outside the shape {shape}")
        keys = [r.astype(np.int64) * shape[1] + c for r, c, _ in kept]
        codes = [np.full(len(r), place[v], dtype=np.int64) for r, _, v in kept]
        if not keys:
            return cls._empty(shape)
        return cls._collect(shape, np.concatenate(keys), [t[np.concatenate(codes)] for t in limb_table], unit)

    @classmethod
    def identity(cls, size: int) -> ExactMatrix:
        """Return the identity matrix."""
        return cls(
            (size, size),
            np.arange(size + 1, dtype=np.int64),
            np.arange(size, dtype=np.int64),
            np.zeros(size, dtype=np.int64),
            (Fraction(1),) if size else (),
        )

    @classmethod
    def from_floats(cls, csr: sps.csr_array) -> ExactMatrix:
        """Return the exact value of a float64 CSR matrix (every finite float is a dyadic rational)."""
        csr = csr.copy()
        csr.sum_duplicates()
        csr.eliminate_zeros()
        values, codes = np.unique(csr.data, return_inverse=True)
        return cls(
            (int(csr.shape[0]), int(csr.shape[1])),
            csr.indptr.astype(np.int64),
            csr.indices.astype(np.int64),
            codes.astype(np.int64).reshape(-1),
            tuple(Fraction(float(value)) for value in values),
        )

    @classmethod
    def _empty(cls, shape: tuple[int, int]) -> ExactMatrix:
        none = np.zeros(0, dtype=np.int64)
        return cls(shape, np.zeros(shape[0] + 1, dtype=np.int64), none, none, ())

    @classmethod
    def _collect(
        cls, shape: tuple[int, int], keys: NDArray[np.int64], limbs: list[NDArray[np.int64]], unit: Fraction
    ) -> ExactMatrix:
        """Add up limb entries by key ``row * columns + column`` and put the result in canonical form."""
        if not len(keys):
            return cls._empty(shape)
        order = np.argsort(keys)  # equal keys in any order: their sum is exact
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        sums = [np.add.reduceat(limb[order], starts) for limb in limbs]
        keys = keys[starts]
        rows = keys // shape[1]
        indptr = np.zeros(shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
        code, first = distinct(sums)
        return cls._canonical(shape, indptr, keys - rows * shape[1], code, [unit * v for v in joined(sums, first)])

    @classmethod
    def _canonical(
        cls,
        shape: tuple[int, int],
        indptr: NDArray[np.int64],
        indices: NDArray[np.int64],
        code: NDArray[np.int64],
        found: Sequence[Fraction],
    ) -> ExactMatrix:
        """Return the matrix with values ``found[code]`` in CSR order, columns increasing; zeros are left out."""
        used = np.bincount(code, minlength=len(found)) > 0
        table = sorted({value for value, here in zip(found, used, strict=True) if here and value})
        place = {value: i for i, value in enumerate(table)}
        codes = np.array([place.get(value, -1) for value in found], dtype=np.int64)[code]
        if any(here and not value for value, here in zip(found, used, strict=True)):
            stays = codes >= 0
            kept = np.zeros(len(codes) + 1, dtype=np.int64)
            np.cumsum(stays, out=kept[1:])
            indptr, indices, codes = kept[indptr], indices[stays], codes[stays]
        return cls(shape, indptr, indices, codes, tuple(table))

    @property
    def nnz(self) -> int:
        """Number of non-zero entries."""
        return len(self.indices)

    def rows(self) -> NDArray[np.int64]:
        """Return the row index of every stored entry."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int64), np.diff(self.indptr))

    def _limb_tables(self) -> tuple[Fraction, list[NDArray[np.int64]]]:
        unit, integers = common_unit(self.table)
        return unit, split(integers)

    def __matmul__(self, other: ExactMatrix) -> ExactMatrix:
        """Return the exact product.

        Raises:
            ValueError: If the shapes do not fit.
            OverflowError: If a sum of limb products could leave int64.
        """
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"cannot multiply {self.shape} by {other.shape}")
        shape = (self.shape[0], other.shape[1])
        if not self.nnz or not other.nnz:
            return self._empty(shape)
        ones = np.ones(self.nnz, dtype=np.int64), np.ones(other.nnz, dtype=np.int64)
        pattern = self._csr(ones[0]) @ other._csr(ones[1])
        # Most entries are one product of two weights: sums of codes by ones tell which two.
        single = pattern.data == 1
        left = (self._csr(self.codes + 1) @ other._csr(ones[1])).data[single] - 1
        right = (self._csr(ones[0]) @ other._csr(other.codes + 1)).data[single] - 1
        code = np.zeros(pattern.nnz, dtype=np.int64)
        found: list[Fraction] = []
        if len(left):
            code[single], first = distinct([left * len(other.table) + right])
            found = [self.table[a] * other.table[b] for a, b in zip(left[first], right[first], strict=True)]
        if len(left) < pattern.nnz:
            rows = np.repeat(np.arange(shape[0], dtype=np.int64), np.diff(pattern.indptr))
            sums, more = self._sums(other, rows[~single], pattern.indices[~single].astype(np.int64))
            code[~single] = sums + len(found)
            found += more
        order = column_order(pattern)
        return self._canonical(
            shape, pattern.indptr.astype(np.int64), pattern.indices[order].astype(np.int64), code[order], found
        )

    def _sums(
        self, other: ExactMatrix, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], list[Fraction]]:
        """Return some entries of the product as codes and their values, by limbs of the rows and columns they need.

        Raises:
            OverflowError: If a sum of limb products could leave int64.
        """
        few, place = np.unique(rows, return_inverse=True)
        left, right = self.take_rows(few), other._with_columns(columns)
        left_unit, left_limbs = left._limb_tables()
        right_unit, right_limbs = right._limb_tables()
        # Shifted limbs are below 2^21: an entry sums at most (terms of a row) products below 2^42, and the limb sums
        # add up at most (limb pairs of one weight) sums of products below 2^40.
        if int(np.diff(self.indptr).max()) * max(2, min(len(left_limbs), len(right_limbs))) >= 1 << 21:
            raise OverflowError("rows this long, of numbers this precise, overflow the limb sums")
        # scipy leaves out sums that vanish. Shifted by 2^20 every limb is positive, no sum vanishes, and all products
        # share one pattern, in one order; sum (a + c)(b + c) = sum ab + c sum (a + b) + c^2 (number of terms).
        shift = 1 << LIMB
        ones = left._csr(np.ones(left.nnz, dtype=np.int64)), right._csr(np.ones(right.nnz, dtype=np.int64))
        pattern = ones[0] @ ones[1]
        order = column_order(pattern)
        pattern.sort_indices()
        keys = np.repeat(np.arange(len(few), dtype=np.int64), np.diff(pattern.indptr)) * other.shape[1]
        chosen = order[np.searchsorted(keys + pattern.indices, place.reshape(-1) * other.shape[1] + columns)]
        terms = (ones[0] @ ones[1]).data[chosen]
        left_sums = [(left._csr(t[left.codes] + shift) @ ones[1]).data[chosen] - shift * terms for t in left_limbs]
        right_sums = [(ones[0] @ right._csr(t[right.codes] + shift)).data[chosen] - shift * terms for t in right_limbs]
        limbs = [np.zeros(len(terms), dtype=np.int64) for _ in range(len(left_limbs) + len(right_limbs) - 1)]
        for a, left_table in enumerate(left_limbs):
            shifted = left._csr(left_table[left.codes] + shift)
            for b, right_table in enumerate(right_limbs):
                product = (shifted @ right._csr(right_table[right.codes] + shift)).data[chosen]
                limbs[a + b] += product - shift * (left_sums[a] + right_sums[b] + shift * terms)
        code, first = distinct(limbs)
        return code, [left_unit * right_unit * value for value in joined(limbs, first)]

    def _with_columns(self, columns: NDArray[np.int64]) -> ExactMatrix:
        """Return the matrix with nothing outside these columns."""
        wanted = np.zeros(self.shape[1], dtype=bool)
        wanted[columns] = True
        stays = wanted[self.indices]
        if stays.all():
            return self
        kept = np.zeros(self.nnz + 1, dtype=np.int64)
        np.cumsum(stays, out=kept[1:])
        return self._canonical(self.shape, kept[self.indptr], self.indices[stays], self.codes[stays], self.table)

    def _csr(self, data: NDArray[np.int64]) -> sps.csr_array:
        return sps.csr_array((data, self.indices, self.indptr), shape=self.shape)

    def __add__(self, other: ExactMatrix) -> ExactMatrix:
        """Return the exact sum.

        Raises:
            ValueError: If the shapes differ.
        """
        if self.shape != other.shape:
            raise ValueError(f"cannot add {self.shape} and {other.shape}")
        if not self.nnz or not other.nnz:
            return self if self.nnz else other
        columns = self.shape[1]
        keys = np.concatenate([part.rows() * columns + part.indices for part in (self, other)])
        code = np.concatenate([self.codes, other.codes + len(self.table)])
        order = np.argsort(keys, kind="stable")  # two runs in order already: merged in one pass, ours before theirs
        keys, code = keys[order], code[order]
        found = [*self.table, *other.table]
        both = np.flatnonzero(keys[1:] == keys[:-1])
        if len(both):
            ours, theirs = code[both], code[both + 1]
            pairs, first = distinct([ours * len(found) + theirs])
            code[both] = pairs + len(found)
            found += [found[a] + found[b] for a, b in zip(ours[first], theirs[first], strict=True)]
        stays = np.ones(len(keys), dtype=bool)
        stays[both + 1] = False
        keys = keys[stays]
        rows = keys // columns
        indptr = np.zeros(self.shape[0] + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=self.shape[0]), out=indptr[1:])
        return self._canonical(self.shape, indptr, keys - rows * columns, code[stays], found)

    def scaled(self, factor: Fraction | int) -> ExactMatrix:
        """Return a multiple."""
        if factor == 0:
            return self._empty(self.shape)
        table = tuple(value * factor for value in self.table)
        if factor > 0:
            return ExactMatrix(self.shape, self.indptr, self.indices, self.codes, table)
        return ExactMatrix(self.shape, self.indptr, self.indices, len(table) - 1 - self.codes, table[::-1])

    def batches(self, row_shift: int = 0, column_shift: int = 0) -> list[Batch]:
        """Return the entries grouped by value, shifted: blocks of larger matrices are put together from these."""
        order = np.argsort(self.codes, kind="stable")
        rows, columns = self.rows()[order] + row_shift, self.indices[order] + column_shift
        cuts = np.searchsorted(self.codes[order], np.arange(len(self.table) + 1))
        return [
            (rows[cuts[i] : cuts[i + 1]], columns[cuts[i] : cuts[i + 1]], value) for i, value in enumerate(self.table)
        ]

    def take_rows(self, order: NDArray[np.int64]) -> ExactMatrix:
        """Return the matrix whose row i is row ``order[i]`` of this one."""
        lengths = np.diff(self.indptr)[order]
        indptr = np.zeros(len(order) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        places = np.repeat(self.indptr[:-1][order] - indptr[:-1], lengths) + np.arange(indptr[-1])
        codes = self.codes[places]
        used = np.flatnonzero(np.bincount(codes, minlength=len(self.table)))
        number = np.zeros(len(self.table), dtype=np.int64)
        number[used] = np.arange(len(used))
        return ExactMatrix(
            (len(order), self.shape[1]),
            indptr,
            self.indices[places],
            number[codes],
            tuple(self.table[i] for i in used),
        )

    def take_columns(self, order: NDArray[np.int64]) -> ExactMatrix:
        """Return the matrix whose column j is column ``order[j]`` of this one."""
        selector = ExactMatrix.from_batches(
            (self.shape[1], len(order)), [(order, np.arange(len(order), dtype=np.int64), Fraction(1))]
        )
        return self @ selector

    def floats(self) -> sps.csr_array:
        """Return the matrix in float64, every entry correctly rounded, once."""
        table = np.array([float(value) for value in self.table], dtype=np.float64)
        data = table[self.codes] if self.nnz else np.zeros(0)
        return sps.csr_array((data, self.indices, self.indptr), shape=self.shape)

    def rounded(self) -> ExactMatrix:
        """Return the exact value of ``floats()``: what freezing makes of the matrix."""
        values = tuple(Fraction(float(value)) for value in self.table)
        if len({value for value in values if value}) == len(values):
            return ExactMatrix(self.shape, self.indptr, self.indices, self.codes, values)
        batches = [(rows, columns, Fraction(float(value))) for rows, columns, value in self.batches()]
        return ExactMatrix.from_batches(self.shape, batches)

    def equals(self, other: ExactMatrix) -> bool:
        """Return whether both matrices have the same entries."""
        return (
            self.shape == other.shape
            and self.table == other.table
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
            and np.array_equal(self.codes, other.codes)
        )


def vstack(parts: Sequence[ExactMatrix]) -> ExactMatrix:
    """Return the matrices one below the other.

    Raises:
        ValueError: If they have different numbers of columns, or there are none.
    """
    if len({part.shape[1] for part in parts}) != 1:
        raise ValueError("matrices below one another have equally many columns")
    table = sorted({value for part in parts for value in part.table})
    place = {value: i for i, value in enumerate(table)}
    starts = np.cumsum([0, *(part.nnz for part in parts)])
    pointers = [part.indptr[1:] + start for part, start in zip(parts, starts, strict=False)]
    codes = [np.array([place[value] for value in part.table], dtype=np.int64)[part.codes] for part in parts]
    return ExactMatrix(
        (sum(part.shape[0] for part in parts), parts[0].shape[1]),
        np.concatenate([np.zeros(1, dtype=np.int64), *pointers]),
        np.concatenate([part.indices for part in parts]),
        np.concatenate(codes),
        tuple(table),
    )
