"""Small linear programs in exact arithmetic: the simplex method on fractions, for what floats cannot decide."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["maximise"]


def maximise(
    cost: Sequence[Fraction], rows: Sequence[Sequence[Fraction]], limits: Sequence[Fraction]
) -> tuple[Fraction, list[Fraction]]:
    """Return the maximum of cost·x under rows·x <= limits and x >= 0, and a vertex that attains it.

    Bland's rule (the first variable that improves enters, the first of the tightest leaves) never cycles, so the method
    ends. Time grows with the size of the fractions: meant for a few dozen rows.

    Args:
        cost: Coefficients of what is maximised.
        rows: Left-hand sides.
        limits: Right-hand sides, none negative, so that x = 0 is allowed.

    Raises:
        ValueError: If a limit is negative, or the maximum is infinite.
    """
    if any(limit < 0 for limit in limits):
        raise ValueError("the method starts at x = 0, which every limit must allow")
    variables = len(cost)
    # Row i reads: slack_i = limit - Σ entries; basis[i] names the variable the row is solved for.
    table = [[*map(Fraction, row), Fraction(limit)] for row, limit in zip(rows, limits, strict=True)]
    gains, value = [Fraction(c) for c in cost], Fraction(0)
    basis = list(range(variables, variables + len(table)))
    free = list(range(variables))
    while True:
        entering = min((name, place) for place, name in enumerate(free) if gains[place] > 0) if max(gains) > 0 else None
        if entering is None:
            break
        column = entering[1]
        ratios = [(row[-1] / row[column], basis[i], i) for i, row in enumerate(table) if row[column] > 0]
        if not ratios:
            raise ValueError("the maximum is infinite")
        leaving = min(ratios)[2]
        _pivot(table, leaving, column)
        factor = gains[column]
        value += factor * table[leaving][-1]
        gains = [g - factor * entry for g, entry in zip(gains, table[leaving][:-1], strict=True)]
        gains[column] = -factor * table[leaving][column]
        basis[leaving], free[column] = free[column], basis[leaving]
    found = {name: row[-1] for name, row in zip(basis, table, strict=True)}
    return value, [found.get(name, Fraction(0)) for name in range(variables)]


def _pivot(table: list[list[Fraction]], leaving: int, column: int) -> None:
    """Solve row ``leaving`` for the variable of ``column`` and put it into the other rows."""
    pivot = table[leaving][column]
    row = [entry / pivot for entry in table[leaving]]
    row[column] = 1 / pivot
    for i, other in enumerate(table):
        if i != leaving and other[column]:
            factor = other[column]
            changed = [entry - factor * own for entry, own in zip(other, row, strict=True)]
            changed[column] = -factor * row[column]
            table[i] = changed
    table[leaving] = row
