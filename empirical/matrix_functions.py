"""Matrix functions in 106-bit arithmetic, each with a bound of its own error: what ``empirical.truth`` rests on.

No eigenvectors are used, so nilpotent and defective matrices need no care. A ``Value`` carries a relative error bound
in the Frobenius norm: a running one for Taylor's series with squarings, an a posteriori one from residuals elsewhere.
The bounds are of first order (products of two errors are dropped) and use float64 norms: they decide which values to
trust, they are not certificates; ``empirical.balls`` gives those.

Source of the iterations: Higham, Functions of Matrices (2008), sections 5.3 (sign), 6.3 (square root), 11.5 (log), 12.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial
from typing import NamedTuple

import torch
from torch import Tensor

from empirical import doubledouble as dd
from empirical.doubledouble import DD

__all__ = ["FUNCTIONS", "Value", "frobenius"]

_ROUND = 2.0**-98  # one product's relative rounding, 2^-104 times the dimension, with room to spare
_NEWTON_STEPS = 60
_ROOTS = 40
_LOG2 = (0.6931471805599453, 2.3190468138462996e-17)  # leading part and rest


class Value(NamedTuple):
    """f(A) for a batch.

    Attributes:
        value: Shape (n, n, batch).
        bound: Relative error bound in the Frobenius norm, shape (batch,); NaN or infinite where nothing is known.
        exists: False where no principal value was found, shape (batch,).
    """

    value: DD
    bound: Tensor
    exists: Tensor


def _exp(a: DD) -> Value:
    """Taylor's series of degree 19 on A/2^s of norm at most 1/8 (remainder below 2^-113), then s squarings."""
    steps = _halvings(a)
    y = _series(dd.scale(a, _power(-steps)), [Fraction(1, factorial(k)) for k in range(20)])
    bound = torch.full_like(steps, _ROUND)
    for step in range(_most(steps)):
        square = dd.matmul(y, y)
        # Y(1 + e) squared: the relative error doubles, and what the product loses by cancellation counts on top.
        grown = (2 * bound + _ROUND) * _norm(y) ** 2 / _norm(square)
        y, bound = dd.where(step < steps, square, y), torch.where(step < steps, grown, bound)
    return Value(y, bound, _everywhere(a))


def _cos_sin(a: DD) -> tuple[Value, Value]:
    """Taylor's series on A/2^s of norm at most 1/8 (remainders below 2^-125), then s double angles."""
    steps = _halvings(a)
    x = dd.scale(a, _power(-steps))
    square = dd.matmul(x, x)
    cos = _series(square, [Fraction((-1) ** k, factorial(2 * k)) for k in range(12)])
    sin = dd.matmul(x, _series(square, [Fraction((-1) ** k, factorial(2 * k + 1)) for k in range(12)]))
    cos_error, sin_error = _ROUND * _norm(cos), _ROUND * _norm(sin)
    for step in range(_most(steps)):
        active = step < steps
        c, s = _norm(cos), _norm(sin)
        sin_next = 2 * (s * cos_error + c * sin_error + _ROUND * s * c)
        cos_next = 4 * c * cos_error + _ROUND * (2 * c**2 + a.hi.shape[0])
        sin = dd.where(active, dd.scale(dd.matmul(sin, cos), 2), sin)
        cos = dd.where(active, dd.shift_diagonal(dd.scale(dd.matmul(cos, cos), 2), -1), cos)
        cos_error, sin_error = torch.where(active, cos_next, cos_error), torch.where(active, sin_next, sin_error)
    return Value(cos, _relative(cos_error, cos), _everywhere(a)), Value(sin, _relative(sin_error, sin), _everywhere(a))


def _inverse(a: DD) -> Value:
    """Elimination; the residual R = AX - I bounds the relative error of X by its norm."""
    factor = _power_of_two(_norm(a))
    scaled = dd.scale(a, 1 / factor)
    x = dd.inverse(scaled)
    residual = dd.shift_diagonal(dd.matmul(scaled, x), -1)
    bound = _norm(residual) + _ROUND * _norm(scaled) * _norm(x)
    return Value(dd.scale(x, 1 / factor), bound, bound < 0.5)


def _sign(a: DD) -> Value:
    """Newton's iteration X <- (mX + (mX)^-1)/2.

    With R1 = X² - I, R2 = AX - XA and N = AX, the error E solves NE + EN = R1·A + X·R2 to first order: multiply
    SE + ES = R1 and AE - EA = R2 by A and S = sign(A), which commute.
    """
    a = dd.scale(a, 1 / _power_of_two(_norm(a)))
    x = a
    settled = torch.zeros(a.hi.shape[-1], dtype=torch.int64, device=a.hi.device)
    for _ in range(_NEWTON_STEPS):
        inverse = dd.inverse(x)
        factor = _power_of_two((_norm(inverse) / _norm(x)).sqrt())
        following = dd.scale(dd.add(dd.scale(x, factor), dd.scale(inverse, 1 / factor)), 0.5)
        change = _norm(_difference(following, x))
        x = dd.where(settled < 2, following, x)
        # Convergence is quadratic: once a step changes less than 1e-12, two more leave nothing to change.
        settled += change <= 1e-12 * _norm(x)
        if bool((settled >= 2).all()):
            break
    product, size = dd.matmul(a, x), _norm(x)
    involution = _norm(dd.shift_diagonal(dd.matmul(x, x), -1)) + _ROUND * size**2
    commutator = _norm(_difference(product, dd.matmul(x, a))) + _ROUND * _norm(a) * size
    error = _sylvester(product) * (involution * _norm(a) + size * commutator)
    return Value(x, _relative(error, x), settled >= 2)


def _sqrt(a: DD) -> Value:
    """The product form of Denman and Beavers' iteration; XE + EX = X² - A to first order."""
    # An even power of two has an exact root.
    factor = _power_of_two(_norm(a).sqrt())
    a = dd.scale(a, 1 / factor**2)
    hopeless = _surely_negative(a)
    x, error, exists = _root(dd.where(hopeless, dd.eye(a.hi), a), torch.zeros_like(factor))
    return Value(dd.scale(x, factor), _relative(error, x), exists & ~hopeless)


def _root(a: DD, error: Tensor) -> tuple[DD, Tensor, Tensor]:
    """Return the principal square root of a matrix known up to ``error``, the root's error, and whether it exists."""
    m, x = a, a
    settled = torch.zeros(a.hi.shape[-1], dtype=torch.int64, device=a.hi.device)
    for _ in range(_NEWTON_STEPS):
        inverse = dd.inverse(m)
        factor = _power_of_two((_norm(inverse) / _norm(m)) ** 0.25)
        up, down = dd.scale(m, factor**2), dd.scale(inverse, factor**-2)
        following = dd.shift_diagonal(dd.scale(dd.add(up, down), 0.25), Fraction(1, 2))
        moved = dd.scale(dd.matmul(x, dd.shift_diagonal(down, 1)), factor / 2)
        change = _norm(_difference(moved, x))
        m, x = dd.where(settled < 2, following, m), dd.where(settled < 2, moved, x)
        settled += change <= 1e-12 * _norm(x)
        if bool((settled >= 2).all()):
            break
    residual = _norm(_difference(dd.matmul(x, x), a)) + _ROUND * _norm(x) ** 2
    return x, _sylvester(x) * (residual + error), settled >= 2


def _log(a: DD) -> Value:
    """Square roots until ||Y - I|| <= 1/4, then log(Y) = 2 artanh((Y - I)/(Y + I)) in 22 terms.

    The remainder is below 2^-120 of the first term: the argument has norm at most 1/7.
    """
    norm = _norm(a)
    extreme = (norm > 2.0**100) | (norm < 2.0**-100)
    power = torch.where(extreme, _power_of_two(norm), torch.ones_like(norm))
    y = dd.scale(a, 1 / power)
    hopeless = _surely_negative(y)
    y = dd.where(hopeless, dd.eye(y.hi), y)
    error, exists, roots = torch.zeros_like(norm), ~hopeless, torch.zeros_like(norm)
    for _ in range(_ROOTS):
        far = (_norm(dd.shift_diagonal(y, -1)) > 1 / 4) & exists
        chosen = far.nonzero().squeeze(-1)
        if not len(chosen):
            break
        root, root_error, found = _root(DD(y.hi[..., chosen], y.lo[..., chosen]), error[chosen])
        y.hi[..., chosen], y.lo[..., chosen] = root.hi, root.lo
        error[chosen], exists[chosen] = root_error, found
        roots += far
    difference = dd.shift_diagonal(y, -1)
    z = dd.matmul(difference, dd.inverse(dd.shift_diagonal(y, 1)))
    value = dd.matmul(z, _series(dd.matmul(z, z), [Fraction(1, 2 * k + 1) for k in range(22)]))
    # On ||Y - I|| <= 1/4 the derivative of log has norm at most 4/3.
    error = _power(roots) * (4 / 3 * error + 8 * _ROUND * _norm(difference))
    value = dd.add(dd.scale(value, _power(roots + 1)), _multiple_of_log2(a, power.log2()))
    error = error + _ROUND * power.log2().abs() * a.hi.shape[0]
    return Value(value, _relative(error, value), exists)


def _surely_negative(a: DD) -> Tensor:
    """Tell which matrices have a negative eigenvalue for certain: they need no iteration to be refused.

    Computed eigenvalues belong to a matrix within 100·n·2^-52·||A||, so each true one lies within
    r = 8·||A||·(100·n·2^-52)^(1/n) of a computed one, in equal numbers (Elsner, Linear Algebra Appl. 71 (1985)). A
    computed real one that is alone within 2r stands for a single true one, whose conjugate it must be: it is real too.
    """
    matrix = a.hi.permute(2, 0, 1)
    n = matrix.shape[-1]
    radius = 8 * frobenius(matrix) * (100 * n * 2.0**-52) ** (1 / n)
    found = torch.linalg.eigvals(matrix.cpu()).to(matrix.device)  # not every GPU build of torch has it
    apart = (found[:, :, None] - found[:, None, :]).abs() > 2 * radius[:, None, None]
    alone = (apart | torch.eye(n, dtype=torch.bool, device=matrix.device)).all(-1)
    return (alone & (found.imag == 0) & (found.real < -radius[:, None])).any(-1)


def _multiple_of_log2(like: DD, factor: Tensor) -> DD:
    identity = dd.eye(like.hi).hi
    return dd.multiply(dd.from_double(identity * factor), DD(identity * _LOG2[0], identity * _LOG2[1]))


def _series(x: DD, coefficients: list[Fraction]) -> DD:
    """Horner's scheme."""
    value = dd.shift_diagonal(dd.from_double(torch.zeros_like(x.hi)), coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = dd.shift_diagonal(dd.matmul(x, value), coefficient)
    return value


def _sylvester(p: DD) -> Tensor:
    """Bound the operator norm of the inverse of E -> PE + EP; infinite where it has none."""
    matrix = p.hi.permute(2, 0, 1)
    n = matrix.shape[-1]
    identity = torch.eye(n, dtype=matrix.dtype, device=matrix.device)
    left = torch.einsum("bij,kl->bikjl", matrix, identity)
    right = torch.einsum("ij,blk->bikjl", identity, matrix)
    inverse, info = torch.linalg.inv_ex((left + right).reshape(-1, n * n, n * n))
    norm = inverse.flatten(1).norm(dim=1)
    return torch.where((info == 0) & norm.isfinite(), norm, torch.inf)


def _halvings(a: DD) -> Tensor:
    """Return the whole numbers s, as float64, for which A/2^s has Frobenius norm at most 1/8."""
    return (_norm(a).log2().ceil() + 3).clamp(min=0)


def _most(steps: Tensor) -> int:
    return int(steps.max()) if steps.numel() else 0


def _power(exponent: Tensor) -> Tensor:
    """Return 2^k exactly, from its bits: ``torch.exp2`` promises no exact powers on every device."""
    return ((exponent.clamp(-1022, 1023).to(torch.int64) + 1023) << 52).view(torch.float64)


def _power_of_two(size: Tensor) -> Tensor:
    """Return a power of two within a factor of sqrt(2) of a positive number; 1 where there is no finite one."""
    scaled = size * 2**0.5
    usable = scaled.isfinite() & (scaled > 2.0**-1022)
    return (torch.where(usable, scaled, 1.0).view(torch.int64) & (0x7FF << 52)).view(torch.float64)


def _difference(a: DD, b: DD) -> DD:
    return dd.add(a, DD(-b.hi, -b.lo))


def _norm(a: DD) -> Tensor:
    return frobenius(a.hi.permute(2, 0, 1))


def frobenius(matrices: Tensor) -> Tensor:
    """Return Frobenius norms of shape (batch,) that neither overflow nor underflow on the way."""
    largest = matrices.abs().amax((-2, -1)).clamp(min=2.0**-1022)
    return largest * torch.linalg.vector_norm(matrices / largest[:, None, None], dim=(-2, -1))


def _relative(error: Tensor, value: DD) -> Tensor:
    """Error over size; nothing over nothing is nothing (log I, sin 0)."""
    return torch.where(error == 0, error, error / _norm(value))


def _everywhere(a: DD) -> Tensor:
    return torch.ones(a.hi.shape[-1], dtype=torch.bool, device=a.hi.device)


#: Name -> algorithm, for finite matrices of moderate size (see ``empirical.truth.evaluate``).
FUNCTIONS: dict[str, Callable[[DD], Value]] = {
    "exp": _exp,
    "log": _log,
    "sign": _sign,
    "sin": lambda a: _cos_sin(a)[1],
    "cos": lambda a: _cos_sin(a)[0],
    "sqrt": _sqrt,
    "inverse": _inverse,
}
