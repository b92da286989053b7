"""Matrices of numbers with 106 significant bits: unevaluated sums of two float64, batched on any device.

The error-free transformations of Dekker and Knuth (Dekker, Numer. Math. 18 (1971); Ogita, Rump, Oishi, SIAM J. Sci.
Comput. 26 (2005)) need correctly rounded float64 and no fused operations, which torch's elementwise ``+ - *`` give.
Entries must stay within about 1e-150 … 1e290 in size: Dekker's splitting overflows above, and products' low parts
underflow below. Shapes are (n, n, batch): the batch comes last so that every elementwise step runs along memory.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["DD", "add", "eye", "from_double", "inverse", "matmul", "multiply", "scale", "shift_diagonal", "where"]

_SPLIT = 134217729.0  # 2^27 + 1


class DD(NamedTuple):
    """The number hi + lo, with ``hi`` its nearest float64.

    Attributes:
        hi: Leading part, shape (n, n, batch).
        lo: The rest, of the same shape, at most half a unit in the last place of ``hi``.
    """

    hi: Tensor
    lo: Tensor


def from_double(value: Tensor) -> DD:
    """Return float64 entries as they are."""
    return DD(value, torch.zeros_like(value))


def eye(like: Tensor) -> DD:
    """Return identity matrices shaped like ``like``."""
    n = like.shape[0]
    return from_double(torch.eye(n, dtype=like.dtype, device=like.device)[:, :, None].expand_as(like).contiguous())


def where(condition: Tensor, first: DD, second: DD) -> DD:
    """Choose entrywise."""
    return DD(torch.where(condition, first.hi, second.hi), torch.where(condition, first.lo, second.lo))


def add(a: DD, b: DD) -> DD:
    """Return a + b, error at most 2^-104 of |a| + |b| entrywise."""
    high, high_error = _two_sum(a.hi, b.hi)
    low, low_error = _two_sum(a.lo, b.lo)
    high, rest = _quick_two_sum(high, high_error + low)
    return DD(*_quick_two_sum(high, rest + low_error))


def scale(a: DD, factor: float | Tensor) -> DD:
    """Return a · factor for a power of two: exact."""
    return DD(a.hi * factor, a.lo * factor)


def shift_diagonal(a: DD, constant: Fraction | int) -> DD:
    """Return a + constant·I."""
    value = Fraction(constant)
    high = float(value)
    identity = eye(a.hi)
    return add(a, DD(identity.hi * high, identity.hi * float(value - Fraction(high))))


def matmul(a: DD, b: DD) -> DD:
    """Return the products a·b, error at most about n·2^-104 of |a|·|b| entrywise (compensated dot products)."""
    a_high, a_low = _split(a.hi)
    b_high, b_low = _split(b.hi)
    total: Tensor | None = None
    error: Tensor | None = None
    for k in range(a.hi.shape[1]):
        left, right = (slice(None), k, None), (k, None)
        product = a.hi[left] * b.hi[right]
        ah, al, bh, bl = a_high[left], a_low[left], b_high[right], b_low[right]
        rest = ((ah * bh - product) + ah * bl + al * bh) + al * bl
        rest = rest + (a.hi[left] * b.lo[right] + a.lo[left] * b.hi[right])
        if total is None or error is None:
            total, error = product, rest
        else:
            total, lost = _two_sum(total, product)
            error = error + (lost + rest)
    if total is None or error is None:
        return a  # 0 by 0 matrices
    return DD(*_quick_two_sum(total, error))


def inverse(a: DD) -> DD:
    """Return inverses by Gauss-Jordan elimination with partial pivoting; a zero pivot gives infinities or NaN."""
    n = a.hi.shape[0]
    identity = eye(a.hi)
    work = DD(torch.cat([a.hi, identity.hi], 1), torch.cat([a.lo, identity.lo], 1))
    for k in range(n):
        work = _swap_rows(work, k, k + work.hi[k:, 0].abs().argmax(0))
        column, rest = DD(work.hi[:, 0], work.lo[:, 0]), DD(work.hi[:, 1:], work.lo[:, 1:])
        row = _divide(DD(rest.hi[k], rest.lo[k]), DD(column.hi[k], column.lo[k]))
        product = multiply(DD(column.hi[:, None], column.lo[:, None]), DD(row.hi[None], row.lo[None]))
        work = add(rest, _negate(product))  # The pivot's column becomes a unit vector: it is dropped, not stored.
        work.hi[k] = row.hi
        work.lo[k] = row.lo
    return work


def multiply(a: DD, b: DD) -> DD:
    """Return the entrywise product a·b, relative error at most 2^-102; shapes broadcast."""
    product = a.hi * b.hi
    rest = _product_error(a.hi, b.hi, product) + (a.hi * b.lo + a.lo * b.hi)
    return DD(*_quick_two_sum(product, rest))


def _swap_rows(a: DD, k: int, pivot: Tensor) -> DD:
    """Exchange row k with row ``pivot`` (one index a matrix)."""
    rows = torch.arange(a.hi.shape[0], device=pivot.device)[:, None]
    order = torch.where(rows == pivot, k, rows)
    order = torch.where(rows == k, pivot, order)[:, None].expand_as(a.hi)
    return DD(torch.gather(a.hi, 0, order), torch.gather(a.lo, 0, order))


def _divide(a: DD, b: DD) -> DD:
    first = a.hi / b.hi
    remainder = add(a, _negate(multiply(DD(first, torch.zeros_like(first)), b)))
    second = remainder.hi / b.hi
    remainder = add(remainder, _negate(multiply(DD(second, torch.zeros_like(second)), b)))
    return add(DD(*_quick_two_sum(first, second)), from_double(remainder.hi / b.hi))


def _negate(a: DD) -> DD:
    return DD(-a.hi, -a.lo)


def _two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _quick_two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    total = a + b
    return total, b - (total - a)


def _split(a: Tensor) -> tuple[Tensor, Tensor]:
    scaled = a * _SPLIT
    high = scaled - (scaled - a)
    return high, a - high


def _product_error(a: Tensor, b: Tensor, product: Tensor) -> Tensor:
    ah, al = _split(a)
    bh, bl = _split(b)
    return ((ah * bh - product) + ah * bl + al * bh) + al * bl
