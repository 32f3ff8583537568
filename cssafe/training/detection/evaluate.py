"""How well faces are found: `python -m cssafe evaluate --task detection DIR`. Ours, BlazeFace and Haar in one run.

A box meets a face at IoU 0.4, one to one. Faces that are marked `invalid` or lower than 20 pixels are left out both ways.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from cssafe.settings import DEFAULT_DETECTOR
from cssafe.training.detection import baselines, curves
from cssafe.training.detection.blazeface import BELIEVED
from cssafe.training.detection.dataset import Photograph, read, split
from cssafe.training.progress import told
from cssafe.vision.face_finder import Finder

MOST_ALARMS = 0.15
"""False alarms a megapixel that a chosen threshold may bring: larger pictures show more that may be taken for a face."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="photographs with face boxes: see data/README.md for the layouts")
    parser.add_argument(
        "--model",
        type=Path,
        default=DEFAULT_DETECTOR,
        help="folder of our detector (default: models/detector)",
    )
    parser.add_argument("--held-back", action="store_true", help="only the photographs that `train` holds back")
    parser.add_argument(
        "--card",
        action="store_true",
        help="renew the figures in the folder's MODEL_CARD.md, and draw the precision-recall curves beside it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on one line, with the curves")


def main(args: argparse.Namespace) -> int:
    # `train` reads this module too, on machines without a package for charts.
    from cssafe.training.detection import card, stability

    if args.card:
        card.check(args.model)
    photographs = read(args.data)
    if args.held_back:
        _, photographs = split(photographs)
    finders: dict[str, baselines.Finds] = {}
    thresholds: dict[str, float | None] = {"BlazeFace and mesh": BELIEVED}
    if (args.model / "model.json").is_file():
        finders["ours"] = baselines.ours(args.model)
        thresholds["ours"] = json.loads((args.model / "model.json").read_text(encoding="utf-8")).get("threshold")
    finders["BlazeFace and mesh"] = baselines.blazeface_and_mesh()
    finders["BlazeFace"] = baselines.blazeface()
    finders["Haar"] = baselines.haar()
    measured = measure(finders, photographs)
    figures = {
        name: curves.figures(judged, thresholds.get(name)) | {"median_ms": ms}
        for name, (judged, ms) in measured.items()
    }
    if args.card:
        options = [option for option, given in (("--held-back", args.held_back), ("--card", True)) if given]
        command = " ".join(["python -m cssafe evaluate --task detection", args.data.resolve().name, *options])
        chains = {"ours": Finder(args.model).find, "BlazeFace and mesh": baselines.blazeface_chain()}
        steady = stability.table(stability.measure(chains, photographs))
        card.write(args.model, figures, f"{tables(figures)}\n\n{stability.ABOUT}\n\n{steady}", command)
    print(json.dumps(figures) if args.json else tables(figures))
    return 0


def measure(
    finders: dict[str, baselines.Finds], photographs: list[Photograph]
) -> dict[str, tuple[curves.Judged, float]]:
    """Each detector's boxes on all photographs, judged, and the median milliseconds of a photograph."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in finders}
    spent: dict[str, list[float]] = {name: [] for name in finders}
    for photograph in told(photographs, len(photographs), "looking at photographs"):
        image = photograph.read()
        for name, find in finders.items():
            begun = time.perf_counter()
            found[name].append(find(image))
            spent[name].append(1000 * (time.perf_counter() - begun))
    truth = [(photograph.boxes, photograph.invalid) for photograph in photographs]
    return {name: (curves.judged(found[name], truth), float(np.median(spent[name] or [0.0]))) for name in finders}


def choose(folder: Path, photographs: list[Photograph]) -> dict[str, Any]:
    """The lowest threshold at which the detector in a folder has at most MOST_ALARMS on photographs, and what it then finds;
    both are written into its model.json."""
    judged, _ = measure({"ours": baselines.ours(folder)}, photographs)["ours"]
    megapixels = sum(photograph.read()[..., 0].size for photograph in photographs) / 1e6
    most = MOST_ALARMS * megapixels / max(1, judged.images)
    threshold = np.ceil(1000 * max(curves.threshold_at(judged, most), baselines.LEAST)) / 1000
    chosen: dict[str, Any] = {
        "threshold": threshold,
        "metrics": {
            "held_back": {
                "photographs": judged.images,
                "megapixels": round(megapixels, 1),
                "false_alarms": round(curves.alarms(judged, threshold), 4),
                "recall": curves.recalls(judged, threshold),
            }
        },
    }
    file = folder / "model.json"
    card = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(card | chosen, indent=2) + "\n", encoding="utf-8")
    return chosen


def tables(figures: dict[str, dict[str, Any]]) -> str:
    """As Markdown: recall by height of the face at rising false alarms, and as served."""
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
