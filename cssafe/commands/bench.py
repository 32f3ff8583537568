"""How fast everything is on this machine: `python -m cssafe bench`.

Machines are noisy; trust ratios before milliseconds.
"""

import argparse
import json
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cssafe import media, settings
from cssafe.commands import bench_pages

if TYPE_CHECKING:
    from cssafe.live.engine import Engine
    from cssafe.pipeline import Pipeline

STAGES = ("detect", "mesh", "iris", "expression", "rest", "whole")

SCENES = ((1, 640, 480, True), (28, 1280, 720, False), (28, 1280, 720, True))
"""Faces, width, height, and whether live, where faces take turns: a person before a laptop; a class in a recording and before a
room's camera."""

STREAMS, RATE, SECONDS = (1, 4, 8, 10, 12, 16), 3.0, 4.0
"""Numbers of students who each send so many pictures (640x480) a second, for so long."""

WEEKS = (1, 4, 12)
"""Sizes of the synthetic term in which the queries are timed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=Path, help="picture with a face (default: scikit-image's astronaut)")
    parser.add_argument("--repeats", type=int, default=30, help="frames a scene (default: 30)")
    parser.add_argument("--observations", type=int, metavar="N", help="only this: each page with five years of lessons")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def main(args: argparse.Namespace) -> int:
    if args.observations is not None:
        found = bench_pages.measure(args.observations)
        print(json.dumps(found) if args.json else bench_pages.table(found))
        return 0
    portrait = media.decode(_portrait(args.image).read_bytes())
    figures = measure(portrait, max(1, args.repeats))
    print(json.dumps(figures) if args.json else table(figures))
    return 0


def measure(portrait: np.ndarray, repeats: int) -> dict[str, Any]:
    """All figures. portrait: uint8 (h, w, 3) BGR with at least one face."""
    chosen = settings.load()
    startup: dict[str, float] = {}
    with _Timer(startup, "import_s"):
        from cssafe.pipeline import Pipeline
        from cssafe.ui import common  # with it comes all that the serving process loads, Streamlit too
    with _Timer(startup, "load_s"):
        pipeline = Pipeline(chosen.profile, chosen.model, chosen.detector)
    with _Timer(startup, "warm_s"):
        pipeline.warm()
    assert common is not None
    face = _face(pipeline, portrait)
    frames = [
        {"faces": n, "width": w, "height": h, "live": live} | time_frames(pipeline, scene(face, n, w, h), repeats, live)
        for n, w, h, live in SCENES
    ]
    streams = time_streams(pipeline, scene(face, *SCENES[0][:3]))
    from cssafe.live import health

    memory = health.memory()
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "profile": chosen.profile.name,
        "startup": startup,
        "memory_mb": memory,
        "frames": frames,
        "streams": streams,
        "queries": [time_queries(weeks) for weeks in WEEKS],
    }


def time_frames(pipeline: "Pipeline", image: np.ndarray, repeats: int, live: bool) -> dict[str, Any]:
    """Milliseconds of each stage and of the whole over one stream of equal frames, each taken when the one before is done, as
    the engine does; the first two are not counted."""
    from cssafe.frames import Frame
    from cssafe.pipeline import Stream

    stream, found = Stream(live=live), 0
    spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for i in range(repeats + 2):
        clock = _Clock()
        begun = time.perf_counter()
        result = pipeline.analyze(Frame(image, datetime.now(UTC)), stream, clock.over)
        whole = time.perf_counter() - begun
        found = len(result)
        if i >= 2:
            for stage in STAGES:
                spent[stage].append(1000 * (whole if stage == "whole" else clock.spent[stage]))
    return {
        "found": found,
        "median_ms": {stage: round(float(np.median(ms)), 2) for stage, ms in spent.items()},
        "p95_ms": {stage: round(float(np.percentile(ms, 95)), 2) for stage, ms in spent.items()},
    }


def time_streams(pipeline: "Pipeline", image: np.ndarray) -> dict[str, Any]:
    """How the engine carries the numbers of STREAMS, each at RATE pictures a second; the first only lets it learn what
    a picture takes here."""
    import cv2

    from cssafe.live.engine import Engine

    picture = cv2.imencode(".jpg", image)[1].tobytes()
    engine = Engine(lambda: pipeline).start()
    try:
        engine.loaded.result()
        tried = [_play(engine, picture, n) for n in STREAMS]
    finally:
        engine.close()
    return {"rate": RATE, "tried": tried, "most": max((t["streams"] for t in tried if t["carried"]), default=0)}


def _play(engine: "Engine", picture: bytes, n: int) -> dict[str, Any]:
    """n streams. carried: 95 % of the pictures were analysed, 95 % of these within a second, and those of the second half
    waited no longer (in the median less than 50 ms more) than those of the first."""
    from cssafe.live.engine import Answer, Feed
    from cssafe.pipeline import Stream

    offered: list[float] = []
    delays: dict[int, float] = {}

    def deliver(answer: Answer) -> None:
        if answer.result is not None:
            delays[answer.number] = 1000 * (time.perf_counter() - offered[answer.number])

    feeds = [Feed(Stream(), deliver, RATE) for _ in range(n)]
    begun = time.perf_counter()
    for number in range(int(n * RATE * SECONDS)):
        time.sleep(max(0.0, begun + number / (n * RATE) - time.perf_counter()))
        offered.append(time.perf_counter())
        engine.offer(feeds[number % n], number, picture, datetime.now(UTC))
    time.sleep(1)
    for feed in feeds:
        engine.leave(feed)
    ms = np.array([delays[number] for number in sorted(delays)] or [0.0])
    share, late, half = len(delays) / len(offered), float(np.percentile(ms, 95)), (len(ms) + 1) // 2
    growth = float(np.median(ms[-half:]) - np.median(ms[:half]))
    figures = {"analyzed": share, "median_ms": float(np.median(ms)), "p95_ms": late, "growth_ms": growth}
    carried = share >= 0.95 and late < 1000 and growth < 50
    return {"streams": n} | {name: round(value, 2) for name, value in figures.items()} | {"carried": carried}


def time_queries(weeks: int, repeats: int = 3) -> dict[str, Any]:
    """Median milliseconds of the charts' queries in a synthetic term of that many weeks, in memory."""
    from cssafe import queries, sample
    from cssafe.store import Workspace

    workspace = Workspace.open(None)
    try:
        begun = time.perf_counter()
        lessons = sample.add_term(workspace, settings.PROFILES["demo"], weeks=weeks)
        filled = time.perf_counter() - begun
        with workspace.cursor() as cursor:
            (rows,) = cursor.execute("SELECT count(*) FROM observations").fetchone() or (0,)
        asked: dict[str, Callable[[], object]] = {
            "emotions": lambda: queries.emotions(workspace),
            "distribution": lambda: queries.distribution(workspace),
            "weekly": lambda: queries.weekly(workspace),
            "lessons": lambda: queries.lessons(workspace),
            "timeline": lambda: queries.timeline(workspace, lessons[-1]),
        }
        return {
            "weeks": weeks,
            "rows": int(rows),
            "fill_s": round(filled, 2),
            "median_ms": {name: _median_ms(query, repeats) for name, query in asked.items()},
        }
    finally:
        workspace.close()


def scene(face: np.ndarray, n: int, width: int, height: int) -> np.ndarray:
    """n copies of a square face picture on a grid, uint8 (height, width, 3)."""
    import cv2

    columns = max(c for c in range(1, n + 1) if c == 1 or (width / c) >= height / -(-n // c))
    rows = -(-n // columns)
    side = min(width // columns, height // rows)
    tile = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    image = np.full((height, width, 3), 110, np.uint8)
    for i in range(n):
        x, y = (i % columns) * (width // columns), (i // columns) * (height // rows)
        image[y : y + side, x : x + side] = tile
    return image


def table(figures: dict[str, Any]) -> str:
    """The figures for people, scenes and sizes side by side."""
    start = figures["startup"]
    lines = [
        f"{figures['machine']['cores']} cores, Python {figures['machine']['python']}, profile {figures['profile']}",
        f"start-up   import {start['import_s']} s, load {start['load_s']} s, warm {start['warm_s']} s",
        "memory     "
        + ", ".join(f"{mb} MB {when}" for when, mb in figures["memory_mb"].items())
        + ", Streamlit and networks loaded",
        "",
        f"{'ms, median (95 %)':<17}"
        + "".join(
            f"{f['faces']} at {f['width']}x{f['height']}{', live' * f['live']}".rjust(24) for f in figures["frames"]
        ),
        f"{'faces found':<17}" + "".join(f"{f['found']:>24}" for f in figures["frames"]),
    ]
    for stage in STAGES:
        cells = (f"{f['median_ms'][stage]:.1f} ({f['p95_ms'][stage]:.1f})" for f in figures["frames"])
        lines.append(f"{stage:<17}" + "".join(f"{cell:>24}" for cell in cells))
    streams = figures["streams"]
    lines += ["", f"streams at {streams['rate']:.0f} pictures a second each: {streams['most']} are carried"]
    lines += [
        f"{t['streams']:<11}{t['analyzed']:>5.0%} analysed, delay {t['median_ms']:.0f} ms ({t['p95_ms']:.0f})"
        for t in streams["tried"]
    ]
    lines += ["", f"{'queries, ms':<17}" + "".join(f"{q['rows']:>14,} rows" for q in figures["queries"])]
    for name in figures["queries"][0]["median_ms"]:
        lines.append(f"{name:<17}" + "".join(f"{q['median_ms'][name]:>19.1f}" for q in figures["queries"]))
    return "\n".join(lines)


class _Clock:
    """Milestones -> seconds between them, added up by name."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.last = time.perf_counter()

    def over(self, stage: str) -> None:
        now = time.perf_counter()
        self.spent[stage] += now - self.last
        self.last = now


class _Timer:
    """`with _Timer(figures, "name"):` puts the seconds of its block there."""

    def __init__(self, figures: dict[str, float], name: str) -> None:
        self.figures, self.name = figures, name

    def __enter__(self) -> None:
        self.begun = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self.figures[self.name] = round(time.perf_counter() - self.begun, 2)


def _median_ms(query: Callable[[], object], repeats: int) -> float:
    spent = []
    for _ in range(repeats):
        begun = time.perf_counter()
        query()
        spent.append(1000 * (time.perf_counter() - begun))
    return round(float(np.median(spent)), 2)


def _face(pipeline: "Pipeline", portrait: np.ndarray) -> np.ndarray:
    """The square around the largest face, twice its height."""
    from cssafe.frames import Frame
    from cssafe.pipeline import Stream

    faces = pipeline.analyze(Frame(portrait, datetime.now(UTC)), Stream()).faces
    if len(faces) == 0:
        raise media.MediaError("There is no face in the picture to measure with: give another one with --image.")
    x1, y1, x2, y2 = faces.boxes[int(faces.heights.argmax())]
    h, w = portrait.shape[:2]
    side = int(min(2 * (y2 - y1), h, w))
    x, y = (
        int(np.clip(middle - side / 2, 0, most - side)) for middle, most in (((x1 + x2) / 2, w), ((y1 + y2) / 2, h))
    )
    return portrait[y : y + side, x : x + side]


def _portrait(given: Path | None) -> Path:
    if given is not None:
        return Path(media.find(str(given))[0])
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise media.MediaError("scikit-image and its picture of a face are not installed: give a picture with --image.")
    return Path(package.origin).parent / "data" / "astronaut.png"
