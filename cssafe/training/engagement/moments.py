"""Labelled moments and what was read from the faces in them, ready to be scored by any formula."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.frames import SIGNALS
from cssafe.media import MediaError
from cssafe.observations import EXPRESSION, observe
from cssafe.pipeline import Pipeline, Stream
from cssafe.queries import scored_observations
from cssafe.recording import Recording, analyze
from cssafe.scoring.concentration import attention, concentration
from cssafe.scoring.formula import Formula
from cssafe.scoring.rescoring import during, expression, signals
from cssafe.store import Workspace
from cssafe.training.engagement.layouts import Labelled, read_ratings
from cssafe.training.progress import told

SAVE_EVERY = 50
"""Videos between two savings of what was read from them: a data set takes hours, and may be interrupted."""


@dataclass(frozen=True)
class Moments:
    """m labelled moments of people (or of lessons, where the label is of a class).

    label: int (m,) in 0 to levels - 1. person: str (m,). seconds: one row for each face and second of a moment: `moment` (its
    index), `activity`, the signals and the probabilities. A moment without a row shows no face. notes: what was left out.
    """

    label: np.ndarray
    person: np.ndarray
    levels: int
    seconds: pd.DataFrame
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    def score(self, formula: Formula) -> np.ndarray:
        """The mean index of each moment, (m,), NaN where none could be measured."""
        index = np.full(len(self.seconds), np.nan)
        for activity, rows in self.seconds.groupby("activity"):
            attending = attention(signals(rows), formula, str(activity))
            index[rows.index] = concentration(attending, expression(rows), formula)
        means = pd.Series(index).groupby(self.seconds["moment"].to_numpy()).mean()
        return means.reindex(range(len(self))).to_numpy(float)


def of_clips(labelled: Labelled, pipeline: Pipeline, activity: str, kept: Path | None) -> Moments:
    """Analyse the videos; of several faces the largest counts.

    Args:
        kept: a parquet file in which what was read stays, and from which it is taken another time; None keeps nothing.
    """
    done = pd.read_parquet(kept) if kept is not None and kept.is_file() else None
    if done is not None and not {"video", *SIGNALS, *EXPRESSION} <= set(done.columns):
        raise DataError(f"{kept}: this file holds no signals of videos. Choose another name, or take it away.")
    parts = [] if done is None else [done]
    known = set() if done is None else set(done["video"])
    names = ["/".join(path.parts[-3:]) for path in labelled.clips["video"]]
    wanted = [(name, path) for name, path in zip(names, labelled.clips["video"], strict=True) if name not in known]
    broken = []
    for i, (name, path) in enumerate(told(wanted, len(wanted), "analysing videos")):
        try:
            parts.append(_watch(path, pipeline).assign(video=name))
        except MediaError as error:
            broken.append(str(error))
        if kept is not None and (i % SAVE_EVERY == SAVE_EVERY - 1 or i == len(wanted) - 1):
            pd.concat(parts, ignore_index=True).to_parquet(kept, index=False)
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.assign(moment=rows["video"].map({name: i for i, name in enumerate(names)}), activity=activity)
    rows = rows.dropna(subset="moment").astype({"moment": int}).reset_index(drop=True)
    notes = labelled.notes + ((f"{len(broken)} videos cannot be read, the first: {broken[0]}",) if broken else ())
    clips = labelled.clips
    return Moments(clips["label"].to_numpy(int), clips["person"].to_numpy(str), labelled.levels, rows, notes)


def of_lessons(file: Path, levels: int, workspace: Workspace) -> Moments:
    """A teacher's labels of minutes of her lessons: each holds for the minute in which its time lies, and for the whole
    class, which is never fewer than the minimum group."""
    table = read_ratings(file, levels)
    with workspace.cursor() as cursor:
        lessons = cursor.execute(
            "SELECT lesson, started AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, started FROM lessons"
        ).df()
    known = lessons.set_index("lesson")
    if unknown := sorted(set(table["lesson"]) - set(known.index)):
        raise DataError(
            f"{file}: there is no lesson {unknown[0]} in this database. A lesson's number stands in the address of its page "
            "and in its files."
        )
    parts: list[pd.DataFrame] = []
    for lesson, moments in table.groupby("lesson"):
        rows = scored_observations.counted_observations(workspace, int(str(lesson)))
        activity = during(rows["time"], scored_observations.activities(workspace, int(str(lesson))))
        rows = rows.assign(activity=activity)
        local = known.loc[lesson, "local"]
        for moment, time in moments["time"].items():
            minute = (_clock(file, str(time), local) - local.floor("min")) // pd.Timedelta(minutes=1)
            parts.append(rows[rows["minute"] == minute].assign(moment=moment))
    seconds = pd.concat(parts, ignore_index=True) if parts else observe([]).assign(moment=0, activity="")
    return Moments(table["label"].to_numpy(int), table["lesson"].to_numpy(str), levels, seconds, ())


def _clock(file: Path, text: str, start: pd.Timestamp) -> pd.Timestamp:
    """A time by the lesson's own clock; without a date, on the lesson's day."""
    try:
        time = pd.Timestamp(text if len(text) > len("09:15:30") else f"{start:%Y-%m-%d} {text}")
    except ValueError:
        time = pd.NaT
    if time is pd.NaT or time.tzinfo is not None:
        raise DataError(
            f"{file}: the time {text!r} cannot be read. Expected is 09:15, 09:15:30 or 2026-03-02 09:15:30."
        )
    return time


def _watch(video: Path, pipeline: Pipeline) -> pd.DataFrame:
    """What was read from the largest face of each second; one row without figures where there is none."""
    stream, recording = Stream(), Recording(media.started(str(video)))
    for _ in analyze(str(video), media.EVERY, lambda frame: pipeline.analyze(frame, stream), recording):
        pass
    recording.end()
    rows = recording.observations.sort_values("size").groupby("time").tail(1)
    return (
        rows[[*SIGNALS, *EXPRESSION]] if len(rows) else pd.DataFrame(np.nan, index=[0], columns=[*SIGNALS, *EXPRESSION])
    )


def folds(person: np.ndarray, number: int = 5) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Moments to learn from and moments of other people to test on, bool (m,) each, `number` times or once for each person."""
    people = np.unique(person)
    order = np.random.default_rng(0).permutation(len(people))
    for part in np.array_split(order, min(number, len(people))):
        held = np.isin(person, people[part])
        yield ~held, held


def people(moments: Moments, least: int, doing: str) -> None:
    """See that there are enough people.

    Raises:
        DataError: there are not.
    """
    found = len(np.unique(moments.person))
    if found < least:
        raise DataError(
            f"The labels are of {found} {'person or lesson' if found == 1 else 'people or lessons'}; to {doing}, {least} are "
            "needed, because each is judged by what the others taught."
        )


def mentions(notes: Sequence[str]) -> str:
    """What was left out, as one line."""
    return f"Left out: {'; '.join(notes)}." if notes else ""
