"""The measuring itself, at a small scale: the figures are there and belong together. How fast is fast enough depends on
the machine, so no test asserts milliseconds."""

import json

import cv2
import numpy as np
import pytest

from cssafe.commands import bench, bench_pages
from cssafe.commands.main import main
from cssafe.media import MediaError


@pytest.mark.parametrize(("n", "width", "height"), [(1, 640, 480), (28, 1280, 720), (3, 100, 400)])
def test_a_scene_shows_every_face_whole(n, width, height):
    face = np.zeros((50, 50, 3), np.uint8)
    face[10:40, 10:40] = 255
    image = bench.scene(face, n, width, height)
    assert image.shape == (height, width, 3)
    patches, *_ = cv2.connectedComponents((image[..., 0] > 200).astype(np.uint8))
    assert patches - 1 == n


def test_time_is_added_up_by_stage():
    clock = bench._StageClock()
    for stage in ("detect", "rest", "iris", "rest"):
        clock.over(stage)
    assert set(clock.spent) == {"detect", "rest", "iris"} and all(s >= 0 for s in clock.spent.values())


def test_queries_are_timed_with_their_number_of_rows():
    figures = bench.time_queries(weeks=1, repeats=1)
    assert figures["rows"] > 1000
    assert set(figures["median_ms"]) == {"emotions", "distribution", "weekly", "lessons", "timeline"}


def test_a_picture_without_a_face_is_refused(picture, capsys):
    assert main(["bench", "--image", str(picture)]) == 2
    assert "no face in the picture" in capsys.readouterr().err


def test_without_scikit_image_a_picture_is_asked_for(monkeypatch):
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    with pytest.raises(MediaError, match="--image"):
        bench._portrait_path(None)


@pytest.mark.slow
def test_the_command_prints_one_object_on_one_line(capsys, monkeypatch):
    pytest.importorskip("skimage", reason="scikit-image's astronaut is the face that is measured with")
    monkeypatch.setattr(bench, "TERM_WEEKS", (1,))
    monkeypatch.setattr(bench, "STREAM_SECONDS", 1.0)
    assert main(["bench", "--json", "--repeats", "3"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert [f["faces"] for f in figures["frames"]] == [1, 28, 28]
    assert [f["found"] for f in figures["frames"]] == [1, 28, 28]
    assert all(set(f["median_ms"]) == set(bench.STAGES) for f in figures["frames"])
    tried = figures["streams"]["tried"]
    assert [t["streams"] for t in tried] == list(bench.STREAM_COUNTS) and all(0 <= t["analyzed"] <= 1 for t in tried)
    assert figures["streams"]["most"] in (0, *bench.STREAM_COUNTS)
    assert figures["memory_mb"]["peak"] > 50


@pytest.mark.slow
def test_every_page_that_reads_lessons_is_timed_with_five_years_of_them(monkeypatch):
    monkeypatch.setattr(bench_pages, "MINUTES", 2)
    monkeypatch.setattr(bench_pages, "MEAN_ROWS", 25 * 2 * (60 + 19) / 20)
    figures = bench_pages.measure_pages(4000, repeats=1)
    assert figures["rows"] == 25 * 2 * (60 + 19) and figures["lessons"] == 20
    assert {"histograms", "weekly", "lessons", "data"} <= set(figures["pages"])
    assert all(seconds["again_s"] > 0 for seconds in figures["pages"].values())
    assert "histograms" in bench_pages.format_pages(figures)
