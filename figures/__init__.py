"""What is shown: figures and tables; theory's curves are computed, measured ones loaded, nothing is trained."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "FIGURES": "catalogue",
    "ClaimFailed": "claim",
    "figure_module": "catalogue",
    "produce": "output",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
