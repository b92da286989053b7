"""The numbers lower bounds come to: bits any network for e^A needs, and what inversion near singular matrices costs.

They stand apart from the theorems that prove them (limits.expm, inverse.lipschitz, inverse.bits) so that a table of
bounds need not build every proof first.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from theory.errors import BadInput
from theory.evaluate import as_ball, lower

__all__ = ["InversionBlock", "inversion_block", "lower_bound_bits"]

_NORMS = ("fro", "2", "inf", "max")


def lower_bound_bits(domain_kind: str, theta: Fraction, n: int, eps: Fraction, norm: str) -> Fraction:
    """Return a proved lower bound on the bits of any ReLU network for e^A (theorem limits.expm), rounded down.

    Args:
        domain_kind: ``box`` (|a_ij| <= M) or ``ball`` (||A||_2 <= R).
        theta: ``n M`` for the box, ``R`` for the ball; positive, of any size.
        n: Size of the matrices.
        eps: Absolute error in the norm.
        norm: ``fro``, ``2``, ``inf`` or ``max``.

    Returns:
        A dyadic rational of at most 53 significant bits, so that its float is exact; 0 where the bound says nothing.

    Raises:
        BadInput: If the domain or the norm has another name, or a number is not positive.
    """
    if domain_kind not in ("box", "ball") or norm not in _NORMS:
        raise BadInput(f"no lower bound for domain {domain_kind!r} in norm {norm!r}; use box or ball, and {_NORMS}")
    if theta <= 0 or eps <= 0 or n < 1:
        raise BadInput("theta, eps and n must be positive")
    # In max-entry norm the box is tested by the mean of all entries (n eps), the ball by a single entry (eps).
    tolerance = n * eps if norm == "max" and domain_kind == "box" else eps
    with ctx.workprec(128):
        half = as_ball(theta) / 2
        # log sinh(x) = x - log 2 + log(1 - e^{-2x}): no overflow at x = 10^12, no cancellation at 10^-12.
        log_sinh = half - arb.const_log2() + (-((-2 * half).expm1())).log()
        bits = (log_sinh - as_ball(tolerance).log() / 2) / arb.const_log2()
        return max(lower(bits), Fraction(0))


@dataclass(frozen=True)
class InversionBlock:
    """What distance delta from the singular matrices costs a network that inverts within eps on K_delta.

    Attributes:
        n: Size of the matrices.
        delta: Least singular value allowed.
        eps: Sup error on K_delta, in any norm of ``norms``.
        blow_up: ``||A^-1||_2`` at distance delta: 1/delta (theorem inverse.blowup).
        radius_squared: R^2.
        lipschitz: A Lipschitz quotient forced on K_delta (inverse.lipschitz); None if K_delta is empty.
        bits: Lower bound on sum log2(w_l + 1) (inverse.bits), rounded down to 53 bits; None if K_delta is empty.
        reason: Why there is no number; empty where there is one.
        norms: The norms in which the statements hold.
    """

    n: int
    delta: Fraction
    eps: Fraction
    blow_up: Fraction
    radius_squared: Fraction
    lipschitz: Fraction | None
    bits: Fraction | None
    reason: str = ""
    norms: tuple[str, ...] = ("fro", "2", "inf", "max")


def inversion_block(n: int, delta: Fraction, eps: Fraction, radius: Fraction | None = None) -> InversionBlock:
    """Return what inversion within eps on K_delta forces.

    Args:
        n: Size of the matrices; n = 1 is the scalar 1/a on delta <= |a| <= R.
        delta: Least singular value allowed.
        eps: Sup error on K_delta.
        radius: R, the largest Frobenius norm; by default R^2 = n, the norm of the identity.

    Raises:
        BadInput: If a number is not positive.
    """
    if n < 1 or delta <= 0 or eps <= 0 or (radius is not None and radius <= 0):
        raise BadInput("n, delta, eps and the radius must be positive")
    square = Fraction(n) if radius is None else radius**2
    if n * delta**2 > square:
        reason = "K_delta is empty: n delta^2 > R^2; take a smaller delta or a larger radius"
        return InversionBlock(n, delta, eps, 1 / delta, square, None, None, reason)
    lipschitz = max(1 / delta**2 - eps / delta, Fraction(0))
    return InversionBlock(n, delta, eps, 1 / delta, square, lipschitz, _bits(n, delta, eps, square))


def _bits(n: int, delta: Fraction, eps: Fraction, square: Fraction) -> Fraction:
    """Evaluate theorem inverse.bits in balls; 0 where it says nothing."""
    end_squared = square - (n - 1) * delta**2
    if end_squared == delta**2:
        return Fraction(0)
    # With x = delta/r < 1: (delta^(-1/2) - r^(-1/2))/sqrt(2 eps) = (1 - sqrt(x))/sqrt(2 eps delta). Raise the precision
    # until 1 - sqrt(x) is told from 0: it ends, since x is not 1.
    precision = 128
    while True:
        with ctx.workprec(precision):
            ratio = as_ball(delta**2 / end_squared).sqrt()
            pieces = (1 - ratio.sqrt()) / (2 * as_ball(eps) * as_ball(delta)).sqrt()
            if pieces > 0:
                bits = pieces.log() / arb.const_log2() + (1 if 2 * eps * delta <= 1 else 0)
                return max(lower(bits), Fraction(0))
        precision *= 2
