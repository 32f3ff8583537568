"""The command line: python -m cssafe analyze | evaluate | bench | train | sample.

Exit status 0; 2 and one line on stderr for input that cannot be used. What a command needs is imported when it is
chosen, so that the help and every complaint come at once.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cssafe import settings
from cssafe.settings import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

    from cssafe.frames import FrameResult
    from cssafe.pipeline import Pipeline

COMMANDS = {
    "analyze": ("read faces in images, videos, folders and cameras", "cssafe.cli"),
    "evaluate": ("score the expression network on labelled faces", "cssafe.training.evaluate"),
    "bench": ("measure how fast everything is on this machine", "cssafe.bench"),
    "train": ("train the expression network", "cssafe.training.train"),
    "sample": ("fill the database with a synthetic term", "cssafe.cli"),
}
"""Name -> what it does, and the module with its `add_arguments(parser)` and `main(args)`; here they carry its name."""

HEADING = f"{'source':<40} {'frames':>6} {'seconds':>7} {'faces':>5} {'concentration':>13}  emotion"


class BadInput(Exception):
    """What the user asked for cannot be done; the message says why."""


class Parser(argparse.ArgumentParser):
    """argparse with the complaint on one line, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    overview = "\n".join(f"  {name:<10}{does}" for name, (does, _) in COMMANDS.items())
    parser = Parser(
        prog="python -m cssafe",
        usage="python -m cssafe COMMAND ...",
        epilog=f"commands:\n{overview}\n\nEach has its own --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    try:
        name = parser.parse_args(words[:1]).command
        add_arguments, run = _load(name)
        parser = Parser(prog=f"python -m cssafe {name}", description=COMMANDS[name][0].capitalize() + ".")
        add_arguments(parser)
        return run(parser.parse_args(words[1:]))
    except SystemExit as stop:  # argparse, after --help or a complaint
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader of our output has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        expected = isinstance(error, _for_the_user())
        kind = "" if expected else f"This is a fault in CSSAFE, please report it: {_place(error)}: "
        print(f"{parser.prog}: {kind}{_one_line(error)}", file=sys.stderr)
        return 2 if expected else 1


def _load(name: str) -> tuple[Callable[[Parser], None], Callable[[argparse.Namespace], int]]:
    module = import_module(COMMANDS[name][1])
    suffix = f"_{name}" if module.__name__ == __name__ else ""
    return getattr(module, f"add_arguments{suffix}"), getattr(module, f"main{suffix}")


def add_arguments_analyze(parser: Parser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="image, video, folder, device number, rtsp://...")
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="write the observations there")
    parser.add_argument("--lesson", metavar="NAME", help="store the observations as a lesson of this name")
    parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="time between analysed frames (0.2; 0: all)")
    parser.add_argument("--profile", metavar="P", help=f"{', '.join(settings.PROFILES)} (default: CSSAFE_PROFILE)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and analysed frame")


def main_analyze(args: argparse.Namespace) -> int:
    from cssafe import media

    chosen = settings.read()
    profile = settings.profile(args.profile) if args.profile else chosen.profile
    if args.lesson is not None:
        database = chosen.database  # hosted there is none, which is said before the work
        if not profile.stored:
            raise BadInput(f"The profile {profile.name} stores nothing, so --lesson cannot be used with it.")
        if not args.lesson.strip():
            raise BadInput("--lesson needs a name.")
    if args.out is not None and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        raise BadInput(f"--out {args.out}: expected the name of a file in a folder that is there.")
    every = media.EVERY if args.every is None else args.every
    files = [(file, os.path.isdir(source)) for source in args.sources for file in media.find(source)]
    for file, in_folder in files:
        if not (in_folder or media.is_camera(file)):
            next(media.frames(file))  # what cannot be read is told before the networks are loaded

    from cssafe.pipeline import Pipeline

    pipeline = Pipeline(profile, chosen.model)
    if not args.json:
        print(HEADING)
    parts: list[pd.DataFrame] = []
    most, read = 0, 0
    for file, in_folder in files:
        try:
            observed, faces = _analyze(pipeline, file, every, args.json)
        except media.MediaError as error:
            if not in_folder:
                raise
            if media.named_as_media(file):
                print(f"passed over: {error}", file=sys.stderr)
            continue
        parts.append(observed.assign(source=file))
        most, read = max(most, faces), read + 1
    if not read:
        raise BadInput(f"{', '.join(args.sources)}: no image or video that can be read.")

    observations = _together(parts)
    if args.out is not None:
        observations.to_parquet(args.out, index=False)
    if args.lesson is not None:
        _store(observations, args.lesson.strip(), pipeline, database, [file for file, _ in files], most)
    return 0


def _analyze(pipeline: "Pipeline", source: str, every: float, as_json: bool) -> tuple["pd.DataFrame", int]:
    """Analyse one source, printing as it goes; its observations, and the most faces at once."""
    from cssafe.frames import describe
    from cssafe.observations import Seconds

    seconds = Seconds()
    parts: list[pd.DataFrame] = []
    results, most, last = 0, 0, 0.0
    for at, result in _results(pipeline, source, every):
        parts += seconds.add(result)
        results, most, last = results + 1, max(most, len(result)), at
        if as_json:
            line = {"source": source, "time": round(at, 3), "faces": describe(result)}
            print(json.dumps(line, allow_nan=False), flush=True)
    observations = _together([*parts, seconds.flush()])
    if not as_json:
        print(_summary(source, observations, results, last, most), flush=True)
    return observations, most


def _results(pipeline: "Pipeline", source: str, every: float) -> Iterator[tuple[float, "FrameResult"]]:
    """Seconds from the start and what was seen. Ctrl-C is how a camera's recording ends."""
    from cssafe import media
    from cssafe.frames import Frame
    from cssafe.pipeline import Stream

    camera = media.is_camera(source)
    stream, start, pictures = Stream(), None, media.frames(source, every)
    tell, patience = time.monotonic() + 2, 0.5 if sys.stderr.isatty() else 10
    try:
        for at, image in pictures:
            start = start or (datetime.now(UTC) if camera else media.started(source))
            yield at, pipeline.analyze(Frame(image, start + timedelta(seconds=at)), stream)
            if time.monotonic() > tell:
                tell = time.monotonic() + patience
                print(f"{source}: {at:.0f} s", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        if not camera:
            raise


def _summary(source: str, observations: "pd.DataFrame", frames: int, seconds: float, most: int) -> str:
    from cssafe.labels import FERPLUS
    from cssafe.observations import EXPRESSION

    index = observations["concentration"].mean()
    likely = observations[list(EXPRESSION)].mean().dropna()
    emotion = dict(zip(EXPRESSION, FERPLUS, strict=True))[likely.idxmax()] if len(likely) else "-"
    name = source if len(source) <= 40 else "..." + source[-37:]
    mean = "-" if math.isnan(index) else f"{index:.2f}"
    return f"{name:<40} {frames:>6} {seconds:>7.1f} {most:>5} {mean:>13}  {emotion}"


def _store(
    observations: "pd.DataFrame", name: str, pipeline: "Pipeline", database: Path, sources: list[str], most: int
) -> None:
    """Add the lesson, whole or not at all. Tracks of different sources are different people until shown otherwise."""
    from cssafe import media
    from cssafe.store import Lesson, Workspace

    if observations.empty:
        start = datetime.now(UTC) if media.is_camera(sources[0]) else media.started(sources[0])
        end = start
    else:
        start = observations["time"].min().to_pydatetime().replace(tzinfo=UTC)
        end = observations["time"].max().to_pydatetime().replace(tzinfo=UTC) + timedelta(seconds=1)
    tracks = observations.groupby(["source", "track"]).ngroup().astype("int32") + 1
    rows = observations.assign(track=tracks, lesson=0).drop(columns="source")
    workspace = Workspace.open(database)
    try:
        zone = workspace.get("live", {}).get("time_zone", "UTC")
        audience = "self" if most <= 1 else "class"
        labels = (pipeline.profile.name, str(pipeline.formula), "file", audience)
        workspace.add([Lesson(name, "No class", "No subject", "", zone, *labels, start)], [end], rows)
    finally:
        workspace.close()
    print(f'Stored as the lesson "{name}", {start:%Y-%m-%d %H:%M} UTC, {len(rows)} observations.', file=sys.stderr)


def _together(parts: "list[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    filled = [part for part in parts if not part.empty]
    return pd.concat(filled, ignore_index=True) if filled else parts[-1]


def add_arguments_sample(parser: Parser) -> None:
    parser.add_argument("--weeks", type=_weeks, default=12, help="school weeks before this one (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="another number makes another term (default: 0)")
    parser.add_argument("--remove", action="store_true", help="take the synthetic lessons out again, and nothing else")


def main_sample(args: argparse.Namespace) -> int:
    from cssafe import sample
    from cssafe.store import Workspace

    chosen = settings.read()
    database = chosen.database
    if not chosen.profile.stored:
        raise BadInput(f"The profile {chosen.profile.name} stores nothing: set CSSAFE_PROFILE to consent.")
    workspace = Workspace.open(database)
    try:
        if args.remove:
            sample.remove(workspace)
            print("The synthetic lessons are gone.")
        else:
            lessons = sample.fill(workspace, chosen.profile, args.seed, args.weeks)
            print(f"{len(lessons)} synthetic lessons, marked as such, are in {database}.")
    finally:
        workspace.close()
    return 0


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, not {text!r}")
    return value


def _weeks(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 52):
        raise argparse.ArgumentTypeError(f"expected 1 to 52 weeks, not {text!r}")
    return int(text)


def _for_the_user() -> tuple[type[Exception], ...]:
    """Errors whose message is written for the user; those of modules never imported cannot have been raised."""
    known = {"cssafe.media": "MediaError", "cssafe.store": "StoreError", "cssafe.training.evaluate": "DataError"}
    loaded = [getattr(sys.modules[module], name) for module, name in known.items() if module in sys.modules]
    return (BadInput, ConfigurationError, OSError, *loaded)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} in {where}"
