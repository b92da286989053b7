"""Discs: what is singular is named with its place, what is not is proved, and the proof is attacked from outside."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.naive.naive_formulas import climb, formulas, rational, value
from theory.disc import _arc, first_singularity, maximum
from theory.errors import BadInput
from theory.formula import Formula
from theory.parse import parse_formula
from theory.singularities import Singularity

F = Fraction

ANALYTIC = [
    ("exp(x)*x", 0, F(100)),
    ("1/x", 1, F(999, 1000)),
    ("1/(2 - x)", 0, F(199, 100)),
    ("log(1 + x)", 0, F(999, 1000)),
    ("sqrt(x)", 1, F(1, 2)),
    ("sqrt(x**2 + 1)", 0, F(99, 100)),
    ("x**(1/3)", 2, F(3, 2)),
    ("x**x", 1, F(9, 10)),
    ("2**x", 0, F(5)),
    ("tan(x)", 0, F(3, 2)),
    ("tanh(x)", 0, F(3, 2)),
    ("asin(x)", 0, F(99, 100)),
    ("acosh(x)", 3, F(19, 10)),
    ("atan(x)", F(1, 3), F(1)),
    ("asinh(x)/(3 - x)", 0, F(9, 10)),
    ("log(exp(x))", 0, F(3)),
    ("exp(1/x)", 1, F(9, 10)),
    ("1/cos(50*x)", 0, F(3, 100)),
    ("1/(x - cos(x))", 0, F(7, 10)),
    ("cos(sqrt(x))", 0, F(5)),
    ("sin(sqrt(x))/sqrt(x)", -1, F(5)),
    ("tanh(2*sqrt(x))/sqrt(x)", 0, F(1, 2)),
]

REMOVABLE = [
    ("sin(x)/x", 0, F(10), {"0": 1}),
    ("(exp(x) - 1)/x", 0, F(10), {"0": 1}),
    ("(1 - cos(x))/x**2", 0, F(20), {"0": 2}),
    ("x/tan(x)", 0, F(3), {"0": 1}),
    ("1/sin(x) - 1/x", 0, F(3), {"0": 2}),
    ("1/(exp(x) - 1) - 1/x", 0, F(6), {"0": 2}),
    ("cosh(x)/sinh(x) - 1/x", F(1, 2), F(2), {"0": 2}),
    ("(sin(x)/x - 1)/x**2", 0, F(5), {"0": 3}),
    ("log(x)/(x - 1)", F(4, 3), F(1), {"1": 1}),
    ("(x**2 - 1)/(x - 1)", 0, F(2), {"1": 1}),
    ("(x**2 - 2)/(x - sqrt(2))", 0, F(2), {"sqrt(2)": 1}),
    ("sinh(x)/(x**2 + pi**2)", 0, F(4), {"I*pi": 1}),
    ("(cos(x) - sqrt(2)/2)/(4*x - pi)", 0, F(3), {"pi/4": 1}),
    ("(exp(x) - 3)/(x - log(3))", 0, F(2), {"log(3)": 1}),
    ("sin(pi*x)/(x*(x - 1)*(x + 1))", 0, F(3, 2), {"0": 1, "1": 1, "-1": 1}),
    ("log(sin(x)/x)", 0, F(3), {"0": 1}),
    ("sqrt(sin(x)/x)", 0, F(3), {"0": 1}),
    ("(asin(x) - atan(x))/x**3", 0, F(9, 10), {"0": 3}),
    ("tanh(x)/x", 0, F(3, 2), {"0": 1}),
    ("sin(x - 1/3)/(3*x - 1)", F(1, 3), F(2), {"1/3": 1}),
    ("exp(sin(x)/x)*x/x", 0, F(2), {"0": 1}),
]

SINGULAR = [
    ("1/x", 0, F(1), "pole", "0", "x"),
    ("1/x", 1, F(1), "pole", "0", "x"),
    ("1/(x - 2)", 0, F(2), "pole", "2", "x - 2"),
    ("1/(1 + x**2)", 0, F(2), "pole", "I", "x**2 + 1"),
    ("tan(x)", 0, F(2), "pole", "pi/2", "cos(x)"),
    ("exp(x)/sin(x)", 3, F(1), "pole", "pi", "sin(x)"),
    ("x/tan(x)", 0, F(4), "pole", "pi", "sin(x)"),
    ("sin(x)/x**2", 0, F(1), "pole", "0", "x"),
    ("(sin(x) - 0.999999*x)/x**3", 0, F(1), "pole", "0", "x"),
    ("1/sin(x) - 1/x**2", 0, F(1), "pole", "0", "x"),
    ("1/(exp(x) - 1) - 1/x", 0, F(7), "pole", "2*I*pi", "exp(x) - 1"),
    ("1/(x**2 - x - 1)", 0, F(1), "pole", "-0.618034", "x**2 - x - 1"),
    ("1/(x - cos(x))", 0, F(1), "pole", "0.739085", "x - cos(x)"),
    ("1/(x**2 - 2*x + 1.0001)", 0, F(2), "pole", "1 + I/100", "x**2 - 2*x + 10001/10000"),
    ("exp(1/x)", F(1, 2), F(1), "pole", "0", "x"),
    ("1/(x - 1/10**6)", 0, F(1), "pole", "1/1000000", "x - 1/1000000"),
    ("log(x)", 1, F(1), "branch point", "0", "log(x)"),
    ("log(1 + x)", 0, F(2), "branch point", "-1", "log(x + 1)"),
    ("sqrt(x)", 1, F(2), "branch point", "0", "sqrt(x)"),
    ("sqrt(x**2)", 0, F(1), "branch point", "0", "sqrt(x**2)"),
    ("x**(1/3)", 1, F(3, 2), "branch point", "0", "x**(1/3)"),
    ("x**(-5/2)", 1, F(3, 2), "branch point", "0", "x**(-5/2)"),
    ("x**x", 1, F(1), "branch point", "0", "x**x"),
    ("acos(x)", 0, F(1), "branch point", "1", "acos(x)"),
    ("atanh(x)", 0, F(3, 2), "branch point", "1", "atanh(x)"),
    ("atan(x)", 0, F(3, 2), "branch point", "I", "atan(x)"),
    ("acosh(x)", 3, F(3), "branch point", "1", "acosh(x)"),
    ("sqrt(x)*cos(sqrt(x))", 0, F(1), "branch point", "0", "sqrt(x)"),
    ("cos(1 + sqrt(x))", 0, F(1), "branch point", "0", "sqrt(x)"),
    ("1/cos(sqrt(x))", 0, F(3), "pole", "pi**2/4", "cos(sqrt(x))"),
    ("1/(x/3 - tanh(1))**3", 2, F(1), "pole", "2.28478", "x*cosh(1)/3 - sinh(1)"),
    ("log(sin(x)/x)", 0, F(4), "branch point", "pi", "log(sin(x)/x)"),
    ("log(exp(x))", 0, F(4), "branch cut", "3.14*I", "log(exp(x))"),
    ("log(x)", -1, F(1, 2), "branch cut", "-1", "log(x)"),
    ("acosh(x)", 0, F(1, 2), "branch cut", "0", "acosh(x)"),
]


@pytest.mark.parametrize(("text", "centre", "radius"), ANALYTIC)
def test_analytic_discs_are_proved(text: str, centre: Fraction, radius: Fraction) -> None:
    assert first_singularity(Formula(parse_formula(text), F(centre)), radius) is None


@pytest.mark.parametrize(("text", "centre", "radius", "zeros"), REMOVABLE)
def test_removable_singularities_are_no_poles(
    text: str, centre: Fraction, radius: Fraction, zeros: dict[str, int]
) -> None:
    formula = Formula(parse_formula(text), F(centre))
    assert first_singularity(formula, radius) is None
    found = {str(zero.place): zero.order for known in formula.zeros.values() for zero in known}
    # A zero of the denominator a little outside the disc may be known too.
    assert zeros.items() <= found.items()


@pytest.mark.parametrize(("text", "centre", "radius", "kind", "place", "what"), SINGULAR)
def test_singularities_have_name_and_place(
    text: str, centre: Fraction, radius: Fraction, kind: str, place: str, what: str
) -> None:
    found = first_singularity(Formula(parse_formula(text), F(centre)), radius)
    assert isinstance(found, Singularity)
    assert (found.kind, found.place, found.what) == (kind, place, what)
    assert place in str(found)
    assert what in str(found)


def test_a_zero_over_zero_that_resists_is_said_to_be_undecided() -> None:
    found = first_singularity(Formula(parse_formula("(x - cos(x))/(cos(x) - x)"), F(0)), F(1))
    assert found is not None
    assert found.kind == "undecided"
    assert str(found) == "no proof that (x - cos(x))/(-x + cos(x)) is analytic near x = 0.739"


@pytest.mark.parametrize("gap", [F(1, 10), F(1, 10**3), F(1, 10**6)])
def test_the_edge_is_found_however_close(gap: Fraction) -> None:
    for text in ("1/(1 - x)", "log(1 - x)", "sqrt(1 + x**2)", "1/(1 + x**2)"):
        formula = Formula(parse_formula(text), F(0))
        assert first_singularity(formula, 1 - gap, gap / 8) is None
        assert first_singularity(formula, F(1)) is not None


@pytest.mark.parametrize("text", ["acos(2)*x", "sqrt(cos(2))*x", "log(sin(4))", "x/(sin(1)**2 + cos(1)**2 - 1)"])
def test_constants_that_are_not_real_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"not a real number|not shown not to be"):
        Formula(parse_formula(text), F(0))


def attack(expression: sp.Expr, centre: Fraction, radius: Fraction, bound: Fraction, points: int = 32) -> float:
    """Return max |f| / bound over points of the circle, after checking that f is its own mean on circles inside.

    The mean over N equally spaced points of a circle of radius s < r about c is c_0 + c_N s^N + ..., so it differs from
    f(c) by at most M (s/r)^N/(1 - (s/r)^N) if f is analytic on |z - c| <= r and bounded there by M. A pole inside or a
    cut crossed would show.
    """
    with mpmath.workdps(30):
        middle, size, top = rational(centre), rational(radius), rational(bound)
        # The points are turned a little: no removable singularity on the real axis is hit, where 0/0 has no value.
        turns = [mpmath.expjpi(mpmath.mpf(2 * k + 0.3) / points) for k in range(points)]
        means = []
        for share in (mpmath.mpf(1) / 2, mpmath.mpf(1) / 3):
            values = [value(expression, middle + share * size * turn) for turn in turns]
            means.append(mpmath.fsum(values) / points)
        # Each mean is off f(c) by M 2^-N/(1 - 2^-N) at most, plus rounding of 30 digits through cancellations.
        allowed = 2 * top * mpmath.mpf(2) ** -points * (1 + mpmath.mpf(2) ** (1 - points)) + top * mpmath.mpf(10) ** -15
        assert abs(means[0] - means[1]) <= allowed
        return float(climb(lambda angle: abs(value(expression, middle + size * mpmath.expjpi(angle))), points) / top)


CASES = [case[:3] for case in (*ANALYTIC, *REMOVABLE)]


@pytest.mark.parametrize(("text", "centre", "radius"), CASES)
def test_the_maximum_bounds_f_and_is_close(text: str, centre: Fraction, radius: Fraction) -> None:
    expression = parse_formula(text)
    formula = Formula(expression, F(centre))
    assert first_singularity(formula, radius) is None
    bound = maximum(formula, radius)
    assert bound is not None
    # The bound is within 1/32 of a value attained, and the search climbs to the top: 32/33 less a little.
    worst = attack(expression, F(centre), radius, bound, 64)
    assert 0.95 < worst <= 1


def test_an_arcs_bound_counts_what_its_middle_does_not_see() -> None:
    # Eight zeros at the middle of the first arc: the Taylor polynomial there says nothing, the remainder everything.
    expression = parse_formula("(x**2 - 2*cos(pi/8)*x + 1)**8")
    arc = _arc(Formula(expression, F(0)), F(1), F(0), F(1, 4))
    with mpmath.workdps(30):
        for k in range(17):
            height = abs(value(expression, mpmath.expjpi(mpmath.mpf(k) / 64)))
            assert height <= rational(-arc.minus_bound)


@settings(suppress_health_check=list(HealthCheck))
@given(formulas(), st.sampled_from((F(0), F(1), F(-1, 2), F(2))), st.sampled_from((F(1, 2), F(9, 10), F(2))))
def test_whatever_is_proved_analytic_is(text: str, centre: Fraction, radius: Fraction) -> None:
    try:
        expression = parse_formula(text)
        formula = Formula(expression, centre)
        assume(first_singularity(formula, radius) is None)
        bound = maximum(formula, radius)
    except BadInput:
        assume(False)
    assume(bound is not None and 0 < bound < 10**6)
    try:
        worst = attack(expression, centre, radius, bound)
    except (OverflowError, ZeroDivisionError):
        assume(False)
    assert worst <= 1


@settings(suppress_health_check=list(HealthCheck), max_examples=30)
@given(st.builds("({})/({})".format, formulas(), formulas()), st.sampled_from((F(0), F(1), F(-1, 2), F(2))))
def test_whatever_is_called_a_pole_is_one(text: str, centre: Fraction) -> None:
    try:
        expression = parse_formula(text)
        found = first_singularity(Formula(expression, centre), F(3, 2))
    except BadInput:
        assume(False)
    assume(found is not None and found.kind == "pole")
    with mpmath.workdps(60):
        place = mpmath.mpc(*(part.mid().str(50, radius=False) for part in (found.ball.real, found.ball.imag)))
        try:
            near, nearer = (_denominators(expression, place + mpmath.mpf(10) ** -k) for k in (6, 9))
        except OverflowError:
            assume(False)
        # Some denominator's smallest value falls at least like the distance: by 10^3, half of that asked for.
        assert nearer < near / 100


def _denominators(expression: sp.Expr, point: mpmath.mpc) -> mpmath.mpf:
    """The smallest denominator in the expression at a point."""
    sizes = [mpmath.mpf(10) ** 9]
    for node in sp.preorder_traversal(expression):
        try:
            if isinstance(node, sp.Pow) and node.exp.is_negative:
                sizes.append(abs(value(node.base, point)))
            elif isinstance(node, (sp.tan, sp.tanh)):
                sizes.append(1 / abs(value(node, point)))
        except ZeroDivisionError:
            continue
    return min(sizes)
