"""A torch weight as a float64 array: exact for every floating type of up to 64 bits."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["array"]


def array(tensor: torch.Tensor) -> NDArray[np.float64]:
    """Return the tensor's values as float64."""
    return tensor.detach().cpu().double().numpy()
