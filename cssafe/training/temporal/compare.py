"""What joins a face's frames over time: `python -m cssafe temporal`. Trains a small GRU and compares it with averages.

docs/method.md, "Over time", tells how the sequences are made, what is measured, and by which rule one way is served.
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
from cssafe.training.expression.data import Labelled, read_training
from cssafe.training.expression.metrics import over
from cssafe.training.progress import told
from cssafe.training.temporal.metrics import (
    MEASURES,
    Tally,
    flicker,
    gain,
    interval,
    labels,
    measures,
    resampled,
    tally,
)
from cssafe.training.temporal.sequences import Sequences, made, stack
from cssafe.training.temporal.smoothers import Average, LogAverage, Newest, Way, best, follow

HALF_LIVES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.7)
"""Seconds that are tried for the averages."""

STEADINESS = (1.0, 2.0, 4.0)
"""What is tried for the GRU (recurrent.train): with 16, it was slower and right less often (models/LOG.md)."""

RATIOS = (1.2, 1.35, 1.6, 2.0)
"""What is tried for the hysteresis (following.labels)."""

BEFORE = 0.35
"""Half-life in seconds that was served before any was compared."""

EVERY = 0.1
"""Seconds between the frames of the clips that are analysed: about the middle of sequences.RATE."""

SHORTEST = 1.0
"""Seconds of a clip's track that counts: shorter ones are false alarms."""

WORSE = 0.01
"""Share of the clips' frames that may be lost before a way counts as worse on them: about four frames."""

DECISIVE = [0, 1, 3]
"""Of MEASURES: accuracy, flicker and mean delay. The median delay is 0 for most ways: half of the changes show at once."""


@dataclass(frozen=True)
class Result:
    """What a way did on the made sequences of the test, and on the clips where their truth is known. restless: changes of
    the label a second over the whole clips, true ones included."""

    way: Way
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
    if expression.card.get("training", {}).get("pixels_sha256") == pixels(learned + held_back):
        print(
            "Mind: the network has learned the held-back pictures too and is surer of them than of new ones.",
            file=sys.stderr,
        )
    parts = split(held_back, args.data)
    learn, choose, test = (shown(part, expression, seed) for seed, part in enumerate(parts))
    clips = watched(args.data / "video", folder)

    from cssafe.training.temporal import recurrent  # imports Keras: some seconds, and words of TensorFlow's on stderr

    # chosen on the second part only
    grus = {f"GRU, steadiness {s:g}": recurrent.train(learn, s) for s in told(STEADINESS, len(STEADINESS), "GRU")}
    families = {
        "newest": [Way("each frame by itself", Newest())],
        "average": [Way(f"average, {seconds:g} s", Average(seconds)) for seconds in HALF_LIVES],
        "logarithms": [Way(f"average of logarithms, {seconds:g} s", LogAverage(seconds)) for seconds in HALF_LIVES],
        "gru": [Way(name, gru) for name, gru in grus.items()],
    }
    plain = {family: best(ways, choose, (1.0,)) for family, ways in families.items()}
    steady = {family: best(ways, choose, RATIOS) for family, ways in families.items()}

    # the third part is looked at once
    before = judge(Way(f"average, {BEFORE:g} s (before)", Average(BEFORE)), test, clips)
    plainly = {family: judge(way, test, clips) for family, way in plain.items()}
    steadily = {family: judge(way, test, clips) for family, way in steady.items()}
    print(table([before, *plainly.values(), *steadily.values()]))
    print("", *verdict(plainly, steadily), sep="\n")
    return 0


def pixels(data: Labelled) -> str:
    """SHA-256 of the pictures, as training.export writes it."""
    return hashlib.sha256(data.images.tobytes()).hexdigest()


def split(data: Labelled, source: Path) -> tuple[Labelled, Labelled, Labelled]:
    """Pictures with usable votes to learn from (half), to choose on (a fifth) and to test with (three tenths), by the hash of
    their pixels, so that it is the same everywhere.

    Raises:
        DataError: there are none for one of them.
    """
    data = data[data.ferplus.sum(axis=1) > 0]
    digests = [hashlib.md5(image.tobytes(), usedforsecurity=False).hexdigest()[:16] for image in data.images]
    # By its last digit data.read_training holds a picture back; the one before it is still free.
    digit = np.array([int(digest, 16) // 10 % 10 for digest in digests], int)
    parts = data[digit < 5], data[(digit >= 5) & (digit < 7)], data[digit >= 7]
    if min(map(len, parts)) == 0:
        raise DataError(
            f"{source}: of the tenth of Training that is held back, {len(data)} pictures have usable FERPlus votes, too "
            "few to learn, choose and test with; expected about 2,600 (data/README.md)."
        )
    return parts


def shown(data: Labelled, expression: Expression, seed: int) -> Sequences:
    """Made sequences of these pictures, through the expression network; the truth is the votes' majority."""
    return made(data.images, data.ferplus.argmax(axis=1), expression.ferplus, np.random.default_rng(seed))


def watched(folder: Path, model: Path) -> Sequences:
    """Every track of the annotated clips, through the real pipeline, each frame by itself; no sequence where there are none.

    annotations.csv: video, start_s, end_s (seconds), expression (one of FERPLUS, or empty where it is not known).
    """
    if not (folder / "annotations.csv").is_file():
        print(
            f"{folder}: there are no annotated clips (annotations.csv), so the GRU cannot be chosen.", file=sys.stderr
        )
        return stack([])
    notes = pd.read_csv(folder / "annotations.csv").dropna(subset="expression")
    pipeline = Pipeline(settings.PROFILES["consent"], model)
    clips, parts = sorted(folder.glob("*.mp4")), []
    for clip in told(clips, len(clips), "clips"):
        stream, tracks = Stream(looking=True), defaultdict(list)
        for seconds, image in media.frames(str(clip), EVERY):
            result = pipeline.analyze(Frame(image, datetime.fromtimestamp(seconds, UTC)), stream)
            assert result.expression is not None and stream.looks is not None, "the profile has emotions"
            alone = np.full_like(result.expression, np.nan)
            alone[~np.isnan(result.expression[:, 0])] = stream.looks.probabilities
            for track, row in zip(result.tracks.tolist(), alone, strict=True):
                tracks[track].append((seconds, row))
        for rows in tracks.values():
            times = np.array([seconds for seconds, _ in rows])
            if times[-1] - times[0] >= SHORTEST:
                truth = noted(notes[notes["video"] == clip.name], times)
                parts.append((times, truth, np.array([row for _, row in rows])))
    return stack(parts)


def noted(notes: pd.DataFrame, seconds: np.ndarray) -> np.ndarray:
    """What the notes of a clip say of its emotion at these times, int (t,), index into FERPLUS, -1 where they do not say."""
    truth = np.full(len(seconds), -1)
    for start, end, emotion in zip(notes["start_s"], notes["end_s"], notes["expression"], strict=True):
        truth[(seconds >= start) & (seconds < end)] = FERPLUS.index(emotion)
    return truth


def judge(way: Way, test: Sequences, clips: Sequences) -> Result:
    """Count what a way does."""
    said, seen = (labels(follow(way.smoothing, part), way.ratio) for part in (test, clips))
    changes, seconds = flicker(seen, np.zeros_like(clips.truth), clips.seconds)
    return Result(
        way,
        tally(said, test.truth, test.seconds),
        tally(seen, clips.truth, clips.seconds),
        float(over(changes.sum(), seconds.sum())),
    )


def verdict(plainly: dict[str, Result], steadily: dict[str, Result]) -> list[str]:
    """Lines to print: what the GRU has before its rivals, how the rule of docs/method.md judges that, and what follows.

    Args:
        plainly, steadily: results of "gru" and of both averages, "average" and "logarithms", the second with hysteresis.
    """
    rivals = [max((r["average"], r["logarithms"]), key=lambda one: one.way.merit) for r in (plainly, steadily)]
    gains = [gain(r["gru"].test, rival.test) for r, rival in zip((plainly, steadily), rivals, strict=True)]
    gru, rival, plain, steady = plainly["gru"], rivals[0], *gains
    checks = {
        "nothing clearly worse": not plain.worse[DECISIVE].any(),
        "accuracy or flicker clearly better": bool(plain.better[:2].any()),
        "nothing clearly worse with hysteresis for both": not steady.worse[DECISIVE].any(),
        "on the clips right as often": len(gru.clips) > 0
        and measures(gru.clips)[0] >= measures(rival.clips)[0] - WORSE,
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


def table(results: Sequence[Result]) -> str:
    """The figures of all ways for people, with 95 % intervals over the sequences of the test."""
    drawn = resampled([result.test for result in results])
    width = max(len(str(result.way)) for result in results) + 2
    title = f"{len(results[0].test)} made sequences"
    lines = [
        f"{title:<{width + 20}}{'flicker,':<19}{'delay, seconds':<28}clips",
        f"{'':<{width}}{'accuracy, %':<20}{'a second':<19}{'median  mean':<28}accuracy  changes  delay",
    ]
    for result, draws in zip(results, drawn, strict=True):
        accuracy, changes, median, mean = measures(result.test)
        low, high = interval(draws)
        clips = measures(result.clips)
        lines.append(
            f"{result.way!s:<{width}}{100 * accuracy:.1f} ({100 * low[0]:.1f}-{100 * high[0]:.1f})".ljust(width + 20)
            + f"{changes:.2f} ({low[1]:.2f}-{high[1]:.2f})".ljust(19)
            + f"{median:.2f}    {mean:.2f} ({low[3]:.2f}-{high[3]:.2f})".ljust(28)
            + f"{100 * clips[0]:.1f}      {result.restless:.2f}     {clips[2]:.2f}"
        )
    return "\n".join(lines)
