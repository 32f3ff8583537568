"""Labelled moments with the observations of their faces, to be scored by any formula."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cssafe import media
from cssafe.errors import DataError
from cssafe.frames import SIGNALS
from cssafe.media import MediaError
from cssafe.observations import EXPRESSION, average_seconds
from cssafe.pipeline import Pipeline, Stream
from cssafe.queries import scored_observations
from cssafe.recording import Recording, analyze
from cssafe.scoring import concentration, rescoring
from cssafe.scoring.formula import Formula, find_formula
from cssafe.store import Workspace, views
from cssafe.training.engagement.layouts import LabelledClips, read_ratings
from cssafe.training.progress import with_progress

SAVE_EVERY = 50
"""Videos between two saves: a data set takes hours, and may be interrupted."""


@dataclass(frozen=True)
class Moments:
    """m labelled moments of people, or of lessons with a label of the class.

    label: int (m,) in 0 to levels - 1. person: str (m,). seconds: one row for each face and second of a moment: `moment` (its
    index), `activity`, signals and probabilities. A moment without a row shows no face. notes: sentences on omissions.
    """

    label: np.ndarray
    person: np.ndarray
    levels: int
    seconds: pd.DataFrame
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)

    def score(self, formula: Formula) -> np.ndarray:
        """Mean index of each moment, (m,), NaN where nothing was measured."""
        index = np.full(len(self.seconds), np.nan)
        for activity, rows in self.seconds.groupby("activity"):
            attending = concentration.attention(rescoring.signals(rows), formula, str(activity))
            index[rows.index] = concentration.concentration(attending, rescoring.expression(rows), formula)
        means = pd.Series(index).groupby(self.seconds["moment"].to_numpy()).mean()
        return means.reindex(range(len(self))).to_numpy(float)


def moments_of_clips(labelled: LabelledClips, pipeline: Pipeline, activity: str, kept: Path | None) -> Moments:
    """Analyse the videos; of several faces the largest counts.

    Args:
        kept: parquet file that caches the observations; None keeps nothing.
    """
    done = pd.read_parquet(kept) if kept is not None and kept.is_file() else None
    if done is not None and not {"video", *SIGNALS, *EXPRESSION} <= set(done.columns):
        raise DataError(f"{kept}: this file holds no signals of videos. Choose another name, or take it away.")
    parts = [] if done is None else [done]
    known = set() if done is None else set(done["video"])
    names = ["/".join(path.parts[-3:]) for path in labelled.clips["video"]]
    wanted = [(name, path) for name, path in zip(names, labelled.clips["video"], strict=True) if name not in known]
    broken = []
    for i, (name, path) in enumerate(with_progress(wanted, len(wanted), "analysing videos")):
        try:
            parts.append(_read_video(path, pipeline).assign(video=name))
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


def moments_of_lessons(file: Path, levels: int, workspace: Workspace) -> Moments:
    """A teacher's labels of minutes of her lessons; each label is of the whole class in the minute of its time."""
    table = read_ratings(file, levels)
    with workspace.cursor() as cursor:
        lessons = cursor.execute(
            """SELECT lesson, started AT TIME ZONE 'UTC' AT TIME ZONE time_zone AS local, profile, formula FROM lessons"""
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
        activity = rescoring.activity_at(rows["time"], scored_observations.activities(workspace, int(str(lesson))))
        rows = rows.assign(activity=activity)
        local = known.loc[lesson, "local"]
        for moment, time in moments["time"].items():
            minute = (_parse_time(file, str(time), local) - local.floor("min")) // pd.Timedelta(minutes=1)
            parts.append(rows[rows["minute"] == minute].assign(moment=moment))
    seconds = pd.concat(parts, ignore_index=True) if parts else average_seconds([]).assign(moment=0, activity="")
    notes = () if workspace.expression else withheld_notes(known.loc[table["lesson"].unique()])
    return Moments(table["label"].to_numpy(int), table["lesson"].to_numpy(str), levels, seconds, notes)


def withheld_notes(lessons: pd.DataFrame) -> tuple[str, ...]:
    """Why lessons have no figures where no emotion may be read (store/views.py). lessons: `profile` and `formula` of each."""
    formulas = {name: find_formula(name) for name in lessons["formula"].unique()}
    plain = [name for name, formula in formulas.items() if formula is not None and formula.emotion is None]
    n = int((lessons["profile"].isin(views.EXPRESSIVE) & ~lessons["formula"].isin(plain)).sum())
    why = (
        f"lessons whose scores weigh emotions, which the profile attention-only does not read: {n}. Score them by a formula "
        "without emotions on the page Formula, or set CSSAFE_PROFILE to consent"
    )
    return (why,) if n else ()


def _parse_time(file: Path, text: str, start: pd.Timestamp) -> pd.Timestamp:
    """A time by the lesson's clock; without a date, on the lesson's day."""
    try:
        time = pd.Timestamp(text if len(text) > len("09:15:30") else f"{start:%Y-%m-%d} {text}")
    except ValueError:
        time = pd.NaT
    if time is pd.NaT or time.tzinfo is not None:
        raise DataError(
            f"{file}: the time {text!r} cannot be read. Expected is 09:15, 09:15:30 or 2026-03-02 09:15:30."
        )
    return time


def _read_video(video: Path, pipeline: Pipeline) -> pd.DataFrame:
    """Observations of the largest face of each second; one row of NaN without faces."""
    stream, recording = Stream(), Recording(media.started(str(video)))
    for _ in analyze(str(video), media.FRAME_INTERVAL_S, lambda frame: pipeline.analyze(frame, stream), recording):
        pass
    recording.end()
    rows = recording.observations.sort_values("size").groupby("time").tail(1)
    return (
        rows[[*SIGNALS, *EXPRESSION]] if len(rows) else pd.DataFrame(np.nan, index=[0], columns=[*SIGNALS, *EXPRESSION])
    )


def person_folds(person: np.ndarray, number: int = 5) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation over people: moments to learn from and to test on, bool (m,) each, `number` times or once a person."""
    people = np.unique(person)
    order = np.random.default_rng(0).permutation(len(people))
    for part in np.array_split(order, min(number, len(people))):
        held = np.isin(person, people[part])
        yield ~held, held


def require_people(moments: Moments, least: int, doing: str) -> None:
    """Check the number of people.

    Raises:
        DataError: too few.
    """
    found = len(np.unique(moments.person))
    if found < least:
        raise DataError(
            f"The labels are of {found} {'person or lesson' if found == 1 else 'people or lessons'}; to {doing}, {least} are "
            "needed, because each is judged by what the others taught."
        )


def format_notes(notes: Sequence[str]) -> str:
    """The notes as one line."""
    return f"Left out: {'; '.join(notes)}." if notes else ""
