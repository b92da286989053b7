"""The catalogue is complete: every theorem object is listed, tested by name, and hangs together with those it uses."""

from __future__ import annotations

import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import sympy as sp

import theory
from theory import catalogue
from theory.errors import BadInput
from theory.ledger import status_of
from theory.steps import Induction, Smt
from theory.theorem import Step, Theorem

TESTS = Path(__file__).resolve().parent.parent
PACKAGE = Path(theory.__file__).resolve().parent


@cache
def all_tests() -> str:
    return "\n".join(path.read_text() for path in sorted(TESTS.rglob("test_*.py")))


def defined() -> dict[str, Theorem]:
    """Every Theorem bound to a name in a module of the package, or inside a tuple or dict bound to one."""
    found: dict[str, Theorem] = {}
    for module_info in pkgutil.walk_packages(theory.__path__, "theory."):
        if module_info.name.endswith("__main__"):
            continue
        for value in vars(import_module(module_info.name)).values():
            if isinstance(value, dict):
                values = list(value.values())
            elif isinstance(value, (tuple, list)):
                values = list(value)
            else:
                values = [value]
            found.update({item.id: item for item in values if isinstance(item, Theorem)})
    return found


def flat(step: Step) -> list[Step]:
    return [*flat(step.base), *flat(step.step)] if isinstance(step, Induction) else [step]


def test_every_theorem_defined_is_listed() -> None:
    assert set(defined()) == set(catalogue.ids())


def test_ids_are_unique_and_lead_to_their_theorem() -> None:
    assert len(set(catalogue.ids())) == len(catalogue.THEOREMS)
    assert [theorem.id for theorem in catalogue.load_all()] == list(catalogue.ids())


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_every_theorem_is_named_in_a_test(theorem_id: str) -> None:
    # By id, or as the name of a test: square.count in test_square_count...
    assert theorem_id in all_tests() or f"def test_{theorem_id.replace('.', '_').replace('-', '_')}" in all_tests()


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_a_theorem_uses_what_stands_before_it(theorem_id: str) -> None:
    order = catalogue.ids()
    for used in catalogue.load(theorem_id).uses:
        assert used in order[: order.index(theorem_id)]


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_step_names_are_single_words(theorem_id: str) -> None:
    for step in catalogue.load(theorem_id).steps:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", step.name)
        assert step.claim


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_no_smt_step_holds_for_want_of_a_case(theorem_id: str) -> None:
    # Contradictory hypotheses prove anything: each step's hypotheses alone must not prove falsehood.
    pytest.importorskip("z3")
    for step in catalogue.load(theorem_id).steps:
        for part in flat(step):
            if isinstance(part, Smt):
                outcome = Smt(part.name, "vacuous?", part.hypotheses, sp.false).run()
                assert outcome.verdict.name == "REFUTED", f"{theorem_id} {part.name}: {part.hypotheses}"


def test_sources_exist() -> None:
    for source in catalogue.sources().values():
        assert (PACKAGE / source).is_file()


@pytest.mark.parametrize(
    ("name", "theorem_id"),
    [("3.6", "inversion.lemma-3.6"), ("Theorem 3.9", "inversion.theorem-3.9"), ("A.6", "inversion.theorem-a.6")],
)
def test_results_of_the_paper_go_by_their_number(name: str, theorem_id: str) -> None:
    assert catalogue.load(name).id == theorem_id


def test_an_unknown_id_names_close_matches() -> None:
    with pytest.raises(BadInput, match=r"no theorem 'square\.interpolent'; did you mean square\.interpolant"):
        catalogue.load("square.interpolent")
    with pytest.raises(BadInput, match="python -m theory list"):
        catalogue.load("zzz")


def documented() -> dict[str, tuple[str, str]]:
    """Theorem id -> kind and status, from the tables in docs/proofs."""
    row = re.compile(r"^\| `([a-z0-9.-]+)` \| ([A-Z]+) \|.*\| ([A-Z]+) \|$", re.MULTILINE)
    pages = sorted((PACKAGE.parent / "docs" / "proofs").glob("*.md"))
    return {match[1]: (match[2], match[3]) for page in pages for match in row.finditer(page.read_text())}


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_every_theorem_has_its_row_in_the_proofs(theorem_id: str) -> None:
    theorem = catalogue.load(theorem_id)
    kind, status = theorem.bound.kind.value, status_of(theorem_id)
    row = f"| `{theorem_id}` | {kind} | {theorem.title} | {status} |"
    assert documented().get(theorem_id) == (kind, status), f"a page of docs/proofs needs the row: {row}"


def test_the_proofs_name_no_theorem_that_is_not_there() -> None:
    assert set(documented()) <= set(catalogue.ids())
