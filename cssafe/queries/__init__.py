"""Read-only SQL -> DataFrame, one module for each topic. No rows give an empty frame with the same columns.

All figures come from the tables that the store makes with the minimum group in them (store/summaries.py), or from its
`counted` observations, so no page can show one of a group that is too small. Intervals: stats/intervals.py.
"""

from cssafe.queries.filters import ALL, Choices, Filter, choices
from cssafe.queries.heatmap import lessons_in_cell, weekly
from cssafe.queries.histograms import distribution, emotions
from cssafe.queries.lesson_rows import lessons, markers, shareable_rows, timeline

__all__ = [
    "ALL",
    "Choices",
    "Filter",
    "choices",
    "distribution",
    "emotions",
    "lessons",
    "lessons_in_cell",
    "markers",
    "shareable_rows",
    "timeline",
    "weekly",
]
