"""DataFrame -> the sentence that reads a chart out, one function for each chart, the same name as the chart.

The sentence stands under its chart and is what a screen reader says of it. It tells what the figures carry: means with their
95 % intervals, and of two whose intervals overlap that they may differ by chance. Charts of the
network: charts/model_captions.py.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cssafe.charts import THIN_LESSONS, THIN_MINUTES, WEEKDAYS, between
from cssafe.frames import LEVELS
from cssafe.language import _, ngettext
from cssafe.scoring.explanation import words


def emotions(table: pd.DataFrame, measure: str = "share") -> str:
    """The leading emotion of each group. table, measure: as charts.emotions."""
    counted = _("{group}: {name} leads most often, in {count} of {all} observations, {over}.")
    shared = _("{group}: {name} leads with {share} % (95 % interval {interval}), {over}.")
    return _leading(table, measure, [_(emotion) for emotion in table["emotion"]], counted, shared)


def distribution(table: pd.DataFrame, measure: str = "share") -> str:
    """The fullest tenth of each group. table, measure: as charts.distribution."""
    counted = _("{group}: most observations, {count} of {all}, lie at {name}, {over}.")
    shared = _("{group}: most observations, {share} % (95 % interval {interval}), lie at {name}, {over}.")
    return _leading(table, measure, [between(s, s + 0.1, 1) for s in table["start"]], counted, shared)


def weekly(table: pd.DataFrame) -> str:
    """The highest and the lowest of the cells with enough behind them. table: queries.weekly."""
    rows = table[(table["minutes"] >= THIN_MINUTES) & (table["lessons"] >= THIN_LESSONS)]
    if len(rows) < 2:
        return _("No two cells have enough behind them yet to be compared.")
    places = [f"{_(WEEKDAYS[row.weekday - 1])}, {row.period}" for row in rows.itertuples()]
    return extremes(rows["concentration"], rows["low"], rows["high"], places)


def timeline(table: pd.DataFrame) -> str:
    """The best and the weakest minute. table: queries.timeline."""
    rows = table.dropna(subset="concentration")
    places = [_("minute {n}").format(n=minute + 1) for minute in rows["minute"]]
    return extremes(rows["concentration"], rows["low"], rows["high"], places)


def activities(table: pd.DataFrame) -> str:
    """What the class did, one after the other. table: evidence.activities."""
    (_start, first), *others = table[["minute", "activity"]].itertuples(index=False)
    later = _("{activity} from minute {minute:.0f}")
    return ", ".join([_(first), *(later.format(activity=_(one), minute=minute) for minute, one in others)])


def concentration_seconds(table: pd.DataFrame) -> str:
    """The best and the weakest second. table: recording.timeline."""
    rows = table.dropna(subset="concentration")
    places = [_("second {n}").format(n=second) for second in rows["second"]]
    return extremes(rows["concentration"], rows["low"], rows["high"], places)


def faces_seconds(table: pd.DataFrame) -> str:
    """Fewest and most faces. table: recording.timeline."""
    if table.empty:
        return nothing()
    least, most, at = table["faces"].min(), table["faces"].max(), table["second"][table["faces"].idxmax()]
    return _("Between {least} and {most} faces at once, the most for the first time in second {at}.").format(
        least=least, most=most, at=at
    )


def responses(table: pd.DataFrame) -> str:
    """After how many markers one measure clearly changed. table: responses.responses, of one measure."""
    clear = table[(table["low"] > 0) | (table["high"] < 0)]
    n, of = len(clear.groupby(["minute", "kind"])), len(table.groupby(["minute", "kind"]))
    return ngettext(
        "{n} of {of} marker was followed by a clear change within 30 s.",
        "{n} of {of} markers were followed by a clear change within 30 s.",
        of,
    ).format(n=n, of=of)


def regions(table: pd.DataFrame) -> str:
    """Where attention is highest and lowest. table: seats.seat_attention."""
    rows = table.dropna(subset="attention")
    return extremes(rows["attention"], rows["low"], rows["high"], list(rows["name"]))


def parts_now(parts: pd.DataFrame) -> str:
    """What is lost at this moment. parts: explanation.table."""
    return nothing() if parts["points"].isna().all() else _("Why: {words}").format(words=words(parts))


def parts_minutes(parts: pd.DataFrame) -> str:
    """The minute with the lowest score, and to what it loses most. parts: explanation.minutes."""
    scores = parts[parts["part"] == "index"]
    if scores.empty:
        return nothing()
    minute = scores["minute"][scores["points"].idxmin()]
    return _("The weakest is minute {n}: {words}").format(n=minute + 1, words=words(parts[parts["minute"] == minute]))


def ratings(table: pd.DataFrame) -> str:
    """The mean score of what was rated alike. table: evidence.rated."""
    means = table.groupby("rating")["concentration"].agg(["mean", "size"])
    told = [
        ngettext(
            "{n} moment that you called {level} has a score of {mean:.2f}.",
            "{n} moments that you called {level} have a mean score of {mean:.2f}.",
            row.size_,
        ).format(n=row.size_, level=_(LEVELS[int(row.Index)]), mean=row.mean)
        for row in means.rename(columns={"size": "size_"}).itertuples()
    ]
    return " ".join(told) or nothing()


def last_minutes(history: pd.DataFrame) -> str:
    """From where to where the line goes. history: live.view.View.history."""
    values = history["concentration"].dropna()
    if values.empty:
        return nothing()
    return _("In the last minutes between {least:.2f} and {most:.2f}, at last {now:.2f}.").format(
        least=values.min(), most=values.max(), now=values.iloc[-1]
    )


def emotions_now(expression: dict[str, float] | None) -> str:
    """The leading emotion of this moment. expression: as in lesson_state.ClassReading."""
    if expression is None:
        return nothing()
    name = max(expression, key=expression.__getitem__)
    return _("{emotion} leads with {share:.0f} %.").format(emotion=_(name), share=100 * expression[name])


def extremes(
    means: Sequence[float] | pd.Series | np.ndarray,
    lows: Sequence[float] | pd.Series | np.ndarray,
    highs: Sequence[float] | pd.Series | np.ndarray,
    places: list[str],
    digits: int = 2,
    unit: str = "",
) -> str:
    """Where the highest and the lowest of the means (n,) lie, with their intervals (NaN: not known) and the places' names."""
    mean, low, high = (np.asarray(column, float) for column in (means, lows, highs))
    if not len(mean):
        return nothing()

    def fill(sentence: str, at: int) -> str:
        interval = between(low[at], high[at], digits)
        return sentence.format(place=places[at], mean=f"{mean[at]:.{digits}f}{unit}", interval=interval)

    most, least = int(mean.argmax()), int(mean.argmin())
    if most == least:
        return fill(_("{place}: {mean} (95 % interval {interval})."), most)
    told = [
        fill(_("Highest: {place}, {mean} (95 % interval {interval})."), most),
        fill(_("Lowest: {place}, {mean} (95 % interval {interval})."), least),
    ]
    if not low[most] > high[least]:
        told.append(_("These two may differ by chance."))
    return " ".join(told)


def nothing() -> str:
    return _("There is no figure yet.")


def _leading(table: pd.DataFrame, measure: str, names: list[str], counted: str, shared: str) -> str:
    """For each group one of two sentences about the row with the most."""
    told = []
    for group, rows in table.assign(name=names).groupby("group"):
        row = rows.loc[rows[measure].idxmax()]
        over = ngettext("over {n} lesson", "over {n} lessons", row["lessons"]).format(n=row["lessons"])
        told.append(
            (shared if measure == "share" else counted).format(
                group=group,
                name=row["name"],
                share=f"{100 * row['share']:.1f}",
                interval=between(100 * row["low"], 100 * row["high"], 1),
                count=f"{row['count']:,}",
                all=f"{row['observations']:,}",
                over=over,
            )
        )
    return " ".join(told) or nothing()
