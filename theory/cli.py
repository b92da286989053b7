"""``python -m theory list | show ID | check``: what is proved, how, and whether it still is."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from theory import catalogue, ledger
from theory.command import OneLineParser
from theory.errors import BadInput

if TYPE_CHECKING:
    from theory.theorem import Bound, Outcome, Theorem

__all__ = ["main"]

_RELATIONS = {"TIGHT": ("=", "="), "UPPER": ("<=", r"\le"), "LOWER": (">=", r"\ge"), "RATE": ("~", r"\sim")}
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{character: f"\\{character}" for character in "#$%&_{}"},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    code: int = arguments.run(arguments)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m theory",
        description=__doc__,
        epilog="The bounds themselves: python -m theory.bounds --help",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list|show|check")
    listing = commands.add_parser("list", help="every theorem: id, kind, recorded status, title")
    listing.add_argument("--json", action="store_true", help="one JSON document")
    listing.set_defaults(run=_list)
    show = commands.add_parser("show", help="one theorem: statement, hypotheses, formulas, steps")
    show.add_argument("id", metavar="ID", help="a theorem id, as listed")
    form = show.add_mutually_exclusive_group()
    form.add_argument("--latex", action="store_true", help="as a LaTeX theorem")
    form.add_argument("--json", action="store_true", help="one JSON document")
    show.set_defaults(run=_show)
    check = commands.add_parser("check", help="run every step and record the verdicts")
    check.add_argument("--json", action="store_true", help="one JSON document")
    check.set_defaults(run=_check)
    return parser


def _list(arguments: argparse.Namespace) -> int:
    record = ledger.Ledger.read()
    rows = [(t.id, t.bound.kind.value, record.status(t.id), t.title) for t in catalogue.load_all()]
    if arguments.json:
        print(json.dumps([dict(zip(("id", "kind", "status", "title"), row, strict=True)) for row in rows], indent=1))
        return 0
    width = max(len(row[0]) for row in rows)
    for theorem_id, kind, status, title in rows:
        print(f"{theorem_id:<{width}}  {kind:<5}  {status:<9}  {title}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    theorem = catalogue.load(arguments.id)
    record = ledger.Ledger.read()
    if arguments.json:
        print(json.dumps(_as_json(theorem, record), indent=1))
    elif arguments.latex:
        print(_as_latex(theorem))
    else:
        print(_as_text(theorem, record))
    return 0


def _as_json(theorem: Theorem, record: ledger.Ledger) -> Mapping[str, Any]:
    from sympy import latex

    bound = theorem.bound
    return {
        "id": theorem.id,
        "title": theorem.title,
        "statement": theorem.statement,
        "hypotheses": list(theorem.hypotheses),
        "bound": {
            "expression": str(bound.expression),
            "latex": latex(bound.expression),
            "kind": bound.kind.value,
            "norm": bound.norm,
            "domain": bound.domain,
        },
        "formulas": {name: str(formula) for name, formula in theorem.formulas.items()},
        "steps": [
            {"name": step.name, "claim": step.claim, "recorded": record.verdict(theorem.id, step.name)}
            for step in theorem.steps
        ],
        "uses": list(theorem.uses),
        "source": theorem.source,
        "status": record.status(theorem.id),
    }


def _as_text(theorem: Theorem, record: ledger.Ledger) -> str:
    bound = theorem.bound
    lines = [
        f"{theorem.id}: {theorem.title}",
        "",
        textwrap.fill(theorem.statement, 110, break_long_words=False, break_on_hyphens=False),
        "",
        "hypotheses",
    ]
    lines += [f"  {hypothesis}" for hypothesis in theorem.hypotheses]
    lines += ["", "bound", f"  {_quantity(bound)} {_RELATIONS[bound.kind.value][0]} {bound.expression}"]
    lines += [f"  kind {bound.kind.value}; norm or unit {bound.norm}; domain: {bound.domain}"]
    if theorem.formulas:
        lines += ["", "formulas", *(f"  {name}: {formula}" for name, formula in theorem.formulas.items())]
    lines += ["", "steps (recorded verdicts)"]
    width = max(len(step.name) for step in theorem.steps)
    for step in theorem.steps:
        lines.append(f"  {step.name:<{width}}  {record.verdict(theorem.id, step.name):<9}  {step.claim}")
    if theorem.uses:
        lines += ["", f"uses {', '.join(theorem.uses)}"]
    lines += ["", f"source: {theorem.source}", f"status: {record.status(theorem.id)} (its weakest step, transitively)"]
    return "\n".join(lines)


def _quantity(bound: Bound) -> str:
    """Return what is bounded, in words: an error, or a count named by its unit."""
    if bound.norm not in ("abs", "max", "fro", "2", "inf", "1"):
        return bound.norm
    return "largest error" if bound.kind.value == "TIGHT" else "error"


def _as_latex(theorem: Theorem) -> str:
    from sympy import latex

    bound = theorem.bound
    relation = _RELATIONS[bound.kind.value][1]
    lines = [
        rf"\begin{{theorem}}[{_escape(theorem.title)}] % {theorem.id}",
        _escape(theorem.statement),
        rf"\[ \text{{{_escape(_quantity(bound))}}} {relation} {latex(bound.expression)} \]",
        rf"({bound.kind.value}; {_escape(bound.norm)}; {_escape(bound.domain)}.)",
        r"Hypotheses: " + "; ".join(_escape(hypothesis) for hypothesis in theorem.hypotheses) + ".",
    ]
    for name, formula in theorem.formulas.items():
        lines.append(rf"\[ \text{{{_escape(name)}: }} {latex(formula)} \]")
    lines += [rf"Source: {_escape(theorem.source)}.", r"\end{theorem}"]
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Return plain text that LaTeX prints as it stands."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _check(arguments: argparse.Namespace) -> int:
    results = []
    for theorem in catalogue.load_all():
        outcomes = []
        for step in theorem.steps:
            outcome = step.run()
            outcomes.append(outcome)
            if not arguments.json:
                print(theorem.id, step.name, outcome.verdict.value, outcome.means, flush=True)
            if outcome.verdict.fails or outcome.verdict.value == "SKIPPED":
                print(f"{theorem.id} {step.name}: {outcome.detail or step.claim}", file=sys.stderr)
        results.append((theorem, outcomes))
    written = _record(results)
    code = _exit_code(outcome for _, outcomes in results for outcome in outcomes)
    if arguments.json:
        print(json.dumps(_check_document(results, written, code), indent=1))
    return code


def _record(results: Sequence[ledger.Result]) -> bool:
    """Record the outcomes; where that cannot be done, say so and go on: the verdicts stand all the same."""
    try:
        return ledger.record(results, catalogue.sources())
    except BadInput as error:
        print(f"verdicts not recorded: {error}", file=sys.stderr)
        return False


def _exit_code(outcomes: Any) -> int:
    """Return 1 if a step is refuted or undecided, 3 if a solver was missing, else 0."""
    verdicts = [outcome.verdict for outcome in outcomes]
    if any(verdict.fails for verdict in verdicts):
        return 1
    return 3 if any(verdict.value == "SKIPPED" for verdict in verdicts) else 0


def _check_document(
    results: Sequence[tuple[Theorem, Sequence[Outcome]]], written: bool, code: int
) -> Mapping[str, Any]:
    record = ledger.Ledger.parse(ledger.document(results, ledger.Ledger.read(), catalogue.sources()))
    return {
        "theorems": [
            {
                "id": theorem.id,
                "status": record.status(theorem.id),
                "steps": [
                    {
                        "name": step.name,
                        "claim": step.claim,
                        "verdict": outcome.verdict.value,
                        "means": outcome.means,
                        "detail": outcome.detail,
                    }
                    for step, outcome in zip(theorem.steps, outcomes, strict=True)
                ],
            }
            for theorem, outcomes in results
        ],
        "ledger_changed": written,
        "exit": code,
    }
