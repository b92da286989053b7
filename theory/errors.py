"""The two ways a request can be wrong: it cannot be read, or it asks for more than can be had."""

from __future__ import annotations

__all__ = ["BadInput", "OutOfReach"]


class BadInput(ValueError):
    """A request that cannot be read or contradicts itself; the message is one line and says what to do."""


class OutOfReach(BadInput):
    """A well-formed request no network of this library meets: below a float64 floor, or too large to fit."""
