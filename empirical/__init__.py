"""What training finds: ensembles, reference values, encodings, models, experiments, and certified worst-case errors."""

from theory.lazy import lazy_attributes

_CONTENTS: dict[str, str] = {
    "Ensemble": "ensembles",
    "Outcome": "truth",
    "Truth": "truth",
    "evaluate": "truth",
    "get_encoding": "encodings",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
