"""Formulas of the concentration index: JSON files in which every number has a citation or the word "assumption".

Four are shipped in formulas/, in two forms: version 3, in which attention is continuous, and the published index, in which gaze
has five states. A school's own, as `python -m cssafe fit` writes them, are in the folder `formulas` beside the database.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from cssafe import settings
from cssafe.errors import ConfigurationError
from cssafe.labels import ACTIVITIES, FERPLUS
from cssafe.language import N_, _
from cssafe.names import is_text

FORMULAS = Path(__file__).parent / "formulas"

MAX_FILE_BYTES = 100_000
"""Largest formula file; the shipped ones have up to 9,000 bytes."""

MAX_NUMBER = 1_000.0
"""Largest number in a formula: degrees go up to 360."""

MAX_TEXT_CHARS = 1_000
"""Longest name, title, unit or source."""

MAX_GAZE_WEIGHT = 5.0
"""Gaze weight of open eyes on the target (distractionModel); attention is the weight divided by it."""

MAX_SLOPE_PER_DEG = 0.15
"""Largest change of attention per degree in a continuous formula: an error of the head pose of 2 degrees may not decide."""

MIN_EXPRESSION_FACTOR = 0.7
"""Smallest expression factor of a continuous formula. Head pose alone reaches .70 where the best ensemble reaches .75
(EngageNet), so expression may not decide."""

GAZE = ("centre_open", "centre_half", "away_open", "away_half", "closed")
"""States of gaze and eyes: on the target or away from it, open or half closed; or closed."""

LIMITS = ("yaw", "up", "down", "half_open", "closed")
"""Limits of attentive gaze. yaw: degrees to either side, head and eyes together. up, down: degrees, head only. half_open,
closed: openness relative to the person's own, below which eyes count as that; in a continuous formula attention falls from
the one to the other."""

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
    "fall": N_("falls to 0 over"),
    "unseen": N_("people not visible count"),
}
"""Number of a formula -> its name in words; other numbers are of emotions."""

PART_NAMES = {"emotion": N_("emotion"), "gaze": N_("gaze"), "bands": N_("bands")}
"""Part of a formula file -> its name in words; other parts are activities."""

SHIPPED = (
    N_("Attention by the direction of the head and open eyes x an expression factor from 0.8 to 1"),
    N_("Attention by the direction of the head and open eyes, no emotion is looked at"),
    N_("Emotion weights of Sharma et al. 2019 x gaze weights of the distractionModel project / 4.5"),
    N_("Gaze weights of the distractionModel project alone, no emotion is looked at"),
    N_("degrees outside the target over which attention falls from 1 to 0"),
    N_("degrees to either side, head and eyes together"),
    N_("degrees upwards, head only"),
    N_("degrees downwards, head only"),
    N_("eye openness over the person's own, below which eyes count as half closed"),
    N_("the same, below which they count as closed"),
    N_("eye openness over the person's own, from which attention is whole"),
    N_("the same, below which attention is 0"),
    N_("share of the others' concentration: 0 not attending, 1 like the others"),
)
"""Titles and units of the shipped files, for the translation; sources are not translated."""

BANDS = ("low_below", "high_above", "hysteresis")

UNSEEN: dict[str, dict[str, Any]] = {
    name: {"value": value, "source": "assumption"}
    for name, value in zip(ACTIVITIES, (0.0, 0.0, 1.0, 0.0, 0.0), strict=True)
}
"""Activity -> `unseen` where a file of an earlier version has none: like the others in desk work, else not attending."""

FORMER_NAMES = {"published 2": "sharma-distractionmodel 2"}
"""Earlier name and version of a shipped formula -> the present one, with the same numbers. The former name hid that only the
emotion weights were published by Sharma et al."""


@dataclass(frozen=True)
class Formula:
    """The numbers of one formula file, without their sources; those of both forms.

    emotion: float32 (8,) in the order of labels.FERPLUS; None where the formula weighs no emotion. limits: activity -> LIMITS
    -> value, None for an activity that is not scored. bands: BANDS -> value in [0, 1]. unseen: scored activity -> concentration
    of a person not visible as a share of that of the others, in [0, 1].
    """

    name: str
    version: int
    title: str
    emotion: np.ndarray | None
    limits: dict[str, dict[str, float] | None]
    bands: dict[str, float]
    unseen: dict[str, float]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def factors(self) -> np.ndarray:
        """Concentration over attention of each emotion, float32 (8,) in [0, 1]; 1 where no emotion is weighed."""
        return np.ones(len(FERPLUS), np.float32) if self.emotion is None else self.emotion

    def unseen_weight(self, activity: str) -> float:
        """Concentration of a person not visible as a share of that of the others; NaN where the activity is not scored."""
        return self.unseen.get(activity, float("nan"))


@dataclass(frozen=True)
class ContinuousFormula(Formula):
    """Version 3: attention falls evenly from 1 to 0 over `fall` degrees outside the target, and with closing eyes.

    emotion: factors in [MIN_EXPRESSION_FACTOR, 1]. fall: degrees.
    """

    fall: float


@dataclass(frozen=True)
class SteppedFormula(Formula):
    """The published index: emotion weight x weight of a state of gaze / divisor.

    emotion: each weight times MAX_GAZE_WEIGHT is at most the divisor. gaze: GAZE -> weight in [0, MAX_GAZE_WEIGHT].
    """

    divisor: float
    gaze: dict[str, float]

    @property
    def factors(self) -> np.ndarray:
        return super().factors * MAX_GAZE_WEIGHT / self.divisor


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
            ).format(path=path, what=what, example=f"{FORMULAS.name}/{CONCENTRATION_FILE}")
        ) from None


def list_sources(path: Path) -> list[dict[str, Any]]:
    """Every number of a formula file: part, name, value, unit and source."""
    data = _load(path)
    parts = {
        "": {name: data[name] for name in ("divisor", "fall") if name in data},
        "emotion": _select(data["emotion"], FERPLUS),
        "gaze": _select(data.get("gaze"), GAZE),
    }
    parts |= {activity: _select(data["activities"][activity], (*LIMITS, "unseen")) for activity in ACTIVITIES}
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
    return {name: entries[name] for name in names if name in entries} if entries else {}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or not is_text(value):
        raise ValueError(
            _("{where} must be a text of at most {most} characters").format(where=where, most=MAX_TEXT_CHARS)
        )
    return value


def _number(where: str, entry: Any, most: float = MAX_NUMBER, least: float = 0.0) -> float:
    """The value of an entry that has a source. where: in the file, for messages."""
    value, source = entry["value"], entry["source"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise ValueError(
            _("{where} is {value}, expected is a number from {least:g} to {most:g}").format(
                where=where, value=repr(value)[:40], least=least, most=most
            )
        )
    if not isinstance(source, str) or not source.strip():
        raise ValueError(_('{where} has no source: a citation, or the word "assumption"').format(where=where))
    _text(where, source)
    _text(where, entry.get("unit", ""))
    return float(value)


def _numbers(
    where: str, entries: Any, names: tuple[str, ...], most: float = MAX_NUMBER, least: float = 0.0
) -> dict[str, float]:
    return {name: _number(f"{where}, {name},", entries[name], most, least) for name in names}


def _formula(data: Any) -> Formula:
    name, version = data["name"], data["version"]
    if not isinstance(name, str) or not name.strip() or type(version) is not int or abs(version) > 1e6:
        raise ValueError(_("it needs a name and a whole number as its version"))
    _text("name", name)
    return (_stepped if "gaze" in data else _continuous)(data)


def _stepped(data: Any) -> SteppedFormula:
    divisor = _number("divisor", data["divisor"])
    emotion = _emotion_numbers(data["emotion"], divisor / MAX_GAZE_WEIGHT * (1 + 1e-6), 0.0)
    if emotion is None and divisor < MAX_GAZE_WEIGHT:
        raise ValueError(
            _("divisor is {divisor:g}, expected is {least:g} or more where no emotion is weighed").format(
                divisor=divisor, least=MAX_GAZE_WEIGHT
            )
        )
    gaze = _numbers("gaze", data["gaze"], GAZE, MAX_GAZE_WEIGHT)
    return SteppedFormula(data["name"], data["version"], *_common(data, emotion), divisor, gaze)


def _continuous(data: Any) -> ContinuousFormula:
    emotion = _emotion_numbers(data["emotion"], 1.0, MIN_EXPRESSION_FACTOR)
    fall = _number("fall", data["fall"], least=1 / MAX_SLOPE_PER_DEG)
    formula = ContinuousFormula(data["name"], data["version"], *_common(data, emotion), fall)
    for activity, limits in formula.limits.items():
        if limits is not None and limits["half_open"] <= limits["closed"]:
            raise ValueError(_("{activity}: half_open must lie above closed").format(activity=activity))
    return formula


def _emotion_numbers(entries: Any, most: float, least: float) -> np.ndarray | None:
    if entries is None:
        return None
    return np.array(list(_numbers("emotion", entries, FERPLUS, most, least).values()), np.float32)


def _common(data: Any, emotion: np.ndarray | None) -> tuple[str, np.ndarray | None, dict, dict, dict]:
    """Title, emotion, limits, bands and unseen, as Formula has them."""
    activities = data["activities"]
    limits = {
        activity: None if activities[activity] is None else _numbers(activity, activities[activity], LIMITS)
        for activity in ACTIVITIES
    }
    bands = _numbers("bands", data["bands"], BANDS, 1.0)
    if bands["low_below"] > bands["high_above"]:
        raise ValueError(_("low_below lies above high_above"))
    scored = [activity for activity in ACTIVITIES if limits[activity] is not None]
    unseen = {
        activity: _number(f"{activity}, unseen,", activities[activity].get("unseen", UNSEEN[activity]), 1.0)
        for activity in scored
    }
    return _text("title", data["title"]), emotion, limits, bands, unseen


CONCENTRATION_FILE, ATTENTION_ONLY_FILE = "concentration-3.json", "attention-only-3.json"
CONCENTRATION = cast(ContinuousFormula, read_formula(FORMULAS / CONCENTRATION_FILE))
ATTENTION_ONLY = cast(ContinuousFormula, read_formula(FORMULAS / ATTENTION_ONLY_FILE))
PUBLISHED_FILE = "sharma-distractionmodel-2.json"
PUBLISHED = cast(SteppedFormula, read_formula(FORMULAS / PUBLISHED_FILE))
PUBLISHED_ATTENTION = cast(SteppedFormula, read_formula(FORMULAS / "attention-only-2.json"))


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
    path = list_formulas()[0].get(FORMER_NAMES.get(name, name))
    return None if path is None else read_formula(path)


def default_formula(expression: bool) -> ContinuousFormula:
    """The formula of a new workspace. expression: whether emotions are computed."""
    return CONCENTRATION if expression else ATTENTION_ONLY


def choose_formula(name: str | None, expression: bool) -> Formula:
    """The formula for lessons to come: the named one, or the default where it is gone or weighs emotions not computed."""
    formula = find_formula(name) if name else None
    if formula is None or (formula.emotion is not None and not expression):
        return default_formula(expression)
    return formula
