"""A model file -> ``ReluChain``: the package's one reader, after a look at how much memory the file would take."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.certify.chain import ReluChain
from theory.errors import BadInput

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LARGEST_FILE", "read_relu_chain", "relu_chain_of"]

#: A network on 32 x 32 matrices with 2 x 2048 hidden units takes half of it in float64.
LARGEST_FILE = 1 << 28


def read_relu_chain(path: str | Path) -> ReluChain:
    """Read an ONNX Gemm/Relu chain, or the state dict of an nn.Sequential of Linear and ReLU, without rounding.

    Raises:
        BadInput: If the file is missing, too large, damaged, or holds anything but alternating affine layers and ReLU.
    """
    source = Path(path)
    try:
        size = source.stat().st_size
        if zipfile.is_zipfile(source):
            # A .pt file is a zip archive; a small one can unpack to any size.
            with zipfile.ZipFile(source) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()))
    except OSError as error:
        raise BadInput(f"cannot read the model {source}: {error.strerror}") from None
    except (zipfile.BadZipFile, ValueError):
        raise BadInput(f"the model {source} is damaged") from None
    if size > LARGEST_FILE:
        raise BadInput(f"the model {source} takes more than {LARGEST_FILE >> 20} MiB")
    from empirical.models_io import read_chain

    return ReluChain(*read_chain(source).alternating())


def relu_chain_of(network: nn.Sequential) -> ReluChain:
    """Return the chain of an ``nn.Sequential`` of Linear and ReLU in turn, its weights as exact float64 numbers.

    Raises:
        BadInput: If it holds anything else, or in another order.
    """
    from torch import nn

    expected = [nn.Linear if place % 2 == 0 else nn.ReLU for place in range(len(network))]
    if len(network) % 2 == 0 or any(type(layer) is not kind for layer, kind in zip(network, expected, strict=True)):
        raise BadInput("the network must be an nn.Sequential of Linear and ReLU in turn, with Linear at both ends")
    states = [layer.state_dict() for layer in network if isinstance(layer, nn.Linear)]
    weights = tuple(state["weight"].double().cpu().numpy() for state in states)
    biases = [state["bias"].double().cpu().numpy() if "bias" in state else None for state in states]
    filled = (w[:, 0] * 0.0 if b is None else b for w, b in zip(weights, biases, strict=True))
    return ReluChain(weights, tuple(filled))
