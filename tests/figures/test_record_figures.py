"""Figures drawn from stored records: they say what is missing, keep provenance, and refuse numbers that break a claim.

The records are made up (`made_up_records`); their numbers mean nothing.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from figures import (
    accuracy_by_dimension,
    blowup,
    cli,
    encodings,
    errors_vs_radius,
    improvements,
    learned_vs_constructed,
    learning_curves,
    output,
    records,
    regions,
    slack,
)
from figures.claim import ClaimFailed
from figures.style import house_style
from tests.figures.made_up_records import IMPROVED, RECORDS, made_up, region, variant
from theory.errors import BadInput

MODULES = {
    "slack": slack,
    "accuracy_by_dimension": accuracy_by_dimension,
    "encodings": encodings,
    "learning_curves": learning_curves,
    "improvements": improvements,
    "learned_vs_constructed": learned_vs_constructed,
    "regions": regions,
    "errors_vs_radius": errors_vs_radius,
}


def stored(name: str, folder: Path) -> str:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(RECORDS[name]))
    return str(path)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_record_becomes_a_figure_with_its_provenance(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_DPI", 50)
    paths = output.produce(name, {"record": stored(name, tmp_path)}, tmp_path)
    document = json.loads(paths[0].read_text())
    assert document["source"]["experiment"] == RECORDS[name]["experiment"]
    assert document["source"]["seeds"] == [0, 1]
    assert all(path.stat().st_size > 500 for path in paths)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_an_empty_record_and_one_of_another_experiment_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(RECORDS[name] | {"results": []}))
    with pytest.raises(BadInput, match="holds no"):
        MODULES[name].data(record=str(path))
    path.write_text(json.dumps(RECORDS[name] | {"experiment": "something"}))
    with pytest.raises(BadInput, match="a record of something"):
        MODULES[name].data(record=str(path))


def test_a_missing_record_says_how_to_make_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from empirical import store

    monkeypatch.setattr(store, "RESULTS", tmp_path)
    with pytest.raises(records.NoRecord, match="python -m empirical run slack"):
        slack.data()


def test_all_goes_on_where_a_record_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from empirical import store

    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(output, "_DPI", 50)
    monkeypatch.setattr(cli, "FIGURES", {"slack": "", "blowup": ""})
    assert cli.main(["all", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "slack: not drawn, no record" in printed.err
    assert "blowup.png" in printed.out


def test_slack_keeps_the_worst_error_over_seeds_and_notices_a_broken_bound(tmp_path: Path) -> None:
    document = slack.data(record=stored("slack", tmp_path))
    assert [(row["function"], row["error"]) for row in document["rows"]] == [("sqrt", 5e-4), ("log", 2e-4)]
    assert document["rows"][0]["slack"] == 2.0
    for error, message in ((2e-3, "breaks the bound"), (0.0, "no error at all")):
        broken = copy.deepcopy(document)
        broken["rows"][0]["error"] = error
        with pytest.raises(ClaimFailed, match=message):
            slack.check(broken)


def test_accuracy_by_dimension_takes_the_best_size_and_notices_a_rise(tmp_path: Path) -> None:
    document = accuracy_by_dimension.data(record=stored("accuracy_by_dimension", tmp_path))
    accuracy_by_dimension.check(document)
    point = document["curves"]["exp"]["published"][0]
    assert (point["n"], point["size"]) == (1, 64)
    assert point["mean"] == pytest.approx(0.9 + 0.005 + 64e-6, abs=1e-12)
    broken = copy.deepcopy(document)
    broken["curves"]["exp"]["published"][1]["mean"] = 0.99
    with pytest.raises(ClaimFailed, match=r"above .* at n = 1"):
        accuracy_by_dimension.check(broken)


def test_encodings_notices_more_than_the_ceiling_and_disorder(tmp_path: Path) -> None:
    document = encodings.data(record=stored("encodings", tmp_path))
    encodings.check(document)
    assert len(document["rows"]) == 8
    finest = next(row for row in document["rows"] if row["tolerance"] == "0.005")
    assert finest["mean"] == pytest.approx(0.05, abs=1e-12)
    assert finest["spread"] == pytest.approx(0.1 / 2**0.5, abs=1e-12)
    # 800 samples: five standard deviations of a share are 0.088.
    for mean, message in ((0.9, "above the ceiling"), (0.6, "finer tolerance")):
        broken = copy.deepcopy(document)
        next(row for row in broken["rows"] if row["tolerance"] == "0.005")["mean"] = mean
        with pytest.raises(ClaimFailed, match=message):
            encodings.check(broken)


def test_learning_curves_notice_repeated_examples_and_a_curve_that_turns_back(tmp_path: Path) -> None:
    document = learning_curves.data(record=stored("learning_curves", tmp_path))
    learning_curves.check(document)
    broken = copy.deepcopy(document)
    broken["runs"][0]["rejected"] = 50
    with pytest.raises(ClaimFailed, match="fresh"):
        learning_curves.check(broken)
    broken = copy.deepcopy(document)
    broken["runs"][0]["points"][1][0] = 500
    with pytest.raises(ClaimFailed, match="run forward"):
        learning_curves.check(broken)


def test_improvements_compare_equal_budgets_and_show_longer_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from empirical import store

    monkeypatch.setattr(store, "RESULTS", tmp_path)
    document = improvements.data(record=stored("improvements", tmp_path))
    improvements.check(document)
    assert [run["variant"] for run in document["runs"]] == ["published", "published", "curriculum", "curriculum"]
    assert document["long"] == []
    longer = made_up("improved.long", [variant(IMPROVED, 0, 0.9)])
    (tmp_path / "improved.long-full.json").write_text(json.dumps(longer))
    document = improvements.data(record=stored("improvements", tmp_path))
    improvements.check(document)
    with house_style():
        (axes,) = improvements.draw(document).axes
    # A curve and its last dot each, four runs and a longer one.
    assert len(axes.lines) == 10
    for runs, place, change, message in (
        ("runs", 2, {"accuracy": 0.1}, "no more accurate"),
        ("runs", 2, {"examples": 100}, "budgets differ"),
        ("long", 0, {"accuracy": 1.0, "ceiling": 0.5}, "above the ceiling"),
    ):
        broken = copy.deepcopy(document)
        broken[runs][place] |= change
        with pytest.raises(ClaimFailed, match=message):
            improvements.check(broken)


def test_learned_vs_constructed_joins_the_records_and_notices_broken_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from empirical import store

    monkeypatch.setattr(store, "RESULTS", tmp_path)
    study = copy.deepcopy(RECORDS["encodings"])
    for result in study["results"]:
        result["parameters"] = 7
        result["settings"] |= {"ensemble": "symmetric_uniform", "scale": 1.0, "examples": 192}
    (tmp_path / "study-small.json").write_text(json.dumps(study))
    document = learned_vs_constructed.data(record=stored("learned_vs_constructed", tmp_path))
    learned_vs_constructed.check(document)
    (panel,) = document["panels"]  # exp on [-5, 5] has no learned network, n = 3 is another figure
    assert (panel["function"], panel["scale"], panel["n"]) == ("sign", 1.0, 2)
    rows = {(row["what"], row["name"]): row for row in panel["rows"]}
    assert rows["study", "P10, 192 examples"]["seconds"] == 1e-4
    assert rows["study", "FP15, 192 examples"]["seconds"] is None
    assert rows["study", "P10, 192 examples"]["accuracy"] == {"0.05": 0.9, "0.005": pytest.approx(0.05)}
    assert rows["torch", "torch.linalg.eigh"]["seconds"] == 1e-6
    for change, message in (
        ({("constructed", "eps 1e-3"): {"largest_error": 2e-3}}, "errs by 0.002"),
        ({("study", "P10, 192 examples"): {"accuracy": {"0.05": 1.0, "0.005": 1.1}}}, "more accurate"),
    ):
        broken = copy.deepcopy(document)
        for row in broken["panels"][0]["rows"]:
            row |= change.get((row["what"], row["name"]), {})
        with pytest.raises(ClaimFailed, match=message):
            learned_vs_constructed.check(broken)
    with pytest.raises(BadInput, match="of size 4"):
        learned_vs_constructed.data(record=stored("learned_vs_constructed", tmp_path), n="4")


def test_mean_and_spread() -> None:
    assert records.mean_and_spread([0.5]) == (0.5, 0.0)
    assert records.mean_and_spread([1.0, 3.0]) == (2.0, pytest.approx(2**0.5, abs=1e-12))
    with pytest.raises(ValueError, match="no values"):
        records.mean_and_spread([])


def test_domains_are_written_as_mathematics() -> None:
    from figures.numbers import domain_maths

    assert domain_maths("|a_ij| <= 1") == r"$|a_{ij}| \leq 1$"
    assert domain_maths("||A - 1 I||_2 <= 1/2") == r"$\|A - I\|_2 \leq 1/2$"
    assert domain_maths("||A - 0 I||_2 <= 1") == r"$\|A\|_2 \leq 1$"
    both = domain_maths("sigma_min(A) >= 1/2 and ||A||_F <= 2")
    assert both == r"$\sigma_{\min}(A) \geq 1/2$ and $\|A\|_F \leq 2$"


def test_regions_notice_lost_samples_and_loose_bounds(tmp_path: Path) -> None:
    document = regions.data(record=stored("regions", tmp_path))
    regions.check(document)
    assert [network["rate"] for network in document["networks"]] == [5e-5, 1e-3]
    for change, message in (
        ({"regions": [region("+-", 0.75)]}, "hold 75"),
        ({"regions": [{**region("+-", 1.0), "deviation_proved": [0.2, 0.2, 0.3, 0.4]}]}, r"attained 0\.1, proved 0\.2"),
        ({"regions": [{**region("+-", 1.0), "deviation_proved": [0.05, 0.2, 0.3, 0.4]}]}, r"proved 0\.05"),
    ):
        broken = copy.deepcopy(document)
        broken["networks"][1] |= change
        with pytest.raises(ClaimFailed, match=message):
            regions.check(broken)


def test_errors_vs_radius_notice_a_broken_bound_and_an_error_that_falls(tmp_path: Path) -> None:
    document = errors_vs_radius.data(record=stored("errors_vs_radius", tmp_path))
    errors_vs_radius.check(document)
    linear = next(index for index, curve in enumerate(document["curves"]) if curve["kind"].startswith("linear"))
    impossible = copy.deepcopy(document)
    trained = next(curve for curve in impossible["curves"] if curve["kind"] == "2fc")
    trained["points"][0]["least"] = trained["points"][0]["law_below"] / 2
    with pytest.raises(ClaimFailed, match="is forced"):
        errors_vs_radius.check(impossible)
    for largest, message in ((0.6, "breaks the bound"), (0.01, "not monotone")):
        broken = copy.deepcopy(document)
        broken["curves"][linear]["points"][1]["largest"] = largest
        with pytest.raises(ClaimFailed, match=message):
            errors_vs_radius.check(broken)


def test_blowup_shows_trained_networks_and_holds_each_to_its_own_slope(tmp_path: Path) -> None:
    document = blowup.data(record=stored("blowup", tmp_path))
    blowup.check(document)
    assert len(document["trained"]["networks"]) == 4
    with house_style():
        assert len(blowup.draw(document).axes) == 3
        assert len(blowup.draw(document | {"trained": None}).axes) == 1
    for key, value, message in (
        ("largest_error_found", 0.001, "what its bits allow"),
        ("beyond", None, "below 1/t - Lt"),
    ):
        broken = copy.deepcopy(document)
        network = broken["trained"]["networks"][0]
        network[key] = value or [{"t": 0.25, "error": 2.9, "quotient": 4.0}]
        with pytest.raises(ClaimFailed, match=message):
            blowup.check(broken)


def test_every_encoding_has_a_colour_of_its_own() -> None:
    from empirical.encodings.names import NAMES
    from figures.style import ENCODINGS

    assert set(ENCODINGS) == set(NAMES)
    assert len(set(ENCODINGS.values())) == len(NAMES)
