"""Recall, false alarms and precision of a face detector over all thresholds, by height of the face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cssafe.vision.boxes import iou

MIN_IOU = 0.4
"""Lowest IoU of a box and its face."""

MIN_FACE_PX = 20
"""Height below which a face is left out."""

BANDS = {"20-39": (20, 40), "40-79": (40, 80), "80 up": (80, np.inf), "40 up": (40, np.inf), "20 up": (20, np.inf)}
"""Heights of faces in pixels: [from, to)."""

FALSE_ALARM_RATES = (0.05, 0.1, 0.15, 0.2, 0.5)
"""False alarms an image at which recall is reported."""


@dataclass(frozen=True)
class MatchedBoxes:
    """A detector's boxes in some images, by falling score, matched with the annotated faces.

    scores: (n,). faces: height of the matched face, (n,); 0 for a false alarm; NaN where the face is left out. heights: of the
    boxes, pixels, (n,). drawn: heights of the annotated faces, pixels, (m,).
    """

    scores: np.ndarray
    faces: np.ndarray
    heights: np.ndarray
    drawn: np.ndarray
    images: int


def match_images(
    found: Sequence[tuple[np.ndarray, np.ndarray]], truth: Sequence[tuple[np.ndarray, np.ndarray]]
) -> MatchedBoxes:
    """Match detections with annotations, image by image.

    Args:
        found: boxes (n, 4) and scores (n,) of each image. truth: boxes (m, 4), and bool (m,), left out or not.
    """
    parts, drawn = [], [np.zeros(0)]
    for (boxes, scores), (faces, left_out) in zip(found, truth, strict=True):
        order = np.argsort(-scores, kind="stable")
        boxes, scores = boxes[order], scores[order]
        heights = faces[:, 3] - faces[:, 1]
        met = match_boxes(boxes, faces)
        told = np.append(np.where(left_out | (heights < MIN_FACE_PX), np.nan, heights), 0)
        parts.append(np.column_stack([scores, told[met], boxes[:, 3] - boxes[:, 1]]))
        drawn.append(heights[~left_out & (heights >= MIN_FACE_PX)])
    rows = np.concatenate([np.zeros((0, 3)), *parts])
    rows = rows[np.argsort(-rows[:, 0], kind="stable")]
    return MatchedBoxes(rows[:, 0], rows[:, 1], rows[:, 2], np.concatenate(drawn), len(found))


def match_boxes(boxes: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Match boxes (n, 4) with faces (m, 4) one to one, best score first: index into faces or -1, int (n,)."""
    overlap, met = iou(boxes, faces), np.full(len(boxes), -1)
    for i in range(len(boxes)):
        if len(faces) and overlap[i].max() >= MIN_IOU:
            met[i] = overlap[i].argmax()
            overlap[:, met[i]] = -1
    return met


def band_recall(judged: MatchedBoxes, threshold: float, band: str) -> float:
    """Share of a band's faces found by boxes of at least that score; NaN without faces."""
    low, high = BANDS[band]
    of = ((judged.drawn >= low) & (judged.drawn < high)).sum()
    found = ((judged.faces >= low) & (judged.faces < high) & (judged.scores >= threshold)).sum()
    return float(found / of) if of else float("nan")


def band_recalls(judged: MatchedBoxes, threshold: float) -> dict[str, float | None]:
    """Recall of each band, to four digits; None without such faces."""
    shares = {band: band_recall(judged, threshold, band) for band in BANDS}
    return {band: None if np.isnan(share) else round(share, 4) for band, share in shares.items()}


def false_alarm_rate(judged: MatchedBoxes, threshold: float) -> float:
    """Boxes of at least that score without a face, per image."""
    return float(((judged.faces == 0) & (judged.scores >= threshold)).sum() / max(1, judged.images))


def threshold_at_rate(judged: MatchedBoxes, most: float) -> float:
    """Lowest score with at most `most` false alarms an image; just above the best score if there is none."""
    false = np.sort(judged.scores[judged.faces == 0])[::-1]
    allowed = int(most * judged.images + 1e-9)
    if len(false) <= allowed:
        return float(judged.scores.min(initial=0.0))
    return float(np.nextafter(false[allowed], np.inf))


def precision_recall(judged: MatchedBoxes, band: str) -> dict[str, list[float]]:
    """Precision and recall among boxes and faces of a band at each threshold, where one of them changes: at most 200 points.

    A box counts in the band of its face, a false alarm in the band of its own height.
    """
    low, high = BANDS[band]
    size = np.where(judged.faces == 0, judged.heights, judged.faces)
    inside = (size >= low) & (size < high)
    right, scores = judged.faces[inside] > 0, judged.scores[inside]
    of = max(1, ((judged.drawn >= low) & (judged.drawn < high)).sum())
    found = np.cumsum(right)
    points = np.unique(np.linspace(0, max(0, len(right) - 1), min(200, len(right))).astype(int))
    return {
        "threshold": [round(float(scores[i]), 4) for i in points],
        "precision": [round(float(found[i] / (i + 1)), 4) for i in points],
        "recall": [round(float(found[i] / of), 4) for i in points],
    }


def average_precision(judged: MatchedBoxes, band: str) -> float:
    """Area under the precision-recall curve of a band, with the best precision at any higher recall."""
    points = precision_recall(judged, band)
    precision = np.maximum.accumulate(np.array(points["precision"])[::-1])[::-1]
    return float((np.diff(points["recall"], prepend=0.0) * precision).sum())


def detection_figures(judged: MatchedBoxes, threshold: float | None) -> dict[str, Any]:
    """All figures of a detector.

    Args:
        threshold: of the served detector, or None.
    """
    told: dict[str, Any] = {
        "images": judged.images,
        "faces": {
            band: int(((judged.drawn >= low) & (judged.drawn < high)).sum()) for band, (low, high) in BANDS.items()
        },
        "average_precision": {band: average_precision(judged, band) for band in BANDS},
        "curves": {band: precision_recall(judged, band) for band in BANDS},
        "at_alarms": {str(most): _figures_at(judged, threshold_at_rate(judged, most)) for most in FALSE_ALARM_RATES},
    }
    return told | ({} if threshold is None else {"served": _figures_at(judged, threshold)})


def _figures_at(judged: MatchedBoxes, threshold: float) -> dict[str, Any]:
    return {
        "threshold": threshold,
        "false_alarms": false_alarm_rate(judged, threshold),
        "recall": band_recalls(judged, threshold),
    }
