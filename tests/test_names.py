"""Names are shown as typed: nothing in them takes effect, wherever a page shows them."""

import ast
import unicodedata

import pytest
from markdown_it import MarkdownIt

from cssafe.names import MAX_NAME_CHARS, WORD_JOINER, clean_text, escape_emphasized, escape_markdown, escape_sentence
from cssafe.report import files
from cssafe.report.document import Report, Section
from cssafe.settings import ROOT

MARKDOWN = (
    "markdown", "caption", "header", "subheader", "title", "info", "warning", "error", "success", "toast", "metric",
    "button", "page_link", "link_button", "expander", "popover", "checkbox", "radio", "tabs", "progress",
)  # fmt: skip
"""Streamlit's functions that read Markdown in what they are given."""

TYPED = (
    "lesson.lesson.name", "running.lesson.name", "shown.lesson.name", "lesson['name']", "lesson['formula']", "report.title",
    "section.title", "section.reading", "period", "error", "problem", "complaint", "entry['subject']", "upload.problem",
    "analysis.problem", "capture.problem", "room.problem", "view.problem", "progress.name", "upload.name", "formula.title",
    "found.reason", "made.reason", "marker.kind", "report['problem']",
)  # fmt: skip
"""What holds text that a user or a file brought, as pages call it."""

SAFE = ("escape_markdown", "escape_sentence", "escape_emphasized", "clean_text", "wrong", "too_much")


SHOWING = sorted([*ROOT.glob("pages/*.py"), *ROOT.glob("cssafe/ui/*.py")])
"""Code that shows something in the browser."""


def bare(node: ast.AST) -> list[str]:
    """What of TYPED is in an expression outside a call of SAFE."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAFE:
        return []
    here = [ast.unparse(node)] if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) else []
    return [one for one in here if one in TYPED] + [one for child in ast.iter_child_nodes(node) for one in bare(child)]


@pytest.mark.parametrize("page", SHOWING, ids=lambda path: path.stem)
def test_no_page_gives_markdown_what_somebody_typed(page):
    calls = [node for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    shows = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in MARKDOWN]
    found = [(call.lineno, one) for call in shows for argument in call.args for one in bare(argument)]
    own = (
        {"complaint"} if page.stem in ("live_form", "upload_form", "score_explanation") else set()
    )  # sentences of the page's own
    assert [(line, one) for line, one in found if one not in own] == []


@pytest.mark.parametrize("page", SHOWING, ids=lambda path: path.stem)
def test_every_table_of_a_page_is_one_whose_csv_executes_nothing(page):
    calls = [node for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)]
    found = [call.lineno for call in calls if call.attr in ("dataframe", "data_editor")]
    own = {"common": 3, "picture_cards": 1}  # what makes such tables, and a table whose words are CSSAFE's own
    assert len(found) == own.get(page.stem, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7a", "7a"),
        ("", ""),
        (" two\nlines\t and more ", "two lines and more"),
        ("a\x00b\x1b\u200bc\u202ed\ufeff", "abcd"),
        ("क्‍ष", "क्‍ष"),  # spelled with a joiner
        ("عربي", "\u2068عربي\u2069"),
        ("x" * 81, "x" * 79 + "…"),
        (3, "3"),
    ],
)
def test_a_name_is_shown_in_one_line_contained_and_shortened(text, expected):
    assert clean_text(text) == expected


def test_a_very_long_name_is_as_short_as_any_and_a_sentence_is_longer():
    assert len(clean_text("x" * 10_000)) == MAX_NAME_CHARS and len(escape_sentence("x" * 1_000)) == 1_000


def test_text_that_is_no_markdown_is_left_alone():
    for text in ("Mathematics 7b", "09:05:00 to 10:15", "It's 5 - 3, isn't it? (yes)", "Größe; 50 %"):
        assert escape_markdown(text) == text


@pytest.mark.parametrize(
    "text", ["**bold**", "[a](http://b.c)", "$x$", ":red[x]", "<b>", "# x", "1. x", "`x`", "![](//x)"]
)
def test_every_mark_is_escaped(text):
    visible = "".join(c for c in escape_markdown(text) if unicodedata.category(c) != "Cf").replace("\\", "")
    assert escape_markdown(text) != text and visible == text


@pytest.mark.parametrize(
    "text",
    [
        *("1" * digits + mark + " x" for digits in range(1, 11) for mark in ".)"),
        "123.", "- x", "+ x", "* x", "-", "---", "***", "___", "===", "- - -", "# x", "###### x", "> x", "```x", "~~~ x",
        "    x", "\tx", "|a|b|", "[a]: http://b.c", "<b>x", "<!-- x", "&amp; x", "\\ x", "*x*", "~~x~~", "- [ ] x", "x\n---",
    ],
)  # fmt: skip
def test_no_beginning_of_a_line_makes_anything_but_a_paragraph_of_the_same_text(text):
    [begin, inline, end] = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escape_markdown(text))
    assert (begin.type, end.type) == ("paragraph_open", "paragraph_close")
    assert {part.type for part in inline.children} <= {"text", "text_special"}
    assert "".join(part.content for part in inline.children).replace(WORD_JOINER, "") == clean_text(text)


def test_only_the_first_and_the_last_stress_of_a_sentence_hold():
    assert escape_emphasized("On **Monday 1**: more.") == "On  **Monday 1**: more.".replace("On  ", "On ")
    assert (
        escape_emphasized("**a ** b ** c**: d_e") == r"**a \*\* b \*\* c**: d\_e"
        and escape_emphasized("a_b") == r"a\_b"
    )


@pytest.mark.slow
def test_a_report_shows_a_name_as_typed_in_html_and_pdf():
    typed = "<b>x</b> **y** \u202eאבג " + "z" * 10_000
    report = Report(typed, "lesson-1", typed, False, (), (Section(typed, (typed,)),))
    html = files.make_file(report, "html").decode()
    assert "&lt;b&gt;x&lt;/b&gt; **y** " in html and "<b>x" not in html and "\u202e" not in html
    assert html.count("z" * 3000) == 0
    assert files.make_file(report, "pdf").startswith(b"%PDF")
