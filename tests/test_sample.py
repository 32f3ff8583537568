"""The synthetic term."""

from datetime import date

from cssafe import queries, sample
from cssafe.observations import EXPRESSION
from cssafe.scoring.formula import ATTENTION_ONLY, CONCENTRATION
from cssafe.settings import PROFILES
from tests.support.lessons import add, rows


def test_no_weeks_give_no_lessons(workspace):
    assert sample.add_term(workspace, PROFILES["consent"], weeks=0) == []


def test_a_term_fills_every_chart_and_is_marked_synthetic(workspace):
    shares = []
    numbers = sample.add_term(workspace, PROFILES["consent"], weeks=2, progress=shares.append)
    assert shares == [0.5, 1.0] and len(numbers) > 30
    for table in (queries.emotions(workspace), queries.distribution(workspace), queries.weekly(workspace)):
        assert len(table) > 20 and table["synthetic"].all()
    lessons = queries.lessons(workspace)
    assert (lessons["formula"] == str(CONCENTRATION)).all() and lessons["minutes"].eq(45).all()
    assert lessons["concentration"].between(0.25, 0.85).all() and lessons["local"].max().date() < date.today()
    assert len(queries.markers(workspace, numbers[-1])) == 3


def test_the_same_seed_gives_the_same_term_and_replaces_the_one_before(workspace):
    first = len(sample.add_term(workspace, PROFILES["consent"], weeks=1))
    before = queries.weekly(workspace)
    assert len(sample.add_term(workspace, PROFILES["consent"], weeks=1)) == first == len(queries.lessons(workspace))
    assert before.equals(queries.weekly(workspace))


def test_removing_takes_the_synthetic_lessons_only(workspace):
    sample.remove_term(workspace)
    real = add(workspace, rows())
    sample.add_term(workspace, PROFILES["consent"], weeks=1)
    sample.remove_term(workspace)
    assert queries.lessons(workspace)["lesson"].tolist() == [real]
    with workspace.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM observations").fetchone() == (6,)


def test_attention_only_gets_a_term_without_emotions(workspace):
    number = sample.add_term(workspace, PROFILES["attention-only"], weeks=1)[0]
    workspace.set("formula", str(ATTENTION_ONLY))  # as where no emotions may be read
    assert queries.emotions(workspace).empty and not queries.weekly(workspace).empty
    with workspace.cursor() as cursor:
        kept = cursor.execute("SELECT * FROM observations WHERE lesson = ?", [number]).df()
    assert kept[list(EXPRESSION)].isna().all(axis=None)
