"""Certified worst-case errors of trained networks over a box of matrices: a proved upper bound, a found lower bound."""

from theory.lazy import lazy_attributes

_CONTENTS = {
    "Certificate": "certificate",
    "ReluChain": "chain",
    "Region": "region",
    "certify": "search",
    "read_relu_chain": "reading",
}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
