"""Single pictures, with a real engine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from cssafe.errors import ConfigurationError
from cssafe.live.engine import Engine
from cssafe.live.transports import snapshot
from cssafe.media import MediaError
from tests.support.fake_pipelines import Crowd, GatedPipeline

PICTURE = np.zeros((48, 64, 3), np.uint8)


@contextmanager
def running(load: Callable) -> Iterator[Engine]:
    engine = Engine(load).start()
    yield engine
    engine.close()


def test_a_picture_is_analysed_once_and_counts_as_a_second_of_the_lesson(lesson):
    with running(Crowd) as engine:
        overlay = snapshot.analyze(lesson, engine, PICTURE)
        assert len(overlay.faces) == 1 and overlay.size == (64, 48)
        assert engine.analyzed == 1
    assert not lesson.state().connected  # and the lesson waits for the next
    lesson.end()
    assert lesson.state().seconds == 1


def test_a_picture_that_fails_is_said_in_words(lesson):
    with (
        running(lambda: GatedPipeline(broken=True)) as engine,
        pytest.raises(MediaError, match="could not be analysed"),
    ):
        snapshot.analyze(lesson, engine, PICTURE)


def test_a_busy_server_is_said_in_words_and_the_picture_forgotten(lesson, monkeypatch):
    pipeline = GatedPipeline()
    pipeline.gate.clear()
    with running(lambda: pipeline) as engine:
        engine.loaded.result(timeout=60)
        monkeypatch.setattr(snapshot, "SNAPSHOT_TIMEOUT_S", 0.2)
        with pytest.raises(TimeoutError, match="the server is busy"):
            snapshot.analyze(lesson, engine, PICTURE)
        assert not lesson.state().connected
        pipeline.gate.set()


def test_networks_that_cannot_be_loaded_are_named(lesson):
    def fail():
        raise ConfigurationError("no such model")

    with running(fail) as engine, pytest.raises(ConfigurationError, match="no such model"):
        snapshot.analyze(lesson, engine, PICTURE)
