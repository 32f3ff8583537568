"""Files made to break an import: each is refused with a sentence, and neither process takes more memory than its limit."""

import io
import json
import signal
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from cssafe import settings
from cssafe.commands.main import main
from cssafe.exchange import ABOUT, exporter, import_budget, importer, table_readers
from cssafe.settings import IMPORT_INTO_MEMORY, PROFILES, ROOT
from cssafe.store import StoreError, Workspace, database
from tests.support.exports import in_parquet
from tests.support.lessons import LESSON, START, add, rows

CONSENT = PROFILES["consent"]
MB = 1_000_000


def zipped(form: str, /, method: int = zipfile.ZIP_DEFLATED, about: bytes | None = None, **members: bytes) -> bytes:
    """An export file of that form with such members beside an empty table of lessons."""
    empty = {"csv": b"lesson\n", "json": b"", "parquet": in_parquet(pa.table({"lesson": pa.array([], pa.int32())}))}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in ({"lessons": empty[form]} | members).items():
            archive.writestr(f"{name}.{form}", content)
        said = {"program": "CSSAFE", "format": form, "database": [], "rows": {}}
        archive.writestr(ABOUT, json.dumps(said) if about is None else about)
    return file.getvalue()


def plain_texts() -> bytes:
    return zipped("parquet", notes=in_parquet(pa.table({"note": ["x" * MB] * 400}), use_dictionary=False))


def shared_beginnings() -> bytes:
    table = pa.table({"note": ["x" * MB] * 400})
    options = {"use_dictionary": False, "column_encoding": {"note": "DELTA_BYTE_ARRAY"}}
    return zipped("parquet", notes=in_parquet(table, **options))


def json_of_many_columns() -> bytes:
    return zipped("json", notes=b"{" + b",".join(b'"c%d":1' % i for i in range(200_000)) + b"}\n")


def dictionary_of_one_text() -> bytes:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1500, pa.int32()), pa.array(["x" * MB]))
    return zipped("parquet", notes=in_parquet(pa.table({"note": texts})))


def many_rows() -> bytes:
    return zipped("parquet", notes=in_parquet(pa.table({"lesson": pa.array([1]).take(pa.array([0] * 1_100_000))})))


def nested_parquet() -> bytes:
    column = pa.array([[[[1]]]])
    return zipped("parquet", notes=in_parquet(pa.table({"note": column})))


def much_csv() -> bytes:
    return zipped("csv", notes=b"lesson,note\n" + b"1,x\n" * (110 * MB))


def unpacked_twice_as_large_as_said() -> bytes:
    content = bytearray(zipped("csv", notes=b"lesson,note\n" + b"1,x\n" * MB))
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)  # of the second member
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    return bytes(content)


def one_member_under_two_names() -> bytes:
    content = bytearray(zipped("csv", notes=b"lesson,note\n1,x\n"))
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]  # both begin where the first does
    return bytes(content)


def the_same_name_twice() -> bytes:
    file = io.BytesIO(zipped("csv"))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("lessons.csv", "lesson\n1\n")
    return file.getvalue()


def many_members() -> bytes:
    return zipped("csv", **{f"x{i}": b"" for i in range(200)})


def encrypted() -> bytes:
    content = bytearray(zipped("csv"))
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def large_lzma_dictionary() -> bytes:
    content = bytearray(zipped("csv", zipfile.ZIP_LZMA))
    begin = content.index(b"lessons.csv") + len("lessons.csv")
    content[begin + 5 : begin + 9] = struct.pack("<I", 0xF0000000)  # after version, size and lc/lp/pb
    return bytes(content)


def large_number_of_rows() -> bytes:
    return zipped(
        "csv", about=b'{"program": "CSSAFE", "format": "csv", "database": [], "rows": {"a": 1%s}}' % (b"0" * 999)
    )


ATTACKS = [
    (dictionary_of_one_text, "notes.parquet takes more than 150 MB of memory"),
    (many_rows, "rows of lesson 1|note is empty|more than 200,000 rows"),
    (nested_parquet, "notes.parquet cannot be read"),
    (lambda: zipped("parquet", notes=b"PAR1" + b"\xff" * 99 + b"PAR1"), "notes.parquet cannot be read"),
    (lambda: zipped("csv", notes=b"lesson,note\n1," + b"x" * (9 * MB)), "notes.csv has a row of more than 4 MB"),
    (lambda: zipped("csv", notes=b"lesson,note\n1,\"" + b"x\n" * (9 * MB)), "notes.csv has a row of more than 4 MB"),
    (lambda: zipped("csv", notes=b"x" * (9 * MB)), "notes.csv has more than 20,000 bytes in its first line"),
    (lambda: zipped("csv", notes=b",".join(b"c%d" % i for i in range(MB)) + b"\n"), "in its first line"),
    (lambda: zipped("csv", notes=b"lesson\n" + b"," * MB + b"\n"), "notes.csv cannot be read"),
    (lambda: zipped("csv", notes=b"lesson,lesson\n1,1\n"), "notes.csv has the column lesson twice"),
    (lambda: zipped("csv", notes=b"lesson,note\n1," + b"x" * 30_000 + b"\n"), "20,000 bytes in one cell of the column note"),
    (lambda: zipped("csv", notes="lesson,note\n1,ä\n".encode("utf-16")), "notes.csv"),
    (lambda: zipped("csv", notes=b"lesson,note\n1,\xff\n"), "notes.csv cannot be read"),
    (lambda: zipped("json", notes=b'{"note": "' + b"x" * (9 * MB)), "notes.json has a row of more than 1 MB"),
    (lambda: zipped("json", notes=b'{"note": ' + b"[" * MB + b"]" * MB + b"}\n"), "file"),
    (lambda: zipped("json", notes=b'{"lesson": 1' + b"0" * 400 + b"}\n"), "notes.json cannot be read"),
    (lambda: zipped("json", notes=b'{"lesson": NaN}\n'), "notes.json"),
    (unpacked_twice_as_large_as_said, "damaged|cannot be read"),
    (one_member_under_two_names, "damaged|cannot be read"),
    (the_same_name_twice, "ZIP has lessons.csv twice"),
    (many_members, "more than 100 members"),
    (encrypted, "damaged.*encrypted"),
    (large_lzma_dictionary, "file"),
    (lambda: zipped("csv", about=b"[" * 99_000), "no file that CSSAFE has exported"),
    (lambda: zipped("csv", about=b" " * (9 * MB)), "no file that CSSAFE has exported"),
    (large_number_of_rows, "no file that CSSAFE has exported"),
    (lambda: b"PK\x05\x06" + b"\0" * 18, "no file that CSSAFE has exported"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "says"), ATTACKS)
def test_a_hostile_file_is_refused_in_one_sentence(workspace, attack, says):
    with pytest.raises(StoreError, match=says) as refused:
        importer.import_file(workspace, io.BytesIO(attack()), CONSENT)
    assert len(str(refused.value).splitlines()) == 1 and len(str(refused.value)) < 400


def test_rows_and_unpacked_bytes_are_counted_whatever_the_file_says_of_them(workspace, monkeypatch):
    content = zipped("csv", markers=b"lesson,time,kind\n" + b"1,2026-03-02 08:00:00,quiz\n" * 9000)
    for limit, says in (
        ({"rows": 8000}, "more than 8,000 rows"),
        ({"unpacked": 1000}, "unpacks"),
        ({"decoded": 1000}, "unpacks"),
    ):
        limits = replace(IMPORT_INTO_MEMORY, **limit)
        monkeypatch.setattr(settings, "IMPORT_INTO_MEMORY", limits)
        with pytest.raises(StoreError, match=says):
            importer.import_file(workspace, io.BytesIO(content), CONSENT)


@pytest.fixture
def decoders(monkeypatch):
    """The processes that the test's imports start."""
    started, popen = [], subprocess.Popen

    def start(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(importer.subprocess, "Popen", start)
    return started


MARKERS = b'{"lesson": 1, "time": "2026-03-02 08:00:00", "kind": "quiz"}\n' * 100_000
"""Six batches, each larger than what a pipe holds."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (signal.SIGKILL, "want of memory: it may take 150 MB.*fewer lessons"),
        (signal.SIGABRT, "want of memory: it may take 150 MB.*fewer lessons"),
        (signal.SIGSEGV, "exit code -11.*Export it again"),
    ],
)
@pytest.mark.parametrize("in_a_table", [False, True])
def test_when_the_decoder_dies_the_sentence_says_of_what_and_what_to_do(
    tmp_path, workspace, decoders, sent, says, in_a_table
):
    path = tmp_path / "export.zip"
    path.write_bytes(zipped("json", markers=MARKERS))
    with (
        path.open("rb") as file,
        closing(importer._parts(file, workspace, IMPORT_INTO_MEMORY, lambda share: None)) as parts,
    ):
        for table, _ in parts:
            if not in_a_table or table == "markers":
                break
        decoders[0].send_signal(sent)
        with pytest.raises(StoreError, match=says):
            list(parts)


MEASURED = """
import io, re, resource, sys
from cssafe.exchange import importer
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace

def peak():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) // 1024

workspace = Workspace.open(None)
before = peak()
with open(sys.argv[1], "rb") as file:
    try:
        importer.import_file(workspace, io.BytesIO(file.read()), PROFILES["consent"])
    except StoreError:
        print(peak() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
workspace.close()
"""


@pytest.fixture(scope="module")
def largest(request, tmp_path_factory):
    """An export (Parquet, or the test's form) of 197,500 observations, with a lesson of 45 minutes and 25 faces."""
    path = tmp_path_factory.mktemp("largest") / "cssafe.duckdb"
    file = io.BytesIO()
    with closing(Workspace.open(path)) as source:
        for day, seconds in enumerate((2700, 1300, 1300, 1300, 1300)):
            start = START + timedelta(days=day)
            add(source, rows(25, seconds, start), lesson=replace(LESSON, started=start))
        exporter.export_file(source, file, getattr(request, "param", "parquet"))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("largest", ["parquet", "json"], indirect=True)
def test_as_many_rows_as_the_limit_says_come_into_memory(workspace, largest):
    assert len(importer.import_file(workspace, largest, CONSENT).lessons) == 5


@pytest.mark.slow
def test_a_file_for_which_the_memory_has_no_room_leaves_nothing_behind_and_the_sentence_says_what_to_do(
    workspace, largest
):
    count = "SELECT count(*) FROM observations"
    (limit,) = workspace.cursor().execute("SELECT current_setting('memory_limit')").fetchone()
    workspace.cursor().execute("SET memory_limit = '60MB'")
    with pytest.raises(
        StoreError, match=r"no room for all of it\. Export fewer lessons.*or import the file on your own"
    ):
        importer.import_file(workspace, largest, CONSENT)
    assert workspace.cursor().execute(count).fetchone() == (0,)
    workspace.cursor().execute(f"SET memory_limit = '{limit}'")
    importer.import_file(workspace, largest, CONSENT)
    assert workspace.cursor().execute(count).fetchone() == (197_500,)


@pytest.mark.slow
def test_a_file_for_which_the_memory_of_a_database_file_has_no_room_names_the_way_out(tmp_path, largest, monkeypatch):
    monkeypatch.setitem(database.FILE_CONFIG, "memory_limit", "40MB")
    monkeypatch.setitem(database.FILE_CONFIG, "temp_directory", "")
    with closing(Workspace.open(tmp_path / "cssafe.duckdb")) as workspace:
        with pytest.raises(StoreError, match=r"database \(.*cssafe.duckdb\) may take has no room.* one by one"):
            importer.import_file(workspace, largest, CONSENT)
        assert workspace.cursor().execute("SELECT count(*) FROM lessons").fetchone() == (0,)


def test_the_memory_for_a_parquet_table_does_not_grow_with_its_rows():
    scores = pa.table({"score": pa.array(np.random.default_rng(0).random(2_000_000))})
    content = in_parquet(scores, row_group_size=100_000, use_dictionary=False)
    tracemalloc.start()
    try:
        tables = table_readers.read_table(lambda: io.BytesIO(content), scores.schema, "observations.parquet", False)
        assert sum(rows.num_rows for rows in tables) == 2_000_000
        assert tracemalloc.get_traced_memory()[1] < len(content) / 2
    finally:
        tracemalloc.stop()


def test_a_table_of_an_unknown_format_is_refused_with_those_that_are_read():
    with pytest.raises(import_budget.Refusal) as refused:
        next(table_readers.read_table(lambda: io.BytesIO(b""), pa.schema([]), "notes.xlsx", True))
    assert refused.value.words == table_readers.UNKNOWN_FORMAT
    assert refused.value.places == {"table": "notes.xlsx", "formats": "parquet, csv, json"}


def test_a_file_larger_than_the_limit_is_refused_before_it_is_copied(workspace, monkeypatch):
    monkeypatch.setattr(settings, "IMPORT_INTO_MEMORY", replace(IMPORT_INTO_MEMORY, file=2 * MB))
    with pytest.raises(StoreError, match=r"has 3 MB, and 2 MB is the most .* own computer"):
        importer.import_file(workspace, io.BytesIO(bytes(3 * MB)), CONSENT)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process, and tells it")
@pytest.mark.parametrize(
    "attack", [dictionary_of_one_text, plain_texts, shared_beginnings, much_csv, json_of_many_columns]
)
def test_neither_process_takes_more_memory_than_its_limit(tmp_path, attack):
    path = tmp_path / "attack.zip"
    path.write_bytes(attack())
    done = subprocess.run([sys.executable, "-c", MEASURED, path], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    own, decoder = map(int, done.stdout.split())
    print(f"{path.stat().st_size:,} bytes: {own} MB and {decoder} MB")
    assert own < 150 and decoder < 100 + settings.IMPORT_INTO_MEMORY.memory // MB


def test_a_name_in_a_file_does_not_act_on_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    (tmp_path / "file.zip").write_bytes(zipped("csv", notes=b"lesson,\x1b]0;owned\x07\x1b[31mmood\n1,a\n"))
    assert main(["import", str(tmp_path / "file.zip")]) == 2
    said = capsys.readouterr().err
    assert "mood, which no CSSAFE" in said and said.count("\n") == 1 and said.strip().isprintable()
