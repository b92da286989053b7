"""Every theorem of the package: its steps hold, its formula is what the code computes, and it survives an attack."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as every

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory import catalogue
from theory.evaluate import ball, exact
from theory.lipschitz import Certificate, Majorant, add, compose, lower, product, scale
from theory.lipschitz.moments import density_at_zero, gaussian_density_at_zero
from theory.lipschitz.volume import unit_ball_below
from theory.symbols import Gg, Gh, M, Pf, Pg, Ph, R, beta, g0, k, lam, n, rho, tau, xi, zeta
from theory.theorem import Verdict

OURS = [i for i in catalogue.ids() if i.startswith(("lipschitz.", "inversion."))]
PAPER = [f"inversion.lemma-3.{i}" for i in range(1, 7)] + [
    f"inversion.theorem-{i}" for i in ("3.7", "3.8", "3.9", "a.6")
]
#: Theorems with a step from the literature of their own; in every other one each step is discharged by machine.
CITED = {
    "lipschitz.jacobian", "lipschitz.spectral-norm", "lipschitz.root", "inversion.lemma-3.3", "inversion.lemma-3.6",
    "inversion.theorem-3.8", "inversion.theorem-3.9.sharp", "inversion.moments.gaussian",
}  # fmt: skip
MACHINE_CHECKED = {
    "lipschitz.growth", "lipschitz.bounded", "lipschitz.composition", "lipschitz.lowering", "lipschitz.concatenation",
    "lipschitz.sum", "lipschitz.scaling", "lipschitz.product", "lipschitz.collapse", "lipschitz.affine",
    "lipschitz.convolution", "lipschitz.relu", "lipschitz.sigmoid", "lipschitz.tanh", "lipschitz.gelu",
    "lipschitz.spline", "lipschitz.layer-norm", "lipschitz.softmax", "lipschitz.attention", "lipschitz.rnn",
    "lipschitz.lstm", "lipschitz.transformer-layer", "inversion.lemma-3.1", "inversion.lemma-3.2",
    "inversion.lemma-3.4", "inversion.lemma-3.5", "inversion.lemma-3.6.sharp", "inversion.lemma-3.6.max-norm",
    "inversion.theorem-3.7", "inversion.theorem-3.7.sharp", "inversion.theorem-3.8.sharp", "inversion.theorem-3.9",
    "inversion.theorem-a.6", "inversion.moments.tail", "inversion.moments.finite", "inversion.moments.gaussian-2",
    "inversion.moments.rate",
}  # fmt: skip


def test_the_paper_is_there_by_number_with_sharper_ones_beside() -> None:
    assert set(OURS) == CITED | MACHINE_CHECKED
    assert set(PAPER) <= set(OURS)
    sharp = [i for i in OURS if i.endswith((".sharp", ".max-norm"))]
    assert {i.rsplit(".", 1)[0] for i in sharp} <= set(PAPER)
    assert all("sharpens" in catalogue.load(i).source for i in sharp)
    assert all("2506.00642" in catalogue.load(i).source for i in PAPER)


@pytest.mark.parametrize("theorem_id", OURS)
def test_every_step_holds(theorem_id: str) -> None:
    theorem = catalogue.load(theorem_id)
    grades = {step.name: step.run().verdict for step in theorem.steps}
    assert not [name for name, grade in grades.items() if grade not in (Verdict.PROVED, Verdict.CITED)]
    assert (Verdict.CITED in grades.values()) == (theorem_id in CITED)
    before = catalogue.ids()[: catalogue.ids().index(theorem_id)]
    assert set(theorem.uses) <= set(before)


small = st.fractions(min_value=0, max_value=4, max_denominator=6)
values = st.tuples(small, small, small, small)


@given(values, values, small, small)
def test_the_rules_compute_what_their_theorems_say(f: tuple, g: tuple, s: Fraction, t: Fraction) -> None:
    """At one point (s, t), c = 1/2: the theorem's expression at the parts' values is the code's modulus there."""

    def certificate(parts: tuple, exponent: Fraction) -> Certificate:
        return Certificate(Majorant.of({(0, 0): parts[0], (1, 0): parts[1], (0, 1): parts[2]}), exponent, parts[3])

    half = Fraction(1, 2)
    first, second = certificate(f, half), certificate(g, half)
    one, two = first.modulus(s, t), second.modulus(s, t)
    grown = {Gg: first.growth(s), Gh: second.growth(t), Pg: one, Ph: two, beta: Fraction(3)}

    def stated(theorem_id: str, at: dict) -> Fraction:
        return exact(catalogue.load(theorem_id).bound.expression, at)

    point = {xi: s, zeta: t}
    outer = {Pf: first.modulus(second.growth(s), second.growth(t)), Pg: two}
    assert compose(first, second).modulus(s, t) == stated("lipschitz.composition", outer)
    assert add(first, second).modulus(s, t) == stated("lipschitz.sum", {Pf: one, Pg: two})
    assert scale(first, -2).modulus(s, t) == stated("lipschitz.scaling", {lam: Fraction(2), Pg: one})
    assert lower(first, Fraction(1, 3)).modulus(s, t) == stated("lipschitz.lowering", {Pg: one, **point})
    assert product(first, second, 3).modulus(s, t) == stated("lipschitz.product", grown)
    assert first.growth(s) == stated("lipschitz.growth", {g0: f[3], Pg: first.modulus(s, 0), xi: s})
    if not first.modulus.is_constant:
        at = {Pf: first.modulus(1, 1), k: 1, **point}
        assert first.modulus.collapsed()(s, t) == stated("lipschitz.collapse", at)


def singular(generator: np.random.Generator, size: int, rank: int) -> np.ndarray:
    return generator.standard_normal((size, rank)) @ generator.standard_normal((rank, size))


def test_the_inverse_is_at_least_one_over_the_distance_to_every_singular_matrix_of_any_rank() -> None:
    generator = np.random.default_rng(0)
    for size in (2, 3, 5):
        for rank in range(size):
            for _ in range(40):
                a, s = generator.standard_normal((size, size)), singular(generator, size, rank)
                norm = np.linalg.norm(np.linalg.inv(a), 2)
                # float64 inverses of such matrices have relative errors below 1e-10 (condition numbers below 1e4).
                assert norm * np.linalg.norm(a - s, 2) >= 1 - 1e-9
        u, sigma, v = np.linalg.svd(a)
        nearest = a - sigma[-1] * np.outer(u[:, -1], v[-1])
        assert abs(np.linalg.norm(np.linalg.inv(a), 2) * np.linalg.norm(a - nearest) - 1) < 1e-9


@given(st.integers(2, 3), st.integers(0, 10**6))
def test_the_max_entry_distance_is_attained_and_not_undercut(size: int, seed: int) -> None:
    """Exact: the matrix built is singular at the distance stated, and random singular matrices are not nearer."""
    entries = np.random.default_rng(seed).integers(-6, 7, (size, size)).tolist()
    a = sp.Matrix(entries)
    if a.det() == 0:
        return
    inverse = a.inv()
    signs = [sp.Matrix(w) for w in every((-1, 1), repeat=size)]
    best = max(signs, key=lambda w: sum(abs(x) for x in inverse * w))
    y = inverse * best
    length = sum(abs(x) for x in y)
    step = best * sp.Matrix([[sp.sign(x) if x else 1 for x in y]]) / length
    assert (a - step).det() == 0
    assert max(abs(x) for x in step) == 1 / length
    # Lower bound, attacked: random singular matrices near A (last column made dependent) are never nearer.
    generator = np.random.default_rng(seed + 1)
    for _ in range(20):
        s = [[Fraction(int(e)) + Fraction(int(d), 20) for e, d in zip(row, shift, strict=True)]
             for row, shift in zip(entries, generator.integers(-9, 10, (size, size)), strict=True)]  # fmt: skip
        weights = generator.integers(-2, 3, size - 1)
        for row in s:
            row[-1] = sum((int(c) * e for c, e in zip(weights, row[:-1], strict=True)), Fraction(0))
        distance = max(abs(e - x) for row, kept in zip(s, entries, strict=True) for e, x in zip(row, kept, strict=True))
        assert distance >= Fraction(int((1 / length).p), int((1 / length).q))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_tail_bound_holds_on_the_ball_and_its_rate_is_right(size: int) -> None:
    """Uniform on the unit ball: P(sigma <= t) stays below the tail bound and near p t, p the stated density at 0."""
    generator = np.random.default_rng(size)
    count, t = 400_000, 0.004
    directions = generator.standard_normal((count, size * size))
    directions *= (generator.random(count) ** (1 / size**2) / np.linalg.norm(directions, axis=1))[:, None]
    sigma = np.linalg.svd(directions.reshape(-1, size, size), compute_uv=False)[:, -1]
    found = np.mean(sigma <= t)
    # Density of the uniform distribution: 1/volume of the unit ball, from above.
    density = 1 / unit_ball_below(size * size)
    with ctx.workprec(64):
        stated = catalogue.load("inversion.moments.tail").bound.expression
        bound = ball(stated, {n: size, tau: Fraction(4, 1000), M: density, R: 1})
        limit = float(ball(density_at_zero(sp.Integer(size), R), {R: 1}).mid())
    deviation = np.sqrt(found / count)
    assert found - 5 * deviation <= float(bound.upper())
    # The density of sigma falls from its value at 0 by a relative O(t^2): five standard errors are the larger part.
    assert abs(found - limit * t) < 5 * deviation + 0.01 * limit * t


@pytest.mark.parametrize("size", [2, 3, 4])
def test_gaussian_rate(size: int) -> None:
    generator = np.random.default_rng(10 + size)
    count, d = 400_000, 0.02
    sigma = np.linalg.svd(generator.standard_normal((count, size, size)), compute_uv=False)[:, -1]
    found = np.mean(sigma < d)
    with ctx.workprec(64):
        limit = float(ball(gaussian_density_at_zero(sp.Integer(size)), {}).mid())
    assert abs(found - limit * d) < 5 * np.sqrt(found / count) + 0.01 * limit * d


def test_the_density_on_the_ball_is_right_for_two_by_two() -> None:
    """n = 2: the joint density (s1^2 - s2^2) over s1 >= s2 >= 0, |s| <= R integrates to 8/(3R) at s2 = 0."""
    with ctx.workprec(128):
        found = ball(density_at_zero(sp.Integer(2), R), {R: Fraction(3)})
        assert found.overlaps(arb(8) / 9)
        assert found.rad() < 1e-30


def test_finite_moments_below_one() -> None:
    """The bound C^k/(1-k) is attained by the worst case sigma of density C on [0, 1/C]."""
    for order, slope in ((Fraction(1, 2), Fraction(3)), (Fraction(1, 3), Fraction(1, 2))):
        from theory.symbols import mu

        with ctx.workprec(128):
            bound = ball(catalogue.load("inversion.moments.finite").bound.expression, {rho: slope, mu: order})
            # int_0^{1/C} C x^-k dx = C (1/C)^(1-k)/(1-k)
            power = (arb(slope.denominator) / slope.numerator) ** (1 - arb(order.numerator) / order.denominator)
            attained = arb(slope.numerator) / slope.denominator * power / (1 - arb(order.numerator) / order.denominator)
            assert bound.overlaps(attained)
