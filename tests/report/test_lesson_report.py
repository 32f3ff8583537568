"""A lesson's story: its figures by hand, its sentences by rule, and its files, the smallest lesson first."""

import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pymupdf_fonts
import pypdfium2
import pytest

from cssafe import errors, language, queries, sample
from cssafe.labels import FERPLUS
from cssafe.observations import EXPRESSION, average_seconds
from cssafe.report import figures, files, render
from cssafe.report.document import Report
from cssafe.report.lesson_report import lesson_report
from cssafe.scoring.affect import AFFECT_NAMES, affect
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from cssafe.store.statements import STORED_DECIMALS
from tests.support.lessons import LESSON, START, add, rows
from tests.support.marked_lessons import term
from tests.support.reports import words
from tests.support.simulated_class import Plan, Step, frames

CONSENT = PROFILES["consent"]


def tell(workspace, number: int, profile=CONSENT) -> Report:
    lessons = queries.lessons(workspace)
    return lesson_report(workspace, lessons[lessons["lesson"] == number].iloc[0], profile)


def course(*values: float, **others: float) -> pd.DataFrame:
    """Seven faces that differ a little, one second of each minute with this concentration."""
    parts = [
        rows(tracks=7, start=START + timedelta(minutes=i), **others).assign(concentration=v + APART)
        for i, v in enumerate(values)
    ]
    return pd.concat(parts, ignore_index=True)


APART = np.linspace(-0.02, 0.02, 7)


def test_the_smallest_lesson_abstains_from_all_that_it_cannot_carry(workspace):
    told = words(tell(workspace, add(workspace, rows())))
    for abstained in (
        "There is no trend through the lesson",
        "There are no best and weakest five minutes",
        "There is no marker",
        "The lessons of this class do not show yet after which markers concentration rises.",
        "The usual range of this class is not known yet: 0 other lessons have figures, 5 are needed.",
    ):
        assert abstained in told


def test_best_and_weakest_minutes_and_the_change_are_those_of_the_lesson(workspace):
    report = tell(workspace, add(workspace, course(*[0.3] * 6, *[0.6] * 6, *[0.8] * 6)))
    assert "highest from minute 12 to 17, 80 of 100, and lowest from minute 0 to 5, 30 of 100." in words(report)
    assert "rose through the lesson: last third against first +50.0 (+50.0 to +50.0) points." in words(report)


def test_minutes_that_only_wobble_do_not_clearly_differ(workspace):
    random = np.random.default_rng(5)
    parts = [
        rows(tracks=12, start=START + timedelta(minutes=i)).assign(concentration=random.normal(0.5, 0.1, 12))
        for i in range(30)
    ]
    told = words(tell(workspace, add(workspace, *parts)))
    assert "do not clearly differ" in told and "neither clearly rose nor fell" in told


def windows(workspace, number: int) -> list[figures.Window]:
    return figures.five_minute_windows(queries.timeline(workspace, number), figures.cluster_minutes(workspace, number))


def test_five_minutes_on_end_need_figures_in_each(workspace):
    assert windows(workspace, add(workspace)) == []
    number = add(
        workspace, course(*[0.5] * 4), course(*[0.5] * 6).assign(time=lambda t: t["time"] + pd.Timedelta(minutes=5))
    )
    assert [window.first for window in windows(workspace, number)] == [5, 6]


def test_affect_of_a_lesson_is_that_of_its_faces(workspace):
    random = np.random.default_rng(1)
    whole = 10**STORED_DECIMALS  # shares of it are kept as they are; others would be rounded, and no longer sum to one
    p = random.multinomial(whole, random.dirichlet(np.ones(len(FERPLUS)), 7)) / whole
    crowd = rows(tracks=7).assign(**dict(zip(EXPRESSION, p.T, strict=True)))
    crowd.loc[6, list(EXPRESSION)] = np.nan  # one more, of whom no emotion is known
    number = add(workspace, crowd.assign(quality=1.0))
    expected = affect(p[:6])
    sums = figures.face_minutes(workspace, number, expressive=True)
    found = figures.lesson_means(sums, figures.AFFECT)
    assert found["mean"].to_numpy() == pytest.approx(expected.values.mean(axis=0), abs=1e-6) and list(
        found.index
    ) == list(AFFECT_NAMES)
    spread = figures.lesson_means(sums, figures.READING_SPREADS)["mean"].to_numpy()
    assert spread == pytest.approx(expected.spreads[:, :2].mean(axis=0), abs=1e-6)
    half = 2.570582 * expected.values.std(axis=0, ddof=1) / np.sqrt(6)
    assert found["high"]["valence"] == pytest.approx((expected.values.mean(axis=0) + half)[0], abs=1e-5)


def test_fewer_than_the_minimum_group_tell_nothing(workspace):
    number = add(workspace, rows(tracks=4, seconds=3))
    sums = figures.face_minutes(workspace, number, expressive=True)
    assert sums.empty and windows(workspace, number) == []
    clusters = figures.cluster_minutes(workspace, number)
    assert figures.last_third_change(queries.timeline(workspace, number), clusters) is None
    assert figures.minute_means(sums, figures.EMOTIONS).empty
    assert figures.lesson_means(sums, figures.AFFECT)["mean"].isna().all()


@pytest.mark.parametrize(("lesson", "reader"), [("attention-only", "consent"), ("consent", "attention-only")])
def test_attention_only_tells_nothing_of_expressions(workspace, lesson, reader):
    number = add(workspace, turning(), lesson=replace(LESSON, profile=lesson))
    workspace.add_marker(number, "question", START + timedelta(seconds=300))
    report = tell(workspace, number, PROFILES[reader])
    everything = str(files.to_json(report)).lower()
    for word in (*FERPLUS, "valence", "arousal", "emotion", "liking", "expression"):
        assert f"'{word}" not in everything and f" {word}" not in words(report).lower(), word
    assert "attention rose" in words(report)


def turning() -> pd.DataFrame:
    """A class that turns to the front after 300 s, for a while."""
    steps = (Step(looking=(0.2, 0.3)), Step(300, looking=(0.9, 1.0), delay=3), Step(340, looking=(0.2, 0.3)))
    return average_seconds(list(frames(Plan(faces=24, seconds=600, rate=1, steps=steps), START, PUBLISHED)))


def test_responses_to_markers_are_told_one_by_one(workspace):
    number = add(workspace, turning())
    workspace.add_marker(number, "question", START + timedelta(seconds=300))
    workspace.add_marker(number, "joke", START + timedelta(seconds=500))
    told = words(tell(workspace, number))
    assert "After 1 of 2 markers something clearly changed" in told and "question: attention rose by 0." in told


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.9, "Higher than usual"), (0.1, "Lower than usual"), (0.51, "Not clearly different from usual")],
)
def test_a_lesson_is_compared_with_the_usual_one_of_its_class_and_subject(workspace, value, verdict):
    for i in range(6):
        add(workspace, rows(concentration=0.5 + 0.01 * i))
    for other in ({"formula": "mine 1"}, {"source": "sample"}, {"class_name": "9c", "subject": "Art"}):
        add(workspace, rows(concentration=0.9), lesson=replace(LESSON, **other))
    told = words(tell(workspace, add(workspace, rows(concentration=value))))
    assert f"{verdict} for this class: {100 * value:.0f} of 100, usually" in told and "(6 other lessons)" in told


def test_a_patchy_measurement_is_called_so(workspace):
    good = tell(workspace, add(workspace, rows(seconds=10)))
    assert "The measurement is good: 100 % of the seconds and 100 % of the faces" in words(good)
    few = rows(tracks=3, seconds=10, start=START + timedelta(minutes=1))
    patchy = tell(workspace, add(workspace, rows(seconds=10), few))
    assert "The measurement is patchy: only 50 % of the seconds" in words(patchy)


def test_group_work_leaves_a_gap(workspace):
    number = workspace.start_lesson(LESSON)
    workspace.record(number, course(0.5, np.nan, 0.5, attention=0.5))
    for minute, activity in ((1, "group work"), (2, "front")):
        workspace.switch_activity(number, activity, START + timedelta(minutes=minute))
    workspace.end_lesson(number, START + timedelta(minutes=3))
    report = tell(workspace, number)
    (section,) = [section for section in report.sections if section.title == "The course of the lesson"]
    assert section.table["Concentration"].tolist()[1] == "–" and len(section.charts) == 5


@pytest.fixture(scope="module")
def synthetic():
    with closing(Workspace.open(None)) as workspace:
        number = sample.add_term(workspace, CONSENT, weeks=1)[-1]
        workspace.rename(number, "गणित <कक्षा ७> & Ж")
        workspace.save_note(number, "With <b>blocks</b>", ["blocks"])
        return tell(workspace, number)


def test_every_chart_has_sentences_that_read_it_out_and_a_table(synthetic):
    charted = [section for section in synthetic.sections if section.charts]
    assert charted and all(section.sentences and len(section.table) for section in charted)
    (course,) = (section.sentences for section in charted if section.title == "The course of the lesson")
    assert [sentence.split()[0] for sentence in course] == ["Highest:", "Of", "Of", "Activities:"]


def test_html_is_one_file_without_scripts_that_needs_nothing_from_elsewhere(synthetic):
    html = files.make_file(synthetic, "html").decode()
    assert "<h1>गणित &lt;कक्षा ७&gt; &amp; Ж</h1>" in html and "With &lt;b&gt;blocks&lt;/b&gt;" in html
    assert html.count('<img src="data:image/svg+xml') == 6 == html.count("src=") and "Synthetic: made up" in html
    assert not any(word in html for word in ("<script", "<link", "@import", "url("))
    assert "@media print" in html and "never a mark" in html


def test_a_file_is_in_the_language_of_the_page(workspace, monkeypatch):
    monkeypatch.setattr(language, "_current_language", lambda: "hi")
    html = files.make_file(tell(workspace, add(workspace, rows())), "html", "hi").decode()
    assert '<html lang="hi">' in html and ">एकाग्रता<" in html


def test_devanagari_in_a_chart_is_drawn_letter_beside_letter(tmp_path):
    for style, name in render.STYLES.items():
        (tmp_path / f"{render.FONT}{style}.ttf").write_bytes(pymupdf_fonts.fontbuffers[name]())
    plain = '<svg><text font-size="11px">Minutes</text></svg>'
    assert render.outline_devanagari(plain, tmp_path) == plain
    drawn = render.outline_devanagari('<svg><text font-size="11px" fill="#000">पाठ</text></svg>', tmp_path)
    along = [int(x) for x in re.findall(r'translate\((\d+),0\)" d="M', drawn)]
    assert len(along) == 3 and along[0] == 0 and min(np.diff(along)) > 200 and 'fill="#000"' in drawn


def test_what_has_worked_with_the_class_is_told(workspace):
    number = term(workspace, 9, 0.2)[-1]
    assert "After a quiz, this class's concentration rose in" in words(tell(workspace, number))


def test_pdf_says_on_every_page_that_it_is_synthetic_and_writes_any_name(synthetic):
    pages = pypdfium2.PdfDocument(files.make_file(synthetic, "pdf"))
    text = [page.get_textpage().get_text_range() for page in pages]
    assert all("Synthetic: made up" in page for page in text) and len(text) < 12
    whole = "".join(text)
    assert "With <b>blocks</b>" in whole and "In short" in whole and "Coverage and quality" in whole and "Ж" in whole
    assert files.file_name(synthetic, "pdf").endswith("-synthetic.pdf")


def test_a_file_that_cannot_be_made_says_what_to_do(synthetic, monkeypatch):
    monkeypatch.setattr(files, "RENDER_TIMEOUT_S", 0.001)
    with pytest.raises(errors.ReportError, match="Try again"):
        files.make_file(synthetic, "pdf")


def test_the_app_never_loads_what_draws_and_sets_files():
    code = "import sys; from cssafe.report import comparison_report, files, lesson_report, term_report; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fpdf", "vl_convert", "pymupdf_fonts", "uharfbuzz"} & set(loaded) and "altair" in loaded
