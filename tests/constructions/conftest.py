"""Networks are built once a session: name the request, get the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
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


@pytest.fixture(scope="module")
def net(build_once: Callable[..., MatrixNetwork]) -> MatrixNetwork:
    """A small network: e^A, n = 2. Modules that need another have a fixture of this name themselves."""
    return build_once("expm", n=2, eps="1e-2")


@pytest.fixture(scope="module")
def file(net: MatrixNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module's ``net`` as it is stored."""
    path = tmp_path_factory.mktemp("net") / "expm.safetensors"
    net.save(path)
    return path
