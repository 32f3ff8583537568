"""A class's lesson on a projector and on the teacher's phone, run by Streamlit's own AppTest on real lessons: who may see it,
what is said, and to whom. No lesson first."""

import re
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from cssafe.labels import FERPLUS
from cssafe.live import class_view, services
from cssafe.live.alerts import Alert
from cssafe.live.lesson import SHARED_VIEWS
from cssafe.settings import PROFILES
from tests.support.fake_pipelines import crowd, crowd_before
from tests.support.live_lessons import make
from tests.support.marked_lessons import term
from tests.support.pages import press, run, shown, text

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """One picture is enough: a slow machine takes longer for a page than a camera may be silent."""
    monkeypatch.setattr(class_view, "MAX_FRAME_AGE_S", 3600.0)


def script(name: str) -> None:
    """The site with this page in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    pages = sorted(("projector", "phone", "live", "room", "lessons", "histograms", "weekly"), key=lambda n: n != name)
    st.navigation([st.Page(ROOT / f"pages/{other}.py", default=other == name) for other in pages]).run()


def show(name: str, key: str = "") -> AppTest:
    page = AppTest.from_function(script, args=(name,), default_timeout=30)
    if key:
        page.query_params["key"] = key
    return run(page)


@contextmanager
def running(faces: int = 6, audience: str = "class", profile: str = "consent", workspace=None):
    """A lesson whose camera shows so many faces."""
    lesson = make(workspace or services.current().workspace(), profile, audience)
    services.current().register(lesson)
    begun, expression = datetime.now(UTC), PROFILES[profile].expression
    for result in (*crowd_before(faces, begun, expression), crowd(faces, begun, expression)):
        lesson.add_result(result)
    try:
        yield lesson
    finally:
        lesson.end()


@pytest.mark.parametrize("view", SHARED_VIEWS)
def test_without_a_running_lesson_it_says_what_to_do(view):
    assert "No lesson of a class is running" in text(show(view))
    assert "it is over, or a part of the address is missing" in text(show(view, "guess"))


@pytest.mark.parametrize("view", SHARED_VIEWS)
@pytest.mark.parametrize(
    ("faces", "profile", "figure"),
    [(0, "consent", False), (4, "consent", False), (6, "consent", True), (6, "attention-only", True)],
)
def test_a_class_has_figures_from_the_minimum_group_on_with_their_interval(view, faces, profile, figure, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", profile)
    with running(faces, profile=profile) as lesson:
        page = show(view, lesson.keys[view])
    told = shown(page)
    assert ("80 of 100" in told) == figure == ("between medium and high" in told) and bool(
        re.search("no figure(?! yet)", told)
    ) != figure
    assert "How the score is made" in told
    emotions = any(name in told for name in FERPLUS)
    assert emotions == (view == "projector" and profile == "consent")
    assert ("no emotion is computed" in told) == (profile == "attention-only")


def test_the_projector_shows_no_picture_no_hint_and_nothing_to_press():
    with running() as lesson:
        lesson.class_view._alert = Alert(
            datetime.now(UTC).replace(tzinfo=None), "low", "It is low.", "Perhaps a pause."
        )
        projector, phone = (show(view, lesson.keys[view]) for view in SHARED_VIEWS)
    assert "It is low." not in shown(projector) and "It is low. Perhaps a pause." in text(phone)
    assert "worked with this class" not in shown(projector) and "worked with this class" in shown(phone)
    assert not projector.button and not projector.toggle and not projector.segmented_control
    assert "data:image" not in shown(projector) + shown(phone)


@pytest.mark.parametrize("stored", [True, False])
def test_a_key_opens_its_own_view_of_its_own_lesson_until_that_is_over(workspace, stored):
    with running(workspace=None if stored else workspace) as lesson:
        for view, other in (SHARED_VIEWS, SHARED_VIEWS[::-1]):
            assert "80 of 100" in shown(show(view, lesson.keys[view]))
            for wrong in (lesson.keys[other], lesson.token, lesson.keys[view][:-1], "é", "1"):
                assert "80 of 100" not in shown(show(view, wrong))
            assert services.current().find(lesson.keys[view]) is None  # it is no camera's
        page = show("phone", lesson.keys["phone"])
    assert "80 of 100" not in shown(run(page)) and "it is over" in text(page)


@pytest.mark.parametrize("view", SHARED_VIEWS)
def test_one_persons_lesson_can_be_watched_from_nowhere_else(view):
    with running(1, "self") as lesson:
        assert "0." not in text(show(view, lesson.keys[view])).replace("0.0.0.0", "")
        assert "No lesson of a class is running" in text(show(view))


@pytest.mark.parametrize("view", SHARED_VIEWS)
def test_without_a_key_only_lessons_of_the_visitors_own_workspace_are_shown(view, workspace):
    with running(workspace=workspace):  # another visit's
        assert "No lesson of a class is running" in text(show(view))
        with running():
            assert "80 of 100" in shown(show(view))
            with running():
                assert "Several lessons run" in text(show(view)) and "80 of 100" not in shown(show(view))


def test_markers_and_the_activity_can_be_set_from_the_phone():
    with running() as lesson:
        page = show("phone", lesson.keys["phone"])
        press(page, "Quiz")
        page.segmented_control(key="activity").set_value("break")
        assert "Break is not scored" in text(run(page)) and lesson.activity == "break"
        with lesson.workspace.cursor() as cursor:
            assert cursor.execute("SELECT kind FROM markers").fetchall() == [("quiz",)]


@pytest.mark.parametrize(
    ("kind", "source", "own"),
    [("low", "camera", True), ("falling", "camera", True), ("drowsiness", "camera", False), ("low", "sample", False)],
)
def test_a_hint_of_low_concentration_ends_with_what_worked_with_this_very_class(kind, source, own):
    term(services.current().workspace(), 9, 0.2, class_name="7b", source=source)
    with running() as lesson:
        lesson.class_view._alert = Alert(datetime.now(UTC).replace(tzinfo=None), kind, "It is so.", "Perhaps a pause.")
        told = text(show("phone", lesson.keys["phone"]))
    assert ("It is so. After a quiz, this class's" in told) == own == ("It is so. Perhaps a pause." not in told)


def test_the_phone_tells_what_has_worked_with_this_class_and_says_where_nothing_has():
    with running() as lesson:
        assert "there are 0 now" in text(show("phone", lesson.keys["phone"]))
        term(lesson.workspace, 9, 0.2, class_name="7b", source="sample")
        told = text(show("phone", lesson.keys["phone"]))
        assert "After a quiz, this class's concentration rose in" in told and "need not be caused by the marker" in told
        assert "synthetic" in told
