import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from cssafe.media import MediaError, decode_image, find, frames, hide_password, is_camera, named_as_media, started
from tests.support.media_files import claiming, encoded, half_blue, index_first, sound


@pytest.mark.parametrize("extension", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
def test_an_image_is_decoded_to_bgr(extension):
    image = decode_image(encoded(extension))
    assert image.shape == (30, 40, 3) and image.dtype == np.uint8
    assert image[15, 5, 0] > 200 and image[15, 35, 0] < 50


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
def test_every_kind_of_pixel_becomes_three_bytes(mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 40), 0x8000, np.uint16))
    else:
        image = Image.new("L", (40, 30), 128).convert("RGB").convert(mode)
    data = io.BytesIO()
    image.save(data, "TIFF")
    decoded = decode_image(data.getvalue())
    assert decoded.shape == (30, 40, 3)
    assert mode == "1" or abs(int(decoded.mean()) - 128) < 3


def test_an_image_is_turned_as_its_exif_orientation_says():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    data = io.BytesIO()
    Image.fromarray(half_blue(40, 30)[..., ::-1]).save(data, "JPEG", exif=exif, quality=95)
    image = decode_image(data.getvalue())
    assert image.shape == (40, 30, 3)
    assert image[5, 15, 0] > 200 and image[35, 15, 0] < 50  # the left half is on top


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"not a picture", "not an image"),
        (encoded(".jpg")[:-200], "damaged or incomplete"),
        (encoded(".png")[:-60], "damaged or incomplete"),
        (claiming(8000, 7000), "8000 x 7000"),
        (claiming(12_000, 12_000), "50 million"),
        (claiming(100_000, 100_000), "50 million"),
    ],
    ids=["empty", "text", "cut jpeg", "cut png", "large", "larger", "absurd"],
)
def test_bytes_that_are_no_image_raise_a_sentence(data, says):
    with pytest.raises(MediaError, match=says):
        decode_image(data)


def test_any_prefix_of_an_image_is_either_refused_or_decoded():
    for data in (encoded(".jpg"), encoded(".png"), encoded(".webp"), encoded(".tiff")):
        for length in range(0, len(data), max(1, len(data) // 60)):
            try:
                decode_image(data[:length])
            except MediaError as error:
                assert str(error).endswith(".")


def test_an_image_file_has_one_picture_at_zero_seconds(picture):
    [(seconds, image)] = frames(str(picture))
    assert seconds == 0 and image.shape == (30, 40, 3)


def test_an_image_is_known_by_its_content_not_its_name(picture):
    renamed = picture.rename(picture.with_suffix(".txt"))
    assert len(list(frames(str(renamed)))) == 1


@pytest.mark.parametrize(
    ("times", "every", "expected"),
    [
        ((0.0,), 0.2, [0.0]),
        ((0.0, 0.1, 0.2, 0.3), 0.0, [0.0, 0.1, 0.2, 0.3]),
        ((0.0, 0.1, 0.2, 0.3, 0.4), 0.2, [0.0, 0.2, 0.4]),
        ((0.0, 0.05, 0.5, 0.55, 2.0), 0.2, [0.0, 0.5, 2.0]),  # a variable frame rate keeps its own times
        ((0.0, 0.15, 0.25, 0.35, 0.45), 0.2, [0.0, 0.25, 0.45]),
    ],
)
@pytest.mark.parametrize("name", ["video.mp4", "video.mkv"])
def test_a_video_gives_pictures_on_a_grid_of_its_own_time(video, times, every, expected, name):
    pictures = list(frames(str(video(times, name=name)), every))
    assert [p.seconds for p in pictures] == pytest.approx(expected, abs=0.002)
    assert all(p.image.shape == (48, 64, 3) for p in pictures)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_video_is_turned_as_the_phone_was_held(video, rotation):
    image = next(frames(str(video(rotation=rotation)))).image
    turned = np.rot90(half_blue(64, 48), rotation // 90)
    assert image.shape == turned.shape
    assert np.abs(image.astype(int) - turned).mean() < 10


def test_an_animated_gif_is_a_video(tmp_path):
    path = tmp_path / "moving.gif"
    steps = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    steps[0].save(path, save_all=True, append_images=steps[1:], duration=500)
    assert [p.seconds for p in frames(str(path))] == pytest.approx([0.0, 0.5, 1.0])


def test_a_video_may_change_its_size_on_the_way(tmp_path):
    path = tmp_path / "sizes.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        for i, width in enumerate((64, 64, 96)):
            packet = av.Packet(cv2.imencode(".jpg", half_blue(width, 32))[1].tobytes())
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 1000), i * 500, i * 500
            container.mux(packet)
    assert [p.image.shape for p in frames(str(path))] == [(32, 64, 3), (32, 64, 3), (32, 96, 3)]


def test_a_video_cut_short_raises_after_what_could_be_read(video):
    cut = index_first(video(tuple(i / 10 for i in range(100))))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    seen = []
    with pytest.raises(MediaError, match="breaks off"):
        for picture in frames(str(cut), 0):
            seen.append(picture.seconds)
    assert seen and seen[-1] < 9


def test_sound_alone_is_no_video(tmp_path):
    with pytest.raises(MediaError, match="only sound"):
        list(frames(str(sound(tmp_path / "sound.mkv"))))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"time,mood\n0,good\n", "not an image or video"),
        (b"#EXTM3U\n#EXTINF:1,\nother.mp4\n", "not an image or video"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "not an image or video"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(500), "not an image or video"),
        (claiming(100_000, 100_000), "50 million"),
    ],
    ids=["empty", "text", "playlist", "concat", "only the head of a video", "absurd size"],
)
def test_a_file_that_cannot_be_read_raises_one_sentence_with_its_name(tmp_path, content, says):
    path = tmp_path / "lesson.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=says) as caught:
        list(frames(str(path)))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_camera_that_does_not_answer_raises_a_sentence():
    with pytest.raises(MediaError, match="does not answer"):
        list(frames("rtsp://127.0.0.1:9/nothing"))


def test_a_camera_that_is_not_there_raises_a_sentence(capfd):
    with pytest.raises(MediaError, match="does not open"):
        list(frames("97"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("source", "camera"),
    [("", False), ("0", True), ("rtsp://host/x", True), ("http://host/x", True), ("lesson.mp4", False), ("./0", False)],
)
def test_a_camera_address_is_told_from_a_file(source, camera):
    assert is_camera(source) == camera


def test_a_folder_is_every_file_below_it_in_order(tmp_path):
    for name in ("b.png", "a.txt", "deep/c.png", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [Path(p).relative_to(tmp_path).as_posix() for p in find(str(tmp_path))] == ["a.txt", "b.png", "deep/c.png"]


def test_an_empty_folder_and_a_missing_file_raise_a_sentence(tmp_path):
    with pytest.raises(MediaError, match="holds no files"):
        find(str(tmp_path))
    with pytest.raises(MediaError, match="no such file"):
        find(str(tmp_path / "nowhere.png"))


def test_names_promise_media_or_do_not():
    names = {"a.png": True, "a.mp4": True, "a.txt": False, "a": False}
    assert {name: named_as_media(name) for name in names} == names


def test_a_file_that_does_not_say_when_it_was_made_counts_from_its_last_change(picture, video):
    for path in (picture, video()):
        assert started(str(path)).timestamp() == pytest.approx(path.stat().st_mtime)


def test_a_recording_says_itself_when_it_was_made(video, tmp_path):
    path = tmp_path / "dated.mp4"
    with av.open(str(video())) as undated, av.open(str(path), "w") as dated:
        dated.metadata["creation_time"] = "2019-10-11T05:31:58Z"
        stream = dated.add_stream_from_template(undated.streams.video[0])
        for packet in undated.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                dated.mux(packet)
    assert started(str(path)).isoformat() == "2019-10-11T05:31:58+00:00"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("", ""),
        ("0", "0"),
        ("lesson.mp4", "lesson.mp4"),
        ("rtsp://10.0.0.2:554/live?channel=1", "rtsp://10.0.0.2:554/live?channel=1"),
        ("rtsp://user:word@10.0.0.2/live", "rtsp://***@10.0.0.2/live"),
        ("rtsp://user:w#o/r?d@2@10.0.0.2/live", "rtsp://***@10.0.0.2/live"),
        ("http://10.0.0.2/video?user=a&pwd=word&channel=2", "http://10.0.0.2/video?user=a&pwd=***&channel=2"),
        ("rtsp://10.0.0.2/user=admin_password=word_channel=1", "rtsp://10.0.0.2/user=admin_password=***"),
    ],
)
def test_a_camera_address_is_shown_without_its_password(source, shown):
    assert hide_password(source) == shown
