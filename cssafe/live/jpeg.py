"""JPEG header check without a decoder, for the camera's WebSocket."""

import struct

FRAME_HEADERS = (0xC0, 0xC1)
"""Markers of accepted frames: baseline and extended sequential, Huffman-coded."""

SEGMENTS = (0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0))
"""Accepted markers before the pixels: tables, restart interval, comment, application data. Decoders differ in the length of
the others, so another size could hide behind one."""

SCAN = 0xDA
"""Marker of the pixels."""

MAX_SEGMENTS = 64
"""Limit of segments before the pixels: a browser writes about 8, a photograph with notes and profiles about 30."""

MAX_SCANS = 4
"""Limit of scans: one, or one a colour channel. Each costs the decoder a pass over all pixels and the file a dozen bytes."""


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a baseline JPEG from its frame header (ITU-T T.81, B.2), without decoding anything.

    Returns:
        None for other formats, progressive and arithmetic coding, an incomplete header, and above MAX_SEGMENTS or MAX_SCANS.
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
