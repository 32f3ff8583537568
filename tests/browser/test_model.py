"""The page Model in a real browser: `pytest -m browser`."""

import cv2
import pytest
from playwright.sync_api import expect

from tests.support.browser import PATIENCE, choose, serve, shows_no_error, take_photo
from tests.support.faces import astronaut
from tests.support.live_browser import PHONE
from tests.support.maps import made

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_file_and_a_picture_of_the_camera_are_looked_at_on_a_phone_and_nothing_is_left(browser, tmp_path):
    face = tmp_path / "face.png"
    cv2.imwrite(str(face), astronaut())
    data = tmp_path / "data"
    served = {"CSSAFE_MODEL": str(made(tmp_path / "model")), "CSSAFE_MODE": "hosted"}
    with (
        serve(data, **served) as server,
        browser.new_context(permissions=["camera"], viewport=PHONE) as context,
    ):
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.address}/model")
        page.locator("input[type=file]").set_input_files(str(face))
        laid = page.get_by_alt_text("The face, orange where it speaks for happy, blue where against it")
        expect(laid).to_have_js_property("naturalWidth", 150)
        choose(page, "Evidence for", "sad")
        expect(page.get_by_alt_text("The face, orange where it speaks for sad")).to_be_visible()
        shows_no_error(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_text("From the camera").click()
        expect(laid).to_have_count(0)
        take_photo(page)
        expect(laid).to_be_visible()
        shows_no_error(page)
    assert [file.name for file in data.iterdir()] == ["server.log"]
    assert "Traceback" not in (data / "server.log").read_text()
