"""The report of one lesson: sentences by rules from its figures. Where the data support no conclusion, it says so."""

import pandas as pd

from cssafe import queries
from cssafe.charts import composition, reports, timelines
from cssafe.labels import FERPLUS
from cssafe.language import N_, _, ngettext
from cssafe.presence.figure_text import (
    band_widths,
    describe_figure,
    format_headline,
    format_range,
    format_seen,
    format_with_range,
    name_level,
    verdict_ends,
)
from cssafe.queries import notes, scored_observations
from cssafe.queries.suggestions import describe_suggestion, suggestions
from cssafe.report import figures
from cssafe.report.document import (
    Chart,
    Figure,
    Report,
    Section,
    format_change,
    format_figure,
    format_figures,
    format_headlines,
    format_ranges,
)
from cssafe.report.figures import WINDOW_MINUTES
from cssafe.report.sections import affect_section, coverage_section, responses_section
from cssafe.scoring.formula import find_formula
from cssafe.settings import PROFILES, Profile
from cssafe.stats.comparison import MIN_LESSONS, prediction_interval
from cssafe.stats.evidence import Verdict, judge_extremes_by_intervals, judge_interval, judge_lead
from cssafe.store import Workspace


def lesson_report(workspace: Workspace, lesson: pd.Series, profile: Profile) -> Report:
    """The report of one lesson. Expressions are in it where both the lesson's and the reader's profile have them.

    lesson: a row of queries.lessons, over and with figures. profile: the reader's.
    """
    number = int(lesson["lesson"])
    expressive = PROFILES[lesson["profile"]].expression and profile.expression
    course, markers = queries.timeline(workspace, number), queries.markers(workspace, number)
    sums, clusters = figures.face_minutes(workspace, number, expressive), figures.cluster_minutes(workspace, number)
    extremes = _extremes_section(figures.five_minute_windows(course, clusters))
    usual_range = _usual_section(workspace, lesson)
    responses, coverage = responses_section(workspace, number, expressive), coverage_section(workspace, number, sums)
    affect = [affect_section(sums, reports.axis_end(course, markers))] if expressive else []
    summary = (
        _level_sentence(lesson),
        _change_sentence(figures.last_third_change(course, clusters)),
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
    return Report(
        lesson["name"],
        f"lesson-{number}",
        _when_and_where(lesson),
        bool(lesson["synthetic"]),
        _key_figures(lesson),
        sections,
    )


def _key_figures(lesson: pd.Series) -> tuple[Figure, ...]:
    return (
        Figure(_("Concentration"), format_headline(lesson["concentration"]), figure_note(lesson)),
        Figure(_("Faces"), f"{lesson['faces']:.0f}", _("typically seen at once")),
        Figure(_("Minutes"), f"{lesson['minutes']:.0f}", _("with figures")),
    )


def _when_and_where(lesson: pd.Series) -> str:
    return _("{day}, {start:%H:%M} to {end:%H:%M} ({zone}), {place}").format(
        day=lesson["local"].strftime(_("%A %d %B %Y")),
        start=lesson["local"],
        end=lesson["ended"],
        zone=lesson["time_zone"],
        place=", ".join(filter(None, [lesson["class_name"], lesson["subject"], lesson["room"]])),
    )


def figure_note(figure: pd.Series) -> str:
    """The range and the number of those who can be seen, below a key figure. figure: a row of queries.lessons."""
    lowest, highest, present, seen = figure[["lowest", "highest", "present", "seen"]].astype(float)
    return "; ".join(filter(None, [format_range(lowest, highest), format_seen(present, seen)])) or _("from 0 to 100")


def _level_sentence(lesson: pd.Series) -> str:
    mean, lowest, highest, present, seen, low, high = lesson[
        ["concentration", "lowest", "highest", "present", "seen", "low", "high"]
    ].astype(float)
    figure = describe_figure(mean, lowest, highest, present, seen)
    formula = find_formula(lesson["formula"])
    level = "" if formula is None else name_level(verdict_ends(mean, lowest, highest, low, high), formula.bands)
    if not level:
        return _("Concentration was {figures}.").format(figures=figure)
    return _("Concentration was {level}: {figures}.").format(level=level, figures=figure)


def _change_sentence(change: figures.Window | None) -> str:
    found = None if change is None else judge_interval(change.concentration, *change.ends, change.minutes, 0)
    if change is None or found is None or found.verdict == Verdict.TOO_LITTLE:
        return _(
            "There is no trend through the lesson: it has too few minutes, or too few people were there throughout."
        )
    points = format_change(change.concentration, change.lowest, change.highest)
    if found.rises:
        words = _("It rose through the lesson: last third against first {points} points.")
    elif found.falls:
        words = _("It fell through the lesson: last third against first {points} points.")
    else:
        words = _("It neither clearly rose nor fell through the lesson: last third against first {points} points.")
    return words.format(points=points)


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
            _("The figure of the class in each minute, with its range and the markers"),
        )
    ]
    blocks = composition.level_blocks(course)
    if course["present"].notna().any():
        sentences.append(composition.composition_caption(course))
        charts.append((composition.composition(course), _("People on task, off task, not readable and not visible")))
    if len(blocks):
        charts.append((composition.levels(blocks), _("People at each level in every five minutes")))
    table = _course_table(course)
    reading = _(
        "How to read it: the line is the figure of the class in each minute, the band its range: at its lower edge those who "
        "cannot be seen do not attend, at its upper edge they attend like the rest. Dashed lines are your markers. Below: what "
        "the people do, their levels in every five minutes, and the activities. Gaps: too few faces, or nothing scored, as in "
        "group work. The table has the 95 % interval over students like these."
    )
    if sums is not None:
        sentences += _emotion_sentences(sums)
        emotions = figures.minute_means(sums, figures.EMOTIONS)
        charts.append((reports.emotions_by_minute(emotions, end), _("Mean probability of each emotion in each minute")))
        words = emotions.assign(words=format_figures(emotions[["mean", "low", "high"]]))
        wide = words.pivot(index="minute", columns="measure", values="words").reindex(columns=FERPLUS).astype(object)
        table = table.merge(figures.with_headings(wide), left_on=_("Minute"), right_index=True, how="left").fillna("–")
        reading += " " + _("Emotions are mean probabilities, stacked; their intervals are in the table.")
    activities = scored_observations.activities(workspace, number)
    sentences.append(_("Activities: {activities}.").format(activities=timelines.activities_caption(activities)))
    charts.append((reports.activity_strip(activities, end), _("The activity in each minute")))
    return Section(_("The course of the lesson"), tuple(sentences), tuple(charts), reading, table)


def _course_table(course: pd.DataFrame) -> pd.DataFrame:
    """The minutes of queries.timeline in words."""
    return pd.DataFrame(
        {
            _("Minute"): course["minute"],
            _("Clock"): course["local"].dt.strftime("%H:%M"),
            _("Concentration"): format_headlines(course[["concentration", "low", "high"]]),
            _("Range"): format_ranges(course),
            _("Faces"): course["faces"].round(1),
        }
    )


def _emotion_sentences(sums: pd.DataFrame) -> list[str]:
    """The leading emotion of the lesson, if one was measured. sums: of figures.face_minutes with expressions."""
    means = figures.lesson_means(sums, figures.EMOTIONS).dropna()
    if means.empty:
        return []
    leading = str(means["mean"].idxmax())
    found = judge_lead(*means[["mean", "low", "high"]].to_numpy(float).T)
    sentence = (
        _("Of the emotions shown, {emotion} leads with {figures}, on a scale from 0 to 1.")
        if found.verdict == Verdict.DIFFERS
        else _("Of the emotions shown, none clearly leads; {emotion} has {figures}, on a scale from 0 to 1.")
    )
    return [sentence.format(emotion=_(leading), figures=format_figure(*means.loc[leading]))]


def _extremes_section(found: list[figures.Window]) -> Section:
    title = _("Best and weakest five minutes")
    if not found or found[-1].last - found[0].first + 1 < 2 * WINDOW_MINUTES:
        few = _("There are no best and weakest five minutes: fewer than ten minutes have figures.")
        return Section(title, (few,))
    best, worst = (pick(found, key=lambda window: window.concentration) for pick in (max, min))
    when = [_("{low} to {high}").format(low=window.first, high=window.last + 1) for window in (best, worst)]
    means = [format_with_range(window.concentration, window.lowest, window.highest) for window in (best, worst)]
    both = pd.DataFrame([best, worst])
    table = pd.DataFrame(
        {
            _("What"): [_("Highest"), _("Lowest")],
            _("Minutes"): when,
            _("Concentration"): format_headlines(both[["concentration", "low", "high"]]),
            _("Range"): format_ranges(both),
        }
    )
    columns = ["concentration", "lowest", "highest", "low", "high"]
    mean, lowest, highest, low, high = pd.DataFrame(found)[columns].to_numpy(float).T
    judged = judge_extremes_by_intervals(mean, low, high, *band_widths(mean, lowest, highest))
    sentence = (
        _("Concentration was highest from minute {high_when}, {high}, and lowest from minute {low_when}, {low}.")
        if judged.verdict == Verdict.DIFFERS
        else _(
            "The highest five minutes ({high_when}: {high}) and the lowest ({low_when}: {low}) do not clearly differ."
        )
    ).format(high_when=when[0], high=means[0], low_when=when[1], low=means[1])
    reading = _(
        "How to read it: the highest and the lowest of all stretches of five minutes, each with its 95 % interval over "
        "students like these. They were picked for being extreme, so they look somewhat more extreme than they are."
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
                _("Mean and usual range"): format_headlines(pd.DataFrame([(mean, low, high)]))[0],
            }
        )
        sentences.append(_usual_sentence(what, lesson, low, high, len(values)))
    reading = _(
        "How to read it: by the other lessons, 95 of 100 further ones would lie in the usual range. Only lessons of the same "
        "formula are compared. A lesson within the range is the normal case."
    )
    return Section(_("Compared with the usual lesson"), tuple(sentences), (), reading, pd.DataFrame(rows))


def _usual_sentence(what: str, lesson: pd.Series, low: float, high: float, n: int) -> str:
    """low, high: the usual range. The lesson lies outside it if both ends of its own range do."""
    value, lowest, highest = (
        lesson[["concentration", "lowest", "highest"]].astype(float).fillna(lesson["concentration"])
    )
    found = judge_interval(value - (low + high) / 2, lowest - high, highest - low, n, MIN_LESSONS)
    if found.verdict == Verdict.TOO_LITTLE:
        return ngettext(
            "The usual range of this {what} is not known yet: {n} other lesson has figures, {least} are needed.",
            "The usual range of this {what} is not known yet: {n} other lessons have figures, {least} are needed.",
            n,
        ).format(what=_(what), n=n, least=MIN_LESSONS)
    if found.rises:
        words = _("Higher than usual for this {what}: {value}, usually {low:.0f} to {high:.0f} ({n} other lessons).")
    elif found.falls:
        words = _("Lower than usual for this {what}: {value}, usually {low:.0f} to {high:.0f} ({n} other lessons).")
    else:
        words = _(
            "Not clearly different from usual for this {what}: {value}, usually {low:.0f} to {high:.0f} ({n} other lessons)."
        )
    figure = format_with_range(value, lowest, highest)
    return words.format(what=_(what), value=figure, low=100 * low, high=100 * high, n=n)


def _suggestions_section(workspace: Workspace, class_name: str) -> Section:
    """Suggestions from past lessons of the same class."""
    title, found = _("What has worked with this class"), suggestions(workspace, class_name)
    left_out = queries.describe_left_out(workspace, queries.Filter(classes=[class_name]))
    if found.empty:
        nothing = _("The lessons of this class do not show yet after which markers concentration rises.")
        return Section(title, (nothing, *left_out))
    reading = _(
        "How to read it: past lessons of this class, minutes after a marker compared with similar moments without one. A "
        "change need not be caused by the marker. The intervals of all kinds hold together in 19 of 20 classes."
    )
    return Section(title, (*(describe_suggestion(row) for _number, row in found.iterrows()), *left_out), (), reading)
