"""Which camera feeds a lesson, and how long the lesson waits for one."""

import threading

import pytest

from cssafe.live.camera_lease import CameraLease
from cssafe.live.engine import Engine
from cssafe.live.room_camera import CameraReader
from cssafe.live.room_scheduler import RoomScheduler
from cssafe.live.services import Services
from cssafe.pipeline import Stream
from cssafe.settings import load
from tests.support.fake_pipelines import Crowd
from tests.support.wait import until


@pytest.fixture
def lease():
    """A lease that waits for a minute."""
    lease = CameraLease(Stream(live=True), 60.0, lambda: None)
    yield lease
    lease.close()


def test_the_newest_connection_holds_the_lease_and_an_older_one_cannot_give_it_up(lease):
    first, second = (lease.connect(lambda answer: None) for _ in range(2))
    assert lease.holds(second) and not lease.holds(first)
    lease.disconnect(first)
    assert lease.holds(second) and lease.connected
    lease.disconnect(second)
    assert not lease.holds(second) and not lease.connected


def test_after_its_end_nobody_holds_it(lease):
    feed = lease.connect(lambda answer: None)
    lease.close()
    assert not lease.holds(feed) and not lease.holds(lease.connect(lambda answer: None)) and not lease.connected


def test_without_pictures_it_expires_once_and_not_after_its_end():
    ended = []
    lease = CameraLease(Stream(live=True), 0.05, lambda: ended.append(lease.expired))
    closed = CameraLease(Stream(live=True), 0.05, lambda: ended.append("closed"))
    for one in (lease, closed):
        one.start()
    closed.close()
    until(lambda: ended)
    assert ended == [True] and not closed.expired


def test_no_constructor_of_the_live_package_starts_a_thread(lesson, tmp_path):
    before = set(threading.enumerate())
    engine = Engine(Crowd)
    CameraReader(load({}), engine, lesson, str(tmp_path / "nowhere.mp4"))  # it does not look for the file either
    RoomScheduler(lambda: engine, lambda: lesson.workspace, lambda lesson: None)
    Services(Crowd)
    assert set(threading.enumerate()) <= before
