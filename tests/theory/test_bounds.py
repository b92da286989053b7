"""The table of bounds from the command line: rows, JSON, refusals in one line, demands beyond float64."""

from __future__ import annotations

import json
import re

import pytest

from theory.bounds import main
from theory.command import run_command


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_route_keeps_its_bound_and_stands_above_the_lower_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "--n", "2", "--eps", "1e-3")
    least = float(found["lower_bound"]["bits"])
    assert {row["route"] for row in found["routes"]} >= {"monomial", "horner", "taylor-18", "scaling-and-squaring"}
    for row in found["routes"]:
        assert row["bits"] >= least
        assert row["hidden_layers"] >= 1
        assert row["kind"] == "UPPER"
    assert found["lower_bound"]["kind"] == "LOWER"


@pytest.mark.parametrize(
    "demand",
    [
        ("--n", "2", "--M", "5", "--eps", "1e-40"),
        ("--n", "1", "--M", "1", "--eps", "1e-40"),
        ("--n", "1", "--M", "5", "--eps", "1e-300"),
        ("--n", "2", "--M", "300", "--eps", "1e-3"),
        ("--n", "1000000", "--eps", "1e-3"),
    ],
)
def test_demands_beyond_float64_are_counted(capsys: pytest.CaptureFixture[str], demand: tuple[str, ...]) -> None:
    # Schemes whose coefficients are rounded stop at a floor of their own; the others go on.
    rows = {row["route"]: row for row in document(capsys, *demand)["routes"]}
    assert {"horner", "scaling-and-squaring"} <= set(rows)
    assert all(row["freezing"] is None for row in rows.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--n", "0"), "n"),
        (("--eps", "0"), "eps"),
        (("--eps", "nan"), "eps"),
        (("--M", "1", "--radius", "1"), "not both|one of|either"),
        (("--function", "gamma"), "gamma"),
        (("--route", "nowhere"), "nowhere"),
    ],
)
def test_a_bad_request_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str) -> None:
    try:
        code = run_command(main, list(arguments))
    except SystemExit as left:  # argparse leaves by itself
        code = left.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    assert len(output.err.strip().splitlines()) == 1
    assert re.search(words, output.err)
