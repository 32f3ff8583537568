"""Words on the screen: all wrapped where a page is translated, all translated, and with what changes in its place."""

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from streamlit.testing.v1 import AppTest

from cssafe import language
from cssafe.errors import ConfigurationError, CssafeError
from cssafe.language import LANGUAGES, N_, _, ngettext
from cssafe.live import services
from cssafe.live.engine import Engine
from cssafe.live.room_scheduler import RoomScheduler
from cssafe.live.transports import websocket_component
from cssafe.live.upload import Analysis
from cssafe.media import MediaError
from cssafe.privacy import Anonymization, withheld_code
from cssafe.settings import PROFILES, ROOT
from cssafe.store import StoreError, Workspace
from cssafe.ui import common
from tests import words
from tests.support.live_lessons import make
from tests.support.wait import until

WRAPPED = (
    "cssafe/scoring/affect.py",
    "cssafe/stats/agreement.py",
    "cssafe/live/alerts.py",
    "cssafe/charts/classes.py",
    "cssafe/charts/heatmaps.py",
    "cssafe/charts/histograms.py",
    "cssafe/charts/reports.py",
    "cssafe/charts/scores.py",
    "cssafe/charts/text.py",
    "cssafe/charts/timelines.py",
    "cssafe/scoring/explanation.py",
    "cssafe/expression/model_metrics.py",
    "cssafe/scoring/formula.py",
    "cssafe/labels.py",
    "cssafe/charts/model.py",
    "cssafe/school/periods.py",
    "cssafe/privacy.py",
    "cssafe/recording.py",
    "cssafe/queries/responses.py",
    "cssafe/queries/seats.py",
    "cssafe/scoring/sensitivity.py",
    "cssafe/settings.py",
    "cssafe/ui/site.py",
    "cssafe/queries/suggestions.py",
    "cssafe/queries/teaching_methods.py",
    "cssafe/school/room_timetable.py",
    "cssafe/ui/common.py",
    "cssafe/ui/backup_panel.py",
    "cssafe/ui/exchange_panels.py",
    "cssafe/ui/formula_panel.py",
    "cssafe/ui/lesson_actions.py",
    "cssafe/ui/lesson_course.py",
    "cssafe/ui/live_form.py",
    "cssafe/ui/model_metrics_view.py",
    "cssafe/ui/periods_editor.py",
    "cssafe/ui/rating_panel.py",
    "cssafe/ui/room_form.py",
    "cssafe/ui/room_timetable_editor.py",
    "cssafe/ui/room_view.py",
    "cssafe/ui/sensitivity_view.py",
    "cssafe/ui/slot_differences.py",
    "cssafe/ui/upload_form.py",
    "cssafe/ui/upload_view.py",
    "cssafe/ui/week_cell.py",
    "cssafe/ui/week_proposal.py",
    "cssafe/live/transports/websocket_component.py",
    "cssafe/live/room_camera.py",
    "cssafe/charts/live.py",
    "cssafe/live/picture_analysis.py",
    "cssafe/live/room_scheduler.py",
    "cssafe/live/lesson.py",
    "cssafe/live/transports/snapshot.py",
    "cssafe/live/transports/choice.py",
    "cssafe/live/upload.py",
    "cssafe/live/lesson_state.py",
    "cssafe/live/transports/webrtc.py",
    "cssafe/media/__init__.py",
    "cssafe/media/cameras.py",
    "cssafe/media/images.py",
    "cssafe/report/document.py",
    "cssafe/report/files.py",
    "cssafe/report/figures.py",
    "cssafe/report/comparison_report.py",
    "cssafe/report/sections.py",
    "cssafe/report/lesson_report.py",
    "cssafe/report/term_report.py",
    "cssafe/timetable/slot_effects.py",
    "cssafe/timetable/week_csv.py",
    "cssafe/timetable/week_ics.py",
    "cssafe/timetable/proposal.py",
    "cssafe/school/week.py",
    "cssafe/vision/detector.py",
    "cssafe/vision/face_finder.py",
    "cssafe/vision/yunet.py",
    "pages/compare.py",
    "pages/concentration.py",
    "cssafe/ui/anonymization_choice.py",
    "pages/data.py",
    "pages/files.py",
    "cssafe/ui/filters.py",
    "pages/formulas.py",
    "pages/histograms.py",
    "pages/lessons.py",
    "pages/live.py",
    "cssafe/ui/try_picture.py",
    "pages/model.py",
    "pages/phone.py",
    "cssafe/ui/picture_cards.py",
    "pages/projector.py",
    "pages/rating.py",
    "cssafe/ui/marker_responses.py",
    "pages/room.py",
    "cssafe/ui/lesson_panel.py",
    "cssafe/ui/seat_map.py",
    "pages/status.py",
    "pages/story.py",
    "cssafe/ui/report_view.py",
    "pages/term.py",
    "pages/timetable.py",
    "cssafe/ui/shared_views.py",
    "cssafe/ui/week_editor.py",
    "pages/weekly.py",
    "cssafe/ui/score_explanation.py",
)
"""Files whose visible words are translated; the others follow."""

PROSE = re.compile(r"[a-z]{2,} [a-z]{2,}|^[A-Z][a-z]+")
"""What only a person would read: two words side by side, or one that begins with a capital."""


@pytest.fixture
def ask(monkeypatch):
    """A function that sets the language: `ask("hi")`."""
    monkeypatch.setattr(language, "_current_language", lambda: "en")  # it is put back afterwards
    return lambda code: language.set_language_source(lambda: code)


def unwrapped(code: str) -> list[str]:
    """Strings of the code that a person reads and nobody can translate."""
    return [text for text in _strings(ast.parse(code)) if PROSE.search(text)]


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_", "ngettext"):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # documentation
        return
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")):
        return  # for developers
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.lstrip().startswith("<"):
        yield node.value
    types = [getattr(node, "annotation", None), getattr(node, "returns", None)]
    for child in ast.iter_child_nodes(node):
        if child not in types:
            yield from _strings(child)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("", []),
        ('"""A docstring."""\nst.title(_("Weekly"), key="heat_map", icon=":material/info:")', []),
        ('def title() -> "Title":\n    assert here, "it is here"\n    log.error("Not here")', []),
        ('st.title("Weekly")', ["Weekly"]),
        ('st.info(f"{n} lessons were found")', [" lessons were found"]),
        ('st.selectbox(_("Class"), options, format_func={"a": "All of them"}.get)', ["All of them"]),
        ('st.html("<style>.title { color: red blue }</style>")', []),
    ],
)
def test_a_string_that_nobody_can_translate_is_found(code, found):
    assert unwrapped(code) == found


@pytest.mark.parametrize("path", WRAPPED)
def test_every_visible_string_of_a_translated_file_is_wrapped(path):
    assert unwrapped((ROOT / path).read_text(encoding="utf-8")) == []


def test_nothing_hides_the_function_that_translates():
    """`for _ in ...` in a file that translates would make `_` a number there."""
    hidden = []
    for path in [*(ROOT / "cssafe").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        code = path.read_text(encoding="utf-8")
        if re.search(r"from cssafe.language import .*\b_\b", code) and path.name != "language.py":
            names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and node.id == "_"]
            hidden += [f"{path.name}:{name.lineno}" for name in names if isinstance(name.ctx, ast.Store)]
    assert hidden == []


def ids(message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def places(text: str) -> set[tuple]:
    """What is put into the text: name and format of each."""
    return {(name, form) for _text, name, form, _conversion in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", words.TRANSLATIONS)
def test_a_translation_has_the_same_places_as_its_sentence(code):
    wrong = [
        (message.id, text)
        for message in words.read(code)
        if message.id
        for text in words.strings(message)
        if text and places(text) != places(ids(message)[-1])
    ]
    assert wrong == []


def test_a_sentence_and_its_plural_have_the_same_places():
    assert [m.id for m in words.source() if m.id and len({frozenset(places(text)) for text in ids(m)}) > 1] == []


UNFINISHED = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Weekly"
msgstr "Veckovis"

msgid "Lessons"
msgstr ""

#, fuzzy
msgid "Story"
msgstr "Lektion"

msgid "{n} lesson"
msgid_plural "{n} lessons"
msgstr[0] "{n} lektion"
msgstr[1] ""
"""


@pytest.fixture
def unfinished(tmp_path, monkeypatch, ask):
    """Swedish, asked for and translated in part."""
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    path = language.catalogue_path("sv")
    path.parent.mkdir(parents=True)
    path.write_text(UNFINISHED, encoding="utf-8")
    ask("sv")
    yield
    language._catalogue.cache_clear()


def test_a_missing_or_unsure_translation_is_shown_in_english(unfinished):
    assert (_("Weekly"), _("Lessons"), _("Story"), _("no such words")) == (
        "Veckovis",
        "Lessons",
        "Story",
        "no such words",
    )
    assert [ngettext("{n} lesson", "{n} lessons", n) for n in (1, 2)] == ["{n} lektion", "{n} lessons"]


def test_make_words_keeps_translations_and_counts_those_that_are_missing(unfinished):
    catalogue, sentences = words.read("sv"), Catalog()
    for sentence in ("Weekly", "Story", "95 % interval", ("{n} lesson", "{n} lessons")):
        sentences.add(sentence)
    words.update(catalogue, sentences)
    assert {m.id: m.string for m in catalogue if m.id}["Weekly"] == "Veckovis"
    assert {m.id for m in words.missing(catalogue)} == {"Story", "95 % interval", ("{n} lesson", "{n} lessons")}


@pytest.mark.parametrize("code", words.TRANSLATIONS)
def test_make_words_writes_nothing_that_hangs_on_the_version_of_babel(code):
    assert b"Babel" not in words.written(words.read(code))


def test_a_language_without_a_file_is_english(ask):
    ask("fi")
    assert _("Weekly") == "Weekly" and ngettext("{n} lesson", "{n} lessons", 2) == "{n} lessons"


def test_what_is_not_translated_and_who_is_not_asked_stays_english(ask):
    ask("hi")
    assert _("no such words") == "no such words" == N_("no such words")
    assert ngettext("{n} such word", "{n} such words", 2) == "{n} such words"
    ask("en")
    assert _("Weekly") == "Weekly" and ngettext("{n} lesson", "{n} lessons", 1) == "{n} lesson"


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_words_stay_no_words(ask, code):
    ask(code)
    assert _("") == ""


def test_an_error_is_told_in_the_language_of_the_page_that_shows_it(ask):
    error = StoreError(N_("{n} min"), n=3)
    assert str(error) == "3 min"
    ask("hi")
    assert str(error) == "3 मिनट" and str(StoreError("{no} such words")) == "{no} such words"


def test_words_are_those_of_the_language_asked_for(ask):
    ask("hi")
    assert _("Weekly") == "साप्ताहिक" and N_("Weekly") == "Weekly"
    assert ngettext("over {n} lesson", "over {n} lessons", 3) == "{n} पाठों पर आधारित"
    assert next(iter(LANGUAGES)) == "en" and {"hi"} <= set(LANGUAGES)


def test_an_error_is_told_in_the_language_of_whoever_reads_it(ask):
    error = MediaError("{n} min", n=3)
    assert str(error) == "3 min"
    ask("hi")
    assert str(error) == "3 मिनट"


def fail(error: type[CssafeError]):
    """A function that cannot do what it is asked for."""

    def work(*_args, **_options):
        raise error(N_("{n} min"), n=3)

    return work


def networks(_workspace, _monkeypatch):
    engine = Engine(fail(ConfigurationError)).start()
    engine.loaded.exception(60)
    return lambda: engine.problem


def files(_workspace, _monkeypatch):
    analysis = Analysis(
        Engine(fail(ConfigurationError)).start(), [], PROFILES["consent"], "self", Anonymization.SHOWN
    ).start()
    assert analysis.done.wait(60)
    return lambda: analysis.problem


def database(_workspace, monkeypatch):
    monkeypatch.setattr(services.Workspace, "open", fail(StoreError))
    with pytest.raises(StoreError):
        services.current().workspace()
    return services.current().store_problem


def timetable(_workspace, monkeypatch):
    room = RoomScheduler(services.current().engine, fail(StoreError), services.current().register)
    monkeypatch.setattr(room, "tick", fail(MediaError))
    room.open()
    until(lambda: room.problem)
    room.close()
    return lambda: room.problem


def recording(workspace, monkeypatch):
    lesson = make(workspace)
    lesson.end()
    monkeypatch.setattr(Workspace, "problem", property(lambda _: str(StoreError(N_("{n} min"), n=3))))
    return lambda: lesson.state().problem


@pytest.mark.parametrize("failure", [networks, files, database, timetable, recording])
def test_what_went_wrong_on_another_thread_is_told_in_the_language_of_the_page(
    failure, ask, workspace, monkeypatch, tmp_path
):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    problem = failure(workspace, monkeypatch)
    assert problem() == "3 min"
    ask("hi")
    assert problem() == "3 मिनट"
    services.current().close()


def test_the_live_page_says_in_its_language_why_the_networks_did_not_load(ask, monkeypatch, tmp_path):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    with services.install(services.Services(fail(ConfigurationError))) as installed:
        installed.engine().loaded.exception(60)
        language.set_language_source(common.current_language)
        page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=60)
        page.session_state["language"] = "hi"
        assert page.run().error[0].value == "3 मिनट"


def test_the_browser_has_words_for_all_that_is_said_instead_of_a_figure():
    said = {
        withheld_code(audience, faces, n)
        for audience in ("self", "class")
        for faces in range(9)
        for n in range(faces + 1)
    }
    assert said - {""} <= {*websocket_component.texts()["sentences"]}


@pytest.mark.parametrize(
    ("good", "bad"),
    [(b"nplurals=2;", b"nplurals=two;"), (b"plural=", b"plural=n +* 1; was="), (b"msgstr ", b"msgstr \xff")],
)
def test_a_broken_file_of_translations_is_logged_and_english_is_shown(good, bad, tmp_path, monkeypatch, caplog):
    path = tmp_path / "hi" / "LC_MESSAGES" / "cssafe.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(language.catalogue_path("hi").read_bytes().replace(good, bad))
    monkeypatch.setattr(language, "LOCALE", tmp_path)
    monkeypatch.setattr(language, "_current_language", lambda: "hi")
    language._catalogue.cache_clear()
    try:
        assert _("Lessons") == "Lessons" and ngettext("one", "several", 2) == "several"
        assert _("Faces") == "Faces"
    finally:
        language._catalogue.cache_clear()
    [line] = [record.getMessage() for record in caplog.records if record.name == language.__name__]
    assert "cssafe.po" in line
