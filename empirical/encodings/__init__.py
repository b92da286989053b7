"""Numbers as tokens: the published encodings P10, P1000, B1999 and FP15, a whole tensor at a time."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "NAMES": "names",
    "check_name": "names",
    "get_encoding": "published",
    "Encoding": "encoding",
    "Grid": "grid",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
