"""Modules with code of their own: traced by torch.fx into a graph, whose nodes are certified one after the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn

from empirical.lipschitz.norms import norm_bound
from empirical.lipschitz.operations import METHODS, Uncertified, operate
from empirical.lipschitz.walk import Traced, attend, run_at_zero, through_layer
from empirical.lipschitz.weights import array
from theory.errors import BadInput
from theory.lipschitz.certificate import Certificate

__all__ = ["through_graph"]


def through_graph(module: nn.Module, name: str, value: Traced) -> Traced:
    """Return the value after a module whose ``forward`` torch.fx can trace.

    Raises:
        BadInput: If it cannot be traced, takes more than one input, or has an operation without a certificate.
    """
    label = name or type(module).__name__
    try:
        graph = fx.Tracer().trace(module)
    except (fx.proxy.TraceError, TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"torch.fx cannot trace {label}: {first}") from None
    values: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node.op == "output":
            result = _result(node, values, label)
            _check_trace(module, graph, value, label)
            return result
        values[node] = _node(module, node, values, value, label)
    raise BadInput(f"{label} returns nothing")


def _check_trace(module: nn.Module, graph: fx.Graph, value: Traced, label: str) -> None:
    """Compare module and trace at one point: torch.fx does not see that ``x += y`` changes x for everybody.

    Raises:
        BadInput: If the two differ.
    """
    generator = torch.Generator().manual_seed(0)
    point = torch.randn(value.example.shape, generator=generator, dtype=torch.float64).to(value.example)
    expected = run_at_zero(lambda: module(point.clone()), label)
    found = run_at_zero(lambda: fx.GraphModule(module, graph)(point.clone()), label)
    if not torch.allclose(found, expected):
        raise BadInput(f"{label} does not compute what torch.fx traces: does it work in place, or draw at random?")


def _node(module: nn.Module, node: fx.Node, values: dict[fx.Node, Any], value: Traced, label: str) -> Any:
    arguments, keywords = _resolved(node.args, values), _resolved(node.kwargs, values)
    match node.op:
        case "placeholder":
            return _input(node, values, value, label)
        case "get_attr":
            return _constant(_attribute(module, str(node.target)))
        case "call_module":
            child = module.get_submodule(str(node.target))
            return _call(child, f"{label}.{node.target}", arguments, keywords)
        case "call_function":
            return operate(node.target, arguments, keywords, label)
        case "call_method":
            if str(node.target) not in METHODS:
                raise BadInput(f"no certificate for the method {node.target!r} in {label}")
            return operate(METHODS[str(node.target)], arguments, keywords, label)
    raise BadInput(f"no certificate for the graph node {node.op} in {label}")


def _resolved(arguments: Any, values: dict[fx.Node, Any]) -> Any:
    """Return the arguments with every node replaced by its value; one without a certificate is refused."""

    def look_up(node: fx.Node) -> Any:
        value = values[node]
        if isinstance(value, Uncertified):
            raise BadInput(value.reason)
        return value

    return fx.node.map_arg(arguments, look_up)


def _input(node: fx.Node, values: dict[fx.Node, Any], value: Traced, label: str) -> Any:
    if not any(isinstance(known, Traced) for known in values.values()):
        return value
    if node.args:
        return node.args[0]  # an optional argument, at its default
    raise BadInput(f"{label} takes more than one input: only maps of one tensor are certified")


def _attribute(module: nn.Module, path: str) -> Any:
    target: Any = module
    for part in path.split("."):
        target = getattr(target, part)
    return target


def _constant(value: Any) -> Any:
    if not torch.is_tensor(value) or not value.is_floating_point():
        return value
    return Traced(Certificate.lipschitz(0, norm_bound(array(value))), value)


def _call(child: nn.Module, label: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Traced:
    # In a chain nobody looks at an input again; here x + relu_(x) would, and find it changed.
    if any(getattr(part, "inplace", False) for part in child.modules()):
        raise BadInput(f"no certificate for {label}, which works in place: set inplace=False")
    if type(child) is nn.MultiheadAttention:
        extra = set(keywords) - {"need_weights", "average_attn_weights", "query", "key", "value"}
        parts = [*arguments, *(keywords[name] for name in ("query", "key", "value") if name in keywords)]
        if extra or len(parts) != 3 or not all(isinstance(part, Traced) for part in parts):
            raise BadInput(f"{label} is certified for a query, a key and a value alone, without masks")
        return attend(child, (parts[0], parts[1], parts[2]))
    if len(arguments) != 1 or keywords or not isinstance(arguments[0], Traced):
        raise BadInput(f"{label} is certified as a map of one tensor, and is called with more")
    return through_layer(child, label, _plain(arguments[0], label))


def _plain(value: Traced, label: str) -> Traced:
    if value.first_of:
        raise BadInput(f"{label} is handed a tuple of results; take the first, as in layer(x)[0]")
    return value


def _result(node: fx.Node, values: dict[fx.Node, Any], label: str) -> Traced:
    result = _resolved(node.args[0], values)
    if not isinstance(result, Traced):
        raise BadInput(f"{label} must return one tensor")
    return _plain(result, label)
