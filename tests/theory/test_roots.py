"""Square roots inside even functions: rewritten formulas have the same values, and no branch."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from flint import acb, acb_series, arb

from tests.naive.naive_formulas import value
from theory.parse import parse_formula
from theory.roots import CosRoot, SincRoot, cos_root, cos_root_coefficients, sinc_root, without_roots
from theory.series import series_settings
from theory.symbols import X
from theory.tape import compile_tape


@pytest.mark.parametrize(
    ("text", "entire"),
    [
        ("cos(sqrt(x))", CosRoot(X)),
        ("cosh(2*sqrt(x))", CosRoot(-4 * X)),
        ("sin(sqrt(x))/sqrt(x)", SincRoot(X)),
        ("sqrt(x)*sinh(sqrt(x))", X * SincRoot(-X)),
        ("cos(x**(3/2))", CosRoot(X**3)),
        ("cos(x*sqrt(1 + x))", CosRoot(X**2 * (1 + X))),
        ("tan(sqrt(x))/sqrt(x)", SincRoot(X) / CosRoot(X)),
        ("cos(1 + sqrt(x))", sp.cos(1 + sp.sqrt(X))),
        ("cos(x**(1/3))", sp.cos(sp.cbrt(X))),
        ("exp(sqrt(x))", sp.exp(sp.sqrt(X))),
    ],
)
def test_even_functions_lose_their_roots(text: str, entire: sp.Expr) -> None:
    expression = parse_formula(text)
    assert without_roots(expression) == entire
    tape = compile_tape(expression)
    with mpmath.workdps(30):
        point = mpmath.mpc("0.7", "0.4")
        assert abs(value(expression, point) - value(tape.expression(tape.root), point)) < mpmath.mpf(10) ** -25


@pytest.mark.parametrize("at", [0.0, 2.0, -3.5, 40.0])
def test_series_of_the_two_functions(at: float) -> None:
    with series_settings(128, 6):
        inner = acb_series([acb(at), 2, arb("0.5")])
        cosine, sine = cos_root(inner, 6), sinc_root(inner, 6)
    with mpmath.workdps(50):

        def inner_at(t: mpmath.mpf) -> mpmath.mpf:
            return at + 2 * t + t**2 / 2

        for series, function in (
            (cosine, lambda u: mpmath.cos(mpmath.sqrt(u))),
            (sine, lambda u: mpmath.sin(mpmath.sqrt(u)) / mpmath.sqrt(u) if u else mpmath.mpf(1)),
        ):
            # Taylor coefficients as means over a circle of radius 1/4 by 64 points: off by 4^-58 and less.
            turns = [mpmath.expjpi(mpmath.mpf(2 * k + 0.5) / 64) / 4 for k in range(64)]
            for k in range(6):
                mean = mpmath.fsum(function(inner_at(turn)) / turn**k for turn in turns) / 64
                assert abs(mean - mpmath.mpf(series[k].real.mid().str(40, radius=False))) < mpmath.mpf(10) ** -30


def test_a_constant_inside_stays_constant() -> None:
    with series_settings(64, 4):
        assert cos_root(acb_series([acb(0)]), 4)[0] == 1
        assert cos_root(acb_series([acb(4)]), 4).length() == 1


@pytest.mark.parametrize("at", [sp.Integer(0), sp.Integer(4), sp.pi**2])
def test_exact_coefficients(at: sp.Expr) -> None:
    expected = sp.cos(sp.sqrt(at + X)).series(X, 0, 4).removeO() if at else 1 - X / 2 + X**2 / 24 - X**3 / 720
    for k, coefficient in enumerate(cos_root_coefficients(at, 4)):
        assert sp.simplify(coefficient - expected.coeff(X, k)) == 0
