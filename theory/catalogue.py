"""What is proved here: theorem ids and where their objects live, loaded on demand."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from theory.errors import BadInput

if TYPE_CHECKING:
    from theory.theorem import Theorem

__all__ = ["THEOREMS", "ids", "load", "load_all", "sources"]

#: ``(theorem id, "module:ATTRIBUTE")`` in the order of the argument: what a theorem uses stands before it.
THEOREMS: tuple[tuple[str, str], ...] = (
    ("square.interpolant", "theory.squaring:INTERPOLANT"),
    ("square.symmetric", "theory.squaring:SYMMETRIC"),
    ("square.count", "theory.squaring:COUNT"),
    ("square.sensitivity", "theory.squaring:SENSITIVITY"),
    ("product.difference", "theory.products:DIFFERENCE"),
    ("product.polarised", "theory.products:POLARISED"),
    ("matmul.polarised", "theory.matmul:POLARISED"),
    ("matmul.square", "theory.matmul:SQUARE"),
    ("matmul.strassen", "theory.matmul:STRASSEN"),
    ("freeze.affine", "theory.freezing:AFFINE"),
    ("freeze.squarer", "theory.freezing:SQUARER"),
    ("limits.pieces", "theory.limits:PIECES"),
    ("limits.square", "theory.limits:SQUARE"),
    ("limits.expm", "theory.limits:EXPM"),
    ("inverse.blowup", "theory.blowup:BLOWUP"),
    ("inverse.lipschitz", "theory.blowup:LIPSCHITZ"),
    ("inverse.bits", "theory.blowup:BITS"),
)


def ids() -> tuple[str, ...]:
    """Return every theorem id, in order."""
    return tuple(theorem_id for theorem_id, _ in THEOREMS)


def load(theorem_id: str) -> Theorem:
    """Return a theorem by its id.

    Raises:
        BadInput: If there is no such theorem; the message names close matches.
    """
    places = dict(THEOREMS)
    if theorem_id not in places:
        close = get_close_matches(theorem_id, places, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else "see: python -m theory list"
        raise BadInput(f"no theorem {theorem_id!r}; {hint}")
    module, attribute = places[theorem_id].split(":")
    theorem: Theorem = getattr(import_module(module), attribute)
    return theorem


def load_all() -> tuple[Theorem, ...]:
    """Return every theorem, in order."""
    return tuple(load(theorem_id) for theorem_id in ids())


def sources() -> dict[str, str]:
    """Return theorem id -> the file that states it, relative to this package."""
    modules = {theorem_id: place.split(":")[0].removeprefix("theory.") for theorem_id, place in THEOREMS}
    return {theorem_id: f"{module.replace('.', '/')}.py" for theorem_id, module in modules.items()}
