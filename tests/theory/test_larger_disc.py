"""The disc for Cauchy's estimate: inside the circle of convergence, and worth it."""

from __future__ import annotations

from fractions import Fraction
from math import log2

import pytest

from theory.analytic_theorems import CAUCHY_TAIL
from theory.disc import first_singularity
from theory.errors import OutOfReach
from theory.evaluate import exact
from theory.formula import Formula
from theory.larger_disc import larger_disc, log_of, sizes
from theory.parse import parse_formula
from theory.symbols import M, R, q, rho

F = Fraction


@pytest.mark.parametrize(
    ("text", "radius", "edge"),
    [
        ("1/(1 - x)", F(1, 2), F(1)),
        ("log(1 + x)", F(9, 10), F(1)),
        ("1/(1 + 4*x**2)", F(1, 4), F(1, 2)),
        ("tan(x)", F(1), F(157, 100)),
        ("sqrt(3 + x)*exp(x)", F(1), F(3)),
        ("sin(x)/(x*(5 - x))", F(1), F(5)),
    ],
)
def test_the_disc_stays_inside_the_nearest_singularity(text: str, radius: Fraction, edge: Fraction) -> None:
    formula = Formula(parse_formula(text), F(0))
    assert first_singularity(formula, radius) is None
    disc = larger_disc(formula, radius, F(1, 10**6))
    # The edge of tan is pi/2, a little beyond 157/100.
    assert radius < disc.radius < edge * F(101, 100)
    # The disc found needs at most twice the terms the singularity itself would allow with the same maximum.
    terms = log2(float(disc.maximum) * 10**6 / (1 - float(radius / disc.radius))) / log_of(edge / radius)
    assert disc.terms <= 2 * terms + 2
    tail = exact(CAUCHY_TAIL, {M: disc.maximum, R: radius, rho: disc.radius, q: disc.terms + disc.terms // 8 + 2})
    assert tail <= F(1, 10**6)


def test_entire_functions_get_a_much_wider_disc() -> None:
    for text, radius in (("exp(x)", F(1)), ("exp(x)", F(20)), ("sin(x)/x", F(2)), ("cos(sqrt(x))", F(4))):
        formula = Formula(parse_formula(text), F(0))
        assert first_singularity(formula, radius) is None
        assert larger_disc(formula, radius, F(1, 10**6)).radius > 2 * radius


def test_values_out_of_range_are_said() -> None:
    with pytest.raises(OutOfReach, match="keeps the values within range"):
        larger_disc(Formula(parse_formula("exp(exp(x))"), F(0)), F(14), F(1, 1000))


def test_sizes_are_logarithms_of_terms() -> None:
    found = sizes(Formula(parse_formula("exp(x)"), F(0)), F(2), 6)
    for k, term in enumerate((1, 2, 2, F(4, 3), F(2, 3), F(4, 15))):
        # Balls' upper ends at 128 bits, then floats.
        assert abs(found[k] - log_of(F(term))) < 1e-12
    assert sizes(Formula(parse_formula("sin(x)"), F(0)), F(2), 3)[::2] == [float("-inf")] * 2


def test_logarithms_of_huge_and_tiny_rationals() -> None:
    assert log_of(F(2) ** 5000) == 5000
    assert log_of(F(2) ** -5000) == -5000
