"""Pictures out of image files, videos, folders and cameras, each with its own time. Nothing is written anywhere.

What a file is, its content decides, not its name.
"""

import errno
import io
import math
import mimetypes
import re
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

PIXEL_LIMIT = 50_000_000
"""Pixels of one picture, told by its header before anything is decoded: 8K video has 33 million, and 50 million take
150 MB when decoded. A file of a few bytes can claim billions."""

IMAGES = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM", "AVIF", "JPEG2000")
"""Pillow's names of the formats that are read. The others are left alone (EPS starts a PostScript
interpreter)."""

VIDEOS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,h264,hevc"
"""FFmpeg's names of the containers that are read from files. Left out on purpose: playlists, which may point at other
files, and text, which FFmpeg would draw as a terminal."""

CAMERAS = f"{VIDEOS},rtsp,sdp,rtp,mpjpeg,mjpeg,jpeg_pipe,image2,hls"
"""FFmpeg's names of what is read from a camera's address."""

EVERY = 0.2
"""Seconds between the frames of a video that are analysed: expressions last half a second and longer."""

PATIENCE = 10.0
"""Seconds that a camera may stay silent."""

TICK = 1e-6
"""Seconds by which a frame may come before its place on the grid: times are fractions and do not quite add up."""

TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# PIXEL_LIMIT is stricter and stops with a message; Pillow's own warning would be a second line.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class MediaError(Exception):
    """A source that cannot be read; the message says what is wrong with it and what would be read."""


class Picture(NamedTuple):
    """seconds: from the start of the source. image: uint8 (h, w, 3), BGR."""

    seconds: float
    image: np.ndarray


def decode(data: bytes) -> np.ndarray:
    """An encoded image (JPEG, PNG, WebP...) -> uint8 (h, w, 3), BGR, turned as its EXIF orientation says.

    Raises:
        MediaError: empty, no image, incomplete, or larger than PIXEL_LIMIT.
    """
    if not data:
        raise MediaError("The image is empty (0 bytes).")
    try:
        with Image.open(io.BytesIO(data), formats=IMAGES) as image:
            _check_size(*image.size)
            image.load()
            return _bgr(ImageOps.exif_transpose(image))
    except MediaError:
        raise
    except TOO_LARGE:
        raise MediaError(f"The picture has more than {PIXEL_LIMIT // 10**6} million pixels. Make it smaller.") from None
    except UnidentifiedImageError:
        raise MediaError("This is not an image that can be read (JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF).") from None
    except Exception:  # Pillow's readers let errors of many kinds out of a damaged file
        raise MediaError("The image is damaged or incomplete: save or send it again.") from None


def is_camera(source: str) -> bool:
    """Whether the source is a camera address (device number, rtsp:// or http://) and not a file."""
    return source.isdecimal() or source.startswith(("rtsp://", "rtsps://", "http://", "https://"))


def hidden(source: str) -> str:
    """The source as it may be shown or logged: an address without the user and password in it."""
    if "://" not in source:
        return source
    bare = re.sub(r"(?s)://.*@", "://***@", source)
    return re.sub(r"(?i)((?:pass|pwd|token|auth|key|secret)\w*=)[^&/]*", r"\1***", bare)


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
            raise MediaError(f"{source}: the folder holds no files.")
        return files
    if not path.exists():
        raise MediaError(f"{source}: there is no such file or folder.")
    return [source]


def named_as_media(path: str) -> bool:
    """Whether the file's name promises an image or a video (so that failing to read it is worth a word)."""
    return (mimetypes.guess_type(path)[0] or "").split("/")[0] in ("image", "video")


def started(path: str) -> datetime:
    """When the recording was made, UTC: as the file says itself, otherwise the time of its last change."""
    import av

    changed = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
    try:
        with av.open(f"file:{path}", options={"format_whitelist": VIDEOS}) as container:
            return datetime.fromisoformat(container.metadata["creation_time"]).astimezone(UTC)
    except (KeyError, ValueError, av.FFmpegError):
        return changed


def frames(source: str, every: float = EVERY) -> Iterator[Picture]:
    """The pictures of one file or camera, at most one in `every` seconds (0: all of them); an image has one, at 0 s.

    One picture is in memory at a time. Their size may change on the way.

    Raises:
        MediaError: no image or video, damaged, sound only, too large, or a camera that does not answer.
    """
    if source.isdecimal():
        pictures = _device(int(source), every)
    elif is_camera(source):
        pictures = _stream(source, every)
    else:
        pictures = _file(source, every)
    found = False
    try:
        for picture in pictures:
            found = True
            yield picture
    except MediaError as error:
        raise MediaError(str(error).replace(source, hidden(source))) from None
    if not found:
        raise MediaError(
            f"{hidden(source)}: there is not one picture in it that can be read; it is damaged or incomplete."
        )


def _file(source: str, every: float) -> Iterator[Picture]:
    try:
        if not Path(source).stat().st_size:
            raise MediaError(f"{source}: the file is empty (0 bytes).")
        still = Path(source).read_bytes() if _is_image(source) else None
    except OSError as error:
        raise MediaError(f"{source}: the file cannot be opened ({_reason(error)}).") from None
    if still is None:
        yield from _stream(source, every)
        return
    try:
        yield Picture(0.0, decode(still))
    except MediaError as error:
        raise MediaError(f"{source}: {error}") from None


def _is_image(path: str) -> bool:
    try:
        with Image.open(path, formats=IMAGES) as image:
            return not (image.format == "GIF" and getattr(image, "is_animated", False))
    except UnidentifiedImageError:
        return False
    except (*TOO_LARGE, SyntaxError, ValueError):
        return True  # an image by its first bytes; `decode` says what is wrong with it


def _stream(source: str, every: float) -> Iterator[Picture]:
    """A video file or network camera. Times are the frames' own, so a variable frame rate is kept; those of a camera are
    the clock's, for what sends JPEGs does not say when each was taken."""
    import av  # 0.2 s and only for videos

    remote = is_camera(source)
    try:
        if remote:
            # Over TCP, where the camera offers it: of a picture sent by UDP parts go missing.
            options = {"format_whitelist": CAMERAS, "rtsp_flags": "prefer_tcp"}
            container = av.open(source, timeout=PATIENCE, options=options)
        else:
            container = av.open(f"file:{source}", options={"format_whitelist": VIDEOS})
    except (av.FFmpegError, OSError, ValueError) as error:
        if remote:
            # FFmpeg's words for text, for a name that nobody has and for a network that is not there are the same.
            vague = isinstance(error, (av.InvalidDataError, ValueError)) or error.errno == errno.EIO
            wrong = "no video comes from there" if vague else f"the camera does not answer ({_reason(error)})"
            raise MediaError(
                f"{source}: {wrong}. Check the address, and that the camera is on and can be reached from this computer."
            ) from None
        raise MediaError(f"{source}: this is not an image or video that can be read, or it is damaged.") from None
    with container:
        # A picture that is attached to music (its cover) is no video.
        videos = [s for s in container.streams.video if not s.disposition & s.disposition.__class__.attached_pic]
        if not videos:
            raise MediaError(f"{source}: there is no picture in it, only sound or text; a video is needed.")
        video = videos[0]
        _check_size(video.codec_context.width, video.codec_context.height, source)
        video.thread_type = "AUTO"
        start, end, due = None, 0.0, 0.0
        live = remote and container.duration is None
        for frame in _readable(container, video):
            time_ = time.monotonic() if live else frame.time if frame.time is not None else end
            start = time_ if start is None else start
            seconds = time_ - start
            end = time_ + (float(frame.duration * frame.time_base) if frame.duration else 0.0)
            if seconds + TICK >= due:
                due = _after(seconds, every)
                _check_size(frame.width, frame.height, source)
                yield Picture(seconds, _turned(frame.to_ndarray(format="bgr24"), frame.rotation))
        promised = float(video.duration * video.time_base) if video.duration and video.time_base else 0.0
        if start is not None and end - start < promised - 1.0:
            raise MediaError(
                f"{source}: the video breaks off at {end - start:.1f} of {promised:.1f} seconds; it is incomplete."
            )


def _readable(container: Any, video: Any) -> Iterator[Any]:
    """Every frame that can be decoded; a damaged packet is passed over, as players do."""
    import av

    packets = container.demux(video)
    while True:
        try:
            packet = next(packets)
            yield from packet.decode()
        except StopIteration:
            return
        except av.InvalidDataError:
            continue
        except av.FFmpegError as error:
            raise MediaError(f"{container.name}: the connection or file broke off ({_reason(error)}).") from None


def _device(number: int, every: float) -> Iterator[Picture]:
    """A camera of this computer, by its number; the time is the clock's."""
    cv2.utils.logging.setLogLevel(0)  # its warnings would stand beside the message
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise MediaError(f"Camera {number} does not open: it is not there, or another program is using it.")
        start, due = time.monotonic(), 0.0
        while True:
            read, image = camera.read()
            if not read:
                raise MediaError(f"Camera {number} stopped sending pictures: check its cable.")
            seconds = time.monotonic() - start
            if seconds + TICK >= due:
                due = _after(seconds, every)
                yield Picture(seconds, image)
    finally:
        camera.release()


def _after(seconds: float, every: float) -> float:
    """The next time on the grid of `every` seconds."""
    return (math.floor((seconds + TICK) / every) + 1) * every if every > 0 else 0.0


def _turned(image: np.ndarray, rotation: int) -> np.ndarray:
    """Turned counter-clockwise by whole quarters, as a phone notes how it was held."""
    quarters = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def _bgr(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):  # 16 bits a pixel, which Pillow would cut off instead of scaling
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)


def _check_size(width: int, height: int, source: str = "The picture") -> None:
    if width * height > PIXEL_LIMIT:
        raise MediaError(
            f"{source}: {width} x {height} pixels are too many; at most {PIXEL_LIMIT // 10**6} million are read."
        )


def _reason(error: Exception) -> str:
    import av

    if isinstance(error, av.ExitError):
        return f"nothing came for {PATIENCE:.0f} seconds"
    return getattr(error, "strerror", None) or str(error)
