"""Configurations are frozen dataclasses of plain values; a user's ``NAME=VALUE`` texts override their fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar, get_type_hints

from theory.errors import BadInput

__all__ = ["fingerprint", "override", "parse_options"]

T = TypeVar("T")


def parse_options(texts: Iterable[str]) -> dict[str, str]:
    """Split ``NAME=VALUE`` texts.

    Raises:
        BadInput: If a text has no ``=`` or a name comes twice.
    """
    options: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise BadInput(f"cannot read the setting {text!r}; write NAME=VALUE, for example n=3")
        if name in options:
            raise BadInput(f"the setting {name} is given twice; give it once")
        options[name] = value
    return options


def override(configuration: T, options: Mapping[str, str]) -> T:
    """Return the configuration with fields replaced by values read from text; tuples are written with commas.

    Raises:
        BadInput: If a name is no field, or a value cannot be read as the field's type.
    """
    hints = get_type_hints(type(configuration))
    names = [field.name for field in fields(configuration)]  # type: ignore[arg-type]
    changes: dict[str, Any] = {}
    for name, text in options.items():
        if name not in names:
            raise BadInput(f"no setting {name!r}; choose from {', '.join(names)}")
        changes[name] = _read(name, text, hints[name])
    return replace(configuration, **changes)  # type: ignore[type-var]


def fingerprint(configuration: Any) -> str:
    """Return a short hash of a configuration: two runs with the same one may continue each other."""
    text = json.dumps(asdict(configuration), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(name: str, text: str, kind: Any) -> Any:
    readers: dict[Any, tuple[str, Callable[[str], Any]]] = {
        int: ("a whole number", int),
        float: ("a number", float),
        str: ("text", str),
        bool: ("true or false", lambda value: {"true": True, "false": False}[value.lower()]),
        tuple[int, ...]: ("whole numbers with commas", lambda value: tuple(int(part) for part in value.split(","))),
        tuple[str, ...]: ("names with commas", lambda value: tuple(value.split(","))),
    }
    if kind not in readers:
        raise BadInput(f"the setting {name} cannot be given as text; leave it out")
    description, reader = readers[kind]
    try:
        return reader(text)
    except (ValueError, KeyError):
        raise BadInput(f"the setting {name} must be {description}, not {text!r}") from None
