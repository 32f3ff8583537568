"""Irises, lids -> gaze, eye openness; blinks and PERCLOS of the last minute.

No expression is used here.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from cssafe.vision.mesh import Eyes

USUAL_OPENNESS = 0.30
"""Openness assumed of a person before her own eyes were seen: open eyes measure 0.27-0.40 on clips, most near 0.3; 0.318 is
the median of 607 faces of 80 px and higher that face the camera (faces_train)."""

CLOSED_OPENNESS = 0.09
"""Openness of closed eyes, which the iris network never draws flat: 0.08-0.10 on clips, 0.09-0.13 on faces_train. So with an
open eye of 0.3 eyes count as 80 % closed below 0.13."""

MIN_FACE_FOR_EYES_PX = 60
"""Face height in pixels below which an eye is under a dozen pixels wide and its lids are not read."""

BASELINE_PERIOD_S = 60.0
"""Seconds of a track from which a person's own eye openness is learned."""

MIN_CLOSED_SHARE = 0.8
"""Share of closing from which PERCLOS counts an eye as closed (Wierwille et al. 1994, the measure called P80)."""

MIN_BLINK_SHARE, MAX_BLINK_S = 0.5, 0.5
"""A blink is a closing past half that ends within this many seconds: blinks last 0.1 to 0.4 s (Caffier et al. 2003), and what
lasts longer is a look downwards, a laugh or a nap."""

MAX_BLINK_GAP_S = 0.15
"""Seconds between frames above which blinks pass unseen, so that none are counted."""

MAX_GAP_S = 1.0
"""Seconds between frames above which the time between them does not count."""

MIN_WATCHED_S = 20.0
"""Seconds that must be watched within the last minute before it has figures."""

WINDOW_S = 60.0

MAX_GAZE_Y, MAX_PITCH_DEG = 0.04, 25.0
"""gaze_y and degrees of pitch above which eyes look down, and lids that follow the gaze cannot be told from closing ones. Of
607 faces that face the camera (faces_train) 4 % have a gaze_y above 0.04, and half of those with an openness below 0.13. In the
clip of a woman who lowers her eyes it is 0.04-0.10 then, and -0.2 when she looks up; closed eyes leave it at -0.15 to 0."""

MAX_MOUTH_OPENING = 0.25
"""Opening of the mouth (signals.mouth) above which a loud laugh or a yawn presses the eyes shut. Smiles do not: of 94 faces
that open their mouth beyond 0.2, none has an openness below 0.13."""


def gaze(eyes: Eyes) -> tuple[np.ndarray, np.ndarray]:
    """Where the irises stand, x and y (n,) in [-1, 1], mean of both eyes; x > 0 towards the right of the picture."""
    outer, inner = eyes.contours[:, :, 0], eyes.contours[:, :, 8]
    half_width = np.linalg.norm(inner - outer, axis=-1, keepdims=True) / 2
    shift = (eyes.irises - (outer + inner) / 2) / np.maximum(half_width, 1e-6)
    shift[:, 1, 0] *= -1  # the left eye's crop is mirrored
    x, y = np.clip(shift.mean(axis=1), -1, 1).astype(np.float32).T
    return x, y


def openness(eyes: Eyes) -> np.ndarray:
    """Height over width of the eyes' contours, float32 (n,), mean of both; about 0.05-0.1 closed, 0.3 open.

    From the iris network: the mesh's own lids do not follow closing eyes.
    """
    contours = eyes.contours
    width = np.linalg.norm(contours[:, :, 8] - contours[:, :, 0], axis=-1)
    heights = np.linalg.norm(contours[:, :, 11:14] - contours[:, :, 3:6], axis=-1).mean(axis=-1)
    return (heights / np.maximum(width, 1e-6)).mean(axis=1).astype(np.float32)


def closure(
    openness: np.ndarray, baseline: np.ndarray, gaze_y: np.ndarray, pitch: np.ndarray, mouth: np.ndarray
) -> np.ndarray:
    """Closure of the eyes, float32 (n,): 0 as the person's own open eyes are, 1 as closed eyes measure.

    NaN where the lids do not show it: eyes not read, looking down, or a mouth so wide open that the cheeks close them.

    Args:
        baseline: (n,), the openness of the person's own open eyes. The others: as frames.Signals has them.
    """
    share = (baseline - openness) / np.maximum(baseline - CLOSED_OPENNESS, 0.05)
    elsewhere = (gaze_y > MAX_GAZE_Y) | (pitch > MAX_PITCH_DEG) | (mouth > MAX_MOUTH_OPENING)
    return np.where(elsewhere, np.nan, np.clip(share, 0, 1)).astype(np.float32)


@dataclass
class BlinkTracker:
    """Blinks and eye closure of one person over the last minute, against her own open eyes.

    openness: values of her first minute. baseline: her own open eyes, the upper quartile of these, with ten values of a usual
    eye as a start. learned: number of values behind it; it is computed again when they are a tenth more.
    past: when each second of the last minute began, and in it watched, closely watched, closed (seconds) and blinks. sums: of
    all of them, so that a frame costs the same however long the minute.
    before: when the eyes were last read. was_open: then they were. shut: since when they are not, NaN if that was not seen.
    """

    openness: list[float] = field(default_factory=list)
    baseline: float = USUAL_OPENNESS
    learned: int = 0
    past: deque[tuple[float, np.ndarray]] = field(default_factory=deque)
    sums: np.ndarray = field(default_factory=lambda: np.zeros(4))
    before: float = float("-inf")
    was_open: bool = False
    shut: float = float("nan")

    def learn(self, openness: float) -> None:
        """Add the openness of a frame of the first minute."""
        self.openness.append(openness)
        if len(self.openness) > 1.1 * self.learned:
            self.learned = len(self.openness)
            self.baseline = float(np.percentile([USUAL_OPENNESS] * 10 + self.openness, 75))

    def update(self, now: float, closing: float) -> tuple[float, float]:
        """Add the next frame: blinks a minute and PERCLOS [0, 1] over the last minute, NaN before MIN_WATCHED_S.

        now: seconds. closing: of `closure`; NaN: not known.
        """
        if not np.isnan(closing):
            self._add(now, closing)
        while self.past and self.past[0][0] <= now - WINDOW_S:
            self.sums -= self.past.popleft()[1]
        watched, closely, closed, blinks = self.sums
        return (
            float(blinks / closely * WINDOW_S) if closely >= MIN_WATCHED_S else float("nan"),
            float(closed / watched) if watched >= MIN_WATCHED_S else float("nan"),
        )

    def _add(self, now: float, closing: float) -> None:
        gap, self.before = now - self.before, now
        seconds = gap if gap <= MAX_GAP_S else 0.0
        if gap > MAX_BLINK_GAP_S:  # the time between was not seen
            self.was_open, self.shut = False, float("nan")
        blinked = closing < MIN_BLINK_SHARE and now - self.shut <= MAX_BLINK_S
        if closing < MIN_BLINK_SHARE:
            self.was_open, self.shut = True, float("nan")
        elif self.was_open:
            self.was_open, self.shut = False, now
        row = np.array([seconds, seconds * (gap <= MAX_BLINK_GAP_S), seconds * (closing >= MIN_CLOSED_SHARE), blinked])
        if not self.past or now - self.past[-1][0] >= 1:
            self.past.append((now, np.zeros(4)))
        self.past[-1][1][:] += row
        self.sums += row
