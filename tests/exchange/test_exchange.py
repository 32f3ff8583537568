"""Everything out of a workspace and back: real files, real databases."""

import io
import json
import re
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cssafe import language, queries, settings
from cssafe.commands.main import main
from cssafe.exchange import ABOUT, FORMATS, exporter, importer
from cssafe.settings import PROFILES
from cssafe.store import StoreError, Workspace
from tests.support.exports import contents, filled, written
from tests.support.lessons import LESSON, START, add, rows
from tests.support.pages import Translated

CONSENT, ATTENTION = PROFILES["consent"], PROFILES["attention-only"]


@pytest.fixture
def other():
    with closing(Workspace.open(None)) as opened:
        yield opened


def changed(content: bytes, **members: bytes | None) -> io.BytesIO:
    """The file with other members; None takes one away."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            stem = name.split(".")[0]
            if members.get(stem, b"") is not None:
                new.writestr(name, members.get(stem) or old.read(name))
    return file


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_workspace_goes_out_and_comes_back(workspace, other, form):
    taken = importer.import_file(other, io.BytesIO(written(workspace, form)), CONSENT)
    assert (taken.lessons, taken.present) == ([], 0) and contents(other) == contents(workspace)


@pytest.mark.parametrize("form", FORMATS)
def test_everything_comes_back_as_it_went_out_into_an_empty_and_a_filled_workspace(workspace, other, form):
    filled(workspace)
    content = written(workspace, form)
    importer.import_file(other, io.BytesIO(content), CONSENT)
    assert contents(other) == contents(workspace)
    assert other.get("periods") == workspace.get("periods")
    assert other.get("agreed") is None and other.get("room") is None and b"password" not in content
    add(workspace, rows(), lesson=replace(LESSON, started=START + timedelta(days=9)))
    taken = importer.import_file(other, io.BytesIO(written(workspace, form)), CONSENT)
    assert (len(taken.lessons), taken.present) == (1, 1) and contents(other) == contents(workspace)


def test_lessons_get_numbers_of_their_own_and_settings_made_here_stay(workspace, other):
    first = filled(workspace)
    here = add(other, rows(), lesson=replace(LESSON, started=START - timedelta(days=1)))
    other.set("periods", [])
    taken = importer.import_file(other, io.BytesIO(written(workspace)), CONSENT)
    assert taken.lessons and here not in taken.lessons and first == here  # both began with 1
    assert other.get("periods") == [] and len(queries.lessons(other)) == 2
    assert queries.markers(other, taken.lessons[0])["kind"].tolist() == ["quiz"]


def test_observations_carry_the_activity_of_their_second(workspace):
    filled(workspace)
    with zipfile.ZipFile(io.BytesIO(written(workspace, "csv"))) as archive:
        table = pd.read_csv(archive.open("observations.csv"), parse_dates=["time"])
    assert table.groupby("activity")["time"].nunique().to_dict() == {"front": 30, "desk work": 61}
    assert table["quality"].unique() == pytest.approx([0.1235, 0.5]) and len(table) == 6 * 91


def test_json_has_one_object_a_line_with_the_digits_that_are_kept(workspace):
    filled(workspace)
    with zipfile.ZipFile(io.BytesIO(written(workspace, "json"))) as archive:
        first = json.loads(archive.read("observations.json").splitlines()[0])
        about = json.loads(archive.read(ABOUT))
    assert first["p_happy"] == 0.65 and first["time"] == "2026-03-02 08:00:00" and first["activity"] == "front"
    assert about["rows"]["observations"] == 6 * 91 and about["database"][0] == "m001_initial"


def test_of_a_lesson_without_single_faces_only_the_means_of_the_class_leave(workspace, other):
    number = add(
        workspace,
        rows(seconds=60),
        rows(tracks=4, start=START + timedelta(minutes=2)),
        lesson=replace(LESSON, profile="attention-only"),
    )
    file = io.BytesIO()
    assert exporter.export_file(workspace, file, "csv").withheld == 1
    with zipfile.ZipFile(file) as archive:
        assert "seconds.csv" not in archive.namelist()
        tables = {
            name: pd.read_csv(archive.open(f"{name}.csv")) for name in ("observations", "tracks", "faces", "minutes")
        }
    assert all(tables[name].empty for name in ("observations", "tracks", "faces"))
    [told, withheld] = tables["minutes"].itertuples()
    assert (told.seconds, withheld.seconds) == (60, 0) and np.isnan(withheld.attention)
    assert told.attention in (0.5, 0.6) and told.concentration in (0.5, 0.6)
    [came] = importer.import_file(other, file, ATTENTION).lessons
    assert queries.weekly(other)["minutes"].tolist() == [1] and number == came


def test_means_over_many_minutes_leave_as_they_are(workspace, other):
    """Though each is rounded to tenths."""
    parts = [rows(seconds=30, start=START + timedelta(minutes=i), concentration=0.63) for i in range(200)]
    add(workspace, pd.concat(parts), lesson=replace(LESSON, profile="attention-only"))
    importer.import_file(other, io.BytesIO(written(workspace)), ATTENTION)
    assert queries.weekly(other)["concentration"].mean() == pytest.approx(0.63, abs=0.015)


def minutes_given(workspace: Workspace, *seconds: int, **lesson: str) -> list[int]:
    """Seconds of each minute that leave a lesson with so many in its minutes."""
    parts = [rows(seconds=n, start=START + timedelta(minutes=i)) for i, n in enumerate(seconds)]
    number = add(workspace, *parts, lesson=replace(LESSON, profile="attention-only", **lesson))
    with zipfile.ZipFile(io.BytesIO(written(workspace, "csv"))) as archive:
        told = pd.read_csv(archive.open("minutes.csv"))
    assert (told["attention"].notna() == (told["seconds"] > 0)).all()
    assert queries.shareable_rows(workspace, number)["seconds"].tolist() == [n for n in told["seconds"] if n]
    return told["seconds"].tolist()


@pytest.mark.parametrize(
    ("there", "given"),
    [
        ((60, 30), [60, 30]),
        ((29,), [0]),
        ((60, 45, 29), [60, 0, 0]),  # or the 29 seconds could be worked out from the mean of the lesson
        ((60, 45, 15, 15), [60, 45, 0, 0]),
    ],
)
def test_a_minute_of_few_seconds_is_not_given_away_nor_can_be_worked_out(workspace, there, given):
    assert minutes_given(workspace, *there) == given


def test_one_person_alone_keeps_her_minutes(workspace):
    number = add(
        workspace, rows(tracks=1, seconds=5), lesson=replace(LESSON, profile="attention-only", audience="self")
    )
    assert queries.shareable_rows(workspace, number)["seconds"].tolist() == [5]


def test_an_older_file_with_the_seconds_of_a_class_still_comes_in(workspace, other):
    add(workspace, rows(seconds=60), lesson=replace(LESSON, profile="attention-only"))
    file = io.BytesIO(written(workspace, "csv"))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(
            "seconds.csv",
            "lesson,time,activity,faces,attention,concentration\n1,2026-03-02 08:00:00.000000,front,6,0.5,0.5\n",
        )
    assert len(importer.import_file(other, file, ATTENTION).lessons) == 1
    assert queries.weekly(other)["minutes"].tolist() == [1]


def test_a_running_lesson_is_left_out(workspace):
    workspace.start_lesson(LESSON)
    assert exporter.export_file(workspace, io.BytesIO(), "csv").rows["lessons"] == 0


def test_lessons_with_emotions_do_not_come_in_where_none_may_be_kept(workspace, other):
    filled(workspace)
    with pytest.raises(StoreError, match="emotions were computed"):
        importer.import_file(other, io.BytesIO(written(workspace)), ATTENTION)
    assert queries.lessons(other).empty


LESSONS = b"lesson,name\n1,x\n"
ACTIVITY_LINE = b"lesson,time,activity\n1,2026-03-02 08:00:00,dancing\n"
KIND_LINES = b"lesson,time,kind\n1,2026-03-02 08:00:00,quiz\n1,2026-03-02 08:00:01,mood\n"
LESSON_LINE = (
    b"lesson,name,class_name,subject,room,time_zone,profile,formula,source,audience,started,ended\n"
    b"1,x,7a,Maths,R1,UTC,consent,published 2,camera,class,2026-03-02 08:00:00,2026-03-02 09:00:00\n"
)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"about": None}, "no file that CSSAFE has exported"),
        ({"about": b"[]"}, "no file that CSSAFE has exported"),
        ({"about": b'{"program": "CSSAFE", "format": "xls", "database": [], "rows": {}}'}, "no file that CSSAFE"),
        ({"about": b'{"program": "CSSAFE", "format": "csv", "database": ["m999_x"], "rows": {}}'}, "newer version.*m999_x"),
        ({"lessons": None}, "no file that CSSAFE has exported"),
        ({"lessons": LESSONS}, "lessons has 1 row that cannot be taken: .* is empty"),
        ({"lessons": b"lesson,mood\n1,x\n"}, "column mood"),
        ({"observations": b"lesson,time,track,score\n1,2026-03-02 08:00:00,1,much\n"}, "row 2, column score, has “much”"),
        ({"observations": b"lesson,time,track,score\n1,2026-03-02 08:00:00,1,1.5\n"}, "score is not between 0 and 1"),
        ({"observations": b"lesson,time,track,yaw\n1,2026-03-02 08:00:00,1,inf\n"}, "yaw is not finite"),
        ({"observations": b"lesson,time,track,level\n1,2026-03-02 08:00:00,1,3\n"}, "row 2, column level, has “3”"),
        ({"observations": b"lesson,time,track\n7,2026-03-02 08:00:00,1\n"}, "rows of lesson 7, which its table lessons lacks"),
        ({"observations": b"lesson,time,track\n" + 2 * b"1,2026-03-02 08:00:00,1\n"}, "twice in one second"),
        ({"observations": b"lesson,time\n1,2026-03-02 08:00:00\n"}, "track is empty"),
        ({"observations": b"\xff\xfe\x00,time"}, "observations"),
        ({"activities": ACTIVITY_LINE}, "row 2, column activity, has “dancing”, .*: front, screen"),
        ({"markers": KIND_LINES}, "row 3, column kind, has “mood”, .*: question, instruction"),
        ({"lessons": LESSON_LINE.replace(b"class,", b"room,")}, "row 2, column audience, has “room”, .*: self, class"),
        ({"lessons": LESSON_LINE.replace(b"consent", b"secret")}, "row 2, column profile, has “secret”"),
        ({"lessons": LESSON_LINE.replace(b"camera", b"radio")}, "row 2, column source, has “radio”"),
        ({"activities": b"lesson,time,activity\n"}, "without an activity"),
        ({"ratings": b"lesson,time,rating\n1,2026-03-02 08:00:00,9\n"}, "row 2, column rating, has “9”"),
        ({"settings": b"key,value\nperiods,{\n"}, "setting periods cannot be taken. Expected is a list of periods"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_one_line_and_nothing_of_it_comes_in(workspace, other, members, says):
    filled(workspace)
    here = add(other, rows(), lesson=replace(LESSON, started=START - timedelta(days=1)))
    before = contents(other)
    with pytest.raises(StoreError, match=says) as refused:
        importer.import_file(other, changed(written(workspace, "csv"), **members), CONSENT)
    assert "\n" not in str(refused.value)
    assert contents(other) == before and queries.lessons(other)["lesson"].tolist() == [here]
    importer.import_file(other, io.BytesIO(written(workspace)), CONSENT)  # and the next good one does


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.9])
def test_half_a_file_is_refused(workspace, other, form, cut):
    filled(workspace)
    content = written(workspace, form)
    with pytest.raises(StoreError, match="damaged, or no file"):
        importer.import_file(other, io.BytesIO(content[: int(cut * len(content))]), CONSENT)
    assert contents(other)["lessons"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_with_a_damaged_table_is_refused(workspace, other, form):
    filled(workspace)
    with pytest.raises(StoreError):
        importer.import_file(other, changed(written(workspace, form), observations=b'PAR1"nonsense{' * 99), CONSENT)
    assert contents(other)["lessons"] == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_damaged_in_its_middle_is_refused(workspace, other, form):
    filled(workspace)
    content = bytearray(written(workspace, form))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        begin = archive.getinfo(f"observations.{form}").header_offset + 100
    content[begin : begin + 200] = bytes(range(200))
    with pytest.raises(StoreError) as refused:
        importer.import_file(other, io.BytesIO(content), CONSENT)
    assert "\n" not in str(refused.value) and contents(other)["lessons"] == []


def test_a_small_file_that_unpacks_to_more_than_memory_holds_is_refused(workspace, other, monkeypatch):
    filled(workspace)
    limits = replace(settings.IMPORT_INTO_MEMORY, unpacked=10_000)
    monkeypatch.setattr(settings, "IMPORT_INTO_MEMORY", limits)
    with pytest.raises(StoreError, match=r"observations.csv unpacks to more than 0 MB"):
        importer.import_file(other, io.BytesIO(written(workspace, "csv")), CONSENT)


def test_rows_that_came_in_leave_the_memory_before_the_file_ends(workspace, other):
    number = filled(workspace)
    with workspace.cursor() as cursor:
        lessons, activities = (cursor.execute(f"FROM {name}").to_arrow_table() for name in ("lessons", "activities"))
        schema = cursor.execute("FROM markers LIMIT 0").to_arrow_table().schema
    size, held = 4_000_000, []

    def markers() -> pa.Table:
        return pa.table(
            [pa.array([value] * (size // 1000)) for value in (number, START.replace(tzinfo=None), "quiz", "x" * 1000)],
            schema.names,
        )

    def parts():
        yield from (("lessons", lessons), ("activities", activities))
        for _ in range(8):
            held.append(pa.total_allocated_bytes())
            yield "markers", markers().cast(schema)

    other.import_tables(parts(), True, lambda share: None)
    assert max(held) - held[0] < 3 * size


def test_the_commands_carry_lessons_from_one_computer_to_another(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CSSAFE_PROFILE", "consent")
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "one"))
    assert main(["export", str(tmp_path / "all.zip")]) == 2 and "nothing to export" in capsys.readouterr().err
    with closing(Workspace.open(tmp_path / "one" / "cssafe.duckdb")) as one:
        filled(one)
        before = contents(one)
    assert main(["export", str(tmp_path / "all.zip"), "--format", "json"]) == 0
    assert "lessons 1, observations 546" in capsys.readouterr().out
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "two"))
    assert main(["import", str(tmp_path / "all.zip")]) == 0
    assert "came in: 1." in capsys.readouterr().out
    with closing(Workspace.open(tmp_path / "two" / "cssafe.duckdb")) as two:
        assert contents(two) == before
    for bad in ("nowhere.zip", __file__):
        assert main(["import", bad]) == 2 and len(capsys.readouterr().err.splitlines()) == 1
    assert main(["export", str(tmp_path)]) == 2 and "expected the name of a file" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "one", "two"]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"observations": b"lesson,time\n1,2026-03-02 08:00:00\n"}, "वाक्य track"),
        ({"settings": b"key,value\nperiods,{\n"}, "वाक्य periods वाक्य$"),
        ({"observations": b"lesson,time,track,score\n1,2026-03-02 08:00:00,1,1.5\n"}, "वाक्य score"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_the_readers_language(workspace, other, members, says, monkeypatch):
    filled(workspace)
    content = changed(written(workspace, "csv"), **members)
    with pytest.raises(StoreError) as refused:
        importer.import_file(other, content, CONSENT)
    monkeypatch.setattr(language, "_catalogue", lambda code: Translated())
    assert re.search(says, str(refused.value)) and "expected" not in str(refused.value).lower()
