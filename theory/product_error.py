"""The one formula the error analysis takes from theorem matmul.polarised, apart so that it loads without the proof."""

from __future__ import annotations

import sympy as sp

from theory.symbols import BL, BR, N, n

__all__ = ["PRODUCT_ERROR"]

#: Centred entry error of an n x n product: at most this in max-entry norm.
PRODUCT_ERROR = sp.Rational(3, 2) * n * BL * BR / N**2
