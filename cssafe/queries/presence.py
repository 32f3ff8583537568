"""The factors of a lesson side by side: concentration, attentiveness, presence, engaged presence and expression of its class.

The *expected* people of a lesson are the teacher's number, else the people known in it. *Presence* is the share of them who are
there, *engaged presence* the concentration of those who can be read, summed, over the number expected: attendance weighted by
concentration. *Expression* is the valence of the visible people. All are of classes; nobody is named, and the minimum group of
the summaries holds.
"""

import numpy as np
import pandas as pd

from cssafe.queries.filters import ALL, CHOSEN, Filter, read_frame
from cssafe.queries.lesson_rows import lessons
from cssafe.stats.intervals import clustered_means, mean_sql
from cssafe.store import Workspace
from cssafe.store.summaries import VALENCE_SQL

MINUTE_VALUES = {
    "concentration": "concentration",
    "attentiveness": "attention",
    "presence": "CASE WHEN known / people >= 0 THEN least(1, known / people) END",
    "engaged_presence": "CASE WHEN concentration / people >= 0 THEN least(1, lowest * minutes.present / people) END",
    "expression": "valence",
}
"""Factor -> SQL of its value in a minute (`lowest` counts those who cannot be read as 0; DuckDB's least skips null). All are in
[0, 1], expression in [-1, 1]."""

FACTORS = tuple(MINUTE_VALUES)

EXPECTED = """
    sizes AS (
        SELECT lesson, coalesce(nullif(any_value(expected), 0), count(*)) AS people, count(*) AS found,
            bool_or(shares IS NOT NULL) AS scored
        FROM chosen JOIN people USING (lesson) WHERE audience = 'class' GROUP BY lesson)
"""
"""SQL `sizes` of the classes of `chosen`: people expected, people found, and whether they have a concentration."""

_BY_LESSON = f"""
    WITH {CHOSEN}, {EXPECTED},
    looks AS (
        SELECT lesson, sum(looks) AS looks, sum(attention * present * looks) / sum(present * looks) AS attention
        FROM minutes GROUP BY lesson HAVING looks > 0),
    persons AS (
        SELECT lesson, people.present, CASE WHEN scored THEN people.engaged END AS engaged,
            looks * least(1, sizes.people / found) AS n
        FROM people JOIN sizes USING (lesson) JOIN looks USING (lesson)
        UNION ALL SELECT lesson, 0, CASE WHEN scored THEN 0 END, looks  -- those never found
        FROM (SELECT *, unnest(range(people - found)) FROM sizes) JOIN looks USING (lesson)),
    clusters AS (
        SELECT lesson, 'presence' AS factor, present AS s, n FROM persons
        UNION ALL SELECT lesson, 'engaged_presence', engaged, n FROM persons
        UNION ALL SELECT lesson, 'attentiveness', attention_shares, present FROM people
        UNION ALL SELECT lesson, 'attentiveness', attention * measured, measured FROM tracks ANTI JOIN people USING (lesson)
        UNION ALL SELECT lesson, 'expression', ({VALENCE_SQL}) * expressed, expressed FROM tracks WHERE expressed > 0),
    means AS (
        SELECT lesson, factor, {mean_sql("mean", "CASE factor WHEN 'expression' THEN -1 ELSE 0 END")}
        FROM clusters JOIN chosen USING (lesson) WHERE audience = 'class' AND s IS NOT NULL GROUP BY lesson, factor)
    SELECT lesson, factor, people, mean, low, high,
        CASE WHEN factor = 'attentiveness' AND people IS NOT NULL THEN attention - mean ELSE 0 END AS shift
    FROM means LEFT JOIN looks USING (lesson) LEFT JOIN sizes USING (lesson)
"""
"""The clusters are people. Expected ones who were never found are zeros; where more were found than expected, each weighs
less. Attentiveness counts people not visible as the class figure does, so its interval is moved to it."""


def factors(workspace: Workspace, which: Filter = ALL) -> pd.DataFrame:
    """One row for each lesson of a class with figures, by time.

    Columns: lesson, name, class_name, subject, local (start by its own clock), formula, synthetic, minutes (with figures),
    expected (people), person_minutes (present in these minutes), expected_minutes (of all people expected), and of each of
    FACTORS <factor>, <factor>_low and <factor>_high; NaN where not known or withheld.
    """
    table = lessons(workspace, which).query("audience == 'class' and minutes > 0").sort_values(["local", "lesson"])
    found = read_frame(workspace, _BY_LESSON, which.parameters)
    known = {name: part.set_index("lesson") for name, part in found.groupby("factor")}
    rows = table[["lesson", "name", "class_name", "subject", "local", "formula", "synthetic", "minutes"]]
    rows = rows.reset_index(drop=True)
    rows["expected"] = rows["lesson"].map(found.groupby("lesson")["people"].first())
    rows["expected_minutes"] = rows["expected"] * rows["minutes"]
    known["concentration"] = table.set_index("lesson").assign(mean=lambda lesson: lesson["concentration"], shift=0)
    for factor in FACTORS:
        ends = known[factor] if factor in known else pd.DataFrame(columns=["mean", "low", "high", "shift"], dtype=float)
        for name, column in ((factor, "mean"), (f"{factor}_low", "low"), (f"{factor}_high", "high")):
            figure = (ends[column] + ends["shift"]).clip(-1 if factor == "expression" else 0, 1)
            rows[name] = rows["lesson"].map(figure).astype(float)
    rows.insert(9, "person_minutes", rows["presence"] * rows["expected_minutes"])
    return rows


def side_by_side(lesson: pd.Series) -> pd.DataFrame:
    """The factors of one lesson that are known. Columns: factor, mean, low, high. lesson: a row of `factors`."""
    rows = [(name, lesson[name], lesson[f"{name}_low"], lesson[f"{name}_high"]) for name in FACTORS]
    table = pd.DataFrame(rows, columns=["factor", "mean", "low", "high"])
    return table.astype(dict.fromkeys(("mean", "low", "high"), float)).dropna(subset="mean")


def over_lessons(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of each factor over lessons, each with weight 1, with the interval over lessons.

    Columns: factor, mean, low, high, lessons. table: of `factors`.
    """
    rows = []
    for factor in FACTORS:
        values = table[factor].dropna().to_numpy(float)
        if len(values):
            mean, *ends = np.concatenate(clustered_means(values[:, None], np.ones(len(values))))
            rows.append((factor, mean, *np.clip(ends, -1 if factor == "expression" else 0, 1), len(values)))
    return pd.DataFrame(rows, columns=["factor", "mean", "low", "high", "lessons"])


def by_week(table: pd.DataFrame) -> pd.DataFrame:
    """`over_lessons` of each week. Columns: week (its Monday, "2026-03-02"), then those. table: of `factors`."""
    weeks = table.groupby(table["local"].dt.to_period("W-SUN").dt.start_time)
    means = {f"{day:%Y-%m-%d}": over_lessons(part) for day, part in weeks}
    known = {day: part for day, part in means.items() if len(part)} or {"": over_lessons(table)}
    return pd.concat(known, names=["week", None]).reset_index("week").reset_index(drop=True)
