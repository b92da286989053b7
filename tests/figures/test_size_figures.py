"""The size figures of e^A: what they claim holds of their data, and a document that breaks the claim is not drawn."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from figures import size_vs_eps, size_vs_n
from figures.claim import ClaimFailed
from figures.numbers import log10_of, short
from theory.errors import BadInput


@pytest.fixture(scope="module")
def by_accuracy() -> dict[str, Any]:
    return size_vs_eps.data(n=2, digits=6)


@pytest.fixture(scope="module")
def by_size() -> dict[str, Any]:
    return size_vs_n.data(largest=12)


def test_by_accuracy_rows_are_what_the_bounds_command_says(by_accuracy: dict[str, Any]) -> None:
    from fractions import Fraction

    from theory.bounds import bounds_document
    from theory.problem import Box, Problem

    document = bounds_document(Problem("expm", 2, Box(Fraction(1)), Fraction(1, 1000)), Fraction(1, 100))
    for route in document["routes"]:
        if route["route"] in by_accuracy["routes"]:
            row = by_accuracy["routes"][route["route"]][2]
            assert row["eps"] == "1/1000"
            assert {key: row[key] for key in ("hidden_layers", "width", "bits")} == {
                key: route[key] for key in ("hidden_layers", "width", "bits")
            }
    assert by_accuracy["lower_bound"][2]["bits"] == document["lower_bound"]["bits"]


def test_by_accuracy_claim_holds_and_curves_are_monotone(by_accuracy: dict[str, Any]) -> None:
    size_vs_eps.check(by_accuracy)
    least = [row["bits"] for row in by_accuracy["lower_bound"]]
    assert least == sorted(least)
    assert len(least) == 6
    for rows in by_accuracy["routes"].values():
        layers = [row["hidden_layers"] for row in rows]
        assert layers == sorted(layers)


def test_by_size_claim_holds_and_our_width_is_cubic(by_size: dict[str, Any]) -> None:
    size_vs_n.check(by_size)
    assert [row["n"] for row in by_size["lower_bound"]] == [2, 3, 4, 6, 8, 12]
    for row in by_size["routes"]["scaling-and-squaring"]:
        n = row["n"]
        assert row["width"] <= 4 * (n**3 + 2 * n**2) + 6 * n**2 + 8


@pytest.mark.parametrize(
    ("route", "key", "value", "message"),
    [
        ("horner", "error", 0.2, "exceeds eps"),
        ("scaling-and-squaring", "bits", 1.0, "lower bound"),
        ("monomial", "width", 3, "not the widest"),
        ("horner", "hidden_layers", 10_000, "hidden_layers falls"),
        ("horner", "width", 10_000, "the width moves"),
    ],
)
def test_a_document_that_breaks_the_claim_is_refused(
    by_accuracy: dict[str, Any], route: str, key: str, value: float, message: str
) -> None:
    broken = copy.deepcopy(by_accuracy)
    broken["routes"][route][1][key] = value
    with pytest.raises(ClaimFailed, match=message):
        size_vs_eps.check(broken)


def test_a_polynomial_width_would_refute_the_exponential_one(by_size: dict[str, Any]) -> None:
    broken = copy.deepcopy(by_size)
    for row in broken["routes"]["monomial"]:
        row["width"] = 10**6 * row["n"] ** 3
    with pytest.raises(ClaimFailed, match="digits grow slower"):
        size_vs_n.check(broken)
    broken = copy.deepcopy(by_size)
    broken["routes"]["horner"][0]["width"] = 10**4
    with pytest.raises(ClaimFailed, match="wider than"):
        size_vs_n.check(broken)


@pytest.mark.parametrize("options", [{"n": "0"}, {"n": "500"}, {"digits": "1"}, {"digits": "99"}, {"M": "-1"}])
def test_size_vs_eps_refuses_nonsense(options: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        size_vs_eps.data(**options)


@pytest.mark.parametrize("options", [{"largest": "3"}, {"largest": "x"}, {"eps": "nan"}])
def test_size_vs_n_refuses_nonsense(options: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        size_vs_n.data(**options)


def test_numbers_of_any_size_have_a_place_on_an_axis() -> None:
    assert log10_of(1000) == pytest.approx(3, abs=1e-12)
    assert log10_of(str(10**40)) == pytest.approx(40, abs=1e-12)
    assert log10_of({"log10": [325.9, 326.1]}) == pytest.approx(326, abs=1e-9)
    assert (short(2896), short(24.68), short(10**39)) == ("2,896", "24.7", "$10^{39}$")
