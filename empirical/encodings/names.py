"""The names of the published encodings, for those who want to check one before torch is loaded."""

from __future__ import annotations

from theory.errors import BadInput

__all__ = ["NAMES", "check_name"]

#: Longest sequences first.
NAMES = ("P10", "P1000", "B1999", "FP15")


def check_name(name: str) -> str:
    """Return the name if there is such an encoding.

    Raises:
        BadInput: If there is none of that name.
    """
    if name not in NAMES:
        raise BadInput(f"no encoding {name!r}; choose from {', '.join(NAMES)}")
    return name
