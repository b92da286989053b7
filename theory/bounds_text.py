"""The bounds document as a plain table for a terminal, or a LaTeX table for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theory.problem import Problem

__all__ = ["latex", "plain"]

_COLUMNS = (
    ("route", "route"),
    ("theorem", "theorem"),
    ("kind", "kind"),
    ("status", "status"),
    ("hidden_layers", "hidden layers"),
    ("width", "width"),
    ("nonzeros", "non-zeros"),
    ("bits", "bits"),
    ("bits_over_lower_bound", "/ lower"),
    ("largest_weight", "max weight"),
    ("error", "proved error"),
    ("freezing", "freezing"),
    ("source", "source"),
)
_TEXT = frozenset({"route", "theorem", "kind", "status", "source"})


def _cell(key: str, value: Any) -> str:
    if value is None:
        return "beyond float64" if key == "freezing" else "-"
    if isinstance(value, Mapping):
        if "log10" in value:
            return f"10^{value['log10'][0]:.6g}"
        value = value["float"]
        if isinstance(value, Mapping):
            return _cell(key, value)
        return f"{value:.3g}"
    if isinstance(value, str):
        return value if key in _TEXT else f"{float(value):.3e}"
    if isinstance(value, int):
        return f"{value:,}" if value < 10**12 else f"{value:.3e}"
    return f"{value:,.1f}" if 0.1 <= value < 1e7 else f"{value:.3e}"


def _rows(document: Mapping[str, Any]) -> list[list[str]]:
    return [[_cell(key, route[key]) for key, _ in _COLUMNS] for route in document["routes"]]


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = []
    for row in (header, *rows):
        cells = [
            cell.ljust(width) if _COLUMNS[i][0] in _TEXT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def _title(problem: Mapping[str, Any]) -> str:
    asked = Problem.from_json(problem)
    function = "e^A" if asked.function == "expm" else f"{asked.function} of {' and '.join(asked.inputs)}"
    where = asked.where
    n, norm = problem["n"], problem["norm"]
    return f"{function} for {n} x {n} matrices, {where}, error <= {problem['eps']} in the {norm} norm"


def _lower(least: Mapping[str, Any]) -> str:
    if least["bits"] is None:
        return "lower bound: none is proved here for this function"
    text = (
        f"lower bound: every ReLU network for this needs at least {_cell('bits', least['bits'])} bits, "
        f"sum of log2(width + 1) over hidden layers  [{least['theorem']}, {least['kind']}, {least['status']}]"
    )
    if "nonzeros" in least:
        text += (
            f"\n             and at least {least['nonzeros']} non-zero weights and biases  "
            f"[{least['nonzeros_theorem']}, {least['kind']}, {least['nonzeros_status']}]"
        )
    return text


def plain(document: Mapping[str, Any]) -> str:
    """Return the document as text for a terminal."""
    problem, least, inversion = document["problem"], document["lower_bound"], document["inversion"]
    lines = [
        _title(problem),
        "",
        *_aligned([title for _, title in _COLUMNS], _rows(document)),
        "",
        _lower(least),
        "",
        f"inversion at distance delta = {inversion['delta']} from the singular matrices  "
        f"[{', '.join(inversion['theorems'])}, LOWER, {inversion['status']}]",
        f"  blow-up: ||A^-1||_2 reaches {_cell('error', inversion['blow_up'])}",
    ]
    if inversion["lipschitz"] is None:
        lines.append(f"  {inversion['reason']}")
    else:
        lines += [
            f"  Lipschitz constant forced by error <= {problem['eps']} "
            f"on K_delta with R^2 = {inversion['radius_squared']}: "
            f"at least {_cell('error', inversion['lipschitz'])}",
            f"  bits forced: at least {_cell('bits', inversion['bits'])}",
        ]
    return "\n".join(lines)


def latex(document: Mapping[str, Any]) -> str:
    """Return the table of routes in LaTeX (booktabs)."""
    problem, least = document["problem"], document["lower_bound"]
    columns = [i for i, (key, _) in enumerate(_COLUMNS) if key != "source"]
    alignment = "".join("l" if _COLUMNS[i][0] in _TEXT else "r" for i in columns)

    def line(cells: Sequence[str]) -> str:
        return " & ".join(_escaped(cells[i]) for i in columns) + r" \\"

    body = [line(row) for row in _rows(document)]
    return "\n".join(
        [
            f"% {_title(problem)}",
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            line([title for _, title in _COLUMNS]),
            r"\midrule",
            *body,
            r"\midrule",
            rf"\multicolumn{{{len(columns)}}}{{l}}{{lower bound: {_cell('bits', least['bits'])} bits}} \\",
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _escaped(text: str) -> str:
    if text.startswith("10^"):
        return f"$10^{{{text[3:]}}}$"
    for character in "_%&#":
        text = text.replace(character, "\\" + character)
    return text
