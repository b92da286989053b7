"""The sampler is unbiased, the estimates are right where the truth is an integral, and the rates are those proved."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import dblquad

from empirical.cli import main
from empirical.moments import moment_curves, sample_least_singular_values
from theory.command import run_command
from theory.errors import BadInput

ORDERS = [Fraction(1, 2), Fraction(1), Fraction(2)]


def plain(n: int, samples: int, seed: int) -> np.ndarray:
    """Least singular values of matrices uniform on the unit ball, drawn as the definition says."""
    generator = np.random.default_rng(seed)
    flat = generator.standard_normal((samples, n * n))
    flat *= (generator.random(samples) ** (1 / n**2) / np.linalg.norm(flat, axis=1))[:, None]
    return np.linalg.svd(flat.reshape(-1, n, n), compute_uv=False)[:, -1]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_weighted_draws_are_uniform_draws(n: int) -> None:
    """Shares of σ below several cuts, and the mean of σ, against plain sampling: five standard errors of both."""
    pairs = list(sample_least_singular_values(n, 100_000, seed=1, radius=1.0, floor=1e-4))
    sigma, weight = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    direct = plain(n, 100_000, 2)
    assert weight.max() <= 2
    for function in (lambda s: s, lambda s: s < 0.05, lambda s: s < 0.2, lambda s: np.ones_like(s)):
        found, expected = weight * function(sigma), function(direct) * 1.0
        error = np.sqrt(found.var() / found.size + expected.var() / expected.size)
        assert abs(found.mean() - expected.mean()) < 5 * error


def test_two_by_two_against_the_integral() -> None:
    """n = 2: the singular values have density 8 (s1² - s2²) on s1 >= s2 >= 0, s1² + s2² <= 1."""
    deltas = [0.1, 0.01]
    curves = moment_curves(2, ORDERS, deltas, samples=100_000, seed=3)
    for curve, order in zip(curves, ORDERS, strict=True):
        for index, delta in enumerate(deltas):

            def integral(power: float, delta: float = delta) -> float:
                # Polar coordinates s2 = r sin a, s1 = r cos a: s2 >= delta means r >= delta/sin a.
                value, _ = dblquad(
                    lambda r, a: 8 * r**3 * np.cos(2 * a) * (r * np.sin(a)) ** -power,
                    np.arcsin(delta), np.pi / 4, lambda a: delta / np.sin(a), 1.0,
                )  # fmt: skip
                return float(value)

            truth = integral(float(order)) / integral(0.0)
            assert abs(curve.estimates[index] - truth) < 5 * curve.errors[index]
            assert curve.errors[index] < 0.02 * truth


@pytest.mark.parametrize("n", [2, 3, 4])
def test_rates_are_those_proved(n: int) -> None:
    below, one, two = moment_curves(n, ORDERS, [1e-1, 1e-2, 1e-3, 1e-4, 1e-5], samples=100_000, seed=5)
    # k = 1/2 stays below the proved bound and stops growing: the last decade adds less than the one before.
    assert (below.estimates + 5 * below.errors < below.theory).all()
    steps = np.diff(below.estimates)
    assert steps[-1] < steps[-2] / 2
    # k = 1: growth per factor e is p. Its neighbours, bounded growth (0) and a power of 1/delta, are excluded by 10 %:
    # the standard error of a difference over one decade is below 3 % here.
    assert abs(one.measured_rate / one.stated_rate - 1) < 0.1
    # k = 2: the exponent is 1 (neighbours 0 and 2), and the constant is p within 10 %.
    assert abs(two.measured_rate - 1) < 0.05
    assert abs(two.estimates[-1] / two.theory[-1] - 1) < 0.1


def test_the_same_seed_gives_the_same_curve() -> None:
    first, again, other = (moment_curves(2, ORDERS, [0.1, 0.01], samples=5000, seed=s)[1].estimates for s in (4, 4, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_radius_scales_everything() -> None:
    """A -> R·A maps K_δ of radius 1 to K_{Rδ} of radius R: the k-th moment is divided by R^k, draw by draw."""
    unit = moment_curves(3, ORDERS, [0.1, 0.01], samples=2000, seed=7)
    wide = moment_curves(3, ORDERS, [0.4, 0.04], samples=2000, seed=7, radius=4.0)
    for order, first, second in zip(ORDERS, unit, wide, strict=True):
        # Powers of two scale exactly except in logarithms, exponentials and roots: a relative 1e-9 is ample.
        assert np.allclose(second.estimates * 4.0 ** float(order), first.estimates, rtol=1e-9)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 1}, {"deltas": [0.1]}, {"deltas": [0.01, 0.1]}, {"deltas": [0.9, 0.1]}, {"deltas": [0.1, 0.0]},
        {"samples": 5}, {"orders": [Fraction(0)]}, {"radius": -1.0},
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(arguments: dict) -> None:
    good = {"n": 2, "orders": ORDERS, "deltas": [0.1, 0.01], "samples": 200}
    with pytest.raises(BadInput):
        moment_curves(**{**good, **arguments})


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["moments", "--n", "2", "--samples", "2000", "--delta", "1e-1", "1e-2"]
    assert main(arguments) == 0
    assert "rate measured" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [curve["order"] for curve in found["curves"]] == ["1/2", "1", "2"]
    assert abs(found["curves"][0]["density_at_zero"] - 8 / 3) < 1e-14
    assert run_command(main, ["moments", "--delta", "1e-2"]) == 2
    assert run_command(main, ["moments", "--seed", "-1"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
