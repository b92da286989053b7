from __future__ import annotations

import io

import numpy as np
import pytest

from empirical.cli import main
from empirical.encodings import NAMES
from tests.naive.naive_encodings import encode_matrix
from theory.command import run_command


def write(path, array):
    np.save(path, array)
    return str(path)


def call(*arguments):
    return run_command(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_one_line_each_and_comes_back(name, tmp_path, capsys):
    stack = np.round(np.random.default_rng(0).uniform(-5, 5, (4, 2, 3)), 2)
    stack[1, 0, 0] = 0
    assert call("encode", "--encoding", name, "--matrix", write(tmp_path / "a.npy", stack)) == 0
    text = capsys.readouterr().out
    assert text.splitlines() == [" ".join(encode_matrix(name, matrix.tolist())) for matrix in stack]
    (tmp_path / "a.txt").write_text(text)
    assert call("decode", "--encoding", name, tmp_path / "a.txt", "--out", tmp_path / "b.npy") == 0
    assert np.array_equal(np.load(tmp_path / "b.npy"), stack)


def test_a_single_matrix_stays_one(tmp_path, capsys, monkeypatch):
    matrix = np.array([[0.23423, -4.5], [0, 1234]])
    assert call("encode", "--encoding", "FP15", "--matrix", write(tmp_path / "a.npy", matrix)) == 0
    text = capsys.readouterr().out
    assert text == "V2 V2 N234e6 N-450e7 N0e0 N123e10\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert call("decode", "--encoding", "FP15", "--out", tmp_path / "b.npy") == 0
    assert np.load(tmp_path / "b.npy").tolist() == [[0.234, -4.5], [0, 1230]]


def test_saturated_numbers_read_as_nan(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("V1 V2 NaN N100e9\n"))
    assert call("decode", "--encoding", "FP15", "--out", tmp_path / "b.npy") == 0
    assert np.isnan(np.load(tmp_path / "b.npy")[0, 0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no tokens"),
        ("V2 V2 + 1 E0", "does not spell"),
        ("+ 1 E0", "V<rows>"),
        ("V1 V1 + 1 E0\nV1 V2 + 1 E0 + 2 E0", "another shape"),
        ("V1 V1 N1 E0", "no token 'N1'"),
        ("V1 V1 + 1 E0 + 2 E0", "does not spell"),
    ],
)
def test_bad_lines_are_one_line_on_stderr(text, says, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert call("decode", "--encoding", "P1000", "--out", tmp_path / "b.npy") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "b.npy").exists()


def test_bad_files_are_one_line_on_stderr(tmp_path, capsys):
    (tmp_path / "text.npy").write_text("no numbers")
    files = {
        tmp_path / "absent.npy": "cannot read",
        tmp_path / "text.npy": "not a .npy",
        write(tmp_path / "flat.npy", np.zeros(3)): "shape",
        write(tmp_path / "complex.npy", np.zeros((2, 2), complex)): "real",
        write(tmp_path / "object.npy", np.array([[None]])): "numpy.save",
        write(tmp_path / "nan.npy", np.array([[np.nan]])): "no token for nan",
    }
    for path, says in files.items():
        assert call("encode", "--encoding", "P10", "--matrix", path) == 2
        error = capsys.readouterr().err
        assert says in error, error
        assert error.count("\n") == 1
    assert call("encode", "--encoding", "P11", "--matrix", write(tmp_path / "a.npy", np.eye(2))) == 2
    assert "P1000" in capsys.readouterr().err
