"""What a certificate says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from empirical.certify.certificate import Certificate

CERTIFICATE = Certificate(
    lower=1.0,
    upper=1.25,
    norm="max",
    matrix=np.array([[0.1, 1e-300], [-2.5, 1 / 3]]),
    gap=Fraction(1, 4),
    boxes=7,
    open_boxes=0,
    seconds=0.5,
    sampled=0.75,
    samples=10_000,
    ended="closed",
)


def test_the_gap_is_compared_exactly() -> None:
    assert CERTIFICATE.closed
    assert not replace(CERTIFICATE, upper=np.nextafter(1.25, 2)).closed
    assert not replace(CERTIFICATE, upper=float("inf")).closed
    # One tenth as a rational: 1 + 1/10 lies strictly between the floats 1.1 and the one below.
    assert not replace(CERTIFICATE, gap=Fraction(1, 10), upper=1.1).closed
    assert replace(CERTIFICATE, gap=Fraction(1, 10), upper=np.nextafter(1.1, 0)).closed


def test_bounds_that_cross_are_never_reported() -> None:
    with pytest.raises(ArithmeticError, match="contradict"):
        replace(CERTIFICATE, lower=1.5)
    with pytest.raises(ArithmeticError):
        replace(CERTIFICATE, upper=float("nan"))


def test_json_gives_every_float_back() -> None:
    back = json.loads(json.dumps(CERTIFICATE.as_json(), allow_nan=False))
    assert back["matrix"] == CERTIFICATE.matrix.tolist()
    assert (back["lower"], back["upper"], back["closed"], back["gap"]) == (1.0, 1.25, True, "1/4")
    assert {"norm", "boxes", "seconds", "sampled", "samples", "open_boxes", "ended"} <= set(back)


def test_the_text_names_both_bounds_and_how_it_ended() -> None:
    text = "\n".join(CERTIFICATE.lines())
    assert "between 1 (attained) and 1.25 (proved), 25 % apart" in text
    assert "closed: gap asked 0.25" in text
    assert "not closed (time)" in "\n".join(replace(CERTIFICATE, ended="time", upper=9.0).lines())
