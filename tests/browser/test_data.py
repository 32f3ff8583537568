"""The page Data in a real browser: a file leaves one computer and comes in on another."""

import re
import zipfile
from contextlib import closing

import pytest

from cssafe import sample
from cssafe.settings import PROFILES
from cssafe.store import Workspace, backups
from tests.support.browser import PATIENCE, serve, shows_no_error
from tests.support.lessons import add, rows

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_term_goes_out_of_one_computer_and_into_another(browser, tmp_path, width):
    with closing(Workspace.open(tmp_path / "one" / "cssafe.duckdb")) as workspace:
        number = len(sample.add_term(workspace, PROFILES["consent"], weeks=1))
    page = browser.new_context(viewport={"width": width, "height": 844}, accept_downloads=True).new_page()
    page.set_default_timeout(PATIENCE)
    with serve(tmp_path / "one") as server:
        page.goto(f"{server.address}/data")
        page.get_by_role("button", name="Prepare the file").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as Parquet").click()
        path = tmp_path / "lessons.zip"
        download.value.save_as(path)
        shows_no_error(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with zipfile.ZipFile(path) as archive:
        assert "observations.parquet" in archive.namelist()
    with serve(tmp_path / "two") as server:
        page.goto(f"{server.address}/data")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_role("button", name="Import", exact=True).click()
        page.get_by_text(f"came in: {number}.").wait_for()
        shows_no_error(page)
        page.goto(f"{server.address}/weekly")
        page.get_by_text("How to read it").wait_for()
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_backup_is_restored_and_the_replaced_database_deleted_with_one_button_and_its_confirmation(
    browser, tmp_path, width
):
    path = tmp_path / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        workspace.rename(add(workspace, rows()), "As it was")
    backups.newest_backup(path).rename(backups.backup_path(path, "2026-03-02"))
    with closing(Workspace.open(path)) as workspace:
        add(workspace, rows())
    page = browser.new_context(viewport={"width": width, "height": 844}).new_page()
    page.set_default_timeout(PATIENCE)
    with serve(tmp_path) as server:
        page.goto(f"{server.address}/data")
        page.get_by_text("2026-03-02, lessons: 1").click()
        page.get_by_role("button", name="Restore", exact=True).click()
        page.get_by_text("kept among the backups").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("button", name="Restore this backup").click()
        page.get_by_text("Restored: 2026-03-02").wait_for()
        shows_no_error(page)
        page.get_by_role("button", name="Restore", exact=True).wait_for()
        replaced = re.compile(
            r"The database before the restore at \d\d:\d\d on \d{4}-\d\d-\d\d, lessons: 2, \d+\.\d MB"
        )
        assert page.get_by_role("button", name="Delete", exact=True).count() == 0  # the dated backup is chosen
        page.get_by_text(replaced).click()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_text("Lessons that it alone holds are gone for good").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("button", name="Delete this database").click()
        page.get_by_text(re.compile("Deleted: " + replaced.pattern)).wait_for()
        assert [backup.day for backup in backups.list_backups(path)][-1] == "2026-03-02"
        assert not any(backup.replaced for backup in backups.list_backups(path))
        shows_no_error(page)
    page.context.close()
