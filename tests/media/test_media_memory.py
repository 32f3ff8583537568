"""Files in memory, as uploads are: read like files on the disk, and with no more memory than one picture takes."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from cssafe.media import About, MediaError, about, frames
from cssafe.settings import ROOT
from tests.support.media_files import claiming, encoded, gif, saved, sound


def named(content: bytes, name: str = "lesson.mp4") -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


@pytest.mark.parametrize(
    ("content", "times"),
    [
        (encoded(".jpg"), [0]),
        (gif(), [0, 0.5, 1.0]),
        (saved("P", "GIF"), [0]),
        (saved("I;16", "PNG"), [0]),
        (saved("CMYK", "JPEG"), [0]),
        (saved("RGBA", "PNG"), [0]),
        (saved("LA", "PNG"), [0]),
    ],
    ids=["jpeg", "moving gif", "still gif", "16 bits", "cmyk", "transparent", "grey and transparent"],
)
def test_an_image_in_memory_is_read_like_one_on_the_disk(content, times):
    file = named(content)
    for _ in range(2):  # from its beginning, wherever it was left
        assert [picture.seconds for picture in frames(file)] == pytest.approx(times)
    assert not file.closed


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi", "v.ts"])
def test_a_video_in_memory_is_read_like_one_on_the_disk(video, name):
    path = video((0.0, 0.21, 0.65), name=name)
    on_disk, in_memory = list(frames(str(path))), list(frames(named(path.read_bytes())))
    assert len(on_disk) >= 3
    assert [p.seconds for p in in_memory] == [p.seconds for p in on_disk]
    assert all((a.image == b.image).all() for a, b in zip(in_memory, on_disk, strict=True))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"time,mood\n0,good\n", "not an image or video"),
        (b"#EXTM3U\n#EXTINF:1,\nother.mp4\n", "not an image or video"),
        (encoded(".jpg")[:-200], "damaged or incomplete"),
        (claiming(20_000, 20_000), "50 million"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "Save it as JPEG"),
    ],
    ids=["empty", "text", "playlist", "cut jpeg", "absurd size", "heic"],
)
def test_a_file_in_memory_that_cannot_be_read_raises_one_sentence_with_its_name(content, says):
    with pytest.raises(MediaError, match=says) as caught:
        list(frames(named(content)))
    assert str(caught.value).startswith("lesson.mp4: ") and "\n" not in str(caught.value)


def test_sound_in_memory_is_no_video(tmp_path):
    with pytest.raises(MediaError, match="only sound"):
        list(frames(named(sound(tmp_path / "sound.mkv").read_bytes())))


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.avi", "v.ts"])
def test_a_video_can_be_read_from_the_middle(video, name):
    path = video(tuple(i / 10 for i in range(100)), name=name)
    places = {at: next(frames(named(path.read_bytes()), 0, at)).seconds for at in (0.0, 1.0, 3.0, 7.3)}
    read_through = [picture.seconds for picture in frames(str(path), 0)]
    assert places == {at: pytest.approx(next(s for s in read_through if s + 1e-6 >= at)) for at in places}


def test_a_video_has_nothing_after_its_end(video):
    with pytest.raises(MediaError, match="not one picture"):
        list(frames(str(video()), 0, since=60))


def photograph(*notes: tuple[int, str]) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(notes)
    data = io.BytesIO()
    Image.new("RGB", (40, 30)).save(data, "JPEG", exif=exif)
    return data.getvalue()


TAKEN = (0x9003, "2024:05:06 10:20:30")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", About()),
        (b"text", About()),
        (encoded(".png"), About(still=True)),
        (encoded(".jpg")[:100], About(still=True)),
        (photograph(TAKEN), About(still=True)),
        (photograph(TAKEN, (0x9011, "nonsense")), About(still=True)),
        (photograph(TAKEN, (0x9011, "+02:00")), About(True, datetime(2024, 5, 6, 8, 20, 30, tzinfo=UTC))),
        (gif(), About(seconds=1.5)),
    ],
    ids=["empty", "text", "png", "cut jpeg", "time without a zone", "no zone", "time", "moving gif"],
)
def test_a_file_says_what_it_knows_of_itself(content, says):
    assert about(named(content)) == says


LENGTHS = (4, 240)

MEASURE = """
import io, re, sys
from cssafe.media import frames
def most():
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
with open(sys.argv[1], "rb") as file:
    upload = io.BytesIO(file.read())
before = most()
pictures = sum(1 for _ in frames(upload))
print(pictures, most() - before)
"""


@pytest.mark.slow
def test_four_minutes_in_memory_take_no_more_room_than_four_seconds_beyond_the_bytes_themselves(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux, which tells the most memory that a process has taken")
    taken = []
    for seconds in LENGTHS:
        path = tmp_path / f"{seconds}.mp4"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
            noise = np.random.default_rng(0).integers(0, 255, (10, 480, 640, 3), np.uint8)
            for i in range(10 * seconds):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(noise[i % 10], format="bgr24")))
            out.mux(stream.encode(None))
        command = [sys.executable, "-c", MEASURE, str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
        pictures, kilobytes = map(int, done.stdout.split())
        assert pictures == 5 * seconds
        taken.append(kilobytes)
    assert path.stat().st_size > 20_000_000  # so that a second copy of it would be seen
    assert taken[1] - taken[0] < 8_000, taken
