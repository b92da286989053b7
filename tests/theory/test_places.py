"""Zeros are found to full precision, simple or multiple, and named only when a constant matches to 2^-70."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import acb, acb_series, arb, ctx

from theory.places import identify, locate, show
from theory.series import series_settings
from theory.vanishing import constant_ball


def local_of(function: object) -> object:
    """Three Taylor coefficients of a function of a series."""

    def coefficients(point: acb) -> tuple[acb, acb, acb]:
        with series_settings(256, 3):
            series = function(acb_series([point, 1]))  # type: ignore[operator]
            return series[0], series[1], series[2]

    return coefficients


@pytest.mark.parametrize(
    ("function", "start", "zero"),
    [
        (lambda x: x.sin(), acb(3), sp.pi),
        (lambda x: x * x * x, acb("0.3", "0.2"), sp.Integer(0)),
        (lambda x: (x * x - 2) * (x * x - 2), acb(1), sp.sqrt(2)),
        (lambda x: x * x + 1, acb("0.2", "0.7"), sp.I),
        (lambda x: x.exp() - 3, acb(1), sp.log(3)),
    ],
)
def test_zeros_are_located_and_named(function: object, start: acb, zero: sp.Expr) -> None:
    found = locate(local_of(function), start, arb(10))  # type: ignore[arg-type]
    assert found is not None
    with ctx.workprec(256):
        assert (found - constant_ball(zero)).abs_upper() < arb(2) ** -75
    assert zero in list(identify(found))


def test_no_zero_is_found_where_there_is_none() -> None:
    assert locate(local_of(lambda x: x.exp()), acb(0), arb(3)) is None  # type: ignore[arg-type]

    def nowhere(point: acb) -> tuple[acb, acb, acb]:
        raise ArithmeticError

    assert locate(nowhere, acb(0), arb(3)) is None


def test_only_close_matches_are_offered() -> None:
    with ctx.workprec(256):
        assert sp.pi in list(identify(acb(arb.pi())))
        nearly = acb(arb.pi() + arb(2) ** -60)
        assert sp.pi not in list(identify(nearly))
        assert list(identify(acb(arb(2).zeta()), Fraction(3))) == [sp.pi**2 / 6]
        assert list(identify(acb(arb("0.7390851332151606")))) == []


def test_the_centre_is_recognised_whatever_its_length() -> None:
    centre = Fraction(123456789123, 10**20 + 39)
    with ctx.workprec(256):
        point = acb(arb(centre.numerator) / centre.denominator)
    assert list(identify(point, centre)) == [sp.Rational(centre.numerator, centre.denominator)]


@pytest.mark.parametrize(
    ("point", "text"),
    [
        (acb("0.739085133"), "0.739085"),
        (acb(0, 1), "1*I"),
        (acb(0, -2), "-2*I"),
        (acb("1.5", "-0.25"), "1.5 - 0.25*I"),
        (acb("0 +/- 1e-9", "3"), "3*I"),
        (acb("-3", "0 +/- 1e-9"), "-3"),
        (acb(0), "0"),
    ],
)
def test_points_as_text(point: acb, text: str) -> None:
    assert show(point) == text
