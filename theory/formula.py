"""A formula about a real centre, with the removable zeros found so far: its Taylor coefficients over any box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import sympy as sp
from flint import acb, acb_series, arb, ctx

from theory.errors import BadInput
from theory.series import Obstruction, Zero, series_over
from theory.tape import Tape, compile_tape
from theory.vanishing import constant_ball

__all__ = ["FINE", "PRECISION", "Formula"]

#: Balls are computed to this many bits on boxes, and to the finer precision where a zero is sought.
PRECISION = 64
FINE = 256


class Formula:
    """A formula studied about one real centre; what is learnt of removable zeros is kept.

    Args:
        expression: A formula in ``theory.symbols.X``.
        centre: The centre.

    Attributes:
        tape: The formula as operations.
        guards: The operations that may fail to be analytic somewhere.
        zeros: Division -> its denominator's removable zeros found so far.

    Raises:
        BadInput: If the formula is not made of known operations and real constants.
    """

    def __init__(self, expression: sp.Expr, centre: Fraction) -> None:
        self.expression = expression
        self.centre = Fraction(centre)
        self.tape: Tape = compile_tape(expression)
        self.zeros: dict[int, tuple[Zero, ...]] = {}
        self.guards = tuple(i for i in self.tape.guards() if self.tape.depends(self.tape.nodes[i].args[-1]))
        for index in set(self.tape.guards()) - set(self.guards):
            self._check_constant(index)

    def _check_constant(self, index: int) -> None:
        """Check a guarded operation on constants, once and for all.

        Raises:
            BadInput: If it has no real value.
        """
        node = self.tape.nodes[index]
        try:
            wanted = node.args[-1] if node.op == "div" else index
            value = series_over(self.tape, acb(0), 1, zeros={}, roots=[wanted], precision=FINE)[wanted][0]
        except Obstruction as obstruction:
            raise BadInput(f"{self.tape.text(obstruction.node)} is not a real number, or not shown to be one") from None
        if node.op == "div" and value.contains(0):
            raise BadInput(f"division by {self.tape.text(node.args[-1])}, which is zero or not shown not to be")

    def is_entire(self) -> bool:
        """Whether no operation can fail to be analytic anywhere."""
        return not self.guards

    def over(
        self, box: acb, length: int, roots: Iterable[int] | None = None, precision: int = PRECISION
    ) -> dict[int, acb_series]:
        """Return Taylor coefficients over a box, widened to a removable zero close by where that helps.

        Raises:
            Obstruction: If an operation cannot be shown to be analytic on the box.
        """
        zeros = self.zeros if precision <= FINE else self._finer(precision)
        for _ in range(4):
            try:
                return series_over(self.tape, box, length, zeros=zeros, roots=roots, precision=precision)
            except Obstruction as obstruction:
                near = _near(zeros.get(obstruction.node, ()), box)
                if near is None:
                    raise
                box = box.union(near.ball)
        raise Obstruction(self.tape.root)

    def add_zero(self, node: int, zero: Zero) -> None:
        """Remember a removable zero of a division's denominator."""
        self.zeros[node] = (*self.zeros.get(node, ()), zero)

    def _finer(self, precision: int) -> dict[int, tuple[Zero, ...]]:
        """Return the removable zeros in smaller balls."""
        with ctx.workprec(precision + 64):
            return {
                node: tuple(replace(zero, ball=constant_ball(zero.place) or zero.ball) for zero in known)
                for node, known in self.zeros.items()
            }


def _near(zeros: tuple[Zero, ...], box: acb) -> Zero | None:
    """Return a removable zero that a box comes close to without having it inside."""
    reach = 3 * box.rad() + arb(2) ** -PRECISION
    for zero in zeros:
        if (zero.ball - box.mid()).abs_lower() < reach and not box.contains(zero.ball):
            return zero
    return None
