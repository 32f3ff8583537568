"""The story of one lesson: what its figures say, in order, by rules. Where the data do not carry a sentence, it says so."""

import pandas as pd

from cssafe import charts, queries
from cssafe.charts import captions as said
from cssafe.frames import LEVELS
from cssafe.labels import FERPLUS
from cssafe.language import N_, _, ngettext
from cssafe.queries import notes, scored_observations
from cssafe.queries.suggestions import describe_suggestion, suggestions
from cssafe.report import charts as drawn
from cssafe.report import figures as readings
from cssafe.report.document import Chart, Figure, Report, Section, each, told
from cssafe.report.figures import WINDOW
from cssafe.report.sections import affect, coverage, markers_answered
from cssafe.scoring.formula import find
from cssafe.settings import PROFILES, Profile
from cssafe.stats.comparison import MIN_LESSONS, prediction_interval
from cssafe.store import Workspace


def story(workspace: Workspace, lesson: pd.Series, profile: Profile) -> Report:
    """lesson: a row of queries.lessons, over and with figures. profile: of whoever reads it. Nothing of expressions where the
    lesson's or the reader's profile has none."""
    number = int(lesson["lesson"])
    expressive = PROFILES[lesson["profile"]].expression and profile.expression
    course, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    sums = readings.sums(workspace, number, expressive)
    stretches, compared = _stretches(sums), _compared(workspace, lesson)
    answered, covered = markers_answered(workspace, number, expressive), coverage(workspace, number, sums)
    shown = [affect(sums, drawn.ending(course, markers))] if expressive else []
    short = (
        _level(lesson),
        _changed(*readings.change(sums)),
        *stretches.sentences,
        *compared.sentences,
        *(section.sentences[0] for section in (answered, *shown, covered)),
    )
    place = ", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]]))
    return Report(
        lesson["name"],
        f"lesson-{number}",
        _("{day}, {start:%H:%M} to {end:%H:%M} ({zone}), {place}").format(
            day=lesson["local"].strftime(_("%A %d %B %Y")),
            start=lesson["local"],
            end=lesson["ended"],
            zone=lesson["time_zone"],
            place=place,
        ),
        bool(lesson["synthetic"]),
        (
            Figure(_("Concentration"), f"{lesson['concentration']:.2f}", interval(lesson["low"], lesson["high"])),
            Figure(_("Faces"), f"{lesson['faces']:.0f}", _("typically seen at once")),
            Figure(_("Minutes"), f"{lesson['minutes']:.0f}", _("with figures")),
        ),
        (
            Section(_("In short"), short),
            *_own(workspace, number),
            _course(workspace, number, course, markers, sums if expressive else None),
            stretches,
            answered,
            *shown,
            compared,
            _worked(workspace, lesson["class_name"]),
            covered,
        ),
    )


def interval(low: float, high: float) -> str:
    if pd.isna(low):
        return _("no interval: too little to tell")
    return _("95 % interval {interval}").format(interval=charts.between(low, high))


def _level(lesson: pd.Series) -> str:
    mean, low, high = lesson[["concentration", "low", "high"]].astype(float)
    figures = told(mean, low, high)
    formula = find(lesson["formula"])
    if formula is None or pd.isna(low):
        return _("Mean concentration was {figures}, on a scale from 0 to 1.").format(figures=figures)
    bands = formula.bands
    lowest, highest = (
        LEVELS[0 if value < bands["low_below"] else 2 if value > bands["high_above"] else 1] for value in (low, high)
    )
    if lowest == highest:
        return _("Mean concentration was {level}: {figures}, on a scale from 0 to 1.").format(
            level=_(lowest), figures=figures
        )
    return _("Mean concentration was {figures}, on a scale from 0 to 1: between {lowest} and {highest}.").format(
        figures=figures, lowest=_(lowest), highest=_(highest)
    )


def _changed(mean: float, low: float, high: float) -> str:
    if pd.isna(low):
        return _(
            "Whether it rose or fell through the lesson cannot be told: too few minutes, or faces seen in all of it."
        )
    figures = told(mean, low, high, signed=True)
    if low > 0:
        words = _("It rose through the lesson: last third against first {figures}.")
    elif high < 0:
        words = _("It fell through the lesson: last third against first {figures}.")
    else:
        words = _("It neither clearly rose nor fell through the lesson: last third against first {figures}.")
    return words.format(figures=figures)


def _own(workspace: Workspace, number: int) -> list[Section]:
    """What the teacher wrote, if she did."""
    note, tags = notes.note(workspace, number), notes.tags(workspace)
    tagged = ", ".join(tags.loc[tags["lesson"] == number, "tag"])
    sentences = (*([note] if note else []), *([_("Tags: {tags}.").format(tags=tagged)] if tagged else []))
    return [Section(_("Your note"), sentences)] if sentences else []


def _course(
    workspace: Workspace, number: int, course: pd.DataFrame, markers: pd.DataFrame, sums: pd.DataFrame | None
) -> Section:
    """sums: of readings.sums with expressions, None without."""
    end, sentences = drawn.ending(course, markers), [said.timeline(course)]
    shown: list[tuple[Chart, str]] = [
        (
            charts.timeline(course, markers.assign(kind=markers["kind"].map(_))),
            _("Mean concentration of each minute, with its interval and the markers"),
        )
    ]
    table = pd.DataFrame(
        {
            _("Minute"): course["minute"],
            _("Clock"): course["local"].dt.strftime("%H:%M"),
            _("Concentration"): each(course[["concentration", "low", "high"]]),
            _("Faces"): course["faces"].round(1),
        }
    )
    reading = _(
        "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed lines "
        "are your markers; below stands what the class did. Gaps: too few faces, or nothing scored, as in group work."
    )
    if sums is not None:
        emotions, lesson = readings.minutes(sums, readings.EMOTIONS), readings.whole(sums, readings.EMOTIONS).dropna()
        if len(lesson):
            most = str(lesson["mean"].idxmax())
            sentences.append(
                _("Of the emotions shown, {emotion} leads with {figures}, on a scale from 0 to 1.").format(
                    emotion=_(most), figures=told(*lesson.loc[most])
                )
            )
        shown.append((drawn.emotions(emotions, end), _("Mean probability of each emotion in each minute")))
        words = emotions.assign(words=each(emotions[["mean", "low", "high"]]))
        wide = words.pivot(index="minute", columns="measure", values="words").reindex(columns=FERPLUS)
        table = table.merge(readings.headed(wide), left_on=_("Minute"), right_index=True, how="left").fillna("–")
        more = _("Emotions are mean probabilities, one upon the other; their intervals stand in the table.")
        reading = f"{reading} {more}"
    activities = scored_observations.activities(workspace, number)
    sentences.append(_("What was done: {activities}.").format(activities=said.activities(activities)))
    shown.append((drawn.activities(activities, end), _("The activity in each minute")))
    return Section(_("The course of the lesson"), tuple(sentences), tuple(shown), reading, table)


def _stretches(sums: pd.DataFrame) -> Section:
    title = _("Best and weakest five minutes")
    found = readings.windows(sums)
    if not found or found[-1].last - found[0].first + 1 < 2 * WINDOW:
        few = _("Best and weakest five minutes are not told: fewer than ten minutes have figures.")
        return Section(title, (few,))
    best, worst = max(found, key=lambda window: window.mean), min(found, key=lambda window: window.mean)
    when = [_("{low} to {high}").format(low=window.first, high=window.last + 1) for window in (best, worst)]
    figures = [told(window.mean, window.low, window.high) for window in (best, worst)]
    table = pd.DataFrame({_("What"): [_("Highest"), _("Lowest")], _("Minutes"): when, _("Concentration"): figures})
    sentence = (
        _("Concentration was highest from minute {high_when}, {high}, and lowest from minute {low_when}, {low}.")
        if best.low > worst.high
        else _(
            "The highest five minutes ({high_when}: {high}) and the lowest ({low_when}: {low}) do not clearly differ."
        )
    ).format(high_when=when[0], high=figures[0], low_when=when[1], low=figures[1])
    reading = _(
        "How to read it: of all stretches of five minutes on end the highest and the lowest, each with its 95 % interval over "
        "faces. As they were picked for being extreme, they look somewhat more so than they are."
    )
    return Section(title, (sentence,), (), reading, table)


def _compared(workspace: Workspace, lesson: pd.Series) -> Section:
    others = queries.lessons(workspace)
    same = ["synthetic", "formula", "audience"]
    others = others[(others[same] == lesson[same]).all(axis=1) & (others["lesson"] != lesson["lesson"])]
    sentences, rows = [], []
    for column, what in {"class_name": N_("class"), "subject": N_("subject")}.items():
        values = others[others[column] == lesson[column]]["concentration"].dropna().to_numpy(float)
        mean, low, high = prediction_interval(values)
        rows.append(
            {
                _("Same"): _(what),
                _("Other lessons"): len(values),
                _("Mean and usual range"): told(mean, low, high),
            }
        )
        sentences.append(_usual(what, lesson["concentration"], low, high, len(values)))
    reading = _(
        "How to read it: the usual range is where, by the other lessons, 95 of 100 further ones would lie. Compared are "
        "lessons of the same formula only. To lie within it is the normal case, whatever was done."
    )
    return Section(_("Compared with the usual lesson"), tuple(sentences), (), reading, pd.DataFrame(rows))


def _usual(what: str, value: float, low: float, high: float, n: int) -> str:
    if n < MIN_LESSONS:
        return ngettext(
            "What is usual for this {what} is not known yet: {n} other lesson has figures, {least} are needed.",
            "What is usual for this {what} is not known yet: {n} other lessons have figures, {least} are needed.",
            n,
        ).format(what=_(what), n=n, least=MIN_LESSONS)
    if value > high:
        words = _(
            "Higher than usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons)."
        )
    elif value < low:
        words = _("Lower than usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons).")
    else:
        words = _("As usual for this {what}: {value:.2f}, usually {low:.2f} to {high:.2f} ({n} other lessons).")
    return words.format(what=_(what), value=value, low=low, high=high, n=n)


def _worked(workspace: Workspace, class_name: str) -> Section:
    """What the class's own past lessons suggest."""
    title, found = _("What has worked with this class"), suggestions(workspace, class_name)
    if found.empty:
        return Section(title, (_("Its lessons do not tell yet after which markers its concentration rises."),))
    reading = _(
        "How to read it: from this class's own lessons, minutes after a marker against other moments that began alike; what "
        "happened in these minutes need not be the marker's work. The intervals of all kinds hold together in 19 of 20 "
        "classes."
    )
    return Section(title, tuple(describe_suggestion(row) for _number, row in found.iterrows()), (), reading)
