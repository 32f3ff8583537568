"""The engine with real JPEGs and a pipeline of one line: what is tested is the mailbox, the turns and the failures."""

import io
import threading
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from cssafe.frames import Faces, Frame, FrameResult, Signals
from cssafe.live.engine import Answer, Engine, Feed
from cssafe.pipeline import Stream
from cssafe.settings import ConfigurationError

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG")
    return file.getvalue()


JPEG = jpeg()


class Pipeline:
    """Finds no face. `gate` holds it up; a `broken` one raises at every frame."""

    def __init__(self, broken: bool = False) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.broken = broken
        self.streams: list[Stream] = []

    def warm(self) -> None:
        pass

    def analyze(self, frame: Frame, stream: Stream) -> FrameResult:
        self.entered.release()
        assert self.gate.wait(5)
        self.streams.append(stream)
        if self.broken:
            raise RuntimeError("broken on purpose")
        nothing = np.zeros(0, np.float32)
        return FrameResult(
            frame.time,
            frame.image.shape[1],
            frame.image.shape[0],
            Faces.none(),
            np.zeros(0, np.int32),
            Signals.none(),
            None,
            nothing,
            nothing,
            np.zeros(0, np.int8),
        )


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
            assert self._came.acquire(timeout=5), f"only {len(self.answers)} answers came"
        return self.answers


@pytest.fixture
def pipeline():
    return Pipeline()


@pytest.fixture
def engine(pipeline):
    engine = Engine(lambda: pipeline).start()
    engine.loaded.result(timeout=5)
    yield engine
    pipeline.gate.set()
    engine.close()


def test_a_frame_comes_back_with_its_number_and_size(engine):
    inbox = Inbox()
    engine.offer(Feed(Stream(), inbox), 7, JPEG, NOON)
    [answer] = inbox.wait(1)
    assert (answer.number, answer.result.width, answer.result.height, answer.problem) == (7, 64, 48, "")


def test_of_frames_that_wait_only_the_newest_is_analysed_and_the_others_are_answered(engine, pipeline):
    pipeline.gate.clear()
    inbox = Inbox()
    feed = Feed(Stream(), inbox)
    engine.offer(feed, 0, JPEG, NOON)
    assert pipeline.entered.acquire(timeout=5)  # frame 0 is in work; the mailbox is empty
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
    assert pipeline.entered.acquire(timeout=5)
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
    assert bad.result is None and "image" in bad.problem
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
    assert "could not be analysed" in bad.problem and "broken on purpose" not in bad.problem
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
    assert pipeline.entered.acquire(timeout=5)
    engine.offer(feed, 0, JPEG, NOON)
    engine.leave(feed)
    engine.leave(feed)
    pipeline.gate.set()
    busy.wait(1)
    assert left.answers == []


def test_frames_offered_while_the_networks_load_are_analysed_when_they_are_there(pipeline):
    gate = threading.Event()
    engine = Engine(lambda: gate.wait(5) and pipeline).start()
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
        engine.loaded.result(timeout=5)
    assert engine.state == "failed" and engine.problem.startswith(words)
    engine.close()
