"""Slot advice and proposals against simulated schools of known truth: `python -m tests.evidence_slots --n 200`.

The table is that of docs/method.md. n: schools without effects for each number of weeks; of those with effects .3 n, and .2 n
proposals.
"""

import argparse
from collections.abc import Iterator
from itertools import count
from time import process_time

import numpy as np
import pandas as pd

from cssafe.timetable.proposal import propose
from cssafe.timetable.slot_effects import SlotEffects, estimate_effects
from tests.support.slot_schools import DATE_SPREAD, Simulated, planted_effects, simulate, true_gain

WEEKS = (3, 4, 6, 8)
FALSE_ADVICE = {3: 0.11, 4: 0.09, 6: 0.07, 8: 0.06}
EXTREME_HELD, TRUE_OVER_PREDICTED = 0.80, 0.85
DIFFERENT = np.flatnonzero(planted_effects())
NOTHING = np.zeros(len(planted_effects()))
PLANTED_SEED = 10_000
MOVES = 12


def estimate(simulated: Simulated) -> SlotEffects:
    return estimate_effects(simulated.lessons, simulated.school.days, simulated.school.periods)


def false_advice(n: int, weeks: int) -> tuple[float, float]:
    """Share of schools without effects that get advice, and share of all schools with a filled cell beside no advice."""
    found = [estimate(simulate(seed, weeks, NOTHING)) for seed in range(n)]
    filled = [bool(one.reason) and bool(one.slots["differs"].any()) for one in found]
    return float(np.mean([not one.reason for one in found])), float(np.mean(filled))


def planted(n: int, weeks: int, date_spread: float) -> pd.DataFrame:
    """A row for each school with effects: advice (bool), held and estimate (interval and effect of Monday's first
    period), wrong (bool: a slot is named that has no planted effect) and filled (beside no advice)."""
    rows = []
    for seed in range(n):
        simulated = simulate(PLANTED_SEED + seed, weeks, planted_effects(), date_spread)
        found = estimate(simulated)
        truth = simulated.effect - simulated.effect[found.slots["evidence"]].mean()
        first = found.slots.iloc[0]
        named = found.slots["differs"].to_numpy()
        rows.append(
            {
                "advice": not found.reason,
                "held": first["low"] <= truth[0] <= first["high"],
                "estimate": first["effect"],
                "wrong": bool((named & ~np.isin(np.arange(len(named)), DIFFERENT)).any()),
                "filled": bool(found.reason) and bool(named.any()),
            }
        )
    return pd.DataFrame(rows)


def gains(n: int, weeks: int) -> Iterator[tuple[float, float]]:
    """True and expected gain of n proposals."""
    for seed in count():
        simulated = simulate(PLANTED_SEED + seed, weeks, planted_effects())
        found = estimate(simulated)
        made = None if found.reason else propose(simulated.school, found, MOVES)
        if made is not None and not made.reason:
            yield true_gain(simulated, made.week), made.gain
            n -= 1
        if not n:
            return


def true_over_predicted(n: int, weeks: int) -> float:
    true, predicted = np.array(list(gains(n, weeks))).T
    return float(true.sum() / predicted.sum())


def table_row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def rows(n: int, weeks: int) -> list[tuple[object, ...]]:
    """Rows of the table for a number of weeks: figure, weeks, measured, bar, n."""
    some, few = max(2, round(0.3 * n)), max(2, round(0.2 * n))
    advice, filled = false_advice(n, weeks)
    without, shocked = planted(some, weeks, 0.0), planted(some, weeks, DATE_SPREAD)
    filled_schools = filled * n + without["filled"].sum() + shocked["filled"].sum()
    found = [
        ("advice without effects", f"{advice:.1%}", f"at most {FALSE_ADVICE[weeks]:.0%}", n),
        ("schools with filled cells beside no advice", f"{filled_schools:.0f}", "none", n + 2 * some),
        ("advice with effects, no date shocks", f"{without['advice'].mean():.0%}", "", some),
        ("advice with effects and date shocks", f"{shocked['advice'].mean():.0%}", "", some),
        ("interval of the extreme slot holds", f"{shocked['held'].mean():.0%}", f"at least {EXTREME_HELD:.0%}", some),
        ("its mean estimate (true -.08)", f"{shocked['estimate'].mean():+.3f}", "", some),
        ("schools in which a slot is named that does not differ", f"{shocked['wrong'].mean():.0%}", "", some),
        ("true over predicted gain", f"{true_over_predicted(few, weeks):.2f}", f"at least {TRUE_OVER_PREDICTED}", few),
    ]
    return [(name, weeks, *rest) for name, *rest in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--weeks", type=int, nargs="+", default=WEEKS)
    given = parser.parse_args()
    started = process_time()
    print(table_row("figure", "weeks", "measured", "bar", "n"))
    print(table_row(*["---"] * 5))
    for weeks in given.weeks:
        for row in rows(given.n, weeks):
            print(table_row(*row), flush=True)
    print(f"\n{process_time() - started:.0f} s of processor time.")


if __name__ == "__main__":
    main()
