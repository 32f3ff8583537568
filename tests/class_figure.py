"""The class figure against simulated classes of known truth: `python -m tests.class_figure --lessons 300`.

Observations of tests/support/seen_class.py go through tracks, places and the store; the truth does not. The table is that of
docs/concentration.md.
"""

import argparse
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from cssafe import queries
from cssafe.frames import SIGNALS, Faces, FrameResult, Signals
from cssafe.live.class_view import ClassView
from cssafe.scoring.formula import ATTENTION_ONLY
from cssafe.settings import PROFILES
from cssafe.store import Lesson, Workspace
from tests.support import seen_class
from tests.support.seen_class import ALL_SEEN, DRAWN, PLAUSIBLE, ROWS, SECONDS, Row, SeenClass

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
WIDTH, HEIGHT = 1280, 720

EXPECTED_FACTOR = 12 / 14.5
"""Mean of the expression factor, Beta(12, 2.5)."""

HOLDS_WITHIN = 0.01
"""Within which a band holds the truth."""

DOWN_S = 720
"""Second from which heads are down."""


@dataclass(frozen=True)
class Outcome:
    """Figures of one lesson. truth: mean over its students and seconds. expectation: of students like these in that lesson. The
    others are stored figures."""

    truth: float
    expectation: float
    concentration: float
    lowest: float
    highest: float
    low: float
    high: float


def stored(workspace: Workspace, random: np.random.Generator, row: Row) -> Outcome:
    """Figures that the store has of one simulated lesson."""
    seen = seen_class.seen_class(random, row)
    rows = seen_class.observations(random, seen, START.replace(tzinfo=None))
    lesson = Lesson("Maths 7a", "7a", "Maths", "", "UTC", "consent", str(ATTENTION_ONLY), "camera", "class", START)
    (number,) = workspace.add([lesson], [START + timedelta(seconds=SECONDS)], rows.assign(lesson=0))
    (found,) = queries.lessons(workspace).itertuples()
    workspace.delete(number)
    expectation = EXPECTED_FACTOR * float(seen.expected_on_task.mean())
    figures = (getattr(found, name) for name in ("concentration", "lowest", "highest", "low", "high"))
    return Outcome(seen.truth, expectation, *figures)


def stored_row(row: Row, lessons: int, seed: int = 0) -> dict[str, float]:
    """Rates of one row of the table."""
    with closing(Workspace.open(None)) as workspace:
        outcomes = [stored(workspace, np.random.default_rng([seed, i]), row) for i in range(lessons)]
    table = pd.DataFrame(outcomes)
    held = (table["lowest"] <= table["truth"] + HOLDS_WITHIN) & (table["truth"] - HOLDS_WITHIN <= table["highest"])
    covered = (table["low"] <= table["expectation"]) & (table["expectation"] <= table["high"])
    return {
        "bias": (table["concentration"] - table["truth"]).mean(),
        "band": held.mean(),
        "width": (table["highest"] - table["lowest"]).mean(),
        "interval": covered.mean(),
    }


def live(random: np.random.Generator, seen: SeenClass, seconds: int) -> tuple[np.ndarray, list[int]]:
    """The live headline of each second, and the seconds in which a hint is given."""
    view = ClassView(PROFILES["attention-only"], "class", ATTENTION_ONLY, "front", hints=True)
    rows = dict(tuple(seen_class.observations(random, seen, START.replace(tzinfo=None)).groupby("time")))
    headline, hints, before = np.full(seconds, np.nan), [], None
    for second in range(seconds):
        time = START + timedelta(seconds=second)
        view.add_result(frame(time, rows.get(pd.Timestamp(time.replace(tzinfo=None)))))
        headline[second] = view.reading().concentration
        alert = view.alert_at(time)
        if alert is not None and alert is not before:
            before = alert
            hints.append(second)
    return headline, hints


def frame(time: datetime, rows: pd.DataFrame | None) -> FrameResult:
    """The frame of a second from its observations."""
    if rows is None:
        rows = pd.DataFrame(
            columns=["x", "y", "w", "h", "score", "track", "attention", "concentration", "level", *SIGNALS]
        )
    n = len(rows)
    place = rows[["x", "y", "w", "h"]].to_numpy(float) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
    boxes = np.concatenate([place[:, :2] - place[:, 2:] / 2, place[:, :2] + place[:, 2:] / 2], axis=1).reshape(n, 4)
    signals = Signals(**{name: rows[name].to_numpy(np.float32) for name in SIGNALS})
    scores, attention, concentration = (
        rows[name].to_numpy(np.float32) for name in ("score", "attention", "concentration")
    )
    faces = Faces(boxes.astype(np.float32), scores)
    levels = rows["level"].fillna(-1).to_numpy(np.int8)
    tracks = rows["track"].to_numpy(np.int32)
    return FrameResult(time, WIDTH, HEIGHT, faces, tracks, signals, None, attention, concentration, levels)


def heads_down(row: Row, lessons: int, seed: int = 1) -> dict[str, float]:
    """60 % of a class lay down their heads: share of the true fall that the live headline shows between two and five minutes
    later, and the share of lessons with a hint within three minutes."""
    falls, hinted = [], 0
    for i in range(lessons):
        random = np.random.default_rng([seed, i])
        seen = seen_class.seen_class(random, row, heads_down_from=DOWN_S)
        headline, hints = live(random, seen, DOWN_S + 300)
        before, after = slice(DOWN_S - 300, DOWN_S), slice(DOWN_S + 120, DOWN_S + 300)
        truth = seen.truth_by_second()
        falls.append((headline[before].mean() - headline[after].mean()) / (truth[before].mean() - truth[after].mean()))
        hinted += any(DOWN_S <= second <= DOWN_S + 180 for second in hints)
    return {"fall": float(np.mean(falls)), "hints": hinted / lessons}


def quiet(mean: float, lessons: int, seed: int = 2) -> float:
    """Share of lessons with any hint although nothing happens."""
    hinted = 0
    for i in range(lessons):
        random = np.random.default_rng([seed, round(100 * mean), i])
        seen = seen_class.seen_class(random, PLAUSIBLE, seen_class.course(mean, mean))
        hinted += bool(live(random, seen, SECONDS)[1])
    return hinted / lessons


def all_away(lessons: int, seed: int = 3) -> dict[str, float]:
    """Nobody on task from the start, all seen: largest headline, and the share of lessons with a hint within three minutes."""
    highest, hinted = 0.0, 0
    for i in range(lessons):
        random = np.random.default_rng([seed, i])
        headline, hints = live(random, seen_class.seen_class(random, ALL_SEEN, np.full(200, -50.0)), 200)
        highest, hinted = max(highest, float(headline.max())), hinted + any(second <= 180 for second in hints)
    return {"headline": highest, "hints": hinted / lessons}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", type=int, default=300)
    lessons = parser.parse_args().lessons
    print(f"| row ({lessons} lessons) | bias of the headline | band holds the truth | mean width | interval holds |")
    print("| --- | --- | --- | --- | --- |")
    for row in ROWS:
        found = stored_row(row, lessons)
        shown = "withheld" if np.isnan(found["bias"]) else f"{found['bias']:+.3f}"
        print(
            f"| {row.name} | {shown} | {found['band']:.1%} | {found['width']:.2f} | {found['interval']:.1%} |",
            flush=True,
        )
    few = max(1, lessons // 10)
    for row in (PLAUSIBLE, DRAWN):
        found = heads_down(row, few)
        print(
            f"Heads down, {row.name}: {found['fall']:.0%} of the fall, hints in {found['hints']:.0%} of {few}.",
            flush=True,
        )
    found = all_away(few)
    print(f"All away: headline at most {found['headline']:.2f}, hints in {found['hints']:.0%} of {few}.", flush=True)
    for mean in (0.7, 0.5):
        print(f"Nothing happens, mean {mean}: hints in {quiet(mean, lessons):.1%} of {lessons}.", flush=True)


if __name__ == "__main__":
    main()
