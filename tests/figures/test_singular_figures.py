"""The geometry behind figure1 and figure2: exact identities, and claims that fail when the data are moved."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from figures import figure1, figure2
from figures.claim import ClaimFailed
from figures.singular_geometry import least_singular_value, sheets
from theory.errors import BadInput

entries = st.floats(-3, 3)


def test_the_sheets_solve_the_characteristic_equation_identically() -> None:
    """eps^4 - ||A||^2 eps^2 + det^2 = 0 at d = (abc +- eps sqrt((b^2 + m)(c^2 + m)))/m, m = a^2 - eps^2."""
    a, b, c, eps = sp.symbols("a b c epsilon", positive=True)
    m = a**2 - eps**2
    for sign in (1, -1):
        d = (a * b * c + sign * eps * sp.sqrt((b**2 + m) * (c**2 + m))) / m
        residue = eps**4 - (a**2 + b**2 + c**2 + d**2) * eps**2 + (a * d - b * c) ** 2
        assert sp.simplify(sp.expand(residue)) == 0


@given(entries, entries, entries, entries)
def test_the_formula_for_the_least_singular_value(a: float, b: float, c: float, d: float) -> None:
    reference = np.linalg.svd(np.array([[a, b], [c, d]]), compute_uv=False)[1]
    # Both are backward stable: singular values are good to a few ulps of the largest entry sum, 6 here.
    assert least_singular_value(a, b, c, d) == pytest.approx(reference, abs=1e-14)


@given(st.floats(0.6, 3), entries, entries, st.floats(0.01, 0.5), st.floats(0, 1))
def test_between_the_sheets_the_distance_is_below_eps(a: float, b: float, c: float, eps: float, share: float) -> None:
    low, high = sheets(a, b, c, eps)
    # Entries reach 2*3*9/(0.36 - 0.25) = 500: sigma is good to 1e-12.
    assert least_singular_value(a, b, c, low + share * (high - low)) <= eps + 1e-12
    assert least_singular_value(a, b, c, high + 0.1) > eps
    assert least_singular_value(a, b, c, low - 0.1) > eps


def test_sheets_refuse_a_corner_entry_within_eps() -> None:
    with pytest.raises(ValueError, match="only where"):
        sheets(0.2, 1.0, 1.0, 0.25)


@pytest.mark.parametrize("eps", ["1/4", "1/100", "49/100"])
def test_both_figures_bear_out_their_claims(eps: str) -> None:
    figure1.check(figure1.data(eps=eps))
    figure2.check(figure2.data(eps=eps))


@pytest.mark.parametrize("eps", ["1/2", "0", "x"])
def test_both_figures_refuse_an_eps_that_leaves_nothing_to_see(eps: str) -> None:
    for figure in (figure1, figure2):
        with pytest.raises(BadInput):
            figure.data(eps=eps)


def _shift(points: list[list[float]], by: float) -> list[list[float]]:
    return [points[0], [y + by for y in points[1]]]


def test_moved_curves_are_noticed() -> None:
    good: dict[str, Any] = figure1.data()
    for part, index, by, message in (
        ("singular", None, 0.01, "not singular"),
        ("boundary", 1, 0.01, "misses eps"),
        ("band", 1, 0.2, "leaves D_eps"),
    ):
        broken = copy.deepcopy(good)
        if index is None:
            broken["line"][part] = _shift(good["line"][part], by)
        else:
            broken["line"][part][index] = _shift(good["line"][part][index], by)
        with pytest.raises(ClaimFailed, match=message):
            figure1.check(broken)
    narrow = copy.deepcopy(good)
    narrow["hyperbola"]["band"] = good["hyperbola"]["boundary"]
    with pytest.raises(ClaimFailed, match="nowhere wider"):
        figure1.check(narrow)


@pytest.mark.parametrize(("radius", "message"), [(0.8, "enters"), (0.7, "does not touch")])
def test_a_ball_of_another_size_is_noticed(radius: float, message: str) -> None:
    broken = figure2.data()
    broken["ball"]["radius"] = radius
    with pytest.raises(ClaimFailed, match=message):
        figure2.check(broken)
