from __future__ import annotations

import json
import math

import pytest
import torch

from empirical import store
from theory.errors import BadInput

BODY = {"configuration": {"n": 3}, "results": [{"accuracy": 0.5}]}


def record(**changes):
    return store.make_record("study", "small", [0, 1], "cpu", ["python", "-m", "empirical"], BODY | changes, 1.23456)


def test_a_record_says_where_it_comes_from_and_comes_back(tmp_path):
    written = record()
    path = store.save_record(tmp_path / "study-small.json", written)
    read = store.load_record(path)
    assert read == written
    assert read["seeds"] == [0, 1]
    assert read["versions"]["torch"] == torch.__version__
    assert read["device"]["type"] == "cpu"
    assert read["device"]["threads"] == torch.get_num_threads()
    assert read["command"] == ["python", "-m", "empirical"]
    assert read["results"] == BODY["results"]
    assert list(tmp_path.iterdir()) == [path]


def test_the_commit_is_read_from_the_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path / "empirical" / "results")
    assert store.provenance("cpu", [])["commit"] is None
    git = tmp_path / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text("# pack-refs\nabc123 refs/heads/main\n")
    assert store.provenance("cpu", [])["commit"] == "abc123"
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text("def456\n")
    assert store.provenance("cpu", [])["commit"] == "def456"
    (git / "HEAD").write_text("789\n")
    assert store.provenance("cpu", [])["commit"] == "789"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nothing_that_is_not_json_is_written(bad, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        store.save_record(tmp_path / "a.json", record(results=[{"loss": bad}]))
    assert not list(tmp_path.iterdir())


def test_a_body_must_say_what_was_run():
    with pytest.raises(ValueError, match="configuration"):
        store.make_record("study", "small", [0], "cpu", [], {"results": []}, 0.0)


def test_unreadable_records_are_told_apart(tmp_path):
    (tmp_path / "text.json").write_text("{")
    (tmp_path / "other.json").write_text(json.dumps({"schema": 99, "experiment": "study"}))
    (tmp_path / "list.json").write_text("[]")
    for name, says in {"absent": "cannot read", "text": "not JSON", "other": "schema", "list": "schema"}.items():
        with pytest.raises(BadInput, match=says):
            store.load_record(tmp_path / f"{name}.json")


def test_the_first_folder_and_the_largest_scale_win(tmp_path):
    own, kept = tmp_path / "own", tmp_path / "kept"
    own.mkdir()
    kept.mkdir()
    for path in (
        kept / "study-full.json",
        kept / "study-smoke.json",
        own / "study-smoke.json",
        own / "study-small.json",
    ):
        path.touch()
    assert store.find_record("study", None, [own, kept]) == own / "study-small.json"
    assert store.find_record("study", "full", [own, kept]) == kept / "study-full.json"
    assert store.find_record("study", None, [kept]) == kept / "study-full.json"
    with pytest.raises(BadInput, match="empirical run"):
        store.find_record("transformer", None, [own, kept])


def test_every_kept_record_can_be_shown(capsys):
    from empirical.show_cli import print_record

    paths = sorted(store.RESULTS.glob("*.json")) if store.RESULTS.is_dir() else []
    for path in paths:
        kept = store.load_record(path)
        assert path.name == f"{kept['experiment']}-{kept['scale']}.json"
        print_record(kept)
        assert kept["experiment"] in capsys.readouterr().out
