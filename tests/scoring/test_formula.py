"""Formula files: the shipped ones, a school's own, and files that are none."""

import json

import pytest

from cssafe.errors import ConfigurationError
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.scoring import formula
from cssafe.scoring.formula import ATTENTION_ONLY, FORMULAS, PUBLISHED, chosen, files, find, read_formula, sources

SHIPPED = sorted(FORMULAS.glob("*.json"))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of a school's own formulas, and how to write one: a shipped one with other numbers."""
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path))
    (tmp_path / "formulas").mkdir()

    def write(name="ours", version=1, **parts):
        data = json.loads((FORMULAS / formula.PUBLISHED_FILE).read_text()) | {"name": name, "version": version} | parts
        path = tmp_path / "formulas" / f"{name}-{version}.json"
        path.write_text(json.dumps(data))
        return path

    return write


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_number_of_a_shipped_formula_has_a_source(path):
    told = sources(path)
    assert {row["part"] for row in told} >= {"front", "screen", "desk work", "gaze", "bands"}
    assert all(row["source"].startswith(("assumption", "Sharma", "the published weights")) for row in told)
    read = read_formula(path)
    assert path.stem == f"{read.name}-{read.version}" and tuple(read.limits) == ACTIVITIES
    assert [activity for activity in ACTIVITIES if read.limits[activity] is None] == ["group work", "break"]


def test_the_limits_of_activities_say_their_unit():
    rows = [row for row in sources(SHIPPED[0]) if row["part"] in ACTIVITIES]
    assert len(rows) == 15 and all(row["unit"] for row in rows)


def test_titles_and_units_of_the_shipped_formulas_can_be_translated():
    titles = {read_formula(path).title for path in SHIPPED}
    assert titles | {row["unit"] for path in SHIPPED for row in sources(path) if row["unit"]} == set(formula.SHIPPED)


def test_a_school_without_a_folder_of_its_own_has_the_shipped_formulas(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "nowhere"))
    assert files() == ({str(read_formula(path)): path for path in SHIPPED}, [])


def test_a_formula_of_the_school_is_found_and_chosen(own):
    path = own(divisor={"value": 9.0, "source": "assumption"})
    assert files()[0]["ours 1"] == path
    assert find("ours 1").divisor == chosen("ours 1", expression=True).divisor == 9.0


@pytest.mark.parametrize(
    ("name", "expression", "expected"),
    [
        (None, True, PUBLISHED),
        (None, False, ATTENTION_ONLY),
        ("gone 7", True, PUBLISHED),
        ("ours 1", False, ATTENTION_ONLY),  # it weighs emotions, and none are computed
        ("attention-only 2", True, ATTENTION_ONLY),
    ],
)
def test_what_cannot_be_used_gives_way_to_a_shipped_formula(own, name, expression, expected):
    own()
    assert str(chosen(name, expression)) == str(expected)


def test_a_shipped_formula_cannot_be_replaced_unseen(own):
    own(name="published", version=2, divisor={"value": 9.0, "source": "assumption"})
    found, [problem] = files()
    assert found["published 2"].parent == FORMULAS and "there is a formula published 2 already" in problem


WEIGHTS = {name: {"value": 0.5, "source": "assumption"} for name in FERPLUS}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"divisor": {"value": 4.5}}, "'source' is missing"),
        ({"divisor": {"value": 4.5, "source": " "}}, "has no source"),
        ({"divisor": {"value": -1, "source": "assumption"}}, "divisor is -1"),
        ({"divisor": {"value": "4.5", "source": "assumption"}}, "divisor is '4.5'"),
        ({"divisor": {"value": float("nan"), "source": "assumption"}}, "divisor is nan"),
        ({"divisor": {"value": 1.0, "source": "assumption"}}, "emotion, neutral, is 0.9"),
        ({"emotion": WEIGHTS | {"happy": {"value": 2, "source": "assumption"}}}, "emotion, happy, is 2"),
        ({"emotion": {}}, "'neutral' is missing"),
        ({"emotion": None}, "divisor is 4.5"),
        ({"gaze": []}, "list indices"),
        ({"activities": {}}, "'front' is missing"),
        ({"bands": {n: {"value": v, "source": "x"} for n, v in
                    {"low_below": 0.7, "high_above": 0.6, "hysteresis": 0}.items()}}, "above high_above"),
        ({"version": "one"}, "a whole number"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_formula_is_told_in_one_sentence_and_passed_over(own, parts, says):
    path = own(**parts)
    with pytest.raises(ConfigurationError) as caught:
        read_formula(path)
    assert says in str(caught.value) and str(path) in str(caught.value) and "Expected is" in str(caught.value)
    found, [problem] = files()
    assert "ours 1" not in found and says in problem


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"words"'])
def test_a_file_that_is_no_json_object_is_told_too(tmp_path, text):
    path = tmp_path / "formula.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="this is no formula"):
        read_formula(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_formula(tmp_path / "none.json")
