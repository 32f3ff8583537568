"""The readers of labelled videos and of a teacher's own list."""

import pandas as pd
import pytest

from cssafe.errors import DataError
from cssafe.training.engagement.layouts import read_clips, read_ratings
from tests.support.engagement import HEADER, daisee, engagenet, film

CHUNK = "subject_{}_lxqlkjiodx_vid_0_{}.mp4"


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_daisee_is_read_with_persons_and_engagement_whatever_the_ending_of_a_clip(tmp_path):
    clips = {
        "1100011002": ("Train", 2, None),
        "1100011003": ("Train", 0, None),
        "4000221001": ("Validation", 3, None),
        "5000441001": ("Test", 1, None),
    }
    folder = daisee(tmp_path, clips)
    for part, person, clip, ending in (
        ("Train", "110001", "1100011002", "avi"),
        ("Validation", "400022", "4000221001", "mp4"),
        ("Test", "500044", "5000441001", "avi"),
    ):
        touch(folder / "DataSet" / part / person / clip / f"{clip}.{ending}")
        touch(folder / "DataSet" / part / person / clip / "notes.txt")
    read = read_clips(folder)
    assert read.levels == 4 and read.notes == ("1 labels have no video",)
    assert read.clips[["person", "label"]].to_records(index=False).tolist() == [
        ("110001", 2),
        ("400022", 3),
        ("500044", 1),
    ]
    assert [path.name for path in read.clips["video"]] == ["1100011002.avi", "4000221001.mp4", "5000441001.avi"]


def test_engagenet_is_read_from_excel_and_csv_without_those_who_are_not_there(tmp_path):
    clips = {
        CHUNK.format(7, 1): ("Train", "Highly-Engaged", None),
        CHUNK.format(7, 2): ("Train", "SNP(Subject Not Present)", None),
        CHUNK.format(12, 0): ("Validation", "Barely-engaged", None),
        CHUNK.format(30, 0): ("Test", "Not-Engaged", None),
        CHUNK.format(30, 1): ("Test", "engaged", None),
    }
    folder = engagenet(tmp_path, clips)
    for chunk, (part, *_) in clips.items():
        touch(folder / part / chunk)
    read = read_clips(folder)
    assert read.notes == ("1 videos show nobody",)
    assert read.clips[["person", "label"]].to_records(index=False).tolist() == [
        ("7", 3),
        ("12", 1),
        ("30", 0),
        ("30", 2),
    ]


def test_a_school_may_have_only_a_part_of_a_data_set(tmp_path):
    folder = engagenet(tmp_path, {CHUNK.format(7, 1): ("Test", "Engaged", None)})
    touch(folder / "Test" / CHUNK.format(7, 1))
    for name in ("train", "validation"):
        (folder / f"{name}_engagement_labels.xlsx").unlink()
    assert len(read_clips(folder).clips) == 1


def broken(folder, file, content):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("Labels/TrainLabels.csv", b"ClipID,Boredom\n1.avi,0\n", "the columns Engagement are missing"),
        ("Labels/TrainLabels.csv", HEADER.encode() + b"\n1100011002.avi,0,5,0,0\n", "row 2: Engagement is '5'"),
        ("Labels/TrainLabels.csv", HEADER.encode() + b"\n1100011002.avi,0,high,0,0\n", "Engagement is 'high'"),
        (
            "Labels/TrainLabels.csv",
            HEADER.encode() + b"\n1100011002.avi,0,1,0,0\n",
            "none of the 1 labels has its video",
        ),
        ("Labels/TrainLabels.csv", b"", "cannot be read"),
        ("Labels/TrainLabels.csv", b"\xff\xfe\x00\x01", "cannot be read"),
        ("Labels/Readme.txt", b"", "are all missing"),
    ],
)
def test_what_is_wrong_with_daisee_s_labels_is_told(tmp_path, file, content, says):
    (tmp_path / "DataSet" / "Train").mkdir(parents=True)
    broken(tmp_path, file, content)
    with pytest.raises(DataError, match=says):
        read_clips(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("test_engagement_labels.csv", b"chunk,label\nsubject_1_a_vid_0_0.mp4,Bored\n", "unknown label 'bored'"),
        ("test_engagement_labels.csv", b"chunk,label\nclip.mp4,Engaged\n", "does not tell whose video it is"),
        ("test_engagement_labels.csv", b"chunk,score\nclip.mp4,1\n", "the columns label are missing"),
        ("train_engagement_labels.xlsx", b"no table", "cannot be read"),
        ("labels.csv", b"chunk,label\n", "no labelled videos were found there"),
    ],
)
def test_what_is_wrong_with_engagenet_s_labels_is_told(tmp_path, file, content, says):
    broken(tmp_path, file, content)
    with pytest.raises(DataError, match=says):
        read_clips(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match="Expected is DAiSEE's folder"):
        read_clips(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("lesson,time,label\n", []),
        ("lesson,time,label\n3,09:15,0\n3,09:16:30,2\n", [0, 2]),
        ("label, time ,lesson\nlow,2026-03-02 09:15:00,3\nhigh,09:20,3\n", [0, 2]),
        ("\ufefflesson,time,label,note\n3,09:15, medium ,x\n", [1]),
    ],
)
def test_a_teacher_s_own_list_is_read(tmp_path, text, labels):
    file = tmp_path / "labels.csv"
    file.write_text(text, encoding="utf-8")
    assert read_ratings(file, 3)["label"].tolist() == labels


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read"),
        ("time,label\n09:15,1\n", "the columns lesson are missing"),
        ("lesson,time,label\n3,09:15,3\n", "label is '3', expected is a whole number from 0 to 2"),
        ("lesson,time,label\nMaths,09:15,1\n", "lesson is 'Maths', expected is a whole number of a lesson"),
        ("lesson,time,label\n3,09:15,1.5\n", "label is '1.5'"),
    ],
)
def test_what_is_wrong_with_a_teacher_s_list_is_told(tmp_path, text, says):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=says):
        read_ratings(file, 3)


def test_the_made_videos_can_be_watched(tmp_path):
    from cssafe import media

    assert len(list(media.frames(str(film(tmp_path / "a.avi"))))) == 5
    assert pd.read_csv(daisee(tmp_path / "d", {}) / "Labels" / "TestLabels.csv").empty
