"""The report of one lesson: sentences by rules from its figures. Where the data support no conclusion, it says so."""

import pandas as pd

from cssafe import queries
from cssafe.charts import reports, text, timelines
from cssafe.labels import FERPLUS, LEVELS
from cssafe.language import N_, _, ngettext
from cssafe.queries import notes, scored_observations, suggestions
from cssafe.report import figures
from cssafe.report.document import Chart, Figure, Report, Section, format_figure, format_figures
from cssafe.report.sections import affect_section, coverage_section, responses_section
from cssafe.scoring.formula import find_formula
from cssafe.settings import PROFILES, Profile
from cssafe.stats.comparison import MIN_LESSONS, prediction_interval
from cssafe.store import Workspace


def lesson_report(workspace: Workspace, lesson: pd.Series, profile: Profile) -> Report:
    """The report of one lesson. Expressions are in it where both the lesson's and the reader's profile have them.

    lesson: a row of queries.lessons, over and with figures. profile: the reader's.
    """
    number = int(lesson["lesson"])
    expressive = PROFILES[lesson["profile"]].expression and profile.expression
    course, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    sums = figures.face_minutes(workspace, number, expressive)
    extremes, usual_range = _extremes_section(sums), _usual_section(workspace, lesson)
    responses, coverage = responses_section(workspace, number, expressive), coverage_section(workspace, number, sums)
    affect = [affect_section(sums, reports.axis_end(course, markers))] if expressive else []
    summary = (
        _level_sentence(lesson),
        _change_sentence(*figures.last_third_change(sums)),
        *extremes.sentences,
        *usual_range.sentences,
        *(section.sentences[0] for section in (responses, *affect, coverage)),
    )
    sections = (
        Section(_("In short"), summary),
        *_note_section(workspace, number),
        _course_section(workspace, number, course, markers, sums if expressive else None),
        extremes,
        responses,
        *affect,
        usual_range,
        _suggestions_section(workspace, lesson["class_name"]),
        coverage,
    )
    key_figures = (
        Figure(
            _("Concentration"), f"{lesson['concentration']:.2f}", format_interval_note(lesson["low"], lesson["high"])
        ),
        Figure(_("Faces"), f"{lesson['faces']:.0f}", _("typically seen at once")),
        Figure(_("Minutes"), f"{lesson['minutes']:.0f}", _("with figures")),
    )
    return Report(
        lesson["name"], f"lesson-{number}", _when_and_where(lesson), bool(lesson["synthetic"]), key_figures, sections
    )


def _when_and_where(lesson: pd.Series) -> str:
    return _("{day}, {start:%H:%M} to {end:%H:%M} ({zone}), {place}").format(
        day=lesson["local"].strftime(_("%A %d %B %Y")),
        start=lesson["local"],
        end=lesson["ended"],
        zone=lesson["time_zone"],
        place=", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]])),
    )


def format_interval_note(low: float, high: float) -> str:
    if pd.isna(low):
        return _("no interval: too few data")
    return _("95 % interval {interval}").format(interval=text.format_interval(low, high))


def _level_sentence(lesson: pd.Series) -> str:
    mean, low, high = lesson[["concentration", "low", "high"]].astype(float)
    figure = format_figure(mean, low, high)
    formula = find_formula(lesson["formula"])
    if formula is None or pd.isna(low):
        return _("Mean concentration was {figures}, on a scale from 0 to 1.").format(figures=figure)
    bands = formula.bands
    lowest, highest = (
        LEVELS[0 if value < bands["low_below"] else 2 if value > bands["high_above"] else 1] for value in (low, high)
    )
    if lowest == highest:
        return _("Mean concentration was {level}: {figures}, on a scale from 0 to 1.").format(
            level=_(lowest), figures=figure
        )
    return _("Mean concentration was {figures}, on a scale from 0 to 1: between {lowest} and {highest}.").format(
        figures=figure, lowest=_(lowest), highest=_(highest)
    )


def _change_sentence(mean: float, low: float, high: float) -> str:
    if pd.isna(low):
        return _("There is no trend through the lesson: it has too few minutes, or too few faces were seen throughout.")
    figure = format_figure(mean, low, high, signed=True)
    if low > 0:
        words = _("It rose through the lesson: last third against first {figures}.")
    elif high < 0:
        words = _("It fell through the lesson: last third against first {figures}.")
    else:
        words = _("It neither clearly rose nor fell through the lesson: last third against first {figures}.")
    return words.format(figures=figure)


def _note_section(workspace: Workspace, number: int) -> list[Section]:
    """The teacher's note and tags, if there are any."""
    note, tags = notes.note(workspace, number), notes.tags(workspace)
    tagged = ", ".join(tags.loc[tags["lesson"] == number, "tag"])
    sentences = (*([note] if note else []), *([_("Tags: {tags}.").format(tags=tagged)] if tagged else []))
    return [Section(_("Your note"), sentences)] if sentences else []


def _course_section(
    workspace: Workspace, number: int, course: pd.DataFrame, markers: pd.DataFrame, sums: pd.DataFrame | None
) -> Section:
    """sums: of figures.face_minutes with expressions, None without."""
    end, sentences = reports.axis_end(course, markers), [timelines.timeline_caption(course)]
    charts: list[tuple[Chart, str]] = [
        (
            timelines.timeline(course, markers.assign(kind=markers["kind"].map(_))),
            _("Mean concentration of each minute, with its interval and the markers"),
        )
    ]
    table = pd.DataFrame(
        {
            _("Minute"): course["minute"],
            _("Clock"): course["local"].dt.strftime("%H:%M"),
            _("Concentration"): format_figures(course[["concentration", "low", "high"]]),
            _("Faces"): course["faces"].round(1),
        }
    )
    reading = _(
        "How to read it: the line is the mean over all faces of a minute, the band its 95 % interval over faces, dashed lines "
        "are your markers; below are the activities. Gaps: too few faces, or nothing scored, as in group work."
    )
    if sums is not None:
        sentences += _emotion_sentences(sums)
        emotions = figures.minute_means(sums, figures.EMOTIONS)
        charts.append((reports.emotions_by_minute(emotions, end), _("Mean probability of each emotion in each minute")))
        words = emotions.assign(words=format_figures(emotions[["mean", "low", "high"]]))
        wide = words.pivot(index="minute", columns="measure", values="words").reindex(columns=FERPLUS)
        table = table.merge(figures.with_headings(wide), left_on=_("Minute"), right_index=True, how="left").fillna("–")
        reading += " " + _("Emotions are mean probabilities, stacked; their intervals are in the table.")
    activities = scored_observations.activities(workspace, number)
    sentences.append(_("Activities: {activities}.").format(activities=timelines.activities_caption(activities)))
    charts.append((reports.activity_strip(activities, end), _("The activity in each minute")))
    return Section(_("The course of the lesson"), tuple(sentences), tuple(charts), reading, table)


def _emotion_sentences(sums: pd.DataFrame) -> list[str]:
    """The leading emotion of the lesson, if one was measured. sums: of figures.face_minutes with expressions."""
    means = figures.lesson_means(sums, figures.EMOTIONS).dropna()
    if means.empty:
        return []
    leading = str(means["mean"].idxmax())
    sentence = _("Of the emotions shown, {emotion} leads with {figures}, on a scale from 0 to 1.")
    return [sentence.format(emotion=_(leading), figures=format_figure(*means.loc[leading]))]


def _extremes_section(sums: pd.DataFrame) -> Section:
    title = _("Best and weakest five minutes")
    found = figures.five_minute_windows(sums)
    if not found or found[-1].last - found[0].first + 1 < 2 * figures.WINDOW_MINUTES:
        few = _("There are no best and weakest five minutes: fewer than ten minutes have figures.")
        return Section(title, (few,))
    best, worst = max(found, key=lambda window: window.mean), min(found, key=lambda window: window.mean)
    when = [_("{low} to {high}").format(low=window.first, high=window.last + 1) for window in (best, worst)]
    means = [format_figure(window.mean, window.low, window.high) for window in (best, worst)]
    table = pd.DataFrame({_("What"): [_("Highest"), _("Lowest")], _("Minutes"): when, _("Concentration"): means})
    sentence = (
        _("Concentration was highest from minute {high_when}, {high}, and lowest from minute {low_when}, {low}.")
        if best.low > worst.high
        else _(
            "The highest five minutes ({high_when}: {high}) and the lowest ({low_when}: {low}) do not clearly differ."
        )
    ).format(high_when=when[0], high=means[0], low_when=when[1], low=means[1])
    reading = _(
        "How to read it: the highest and the lowest of all stretches of five minutes, each with its 95 % interval over "
        "faces. They were picked for being extreme, so they look somewhat more extreme than they are."
    )
    return Section(title, (sentence,), (), reading, table)


def _usual_section(workspace: Workspace, lesson: pd.Series) -> Section:
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
                _("Mean and usual range"): format_figure(mean, low, high),
            }
        )
        sentences.append(_usual_sentence(what, lesson["concentration"], low, high, len(values)))
    reading = _(
        "How to read it: by the other lessons, 95 of 100 further ones would lie in the usual range. Only lessons of the same "
        "formula are compared. A lesson within the range is the normal case."
    )
    return Section(_("Compared with the usual lesson"), tuple(sentences), (), reading, pd.DataFrame(rows))


def _usual_sentence(what: str, value: float, low: float, high: float, n: int) -> str:
    if n < MIN_LESSONS:
        return ngettext(
            "The usual range of this {what} is not known yet: {n} other lesson has figures, {least} are needed.",
            "The usual range of this {what} is not known yet: {n} other lessons have figures, {least} are needed.",
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


def _suggestions_section(workspace: Workspace, class_name: str) -> Section:
    """Suggestions from past lessons of the same class."""
    title, found = _("What has worked with this class"), suggestions.suggestions(workspace, class_name)
    if found.empty:
        return Section(
            title, (_("The lessons of this class do not show yet after which markers concentration rises."),)
        )
    reading = _(
        "How to read it: past lessons of this class, minutes after a marker compared with similar moments without one. A "
        "change need not be caused by the marker. The intervals of all kinds hold together in 19 of 20 classes."
    )
    return Section(title, tuple(suggestions.describe_suggestion(row) for _number, row in found.iterrows()), (), reading)
