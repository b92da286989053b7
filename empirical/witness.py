"""Where a network misses the inverse: an explicit matrix, and sets of positive measure around it.

Write a matrix as B = [[b, r], [c, M]], b a scalar. Where M is invertible, z = b - r·M⁻¹·c is its Schur complement, and

    (B⁻¹)_11 = 1/z,      det B = z·det M.

A network N whose certificate says ‖N(B)‖_F <= G on the ball ‖B‖_F <= R therefore errs by at least 1/|z| - G in entry
(1, 1): by more than E wherever 0 < |z| < 1/(E + G) (Theorems 3.7 and 3.8 of Ji, Wu and Xi, with numbers).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from empirical.lipschitz.norms import norm_bound, spectral_bound
from empirical.models_io import Chain, matrix_size
from theory.errors import BadInput
from theory.lipschitz import leaves
from theory.lipschitz.certificate import Certificate
from theory.lipschitz.rules import chain as chain_certificates
from theory.lipschitz.volume import log10_below, unit_ball_below

__all__ = ["BadBall", "BadSlab", "Witness", "chain_certificate", "exact_inverse", "find_witness"]

Matrix = list[list[Fraction]]


@dataclass(frozen=True)
class BadBall:
    """A Frobenius ball around the witness, every matrix of which is invertible and missed by more than E.

    Attributes:
        radius: The radius ρ.
        measure_log10: A lower bound of log10 of its Lebesgue measure ω_{n²}·ρ^{n²}.
    """

    radius: Fraction
    measure_log10: float


@dataclass(frozen=True)
class BadSlab:
    """The set 0 < |z| < τ, ‖M - m·I‖_F <= m/4, ‖r‖ <= m/4, ‖c‖ <= m/4: invertible matrices missed by more than E.

    Its measure is proportional to τ, where a ball's shrinks like τ^{n²}; over it E‖N(B) - B⁻¹‖^k = ∞ for k >= 1.

    Attributes:
        half_width: τ.
        diagonal: m, the diagonal of the centre's block M (0 where n = 1).
        measure_log10: A lower bound of log10 of its measure 2τ·ω_{(n-1)²}(m/4)^{(n-1)²}·(ω_{n-1}(m/4)^{n-1})².
    """

    half_width: Fraction
    diagonal: Fraction
    measure_log10: float


@dataclass(frozen=True)
class Witness:
    """A matrix in the ball ‖A‖_F <= radius at which the network misses the inverse by more than was asked for.

    Attributes:
        matrix: A, exact rationals.
        error: max_ij |N(A) - A⁻¹|_ij, exact: N in exact arithmetic on its float weights, A⁻¹ by exact elimination.
        asked: The error E asked for; ``error > asked``.
        radius: R.
        output_bound: G, with ‖N(B)‖_F <= G for ‖B‖_F <= R.
        certificate: The network's certificate.
        ball: A ball around A on which the error exceeds E.
        slab: A larger set on which it does.

    Raises:
        ArithmeticError: If the error does not exceed what was asked for: then a bound is wrong.
    """

    matrix: Matrix
    error: Fraction
    asked: Fraction
    radius: Fraction
    output_bound: Fraction
    certificate: Certificate
    ball: BadBall
    slab: BadSlab

    def __post_init__(self) -> None:
        size = sum((entry * entry for row in self.matrix for entry in row), Fraction(0))
        if self.error <= self.asked or size > self.radius**2:
            raise ArithmeticError(
                f"no witness: error {float(self.error):.3e} at norm² {float(size):.3e}; a bound is wrong"
            )


def chain_certificate(model: Chain) -> Certificate:
    """Return the certificate of a dense ReLU chain, in Euclidean norms of flattened vectors."""
    stages = []
    for layer in model.layers:
        stages.append(leaves.affine(spectral_bound(layer.weight), norm_bound(layer.bias)))
        if layer.relu:
            stages.append(leaves.relu())
    return chain_certificates(stages)


def find_witness(model: Chain, error: Fraction, radius: Fraction | None = None) -> Witness:
    """Return a matrix of Frobenius norm at most ``radius`` where the model misses the inverse by more than ``error``.

    Args:
        model: A map of flattened n×n matrices (row by row) to n×n matrices.
        error: E, in the max-entry norm.
        radius: R; n where it is left out, which the identity fits in.

    Raises:
        BadInput: If the model is no map of square matrices, or error or radius is not positive.
    """
    n = matrix_size(model)
    radius = Fraction(n) if radius is None else radius
    if error <= 0 or radius <= 0:
        raise BadInput("the error and the radius must be positive")
    certificate = chain_certificate(model)
    bound = certificate.bound_on_ball(radius)
    # M within m/4 of m·I, r and c within m/4, |b| <= τ + m/12 (since ‖M⁻¹‖ <= 4/(3m)) and τ <= m/4 keep
    # ‖B‖_F² <= m²·((√(n-1) + 1/4)² + 1/8 + 1/9) <= m²n² = R² for every n >= 2.
    diagonal = radius / n if n > 1 else Fraction(0)
    width = _power_of_two_below(min(1 / (error + bound), diagonal / 4 if n > 1 else radius))
    matrix = [[diagonal if i == j else Fraction(0) for j in range(n)] for i in range(n)]
    matrix[0][0] = width / 2
    found = model.evaluate_exactly([entry for row in matrix for entry in row])
    inverse = exact_inverse(matrix)
    missed = max(abs(found[i * n + j] - inverse[i][j]) for i in range(n) for j in range(n))
    return Witness(
        matrix, missed, error, radius, bound, certificate, _bad_ball(n, width), _bad_slab(n, width, diagonal)
    )


def _bad_ball(n: int, width: Fraction) -> BadBall:
    """The ball of radius ρ = τ/4 around z = τ/2.

    |r·M⁻¹·c| <= ρ²/(m - ρ) <= ρ/15 for τ <= m/4, so 7τ/30 <= z <= 23τ/30, and it lies in the slab.
    """
    radius = width / 4
    return BadBall(radius, log10_below(unit_ball_below(n * n) * radius ** (n * n)))


def _bad_slab(n: int, width: Fraction, diagonal: Fraction) -> BadSlab:
    """For fixed M, r, c the entry b runs through an interval of length 2τ, less one point; Fubini gives the measure."""
    side = diagonal / 4
    block = unit_ball_below((n - 1) ** 2) * side ** ((n - 1) ** 2)
    edges = (unit_ball_below(n - 1) * side ** (n - 1)) ** 2
    return BadSlab(width, diagonal, log10_below(2 * width * block * edges))


def _power_of_two_below(value: Fraction) -> Fraction:
    """Return the largest power of two that is at most value > 0."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    power = Fraction(2) ** exponent
    return power if power <= value else power / 2


def exact_inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of a rational matrix, by elimination without rounding.

    Raises:
        ZeroDivisionError: If the matrix is singular.
    """
    n = len(matrix)
    rows = [[*row, *(Fraction(i == j) for j in range(n))] for i, row in enumerate(matrix)]
    for column in range(n):
        pivot = next((i for i in range(column, n) if rows[i][column] != 0), None)
        if pivot is None:
            raise ZeroDivisionError("the matrix is singular")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        rows[column] = [entry / head for entry in rows[column]]
        for i in range(n):
            factor = rows[i][column]
            if i != column and factor != 0:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[column], strict=True)]
    return [row[n:] for row in rows]
