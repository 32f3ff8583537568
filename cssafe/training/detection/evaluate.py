"""Evaluation of face detectors: `python -m cssafe evaluate --task detection DIR`. Ours and Haar in one run.

Boxes match faces one to one at IoU 0.4. Faces marked `invalid` or below 20 pixels are neither right nor wrong.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cssafe.settings import DEFAULT_DETECTOR
from cssafe.training.detection import curves
from cssafe.training.detection.dataset import Photograph, read_photographs, split_photographs
from cssafe.training.progress import with_progress
from cssafe.vision.face_finder import FaceFinder

FaceDetector = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Picture -> boxes (n, 4) from forehead to chin, scores (n,): all candidates, so that all thresholds can be compared."""

HAAR_CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"

MIN_SCORE = 0.05
"""Lowest score of our boxes."""

MAX_ALARMS_PER_MEGAPIXEL = 0.15
"""False alarms a megapixel of a chosen threshold: larger pictures show more that resembles a face."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="photographs with face boxes: see data/README.md for the layouts")
    parser.add_argument(
        "--model", type=Path, default=DEFAULT_DETECTOR, help="folder of our detector (default: models/detector)"
    )
    parser.add_argument("--held-back", action="store_true", help="only the photographs that `train` holds back")
    parser.add_argument(
        "--card",
        action="store_true",
        help="renew the figures in the folder's MODEL_CARD.md, and draw the precision-recall curves beside it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on one line, with the curves")


def main(args: argparse.Namespace) -> int:
    # `train` imports this module too, on machines without a package for charts.
    from cssafe.training.detection import card, stability

    if args.card:
        card.check_card(args.model)
    photographs = read_photographs(args.data)
    if args.held_back:
        _, photographs = split_photographs(photographs)
    finders: dict[str, FaceDetector] = {}
    thresholds: dict[str, float | None] = {}
    if (args.model / "model.json").is_file():
        finders["ours"] = our_detector(args.model)
        thresholds["ours"] = json.loads((args.model / "model.json").read_text(encoding="utf-8")).get("threshold")
    finders["Haar"] = haar()
    measured = run_detectors(finders, photographs)
    figures = {
        name: curves.detection_figures(judged, thresholds.get(name)) | {"median_ms": ms}
        for name, (judged, ms) in measured.items()
    }
    if args.card:
        options = [option for option, given in (("--held-back", args.held_back), ("--card", True)) if given]
        command = " ".join(["python -m cssafe evaluate --task detection", args.data.resolve().name, *options])
        moved = stability.measure_stability(FaceFinder(args.model).find, photographs)
        tables = [format_tables(figures), stability.DESCRIPTION, stability.format_stability(moved)]
        card.write_card(args.model, figures, "\n\n".join(tables), command)
    print(json.dumps(figures) if args.json else format_tables(figures))
    return 0


def our_detector(folder: Path) -> FaceDetector:
    """The detector in a model folder, rescored by the mesh network, as served."""
    finder = FaceFinder(folder, MIN_SCORE)

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        faces, _ = finder.find(image)
        return faces.boxes, faces.scores

    return find


def haar() -> FaceDetector:
    """OpenCV's frontal cascade (Viola & Jones 2001), from 20 pixels up; its scores are sums of the last stage."""
    cascade = cv2.CascadeClassifier(str(HAAR_CASCADE))

    def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        grey = cv2.equalizeHist(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
        squares, _, sums = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(18, 18), outputRejectLevels=True
        )
        xywh = np.array(squares, np.float32).reshape(-1, 4)
        return np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]), np.array(sums, np.float32).reshape(-1)

    return find


def run_detectors(
    finders: dict[str, FaceDetector], photographs: list[Photograph]
) -> dict[str, tuple[curves.MatchedBoxes, float]]:
    """Each detector's boxes on all photographs, matched, and the median milliseconds of a photograph."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in finders}
    spent: dict[str, list[float]] = {name: [] for name in finders}
    for photograph in with_progress(photographs, len(photographs), "looking at photographs"):
        image = photograph.read()
        for name, find in finders.items():
            begun = time.perf_counter()
            found[name].append(find(image))
            spent[name].append(1000 * (time.perf_counter() - begun))
    truth = [(photograph.boxes, photograph.invalid) for photograph in photographs]
    return {name: (curves.match_images(found[name], truth), float(np.median(spent[name] or [0.0]))) for name in finders}


def choose_threshold(folder: Path, photographs: list[Photograph]) -> dict[str, Any]:
    """Lowest threshold of the detector in a folder within MAX_ALARMS_PER_MEGAPIXEL, and its recall; both are written to its
    model.json."""
    judged, _ = run_detectors({"ours": our_detector(folder)}, photographs)["ours"]
    megapixels = sum(photograph.read()[..., 0].size for photograph in photographs) / 1e6
    most = MAX_ALARMS_PER_MEGAPIXEL * megapixels / max(1, judged.images)
    threshold = np.ceil(1000 * max(curves.threshold_at_rate(judged, most), MIN_SCORE)) / 1000
    chosen: dict[str, Any] = {
        "threshold": threshold,
        "metrics": {
            "held_back": {
                "photographs": judged.images,
                "megapixels": round(megapixels, 1),
                "false_alarms": round(curves.false_alarm_rate(judged, threshold), 4),
                "recall": curves.band_recalls(judged, threshold),
            }
        },
    }
    file = folder / "model.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(card | chosen, indent=2) + "\n", encoding="utf-8")
    return chosen


def format_tables(figures: dict[str, dict[str, Any]]) -> str:
    """Markdown tables: recall by height of the face at rising false alarms, and as served."""
    first = next(iter(figures.values()))
    counts = ", ".join(f"{band} px {n}" for band, n in first["faces"].items())
    lines = [f"{first['images']} images; faces: {counts}.", ""]
    head = " | ".join(f"{band} px" for band in curves.BANDS)
    lines += [
        f"| detector | false alarms an image | threshold | {head} |",
        "| --- | --- | --- |" + " --- |" * len(curves.BANDS),
    ]
    for name, told_figures in figures.items():
        rows = [("at most " + most, at) for most, at in told_figures["at_alarms"].items()]
        rows += [("as served", told_figures["served"])] if "served" in told_figures else []
        for label, at in rows:
            recalls = " | ".join("-" if share is None else f"{share:.3f}" for share in at["recall"].values())
            lines.append(f"| {name} | {label}: {at['false_alarms']:.3f} | {at['threshold']:.3f} | {recalls} |")
    lines += ["", f"| average precision | {head} | ms a photograph |", "| --- |" + " --- |" * (len(curves.BANDS) + 1)]
    for name, told_figures in figures.items():
        values = " | ".join(f"{told_figures['average_precision'][band]:.3f}" for band in curves.BANDS)
        lines.append(f"| {name} | {values} | {told_figures['median_ms']:.1f} |")
    return "\n".join(lines)
