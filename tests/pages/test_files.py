"""The page Files, run by Streamlit's own AppTest with the real networks and a real database."""

import re
import time
from contextlib import closing
from datetime import date
from datetime import time as clock

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cssafe.labels import REASONS
from cssafe.live import services
from cssafe.privacy import Anonymization
from cssafe.store import Workspace
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from tests.support.engagement import film
from tests.support.faces import astronaut, classroom
from tests.support.media_files import claiming, encode, encoded, png, saved, sound
from tests.support.pages import run, text

PATIENCE = 60


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch, loaded_once):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    monkeypatch.delenv("CSSAFE_MODE", raising=False)
    yield tmp_path / "data"
    services.current().close()


def site() -> None:
    """The script under test: the site with the page Files in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    names = ("files", "live", "histograms", "weekly", "lessons")
    st.navigation([st.Page(ROOT / f"pages/{name}.py", default=name == "files") for name in names]).run()


def show() -> AppTest:
    return run(AppTest.from_function(site, default_timeout=PATIENCE))


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return run(page)


def analyse(*files: tuple[str, bytes], audience: str = "self") -> AppTest:
    """The page after it has analysed the files."""
    page = show()
    page.file_uploader[0].set_value([(name, content, "") for name, content in files])
    run(page)
    page.radio[0].set_value(audience)
    for box in page.checkbox:
        box.check()
    press(page, "Analyse")
    deadline = time.monotonic() + PATIENCE
    while "Other files" not in [button.label for button in page.button]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        run(page)
    return page


def test_before_files_are_chosen_formats_and_limits_are_told_and_nothing_can_be_analysed():
    page = show()
    assert "JPEG" in page.file_uploader[0].label and "at most 100 MB each" in page.file_uploader[0].label
    assert "together" not in page.file_uploader[0].label and "analyze FILE" in text(page)
    assert page.button[0].disabled


def test_hosted_all_files_together_have_a_limit_and_no_file_of_the_server_is_spoken_of(monkeypatch):
    monkeypatch.setenv("CSSAFE_MODE", "hosted")
    monkeypatch.delenv("CSSAFE_PROFILE")
    page = show()
    assert "together 100 MB" in page.file_uploader[0].label and "analyze FILE" not in text(page)
    page.file_uploader[0].set_value([(f"{i}.mp4", bytes(51 * 1024 * 1024), "") for i in range(2)])
    run(page)
    assert "102 MB together" in text(page) and page.button[0].disabled


def test_too_many_files_are_refused_in_a_sentence():
    page = show()
    page.file_uploader[0].set_value([(f"{i}.png", b"x", "") for i in range(51)])
    run(page)
    assert "51 files; at most 50" in text(page) and page.button[0].disabled


def test_nothing_is_analysed_before_everybody_has_agreed_and_it_is_asked_once():
    page = show()
    page.file_uploader[0].set_value([("face.png", png(astronaut()), "")])
    press(run(page), "Analyse")
    assert "tick the box" in text(page) and services.current().workspace().get("agreed") is None
    analyse(("face.png", png(astronaut())))
    assert services.current().workspace().get("agreed") is True and not show().checkbox


BAD = {
    "empty.mp4": (b"", "the file is empty"),
    "text.mp4": (b"hello", "not an image or video that can be read"),
    "cut.jpg": (encoded(".jpg")[:-200], "damaged or incomplete"),
    "absurd.png": (claiming(20_000, 20_000), "more than 50 million pixels"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "HEIC picture"),
}


def test_files_that_cannot_be_read_are_named_and_the_rest_goes_on(tmp_path):
    silent = sound(tmp_path / "sound.mkv").read_bytes()
    files = BAD | {"sound.mkv": (silent, "only sound"), "face.png": (png(astronaut()), "")}
    page = analyse(*((name, content) for name, (content, _) in files.items()))
    said = [warning.value.replace("\\", "") for warning in page.warning]
    assert len(said) == len(files) - 1
    for (name, (_, says)), sentence in zip(files.items(), said, strict=False):
        assert sentence.startswith(f"{name}: ") and says in sentence
    assert page.dataframe[0].value["Level"].tolist() == ["high"]


def test_uncommon_images_are_read_and_pictures_without_a_face_leave_nothing_to_keep():
    page = analyse(*((f"{mode}.tiff", saved(mode, "TIFF")) for mode in ("I;16", "CMYK", "RGBA", "P")))
    assert not page.warning and text(page).count("No face in view") == 4 and "nothing to keep" in text(page)


def test_only_what_cannot_be_read_leaves_nothing_to_show_and_the_way_back():
    page = analyse(("bad.mp4", b"hello"))
    assert "nothing to show" in text(page)
    assert press(page, "Other files").file_uploader


def test_the_readable_part_of_a_video_that_breaks_off_can_be_kept_and_it_is_said_what_is_missing(tmp_path):
    shift = [np.roll(cv2.resize(astronaut(), (320, 320)), i, axis=1) for i in range(20)]
    whole = encode(tmp_path / "film.mp4", shift, movflags="faststart").read_bytes()
    page = analyse(("film.mp4", whole[: len(whole) * 6 // 10]))
    [sentence] = [warning.value.replace("\\", "") for warning in page.warning]
    assert re.search(r"film\.mp4: the video breaks off at \d\.\d of 4\.0 seconds", sentence)
    press(page, "Keep as a lesson")
    with services.current().workspace().cursor() as cursor:
        [(seconds, ended)] = cursor.execute(
            "SELECT count(DISTINCT time), any_value(ended) > max(time) FROM lessons JOIN observations USING (lesson)"
        ).fetchall()
    assert 1 <= seconds <= 3 and ended


@pytest.mark.slow
def test_the_figures_are_kept_as_a_lesson_of_the_chosen_time_only_when_asked(data):
    page = analyse(("face.png", png(astronaut())), ("other.png", png(astronaut())))
    assert services.current().workspace().cursor().execute("SELECT count(*) FROM lessons").fetchone() == (0,)
    for label, value in {"Class": "7b", "Subject": "Mathematics"}.items():
        next(box for box in page.text_input if box.label == label).set_value(value)
    page.date_input[0].set_value(date(2026, 3, 2))
    page.time_input[0].set_value(clock(9, 30))
    next(box for box in page.selectbox if box.label == "Time zone").set_value("Europe/Berlin")
    press(page, "Keep as a lesson")
    assert "kept as a lesson" in page.success[0].value and "Keep as a lesson" not in [
        button.label for button in page.button
    ]
    services.current().close()
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace:
        rows = workspace.cursor().execute(
            "SELECT name, class_name, time_zone, source, audience, strftime(started, '%Y-%m-%d %H:%M'), ended IS NULL "
            "FROM lessons"
        )
        assert rows.fetchall() == [("Mathematics 7b", "7b", "Europe/Berlin", "file", "self", "2026-03-02 08:30", False)]
        rows = workspace.cursor().execute(
            "SELECT count(*), count(DISTINCT track), count(DISTINCT time) FROM observations"
        )
        assert rows.fetchall() == [(2, 2, 2)]


def test_of_a_class_a_mean_is_told_and_of_a_few_only_single_faces_where_the_profile_allows(monkeypatch):
    page = analyse(("class.png", png(classroom())), audience="class")
    assert "Concentration **100** of 100" in text(page) and len(page.dataframe[0].value) > 20
    assert "Why: 100 of 100" in text(page)  # everybody laughs at the camera, which costs nothing
    page = analyse(("one.png", png(astronaut())), audience="class")
    assert "Too few faces for a figure about the class: 1 of 5" in text(page) and len(page.dataframe) == 1
    services.current().close()
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    page = analyse(("one.png", png(astronaut())), audience="class")
    assert "Too few faces" in text(page) and not page.dataframe and "Why:" not in text(page)
    page = analyse(("one.png", png(astronaut())))
    assert "Emotion" not in page.dataframe[0].value


def test_each_face_that_was_not_measured_says_why():
    page = analyse(("clear.png", png(astronaut())), ("blurred.png", png(cv2.GaussianBlur(astronaut(), (0, 0), 6))))
    clear, blurred = (table.value for table in page.dataframe)
    assert "Why not measured" not in clear
    assert blurred["Why not measured"].tolist() == [REASONS["blurred"]] and blurred["Level"].tolist() == ["no score"]


def test_a_video_has_a_timeline_and_the_chosen_moment_is_described(video):
    page = analyse(("empty.mp4", video((0.0, 0.5, 1.2, 2.9)).read_bytes()))
    assert [int(value.removesuffix(" s")) for value in page.select_slider[0].options] == [0, 1, 2]
    assert "How to read it" in text(page) and "No face in view" in text(page)
    page.select_slider[0].set_value(2)
    run(page)


@pytest.mark.parametrize(("audience", "covered"), [("self", False), ("class", True)])
def test_faces_of_a_class_are_covered_in_every_picture_and_ones_own_is_shown(audience, covered):
    page = analyse(("face.png", png(astronaut())), audience=audience)
    [upload] = page.session_state["files"].analysis.uploads
    seen = cv2.imdecode(np.frombuffer(upload.preview, np.uint8), 1)
    assert ((FaceFinder().find(seen)[1].scores >= MIN_MESH_SCORE).sum() == 0) == covered


def test_the_choice_of_how_faces_appear_follows_the_audience_and_is_remembered():
    page = show()
    page.radio[0].set_value("class")
    assert run(page).segmented_control[0].value == Anonymization.MOSAIC
    page.segmented_control[0].set_value(Anonymization.MASK)
    run(page)
    page.radio[0].set_value("self")
    assert run(page).segmented_control[0].value == Anonymization.SHOWN
    again = show()
    again.radio[0].set_value("class")
    assert run(again).segmented_control[0].value == Anonymization.MASK


@pytest.mark.slow
def test_four_people_in_a_classroom_are_seen(tmp_path):
    clip = film(tmp_path / "classroom.mp4", classroom(2, 2))
    page = analyse((clip.name, clip.read_bytes()), audience="class")
    assert page.dataframe[0].value["Face"].tolist() == [1, 2, 3, 4]


def test_networks_that_are_missing_are_named(data, monkeypatch):
    monkeypatch.setenv("CSSAFE_MODEL", str(data / "nowhere"))
    services.current().engine().loaded.exception(timeout=PATIENCE)
    page = show()
    assert "nowhere" in page.error[0].value
