"""Rows that several experiments show: accuracies beside their ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["accuracy_header", "accuracy_row", "percent"]

_TOLERANCES = ("0.05", "0.02", "0.01", "0.005")


def percent(share: float | None) -> str:
    """Write a share in percent."""
    return "-" if share is None else f"{100 * share:.2f}"


def accuracy_header() -> list[str]:
    """Name the columns of ``accuracy_row``."""
    columns = ["examples", "examples/s"]
    for tolerance in _TOLERANCES:
        columns += [f"{100 * float(tolerance):g} %", "ceiling"]
    return columns


def accuracy_row(result: Mapping[str, Any]) -> list[str]:
    """Return how long a run was and how accurate it is at every tolerance, beside what an exact solver scores."""
    if "train" not in result:
        return ["0", result["outcome"]] + ["-"] * (2 * len(_TOLERANCES))
    rate = result["train"]["examples_per_second"]
    row = [f"{result['train']['examples']:,}", "-" if rate is None else f"{rate:,.0f}"]
    if "test" not in result:
        return row + [result["outcome"]] + ["-"] * (2 * len(_TOLERANCES) - 1)
    for tolerance in _TOLERANCES:
        row += [percent(result["test"]["accuracy"][tolerance]), percent(result["test"]["ceiling"][tolerance])]
    return row
