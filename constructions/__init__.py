"""What can be built: exact networks from the proofs, frozen once, measured, stored, evaluated four ways."""

from theory.lazy import lazy_attributes

_CONTENTS: dict[str, str] = {}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
