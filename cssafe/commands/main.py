"""The command line: python -m cssafe analyze | watch | evaluate | bench | train | temporal | validate | fit | sample |
restore | export | import | rescue.

Exit status 0; 2 and one line on stderr for input that cannot be used; 3 where `analyze` could read only a part of it, with a
line on what is missing; 130 after Ctrl-C. What a command needs is imported when it is chosen, so that the help and every
complaint come at once.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cssafe import settings
from cssafe.errors import CssafeError
from cssafe.labels import ACTIVITIES

if TYPE_CHECKING:
    from cssafe.pipeline import Pipeline
    from cssafe.recording import Recording
    from cssafe.store import Workspace

COMMANDS = {
    "analyze": ("read faces in images, videos, folders and cameras", "cssafe.commands.main"),
    "watch": ("record a lesson from a room camera, with no browser open", "cssafe.commands.watch"),
    "evaluate": ("score the expression network on labelled faces", "cssafe.training.expression.evaluate"),
    "signals": ("measure how far head pose and the other signals can be trusted", "cssafe.training.signals.evaluate"),
    "bench": ("measure how fast everything is on this machine", "cssafe.commands.bench"),
    "train": ("train the expression network", "cssafe.training.expression.train"),
    "temporal": ("train and compare what joins a face's frames over time", "cssafe.training.temporal.compare"),
    "validate": ("compare scores with people's labels of engagement", "cssafe.training.engagement.validate"),
    "fit": ("make a formula from labelled videos or lessons", "cssafe.training.engagement.fit"),
    "hidden": ("learn and measure how much of a face is hidden", "cssafe.training.occlusion.train"),
    "sample": ("fill the database with a synthetic term", "cssafe.commands.main"),
    "restore": ("put a backup in the place of the database", "cssafe.commands.main"),
    "export": ("write everything in the database into one file", "cssafe.exchange.exporter"),
    "import": ("take in what another CSSAFE has exported", "cssafe.exchange.importer"),
    "rescue": ("copy what can be read of a damaged database into a new one", "cssafe.commands.rescue"),
}
"""Name -> what it does, and the module with its `add_arguments(parser)` and `main(args)`; here they carry its name."""

TASKS = {
    ("evaluate", "detection"): ("score the face detectors on photographs", "cssafe.training.detection.evaluate"),
    ("train", "detection"): ("train the face detector", "cssafe.training.detection.train"),
}
"""The same for another `--task` than the expression network."""

INCOMPLETE = 3
"""Exit status of `analyze` where a source could not be read, or not to its end; what was read is kept."""

HEADING = f"{'source':<40} {'frames':>6} {'seconds':>7} {'faces':>5} {'concentration':>13}  emotion"


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
        tasks = ("expression", *(task for command, task in TASKS if command == name))
        task = _task(name, words, tasks)
        does, module = TASKS.get((name, task), COMMANDS[name])
        add_arguments, run = _load(name, module)
        parser = Parser(prog=f"python -m cssafe {name}", description=does.capitalize() + ".")
        if len(tasks) > 1:
            parser.add_argument("--task", choices=tasks, default="expression", help="default: expression")
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
        error = _damage(error)
        expected = isinstance(error, (CssafeError, OSError))
        kind = "" if expected else f"This is a fault in CSSAFE, please report it: {_place(error)}: "
        print(f"{parser.prog}: {kind}{_one_line(error)}", file=sys.stderr)
        return 2 if expected else 1


def _task(name: str, words: Sequence[str], tasks: Sequence[str]) -> str:
    """What --task says, if this command has one: its module is to be loaded before the rest can be understood."""
    parser = Parser(prog=f"python -m cssafe {name}", add_help=False, allow_abbrev=False)
    if len(tasks) > 1:
        parser.add_argument("--task", choices=tasks, default="expression")
    return getattr(parser.parse_known_args(words[1:])[0], "task", "expression")


def _load(name: str, path: str) -> tuple[Callable[[Parser], None], Callable[[argparse.Namespace], int]]:
    module = import_module(path)
    suffix = f"_{name}" if module.__name__ == __name__ else ""
    return getattr(module, f"add_arguments{suffix}"), getattr(module, f"main{suffix}")


def add_arguments_analyze(parser: Parser) -> None:
    parser.epilog = (
        "Exit status 0; 2 if nothing could be read; 3 if a file breaks off or cannot be read, or a camera stops sending: a "
        "line on stderr says what is missing, and what was read is printed, written and stored. 130 after Ctrl-C, with what "
        "was read until then; Ctrl-C ends a camera's recording with status 0."
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="image, video, folder, device number, rtsp://...")
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="write the observations there")
    parser.add_argument("--lesson", metavar="NAME", help="store the observations as a lesson of this name")
    parser.add_argument("--every", type=_seconds, metavar="SECONDS", help="time between analysed frames (0.2; 0: all)")
    parser.add_argument("--profile", metavar="P", help=f"{', '.join(settings.PROFILES)} (default: CSSAFE_PROFILE)")
    parser.add_argument(
        "--activity", choices=ACTIVITIES, metavar="A", default=ACTIVITIES[0], help=f"{', '.join(ACTIVITIES)}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and analysed frame")


def main_analyze(args: argparse.Namespace) -> int:
    from cssafe import media

    chosen = settings.load()
    profile = settings.find_profile(args.profile) if args.profile else chosen.profile
    _check_outputs(args, chosen, profile)
    files = [(file, os.path.isdir(source)) for source in args.sources for file in media.find(source)]
    _check_readable(files)

    from cssafe.pipeline import Pipeline

    recordings = {file: _begun(file) for file, _ in files}
    with _database(chosen) if args.lesson else nullcontext() as workspace:  # a database in use is told before the work
        pipeline = Pipeline(profile, chosen.model, chosen.detector)
        if not args.json:
            print(HEADING)
        try:
            complete = _read(pipeline, files, args, recordings)
        finally:  # whatever ended the reading, what was read is kept
            read = {file: recording for file, recording in recordings.items() if recording.frames}
            if read:
                _keep(read, args, pipeline, workspace)
    if not read:
        raise CssafeError(f"{', '.join(map(media.hidden, args.sources))}: no image or video that can be read.")
    return 0 if complete else INCOMPLETE


def _check_outputs(args: argparse.Namespace, chosen: settings.Settings, profile: settings.Profile) -> None:
    """Refuse what could not be written at the end before the work is begun."""
    if args.lesson is not None:
        chosen.database  # noqa: B018 hosted there is none
        if not profile.stored:
            raise CssafeError(f"The profile {profile.name} stores nothing, so --lesson cannot be used with it.")
        if not args.lesson.strip():
            raise CssafeError("--lesson needs a name.")
    if args.out is not None and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        raise CssafeError(f"--out {args.out}: expected the name of a file in a folder that is there.")


def _check_readable(files: Sequence[tuple[str, bool]]) -> None:
    """Refuse files none of which can be read before the networks are loaded; folders and cameras are tried later."""
    from cssafe import media

    problems = []
    for file, in_folder in files:
        if in_folder or media.is_camera(file):
            return
        try:
            next(media.frames(file))
            return
        except media.MediaError as error:
            problems.append(str(error))
    raise CssafeError(" ".join(problems))


def _begun(source: str) -> "Recording":
    """The empty recording of a file or camera."""
    from cssafe import media
    from cssafe.recording import Recording

    return Recording(None if media.is_camera(source) else media.started(source))


def _read(
    pipeline: "Pipeline",
    files: Sequence[tuple[str, bool]],
    args: argparse.Namespace,
    recordings: "dict[str, Recording]",
) -> bool:
    """Analyse every file into its recording, and say what is missing where one cannot be read to its end.

    Files in folders whose name promises no image or video are passed over in silence. Returns whether all was read.
    """
    from cssafe import media

    complete, every = True, media.EVERY if args.every is None else args.every
    for file, in_folder in files:
        recording = recordings[file]
        try:
            _analyze(pipeline, file, every, args, recording)
        except KeyboardInterrupt:
            _say_stopped(recordings, file)
            raise
        except media.MediaError as error:
            if recording.frames or not in_folder or media.named_as_media(file):
                complete = False
                part = f"It was read up to {recording.seconds:.1f} s." if recording.frames else "Nothing was read."
                print(f"{error} {part}", file=sys.stderr)
    return complete


def _say_stopped(recordings: "dict[str, Recording]", file: str) -> None:
    """Say how far a file was read at which the reading was stopped, and which files were not read."""
    from cssafe import media

    files = list(recordings)
    left = files[files.index(file) :]
    if frames := recordings[file].frames:
        print(f"{media.hidden(file)}: it was read up to {recordings[file].seconds:.1f} s.", file=sys.stderr)
    if unread := left[1 if frames else 0 :]:
        print(f"Not read: {', '.join(map(media.hidden, unread))}.", file=sys.stderr)


def _analyze(pipeline: "Pipeline", source: str, every: float, args: argparse.Namespace, recording: "Recording") -> None:
    """Analyse one source, printing as it goes. Ctrl-C is how a camera's recording ends."""
    from cssafe import media
    from cssafe.frames import describe
    from cssafe.pipeline import Stream
    from cssafe.recording import analyze

    name, stream = media.hidden(source), Stream(activity=args.activity)
    tell, patience = time.monotonic() + 2, 0.5 if sys.stderr.isatty() else 10
    try:
        for picture, result in analyze(source, every, lambda frame: pipeline.analyze(frame, stream), recording):
            if args.json:
                line = {"source": name, "time": round(picture.seconds, 3), "faces": describe(result)}
                print(json.dumps(line, allow_nan=False), flush=True)
            if time.monotonic() > tell:
                tell = time.monotonic() + patience
                end = "\r" if sys.stderr.isatty() else "\n"
                print(f"{name}: {picture.seconds:.0f} s", end=end, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        if not media.is_camera(source):
            raise
    finally:
        recording.end()
        if recording.frames and not args.json:
            print(_summary(name, recording), flush=True)


@contextmanager
def _database(chosen: settings.Settings) -> "Iterator[Workspace]":
    from cssafe.store import Workspace

    with closing(Workspace.open(chosen.database, chosen.profile.expression)) as workspace:
        yield workspace
    if workspace.backup_problem:
        print(workspace.backup_problem, file=sys.stderr)


def _summary(source: str, recording: "Recording") -> str:
    from cssafe.labels import FERPLUS
    from cssafe.observations import EXPRESSION

    observations = recording.observations
    index = observations["concentration"].mean()
    likely = observations[list(EXPRESSION)].mean().dropna()
    emotion = dict(zip(EXPRESSION, FERPLUS, strict=True))[likely.idxmax()] if len(likely) else "-"
    name = source if len(source) <= 40 else "..." + source[-37:]
    mean = "-" if math.isnan(index) else f"{index:.2f}"
    return f"{name:<40} {recording.frames:>6} {recording.seconds:>7.1f} {recording.most:>5} {mean:>13}  {emotion}"


def _keep(
    recordings: "dict[str, Recording]", args: argparse.Namespace, pipeline: "Pipeline", workspace: "Workspace | None"
) -> None:
    """Write and store what was read; should one of them fail, the other is done all the same."""
    try:
        if args.out is not None:
            _write(recordings, args.out)
    finally:
        if workspace is not None:
            _store(list(recordings.values()), args.lesson.strip(), args.activity, pipeline, workspace)


def _write(recordings: dict[str, "Recording"], out: Path) -> None:
    import pandas as pd

    from cssafe.media import hidden

    parts = [recording.observations.assign(source=hidden(source)) for source, recording in recordings.items()]
    pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True).to_parquet(out, index=False)


def _store(
    recordings: "list[Recording]", name: str, activity: str, pipeline: "Pipeline", workspace: "Workspace"
) -> None:
    """Add the lesson, whole or not at all."""
    from cssafe.recording import join
    from cssafe.store import NO_CLASS, NO_SUBJECT, Lesson

    rows, start, end = join(recordings)
    zone = workspace.get("live", {}).get("time_zone", "UTC")
    audience = "self" if max(recording.most for recording in recordings) <= 1 else "class"
    labels = (pipeline.profile.name, str(pipeline.formula), "file", audience)
    workspace.add([Lesson(name, NO_CLASS, NO_SUBJECT, "", zone, *labels, start, activity)], [end], rows)
    print(f'Stored as the lesson "{name}", {start:%Y-%m-%d %H:%M} UTC, {len(rows)} observations.', file=sys.stderr)


def add_arguments_sample(parser: Parser) -> None:
    parser.add_argument("--weeks", type=_weeks, default=12, help="school weeks before this one (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="another number makes another term (default: 0)")
    parser.add_argument("--remove", action="store_true", help="take the synthetic lessons out again, and nothing else")


def main_sample(args: argparse.Namespace) -> int:
    from cssafe import sample

    chosen = settings.load()
    database = chosen.database
    if not chosen.profile.stored:
        raise CssafeError(f"The profile {chosen.profile.name} stores nothing: set CSSAFE_PROFILE to consent.")
    with _database(chosen) as workspace:
        if args.remove:
            sample.remove_term(workspace)
            print("The synthetic lessons are gone.")
        else:
            lessons = sample.add_term(workspace, chosen.profile, args.seed, args.weeks)
            print(f"{len(lessons)} synthetic lessons, marked as such, are in {database}.")
    return 0


def add_arguments_restore(parser: Parser) -> None:
    parser.add_argument("backup", nargs="?", metavar="DATE|FILE", help="such as 2026-11-29 (default: the newest)")
    parser.add_argument("--list", action="store_true", help="show the backups, and restore none")


def main_restore(args: argparse.Namespace) -> int:
    from cssafe.store import backups, restore_file

    database = settings.load().database
    found, newest = backups.list_backups(database), backups.newest_backup(database)
    if newest is None and (args.list or args.backup is None):
        raise CssafeError(f"There is no backup of {database} yet. CSSAFE makes one on a day on which a lesson ends.")
    if args.list:
        for backup in found:
            held = "cannot be read" if backup.lessons is None else f"{backup.lessons} lessons"
            print(f"{backup.day}  {held:>14}  {backup.size / 1e6:>7.1f} MB  {backup.path}")
        return 0
    dated = newest if args.backup is None else backups.backup_path(database, args.backup)
    chosen = dated if dated is not None and dated.is_file() else Path(args.backup)
    if not chosen.is_file():
        raise CssafeError(
            f"There is no backup {chosen}: expected a date or a file that python -m cssafe restore --list shows."
        )
    kept = restore_file(database, chosen)
    print(f"Restored {chosen}." + (f" The database before is kept as {kept}." if kept else ""))
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


def _damage(error: Exception) -> Exception:
    """The error in words if a block of the database turned out damaged; any other as it is."""
    if "cssafe.store" not in sys.modules:
        return error
    from cssafe.store import backups
    from cssafe.store.errors import is_damage, why_damaged

    path = settings.load().database
    return why_damaged(path, error, backup=backups.newest_backup(path)) if is_damage(error) else error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} in {where}"
