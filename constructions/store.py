"""The native file: one safetensors file that carries numbers and text, never code.

For affine map i (from 0): ``i.weight.data`` (float64), ``i.weight.indices``, ``i.weight.indptr`` (int64, CSR) and
``i.bias`` (float64). Input and output are the matrix flattened row by row (two inputs: X, then Y). Metadata:
``format``, ``writer``, and as JSON ``problem``, ``theorem``, ``bounds``, ``recipe`` (what plans the same network again)
and ``blocks``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sps
from numpy.typing import NDArray

from constructions.catalogue import replan_problem
from constructions.exact import ExactMatrix
from constructions.network import Affine, Block, Network
from constructions.program_network import OUTPUT, input_ports
from theory.counts import plan_architecture
from theory.errors import BadInput
from theory.files import whole_file
from theory.problem import Problem

if TYPE_CHECKING:
    from constructions.matrix_network import MatrixNetwork

__all__ = ["FORMAT", "load", "save"]

FORMAT = "funmnet/1"
_PARTS = ("weight.data", "weight.indices", "weight.indptr", "bias")
_TYPES = ["F64", "I64", "I64", "F64"]
_RATIONAL = re.compile(r"-?\d{1,4000}(/\d{1,4000})?")


def save(net: MatrixNetwork, path: str | Path) -> None:
    """Write a network, whole or not at all.

    Raises:
        BadInput: If it cannot be written there.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {}
    for i, affine in enumerate(net.network.maps):
        csr = affine.augmented.floats()
        weight = sps.csr_array(csr[:, :-1])
        tensors[f"{i}.weight.data"] = weight.data.astype(np.float64)
        tensors[f"{i}.weight.indices"] = weight.indices.astype(np.int64)
        tensors[f"{i}.weight.indptr"] = weight.indptr.astype(np.int64)
        tensors[f"{i}.bias"] = csr[:, [-1]].toarray().reshape(-1)
    with whole_file(path) as temporary:
        try:
            save_file(tensors, str(temporary), metadata=_metadata(net))
        except SafetensorError as error:  # how the library reports a full disk
            raise BadInput(f"cannot write {path}: {error}") from None


def _metadata(net: MatrixNetwork) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        writer = f"funmnet {version('funmnet')}"
    except PackageNotFoundError:
        writer = "funmnet (not installed)"
    plan = net.plan
    bounds = {"error": str(plan.error), "freezing": str(plan.freezing), "norm": plan.problem.norm, "kind": "UPPER"}
    blocks = [
        {
            "kind": block.kind,
            "name": block.name,
            "layer": block.layer,
            "neurons": [block.start, block.stop],
            "range": [str(block.lo), str(block.hi)],
        }
        for block in net.network.blocks
    ]
    return {
        "format": FORMAT,
        "writer": writer,
        "problem": json.dumps(plan.problem.json()),
        "theorem": plan.theorem,
        "bounds": json.dumps(bounds),
        "recipe": json.dumps(plan.recipe()),
        "blocks": json.dumps(blocks),
    }


def load(path: str | Path) -> MatrixNetwork:
    """Read a network; what the file claims is planned and proved afresh, and layers are checked before they are read.

    Raises:
        BadInput: If the file is missing, truncated, not of this format, or its parts do not fit.
    """
    from constructions.matrix_network import MatrixNetwork

    source = Path(path)
    if not source.is_file():
        raise BadInput(f"no such file: {source}")
    try:
        from safetensors import SafetensorError, safe_open

        with safe_open(str(source), framework="numpy") as archive:
            metadata = dict(archive.metadata() or {})
            problem = _read_problem(metadata, source)
            names = set(archive.keys())
            count = _count_maps(names, source)
            shapes = {name: tuple(archive.get_slice(name).get_shape()) for name in names}
            _check_shapes(shapes, count, problem.n, source)
            inputs = input_ports(problem)
            first = sum(width for _, width in inputs)
            maps = tuple(
                _read_map(archive, i, int(shapes[f"{i - 1}.bias"][0]) if i else first, source)
                for i in range(count)
            )
    except SafetensorError as error:
        raise BadInput(f"{source} is not a whole safetensors file: {error}") from None
    except OSError as error:
        raise BadInput(f"cannot read {source}: {error.strerror or error}") from None
    plan = replan_problem(problem, _json(metadata, "recipe", source), count - 1)
    blocks = _read_blocks(metadata, [affine.outputs for affine in maps[:-1]], source)
    network = Network(maps, inputs, ((OUTPUT, problem.n**2),), blocks)
    # Recipes are small and networks large: one of other widths is refused before anything is done with it.
    if plan_architecture(plan) != network.architecture:
        raise BadInput(f"{source}: the recipe does not describe the file's layers")
    return MatrixNetwork(network, plan)


def _json(metadata: Mapping[str, str], key: str, source: Path) -> Any:
    try:
        return json.loads(metadata[key])
    except (KeyError, ValueError, RecursionError):
        raise BadInput(f"{source} has no readable {key} record") from None


def _read_problem(metadata: Mapping[str, str], source: Path) -> Problem:
    form = metadata.get("format", "")
    if form != FORMAT:
        if form.startswith("funmnet/"):
            raise BadInput(f"{source} is of format {form}; this version reads {FORMAT}: upgrade funmnet")
        raise BadInput(f"{source} is not a funmnet network (format record: {form[:40]!r})")
    record = _json(metadata, "problem", source)
    if not isinstance(record, dict):
        raise BadInput(f"{source} has no readable problem record")
    return Problem.from_json(record)


def _count_maps(names: set[str], source: Path) -> int:
    count = sum(name.endswith(".bias") for name in names)
    expected = {f"{i}.{part}" for i in range(count) for part in _PARTS}
    if not count or names != expected:
        odd = sorted(names ^ expected)[:3]
        raise BadInput(f"{source}: tensors do not form a chain of affine maps (see {', '.join(odd) or 'none'})")
    return count


def _check_shapes(shapes: Mapping[str, tuple[int, ...]], count: int, n: int, source: Path) -> None:
    for i in range(count):
        rows = shapes[f"{i}.bias"]
        data, indices, indptr = (shapes[f"{i}.weight.{part}"] for part in ("data", "indices", "indptr"))
        if len(rows) != 1 or not rows[0] or indptr != (rows[0] + 1,) or len(data) != 1 or data != indices:
            raise BadInput(f"{source}: the parts of map {i} do not fit together")
    if shapes[f"{count - 1}.bias"] != (n * n,):
        raise BadInput(f"{source}: the last map gives {shapes[f'{count - 1}.bias'][0]} numbers, not n^2 = {n * n}")


def _read_map(archive: Any, i: int, columns: int, source: Path) -> Affine:
    types = [archive.get_slice(f"{i}.{part}").get_dtype() for part in _PARTS]
    if types != _TYPES:
        raise BadInput(f"{source}: map {i} is not float64 with int64 indices")
    data, indices, indptr, bias = (archive.get_tensor(f"{i}.{part}") for part in _PARTS)
    ordered = indptr[0] == 0 and indptr[-1] == len(data) and bool((np.diff(indptr) >= 0).all())
    if not ordered or (len(indices) and not 0 <= indices.min() <= indices.max() < columns):
        raise BadInput(f"{source}: the sparse structure of map {i} is broken or does not fit the map before it")
    if not (np.isfinite(data).all() and np.isfinite(bias).all()):
        raise BadInput(f"{source}: map {i} has a weight that is no finite number")
    # Within a row, columns increase: nothing is given twice, so nothing depends on the order of a sum.
    inner = np.ones(len(indices), dtype=bool)
    inner[indptr[:-1][np.diff(indptr) > 0]] = False
    if not (np.diff(indices) > 0)[inner[1:]].all():
        raise BadInput(f"{source}: map {i} gives a weight twice or out of order")
    weight = sps.csr_array((data, indices, indptr), shape=(len(bias), columns))
    return Affine(ExactMatrix.from_floats(sps.csr_array(sps.hstack([weight, bias[:, None]], format="csr"))))


def _read_blocks(metadata: Mapping[str, str], widths: Sequence[int], source: Path) -> tuple[Block, ...]:
    try:
        blocks = tuple(_read_block(record) for record in _json(metadata, "blocks", source))
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        raise BadInput(f"{source} has no readable blocks record") from None
    for block in blocks:
        if not 0 <= block.layer < len(widths) or not 0 <= block.start <= block.stop <= widths[block.layer]:
            raise BadInput(f"{source}: a block lies outside the hidden layers")
    return blocks


def _read_block(record: Mapping[str, Any]) -> Block:
    start, stop = record["neurons"]
    ends = [str(end) for end in record["range"]]
    if len(ends) != 2 or not all(_RATIONAL.fullmatch(end) for end in ends):
        raise ValueError("a range is two rationals")
    lo, hi = (Fraction(end) for end in ends)
    return Block(str(record["kind"]), str(record["name"]), int(record["layer"]), int(start), int(stop), lo, hi)
