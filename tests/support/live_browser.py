"""The live page in a real browser: a visit, a lesson, the results drawn over the picture."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PATIENCE, Server, choose, take_photo


@contextmanager
def visit(browser: Browser) -> Iterator[Page]:
    """A page in Berlin that may use the camera and that asks no other server for anything."""
    with closing(browser.new_context(permissions=["camera"], timezone_id="Europe/Berlin")) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        yield page
    # Schools work without internet, and nobody else learns that the app is used.
    assert [a for a in addresses if not a.startswith(("http://localhost:", "data:", "blob:"))] == []


def start(page: Page, server: Server, ask: bool = True, audience: str = "Only me") -> None:
    """Open the page and start a lesson. ask: the profile asks whether everybody agrees."""
    page.goto(server.address)
    if ask:
        page.get_by_text("Everybody who will be in the picture").click()
    page.get_by_text(audience, exact=True).click()
    page.get_by_label("Subject").fill("Mathematics")
    page.get_by_role("button", name="Start").click()


def results(page: Page) -> int:
    """How many results have been drawn over the picture."""
    return int(page.locator("figure").get_attribute("data-results") or 0)


def wait_for_results(page: Page, number: int) -> None:
    page.locator("figure[data-results]").wait_for()
    page.wait_for_function(
        """number => [...document.querySelectorAll('*')].some(
            e => e.shadowRoot?.querySelector('figure')?.dataset.results >= number)""",
        arg=number,
    )


def watch_state(page: Page) -> None:
    """From here on the page remembers the states of its camera, for some pass too quickly to be looked for."""
    page.locator("figure").evaluate(
        """figure => { window.states = []; new MutationObserver(
            () => window.states.push(`${figure.dataset.state}: ${figure.innerText}`)
        ).observe(figure, {attributeFilter: ['data-state']}); }"""
    )


def wait_for_state(page: Page, words: str) -> None:
    page.wait_for_function("words => window.states.some(state => state.startsWith(words))", arg=words)


PHONE = {"width": 390, "height": 844}


def begin(page: Page, server: Server, connection: str) -> None:
    """Start a lesson by that connection."""
    page.goto(server.address)
    choose(page, "Camera connection", connection)
    page.get_by_text("Everybody who will be in the picture").click()
    page.get_by_label("Subject").fill("Mathematics")
    page.get_by_role("button", name="Start").click()


def take_picture(page: Page) -> None:
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")).to_have_count(3)  # the width stays
    take_photo(page)
    expect(page.get_by_text("1 face · concentration")).to_be_visible(timeout=PATIENCE)
