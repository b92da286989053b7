"""The inequality a certificate states, attacked on random expressions built from leaves by the rules.

Maps go from R² to R²; they are evaluated with 80 decimal digits, so the slack below (10^-40) is far above every
rounding: a dozen operations lose a factor of at most 10^5 each at the sizes reached, and roots halve the digits
at most twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theory.lipschitz import (
    Certificate,
    Majorant,
    add,
    chain,
    compose,
    concatenate,
    leaves,
    lower,
    product,
    residual,
    scale,
)

Vector = list[mpmath.mpf]
SLACK = mpmath.mpf(10) ** -40


@dataclass(frozen=True)
class Certified:
    name: str
    apply: Callable[[Vector], Vector]
    certificate: Certificate

    def __repr__(self) -> str:
        return self.name


def norm(x: Vector) -> mpmath.mpf:
    return mpmath.sqrt(sum((entry * entry for entry in x), mpmath.mpf(0)))


def mp(value: Fraction | int) -> mpmath.mpf:
    value = Fraction(value)
    return mpmath.mpf(value.numerator) / value.denominator


def entrywise(f: Callable[[mpmath.mpf], mpmath.mpf]) -> Callable[[Vector], Vector]:
    return lambda x: [f(entry) for entry in x]


def softmax(x: Vector) -> Vector:
    top = max(x)
    powers = [mpmath.exp(entry - top) for entry in x]
    return [power / sum(powers) for power in powers]


def layer_norm(x: Vector) -> Vector:
    mean = sum(x) / len(x)
    variance = sum((entry - mean) ** 2 for entry in x) / len(x)
    return [(entry - mean) / mpmath.sqrt(variance + mp(Fraction(1, 100))) for entry in x]


HALF = Fraction(1, 2)
SPLINE = ([[Fraction(0), Fraction(0), Fraction(-1)], [Fraction(0), Fraction(1), Fraction(0), HALF]], [Fraction(0)])
ENTRYWISE = [
    Certified("relu", entrywise(lambda x: max(x, mpmath.mpf(0))), leaves.relu()),
    Certified("leaky", entrywise(lambda x: x if x > 0 else -3 * x), leaves.leaky_relu(Fraction(-3))),
    Certified("sigmoid", entrywise(lambda x: 1 / (1 + mpmath.exp(-x))), leaves.sigmoid(2)),
    Certified("tanh", entrywise(mpmath.tanh), leaves.tanh(2)),
    Certified("gelu", entrywise(lambda x: x * mpmath.ncdf(x)), leaves.gelu()),
    Certified("root", entrywise(lambda x: mpmath.sqrt(abs(x))), leaves.root(Fraction(1, 2), 2)),
    Certified("cube root", entrywise(lambda x: mpmath.root(abs(x), 3)), leaves.root(Fraction(1, 3), 2)),
    Certified("square", entrywise(lambda x: x * x), leaves.from_jacobian([0, 2])),
    Certified("spline", entrywise(lambda x: -x * x if x < 0 else x + x**3 / 2), leaves.spline(*SPLINE, length=2)),
    Certified("softmax", softmax, leaves.softmax(2)),
    Certified("norm", layer_norm, leaves.layer_norm(Fraction(1), Fraction(0), Fraction(1, 100), 2)),
]
small = st.fractions(min_value=-3, max_value=3, max_denominator=8)


def times(left: Vector, right: Vector) -> Vector:
    return [a * b for a, b in zip(left, right, strict=True)]


@st.composite
def affine(draw: st.DrawFn) -> Certified:
    a, b, c, d, e, f = (draw(small) for _ in range(6))
    # sqrt(‖W‖_1·‖W‖_inf) from above, by squares: both are rationals.
    induced = max(abs(a) + abs(b), abs(c) + abs(d)) * max(abs(a) + abs(c), abs(b) + abs(d))
    from theory.lipschitz.rounding import sqrt_up

    return Certified(
        f"affine({a},{b},{c},{d},{e},{f})",
        lambda x: [mp(a) * x[0] + mp(b) * x[1] + mp(e), mp(c) * x[0] + mp(d) * x[1] + mp(f)],
        leaves.affine(sqrt_up(induced), sqrt_up(e * e + f * f)),
    )


def grow(children: st.SearchStrategy[Certified]) -> st.SearchStrategy[Certified]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda p: Certified(f"({p[0]}∘{p[1]})", lambda x: p[0].apply(p[1].apply(x)),
                                      compose(p[0].certificate, p[1].certificate))),
        pairs.map(lambda p: Certified(f"({p[0]}+{p[1]})",
                                      lambda x: [a + b for a, b in zip(p[0].apply(x), p[1].apply(x), strict=True)],
                                      add(p[0].certificate, p[1].certificate))),
        pairs.map(lambda p: Certified(f"({p[0]}·{p[1]})", lambda x: times(p[0].apply(x), p[1].apply(x)),
                                      product(p[0].certificate, p[1].certificate))),
        children.map(lambda p: Certified(f"(id+{p})", lambda x: [a + b for a, b in zip(x, p.apply(x), strict=True)],
                                         residual(p.certificate))),
        children.map(lambda p: Certified(f"(-2{p})", lambda x: [-2 * a for a in p.apply(x)], scale(p.certificate, -2))),
    )  # fmt: skip


maps = st.recursive(st.one_of(st.sampled_from(ENTRYWISE), affine()), grow, max_leaves=4)
coordinates = st.fractions(min_value=-20, max_value=20, max_denominator=50)
points = st.tuples(coordinates, coordinates)


def holds(g: Certified, x: Vector, y: Vector) -> None:
    s, t, distance = norm(x), norm(y), norm([a - b for a, b in zip(x, y, strict=True)])
    p = g.certificate.modulus
    bound = sum((mp(a) * s**i * t**j for (i, j), a in p.terms), mpmath.mpf(0)) * distance ** mp(g.certificate.exponent)
    gx, gy = g.apply(x), g.apply(y)
    assert norm([a - b for a, b in zip(gx, gy, strict=True)]) <= bound * (1 + SLACK) + SLACK
    growth = sum((mp(a) * s**i for (i, _), a in g.certificate.growth.terms), mpmath.mpf(0))
    assert norm(gx) <= growth * (1 + SLACK) + SLACK
    assert norm(gx) <= mp(g.certificate.bound_on_ball(_above(s))) * (1 + SLACK) + SLACK
    assert norm(g.apply([mpmath.mpf(0)] * 2)) <= mp(g.certificate.at_zero) * (1 + SLACK) + SLACK


def _above(value: mpmath.mpf) -> Fraction:
    return Fraction(int(mpmath.ceil(value * 2**80)), 2**80)


@given(maps, points, points)
def test_the_inequality_never_fails_on_far_pairs(g: Certified, x: tuple, y: tuple) -> None:
    with mpmath.workdps(80):
        holds(g, [mp(a) for a in x], [mp(a) for a in y])


@given(maps, points, st.tuples(small, small), st.integers(1, 40))
def test_the_inequality_never_fails_on_near_pairs(g: Certified, x: tuple, step: tuple, exponent: int) -> None:
    with mpmath.workdps(80):
        at = [mp(a) for a in x]
        near = [a + mp(b) / mpmath.mpf(2) ** exponent for a, b in zip(at, step, strict=True)]
        holds(g, at, near)


@given(st.sampled_from(ENTRYWISE), st.sampled_from(ENTRYWISE), points, points)
def test_concatenation(g: Certified, h: Certified, x: tuple, y: tuple) -> None:
    both = Certified("(g, h)", lambda v: g.apply(v) + h.apply(v), concatenate(g.certificate, h.certificate))
    with mpmath.workdps(80):
        holds(both, [mp(a) for a in x], [mp(a) for a in y])


exponents = st.fractions(min_value=Fraction(1, 10), max_value=1, max_denominator=10)


@given(st.sampled_from(ENTRYWISE), exponents, points, points)
def test_lowering(g: Certified, exponent: Fraction, x: tuple, y: tuple) -> None:
    assume(exponent <= g.certificate.exponent)
    with mpmath.workdps(80):
        holds(Certified("lowered", g.apply, lower(g.certificate, exponent)), [mp(a) for a in x], [mp(a) for a in y])


def test_a_chain_of_lipschitz_maps_has_the_product_of_their_constants() -> None:
    stages = [Certificate.lipschitz(Fraction(3, 2), 1), leaves.relu(), Certificate.lipschitz(Fraction(4, 3), 2)]
    total = chain(stages)
    assert total.modulus == Majorant.constant(2)
    assert total.at_zero == 2 + Fraction(4, 3)
    assert total.bound_on_ball(5) == total.at_zero + 10


def test_attained_constants() -> None:
    """The constants are attained, or missed by a stated hair: none of them can be lowered unnoticed."""
    from theory.lipschitz.leaves import GELU_CONSTANT

    with mpmath.workdps(30):
        slope = mpmath.diff(lambda x: x * mpmath.ncdf(x), mpmath.sqrt(2))
        assert mp(GELU_CONSTANT) - Fraction(2, 1000) < slope < mp(GELU_CONSTANT)
        assert abs(mpmath.diff(lambda x: 1 / (1 + mpmath.exp(-x)), 0) - mpmath.mpf(1) / 4) < mpmath.mpf(10) ** -20
        # softmax at (0, 0) along (1, -1): the Jacobian's eigenvalue is exactly 1/2.
        step = mpmath.mpf(10) ** -12
        moved = [a - b for a, b in zip(softmax([step, -step]), softmax([0, 0]), strict=True)]
        assert abs(norm(moved) / (step * mpmath.sqrt(2)) - mpmath.mpf(1) / 2) < mpmath.mpf(10) ** -20


def test_a_known_growth_keeps_degrees_down() -> None:
    square_of_tanh = compose(leaves.from_jacobian([0, 2]), leaves.tanh(4))
    assert square_of_tanh.modulus.is_constant
    deep = chain([square_of_tanh, Certificate.lipschitz(3)] * 30)
    assert deep.modulus.is_constant


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="lowered"):
        lower(leaves.root(Fraction(1, 2), 1), Fraction(2, 3))
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        Certificate(Majorant.constant(1), Fraction(3, 2), Fraction(0))
    with pytest.raises(ValueError, match="negative"):
        Certificate.lipschitz(1).bound_on_ball(-1)
    with pytest.raises(ValueError, match="negative"):
        Certificate(Majorant.constant(1), Fraction(1), Fraction(-1))
    with pytest.raises(ValueError, match="s alone"):
        Certificate(Majorant.constant(1), Fraction(1), Fraction(0), Majorant.of({(0, 1): 1}))
    with pytest.raises(ValueError, match="combine"):
        add()
    with pytest.raises(ValueError, match="jump"):
        leaves.spline([[Fraction(0)], [Fraction(1)]], [Fraction(0)], 1)
    with pytest.raises(ValueError, match="one piece more"):
        leaves.spline([[Fraction(0)]], [Fraction(0)], 1)
    with pytest.raises(ValueError, match="ε = 0"):
        leaves.layer_norm(Fraction(1), Fraction(0), Fraction(0), 3)
