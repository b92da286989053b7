"""Polynomially Lipschitz maps: certificates, their rules and leaves, and what they forbid near singular matrices."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "Certificate": "certificate",
    "Majorant": "polynomial",
    "add": "rules",
    "chain": "rules",
    "compose": "rules",
    "concatenate": "rules",
    "lower": "rules",
    "product": "rules",
    "residual": "rules",
    "scale": "rules",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
