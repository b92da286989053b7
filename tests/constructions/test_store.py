"""The native file: its layout as a stranger reads it, and written whole or not at all."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from constructions import MatrixNetwork, load
from constructions.builder import file_bytes
from tests.naive.naive_reader import evaluate, read
from theory.counts import count_plan
from theory.errors import BadInput
from theory.files import whole_file
from theory.objectives import Demand

Build = Callable[..., MatrixNetwork]
Tensors = dict[str, np.ndarray]
Records = dict[str, str]


def test_a_stranger_reads_the_file_and_gets_the_network(net: MatrixNetwork, file: Path) -> None:
    maps, _ = read(file)
    assert len(maps) == net.plan.hidden_layers + 1
    for part in maps:
        assert part["weight.data"].dtype == part["bias"].dtype == np.float64
        assert part["weight.indices"].dtype == part["weight.indptr"].dtype == np.int64
        assert len(part["weight.indptr"]) == len(part["bias"]) + 1
    A = np.array([[0.3, -0.9], [0.7, 0.1]])
    value, exact = evaluate(maps, A), [[float(entry) for entry in row] for row in net.exact(A.tolist())]
    # Rounding in use: at most 10 layers, each amplifying by less than 100, of values below 10^3: far below 1e-9.
    assert np.abs(value - exact).max() < 1e-9
    # Row by row, not column by column: the transpose would be seen.
    assert np.abs(value - np.array(exact).T).max() > 1e-2


def test_metadata(net: MatrixNetwork, file: Path) -> None:
    _, records = read(file)
    assert records["format"] == "funmnet/1"
    assert records["writer"].startswith("funmnet")
    assert records["problem"] == {
        "function": "expm",
        "n": 2,
        "eps": "1/100",
        "norm": "fro",
        "domain": {"kind": "box", "M": "1"},
    }
    assert records["theorem"] == "expm.scaling-squaring"
    assert Fraction(records["bounds"]["error"]) + Fraction(records["bounds"]["freezing"]) == net.bound
    assert records["bounds"]["kind"] == "UPPER"
    assert records["recipe"] == json.loads(json.dumps(net.plan.recipe()))
    neurons = 0
    for block in records["blocks"]:
        assert block["kind"] in ("squarer", "product", "carry", "affine")
        low, high = map(Fraction, block["range"])
        assert low <= high
        neurons += block["neurons"][1] - block["neurons"][0]
    assert neurons == sum(list(net.measured.architecture.widths())[1:-1])


def test_what_is_loaded_is_what_was_saved(net: MatrixNetwork, file: Path) -> None:
    again = load(file)
    pairs = zip(net.network.maps, again.network.maps, strict=True)
    assert all(one.augmented.equals(two.augmented) for one, two in pairs)
    assert again.network.blocks == net.network.blocks
    assert (again.problem, again.bound, again.plan.stages) == (net.problem, net.bound, net.plan.stages)
    assert again.matches_plan
    assert again.measured == net.measured


@pytest.mark.parametrize(
    "case",
    [
        {"function": "expm", "n": 1, "M": "1/3", "eps": "10"},  # no hidden layer at all
        {"function": "expm", "n": 1, "M": "1/3", "eps": "1e-3"},
        {"function": "expm", "n": 2, "eps": "1e-2", "route": "horner"},
        {"function": "expm", "n": 3, "radius": "1/2", "eps": "1e-3"},
        {"function": "expm", "n": 2, "eps": "1e-3", "demand": Demand(minimise="nonzeros")},  # outputs carried
        {"function": "sin", "n": 2, "M": "1", "eps": "1e-3", "demand": Demand(minimise="nonzeros")},
        {"function": "inverse", "n": 2, "delta": "1/2", "radius": "3/2", "eps": "1e-2"},
    ],
    ids=str,
)
def test_every_kind_of_network_goes_out_and_back(build_once: Build, tmp_path: Path, case: dict[str, str]) -> None:
    one = build_once(**case)
    one.save(tmp_path / "net")
    two = load(tmp_path / "net")
    assert two.matches_plan
    assert two.plan == one.plan
    promised, real = file_bytes(one.plan, count_plan(one.plan)), (tmp_path / "net").stat().st_size
    # The header's text is estimated: within 100 bytes fixed and 30 a map or block, and within 1 % where it matters.
    header = 100 + 30 * (len(one.network.maps) + len(one.network.blocks))
    assert abs(promised - real) < max(real / 100, header)


def test_a_dry_run_knows_the_file_within_a_percent(build_once: Build, tmp_path: Path) -> None:
    for n in (2, 3, 4):
        one = build_once("expm", n=n, eps="1e-2")
        one.save(tmp_path / "net")
        assert abs(file_bytes(one.plan, count_plan(one.plan)) / (tmp_path / "net").stat().st_size - 1) < 0.01


# ---- written whole or not at all ------------------------------------------------------------------------------


def test_a_failure_leaves_what_was_there(net: MatrixNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "net"
    target.write_text("before")

    def killed(*_: object, **__: object) -> None:
        Path(_[1]).write_bytes(b"half")  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.numpy.save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        net.save(target)
    assert os.listdir(tmp_path) == ["net"]
    assert target.read_text() == "before"


def test_a_full_disk_is_one_line_and_leaves_nothing(net: MatrixNetwork, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        with pytest.raises(BadInput, match="cannot write"):
            net.save(tmp_path / "net")
        with pytest.raises(BadInput, match="File too large"), whole_file(tmp_path / "value.npy") as temporary:
            temporary.write_bytes(b"0" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == []


def test_places_where_nothing_can_be_written(net: MatrixNetwork, tmp_path: Path) -> None:
    device = tmp_path / "pipe"
    os.mkfifo(device)
    for target, named in (
        (tmp_path, "it is a folder"),
        (tmp_path / "none" / "net", "does not exist"),
        (device, "it is a device"),
        (Path("/dev/null"), "it is a device"),
    ):
        with pytest.raises(BadInput, match=named):
            net.save(target)
    assert os.listdir(tmp_path) == ["pipe"]
    assert Path("/dev/null").is_char_device()
