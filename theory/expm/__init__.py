"""The matrix exponential: truncation, Horner, scaling and squaring, and the monomial route, with their theorems."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "horner_program": "programs",
    "scaling_and_squaring_program": "programs",
    "taylor_tail": "truncation",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
