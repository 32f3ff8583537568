"""Live lessons and what their workspace holds."""

from datetime import UTC, datetime

from cssafe.live import services
from cssafe.live.lesson import LiveLesson
from cssafe.settings import PROFILES
from cssafe.store import Workspace
from tests.support.fake_pipelines import crowd


def make(
    workspace: Workspace, profile: str = "consent", audience: str = "self", patience_s: float = 60.0
) -> LiveLesson:
    return LiveLesson.start(
        workspace,
        PROFILES[profile],
        class_name="7b",
        subject="Mathematics",
        room="12",
        time_zone="Europe/Berlin",
        audience=audience,
        patience_s=patience_s,
    )


def time_now() -> datetime:
    return datetime.now(UTC)


def count(workspace: Workspace, table: str) -> int:
    workspace.flush()
    return workspace.cursor().execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def running(workspace: Workspace):
    """A registered lesson that has seen a face."""
    lesson = make(workspace)
    services.current().register(lesson)
    lesson.add_result(crowd(1, time_now()))
    return lesson
