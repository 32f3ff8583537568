"""Frames from image files, videos, folders and cameras, each with its own time. Nothing is written anywhere.

The content of a file decides its kind, not its name. A file lies on the disk, or in memory (an upload) and stays there.
"""

import logging
import math
import mimetypes
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from cssafe.errors import MediaError
from cssafe.language import N_, _
from cssafe.media.cameras import hide_password, is_camera, open_camera, read_device, reason
from cssafe.media.images import MAX_PIXELS, check_size, decode_image, is_image, parse_time, taken_at

__all__ = ["FRAME_INTERVAL_S", "About", "MediaError", "Picture", "Source", "about", "decode_image", "find", "frames",
           "hide_password", "is_camera", "named_as_media", "started"]  # fmt: skip

log = logging.getLogger(__name__)

VIDEO_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,h264,hevc"
"""FFmpeg's names of the containers that are read from files. Left out on purpose: playlists, which may point at other
files, and text, which FFmpeg would draw as a terminal."""

STILL_FORMATS = ("image2", "jpeg_pipe")
"""FFmpeg's names of single pictures from a camera's address, which end as they should."""

FRAME_INTERVAL_S = 0.2
"""Seconds between the frames of a video that are analysed: expressions last half a second and longer."""

MISSING_S = 1.0
"""Seconds of a video that may be missing before it counts as incomplete: stated lengths are rounded, or those of the sound."""

MIN_SEEK_S = 2.0
"""Seconds of a video that are decoded sooner than found in its index."""

TIME_TOLERANCE_S = 1e-6
"""Seconds by which a frame may come before its place on the grid: times are fractions and do not quite add up."""

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")
"""Brands of phone pictures that FFmpeg would take for videos and show a corner of."""

Source = str | BinaryIO
"""A path, a camera's address or device number, or an open binary file that can be read anywhere (an upload in memory),
named in messages by its `name`."""


class Picture(NamedTuple):
    """seconds: from the start of the source. image: uint8 (h, w, 3), BGR."""

    seconds: float
    image: np.ndarray


class About(NamedTuple):
    """Metadata of a file. still: it is an image. recorded: aware, UTC, or None. seconds: a video's length, or
    None."""

    still: bool = False
    recorded: datetime | None = None
    seconds: float | None = None


def find(source: str) -> list[str]:
    """The files or camera behind one source: itself, or for a folder every file in it and below, sorted by name.

    Raises:
        MediaError: there is no such file, or the folder holds no file.
    """
    if is_camera(source):
        return [source]
    path = Path(source)
    if path.is_dir():
        files = sorted(str(p) for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        if not files:
            raise MediaError(N_("{source}: the folder holds no files."), source=source)
        return files
    if not path.exists():
        raise MediaError(N_("{source}: there is no such file or folder."), source=source)
    return [source]


def named_as_media(path: str) -> bool:
    """Whether the file's name promises an image or a video (so that failing to read it is worth a word)."""
    return (mimetypes.guess_type(path)[0] or "").split("/")[0] in ("image", "video")


def started(path: str) -> datetime:
    """Start of the recording, UTC: from the file's metadata, otherwise the time of its last change."""
    return about(path).recorded or datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)


def about(source: Source) -> About:
    """Metadata of a file, from its head alone; empty where it cannot be read."""
    import av

    try:
        with _open(source) as file:
            if is_image(file):
                return About(True, taken_at(file))
        with _container(source) as container:
            seconds = container.duration / av.time_base if container.duration else None
            return About(False, parse_time(container.metadata.get("creation_time", "")), seconds)
    except (OSError, ValueError, av.FFmpegError):
        return About()


def frames(source: Source, every: float = FRAME_INTERVAL_S, since: float = 0.0) -> Iterator[Picture]:
    """The pictures of one file or camera, at most one in `every` seconds (0: all of them); an image has one, at 0 s.

    One picture is in memory at a time. Their size may change on the way. since: seconds from the start of a video before
    which its pictures are passed over.

    Raises:
        MediaError: no image or video, damaged, sound only, too large, or a camera that does not answer.
    """
    if isinstance(source, str) and source.isdecimal():
        pictures = _thinned(read_device(int(source)), every)
    elif isinstance(source, str) and is_camera(source):
        pictures = _stream(source, every, since)
    else:
        pictures = _file(source, every, since)
    found = False
    for picture in pictures:
        found = True
        yield picture
    if not found:
        raise MediaError(
            N_("{name}: there is not one picture in it that can be read; it is damaged or incomplete."),
            name=_name(source),
        )


def _file(source: Source, every: float, since: float) -> Iterator[Picture]:
    name = _name(source)
    try:
        with _open(source) as file:
            head = file.read(12)
            if not head:
                raise MediaError(N_("{name}: the file is empty (0 bytes)."), name=name)
            still = _whole(file) if is_image(file) else None
    except OSError as error:
        raise MediaError(N_("{name}: the file cannot be opened ({reason})."), name=name, reason=reason(error)) from None
    if still is not None:
        try:
            yield Picture(0.0, decode_image(still))
        except MediaError as error:
            raise MediaError(N_("{name}: {problem}"), name=name, problem=error) from None
    elif head[4:8] == b"ftyp" and head[8:] in HEIC_BRANDS:
        raise MediaError(
            N_(
                "{name}: this is a HEIC picture, which cannot be read. Save it as JPEG (on an iPhone: Settings, Camera, "
                "Formats, Most Compatible)."
            ),
            name=name,
        )
    else:
        yield from _stream(source, every, since)


def _name(source: Source) -> str:
    """As it may be shown."""
    return hide_password(source) if isinstance(source, str) else getattr(source, "name", _("The file"))


def _open(source: Source) -> AbstractContextManager[BinaryIO]:
    """The file at its beginning. One that came open stays open."""
    if isinstance(source, str):
        return open(source, "rb")
    source.seek(0)
    return nullcontext(source)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _container(source: Source) -> Any:
    """An open video file or camera."""
    import av  # 0.2 s and only for videos

    if not isinstance(source, str):
        source.seek(0)
        return av.open(source, options={"format_whitelist": VIDEO_FORMATS}, metadata_errors="replace")
    if is_camera(source):
        return open_camera(source)
    return av.open(f"file:{source}", options={"format_whitelist": VIDEO_FORMATS}, metadata_errors="replace")


def _stream(source: Source, every: float, since: float) -> Iterator[Picture]:
    """A video file or network camera. Times are the frames' own, so a variable frame rate is kept; those of a camera are
    the clock's, for a stream of JPEGs has none."""
    import av

    name = _name(source)
    try:
        container = _container(source)
    except (av.FFmpegError, OSError, ValueError):
        raise MediaError(
            N_("{name}: this is not an image or video that can be read, or it is damaged."), name=name
        ) from None
    with container:
        video = _video(container, name)
        start, end, due = None, 0.0, since
        damaged: list[float] = []
        live = (
            isinstance(source, str)
            and is_camera(source)
            and container.duration is None
            and not container.format.name.startswith(STILL_FORMATS)
        )
        for frame in _readable(container, video, name, damaged):
            time_ = time.monotonic() if live else frame.time if frame.time is not None else end
            if start is None:
                start = time_
                if since > MIN_SEEK_S:
                    _skip(container, video, start + since)
            seconds = time_ - start
            end = time_ + (float(frame.duration * frame.time_base) if frame.duration else 0.0)
            if seconds + TIME_TOLERANCE_S >= due:
                due = _after(seconds, every)
                check_size(frame.width, frame.height, name)
                yield Picture(seconds, _turned(frame.to_ndarray(format="bgr24"), frame.rotation))
        if live:
            raise MediaError(N_("{camera}: the camera has stopped sending."), camera=name)
        if start is not None:
            _check_complete(end - start, _promised(container, video), sum(damaged), name)


def _video(container: Any, name: str) -> Any:
    """The first video of an open container, ready to decode."""
    # A picture that is attached to music (its cover) is no video.
    videos = [s for s in container.streams.video if not s.disposition & s.disposition.__class__.attached_pic]
    if not videos:
        raise MediaError(N_("{name}: there is no picture in it, only sound or text; a video is needed."), name=name)
    context = videos[0].codec_context
    if context is None:
        raise MediaError(
            N_("{name}: its pictures are coded in a way that cannot be read. Save it as MP4 (H.264)."), name=name
        )
    check_size(context.width, context.height, name)
    context.options = {"max_pixels": str(MAX_PIXELS)}  # for sizes that change on the way
    videos[0].thread_type = "AUTO"
    return videos[0]


def _check_complete(end: float, promised: float, damaged: float, name: str) -> None:
    """Say so where a video ended before the length that it states, or seconds of it were passed over."""
    if end < promised - MISSING_S:
        raise MediaError(
            N_("{name}: the video breaks off at {end:.1f} of {promised:.1f} seconds; it is incomplete."),
            name=name,
            end=end,
            promised=promised,
        )
    if damaged > MISSING_S:
        raise MediaError(
            N_("{name}: {lost:.1f} seconds of the video are damaged and were passed over."), name=name, lost=damaged
        )
    if damaged:  # too little to call it incomplete; the command line shows the line, and no log names a lesson
        log.warning("%.2f seconds of the video are damaged and were passed over.", damaged)


def _promised(container: Any, video: Any) -> float:
    """Length of a video as its file states it, seconds; 0 where it does not (MPEG streams, browsers' recordings)."""
    import av

    length = float(video.duration * video.time_base) if video.duration and video.time_base else 0.0
    if container.format.name == "avi" and video.average_rate:  # its duration is of what is there, its count of what was
        length = max(length, float(video.frames / video.average_rate))
    if tag := re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", video.metadata.get("DURATION", "")):  # Matroska, WebM
        length = max(length, 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3]))
    if not length and container.duration and len(container.streams) == 1:
        length = container.duration / av.time_base
    return length


def _skip(container: Any, video: Any, time_: float) -> None:
    """Go on from the last whole picture before that time; a file without an index is read through instead."""
    import av

    with suppress(av.FFmpegError):
        container.seek(int(time_ / video.time_base), stream=video)


def _readable(container: Any, video: Any, name: str, damaged: list[float]) -> Iterator[Any]:
    """Every frame that can be decoded; a damaged packet is passed over, as players do, and its seconds go to `damaged`."""
    import av

    packets, seconds = container.demux(video), 0.0
    while True:
        try:
            packet = next(packets)
            seconds = float(packet.duration * packet.time_base) if packet.duration else 0.0
            yield from packet.decode()
        except StopIteration:
            return
        except av.InvalidDataError:
            damaged.append(seconds)
        except av.FFmpegError as error:
            raise MediaError(
                N_("{name}: the connection or file broke off ({reason})."), name=name, reason=reason(error)
            ) from None


def _thinned(pictures: Iterator[tuple[float, np.ndarray]], every: float) -> Iterator[Picture]:
    due = 0.0
    for seconds, image in pictures:
        if seconds + TIME_TOLERANCE_S >= due:
            due = _after(seconds, every)
            yield Picture(seconds, image)


def _after(seconds: float, every: float) -> float:
    """The next time on the grid of `every` seconds."""
    return (math.floor((seconds + TIME_TOLERANCE_S) / every) + 1) * every if every > 0 else 0.0


def _turned(image: np.ndarray, rotation: int) -> np.ndarray:
    """Turned counter-clockwise by whole quarters, as a phone notes how it was held."""
    quarters = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image
