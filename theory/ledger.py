"""Recorded verdicts: what ``python -m theory check`` last found, read back without importing SymPy.

An entry is stale, and reads as UNDECIDED, once the file that states its theorem has changed. Each step's ``key`` hashes
statement, means and the versions it was run with, so a fresh run can be compared with the record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theory.files import write_whole

if TYPE_CHECKING:
    from theory.theorem import Outcome, Step, Theorem

__all__ = ["GRADES", "PATH", "Ledger", "Result", "document", "record", "status_of", "step_key", "versions_of"]

#: Where the verdicts are recorded.
PATH = Path(__file__).with_name("ledger.json")
#: The verdicts by name, strongest first (``theory.theorem.Verdict``, without its imports).
GRADES = ("PROVED", "CITED", "NUMERIC", "SKIPPED", "UNDECIDED", "REFUTED")
_FORMAT = "funmnet-ledger/1"
_PACKAGE = Path(__file__).parent
#: What a step's fingerprint shows about the tool that discharges it.
_TOOLS = {"identity|": "sympy", "smt|": "z3-solver", "balls|": "python-flint"}

#: A theorem with the outcome of each of its steps, in order.
Result = tuple["Theorem", Sequence["Outcome"]]


@dataclass(frozen=True)
class Ledger:
    """The record as read from disk; a missing or unreadable file is an empty record.

    Attributes:
        theorems: Theorem id -> ``source``, ``digest``, ``uses`` and ``steps``.
    """

    theorems: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None = None) -> Ledger:
        """Read the record (the package's own by default); whatever is no record of this format counts as none."""
        try:
            return cls.parse((path or PATH).read_bytes())
        except (OSError, ValueError):
            return cls()

    @classmethod
    def parse(cls, text: bytes) -> Ledger:
        """Read a record from its bytes; one of another format is empty."""
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            return cls()
        return cls(content.get("theorems", {}))

    def is_current(self, theorem_id: str) -> bool:
        """Return whether there is an entry and its theorem's source has not changed since."""
        entry = self.theorems.get(theorem_id)
        return entry is not None and entry["digest"] == _digest(entry["source"])

    def verdict(self, theorem_id: str, step_name: str) -> str:
        """Return the recorded verdict of a step; UNDECIDED if the entry is missing or stale."""
        if not self.is_current(theorem_id):
            return "UNDECIDED"
        step = self.theorems[theorem_id]["steps"].get(step_name)
        return step["verdict"] if step else "UNDECIDED"

    def status(self, theorem_id: str) -> str:
        """Return the weakest recorded verdict over the theorem's steps and, transitively, those it uses."""
        todo, seen, grades = [theorem_id], {theorem_id}, ["PROVED"]
        while todo:
            current = todo.pop()
            if not self.is_current(current):
                grades.append("UNDECIDED")
                continue
            entry = self.theorems[current]
            grades += [step["verdict"] for step in entry["steps"].values()]
            todo += [used for used in entry["uses"] if used not in seen]
            seen.update(entry["uses"])
        return max(grades, key=GRADES.index)


def status_of(theorem_id: str, path: Path | None = None) -> str:
    """Return a theorem's recorded status: its weakest step, transitively; UNDECIDED if unknown or stale."""
    return Ledger.read(path).status(theorem_id)


def _digest(source: str) -> str:
    """Return the hash of a source file of this package, line endings apart; of nothing if it cannot be read."""
    try:
        text = (_PACKAGE / source).read_bytes()
    except OSError:
        return ""
    return _hash(text.replace(b"\r\n", b"\n"))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def versions_of(fingerprint: str) -> dict[str, str]:
    """Return the installed versions of the tools a step with this fingerprint is discharged by."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for marker, tool in _TOOLS.items():
        if marker in fingerprint:
            try:
                found[tool] = version(tool)
            except PackageNotFoundError:
                found[tool] = "absent"
    return found


def step_key(theorem: Theorem, step: Step, versions: Mapping[str, str]) -> str:
    """Return the hash of statement, means and versions that a recorded verdict is keyed by."""
    from sympy import srepr

    bound = theorem.bound
    parts = [
        theorem.id,
        theorem.statement,
        *theorem.hypotheses,
        srepr(bound.expression),
        bound.kind.value,
        bound.norm,
        bound.domain,
        step.name,
        step.claim,
        step.fingerprint,
        *(f"{tool} {number}" for tool, number in sorted(versions.items())),
    ]
    return _hash(json.dumps(parts).encode())


def document(results: Iterable[Result], before: Ledger, sources: Mapping[str, str]) -> bytes:
    """Return the bytes of a record of these outcomes, sorted, so that equal outcomes give equal bytes.

    Args:
        results: Theorems with their steps' outcomes.
        before: The record so far: a step skipped for want of a solver keeps its verdict if its key is unchanged.
        sources: Theorem id -> file that states it, relative to the package.
    """
    theorems = {}
    for theorem, outcomes in results:
        old = before.theorems.get(theorem.id, {}).get("steps", {})
        source = sources[theorem.id]
        theorems[theorem.id] = {
            "source": source,
            "digest": _digest(source),
            "uses": list(theorem.uses),
            "steps": {
                step.name: _entry(theorem, step, outcome, old.get(step.name))
                for step, outcome in zip(theorem.steps, outcomes, strict=True)
            },
        }
    content = {"format": _FORMAT, "theorems": theorems}
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def _entry(theorem: Theorem, step: Step, outcome: Outcome, old: Mapping[str, Any] | None) -> Mapping[str, Any]:
    skipped = outcome.verdict.value == "SKIPPED"
    if skipped and old is not None and old["key"] == step_key(theorem, step, old["versions"]):
        return old
    versions = versions_of(step.fingerprint)
    return {
        "key": step_key(theorem, step, versions),
        "means": outcome.means,
        "verdict": outcome.verdict.value,
        "versions": versions,
    }


def record(results: Iterable[Result], sources: Mapping[str, str], path: Path | None = None) -> bool:
    """Write the outcomes if they differ from what is recorded; return whether the file was written.

    A file that would have to be written and cannot be is answered by ``theory.files`` with BadInput.
    """
    target = path or PATH
    content = document(results, Ledger.read(target), sources)
    if target.is_file() and target.read_bytes() == content:
        return False
    write_whole(target, content)
    return True
