"""What tests/fuzz.py throws its inputs at: the program's own code, and a server as `streamlit run` starts it.

A target is a context manager that gives a Target. Inputs are short data, so that a failing one can be printed: which file is
damaged where, not the damaged file.
"""

import io
import json
import os
import socket
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pyarrow import parquet
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from cssafe import queries, recording, sample
from cssafe.errors import ConfigurationError
from cssafe.exchange import FORMATS, importer
from cssafe.labels import ACTIVITIES
from cssafe.live import services
from cssafe.live.engine import Engine
from cssafe.live.transports import websocket
from cssafe.live.upload import Analysis
from cssafe.privacy import Anonymization
from cssafe.scoring.concentration import attention, concentration, levels
from cssafe.scoring.formula import FORMULAS, PUBLISHED_FILE, list_sources, read_formula
from cssafe.settings import MAX_FRAME_BYTES, PROFILES
from cssafe.store import StoreError, Workspace
from cssafe.store.stored_settings import EXPORTED_SETTINGS, STORED_SETTINGS
from cssafe.timetable.week_csv import from_csv
from cssafe.timetable.week_ics import from_ics
from tests.support.browser import Server, serve
from tests.support.damage import CHANGES, EDITS, ODD_VALUES, TEXTS, VALUES, Change, change, edit, of_kind, to_json
from tests.support.exports import filled, in_parquet, written
from tests.support.fake_pipelines import Crowd, crowd
from tests.support.live_lessons import time_now
from tests.support.media_files import HEADS, IMAGES, VIDEOS, video_bytes
from tests.support.pages import show
from tests.support.room import jpeg
from tests.support.stored_settings import GOOD, put
from tests.support.timetable_files import CELLS, FIRST, NAMES, PIECES, calendar, event, used
from tests.support.visitor import Visitor

CONSENT = PROFILES["consent"]


@dataclass(frozen=True)
class Target:
    """check: tries one input; raises where the program is at fault; returns how many inputs it was, None for one. pid: of the
    process that answers."""

    inputs: SearchStrategy
    check: Callable[[Any], int | None]
    pid: int


# --- files and values, in this process


@contextmanager
def uploads() -> Iterator[Target]:
    """Damaged media through the analysis of uploaded files, with a pipeline that finds a face in everything."""
    engine = Engine(Crowd).start()
    whole = IMAGES | {name: video_bytes(name) for name in VIDEOS}
    damaged = st.tuples(st.sampled_from(sorted(whole)), EDITS)
    anything = st.tuples(st.sampled_from(HEADS), st.binary(max_size=600))

    def check(value: Any) -> None:
        (begin, rest), name, audience, way = value
        file = io.BytesIO(begin + rest if isinstance(begin, bytes) else edit(whole[begin], rest))
        file.name = name
        analysis = Analysis(engine, [file], CONSENT, audience, way).start()
        analysis.done.wait()
        assert analysis.problem == "", analysis.problem
        [upload] = analysis.uploads
        assert upload.problem or upload.moments or not upload.recording.frames
        assert upload.problem.count("\n") <= name.count("\n")
        recording.seconds_table([(second, result) for second, (_at, result) in upload.moments.items()], audience)
        recording.join_recordings([upload.recording])

    try:
        yield Target(
            st.tuples(
                damaged | anything, TEXTS, st.sampled_from(("self", "class")), st.sampled_from(tuple(Anonymization))
            ),
            check,
            os.getpid(),
        )
    finally:
        engine.close()


Members = dict[str, bytes]


def packed(members: Members) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def lie(name: str, content: bytes, cells: Sequence[Change]) -> bytes:
    """A member of an export with other values in some cells. It stays what its name says."""
    if name == "about.json":
        return to_json(change(json.loads(content), cells))
    if name.endswith(".json"):
        rows = change([json.loads(line) for line in content.splitlines()], cells)
        return b"".join(to_json(row) + b"\n" for row in (rows if isinstance(rows, list) else [rows]))
    if name.endswith(".csv"):
        rows = [line.split(b",") for line in content.split(b"\n")]
        for place, value, alike in cells:
            row = rows[place % len(rows)]
            cell = row[place % len(row)].decode()
            new = of_kind(int(cell) if cell.isdecimal() else cell, value) if alike else value
            row[place % len(row)] = str(new)[:500].encode("utf-8", "replace")
        return b"\n".join(b",".join(row) for row in rows)
    table = parquet.read_table(io.BytesIO(content))
    for place, value, alike in cells:
        at = place % table.num_columns
        column, kind = table[at], table.schema.field(at).type if alike else None
        with suppress(pa.ArrowException, OverflowError):  # no Parquet can hold that
            new = [of_kind(old, value) if alike else value for old in column.to_pylist()]
            changed = table.set_column(at, table.column_names[at], pa.array(new, kind))
            table, content = changed, in_parquet(changed)
    return content


@contextmanager
def imports() -> Iterator[Target]:
    """Exports of the three formats, damaged as a whole, in one member, or with lies in their cells."""
    exports: dict[str, Members] = {}
    with closing(Workspace.open(None)) as workspace:
        filled(workspace)
        for form in FORMATS:
            with zipfile.ZipFile(io.BytesIO(written(workspace, form))) as archive:
                exports[form] = {name: archive.read(name) for name in archive.namelist()}

    def check(value: Any) -> None:
        form, kind, place, what = value
        members = dict(exports[form])
        name = sorted(members)[place % len(members)]
        if kind != "zip":
            members[name] = edit(members[name], what) if kind == "member" else lie(name, members[name], what)
        file = io.BytesIO(edit(packed(members), what) if kind == "zip" else packed(members))
        with closing(Workspace.open(None)) as workspace:
            try:
                importer.import_file(workspace, file, CONSENT)
            except StoreError as error:
                assert len(str(error).splitlines()) == 1 and len(str(error)) < 600, str(error)
            queries.choices(workspace)
            for lesson in queries.lessons(workspace)["lesson"]:
                queries.timeline(workspace, int(lesson))
            for key in EXPORTED_SETTINGS:
                workspace.get(key)

    place = st.integers(0, 50)
    form = st.sampled_from(FORMATS)
    yield Target(
        st.one_of(
            st.tuples(form, st.just("zip"), place, EDITS),
            st.tuples(form, st.just("member"), place, EDITS),
            st.tuples(form, st.just("cells"), place, CHANGES),
        ),
        check,
        os.getpid(),
    )


@contextmanager
def timetables() -> Iterator[Target]:
    """Calendars and tables of strange lines and cells, or damaged ones."""
    good_calendar = calendar(event(extra="RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261231T000000Z"))
    good_table = (NAMES + FIRST + "lesson,Mon,1,,,7b,Maths,Smith,R1,1,no\naway,Mon,1,,,,,Smith,,,\n").encode()

    def check(value: Any) -> None:
        kind, *rest = value
        with suppress(ValueError):  # documented
            match kind, rest:
                case "lines", (pieces, at):
                    lines = calendar(event()).splitlines()
                    used(from_ics(b"\r\n".join([*lines[:at], *pieces, *lines[at:]]), [], "Asia/Kolkata"))
                case "calendar", (edits,):
                    used(from_ics(edit(good_calendar, edits), [], "America/New_York"))
                case "cells", (table, separator, encoding):
                    text = NAMES + FIRST + "\n".join(separator.join(row) for row in table)
                    used(from_csv(text.encode(encoding, "surrogatepass")))
                case "table", (edits,):
                    used(from_csv(edit(good_table, edits)))

    table = st.lists(st.lists(CELLS | TEXTS, max_size=12), max_size=8)
    yield Target(
        st.one_of(
            st.tuples(st.just("lines"), st.lists(PIECES, max_size=20), st.integers(0, 12)),
            st.tuples(st.just("calendar"), EDITS),
            st.tuples(st.just("cells"), table, st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-16"])),
            st.tuples(st.just("table"), EDITS),
        ),
        check,
        os.getpid(),
    )


@contextmanager
def formulas() -> Iterator[Target]:
    """Formula files with other values, or damaged; one that is taken must score."""
    good = (FORMULAS / PUBLISHED_FILE).read_bytes()
    faces = crowd(6, time_now())

    def scores(path: Path) -> None:
        formula = read_formula(path)
        assert list_sources(path) and str(formula)
        for activity in ACTIVITIES:
            attended = attention(faces.signals, formula, activity)
            index = concentration(attended, None if formula.emotion is None else faces.expression, formula)
            known = index[~np.isnan(index)]
            assert ((known >= 0) & (known <= 1)).all(), known
            levels(index, faces.levels, formula)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "formula.json"

        def check(value: Any) -> None:
            kind, what = value
            path.write_bytes(edit(good, what) if kind == "bytes" else to_json(change(json.loads(good), what)))
            try:
                scores(path)
            except ConfigurationError as error:
                assert "this is no formula" in str(error) and len(str(error)) < 1500, str(error)

        kinds = st.tuples(st.just("bytes"), EDITS), st.tuples(st.just("values"), CHANGES)
        yield Target(st.one_of(*kinds), check, os.getpid())


SETTINGS = st.sampled_from(sorted(GOOD)).flatmap(
    lambda key: st.tuples(
        st.just(key), st.sampled_from(GOOD[key]).flatmap(lambda good: CHANGES.map(partial(change, good)))
    )
)
"""Key and value, near those that are taken."""


@contextmanager
def settings() -> Iterator[Target]:
    """Values set, and text that another hand has written into the table. What is taken comes back as it was."""
    with closing(Workspace.open(None)) as workspace:

        def check(value: Any) -> None:
            key, new, text = value
            try:
                workspace.set(key, new)
            except StoreError as error:
                assert STORED_SETTINGS[key].shape in str(error)
            else:
                assert workspace.get(key) == new
            workspace._queue.run(lambda: workspace._connection.execute("DELETE FROM settings"))
            if text is not None:
                put(workspace, key, text)
                workspace.get(key, "default")
                workspace._queue.run(lambda: workspace._connection.execute("DELETE FROM settings"))

        texts = st.none() | st.text(max_size=50) | VALUES.map(json.dumps)
        anything = st.tuples(st.sampled_from(sorted(GOOD)), VALUES)
        both = st.tuples(SETTINGS | anything, texts)
        yield Target(both.map(lambda pair: (*pair[0], pair[1])), check, os.getpid())


PAGES_WITH_SETTINGS = ("live", "weekly", "formulas", "lessons", "histograms", "rating", "data", "story")


@contextmanager
def taken_settings() -> Iterator[Target]:
    """Pages opened with strange settings that were taken. Those that act on this computer are left out."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CSSAFE_DATA": folder, "CSSAFE_PROFILE": "consent"}
        with services.install(services.Services(lambda: Crowd(6))) as installed:
            sample.add_term(installed.workspace(), CONSENT, weeks=1)

            def check(value: Any) -> None:
                pairs, page = value
                workspace = installed.workspace()
                workspace._queue.run(lambda: workspace._connection.execute("DELETE FROM settings"))
                for key, new in pairs:
                    with suppress(StoreError):
                        workspace.set(key, new)
                show(page)

            travelling = SETTINGS.filter(lambda pair: pair[0] in EXPORTED_SETTINGS or pair[0] == "timetable")
            pairs = st.lists(travelling, min_size=1, max_size=4)
            yield Target(st.tuples(pairs, st.sampled_from(PAGES_WITH_SETTINGS)), check, os.getpid())


# --- a real server

JPEG = jpeg()
PAGES = ("", "files", "room", "histograms", "weekly", "timetable", "lessons", "projector", "phone", "story", "term", "compare",
         "concentration", "formulas", "rating", "model", "data", "status")  # fmt: skip
APOLOGY = "This page could not be shown"


class Watched:
    """A server whose log is read: a traceback in it is a fault."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._read = server.log.stat().st_size

    def calm(self) -> None:
        """Raise AssertionError if it wrote a traceback since it was last asked, or has ended."""
        with self.server.log.open("rb") as log:
            log.seek(self._read)
            new = log.read().decode(errors="replace")
            self._read = log.tell()
        assert "Traceback" not in new, new[-3000:]
        assert self.server.process.poll() is None, "the server has ended"


@contextmanager
def served() -> Iterator[Watched]:
    """The app with a week of synthetic lessons, where everybody has agreed."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(Workspace.open(Path(folder) / "cssafe.duckdb")) as workspace:
            sample.add_term(workspace, PROFILES["attention-only"], weeks=1)
            workspace.set("agreed", True)
        with serve(Path(folder), CSSAFE_PROFILE="attention-only") as server:
            yield Watched(server)


class Camera:
    """The running lesson of a visitor, started again where it has ended."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.visitor = Visitor(address)
        self.start()

    def start(self) -> None:
        self.visitor.open()
        if not self.visitor.token:
            self.visitor.press("Start")

    def connect(self, offered: Sequence[str] | None = None, path: str = "/cssafe/frames", origin: str | None = None):
        return connect(
            self.address.replace("http", "ws") + path,
            origin=origin or self.address,
            subprotocols=["cssafe", self.visitor.token] if offered is None else offered,
            max_size=None,
        )


def contents(message: str | bytes | int | tuple) -> str | bytes:
    """What is sent: text, bytes, so many zeros, or a damaged picture."""
    match message:
        case int():
            return bytes(message)
        case tuple():
            return edit(JPEG, message)
    return message


@contextmanager
def sockets() -> Iterator[Target]:
    """The camera's socket: handshakes with any tokens, and messages of a connection that has the right one."""
    with served() as watched:
        camera = Camera(watched.server.address)

        def handshake(offered: Sequence[str], origin: str) -> None:
            try:
                with camera.connect(offered, origin=origin) as one, suppress(ConnectionClosed):
                    answer = one.recv(60)
                    raise AssertionError(f"let in, and told {answer[:100]!r}")
            except InvalidHandshake:
                return
            assert one.close_code == websocket.REFUSED, one.close_code

        def messages(sent: Sequence[Any]) -> int:
            with camera.connect() as one:
                while json.loads(one.recv(60)).get("state") != "ready":
                    pass
                for number, message in enumerate(sent):
                    content = contents(message)
                    one.send(content)
                    try:
                        answer = json.loads(one.recv(60))
                    except ConnectionClosed as closed:
                        assert len(content) > MAX_FRAME_BYTES, closed
                        return number + 1
                    assert answer["number"] == number and "Traceback" not in str(answer["notice"]), answer
                one.send(JPEG)
                assert json.loads(one.recv(60))["overlay"]["faces"], "the good picture at the end shows no faces"
            return len(sent) + 1

        def check(value: Any) -> int:
            kind, *rest = value
            tried = handshake(*rest) if kind == "handshake" else messages(*rest)
            watched.calm()
            return tried or 1

        tokens = st.lists(
            st.text("abcXYZ0123456789-_.", min_size=1, max_size=60) | st.just("cssafe"), min_size=1, max_size=4
        )
        origins = st.sampled_from(("", "http://evil.example", "null", "http://localhost"))
        one = st.one_of(EDITS, st.binary(max_size=2000), st.text(max_size=200), st.integers(0, MAX_FRAME_BYTES + 2))
        kinds = (
            st.tuples(st.just("handshake"), tokens, origins),
            st.tuples(st.just("messages"), st.lists(one, max_size=websocket.MAX_UNANSWERED - 2)),
        )
        messages(["a text"])
        yield Target(st.one_of(*kinds), check, watched.server.process.pid)


UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Version: 13",
)
FRAME = b"\x82\x85\1\2\3\4abcde\x81\x83\1\2\3\4abc\x88\x80\1\2\3\4"
"""Of a WebSocket: five bytes, three letters and the end, masked."""


def requests_of(server: Server) -> list[bytes]:
    """Requests as a browser makes them, with a WebSocket's messages behind its handshake."""

    def request(line: str, *headers: str) -> bytes:
        lines = (f"{line} HTTP/1.1", f"Host: localhost:{server.port}", f"Origin: {server.address}", *headers, "", "")
        return "\r\n".join(lines).encode()

    form = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.mp4"\r\n\r\nabc\r\n--B--\r\n'
    multipart = (
        "Content-Type: multipart/form-data; boundary=B",
        f"Content-Length: {len(form)}",
        "Cookie: _streamlit_xsrf=1",
    )
    return [
        request("GET /weekly?lesson=1&class=7a"),
        request("GET /healthz", "X-Forwarded-Host: localhost", "Accept-Encoding: gzip"),
        request("GET /media/0123456789abcdef.png", "Range: bytes=0-5"),
        request("GET /static/index.html"),
        request("GET /_stcore/host-config"),
        request("PUT /_stcore/upload_file/a-session/a-file", *multipart) + form,
        request("GET /cssafe/frames", *UPGRADE, "Sec-WebSocket-Protocol: cssafe, token") + FRAME,
        request("GET /_stcore/stream", *UPGRADE, "Sec-WebSocket-Protocol: streamlit") + FRAME,
    ]


@contextmanager
def requests() -> Iterator[Target]:
    """Damaged requests, byte by byte over a real connection, to every kind of route."""
    with served() as watched:
        server = watched.server
        good = requests_of(server)

        def check(value: Any) -> None:
            number, edits = value
            with closing(socket.create_connection(("localhost", server.port), 60)) as one:
                answer = b""
                with suppress(ConnectionError):  # cut off
                    one.sendall(edit(good[number], edits))
                    one.shutdown(socket.SHUT_WR)
                    while more := one.recv(1 << 16):
                        answer = (answer + more)[:20]
            assert not answer or (answer.startswith(b"HTTP/1.1 ") and answer[9:10] in b"1234"), answer
            watched.calm()

        yield Target(st.tuples(st.integers(0, len(good) - 1), EDITS), check, server.process.pid)


QUERY_KEYS = (
    "lesson",
    "key",
    "class",
    "subject",
    "from",
    "until",
    "synthetic",
    "embed",
    "embed_options",
    "room",
    "seat_rows",
)


@contextmanager
def queries_of_pages() -> Iterator[Target]:
    """Every page with strange parameters in its address, and addresses that are no page."""
    with served() as watched, Visitor(watched.server.address) as visitor:
        for page in PAGES:
            visitor.open(page)

        def check(value: Any) -> None:
            page, parameters = value
            query = (
                parameters if isinstance(parameters, str) else "&".join(f"{k}={quote(str(v))}" for k, v in parameters)
            )
            told = visitor.open(page, query)
            assert APOLOGY not in told, told[:500]
            watched.calm()

        ids = st.integers(-2, 30) | st.sampled_from(ODD_VALUES).map(lambda value: str(value)[:400])
        parameter = st.tuples(st.sampled_from(QUERY_KEYS) | TEXTS.map(quote), ids | TEXTS)
        query = st.lists(parameter, min_size=1, max_size=4) | st.text(max_size=60)
        pages = st.sampled_from(PAGES) | st.sampled_from((*PAGES, "nowhere", "../app", "a/b"))
        yield Target(st.tuples(pages, query), check, watched.server.process.pid)


TARGETS: dict[str, Callable[[], Any]] = {
    "socket": sockets,
    "requests": requests,
    "pages": queries_of_pages,
    "upload": uploads,
    "import": imports,
    "timetable": timetables,
    "formula": formulas,
    "settings": settings,
    "taken-settings": taken_settings,
}
