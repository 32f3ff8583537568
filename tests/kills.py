"""A recording server killed by SIGKILL, again and again on one database: `python -m tests.kills --kills 50`.

Each time the app is started as `streamlit run` does, a visitor starts a lesson and sends twelve real faces by the camera's
WebSocket, and the server is killed at a random moment.
"""

import argparse
import random
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import numpy as np
from websockets.exceptions import ConnectionClosed

from cssafe.store import Workspace
from cssafe.vision.openvino_runtime import processor_name
from tests.support.browser import Server
from tests.support.room import jpeg
from tests.support.visitor import Visitor
from tests.support.wait import until

RECORDED_S = (0.5, 6.0)
"""Range of the time between the first answered frame and the kill, seconds."""

PAUSE_S = 0.2
"""Between two frames of the camera, seconds."""

PROFILE = "attention-only"
"""Its lessons begin without anybody's agreement."""

LESSONS = """
    SELECT lesson, count(*), epoch(max(time)), epoch(any_value(started)), epoch(any_value(ended)),
        count(*) - count(DISTINCT (time, track))
    FROM lessons LEFT JOIN observations USING (lesson) GROUP BY lesson ORDER BY lesson
"""
"""Of each lesson its rows, its last second, start and end (seconds since 1970), and how many rows are there twice."""


@dataclass(frozen=True)
class Kill:
    """lost: seconds between the end of what is stored, or the first answered frame if nothing is, and the newest answered
    frame, at least 0. whole: the database opened, the earlier lessons are unchanged, and every lesson ended after its last
    second."""

    lost: float
    whole: bool


def kill(data: Path, moment: float) -> Kill:
    """Record, kill the server `moment` seconds after its first answer, and look at what the database holds."""
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace:
        workspace.set("agreed", True)
    before = lessons(data)
    server = Server(data, CSSAFE_PROFILE=PROFILE)
    try:
        server.wait()
        with ThreadPoolExecutor(1) as thread, Visitor(server.address) as visitor:
            visitor.open()
            visitor.press("Start")
            camera = thread.submit(send, visitor)
            until(lambda: visitor.answered)
            first = visitor.answered
            time.sleep(moment)
            server.process.send_signal(signal.SIGKILL)
            camera.result()
    except ConnectionClosed:  # the page's own connection, once the server is dead
        pass
    finally:
        server.process.kill()
        server.process.wait()
    after = lessons(data)
    last = after[-1][2]
    whole = after[:-1] == before and all(ends_properly(*lesson) for lesson in after)
    return Kill(max(0.0, visitor.answered - (first if last is None else last + 1)), whole)


def send(visitor: Visitor) -> None:
    """Be the camera until the server is gone. The picture moves: that of a frozen camera is not recorded."""
    try:
        visitor.frames(cycle([jpeg(), jpeg(shift=4)]), PAUSE_S)
    except (ConnectionClosed, OSError):
        pass


def lessons(data: Path) -> list[tuple]:
    """What the database holds, opened by the program itself; nothing of one that is not there yet."""
    with closing(Workspace.open(data / "cssafe.duckdb")) as workspace, workspace.cursor() as cursor:
        return cursor.execute(LESSONS).fetchall()


def ends_properly(lesson: int, rows: int, last: float | None, started: float, ended: float | None, twice: int) -> bool:
    return ended is not None and ended >= started and (last is None or ended >= last + 1) and twice == 0


def table(kills: list[Kill]) -> str:
    lost = np.array([each.lost for each in kills])
    return "\n".join(
        (
            "| kills | seconds lost, mean | largest | databases whole | date, processor |",
            "| --- | --- | --- | --- | --- |",
            f"| {len(kills)} | {lost.mean():.2f} | {lost.max():.2f} | {sum(each.whole for each in kills)} |"
            f" {datetime.now(UTC):%Y-%m-%d}, {processor_name()} |",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="default: 50")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    args = parser.parse_args()
    moments = random.Random(args.seed)
    kills: list[Kill] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.kills):
            moment = moments.uniform(*RECORDED_S)
            kills.append(kill(Path(folder), moment))
            print(f"{number + 1:>3}: after {moment:.1f} s {kills[-1]}", flush=True)
    print(table(kills))
    raise SystemExit(any(each.lost > 2 or not each.whole for each in kills))


if __name__ == "__main__":
    main()
