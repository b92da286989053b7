"""The figure of certificates beside samples: it draws what it is given, and refuses what contradicts its claim.

The records here are made up by this file; their numbers mean nothing.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from figures import certified_vs_sampled, output
from figures.claim import ClaimFailed
from figures.style import house_style
from theory.errors import BadInput


def network(matrices: str, kind: str, seed: int | None, sampled: float, **more: Any) -> dict[str, Any]:
    result = {"source": "inversion.table1", "matrices": matrices, "kind": kind, "seed": seed, "widths": [4, 8, 4]}
    bounds = {"gap": "1/50", "lower": 0.01, "upper": 0.0102, "closed": True, "sampled": sampled, "samples": 10_000}
    return {"outcome": "certified", **result, **bounds, **more}


def made_up_record() -> dict[str, Any]:
    head = {"schema": 1, "experiment": "inversion.certified", "scale": "smoke", "seeds": [0, 1], "commit": None}
    boxes = [{"name": name, "half_width": 0.125} for name in ("2x2-first", "3x3", "16x16")]
    results = [
        network("2x2-first", "2fc", 0, 0.0088),
        network("2x2-first", "2fc", 1, 0.0085),
        network("2x2-first", "linearised network", None, 0.0089),
        network("3x3", "3fc", 0, 0.004, gap="1/10", upper=0.011),
        network("3x3", "3fc", 1, 0.003, upper=0.02, closed=False),
        network("16x16", "2fc", 0, 0.002, upper=None, closed=False),
        {"outcome": "not started", "settings": {"matrices": "16x16", "kind": "3fc"}},
    ]
    return {
        **head,
        "date": "2000-01-01",
        "device": {"type": "cpu"},
        "configuration": {},
        "boxes": boxes,
        "results": results,
    }


@pytest.fixture
def record(tmp_path: Path) -> str:
    (tmp_path / "record.json").write_text(json.dumps(made_up_record()))
    return str(tmp_path / "record.json")


def test_it_draws_a_panel_a_box(record: str) -> None:
    document = output.figure_document("certified_vs_sampled", {"record": record})
    assert [box["name"] for box in document["boxes"]] == ["2x2-first", "3x3", "16x16"]
    assert len(document["networks"]) == 6
    with house_style():
        assert len(certified_vs_sampled.draw(document).axes) == 3


BROKEN = [
    ("sampled", 0.0101, "attained is"),
    ("lower", 0.0, "no error attained"),
    ("upper", 0.009, "contradict each other"),
    ("upper", 0.0103, "further apart"),
]


@pytest.mark.parametrize(("key", "value", "message"), BROKEN)
def test_numbers_that_break_the_claim_are_refused(record: str, key: str, value: float, message: str) -> None:
    document = copy.deepcopy(certified_vs_sampled.data(record))
    document["networks"][0][key] = value
    with pytest.raises(ClaimFailed, match=message):
        certified_vs_sampled.check(document)


def test_shares_that_rise_with_the_dimension_are_refused(record: str) -> None:
    document = certified_vs_sampled.data(record)
    document["networks"][-1]["sampled"] = 0.0099
    with pytest.raises(ClaimFailed, match="do not fall"):
        certified_vs_sampled.check(document)


def test_a_record_without_certificates_is_bad_input(tmp_path: Path) -> None:
    empty = {**made_up_record(), "results": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    with pytest.raises(BadInput, match="no certificate"):
        certified_vs_sampled.data(str(tmp_path / "empty.json"))
