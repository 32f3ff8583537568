"""Notes and tags in a real database, none first; they go with their lesson, and an older database takes them."""

from contextlib import closing

import duckdb
import pytest

from cssafe import queries
from cssafe.queries import notes
from cssafe.store import Workspace, migrations
from tests.support.lessons import LESSON, add, rows


def test_a_lesson_has_no_note_and_no_tags_at_first(workspace):
    number = add(workspace, rows())
    assert notes.note(workspace, number) == "" and notes.tags(workspace).empty
    assert list(notes.tags(workspace).columns) == ["lesson", "tag"]


def test_what_is_written_last_stays_without_spaces_and_doubles(workspace):
    first, second = add(workspace, rows()), add(workspace, rows())
    workspace.save_note(first, "earlier", ["gone"])
    workspace.save_note(first, "  Line one\nline two ", [" quiz ", "quiz", "", "  ", "'; DROP TABLE tags"])
    workspace.save_note(second, " ", ["quiz"])
    assert notes.note(workspace, first) == "Line one\nline two" and notes.note(workspace, second) == ""
    assert notes.tags(workspace).to_numpy().tolist() == [
        [first, "'; DROP TABLE tags"],
        [first, "quiz"],
        [second, "quiz"],
    ]


def test_notes_and_tags_go_with_their_lesson(workspace):
    first, second = add(workspace, rows()), add(workspace, rows())
    for number in (first, second):
        workspace.save_note(number, "note", ["tag"])
    workspace.delete(first)
    assert notes.note(workspace, first) == "" and notes.tags(workspace)["lesson"].tolist() == [second]
    workspace.save_note(second, "", [])
    assert notes.note(workspace, second) == "" and notes.tags(workspace).empty


def test_every_table_that_names_a_lesson_is_emptied_with_it(workspace):
    """So that a table that a later version adds is not forgotten."""
    number = add(workspace, rows())
    workspace.save_note(number, "note", ["tag"])
    workspace.add_marker(number, "quiz", LESSON.started)
    workspace.save_rating(number, LESSON.started, 1)
    with workspace.cursor() as cursor:
        named = "SELECT DISTINCT table_name FROM duckdb_columns() WHERE column_name = 'lesson'"
        tables = [table for (table,) in cursor.execute(named).fetchall()]
        filled = [table for table in tables if cursor.execute(f"FROM {table}").fetchall()]
    assert {"notes", "tags", "observations", "lessons"} <= set(filled)
    workspace.delete(number)
    with workspace.cursor() as cursor:
        assert [table for table in tables if cursor.execute(f"FROM {table}").fetchall()] == []


@pytest.mark.parametrize("steps", range(1, len(migrations.MIGRATIONS)))
def test_a_database_of_every_earlier_version_keeps_its_lessons_and_takes_notes(tmp_path, monkeypatch, steps):
    path = tmp_path / "a.duckdb"
    with monkeypatch.context() as older, duckdb.connect(path) as connection:
        older.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:steps])
        migrations.migrate(connection)
        connection.execute(
            "INSERT INTO lessons (lesson, name, class_name, subject, room, time_zone, profile, formula, source, audience,"
            " started, ended) VALUES (1, 'Old', '7a', 'Maths', 'R1', 'Europe/Berlin', 'consent', 'published 1', 'camera',"
            " 'class', '2026-03-02 08:00:00', '2026-03-02 08:45:00')"
        )
    with closing(Workspace.open(path)) as workspace:
        workspace.save_note(1, "kept", ["old"])
    with closing(Workspace.open(path)) as workspace:
        assert queries.lessons(workspace)["name"].tolist() == ["Old"]
        assert notes.note(workspace, 1) == "kept" and notes.tags(workspace)["tag"].tolist() == ["old"]
