"""Summary rows of a lesson: one for each minute, one for each person."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cssafe.presence.class_figure import ClassSums, sum_class
from cssafe.presence.people import People, fill_gaps, find_people
from cssafe.stats.intervals import grouped_means

STATES = ("on_task", "off_task", "unreadable", "unseen")
"""States of a person who is present."""

LEVEL_COUNTS = ("n_low", "n_medium", "n_high")

MINUTE = (
    "time", "seconds", "looks", "present", "known", *STATES, "attention", "concentration", "low", "high", "lowest", "highest",
    *LEVEL_COUNTS,
)  # fmt: skip
"""Columns of a minute. time: naive UTC. looks: with a figure; seconds: those of them at which enough people can be read.
present, known and STATES: mean number of people, see class_figure.py. attention, concentration: of the people present, those
not visible counted as the formula says. low, high: 95 % interval over people like these. lowest, highest: concentration if
people not visible or not readable attend not at all, or like the rest. LEVEL_COUNTS: mean number of readable people at each
level."""


MIN_FOLLOWED_FACE_PX = 32.0
"""Median height of the faces of a class below which its headline is withheld. At this height the detector misses four of ten
faces (recall .54 at 20 to 39 px and .82 at 40 to 79 px, docs/benchmarks.md, interpolated on a logarithmic scale). They are lost
by their size, while the formula's value of people not visible is that of people who turned away. The band stays."""


class Summary(NamedTuple):
    """Tables of a lesson.

    minutes: MINUTE rows. people: a row for each person, `person`, `present` (looks), `shares` and `attention_shares` (sums of
    its part of the class's concentration and attention), `engaged` (sum of its concentration while it is readable). clusters: a
    row for each cluster of the intervals and minute, `time`, `cluster`, `present`, `shares`.
    """

    minutes: pd.DataFrame
    people: pd.DataFrame
    clusters: pd.DataFrame


def summarise_class(
    observations: pd.DataFrame, empty: np.ndarray, unseen_weight: pd.Series, bands: dict[str, float], expected: int = 0
) -> Summary:
    """The summary of a class's lesson. Its clusters are people.

    Args:
        observations, empty: as in find_people.
        unseen_weight: by the time (naive UTC) from which it holds, ascending; see sum_class.
        bands: Formula.bands.
        expected: see sum_class.
    """
    people = fill_gaps(find_people(observations, empty))
    weight = _at(unseen_weight, people.times)
    sums = sum_class(people, weight, bands, expected)
    return _summary(people, sums, sums.shares, people.present)


def attention_by_look(
    observations: pd.DataFrame, empty: np.ndarray, unseen_weight: pd.Series, bands: dict[str, float], expected: int = 0
) -> pd.DataFrame:
    """Attention of a class at each look, in [0, 1], people not visible counted as the formula says. Columns: time (naive UTC),
    attention (NaN without a figure). Arguments: of summarise_class."""
    people = fill_gaps(find_people(observations, empty))
    sums = sum_class(people, _at(unseen_weight, people.times), bands, expected)
    mean = sums.attention / np.where(sums.present > 0, sums.present, np.nan)
    return pd.DataFrame({"time": people.times, "attention": mean})


def summarise_person(observations: pd.DataFrame, unseen_weight: pd.Series, bands: dict[str, float]) -> Summary:
    """The same of one person who films herself: looks with exactly one face count. The clusters are the stretches of ten
    seconds of each minute, 0 to 5."""
    alone = observations[~observations["time"].duplicated(keep=False)].assign(person=1)
    people = find_people(alone, np.zeros(0, "datetime64[us]"))
    people = People(**{**vars(people), "present": people.found, "pictured": people.found.any(axis=0)})
    sums = sum_class(people, 1 + 0 * _at(unseen_weight, people.times), bands, least=1)
    stretch = people.times.astype("datetime64[s]").astype(int) // 10 % 6
    own = (stretch == np.arange(6)[:, None]) & people.found.any(axis=0)
    return _summary(people, sums, np.where(own, sums.concentration, 0), own)


def withhold_headline(summary: Summary) -> Summary:
    """The summary without headline and interval. Its bands and the numbers of people stay."""
    minutes, people, clusters = summary
    headline = dict.fromkeys(("attention", "concentration", "low", "high"), np.nan)
    own = dict.fromkeys(("shares", "attention_shares", "engaged"), np.nan)
    return Summary(minutes.assign(**headline), people.assign(**own), clusters.assign(shares=np.nan))


def _summary(people: People, sums: ClassSums, shares: np.ndarray, present: np.ndarray) -> Summary:
    """shares, present: (clusters, t), of the interval."""
    figure = ~np.isnan(sums.concentration)
    minutes, minute = np.unique(people.times[figure].astype("datetime64[m]"), return_inverse=True)
    cell = np.arange(len(shares))[:, None] * len(minutes) + minute
    size = len(shares) * len(minutes)
    n, s = (np.bincount(cell.ravel(), values[:, figure].ravel(), size) for values in (present, shares))
    cluster, at = np.divmod(np.flatnonzero(n), max(1, len(minutes)))
    time = minutes.astype("datetime64[us]")
    clusters = pd.DataFrame({"time": time[at], "cluster": cluster, "present": n[n > 0], "shares": s[n > 0]})
    return Summary(_minutes(sums, figure, time, minute, clusters), _persons(people, sums), clusters)


def _minutes(
    sums: ClassSums, figure: np.ndarray, time: np.ndarray, minute: np.ndarray, clusters: pd.DataFrame
) -> pd.DataFrame:
    """One row for each minute with a figure. time: of the minutes (m,). minute: int, which of them, of each look with a figure
    (bool (t,))."""
    looks = np.bincount(minute, minlength=len(time))

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(minute, values[figure], len(time))

    rows: dict[str, np.ndarray] = {"time": time, "looks": looks}
    rows["seconds"] = total(sums.on_task + sums.off_task > 0).astype(int)
    people = total(sums.present)
    rows |= {name: total(getattr(sums, name)) / looks for name in ("present", "known", *STATES)}
    rows |= {name: total(getattr(sums, name)) / people for name in ("attention", "concentration", "lowest", "highest")}
    rows |= {name: total(getattr(sums, name.removeprefix("n_"))) / looks for name in LEVEL_COUNTS}
    place = np.searchsorted(time, clusters["time"].to_numpy())
    _mean, low, high = grouped_means(clusters["shares"].to_numpy(), clusters["present"].to_numpy(), place)
    return pd.DataFrame(rows | {"low": np.clip(low, 0, 1), "high": np.clip(high, 0, 1)})[list(MINUTE)]


def _persons(people: People, sums: ClassSums) -> pd.DataFrame:
    figure = ~np.isnan(sums.concentration)
    rows = {
        "person": people.persons,
        "present": people.present[:, figure].sum(axis=1),
        "shares": sums.shares[:, figure].sum(axis=1),
        "attention_shares": sums.attention_shares[:, figure].sum(axis=1),
        "engaged": sums.engaged[:, figure].sum(axis=1),
    }
    return pd.DataFrame(rows).query("present > 0")


def _at(values: pd.Series, times: np.ndarray) -> np.ndarray:
    """The value in force at each time; the first one before its time."""
    place = np.searchsorted(values.index.to_numpy("datetime64[us]"), times, side="right") - 1
    return values.to_numpy(float)[np.maximum(place, 0)]
