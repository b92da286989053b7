"""The networks that are trained: an encoder-decoder transformer on tokens, and plain ReLU networks on entries."""

from theory.lazy import lazy_attributes

_CONTENTS = {"Mlp": "mlp", "Transformer": "transformer", "TransformerSize": "transformer"}
__all__ = list(_CONTENTS)
__getattr__, __dir__ = lazy_attributes(__name__, _CONTENTS)
