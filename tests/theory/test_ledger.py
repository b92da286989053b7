"""The ledger: equal to a fresh run, stale when a source changes, weakest verdict transitively, no SymPy to read it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp

from theory import catalogue, ledger
from theory.errors import BadInput
from theory.steps import Cited, Identity
from theory.symbols import x
from theory.theorem import Bound, Kind, Outcome, Theorem, Verdict

SOURCES = {"first.claim": "errors.py", "second.claim": "errors.py"}


def made(theorem_id: str, *uses: str) -> Theorem:
    step = Identity("doubling", "x + x = 2x", x + x, 2 * x)
    bound = Bound(sp.Integer(1), Kind.UPPER, "abs", "everywhere")
    cited = Cited("lemma", "a lemma", "a book")
    return Theorem(theorem_id, "a title", "a statement", ("none",), bound, (step, cited), "here", uses)


def results(*verdicts: Verdict) -> list[ledger.Result]:
    """Two theorems, the second using the first; the verdicts of their two steps each."""
    outcomes = [Outcome(verdict, "test") for verdict in verdicts]
    return [(made("first.claim"), outcomes[:2]), (made("second.claim", "first.claim"), outcomes[2:])]


PROVED, CITED, SKIPPED = Verdict.PROVED, Verdict.CITED, Verdict.SKIPPED


def test_grades_are_the_verdicts_in_order() -> None:
    assert list(ledger.GRADES) == [verdict.value for verdict in Verdict]


def test_the_ledger_equals_a_fresh_run() -> None:
    """Every step is run again: same verdicts, keys that still fit, no entry too many or too few, nothing stale."""
    record = ledger.Ledger.read()
    hint = "run: python -m theory check"
    assert set(record.theorems) == set(catalogue.ids()), hint
    for theorem in catalogue.load_all():
        assert record.is_current(theorem.id), f"{theorem.id} has changed; {hint}"
        entry = record.theorems[theorem.id]
        assert entry["uses"] == list(theorem.uses)
        assert set(entry["steps"]) == {step.name for step in theorem.steps}, hint
        for step in theorem.steps:
            recorded = entry["steps"][step.name]
            fresh = step.run().verdict
            assert fresh.value == recorded["verdict"] or fresh is SKIPPED, f"{theorem.id} {step.name}: {fresh}; {hint}"
            assert recorded["key"] == ledger.step_key(theorem, step, recorded["versions"]), f"{theorem.id}; {hint}"


def test_no_recorded_step_fails() -> None:
    record = ledger.Ledger.read()
    assert {record.status(theorem_id) for theorem_id in catalogue.ids()} <= {"PROVED", "CITED", "NUMERIC"}


def test_status_is_the_weakest_step_transitively(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    ledger.record(results(PROVED, CITED, PROVED, PROVED), SOURCES, path)
    assert ledger.status_of("first.claim", path) == "CITED"
    assert ledger.status_of("second.claim", path) == "CITED"  # its own steps are proved, what it uses is cited
    ledger.record(results(PROVED, PROVED, Verdict.NUMERIC, PROVED), SOURCES, path)
    assert ledger.status_of("first.claim", path) == "PROVED"
    assert ledger.status_of("second.claim", path) == "NUMERIC"


def test_a_circle_of_uses_ends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    first = (made("first.claim", "second.claim"), [Outcome(PROVED, "t")] * 2)
    ledger.record([first, results(PROVED, CITED, PROVED, CITED)[1]], SOURCES, path)
    assert ledger.status_of("first.claim", path) == "CITED"


def test_missing_and_unreadable_records_read_as_undecided(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    assert ledger.status_of("first.claim", path) == "UNDECIDED"
    for content in ("", "{", "[]", '{"format": "funmnet-ledger/99", "theorems": {}}'):
        path.write_text(content)
        assert ledger.status_of("first.claim", path) == "UNDECIDED"
    ledger.record(results(PROVED, PROVED, PROVED, PROVED)[1:], SOURCES, path)
    assert ledger.status_of("second.claim", path) == "UNDECIDED"  # what it uses is not recorded
    assert ledger.Ledger.read(path).verdict("second.claim", "no-such-step") == "UNDECIDED"


def test_a_changed_source_makes_an_entry_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_PACKAGE", tmp_path)
    source, path = tmp_path / "errors.py", tmp_path / "ledger.json"
    source.write_text("one\n")
    ledger.record(results(PROVED, PROVED, PROVED, PROVED), SOURCES, path)
    assert ledger.status_of("first.claim", path) == "PROVED"
    source.write_bytes(b"one\r\n")  # line endings alone are no change
    assert ledger.status_of("first.claim", path) == "PROVED"
    source.write_text("two\n")
    assert ledger.status_of("first.claim", path) == "UNDECIDED"
    assert ledger.Ledger.read(path).verdict("first.claim", "doubling") == "UNDECIDED"
    source.unlink()
    assert ledger.status_of("first.claim", path) == "UNDECIDED"


def test_a_file_is_written_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    assert ledger.record(results(PROVED, CITED, PROVED, CITED), SOURCES, path)
    written = path.read_bytes()
    path.chmod(0o444)
    stamp = path.stat().st_mtime_ns
    assert not ledger.record(results(PROVED, CITED, PROVED, CITED), SOURCES, path)
    assert path.stat().st_mtime_ns == stamp
    assert ledger.record(results(PROVED, CITED, PROVED, PROVED), SOURCES, path)
    assert path.read_bytes() != written
    assert json.loads(written)["theorems"]["first.claim"]["steps"]["lemma"]["verdict"] == "CITED"
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.json"]


def test_bytes_do_not_depend_on_the_order_of_theorems(tmp_path: Path) -> None:
    forward = results(PROVED, CITED, PROVED, CITED)
    empty = ledger.Ledger()
    assert ledger.document(forward, empty, SOURCES) == ledger.document(forward[::-1], empty, SOURCES)


def test_a_skipped_step_keeps_the_verdict_of_the_same_statement(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    ledger.record(results(PROVED, CITED, PROVED, CITED), SOURCES, path)
    ledger.record(results(SKIPPED, CITED, PROVED, CITED), SOURCES, path)
    assert ledger.Ledger.read(path).verdict("first.claim", "doubling") == "PROVED"
    changed = results(SKIPPED, CITED, PROVED, CITED)
    changed[0] = (replace(changed[0][0], statement="another statement"), changed[0][1])
    ledger.record(changed, SOURCES, path)
    assert ledger.Ledger.read(path).verdict("first.claim", "doubling") == "SKIPPED"


def test_keys_change_with_statement_means_and_versions() -> None:
    theorem = made("first.claim")
    step, other = theorem.steps[0], Identity("doubling", "x + x = 2x", x + x + x - x, 2 * x)
    rewritten = Identity("doubling", "x + x = 2x", x + x, 3 * x)
    keys = {
        ledger.step_key(theorem, step, {"sympy": "1"}),
        ledger.step_key(theorem, step, {"sympy": "2"}),
        ledger.step_key(theorem, rewritten, {"sympy": "1"}),
        ledger.step_key(replace(theorem, statement="else"), step, {"sympy": "1"}),
        ledger.step_key(replace(theorem, hypotheses=()), step, {"sympy": "1"}),
        ledger.step_key(replace(theorem, bound=replace(theorem.bound, kind=Kind.LOWER)), step, {"sympy": "1"}),
    }
    assert len(keys) == 6
    assert ledger.step_key(theorem, other, {}) == ledger.step_key(theorem, step, {})  # SymPy's own normal form


def test_versions_name_the_tools_of_a_step() -> None:
    assert ledger.versions_of("identity|...") == {"sympy": sp.__version__}
    assert ledger.versions_of("cited|...") == {}
    assert set(ledger.versions_of("induction|identity|a|balls|b")) == {"sympy", "python-flint"}


def test_a_record_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        ledger.record(results(PROVED, CITED, PROVED, CITED), SOURCES, tmp_path / "missing" / "ledger.json")


def test_reading_a_status_imports_neither_sympy_nor_flint() -> None:
    code = (
        "import sys; from theory.ledger import status_of; print(status_of('square.interpolant'));"
        "assert not {'sympy', 'flint', 'z3', 'numpy', 'torch'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ledger.GRADES
