"""``python -m theory``: lines, documents, exit codes, and one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import sympy as sp

from theory import catalogue, cli, ledger
from theory.command import run_command
from theory.theorem import Bound, Kind, Outcome, Theorem, Verdict


@dataclass(frozen=True)
class Fixed:
    """A step with a given outcome."""

    name: str
    verdict: Verdict
    claim: str = "a claim"
    fingerprint: str = "fixed"

    def run(self) -> Outcome:
        return Outcome(self.verdict, "by decree", "why not")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one theorem and a ledger of its own."""
    monkeypatch.setattr(ledger, "PATH", tmp_path / "ledger.json")
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, *verdicts: Verdict) -> None:
    """Make the catalogue one theorem whose steps end in the given verdicts."""
    steps = tuple(Fixed(f"step-{index}", verdict) for index, verdict in enumerate(verdicts))
    bound = Bound(sp.Integer(1), Kind.UPPER, "abs", "everywhere")
    theorem = Theorem("toy.claim", "a toy", "1 <= 1", ("none",), bound, steps, "here")
    monkeypatch.setattr(catalogue, "load_all", lambda: (theorem,))
    monkeypatch.setattr(catalogue, "sources", lambda: {"toy.claim": "errors.py"})


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PROVED, Verdict.CITED, Verdict.NUMERIC), 0),
        ((Verdict.PROVED, Verdict.REFUTED), 1),
        ((Verdict.UNDECIDED, Verdict.SKIPPED), 1),
        ((Verdict.PROVED, Verdict.SKIPPED), 3),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_check_exits_by_verdict(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verdicts: tuple[Verdict, ...],
    code: int,
    as_json: bool,
) -> None:
    use(monkeypatch, *verdicts)
    assert cli.main(["check", "--json"] if as_json else ["check"]) == code
    printed = capsys.readouterr().out
    assert ledger.PATH.is_file()
    if as_json:
        document = json.loads(printed)
        assert [step["verdict"] for step in document["theorems"][0]["steps"]] == [verdict.value for verdict in verdicts]
        assert document["exit"] == code
    else:
        assert printed.splitlines() == [
            f"toy.claim step-{index} {verdict.value} by decree" for index, verdict in enumerate(verdicts)
        ]


def test_check_says_what_failed_on_stderr(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, Verdict.PROVED, Verdict.REFUTED)
    cli.main(["check"])
    assert capsys.readouterr().err == "toy.claim step-1: why not\n"


@pytest.mark.parametrize(("verdict", "code"), [(Verdict.PROVED, 0), (Verdict.REFUTED, 1)])
def test_check_works_where_the_ledger_cannot_be_written(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verdict: Verdict,
    code: int,
) -> None:
    # A missing folder stands in for a read-only one, which does not stop a superuser.
    monkeypatch.setattr(ledger, "PATH", here / "missing" / "ledger.json")
    use(monkeypatch, verdict)
    assert cli.main(["check", "--json"]) == code
    captured = capsys.readouterr()
    assert "verdicts not recorded" in captured.err
    assert json.loads(captured.out)["ledger_changed"] is False


def test_check_writes_the_ledger_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Verdict.PROVED)
    cli.main(["check"])
    stamp = ledger.PATH.stat().st_mtime_ns
    cli.main(["check"])
    assert ledger.PATH.stat().st_mtime_ns == stamp


def test_list_names_every_theorem_with_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue.ids())
    assert cli.main(["list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == list(catalogue.ids())
    assert all(row["status"] == ledger.status_of(row["id"]) for row in rows)


@pytest.mark.parametrize("theorem_id", catalogue.ids())
def test_show_has_everything_in_three_forms(theorem_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    theorem = catalogue.load(theorem_id)
    assert cli.main(["show", theorem_id]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in (theorem.title, theorem.statement, *theorem.hypotheses, str(theorem.bound.expression), theorem.source):
        assert " ".join(part.split()) in text
    assert all(step.name in text and " ".join(step.claim.split()) in text for step in theorem.steps)
    assert cli.main(["show", theorem_id, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["id"] == theorem_id
    assert document["status"] == ledger.status_of(theorem_id)
    assert {step["name"] for step in document["steps"]} == {step.name for step in theorem.steps}
    assert cli.main(["show", theorem_id, "--latex"]) == 0
    latex = capsys.readouterr().out
    assert latex.startswith(r"\begin{theorem}")
    assert sp.latex(theorem.bound.expression) in latex
    assert latex.count("{") == latex.count("}")


def test_latex_escapes_plain_text() -> None:
    assert cli._escape(r"a_b^2 \ 5%") == r"a\_b\textasciicircum{}2 \textbackslash{} 5\%"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["show", "square.interpolent"], "square.interpolant"),
        (["show", ""], "no theorem"),
        (["show"], "ID"),
        (["show", "square.count", "--json", "--latex"], "not allowed"),
        (["frobnicate"], "frobnicate"),
        (["check", "now"], "now"),
        ([], "list|show|check"),
    ],
)
def test_bad_input_is_one_line_and_code_two(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = run_command(cli.main, arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert word in captured.err


def test_the_module_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "theory", "show", "no.such"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: no theorem 'no.such'")
