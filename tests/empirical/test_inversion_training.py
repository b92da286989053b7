"""Batches, learning rates, checkpoints: what decides a run is its settings and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from empirical.batched_mlp import Member, initial_network
from empirical.experiments.inversion.boxes import Shell, box_around, sampled_centre
from empirical.experiments.inversion.feed import Feed, Source, draw_test_set
from empirical.experiments.inversion.protocol import Protocol
from empirical.experiments.inversion.training import Bundle, errors_on, train_bundle
from empirical.progress import Progress
from empirical.train import TrainOutcome, load_checkpoint
from theory.errors import BadInput

CPU = torch.device("cpu")
QUIET = Progress(quiet=True)
FIRST = box_around("2x2-first", (2, 1, 1, 2), 0.25)
SECOND = box_around("2x2-second", (1, 2, 3, -1), 0.25)


def make_bundle(steps: int = 60, name: str = "tiny", **protocol) -> Bundle:
    sources = (Source(FIRST, 0, 500), Source(SECOND, 3, 500))
    tests = tuple(draw_test_set(source.place, 50, CPU) for source in sources)
    members = [Member(w, place, 7 + place) for w in ((4, 8, 4), (4, 6, 5, 4)) for place in (0, 1)]
    labels = tuple(f"m{index}" for index in range(len(members)))
    rules = Protocol(steps, batch=32, rate=1e-3, reports=6, **protocol)
    return Bundle(name, sources, tuple(members), labels, tests, rules, {"steps": steps, "seeds": (0, 3)})


def train(bundle: Bundle, folder: Path, *, resume: bool = False, **limits):
    return train_bundle(bundle, folder, CPU, resume=resume, progress=QUIET, **limits)


@pytest.mark.parametrize(("steps", "cycles"), [(150, 4), (101, 3), (16, 1), (31, 5)])
def test_the_rates_are_those_of_torchs_warm_restarts(steps, cycles):
    protocol = Protocol(steps, rate=5e-5, cycles=cycles)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=5e-5)
    restarts = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, protocol.first_period, T_mult=2)
    for step in range(steps):
        # Both evaluate the same cosine in float64, in another order: a few roundings of 5e-5.
        assert abs(protocol.rate_at(step) - optimizer.param_groups[0]["lr"]) < 1e-18
        optimizer.step()
        restarts.step()


def test_windows_cover_a_run():
    protocol = Protocol(103, reports=10)
    ends, step = [], 0
    while step < protocol.steps:
        step = protocol.window_end(step)
        ends.append(step)
    assert ends[-1] == 103
    assert len(ends) <= 10
    assert all(protocol.window_end(step) > step for step in range(103))


@pytest.mark.parametrize("size", [None, 300])
def test_a_steps_batch_does_not_depend_on_the_steps_before_it(size):
    sources = [Source(FIRST, 0, size), Source(SECOND, 1, size)]
    whole = Feed(sources, 32, CPU)
    seen = [torch.cat(whole.step(step), 1).clone() for step in range(80)]
    for start in (0, 1, 31, 32, 50, 79):
        late = Feed(sources, 32, CPU)
        assert torch.equal(torch.cat(late.step(start), 1), seen[start])
    narrow = Feed(sources, 32, CPU)
    narrow.block_steps = 3
    for step in range(80):
        assert torch.equal(torch.cat(narrow.step(step), 1), seen[step])


def test_an_epoch_shows_every_matrix_once_and_its_inverse_beside_it():
    feed = Feed([Source(SECOND, 1, 96)], 32, CPU)
    steps = [feed.step(step) for step in range(6)]
    first = torch.cat([x[0].T for x, _ in steps[:3]])
    second = torch.cat([x[0].T for x, _ in steps[3:]])
    assert not torch.equal(first, second)
    assert torch.equal(first.unique(dim=0), second.unique(dim=0))
    assert len(first.unique(dim=0)) == 96
    for x, y in steps:
        product = x[0].T.double().reshape(-1, 2, 2) @ y[0].T.double().reshape(-1, 2, 2)
        # Entries of the inverse below 1 and of the matrix below 4, rounded to float32: 2·4·6e-8.
        assert float((product - torch.eye(2, dtype=torch.float64)).abs().max()) < 5e-7
        away = (x[0].T.double() - SECOND.centre_tensor().flatten()).abs()
        assert float(away.max()) <= SECOND.half_width + 2e-7  # entries below 4 in float32


def test_sources_have_their_own_matrices():
    same, other = Feed([Source(FIRST, 0, 64)], 32, CPU), Feed([Source(FIRST, 1, 64)], 32, CPU)
    assert torch.equal(same.step(0)[0], Feed([Source(FIRST, 0, 64)], 32, CPU).step(0)[0])
    assert not torch.equal(same.step(0)[0], other.step(0)[0])
    with pytest.raises(BadInput):
        Feed([Source(FIRST, 0, 16)], 32, CPU)
    with pytest.raises(BadInput):
        Feed([Source(FIRST, 0, 64), Source(FIRST, 1, None)], 32, CPU)


def test_boxes_say_what_they_are():
    assert (FIRST.half_width, float(FIRST.inverse_norm), FIRST.reach) == (0.125, 1.0, 0.25)
    assert (SECOND.half_width, float(SECOND.inverse_norm), SECOND.reach) == (7 / 32, 4 / 7, 0.25)
    large = box_around("16x16", sampled_centre(16, 2), 0.25)
    inverse = torch.tensor([[float(x) for x in row] for row in large.inverse], dtype=torch.float64)
    product = large.centre_tensor() @ inverse
    # Condition number 24: float64 leaves about 1e-14.
    assert float((product - torch.eye(16, dtype=torch.float64)).abs().max()) < 1e-12
    assert abs(large.reach - 0.25) < 1e-15
    for entries, reach in (((1, 2, 2, 4), 0.25), ((1, 2, 3), 0.25), ((2, 1, 1, 2), 1.0), ((2, 1, 1, 2), 0.0)):
        with pytest.raises(BadInput):
            box_around("bad", entries, reach)


def test_shells_keep_their_distance_from_the_singular_matrices():
    shell = Shell("shell", 0.2, 1.4)
    matrices, drawn = shell.sample(2000, torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(matrices)
    # The smallest singular value comes from a formula with a few roundings of numbers below 2.
    assert float(values[:, 1].min()) >= 0.2 - 1e-12
    assert float(matrices.flatten(1).norm(dim=1).max()) <= 1.4 + 1e-12
    assert len(matrices) == 2000 < drawn
    assert 0.3 < float((torch.linalg.det(matrices) > 0).double().mean()) < 0.7  # both signs, each with share 1/2
    hard = shell.hard_matrices(50)
    assert float(torch.linalg.svdvals(hard)[:, 1].min()) >= 0.2 - 1e-12
    assert float(hard.flatten(1).norm(dim=1).max()) <= 1.4 + 1e-12
    assert (float(hard[0, 0, 0]), float(hard[50, 0, 0])) == pytest.approx((0.2, -0.2))
    with pytest.raises(BadInput):
        Shell("empty", 1.0, 1.4)


def test_networks_start_where_they_are_told_to_and_a_resumed_run_does_not_start_again(tmp_path):
    start = initial_network(Member((4, 8, 4), 0, 99))
    bundle = replace(make_bundle(), starts={1: start})
    still = replace(bundle, protocol=replace(bundle.protocol, rate=1e-30))  # too small to move a float32
    (tmp_path / "still").mkdir()
    run = train(still, tmp_path / "still")
    for one, two in zip(run.model.network(1).parameters(), start.parameters(), strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(run.model.network(0)[0].weight, start[0].weight)
    (tmp_path / "whole").mkdir()
    whole = train(bundle, tmp_path / "whole")
    train(bundle, tmp_path, max_seconds=1e-9)
    assert torch.equal(train(bundle, tmp_path, resume=True).model.parameters, whole.model.parameters)


class Stopped(RuntimeError):
    pass


@pytest.mark.parametrize("stop_at", [3, 37, 59])
def test_a_stopped_run_ends_in_the_same_bits(stop_at, tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    whole = train(make_bundle(), tmp_path / "whole")
    step_of = Feed.step

    def dying(self, number):
        if number == stop_at:
            raise Stopped
        return step_of(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(Feed, "step", dying)
        with pytest.raises(Stopped):
            train(make_bundle(), tmp_path)
    resumed = train(make_bundle(), tmp_path, resume=True)
    assert whole.outcome is resumed.outcome is TrainOutcome.FINISHED
    assert torch.equal(whole.model.parameters, resumed.model.parameters)
    assert whole.curve == resumed.curve


def test_training_brings_errors_down_and_a_stopped_run_says_so(tmp_path):
    bundle = make_bundle(steps=300)
    part = train(bundle, tmp_path, max_seconds=1e-9)
    assert part.outcome is TrainOutcome.STOPPED
    assert part.steps == bundle.protocol.window_end(0)
    done = train(bundle, tmp_path, resume=True)
    before, after = part.curve[0]["errors"], [mean for mean, _ in errors_on(bundle, done.model)]
    assert all(later < earlier for earlier, later in zip(before, after, strict=True))
    assert load_checkpoint(tmp_path / "tiny.pt")["steps"] == 300  # weights_only: plain tensors and numbers


def test_checkpoints_are_not_mixed_up(tmp_path):
    train(make_bundle(), tmp_path, max_seconds=1e-9)
    with pytest.raises(BadInput, match="unfinished"):
        train(make_bundle(), tmp_path)
    other = replace(make_bundle(), configuration={"steps": 61})
    with pytest.raises(BadInput, match="other settings"):
        train(other, tmp_path, resume=True)
    finished = train(make_bundle(), tmp_path, resume=True)
    again = train(make_bundle(), tmp_path, resume=True)
    assert torch.equal(finished.model.parameters, again.model.parameters)


def test_a_diverging_run_is_called_so_and_keeps_its_last_finite_weights(tmp_path):
    bundle = make_bundle()
    wild = replace(bundle, protocol=replace(bundle.protocol, rate=1e38))
    assert train(wild, tmp_path).outcome is TrainOutcome.DIVERGED
    path = tmp_path / "tiny.pt"
    assert not path.exists() or bool(load_checkpoint(path)["parameters"].isfinite().all())


_KILLED = [
    "-m", "empirical", "run", "inversion.table2", "--device", "cpu", "--threads", "1", "--seeds", "0,1",
    "--set", "size_2=2560", "--set", "epochs_2=250", "--set", "tests=200", "--set", "kinds=small", "--quiet",
]  # fmt: skip


def test_a_killed_process_goes_on_to_the_same_bits(tmp_path):
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def start(folder: str, *more: str) -> subprocess.Popen:
        command = [sys.executable, *_KILLED, "--out", str(tmp_path / folder), *more]
        return subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    assert start("whole").wait() == 0
    victim, checkpoint = start("killed"), tmp_path / "killed" / "inversion.table2-smoke-2x2-first.pt"
    while not checkpoint.exists() and victim.poll() is None:
        time.sleep(0.002)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert load_checkpoint(checkpoint)["steps"] < 250 * 20  # else there was nothing left to interrupt
    assert start("killed", "--resume").wait() == 0
    whole, resumed = (load_checkpoint(tmp_path / name / checkpoint.name) for name in ("whole", "killed"))
    assert whole["steps"] == resumed["steps"] == 250 * 20
    assert torch.equal(whole["parameters"], resumed["parameters"])
    assert whole["curve"] == resumed["curve"]
    for one, two in zip(*(c["optimizer"]["state"][0].values() for c in (whole, resumed)), strict=True):
        assert torch.equal(one, two)
