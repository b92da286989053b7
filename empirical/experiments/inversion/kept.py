"""Trained networks as files, which ``python -m empirical certify`` and ``witness`` read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from empirical.experiments.inversion.boxes import Box
from empirical.experiments.inversion.training import Bundle, Run
from theory.errors import BadInput
from theory.files import whole_file

if TYPE_CHECKING:
    from empirical.experiments.request import Request

__all__ = ["check_store", "keep_networks"]

#: Networks with more parameters are not kept with the code: 9-72-72-9 has 6,633, 256-2048-256 has a million.
_STORED = 10_000


def check_store(request: Request) -> None:
    """See that networks can be written as safetensors where the request wants them stored, before any training.

    Raises:
        BadInput: If they cannot.
    """
    from importlib.util import find_spec

    if request.store is not None and find_spec("safetensors") is None:
        raise BadInput('--store keeps networks as safetensors, which needs the package: pip install "safetensors>=0.4"')


def keep_networks(request: Request, bundle: Bundle, run: Run) -> None:
    """Write every network as a state dict, ``networks/EXPERIMENT-SCALE-LABEL.pt``, and every box's centre as ``.npy``.

    Where the request stores its record with the code, small networks go there too, as safetensors.
    """
    _write(request.folder / "networks", request, bundle, run, stored=False)
    if request.store is not None:
        _write(request.store / "networks", request, bundle, run, stored=True)


def _write(place: Path, request: Request, bundle: Bundle, run: Run, *, stored: bool) -> None:
    import numpy as np

    place.mkdir(parents=True, exist_ok=True)
    prefix, written = f"{request.experiment}-{request.scale}", set()
    for index, (member, label) in enumerate(zip(bundle.members, bundle.labels, strict=True)):
        if stored and member.parameters > _STORED:
            continue
        written.add(member.source)
        state = run.model.network(index).state_dict()
        with whole_file(place / f"{prefix}-{label}.{'safetensors' if stored else 'pt'}") as temporary:
            if stored:
                from safetensors.torch import save_file

                save_file(state, temporary)
            else:
                torch.save(state, temporary)
    for box in {bundle.sources[place].place.name: bundle.sources[place].place for place in written}.values():
        if isinstance(box, Box):
            with whole_file(place / f"{prefix}-{box.name}-centre.npy") as temporary, temporary.open("wb") as stream:
                np.save(stream, box.centre_tensor().numpy())
