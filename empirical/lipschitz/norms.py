"""Rigorous upper bounds of the norms of float arrays, as rationals: outward rounded, never an estimate.

The float operations used (sums of products, Cholesky) obey |error| <= γ_k·Σ|terms|, γ_k = k·u/(1 - k·u), u = 2^-53, in
whatever order they run, with or without fused multiply-add. A "fast" matrix product (Strassen) does not, and the BLAS
libraries numpy is built with employ none. Arrays are scaled by a power of two first, so that nothing overflows.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from theory.errors import BadInput
from theory.lipschitz.rounding import round_up, sqrt_up

__all__ = ["largest_absolute_sum", "largest_entry", "norm_bound", "spectral_bound"]

_UNIT = Fraction(1, 2**53)
#: What products of scaled entries can lose to underflow, each, with room to spare.
_TINY = Fraction(1, 2**1000)


def norm_bound(array: NDArray[np.floating]) -> Fraction:
    """Return a rational >= the Euclidean norm of the flattened array; a NaN or infinity is refused."""
    scaled, factor = _scaled(array)
    return round_up(sqrt_up(_square_sum(scaled)) * factor)


def spectral_bound(matrix: NDArray[np.floating]) -> Fraction:
    """Return a rational >= the 2-norm of the matrix, usually within a relative 1e-8; NaN and infinity are refused.

    The smallest of ‖W‖_F, √(‖W‖_1·‖W‖_∞) and √(τ + slack), where a Cholesky factorisation of τI - WᵀW ran to its
    end: then τI - WᵀW is positive semidefinite up to the slack, which holds the backward error
    γ_{p+1}·trace/(1 - γ_{p+1}) of Cholesky and the errors of forming the matrix.
    """
    scaled, factor = _scaled(matrix)
    if scaled.size == 0 or factor == 0:
        return Fraction(0)
    frobenius = _square_sum(scaled)
    squares = [frobenius, largest_absolute_sum(scaled) * largest_absolute_sum(scaled.T)]
    certified = _gram_bound(scaled, frobenius)
    if certified is not None:
        squares.append(certified)
    return round_up(sqrt_up(min(squares)) * factor)


def largest_entry(array: NDArray[np.floating]) -> Fraction:
    """Return max|w|, exactly; NaN and infinity are refused."""
    _scaled(array)
    return Fraction(float(np.max(np.abs(array), initial=0.0)))


def largest_absolute_sum(matrix: NDArray[np.floating]) -> Fraction:
    """Return an upper bound of max_i Σ_j |w_ij|; each row's sum is rounded once."""
    sums = (math.fsum(row) for row in np.abs(np.asarray(matrix, dtype=np.float64)).tolist())
    return Fraction(max(sums, default=0.0)) * (1 + 2 * _UNIT)


def _scaled(array: NDArray[np.floating]) -> tuple[NDArray[np.float64], Fraction]:
    """Return the array divided by a power of two (largest entry in [1/2, 1)), and that power; 0 for a zero array.

    Raises:
        BadInput: If an entry is not finite.
    """
    values = np.asarray(array, dtype=np.float64)
    if not np.isfinite(values).all():
        raise BadInput("a weight is not finite (NaN or infinity); repair the model first")
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0:
        return values, Fraction(0)
    exponent = math.frexp(largest)[1]
    return np.ldexp(values, -exponent), Fraction(2) ** exponent


def _square_sum(scaled: NDArray[np.float64]) -> Fraction:
    """Return an upper bound of Σ w² for |w| <= 1: fsum rounds once, each square once or underflows."""
    total = Fraction(math.fsum(np.square(scaled).ravel().tolist()))
    return total * (1 + 4 * _UNIT) + scaled.size * _TINY


def _gram_bound(scaled: NDArray[np.float64], frobenius: Fraction) -> Fraction | None:
    """Return an upper bound of ‖W‖_2² by Cholesky, None where the factorisation does not run to its end."""
    tall = scaled if scaled.shape[0] >= scaled.shape[1] else scaled.T
    inner, size = tall.shape
    gram = tall.T @ tall
    largest = float(np.linalg.eigvalsh(gram)[-1])
    for relative in (1e-9, 1e-7, 1e-5):
        tau = largest * (1 + relative)
        shifted = tau * np.eye(size) - gram
        try:
            np.linalg.cholesky(shifted)
        except np.linalg.LinAlgError:
            continue
        trace = Fraction(float(np.trace(np.abs(shifted)))) * (1 + 2 * size * _UNIT)
        # ‖fl(WᵀW) - WᵀW‖ <= γ_inner·‖W‖_F²; the diagonal subtraction rounds once; Cholesky's error is the third.
        # Twice each covers the denominators 1 - k·u, which exceed 1/2 for every matrix that fits in memory.
        formed = 2 * inner * _UNIT * frobenius + size * _TINY
        subtracted = 2 * _UNIT * (Fraction(tau) + frobenius)
        factored = 2 * (size + 1) * _UNIT * trace + size * size * _TINY
        return Fraction(tau) + formed + subtracted + factored
    return None
