"""Networks are built once a session: name the request, get the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from constructions import MatrixNetwork, build

torch.set_num_threads(1)
_BUILT: dict[tuple[Any, ...], MatrixNetwork] = {}


@pytest.fixture(scope="session")
def build_once() -> Callable[..., MatrixNetwork]:
    """``constructions.build`` with a memory."""

    def built(function: str, **options: Any) -> MatrixNetwork:
        key = (function, *sorted(options.items()))
        if key not in _BUILT:
            _BUILT[key] = build(function, **options)
        return _BUILT[key]

    return built
