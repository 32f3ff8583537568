"""Formulas of the concentration index: data files in which every number stands beside its citation or the word
"assumption".

Two are shipped, in formulas/. A school's own, such as `python -m cssafe fit` writes, lie in the folder `formulas` beside the
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
"""Of a formula file: those that are shipped have 9,000."""

MAX_NUMBER = 1_000.0
"""Largest number in a formula: degrees go up to 360."""

MAX_TEXT = 1_000
"""Characters of a name, title, unit or source."""

MOST_GAZE = 5.0
"""Largest gaze weight, of open eyes on what is attended to (Sharma et al. 2019); attention is the weight over it."""

GAZE = ("centre_open", "centre_half", "away_open", "away_half", "closed")
"""What eyes can do: look at what counts as attentive or away from it, open or half closed; or be closed."""

LIMITS = ("yaw", "up", "down", "half_open", "closed")
"""What counts as attentive. yaw: degrees to either side, head and eyes together. up, down: degrees, head only. half_open,
closed: openness over the person's own, below which eyes count as that."""

WORDS = {
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
"""Names of numbers in words; what is not in it is an emotion."""

PARTS = {"emotion": N_("emotion"), "gaze": N_("gaze"), "bands": N_("bands")}
"""Parts of a formula file in words; what is not in it is an activity."""

SHIPPED = (
    N_("Concentration index of Sharma et al. (emotion weight x gaze weight / 4.5)"),
    N_("The published index with all emotion weights equal: attention alone, no emotion is looked at"),
    N_("degrees to either side, head and eyes together"),
    N_("degrees upwards, head only"),
    N_("degrees downwards, head only"),
    N_("eye openness over the person's own, below which eyes count as half closed"),
    N_("the same, below which they count as closed"),
)
"""Titles and units in the files that are shipped, to be translated where they are shown; a source stays as it is cited."""

BANDS = ("low_below", "high_above", "hysteresis")


@dataclass(frozen=True)
class Formula:
    """The numbers of one formula file, without their sources.

    emotion: float32 (8,) in the order of labels.FERPLUS, each times MOST_GAZE at most the divisor; None where the formula
    looks at no emotion. gaze: GAZE -> weight in [0, MOST_GAZE]. limits: activity -> LIMITS -> value, None for what is not
    scored. bands: BANDS -> value in [0, 1].
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


def read_formula(path: Path) -> Formula:
    """Read a formula file; its emotion weights are looked up by name.

    Raises:
        ConfigurationError: what is wrong with it.
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


def sources(path: Path) -> list[dict[str, Any]]:
    """Every number of a formula file with what stands beside it: part, name, value, unit and source."""
    data = _load(path)
    parts = {
        "": {"divisor": data["divisor"]},
        "emotion": _named(data["emotion"], FERPLUS),
        "gaze": _named(data["gaze"], GAZE),
    }
    parts |= {activity: _named(data["activities"][activity], LIMITS) for activity in ACTIVITIES}
    parts |= {"bands": _named(data["bands"], BANDS)}
    return [
        entry
        | {
            "part": part and _(PARTS.get(part, part)),
            "name": _(WORDS.get(name, name)),
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


def _named(entries: dict[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    """The entries that a formula has; others are passed over, as by `read_formula`."""
    return {name: entries[name] for name in names} if entries else {}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or not is_text(value):
        raise ValueError(_("{where} must be a text of at most {most} characters").format(where=where, most=MAX_TEXT))
    return value


def _formula(data: Any) -> Formula:
    def number(where: str, entry: Any, most: float = MAX_NUMBER) -> float:
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

    def part(where: str, entries: Any, names: tuple[str, ...], most: float = MAX_NUMBER) -> dict[str, float]:
        return {name: number(f"{where}, {name},", entries[name], most) for name in names}

    name, version = data["name"], data["version"]
    if not isinstance(name, str) or not name.strip() or type(version) is not int or abs(version) > 1e6:
        raise ValueError(_("it needs a name and a whole number as its version"))
    _text("name", name)
    divisor = number("divisor", data["divisor"])
    emotion = None
    if data["emotion"] is not None:
        weights = part("emotion", data["emotion"], FERPLUS, divisor / MOST_GAZE * (1 + 1e-6))
        emotion = np.array(list(weights.values()), np.float32)
    elif divisor < MOST_GAZE:
        raise ValueError(
            _("divisor is {divisor:g}, expected is {least:g} or more where no emotion is weighed").format(
                divisor=divisor, least=MOST_GAZE
            )
        )
    limits = {
        activity: None if data["activities"][activity] is None else part(activity, data["activities"][activity], LIMITS)
        for activity in ACTIVITIES
    }
    bands = part("bands", data["bands"], BANDS, 1.0)
    if bands["low_below"] > bands["high_above"]:
        raise ValueError(_("low_below lies above high_above"))
    gaze = part("gaze", data["gaze"], GAZE, MOST_GAZE)
    return Formula(name, version, _text("title", data["title"]), divisor, emotion, gaze, limits, bands)


PUBLISHED_FILE = "published-2.json"
PUBLISHED = read_formula(FORMULAS / PUBLISHED_FILE)
ATTENTION_ONLY = read_formula(FORMULAS / "attention-only-2.json")


def files() -> tuple[dict[str, Path], list[str]]:
    """Formulas to choose from, shipped and the school's own: name and version -> file; and what is wrong with files that are
    no formula. A shipped formula cannot be replaced by one of the same name and version."""
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


def find(name: str) -> Formula | None:
    """The formula of that name and version, if it is there."""
    path = files()[0].get(name)
    return None if path is None else read_formula(path)


def chosen(name: str | None, expression: bool) -> Formula:
    """The formula for lessons to come: the one of that name, unless it is gone or weighs emotions where none are computed;
    then a shipped one."""
    formula = find(name) if name else None
    if formula is None or (formula.emotion is not None and not expression):
        return PUBLISHED if expression else ATTENTION_ONLY
    return formula
