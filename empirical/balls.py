"""Enclosures of matrix functions in ball arithmetic (python-flint): the third tool that reference values answer to.

Every function returns an ``arb_mat`` that contains f(A), by a proof carried out in balls:

- exp and the inverse are flint's own; cos and sin are blocks of exp([[0, -A], [A, 0]]);
- sign: Newton's step keeps sign(X) as long as X is invertible, and ||I - X²|| = r < 1 puts sign(X) = X(X²)^(-1/2)
  within ||X||((1-r)^(-1/2) - 1) of X, in the infinity norm;
- the square root is a block of sign([[0, A], [I, 0]]);
- log by k square roots and 2^k log(I + E), |E| < 1/16: its series with the tail's bound added.

A matrix whose value no working precision encloses gets None: it has no principal value, or none that can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import arb, arb_mat, ctx

__all__ = ["FUNCTIONS", "enclose", "relative_distance"]

_PRECISIONS = (256, 1024, 4096)
_NEWTON_STEPS = 120


def enclose(function: str, matrix: Sequence[Sequence[float]], accuracy: int = 100) -> arb_mat | None:
    """Return an enclosure of f(A) whose radii are below 2^-accuracy relative to its largest entry, or None.

    Args:
        function: One of ``FUNCTIONS``.
        matrix: Rows of float64 numbers, taken as they are.
        accuracy: Bits wanted.
    """
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = FUNCTIONS[function](arb_mat([[arb(float(entry)) for entry in row] for row in matrix]))
            if value is None:
                continue
            entries = value.entries()
            size = max((abs(entry.mid()) for entry in entries), default=arb(0))
            if all(entry.is_finite() and entry.rad() <= size.lower() * arb(2) ** -accuracy for entry in entries):
                return value
    return None


def relative_distance(enclosure: arb_mat, values: Sequence[Sequence[float]]) -> float:
    """Return an upper bound of ||values - f(A)|| / ||f(A)|| in the Frobenius norm; 0 where both vanish."""
    with ctx.workprec(256):
        given = arb_mat([[arb(float(entry)) for entry in row] for row in values])
        difference = sum(((entry * entry) for entry in (given - enclosure).entries()), arb(0))
        size = sum((entry * entry for entry in enclosure.entries()), arb(0))
        if difference.upper() == 0:
            return 0.0
        return float((difference.upper() / size.lower()).sqrt().upper()) if size.lower() > 0 else float("inf")


def _exp(a: arb_mat) -> arb_mat | None:
    return a.exp()


def _inverse(a: arb_mat) -> arb_mat | None:
    try:
        return a.inv()
    except ZeroDivisionError:
        return None


def _rotation(a: arb_mat) -> arb_mat:
    n = a.nrows()
    zero = arb_mat(n, n)
    return _blocks([[zero, -a], [a, zero]]).exp()


def _cos(a: arb_mat) -> arb_mat | None:
    return _block(_rotation(a), 0, 0)


def _sin(a: arb_mat) -> arb_mat | None:
    return _block(_rotation(a), 1, 0)


def _sign(a: arb_mat) -> arb_mat | None:
    x, identity = a, _identity(a.nrows())
    size = _norm(a)
    if not size.is_finite() or not size > 0:
        return None
    x, best = a / size.mid(), None
    for _ in range(_NEWTON_STEPS):
        inverse = _inverse(x)
        if inverse is None:
            break
        following = (x + inverse) / 2
        gap = _norm(following * following - identity).upper()
        # Quadratic convergence until the balls' radii are all that is left of the gap.
        if not gap.is_finite() or (best is not None and best < 0.25 and not gap < best / 2):
            break
        x, best = following, gap
    if best is None or not best < 0.25:
        return None
    return _widen(x, (_norm(x) * (1 / (1 - best).sqrt() - 1)).upper())


def _sqrt(a: arb_mat) -> arb_mat | None:
    n = a.nrows()
    sign = _sign(_blocks([[arb_mat(n, n), a], [_identity(n), arb_mat(n, n)]]))
    return None if sign is None else _block(sign, 0, 1)


def _log(a: arb_mat) -> arb_mat | None:
    identity, y, roots = _identity(a.nrows()), a, 0
    while not _norm(y - identity) < arb(1) / 16:
        root = _sqrt(y) if roots < 64 else None
        if root is None:
            return None
        y, roots = root, roots + 1
    e = y - identity
    size, terms = _norm(e), ctx.prec // 4
    total, power = arb_mat(e.nrows(), e.ncols()), identity
    for k in range(1, terms):
        power = power * e
        total = total + power * (arb((-1) ** (k + 1)) / k)
    return _widen(total, (size**terms / (1 - size)).upper()) * arb(2) ** roots


def _identity(n: int) -> arb_mat:
    return arb_mat([[int(i == j) for j in range(n)] for i in range(n)])


def _norm(a: arb_mat) -> arb:
    """Enclose the infinity norm: an upper bound of it at the ball's upper end."""
    best = arb(0)
    for row in a.tolist():
        best = best.max(sum((abs(entry) for entry in row), arb(0)))
    return best


def _widen(a: arb_mat, radius: arb) -> arb_mat:
    return arb_mat([[entry + arb(0, radius) for entry in row] for row in a.tolist()])


def _blocks(rows: list[list[arb_mat]]) -> arb_mat:
    table: list[list[arb]] = []
    for blocks in rows:
        for parts in zip(*(block.tolist() for block in blocks), strict=True):
            table.append([entry for part in parts for entry in part])
    return arb_mat(table)


def _block(a: arb_mat, row: int, column: int) -> arb_mat:
    n = a.nrows() // 2
    return arb_mat([line[column * n : (column + 1) * n] for line in a.tolist()[row * n : (row + 1) * n]])


#: Name -> enclosure at flint's current working precision, or None where it shows nothing.
FUNCTIONS: dict[str, Callable[[arb_mat], arb_mat | None]] = {
    "exp": _exp,
    "log": _log,
    "sign": _sign,
    "sin": _sin,
    "cos": _cos,
    "sqrt": _sqrt,
    "inverse": _inverse,
}
