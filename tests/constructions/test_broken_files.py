"""Files that are cut short, broken or tampered with: refused in one line, or their claims not believed."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from constructions import MatrixNetwork, load
from theory.errors import BadInput

Build = Callable[..., MatrixNetwork]
Tensors = dict[str, np.ndarray]
Records = dict[str, str]


def parts(path: Path) -> tuple[Tensors, Records]:
    from safetensors import safe_open

    with safe_open(str(path), framework="numpy") as archive:
        return {name: archive.get_tensor(name) for name in archive.keys()}, dict(archive.metadata())  # noqa: SIM118


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 9, 100, "header", "header+1", "half", "last"])
def test_a_truncated_file(file: Path, tmp_path: Path, cut: int | str) -> None:
    content = file.read_bytes()
    header = 8 + struct.unpack("<Q", content[:8])[0]
    ends = {"header": header, "header+1": header + 1, "half": len(content) // 2, "last": len(content) - 1}
    (tmp_path / "net").write_bytes(content[: ends.get(cut, cut)])  # type: ignore[arg-type,misc]
    with pytest.raises(BadInput, match="not a whole safetensors file"):
        load(tmp_path / "net")


@pytest.mark.parametrize(
    "content",
    [
        b"not a network at all",
        b"\x80\x04\x95" + b"\x00" * 40,  # a pickle's first bytes
        b"PK\x03\x04" + b"\x00" * 40,
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2**64 - 1) + b"{}",
        struct.pack("<Q", 99_000_000) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 30) + b'{"0.bias":{"dtype":"F64","shap',
        struct.pack("<Q", 67) + b'{"0.bias":{"dtype":"F64","shape":[9999999999999],"data_offsets":[0,8]}}'[:67],
        struct.pack("<Q", 71)
        + b'{"0.bias":{"dtype":"F64","shape":[99999999999999],"data_offsets":[0,8]}}'[:71]
        + b"\x00" * 8,
    ],
)
def test_what_is_no_safetensors_file_or_lies_about_its_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(BadInput, match=r"not a whole safetensors file|not a funmnet network"):
        load(tmp_path / "net")


def test_missing_files_folders_and_no_reading(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, Path("")):
        with pytest.raises(BadInput, match="no such file"):
            load(path)


def first_entry_becomes(name: str, value: float) -> Callable[[Tensors, Records], None]:
    def change(tensors: Tensors, _: Records) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name][0] = value

    return change


def replaced(name: str, make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Tensors, Records], None]:
    def change(tensors: Tensors, _: Records) -> None:
        tensors[name] = np.ascontiguousarray(make(tensors[name]))

    return change


def record(key: str, value: Any) -> Callable[[Tensors, Records], None]:
    def change(_: Tensors, records: Records) -> None:
        records[key] = value if isinstance(value, str) else json.dumps(value)

    return change


def inside_record(key: str, *path: Any, value: Any) -> Callable[[Tensors, Records], None]:
    def change(_: Tensors, records: Records) -> None:
        document = json.loads(records[key])
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        records[key] = json.dumps(document)

    return change


def without(*names: str) -> Callable[[Tensors, Records], None]:
    def change(tensors: Tensors, records: Records) -> None:
        for name in names:
            tensors.pop(name, None)
            records.pop(name, None)

    return change


def swapped_columns(tensors: Tensors, _: Records) -> None:
    indices = tensors["1.weight.indices"].copy()
    indices[0], indices[1] = indices[1], indices[0]
    tensors["1.weight.indices"] = indices


def repeated_column(tensors: Tensors, _: Records) -> None:
    indices = tensors["1.weight.indices"].copy()
    indices[1] = indices[0]
    tensors["1.weight.indices"] = indices


def falling_pointers(tensors: Tensors, _: Records) -> None:
    pointers = tensors["1.weight.indptr"].copy()
    pointers[1], pointers[2] = pointers[2] + 1, pointers[1]
    tensors["1.weight.indptr"] = pointers


def no_neurons(tensors: Tensors, _: Records) -> None:
    for name, kind in (("weight.data", np.float64), ("weight.indices", np.int64), ("bias", np.float64)):
        tensors[f"1.{name}"] = np.zeros(0, dtype=kind)
    tensors["1.weight.indptr"] = np.zeros(1, dtype=np.int64)


BROKEN = {
    "NaN weight": (first_entry_becomes("1.weight.data", float("nan")), "no finite number"),
    "infinite bias": (first_entry_becomes("0.bias", float("inf")), "no finite number"),
    "int32 indices": (replaced("1.weight.indices", lambda a: a.astype(np.int32)), "float64 with int64 indices"),
    "float32 weights": (replaced("1.weight.data", lambda a: a.astype(np.float32)), "float64 with int64 indices"),
    "float16 bias": (replaced("0.bias", lambda a: a.astype(np.float16)), "float64 with int64 indices"),
    "column beyond the layer": (first_entry_becomes("1.weight.indices", 10**6), "does not fit the map before it"),
    "negative column": (first_entry_becomes("1.weight.indices", -1), "sparse structure"),
    "pointers start late": (first_entry_becomes("1.weight.indptr", 1), "sparse structure"),
    "pointers fall": (falling_pointers, "sparse structure"),
    "columns out of order": (swapped_columns, "twice or out of order"),
    "a weight twice": (repeated_column, "twice or out of order"),
    "a bias too short": (replaced("1.bias", lambda a: a[:-1]), "do not fit together"),
    "pointers too short": (replaced("1.weight.indptr", lambda a: a[:-1]), "do not fit together"),
    "indices too short": (replaced("1.weight.indices", lambda a: a[:-1]), "do not fit together"),
    "a bias matrix": (replaced("1.bias", lambda a: a.reshape(1, -1)), "do not fit together"),
    "a scalar bias": (replaced("1.bias", lambda a: np.array(1.0)), "do not fit together"),
    "a layer without neurons": (no_neurons, "do not fit together"),
    "no bias": (without("2.bias"), "do not form a chain"),
    "no pointers": (without("0.weight.indptr"), "do not form a chain"),
    "a map missing": (
        without(*(f"1.{p}" for p in ("bias", "weight.data", "weight.indices", "weight.indptr"))),
        "chain",
    ),
    "the last map missing": (
        lambda tensors, _: [tensors.pop(name) for name in list(tensors) if name.startswith("6.")],
        "not n\\^2 = 4",
    ),
    "one tensor more": (lambda tensors, _: tensors.update(extra=np.zeros(1)), "do not form a chain"),
    "another n": (inside_record("problem", "n", value=3), "not n\\^2 = 9"),
    "n beyond reason": (inside_record("problem", "n", value=10**30), "n must be at most"),
    "n a word": (inside_record("problem", "n", value="two"), "n must be a positive integer"),
    "no eps": (record("problem", {"function": "expm", "n": 2, "domain": {"kind": "box", "M": "1"}}), "incomplete"),
    "eps zero": (inside_record("problem", "eps", value="0"), "eps must be positive"),
    "eps NaN": (record("problem", '{"function": "expm", "n": 2, "eps": NaN}'), r"incomplete|eps must be"),
    "unknown norm": (inside_record("problem", "norm", value=["fro"]), "norm must be one of"),
    "domain a word": (inside_record("problem", "domain", value="box"), "unknown domain"),
    "domain of no kind": (inside_record("problem", "domain", value={"kind": "cube"}), "unknown domain"),
    "a centre beyond reason": (
        inside_record("problem", "domain", value={"kind": "ball", "norm": "2", "centre": "1e999999999", "radius": "1"}),
        "centre must be",
    ),
    "unknown function": (inside_record("problem", "function", value="expn"), "expn is not planned on the domain"),
    "another function": (inside_record("problem", "function", value="sqrt"), "sqrt is not planned on the domain"),
    "a ball about another centre": (
        inside_record("problem", "domain", value={"kind": "ball", "norm": "2", "centre": "9", "radius": "1"}),
        "expm is not planned on the domain",
    ),
    "problem a list": (record("problem", []), "no readable problem record"),
    "problem no JSON": (record("problem", "{"), "no readable problem record"),
    "problem nested without end": (record("problem", "[" * 100_000), "no readable problem record"),
    "no problem": (without("problem"), "no readable problem record"),
    "no recipe": (without("recipe"), "no readable recipe record"),
    "recipe a list": (record("recipe", [1]), "recipe"),
    "recipe of another depth": (inside_record("recipe", "radices", value=[["2"]]), "recipe"),
    "recipe of other radices": (inside_record("recipe", "radices", 0, 0, value="7*5"), "does not describe"),
    "recipe of huge radices": (inside_record("recipe", "radices", 0, 0, value="1000000000*3"), "does not describe"),
    "recipe of a million layers": (inside_record("recipe", "radices", 0, 0, value="2^1000000"), "recipe"),
    "recipe of radix one": (inside_record("recipe", "radices", 0, 0, value="1*1"), "recipe"),
    "recipe of no radices": (inside_record("recipe", "radices", 0, 0, value=""), "recipe"),
    "recipe of degree zero": (inside_record("recipe", "parameters", "degree", value=0), "recipe"),
    "recipe of degree 10^9": (inside_record("recipe", "parameters", "degree", value=10**9), "recipe"),
    "recipe of many scalings": (inside_record("recipe", "parameters", "scalings", value=10**9), "recipe"),
    "recipe of no route": (inside_record("recipe", "route", value="magic"), "no route that is built"),
    "recipe of no scheme": (inside_record("recipe", "parameters", "scheme", value="magic"), "recipe"),
    "no blocks": (without("blocks"), "no readable blocks record"),
    "blocks a number": (record("blocks", "3"), "no readable blocks record"),
    "a block of no layer": (inside_record("blocks", 0, "layer", value=99), "outside the hidden layers"),
    "a block past its layer": (inside_record("blocks", 0, "neurons", value=[0, 10**6]), "outside the hidden layers"),
    "a range beyond reason": (inside_record("blocks", 0, "range", value=["0", "1e999999999"]), "no readable blocks"),
    "a range of NaN": (inside_record("blocks", 0, "range", value=["0", "nan"]), "no readable blocks"),
    "a range of one end": (inside_record("blocks", 0, "range", value=["0"]), "no readable blocks"),
    "a newer format": (record("format", "funmnet/2"), "of format funmnet/2; this version reads funmnet/1: upgrade"),
    "another format": (record("format", "pt"), "not a funmnet network"),
    "no format": (without("format"), "not a funmnet network"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_one_clear_refusal(file: Path, tmp_path: Path, how: str) -> None:
    change, named = BROKEN[how]
    tensors, records = parts(file)
    change(tensors, records)
    save_file(tensors, str(tmp_path / "net"), metadata=records)
    with pytest.raises(BadInput, match=named) as refused:
        load(tmp_path / "net")
    assert len(str(refused.value)) < 500


# ---- tampered files: well-formed, but not what the theorem builds -------------------------------------------------

TAMPERED = {
    "a weight": lambda tensors, records: first_entry_becomes("1.weight.data", 1.5)(tensors, records),
    "a bias by one unit": lambda tensors, _: tensors.update(
        {"2.bias": np.nextafter(tensors["2.bias"], np.where(tensors["2.bias"] == 0, 0, np.inf))}
    ),
    "a larger domain": inside_record("problem", "domain", value={"kind": "box", "M": "2"}),
    "a degree": inside_record("recipe", "parameters", "degree", value=3),
    "a claimed range": inside_record("blocks", 0, "range", value=["0", "1/2"]),
    "a block's name": inside_record("blocks", 0, "kind", value="carry"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_file_claims_nothing(file: Path, tmp_path: Path, how: str) -> None:
    tensors, records = parts(file)
    TAMPERED[how](tensors, records)
    save_file(tensors, str(tmp_path / "net"), metadata=records)
    try:
        loaded = load(tmp_path / "net")
    except BadInput:
        assert how == "a degree"  # whose program has another number of products
        return
    assert not loaded.matches_plan


def test_parameters_a_route_does_not_have_are_refused(build_once: Build, tmp_path: Path) -> None:
    """Scalings would shrink the truncation's bound while Horner's program ignores them."""
    build_once("expm", n=2, eps="1e-2", route="horner").save(tmp_path / "net")
    tensors, records = parts(tmp_path / "net")
    inside_record("recipe", "parameters", "scalings", value=6)(tensors, records)
    save_file(tensors, str(tmp_path / "net"), metadata=records)
    with pytest.raises(BadInput, match="no route that is built"):
        load(tmp_path / "net")


def test_a_smaller_promise_is_not_believed(net: MatrixNetwork, file: Path, tmp_path: Path) -> None:
    """eps and bounds are text in the file; what is proved is proved afresh from the recipe."""
    tensors, records = parts(file)
    inside_record("problem", "eps", value="1/1000000")(tensors, records)
    record("bounds", {"error": "0", "freezing": "0", "norm": "fro", "kind": "TIGHT"})(tensors, records)
    save_file(tensors, str(tmp_path / "net"), metadata=records)
    loaded = load(tmp_path / "net")
    assert loaded.matches_plan
    assert abs(loaded.bound - net.bound) < net.bound / 10**6
    assert loaded.bound > loaded.problem.eps
