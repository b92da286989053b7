"""Exact rationals read from their text: ``1e-3`` is 1/1000, ``1/3`` is one third, ``0.1`` is one tenth."""

from __future__ import annotations

import re
from fractions import Fraction

from theory.errors import BadInput

__all__ = ["parse_count", "parse_positive", "parse_rational", "rational_text"]

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,5})?")
_QUOTIENT = re.compile(r"[+-]?\d+/\d+")
_MAX_LENGTH = 4000
#: Numerators and denominators stay below 10^4000: Python refuses to print integers of more than 4300 digits.
_MAX_BITS = 13_288


def parse_rational(text: str | int | Fraction | float, name: str) -> Fraction:
    """Return a rational read from its text; a float is read from its shortest decimal text.

    Raises:
        BadInput: If the text is not a rational, or it has more than 4000 digits.
    """
    if isinstance(text, bool):
        raise BadInput(f"{name} must be a rational such as 1e-3 or 1/3, not {text!r}")
    value = Fraction(text) if isinstance(text, (int, Fraction)) else _parse(str(text).strip(), name)
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise BadInput(f"{name} must have at most 4000 digits in numerator and denominator")
    return value


def parse_positive(text: str | int | Fraction | float, name: str) -> Fraction:
    """Return a positive rational read from its text; a float is read from its shortest decimal text.

    Raises:
        BadInput: If the text is not a rational, or the rational is not positive, or it has more than 4000 digits.
    """
    value = parse_rational(text, name)
    if value <= 0:
        raise BadInput(f"{name} must be positive, not {_short(str(text))}")
    return value


def _parse(text: str, name: str) -> Fraction:
    if len(text) > _MAX_LENGTH or not (_DECIMAL.fullmatch(text) or _QUOTIENT.fullmatch(text)):
        raise BadInput(f"{name} must be a rational such as 1e-3 or 1/3, not {_short(text)!r}")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise BadInput(f"{name} has a zero denominator: {_short(text)}") from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def parse_count(text: str | int, name: str, *, most: int = 10**18) -> int:
    """Return an integer between 1 and ``most``.

    Raises:
        BadInput: If the text is not such an integer.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        value = text
    else:
        stripped = str(text).strip()
        if not re.fullmatch(r"[+-]?\d{1,400}", stripped):
            raise BadInput(f"{name} must be a positive integer, not {_short(stripped)!r}")
        value = int(stripped)
    if value < 1:
        raise BadInput(f"{name} must be at least 1, not {_shown(value)}")
    if value > most:
        raise BadInput(f"{name} must be at most {most}, not {_shown(value)}")
    return value


def _shown(value: int) -> str:
    return _short(str(value)) if value.bit_length() <= _MAX_BITS else "an integer of more than 4000 digits"


def rational_text(value: Fraction) -> str:
    """Return the text of a rational that ``parse_positive`` reads back exactly."""
    return str(value)
