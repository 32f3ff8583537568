"""Databases and model folders that cannot be used: told in a sentence at every door, kept as they are, and the rest goes
on."""

import json
import os
import resource
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import duckdb
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cssafe import queries, settings
from cssafe.commands.main import main
from cssafe.errors import ConfigurationError
from cssafe.expression import Expression
from cssafe.live import health, services
from cssafe.live.transports import websocket
from cssafe.store import StoreError, Workspace
from cssafe.store.errors import why_damaged
from cssafe.store.rescue import rescue
from cssafe.ui import common
from tests.support.database import folder_contents
from tests.support.faces import astronaut
from tests.support.lessons import LESSON, START, add, rows
from tests.support.markdown import as_read
from tests.support.pages import page

NOBODY = 65534


@pytest.fixture
def folder():
    """A folder that every user of the machine may enter."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    for part in (path, *path.rglob("*")):
        part.chmod(0o755)
    shutil.rmtree(path)


@pytest.fixture
def app(folder, monkeypatch, loaded_once):
    """The environment of an app on that folder."""
    monkeypatch.setenv("CSSAFE_DATA", str(folder))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    monkeypatch.delenv("CSSAFE_MODE", raising=False)
    yield folder
    services.current().close()


@contextmanager
def without_privileges():
    """As a user who may not read and write everything, where the tests run as one who may. Modules that only that one
    may read are to be imported before."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def ours(path: Path, *statements: str) -> None:
    Workspace.open(path).close()
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


FUTURE = "INSERT INTO migrations VALUES ('m999_future', now()::TIMESTAMP)"
KEEP_LOG = "PRAGMA disable_checkpoint_on_shutdown"


def another_programs(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE invoices AS SELECT 1 AS number")


def damaged(path: Path) -> None:
    ours(path)
    content = bytearray(path.read_bytes())
    content[8192:200_000] = b"\x7f" * (200_000 - 8192)
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    ours(path)
    path.write_bytes(path.read_bytes()[:20_000])


def overwritten(first: int, content: bytes) -> Callable[[Path], None]:
    """A database with that content at that byte."""

    def make(path: Path) -> None:
        ours(path)
        whole = bytearray(path.read_bytes())
        whole[first : first + len(content)] = content
        path.write_bytes(whole)

    return make


def newer_storage(path: Path) -> None:
    """With the checksum that DuckDB computes of a header."""
    ours(path)
    whole = bytearray(path.read_bytes())
    whole[12:20] = (999).to_bytes(8, "little")
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", whole[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    path.write_bytes(struct.pack("<Q", checksum) + whole[8:])


def unreadable(path: Path) -> None:
    ours(path)
    path.chmod(0)


def unreadable_log(path: Path) -> None:
    Workspace.open(path).close()
    path.chmod(0o666)
    path.parent.chmod(0o777)
    Path(f"{path}.wal").write_bytes(b"log")
    Path(f"{path}.wal").chmod(0)


def locked_folder(path: Path) -> None:
    path.parent.chmod(0o555)


BAD = {
    "empty": (lambda path: path.write_bytes(b"x"), "is not a CSSAFE database"),
    "text": (lambda path: path.write_bytes(b"no database at all\n" * 1000), "is not a CSSAFE database"),
    "newer": (lambda path: ours(path, FUTURE), "newer version of CSSAFE"),
    "newer with a log": (lambda path: ours(path, KEEP_LOG, FUTURE), "newer version of CSSAFE"),
    "another program's": (another_programs, "made by another program"),
    "damaged": (damaged, "is damaged and could not be opened"),
    "cut short": (cut_short, "is damaged and could not be opened"),
    "nothing in it": (Path.touch, "is not a CSSAFE database"),
    "zeros": (lambda path: path.write_bytes(bytes(500_000)), "is not a CSSAFE database"),
    "first header damaged": (overwritten(100, bytes(range(64))), "is damaged and could not be opened"),
    "second header damaged": (overwritten(4104, bytes(range(64))), "is damaged and could not be opened"),
    "third header damaged": (overwritten(8200, bytes(range(64))), "is damaged and could not be opened"),
    "of a newer DuckDB": (newer_storage, "made by a newer version of CSSAFE"),
    "a folder": (Path.mkdir, "could not be opened"),
}
"""Name -> what makes it at a path, and what is said of it."""


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=list(BAD))
def test_a_database_that_cannot_be_used_is_named_at_every_door_and_left_as_it_was(app, make, words, capsys):
    make(app / "cssafe.duckdb")
    before = folder_contents(app)
    with pytest.raises(StoreError, match=words):
        Workspace.open(app / "cssafe.duckdb")
    assert main(["sample", "--weeks", "1"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and words in said.err and "CSSAFE_DATA" in said.err
    for name in ("live", "lessons"):
        assert words in as_read(page(name).error[0].value)
    shown = page("status")
    assert words in as_read(shown.error[0].value) and shown.metric and shown.table
    with answers() as client:
        answer = client.get("/healthz")
        assert answer.status_code == 503 and words in answer.json()["problem"]
    assert folder_contents(app) == before


def test_a_block_that_turns_out_damaged_is_named_with_its_lesson_and_the_rescue_on_pages(app, monkeypatch):
    path = app / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        figures = {
            name: np.random.default_rng(0).random(2400, np.float32) for name in ("yaw", "pitch", "concentration")
        }
        workspace.add([LESSON], [START + timedelta(minutes=2)], rows(20, 120).assign(lesson=0, **figures))
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "SELECT block_id FROM pragma_storage_info('observations') WHERE column_name = 'yaw' AND block_id >= 0"
        ((block,), *_) = connection.execute(query).fetchall()
    content = bytearray(path.read_bytes())
    at = 12_288 + block * 262_144 + 500  # after three headers, in blocks of 256 KiB
    content[at : at + 64] = bytes(range(64))
    path.write_bytes(content)
    with pytest.raises(duckdb.Error) as caught:
        queries.shareable_rows(services.current().workspace(), 1)
    shown: list[str] = []
    monkeypatch.setattr(common.st, "error", lambda text, **_: shown.append(as_read(text)))
    assert common.show_error(caught.value)
    assert shown[0].startswith(f"A part of the database {path} is damaged") and "Traceback" not in shown[0]
    assert '"Maths 7a" (2026-03-02)' in shown[0] and f"python -m cssafe rescue {path}" in shown[0]
    assert len(queries.lessons(services.current().workspace())) == 1  # the rest goes on


def test_a_lesson_left_open_whose_block_is_damaged_keeps_nobody_out_and_is_rescued(app):
    path = app / "cssafe.duckdb"
    with closing(Workspace.open(path)) as workspace:
        figures = {"concentration": np.random.default_rng(0).random(2400, np.float32)}
        ends = [START + timedelta(minutes=2)]
        workspace.add([LESSON], ends, rows(20, 120).assign(lesson=0, **figures))
        later = replace(LESSON, name="Art 7a", started=START + timedelta(days=1))
        workspace.add([later], [later.started], rows(1, 1).assign(lesson=0).iloc[:0])
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE lessons SET ended = NULL; DELETE FROM minutes; DELETE FROM tracks; CHECKPOINT")
        query = "SELECT block_id FROM pragma_storage_info('observations') WHERE column_name = 'concentration'"
        ((block,), *_) = connection.execute(f"{query} AND block_id >= 0").fetchall()
    with path.open("r+b") as file:
        file.seek(12_288 + block * 262_144 + 500)
        file.write(bytes(range(64)))
    with closing(Workspace.open(path)) as workspace:
        assert '"Maths 7a" (2026-03-02)' in str(workspace.notice) and "rescue" in str(workspace.notice)
        assert len(queries.lessons(workspace)) == 2
    rescued = app / "rescued.duckdb"
    rescue(path, rescued)
    with closing(Workspace.open(rescued)) as workspace:
        [ended] = [row.ended for row in queries.lessons(workspace).itertuples() if row.name == "Maths 7a"]
        assert ended.tz_localize(None) >= (START + timedelta(minutes=1)).replace(tzinfo=None)


def lessons_damaged(path: Path) -> None:
    """A block that is read only after the file is open."""
    with closing(Workspace.open(path)) as workspace:
        add(workspace, rows())
        add(workspace, rows(start=START + timedelta(days=1)))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE lessons SET started = started + INTERVAL (lesson) HOUR; CHECKPOINT")
        query = "SELECT block_id FROM pragma_storage_info('lessons') WHERE column_name = 'started' AND block_id >= 0"
        ((block,), *_) = connection.execute(query).fetchall()
    with path.open("r+b") as file:
        file.seek(12_288 + block * 262_144 + 500)
        file.write(bytes(range(64)))


def no_header(path: Path) -> None:
    ours(path)
    with path.open("r+b") as file:
        file.write(bytes(4096))


@pytest.mark.parametrize("make", [damaged, cut_short, Path.touch, no_header, lessons_damaged])
def test_of_a_file_that_cannot_be_opened_the_newest_backup_is_named(app, make):
    path = app / "cssafe.duckdb"
    make(path)
    (app / "backups").mkdir(exist_ok=True)
    for day in ("2026-03-02", "2026-03-03"):
        (app / "backups" / f"cssafe-{day}.duckdb").touch()
    (app / "backups" / "cssafe-9999-12-31.duckdb").touch()
    with pytest.raises(StoreError, match=r"rescue .*The newest backup is .*cssafe-9999-12-31\.duckdb\."):
        Workspace.open(path)


def test_a_file_of_another_kind_of_database_is_named_and_nothing_is_downloaded_for_it(app):
    with closing(sqlite3.connect(app / "cssafe.duckdb")) as connection:
        connection.execute("CREATE TABLE invoices (number)")
    with pytest.raises(StoreError, match="is not a CSSAFE database"):
        Workspace.open(app / "cssafe.duckdb")


def test_of_many_lessons_in_a_damaged_part_five_are_named(app):
    said = str(why_damaged(app, duckdb.Error("Corrupt."), [f"lesson {n}" for n in range(9)]))
    assert "lesson 3, lesson 4 and 4 more." in said and "lesson 5" not in said


@pytest.mark.parametrize("lock", [unreadable, unreadable_log, locked_folder])
def test_a_database_that_may_not_be_read_or_written_is_named_and_left_as_it_was(app, lock, capsys):
    Workspace.open(Path(app) / "cssafe.duckdb").close() if lock is unreadable else None
    main(["sample", "--help"])
    lock(app / "cssafe.duckdb")
    before = folder_contents(app)
    with without_privileges():
        with pytest.raises(StoreError, match=r"could not be opened.*ermission"):
            services.current().workspace()
        assert main(["sample", "--weeks", "1"]) == 2
    assert "ermission" in capsys.readouterr().err and "ermission" in health.report()["problem"]
    assert folder_contents(app) == before


@contextmanager
def answers():
    """The app's own routes, with what is behind them."""
    routes = websocket.routes(services.current().engine, services.current().find, lambda: (), health.report)
    with TestClient(Starlette(routes=routes)) as client:
        yield client


def test_a_database_that_was_bad_is_opened_once_it_is_good_again(app):
    (app / "cssafe.duckdb").write_bytes(b"something else")
    assert page("live").error and health.report()["problem"]
    (app / "cssafe.duckdb").unlink()
    assert not page("live").error and health.report()["problem"] == ""


def test_on_a_full_disk_it_is_said_and_what_was_written_before_is_kept(tmp_path):
    path = tmp_path / "cssafe.duckdb"
    workspace = Workspace.open(path)
    kept = add(workspace, rows())
    workspace.cursor().execute("CHECKPOINT")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))  # no file may grow beyond this
    try:
        with pytest.raises(StoreError, match="disk is not full"):
            workspace.add([LESSON], [START], rows(tracks=30, seconds=2000).assign(lesson=0))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with suppress(StoreError):
        workspace.close()
    workspace = Workspace.open(path)
    assert workspace.cursor().execute("SELECT lesson, count(*) FROM observations GROUP BY 1").fetchall() == [(kept, 6)]
    assert add(workspace, rows()) > kept
    workspace.close()


def altered(model: Path) -> None:
    for path in model.glob("*.bin"):  # whichever graph this machine serves
        held = path.read_bytes()
        path.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))


def folder_for_file(model: Path) -> None:
    (model / "model.json").unlink()
    (model / "model.json").mkdir()


def other_card(**changes: object):
    def change(model: Path) -> None:
        card = json.loads((model / "model.json").read_text()) | changes
        (model / "model.json").write_text(json.dumps(card))

    return change


BAD_MODELS = {
    "missing": (shutil.rmtree, "cannot be read"),
    "altered": (altered, "expected SHA-256"),
    "a folder for a file": (folder_for_file, "cannot be read"),
    "a list": (lambda model: (model / "model.json").write_text("[]"), "cannot be read"),
    "other labels": (other_card(labels={"fer2013": ["angry"], "ferplus": ["angry"]}), "cannot be read"),
    "no labels": (other_card(labels=None), "cannot be read"),
    "no size": (other_card(input={"size": "large"}), "cannot be read"),
}


@pytest.mark.parametrize(("spoil", "words"), BAD_MODELS.values(), ids=list(BAD_MODELS))
def test_a_model_folder_that_cannot_be_used_is_named_at_every_door(app, spoil, words, monkeypatch, capsys):
    model = Path(shutil.copytree(settings.load({}).model, app / "model"))
    cv2.imwrite(str(app / "face.png"), astronaut())
    spoil(model)
    monkeypatch.setenv("CSSAFE_MODEL", str(model))
    with pytest.raises(ConfigurationError, match=words):
        services.current().engine().loaded.result(timeout=60)
    shown = as_read(page("live").error[0].value)
    assert words in shown and str(model) in shown
    assert not page("lessons").error  # the rest goes on
    assert words in as_read(page("status").error[0].value)
    with answers() as client:
        answer = client.get("/healthz")
        assert answer.status_code == 503 and words in answer.json()["problem"]
    capsys.readouterr()
    assert main(["analyze", str(app / "face.png"), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and words in said.err


def test_a_model_file_that_may_not_be_read_is_named(app):
    model = Path(shutil.copytree(settings.load({}).model, app / "model"))
    for path in model.glob("*.bin"):
        path.chmod(0)
    with without_privileges(), pytest.raises(ConfigurationError, match=r"cannot be read.*expression\w*\.bin"):
        Expression(model)


def test_the_graph_that_is_run_is_checked_and_no_other(app):
    model = Path(shutil.copytree(settings.load({}).model, app / "model"))
    (model / "expression_int8.bin").write_bytes(b"altered")
    Expression(model, "f32")
    (model / "expression.bin").write_bytes(b"altered")
    with pytest.raises(ConfigurationError, match=r"expression\.bin is not the file that model\.json names"):
        Expression(model, "f32")


def test_attention_only_needs_no_expression_network(app, monkeypatch):
    monkeypatch.setenv("CSSAFE_PROFILE", "attention-only")
    monkeypatch.setenv("CSSAFE_MODEL", str(app / "nowhere"))
    services.current().engine().loaded.result(timeout=60)
    assert not page("live").error and health.report()["problem"] == ""
