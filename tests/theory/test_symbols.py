"""Symbols are made in one place, and no two of them share a name."""

from __future__ import annotations

import re
from pathlib import Path

import sympy as sp

import theory
from theory import symbols

PACKAGE = Path(theory.__file__).resolve().parent


def all_symbols() -> list[sp.Symbol]:
    found = []
    for name in symbols.__all__:
        value = getattr(symbols, name)
        found += list(value) if isinstance(value, tuple) else [value]
    return found


def test_everything_listed_is_a_symbol() -> None:
    assert all(isinstance(symbol, sp.Symbol) for symbol in all_symbols())
    assert len(set(symbols.__all__)) == len(symbols.__all__)


def test_no_two_symbols_share_a_name() -> None:
    # Equal names with different assumptions are different to SymPy but one variable to a solver or a reader.
    names = [symbol.name for symbol in all_symbols()]
    assert len(set(names)) == len(names)


def test_nothing_made_here_is_left_out_of_the_list() -> None:
    made = {name for name, value in vars(symbols).items() if isinstance(value, sp.Symbol)}
    assert made <= set(symbols.__all__)


def test_symbols_are_made_nowhere_else() -> None:
    maker = re.compile(r"\b(sp|sympy)\.(Symbol|symbols|Dummy|Wild|IndexedBase|var)\(|import .*\bSymbol\b")
    for path in PACKAGE.rglob("*.py"):
        if path.name != "symbols.py":
            made = [line for line in path.read_text().splitlines() if maker.search(line) and "case" not in line]
            assert made == [], f"{path.relative_to(PACKAGE)} makes its own symbols"
