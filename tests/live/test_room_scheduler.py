"""The room camera's lessons by hand and by timetable, with a real database file and a video in place of the camera."""

from contextlib import closing
from datetime import datetime, time

import pytest

from cssafe.errors import ConfigurationError
from cssafe.live import room_scheduler as module
from cssafe.live import services
from cssafe.school import room_timetable
from cssafe.store import StoreError, Workspace
from tests.support.room_timetable import all_day, at, keep
from tests.support.wait import until

pytestmark = pytest.mark.usefixtures("data")

FORM = {"class_name": "7b", "subject": "Maths", "room": "12", "time_zone": "Europe/Berlin"}


@pytest.fixture
def room(source):
    """The process's own room camera, with a timetable of two lessons on end on Monday morning; its clock stands still,
    for tests look at it themselves."""
    rows = [
        {"days": ["Mon"], "start": time(8), "end": time(8, 45), "subject": "Maths"},
        {"days": ["Mon"], "start": time(8, 45), "end": time(9, 30), "subject": "Art"},
    ]
    keep(source, room_timetable.parse_timetable(rows), "Europe/Berlin")
    services.current().room().reload()
    return services.current().room()


def subject(room) -> str | None:
    capture = room.running()
    return capture and capture.lesson.lesson.subject


def fetch(path, sql: str) -> list[tuple]:
    with closing(Workspace.open(path)) as workspace:
        return workspace.cursor().execute(sql).fetchall()


def test_without_a_timetable_nothing_is_started():
    services.current().room().reload()
    services.current().room().tick(at("08:10"))
    assert services.current().room().running() is None and services.current().room().ends_at() is None
    services.current().room().end()


def test_lessons_start_and_end_by_the_clock(room):
    for moment, expected in {
        "07:59:59": None,
        "08:00:00": "Maths",
        "08:44:59": "Maths",
        "08:45:00": "Art",
        "09:29:59": "Art",
        "09:30:00": None,
    }.items():
        room.tick(at(moment))
        assert subject(room) == expected, moment
    assert room.reader.lesson.lesson.audience == "class" and room.reader.lesson.lesson.source == "file"


def test_a_lesson_ended_by_a_person_is_not_started_again_not_even_after_a_restart(room, monkeypatch):
    now = at("08:10")
    monkeypatch.setattr(module, "datetime", type("Still", (datetime,), {"now": lambda zone: now.astimezone(zone)}))
    room.tick(now)
    assert subject(room) == "Maths" and room.ends_at() == at("08:45")
    room.end()
    room.tick(at("08:11"))
    assert room.running() is None
    services.current().close()
    services.current().room().reload()
    services.current().room().tick(at("08:44:59"))
    assert services.current().room().running() is None
    services.current().room().tick(at("08:45"))
    assert subject(services.current().room()) == "Art"


def test_a_lesson_begun_by_hand_outlasts_the_timetable_and_ends_at_its_own_time(room, source):
    room.start(services.current().workspace(), source, until=at("08:20"), **FORM | {"subject": "Choir"})
    room.tick(at("08:10"))
    assert subject(room) == "Choir" and room.ends_at() == at("08:20")
    room.tick(at("08:20"))
    assert subject(room) == "Maths"


def test_a_changed_timetable_rules_from_the_next_look_on(room):
    room.tick(at("08:10"))
    services.current().workspace().set("timetable", [])
    room.reload()
    room.tick(at("08:10"))
    assert room.running() is None


def test_nothing_starts_twice_without_agreement_or_where_it_is_hosted(room, source, monkeypatch):
    services.current().workspace().set("agreed", False)
    with pytest.raises(ConfigurationError, match="has agreed"):
        room.start(services.current().workspace(), source, **FORM)
    with pytest.raises(ConfigurationError, match="has agreed"):
        room.tick(at("08:10"))
    services.current().workspace().set("agreed", True)
    room.start(services.current().workspace(), source, **FORM)
    with pytest.raises(ConfigurationError, match="runs already"):
        room.start(services.current().workspace(), source, **FORM)
    room.end()
    monkeypatch.setenv("CSSAFE_MODE", "hosted")
    with pytest.raises(ConfigurationError, match="is hosted"):
        room.start(services.current().workspace(), source, **FORM)


def test_the_process_follows_its_timetable_and_takes_the_lesson_up_again_after_a_restart(data, source):
    keep(source, *all_day())
    services.current().close()
    for lesson in (1, 2):
        services.current().open()
        until(lambda: subject(services.current().room()) == "Maths")
        assert services.current().room().reader.lesson.number == lesson
        until(lambda: services.current().room().reader.lesson.state().seconds >= 2)
        services.current().close()
        assert services.current().room().running() is None
    assert fetch(data, "SELECT lesson, ended > started FROM lessons ORDER BY lesson") == [(1, True), (2, True)]
    assert fetch(data, "SELECT lesson, count(*) >= 12 FROM observations GROUP BY lesson ORDER BY lesson") == [
        (1, True),
        (2, True),
    ]


def test_a_database_held_by_another_program_is_said_and_tried_again(data, source, monkeypatch):
    keep(source, *all_day())
    services.current().close()
    refuse = [StoreError("The database is in use by another program.")]
    opened = Workspace.open

    def held(path, expression):
        if refuse:
            raise refuse[0]
        return opened(path)

    monkeypatch.setattr(module, "RETRY_S", 0.1)
    monkeypatch.setattr(services.Workspace, "open", held)
    services.current().open()
    until(lambda: "in use by another program" in services.current().room().problem)
    refuse.clear()
    until(lambda: subject(services.current().room()) == "Maths" and not services.current().room().problem)


@pytest.mark.parametrize("environment", [{"CSSAFE_MODE": "hosted"}, {"CSSAFE_PROFILE": "demo"}])
def test_hosted_and_where_nothing_is_stored_no_timetable_is_followed(data, source, monkeypatch, environment):
    keep(source, *all_day())
    services.current().close()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    looks, tick = [], module.RoomScheduler.tick
    monkeypatch.setattr(module.RoomScheduler, "tick", lambda room, now: looks.append(tick(room, now)))
    services.current().open()
    until(lambda: looks or not services.current().room()._clock.is_alive())
    assert services.current().room().running() is None and services.current().room().problem == ""
