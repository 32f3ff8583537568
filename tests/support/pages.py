"""Pages run by Streamlit's AppTest: shown, read, pressed."""

import re
from gettext import NullTranslations

from streamlit.testing.v1 import AppTest

from cssafe.settings import ROOT


def navigation(name: str) -> None:
    """The script under test: the site with this page in front."""
    import streamlit as st

    from cssafe.settings import ROOT

    names = sorted(
        {"histograms", "weekly", "lessons", "live", "formulas", "rating", "data", "story", name},
        key=lambda other: other != name,
    )
    st.navigation([st.Page(ROOT / f"pages/{other}.py", default=other == name) for other in names]).run()


def show(name: str, **query: str) -> AppTest:
    page = AppTest.from_function(navigation, args=(name,), default_timeout=30)
    for key, value in query.items():
        page.query_params[key] = value
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception
    return page


def text(page: AppTest) -> str:
    parts = (page.markdown, page.text, page.caption, page.info, page.warning, page.error, page.subheader)
    return "\n".join(element.value for part in parts for element in part)


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click()
    run(page)


class Translated(NullTranslations):
    """A language into which every sentence is translated: whatever stays English was never looked up."""

    def gettext(self, message: str) -> str:
        return " ".join(["वाक्य", *re.findall(r"\{[^}]*\}", message)])

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid2)


def shown(page: AppTest) -> str:
    """All that the page sends to the browser, except what is typed into it."""
    parts = [*page.main.children.values()]
    words = [text(page)]
    while parts:
        part = parts.pop()
        parts += getattr(part, "children", {}).values()
        words.append(str(getattr(part, "proto", "")))
    return "\n".join(words)


def page(name: str) -> AppTest:
    shown = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=30)
    shown = (shown.switch_page(str(ROOT / "pages" / f"{name}.py")) if name != "live" else shown).run()
    assert not shown.exception
    return shown
