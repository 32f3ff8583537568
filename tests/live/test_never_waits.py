"""While something slow goes on for one visit, the others' cameras, pages and the health check are answered; and what is ended
and closed at the same time is ended whole. Slow things are held by the test, over a real server on this machine."""

import json
import urllib.request
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Event, Thread

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from cssafe.live import services
from cssafe.settings import ROOT
from cssafe.store import StoreError
from tests.support.camera_client import LIMIT, answer
from tests.support.live_lessons import running

pytestmark = pytest.mark.usefixtures("data")


@contextmanager
def held(owner, name: str, monkeypatch):
    """A function that, before it does its work, waits for the end of the block. Yields an Event: it has been called."""
    called, go, real = Event(), Event(), getattr(owner, name)

    def waiting(*args):
        called.set()
        assert go.wait(LIMIT)
        return real(*args)

    monkeypatch.setattr(owner, name, waiting)
    try:
        yield called
    finally:
        go.set()


def begin(work) -> Future:
    """Do it on a thread of its own."""
    future: Future = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def ended(path) -> list[tuple]:
    """Of the lessons in a file, before CSSAFE opens it again: whether they are ended and summarised."""
    with duckdb.connect(path, read_only=True) as connection:
        sql = "SELECT ended IS NOT NULL, lesson IN (SELECT lesson FROM minutes) FROM lessons ORDER BY ALL"
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("slow", ["end_lesson", "close"])
def test_while_a_workspace_is_closed_cameras_connect_health_answers_and_pages_open(slow, address, monkeypatch):
    leaving, staying = services.current().visit(), services.current().visit()
    gone, lesson = running(leaving.workspace()), running(staying.workspace())
    with held(gone.workspace, slow, monkeypatch) as called:
        closed = begin(leaving.close)
        assert called.wait(LIMIT)
        assert len(answer(address, lesson.token)["overlay"]["faces"]) == 6
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=LIMIT) as report:
            assert json.load(report)["lessons"] == 1
        page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=LIMIT).run()
        assert not page.exception and not closed.done()
    closed.result(LIMIT)
    assert gone.ended and services.current().lessons() == [lesson]


def test_while_the_summary_of_one_lesson_is_made_another_of_the_same_school_goes_on(address, monkeypatch):
    first, second = (running(services.current().workspace()) for _ in range(2))
    with held(first.workspace, "end_lesson", monkeypatch) as called:
        over = begin(first.end)
        assert called.wait(LIMIT)
        assert len(answer(address, second.token)["overlay"]["faces"]) == 6
        assert services.current().find(first.token) is None and not over.done()
    over.result(LIMIT)


def test_a_page_that_asks_for_a_workspace_while_it_is_closed_gets_a_new_one_when_that_is_done(data, monkeypatch):
    before = services.current().workspace()
    with held(before, "close", monkeypatch) as called:
        closed = begin(services.current().close)
        assert called.wait(LIMIT)
        asked = begin(services.current().workspace)
    closed.result(LIMIT)
    after = asked.result(LIMIT)
    assert after is not before
    running(after)
    services.current().close()
    assert ended(data) == [(True, True)]


def test_a_workspace_that_two_close_at_once_is_closed_once_and_both_wait_for_it(monkeypatch):
    visit = services.current().visit()
    lesson = running(visit.workspace())
    done = []
    monkeypatch.setattr(lesson.workspace, "close", lambda real=lesson.workspace.close: done.append(real()))
    with held(lesson.workspace, "end_lesson", monkeypatch) as called:
        first = begin(visit.close)
        assert called.wait(LIMIT)
        second, third = begin(visit.close), begin(services.current().close)
    for closed in (first, second, third):
        closed.result(LIMIT)
    assert done == [None] and lesson.written


def test_a_lesson_that_is_just_being_ended_is_whole_before_its_database_closes(data, monkeypatch):
    workspace = services.current().workspace()
    lesson, closing_now, real = running(workspace), Event(), workspace.close
    monkeypatch.setattr(workspace, "close", lambda: (closing_now.set(), real()))
    with held(workspace, "end_lesson", monkeypatch) as called:
        over = begin(lesson.end)
        assert called.wait(LIMIT)
        closed = begin(services.current().close)
        assert not closing_now.wait(0.5)  # it never comes; a moment in which it could
    over.result(LIMIT)
    closed.result(LIMIT)
    assert ended(data) == [(True, True)]


def test_a_lesson_that_cannot_be_ended_keeps_no_other_from_its_end(data, monkeypatch):
    workspace = services.current().workspace()
    lessons = [running(workspace), running(workspace)]
    tried, real = [], workspace.end_lesson

    def refuse_first(number, time):
        tried.append(number)
        if len(tried) == 1:
            raise StoreError("The disk is full.")
        real(number, time)

    monkeypatch.setattr(workspace, "end_lesson", refuse_first)
    with pytest.raises(StoreError, match="disk is full"):
        services.current().close()
    assert all(lesson.ended for lesson in lessons)
    assert ended(data) == [(False, False), (True, True)]
