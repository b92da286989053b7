"""The leaves: certificates of single layers, from rational bounds of their weights' norms.

Every function takes upper bounds, never weights, and names the theorem it computes. Entrywise maps act
on vectors of any length unless a length is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from theory.lipschitz.certificate import Certificate
from theory.lipschitz.polynomial import Majorant
from theory.lipschitz.rounding import power_up, sqrt_up

__all__ = [
    "affine",
    "from_jacobian",
    "gelu",
    "layer_norm",
    "leaky_relu",
    "relu",
    "root",
    "sigmoid",
    "softmax",
    "spline",
    "tanh",
]

#: sup |GELU'|, for the exact and for the tanh form (1.12889... and 1.12898...).
GELU_CONSTANT = Fraction(113, 100)


def affine(norm: Fraction, bias_norm: Fraction = Fraction(0), positions: int = 1) -> Certificate:
    """Return the certificate of x ↦ Wx + b at ``positions`` places at once, ‖W‖_2 <= norm, ‖b‖ <= bias_norm.

    A convolution is one; its norm comes from its kernel. Theorems ``lipschitz.affine``, ``lipschitz.convolution``.
    """
    return Certificate.lipschitz(norm, bias_norm * sqrt_up(positions))


def from_jacobian(bound: Sequence[Fraction | int], at_zero: Fraction | int = 0) -> Certificate:
    """Return the certificate of a map whose Jacobian at x has 2-norm <= Σ_k bound[k]·‖x‖^k.

    P(s, t) = bound[0] + Σ_{k>=1} bound[k]·(s^k + t^k). The map is differentiable everywhere, or locally Lipschitz with
    the bound almost everywhere; almost everywhere alone is not enough. Theorem ``lipschitz.jacobian`` (Lemma 3.3).
    """
    coefficients = {(0, 0): Fraction(bound[0]) if bound else Fraction(0)}
    for k, a in enumerate(bound[1:], start=1):
        coefficients[k, 0] = coefficients[0, k] = Fraction(a)
    return Certificate(Majorant.of(coefficients), Fraction(1), Fraction(at_zero))


def relu() -> Certificate:
    """Return the certificate of relu. Theorem ``lipschitz.relu``."""
    return Certificate.lipschitz(1)


def leaky_relu(slope: Fraction) -> Certificate:
    """Return the certificate of max(x, 0) + slope·min(x, 0). Theorem ``lipschitz.relu``."""
    return Certificate.lipschitz(max(Fraction(1), abs(slope)))


def sigmoid(length: int) -> Certificate:
    """Return the certificate of the logistic function on vectors of this length. Theorem ``lipschitz.sigmoid``."""
    return Certificate.lipschitz(Fraction(1, 4), sqrt_up(length) / 2, sqrt_up(length))


def tanh(length: int) -> Certificate:
    """Return the certificate of tanh on vectors of this length. Theorem ``lipschitz.tanh``."""
    return Certificate.lipschitz(1, 0, sqrt_up(length))


def gelu() -> Certificate:
    """Return the certificate of GELU, exact or in its tanh form; |GELU(x)| <= |x|. Theorem ``lipschitz.gelu``."""
    return Certificate(Majorant.constant(GELU_CONSTANT), Fraction(1), Fraction(0), Majorant.in_s([0, 1]))


def root(exponent: Fraction, length: int) -> Certificate:
    """Return the certificate of x ↦ |x|^c entrywise, 0 < c <= 1: P = length^((1-c)/2). Theorem ``lipschitz.root``."""
    return Certificate(Majorant.constant(power_up(length, (1 - exponent) / 2)), exponent, Fraction(0))


def spline(pieces: Sequence[Sequence[Fraction]], knots: Sequence[Fraction], length: int) -> Certificate:
    """Return the certificate of a continuous piecewise polynomial applied to every entry. Theorem ``lipschitz.spline``.

    Args:
        pieces: Coefficients of each piece in ascending order, quadratic, cubic or of any degree.
        knots: The points between the pieces, increasing, one fewer than pieces.
        length: How many entries it is applied to.

    Raises:
        ValueError: If counts disagree, knots do not increase, or the spline jumps at a knot.
    """
    if len(pieces) != len(knots) + 1 or any(a >= b for a, b in pairwise(knots)):
        raise ValueError("a spline has one piece more than knots, and increasing knots")
    for left, right, knot in zip(pieces, pieces[1:], knots, strict=False):
        if _value(left, knot) != _value(right, knot):
            raise ValueError(f"the pieces jump at {knot}: {_value(left, knot)} and {_value(right, knot)}")
    degree = max(len(piece) for piece in pieces) - 1
    slopes = [max((k * abs(p[k]) for p in pieces if k < len(p)), default=Fraction(0)) for k in range(1, degree + 1)]
    at_home = pieces[sum(knot < 0 for knot in knots)]
    return from_jacobian([Fraction(a) for a in slopes], abs(_value(at_home, Fraction(0))) * sqrt_up(length))


def _value(piece: Sequence[Fraction], point: Fraction) -> Fraction:
    return sum((Fraction(a) * point**k for k, a in enumerate(piece)), Fraction(0))


def layer_norm(
    largest_scale: Fraction, shift_norm: Fraction, epsilon: Fraction, features: int, positions: int = 1
) -> Certificate:
    """Return the certificate of γ(x - mean)/√(var + ε) + β over ``features`` entries, at ``positions`` places.

    P = max|γ|/√ε; ‖g(x)‖ <= √positions·(max|γ|·√features + ‖β‖). Theorem ``lipschitz.layer-norm``.

    Args:
        largest_scale: An upper bound of max|γ|.
        shift_norm: An upper bound of ‖β‖.
        epsilon: ε > 0; without it the layer jumps at constant vectors.
        features: How many entries are normalised together.
        positions: How many places it is applied to.

    Raises:
        ValueError: If ε is not positive.
    """
    if epsilon <= 0:
        raise ValueError("a layer norm with ε = 0 is not continuous at constant vectors: no certificate")
    spread = sqrt_up(positions)
    bounded = spread * (largest_scale * sqrt_up(features) + shift_norm)
    return Certificate.lipschitz(largest_scale * sqrt_up(1 / epsilon), spread * shift_norm, bounded)


def softmax(length: int, rows: int = 1) -> Certificate:
    """Return the certificate of softmax over ``length`` entries in each of ``rows`` rows: ½-Lipschitz, ‖g‖ <= √rows.

    Theorem ``lipschitz.softmax``.
    """
    return Certificate.lipschitz(Fraction(1, 2), sqrt_up(Fraction(rows, length)), sqrt_up(rows))
