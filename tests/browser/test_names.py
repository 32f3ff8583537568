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
    "**B** ![p](http://evil.example/p.png) [l](http://evil.example) $\\frac{1}{2}$ <b>x</b>",
    "www.evil.example :material/bolt: :joy: :red[r] me@evil.example `c` ~~s~~ \u202egnp",
)
"""Names, each short enough to be shown whole."""

PAGES = (
    "formulas", "data", "live", "room", "lessons", "histograms", "weekly", "story", "term", "compare", "timetable", "rating",
)  # fmt: skip

FORMED = """() => [...document.querySelectorAll('strong, em, del, code, b, .katex, span, img, a[href]')].filter(e =>
    (/^(STRONG|EM|DEL|CODE|B)$/.test(e.tagName) && /^(B|x|c|s)$/.test(e.textContent))
    || e.matches('.katex') || (e.matches('span') && /^(bolt|r|😂)$/.test(e.textContent))
    || /^(https?:|mailto:)[^#]*evil/.test(e.href || e.src || '')).map(e => e.outerHTML)"""
"""Elements that something in a name has become."""


def fill(workspace: Workspace) -> None:
    """A lesson for each name, with everything named like that."""
    for day, hostile in enumerate(HOSTILE):
        start = START + timedelta(days=day)
        about = dict.fromkeys(("name", "class_name", "subject", "room"), hostile)
        parts = [rows(seconds=30, start=start + timedelta(minutes=minute)) for minute in range(3)]
        number = add(workspace, *parts, lesson=replace(LESSON, started=start, **about))
        workspace.add_marker(number, "quiz", start + timedelta(seconds=70), hostile)
        workspace.save_note(number, hostile, [hostile])
    hours = (("08:00", "10:00"), ("10:00", "12:00"))
    workspace.set("periods", [{"name": n, "start": a, "end": b} for n, (a, b) in zip(HOSTILE, hours, strict=True)])
    names = ("period", "class_name", "subject", "teacher", "room")
    lessons = [dict.fromkeys(names, name) | {"day": "Mon", "length": 1, "fixed": False} for name in HOSTILE]
    workspace.set("school", {"lessons": lessons})
    region = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
    workspace.set("seats", {name: [region | {"name": name}] for name in HOSTILE})


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
                expect(page.get_by_role("heading").filter(has_text="red[r]")).not_to_have_count(0)
