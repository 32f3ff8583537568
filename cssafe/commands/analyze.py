"""Analysis of images, videos, folders and cameras: `python -m cssafe analyze SOURCE ...`.

Exit status 0; 2 where nothing could be read; 3 where a source could not be read to its end.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cssafe import settings
from cssafe.commands.arguments import Parser, open_database
from cssafe.errors import CssafeError
from cssafe.labels import ACTIVITIES

if TYPE_CHECKING:
    from cssafe.pipeline import Pipeline
    from cssafe.recording import Recording
    from cssafe.store import Workspace

INCOMPLETE = 3
"""Exit status where a source could not be read to its end; what was read is kept."""

HEADING = f"{'source':<40} {'frames':>6} {'seconds':>7} {'faces':>5} {'concentration':>13}  emotion"


def add_arguments(parser: Parser) -> None:
    parser.epilog = (
        "Exit status 0; 2 if nothing could be read; 3 if a file breaks off or cannot be read, or a camera stops sending: a "
        "line on stderr says what is missing, and what was read is printed, written and stored. 130 after Ctrl-C, with what "
        "was read until then; Ctrl-C ends a camera's recording with status 0."
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="image, video, folder, device number, rtsp://...")
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="write the observations there")
    parser.add_argument("--lesson", metavar="NAME", help="store the observations as a lesson of this name")
    parser.add_argument(
        "--every", type=_parse_seconds, metavar="SECONDS", help="time between analysed frames (0.2; 0: all)"
    )
    parser.add_argument("--profile", metavar="P", help=f"{', '.join(settings.PROFILES)} (default: CSSAFE_PROFILE)")
    parser.add_argument(
        "--activity", choices=ACTIVITIES, metavar="A", default=ACTIVITIES[0], help=f"{', '.join(ACTIVITIES)}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line and analysed frame")


def main(args: argparse.Namespace) -> int:
    from cssafe import media

    chosen = settings.load()
    profile = settings.find_profile(args.profile) if args.profile else chosen.profile
    _check_outputs(args, chosen, profile)
    files = [(file, os.path.isdir(source)) for source in args.sources for file in media.find(source)]
    _check_readable(files)

    from cssafe.pipeline import Pipeline
    from cssafe.scoring.formula import choose_formula

    recordings = {file: _new_recording(file) for file, _ in files}
    # A database in use is reported before the work.
    with open_database(chosen) if args.lesson else nullcontext() as workspace:
        pipeline = Pipeline(profile, chosen.model, chosen.detector)
        if workspace is not None:
            pipeline.formula = choose_formula(workspace.get("formula"), profile.expression)
        if not args.json:
            print(HEADING)
        try:
            complete = _read_sources(pipeline, files, args, recordings)
        finally:  # whatever ended the reading, what was read is kept
            read = {file: recording for file, recording in recordings.items() if recording.frames}
            if read:
                _keep_recordings(read, args, pipeline, workspace)
    if not read:
        raise CssafeError(f"{', '.join(map(media.hide_password, args.sources))}: no image or video that can be read.")
    return 0 if complete else INCOMPLETE


def _check_outputs(args: argparse.Namespace, chosen: settings.Settings, profile: settings.Profile) -> None:
    """Refuse outputs that could not be written, before the work begins."""
    if args.lesson is not None:
        chosen.database  # noqa: B018 hosted there is none
        if not profile.stored:
            raise CssafeError(f"The profile {profile.name} stores nothing, so --lesson cannot be used with it.")
        if not args.lesson.strip():
            raise CssafeError("--lesson needs a name.")
    if args.out is not None and (args.out.is_dir() or not args.out.absolute().parent.is_dir()):
        raise CssafeError(f"--out {args.out}: expected the name of a file in a folder that is there.")


def _check_readable(files: Sequence[tuple[str, bool]]) -> None:
    """Refuse unreadable files before the networks are loaded; folders and cameras are tried later."""
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


def _new_recording(source: str) -> "Recording":
    """The empty recording of a file or camera."""
    from cssafe import media
    from cssafe.recording import Recording

    return Recording(None if media.is_camera(source) else media.started(source))


def _read_sources(
    pipeline: "Pipeline",
    files: Sequence[tuple[str, bool]],
    args: argparse.Namespace,
    recordings: "dict[str, Recording]",
) -> bool:
    """Analyse every file into its recording; a line on stderr names a file that cannot be read to its end.

    Files in folders without the name of an image or video are skipped in silence. Returns whether all was read.
    """
    from cssafe import media

    complete, every = True, media.FRAME_INTERVAL_S if args.every is None else args.every
    for file, in_folder in files:
        recording = recordings[file]
        try:
            _read_source(pipeline, file, every, args, recording)
        except KeyboardInterrupt:
            _report_unread(recordings, file)
            raise
        except media.MediaError as error:
            if recording.frames or not in_folder or media.named_as_media(file):
                complete = False
                part = f"It was read up to {recording.seconds:.1f} s." if recording.frames else "Nothing was read."
                print(f"{error} {part}", file=sys.stderr)
    return complete


def _report_unread(recordings: "dict[str, Recording]", file: str) -> None:
    """Name the file in which reading stopped, its last second, and the files that were not read."""
    from cssafe import media

    files = list(recordings)
    left = files[files.index(file) :]
    if frames := recordings[file].frames:
        print(f"{media.hide_password(file)}: it was read up to {recordings[file].seconds:.1f} s.", file=sys.stderr)
    if unread := left[1 if frames else 0 :]:
        print(f"Not read: {', '.join(map(media.hide_password, unread))}.", file=sys.stderr)


def _read_source(
    pipeline: "Pipeline", source: str, every: float, args: argparse.Namespace, recording: "Recording"
) -> None:
    """Analyse one source and print its results. Ctrl-C ends a camera's recording."""
    from cssafe import media
    from cssafe.frames import describe
    from cssafe.pipeline import Stream
    from cssafe.presence.still_faces import describe_still
    from cssafe.recording import analyze

    name, stream = media.hide_password(source), Stream(activity=args.activity)
    frozen = False
    tell, patience = time.monotonic() + 2, 0.5 if sys.stderr.isatty() else 10
    try:
        for picture, result in analyze(source, every, lambda frame: pipeline.analyze(frame, stream), recording):
            if args.json:
                about = {"source": name, "time": round(picture.seconds, 3), "formula": str(pipeline.formula)}
                line = about | {"faces": describe(result)}
                print(json.dumps(line, allow_nan=False), flush=True)
            if recording.frozen and not frozen:
                print(f"{name}: the picture does not change: nothing is recorded until it does.", file=sys.stderr)
            frozen = recording.frozen
            if time.monotonic() > tell:
                tell = time.monotonic() + patience
                end = "\r" if sys.stderr.isatty() else "\n"
                print(f"{name}: {picture.seconds:.0f} s", end=end, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        if not media.is_camera(source):
            raise
    finally:
        recording.end()
        if len(recording.still):
            print(f"{name}: {describe_still(len(recording.still))}", file=sys.stderr)
        if recording.frames and not args.json:
            print(_summary_line(name, recording), flush=True)


def _summary_line(source: str, recording: "Recording") -> str:
    from cssafe.labels import FERPLUS
    from cssafe.observations import EXPRESSION

    observations = recording.observations
    index = observations["concentration"].mean()
    likely = observations[list(EXPRESSION)].mean().dropna()
    emotion = dict(zip(EXPRESSION, FERPLUS, strict=True))[likely.idxmax()] if len(likely) else "-"
    name = source if len(source) <= 40 else "..." + source[-37:]
    mean = "-" if math.isnan(index) else f"{index:.2f}"
    return f"{name:<40} {recording.frames:>6} {recording.seconds:>7.1f} {recording.most:>5} {mean:>13}  {emotion}"


def _keep_recordings(
    recordings: "dict[str, Recording]", args: argparse.Namespace, pipeline: "Pipeline", workspace: "Workspace | None"
) -> None:
    """Write the table and store the lesson; each is done even if the other fails."""
    try:
        if args.out is not None:
            _write_table(recordings, args.out)
    finally:
        if workspace is not None:
            _store_lesson(list(recordings.values()), args.lesson.strip(), args.activity, pipeline, workspace)


def _write_table(recordings: dict[str, "Recording"], out: Path) -> None:
    import pandas as pd

    from cssafe.media import hide_password

    parts = [recording.observations.assign(source=hide_password(source)) for source, recording in recordings.items()]
    pd.concat([part for part in parts if not part.empty] or parts[:1], ignore_index=True).to_parquet(out, index=False)


def _store_lesson(
    recordings: "list[Recording]", name: str, activity: str, pipeline: "Pipeline", workspace: "Workspace"
) -> None:
    """Add the lesson, whole or not at all."""
    from cssafe.recording import join_recordings
    from cssafe.store import NO_CLASS, NO_SUBJECT, Lesson

    rows, empty, start, end = join_recordings(recordings)
    zone = workspace.get("live", {}).get("time_zone", "UTC")
    audience = "self" if max(recording.most for recording in recordings) <= 1 else "class"
    labels = (pipeline.profile.name, str(pipeline.formula), "file", audience)
    workspace.add([Lesson(name, NO_CLASS, NO_SUBJECT, "", zone, *labels, start, activity)], [end], rows, empty)
    print(f'Stored as the lesson "{name}", {start:%Y-%m-%d %H:%M} UTC, {len(rows)} observations.', file=sys.stderr)


def _parse_seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, not {text!r}")
    return value
