"""docs/data.md tells every table and column that there is, and no other: checked against a real database and real files."""

import io
import re
import zipfile
from dataclasses import replace

import pandas as pd

from cssafe.exchange import exporter
from cssafe.settings import ROOT
from tests.support.lessons import LESSON, add, rows

DOCUMENT = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def told() -> dict[str, dict[str, bool]]:
    """Table -> column -> whether it is said to be never empty. Tables under one heading share its columns."""
    found: dict[str, dict[str, bool]] = {}
    for heading, text in re.findall(r"^### (.+)\n((?:(?!^### ).*\n)*)", DOCUMENT, re.MULTILINE):
        columns = {}
        for cell in re.findall(r"^\| ([^|]*`[^|]*) \|", text, re.MULTILINE):
            columns |= {name: bool(bold) for bold, name in re.findall(r"(\*\*)?`(\w+)`", cell)}
        found |= {table: columns for table in heading.split(", ")}
    return found


def test_every_table_and_column_of_the_database_is_told_and_which_are_never_empty(workspace):
    document = told()
    with workspace.cursor() as cursor:
        real = cursor.execute(
            "SELECT table_name, column_name, NOT is_nullable FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    missing = [
        f"{table}.{name}" for table, name, _ in real if table != "migrations" and name not in document.get(table, {})
    ]
    wrong = [
        f"{table}.{name}" for table, name, needed in real if table != "migrations" and document[table][name] != needed
    ]
    assert missing == [] and wrong == []
    assert document.keys() <= {table for table, *_ in real}


def test_every_column_of_a_file_is_told_and_every_column_told_is_in_a_file(workspace):
    add(workspace, rows())
    add(workspace, rows(), lesson=replace(LESSON, profile="attention-only"))
    file = io.BytesIO()
    exporter.export_file(workspace, file, "csv")
    document = told()
    with zipfile.ZipFile(file) as archive:
        columns = {
            name.split(".")[0]: set(pd.read_csv(archive.open(name)).columns)
            for name in archive.namelist()
            if name.endswith(".csv")
        }
    assert columns.keys() == document.keys()
    assert [table for table, names in columns.items() if not names <= document[table].keys()] == []
    everything = set().union(*columns.values())
    assert {name for names in document.values() for name in names} == everything
