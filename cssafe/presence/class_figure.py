"""The class figure: mean concentration of the people present, with those who are not visible.

The *headline* counts people not visible as the formula says. The *band* reaches from "not visible means not attending" to "not
visible means like the rest". The 95 % interval is about students like these; it is another thing and computed by
stats/intervals.py from `shares`.
"""

from dataclasses import dataclass

import numpy as np

from cssafe.labels import LEVELS
from cssafe.presence.people import ON_TASK, People
from cssafe.settings import MINIMUM_GROUP


@dataclass(frozen=True)
class ClassSums:
    """A class at t looks: numbers of people and sums over them, float (t,) each. Sums over any looks divide.

    present: people there, expected ones too; known: without those never seen. on_task, off_task, unreadable, unseen: the four
    states, which add up to `present`. attention, concentration: sums over the people present, NaN without a figure. lowest,
    highest: the ends of the band of concentration. low, medium, high: readable people at each level.

    Float (n, t): shares, attention_shares: of each person in `concentration` and `attention`. engaged: concentration of each
    readable person, 0 of the others.
    """

    present: np.ndarray
    known: np.ndarray
    on_task: np.ndarray
    off_task: np.ndarray
    unreadable: np.ndarray
    unseen: np.ndarray
    attention: np.ndarray
    concentration: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    low: np.ndarray
    medium: np.ndarray
    high: np.ndarray
    shares: np.ndarray
    attention_shares: np.ndarray
    engaged: np.ndarray


def sum_class(
    people: People,
    unseen_weight: np.ndarray,
    bands: dict[str, float],
    expected: int = 0,
    least: int = MINIMUM_GROUP,
    before: tuple[float, float] = (np.nan, np.nan),
) -> ClassSums:
    """Count a class and sum its figures.

    Args:
        unseen_weight: (t,) in [0, 1], share of the others' mean that a person not visible counts as; NaN: not scored.
        bands: Formula.bands. expected: by the teacher, 0 if unknown; those never seen are not visible.
        least: of people present, for a figure. Fewer readable ones count as unreadable: their own values would show.
        before: mean attention and concentration of the readable people before, for looks that have none.
    """
    known, readable = people.present.sum(axis=0), people.present & ~np.isnan(people.concentration)
    missing = np.where(people.pictured, np.maximum(0, expected - known), 0)
    readable &= readable.sum(axis=0) >= least
    seen = people.present & people.found
    unreadable, unseen = (seen & ~readable).sum(axis=0), known + missing - seen.sum(axis=0)
    weight = np.where(known + missing >= least, unseen_weight, np.nan)
    attention, others_attention = _sum_readable(people.attention, readable, before[0])
    own, others = _sum_readable(people.concentration, readable, before[1])
    return ClassSums(
        known + missing,
        known,
        (readable & (people.attention >= ON_TASK)).sum(axis=0),
        (readable & (people.attention < ON_TASK)).sum(axis=0),
        unreadable,
        unseen,
        attention=attention + (unreadable + unseen * weight) * others_attention,
        concentration=own + (unreadable + unseen * weight) * others,
        lowest=own + 0 * weight * others,
        highest=own + (unreadable + unseen + 0 * weight) * others,
        **_count_levels(np.where(readable, people.concentration, np.nan), bands),
        shares=_shares(people, readable, people.concentration, weight * others, others),
        attention_shares=_shares(people, readable, people.attention, weight * others_attention, others_attention),
        engaged=np.where(readable, people.concentration, 0),
    )


def _shares(
    people: People, readable: np.ndarray, values: np.ndarray, unseen: np.ndarray, unread: np.ndarray
) -> np.ndarray:
    """Part of each person in a sum, (n, t). unseen, unread: (t,), of a person not visible, and of one not readable."""
    return np.where(people.present, np.where(readable, values, np.where(people.found, unread, unseen)), 0)


def _count_levels(concentration: np.ndarray, bands: dict[str, float]) -> dict[str, np.ndarray]:
    low, high = concentration < bands["low_below"], concentration > bands["high_above"]
    medium = ~np.isnan(concentration) & ~low & ~high
    return {name: level.sum(axis=0) for name, level in zip(LEVELS, (low, medium, high), strict=True)}


def _sum_readable(values: np.ndarray, readable: np.ndarray, before: float) -> tuple[np.ndarray, np.ndarray]:
    """Sum over the readable people at each look, and their mean, interpolated where there are none; `before` without any."""
    total, count = np.where(readable, values, 0).sum(axis=0), readable.sum(axis=0)
    known = np.flatnonzero(count)
    if not len(known):
        return total, np.full(len(total), before)
    return total, np.interp(np.arange(len(total)), known, total[known] / count[known])
