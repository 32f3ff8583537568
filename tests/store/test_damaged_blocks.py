"""Several blocks of a real file damaged at once: each use works or ends in one sentence, and the process goes on."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from cssafe import queries
from cssafe.live import services
from cssafe.scoring.formula import PUBLISHED
from cssafe.settings import ROOT
from cssafe.store import StoreError, Workspace, backups, damaged_blocks
from cssafe.store.errors import is_damage
from cssafe.store.rescue import rescue
from cssafe.ui import common
from tests.support.database import BLOCK_BYTES, FIRST_BLOCK
from tests.support.lessons import LESSON, START, add, rows
from tests.support.markdown import as_read

NAMES, FACES, SECONDS = ["0", "1", "2"], 20, 120

QUERIES = {
    "choices": lambda workspace: queries.choices(workspace).real,
    "lessons": lambda workspace: sorted(queries.lessons(workspace)["name"]),
    "timeline": lambda workspace: len(queries.timeline(workspace, 2)),
    "markers": lambda workspace: len(queries.markers(workspace, 2)),
    "export": lambda workspace: len(queries.shareable_rows(workspace, 2)),
    "emotions": lambda workspace: len(queries.emotions(workspace)),
    "distribution": lambda workspace: len(queries.distribution(workspace)),
    "weekly": lambda workspace: len(queries.weekly(workspace)),
    "setting": lambda workspace: workspace.get("hints", True),
    "erasing": lambda workspace: workspace.erasing,
}
"""What pages read. All are numbers or names that the damaged file must give as the whole one does, or not at all."""

CHANGES = {
    "set": lambda workspace: workspace.set("hints", False),
    "record": lambda workspace: add(workspace, rows()),
    "rescore": lambda workspace: workspace.rescore(PUBLISHED),
    "delete": lambda workspace: workspace.delete(1),
}

NAMED = ("The newest backup is ", "It belongs to: ")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A database of ten blocks with three lessons, and its backup."""
    path = tmp_path_factory.mktemp("whole") / "cssafe.duckdb"
    random_ = np.random.default_rng(0)
    with closing(Workspace.open(path)) as workspace:
        for day, name in enumerate(NAMES):
            start = START + timedelta(days=day)
            observations = rows(FACES, SECONDS, start).assign(lesson=0)
            for column in ("yaw", "pitch", "concentration"):
                observations[column] = random_.random(len(observations), np.float32)
            ends = [start + timedelta(seconds=SECONDS)]
            [lesson] = workspace.add([replace(LESSON, name=name, started=start)], ends, observations)
            workspace.add_marker(lesson, "quiz", start)
    return path


@pytest.fixture
def path(whole, tmp_path, monkeypatch):
    """A copy of both, where the app keeps its data."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    shutil.copytree(whole.parent, tmp_path, dirs_exist_ok=True)
    yield tmp_path / whole.name
    services.current().close()


def blocks(content: bytes) -> range:
    """Where each block begins."""
    return range(FIRST_BLOCK, len(content), BLOCK_BYTES)


def zeroed(content: bytes, start: int, end: int) -> bytes:
    return content[:start] + bytes(min(end, len(content)) - start) + content[end:]


def half(content: bytes) -> list[bytes]:
    return [zeroed(content, len(content) // 2, len(content))]


def last_blocks(content: bytes) -> list[bytes]:
    return [zeroed(content, start, len(content)) for start in blocks(content)]


def each_block(content: bytes) -> list[bytes]:
    return [zeroed(content, start, start + BLOCK_BYTES) for start in blocks(content)]


def twenty_places(content: bytes) -> list[bytes]:
    """Half of them beyond the first block, which the file cannot be opened without."""
    made = []
    for seed in range(6):
        random_, damaged = random.Random(seed), bytearray(content)
        for _ in range(20):
            at = random_.randrange(blocks(content)[seed % 2], len(content) - 64)
            damaged[at : at + 64] = random_.randbytes(64)
        made.append(bytes(damaged))
    return made


def outcome(use: Callable[[], object], why: Callable[[Exception], StoreError]) -> object:
    """What it gives, or the sentence that a page shows instead; any other exception ends the process."""
    try:
        return use()
    except StoreError as error:
        return {"said": str(error)}
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return {"said": str(why(error))}


def used(path: Path) -> dict[str, object]:
    """Every use of the database -> its outcome."""
    try:
        workspace = Workspace.open(path)
    except StoreError as error:
        return {"open": {"said": str(error)}}
    found = {
        name: outcome(lambda use=use: use(workspace), workspace.why_refused)
        for name, use in (QUERIES | CHANGES).items()
    }
    return found | {"close": outcome(workspace.close, workspace.why_refused)}


def rescued(path: Path, out: Path) -> dict[str, object]:
    """Rows of two tables that are accounted for, copied or lost, and whether the new database opens; or the sentence."""
    try:
        report = rescue(path, out)
    except StoreError as error:
        return {"said": str(error)}
    Workspace.open(out).close()
    counted = {table.table: table.whole + table.partly + table.lost for table in report.tables}
    return {name: counted[name] for name in ("lessons", "observations")}


def survey(folder: Path, damage: str) -> None:
    """Print the outcomes for each file that the damage makes of this one. To be run in a process of its own, which an abort
    would end."""
    for number, content in enumerate(globals()[damage]((folder / "cssafe.duckdb").read_bytes())):
        copy = shutil.copytree(folder, folder.parent / f"{damage}-{number}")
        path = copy / "cssafe.duckdb"
        path.write_bytes(content)
        print(json.dumps({"rescue": rescued(path, copy / "new.duckdb")} | used(path)), flush=True)


@pytest.mark.slow
@pytest.mark.parametrize("damage", [half, last_blocks, each_block, twenty_places])
def test_with_many_damaged_blocks_each_use_works_or_names_a_lesson_or_the_newest_backup(whole, tmp_path, damage):
    folder = shutil.copytree(whole.parent, tmp_path / "whole")
    with closing(Workspace.open(whole)) as workspace:
        expected = {name: use(workspace) for name, use in QUERIES.items()}
    expected["rescue"] = {"lessons": len(NAMES), "observations": len(NAMES) * FACES * SECONDS}
    program = (
        "import sys; from tests.store.test_damaged_blocks import Path, survey; survey(Path(sys.argv[1]), sys.argv[2])"
    )
    command = [sys.executable, "-c", program, str(folder), damage.__name__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(damage(whole.read_bytes()))
    for outcomes in found:
        for name, value in outcomes.items():
            if isinstance(value, dict) and "said" in value:
                assert any(words in value["said"] for words in NAMED), (name, value)
            else:
                assert value == expected.get(name, value), name
    assert any("said" in str(outcomes) for outcomes in found)


def test_where_too_much_is_damaged_to_look_for_its_lessons_the_newest_backup_is_named(path, monkeypatch):
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "SELECT block_id FROM pragma_storage_info('observations') WHERE column_name = 'yaw' AND block_id >= 0"
        ((block,), *_) = connection.execute(query).fetchall()
    path.write_bytes(each_block(path.read_bytes())[block])
    with closing(Workspace.open(path)) as workspace:
        said = outcome(lambda: queries.shareable_rows(workspace, 2), workspace.why_refused)
        assert 'It belongs to: "0"' in str(said)
        monkeypatch.setattr(damaged_blocks, "MAX_SEARCHED_SPANS", 1)
        said = outcome(lambda: queries.shareable_rows(workspace, 2), workspace.why_refused)
    assert "It belongs to" not in str(said) and f"The newest backup is {backups.newest_backup(path)}." in str(said)


def test_a_database_that_cannot_be_opened_again_after_a_fatal_error_names_the_newest_backup_on_pages(path, monkeypatch):
    workspace = services.current().workspace()
    add(workspace, rows())
    path.write_bytes(zeroed(path.read_bytes(), 0, FIRST_BLOCK + BLOCK_BYTES))

    def fail() -> None:
        raise duckdb.FatalException(
            "FATAL Error: Failed: database has been invalidated because of a previous fatal error."
        )

    with pytest.raises(StoreError):
        workspace._queue.run(fail)
    shown: list[str] = []
    monkeypatch.setattr(common.st, "error", lambda text, **_: shown.append(as_read(text)))
    for use in (queries.lessons, lambda workspace: workspace.erasing):
        with pytest.raises((StoreError, duckdb.Error)) as caught:
            use(workspace)
        assert common.show_error(caught.value)
    assert len(shown) == 2
    assert all(f"The newest backup is {backups.newest_backup(path)}." in said for said in shown), shown
    with pytest.raises(StoreError, match="The newest backup is"):
        workspace.close()
    services.current()._workspace = None
