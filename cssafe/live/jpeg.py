"""JPEG headers, read without a library: what the camera's WebSocket checks before anything is decoded."""

import struct

FRAME_HEADERS = (0xC0, 0xC1)
"""Markers of frames that are read: baseline and extended sequential, Huffman-coded."""

SEGMENTS = (0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0))
"""Markers of what may stand before the pixels: tables, restart interval, comment, application data. On the others decoders
differ in how many bytes belong to them, so that another size could hide behind one."""

SCAN = 0xDA
"""Marker of the pixels."""

MAX_SEGMENTS = 64
"""Segments before the pixels: a browser writes eight or so, a photograph with notes and profiles about 30."""

MAX_SCANS = 4
"""Scans: one, or one a colour channel. Each costs the decoder a pass over all pixels and the file a dozen bytes."""


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a baseline JPEG from its frame header (ITU-T T.81, B.2), without decoding anything.

    Returns:
        None for everything else: other formats, progressive and arithmetic coding, a header of more than MAX_SEGMENTS or
        one that ends before the pixels, and more than MAX_SCANS.
    """
    if data[:2] != b"\xff\xd8":
        return None
    found, at = None, 2
    for _segment in range(MAX_SEGMENTS):
        if len(data) < at + 9 or data[at] != 0xFF:
            return None
        marker, length, height, width = data[at + 1], *struct.unpack_from(">HxHH", data, at + 2)
        if marker == SCAN:  # among the pixels 0xFF is followed by 0x00, so that no other bytes look like a marker
            return found if data.count(b"\xff\xda", at) <= MAX_SCANS else None
        if length < 2 or marker not in (*FRAME_HEADERS, *SEGMENTS):
            return None
        if marker in FRAME_HEADERS:
            if found is not None or not width or not height:
                return None
            found = width, height
        at += 2 + length
    return None
