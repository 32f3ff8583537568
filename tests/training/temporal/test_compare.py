"""What is chosen to join frames, and the GRU's own training."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cssafe.labels import FERPLUS
from cssafe.settings import ROOT, load
from cssafe.training.temporal import compare
from cssafe.training.temporal.metrics import labels, tally
from cssafe.training.temporal.sequences import stack
from cssafe.training.temporal.smoothers import Average, Newest, Way, follow
from tests.support.shared import shared_data
from tests.training.expression.test_export import rows


def steps(n, t, seed=0):
    """n sequences of t frames a tenth of a second apart, in which the truth changes once and what is said of it is noisy."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(n):
        truth = np.repeat(rng.permutation(8)[:2], t // 2)
        logits = 2 * np.eye(8)[truth] + rng.normal(0, 1, (t, 8))
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        shares[rng.random(t) < 0.1] = np.nan
        parts.append((np.arange(t) / 10, truth, shares.astype(np.float32)))
    return stack(parts)


def result(name, shown, merit=0.0, clips=None, restless=0.5):
    truth = np.repeat([[0] * 4 + [1] * 6], 12, axis=0)
    seconds = np.repeat(np.arange(10)[None] / 2, 12, axis=0)

    def counted(text):
        return tally(np.repeat([["ab".index(x) for x in text]], 12, axis=0), truth, seconds)

    return compare.Result(Way(name, Newest(), merit=merit), counted(shown), counted(clips or shown), restless)


GOOD, LATE, RESTLESS = "aaaabbbbbb", "aaaaaabbbb", "aaaabbabbb"


@pytest.mark.parametrize(
    ("gru", "average", "steady_gru", "better"),
    [
        ({"shown": GOOD}, {"shown": GOOD}, GOOD, False),  # no better is not better
        ({"shown": GOOD}, {"shown": RESTLESS}, GOOD, True),
        ({"shown": GOOD}, {"shown": LATE}, GOOD, True),
        ({"shown": LATE}, {"shown": RESTLESS}, GOOD, False),  # steadier, but later
        ({"shown": GOOD}, {"shown": RESTLESS}, RESTLESS, False),  # a hysteresis does as much for the average
        ({"shown": GOOD, "clips": LATE}, {"shown": RESTLESS, "clips": GOOD}, GOOD, False),
        ({"shown": GOOD, "restless": 0.6}, {"shown": RESTLESS}, GOOD, False),
    ],
)
def test_the_gru_replaces_the_average_only_where_nothing_gets_worse(gru, average, steady_gru, better):
    worst = result("logarithms", "bbbbaaaaaa", merit=-1)
    plainly = {"gru": result("gru", **gru), "average": result("average", **average)}
    steadily = {"gru": result("gru", steady_gru), "average": result("average", GOOD)}
    lines = compare.verdict(plainly | {"logarithms": worst}, steadily | {"logarithms": worst})
    assert lines[-1] == ("So the GRU replaces the average." if better else "So the average stays: average.")
    assert lines[0].startswith("gru is better than average")


def test_the_table_has_a_line_of_figures_for_each_way():
    late = result("a way with a long name, 0.25 s", LATE, clips=RESTLESS)
    lines = compare.table([result("newest", GOOD), late]).splitlines()
    assert lines[0].startswith("12 made sequences")
    assert lines[2].split()[:3] == ["newest", "100.0", "(100.0-100.0)"]
    figures = ["80.0", "(80.0-80.0)", "0.00", "(0.00-0.00)", "1.00", "1.00", "(1.00-1.00)", "90.0", "0.50", "0.00"]
    assert lines[3].removeprefix("a way with a long name, 0.25 s").split() == figures


def test_without_clips_the_gru_is_not_chosen(tmp_path, capsys):
    clips = compare.watched(tmp_path, tmp_path)
    assert len(clips) == 0 and "annotations.csv" in capsys.readouterr().err
    told = compare.judge(Way("newest", Newest()), steps(2, 10), clips)
    assert told.restless == 0 and len(told.test) == 2
    better = result("gru", GOOD), result("average", RESTLESS)
    names = ("gru", "average", "logarithms")
    ways = dict(zip(names, [replace(one, clips=told.clips) for one in (*better, better[1])], strict=True))
    assert "no   on the clips right as often" in compare.verdict(ways, ways)


@pytest.mark.slow
def test_clips_are_seen_frame_by_frame_with_nothing_joined(tmp_path):
    for name in ("annotations.csv", "one_face_expressions.mp4"):
        (tmp_path / name).symlink_to(shared_data(f"video/{name}"))
    clips = compare.watched(tmp_path, load({}).model)
    told = clips.truth >= 0
    assert {FERPLUS[i] for i in set(clips.truth[told])} == {"sad", "happy"}
    assert clips.measured[told].mean() > 0.5
    alone, joined = (compare.judge(Way("", way), steps(1, 10), clips) for way in (Newest(), Average(0.35)))
    assert 0 < joined.restless < alone.restless


@pytest.mark.parametrize(("rows", "expected"), [([], [-1, -1, -1]), ([(0, 0.2, "sad"), (0.4, 1, "happy")], [3, -1, 1])])
def test_notes_tell_the_emotion_of_their_time(rows, expected):
    notes = pd.DataFrame(rows, columns=["start_s", "end_s", "expression"])
    assert compare.noted(notes, np.array([0, 0.2, 0.5])).tolist() == expected


@pytest.mark.slow
def test_a_gru_learns_to_be_steadier_and_runs_one_step_at_a_time_as_over_windows(monkeypatch):
    pytest.importorskip("keras")
    from cssafe.training.temporal import recurrent

    monkeypatch.setattr(recurrent, "EPOCHS", 10)
    gru, test = recurrent.train(steps(100, 30), steadiness=1.0), steps(20, 30, seed=1)
    raw, joined = (tally(labels(follow(way, test)), test.truth, test.seconds) for way in (Newest(), gru))
    assert joined.right.sum() > raw.right.sum() and joined.changes.sum() < raw.changes.sum() / 2

    given, _ = recurrent.windows(test)
    windowed = gru.windows.predict(given, verbose=0)[:, :30]
    assert windowed[test.measured] == pytest.approx(follow(gru, test)[test.measured], abs=1e-4)
    joined, states = gru(np.zeros((0, 8), np.float32), gru.start[None][:0], np.zeros(0))
    assert joined.shape == (0, 8) and states.shape == (0, *gru.start.shape)


@pytest.mark.slow
def test_one_command_trains_compares_and_decides(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    rows(400).to_parquet(data / "fer2013_train_0.parquet")
    rows(5, seed=1).to_parquet(data / "fer2013_valid.parquet")
    command = [sys.executable, "-m", "cssafe", "temporal", str(data)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert "made sequences" in run.stdout and "GRU" in run.stdout
    assert "the average stays" in run.stdout.splitlines()[-1], "without clips the GRU is not chosen"


def test_too_few_pictures_are_told_in_one_line(tmp_path):
    rows(8).to_parquet(tmp_path / "fer2013_train_0.parquet")
    rows(5, seed=1).to_parquet(tmp_path / "fer2013_valid.parquet")
    command = [sys.executable, "-m", "cssafe", "temporal", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2 and "expected about 2,600" in run.stderr and len(run.stderr.splitlines()) == 1
