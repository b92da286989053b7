"""The linear forms whose squares make a matrix product (theorems matmul.polarised, matmul.square).

A product Z = L R of n x n matrices is ``U - row/2 - column/2`` with, for the general product,

    U_ij = sum_k 2 B_L B_R ((L_ik/B_L + R_kj/B_R)/2)^2,   row_i = sum_k B_L B_R (L_ik/B_L)^2,   column_j likewise,

and for a square X^2, with every square shared,

    U_ii = B^2 (x_ii/B)^2 + sum_{k != i} 2 B^2 ((x_ik + x_ki)/2B)^2,
    U_ij = 4 B^2 ((x_ij + (x_ii + x_jj)/2)/2B)^2 - B^2 ((x_ii + x_jj)/2B)^2 + sum_{k != i,j} 2 B^2 ((x_ik + x_kj)/2B)^2,
    row_i = sum_{k != i} B^2 (x_ik/B)^2,   column_j = sum_{k != j} B^2 (x_kj/B)^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from constructions.exact import Batch, ExactMatrix
from theory.layout import shares_sums
from theory.network_plan import ProductPlan
from theory.program import Combination

__all__ = ["ProductForms", "product_forms"]

Index = NDArray[np.int64]
_HALF = Fraction(1, 2)


@dataclass(frozen=True, eq=False)
class ProductForms:
    """The forms of one product, |form| <= 1 on the domain, and the sums of their squares.

    Attributes:
        forms: squarers x inputs.
        sums: accumulators x squarers: entries U first, then rows, then columns.
        entries: n^2 x accumulators: how the product's entries follow from the sums.
    """

    forms: ExactMatrix
    sums: ExactMatrix
    entries: ExactMatrix


def product_forms(plan: ProductPlan, columns: Mapping[str, Index], width: int, n: int) -> ProductForms:
    """Return the forms of a planned product.

    Args:
        plan: Factors and scales.
        columns: Column indices of every live matrix, row by row.
        width: Number of inputs.
        n: Matrix size.
    """
    maker = _square if plan.product.is_square else _general if plan.product.how == "polarised" else _unshared
    forms, sums, count = maker(plan, columns, n)
    accumulators = n * n + 2 * n if shares_sums(plan.product, n) else n * n
    return ProductForms(
        ExactMatrix.from_batches((count, width), forms),
        ExactMatrix.from_batches((accumulators, count), sums),
        _entries(n, accumulators),
    )


def _entries(n: int, accumulators: int) -> ExactMatrix:
    place = np.arange(n * n, dtype=np.int64)
    batches: list[Batch] = [(place, place, Fraction(1))]
    if accumulators > n * n:
        batches.append((place, n * n + place // n, -_HALF))
        batches.append((place, n * n + n + place % n, -_HALF))
    return ExactMatrix.from_batches((n * n, accumulators), batches)


def _reads(
    rows: Index, entries: Index, factor: Combination, scale: Fraction, columns: Mapping[str, Index]
) -> list[Batch]:
    """Return the form entries: row ``rows[a]`` reads ``scale * factor`` at matrix entry ``entries[a]``."""
    return [(rows, columns[name][entries], scale * c) for name, c in factor.terms]


def _general(plan: ProductPlan, columns: Mapping[str, Index], n: int) -> tuple[list[Batch], list[Batch], int]:
    left, right = plan.alpha_left.fraction, plan.alpha_right.fraction
    L, R, scale = plan.product.left, plan.product.right, plan.scale
    inner = np.arange(*(plan.product.inner or (0, n)), dtype=np.int64)
    every = np.arange(n, dtype=np.int64)
    count = n * len(inner)
    # Entries L_ik and R_kj with k in the inner range, then the triples.
    left_i, left_k = (a.reshape(-1) for a in np.meshgrid(every, inner, indexing="ij"))
    right_k, right_j = (a.reshape(-1) for a in np.meshgrid(inner, every, indexing="ij"))
    i, k, j = (a.reshape(-1) for a in np.meshgrid(every, inner, every, indexing="ij"))
    entry = np.arange(count, dtype=np.int64)
    triple = 2 * count + np.arange(n * count, dtype=np.int64)
    forms = [
        *_reads(entry, left_i * n + left_k, L, left, columns),
        *_reads(count + entry, right_k * n + right_j, R, right, columns),
        *_reads(triple, i * n + k, L, left / 2, columns),
        *_reads(triple, k * n + j, R, right / 2, columns),
    ]
    sums: list[Batch] = [
        (i * n + j, triple, 2 * scale),
        (n * n + left_i, entry, scale),
        (n * n + n + right_j, count + entry, scale),
    ]
    return forms, sums, (n + 2) * count


def _unshared(plan: ProductPlan, columns: Mapping[str, Index], n: int) -> tuple[list[Batch], list[Batch], int]:
    """Return two squares a term, ``B_L B_R (u^2 - v^2)``, or three, ``B_L B_R (2u^2 - (l/B_L)^2/2 - (r/B_R)^2/2)``."""
    left, right = plan.alpha_left.fraction, plan.alpha_right.fraction
    L, R, scale = plan.product.left, plan.product.right, plan.scale
    every, inner = np.arange(n, dtype=np.int64), np.arange(*(plan.product.inner or (0, n)), dtype=np.int64)
    i, k, j = (a.reshape(-1) for a in np.meshgrid(every, inner, every, indexing="ij"))
    term = np.arange(len(i), dtype=np.int64)
    one = Fraction(1)
    # Of each square: the multiples of the scaled factors l and r in its form, and the weight of the square.
    squares = {
        "difference": [(_HALF, _HALF, scale), (_HALF, -_HALF, -scale)],
        "usual": [(_HALF, _HALF, 2 * scale), (one, 1 - one, -scale / 2), (1 - one, one, -scale / 2)],
    }[plan.product.how]
    forms: list[Batch] = []
    sums: list[Batch] = []
    for place, (of_left, of_right, weight) in enumerate(squares):
        rows = place * len(term) + term
        if of_left:
            forms += _reads(rows, i * n + k, L, of_left * left, columns)
        if of_right:
            forms += _reads(rows, k * n + j, R, of_right * right, columns)
        sums.append((i * n + j, rows, weight))
    return forms, sums, len(squares) * len(term)


def _square(plan: ProductPlan, columns: Mapping[str, Index], n: int) -> tuple[list[Batch], list[Batch], int]:
    alpha, X, scale = plan.alpha_left.fraction, plan.product.left, plan.scale
    entry = np.arange(n * n, dtype=np.int64)
    if n == 1:
        return _reads(entry, entry, X, alpha, columns), [(entry, entry, scale)], 1
    rows, cols = entry // n, entry % n
    off = entry[rows != cols]
    upper_i, upper_k = (a.astype(np.int64) for a in np.triu_indices(n, 1))
    i, k, j = (a.reshape(-1) for a in np.meshgrid(*[np.arange(n, dtype=np.int64)] * 3, indexing="ij"))
    distinct = (i != k) & (k != j) & (i != j)
    i, k, j = i[distinct], k[distinct], j[distinct]
    # Squarers in order: entries, pairs {x_ik, x_ki}, diagonal sums x_ii + x_jj, merged x_ij (x_ii + x_jj), triples.
    sizes = np.cumsum([n * n, len(upper_i), len(upper_i), len(off)])
    counts = [len(upper_i), len(upper_i), len(off), len(i)]
    pair, diagonal, merged, triple = (
        start + np.arange(count, dtype=np.int64) for start, count in zip(sizes, counts, strict=True)
    )
    off_i, off_j = off // n, off % n
    forms = [
        *_reads(entry, entry, X, alpha, columns),
        *_reads(pair, upper_i * n + upper_k, X, alpha / 2, columns),
        *_reads(pair, upper_k * n + upper_i, X, alpha / 2, columns),
        *_reads(diagonal, upper_i * n + upper_i, X, alpha / 2, columns),
        *_reads(diagonal, upper_k * n + upper_k, X, alpha / 2, columns),
        *_reads(merged, off, X, alpha / 2, columns),
        *_reads(merged, off_i * n + off_i, X, alpha / 4, columns),
        *_reads(merged, off_j * n + off_j, X, alpha / 4, columns),
        *_reads(triple, i * n + k, X, alpha / 2, columns),
        *_reads(triple, k * n + j, X, alpha / 2, columns),
    ]
    own = np.arange(n, dtype=np.int64) * (n + 1)
    sums: list[Batch] = [
        (own, own, scale),
        (upper_i * (n + 1), pair, 2 * scale),
        (upper_k * (n + 1), pair, 2 * scale),
        (off, merged, 4 * scale),
        (upper_i * n + upper_k, diagonal, -scale),
        (upper_k * n + upper_i, diagonal, -scale),
        (i * n + j, triple, 2 * scale),
        (n * n + off_i, off, scale),
        (n * n + n + off_j, off, scale),
    ]
    return forms, sums, n**3
