"""Cameras: those of this computer by their number, those of the network by their address."""

import errno
import re
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from cssafe.errors import MediaError
from cssafe.language import N_, _

CAMERAS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,h264,hevc,"
    "rtsp,sdp,rtp,mpjpeg,mjpeg,jpeg_pipe,image2,hls"
)
"""FFmpeg's names of what is read from a camera's address. Left out: text, which FFmpeg would draw as a terminal."""

PATIENCE = 10.0
"""Seconds that a camera may stay silent."""


def is_camera(source: str) -> bool:
    """Whether the source is a camera address (device number, rtsp:// or http://) and not a file."""
    return source.isdecimal() or source.startswith(("rtsp://", "rtsps://", "http://", "https://"))


def hidden(source: str) -> str:
    """The source as it may be shown or logged: an address without the user and password in it."""
    if "://" not in source:
        return source
    bare = re.sub(r"(?s)://.*@", "://***@", source)
    return re.sub(r"(?i)((?:pass|pwd|token|auth|key|secret)\w*=)[^&/]*", r"\1***", bare)


def connect(address: str) -> Any:
    """The open container (PyAV) of a camera's address.

    Raises:
        MediaError: it does not answer, or sends no video; the message hides a password in the address.
    """
    import av  # 0.2 s and only for videos

    # Over TCP, where the camera offers it: of a picture sent by UDP parts go missing.
    options = {"format_whitelist": CAMERAS, "rtsp_flags": "prefer_tcp"}
    try:
        return av.open(address, timeout=PATIENCE, options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        # FFmpeg's words for text, for a name that nobody has and for a network that is not there are the same.
        vague = isinstance(error, av.InvalidDataError | ValueError) or error.errno == errno.EIO
        silent = N_(
            "{camera}: the camera does not answer ({reason}). Check the address, and that the camera is on and can be reached "
            "from this computer."
        )
        nothing = N_(
            "{camera}: no video comes from there. Check the address, and that the camera is on and can be reached from this "
            "computer."
        )
        raise MediaError(nothing if vague else silent, camera=hidden(address), reason=reason(error)) from None


def device(number: int) -> Iterator[tuple[float, np.ndarray]]:
    """Every picture of a camera of this computer: seconds from the start by the clock, and uint8 (h, w, 3) BGR.

    Raises:
        MediaError: there is none of that number, it is in use, or it stops.
    """
    cv2.utils.logging.setLogLevel(0)  # its warnings would stand beside the message
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise MediaError(
                N_("Camera {number} does not open: it is not there, or another program is using it."), number=number
            )
        start = time.monotonic()
        while True:
            read, image = camera.read()
            if not read:
                raise MediaError(N_("Camera {number} stopped sending pictures: check its cable."), number=number)
            yield time.monotonic() - start, image
    finally:
        camera.release()


def reason(error: Exception) -> str:
    """Why something could not be opened or read, in a few words."""
    import av

    if isinstance(error, av.ExitError):
        return _("nothing came for {seconds:.0f} seconds").format(seconds=PATIENCE)
    return getattr(error, "strerror", None) or str(error)
