"""From a figure's name to its files: NAME.json, NAME.png and NAME.svg, each written whole or not at all.

The same options give the same bytes: no dates, no random ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from figures.catalogue import figure_module
from theory.errors import BadInput
from theory.files import whole_file, write_whole

__all__ = ["DEFAULT_FOLDER", "figure_document", "produce", "ready_folder"]

#: Where figures go unless told otherwise, below the current folder.
DEFAULT_FOLDER = "figures/out"
_DPI = 300


def ready_folder(folder: str | Path) -> Path:
    """Return the folder, made where it is missing, before any work is done.

    Raises:
        BadInput: If it cannot be made.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot make the folder {path}: {error.strerror}") from None
    return path


def figure_document(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a figure's data with its claim, which has been checked."""
    module = figure_module(name)
    document = module.data(**options)
    module.check(document)
    return {"figure": name, "claim": module.CLAIM} | document


def produce(name: str, options: Mapping[str, Any], folder: Path) -> list[Path]:
    """Compute or load a figure's data, check its claim, draw it and write the three files."""
    document = figure_document(name, options)
    from figures.style import house_style

    paths = [folder / f"{name}.{kind}" for kind in ("json", "png", "svg")]
    write_whole(paths[0], json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    with house_style():
        figure = figure_module(name).draw(document)
        with whole_file(paths[1]) as temporary:
            figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
        with whole_file(paths[2]) as temporary:
            figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})
    return paths
