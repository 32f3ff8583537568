"""Layouts of videos labelled with engagement, and of a teacher's own list, each read into the same table. No picture is decoded
here.

DAiSEE (Gupta et al. 2016, arXiv 1609.01885): `DataSet/<Train|Validation|Test>/<person>/<clip>/<clip>.avi`
and `Labels/<Train|Validation|Test>Labels.csv` with ClipID (the file's name), Boredom, Engagement, Confusion and Frustration
from 0 to 3; Engagement is read.

EngageNet (Singh et al. 2023, arXiv 2302.00431):
`<Train|Validation|Test>/subject_<person>_..._vid_<n>_<m>.mp4` and `train_`, `validation_` and `test_engagement_labels` (.xlsx
or .csv) with chunk (the file's name) and label, one of four words or "SNP(Subject Not Present)", which is left out.

A teacher's own: a CSV file with `lesson` (its number), `time` (by the lesson's own clock, with or without the date) and `label`
(0, 1, 2 or low, medium, high), as the page Rate saves it.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cssafe.errors import DataError
from cssafe.labels import LEVELS
from cssafe.media import named_as_media

PARTS = ("Train", "Validation", "Test")

ENGAGENET = {"not-engaged": 0, "barely-engaged": 1, "engaged": 2, "highly-engaged": 3}
"""EngageNet's words, in rising order; capitals differ between copies."""

ABSENT = "snp(subject not present)"

EXPECTED_LAYOUTS = (
    "Expected is DAiSEE's folder (with DataSet and Labels in it), EngageNet's (with Train, Validation, Test and "
    "train_engagement_labels.xlsx ... in it), or a CSV file with the columns lesson, time, label."
)


@dataclass(frozen=True)
class LabelledClips:
    """Videos with their labels. clips: `video` (path), `person`, `label` (0 to levels - 1). levels: number of labels.
    notes: sentences on omissions."""

    clips: pd.DataFrame
    levels: int
    notes: tuple[str, ...]


def read_clips(folder: Path) -> LabelledClips:
    """Read a data set of labelled videos.

    Raises:
        DataError: missing or wrong data.
    """
    if (folder / "DataSet").is_dir() and (folder / "Labels").is_dir():
        parts = _daisee(folder)
    elif tables := {part: found for part in PARTS if (found := _engagenet_labels(folder, part)) is not None}:
        parts = _engagenet(folder, tables)
    else:
        raise DataError(f"{folder}: no labelled videos were found there. {EXPECTED_LAYOUTS}")
    clips = pd.concat([clips for clips, _ in parts], ignore_index=True)
    missing, absent = int(clips["video"].isna().sum()), sum(absent for _, absent in parts)
    notes = [f"{missing} labels have no video"] * bool(missing) + [f"{absent} videos show nobody"] * bool(absent)
    clips = clips.dropna(subset="video").reset_index(drop=True)
    if clips.empty:
        raise DataError(f"{folder}: none of the {missing} labels has its video there. {EXPECTED_LAYOUTS}")
    return LabelledClips(clips, 4, tuple(notes))


def read_ratings(file: Path, levels: int) -> pd.DataFrame:
    """Read a teacher's own list: `lesson`, `time` (as written) and `label` (0 to levels - 1).

    Raises:
        DataError: wrong data.
    """
    table = _table(file, ("lesson", "time", "label"))
    words = {name: str(i) for i, name in enumerate(LEVELS)} if levels == len(LEVELS) else {}
    labels = _numbers(file, table["label"].replace(words), "label", levels)
    return pd.DataFrame({"lesson": _numbers(file, table["lesson"], "lesson"), "time": table["time"], "label": labels})


def _daisee(folder: Path) -> list[tuple[pd.DataFrame, int]]:
    parts = []
    for part in PARTS:
        file = folder / "Labels" / f"{part}Labels.csv"
        if not file.is_file():
            continue  # parts may be missing
        table = _table(file, ("ClipID", "Engagement"))
        videos = {path.stem: path for path in (folder / "DataSet" / part).glob("*/*/*") if named_as_media(path.name)}
        # Some clips have another ending than in the labels.
        found = [videos.get(Path(clip).stem) for clip in table["ClipID"]]
        labels = _numbers(file, table["Engagement"], "Engagement", 4)
        person = [None if path is None else path.parent.parent.name for path in found]
        parts.append((pd.DataFrame({"video": found, "person": person, "label": labels}), 0))
    if not parts:
        raise DataError(
            f"{folder / 'Labels'}: TrainLabels.csv, ValidationLabels.csv and TestLabels.csv are all missing."
        )
    return parts


def _engagenet_labels(folder: Path, part: str) -> Path | None:
    for ending in ("xlsx", "csv"):
        file = folder / f"{part.lower()}_engagement_labels.{ending}"
        if file.is_file():
            return file
    return None


def _engagenet(folder: Path, tables: dict[str, Path]) -> list[tuple[pd.DataFrame, int]]:
    parts = []
    for part, file in tables.items():
        table = _table(file, ("chunk", "label"))
        words = table["label"].str.lower().str.replace(" ", "-").replace(ABSENT.replace(" ", "-"), ABSENT)
        there = words != ABSENT
        if unknown := sorted(set(words[there]) - set(ENGAGENET)):
            raise DataError(f"{file}: unknown label {unknown[0]!r}. Expected are {', '.join(ENGAGENET)} and {ABSENT}.")
        names, words = table["chunk"][there], words[there]
        if wrong := [name for name in names if not name.startswith("subject_")]:
            raise DataError(
                f"{file}: {wrong[0]!r} does not tell whose video it is; expected is subject_<person>_...mp4."
            )
        found = [path if (path := folder / part / name).is_file() else None for name in names]
        person = [name.split("_")[1] for name in names]
        parts.append(
            (pd.DataFrame({"video": found, "person": person, "label": words.map(ENGAGENET)}), int((~there).sum()))
        )
    return parts


def _table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """These columns of a table as stripped text, without rows whose first column is empty."""
    try:
        read = pd.read_excel if file.suffix == ".xlsx" else pd.read_csv
        table = read(file, dtype=str, keep_default_na=False)
    except OSError:
        raise
    except Exception as error:  # pandas and openpyxl raise many kinds for damaged files
        raise DataError(f"{file}: this table cannot be read ({' '.join(str(error).split())[:100]}).") from None
    table.columns = [str(column).strip().removeprefix("\ufeff") for column in table.columns]
    if missing := [name for name in columns if name not in table.columns]:
        raise DataError(f"{file}: the columns {', '.join(missing)} are missing. Expected are {', '.join(columns)}.")
    table = table[list(columns)].apply(lambda column: column.str.strip())
    return table[table[columns[0]] != ""].reset_index(drop=True)


def _numbers(file: Path, values: pd.Series, name: str, levels: int | None = None) -> pd.Series:
    """Whole numbers from 0. Raises DataError: names the first row with another value."""
    numbers = pd.to_numeric(values, errors="coerce")
    right = (numbers >= 0) & (numbers % 1 == 0) & (numbers < (levels or float("inf")))
    if not right.all():
        row = int((~right).to_numpy().argmax())
        most = f"from 0 to {levels - 1}" if levels else "of a lesson"
        raise DataError(f"{file}, row {row + 2}: {name} is {values.iloc[row]!r}, expected is a whole number {most}.")
    return numbers.astype(int)
