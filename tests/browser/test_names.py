"""Hostile names in a real browser: on no page does anything in them take effect or ask another server."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from cssafe.store import Workspace
from tests.support.browser import serve, shows_no_error
from tests.support.lessons import LESSON, START, add, rows
from tests.support.live_browser import visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOSTILE = (
    "**B** ![p](http://evil.example/p.png) [l](http://evil.example) $\\frac{1}{2}$ <b>x</b> www.evil.example"
    " :material/bolt: :joy: :red[r] me@evil.example `c` ~~s~~ \u202egnp"
)
PAGES = (
    "formulas", "data", "live", "room", "lessons", "histograms", "weekly", "story", "term", "compare", "timetable", "rating",
)  # fmt: skip

FORMED = """() => [...document.querySelectorAll('strong, em, del, code, b, .katex, span, img, a[href]')].filter(e =>
    (/^(STRONG|EM|DEL|CODE|B)$/.test(e.tagName) && /^(B|x|c|s)$/.test(e.textContent))
    || e.matches('.katex') || (e.matches('span') && /^(bolt|r|😂)$/.test(e.textContent))
    || /^(https?:|mailto:)[^#]*evil/.test(e.href || e.src || '')).map(e => e.outerHTML)"""
"""Elements that something in a name has become."""


def fill(workspace: Workspace) -> None:
    """Two lessons, with everything named as badly as can be."""
    about = dict.fromkeys(("name", "class_name", "subject", "room"), HOSTILE)
    for day in range(2):
        start = START + timedelta(days=day)
        parts = [rows(seconds=30, start=start + timedelta(minutes=minute)) for minute in range(3)]
        number = add(workspace, *parts, lesson=replace(LESSON, started=start, **about))
        workspace.add_marker(number, "quiz", start + timedelta(seconds=70), HOSTILE)
        workspace.save_note(number, HOSTILE, [HOSTILE])
    periods = [{"name": HOSTILE, "start": "08:00", "end": "10:00"}]
    lesson = {"day": "Mon", "period": HOSTILE, "subject": HOSTILE, "teacher": HOSTILE, "room": HOSTILE}
    workspace.set("periods", periods)
    workspace.set("school", {"lessons": [lesson | {"class_name": HOSTILE, "length": 1, "fixed": False}]})
    workspace.set("seats", {HOSTILE: [{"name": HOSTILE, "left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}]})


def test_nothing_in_a_name_takes_effect_on_any_page(browser, tmp_path):
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        fill(workspace)
    with serve(tmp_path) as server, visit(browser) as page:  # which asks no other server for anything
        for name in PAGES:
            page.goto(f"{server.address}/{name}")
            shows_no_error(page)
            for opened in page.get_by_test_id("stExpander").locator("summary").all():
                if opened.is_visible():
                    opened.click()
            page.wait_for_timeout(1500)
            shows_no_error(page)
            assert page.evaluate(FORMED) == [], name
            assert "😂" not in page.locator("body").inner_text()
            if name in ("lessons", "story"):
                expect(page.get_by_role("heading").filter(has_text="**B** ![p](http")).not_to_have_count(0)
