"""Frame -> FrameResult: detection, tracking, measurement and scoring, and the memory of a stream between frames."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cssafe.expression import Expression, mesh_crop_poses, smooth
from cssafe.frames import MOVEMENTS, Faces, Frame, FrameResult, Signals
from cssafe.labels import DEFAULT_ACTIVITY, FERPLUS, REASONS
from cssafe.scoring import concentration
from cssafe.scoring.formula import Formula, default_formula
from cssafe.settings import DEFAULT_DETECTOR, MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS, Profile
from cssafe.signals import eyes, mouth, movements
from cssafe.signals.pose import head_pose
from cssafe.signals.quality import quality
from cssafe.vision.crops import crop, grey
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from cssafe.vision.face_follower import FaceFollower
from cssafe.vision.face_parts import outlines
from cssafe.vision.look_scheduler import MAX_LOOK_AGE_S, LookScheduler
from cssafe.vision.mesh import EyeNetwork, Meshes, sharpness
from cssafe.vision.occlusion import hidden_share
from cssafe.vision.openvino_runtime import MAX_BATCH
from cssafe.vision.scene_change import SceneChange
from cssafe.vision.tracker import Tracker

CROP_PX = 48
"""Side of an expression crop, pixels; sharpness is measured on the same crop."""

CLOSE_LOOKS_S = 0.038
"""Seconds of one live frame for close looks (mesh, eyes, hidden share, expression): they leave 42 ms of the 80 of a class for
the detector and the rest. Where the faces need longer, they take turns."""

MAX_MIRRORED_FACES = MAX_BATCH
"""Faces in one frame up to which the expression network also sees their mirror images. Of more, only faces without an
expression so far are mirrored: the others are averaged over time."""

TRACK_MEMORY = np.dtype(
    [
        ("track", np.int32),
        ("began", float),
        ("seen", float),
        ("expression", np.float32, len(FERPLUS)),
        ("look", np.float32, 4),
        ("level", np.int8),
        ("blinks", object),
        ("gaping_since", float),
        ("mouth_read", float),
        ("neutral_seconds", float),
        ("neutral", float, len(MOVEMENTS)),
    ]
)
"""One row for each track. began: seconds. seen: time of the last close look, seconds, NaN before the first. expression: its
average, NaN before the first. look: gaze_x, gaze_y, openness, hidden at the last close look, NaN where not read. level: the
last one, -1 before the first. blinks: its BlinkTracker. gaping_since, mouth_read: see YawnDetector. neutral_seconds, neutral:
see NeutralFace."""


@dataclass(frozen=True)
class ExpressionInput:
    """Inputs and outputs of the expression network for the n readable faces of a frame.

    middles: (n, 2), sides: (n,) pixels, rolls: (n,) degrees: poses of the crops, for vision.crops.crop. points: float32
    (n, 468, 3), the meshes. crops: uint8 (n, CROP_PX, CROP_PX). probabilities: float32 (n, 8) of this frame alone. evidence:
    Expression.evidence, None where the network gives none.
    """

    middles: np.ndarray
    sides: np.ndarray
    rolls: np.ndarray
    points: np.ndarray
    crops: np.ndarray
    probabilities: np.ndarray
    evidence: np.ndarray | None


@dataclass(frozen=True)
class Found:
    """The n faces of a frame. fresh: bool (n,), the mesh was fitted in this frame. crops: uint8 (n, CROP_PX, CROP_PX), grey and
    upright. yaw, pitch, roll: degrees (n,). sharpness: grey levels (n,)."""

    faces: Faces
    meshes: Meshes
    fresh: np.ndarray
    crops: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    sharpness: np.ndarray

    @property
    def trusted(self) -> np.ndarray:
        """Whether each mesh lies on its face, bool (n,)."""
        return self.meshes.scores >= MIN_MESH_SCORE


@dataclass(frozen=True)
class Readability:
    """Which of n faces can be measured, bool (n,) each, and why others cannot.

    readable: large, turned and sharp enough. turned: turned too far and otherwise readable, so that its direction is clear.
    due: readable and looked at closely in this frame. waiting: readable, keeps its last close look. with_eyes: due and large
    enough for the eyes. reasons: see FrameResult.
    """

    readable: np.ndarray
    turned: np.ndarray
    due: np.ndarray
    waiting: np.ndarray
    with_eyes: np.ndarray
    reasons: tuple[str, ...]

    @property
    def directed(self) -> np.ndarray:
        """Whether the direction of each head is clear."""
        return self.readable | self.turned


class Stream:
    """Memory of one source between its frames.

    inputs: of the newest frame, where they are kept. activity: scored from the next frame on. memory: TRACK_MEMORY of the
    tracks that are alive, by rising number.
    """

    def __init__(
        self,
        keep_inputs: bool = False,
        live: bool = False,
        formula: Formula | None = None,
        activity: str = DEFAULT_ACTIVITY["class"],
    ) -> None:
        """keep_inputs: keep the newest ExpressionInput. live: the next frame does not wait for this one, so where many faces
        take too long they take turns. formula: instead of the pipeline's."""
        self.keep_inputs = keep_inputs
        self.live = live
        self.formula = formula
        self.activity = activity
        self.inputs: ExpressionInput | None = None
        self.scene = SceneChange()
        self.tracker = Tracker()
        self.turns = LookScheduler()
        self.follower = FaceFollower()
        self.memory = np.zeros(0, TRACK_MEMORY)
        self.now = float("-inf")

    def track(self, boxes: np.ndarray) -> np.ndarray:
        """Number the faces in boxes (n, 4). Returns a copy of their memories, TRACK_MEMORY (n,); ended tracks are dropped."""
        tracks = self.tracker.update(boxes, self.now)
        kept = self.memory[np.isin(self.memory["track"], self.tracker.alive)]
        new = np.sort(tracks[~np.isin(tracks, kept["track"])])
        self.memory = np.concatenate([kept, _blank_memory(new, self.now)])
        return self.memory[np.searchsorted(self.memory["track"], tracks)]

    def remember(self, memory: np.ndarray) -> None:
        """Replace the memories of these tracks."""
        self.memory[np.searchsorted(self.memory["track"], memory["track"])] = memory


class Pipeline:
    """The networks, loaded once. Not thread safe: one thread owns it.

    A profile without expression loads no expression network, so none can be computed by mistake.

    Raises:
        ConfigurationError: a network is missing or cannot be used.
    """

    def __init__(self, profile: Profile, model: Path, detector: Path = DEFAULT_DETECTOR) -> None:
        self.profile = profile
        self.formula: Formula = default_formula(profile.expression)
        self._finder, self._eyes = FaceFinder(detector), EyeNetwork()
        self._expression = Expression(model) if profile.expression else None
        self._at_once = np.inf  # faces of a live frame in CLOSE_LOOKS_S; not known before `warm`

    @property
    def network(self) -> Expression | None:
        """The expression network; None where the profile has none."""
        return self._expression

    def warm(self) -> None:
        """Run every network once, so that the first real frame does not wait for them to be prepared."""
        picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
        boxes, rolls = (
            np.tile(np.array([[200, 100, 400, 300]], np.float32), (MAX_BATCH, 1)),
            np.zeros(MAX_BATCH, np.float32),
        )
        self._finder.detect(picture)
        for _ in range(2):
            begun = time.perf_counter()
            meshes = self._finder.fit_meshes(picture, boxes, rolls)
            self._eyes.fit(picture, meshes)
            hidden_share(picture, meshes.points)
            if self._expression is not None:
                self._expression.ferplus(np.zeros((MAX_BATCH, CROP_PX, CROP_PX), np.uint8))
            parts = CLOSE_LOOKS_S / (time.perf_counter() - begun)
            self._at_once = MAX_BATCH * (
                np.floor(parts) if parts >= 1 else parts
            )  # a part begun costs nearly a whole one

    def analyze(self, frame: Frame, stream: Stream, clock: Callable[[str], None] = lambda stage: None) -> FrameResult:
        """Find, track, measure and score the faces of one frame.

        Args:
            frame: newer than the stream's last one; an older time counts as the same moment.
            clock: called with the name of each stage when it is over (detect, mesh, iris, expression, rest), for timing.
        """
        image, luma, formula = frame.image, grey(frame.image), stream.formula or self.formula
        previous, stream.now = stream.now, max(stream.now, frame.time.timestamp())
        faces, meshes, fresh = self._find_faces(image, luma, stream, clock)
        memory = stream.track(faces.boxes)
        found = _crop_faces(luma, faces, meshes, fresh)
        scored = formula.limits[stream.activity] is not None
        readability = judge_readability(found, memory, stream.now, scored)
        clock("rest")
        look = self._read_eyes(image, found, readability)
        clock("iris")
        look = _complete_look(look, image, found, readability, memory)
        clock("rest")
        expression = None
        if self._expression is not None:
            expression = _read_expression(self._expression, found, readability, memory, stream)
            clock("expression")
        signals = measure_signals(found, readability, look, expression, memory, stream.now, stream.now - previous)
        attending = concentration.attention(signals, formula, stream.activity)
        attending = np.where(readability.turned & scored, np.float32(0), attending)  # no target of an activity is there
        index = concentration.concentration(attending, expression, formula)
        levels = concentration.levels(index, memory["level"], formula)
        _update(memory, readability.due, stream.now, look, expression, levels)
        stream.remember(memory)
        height, width = image.shape[:2]
        ends = outlines(faces.boxes, meshes, found.trusted)
        scores = (attending, index, levels, ends, readability.reasons, stream.scene.update(luma))
        result = FrameResult(frame.time, width, height, faces, memory["track"].copy(), signals, expression, *scores)
        clock("rest")
        return result

    def _find_faces(
        self, image: np.ndarray, luma: np.ndarray, stream: Stream, clock: Callable[[str], None]
    ) -> tuple[Faces, Meshes, np.ndarray]:
        """The faces, their meshes, and which of them were fitted in this frame, bool (n,): found again where they were in the
        frame before, or by the whole detector."""
        follower, turns = stream.follower, copy.copy(stream.turns)
        if not follower.search_due(stream.now):
            find_again = self._find_close_ups if follower.close_ups(luma) else self._follow_faces
            found = find_again(image, luma, stream, turns, clock)
            clock("mesh")
            if found is not None:
                stream.turns = turns
                return found
        detections, rolls = self._finder.detect(image)
        clock("detect")
        meshes, fresh = self._refresh_meshes(image, detections, rolls, stream, stream.turns)
        faces, rows = self._finder.rescore(detections, meshes)
        follower.start(luma, detections[rows], meshes[rows], stream.now)
        clock("mesh")
        return faces, meshes[rows], fresh[rows]

    def _find_close_ups(
        self, image: np.ndarray, luma: np.ndarray, stream: Stream, turns: LookScheduler, clock: Callable[[str], None]
    ) -> tuple[Faces, Meshes, np.ndarray] | None:
        """The same from the detector's small input; None where a face is lost."""
        detections, rolls = self._finder.detect(image, close_ups=True)
        clock("detect")
        meshes, fresh = self._refresh_meshes(image, detections, rolls, stream, turns)
        faces, rows = self._finder.rescore(detections, meshes)
        if not stream.follower.find_again(luma, detections[rows], meshes[rows], stream.now):
            return None
        return faces, meshes[rows], fresh[rows]

    def _follow_faces(
        self, image: np.ndarray, luma: np.ndarray, stream: Stream, turns: LookScheduler, clock: Callable[[str], None]
    ) -> tuple[Faces, Meshes, np.ndarray] | None:
        """The same without the detector."""
        located, rolls, found = stream.follower.locate(luma)
        clock("detect")
        meshes, fresh = self._refresh_meshes(image, located, rolls, stream, turns, found)
        detections = stream.follower.follow(luma, located, found, meshes, fresh, stream.now)
        if detections is None:
            return None
        faces, rows = self._finder.rescore(detections, meshes)
        return (faces, meshes[rows], fresh[rows]) if len(faces) == len(detections) else None

    def _refresh_meshes(
        self,
        image: np.ndarray,
        detections: Faces,
        rolls: np.ndarray,
        stream: Stream,
        turns: LookScheduler,
        sure: np.ndarray | None = None,
    ) -> tuple[Meshes, np.ndarray]:
        """Meshes of detections, and which of them were fitted in this frame, bool (n,)."""

        def fit(rows: np.ndarray) -> Meshes:
            return self._finder.fit_meshes(image, detections.boxes[rows], rolls[rows])

        at_once = self._at_once if stream.live else np.inf
        return turns.refresh(detections.boxes, fit, stream.now, at_once, sure)

    def _read_eyes(self, image: np.ndarray, found: Found, readability: Readability) -> np.ndarray:
        """gaze_x, gaze_y and openness of the faces whose eyes are due, float32 (n, 3), NaN elsewhere."""
        rows = readability.with_eyes
        fitted = self._eyes.fit(image, found.meshes[rows])
        return _spread(np.column_stack([*eyes.gaze(fitted), eyes.openness(fitted)]), rows)


def judge_readability(found: Found, memory: np.ndarray, now: float, scored: bool) -> Readability:
    """Decide what can be measured on each face, and name the first of labels.REASONS that applies. scored: the activity is."""
    large, frontal = found.faces.heights >= MIN_FACE_PX, np.abs(found.yaw) <= MAX_YAW_DEG
    sharp = found.sharpness >= MIN_SHARPNESS
    clear = large & found.trusted & sharp
    readable = clear & frontal
    due = readable & (found.fresh | ~(now - memory["seen"] <= MAX_LOOK_AGE_S))  # NaN: never yet
    waiting = readable & ~due
    large_eyes = found.faces.heights >= eyes.MIN_FACE_FOR_EYES_PX
    with_eyes = due & large_eyes
    eyes_known = with_eyes | (waiting & ~np.isnan(memory["look"][:, 2]))
    missing = {
        "too_small": ~large,
        "blurred": ~sharp,
        "mesh_unsure": ~found.trusted,
        "turned_away": ~frontal,
        "not_scored": np.full(len(readable), not scored),
        "not_refreshed": ~eyes_known & waiting & large_eyes,
        "eyes_unread": ~eyes_known,
    }
    reasons = np.select([missing[reason] for reason in REASONS], list(REASONS), "").tolist()
    return Readability(readable, clear & ~frontal, due, waiting, with_eyes, tuple(reasons))


def measure_signals(
    found: Found,
    readability: Readability,
    look: np.ndarray,
    expression: np.ndarray | None,
    memory: np.ndarray,
    now: float,
    elapsed: float,
) -> Signals:
    """All signals of n faces; `memory` learns from their eyes, mouths and neutral faces.

    look: as in TRACK_MEMORY, (n, 4). now: seconds. elapsed: seconds since the frame before.
    """
    readable, meshes = readability.readable, found.meshes[readability.readable]
    _gaze_x, gaze_y, openness, hidden = look.T
    opening = _spread(mouth.opening(meshes), readable)
    baseline = np.array([tracker.baseline for tracker in memory["blinks"]], np.float32)
    closing = eyes.closure(openness, baseline, gaze_y, found.pitch, opening)
    closing = np.where(readability.due, closing, np.nan)  # skipped faces have no current eye reading
    blinks, perclos = _track_blinks(memory, closing, openness, now)
    yawns = mouth.YawnDetector(memory["gaping_since"], memory["mouth_read"])
    yawning = yawns.update(now, _spread(mouth.is_gaping(meshes), readable))
    moved = _measure_movements(meshes, readable, expression, memory, elapsed)
    trust = quality(found.faces.heights, found.sharpness, found.yaw, found.pitch, found.meshes.scores, hidden)
    return Signals(
        **{name: np.where(readability.directed, getattr(found, name), np.nan) for name in ("yaw", "pitch", "roll")},
        **dict(zip(("gaze_x", "gaze_y", "openness", "hidden"), look.T, strict=True)),
        eyes_open=np.clip(openness / baseline, 0, 1),
        blinks=blinks,
        perclos=perclos,
        mouth=opening,
        yawning=yawning,
        size=found.faces.heights,
        sharpness=found.sharpness,
        quality=np.where(readable, trust, 0),
        **dict(zip(MOVEMENTS, moved.T, strict=True)),
    )


def _blank_memory(tracks: np.ndarray, now: float) -> np.ndarray:
    """TRACK_MEMORY of tracks int32 (n,) that begin now."""
    memory = np.zeros(len(tracks), TRACK_MEMORY)
    memory["track"], memory["began"], memory["level"], memory["mouth_read"] = tracks, now, -1, -np.inf
    for name in ("seen", "expression", "look", "gaping_since"):
        memory[name] = np.nan
    memory["blinks"] = [eyes.BlinkTracker() for _ in tracks]
    return memory


def _crop_faces(luma: np.ndarray, faces: Faces, meshes: Meshes, fresh: np.ndarray) -> Found:
    crops = [crop(luma, *pose, CROP_PX) for pose in zip(*mesh_crop_poses(meshes), strict=True)]
    stacked = np.stack(crops) if crops else np.zeros((0, CROP_PX, CROP_PX), np.uint8)
    return Found(faces, meshes, fresh, stacked, *head_pose(meshes), sharpness(stacked))


def _complete_look(
    eyes_read: np.ndarray, image: np.ndarray, found: Found, readability: Readability, memory: np.ndarray
) -> np.ndarray:
    """Eye readings (n, 3) with the hidden share, and the last look of the faces that wait: `look` of TRACK_MEMORY, (n, 4)."""
    due = readability.due
    hidden = _spread(hidden_share(image, found.meshes.points[due]), due)
    look = np.where(readability.waiting[:, None], memory["look"], np.column_stack([eyes_read, hidden]))
    return look.astype(np.float32)


def _read_expression(
    network: Expression, found: Found, readability: Readability, memory: np.ndarray, stream: Stream
) -> np.ndarray:
    """Smoothed probabilities, float32 (n, 8), NaN where not readable. Keeps the network's input in the stream if asked for."""
    due, readable = readability.due, readability.readable
    mirrored = due & (np.isnan(memory["seen"]) | (due.sum() <= MAX_MIRRORED_FACES))
    now = _spread(network.ferplus(found.crops[mirrored]), mirrored)
    if (plain := due & ~mirrored).any():
        now[plain] = network.ferplus(found.crops[plain], mirror=False)
    smoothed = smooth(now, memory["expression"], stream.now - memory["seen"])
    if stream.keep_inputs:
        crops, meshes = found.crops[readable], found.meshes[readable]
        outputs = network.ferplus(crops), network.evidence(crops)
        stream.inputs = ExpressionInput(*mesh_crop_poses(meshes), meshes.points, crops, *outputs)
    return np.where(readability.waiting[:, None], memory["expression"], smoothed)


def _measure_movements(
    meshes: Meshes, readable: np.ndarray, expression: np.ndarray | None, memory: np.ndarray, elapsed: float
) -> np.ndarray:
    """Movements against each person's own neutral face, which is learned here: float32 (n, 5), NaN without expression."""
    if expression is None:
        return np.full((len(readable), len(MOVEMENTS)), np.nan, np.float32)
    shapes = _spread(movements.face_shapes(meshes), readable)
    neutral = movements.NeutralFace(memory["neutral_seconds"], memory["neutral"])
    neutral.learn(shapes, expression, elapsed)
    return neutral.moved(shapes)


def _track_blinks(
    memory: np.ndarray, closing: np.ndarray, openness: np.ndarray, now: float
) -> tuple[np.ndarray, np.ndarray]:
    """Blinks a minute and PERCLOS, float32 (n,) each. Open eyes are learned in the first minute, not from lowered eyes."""
    young = ~np.isnan(closing) & (now - memory["began"] <= eyes.BASELINE_PERIOD_S)
    rates = []
    for tracker, closed, opened, learns in zip(memory["blinks"], closing, openness, young, strict=True):
        rates.append(tracker.update(now, float(closed)))
        if learns:
            tracker.learn(float(opened))
    blinks, perclos = np.array(rates, np.float32).reshape(-1, 2).T
    return blinks, perclos


def _update(
    memory: np.ndarray,
    due: np.ndarray,
    now: float,
    look: np.ndarray,
    expression: np.ndarray | None,
    levels: np.ndarray,
) -> None:
    memory["seen"][due], memory["look"][due] = now, look[due]
    if expression is not None:
        memory["expression"][due] = expression[due]
    memory["level"][levels >= 0] = levels[levels >= 0]


def _spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of the chosen rows -> values of all rows, NaN elsewhere."""
    spread = np.full((len(rows), *values.shape[1:]), np.nan, np.float32)
    spread[rows] = values
    return spread
