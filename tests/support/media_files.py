"""Pictures and videos of every kind as bytes or files, sound and damaged ones."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from PIL import Image


def half_blue(width: int, height: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = (255, 0, 0)
    return image


def index_first(video: Path) -> Path:
    """A copy of an MP4 video with its index in front, so that its first half can be read when the rest is missing."""
    path = video.with_name("front.mp4")
    with av.open(str(video)) as whole, av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


def encode(path: Path, images: Sequence[np.ndarray], **options: str) -> Path:
    """A video of these pictures, five a second, in the container that the name stands for. options: the container's."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.height, stream.width = images[0].shape[:2]
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def encoded(extension: str) -> bytes:
    return cv2.imencode(extension, half_blue(40, 30))[1].tobytes()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a picture of that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def gif() -> bytes:
    data = io.BytesIO()
    steps = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    steps[0].save(data, "GIF", save_all=True, append_images=steps[1:], duration=500)
    return data.getvalue()


def saved(mode: str, kind: str) -> bytes:
    data = io.BytesIO()
    deep = mode == "I;16"
    (Image.fromarray(np.full((30, 40), 0x8000, np.uint16)) if deep else Image.new(mode, (40, 30))).save(data, kind)
    return data.getvalue()


IMAGES = {
    **{name: encoded(name) for name in (".jpg", ".png", ".webp", ".bmp", ".tiff", ".avif", ".ppm")},
    "jpeg 2000": saved("RGB", "JPEG2000"),
    "gif": saved("P", "GIF"),
    "moving gif": gif(),
    "cmyk": saved("CMYK", "JPEG"),
    "16 bits": saved("I;16", "PNG"),
}

VIDEOS = ("v.mp4", "v.mkv", "v.avi", "v.ts", "v.webm", "v.flv", "v.ogg")


@cache
def video_bytes(name: str) -> bytes:
    """A short video in the container of that name."""
    codec = {"v.webm": "libvpx", "v.flv": "flv", "v.ogg": "libvpx"}.get(name, "mpeg4")
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(6):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(half_blue(64, 48), format="bgr24")))
            container.mux(stream.encode(None))
        return path.read_bytes()


HEADS = (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0AVI LIST", b"\0\0\0\x18ftypmp42",
         b"\x1a\x45\xdf\xa3", b"OggS\0", b"FLV\x01\x05", b"G" * 188, b"\0\0\1\xba", b"II*\0", b"BM", b"P6 ")  # fmt: skip


def png(image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()
