"""Plans for analytic functions: tails attacked at scalars and matrices, least degrees, answers where there is none."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import arb, arb_mat, ctx
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.naive.naive_formulas import climb, rational, value
from theory.analytic import AnalyticSeries, analytic_plan, explicit_tail, series
from theory.analytic_theorems import CAUCHY, CAUCHY_TAIL, EXPLICIT, EXPLICIT_TAIL, REMOVABLE
from theory.errors import BadInput, OutOfReach
from theory.evaluate import exact
from theory.expansion import Expansion
from theory.larger_disc import LargerDisc
from theory.parse import parse_formula
from theory.symbols import M, R, X, q, rho, theta
from theory.theorem import Verdict

F = Fraction

PLANS = [
    ("exp(x)", 0, F(1), F(1, 10**10)),
    ("exp(-x**2)*sin(x)", 0, F(1, 2), F(1, 10**3)),
    ("exp(-x**2)*sin(x)", 1, F(1, 2), F(1, 10**6)),
    ("log(1 + x)", 0, F(1, 2), F(1, 10**6)),
    ("sin(x)/x", 0, F(2), F(1, 10**6)),
    ("sqrt(x)", 1, F(1, 2), F(1, 10**6)),
    ("1/(1 - x)", 0, F(1, 2), F(1, 10**4)),
    ("(1 - x)**(-1/2)", 0, F(3, 4), F(1, 10**3)),
    ("tan(x)", F(1, 3), F(1), F(1, 10**3)),
    ("tanh(x)/x", 0, F(1), F(1, 10**5)),
    ("x**x", 1, F(1, 2), F(1, 10**5)),
    ("1/(exp(x) - 1) - 1/x", 0, F(3), F(1, 10**5)),
    ("acosh(x)", 3, F(1), F(1, 10**4)),
    ("(asin(x) - atan(x))/x**3", 0, F(1, 3), F(1, 10**9)),
    ("cos(sqrt(x))", 0, F(9), F(1, 10**6)),
    ("exp(x)", F(1, 3), F(20), F(1, 100)),
]


def polynomial_at(plan: AnalyticSeries, point: mpmath.mpc) -> mpmath.mpc:
    return mpmath.polyval([rational(c) for c in reversed(plan.coefficients)], point - rational(plan.centre))


def worst_error(plan: AnalyticSeries, points: int = 24) -> mpmath.mpf:
    """Climb to the largest |f - T_q| on the circle of radius R: scalars and normal matrices have their errors there."""

    def error(angle: mpmath.mpf) -> mpmath.mpf:
        point = rational(plan.centre) + rational(plan.radius) * mpmath.expjpi(angle)
        return abs(value(plan.expression, point) - polynomial_at(plan, point))

    return climb(error, points, 20)


@pytest.mark.parametrize(("text", "centre", "radius", "target"), PLANS)
def test_the_tail_bounds_the_worst_error_found(text: str, centre: Fraction, radius: Fraction, target: Fraction) -> None:
    plan = analytic_plan(parse_formula(text), F(centre), radius, target)
    assert plan.tail <= target
    with mpmath.workdps(60):
        worst = worst_error(plan)
        assert worst <= rational(plan.tail)
        # The triangle inequality over terms of one sign somewhere on the circle is sharp; elsewhere it costs little.
        assert worst >= rational(plan.tail) / 10


@pytest.mark.parametrize(("text", "centre", "radius", "target"), PLANS)
def test_the_degree_is_the_least_the_triangle_inequality_allows(
    text: str, centre: Fraction, radius: Fraction, target: Fraction
) -> None:
    plan = analytic_plan(parse_formula(text), F(centre), radius, target)
    if plan.degree:
        shorter = series(plan.expression, plan.centre, radius, plan.degree - 1)
        # A plan leaves up to 2^-10 of the target for what it does not sum; a shorter one met within that would be luck.
        assert shorter.tail > target * (1 - F(1, 2**9))


@pytest.mark.parametrize(("text", "centre", "radius", "target"), [PLANS[k] for k in (0, 1, 3, 4, 5, 6, 14)])
def test_the_parts_of_a_tail_add_up(text: str, centre: Fraction, radius: Fraction, target: Fraction) -> None:
    # Recompute from mpmath's Taylor coefficients: sum over q < k <= K, Cauchy's tail, deviations.
    plan = analytic_plan(parse_formula(text), F(centre), radius, target)
    with mpmath.workdps(80):
        size = rational(plan.radius)
        reach = mpmath.mpf(3) / 4 * size
        count = 4 * (plan.summed + 20)
        # Coefficients as means over a circle of radius 3R/4, the trapezoidal rule: off by some (3/4)^count.
        circle = [mpmath.expjpi(mpmath.mpf(2 * k + mpmath.mpf(1) / 3) / count) for k in range(count)]
        values = [value(plan.expression, rational(plan.centre) + reach * turn) for turn in circle]

        def coefficient(k: int) -> mpmath.mpf:
            return (mpmath.fsum(v / turn**k for v, turn in zip(values, circle, strict=True)) / count / reach**k).real

        terms = [coefficient(k) for k in range(plan.summed + 1)]
        beyond = mpmath.fsum(abs(c) * size**k for k, c in enumerate(terms) if k > plan.degree)
        moved = mpmath.fsum(
            abs(c - rational(d)) * size**k for k, (c, d) in enumerate(zip(terms, plan.coefficients, strict=False))
        )
        values_at = {M: plan.maximum, R: plan.radius, rho: plan.radius_used, q: plan.summed}
        rest = rational(exact(CAUCHY_TAIL, values_at))
        # Aliasing and rounding stay far below a millionth of the tail.
        assert rational(plan.tail) <= (beyond + moved + rest) * (1 + mpmath.mpf(10) ** -6)
        assert rational(plan.tail) >= (beyond + moved) * (1 - mpmath.mpf(10) ** -6)


def random_matrices(size: int, count: int) -> list[arb_mat]:
    """Matrices with ||B||_2 <= 1, far from normal: orthogonal times shift, Jordan blocks, scaled integers."""
    found = [arb_mat(size, size, [1 if j == i + 1 else 0 for i in range(size) for j in range(size)])]
    found.append(arb_mat(size, size, [1 if j == (i + 1) % size else 0 for i in range(size) for j in range(size)]))
    found.append(arb_mat(size, size, [arb(1) / size] * (size * size)))
    state = 12345
    while len(found) < count:
        entries = []
        for _ in range(size * size):
            state = (1103515245 * state + 12345) % 2**31
            entries.append(state % 2001 - 1000)
        frobenius = arb(sum(entry * entry for entry in entries)).sqrt()
        found.append(arb_mat(size, size, [arb(entry) / frobenius for entry in entries]))
    return found


def identity(size: int) -> arb_mat:
    return arb_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])


#: f(A) by a rule of its own in balls, not by Taylor series about the plan's centre.
MATRIX_FUNCTIONS = {
    "exp(x)": lambda a, eye: a.exp(),
    "1/(3 - x)": lambda a, eye: (3 * eye - a).inv(),
    "x**2*exp(2*x)": lambda a, eye: a * a * (2 * a).exp(),
    "(exp(x) - 1)/x": lambda a, eye: (a.exp() - eye) * a.inv(),
    "tanh(x)": lambda a, eye: (a.exp() - (-a).exp()) * (a.exp() + (-a).exp()).inv(),
    "exp(x)/(1 + x**2)": lambda a, eye: a.exp() * (eye + a * a).inv(),
}


@pytest.mark.parametrize("text", MATRIX_FUNCTIONS)
@pytest.mark.parametrize(("centre", "radius"), [(F(0), F(3, 4)), (F(1, 2), F(1, 3))])
@pytest.mark.parametrize("size", [2, 3])
def test_analytic_cauchy_tail_holds_for_matrices_far_from_normal(
    text: str, centre: Fraction, radius: Fraction, size: int
) -> None:
    plan = analytic_plan(parse_formula(text), centre, radius, F(1, 10**6))
    with ctx.workprec(300):
        eye = identity(size)
        for unit in random_matrices(size, 8):
            step = unit * (arb(radius.numerator) / radius.denominator)
            matrix = step + eye * (arb(centre.numerator) / centre.denominator)
            if text.endswith("/x") and matrix.det().contains(0):
                continue
            total = arb_mat(size, size)
            for coefficient in reversed(plan.coefficients):
                total = total * step + eye * (arb(coefficient.numerator) / coefficient.denominator)
            difference = MATRIX_FUNCTIONS[text](matrix, eye) - total
            # The 2-norm is at most the Frobenius norm and at least that over sqrt(n): attack with the latter.
            least = sum((entry * entry for entry in difference.entries()), arb(0)).sqrt() / arb(size).sqrt()
            assert not least > arb(plan.tail.numerator) / plan.tail.denominator


def test_analytic_explicit_tail_is_attained_at_the_scalar_r() -> None:
    # All coefficients of exp are positive: at A = R I the error is the whole tail.
    for degree in range(8):
        plan = series(parse_formula("exp(x)"), F(0), F(3, 2), degree)
        kept = sum(F(3, 2) ** k / sp.factorial(k) for k in range(degree + 1))
        with mpmath.workdps(40):
            error = mpmath.exp(1.5) - rational(F(int(kept.p), int(kept.q)))
            # The known series' tail is rounded up to 53 bits, and stand-ins are within 2^-90 of the sum.
            assert error <= rational(plan.tail) <= error * (1 + mpmath.mpf(2) ** -40)


@pytest.mark.parametrize(
    ("text", "centre", "radius"),
    [
        ("exp(x)", F(1, 3), F(2)),
        ("3*exp(-2*x)", F(0), F(1)),
        ("sin(x)", F(0), F(3)),
        ("cos(2*x + 1)", F(1, 5), F(1)),
        ("sinh(x)", F(1), F(1)),
        ("cosh(x/2)", F(0), F(2)),
        ("log(1 + x)", F(0), F(1, 2)),
        ("log(3 - 2*x)/7", F(1, 2), F(3, 4)),
        ("sqrt(1 + x)", F(0), F(9, 10)),
        ("1/(1 - x)", F(0), F(9, 10)),
        ("(1 - x)**(-1/2)", F(0), F(9, 10)),
        ("(2 + x)**(-3)", F(0), F(1)),
        ("(2 + x)**(7/2)", F(0), F(1)),
    ],
)
@pytest.mark.parametrize("degree", [0, 1, 2, 5, 12])
def test_explicit_tails_agree_with_summed_balls(text: str, centre: Fraction, radius: Fraction, degree: int) -> None:
    expression = parse_formula(text)
    known = explicit_tail(expression, centre, radius, degree)
    assert known is not None
    with mpmath.workdps(50):
        size = rational(radius)
        point, count = rational(centre), 1500
        terms = mpmath.mpf(0)
        # |c_k| from derivatives in closed form: through mpmath's series of the same function, by recurrence.
        for k, c in enumerate(closed_coefficients(expression, point, count)):
            terms += abs(c) * size**k if k > degree else 0
        # 1500 terms leave less than 0.91^1500 of them; the bound is rounded up to 53 bits.
        assert terms * (1 - mpmath.mpf(10) ** -30) <= rational(known) <= terms * (1 + mpmath.mpf(10) ** -12)
    ours = series(expression, centre, radius, degree)
    assert ours.tail <= known * (1 + F(1, 2**30))


def closed_coefficients(expression: sp.Expr, point: mpmath.mpf, count: int) -> list[mpmath.mpf]:
    """Taylor coefficients by the differential equation g' = p g'' ... of each family, in mpmath."""
    factor, rest = expression.as_coeff_Mul()
    scale = mpmath.mpf(int(factor.p)) / int(factor.q)
    inner = rest.args[0] if isinstance(rest, sp.Function) else rest.base
    slope, offset = (mpmath.mpf(int(c.p)) / int(c.q) for c in sp.Poly(inner, X).all_coeffs())
    base = slope * point + offset
    if isinstance(rest, sp.Function) and rest.func is not sp.log:
        derivative = {
            sp.exp: [mpmath.exp] * 4,
            sp.sinh: [mpmath.sinh, mpmath.cosh] * 2,
            sp.cosh: [mpmath.cosh, mpmath.sinh] * 2,
            sp.sin: [mpmath.sin, mpmath.cos] * 2,
            sp.cos: [mpmath.cos, mpmath.sin] * 2,
        }[rest.func]
        return [scale * slope**k / mpmath.factorial(k) * derivative[k % 4](base) for k in range(count)]
    if rest.func is sp.log:
        return [scale * mpmath.log(base), *(scale * (slope / base) ** k / k for k in range(1, count))]
    power = mpmath.mpf(int(rest.exp.p)) / int(rest.exp.q)
    return [scale * mpmath.binomial(power, k) * base ** (power - k) * slope**k for k in range(count)]


@pytest.mark.parametrize("text", ["tan(x)", "exp(x**2)", "x", "x**3", "x*sin(x)", "2**x", "log(-x)", "1/(2 + x*x)"])
def test_other_functions_have_no_explicit_tail(text: str) -> None:
    assert explicit_tail(parse_formula(text), F(0), F(1, 2), 3) is None


@pytest.mark.parametrize(
    ("text", "expected", "centre"),
    [
        ("x**3 + 1/2", [F(1, 2), 0, 0, 1], 0),
        ("(x - 1)**4", [0, 0, 0, 0, 1], 1),
        ("7", [7], 0),
        ("0*x", [0], 3),
        ("(1 + x)*(1 - x) + x**2", [1, 0, 0], F(2)),
    ],
)
def test_polynomials_are_exact(text: str, expected: list[Fraction], centre: Fraction) -> None:
    plan = series(parse_formula(text), F(centre), F(2), max(len(expected) - 1, 0))
    assert list(plan.coefficients) == expected
    assert plan.tail == 0


def test_a_polynomial_is_cut_where_the_target_allows() -> None:
    plan = analytic_plan(parse_formula("x + x**5/1000"), F(0), F(1), F(1, 100))
    assert (plan.degree, plan.tail) == (1, F(1, 1000))


def test_rational_coefficients_come_out_as_they_are() -> None:
    plan = analytic_plan(parse_formula("sin(x)/x"), F(0), F(2), F(1, 10**10))
    expected = [F(0) if k % 2 else F((-1) ** (k // 2), int(sp.factorial(k + 1))) for k in range(plan.degree + 1)]
    assert list(plan.coefficients) == expected


def test_demanding_targets_take_finer_balls() -> None:
    # The removable zero at the centre and its ball have to keep up with the precision.
    plan = analytic_plan(parse_formula("sin(x - 1/3)/(3*x - 1)"), F(1, 3), F(1), F(1, 10**90))
    assert plan.tail <= F(1, 10**90)
    assert plan.coefficients[:3] == (F(1, 3), 0, F(-1, 18))
    with mpmath.workdps(150):
        assert worst_error(plan, 6) <= rational(plan.tail)


def test_the_tail_pays_for_stand_ins_and_for_balls() -> None:
    # Wide balls on purpose: 1/3 and 1/7 known to 2^-20 and 2^-12, and no tail besides.
    with ctx.workprec(128):
        terms = [arb(1) / 3 + arb(0, arb(2) ** -20), arb(1) / 7 + arb(0, arb(2) ** -12)]
    plan = Expansion(parse_formula("sin(x)"), F(0), F(2))._finish(LargerDisc(F(3), F(1), 1), terms, 1, F(0), F(1))
    assert plan.tail >= F(1, 2**20) + 2 * F(1, 2**12)
    assert plan.tail <= 3 * (F(1, 2**20) + 2 * F(1, 2**12))


def test_stand_ins_are_short() -> None:
    plan = analytic_plan(parse_formula("exp(pi*x)"), F(0), F(1), F(1, 10**8))
    assert all(max(c.numerator.bit_length(), c.denominator.bit_length()) <= 160 for c in plan.coefficients)
    assert all(c.numerator.bit_length() <= 97 for c in plan.coefficients)


@pytest.mark.parametrize(
    ("text", "centre", "radius", "reason"),
    [
        ("1/x", 1, F(1), r"1/x is not analytic on \|x - 1\| <= 1: pole at x = 0, where x vanishes"),
        ("log(x)", -2, F(1), r"not analytic on \|x \+ 2\| <= 1: branch cut of log\(x\) reached near x = -2"),
        ("sqrt(1 + x)", 0, F(1), r"not analytic on \|x\| <= 1: branch point of sqrt\(x \+ 1\) at x = -1"),
        ("acos(2)*exp(x)", 0, F(1), r"acos\(2\) is not a real number"),
        ("exp(exp(50))*exp(x)", 0, F(1), "beyond 2"),
    ],
)
def test_no_plan_where_there_is_a_singularity(text: str, centre: Fraction, radius: Fraction, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        analytic_plan(parse_formula(text), F(centre), radius, F(1, 1000))
    assert "\n" not in str(caught.value)


def test_out_of_reach_is_said() -> None:
    with pytest.raises(OutOfReach, match="only a little beyond the radius"):
        analytic_plan(parse_formula("1/(1 - x)"), F(0), F(9999, 10000), F(1, 1000))
    with pytest.raises(OutOfReach, match="degree 1001 is beyond 1000"):
        series(parse_formula("exp(x)"), F(0), F(1), 1001)
    with pytest.raises(BadInput, match="at least 0"):
        series(parse_formula("exp(x)"), F(0), F(1), -1)
    for radius, target in ((F(0), F(1)), (F(-1), F(1)), (F(1), F(0)), (F(10) ** 400, F(1)), (F(1), F(1, 10**400))):
        with pytest.raises(BadInput):
            analytic_plan(parse_formula("exp(x)"), F(0), radius, target)


def test_foreign_expressions_are_refused() -> None:
    for expression in (sp.Symbol("y") + X, sp.gamma(X), sp.I * X, sp.Abs(X), sp.Max(X, 1)):
        with pytest.raises(BadInput, match="is not a real function of x"):
            analytic_plan(expression, F(0), F(1), F(1, 10))
    with pytest.raises(BadInput, match="must be a SymPy expression"):
        analytic_plan("exp(x)", F(0), F(1), F(1, 10))


def test_a_fraction_that_reduces_is_reduced() -> None:
    plan = analytic_plan(parse_formula("(x - cos(x))/(cos(x) - x)"), F(0), F(1), F(1, 1000))
    assert plan.coefficients == (F(-1),)


def test_a_series_checks_its_own_mathematics() -> None:
    good = series(parse_formula("exp(x)"), F(0), F(1), 3)
    parts = {name: getattr(good, name) for name in AnalyticSeries.__dataclass_fields__}
    for change in ({"degree": 2}, {"radius_used": F(1)}, {"tail": F(-1)}, {"summed": 2}, {"radius": F(0)}):
        with pytest.raises(ValueError, match=r"coefficients|R < r"):
            AnalyticSeries(**{**parts, **change})
    assert good.value(F(1, 2)) == 1 + F(1, 2) + F(1, 8) + F(1, 48)


def test_plans_are_deterministic() -> None:
    plans = [analytic_plan(parse_formula("tan(x)/x"), F(0), F(1), F(1, 10**6)) for _ in range(2)]
    assert plans[0] == plans[1]


small = st.sampled_from(("x", "x/2", "x**2", "1 + x", "2 - x", "3 + x/2"))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "asinh", "atanh")),
    small,
    st.sampled_from(("+", "*", "/", "-")),
    st.sampled_from(("exp", "log", "sqrt", "sin", "cos", "tanh", "atan")),
    small,
    st.sampled_from((F(0), F(1, 2), F(-1, 3))),
    st.sampled_from((F(1, 4), F(1, 2), F(9, 10))),
)
def test_random_functions_stay_within_their_tails(
    first: str, inner: str, op: str, second: str, other: str, centre: Fraction, radius: Fraction
) -> None:
    try:
        plan = analytic_plan(parse_formula(f"{first}({inner}) {op} {second}({other})"), centre, radius, F(1, 10**4))
    except BadInput:
        assume(False)
    with mpmath.workdps(50):
        assert worst_error(plan, 12) <= rational(plan.tail)


@pytest.mark.parametrize("theorem", [CAUCHY, REMOVABLE, EXPLICIT], ids=lambda theorem: theorem.id)
def test_the_theorems_hold_step_by_step(theorem: object) -> None:
    for step in theorem.steps:  # type: ignore[attr-defined]
        assert step.run().verdict in (Verdict.PROVED, Verdict.CITED, Verdict.SKIPPED)


def test_the_tails_as_written() -> None:
    values = {M: 3, R: F(1, 2), rho: 2, q: 4}
    assert exact(CAUCHY_TAIL, values) == 3 * F(1, 4) ** 5 / (1 - F(1, 4))
    assert exact(EXPLICIT_TAIL, {M: 3, theta: F(1, 4)}) == 4
    # A geometric series attains both: f = 1/(1 - z/rho) has c_k = rho^-k.
    assert exact(EXPLICIT_TAIL, {M: F(1, 4) ** 5, theta: F(1, 4)}) == sum(F(1, 4) ** k for k in range(5, 60)) + F(
        1, 4
    ) ** 60 / (1 - F(1, 4))
