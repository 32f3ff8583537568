"""Lessons: the factors of one lesson side by side."""

import pandas as pd

from cssafe import queries
from cssafe.charts import factors
from cssafe.language import _
from cssafe.queries import presence
from cssafe.store import Workspace
from cssafe.ui import common


def show_factors(workspace: Workspace, lesson: int) -> None:
    """Bars of the factors of a class, with the people present and expected; nothing of one person alone."""
    for _index, row in queries.factors(workspace, queries.Filter(lessons=[lesson])).iterrows():
        table = presence.side_by_side(row)
        people = ""
        if pd.notna(row["person_minutes"]):
            people = _("{present:.0f} of {expected:.0f} expected person-minutes were spent there.").format(
                present=row["person_minutes"], expected=row["expected_minutes"]
            )
        meanings = [_(factors.FACTOR_MEANINGS[factor]) for factor in table["factor"]]
        common.show_chart(
            factors.side_by_side(table),
            factors.factors_caption(table),
            table.assign(factor=[_(factors.FACTOR_TITLES[factor]) for factor in table["factor"]]),
            key="factors",
            how=" ".join([people, *meanings, _("Lines are 95 % intervals over people.")]).strip(),
        )
