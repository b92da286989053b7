"""What can be built: exact networks from the proofs, frozen once, measured, stored, evaluated four ways."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "Affine": "network",
    "ExactMatrix": "exact",
    "MatrixNetwork": "matrix_network",
    "Measurement": "measure",
    "Network": "network",
    "add": "algebra",
    "build": "builder",
    "compose": "algebra",
    "extend": "algebra",
    "identity": "algebra",
    "load": "store",
    "parallel": "algebra",
    "save": "store",
    "stack": "algebra",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
