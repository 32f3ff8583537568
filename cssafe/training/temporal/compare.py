"""Comparison of temporal smoothers: `python -m cssafe temporal`. Trains a small GRU and compares it with averages.

docs/method.md, "Over time", describes the sequences, the measures and the rule of choice.
"""

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from cssafe import media, settings
from cssafe.errors import DataError
from cssafe.expression import Expression
from cssafe.frames import Frame
from cssafe.labels import FERPLUS
from cssafe.pipeline import Pipeline, Stream
from cssafe.training.expression.data import Labelled, pixel_digest, read_training
from cssafe.training.expression.metrics import safe_ratio
from cssafe.training.progress import with_progress
from cssafe.training.temporal import metrics
from cssafe.training.temporal.metrics import MEASURES, Tally, measure_values, shown_labels, tally
from cssafe.training.temporal.sequences import Sequences, stack_sequences, synthesize
from cssafe.training.temporal.smoothers import Average, LogAverage, Smoother, Unsmoothed, choose_smoother, run_smoother

HALF_LIVES_S = (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.7)
"""Candidates for the averages."""

STEADINESS = (1.0, 2.0, 4.0)
"""Candidates for the GRU (recurrent.train_gru): 16 was slower and less accurate (models/LOG.md)."""

RATIOS = (1.2, 1.35, 1.6, 2.0)
"""Candidates for the hysteresis (metrics.shown_labels)."""

PREVIOUS_HALF_LIFE_S = 0.35
"""Half-life served before the comparison."""

FRAME_INTERVAL_S = 0.1
"""Time between analysed frames of the clips: about the middle of sequences.RATE_HZ."""

MIN_TRACK_S = 1.0
"""Shortest track of a clip that counts: shorter ones are false alarms."""

MAX_CLIP_LOSS = 0.01
"""Loss of accuracy on the clips from which a smoother counts as worse: about four frames."""

DECISIVE = [0, 1, 3]
"""Of MEASURES: accuracy, flicker and mean delay. The median delay is 0 for most smoothers."""


@dataclass(frozen=True)
class Result:
    """A smoother on the synthetic test sequences, and on clips with known truth. restless: changes of the label a second over
    the whole clips, true ones included."""

    way: Smoother
    test: Tally
    clips: Tally
    restless: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data", type=Path, help="folder with FER2013 and FERPlus votes (data/README.md), and annotated clips in video/"
    )
    parser.add_argument("--model", type=Path, help="folder of the expression network (default: the one that is served)")


def main(args: argparse.Namespace) -> int:
    folder = args.model or settings.load().model
    expression = Expression(folder)
    learned, held_back = read_training(args.data)
    if expression.card.get("training", {}).get("pixels_sha256") == pixel_digest(learned + held_back):
        print(
            "Mind: the network has learned the held-back pictures too and is surer of them than of new ones.",
            file=sys.stderr,
        )
    parts = split_held_back(held_back, args.data)
    learn, choose, test = (
        synthesize(part.images, part.ferplus.argmax(axis=1), expression.ferplus, np.random.default_rng(seed))
        for seed, part in enumerate(parts)
    )
    clips = clip_sequences(args.data / "video", folder)

    from cssafe.training.temporal import recurrent  # imports Keras: some seconds, and words of TensorFlow's on stderr

    # chosen on the second part only
    grus = {
        f"GRU, steadiness {s:g}": recurrent.train_gru(learn, s)
        for s in with_progress(STEADINESS, len(STEADINESS), "GRU")
    }
    families = {
        "newest": [Smoother("each frame by itself", Unsmoothed())],
        "average": [Smoother(f"average, {s:g} s", Average(s)) for s in HALF_LIVES_S],
        "logarithms": [Smoother(f"average of logarithms, {s:g} s", LogAverage(s)) for s in HALF_LIVES_S],
        "gru": [Smoother(name, gru) for name, gru in grus.items()],
    }
    plain = {family: choose_smoother(ways, choose, (1.0,)) for family, ways in families.items()}
    steady = {family: choose_smoother(ways, choose, RATIOS) for family, ways in families.items()}

    # the third part is looked at once
    served = Smoother(f"average, {PREVIOUS_HALF_LIFE_S:g} s (before)", Average(PREVIOUS_HALF_LIFE_S))
    before = count_smoother(served, test, clips)
    plainly = {family: count_smoother(way, test, clips) for family, way in plain.items()}
    steadily = {family: count_smoother(way, test, clips) for family, way in steady.items()}
    print(format_comparison([before, *plainly.values(), *steadily.values()]))
    print("", *verdict(plainly, steadily), sep="\n")
    return 0


def split_held_back(data: Labelled, source: Path) -> tuple[Labelled, Labelled, Labelled]:
    """Split pictures with usable votes to learn from (half), to choose on (a fifth) and to test on (three tenths), by hash of
    their pixels.

    Raises:
        DataError: a part is empty.
    """
    data = data[data.ferplus.sum(axis=1) > 0]
    digests = [hashlib.md5(image.tobytes(), usedforsecurity=False).hexdigest()[:16] for image in data.images]
    # data.read_training uses the last digit; the one before it is free.
    digit = np.array([int(digest, 16) // 10 % 10 for digest in digests], int)
    parts = data[digit < 5], data[(digit >= 5) & (digit < 7)], data[digit >= 7]
    if min(map(len, parts)) == 0:
        raise DataError(
            f"{source}: of the tenth of Training that is held back, {len(data)} pictures have usable FERPlus votes, too "
            "few to learn, choose and test with; expected about 2,600 (data/README.md)."
        )
    return parts


def clip_sequences(folder: Path, model: Path) -> Sequences:
    """Each track of the annotated clips, through the real pipeline, unsmoothed; none without clips.

    annotations.csv: video, start_s, end_s (seconds), expression (one of FERPLUS, or empty where unknown).
    """
    if not (folder / "annotations.csv").is_file():
        print(
            f"{folder}: there are no annotated clips (annotations.csv), so the GRU cannot be chosen.", file=sys.stderr
        )
        return stack_sequences([])
    notes = pd.read_csv(folder / "annotations.csv").dropna(subset="expression")
    pipeline = Pipeline(settings.PROFILES["consent"], model)
    clips, parts = sorted(folder.glob("*.mp4")), []
    for clip in with_progress(clips, len(clips), "clips"):
        stream, tracks = Stream(keep_inputs=True), defaultdict(list)
        for seconds, image in media.frames(str(clip), FRAME_INTERVAL_S):
            result = pipeline.analyze(Frame(image, datetime.fromtimestamp(seconds, UTC)), stream)
            assert result.expression is not None and stream.inputs is not None, "the profile has emotions"
            alone = np.full_like(result.expression, np.nan)
            alone[~np.isnan(result.expression[:, 0])] = stream.inputs.probabilities
            for track, row in zip(result.tracks.tolist(), alone, strict=True):
                tracks[track].append((seconds, row))
        for rows in tracks.values():
            times = np.array([seconds for seconds, _ in rows])
            if times[-1] - times[0] >= MIN_TRACK_S:
                truth = annotated_truth(notes[notes["video"] == clip.name], times)
                parts.append((times, truth, np.array([row for _, row in rows])))
    return stack_sequences(parts)


def annotated_truth(notes: pd.DataFrame, seconds: np.ndarray) -> np.ndarray:
    """Annotated emotion of a clip at these times, int (t,), index into FERPLUS or -1."""
    truth = np.full(len(seconds), -1)
    for start, end, emotion in zip(notes["start_s"], notes["end_s"], notes["expression"], strict=True):
        truth[(seconds >= start) & (seconds < end)] = FERPLUS.index(emotion)
    return truth


def count_smoother(way: Smoother, test: Sequences, clips: Sequences) -> Result:
    """Count correct frames, changes and delays of a smoother."""
    said, seen = (shown_labels(run_smoother(way.smoothing, part), way.ratio) for part in (test, clips))
    changes, seconds = metrics.flicker(seen, np.zeros_like(clips.truth), clips.seconds)
    return Result(
        way,
        tally(said, test.truth, test.seconds),
        tally(seen, clips.truth, clips.seconds),
        float(safe_ratio(changes.sum(), seconds.sum())),
    )


def verdict(plainly: dict[str, Result], steadily: dict[str, Result]) -> list[str]:
    """Lines to print: advantage of the GRU over its rivals, the checks of docs/method.md, and the conclusion.

    Args:
        plainly, steadily: results of "gru" and of both averages, "average" and "logarithms", the second with hysteresis.
    """
    rivals = [max((r["average"], r["logarithms"]), key=lambda one: one.way.merit) for r in (plainly, steadily)]
    gains = [
        metrics.compare_tallies(r["gru"].test, rival.test) for r, rival in zip((plainly, steadily), rivals, strict=True)
    ]
    gru, rival, plain, steady = plainly["gru"], rivals[0], *gains
    checks = {
        "nothing clearly worse": not plain.worse[DECISIVE].any(),
        "accuracy or flicker clearly better": bool(plain.better[:2].any()),
        "nothing clearly worse with hysteresis for both": not steady.worse[DECISIVE].any(),
        "on the clips right as often": len(gru.clips) > 0
        and measure_values(gru.clips)[0] >= measure_values(rival.clips)[0] - MAX_CLIP_LOSS,
        "on the clips no more changes": gru.restless <= rival.restless,
    }
    lines = []
    for one, other, gained in zip((plainly["gru"], steadily["gru"]), rivals, gains, strict=True):
        lines.append(f"{one.way} is better than {other.way} by (95 % interval):")
        units = zip(MEASURES, gained.middle, gained.low, gained.high, (100, 1, 1, 1), strict=True)
        lines += [f"  {name:<14}{s * x:+7.2f}   {s * low:+.2f} to {s * high:+.2f}" for name, x, low, high, s in units]
    lines += [f"{'yes' if fulfilled else 'no':<5}{check}" for check, fulfilled in checks.items()]
    follows = "the GRU replaces the average" if all(checks.values()) else f"the average stays: {rival.way}"
    return [*lines, f"So {follows}."]


def format_comparison(results: Sequence[Result]) -> str:
    """The figures of all smoothers as a table of text, with 95 % intervals over the test sequences."""
    drawn = metrics.resample_measures([result.test for result in results])
    width = max(len(str(result.way)) for result in results) + 2
    title = f"{len(results[0].test)} made sequences"
    lines = [
        f"{title:<{width + 20}}{'flicker,':<19}{'delay, seconds':<28}clips",
        f"{'':<{width}}{'accuracy, %':<20}{'a second':<19}{'median  mean':<28}accuracy  changes  delay",
    ]
    for result, draws in zip(results, drawn, strict=True):
        accuracy, changes, median, mean = measure_values(result.test)
        low, high = metrics.percentile_interval(draws)
        clips = measure_values(result.clips)
        lines.append(
            f"{result.way!s:<{width}}{100 * accuracy:.1f} ({100 * low[0]:.1f}-{100 * high[0]:.1f})".ljust(width + 20)
            + f"{changes:.2f} ({low[1]:.2f}-{high[1]:.2f})".ljust(19)
            + f"{median:.2f}    {mean:.2f} ({low[3]:.2f}-{high[3]:.2f})".ljust(28)
            + f"{100 * clips[0]:.1f}      {result.restless:.2f}     {clips[2]:.2f}"
        )
    return "\n".join(lines)
