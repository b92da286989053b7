"""Certificates of torch modules: ``certificate_of(module)`` walks a module and bounds it and its changes."""

from theory.lazy import lazy_attributes

_CONTENTS = {"certificate_of": "walk", "norm_bound": "norms", "spectral_bound": "norms"}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
