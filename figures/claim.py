"""A figure states what it shows; where its own numbers do not bear it out, nothing is drawn."""

from __future__ import annotations

__all__ = ["ClaimFailed", "require"]


class ClaimFailed(AssertionError):
    """The data of a figure contradict its claim; the message says where."""


def require(holds: bool, message: str) -> None:
    """Stop a figure whose claim does not hold. Unlike ``assert`` this also runs under ``python -O``.

    Raises:
        ClaimFailed: If it does not.
    """
    if not holds:
        raise ClaimFailed(message)
