import numpy as np
import pytest

from cssafe.signals.eyes import CLOSED_OPENNESS, USUAL_OPENNESS, BlinkTracker, closure, gaze, openness
from cssafe.vision.mesh import Eyes


def eyes(height=6.0, iris=(0.0, 0.0)):
    """Two equal eyes 20 pixels wide, `height` high; iris shift in pixels in the picture, right and down positive."""
    x = np.linspace(-10, 10, 9)
    lower = np.stack([x, height / 2 * np.sqrt(1 - (x / 10) ** 2)], axis=1)
    upper = lower[1:8] * (1, -1)
    contour = np.concatenate([lower, upper]) + 32
    shift = np.array([[iris[0], iris[1]], [-iris[0], iris[1]]])  # the left eye's crop is mirrored
    return Eyes(np.stack([contour, contour])[None].astype(np.float32), (shift + 32)[None].astype(np.float32))


def closed(openness=USUAL_OPENNESS, baseline=USUAL_OPENNESS, gaze_y=-0.13, pitch=5.0, mouth=0.05):
    return float(closure(*(np.array([v], np.float32) for v in (openness, baseline, gaze_y, pitch, mouth)))[0])


def watch(closings, rate=15.0, lids=None):
    """What is told after these frames: blinks a minute, PERCLOS."""
    lids, told = lids or BlinkTracker(), (np.nan, np.nan)
    for i, value in enumerate(closings):
        told = lids.update(i / rate, value)
    return told


def blinking(seconds, every, long, rate=15.0):
    """Closings of an awake person: open but for `long` seconds every `every` seconds."""
    t = np.arange(int(seconds * rate)) / rate + 1e-6
    return np.where(t % every >= every - long, 1.0, 0.0)


def test_no_faces_have_no_gaze_and_no_lids():
    none = Eyes(np.zeros((0, 2, 16, 2), np.float32), np.zeros((0, 2, 2), np.float32))
    assert [len(shift) for shift in gaze(none)] == [0, 0]
    assert len(openness(none)) == 0
    nothing = np.zeros(0, np.float32)
    assert len(closure(*[nothing] * 5)) == 0


@pytest.mark.parametrize(("iris", "expected"), [((0, 0), (0, 0)), ((5, 0), (0.5, 0)), ((-5, 2), (-0.5, 0.2))])
def test_gaze_is_the_iris_shift_in_the_picture_over_half_an_eye(iris, expected):
    x, y = gaze(eyes(iris=iris))
    assert (x[0], y[0]) == pytest.approx(expected, abs=1e-5)


def test_openness_grows_with_the_height_of_the_eye():
    shut, half, wide = (openness(eyes(height))[0] for height in (1, 3, 8))
    assert shut < 0.06 < half < wide
    assert wide == pytest.approx(0.4 * np.mean(np.sqrt(1 - np.array([0.5, 0.25, 0]) ** 2)), rel=0.05)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (closed(), 0.0),
        (closed(openness=CLOSED_OPENNESS), 1.0),
        (closed(openness=0.05), 1.0),
        (closed(openness=0.40), 0.0),
        (closed(openness=0.20, baseline=0.20), 0.0),  # narrow eyes are open eyes of their own
        (closed(openness=0.15, baseline=0.20), 0.45),
        (closed(openness=0.12, pitch=28), np.nan),  # reading on the desk
        (closed(openness=0.12, gaze_y=0.1), np.nan),  # the eyes alone look down
        (closed(openness=0.12, mouth=0.4), np.nan),  # laughing, yawning
        (closed(openness=np.nan), np.nan),
        (closed(openness=CLOSED_OPENNESS, gaze_y=np.nan), 1.0),
    ],
)
def test_closing_is_measured_against_the_persons_own_open_eyes_and_not_where_lids_follow_something_else(what, expected):
    assert what == pytest.approx(expected, abs=0.05, nan_ok=True)


def test_a_persons_own_open_eyes_are_learned_from_her_first_minute():
    lids = BlinkTracker()
    assert lids.baseline == pytest.approx(USUAL_OPENNESS)
    for value in [0.2] * 300 + [0.05] * 150:  # a third of the time closed or looking down
        lids.learn(value)
    assert lids.baseline == pytest.approx(0.2)


def test_nothing_is_told_before_twenty_seconds():
    assert np.isnan(watch(np.zeros(15 * 19))).all()
    assert watch(np.zeros(15 * 21)) == (0.0, 0.0)


@pytest.mark.parametrize(("every", "rate"), [(2.0, 15.0), (4.0, 15.0), (4.0, 10.0), (15.0, 15.0)])
def test_blinks_are_counted(every, rate):
    blinks, _ = watch(blinking(90, every, 0.2, rate), rate)
    assert blinks == pytest.approx(60 / every, abs=1)


@pytest.mark.parametrize("long", [0.8, 2.0])
def test_what_lasts_longer_is_no_blink(long):
    assert watch(blinking(90, 6, long))[0] == 0


def test_blinks_are_not_told_where_pictures_come_too_seldom_to_see_them():
    blinks, perclos = watch(blinking(90, 4, 0.2, 5.0), 5.0)
    assert np.isnan(blinks)
    assert perclos == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(("long", "share"), [(0.3, 0.06), (1.0, 0.2), (5.0, 1.0)])
def test_perclos_is_the_share_of_the_minute_with_closed_eyes(long, share):
    assert watch(blinking(90, 5, long))[1] == pytest.approx(share, abs=0.02)


def test_half_closed_eyes_are_not_closed():
    assert watch(np.full(900, 0.7))[1] == 0


def test_what_was_not_seen_counts_neither_way():
    half = blinking(120, 5, 1.0)
    half[::2] = np.nan
    assert watch(half)[1] == pytest.approx(0.2, abs=0.03)
    assert np.isnan(watch(np.full(1500, np.nan))).all()


def test_eyes_that_were_shut_when_they_came_into_sight_have_not_blinked():
    lids = BlinkTracker()
    for i in range(15 * 30):
        told = lids.update(i / 15, np.nan if i % 30 < 5 else float(i % 30 < 7))
    assert told[0] == 0


def test_the_minute_before_is_forgotten():
    lids = BlinkTracker()
    watch(np.ones(15 * 60), lids=lids)
    for i in range(15 * 61):
        told = lids.update(60 + i / 15, 0.0)
    assert told == (0.0, pytest.approx(0, abs=1e-9))
    assert len(lids.past) <= 61, "one a second is kept, not one a frame"
    assert np.isnan(lids.update(300.0, np.nan)).all()
