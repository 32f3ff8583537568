"""Benchmark of the pages with years of lessons: `python -m cssafe bench --observations 20000000`.

Synthetic lessons are made in SQL, in a temporary database. Each page is run whole, as Streamlit runs it; browser and network
are not measured.
"""

import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from cssafe.labels import FERPLUS
from cssafe.observations import COLUMNS
from cssafe.settings import ROOT

YEARS, WEEKS = 5, 40
"""Years of lessons; weeks with lessons in each."""

FACES, MINUTES, DENSE = 25, 45, 20
"""Of each lesson. One lesson in DENSE, the newest among them, has a row a second, the others one a minute: many lessons as well
as lessons with many rows."""

MEAN_ROWS = FACES * MINUTES * (60 + DENSE - 1) / DENSE
"""Observations of a lesson."""

BATCH_LESSONS = 200
"""Lessons made in one transaction."""

FIGURELESS = ("live", "files", "room", "projector", "phone", "model", "concentration", "status")
"""Pages without stored lessons."""


def measure_pages(observations: int, repeats: int = 3) -> dict[str, Any]:
    """Seconds of each page's first run, and the median of `repeats` further runs, with about that many observations."""
    from cssafe.live import services
    from cssafe.store import Workspace

    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"CSSAFE_DATA": folder, "CSSAFE_PROFILE": "consent", "CSSAFE_MODE": "local"}
        try:
            path = Path(folder) / "cssafe.duckdb"
            begun = time.perf_counter()
            workspace = Workspace.open(path)
            try:
                rows = fill_lessons(workspace, max(1, round(observations / MEAN_ROWS / DENSE)) * DENSE)
            finally:
                workspace.close()
            made = time.perf_counter() - begun
            spent = {page: time_page(page, repeats) for page in pages()}
            size = path.stat().st_size
        finally:
            services.current().close()
            os.environ.clear()
            os.environ |= before
    return rows | {"made_s": round(made, 1), "file_mb": round(size / 1e6), "pages": spent}


def fill_lessons(workspace: Any, lessons: int) -> dict[str, int]:
    """Fill an empty workspace with synthetic lessons; returns the numbers of lessons and observations."""
    from cssafe.scoring.formula import CONCENTRATION
    from cssafe.store.summaries import summarise

    with workspace.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO lessons BY NAME
            SELECT nextval('lesson_numbers') AS lesson, 'Lesson ' || i AS name,
                5 + i % 8 || ['a', 'b', 'c'][1 + i % 3] AS class_name,
                ['Maths', 'English', 'Biology', 'History', 'Art', 'Physics', 'Music', 'Latin'][1 + i // 7 % 8] AS subject,
                'Room ' || i % 9 AS room, 'Europe/Berlin' AS time_zone, 'consent' AS profile, $formula AS formula,
                'file' AS source, 'class' AS audience,
                TIMESTAMP '2021-09-06 07:00' + to_days((364 * (week // {WEEKS}) + 7 * (week % {WEEKS}) + i % 5)::INTEGER)
                    + to_hours(i // 5 % 6) AS started,
                started + to_minutes({MINUTES}) AS ended
            FROM (SELECT i, i * {YEARS * WEEKS} // {lessons} AS week FROM range({lessons}) numbers(i)) ORDER BY i;
            """,
            {"formula": str(CONCENTRATION)},
        )
        cursor.execute("""
            INSERT INTO activities SELECT lesson, started, 'front' FROM lessons;
            INSERT INTO activities SELECT lesson, started + to_minutes(25), 'desk work' FROM lessons;
            INSERT INTO markers SELECT lesson, started + to_minutes(minute), kind, ''
            FROM lessons, (VALUES (12, 'question'), (22, 'demonstration'), (38, 'quiz')) marked(minute, kind);
        """)
        for first in range(1, lessons + 1, BATCH_LESSONS):
            last = min(first + BATCH_LESSONS - 1, lessons)
            cursor.begin()
            _fill_observations(cursor, first, last)
            summarise(cursor, list(range(first, last + 1)))
            cursor.commit()
        [(rows,)] = cursor.execute("SELECT count(*) FROM observations").fetchall()
    return {"lessons": lessons, "rows": rows}


def _fill_observations(cursor: Any, first: int, last: int) -> None:
    """Random observations of the lessons from `first` to `last`, inclusive."""
    random = {name: "round(random(), 4)" for name in COLUMNS if name not in ("time", "track", "frames", "level")}
    emotion = f"round(random() / {len(FERPLUS)}, 4)"  # so that valence stays in [-1, 1]
    random |= {f"p_{name}": emotion for name in FERPLUS}
    random |= {
        "attention": "round(0.4 + 0.6 * random(), 4)",
        "concentration": "round(0.3 + 0.5 * random() + 0.004 * face, 4)",
    }
    random |= {"x": "0.1 + 0.1 * (face % 8)", "y": "0.2 + 0.2 * (face // 8)", "w": "0.04", "h": "0.08"}
    values = ", ".join(f"{value} AS {name}" for name, value in random.items())
    cursor.execute(f"""
        INSERT INTO observations BY NAME
        SELECT lesson, started + to_seconds(second) AS time, face::INTEGER AS track, 5 AS frames, {values},
            (3 * random() - 0.5)::TINYINT AS level
        FROM lessons, range({FACES}) faces(face), range({60 * MINUTES}) seconds(second)
        WHERE lesson BETWEEN {first} AND {last} AND (lesson % {DENSE} = 0 OR second % 60 = 0)
        ORDER BY lesson, second, face""")


def pages() -> list[str]:
    """Pages of the navigation that read lessons."""
    named = re.findall(r"pages/(\w+)\.py", (ROOT / "cssafe" / "ui/site.py").read_text(encoding="utf-8"))
    return [name for name in named if name not in FIGURELESS]


def time_page(name: str, repeats: int) -> dict[str, float]:
    """Seconds of one page: first run of a visit, median of further runs, and the processor's seconds of these (all cores; other
    work on the machine does not count)."""
    from streamlit.testing.v1 import AppTest

    AppTest.from_function(_site, args=(name,), default_timeout=600).run()  # imports what the process does not have yet
    page = AppTest.from_function(_site, args=(name,), default_timeout=600)
    spent = []
    for _ in range(1 + repeats):
        begun = np.array([time.perf_counter(), time.process_time()])
        page.run()
        spent.append(np.array([time.perf_counter(), time.process_time()]) - begun)
        if page.exception:
            raise RuntimeError(f"The page {name} could not be shown: {page.exception[0].message}")
    (first, _), (again, worked) = spent[0], np.median(spent[1:], axis=0)
    return {"first_s": round(float(first), 2), "again_s": round(float(again), 2), "cpu_s": round(float(worked), 2)}


def _site(name: str) -> None:
    """The script that AppTest runs: the site with this page in front."""
    import streamlit as st

    from cssafe.commands import bench_pages
    from cssafe.settings import ROOT

    names = {name, "live", *bench_pages.pages()}
    st.navigation([st.Page(ROOT / f"pages/{other}.py", default=other == name) for other in sorted(names)]).run()


def format_pages(figures: dict[str, Any]) -> str:
    """The figures as a table of text."""
    lines = [
        f"{figures['rows']:,} observations in {figures['lessons']:,} lessons of {YEARS} years, {figures['file_mb']} MB, "
        f"made in {figures['made_s']} s",
        f"{'page, seconds':<17}{'first run':>12}{'further runs':>14}{'processor':>12}",
    ]
    lines += [
        f"{name:<17}{s['first_s']:>12.2f}{s['again_s']:>14.2f}{s['cpu_s']:>12.2f}"
        for name, s in figures["pages"].items()
    ]
    return "\n".join(lines)
