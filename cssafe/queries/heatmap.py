"""Weekly heatmap: mean of a factor by weekday and period, and the lessons behind one of its cells."""

from collections.abc import Sequence

import pandas as pd

from cssafe.queries.filters import ALL, CHOSEN, Filter, class_figures, read_frame
from cssafe.queries.presence import EXPECTED, MINUTE_VALUES
from cssafe.school.periods import HOURS
from cssafe.stats.intervals import mean_sql
from cssafe.store import Workspace


def weekly(
    workspace: Workspace, periods: Sequence[dict] = (), which: Filter = ALL, measure: str = "concentration"
) -> pd.DataFrame:
    """One row for each weekday and period with figures, of `class_figures`.

    periods: of parse_periods; none stands for the hours of the day. measure: of presence.FACTORS.
    Columns: weekday (1 Monday), period, start ("08:00"), the measure (mean over minutes) with low and high, lowest and highest
    (of a minute or measure without a band: its own value), minutes, lessons, placements, faces (mean), synthetic.

    low, high: interval of the slot, whatever is taught in it. A placement is a class, subject and room in a slot (a teacher
    goes with class and subject). However many of its lessons were seen, it is one fact about the slot; so the clusters are
    placements, and one alone has no interval.
    """
    least = "-1" if measure == "expression" else "0"
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}, {_slots(measure)},
        clusters AS (
            SELECT weekday, name, start, class_name, subject, room, sum(value) AS s, count(*) AS n, sum(lowest) AS lowest,
                sum(highest) AS highest, sum(faces) AS faces, count(DISTINCT lesson) AS lessons,
                bool_or(synthetic) AS synthetic
            FROM slots GROUP BY ALL)
        SELECT weekday, name AS period, start, {mean_sql(measure, least)}, sum(lowest) / sum(n) AS lowest,
            sum(highest) / sum(n) AS highest, sum(n)::BIGINT AS minutes, sum(lessons)::BIGINT AS lessons,
            count(*) AS placements, sum(faces) / sum(n) AS faces, bool_or(synthetic) AS synthetic
        FROM clusters GROUP BY ALL ORDER BY weekday, start, period""",
        class_figures(workspace, which).parameters | {"periods": list(periods) or HOURS},
    )


def weekly_lessons(
    workspace: Workspace, periods: Sequence[dict] = (), which: Filter = ALL, measure: str = "concentration"
) -> pd.DataFrame:
    """One row for each lesson in each cell of `weekly`, for comparisons between cells.

    Columns: weekday, period, lesson, class_name, subject, week (its Monday), minutes, value (mean of the measure).
    """
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}, {_slots(measure)}
        SELECT weekday, name AS period, lesson, class_name, subject, date_trunc('week', clock)::DATE AS week,
            count(*) AS minutes, avg(value) AS value
        FROM slots GROUP BY ALL ORDER BY weekday, period, lesson""",
        class_figures(workspace, which).parameters | {"periods": list(periods) or HOURS},
    )


def lessons_in_cell(
    workspace: Workspace,
    weekday: int,
    period: str,
    periods: Sequence[dict] = (),
    which: Filter = ALL,
    measure: str = "concentration",
) -> pd.DataFrame:
    """Lessons of one cell of `weekly`, with their minutes and mean in that cell.

    Columns: lesson, name, class_name, subject, local, minutes, faces, the measure, lowest, highest, synthetic.
    """
    return read_frame(
        workspace,
        f"""WITH {CHOSEN}, {_slots(measure)}
        SELECT lesson, any_value(lesson_name) AS name, any_value(class_name) AS class_name,
            any_value(subject) AS subject, any_value(local) AS local, count(*) AS minutes,
            avg(faces) AS faces, avg(value) AS {measure}, avg(lowest) AS lowest, avg(highest) AS highest,
            bool_or(synthetic) AS synthetic
        FROM slots WHERE weekday = $weekday AND name = $period GROUP BY lesson ORDER BY local, lesson""",
        class_figures(workspace, which).parameters
        | {"periods": list(periods) or HOURS, "weekday": weekday, "period": period},
    )


def _slots(measure: str) -> str:
    """SQL `slots`: the minutes with a value of the measure, each with its weekday and period."""
    ends = ", ".join(
        f"coalesce(minutes.{end}, value) AS {end}" if measure == "concentration" else f"value AS {end}"
        for end in ("lowest", "highest")
    )
    return f"""
    {EXPECTED},
    periods AS (SELECT unnest($periods, recursive := true)),
    day AS (SELECT strftime(TIMESTAMP '2000-01-01' + to_minutes(i), '%H:%M') AS moment FROM range(1440) minutes(i)),
    moments AS (SELECT moment, name, start FROM day JOIN periods ON moment >= periods.start AND moment < periods."end"),
    zones AS (
        SELECT lesson, hour, (hour AT TIME ZONE 'UTC' AT TIME ZONE time_zone) - hour AS ahead
        FROM (SELECT DISTINCT lesson, date_trunc('hour', time) AS hour FROM minutes) JOIN chosen USING (lesson)),
    placed AS (
        SELECT lesson, chosen.name AS lesson_name, class_name, subject, room, chosen.local, synthetic, faces,
            {MINUTE_VALUES[measure]} AS value, {ends}, time + ahead AS clock
        FROM minutes JOIN chosen USING (lesson) JOIN zones USING (lesson) LEFT JOIN sizes USING (lesson)
        WHERE value IS NOT NULL AND date_trunc('hour', time) = hour),
    slots AS (
        SELECT placed.*, isodow(clock) AS weekday, name, start
        FROM placed JOIN moments ON strftime(clock, '%H:%M') = moment)
"""
