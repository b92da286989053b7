"""A model file -> ``ReluChain``: the package's one reader, after a look at how much memory the file would take."""

from __future__ import annotations

import zipfile
from pathlib import Path

from empirical.certify.chain import ReluChain
from theory.errors import BadInput

__all__ = ["LARGEST_FILE", "read_relu_chain"]

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
