"""The page Model, run by Streamlit's own AppTest with the real networks."""

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from cssafe.expression.model_metrics import FIGURES
from cssafe.live import services
from tests.support.faces import astronaut, classroom, nobody
from tests.support.maps import made
from tests.support.media_files import png
from tests.support.model_figures import figures
from tests.support.pages import run, text

PATIENCE = 60


@pytest.fixture(autouse=True)
def server(tmp_path, monkeypatch, loaded_once):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "demo")
    monkeypatch.delenv("CSSAFE_MODE", raising=False)
    yield tmp_path
    services.current().close()


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder with a network that gives a map and was not measured; it is the one served."""
    monkeypatch.setenv("CSSAFE_MODEL", str(tmp_path / "model"))
    return made(tmp_path / "model")


@pytest.fixture
def unused(monkeypatch):
    """No network is loaded: the test is of the figures."""
    monkeypatch.setattr(services.current(), "network", lambda: None)


def site() -> None:
    """The script under test: the site with the page Model in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    st.navigation([st.Page(ROOT / f"pages/{name}.py", default=name == "model") for name in ("model", "status")]).run()


def show(**query: str) -> AppTest:
    page = AppTest.from_function(site, default_timeout=PATIENCE)
    for key, value in query.items():
        page.query_params[key] = value
    return run(page)


def choose(content: bytes, name: str = "picture.png") -> AppTest:
    """The page after a picture was chosen."""
    page = show()
    page.file_uploader[0].set_value((name, content, "image/png"))
    return run(page)


def measure(model, /, **other) -> None:
    """Write figures of the folder's weights."""
    card = json.loads((model / "model.json").read_text())
    stamp = {
        "date": "2026-11-21",
        "model": {"name": "x", "sha256": card["sha256"]["expression.bin"]},
        "data": {"file": "fer2013_valid.parquet", "sha256": "00"},
        "beside": {"name": "older", "sha256": "00"},
    }
    (model / FIGURES).write_text(json.dumps(figures() | stamp | other))


def test_a_network_that_was_not_measured_says_which_command_does_it(model, unused):
    page = show()
    assert "no figures.json" in text(page) and "evaluate fer2013_valid.parquet --model FOLDER --card" in text(page)
    assert "Network **made for a test**" in text(page) and "parameters **1.18 million**" in text(page)
    assert re.search(r"SHA-256 \*\*[0-9a-f]{12}\*\*", text(page))
    assert "not what anybody feels" in text(page)


@pytest.mark.parametrize("labels", ["ferplus", "fer2013"])
def test_figures_are_drawn_by_the_labels_of_the_address_and_every_chart_says_how_to_read_it(model, unused, labels):
    measure(model)
    page = show(labels={"ferplus": "FERPlus", "fer2013": "FER2013"}[labels])
    assert page.segmented_control(key="labels").value == labels
    charts = page.get("vega_lite_chart")
    assert len(charts) == 5 + 2 + 1  # two of them are the small ones of worse pictures, under one sentence
    assert text(page).count("How to read it") == 7
    assert "not comparable" in text(page) and "older, for comparison" in text(page)
    assert "measured **21 Nov 2026**" in text(page)


def test_what_was_not_measured_is_said_to_be_so(model, unused):
    found = {name: told | {"groups": {}} for name, told in figures().items()}
    for told in found.values():
        del told["robustness"]
    measure(model, **found, data={"file": "own.parquet", "sha256": "00"}, beside=None)
    page = show()
    assert "degraded pictures was not measured" in text(page) and "does not say skin tone" in text(page)
    assert "not comparable" not in text(page)


def test_figures_of_other_weights_are_not_shown(model, unused):
    measure(model, model={"name": "x", "sha256": "another"})
    page = show()
    assert "other weights" in page.warning[0].value and not page.get("vega_lite_chart")


def test_a_network_that_is_missing_is_named(server, monkeypatch):
    monkeypatch.setenv("CSSAFE_MODEL", str(server / "nowhere"))
    assert "nowhere" in show().error[0].value


def test_without_emotions_figures_may_be_seen_but_no_picture_can_be_asked_about(model, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    measure(model)
    page = show()
    assert "expression network is not loaded" in text(page)
    assert not page.file_uploader and page.get("vega_lite_chart") and services.current().network() is None


def test_a_face_is_shown_with_its_emotion_and_what_speaks_for_any_of_the_eight(model):
    services.current().engine().loaded.result(PATIENCE)
    page = choose(png(astronaut()))
    assert "**happy**" in text(page) and page.selectbox[0].value == "happy"
    assert "orange parts of the face" in text(page) and "not stored or logged" in text(page)
    assert len(page.get("image")) == 3 and len(page.get("vega_lite_chart")) == 2
    assert "Russell & Mehrabian 1977" in text(page) and "ambivalence is high" in text(page)
    assert re.search(r"runs here in \*\*(bfloat16|float32)\*\*", text(page))
    assert re.search(r"About \d+ % of the face seems hidden", text(page))
    page.selectbox[0].set_value("sad")
    run(page)
    assert page.selectbox[0].value == "sad" and "**happy**" in text(page)
    page.file_uploader[0].set_value(("other.png", png(nobody()), "image/png"))
    run(page)
    assert "No face was found" in text(page) and not page.selectbox
    page.file_uploader[0].set_value(("notes.png", b"hello", "image/png"))
    run(page)
    assert "not an image that can be read" in page.warning[0].value and not page.selectbox
    page.file_uploader[0].set_value(("class.png", png(classroom()), "image/png"))
    run(page)
    assert "Shown are the 12 largest of 2" in text(page) and len(page.selectbox) == 12


def test_a_network_without_a_map_says_so_and_tells_its_probabilities(server, monkeypatch):
    monkeypatch.setenv("CSSAFE_MODEL", str(made(server / "plain", mapped=False)))
    services.current().engine().loaded.result(PATIENCE)
    page = choose(png(astronaut()))
    assert "gives no map" in text(page) and "**happy**" in text(page)
    assert not page.selectbox and len(page.get("image")) == 2


def test_where_lessons_are_stored_everybody_must_have_agreed_first_and_it_is_asked_once(model, server, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    page = choose(png(astronaut()))
    assert not page.selectbox and "has agreed" in text(page)
    page.checkbox[0].check()
    run(page)
    assert page.selectbox[0].value == "happy"
    assert not choose(png(astronaut())).checkbox
    rows = services.current().workspace().cursor().execute("SELECT count(*) FROM observations").fetchone()
    assert rows == (0,) and {path.name for path in (server / "data").iterdir()} <= {
        "cssafe.duckdb",
        "cssafe.duckdb.wal",
        "cssafe.duckdb.running",
    }
