"""The command: JSON out, one line and code 2 for bad input, valid bounds after an interrupt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.certify.chain import Budget, ReluChain
from empirical.certify.inverse import InverseTarget
from empirical.certify.piece import Problem
from empirical.certify.witness import Witness
from empirical.cli import main
from theory.command import run_command


def _save(chain: ReluChain, path: Path) -> Path:
    entries = {}
    for layer, (weight, bias) in enumerate(zip(chain.weights, chain.biases, strict=True)):
        entries[f"{2 * layer}.weight"] = torch.from_numpy(weight)
        entries[f"{2 * layer}.bias"] = torch.from_numpy(bias)
    torch.save(entries, path)
    return path


@pytest.fixture
def files(trained, quarter, tmp_path: Path) -> tuple[str, str, str]:
    """Model, centre and half-width of a network that closes at once."""
    region = quarter("first")
    np.save(tmp_path / "a0.npy", region.centre)
    model = _save(trained("first", (8,)), tmp_path / "model.pt")
    return str(model), str(tmp_path / "a0.npy"), str(region.half_width)


def _arguments(files: tuple[str, str, str], *more: str) -> list[str]:
    model, centre, half_width = files
    return ["certify", model, "--around", centre, "--half-width", half_width, "--function", "inverse", *more]


def test_json_holds_what_it_says(files, trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(main, _arguments(files, "--json", "--workers", "1")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["closed"] is True
    assert found["lower"] <= found["upper"] <= 1.02 * found["lower"]
    assert found["sampled"] <= found["upper"]
    assert (found["norm"], found["function"], found["samples"]) == ("max", "inverse", 10_000)
    # The matrix reads back exactly, lies in the box, and attains the lower bound.
    matrix, centre = np.array(found["matrix"]), np.load(files[1])
    width = Fraction(files[2])
    assert all(abs(Fraction(x) - Fraction(c)) <= width for x, c in zip(matrix.flat, centre.flat, strict=True))
    chain = trained("first", (8,))
    problem = Problem(chain, InverseTarget(2), "max", Budget.of(chain, centre.ravel() - 1, centre.ravel() + 1))
    assert Witness(problem).bounds(matrix.ravel())[0] == found["lower"]


def test_text_and_a_gap_not_met_are_fine_too(files, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = _arguments(files, "--gap", "1e-12", "--seconds", "0.5", "--workers", "1", "--norm", "inf")
    assert run_command(main, arguments) == 0
    text = capsys.readouterr().out
    assert "worst error (inf norm): between" in text
    assert "not closed (time)" in text


def test_seconds_beyond_float64_are_only_a_long_time(files, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(main, _arguments(files, "--seconds", "1e400", "--workers", "1", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["closed"] is True


def test_the_exponential(files, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*_arguments(files, "--json", "--workers", "1"), "--function", "expm"]
    assert run_command(main, arguments) == 0
    assert json.loads(capsys.readouterr().out)["closed"] is True


def _refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    try:
        code = run_command(main, arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert len(captured.err.strip().splitlines()) == 1
    return captured.err


def test_bad_input_is_one_line_and_code_two(files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, centre, half_width = files
    np.save(tmp_path / "three.npy", np.eye(3))
    np.save(tmp_path / "wide.npy", np.ones((2, 3)))
    np.save(tmp_path / "singular.npy", np.array([[1.0, 2.0], [2.0, 4.0]]))
    np.save(tmp_path / "huge.npy", 400 * np.eye(2))
    refusals = [
        (("absent.pt", centre, half_width), (), "No such file"),
        ((model, "absent.npy", half_width), (), "No such file"),
        ((model, str(tmp_path / "three.npy"), half_width), (), "takes 4 numbers, but 3 x 3"),
        ((model, str(tmp_path / "wide.npy"), half_width), (), "square"),
        ((model, centre, "0"), (), "positive"),
        ((model, centre, "-1/2"), (), "half-width"),
        ((model, centre, "wide"), (), "rational"),
        ((model, centre, "5"), (), "singular"),
        ((model, str(tmp_path / "singular.npy"), "1e-6"), (), "singular"),
        ((model, str(tmp_path / "huge.npy"), "1"), ("--function", "expm"), "300"),
        (files, ("--gap", "0"), "--gap must be positive"),
        (files, ("--seconds", "soon"), "--seconds"),
        (files, ("--seconds", "-1e400"), "--seconds"),
        (files, ("--norm", "two"), "invalid choice"),
        (files, ("--workers", "0"), "--workers"),
        (files, ("--seed", "-1"), "--seed"),
        (files, ("--cluster", "tcp://127.0.0.1:1", "--slurm"), "not allowed"),
    ]
    for names, more, word in refusals:
        assert word in _refused(_arguments(names, *more), capsys), (names, more)


def test_a_box_whose_regularity_cannot_be_settled_says_so(
    files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Up to 1/2 around the identity all matrices are regular, at 1/2 not: closer to it than floats can tell."""
    np.save(tmp_path / "edge.npy", np.eye(2))
    edge = (files[0], str(tmp_path / "edge.npy"), "0.49999999999999999999999999")
    message = _refused(_arguments(edge, "--seconds", "1", "--workers", "1"), capsys)
    assert "could not be excluded" in message


def test_an_interrupt_prints_the_bounds_so_far(quarter, tmp_path: Path) -> None:
    """SIGINT in the middle of a search that cannot end: code 0, valid bounds, and nothing left running."""
    region = quarter("three")
    generator = np.random.default_rng(0)
    chain = ReluChain(
        (generator.normal(size=(40, 9)), generator.normal(size=(40, 40)), generator.normal(size=(9, 40))),
        (generator.normal(size=40), generator.normal(size=40), generator.normal(size=9)),
    )
    model = _save(chain, tmp_path / "random.pt")
    np.save(tmp_path / "a0.npy", region.centre)
    files = (str(model), str(tmp_path / "a0.npy"), str(region.half_width))
    arguments = _arguments(files, "--gap", "1e-9", "--seconds", "600", "--json", "--workers", "2")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-m", "empirical", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
        # A shell starts background jobs with interrupts ignored, which would be inherited: a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        # Once the handler is installed an interrupt ends the search; workers appear when the search is under way.
        deadline = time.monotonic() + 120
        while not _children(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        workers = _children(process.pid)
        # As a terminal does: to the whole process group, workers included.
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found = json.loads(output)
    assert found["ended"] == "interrupted"
    assert found["closed"] is False
    assert 0 < found["lower"] <= found["upper"] < float("inf")
    assert workers
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def _children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listing.read_text().split()] if listing.exists() else []
