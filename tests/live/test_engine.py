"""The engine with real JPEGs and a pipeline of one line: what is tested is the mailbox, the turns and the failures."""

import math
import threading
import time
from datetime import UTC, datetime

import pytest

from cssafe.errors import ConfigurationError
from cssafe.live import engine as engine_module
from cssafe.live.engine import ENGINE_SHARE, Answer, Engine, Feed, fair_shares
from cssafe.pipeline import Stream
from tests.support.fake_pipelines import JPEG, GatedPipeline

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Inbox:
    """Collects the answers to one feed."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._came = threading.Semaphore(0)

    def __call__(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._came.release()

    def wait(self, number: int) -> list[Answer]:
        for _ in range(number):
            assert self._came.acquire(timeout=60), f"only {len(self.answers)} answers came"
        return self.answers


@pytest.fixture
def pipeline():
    return GatedPipeline()


@pytest.fixture
def slow(pipeline):
    """The pipeline from the engine's start on taking a twentieth of a second."""
    pipeline.seconds = 0.05


@pytest.fixture
def engine(pipeline):
    engine = Engine(lambda: pipeline).start()
    engine.loaded.result(timeout=60)
    yield engine
    pipeline.gate.set()
    engine.close()


def test_a_frame_comes_back_with_its_number_and_size(engine):
    inbox = Inbox()
    engine.offer(Feed(Stream(), inbox), 7, JPEG, NOON)
    [answer] = inbox.wait(1)
    assert (answer.number, answer.result.width, answer.result.height, answer.error) == (7, 64, 48, None)


def test_of_frames_that_wait_only_the_newest_is_analysed_and_the_others_are_answered(engine, pipeline):
    pipeline.gate.clear()
    inbox = Inbox()
    feed = Feed(Stream(), inbox)
    engine.offer(feed, 0, JPEG, NOON)
    assert pipeline.entered.acquire(timeout=60)  # frame 0 is in work; the mailbox is empty
    for number in (1, 2, 3):
        engine.offer(feed, number, JPEG, NOON)
    pipeline.gate.set()
    answers = inbox.wait(4)
    assert [a.number for a in answers] == [1, 2, 0, 3]
    assert [a.result is not None for a in answers] == [False, False, True, True]
    assert engine.analyzed == 2


def test_two_cameras_take_turns_however_often_one_of_them_sends(engine, pipeline):
    pipeline.gate.clear()
    greedy, modest = Feed(Stream(), Inbox()), Feed(Stream(), Inbox())
    engine.offer(greedy, 0, JPEG, NOON)
    assert pipeline.entered.acquire(timeout=60)
    engine.offer(modest, 0, JPEG, NOON)
    for number in range(1, 5):
        engine.offer(greedy, number, JPEG, NOON)
    pipeline.gate.set()
    modest.deliver.wait(1)
    greedy.deliver.wait(5)
    assert pipeline.streams == [greedy.stream, modest.stream, greedy.stream]


@pytest.mark.parametrize("data", [b"", b"no picture", JPEG[:100]])
def test_a_corrupt_picture_is_answered_in_words_and_the_next_one_is_analysed(engine, data):
    inbox = Inbox()
    feed = Feed(Stream(), inbox)
    engine.offer(feed, 0, data, NOON)
    inbox.wait(1)
    engine.offer(feed, 1, JPEG, NOON)
    bad, good = inbox.wait(1)
    assert bad.result is None and "image" in str(bad.error)
    assert good.result is not None
    assert engine.failed == 1


def test_a_failing_frame_is_counted_and_answered_and_the_thread_lives_on(engine, pipeline):
    pipeline.broken = True
    inbox = Inbox()
    feed = Feed(Stream(), inbox)
    engine.offer(feed, 0, JPEG, NOON)
    inbox.wait(1)
    pipeline.broken = False
    engine.offer(feed, 1, JPEG, NOON)
    bad, good = inbox.wait(1)
    assert "could not be analysed" in str(bad.error) and "broken on purpose" not in str(bad.error)
    assert good.result is not None and engine.failed == 1


def test_a_receiver_that_raises_harms_nobody_else(engine):
    def refuse(answer: Answer) -> None:
        raise RuntimeError("gone")

    inbox = Inbox()
    engine.offer(Feed(Stream(), refuse), 0, JPEG, NOON)
    engine.offer(Feed(Stream(), inbox), 0, JPEG, NOON)
    assert inbox.wait(1)[0].result is not None
    assert engine.failed == 1


def test_a_feed_that_has_left_gets_nothing_more(engine, pipeline):
    pipeline.gate.clear()
    busy, left = Inbox(), Inbox()
    feed = Feed(Stream(), left)
    engine.offer(Feed(Stream(), busy), 0, JPEG, NOON)
    assert pipeline.entered.acquire(timeout=60)
    engine.offer(feed, 0, JPEG, NOON)
    engine.leave(feed)
    engine.leave(feed)
    pipeline.gate.set()
    busy.wait(1)
    assert left.answers == []


def test_frames_offered_while_the_networks_load_are_analysed_when_they_are_there(pipeline):
    gate = threading.Event()
    engine = Engine(lambda: gate.wait(60) and pipeline).start()
    inbox = Inbox()
    engine.offer(Feed(Stream(), inbox), 0, JPEG, NOON)
    assert engine.state == "loading"
    gate.set()
    assert inbox.wait(1)[0].result is not None
    assert engine.state == "ready"
    engine.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigurationError("There is no network in models/x."), "There is no network in models/x."),
        (OSError("disk"), "The networks could not be loaded (disk)."),
    ],
)
def test_networks_that_do_not_load_leave_a_message_instead_of_a_traceback(error, words):
    def load():
        raise error

    engine = Engine(load).start()
    with pytest.raises(ConfigurationError):
        engine.loaded.result(timeout=60)
    assert engine.state == "failed" and engine.problem.startswith(words)
    engine.close()


@pytest.mark.parametrize(
    ("demands", "given"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([math.inf], [0.8]),
        ([0.5, 0.5], [0.4, 0.4]),
        ([0.1, 0.9], [0.1, 0.7]),
        ([0.9, 0.1, math.inf], [0.35, 0.1, 0.35]),
    ],
)
def test_time_is_shared_so_that_nobody_gets_more_than_wanted_and_the_others_get_equal_parts(demands, given):
    assert fair_shares(demands, 0.8) == pytest.approx(given)


def test_each_camera_is_told_its_share_and_gets_more_when_others_leave(slow, engine):
    alone, *others = (Feed(Stream(), Inbox(), max_rate=15) for _ in range(4))
    full = engine.rate(alone)
    assert 1 < full <= ENGINE_SHARE / 0.05
    for feed in others:
        engine.rate(feed)
    assert engine.rate(alone) <= ENGINE_SHARE / 0.05 / 4
    for feed in others:
        engine.leave(feed)
    assert engine.rate(alone) == full


def test_a_camera_that_fell_silent_keeps_nothing_from_the_others(slow, engine, monkeypatch):
    feed, silent = Feed(Stream(), Inbox()), Feed(Stream(), Inbox())
    full = engine.rate(feed)
    engine.rate(silent)
    assert engine.rate(feed) == pytest.approx(full / 2)
    monkeypatch.setattr(engine_module, "FEED_TIMEOUT_S", 0.01)
    time.sleep(0.02)
    assert engine.rate(feed) == pytest.approx(full)


def test_no_camera_is_analysed_oftener_than_its_rate_and_what_is_analysed_is_the_newest(engine):
    inbox = Inbox()
    feed = Feed(Stream(), inbox, max_rate=5)
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < 1:
        engine.offer(feed, number, JPEG, NOON)
        number += 1
        time.sleep(0.02)
    spent = time.monotonic() - begun
    analyzed = [answer.number for answer in inbox.answers if answer.result is not None]
    assert 3 <= len(analyzed) <= 5 * spent + 2
    assert analyzed == sorted(analyzed) and max(analyzed) > number / 2


def test_eight_cameras_that_send_all_they_can_are_served_alike(engine, pipeline):
    pipeline.seconds = 0.01
    feeds = [Feed(Stream(), Inbox()) for _ in range(8)]
    for round_ in range(40):
        for feed in feeds:
            engine.offer(feed, round_, JPEG, NOON)
        time.sleep(0.02)
    served = [pipeline.streams.count(feed.stream) for feed in feeds]
    assert min(served) >= 2 and max(served) <= 2 * min(served)
