"""What is remembered and how pages look, in a real browser with a real server."""

from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from cssafe import sample
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.screenshots import PAGES, PHONE, WIDE
from tests.support.browser import PATIENCE, choose, serve, shows_no_error

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The app with a synthetic term."""
    data = tmp_path_factory.mktemp("data")
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace:
        sample.add_term(workspace, PROFILES["consent"], weeks=4)
    with serve(data) as server:
        yield server


@pytest.fixture
def visit(browser, server):
    """A function that opens a page as a new visitor, or in the browser of an earlier one: `visit("weekly")`."""
    contexts = []

    def open_(name: str, before: Page | None = None, size: dict = WIDE) -> Page:
        if before is None:
            contexts.append(browser.new_context(viewport=size))
        page = (before.context if before else contexts[-1]).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.address}/{name}")
        shows_no_error(page)
        return page

    yield open_
    for context in contexts:
        context.close()


def title(page: Page):
    return page.get_by_test_id("stHeading").first


def test_the_language_is_remembered_over_pages_reloads_and_visits_by_this_browser_alone(visit):
    page = visit("weekly")
    expect(title(page)).to_have_text("Weekly")
    page.get_by_role("button", name="English").click()
    page.get_by_text("हिन्दी").click()
    expect(title(page)).to_have_text("साप्ताहिक")
    page.get_by_role("link", name="हिस्टोग्राम").click()
    expect(title(page)).to_have_text("हिस्टोग्राम")
    page.reload()
    expect(title(page)).to_have_text("हिस्टोग्राम")
    expect(title(visit("weekly", before=page))).to_have_text("साप्ताहिक")
    expect(title(visit("weekly"))).to_have_text("Weekly")


def test_filters_are_remembered_over_pages_reloads_and_visits_until_they_are_cleared(visit):
    def filtered(page: Page):
        return page.get_by_text("Only: 7a", exact=True)

    page = visit("histograms")
    page.get_by_text("Filter", exact=True).click()
    choose(page, "Class", "7a")
    expect(filtered(page)).to_be_visible()
    page.keyboard.press("Escape")  # the list is still open, and hides the rest from those who cannot see
    page.get_by_role("link", name="Weekly").click()
    expect(title(page)).to_have_text("Weekly")
    expect(filtered(page)).to_be_visible()
    page.reload()
    expect(filtered(page)).to_be_visible()
    later = visit("lessons")
    expect(filtered(later)).to_be_visible()
    later.get_by_role("button", name="Clear filters").click()
    expect(filtered(later)).to_have_count(0)
    shows_no_error(later)
    last = visit("weekly")
    expect(filtered(last)).to_have_count(0)


def test_behind_a_chart_there_is_its_table(visit):
    page = visit("weekly")
    expect(page.get_by_text("Highest:")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(0)
    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_every_page_without_moving_it_sideways(visit, name):
    page = visit(name, size=PHONE)
    page.wait_for_timeout(1_500)  # charts are drawn after the page
    main = page.get_by_test_id("stMain")
    assert main.evaluate("m => m.scrollWidth") <= PHONE["width"]
