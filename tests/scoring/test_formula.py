"""Formula files: the shipped ones, a school's own, and files that are none."""

import json

import pytest

from cssafe.errors import ConfigurationError
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.scoring import formula
from cssafe.scoring.formula import (
    ATTENTION_ONLY,
    CONCENTRATION,
    FORMULAS,
    PUBLISHED,
    PUBLISHED_ATTENTION,
    choose_formula,
    find_formula,
    list_formulas,
    list_sources,
    read_formula,
)

SHIPPED = sorted(FORMULAS.glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_number_of_a_shipped_formula_has_a_source(path):
    told = list_sources(path)
    assert {row["part"] for row in told} >= {"front", "screen", "desk work", "bands"}
    sources = (
        "assumption",
        "Sharma et al.",
        "the distractionModel",
        "four standard deviations",
        "closed eyes measured",
    )
    assert all(row["source"].startswith((*sources, "the largest weight of Sharma et al.")) for row in told)
    read = read_formula(path)
    assert path.stem == f"{read.name}-{read.version}" and tuple(read.limits) == ACTIVITIES
    assert [activity for activity in ACTIVITIES if read.limits[activity] is None] == ["group work", "break"]


def test_the_limits_of_activities_say_their_unit():
    rows = [row for row in list_sources(SHIPPED[0]) if row["part"] in ACTIVITIES]
    assert len(rows) == 18 and all(row["unit"] for row in rows)


def test_titles_and_units_of_the_shipped_formulas_can_be_translated():
    titles = {read_formula(path).title for path in SHIPPED}
    assert titles | {row["unit"] for path in SHIPPED for row in list_sources(path) if row["unit"]} == set(
        formula.SHIPPED
    )


def test_a_school_without_a_folder_of_its_own_has_the_shipped_formulas(tmp_path, monkeypatch):
    monkeypatch.setenv("CSSAFE_DATA", str(tmp_path / "nowhere"))
    assert list_formulas() == ({str(read_formula(path)): path for path in SHIPPED}, [])


def test_a_formula_of_the_school_is_found_and_chosen(own):
    path = own(divisor={"value": 9.0, "source": "assumption"})
    assert list_formulas()[0]["ours 1"] == path
    assert find_formula("ours 1").divisor == choose_formula("ours 1", expression=True).divisor == 9.0


@pytest.mark.parametrize(
    ("name", "expression", "expected"),
    [
        (None, True, CONCENTRATION),
        (None, False, ATTENTION_ONLY),
        ("gone 7", True, CONCENTRATION),
        ("published 2", True, PUBLISHED),  # its former name
        ("ours 1", False, ATTENTION_ONLY),  # it weighs emotions, and none are computed
        ("attention-only 2", True, PUBLISHED_ATTENTION),
    ],
)
def test_what_cannot_be_used_gives_way_to_a_shipped_formula(own, name, expression, expected):
    own()
    assert str(choose_formula(name, expression)) == str(expected)


def test_a_shipped_formula_cannot_be_replaced_unseen(own):
    own(name="sharma-distractionmodel", version=2, divisor={"value": 9.0, "source": "assumption"})
    found, [problem] = list_formulas()
    assert found[str(PUBLISHED)].parent == FORMULAS and f"there is a formula {PUBLISHED} already" in problem


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
    found, [problem] = list_formulas()
    assert "ours 1" not in found and says in problem


CONTINUOUS = json.loads((FORMULAS / formula.CONCENTRATION_FILE).read_text())


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"fall": {"value": 6.0, "source": "assumption"}}, "fall is 6.0"),  # more than .15 per degree
        ({"emotion": WEIGHTS}, "emotion, neutral, is 0.5, expected is a number from 0.7 to 1"),
        ({"activities": CONTINUOUS["activities"] | {"front": CONTINUOUS["activities"]["front"]
            | {"half_open": {"value": 0.3, "source": "assumption"}}}}, "half_open must lie above closed"),
    ],
)  # fmt: skip
def test_a_continuous_formula_in_which_one_degree_or_the_expression_decides_is_refused(tmp_path, parts, says):
    path = tmp_path / "ours-1.json"
    path.write_text(json.dumps(CONTINUOUS | parts))
    with pytest.raises(ConfigurationError, match=says):
        read_formula(path)


def test_only_the_emotion_weights_of_the_published_index_are_attributed_to_sharma():
    rows = list_sources(FORMULAS / formula.PUBLISHED_FILE)
    published = {row["name"] for row in rows if row["source"].startswith("Sharma")}
    assert published == set(FERPLUS) - {"disgust", "contempt"}
    gaze = [row["source"] for row in rows if row["part"] in ("gaze", "") or row["name"] in ("low below", "high above")]
    assert len(gaze) == 8 and all("distractionModel" in source for source in gaze)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"words"'])
def test_a_file_that_is_no_json_object_is_told_too(tmp_path, text):
    path = tmp_path / "formula.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="this is no formula"):
        read_formula(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_formula(tmp_path / "none.json")
