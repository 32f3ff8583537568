"""Settings that a workspace keeps: what is refused, what travels, and what a wrong one in the database does."""

import io
import json
import zipfile
from contextlib import closing

import pytest
from streamlit.testing.v1 import AppTest

from cssafe.exchange import ABOUT, exporter, importer
from cssafe.live import services
from cssafe.live.transports.choice import NAMES
from cssafe.settings import PROFILES, ROOT
from cssafe.store import StoreError, Workspace
from cssafe.store.importing import ImportResult
from cssafe.store.stored_settings import CONNECTIONS, STORED_SETTINGS
from tests.support.lessons import add, rows
from tests.support.stored_settings import ENTRY, GOOD, PERIOD, REGION, put

CONSENT = PROFILES["consent"]


BAD = {
    "agreed": ["yes", 1, None],
    "hints": [{}, "true"],
    "anonymous": [{"class": "uncovered"}, {"everybody": "shown"}, [], {"class": None}],
    "room": [{}, {"source": 3, "time_zone": "UTC"}, *({"source": "", "time_zone": zone} for zone in ("Moon/Sea", "../x", ""))],
    "room_rests": ["soon", "2026-11-29", "2026-11-29T08:00:00", "0001-01-01T00:00:00+00:00", 5],
    "timetable": [{}, [1], [ENTRY | {"days": []}], [ENTRY | {"start": "9"}], [ENTRY, ENTRY], [ENTRY | {"x": 1}]],
    "live": [
        {"class_name": "\ud800"},
        [], {"audience": "everybody"}, {"time_zone": "nowhere"}, {"class_name": ["7b"]}, {"connection": "x"},
    ],
    "expected": [25, {"7b": -1}, {"7b": 24.5}, {"7b": "24"}, {"7b": 5000}, {"7b": None}],
    "filters": [
        {"from": "03/04/2026"}, {"class": "7b"}, {"synthetic": None}, {"until": 1e400}, {"other": 1},
        {"from": "0001-01-01"}, {"until": "9999-12-31"}, {"from": "2026-11-29T08:00:00"},
    ],
    "formula": [1, None, ["published 2"], "x" * 3000, "half a pair \ud800"],
    "periods": [{}, [{}], [PERIOD | {"start": None}], [PERIOD, PERIOD], [PERIOD | {"end": "07:00"}], [[PERIOD]]],
    "school": [[], {"lessons": {}}, {"most": 10**400}, {"most": 0}, {"days": []}, {"days": ["Someday"]}, {"focus": {"a": "b"}},
               {"lessons": [{"day": 1}]}, {"away": [None]}, {"colour": 1}, {"most": True}],
    "seats": [[], {"12": {}}, {"12": [REGION | {"left": 2}]}, {"12": [REGION | {"top": None}]}, {"12": [{"name": "A"}]}],
}  # fmt: skip


def brought(workspace: Workspace, *rows: tuple[str, str]) -> ImportResult:
    """Import a file with such settings."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(ABOUT, json.dumps({"program": "CSSAFE", "format": "json", "database": [], "rows": {}}))
        archive.writestr("lessons.json", "")
        archive.writestr("settings.json", "".join(f"{json.dumps({'key': k, 'value': v})}\n" for k, v in rows))
    return importer.import_file(workspace, file, CONSENT)


def test_every_key_has_examples_and_every_connection_is_known():
    assert GOOD.keys() == BAD.keys() == STORED_SETTINGS.keys() and {*CONNECTIONS} == {*NAMES}


@pytest.mark.parametrize("key", GOOD)
def test_a_good_value_comes_back_as_it_was_set(workspace, key):
    for value in GOOD[key]:
        workspace.set(key, value)
        assert workspace.get(key) == value


@pytest.mark.parametrize("key", BAD)
def test_a_wrong_value_cannot_be_set_and_one_in_the_database_is_as_none(workspace, key):
    for value in BAD[key]:
        with pytest.raises(StoreError, match=f"setting {key} cannot be kept. Expected is"):
            workspace.set(key, value)
    for text in (*map(json.dumps, BAD[key]), "{", "", "[" * 10_000, '{"a": NaN}', "NaN", "1" + "0" * 5000):
        put(workspace, key, text)
        assert workspace.get(key, "default") == "default"
        workspace._queue.run(lambda: workspace._connection.execute("DELETE FROM settings"))


@pytest.mark.parametrize("key", [key for key, setting in STORED_SETTINGS.items() if setting.travels])
def test_a_wrong_value_in_a_file_refuses_it_with_key_and_shape(workspace, key):
    for value in BAD[key]:
        with pytest.raises(StoreError, match=f"setting {key} cannot be taken. Expected is ") as refused:
            brought(workspace, (key, json.dumps(value)))
        assert STORED_SETTINGS[key].shape in str(refused.value)
    brought(workspace, (key, json.dumps(GOOD[key][-1])))
    assert workspace.get(key) == GOOD[key][-1]


def test_what_acts_on_a_computer_neither_leaves_nor_comes_in(workspace):
    for key, values in GOOD.items():
        workspace.set(key, values[-1])
    file = io.BytesIO()
    exporter.export_file(workspace, file, "json")
    with zipfile.ZipFile(file) as archive:
        left = {json.loads(line)["key"] for line in archive.read("settings.json").splitlines()}
    assert left == {"live", "expected", "filters", "formula", "periods", "school", "seats"}
    with closing(Workspace.open(None)) as other:
        taken = brought(other, ("future", "1"), *((key, json.dumps(values[-1])) for key, values in GOOD.items()))
        assert taken.ignored == 7 and "left out: 7" in importer.describe_import(taken)
        kept = {key for key in STORED_SETTINGS if other.get(key) is not None}
    assert kept == left


def test_the_same_key_twice_comes_in_once(workspace):
    brought(workspace, ("formula", '"a 1"'), ("formula", '"b 1"'))
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM settings").fetchone() == (1,)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["live", "files", "room", "weekly", "timetable", "formulas"])
def test_wrong_values_in_the_database_close_no_page(page, data):
    with closing(Workspace.open(data)) as workspace:
        add(workspace, rows(tracks=6, seconds=90))
        for key, values in BAD.items():
            put(workspace, key, json.dumps(values[0]))
    app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=30).run()
    assert not app.exception
    services.current().close()
