"""A formula as a list of simple operations, each used once, with its divisions collected into as few as possible.

Sums of quotients share one denominator (``1/sin(x) - 1/x`` becomes ``(x - sin(x))/(x*sin(x))``) and tangents are
quotients, so a singularity that cancels shows as a numerator and a denominator with a common zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import sympy as sp

from theory.errors import BadInput
from theory.parse import formula_text
from theory.roots import CosRoot, SincRoot, without_roots
from theory.symbols import X

__all__ = ["CUTS", "Node", "Tape", "compile_tape", "polynomial_degree", "shortened"]

#: Operations whose principal branch has a cut.
CUTS = ("log", "sqrt", "rsqrt", "asin", "acos", "atan", "asinh", "acosh", "atanh")
_FUNCTIONS = {
    sp.exp: "exp", sp.log: "log", sp.sin: "sin", sp.cos: "cos", sp.sinh: "sinh", sp.cosh: "cosh", sp.asin: "asin",
    sp.acos: "acos", sp.atan: "atan", sp.asinh: "asinh", sp.acosh: "acosh", sp.atanh: "atanh",
    CosRoot: "cosroot", SincRoot: "sincroot",
}  # fmt: skip
_QUOTIENTS = {sp.tan: ("sin", "cos"), sp.tanh: ("sinh", "cosh")}
#: A denominator: node -> power, a product.
_Factors = Mapping[int, int]
_Fraction = tuple[int, _Factors]


@dataclass(frozen=True)
class Node:
    """One operation: its name, the nodes it works on, and its constant (``const``) or integer exponent (``ipow``)."""

    op: str
    args: tuple[int, ...] = ()
    value: sp.Expr | int | None = None


@dataclass(frozen=True)
class Tape:
    """Operations in an order in which arguments come first; the last one is the formula.

    Raises:
        ValueError: If an argument does not come before its operation.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.nodes or any(arg >= i for i, node in enumerate(self.nodes) for arg in node.args):
            raise ValueError("a tape lists arguments before the operations that use them")

    @property
    def root(self) -> int:
        """The node of the whole formula."""
        return len(self.nodes) - 1

    def needed(self, roots: Iterable[int]) -> tuple[int, ...]:
        """Return the nodes the given ones are computed from, themselves included, in order."""
        found: set[int] = set()
        todo = list(roots)
        while todo:
            node = todo.pop()
            if node not in found:
                found.add(node)
                todo += self.nodes[node].args
        return tuple(sorted(found))

    def depends(self, node: int) -> bool:
        """Return whether the variable occurs in a node."""
        return any(self.nodes[i].op == "var" for i in self.needed([node]))

    def guards(self) -> tuple[int, ...]:
        """Return the operations that can fail to be analytic: divisions and principal branches."""
        return tuple(i for i, node in enumerate(self.nodes) if node.op == "div" or node.op in CUTS)

    def expression(self, node: int) -> sp.Expr:
        """Return a node as a SymPy expression in X."""
        item = self.nodes[node]
        args = [self.expression(arg) for arg in item.args]
        match item.op:
            case "const":
                return item.value
            case "var":
                return X
            case "add":
                return sp.Add(*args)
            case "mul":
                return sp.Mul(*args)
            case "div":
                return args[0] / args[1]
            case "ipow":
                return args[0] ** item.value
            case "sqrt":
                return sp.sqrt(args[0])
            case "rsqrt":
                return 1 / sp.sqrt(args[0])
            case "cosroot":
                return sp.cos(sp.sqrt(args[0]))
            case "sincroot":
                return sp.sin(sp.sqrt(args[0])) / sp.sqrt(args[0])
        return getattr(sp, item.op)(*args)

    def text(self, node: int) -> str:
        """Return a node as text in x, shortened."""
        return shortened(self.expression(node))


def shortened(expression: sp.Expr) -> str:
    """Return the text of an expression, cut to fit a line."""
    text = formula_text(expression)
    return text if len(text) <= 60 else text[:57] + "..."


def compile_tape(expression: sp.Expr) -> Tape:
    """Return the operations of a formula in X.

    Raises:
        BadInput: If the expression has another variable, a complex constant or an unknown function.
    """
    if not isinstance(expression, sp.Expr):
        # A string is not sympified here: that would evaluate it.
        raise BadInput("a formula must be a SymPy expression; read text with theory.parse.parse_formula")
    compiler = _Compiler()
    root = compiler.value(without_roots(expression))
    # Common subexpressions may put the root before nodes that were compiled on the way and are not needed.
    keep = Tape(tuple(compiler.nodes)).needed([root])
    place = {old: new for new, old in enumerate(keep)}
    kept = [compiler.nodes[i] for i in keep]
    return Tape(tuple(Node(node.op, tuple(place[arg] for arg in node.args), node.value) for node in kept))


def polynomial_degree(tape: Tape) -> int | None:
    """Return a bound on the degree of a tape of sums, products and powers; None if it has other operations."""
    degrees: list[int] = []
    for node in tape.nodes:
        args = [degrees[arg] for arg in node.args]
        match node.op:
            case "const" | "var":
                degrees.append(int(node.op == "var"))
            case "add":
                degrees.append(max(args))
            case "mul":
                degrees.append(sum(args))
            case "ipow":
                degrees.append(args[0] * int(node.value or 0))
            case _:
                return None
    return degrees[-1]


class _Compiler:
    """Appends nodes, each only once, while walking an expression."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Node, int] = {}
        self._fractions: dict[sp.Expr, _Fraction] = {}

    def value(self, expression: sp.Expr) -> int:
        """Return the node of an expression."""
        numerator, factors = self.fraction(expression)
        return self._emit("div", numerator, self._product(factors)) if factors else numerator

    def fraction(self, expression: sp.Expr) -> _Fraction:
        """Return an expression as a numerator over a product of powers."""
        if expression not in self._fractions:
            self._fractions[expression] = self._fraction(expression)
        return self._fractions[expression]

    def _fraction(self, expression: sp.Expr) -> _Fraction:
        match expression:
            case sp.Rational():
                return self._emit("const", value=expression), {}
            case sp.Symbol() if expression == X:
                return self._emit("var"), {}
            case sp.Add():
                return self._sum([self.fraction(term) for term in expression.args])
            case sp.Mul():
                return reduce(self._times, (self.fraction(factor) for factor in expression.args))
            case sp.Pow(args=(base, power)):
                return self._power(base, power)
            case sp.Function(args=(argument,)) if expression.func in _QUOTIENTS:
                top, bottom = _QUOTIENTS[expression.func]
                inner = self.value(argument)
                return self._emit(top, inner), {self._emit(bottom, inner): 1}
            case sp.Function(args=(argument,)) if expression.func in _FUNCTIONS:
                return self._emit(_FUNCTIONS[expression.func], self.value(argument)), {}
            case _ if expression is sp.pi or expression is sp.E:
                return self._emit("const", value=expression), {}
        raise BadInput(f"{formula_text(expression)[:60]!r} is not a real function of x that can be expanded here")

    def _sum(self, terms: list[_Fraction]) -> _Fraction:
        common: dict[int, int] = {}
        for _, factors in terms:
            for node, power in factors.items():
                common[node] = max(power, common.get(node, 0))
        numerators = []
        for numerator, factors in terms:
            short = {node: power - factors.get(node, 0) for node, power in common.items()}
            missing = {node: power for node, power in short.items() if power > 0}
            numerators.append(self._emit("mul", numerator, self._product(missing)) if missing else numerator)
        return self._emit("add", *numerators), common

    def _times(self, left: _Fraction, right: _Fraction) -> _Fraction:
        factors = dict(left[1])
        for node, power in right[1].items():
            factors[node] = factors.get(node, 0) + power
        one = self._emit("const", value=sp.Integer(1))
        if one in (left[0], right[0]):
            return (right[0] if left[0] == one else left[0]), factors
        return self._emit("mul", left[0], right[0]), factors

    def _power(self, base: sp.Expr, power: sp.Expr) -> _Fraction:
        if power.is_Integer:
            numerator, factors = self.fraction(base)
            size = abs(int(power))
            raised = {node: exponent * size for node, exponent in factors.items()}
            if power > 0:
                return self._raise(numerator, size), raised
            return self._product(raised), {numerator: size}
        inner = self.value(base)
        if power.is_Rational and power.q == 2:
            root = self._emit("sqrt" if power > 0 else "rsqrt", inner)
            return self._raise(root, abs(int(power.p))), {}
        # b^p = exp(p log b), the principal power.
        return self._emit("exp", self._emit("mul", self.value(power), self._emit("log", inner))), {}

    def _product(self, factors: _Factors) -> int:
        powers = [self._raise(node, power) for node, power in sorted(factors.items())]
        if not powers:
            return self._emit("const", value=sp.Integer(1))
        return reduce(lambda left, right: self._emit("mul", left, right), powers)

    def _raise(self, node: int, power: int) -> int:
        return node if power == 1 else self._emit("ipow", node, value=power)

    def _emit(self, op: str, *args: int, value: sp.Expr | int | None = None) -> int:
        node = Node(op, args, value)
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return self._known[node]
