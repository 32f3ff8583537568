"""Formulas of the concentration index: JSON files in which every number has a citation or the word "assumption".

Two are shipped in formulas/. A school's own, as `python -m cssafe fit` writes them, are in the folder `formulas` beside the
database.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cssafe import settings
from cssafe.errors import ConfigurationError
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.language import N_, _
from cssafe.names import is_text

FORMULAS = Path(__file__).parent / "formulas"

MAX_FILE_BYTES = 100_000
"""Largest formula file; the shipped ones have 9,000 bytes."""

MAX_NUMBER = 1_000.0
"""Largest number in a formula: degrees go up to 360."""

MAX_TEXT_CHARS = 1_000
"""Longest name, title, unit or source."""

MAX_GAZE_WEIGHT = 5.0
"""Gaze weight of open eyes on the target (Sharma et al. 2019); attention is the weight divided by it."""

GAZE = ("centre_open", "centre_half", "away_open", "away_half", "closed")
"""States of gaze and eyes: on the target or away from it, open or half closed; or closed."""

LIMITS = ("yaw", "up", "down", "half_open", "closed")
"""Limits of attentive gaze. yaw: degrees to either side, head and eyes together. up, down: degrees, head only. half_open,
closed: openness relative to the person's own, below which eyes count as that."""

NUMBER_NAMES = {
    "centre_open": N_("looking at it, eyes open"),
    "centre_half": N_("looking at it, eyes half closed"),
    "away_open": N_("looking away, eyes open"),
    "away_half": N_("looking away, eyes half closed"),
    "closed": N_("eyes closed"),
    "yaw": N_("to the side"),
    "up": N_("up"),
    "down": N_("down"),
    "half_open": N_("eyes half closed below"),
    "low_below": N_("low below"),
    "high_above": N_("high above"),
    "hysteresis": N_("hysteresis"),
    "divisor": N_("divisor"),
}
"""Number of a formula -> its name in words; other numbers are of emotions."""

PART_NAMES = {"emotion": N_("emotion"), "gaze": N_("gaze"), "bands": N_("bands")}
"""Part of a formula file -> its name in words; other parts are activities."""

SHIPPED = (
    N_("Concentration index of Sharma et al. (emotion weight x gaze weight / 4.5)"),
    N_("The published index with all emotion weights equal: attention alone, no emotion is looked at"),
    N_("degrees to either side, head and eyes together"),
    N_("degrees upwards, head only"),
    N_("degrees downwards, head only"),
    N_("eye openness over the person's own, below which eyes count as half closed"),
    N_("the same, below which they count as closed"),
)
"""Titles and units of the shipped files, for the translation; sources are not translated."""

BANDS = ("low_below", "high_above", "hysteresis")


@dataclass(frozen=True)
class Formula:
    """The numbers of one formula file, without their sources.

    emotion: float32 (8,) in the order of labels.FERPLUS, each times MAX_GAZE_WEIGHT at most the divisor; None where the formula
    weighs no emotion. gaze: GAZE -> weight in [0, MAX_GAZE_WEIGHT]. limits: activity -> LIMITS -> value, None for an activity
    that is not scored. bands: BANDS -> value in [0, 1].
    """

    name: str
    version: int
    title: str
    divisor: float
    emotion: np.ndarray | None
    gaze: dict[str, float]
    limits: dict[str, dict[str, float] | None]
    bands: dict[str, float]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def unseen_weight(self, activity: str) -> float:
        """Concentration of a person not visible as a share of that of the others; NaN where the activity is not scored."""
        if self.limits.get(activity) is None:
            return float("nan")
        return 1.0 if activity == "desk work" else 0.0


def read_formula(path: Path) -> Formula:
    """Read a formula file.

    Raises:
        ConfigurationError: the file cannot be read or is no formula.
    """
    try:
        return _formula(_load(path))
    except OSError as error:
        raise ConfigurationError(
            _("{path}: the formula cannot be read ({problem}).").format(path=path, problem=error.strerror)
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = _("{name} is missing").format(name=error) if isinstance(error, KeyError) else str(error)
        raise ConfigurationError(
            _(
                "{path}: this is no formula: {what}. Expected is a file such as {example}, in which every number has a value "
                "and a source."
            ).format(path=path, what=what, example=f"{FORMULAS.name}/{PUBLISHED_FILE}")
        ) from None


def list_sources(path: Path) -> list[dict[str, Any]]:
    """Every number of a formula file: part, name, value, unit and source."""
    data = _load(path)
    parts = {
        "": {"divisor": data["divisor"]},
        "emotion": _select(data["emotion"], FERPLUS),
        "gaze": _select(data["gaze"], GAZE),
    }
    parts |= {activity: _select(data["activities"][activity], LIMITS) for activity in ACTIVITIES}
    parts |= {"bands": _select(data["bands"], BANDS)}
    return [
        entry
        | {
            "part": part and _(PART_NAMES.get(part, part)),
            "name": _(NUMBER_NAMES.get(name, name)),
            "unit": _(unit) if (unit := entry.get("unit")) else "",
        }
        for part, entries in parts.items()
        for name, entry in entries.items()
    ]


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(_("it has more than {most:,} bytes").format(most=MAX_FILE_BYTES))
    return json.loads(content.decode("utf-8-sig"))


def _select(entries: dict[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    """The entries with these names; others are ignored, as by `read_formula`."""
    return {name: entries[name] for name in names} if entries else {}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or not is_text(value):
        raise ValueError(
            _("{where} must be a text of at most {most} characters").format(where=where, most=MAX_TEXT_CHARS)
        )
    return value


def _number(where: str, entry: Any, most: float = MAX_NUMBER) -> float:
    """The value of an entry that has a source. where: in the file, for messages."""
    value, source = entry["value"], entry["source"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ValueError(
            _("{where} is {value}, expected is a number from 0 to {most:g}").format(
                where=where, value=repr(value)[:40], most=most
            )
        )
    if not isinstance(source, str) or not source.strip():
        raise ValueError(_('{where} has no source: a citation, or the word "assumption"').format(where=where))
    _text(where, source)
    _text(where, entry.get("unit", ""))
    return float(value)


def _numbers(where: str, entries: Any, names: tuple[str, ...], most: float = MAX_NUMBER) -> dict[str, float]:
    return {name: _number(f"{where}, {name},", entries[name], most) for name in names}


def _formula(data: Any) -> Formula:
    name, version = data["name"], data["version"]
    if not isinstance(name, str) or not name.strip() or type(version) is not int or abs(version) > 1e6:
        raise ValueError(_("it needs a name and a whole number as its version"))
    _text("name", name)
    divisor = _number("divisor", data["divisor"])
    emotion = None
    if data["emotion"] is not None:
        weights = _numbers("emotion", data["emotion"], FERPLUS, divisor / MAX_GAZE_WEIGHT * (1 + 1e-6))
        emotion = np.array(list(weights.values()), np.float32)
    elif divisor < MAX_GAZE_WEIGHT:
        raise ValueError(
            _("divisor is {divisor:g}, expected is {least:g} or more where no emotion is weighed").format(
                divisor=divisor, least=MAX_GAZE_WEIGHT
            )
        )
    activities = data["activities"]
    limits = {
        activity: None if activities[activity] is None else _numbers(activity, activities[activity], LIMITS)
        for activity in ACTIVITIES
    }
    bands = _numbers("bands", data["bands"], BANDS, 1.0)
    if bands["low_below"] > bands["high_above"]:
        raise ValueError(_("low_below lies above high_above"))
    gaze = _numbers("gaze", data["gaze"], GAZE, MAX_GAZE_WEIGHT)
    return Formula(name, version, _text("title", data["title"]), divisor, emotion, gaze, limits, bands)


PUBLISHED_FILE = "published-2.json"
PUBLISHED = read_formula(FORMULAS / PUBLISHED_FILE)
ATTENTION_ONLY = read_formula(FORMULAS / "attention-only-2.json")


def list_formulas() -> tuple[dict[str, Path], list[str]]:
    """Shipped formulas and the school's own: name and version -> file; and the problems of files that are no formula.

    A shipped formula cannot be replaced by one of the same name and version.
    """
    found: dict[str, Path] = {}
    problems = []
    own = settings.load().data / "formulas"
    for path in [*sorted(FORMULAS.glob("*.json")), *sorted(own.glob("*.json"))]:
        try:
            name = str(read_formula(path))
        except ConfigurationError as error:
            problems.append(str(error))
            continue
        if name in found:
            problems.append(
                _("{path}: there is a formula {name} already. Give this one another name or version.").format(
                    path=path, name=name
                )
            )
        else:
            found[name] = path
    return found, problems


def find_formula(name: str) -> Formula | None:
    """The formula of that name and version, None if there is none."""
    path = list_formulas()[0].get(name)
    return None if path is None else read_formula(path)


def choose_formula(name: str | None, expression: bool) -> Formula:
    """The formula for lessons to come: the named one, or a shipped one where it is gone or weighs emotions not computed."""
    formula = find_formula(name) if name else None
    if formula is None or (formula.emotion is not None and not expression):
        return PUBLISHED if expression else ATTENTION_ONLY
    return formula
