"""Frame -> FrameResult: the whole chain, and what it remembers of a stream between frames."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cssafe.expression import Expression, place_meshes, smooth
from cssafe.frames import MOVEMENTS, Frame, FrameResult, Signals
from cssafe.labels import FERPLUS, FIRST
from cssafe.scoring import concentration
from cssafe.scoring.formula import ATTENTION_ONLY, PUBLISHED, Formula
from cssafe.settings import DEFAULT_DETECTOR, MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS, Profile
from cssafe.signals import eyes, mouth, movements
from cssafe.signals.pose import head_pose
from cssafe.signals.quality import quality
from cssafe.vision.crops import crop, grey
from cssafe.vision.face_finder import MESH_TRUSTED, Finder
from cssafe.vision.face_parts import outlines
from cssafe.vision.look_scheduler import OLDEST_LOOK, Turns
from cssafe.vision.mesh import EyeNetwork, Meshes, sharpness
from cssafe.vision.occlusion import hidden as hidden_share
from cssafe.vision.openvino_runtime import PART
from cssafe.vision.tracker import Tracker

CROP = 48
"""Side of an expression crop, pixels; sharpness is measured on the same crop."""

CLOSE_TIME = 0.038
"""Seconds of one live frame for close looks (mesh, eyes, hidden share, expression): they leave 42 ms of the 80 of a class for
the detector and the rest. Where the faces need longer, they take turns."""


@dataclass
class Memory:
    """What is remembered of one track.

    began: seconds. seen: when it was last looked at closely, seconds, NaN before. expression: float32 (8,), its average so
    far, NaN before any. look: gaze_x, gaze_y, openness, hidden at its last close look, NaN where not read. level: the one
    so far, -1 before any. lids, jaw: what eyes and mouth did lately. neutral: the person's own face at rest.
    """

    began: float
    seen: float = float("nan")
    expression: np.ndarray = field(default_factory=lambda: np.full(len(FERPLUS), np.nan, np.float32))
    look: np.ndarray = field(default_factory=lambda: np.full(4, np.nan, np.float32))
    level: int = -1
    lids: eyes.Lids = field(default_factory=eyes.Lids)
    jaw: mouth.Jaw = field(default_factory=mouth.Jaw)
    neutral: movements.Neutral = field(default_factory=movements.Neutral)


@dataclass(frozen=True)
class Looks:
    """What the expression network saw and said of the n faces of a frame that can be read.

    middles: (n, 2), sides: (n,) pixels, rolls: (n,) degrees, places of the crops, for vision.crops.crop. points: float32
    (n, 468, 3), the meshes. crops: uint8 (n, CROP, CROP). probabilities: float32 (n, 8) of this frame alone. evidence:
    Expression.evidence, None where the network gives none.
    """

    middles: np.ndarray
    sides: np.ndarray
    rolls: np.ndarray
    points: np.ndarray
    crops: np.ndarray
    probabilities: np.ndarray
    evidence: np.ndarray | None


class Stream:
    """Everything remembered of one source between its frames; forgotten with it.

    looks: of the newest frame, if they were asked for. activity: what is scored from the next frame on.
    """

    def __init__(
        self,
        looking: bool = False,
        live: bool = False,
        formula: Formula | None = None,
        activity: str = FIRST["class"],
    ) -> None:
        """looking: keep what the expression network saw of the newest frame. live: the next frame does not wait for this
        one, so where many faces take too long they take turns. formula: instead of the pipeline's."""
        self.looking = looking
        self.live = live
        self.formula = formula
        self.activity = activity
        self.looks: Looks | None = None
        self.tracker = Tracker()
        self.turns = Turns()
        self.memories: dict[int, Memory] = {}
        self.now = float("-inf")

    def recall(self, tracks: np.ndarray) -> list[Memory]:
        """The memories of these tracks, new ones where there are none; those of tracks that ended are dropped."""
        alive = set(self.tracker.alive.tolist())
        self.memories = {track: memory for track, memory in self.memories.items() if track in alive}
        return [self.memories.setdefault(t, Memory(self.now)) for t in tracks.tolist()]


class Pipeline:
    """The networks, loaded once. Not thread safe: one thread owns it.

    A profile without expression loads no expression network, so none can be computed by mistake.

    Raises:
        ConfigurationError: a network is missing or cannot be used.
    """

    def __init__(self, profile: Profile, model: Path, detector: Path = DEFAULT_DETECTOR) -> None:
        self.profile = profile
        self.formula = PUBLISHED if profile.expression else ATTENTION_ONLY
        self._finder, self._eyes = Finder(detector), EyeNetwork()
        self._expression = Expression(model) if profile.expression else None
        self._at_once = np.inf  # faces of a live frame in CLOSE_TIME; not known before `warm`

    @property
    def network(self) -> Expression | None:
        """The expression network, for what it tells of itself; None where the profile has none."""
        return self._expression

    def warm(self) -> None:
        """Run every network once, so that the first real frame does not wait for them to be prepared."""
        picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
        boxes, rolls = np.tile(np.array([[200, 100, 400, 300]], np.float32), (PART, 1)), np.zeros(PART, np.float32)
        self._finder.detect(picture)
        for _ in range(2):
            begun = time.perf_counter()
            meshes = self._finder.lay(picture, boxes, rolls)
            self._eyes.fit(picture, meshes)
            hidden_share(picture, meshes.points)
            if self._expression is not None:
                self._expression.ferplus(np.zeros((PART, CROP, CROP), np.uint8))
            parts = CLOSE_TIME / (time.perf_counter() - begun)
            self._at_once = PART * (np.floor(parts) if parts >= 1 else parts)  # a part begun costs nearly a whole one

    def analyze(self, frame: Frame, stream: Stream, clock: Callable[[str], None] = lambda stage: None) -> FrameResult:
        """Find, follow, measure and score the faces of one frame.

        Args:
            frame: newer than the stream's last one; an older time counts as the same moment.
            clock: called with the name of each stage when it is over (detect, mesh, iris, expression, rest), for timing.
        """
        before_this, stream.now = stream.now, max(stream.now, frame.time.timestamp())
        detections, rolls = self._finder.detect(frame.image)
        clock("detect")

        def lay(rows: np.ndarray) -> Meshes:
            return self._finder.lay(frame.image, detections.boxes[rows], rolls[rows])

        at_once = self._at_once if stream.live else np.inf
        meshes, fresh = stream.turns.take(detections.boxes, lay, stream.now, at_once)
        faces, rows = self._finder.judge(detections, meshes)
        meshes, fresh = meshes[rows], fresh[rows]
        clock("mesh")
        tracks = stream.tracker.update(faces.boxes, stream.now)
        memories = stream.recall(tracks)

        placed = list(zip(*place_meshes(meshes), strict=True))
        luma = grey(frame.image)
        crops = [crop(luma, *place, CROP) for place in placed]
        stacked = np.stack(crops) if crops else np.zeros((0, CROP, CROP), np.uint8)
        yaw, pitch, roll = head_pose(meshes)
        detail = sharpness(stacked)
        trusted = meshes.scores >= MESH_TRUSTED
        readable = trusted & (faces.heights >= MIN_FACE_PX) & (np.abs(yaw) <= MAX_YAW_DEG) & (detail >= MIN_SHARPNESS)
        since = stream.now - np.array([m.seen for m in memories])
        asked = readable & (fresh | ~(since <= OLDEST_LOOK))  # NaN: never yet
        waits = (readable & ~asked)[:, None]
        clock("rest")

        with_eyes = asked & (faces.heights >= eyes.EYES_FROM)
        fitted = self._eyes.fit(frame.image, meshes[with_eyes])
        clock("iris")
        looked = _spread(np.column_stack([*eyes.gaze(fitted), eyes.openness(fitted)]), with_eyes)
        look = np.column_stack([looked, _spread(hidden_share(frame.image, meshes.points[asked]), asked)])
        look = np.where(waits, np.reshape([m.look for m in memories], (-1, 4)), look).astype(np.float32)
        gaze_x, gaze_y, openness, hidden = look.T
        clock("rest")

        expression = None
        if self._expression is not None:
            now = _spread(self._expression.ferplus(stacked[asked]), asked)
            before = np.stack([m.expression for m in memories]) if memories else now
            expression = smooth(now, before, since)
            expression = np.where(waits, before, expression)
            if stream.looking:
                seen = stacked[readable]
                said, evidence = self._expression.ferplus(seen), self._expression.evidence(seen)
                stream.looks = Looks(*place_meshes(meshes[readable]), meshes.points[readable], seen, said, evidence)
            clock("expression")

        baseline = np.array([m.lids.baseline for m in memories], np.float32)
        opening = _spread(mouth.opening(meshes[readable]), readable)
        closing = eyes.closing(openness, baseline, gaze_y, pitch, opening)
        lids = np.where(asked, closing, np.nan).tolist()  # the lids of who waits are not seen now
        lately = [m.lids.see(stream.now, c) for m, c in zip(memories, lids, strict=True)]
        blinks, perclos = np.array(lately, np.float32).reshape(-1, 2).T
        gaping = _spread(mouth.gaping(meshes[readable]), readable)
        yawning = [m.jaw.see(stream.now, g) for m, g in zip(memories, gaping.tolist(), strict=True)]
        moved = np.full((len(memories), len(MOVEMENTS)), np.nan, np.float32)
        if expression is not None:
            shapes = _spread(movements.shapes(meshes[readable]), readable)
            for i, memory in enumerate(memories):
                memory.neutral.learn(shapes[i], expression[i], stream.now - before_this)
                moved[i] = memory.neutral.moved(shapes[i])
        signals = Signals(
            yaw=np.where(readable, yaw, np.nan),
            pitch=np.where(readable, pitch, np.nan),
            roll=np.where(readable, roll, np.nan),
            gaze_x=gaze_x,
            gaze_y=gaze_y,
            openness=openness,
            eyes_open=np.clip(openness / baseline, 0, 1),
            blinks=blinks,
            perclos=perclos,
            mouth=opening,
            yawning=np.array(yawning, np.float32),
            size=faces.heights,
            sharpness=detail,
            hidden=hidden,
            quality=np.where(readable, quality(faces.heights, detail, yaw, pitch, meshes.scores, hidden), 0),
            **dict(zip(MOVEMENTS, moved.T, strict=True)),
        )
        formula = stream.formula or self.formula
        attending = concentration.attention(signals, formula, stream.activity)
        index = concentration.concentration(attending, expression, formula)
        levels = concentration.levels(index, np.array([m.level for m in memories], np.int8), formula)

        for i, memory in enumerate(memories):
            if not np.isnan(lids[i]) and stream.now - memory.began <= eyes.FIRST_MINUTE:  # not from lowered eyes
                memory.lids.learn(float(openness[i]))
            if asked[i]:
                memory.seen, memory.look = stream.now, look[i]
                if expression is not None:
                    memory.expression = expression[i]
            if levels[i] >= 0:
                memory.level = int(levels[i])
        height, width = frame.image.shape[:2]
        ends = outlines(faces.boxes, meshes, trusted)
        result = FrameResult(
            frame.time, width, height, faces, tracks, signals, expression, attending, index, levels, ends
        )
        clock("rest")
        return result


def _spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of the chosen rows -> values of all rows, NaN elsewhere."""
    spread = np.full((len(rows), *values.shape[1:]), np.nan, np.float32)
    spread[rows] = values
    return spread
