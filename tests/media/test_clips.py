"""The clips of ../shared/data/video, by their annotations, through the real pipeline at 15 frames a second."""

from functools import cache

import av
import numpy as np
import pandas as pd
import pytest

from cssafe import settings
from cssafe.observations import observe
from cssafe.pipeline import Pipeline, Stream
from cssafe.signals.eyes import CLOSED, closing
from tests.support.faces import frame
from tests.support.shared import SHARED, shared_data

pytestmark = pytest.mark.slow


@cache
def read(clip):
    """Every second frame's result, with its time in seconds."""
    pipeline, stream = Pipeline(settings.find_profile("consent"), settings.load({}).model), Stream()
    with av.open(str(shared_data(f"video/{clip}"))) as container:
        decoded = [d for n, d in enumerate(container.decode(video=0)) if n % 2 == 0]
        return [(d.time, pipeline.analyze(frame(d.to_ndarray(format="bgr24"), d.time), stream)) for d in decoded]


def part(clip, start, end):
    return [result for time, result in read(clip) if start <= time <= end]


def values(results, name):
    return np.concatenate([getattr(result.signals, name) for result in results])


NOTES = SHARED / "video" / "annotations.csv"
EVERY = pd.read_csv(NOTES).to_dict("records") if NOTES.exists() else []


@pytest.mark.parametrize("note", EVERY or [None], ids=lambda note: note and f"{note['video']} {note['start_s']}")
def test_as_many_faces_are_observed_as_are_there(note):
    shared_data("video/annotations.csv")
    results = part(note["video"], note["start_s"], note["end_s"])
    seconds = observe(results).groupby("time").size()
    visible = note["visible_faces"]
    if visible == 0:
        assert seconds.empty
    else:
        assert np.median([len(result) for result in results]) == visible
        assert (seconds == visible).all()


def test_lowered_heads_are_lower_than_those_that_look_ahead():
    shared_data("video/annotations.csv")
    down, front = (
        np.concatenate(
            [
                values(part(n["video"], n["start_s"], n["end_s"]), "pitch")
                for n in EVERY
                if n["head"] == head and n["video"] == "one_face_expressions.mp4"
            ]
        )
        for head in ("down", "front")
    )
    assert np.nanmedian(down) > np.nanmedian(front) + 8


def test_heads_that_look_ahead_are_near_straight():
    for clip, start, end in (("face_then_none.mp4", 0.0, 2.4), ("one_face_expressions.mp4", 9.8, 18.8)):
        results = part(clip, start, end)
        assert abs(np.nanmedian(values(results, "yaw"))) < 15 and abs(np.nanmedian(values(results, "pitch"))) < 15


def test_tilted_heads_are_tilted_and_more_than_before():
    upright, tilted = (part("two_faces_head_tilt.mp4", *span) for span in ((0.0, 0.3), (0.6, 4.6)))
    before, after = (np.nanmedian(np.abs(values(results, "roll"))) for results in (upright, tilted))
    assert 20 < after < 60
    assert after > before + 5


@pytest.mark.parametrize("span", [(0.0, 1.8), (1.8, 5.8), (6.0, 9.0), (9.8, 18.8), (18.9, 19.6)])
def test_lowered_eyes_tears_and_a_broad_smile_are_neither_closed_eyes_nor_yawns(span):
    clip = "one_face_expressions.mp4"
    results = part(clip, *span)
    own = np.nanpercentile(values([result for _, result in read(clip)], "openness"), 75)
    named = [values(results, name) for name in ("openness", "gaze_y", "pitch", "mouth")]
    closings = closing(named[0], np.full(len(named[0]), own), *named[1:])
    assert np.mean(closings >= CLOSED) < 0.1
    assert values(results, "yawning").max() == 0


def test_a_smile_is_a_smile_and_tears_are_none():
    smiling, crying = (values(part("one_face_expressions.mp4", *span), "smile") for span in ((9.8, 18.8), (6.0, 9.0)))
    assert np.nanmedian(smiling) > np.nanmedian(crying) + 3
