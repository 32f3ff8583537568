"""Faces between two searches by the whole detector, as MediaPipe follows them: each is looked for where its last mesh lay, and
its new mesh tells whether it is still there.

The detector runs when a new face could otherwise stay unseen for too long, and at once when a face is lost. Faces whose mesh is
not fitted in a frame (they wait for their turn, or no mesh lies on them) go to where a small patch of them is found again.
Close-ups are not followed: the detector finds them at its small input, in a tenth of the time.
"""

import cv2
import numpy as np

from cssafe.frames import Faces
from cssafe.vision.boxes import iou, nms
from cssafe.vision.crops import crop
from cssafe.vision.face_finder import MIN_MESH_SCORE
from cssafe.vision.mesh import Meshes

MAX_SEARCH_DELAY_S = 0.5
"""Seconds in which the detector runs after the first frame that can show a new face."""

MIN_CLOSE_UP_SHARE = 0.25
"""Height of a close-up over the longer side of its picture: larger faces get the higher score at the detector's small input, at
a sixth of the side both inputs do."""

MIN_SAME_FACE_IOU = 0.5
"""Overlap (IoU) of a detection with a close-up of the frame before from which it is the same face."""

PATCH_PX, SEARCH_PX = 24, 36
"""Sides of a face's patch and of the region in which it is found again, at one scale: a face moves by a quarter of its size."""

MIN_PATCH_CORRELATION = 0.6
"""Correlation of a patch with the picture below which its face is not found again (assumption)."""


MIN_STEADY_IOU = 0.85
"""Overlap (IoU) of a face's expected place with the place of its new mesh below which it moved too fast to be followed: the
network saw it at the border of its crop."""


class FaceFollower:
    """Faces of one stream's newest frame, and when the detector looked for others. luma: its frames in grey, uint8 (h, w)."""

    def __init__(self) -> None:
        self._faces = Faces.none()
        self._meshes = Meshes(np.zeros((0, 468, 3), np.float32), np.zeros(0, np.float32))
        self._places = _box_places(self._faces.boxes, self._meshes)  # at the last detection
        self._patches = np.zeros((0, PATCH_PX, PATCH_PX), np.uint8)
        self._now = self._unsearched = float("-inf")

    def search_due(self, now: float) -> bool:
        """Whether the detector must run in the frame at `now` seconds, because with the next one it would be too late."""
        interval = now - self._now
        since = now if self._unsearched == float("-inf") else self._unsearched
        return not interval > 0 or now + interval - since > MAX_SEARCH_DELAY_S

    def close_ups(self, luma: np.ndarray) -> bool:
        """Whether all followed faces are close-ups; also where there are none."""
        return bool((self._faces.heights >= MIN_CLOSE_UP_SHARE * max(luma.shape)).all())

    def start(self, luma: np.ndarray, detections: Faces, meshes: Meshes, now: float) -> None:
        """Follow these n faces from a frame in which the detector ran. detections: with the detector's scores."""
        self._unsearched = float("-inf")
        self._keep_detected(luma, detections, meshes, now)

    def find_again(self, luma: np.ndarray, detections: Faces, meshes: Meshes, now: float) -> bool:
        """Follow the close-ups detected in this frame; False where one is lost, so that the whole detector must run."""
        if (iou(self._faces.boxes, detections.boxes).max(axis=1, initial=0) < MIN_SAME_FACE_IOU).any():
            return False
        self._note_unsearched(now)
        self._keep_detected(luma, detections, meshes, now)
        return True

    def locate(self, luma: np.ndarray) -> tuple[Faces, np.ndarray, np.ndarray]:
        """Where the n faces may be in the next frame: with the detector's scores; their rolls (n,), degrees; and which patches
        were found again, bool (n,)."""
        boxes, found = _find_patches(luma, self._patches, self._faces.boxes)
        return Faces(boxes, self._faces.scores), self._meshes.rolls, found

    def follow(
        self, luma: np.ndarray, located: Faces, found: np.ndarray, meshes: Meshes, fresh: np.ndarray, now: float
    ) -> Faces | None:
        """The faces of the frame, where `locate` found them or their fresh meshes (bool (n,)) lie; None where one is lost
        or two are the same one, so that the detector must run."""
        trusted = meshes.scores >= MIN_MESH_SCORE
        lost = ~trusted & (~found | (self._meshes.scores >= MIN_MESH_SCORE))
        boxes, followed = located.boxes.copy(), fresh & trusted
        boxes[followed] = _place_boxes(self._places[followed], meshes[followed])
        steady = np.diagonal(iou(boxes, located.boxes)) >= MIN_STEADY_IOU
        if lost.any() or not steady.all() or len(nms(boxes, located.scores)) < len(boxes):
            return None
        self._note_unsearched(now)
        faces = Faces(boxes, located.scores)
        self._keep(luma, faces, meshes, now)
        return faces

    def _note_unsearched(self, now: float) -> None:
        if self._unsearched == float("-inf"):
            self._unsearched = now

    def _keep_detected(self, luma: np.ndarray, detections: Faces, meshes: Meshes, now: float) -> None:
        self._places = _box_places(detections.boxes, meshes)
        self._keep(luma, detections, meshes, now)

    def _keep(self, luma: np.ndarray, faces: Faces, meshes: Meshes, now: float) -> None:
        self._faces, self._meshes, self._now = faces, meshes, now
        self._patches = _cut(luma, faces.boxes, PATCH_PX)


def _find_patches(luma: np.ndarray, patches: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) moved to where their patches lie in a grey picture, and which were found, bool (n,); others stay."""
    moved, found = boxes.copy(), np.zeros(len(boxes), bool)
    regions = _cut(luma, boxes, SEARCH_PX)
    steps = _sides(boxes) / PATCH_PX
    for i, (patch, region) in enumerate(zip(patches, regions, strict=True)):
        likeness = cv2.matchTemplate(region, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if best >= MIN_PATCH_CORRELATION:
            peak = np.array([x + _vertex(likeness[y], x), y + _vertex(likeness[:, x], y)])
            shift = (peak - (SEARCH_PX - PATCH_PX) / 2) * steps[i]
            moved[i] += np.tile(shift, 2)
            found[i] = True
    return moved, found


def _vertex(values: np.ndarray, top: int) -> float:
    """Offset from the largest of values (n,) to the vertex of the parabola through it and its neighbours; 0 at either end."""
    if not 0 < top < len(values) - 1:
        return 0.0
    before, highest, after = (float(v) for v in values[top - 1 : top + 2])
    return (after - before) / max(2 * (2 * highest - before - after), 1e-9)


def _cut(luma: np.ndarray, boxes: np.ndarray, size: int) -> np.ndarray:
    """Squares around the middles of boxes (n, 4), of which the box takes PATCH_PX pixels: uint8 (n, size, size)."""
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, _sides(boxes) * size / PATCH_PX
    cut = [crop(luma, middle, max(side, 1.0), 0.0, size) for middle, side in zip(middles, sides, strict=True)]
    return np.stack(cut) if cut else np.zeros((0, size, size), np.uint8)


def _sides(boxes: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 0))


def _box_places(boxes: np.ndarray, meshes: Meshes) -> np.ndarray:
    """Boxes (n, 4) as seen from the bounding boxes of their meshes: shift of the middle over the side, and logarithms of the
    ratios of width and height, (n, 4). They hardly change when a head turns."""
    middles, sides = _middles_and_sides(_bounding_boxes(meshes))
    own_middles, own_sides = _middles_and_sides(boxes)
    return np.hstack([(own_middles - middles) / sides, np.log(own_sides / sides)])


def _place_boxes(places: np.ndarray, meshes: Meshes) -> np.ndarray:
    """The reverse of `_box_places`: float32 (n, 4)."""
    middles, sides = _middles_and_sides(_bounding_boxes(meshes))
    middles, halves = middles + places[:, :2] * sides, np.exp(places[:, 2:]) * sides / 2
    return np.hstack([middles - halves, middles + halves]).astype(np.float32)


def _bounding_boxes(meshes: Meshes) -> np.ndarray:
    points = meshes.points[..., :2]
    return np.hstack([points.min(axis=1), points.max(axis=1)])


def _middles_and_sides(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles and sides of boxes (n, 4), pixels: (n, 2) each; sides are at least a thousandth."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)
