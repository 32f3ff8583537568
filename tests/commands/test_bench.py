"""The measuring itself, at a small scale: the figures are there and belong together. How fast is fast enough depends on
the machine, so no test asserts milliseconds."""

import json
from itertools import pairwise

import cv2
import numpy as np
import pytest

from cssafe.commands import bench, bench_clips, bench_pages
from cssafe.commands.main import main
from cssafe.media import MediaError


@pytest.fixture(scope="module")
def heads():
    """A square in place of a head."""
    head = np.full((bench_clips.POSES, 90, 90, 3), 90, np.uint8)
    head[:, 30:60, 30:60] = 255
    return head


@pytest.mark.parametrize(("n", "width", "height"), [(1, 640, 480), (28, 1280, 720), (3, 100, 400)])
def test_a_clip_shows_every_seated_person_whole(heads, n, width, height):
    clip = bench_clips.Clip(n, width, height, True, 5.0)
    for image, seated in bench_clips.draw_clip(clip, heads, 30):
        assert image.shape == (height, width, 3)
        patches, *_ = cv2.connectedComponents((image[..., 0] > 170).astype(np.uint8))
        assert seated <= patches - 1 <= n


def test_people_of_a_clip_leave_and_come_back_and_the_others_turn_and_sway(heads):
    clip = bench_clips.Clip(28, 1280, 720, False, 5.0)
    frames = list(bench_clips.draw_clip(clip, heads, 200))
    seated = [people for _, people in frames]
    assert seated[0] == seated[-1] == 28 and 25 <= min(seated) < 28
    assert all((one != other).any() for (one, _), (other, _) in pairwise(frames))


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
    monkeypatch.setattr(bench, "SCENES", ((1, 640, 480, True, 15.0), (3, 640, 480, False, 5.0)))
    monkeypatch.setattr(bench, "BASELINE_FRAMES", 1)
    assert main(["bench", "--json", "--baseline", "--frames", "60"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    for scene, people in zip(figures["frames"], (1, 3), strict=True):
        assert scene["faces"] == people and scene["frames"] == 60 and scene["seated"] > 0
        assert 0.8 * scene["seated"] <= scene["found"] <= people, "somebody at the edge is found, but not seated"
        assert set(scene["mean_ms"]) == set(scene["p95_ms"]) == set(bench.STAGES)
        assert scene["ratio"] == pytest.approx(scene["baseline_ms"] / scene["mean_ms"]["whole"], rel=0.01)
    assert figures["machine"]["processor"] and figures["startup"]["first_s"] >= 0
    assert "| times as fast |" in bench.format_machine(figures)
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
