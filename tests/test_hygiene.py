"""What no file of the project may contain: promises of later work, swallowed errors, pickles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("theory", "constructions", "empirical", "figures", "benchmarks", "tests")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
CODE = [path for path in FILES if path.relative_to(ROOT).parts[0] != "tests"]
_LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|raise Not" r"ImplementedError")


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> object:
    for given in call.keywords:
        if given.arg == name and isinstance(given.value, ast.Constant):
            return given.value.value
    return None


@pytest.mark.parametrize("path", FILES, ids=where)
def test_nothing_is_left_for_later(path: Path) -> None:
    found = [line for line in path.read_text(encoding="utf-8").splitlines() if _LATER.search(line)]
    assert not found


@pytest.mark.parametrize("path", CODE, ids=where)
def test_nothing_is_unpickled(path: Path) -> None:
    for function, call in calls(path):
        if function in ("np.load", "numpy.load"):
            assert keyword(call, "allow_pickle") is False, ast.unparse(call)
        assert not re.fullmatch(
            r"(pickle|dill|joblib|cloudpickle|shelve|marshal)\.(load|loads|Unpickler|open)", function
        )
        if function == "torch.load":
            assert keyword(call, "weights_only") is True, ast.unparse(call)


@pytest.mark.parametrize("path", CODE, ids=where)
def test_no_text_is_evaluated(path: Path) -> None:
    """SymPy's parsers evaluate Python; so does eval. A user's formula is walked as a syntax tree instead."""
    forbidden = {"eval", "exec", "sp.parse_expr", "parse_expr", "sp.lambdify", "lambdify"}
    assert not {function for function, _ in calls(path)} & forbidden


@pytest.mark.parametrize("path", CODE, ids=where)
def test_no_error_is_swallowed_whole(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except at line {node.lineno}"
            broad = ast.unparse(node.type) in ("Exception", "BaseException")
            silent = all(isinstance(s, (ast.Pass, ast.Continue)) for s in node.body)
            assert not (broad and silent), f"line {node.lineno}"


@pytest.mark.parametrize("path", CODE, ids=where)
def test_files_stay_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
