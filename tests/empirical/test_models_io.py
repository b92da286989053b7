"""The reader: what it reads computes what torch and onnxruntime compute, and what it cannot read is one clear line."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from empirical.models_io import LARGEST_FILE, Chain, Dense, matrix_size, read_chain
from theory.errors import BadInput


def small_model(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 4))


def save_pt(model: nn.Module, folder: Path) -> Path:
    torch.save(model.state_dict(), folder / "model.pt")
    return folder / "model.pt"


def save_safetensors(model: nn.Module, folder: Path) -> Path:
    from safetensors.torch import save_file

    save_file(model.state_dict(), str(folder / "model.safetensors"))
    return folder / "model.safetensors"


def write_onnx(folder: Path, nodes: list, weights: dict[str, np.ndarray], shape: tuple[int, ...] = (1, 4)) -> Path:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    return folder / "model.onnx"


def save_onnx(model: nn.Sequential, folder: Path) -> Path:
    """Gemm with a transposed weight, then Relu, then MatMul and Add: both ways a dense layer is written."""
    from onnx import helper

    parts = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    nodes = [
        helper.make_node("Flatten", ["x"], ["x0"]),
        helper.make_node("Gemm", ["x0", "0.weight", "0.bias"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w1"], ["c"]),
        helper.make_node("Add", ["2.bias", "c"], ["d"]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "w2", "4.bias"], ["y"]),
    ]
    weights = {"0.weight": parts["0.weight"], "w1": parts["2.weight"].T, "w2": parts["4.weight"].T}
    return write_onnx(folder, nodes, weights | {name: parts[name] for name in ("0.bias", "2.bias", "4.bias")})


@pytest.mark.parametrize("save", [save_pt, save_safetensors, save_onnx])
def test_a_stored_model_is_read_as_it_was(save: Callable[[nn.Sequential, Path], Path], tmp_path: Path) -> None:
    model = small_model()
    chain = read_chain(save(model, tmp_path))
    assert [layer.relu for layer in chain.layers] == [True, True, False]
    for layer, kept in zip(chain.layers, [model[0], model[2], model[4]], strict=True):
        assert np.array_equal(layer.weight, kept.weight.detach().double().numpy())
        assert np.array_equal(layer.bias, kept.bias.detach().double().numpy())
    x = np.random.default_rng(1).standard_normal((6, 4))
    # Both evaluate in float64 with sums of at most 7 terms: they differ by rounding of the order of 1e-15.
    assert np.allclose(chain.evaluate(x), model.double()(torch.from_numpy(x)).detach().numpy(), rtol=0, atol=1e-13)
    assert matrix_size(chain) == 2
    assert len(chain.alternating()[0]) == 3


def test_an_onnx_chain_computes_what_its_runtime_computes(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    path = save_onnx(small_model(3), tmp_path)
    x = np.random.default_rng(2).standard_normal((1, 4)).astype(np.float32)
    found = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    # float32 against float64: three layers of sums of at most 7 terms of size about 1, 2^-24 each.
    assert np.allclose(read_chain(path).evaluate(x.astype(np.float64)), found, rtol=0, atol=1e-5)


floats = st.floats(-4, 4) | st.sampled_from([0.0, 5e-324, -1e-300, 2.0**40, 1 / 3])


@given(st.lists(floats, min_size=9, max_size=9), st.lists(st.fractions(max_denominator=7, min_value=-9, max_value=9),
                                                            min_size=2, max_size=2))  # fmt: skip
def test_exact_evaluation_is_the_definition_in_fractions(numbers: list[float], x: list[Fraction]) -> None:
    first = Dense(np.array(numbers[:4]).reshape(2, 2), np.array(numbers[4:6]), relu=True)
    second = Dense(np.array(numbers[6:8]).reshape(1, 2), np.array(numbers[8:]), relu=False)
    hidden = [
        max(sum((Fraction(float(w)) * a for w, a in zip(row, x, strict=True)), Fraction(float(b))), Fraction(0))
        for row, b in zip(first.weight, first.bias, strict=True)
    ]
    expected = sum(Fraction(float(w)) * h for w, h in zip(second.weight[0], hidden, strict=True))
    assert Chain((first, second)).evaluate_exactly(x) == [expected + Fraction(float(second.bias[0]))]


def test_numbers_that_follow_each_other_have_no_relu_between(tmp_path: Path) -> None:
    chain = read_chain(
        save_pt(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1)), tmp_path)
    )
    assert [layer.relu for layer in chain.layers] == [False, True, False]
    assert not chain.layers[1].bias.any()
    with pytest.raises(BadInput, match="ReLU between"):
        chain.alternating()


def test_damaged_and_foreign_files_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "broken.safetensors").write_bytes(b"\xff" * 40)
    (tmp_path / "broken.onnx").write_bytes(b"\x00\x01garbage")
    torch.save(small_model(), tmp_path / "pickled.pt")  # a whole module: needs unpickling
    torch.save([torch.zeros(2)], tmp_path / "list.pt")
    torch.save({"conv.weight": torch.zeros(2)}, tmp_path / "names.pt")
    torch.save({"0.bias": torch.zeros(2)}, tmp_path / "bias.pt")
    torch.save({"0.weight": torch.full((2, 2), float("nan"))}, tmp_path / "nan.pt")
    torch.save({"0.weight": torch.zeros(2, 3), "2.weight": torch.zeros(2, 3)}, tmp_path / "misfit.pt")
    torch.save({"a.0.weight": torch.zeros(2, 2), "b.0.weight": torch.zeros(2, 2)}, tmp_path / "two.pt")
    torch.save({}, tmp_path / "empty.pt")
    (tmp_path / "model.txt").write_text("")
    cases = {
        "broken.pt": "cannot read", "broken.safetensors": "cannot read", "broken.onnx": "cannot read",
        "pickled.pt": "cannot read", "list.pt": "state dict", "names.pt": "'conv.weight'", "bias.pt": "no weight",
        "nan.pt": "not finite", "misfit.pt": "do not fit", "two.pt": "two layers", "empty.pt": "no dense layer",
        "model.txt": "cannot tell", "absent.pt": "no model file",
    }  # fmt: skip
    for name, message in cases.items():
        with pytest.raises(BadInput, match=message) as caught:
            read_chain(tmp_path / name)
        assert "\n" not in str(caught.value), name


ODD_ENTRIES = {
    "convolution": ({"0.weight": torch.zeros(4, 1, 2, 2), "0.bias": torch.zeros(4)}, "layer 0 is no Linear"),
    "normalisation": ({"0.weight": torch.eye(4), "1.weight": torch.ones(4)}, "layer 1 is no Linear"),
    "complex": ({"0.weight": torch.zeros(4, 4, dtype=torch.complex64)}, "floating-point"),
    "whole numbers": ({"0.weight": torch.eye(4, dtype=torch.int64)}, "floating-point"),
    "sparse": ({"0.weight": torch.eye(4).to_sparse()}, "floating-point"),
    "no data": ({"0.weight": torch.zeros(4, 4, device="meta")}, "floating-point"),
    "text": ({"0.weight": "four"}, "no tensor but a str"),
    "short bias": ({"0.weight": torch.eye(4), "0.bias": torch.zeros(3)}, "layer 0 .* 3 biases"),
}


@pytest.mark.parametrize("name", list(ODD_ENTRIES))
def test_entries_that_are_no_dense_layer_are_named(name: str, tmp_path: Path) -> None:
    state, message = ODD_ENTRIES[name]
    torch.save(state, tmp_path / "model.pt")
    with pytest.raises(BadInput, match=message) as refusal:
        read_chain(tmp_path / "model.pt")
    assert len(str(refusal.value).splitlines()) == 1


def test_a_whole_pickled_model_is_refused_with_what_to_save_instead(tmp_path: Path) -> None:
    torch.save(small_model(), tmp_path / "model.pt")
    with pytest.raises(BadInput, match=r"save model\.state_dict\(\)"):
        read_chain(tmp_path / "model.pt")
    (tmp_path / "words.pt").write_text("hello")
    with pytest.raises(BadInput, match="not written by saving a state dict"):
        read_chain(tmp_path / "words.pt")


def test_safetensors_are_read_without_torch_and_bfloat16_with_it(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    code = (
        "import sys; from empirical.models_io import read_chain; read_chain(sys.argv[1]); print('torch' in sys.modules)"
    )
    plain = save_safetensors(small_model(), tmp_path)
    short = tmp_path / "short.safetensors"
    state = {key: tensor.bfloat16() for key, tensor in small_model().state_dict().items()}
    save_file(state, str(short))
    for file, needed in ((plain, "False"), (short, "True")):
        command = [sys.executable, "-c", code, str(file)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == needed
    weight = read_chain(short).layers[0].weight
    assert np.array_equal(weight, state["0.weight"].double().numpy())
    save_file({"0.weight": torch.eye(4, dtype=torch.int32)}, str(tmp_path / "whole.safetensors"))
    with pytest.raises(BadInput, match="floating-point"):
        read_chain(tmp_path / "whole.safetensors")


def test_archives_that_unpack_to_too_much_are_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", bytes(1 << 20))
        # The directory's own figure is what is added up: make it claim more than any file read here may hold.
        archive.infolist()[0].file_size = LARGEST_FILE + 1
    with pytest.raises(BadInput, match="more than is read"):
        read_chain(tmp_path / "bomb.pt")


def test_graphs_that_are_no_chain_are_refused(tmp_path: Path) -> None:
    from onnx import helper

    w, b = np.eye(4), np.ones(4)
    gemm = helper.make_node("Gemm", ["x", "w", "b"], ["a"])
    cases = [
        ([gemm, helper.make_node("Add", ["a", "x"], ["y"])], "next in line"),
        ([gemm, helper.make_node("Tanh", ["a"], ["y"])], "is a Tanh"),
        ([helper.make_node("Relu", ["x"], ["y"])], "starts with Relu"),
        ([helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=2.0)], "alpha"),
        ([gemm, helper.make_node("Add", ["a", "b"], ["y"])], "no bias"),
    ]
    for nodes, message in cases:
        with pytest.raises(BadInput, match=message):
            read_chain(write_onnx(tmp_path, nodes, {"w": w, "b": b}))


def test_a_model_of_other_sizes_is_no_matrix_map() -> None:
    layer = Dense(np.zeros((4, 3)), np.zeros(4), relu=False)
    with pytest.raises(BadInput, match="3 numbers to 4"):
        matrix_size(Chain((layer,)))
