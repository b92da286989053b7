"""Model files: what is read is exact, and files that would take too much are refused before they do."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from empirical.certify import reading
from empirical.certify.reading import read_relu_chain, relu_chain_of
from theory.errors import BadInput


def _sequential() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 4))


def test_a_state_dict_is_read_without_rounding(tmp_path: Path) -> None:
    model = _sequential()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    chain = read_relu_chain(tmp_path / "model.pt")
    assert chain.architecture == (4, 5, 4)
    assert (chain.weights[0] == model[0].weight.detach().numpy().astype(np.float64)).all()
    assert (chain.biases[1] == model[2].bias.detach().numpy().astype(np.float64)).all()


def test_files_too_large_packed_or_unpacked_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(_sequential().state_dict(), tmp_path / "model.pt")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "LARGEST_FILE", 100)
        with pytest.raises(BadInput, match="takes more than"):
            read_relu_chain(tmp_path / "model.pt")
    packed = tmp_path / "packed.pt"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(reading.LARGEST_FILE + 1))
    assert packed.stat().st_size < 10**6
    with pytest.raises(BadInput, match="takes more than 256 MiB"):
        read_relu_chain(packed)


def test_missing_damaged_and_foreign_files_are_one_line(tmp_path: Path) -> None:
    torch.save(_sequential().state_dict(), tmp_path / "whole.pt")
    whole = (tmp_path / "whole.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.safetensors").write_text("no tensors here")
    (tmp_path / "model.h5").write_bytes(b"x")
    torch.save({"0.weight": torch.eye(4), "1.weight": torch.eye(4)}, tmp_path / "linear.pt")
    for name in ("absent.pt", "cut.pt", "text.safetensors", "model.h5", "linear.pt"):
        with pytest.raises(BadInput) as caught:
            read_relu_chain(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_pickle_that_would_run_code_runs_none(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Hostile:
        def __reduce__(self) -> tuple:
            return (Path.touch, (marker,))

    torch.save({"0.weight": Hostile()}, tmp_path / "hostile.pt")
    with pytest.raises(BadInput):
        read_relu_chain(tmp_path / "hostile.pt")
    assert not marker.exists()


def test_a_sequential_in_memory_is_the_same_chain() -> None:
    torch.manual_seed(3)
    network = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 4, bias=False))
    chain = relu_chain_of(network)
    points = np.random.default_rng(0).normal(size=(6, 4))
    with torch.no_grad():
        expected = network.double()(torch.from_numpy(points)).numpy()
    # The same float64 weights, summed in another order.
    np.testing.assert_allclose(chain.values(points), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("layers", [[nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)], [nn.Linear(4, 4), nn.ReLU()], []])
def test_other_modules_are_refused(layers: list) -> None:
    with pytest.raises(BadInput, match="Linear and ReLU in turn"):
        relu_chain_of(nn.Sequential(*layers))
