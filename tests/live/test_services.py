"""What lives as long as the process, and a visitor's private database."""

from contextlib import closing

import pytest
from streamlit.testing.v1 import AppTest

from cssafe.errors import ConfigurationError
from cssafe.live import services
from cssafe.settings import ROOT
from cssafe.store import Workspace
from tests.support.fake_pipelines import Crowd, crowd
from tests.support.live_lessons import make, time_now


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    yield tmp_path
    services.current().close()


def test_closing_the_services_ends_running_lessons_and_loses_none_of_their_figures(data):
    lesson = make(services.current().workspace())
    services.current().register(lesson)
    assert services.current().find(lesson.token) is lesson
    lesson.add_result(crowd(1, time_now()))
    services.current().close()
    assert lesson.ended and services.current().find(lesson.token) is None
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace:
        assert workspace.cursor().execute("SELECT count(*) FROM observations").fetchall() == [(1,)]
        assert workspace.cursor().execute("SELECT count(*) FROM lessons WHERE ended IS NULL").fetchall() == [(0,)]


def test_closing_what_was_never_opened_does_nothing():
    services.current().close()
    services.current().close()


def test_a_test_installs_services_with_its_own_pipeline_and_afterwards_the_process_has_its_own_again():
    before = services.current()
    with services.install(services.Services(Crowd)) as installed:
        assert services.current() is installed is not before
        installed.engine().loaded.result(60)
        assert installed.network() is None and installed.workspaces() == []
        lesson = make(installed.visit().workspace())
        installed.register(lesson)
    assert services.current() is before and lesson.written and installed.workspaces() == []


def test_a_lesson_that_is_over_can_no_longer_be_found():
    lesson = make(services.current().workspace())
    services.current().register(lesson)
    lesson.end()
    assert services.current().find(lesson.token) is None


def test_a_profile_that_does_not_exist_is_named_on_the_page_and_not_thrown_at_it(monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "nosuch")
    page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=30).run()
    assert not page.exception
    assert "no profile 'nosuch'" in page.error[0].value


def test_networks_that_are_missing_are_named_on_the_live_page(data, monkeypatch):
    monkeypatch.setenv("CSSAFE_MODEL", str(data / "nowhere"))
    with pytest.raises(ConfigurationError):
        services.current().engine().loaded.result(timeout=60)
    page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=30).run()
    assert not page.exception
    assert "nowhere" in page.error[0].value


def test_a_file_that_is_no_database_is_explained_on_the_page(data):
    (data / "cssafe.duckdb").write_bytes(b"something else")
    page = AppTest.from_file(str(ROOT / "cssafe" / "ui/site.py"), default_timeout=30).run()
    assert not page.exception
    assert "not a CSSAFE database" in page.error[0].value
