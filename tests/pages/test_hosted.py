"""Strangers on one server: a workspace for each, closed when idle; what /healthz and the page Status tell."""

import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cssafe import settings
from cssafe.commands.main import main
from cssafe.errors import ConfigurationError
from cssafe.live import health, services
from cssafe.live.transports import websocket
from cssafe.settings import ABSENCE_TIMEOUT_S, IDLE_TIMEOUT_MINUTES, PROFILES, ROOT
from cssafe.store import StoreError, Workspace
from tests.support.browser import serve
from tests.support.cgroup import limited
from tests.support.faces import astronaut
from tests.support.fake_pipelines import crowd
from tests.support.lessons import LESSON, START, add, rows
from tests.support.live_lessons import make, time_now
from tests.support.media_files import encode
from tests.support.visitor import Visitor
from tests.support.wait import until

IDLE = 60 * IDLE_TIMEOUT_MINUTES


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch, loaded_once):
    """A hosted server's environment, and an empty folder in which nothing may appear."""
    monkeypatch.setenv("CSSAFE_MODE", "hosted")
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.delenv("CSSAFE_PROFILE", raising=False)
    yield tmp_path
    services.current().close()


def site() -> AppTest:
    page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=30).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    parts = (page.markdown, page.caption, page.info, page.warning, page.error)
    return "\n".join(element.value for part in parts for element in part)


def is_open(workspace: Workspace) -> bool:
    try:
        workspace.flush()
    except StoreError:
        return False
    return True


@pytest.mark.parametrize("name", PROFILES)
def test_hosted_no_profile_stores_anything_and_there_is_no_shared_file(name, data, capsys):
    chosen = settings.load({"CSSAFE_MODE": "hosted", "CSSAFE_PROFILE": name})
    assert not chosen.profile.stored and chosen.profile.expression == PROFILES[name].expression
    with pytest.raises(ConfigurationError, match="strangers would share it"):
        chosen.database  # noqa: B018
    with pytest.raises(ConfigurationError, match="strangers would share it"):
        services.current().workspace()
    for command in (["sample"], ["analyze", "x.png", "--lesson", "Maths", "--profile", name]):
        assert main(command) == 2
        assert "strangers would share it" in capsys.readouterr().err
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("name", PROFILES)
def test_every_visit_has_a_workspace_of_its_own_whatever_the_profile(name, monkeypatch, data):
    monkeypatch.setenv("CSSAFE_PROFILE", name)
    first, second = site(), site()
    ours, theirs = (page.session_state["visit"].workspace() for page in (first, second))
    assert ours is not theirs
    lesson = make(ours, name)
    lesson.add_result(crowd(1, time_now()))
    lesson.end()
    count = "SELECT count(*) FROM lessons"
    assert ours.cursor().execute(count).fetchone() == (1,)
    assert theirs.cursor().execute(count).fetchone() == (0,)
    assert "Nothing is stored" in said(first) and "one database file" not in said(first)
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("idle", "gone", "present", "closed"),
    [
        (IDLE, ABSENCE_TIMEOUT_S, True, False),
        (0, ABSENCE_TIMEOUT_S, True, True),
        (IDLE, 0, True, False),
        (IDLE, 0, False, True),
    ],
    ids=["fresh", "idle", "here", "gone"],
)
def test_a_workspace_is_closed_when_idle_or_when_its_visitor_has_gone(idle, gone, present, closed):
    visit = services.current().visit(lambda: present)
    workspace = visit.workspace()
    assert services.current().workspaces() == [workspace]
    services.current().sweep(idle, gone + 1e-9)
    assert is_open(workspace) != closed and visit.renewed == closed
    assert services.current().workspaces() == ([] if closed else [workspace])
    assert visit.workspace() is not workspace if closed else visit.workspace() is workspace


def test_a_running_lesson_is_not_idle_and_the_time_counts_from_its_end():
    visit = services.current().visit(lambda: False)
    workspace = visit.workspace()
    lesson = make(workspace)
    services.current().register(lesson)
    services.current().sweep(0, 0)
    assert is_open(workspace)
    lesson.add_result(crowd(1, time_now()))
    lesson.end()
    services.current().sweep(IDLE, IDLE)
    assert is_open(workspace)
    services.current().sweep(0, IDLE)
    assert not is_open(workspace)


def test_the_end_of_the_program_ends_a_visits_lesson_and_closes_its_workspace():
    visit = services.current().visit()
    workspace = visit.workspace()
    lesson = make(workspace)
    services.current().register(lesson)
    services.current().close()
    assert lesson.ended and not is_open(workspace)


def test_a_page_opened_after_its_workspace_was_closed_has_a_fresh_one_and_says_so_once():
    page = site()
    page.radio(key="audience").set_value("self")
    page.button[0].click().run()
    lesson = page.session_state["lesson"]
    lesson.add_result(crowd(1, time_now()))
    lesson.end()
    page.run()
    assert "is over" in "\n".join(element.value for element in page.success)
    services.current().sweep(idle=0)
    page.run()
    assert "Your earlier lessons were deleted" in said(page)
    assert not page.success and page.button[0].label == "Start"
    page.run()
    assert "Your earlier lessons were deleted" not in said(page)


def test_start_pressed_on_a_page_whose_workspace_was_closed_meanwhile_starts_a_lesson():
    page = site()
    services.current().sweep(idle=0)
    page.button[0].click().run()
    assert not page.exception and not page.error
    lesson = page.session_state["lesson"]
    assert (
        lesson.workspace is page.session_state["visit"].workspace() and services.current().find(lesson.token) is lesson
    )
    assert "Your earlier lessons were deleted" in said(page)


def test_a_workspace_that_is_full_says_so_and_goes_on():
    workspace = services.current().visit().workspace()
    workspace._queue.run(lambda: workspace._connection.execute("SET memory_limit = '24MB'"))
    with pytest.raises(StoreError, match=r"memory.*Delete lessons"):
        workspace.add([LESSON], [START], rows(tracks=30, seconds=3600).assign(lesson=0))
    add(workspace, rows())
    assert workspace.cursor().execute("SELECT count(*) FROM observations").fetchone() == (6,)


def test_health_is_small_and_tells_nothing_of_any_one_visit():
    visit = services.current().visit()
    lesson = make(visit.workspace())
    services.current().register(lesson)
    feed = lesson.lease.connect(lambda answer: None)
    for ago in (2, 0):
        lesson.add_result(crowd(1, time_now() - timedelta(seconds=ago)))
    lesson.lease.disconnect(feed)
    visit.workspace().flush()
    lesson.lease.connect(lambda answer: None)
    report = health.report()
    assert (report["workspaces"], report["lessons"], report["streams"], report["waiting"]) == (1, 1, 1, 0)
    assert report["last_write"] and report["problem"] == "" and report["memory_mb"] > 50
    text = json.dumps(report)
    assert len(text) < 1000
    assert not [word for word in (lesson.token, "Mathematics", "7b", str(settings.ROOT)) if word in text]


def test_health_counts_frames_a_second_over_the_last_beats():
    engine = services.current().engine()
    assert services.current().speed() == 0
    engine.loaded.result(timeout=60)
    then = time.monotonic() - 10
    services.current()._speeds.append((then, 0))
    engine.analyzed = 40
    assert 4 >= services.current().speed() >= 40 / (time.monotonic() - then)


def test_the_status_page_shows_totals_and_versions_and_no_lesson():
    visit = services.current().visit()
    lesson = make(visit.workspace())
    services.current().register(lesson)
    page = site().switch_page(str(ROOT / "pages" / "status.py")).run()
    assert not page.exception and not page.error
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Lessons running"] == "1" and figures["Open workspaces"] == "2" and figures["Cameras"] == "0"
    assert "Mathematics" not in said(page) and lesson.token not in str(page.main)
    table = page.table[0].value.to_string()
    assert "SHA-256" in table and "duckdb" in table and "WebSocket" in said(page)


@pytest.mark.parametrize(("names", "told"), [("", True), ("class.school.example", False)])
def test_the_status_page_says_when_any_host_name_is_accepted(monkeypatch, names, told):
    monkeypatch.setenv("CSSAFE_HOSTS", names)
    page = site().switch_page(str(ROOT / "pages" / "status.py")).run()
    assert ("CSSAFE_HOSTS is not set" in said(page)) == told


def moving_face() -> list[bytes]:
    """Two JPEGs of one face, 640x480, which has moved to the side in the second."""
    picture = cv2.resize(astronaut(), (640, 480))
    return [cv2.imencode(".jpg", np.roll(picture, shift, axis=1))[1].tobytes() for shift in (0, 8)]


@pytest.mark.slow
def test_twenty_idle_and_four_live_visitors_take_less_than_900_mb(tmp_path):
    """The idle ones have each filled their workspace with a synthetic term and looked at it."""
    pictures = moving_face()
    with serve(tmp_path) as server, ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(server.address)) for _ in range(24)]
        for visitor in visitors[:20]:
            visitor.open("weekly")
            visitor.press("Fill with a synthetic term")
            assert "How to read it" in visitor.open("histograms")
        for visitor in visitors[20:]:
            visitor.open()
            visitor.press("Start")
        most = server.health()["memory_mb"]
        with ThreadPoolExecutor(4) as cameras:
            running = [cameras.submit(visitor.frames, pictures * 15, 0.3) for visitor in visitors[20:]]
            while not all(camera.done() for camera in running):
                report = server.health()
                most = max(most, report["memory_mb"])
                time.sleep(1)
        print(most, report)
        assert min(camera.result() for camera in running) > 0 and report["workspaces"] == 24
        assert most < 900
        assert [file.name for file in tmp_path.iterdir()] == ["server.log"]


@pytest.mark.slow
def test_a_host_of_1_gb_and_half_a_core_carries_twenty_idle_visitors_four_cameras_and_an_upload(tmp_path):
    """As small as Community Cloud may be: nothing is killed, each camera has a result in two seconds, pages answer."""
    pictures = moving_face()
    video = encode(tmp_path / "class.mp4", [cv2.resize(astronaut(), (640, 480))] * 100).read_bytes()
    with (
        limited(memory=2**30, cores=0.5) as group,
        serve(tmp_path / "data", prefix=group.prefix, CSSAFE_MODE="hosted") as server,
        ExitStack() as stack,
    ):
        visitors = [stack.enter_context(Visitor(server.address)) for _ in range(25)]
        for visitor in visitors[:20]:
            visitor.open("weekly")
            visitor.press("Fill with a synthetic term")
        for visitor in visitors[20:24]:
            visitor.open()
            visitor.press("Start")
        visitors[24].open("files")
        visitors[24].upload("class.mp4", video, "Analyse")
        with ThreadPoolExecutor(4) as cameras:
            running = [cameras.submit(visitor.frames, pictures * 30, 0.3) for visitor in visitors[20:24]]
            opened = []
            while not all(camera.done() for camera in running):
                begun = time.monotonic()
                assert "How to read it" in visitors[0].open("histograms")
                opened.append(round(time.monotonic() - begun, 1))
                time.sleep(5)
        gaps = [np.diff(visitor.results) for visitor in visitors[20:24]]
        report = server.health()
        longest = [np.sort(gap)[-3:].round(1).tolist() for gap in gaps]
        print(f"longest gaps {longest}, pages {opened}, peak {group.peak / 2**20:.0f} MB, {report}")
        assert group.killed == 0 and server.process.poll() is None
        assert [camera.result() for camera in running] == [60] * 4
        assert max(gap.max() for gap in gaps) <= 2
        assert report["problem"] == "" and report["workspaces"] == 25


@pytest.mark.slow
def test_a_closed_tab_takes_its_workspace_with_it(tmp_path):
    with serve(tmp_path) as server:
        with Visitor(server.address) as visitor:
            visitor.open()
            assert server.health()["workspaces"] == 1
        until(lambda: server.health()["workspaces"] == 0, ABSENCE_TIMEOUT_S + 60)


@pytest.mark.slow
def test_other_visitors_tokens_cannot_be_guessed_and_are_on_no_other_page(tmp_path):
    """The door itself; test_browser_hosted.py tries it with two browsers."""
    with serve(tmp_path) as server, Visitor(server.address) as first, Visitor(server.address) as second:
        first.open()
        first.press("Start")
        assert len(first.token) >= 43  # 32 random bytes
        for page in ("", "lessons", "status"):
            second.open(page, "lesson=1")
            assert second.token == "" and "Mathematics" not in "\n".join(second.texts)
        second.token = first.token[:-1]
        with pytest.raises(Exception, match=str(websocket.REFUSED)):
            second.frames([b""], 0)
        with urllib.request.urlopen(f"{server.address}/healthz") as answer:
            assert first.token not in answer.read().decode()
