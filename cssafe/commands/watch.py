"""A lesson from a room camera without the app: `python -m cssafe watch SOURCE --lesson NAME`."""

import argparse
import signal
import sys
import threading
from datetime import UTC, datetime, time
from time import monotonic
from zoneinfo import ZoneInfo, available_timezones

from cssafe import media, settings
from cssafe.errors import ConfigurationError
from cssafe.labels import LEVELS
from cssafe.live.engine import Engine
from cssafe.live.lesson import LiveLesson
from cssafe.live.room_camera import CameraReader, check_source
from cssafe.pipeline import Pipeline
from cssafe.presence.still_faces import describe_still
from cssafe.settings import Profile
from cssafe.store import Workspace

STATUS_INTERVAL_S = 60.0
"""Time between two status lines, unless there is news of pictures that never change."""

NEWS_INTERVAL_S = 1.0
"""Time between two looks for news."""

AGREE = "Everybody who will be in the picture, and for minors a parent, must have agreed to being filmed and analysed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="rtsp://..., http://..., device number; or a video, repeated")
    parser.add_argument("--lesson", metavar="NAME", required=True, help="name of the lesson to be stored")
    parser.add_argument("--class", dest="class_name", metavar="C", default="", help="such as 7b")
    parser.add_argument("--subject", metavar="S", default="")
    parser.add_argument("--room", metavar="R", default="")
    parser.add_argument("--zone", metavar="Z", help="time zone, such as Europe/Berlin (default: the last lesson's)")
    parser.add_argument("--profile", metavar="P", help=f"{', '.join(settings.PROFILES)} (default: CSSAFE_PROFILE)")
    parser.add_argument(
        "--until", type=_parse_clock, metavar="HH:MM", help="end then, in the time zone (default: at Ctrl-C)"
    )


def main(args: argparse.Namespace) -> int:
    chosen = settings.load()
    profile = settings.find_profile(args.profile) if args.profile else chosen.profile
    _check_arguments(args, profile)
    check_source(chosen, args.source)
    workspace = Workspace.open(chosen.database, profile.expression)
    try:
        zone = args.zone or workspace.get("live", {}).get("time_zone", "UTC")
        until = _time_today(args.until, zone) if args.until else None
        next(media.frames(args.source))  # a source without a picture is reported before the networks are loaded
        if profile.agreement and not workspace.get("agreed", False):
            print(AGREE, file=sys.stderr)
        engine = Engine(lambda: Pipeline(profile, chosen.model, chosen.detector)).start()
        try:
            engine.loaded.result()
            lesson = _new_lesson(args, workspace, profile, zone)
            capture = CameraReader(chosen, engine, lesson, args.source).start()
            _record_until(capture, until)
        finally:
            engine.close()  # first, so that the picture it works on still counts
        capture.end()
    finally:
        workspace.close()
    print(_summary_line(lesson), file=sys.stderr)
    return 0


def _check_arguments(args: argparse.Namespace, profile: Profile) -> None:
    if not profile.stored:
        raise ConfigurationError(
            f"The profile {profile.name} stores nothing, so that no lesson can be recorded with it."
        )
    if not args.lesson.strip():
        raise ConfigurationError("--lesson needs a name.")
    if args.zone is not None and args.zone not in available_timezones():
        raise ConfigurationError(
            f"There is no time zone {args.zone!r}. Use a name such as Europe/Berlin or Asia/Kolkata."
        )


def _new_lesson(args: argparse.Namespace, workspace: Workspace, profile: Profile, zone: str) -> LiveLesson:
    form = {"class_name": args.class_name, "subject": args.subject, "room": args.room, "name": args.lesson}
    form = {name: text.strip() for name, text in form.items()} | {"time_zone": zone}
    source = "camera" if media.is_camera(args.source) else "file"
    return LiveLesson.start(workspace, profile, audience="class", source=source, **form)


def _record_until(capture: CameraReader, until: datetime | None) -> None:
    """Wait for Ctrl-C, SIGTERM or that time (aware), with a status line from time to time."""
    stop = threading.Event()
    before = {which: signal.signal(which, lambda *_: stop.set()) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        end = f"until {until:%H:%M}" if until else "until Ctrl-C"
        print(f'The lesson "{capture.lesson.lesson.name}" is recorded {end}.', file=sys.stderr, flush=True)
        known, said = ("", False), monotonic()
        while not stop.wait(min(NEWS_INTERVAL_S, _seconds_to_next_status(until))):
            if until is not None and datetime.now(UTC) >= until:
                return
            news = _unchanging(capture)
            if news != known or monotonic() >= said + STATUS_INTERVAL_S:
                known, said = news, monotonic()
                print(status_line(capture), file=sys.stderr, flush=True)
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def _unchanging(capture: CameraReader) -> tuple[str, bool]:
    """The sentence about faces that never move, and whether the picture does not change."""
    view = capture.lesson.state()
    frozen = view.reading.notice is not None and view.reading.notice.code == "unchanged"
    return describe_still(view.still), frozen


def _seconds_to_next_status(until: datetime | None) -> float:
    left = (until - datetime.now(UTC)).total_seconds() if until is not None else STATUS_INTERVAL_S
    return max(0.0, min(STATUS_INTERVAL_S, left))


def status_line(capture: CameraReader) -> str:
    """Time, camera, faces and, where it may be shown, the concentration of the class."""
    view = capture.lesson.state()
    reading = view.reading
    clock = datetime.now(ZoneInfo(capture.lesson.lesson.time_zone))
    figure = reading.note or f"class concentration {reading.concentration:.2f} ({LEVELS[reading.level]})"
    trouble = "".join(
        f" {problem}" for problem in (capture.problem, view.problem, describe_still(view.still)) if problem
    )
    return f"{clock:%H:%M:%S} camera {capture.state}, {reading.faces} faces, {figure}{trouble}"


def _summary_line(lesson: LiveLesson) -> str:
    view = lesson.state()
    if not view.seconds:
        return "Nothing was stored: no face was seen."
    seen = f"{view.seconds - view.lost} seconds with a face in view, at most {view.faces} at once"
    missing = f" Seconds that could not be written and are missing: {view.lost}." if view.lost else ""
    return f'Stored as the lesson "{lesson.lesson.name}": {seen}.{missing}'


def _parse_clock(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a time of today such as 09:45, not {text!r}") from None


def _time_today(clock: time, zone: str) -> datetime:
    """The time today in the zone. Raises ConfigurationError: the time is past."""
    now = datetime.now(ZoneInfo(zone))
    until = datetime.combine(now.date(), clock, now.tzinfo)
    if until <= now:
        raise ConfigurationError(
            f"--until {clock:%H:%M} is past: it is {now:%H:%M} in {zone}. Choose a later time of today, or another --zone."
        )
    return until
