"""Colours as those see them who see fewer, and in a grey print."""

import re

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE

from cssafe.colours import COLOURS, EMOTIONS, GREY, HIGH, LEVELS, LOST, LOW, MIDDLE, STATES, UNREAD
from cssafe.labels import FERPLUS
from cssafe.labels import LEVELS as NAMES
from cssafe.live.transports.websocket_component import DRAWING
from cssafe.settings import ROOT

EYES = ("ordinary", "protanomaly", "deuteranomaly", "tritanomaly")
SCORE = (COLOURS[0], *LOST)


def rgb(colours) -> np.ndarray:
    return np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])


def seen(colours, eyes: str) -> np.ndarray:
    """What these eyes make of the colours, (n, 3); wholly colour-blind ones (Machado et al. 2009, severity 100)."""
    if eyes == "ordinary":
        return rgb(colours)
    space = {"name": "sRGB1+CVD", "cvd_type": eyes, "severity": 100}
    return np.clip(cspace_convert(rgb(colours), space, "sRGB1"), 0, 1)


def nearest(colours, eyes: str) -> float:
    """The smallest distance between two of the colours (CAM02-UCS, where 1 is just visible to the best of eyes)."""
    all_of_them = seen(colours, eyes)
    pairs = [(a, b) for i, a in enumerate(all_of_them) for b in all_of_them[:i]]
    return min(float(deltaE(a, b, input_space="sRGB1")) for a, b in pairs)


def lightness(colours) -> np.ndarray:
    """L* of CIELAB, 0 black to 100 white: what a grey print keeps."""
    return cspace_convert(rgb(colours), "sRGB1", "CIELab")[:, 0]


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(
    ("colours", "least"),
    [
        (tuple(EMOTIONS.values()), 16),
        ((*LEVELS.values(), UNREAD), 15),
        ((LOW, MIDDLE, HIGH), 20),
        (tuple(STATES.values()), 20),
        (SCORE, 11),
        (COLOURS, 10.9),
    ],
    ids=["emotions", "levels", "heatmap", "states", "score", "groups"],
)
def test_colours_lie_apart_for_all_eyes(colours, least, eyes):
    assert nearest(colours, eyes) >= least


@pytest.mark.parametrize(
    ("colours", "least"),
    [
        (tuple(EMOTIONS.values()), 7.5),
        (tuple(LEVELS.values()), 14),
        ((LOW, MIDDLE, HIGH), 13),
        (tuple(STATES.values()), 11),
        (SCORE, 11),
    ],
    ids=["emotions", "levels", "heatmap", "states", "score"],
)
def test_colours_lie_apart_in_a_grey_print(colours, least):
    assert np.diff(np.sort(lightness(colours))).min() >= least


def test_levels_get_lighter_and_heatmaps_darker_the_higher_they_are():
    assert (np.diff(lightness(LEVELS.values())) > 0).all()
    assert (np.diff(lightness((LOW, MIDDLE, HIGH))) < 0).all()


@pytest.mark.parametrize("colour", [*LEVELS.values(), UNREAD, LOW, MIDDLE, HIGH])
def test_black_writing_is_readable_on_boxes_and_cells(colour):
    linear = cspace_convert(rgb([colour]), "sRGB1", "XYZ1")[0, 1]
    assert (linear + 0.05) / 0.05 >= 4.5  # WCAG 2, contrast of text


def test_every_emotion_and_level_has_a_colour_of_its_own():
    assert tuple(EMOTIONS) == FERPLUS and len(set(EMOTIONS.values())) == len(FERPLUS)
    assert tuple(LEVELS) == NAMES


def test_the_camera_draws_in_the_same_colours():
    assert DRAWING["colours"] == LEVELS | {"unread": UNREAD}
    assert DRAWING["plain"] == "rgb(96, 96, 96)"
    scripts = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cssafe/live/transports").glob("*.js"))
    assert set(re.findall(r"#[0-9A-Fa-f]{3,6}\b", scripts)) <= {"#000"}  # every other colour comes from Python


def test_no_colour_is_named_twice():
    """A colour that has a meaning is taken from colours.py, so that it means the same everywhere."""
    meant = {*COLOURS, *EMOTIONS.values(), *LEVELS.values(), *LOST, LOW, MIDDLE, HIGH, GREY}
    again = {
        f"{path.relative_to(ROOT)}: {colour}"
        for folder in ("cssafe", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "colours.py"
        for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text(encoding="utf-8"))
        if colour.upper() in meant
    }
    assert again == set()
