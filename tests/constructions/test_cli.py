"""``python -m constructions``: what it prints, and that a refusal is one line, code 2, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from constructions import MatrixNetwork
from constructions.cli import main
from theory.command import run_command

Build = Callable[..., MatrixNetwork]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def file(build_once: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "expm.safetensors"
    build_once("expm", n=2, eps="1e-2").save(path)
    return path


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    np.save(tmp_path / "A.npy", np.array([[0.5, -0.25], [1.0, 0.0]]))
    return tmp_path / "A.npy"


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    try:
        code = run_command(main, [str(a) for a in argv])
    except SystemExit as left:  # argparse leaves on its own
        code = int(left.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def document(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON number")

    return json.loads(text, parse_constant=refuse)


def refused(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err


# ---- build --------------------------------------------------------------------------------------------------------


def test_build_prints_measured_beside_promised_and_writes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "expm.safetensors"
    code, out, err = run(capsys, "build", "expm", "--n", 2, "--eps", "1e-2", "--out", target)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["promised", "measured"] in lines
    for label in ("hidden layers", "width", "nonzeros"):
        (row,) = [line for line in out.splitlines() if line.startswith(label + " ")]
        *_, promised, measured = row.split()
        assert promised == measured
    assert "proved error" in out
    assert f"{target.stat().st_size:,} bytes" in out
    assert os.listdir(tmp_path) == ["expm.safetensors"]


def test_build_json_is_one_document(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "net"
    code, out, err = run(capsys, "build", "expm", "--n", "2", "--eps", "1/100", "--out", target, "--json")
    assert (code, err) == (0, "")
    built = document(out)
    assert built["promised"]["hidden_layers"] == built["measured"]["hidden_layers"]
    assert built["promised"]["width"] == built["measured"]["width"]
    assert built["promised"]["nonzeros"] == built["measured"]["nonzeros"]
    assert built["file_bytes"] == target.stat().st_size
    assert built["proved"]["float"] <= 0.01
    code, out, _ = run(capsys, "info", target, "--json")
    told = document(out)
    assert code == 0
    assert told["matches_plan"] is True
    assert {key: told[key] for key in ("promised", "measured", "proved")} == {
        key: built[key] for key in ("promised", "measured", "proved")
    }


def test_a_dry_run_counts_what_a_build_would_make(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ask = ("build", "expm", "--n", 3, "--eps", "1e-2", "--norm", "inf", "--json")
    _, out, _ = run(capsys, *ask, "--dry-run")
    planned = document(out)
    _, out, _ = run(capsys, *ask, "--out", tmp_path / "net")
    built = document(out)
    assert planned["promised"] == built["promised"]
    assert planned["proved"] == built["proved"]
    assert abs(planned["file_bytes"] / built["file_bytes"] - 1) < 0.01
    shares = sum(part["share"] for part in planned["budget"])
    # The budget is first order: it makes up the proved error within a few percent.
    assert 0.9 * planned["error"]["float"] < shares < 1.1 * planned["error"]["float"]
    assert planned["working_bytes"] > planned["file_bytes"]
    assert planned["expected_seconds"] > 0


def test_dry_runs_write_nothing_and_go_where_no_machine_follows(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(
        capsys, "build", "expm", "--n", 700, "--M", "1/100", "--eps", "1e-3", "--dry-run", "--json", "--out", "net"
    )
    assert code == 0
    assert document(out)["promised"]["nonzeros"] > 10**13
    assert os.listdir(tmp_path) == []


BAD_REQUESTS = [
    (("--eps", "0"), "eps must be positive"),
    (("--eps", "-1e-3"), "eps must be positive|expected one argument"),
    (("--eps=-1e-3",), "eps must be positive"),
    (("--eps", "nan"), "eps must be a"),
    (("--eps", "inf"), "eps must be a"),
    (("--eps", "small"), "eps must be a"),
    (("--eps", ""), "eps must be a"),
    (("--eps", "1/0"), "zero denominator"),
    (("--eps", "1e-16"), "float64 floor"),
    (("--eps", "1e-700"), "float64"),
    (("--n", "0"), "n must be at least 1"),
    (("--n=-3",), "n must be at least 1"),
    (("--n", "2.5"), "n must be a positive integer"),
    (("--n", "two"), "n must be a positive integer"),
    (("--n", ""), "n must be a positive integer"),
    (("--n", "1e3"), "n must be a positive integer"),
    (("--n", "1000000"), "2.000e\\+18 non-zeros.*GiB"),
    (("--n", "9" * 50), "n must be at most"),
    (("--M", "0"), "M must be positive"),
    (("--M", ""), "M is empty"),
    (("--M", "nan"), "M must be a"),
    (("--M", "800"), "float64's range"),
    (("--M", "1e3000"), "float64's range"),
    (("--radius", "0"), "radius must be positive"),
    (("--M", "1", "--radius", "1"), "not both"),
    (("--rho", "1/2"), "expm takes no --rho"),
    (("--norm", "1"), "invalid choice"),
    (("--route", "magic"), "no route 'magic'"),
    (("--max-width", "3"), "width at most 3"),
    (("--max-width", "0"), "at least 1"),
    (("--max-hidden-layers", "1"), "hidden layers at most 1"),
    (("--colour", "red"), "unrecognized arguments"),
]


@pytest.mark.parametrize(("options", "named"), BAD_REQUESTS)
def test_a_bad_request_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...], named: str
) -> None:
    ask = ["build", "expm", "--n", "2", "--eps", "1e-2", *options, "--out", str(tmp_path / "net")]
    assert re.search(named, refused(capsys, *ask))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        ((), "required"),
        (("paint",), "invalid choice"),
        (("build",), "required"),
        (("build", "expm", "--n", "2", "--eps", "1e-2"), "--out FILE"),
        (("build", "expm", "--n", "2", "--eps", "1e-2", "--out", "none/net"), "does not exist"),
        (("build", "expm", "--n", "2", "--eps", "1e-2", "--out", "."), "it is a folder"),
        (("build", "expm", "--n", "2", "--eps", "1e-2", "--out", "/dev/null"), "it is a device"),
        (("build", "expm", "--n", "1000000", "--eps", "1e-2", "--dry-run"), "float64's range"),
        (("build", "no such thing", "--n", "2", "--eps", "1e-2", "--radius", "1", "--out", "net"), ""),
        (("info", "none"), "no such file"),
        (("info", "."), "no such file"),
        (("eval", "none", "--matrix", "none.npy"), "no such file"),
    ],
)
def test_a_bad_command_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ask: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named in refused(capsys, *ask)
    assert os.listdir(tmp_path) == []


def test_refusals_come_before_torch_is_imported(file: Path, tmp_path: Path) -> None:
    """All of them in one process; loading and evaluating a network needs no torch either."""
    np.save(tmp_path / "A.npy", np.zeros((2, 2)))
    out = ["--out", str(tmp_path / "net")]
    asks = [["build", "expm", "--n", "2", "--eps", "1e-2", *options, *out] for options, _ in BAD_REQUESTS]
    asks += [["info", "none"], ["info", str(file)], ["eval", str(file), "--matrix", str(tmp_path / "A.npy")]]
    script = (
        "import json, sys\n"
        "from constructions.cli import main\n"
        "from theory.command import run_command\n"
        "for ask in json.loads(sys.argv[1]):\n"
        "    try:\n        run_command(main, ask)\n"
        "    except SystemExit:\n        pass\n"
        "    assert not {'torch', 'matplotlib'} & set(sys.modules), ask\n"
    )
    done = subprocess.run([sys.executable, "-c", script, json.dumps(asks)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "constructions", "build", "expm", "--n", "two", "--eps", "1e-3", "--out", "x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: n must be a positive integer, not 'two'\n"


# ---- info and eval ------------------------------------------------------------------------------------------------


def test_eval_gives_value_bound_and_membership(
    capsys: pytest.CaptureFixture[str], build_once: Build, file: Path, matrix: Path, tmp_path: Path
) -> None:
    net = build_once("expm", n=2, eps="1e-2")
    code, out, err = run(capsys, "eval", file, "--matrix", matrix, "--out", tmp_path / "Y.npy", "--json")
    assert (code, err) == (0, "")
    told, A = document(out), np.load(matrix, allow_pickle=False)
    expected = [[float(entry) for entry in row] for row in net.exact(A)]
    assert told["value"] == expected
    assert np.load(tmp_path / "Y.npy", allow_pickle=False).tolist() == expected
    assert told["in_domain"] is True
    assert told["lost"] is None
    assert told["proved_bound"]["float"] == float(net.bound)
    code, out, _ = run(capsys, "eval", file, "--matrix", matrix)
    assert "proved" in out
    assert "A is in the domain" in out


def test_eval_outside_the_domain_names_the_lost_conclusion(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "A.npy", np.array([[0.5, 0.0], [-1.5, 0.0]]))
    code, out, _ = run(capsys, "eval", file, "--matrix", tmp_path / "A.npy")
    assert code == 0
    assert "LOST" in out
    assert "is not claimed here: |a[1, 0]| = 1.5 > M = 1" in out
    assert "proved" not in out
    _, out, _ = run(capsys, "eval", file, "--matrix", tmp_path / "A.npy", "--json")
    told = document(out)
    assert told["in_domain"] is False
    assert told["proved_bound"] is None
    assert "||network - expm(A)||_fro <=" in told["lost"]


def test_membership_is_exact_at_the_edge(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path) -> None:
    for entry, inside in ((1.0, True), (np.nextafter(1, 2), False), (-1.0, True), (np.nextafter(-1, -2), False)):
        np.save(tmp_path / "A.npy", np.full((2, 2), entry))
        _, out, _ = run(capsys, "eval", file, "--matrix", tmp_path / "A.npy", "--json")
        assert document(out)["in_domain"] is inside


def test_tampered_weights_lose_the_claim(
    capsys: pytest.CaptureFixture[str], file: Path, matrix: Path, tmp_path: Path
) -> None:
    with safe_open(str(file), framework="numpy") as archive:
        tensors, records = {k: archive.get_tensor(k) for k in archive.keys()}, dict(archive.metadata())  # noqa: SIM118
    tensors["1.weight.data"] = tensors["1.weight.data"].copy()
    tensors["1.weight.data"][0] += 1
    save_file(tensors, str(tmp_path / "net"), metadata=records)
    code, out, _ = run(capsys, "info", tmp_path / "net")
    assert code == 0
    assert "NOT CHECKED" in out
    assert "\nchecked" not in out
    assert document(run(capsys, "info", tmp_path / "net", "--json")[1])["matches_plan"] is False
    _, out, _ = run(capsys, "eval", tmp_path / "net", "--matrix", matrix)
    assert "LOST" in out
    assert "proved  " not in out
    told = document(run(capsys, "eval", tmp_path / "net", "--matrix", matrix, "--json")[1])
    assert told["proved_bound"] is None
    assert "differ from what the theorem builds" in told["lost"]


def test_info_says_what_the_neurons_are(capsys: pytest.CaptureFixture[str], build_once: Build, file: Path) -> None:
    code, out, _ = run(capsys, "info", file)
    assert code == 0
    assert "checked         the matrices are, weight by weight" in out
    told = document(run(capsys, "info", file, "--json")[1])
    widths = list(build_once("expm", n=2, eps="1e-2").measured.architecture.widths())
    assert sum(told["blocks"].values()) == sum(widths[1:-1])
    assert set(told["blocks"]) == {"squarer", "product", "carry"}


def header_of_hostile_size(path: Path) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"
    text += b" " * (118 - len(text) - 1) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


BAD_MATRICES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "objects": (lambda p: np.save(p, np.array([[1, None], [0, 0]], dtype=object), allow_pickle=True), ".npy file"),
    "a pickle": (lambda p: p.write_bytes(pickle.dumps([[1.0, 0.0], [0.0, 1.0]])), ".npy file"),
    "text": (lambda p: p.write_text("1 2\n3 4\n"), ".npy file"),
    "nothing": (lambda p: p.write_bytes(b""), ".npy file"),
    "a broken archive": (lambda p: p.write_bytes(b"PK\x03\x04" + b"\x00" * 50), ".npy file"),
    "half a header": (lambda p: p.write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr'"), ".npy file"),
    "a wrong header": (lambda p: p.write_bytes(b"\x93NUMPY\x01\x00\x0a\x00[[[[[[(((\n"), ".npy file"),
    "half the data": (lambda p: (np.save(p, np.zeros((2, 2))), p.write_bytes(p.read_bytes()[:-9])), ".npy file"),
    "a hostile shape": (header_of_hostile_size, ""),
    "an archive": (lambda p: np.savez(p.open("wb"), A=np.zeros((2, 2))), "archive"),
    "a vector": (lambda p: np.save(p, np.zeros(4)), "holds shape (4,)"),
    "three by three": (lambda p: np.save(p, np.zeros((3, 3))), "takes 2 x 2"),
    "a batch": (lambda p: np.save(p, np.zeros((1, 2, 2))), "takes 2 x 2"),
    "no rows": (lambda p: np.save(p, np.zeros((0, 2))), ""),
    "complex": (lambda p: np.save(p, np.zeros((2, 2), dtype=complex)), "not real numbers"),
    "words": (lambda p: np.save(p, np.array([["a", "b"], ["c", "d"]])), "not real numbers"),
    "booleans": (lambda p: np.save(p, np.zeros((2, 2), dtype=bool)), "not real numbers"),
    "dates": (lambda p: np.save(p, np.zeros((2, 2), dtype="datetime64[s]")), "not real numbers"),
    "NaN": (lambda p: np.save(p, np.array([[0.0, np.nan], [0, 0]])), "not finite"),
    "infinity": (lambda p: np.save(p, np.array([[0.0, -np.inf], [0, 0]])), "not finite"),
    "too long an integer": (lambda p: np.save(p, np.array([[2**53 + 1, 0], [0, 0]])), "float64 does not hold"),
    "values beyond float64": (lambda p: np.save(p, np.full((2, 2), 1e308)), "outside float64's range"),
}


@pytest.mark.parametrize("how", BAD_MATRICES)
def test_a_bad_matrix_is_one_line(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, how: str) -> None:
    make, named = BAD_MATRICES[how]
    make(tmp_path / "A.npy")
    assert named in refused(capsys, "eval", file, "--matrix", tmp_path / "A.npy", "--out", tmp_path / "Y.npy")
    assert os.listdir(tmp_path) == ["A.npy"]


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<f2", "<i8", "|i1", "<u2"])
def test_real_matrices_of_any_storage_are_taken_exactly(
    capsys: pytest.CaptureFixture[str], build_once: Build, file: Path, tmp_path: Path, dtype: str
) -> None:
    A = (
        np.array([[1, 0], [0, 1]], dtype=dtype)
        if "i" in dtype or "u" in dtype
        else np.array([[0.1, 1], [-0.3, 0]], dtype)
    )
    np.save(tmp_path / "A.npy", np.asfortranarray(A))
    told = document(run(capsys, "eval", file, "--matrix", tmp_path / "A.npy", "--json")[1])
    net = build_once("expm", n=2, eps="1e-2")
    assert told["value"] == [[float(entry) for entry in row] for row in net.exact(A.tolist())]


def test_a_value_that_cannot_be_written_is_one_line(
    capsys: pytest.CaptureFixture[str], file: Path, matrix: Path, tmp_path: Path
) -> None:
    assert "does not exist" in refused(capsys, "eval", file, "--matrix", matrix, "--out", tmp_path / "none" / "Y.npy")
    assert "it is a folder" in refused(capsys, "eval", file, "--matrix", matrix, "--out", tmp_path)
