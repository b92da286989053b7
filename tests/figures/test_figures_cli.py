"""The figures' command line: one line for bad input, files whole or not at all, the same bytes every time, no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from figures import cli, figure1, output
from figures.catalogue import FIGURES, figure_module
from theory.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
#: A figure small enough to draw several times.
SMALL = ["figure1", "--eps", "1/10"]


def run_figures(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "figures", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_list_names_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in FIGURES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["size_vs_eps", "--n", "0"],
        ["size_vs_eps", "--nosuch", "1"],
        ["size_vs_eps", "--norm", "nuclear"],
        ["all", "--nosuch"],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str]) -> None:
    done = run_figures(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot make the folder"):
        cli.main([*SMALL, "--out", str(tmp_path / "file" / "below")])


def test_three_files_the_same_bytes_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "_DPI", 80)
    for folder in ("first", "second"):
        assert cli.main([*SMALL, "--out", str(tmp_path / folder)]) == 0
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["figure1.json", "figure1.png", "figure1.svg"]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    document = json.loads((tmp_path / "first" / "figure1.json").read_text())
    assert document["claim"] == figure1.CLAIM
    assert document["options"]["eps"] == "1/10"
    assert b"<dc:date>" not in (tmp_path / "first" / "figure1.svg").read_bytes()
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_nothing_is_written_where_the_claim_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from figures.claim import require

    monkeypatch.setattr(figure1, "check", lambda document: require(not document, "never true"))
    assert cli.main([*SMALL, "--out", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []
    assert "never true" in capsys.readouterr().err


def test_every_module_of_the_package_loads_without_torch_and_draws_without_a_display() -> None:
    modules = sorted(path.stem for path in (ROOT / "figures").glob("*.py") if path.stem != "__main__")
    program = (
        f"import importlib, sys\nfor name in {modules!r}:\n    importlib.import_module('figures.' + name)\n"
        "sys.exit('torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_offers_what_the_command_needs(name: str) -> None:
    module = figure_module(name)
    assert module.CLAIM.endswith(".")
    for part in ("add_arguments", "data", "check", "draw"):
        assert callable(getattr(module, part))


#: Figures that are computed, with options that make them quick.
QUICK: dict[str, dict[str, str]] = {
    "size_vs_eps": {"n": "2", "digits": "3"},
    "size_vs_n": {"largest": "6"},
    "pareto": {"n": "1", "eps": "1e-2"},
    "inverse_cost": {"n": "2", "eps": "1e-2", "decades": "2"},
    "figure2": {},
    "blowup": {},
    "peers": {},
}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_every_computed_figure_draws(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_DPI", 50)
    paths = output.produce(name, QUICK[name], tmp_path)
    assert [path.name for path in paths] == [f"{name}.{kind}" for kind in ("json", "png", "svg")]
    # A page of plain text and curves: anything smaller has lost its curves, more than 4 MB is no figure for a page.
    assert all(500 < path.stat().st_size < 4_000_000 for path in paths)
