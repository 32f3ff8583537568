"""Winners of a week, rises of a term and effects of tags in simulated terms of known truth: `python -m tests.evidence_terms`.

The table is that of docs/method.md, section Evidence. Lessons come from tests/support/simulated_terms.py.
"""

from collections.abc import Callable
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
from scipy.special import stdtrit

from cssafe.charts import heatmaps
from cssafe.stats.comparison import Effect, compare_groups, difference_design, estimate_trend, trend_design
from cssafe.stats.evidence import Finding, Verdict
from cssafe.stats.intervals import mean_sql
from tests.support import simulated_terms as simulated
from tests.support.bars import Bar, run
from tests.support.simulated_terms import TermCase, WeekCase

INDEPENDENT, CORRELATED = TermCase(), TermCase(correlation=0.8)
TRENDING = TermCase(trend=simulated.TREND_A_WEEK)
TERM_CASES = {"independent weeks": INDEPENDENT, "correlation .8": CORRELATED, "trend": TRENDING}


def named(n: int, case: WeekCase) -> float:
    """Share of weeks with a named highest and lowest cell, with the planted cell as the highest if there is one."""
    found = 0
    for i in range(n):
        lessons = simulated.week_lessons(np.random.default_rng([1, case.classes, i]), case)
        words = heatmaps.weekly_caption(simulated.week_cells(lessons), lessons)
        found += words.startswith("Highest: Mon, 08:00" if case.planted else "Highest")
    return found / n


def intervals_of(clusters: pd.DataFrame) -> pd.DataFrame:
    """m, low and high of each slot, by the SQL of queries.weekly."""
    with duckdb.connect() as connection:
        connection.register("clusters", clusters)
        return connection.execute(f"SELECT slot, {mean_sql('m')} FROM clusters GROUP BY slot ORDER BY slot").df()


def holding(found: pd.DataFrame) -> float:
    return float(((found["low"] <= simulated.MEAN) & (simulated.MEAN <= found["high"])).mean())


def width_by_floored_freedom(clusters: pd.DataFrame, found: pd.DataFrame) -> float:
    """Median width of the intervals, in that by degrees of freedom rounded down to 1."""
    n = clusters.groupby("slot")["n"]
    freedom = n.sum() ** 2 / clusters.assign(n=clusters["n"] ** 2).groupby("slot")["n"].sum() - 1
    widest = (found["high"] - found["low"]) / stdtrit(freedom.to_numpy(), 0.975) * stdtrit(1, 0.975)
    return float((found["high"] - found["low"]).median() / widest.median())


Judge = Callable[[np.random.Generator, np.ndarray], Effect]
"""Effect by the figures of the lessons of a term, (n,)."""

LESSONS = simulated.term_lessons()


def judged(n: int, case: TermCase, judge: Judge) -> list[Finding]:
    """Findings of n terms."""
    found = []
    for i in range(n):
        random = np.random.default_rng([2, i])
        found.append(judge(random, simulated.term_values(random, case)).finding)
    return found


def claimed(findings: list[Finding]) -> float:
    return float(np.mean([found.verdict == Verdict.DIFFERS for found in findings]))


def halves(planted: float = 0.0) -> Judge:
    """Judge of the second half against the first."""
    design, late = difference_design(LESSONS), (LESSONS["week"] >= simulated.WEEKS // 2).to_numpy()
    return lambda _random, values: compare_groups(values + planted * late, late, design)


def random_tag(planted: float = 0.0) -> Judge:
    """Judge of a tag on lessons at random."""
    design = difference_design(LESSONS, slots=True)

    def judge(random: np.random.Generator, values: np.ndarray) -> Effect:
        tagged = random.random(len(values)) < simulated.TAG_SHARE
        return compare_groups(values + planted * tagged, tagged, design)

    return judge


def weekday_tag() -> Judge:
    """Judge of a tag on the second lesson of each week."""
    design, tagged = difference_design(LESSONS, slots=True), (LESSONS["weekday"] == 1).to_numpy()
    return lambda _random, values: compare_groups(values, tagged, design)


def slope() -> Judge:
    """Judge of the change a week."""
    design = trend_design(LESSONS)
    return lambda _random, values: estimate_trend(values, design)


def weekly_bars(n: int) -> list[Bar]:
    placements = simulated.slot_placements(np.random.default_rng(3), n)
    three = simulated.three_lessons(np.random.default_rng(4), n)
    of_three = intervals_of(three)
    alone, three_classes = WeekCase(), WeekCase(classes=3)
    return [
        *(
            Bar(f"Weekly names a highest cell though none differs, {name}", named(n, case), n, most=0.065)
            for name, case in {
                "one class": alone,
                "three classes": three_classes,
                "no shared weeks": replace(alone, shared=False),
                "60 % recorded": replace(alone, recorded=0.6),
            }.items()
        ),
        Bar("Weekly names the one cell that is .10 higher, 8 lessons", named(n, WeekCase(planted=0.1)), n, least=0.95),
        Bar("the same, three classes", named(n, replace(three_classes, planted=0.1)), n, least=0.95),
        Bar("interval of a slot holds, two to eight placements", holding(intervals_of(placements)), n, 0.92, 0.98),
        Bar("interval of three lessons holds", holding(of_three), n, 0.93, 0.97),
        Bar("its width, of that before", width_by_floored_freedom(three, of_three), n, most=0.5),
    ]


def term_bars(n: int) -> list[Bar]:
    placed = TermCase(placement=simulated.PLACEMENT_SD)
    weekday = judged(n, placed, weekday_tag())
    abstained = float(np.mean([found.verdict == Verdict.TOO_LITTLE for found in weekday]))
    return [
        *(
            Bar(f"second half against first, {name}", claimed(judged(n, case, halves())), n, most=0.065)
            for name, case in TERM_CASES.items()
        ),
        Bar("the same found, true +.10", claimed(judged(n, CORRELATED, halves(0.1))), n),
        *(
            Bar(f"tag at random, {name}", claimed(judged(n, case, random_tag())), n, most=0.065)
            for name, case in TERM_CASES.items()
        ),
        Bar("the same found, true +.05", claimed(judged(n, placed, random_tag(0.05))), n),
        Bar("tag always on one weekday's lesson: no result", abstained, n, least=1.0),
        Bar("slope, independent weeks", claimed(judged(n, INDEPENDENT, slope())), n, most=0.07),
        Bar("slope, correlation .8", claimed(judged(n, CORRELATED, slope())), n, most=0.11),
        Bar("slope found, true -.01 a week", claimed(judged(n, TermCase(trend=-0.01), slope())), n),
    ]


def bars(n: int) -> list[Bar]:
    return [*weekly_bars(min(n, 1000)), *term_bars(n)]


if __name__ == "__main__":
    run(__doc__, bars, 2000, "replications of each row, of the week at most 1000")
