"""Seat map: mean attention in regions of the picture, without tracking anybody.

A face belongs in each second to the region of its centre. A region with fewer than MINIMUM_GROUP measured faces in a second is
withheld for that second. Where the withheld faces are fewer than that, so is the smallest other region: the difference between
the class and the regions shown would reveal a small group. Only lessons that are over have figures, and each for one division,
the first for which a figure was shown, because two divisions or two moments would reveal single faces. Regions are plain
dictionaries, which a workspace can keep: name, left, top, right, bottom as shares of the picture.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from string import ascii_uppercase
from typing import Any

import pandas as pd

from cssafe.errors import DataError
from cssafe.language import N_
from cssafe.settings import MINIMUM_GROUP
from cssafe.stats.intervals import mean_sql
from cssafe.store import Workspace
from cssafe.store.summaries import COUNTED

Region = dict[str, Any]

EDGES = ("left", "top", "right", "bottom")

MAX_GRID_LINES = 6
"""Rows, and columns, of a grid: smaller regions would rarely hold enough faces."""


def grid(rows: int, columns: int) -> list[Region]:
    """Equal regions called A1, B1 ... from the left, 1, 2 ... from the top."""
    return [
        {
            "name": f"{ascii_uppercase[column]}{row + 1}",
            "left": column / columns,
            "top": row / rows,
            "right": (column + 1) / columns,
            "bottom": (row + 1) / rows,
        }
        for row in range(rows)
        for column in range(columns)
    ]


def parse_regions(table: Iterable[Mapping[str, Any]]) -> list[Region]:
    """Regions from the rows of a table whose edges are in percent of the picture; empty rows are skipped.

    Raises:
        DataError: a value is missing or outside the picture, two regions overlap or have the same name.
    """
    regions = [region for region in map(_parse_region, table) if region]
    names = [region["name"] for region in regions]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(N_("Two regions are called {name}. Give each one a name of its own."), name=min(twice))
    for one, other in combinations(regions, 2):
        if _overlap(one, other):
            raise DataError(
                N_("Regions {one} and {other} overlap. Move an edge of one of them."),
                one=one["name"],
                other=other["name"],
            )
    return regions


def _parse_region(row: Mapping[str, Any]) -> Region | None:
    """One region; None for an empty row."""
    name = str(row.get("name") or "").strip()
    edges = [row.get(edge) for edge in EDGES]
    known = [float(edge) for edge in edges if edge is not None and not pd.isna(edge)]
    if not name and not known:
        return None
    if not name:
        raise DataError(N_("A region has no name. Give each one a name, such as Window or Back row."))
    if len(known) < len(EDGES):
        raise DataError(
            N_("Region {name} needs four edges: left, top, right and bottom, in percent of the picture."), name=name
        )
    left, top, right, bottom = (edge / 100 for edge in known)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise DataError(
            N_(
                "Region {name} is no rectangle inside the picture. Left must be less than right and top less than bottom, "
                "all from 0 to 100 percent."
            ),
            name=name,
        )
    return {"name": name, "left": left, "top": top, "right": right, "bottom": bottom}


def add_region(regions: list[Region], new: Region) -> list[Region]:
    """The regions with a new one in place of those that it overlaps or that have its name."""
    return [region for region in regions if region["name"] != new["name"] and not _overlap(region, new)] + [new]


def division(workspace: Workspace, lesson: int) -> list[Region]:
    """Regions for which the lesson's figures were first shown; empty if none were."""
    with workspace.cursor() as cursor:
        rows = cursor.execute(
            "SELECT * EXCLUDE (lesson) FROM divisions WHERE lesson = ? ORDER BY rowid", [lesson]
        ).fetchall()
    return [dict(zip(("name", *EDGES), row, strict=True)) for row in rows]


def seat_attention(workspace: Workspace, lesson: int, regions: list[Region]) -> pd.DataFrame:
    """One row for each region of the lesson's division, in their order; without one, for each of `regions`, which become its
    division if any of them has a figure. Regions that overlap have none.

    Columns: name, left, top, right, bottom, attention with low and high (clusters: faces; null where fewer than the minimum
    group were measured in every second), faces (mean number measured in it, where not withheld), seconds (with a figure).
    Lessons of one person alone, and those that still run, have none.
    """
    if fixed := division(workspace, lesson):
        return _table(workspace, lesson, fixed)
    table = _table(workspace, lesson, regions)
    if table["attention"].isna().all():
        return table
    workspace.save_regions(lesson, regions)
    return _table(workspace, lesson, division(workspace, lesson))  # another page may have been first


def _table(workspace: Workspace, lesson: int, regions: list[Region]) -> pd.DataFrame:
    if any(_overlap(one, other) for one, other in combinations(regions, 2)):
        return pd.DataFrame(regions, columns=["name", *EDGES, *_FIGURES])
    figures = _figures(workspace, lesson, regions) if regions else pd.DataFrame(columns=["name", *_FIGURES])
    return pd.DataFrame(regions, columns=["name", *EDGES]).merge(figures, on="name", how="left")


def has_positions(workspace: Workspace, lesson: int) -> bool:
    """Whether it is a class's lesson with positions of faces, which earlier versions did not store."""
    with workspace.cursor() as cursor:
        row = cursor.execute(
            """SELECT count(*) > 0 FROM observations JOIN lessons USING (lesson)
            WHERE lesson = $lesson AND audience = 'class' AND x IS NOT NULL""",
            {"lesson": lesson},
        ).fetchone()
    return bool(row and row[0])


def _overlap(one: Region, other: Region) -> bool:
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return not (beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"])


_FIGURES = ("attention", "low", "high", "faces", "seconds")


def _figures(workspace: Workspace, lesson: int, regions: list[Region]) -> pd.DataFrame:
    with workspace.cursor() as cursor:
        return cursor.execute(
            f"""WITH {COUNTED},
            regions AS (SELECT unnest($regions, recursive := true)),
            inside AS (
                SELECT time, track, attention, name
                FROM counted LEFT JOIN regions
                    ON x >= "left" AND (x < "right" OR "right" = 1) AND y >= top AND (y < bottom OR bottom = 1)
                WHERE attention IS NOT NULL AND lesson IN (
                    SELECT lesson FROM lessons WHERE audience = 'class' AND ended IS NOT NULL)),
            sizes AS (
                SELECT time, name, count(*) AS faces, name IS NOT NULL AND faces >= {MINIMUM_GROUP} AS enough
                FROM inside GROUP BY time, name),
            rest AS (
                SELECT time, coalesce(sum(faces) FILTER (NOT enough), 0) AS others,
                    arg_min(name, faces) FILTER (enough) AS smallest
                FROM sizes GROUP BY time),
            shown AS (
                SELECT time, name, faces FROM sizes JOIN rest USING (time)
                WHERE enough AND NOT (others BETWEEN 1 AND {MINIMUM_GROUP - 1} AND name = smallest)),
            clusters AS (
                SELECT name, track, sum(attention) AS s, count(*) AS n
                FROM inside JOIN shown USING (time, name) GROUP BY ALL),
            means AS (SELECT name, {mean_sql("attention")} FROM clusters GROUP BY name),
            counts AS (SELECT name, avg(faces) AS faces, count(*) AS seconds FROM shown GROUP BY name)
            SELECT name, {", ".join(_FIGURES)} FROM means JOIN counts USING (name)""",
            {"lessons": [lesson], "regions": regions},
        ).df()
