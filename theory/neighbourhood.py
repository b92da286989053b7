"""The inverse near A0, in numbers: how far truncated Neumann series are from A^-1 on the box |A - A0| <= d.

For any matrix V let C = I - VA. Then A^-1 - sum_{j<=k} C^j V = C^(k+1) A^-1 (theorem inverse.linearized), so V need not
be the inverse of A0: its rounding to floats is part of C. Two bounds, the smaller counts (theorem inverse.box):

- entrywise: |C| <= Q = |I - V A0| + d |V| J (J all ones), so the error is at most Q^(k+1) (I - Q)^-1 |V|;
- spectral: ||C||_2 <= rho = ||I - V A0||_F + n d ||V||_2, so it is at most rho^(k+1) / (1 - rho) ||V||.

Matrices are flint's rationals, exact or rounded up; the bounds hold as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from theory.errors import BadInput
from theory.evaluate import lower, upper
from theory.problem import Around, Norm

__all__ = ["Neighbourhood", "Rows", "matrix_norm", "neighbourhood", "times"]

Rows = tuple[tuple[Fraction, ...], ...]
_BITS = 64
#: Largest side for which all sign vectors are tried to name the distance to the singular matrices.
_SIGNS = 10
#: Bits of a short V: times scales of 12 bits its entries are still floats, so that merged weights need no rounding.
_SHORT_BITS = 36


def _matrix(rows: Rows) -> fmpq_mat:
    return fmpq_mat([[fmpq(entry.numerator, entry.denominator) for entry in row] for row in rows])


def _rows(matrix: fmpq_mat) -> Rows:
    return tuple(tuple(Fraction(int(entry.p), int(entry.q)) for entry in row) for row in matrix.tolist())


def times(left: Rows, right: Rows) -> Rows:
    """Return the exact product."""
    return _rows(_matrix(left) * _matrix(right))


def _up(rows: Rows) -> Rows:
    return tuple(tuple(upper(entry, _BITS) for entry in row) for row in rows)


@dataclass(frozen=True)
class Neighbourhood:
    """A box of matrices with a float matrix V near the inverse of its centre.

    Attributes:
        domain: The box.
        V: Its entries are floats; any will do, the closer to A0^-1 the better.
    """

    domain: Around
    V: Rows

    @property
    def n(self) -> int:
        """Side of the matrices."""
        return self.domain.n

    @cached_property
    def size(self) -> Rows:
        """|V|, entry by entry."""
        return tuple(tuple(abs(entry) for entry in row) for row in self.V)

    @cached_property
    def residual(self) -> Rows:
        """|I - V A0|, entry by entry, exact: zero where V is the exact inverse."""
        product_ = times(self.V, self.domain.centre)
        return tuple(tuple(abs((i == j) - entry) for j, entry in enumerate(row)) for i, row in enumerate(product_))

    @cached_property
    def Q(self) -> Rows:
        """Bound on |I - VA| over the box: |I - V A0|_ij + d (sum_k |V_ik|), attained where the signs of V agree."""
        d = self.domain.half_width
        return tuple(
            tuple(entry + d * sum(row) for entry in off) for row, off in zip(self.size, self.residual, strict=True)
        )

    @cached_property
    def largest(self) -> Fraction:
        """The largest entry of Q."""
        return max(max(row) for row in self.Q)

    @cached_property
    def columns(self) -> Fraction:
        """The largest column sum of |V|: what a matrix's largest entry grows by when V multiplies it from the right."""
        return max(sum(column) for column in zip(*self.size, strict=True))

    @cached_property
    def spectral(self) -> tuple[Fraction, Fraction]:
        """Bounds on ||V||_2 and on ||I - VA||_2 over the box."""
        with ctx.workprec(256):
            gram = arb_mat(_matrix(self.V).transpose() * _matrix(self.V))
            norm = _two_norm(gram)
            off = sum((arb(fmpq(e.numerator, e.denominator)) ** 2 for row in self.residual for e in row), arb(0)).sqrt()
            d = fmpq(self.domain.half_width.numerator, self.domain.half_width.denominator)
            return upper(norm, _BITS), upper(off + self.n * arb(d) * norm, _BITS)

    @cached_property
    def _resolvent(self) -> Rows | None:
        """(I - Q)^-1, rounded up, if the spectral radius of Q is below 1: it is just when the inverse has no negative.

        (For Q >= 0 the inverse is then sum Q^j; and if (I - Q)^-1 >= 0, the Perron vector of Q shows the radius < 1.)
        """
        Q = _up(self.Q)
        try:
            inverse = _rows((_matrix(_identity(self.n)) - _matrix(Q)).inv())
        except ZeroDivisionError:
            return None
        return _up(inverse) if all(entry >= 0 for row in inverse for entry in row) else None

    @cached_property
    def _tails(self) -> list[Rows]:
        """Q^k (I - Q)^-1 |V| for k = 0, 1, ..., as far as they have been asked for."""
        return [] if self._resolvent is None else [_up(times(self._resolvent, self.size))]

    def tail(self, order: int) -> Rows | None:
        """Return an entrywise bound on |A^-1 - sum_{j<=k} C^j V| over the box; None where Q is too large."""
        if self._resolvent is None:
            return None
        tails, Q = self._tails, _up(self.Q)
        while len(tails) <= order + 1:
            tails.append(_up(times(Q, tails[-1])))
        return tails[order + 1]

    def error(self, order: int, norm: Norm) -> Fraction | None:
        """Return a bound on the series' error over the box in a norm (UPPER); None where no bound is known."""
        bounds = []
        entries, (norm_v, rho) = self.tail(order), self.spectral
        if entries is not None:
            bounds.append(matrix_norm(entries, norm))
        if rho < 1:
            factor = rho ** (order + 1) / (1 - rho)
            scale = {"2": norm_v, "max": norm_v, "fro": matrix_norm(self.size, "fro"), "inf": _root(self.n) * norm_v}
            bounds.append(upper(factor * scale[norm], _BITS))
        return min(bounds) if bounds else None

    def check(self) -> None:
        """Check that a bound is known on the box.

        Raises:
            BadInput: If the box contains, or may contain, a singular matrix.
        """
        if self._resolvent is not None or self.spectral[1] < 1:
            return
        total = sum(entry for row in self.size for entry in row)
        most = max(1 / total, 1 / (self.n * self.spectral[0]))
        ask = f"give a half-width below {float(lower(most, 20)):.5g}"
        distance = self._singular_at()
        if distance is not None and distance <= self.domain.half_width:
            raise BadInput(
                f"the box contains a singular matrix, {float(distance):.5g} from the centre in every entry; {ask}"
            )
        rho = min(self.spectral[1], self.domain.half_width * total)
        raise BadInput(
            f"the box may contain a singular matrix: ||A0^-1 (A - A0)|| is only known to be at most {float(rho):.5g}, "
            f"and the series needs it below 1; {ask}"
        )

    def _singular_at(self) -> Fraction | None:
        """Return the distance of A0 to the singular matrices in the largest entry, 1 / max x^T A0^-1 y over signs."""
        if self.n > _SIGNS:
            return None
        inverse = _rows(_matrix(self.domain.centre).inv())
        reach = Fraction(0)
        for signs in product((1, -1), repeat=self.n - 1):
            x = (1, *signs)
            sums = (sum(s * entry for s, entry in zip(x, column, strict=True)) for column in zip(*inverse, strict=True))
            reach = max(reach, sum((abs(entry) for entry in sums), Fraction(0)))
        return 1 / reach


def _identity(n: int) -> Rows:
    return tuple(tuple(Fraction(i == j) for j in range(n)) for i in range(n))


def _two_norm(gram: arb_mat) -> arb:
    """Return a bound on ||V||_2 from V^T V: the 2p-th root of trace (V^T V)^p, p = 2^14, too large by n^(1/2p)."""
    scale = gram.trace()
    power = gram / scale
    for _ in range(14):
        power = power * power
    return (scale * (power.trace().log() / 2**14).exp()).sqrt()


def _root(n: int) -> Fraction:
    with ctx.workprec(128):
        return upper(arb(n).sqrt(), _BITS)


def matrix_norm(entries: Rows, norm: Norm) -> Fraction:
    """Return a bound, rounded up, on the norm of any matrix with |x_ij| <= entries_ij."""
    if norm == "max":
        return upper(max(max(row) for row in entries), _BITS)
    rows = max(sum(row) for row in entries)
    if norm == "inf":
        return upper(rows, _BITS)
    columns = max(sum(column) for column in zip(*entries, strict=True))
    square = sum(entry * entry for row in entries for entry in row)
    square = min(square, rows * columns) if norm == "2" else square
    with ctx.workprec(128):
        return upper(arb(fmpq(square.numerator, square.denominator)).sqrt(), _BITS)


@lru_cache(maxsize=32)
def neighbourhood(domain: Around, *, short: bool = False) -> Neighbourhood:
    """Return the box with V the exact inverse of A0, every entry rounded once to float64.

    Args:
        domain: The box.
        short: Round V to few bits, unless no bound holds then, so that networks that multiply by it are exact.

    Raises:
        BadInput: If A0 is singular, its inverse is outside float64's range, or the box may hold a singular matrix.
    """
    try:
        inverse = _rows(_matrix(domain.centre).inv())
    except ZeroDivisionError:
        raise BadInput("the centre A0 is singular: there is nothing to linearise; give an invertible A0") from None
    try:
        V = tuple(tuple(Fraction(float(entry)) for entry in row) for row in inverse)
    except OverflowError:
        raise BadInput("the inverse of A0 is outside float64's range; scale the problem") from None
    flat = zip((entry for row in V for entry in row), (entry for row in inverse for entry in row), strict=True)
    if any((entry == 0) != (exact == 0) for entry, exact in flat):
        raise BadInput("the inverse of A0 is outside float64's range; scale the problem")
    full = Neighbourhood(domain, V)
    full.check()
    if not short:
        return full
    top = max(abs(entry) for row in inverse for entry in row)
    step = Fraction(2) ** (top.numerator.bit_length() - top.denominator.bit_length() - _SHORT_BITS)
    rounded = Neighbourhood(domain, tuple(tuple(round(entry / step) * step for entry in row) for row in inverse))
    return rounded if rounded.error(1, "max") is not None else full
