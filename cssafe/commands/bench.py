"""Benchmark of this machine: `python -m cssafe bench`. Machines are noisy; trust ratios before milliseconds.

Scenes are moving clips. `--baseline` runs the classic recipe on some of their frames, in turn with ours, in another process.
"""

import argparse
import json
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cssafe import media, settings
from cssafe.commands import bench_pages

if TYPE_CHECKING:
    from cssafe.commands.bench_clips import Clip
    from cssafe.live.engine import Engine
    from cssafe.pipeline import Pipeline

STAGES = ("detect", "mesh", "iris", "expression", "rest", "whole")

SCENES = ((1, 640, 480, True, 15.0), (28, 1280, 720, False, 5.0), (28, 1280, 720, True, 10.0))
"""People, width, height, live (faces take turns), frames a second of the source: a laptop's camera, a recorded class, a class
before a room camera."""

BASELINE_FRAMES = 12
"""Frames of a scene, evenly spread, on which the classic recipe runs: seconds each."""

Baseline = Callable[[np.ndarray, np.ndarray], float]
"""Frame uint8 (h, w, 3), boxes (n, 4) -> milliseconds of the classic recipe."""

INSTRUCTION_SETS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
"""Those that decide how fast networks run, by Linux' names."""

STREAM_COUNTS, STREAM_RATE_HZ, STREAM_SECONDS = (1, 4, 8, 10, 12, 16), 3.0, 4.0
"""Students; pictures (640x480) a second of each; seconds."""

TERM_WEEKS = (1, 4, 12)
"""Lengths of the synthetic terms in which queries are timed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=Path, help="picture with a face (default: scikit-image's astronaut)")
    parser.add_argument("--frames", type=int, default=200, help="frames a scene (default: 200)")
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="also the classic recipe: Haar cascade and one Keras call a face (minutes)",
    )
    parser.add_argument("--observations", type=int, metavar="N", help="only this: each page with five years of lessons")
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def main(args: argparse.Namespace) -> int:
    if args.observations is not None:
        found = bench_pages.measure_pages(args.observations)
        print(json.dumps(found) if args.json else bench_pages.format_pages(found))
        return 0
    portrait = media.decode_image(_portrait_path(args.image).read_bytes())
    figures = measure_machine(portrait, max(1, args.frames), args.baseline)
    print(json.dumps(figures) if args.json else format_machine(figures))
    return 0


def measure_machine(portrait: np.ndarray, frames: int, baseline: bool = False) -> dict[str, Any]:
    """All figures. portrait: uint8 (h, w, 3) BGR with at least one face. frames: of a scene. baseline: compare with the classic
    recipe."""
    from cssafe.commands.bench_clips import Clip, draw_clip, draw_heads
    from cssafe.pipeline import Pipeline

    chosen = settings.load()
    heads = draw_heads(portrait, _fit_mesh(portrait, chosen.detector))
    clips = [Clip(*scene) for scene in SCENES]
    still = next(draw_clip(clips[0], heads, 1))[0]
    with _process() as own:
        started = own.submit(measure_start, still).result()
    pipeline = Pipeline(chosen.profile, chosen.model, chosen.detector)
    pipeline.warm()
    with _process() as other:
        recipe = _classic_recipe(other, chosen.model) if baseline else None
        scenes = [time_clip(pipeline, clip, draw_clip(clip, heads, frames), frames, recipe) for clip in clips]
    return {
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "profile": chosen.profile.name,
        **started,
        "frames": scenes,
        "streams": time_streams(pipeline, still),
        "queries": [time_queries(weeks) for weeks in TERM_WEEKS],
    }


def measure_start(image: np.ndarray) -> dict[str, Any]:
    """Seconds of the steps to a first result, and memory (MB) with the pages' code, the networks and one camera that shows
    `image`; to be run in a fresh process."""
    chosen = settings.load()
    startup: dict[str, float] = {}
    with _Timer(startup, "import_s"):
        from cssafe.frames import Frame
        from cssafe.pipeline import Pipeline, Stream
        from cssafe.ui import common  # with it comes all that the serving process loads, Streamlit too
    with _Timer(startup, "load_s"):
        pipeline = Pipeline(chosen.profile, chosen.model, chosen.detector)
    with _Timer(startup, "warm_s"):
        pipeline.warm()
    stream = Stream(live=True)
    with _Timer(startup, "first_s"):
        pipeline.analyze(Frame(image, datetime.now(UTC)), stream)
    for _ in range(20):
        pipeline.analyze(Frame(image, datetime.now(UTC)), stream)
    assert common is not None
    from cssafe.live import health

    return {"startup": startup, "memory_mb": health.memory()}


def time_clip(
    pipeline: "Pipeline",
    clip: "Clip",
    pictures: Iterable[tuple[np.ndarray, int]],
    frames: int,
    recipe: Baseline | None = None,
) -> dict[str, Any]:
    """Milliseconds of each stage and of the whole over the frames of a clip, one after the other as in the engine. pictures: of
    bench_clips.draw_clip, `frames` of them. recipe: runs on BASELINE_FRAMES of them, in turn with ours."""
    from cssafe.frames import Frame
    from cssafe.pipeline import Stream

    stream, found, seated, begin = Stream(live=clip.live), 0, 0, datetime(2026, 1, 1, tzinfo=UTC)
    spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
    classic: list[float] = []
    compared = set(np.linspace(0, frames - 1, min(frames, BASELINE_FRAMES)).astype(int).tolist())
    for number, (image, people) in enumerate(pictures):
        if number == 0:  # networks are compiled for pictures of this size
            warm = Stream()
            for second in range(2):
                pipeline.analyze(Frame(image, begin + timedelta(seconds=second)), warm)
        clock, time_ = _StageClock(), begin + timedelta(seconds=number / clip.rate_hz)
        begun = time.perf_counter()
        result = pipeline.analyze(Frame(image, time_), stream, clock.over)
        whole = time.perf_counter() - begun
        found, seated = found + len(result), seated + people
        for stage in STAGES:
            spent[stage].append(1000 * (whole if stage == "whole" else clock.spent[stage]))
        if recipe is not None and number in compared:
            classic.append(recipe(image, result.faces.boxes))
    figures: dict[str, Any] = {
        "faces": clip.people, "width": clip.width, "height": clip.height, "live": clip.live, "rate_hz": clip.rate_hz,
        "frames": frames, "seated": round(seated / frames, 2), "found": round(found / frames, 2),
        "mean_ms": {stage: round(float(np.mean(ms)), 2) for stage, ms in spent.items()},
        "p95_ms": {stage: round(float(np.percentile(ms, 95)), 2) for stage, ms in spent.items()},
    }  # fmt: skip
    if classic:
        ratio = float(np.mean(classic)) / figures["mean_ms"]["whole"]
        figures |= {"baseline_ms": round(float(np.mean(classic)), 1), "ratio": round(ratio, 2)}
    return figures


def time_streams(pipeline: "Pipeline", image: np.ndarray) -> dict[str, Any]:
    """Load test of the engine with STREAM_COUNTS students at STREAM_RATE_HZ; the first lets it learn a picture's duration."""
    import cv2

    from cssafe.live.engine import Engine

    picture = cv2.imencode(".jpg", image)[1].tobytes()
    engine = Engine(lambda: pipeline).start()
    try:
        engine.loaded.result()
        tried = [_offer_streams(engine, picture, n) for n in STREAM_COUNTS]
    finally:
        engine.close()
    return {
        "rate": STREAM_RATE_HZ,
        "tried": tried,
        "most": max((t["streams"] for t in tried if t["carried"]), default=0),
    }


def _offer_streams(engine: "Engine", picture: bytes, n: int) -> dict[str, Any]:
    """Send n streams. carried: 95 % of the pictures were analysed, 95 % of these within a second, and the median delay grew by
    less than 50 ms from the first half to the second."""
    from cssafe.live.engine import Answer, Feed
    from cssafe.pipeline import Stream

    offered: list[float] = []
    delays: dict[int, float] = {}

    def deliver(answer: Answer) -> None:
        if answer.result is not None:
            delays[answer.number] = 1000 * (time.perf_counter() - offered[answer.number])

    feeds = [Feed(Stream(), deliver, STREAM_RATE_HZ) for _ in range(n)]
    begun = time.perf_counter()
    for number in range(int(n * STREAM_RATE_HZ * STREAM_SECONDS)):
        time.sleep(max(0.0, begun + number / (n * STREAM_RATE_HZ) - time.perf_counter()))
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


def format_machine(figures: dict[str, Any]) -> str:
    """The figures as text; those of the scenes as a Markdown table for docs/benchmarks.md."""
    start, machine = figures["startup"], figures["machine"]
    lines = [
        f"{machine['processor']}; {machine['cores']} cores, Python {machine['python']}, profile {figures['profile']}",
        f"start-up   import {start['import_s']} s, load {start['load_s']} s, warm {start['warm_s']} s, first result "
        f"{start['first_s']} s",
        "memory     "
        + ", ".join(f"{mb} MB {when}" for when, mb in figures["memory_mb"].items())
        + ", with Streamlit, networks and one camera",
        "",
        f"| ms, mean (95 %) | found of seated | {' | '.join(STAGES)} | classic recipe | times as fast |",
        "| --- | --- |" + " --- |" * (len(STAGES) + 2),
        *(_format_scene(scene) for scene in figures["frames"]),
    ]
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


def _format_scene(scene: dict[str, Any]) -> str:
    kind = "live" if scene["live"] else "a recording"
    name = f"{scene['faces']} at {scene['width']}x{scene['height']}, {kind}, {scene['rate_hz']:.0f} a second"
    stages = [f"{scene['mean_ms'][stage]:.1f} ({scene['p95_ms'][stage]:.1f})" for stage in STAGES]
    compared = [f"{scene['baseline_ms']:.0f}", f"{scene['ratio']:.1f}"] if "ratio" in scene else ["", ""]
    return f"| {' | '.join([name, '{found} of {seated}'.format_map(scene), *stages, *compared])} |"


def processor() -> str:
    """Name of the processor and its instruction sets for networks, as far as the system names them."""
    from cssafe.vision.openvino_runtime import processor_name

    path = Path("/proc/cpuinfo")
    rows = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    flags = next((row.split(":")[1].split() for row in rows if row.startswith("flags")), [])
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    sets = " ".join(name for name in INSTRUCTION_SETS if name in flags) or "instruction sets unknown"
    return f"{processor_name()} ({sets})" + f", limited to {limit}" * bool(limit)


def _process() -> ProcessPoolExecutor:
    """A fresh process for figures that this one must not falsify."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _classic_recipe(process: ProcessPoolExecutor, model: Path) -> Baseline:
    """The classic recipe in another process, its networks loaded."""

    def recipe(image: np.ndarray, boxes: np.ndarray) -> float:
        return process.submit(_time_classic, model, image, boxes).result()

    recipe(np.zeros((64, 64, 3), np.uint8), np.zeros((0, 4), np.float32))
    return recipe


def _time_classic(model: Path, image: np.ndarray, boxes: np.ndarray) -> float:
    """Milliseconds; in the other process, because Keras takes 10 s and 700 MB to import."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from cssafe.training.expression import classic

    return classic.time_frame(model, image, boxes)


class _StageClock:
    """Seconds spent in each stage, summed by name."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.last = time.perf_counter()

    def over(self, stage: str) -> None:
        now = time.perf_counter()
        self.spent[stage] += now - self.last
        self.last = now


class _Timer:
    """`with _Timer(figures, "name"):` stores the seconds of its block."""

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


def _fit_mesh(portrait: np.ndarray, detector: Path) -> np.ndarray:
    """Mesh (468, 3) of the largest face in a picture."""
    from cssafe.vision.face_finder import FaceFinder

    faces, meshes = FaceFinder(detector).find(portrait)
    if len(faces) == 0:
        raise media.MediaError("There is no face in the picture to measure with: give another one with --image.")
    return meshes.points[int(faces.heights.argmax())]


def _portrait_path(given: Path | None) -> Path:
    if given is not None:
        return Path(media.find(str(given))[0])
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise media.MediaError("scikit-image and its picture of a face are not installed: give a picture with --image.")
    return Path(package.origin).parent / "data" / "astronaut.png"
