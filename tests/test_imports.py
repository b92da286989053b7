"""Imports run theory <- constructions <- empirical <- figures, from this checkout, and nothing heavy loads unasked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: From the ground up: each may import itself and those before it.
ORDER = ("theory", "constructions", "empirical", "figures")
MODULES = sorted(path for package in ORDER for path in (ROOT / package).rglob("*.py"))
INITS = [path for path in MODULES if path.name == "__init__.py"]
_DOTTED = re.compile(rf"({'|'.join(ORDER)})(\.\w+)+(:\w+)?")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, *, functions: bool = True, types: bool = True) -> Iterator[str]:
    """Modules named in import statements; on request without those inside functions, or those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        in_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            yield node.module or ""
        elif (functions or not in_function) and (types or not for_types):
            yield from imported(node, functions=functions, types=types)


def named_in_text(tree: ast.AST) -> Iterator[str]:
    """Modules named in strings such as "theory.limits:lower_bound": a catalogue loads them later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            yield node.value.split(":")[0]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    tree, place = parse(path), ORDER.index(name_of(path).split(".")[0])
    above = set(ORDER[place + 1 :])
    assert not {name for name in (*imported(tree), *named_in_text(tree)) if name.split(".")[0] in above}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("theory", {"numpy", "scipy", "torch", "matplotlib", "safetensors"}),
        ("constructions", {"matplotlib"}),
        ("empirical", {"matplotlib"}),
    ],
)
def test_a_floor_does_without_the_tools_of_those_above(package: str, never: set[str]) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(parse(path))} & never, path


def test_constructions_need_torch_in_one_place() -> None:
    floor = [path for path in MODULES if name_of(path).startswith("constructions")]
    users = {name_of(path) for path in floor if "torch" in set(imported(parse(path), types=False))}
    assert users == {"constructions.torch_module"}


@pytest.mark.parametrize("package", ORDER)
def test_packages_come_from_this_checkout(package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin) == ROOT / package / "__init__.py"


@pytest.mark.parametrize("path", INITS, ids=name_of)
def test_tables_of_contents_import_nothing(path: Path) -> None:
    assert set(imported(parse(path), functions=False)) <= {
        "__future__",
        "collections.abc",
        "theory.lazy",
        "types",
        "typing",
    }


@pytest.mark.parametrize("path", INITS, ids=name_of)
def test_every_name_in_a_table_of_contents_is_there(path: Path) -> None:
    package = import_module(name_of(path))
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018 - reading it is the test


def loaded_by(statement: str) -> set[str]:
    """The modules a fresh interpreter has after a statement."""
    script = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_packages_loads_nothing_heavy() -> None:
    heavy = {"torch", "sympy", "matplotlib", "numpy", "scipy", "flint", "safetensors", "rich", "z3"}
    assert not loaded_by(f"import {', '.join(ORDER)}") & heavy


@pytest.mark.parametrize(
    ("statement", "without"),
    [
        ("import theory.cli, theory.bounds, constructions.cli, empirical.cli, figures.cli", {"torch", "matplotlib"}),
        ("from theory import BadInput", {"sympy", "torch", "matplotlib"}),
        ("from constructions import build, load", {"torch", "matplotlib"}),
    ],
)
def test_commands_answer_before_torch_is_there(statement: str, without: set[str]) -> None:
    assert not loaded_by(statement) & without


def test_every_module_can_be_imported_by_itself() -> None:
    """In one fresh interpreter, last first: an import that works only after another's would show."""
    names = [name_of(path) for path in reversed(MODULES) if path.name != "__main__.py"]
    loaded_by("from importlib import import_module\n" + "\n".join(f"import_module({name!r})" for name in names))
