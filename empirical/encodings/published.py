"""The four published encodings (Charton, Linear algebra with transformers, arXiv 2112.01898), digit for digit.

========  ====================  ======  ================================================================
name      0.23423               tokens  what it writes
========  ====================  ======  ================================================================
P10       ``+ 2 3 4 E-3``       5       sign, three digits, exponent -100 to 100; zero is ``+ 0 E0``
P1000     ``+ 234 E-3``         3       sign, mantissa, exponent; zero is ``+ 0 E0``
B1999     ``N234 E-3``          2       signed mantissa, exponent; zero is ``N0 E0``
FP15      ``N234e6``            1       mantissa·10^(exponent - 9), exponent 0 to 15; zero is ``N0e0``
========  ====================  ======  ================================================================

Mantissas have three digits and are rounded as ``format(x, ".2e")`` does. P10, P1000 and B1999 write magnitudes from
1.00e-98 to 9.99e102; what rounds to less is zero, what rounds to more is refused, and so are NaN and infinities. FP15
keeps fewer digits below 1e-7 (``N-85e0``, mantissas rounded to whole numbers) and writes ``NaN`` or ``-NaN`` for what
rounds to 1e9 or more; NaN itself is ``NaN``, and both read back as NaN. Minus zero is zero everywhere.

Reading is more generous than writing: any mantissa of up to three digits stands for what it says (``+ 5 E0`` is 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from empirical.encodings.encoding import PAD, Encoding
from empirical.encodings.grid import Grid
from empirical.encodings.names import check_name

__all__ = ["get_encoding"]

_LOWEST, _HIGHEST = -100, 100
_COUNT = _HIGHEST - _LOWEST + 1
_EXPONENTS = tuple(f"E{exponent}" for exponent in range(_LOWEST, _HIGHEST + 1))
# Places of the table of values: sign (plus, minus, none) × mantissa (0 … 999, none) × exponent (the lowest …, none).
_PLACES = (3, 1001, _COUNT + 1)
_NO_MANTISSA, _NO_EXPONENT = 1000, _COUNT


class _WithExponent(Encoding):
    """Sign, mantissa and exponent each come from tokens of their own kind; a table turns the three into a float64."""

    def _exponent_tokens(self, mantissas: Tensor, exponents: Tensor) -> Tensor:
        return torch.where(mantissas == 0, 0, exponents) - _LOWEST + self.numbers[_EXPONENTS[0]]

    def _attribute(self, meaning: dict[str, int], otherwise: int) -> Tensor:
        """Token number -> what a token of some kind contributes; other tokens contribute ``otherwise``."""
        values = torch.full((len(self.vocabulary),), otherwise, dtype=torch.int32)
        for name, value in meaning.items():
            values[self.numbers[name]] = value
        return values

    @cached_property
    def _signs(self) -> Tensor:
        return self._attribute({"+": 0, "-": 1}, 2) * (_PLACES[1] * _PLACES[2])

    @cached_property
    def _exponents(self) -> Tensor:
        return self._attribute({name: place for place, name in enumerate(_EXPONENTS)}, _NO_EXPONENT)


def _look_up(attribute: Tensor, tokens: Tensor) -> Tensor:
    return attribute.to(tokens.device).index_select(0, tokens)


@lru_cache(maxsize=4)
def _values(device: torch.device) -> Tensor:
    """The float64 nearest to ±m·10^e, flat over sign, mantissa and exponent; NaN where one of them is missing."""
    values = torch.full(_PLACES, torch.nan, dtype=torch.float64)
    rows = [[float(f"{m}{name.lower()}") for name in _EXPONENTS] for m in range(1000)]
    values[0, :1000, :_COUNT] = torch.tensor(rows, dtype=torch.float64)
    values[1] = -values[0]
    values[1, 0] = values[0, 0]  # no minus zero
    return values.flatten().to(device)


@dataclass(frozen=True)
class _P1000(_WithExponent):
    @property
    def symbols(self) -> tuple[str, ...]:
        return ("+", "-", *map(str, range(1000)), *_EXPONENTS)

    def write(self, negative: bool, mantissas: Tensor, exponents: Tensor) -> Tensor:
        signs = torch.where((mantissas != 0) & negative, self.numbers["-"], self.numbers["+"])
        return torch.stack([signs, mantissas + self.numbers["0"], self._exponent_tokens(mantissas, exponents)], 1)

    def read(self, tokens: Tensor) -> Tensor:
        sign, mantissa, exponent = tokens
        place = _look_up(self._signs, sign) + _look_up(self._mantissas, mantissa)
        return _values(tokens.device).index_select(0, place + _look_up(self._exponents, exponent))

    @cached_property
    def _mantissas(self) -> Tensor:
        return self._attribute({str(mantissa): mantissa for mantissa in range(1000)}, _NO_MANTISSA) * _PLACES[2]


@dataclass(frozen=True)
class _B1999(_WithExponent):
    @property
    def symbols(self) -> tuple[str, ...]:
        return (*(f"N{mantissa}" for mantissa in range(-999, 1000)), *_EXPONENTS)

    def write(self, negative: bool, mantissas: Tensor, exponents: Tensor) -> Tensor:
        signed = -mantissas if negative else mantissas
        return torch.stack([signed + self.numbers["N0"], self._exponent_tokens(mantissas, exponents)], 1)

    def read(self, tokens: Tensor) -> Tensor:
        mantissa, exponent = tokens
        place = _look_up(self._mantissas, mantissa) + _look_up(self._exponents, exponent)
        return _values(tokens.device).index_select(0, place)

    @cached_property
    def _mantissas(self) -> Tensor:
        places = {f"N{m}": (_PLACES[1] * (m < 0) + abs(m)) * _PLACES[2] for m in range(-999, 1000)}
        return self._attribute(places, _NO_MANTISSA * _PLACES[2])


@dataclass(frozen=True)
class _P10(_WithExponent):
    """Zero takes three tokens and every other number five, so sequences have gaps to close and to open."""

    @property
    def symbols(self) -> tuple[str, ...]:
        return ("+", "-", *"0123456789", *_EXPONENTS)

    def write(self, negative: bool, mantissas: Tensor, exponents: Tensor) -> Tensor:
        zero = mantissas == 0
        signs = torch.where(~zero & negative, self.numbers["-"], self.numbers["+"])
        digits = [mantissas // 100, mantissas // 10 % 10, mantissas % 10]
        tokens = torch.stack([signs, *digits, self._exponent_tokens(mantissas, exponents)], 1)
        tokens[:, 1:4] += self.numbers["0"]
        tokens[zero, 2] = tokens[zero, 4]
        tokens[zero, 3:] = PAD
        return tokens

    def read(self, tokens: Tensor) -> Tensor:
        """Read a sign, one to three digits, an exponent and padding."""
        sign, first, second, third, last = tokens
        mantissa = _look_up(self._digits, first) * 100 + _look_up(self._digits, second) * 10
        mantissa = (mantissa + _look_up(self._digits, third)).clamp(max=_NO_MANTISSA)
        place = _look_up(self._signs, sign) + mantissa * _PLACES[2] + _look_up(self._exponents, last)
        values = _values(tokens.device).index_select(0, place)
        short = (last == PAD).nonzero().squeeze(1)
        if len(short):
            values[short] = self._read_short(tokens[:, short])
        return values

    def _read_short(self, tokens: Tensor) -> Tensor:
        """Read numbers of one or two digits."""
        sign, first, second, third, _ = tokens
        digits, two = _look_up(self._digits, first), third != PAD
        digits = torch.where(two, digits * 10 + _look_up(self._digits, second), digits)
        exponents = torch.where(two, third, second)
        place = _look_up(self._signs, sign) + digits.clamp(max=_NO_MANTISSA) * _PLACES[2]
        return _values(tokens.device).index_select(0, place + _look_up(self._exponents, exponents))

    @cached_property
    def _digits(self) -> Tensor:
        return self._attribute({str(digit): digit for digit in range(10)}, _NO_MANTISSA)

    def close_gaps(self, tokens: Tensor) -> Tensor:
        # A number with padding has it in its last place.
        if not bool((tokens[:, 1 + self.width :: self.width] == PAD).any()):
            return tokens
        padding = tokens == PAD
        return tokens.gather(1, padding.to(torch.int8).argsort(dim=1, stable=True))

    def open_gaps(self, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Numbers start at signs; a number owns the tokens up to the next sign or to the end."""
        batch, length = tokens.shape
        starts = (tokens == self.numbers["+"]) | (tokens == self.numbers["-"])
        used = (tokens != PAD).sum(1)
        # Positions of the first `count` signs of each sequence, in order; the end stands in where there are fewer.
        ranks = torch.where(starts, starts.cumsum(1) - 1, count).clamp(max=count)
        places = torch.arange(length, device=tokens.device).expand(batch, -1)
        first = used[:, None].repeat(1, count + 1).scatter(1, ranks, places)
        first[:, count] = used
        sizes = first[:, 1:] - first[:, :-1]
        malformed = (starts.sum(1) != count) | (first[:, 0] != 0) | ((sizes < 3) | (sizes > self.width)).any(1)
        within = torch.arange(self.width, device=tokens.device)
        taken = (first[:, :-1, None] + within).clamp(0, length - 1).flatten(1)
        slots = tokens.gather(1, taken).reshape(batch, count, self.width)
        return torch.where(within < sizes[:, :, None], slots, PAD).flatten(1), malformed


@dataclass(frozen=True)
class _FP15(Encoding):
    @cached_property
    def symbols(self) -> tuple[str, ...]:
        decimals = [column.tolist() for column in self.grid.decimals()]
        positive = [f"N{m}e{e - self.grid.lowest}" for m, e in zip(*decimals, strict=True)]
        return (*positive, "NaN", *(f"N-{name[1:]}" for name in positive[1:]), "-NaN")

    def write(self, negative: bool, mantissas: Tensor, exponents: Tensor) -> Tensor:
        tokens = self.numbers["N0e0"] + torch.arange(len(mantissas))
        if negative:
            tokens[1:] += len(mantissas)
        return tokens[:, None]

    def read(self, tokens: Tensor) -> Tensor:
        return _look_up(self._values, tokens[0])

    @cached_property
    def _values(self) -> Tensor:
        unit = self.grid.lowest
        names = [name[1:].split("e") if name[0] == "N" and "e" in name else None for name in self.vocabulary]
        values = [float(f"{name[0]}e{int(name[1]) + unit}") if name else torch.nan for name in names]
        return torch.tensor(values, dtype=torch.float64)


@lru_cache(maxsize=1)
def _published() -> dict[str, Encoding]:
    scientific = Grid(_LOWEST, _HIGHEST, gradual=False)
    fp15 = _FP15("FP15", Grid(-9, 6, gradual=True), 1, overflow=("NaN", "-NaN"))
    return {
        "P10": _P10("P10", scientific, 5),
        "P1000": _P1000("P1000", scientific, 3),
        "B1999": _B1999("B1999", scientific, 2),
        "FP15": fp15,
    }


def get_encoding(name: str) -> Encoding:
    """Return a published encoding by its name; another name is a ``BadInput``."""
    return _published()[check_name(name)]
