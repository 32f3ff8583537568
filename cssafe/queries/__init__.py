"""Read-only queries that return DataFrames, one module for each topic. No rows give an empty frame with the same columns.

All figures come from the store's summaries or its `counted` observations (store/summaries.py), which enforce the minimum group,
so no page can show a figure of a smaller one. Intervals: stats/intervals.py.
"""

from cssafe.queries.filters import ALL, Choices, Filter, choices, class_figures, describe_left_out
from cssafe.queries.heatmap import lessons_in_cell, weekly, weekly_lessons
from cssafe.queries.histograms import distribution, emotions
from cssafe.queries.lesson_rows import (
    count_people,
    lessons,
    markers,
    shareable_rows,
    shareable_timeline,
    timeline,
)
from cssafe.queries.presence import factors

__all__ = [
    "ALL",
    "Choices",
    "Filter",
    "choices",
    "class_figures",
    "count_people",
    "describe_left_out",
    "distribution",
    "emotions",
    "factors",
    "lessons",
    "lessons_in_cell",
    "markers",
    "shareable_rows",
    "shareable_timeline",
    "timeline",
    "weekly",
    "weekly_lessons",
]
