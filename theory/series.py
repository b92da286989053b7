"""Power series with ball coefficients: Taylor coefficients of a formula at a point, or over a whole box at once.

Over a convex box B the k-th coefficient encloses f^(k)(z)/k! for every z in B. A quotient whose denominator has an
exactly known zero w of order k in B, where the numerator vanishes to order k at least, is divided after dropping the
first k coefficients of both: by the Hermite-Genocchi formula those of u(z)/(z - w)^k lie in the convex hull of the
coefficients k, k + 1, ... of u over B (theorem ``analytic.removable``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import acb, acb_series, arb, ctx, fmpq

from theory.roots import cos_root, sinc_root
from theory.tape import Node, Tape

__all__ = ["GUARDS", "Obstruction", "Zero", "as_complex", "series_over", "series_settings"]

_I = acb(0, 1)
_ENTIRE: dict[str, Callable[[acb_series], acb_series]] = {
    "exp": lambda u: u.exp(),
    "sin": lambda u: u.sin(),
    "cos": lambda u: u.cos(),
    # sinh(u) = -i sin(iu), cosh(u) = cos(iu): no cancellation of exponentials on wide boxes.
    "sinh": lambda u: (u * _I).sin() * -_I,
    "cosh": lambda u: (u * _I).cos(),
    "cosroot": lambda u: cos_root(u, ctx.cap),
    "sincroot": lambda u: sinc_root(u, ctx.cap),
}
#: Operation -> what of its argument must avoid (-oo, 0] for the principal branch to be analytic.
GUARDS: dict[str, Callable[[acb_series], acb_series]] = {
    "log": lambda u: u,
    "sqrt": lambda u: u,
    "rsqrt": lambda u: u,
    "asin": lambda u: (1 - u) * (1 + u),
    "acos": lambda u: (1 - u) * (1 + u),
    "atanh": lambda u: (1 - u) * (1 + u),
    "atan": lambda u: 1 + u * u,
    "asinh": lambda u: 1 + u * u,
    "acosh": lambda u: u - 1,
}
_DERIVATIVES: dict[str, Callable[[acb_series, acb_series], acb_series]] = {
    "asin": lambda u, guard: guard.rsqrt(),
    "acos": lambda u, guard: -guard.rsqrt(),
    "atanh": lambda u, guard: guard.inv(),
    "atan": lambda u, guard: guard.inv(),
    "asinh": lambda u, guard: guard.rsqrt(),
    "acosh": lambda u, guard: guard.rsqrt() * (u + 1).rsqrt(),
}
_VALUES: dict[str, Callable[[acb], acb]] = {
    "asin": acb.asin, "acos": acb.acos, "atanh": acb.atanh, "atan": acb.atan, "asinh": acb.asinh, "acosh": acb.acosh,
}  # fmt: skip


@dataclass(frozen=True)
class Zero:
    """A point where a denominator vanishes and its numerator does too, at least to the same order.

    Attributes:
        place: The point, exactly.
        ball: A small ball around it.
        order: The order of the denominator's zero.
    """

    place: sp.Expr
    ball: acb
    order: int


class Obstruction(Exception):
    """An operation that could not be shown to be analytic on a box.

    Attributes:
        node: The division or branch on the tape.
    """

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


class _TooShort(Exception):
    """A division used up more coefficients than were computed."""


@contextmanager
def series_settings(precision: int, length: int) -> Iterator[None]:
    """Set flint's working precision and series length, and put both back."""
    kept = ctx.cap
    with ctx.workprec(precision):
        ctx.cap = length
        try:
            yield
        finally:
            ctx.cap = kept


def series_over(
    tape: Tape,
    box: acb,
    length: int,
    *,
    zeros: Mapping[int, tuple[Zero, ...]],
    roots: Iterable[int] | None = None,
    precision: int = 64,
) -> dict[int, acb_series]:
    """Return, for each node, balls around the Taylor coefficients at every point of the box.

    Args:
        tape: The formula.
        box: A rectangle, or a point up to rounding.
        length: How many coefficients.
        zeros: Known removable zeros of the denominator of each division.
        roots: The nodes wanted (the whole formula by default).
        precision: Working precision in bits.

    Raises:
        Obstruction: If an operation cannot be shown to be analytic on the box.
    """
    nodes = tape.needed([tape.root] if roots is None else roots)
    extra = 0
    while True:
        try:
            with series_settings(precision, length + extra):
                return _run(tape, nodes, box, length, zeros)
        except _TooShort:
            extra += max(zero.order for known in zeros.values() for zero in known)


def _run(
    tape: Tape, nodes: tuple[int, ...], box: acb, length: int, zeros: Mapping[int, tuple[Zero, ...]]
) -> dict[int, acb_series]:
    values: dict[int, acb_series] = {}
    for index in nodes:
        node = tape.nodes[index]
        args = [values[arg] for arg in node.args]
        if node.op == "div":
            values[index] = _quotient(index, args[0], args[1], box, zeros.get(index, ()), length)
        elif node.op in GUARDS:
            values[index] = _branch(index, node.op, args[0])
        else:
            values[index] = _plain(node, args, box)
    return values


def _plain(node: Node, args: list[acb_series], box: acb) -> acb_series:
    match node.op:
        case "const":
            return acb_series([_constant(node.value)])
        case "var":
            return acb_series([box, 1])
        case "add":
            return sum(args[1:], args[0])
        case "mul":
            return args[0] * args[1]
        case "ipow":
            return _integer_power(args[0], int(node.value or 0))
    return _ENTIRE[node.op](args[0])


def _constant(value: sp.Expr) -> acb:
    if value is sp.pi:
        return acb.pi()
    if value is sp.E:
        return acb(1).exp()
    return acb(arb(fmpq(int(value.p), int(value.q))))


def _integer_power(base: acb_series, power: int) -> acb_series:
    result = base
    for bit in bin(power)[3:]:
        result = result * result
        if bit == "1":
            result = result * base
    return result


def _branch(index: int, op: str, argument: acb_series) -> acb_series:
    guard = GUARDS[op](argument)
    if not _off_cut(guard[0]):
        raise Obstruction(index)
    if op == "log":
        return argument.log()
    if op in ("sqrt", "rsqrt"):
        return argument.sqrt() if op == "sqrt" else argument.rsqrt()
    value = acb_series([_VALUES[op](argument[0])])
    if ctx.cap == 1:
        return value
    return value + (argument.derivative() * _DERIVATIVES[op](argument, guard)).integral()


def _off_cut(value: acb) -> bool:
    """Whether a ball is finite and misses the branch cut (-oo, 0]."""
    return bool(value.is_finite() and (value.real > 0 or not value.imag.contains(0)))


def _quotient(
    index: int, top: acb_series, bottom: acb_series, box: acb, zeros: tuple[Zero, ...], length: int
) -> acb_series:
    order = 0
    if bottom[0].contains(0):
        inside = [zero for zero in zeros if box.contains(zero.ball)]
        if len(inside) != 1:
            raise Obstruction(index)
        order = inside[0].order
        if min(top.prec, bottom.prec) < length + order:
            raise _TooShort
        top, bottom = _drop(top, order), _drop(bottom, order)
        if bottom[0].contains(0):
            raise Obstruction(index)
    if not bottom[0].is_finite():
        raise Obstruction(index)
    return top / bottom


def _drop(series: acb_series, count: int) -> acb_series:
    return acb_series(series.coeffs()[count:] or [0], series.prec - count)


def as_complex(real: Fraction | int, imaginary: Fraction | int = 0) -> acb:
    """Return a ball around a rational complex number."""
    return acb(_real(Fraction(real)), _real(Fraction(imaginary)))


def _real(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
