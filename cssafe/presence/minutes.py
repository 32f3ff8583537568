"""Summary rows of a lesson: one for each minute, one for each person."""

import numpy as np
import pandas as pd

from cssafe.presence.class_figure import ClassSums, sum_class
from cssafe.presence.people import People, fill_gaps, find_people
from cssafe.stats.intervals import grouped_means

STATES = ("on_task", "off_task", "unreadable", "unseen")
"""States of a person who is present."""

LEVEL_COUNTS = ("n_low", "n_medium", "n_high")

MINUTE = (
    "time", "seconds", "present", "known", *STATES, "attention", "concentration", "low", "high", "lowest", "highest",
    *LEVEL_COUNTS,
)  # fmt: skip
"""Columns of a minute. time: naive UTC. seconds: looks with a figure. present, known and STATES: mean number of people, see
class_figure.py. attention, concentration: of the people present, those not visible counted as the formula says. low, high:
95 % interval over people like these. lowest, highest: concentration if people not visible or not readable attend not at all, or
like the rest. LEVEL_COUNTS: mean number of readable people at each level."""


def summarise_class(
    observations: pd.DataFrame, unseen_weight: pd.Series, bands: dict[str, float], expected: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """MINUTE rows of a class's lesson, and one row for each person.

    Columns of persons: `person`, `present` (looks), `shares` and `attention_shares` (sums of its part of the class's
    concentration and attention), `engaged` (sum of its concentration while it is readable).

    Args:
        observations: as in find_people.
        unseen_weight: by the time (naive UTC) from which it holds, ascending; see sum_class.
        bands: Formula.bands.
        expected: see sum_class.
    """
    people = fill_gaps(find_people(observations))
    weight = _at(unseen_weight, people.times)
    sums = sum_class(people, weight, bands, expected)
    return _minutes(people.times, sums, sums.shares, people.present), _persons(people, sums)


def summarise_person(
    observations: pd.DataFrame, unseen_weight: pd.Series, bands: dict[str, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same of one person who films herself: looks with exactly one face count. The interval is over stretches of ten
    seconds."""
    alone = observations[~observations["time"].duplicated(keep=False)].assign(person=1)
    people = find_people(alone)
    people = People(**{**vars(people), "present": people.found, "pictured": people.found.any(axis=0)})
    sums = sum_class(people, 1 + 0 * _at(unseen_weight, people.times), bands, least=1)
    stretch = people.times.astype("datetime64[s]").astype(int) // 10 % 6
    own = (stretch == np.arange(6)[:, None]) & people.found.any(axis=0)
    return _minutes(people.times, sums, np.where(own, sums.concentration, 0), own), _persons(people, sums)


def _minutes(times: np.ndarray, sums: ClassSums, shares: np.ndarray, present: np.ndarray) -> pd.DataFrame:
    """One row for each minute with a figure. shares, present: (clusters, t), of the interval."""
    figure = ~np.isnan(sums.concentration)
    minutes, minute = np.unique(times[figure].astype("datetime64[m]"), return_inverse=True)
    looks = np.bincount(minute, minlength=len(minutes))

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(minute, values[figure], len(minutes))

    rows: dict[str, np.ndarray] = {"time": minutes.astype("datetime64[us]"), "seconds": looks}
    people = total(sums.present)
    rows |= {name: total(getattr(sums, name)) / looks for name in ("present", "known", *STATES)}
    rows |= {name: total(getattr(sums, name)) / people for name in ("attention", "concentration", "lowest", "highest")}
    rows |= {name: total(getattr(sums, name.removeprefix("n_"))) / looks for name in LEVEL_COUNTS}
    low, high = _intervals(minute, len(minutes), shares[:, figure], present[:, figure])
    return pd.DataFrame(rows | {"low": low, "high": high})[list(MINUTE)]


def _intervals(
    minute: np.ndarray, minutes: int, shares: np.ndarray, present: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of each minute, cut to [0, 1]; NaN with one cluster."""
    cell = np.arange(len(shares))[:, None] * minutes + minute
    size = len(shares) * minutes
    n, s = (np.bincount(cell.ravel(), values.ravel(), size) for values in (present, shares))
    there = n > 0
    _mean, low, high = grouped_means(s[there], n[there], np.tile(np.arange(minutes), len(shares))[there])
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


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
