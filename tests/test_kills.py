"""A recording server that is killed: the start of `python -m tests.kills`, which does it fifty times."""

import pytest

from tests.kills import ends_properly, kill, lessons


@pytest.mark.slow
def test_a_recording_server_killed_at_different_moments_loses_at_most_two_seconds_each_time(tmp_path):
    pytest.importorskip("skimage", reason="scikit-image's astronaut is the face that is recorded")
    kills = [kill(tmp_path, moment) for moment in (0.5, 3.3)]
    assert all(each.whole for each in kills) and max(each.lost for each in kills) <= 2
    assert len(lessons(tmp_path)) == 2


@pytest.mark.parametrize(
    ("rows", "last", "ended", "twice", "proper"),
    [
        (0, None, 100, 0, True),
        (6, 120, 121, 0, True),
        (6, 120, None, 0, False),
        (6, 120, 119, 0, False),
        (0, None, 99, 0, False),
        (6, 120, 121, 1, False),
    ],
)
def test_a_lesson_ends_properly_after_its_start_and_its_last_second_with_each_row_once(
    rows, last, ended, twice, proper
):
    assert ends_properly(1, rows, last, 100, ended, twice) == proper
