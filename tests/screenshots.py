"""The pictures of the documentation, and every page as a visitor sees it: `python -m tests.screenshots`.

Writes docs/*.png, and into build/screens/ every page wide and at phone width, light and dark, empty and filled.
"""

import tempfile
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from cssafe import sample
from cssafe.settings import PROFILES, ROOT
from cssafe.store import Workspace
from tests.support.browser import PATIENCE, chromium, film, need, serve, shows_no_error

SCREENS = ROOT / "build" / "screens"
DOCUMENTED = ("histograms", "weekly", "lessons")
PAGES = (
    "",
    "files",
    "room",
    "histograms",
    "weekly",
    "timetable",
    "lessons",
    "story",
    "term",
    "compare",
    "rating",
    "formulas",
    "data",
    "concentration",
    "model",
    "status",
)
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main() -> None:
    need("chromium", "ffmpeg")
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        _live(playwright, Path(folder))
        with closing(chromium(playwright)) as browser:
            _pages(browser, Path(folder) / "empty", "empty")
            with closing(Workspace.open(Path(folder) / "filled" / "cssafe.duckdb")) as workspace:
                sample.add_term(workspace, PROFILES["consent"])
            _pages(browser, Path(folder) / "filled", "filled")


def _live(playwright: Playwright, folder: Path) -> None:
    video = film(folder)
    with closing(chromium(playwright, video)) as browser, serve(folder / "live") as server:
        for name, size, scheme in (("wide", WIDE, "light"), ("phone", PHONE, "dark")):
            page = _open(browser, size, scheme, permissions=["camera"])
            page.goto(server.address)
            if name == "wide":  # asked only once
                page.get_by_text("Everybody who will be in the picture").click()
            page.get_by_label("Subject").fill("Mathematics")
            page.get_by_role("button", name="Start").click()
            page.locator("figure[data-results]").wait_for()
            page.wait_for_timeout(25_000)  # a line needs some time to be one
            _shoot(page, SCREENS / f"live-{name}-{scheme}.png")
            if name == "wide":
                page.screenshot(path=ROOT / "docs" / "live.png")
            page.get_by_role("button", name="End lesson").click()
            page.get_by_text("is over").wait_for()
            shows_no_error(page)
            _shoot(page, SCREENS / f"over-{name}-{scheme}.png")
            page.context.close()


def _pages(browser: Browser, data: Path, state: str) -> None:
    with serve(data) as server:
        for size_name, size in (("wide", WIDE), ("phone", PHONE)):
            for scheme in ("light", "dark"):
                page = _open(browser, size, scheme)
                for name in PAGES:
                    page.goto(f"{server.address}/{name}")
                    shows_no_error(page)
                    page.wait_for_timeout(1_500)  # charts are drawn after the page
                    _shoot(page, SCREENS / f"{state}-{name or 'start'}-{size_name}-{scheme}.png")
                    if (state, size_name, scheme) == ("filled", "wide", "light") and name in DOCUMENTED:
                        page.screenshot(path=ROOT / "docs" / f"{name}.png")
                page.context.close()


def _open(browser: Browser, size: dict, scheme: str, **options) -> Page:
    page = browser.new_context(viewport=size, color_scheme=scheme, timezone_id="Europe/Berlin", **options).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def _shoot(page: Page, path: Path) -> None:
    page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    main()
