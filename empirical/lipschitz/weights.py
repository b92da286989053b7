"""A torch weight as a float64 array: exact for every floating type of up to 64 bits."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from theory.errors import BadInput

__all__ = ["array"]


def array(tensor: torch.Tensor) -> NDArray[np.float64]:
    """Return the tensor's values as float64.

    Raises:
        BadInput: If the tensor is not of real floating type.
    """
    if not tensor.is_floating_point():
        raise BadInput(f"weights of type {tensor.dtype} have no certificate: real floating types do")
    return tensor.detach().cpu().double().numpy()
