"""The rules: how certificates combine. Each is a theorem, named in its docstring."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theory.lipschitz.certificate import Certificate
from theory.lipschitz.polynomial import Majorant
from theory.lipschitz.rounding import round_up

__all__ = ["add", "chain", "compose", "concatenate", "lower", "product", "residual", "scale"]


def compose(outer: Certificate, inner: Certificate) -> Certificate:
    """Return the certificate of f∘g: c = c_f·c_g, P = P_f(G(s), G(t))·(P_g if c_f = 1 else 1 + P_g).

    G is the growth of g. Theorem ``lipschitz.composition`` (Lemma 3.1 with its constants).
    """
    growth = inner.growth
    factor = inner.modulus if outer.exponent == 1 else Majorant.constant(1) + inner.modulus
    modulus = outer.modulus.substitute(growth, growth.swapped()) * factor
    known = outer.growth.substitute(growth, Majorant(()))
    at_zero = min(outer.bound_on_ball(inner.at_zero), known(0))
    return Certificate(modulus, outer.exponent * inner.exponent, round_up(at_zero), known)


def chain(stages: Sequence[Certificate]) -> Certificate:
    """Return the certificate of the stages applied in this order (the first is applied first)."""
    total = Certificate.identity()
    for stage in stages:
        total = compose(stage, total)
    return total


def lower(certificate: Certificate, exponent: Fraction) -> Certificate:
    """Return the same map's certificate at a smaller exponent: P·(1 + s + t). Theorem ``lipschitz.lowering``.

    Raises:
        ValueError: If the exponent is larger than the certificate's.
    """
    if exponent > certificate.exponent:
        raise ValueError(f"an exponent can only be lowered: {exponent} > {certificate.exponent}")
    if exponent == certificate.exponent:
        return certificate
    spread = Majorant.of({(0, 0): 1, (1, 0): 1, (0, 1): 1})
    # The growth found at the larger exponent stays true and has the smaller degree.
    return Certificate(certificate.modulus * spread, exponent, certificate.at_zero, certificate.growth)


def _combined(parts: Sequence[Certificate]) -> Certificate:
    if not parts:
        raise ValueError("nothing to combine")
    smallest = min(part.exponent for part in parts)
    lowered = [lower(part, smallest) for part in parts]
    known = any(part.known_growth is not None for part in lowered)
    total, growth, at_zero = Majorant(()), Majorant(()), Fraction(0)
    for part in lowered:
        total, growth, at_zero = total + part.modulus, growth + part.growth, at_zero + part.at_zero
    return Certificate(total, smallest, at_zero, growth if known else None)


def concatenate(*parts: Certificate) -> Certificate:
    """Return the certificate of x ↦ (g_1(x), …, g_m(x)): lowered to the smallest exponent, then added.

    Theorem ``lipschitz.concatenation`` (Lemma 3.2).
    """
    return _combined(parts)


def add(*parts: Certificate) -> Certificate:
    """Return the certificate of x ↦ g_1(x) + … + g_m(x). Theorem ``lipschitz.sum``."""
    return _combined(parts)


def residual(block: Certificate) -> Certificate:
    """Return the certificate of x ↦ x + g(x). Theorem ``lipschitz.sum``."""
    return add(Certificate.identity(), block)


def scale(certificate: Certificate, factor: Fraction | int) -> Certificate:
    """Return the certificate of x ↦ λ·g(x), at |λ| = |factor|. Theorem ``lipschitz.scaling``."""
    size = abs(Fraction(factor))
    known = certificate.known_growth
    grown = None if known is None else known * size
    return Certificate(certificate.modulus * size, certificate.exponent, certificate.at_zero * size, grown)


def product(left: Certificate, right: Certificate, bilinear_bound: Fraction | int = 1) -> Certificate:
    """Return the certificate of x ↦ B(g(x), h(x)) for a bilinear B with ‖B(u, v)‖ <= β‖u‖‖v‖.

    P = β·(G_g(s)·P_h + G_h(t)·P_g) at the smaller exponent. Products of entries and of matrices are such, with β = 1.
    Theorem ``lipschitz.product``.
    """
    smallest = min(left.exponent, right.exponent)
    g, h = lower(left, smallest), lower(right, smallest)
    beta = Fraction(bilinear_bound)
    modulus = (g.growth * h.modulus + h.growth.swapped() * g.modulus) * beta
    return Certificate(modulus, smallest, g.at_zero * h.at_zero * beta, g.growth * h.growth * beta)
