"""What is true: theorems about ReLU networks for matrix functions, their bounds and the steps that discharge them."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "BadInput": "errors",
    "Bound": "theorem",
    "Kind": "theorem",
    "OutOfReach": "errors",
    "Theorem": "theorem",
    "Verdict": "theorem",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
