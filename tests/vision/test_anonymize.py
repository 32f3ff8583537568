"""Covering faces in pictures."""

import numpy as np
import pytest

from cssafe.privacy import Anonymization, chosen_anonymization
from cssafe.vision.anonymize import COVER_CELLS, MASK_BGR, anonymize, anonymize_whole, cover_polygons
from cssafe.vision.face_finder import MIN_MESH_SCORE, FaceFinder
from cssafe.vision.face_parts import box_outlines, outlines, segment
from tests.support.faces import astronaut, classroom

COVERED = [name for name in tuple(Anonymization) if name != Anonymization.SHOWN]


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


def ends(finder: FaceFinder, image: np.ndarray) -> np.ndarray:
    faces, meshes = finder.find(image)
    return outlines(faces.boxes, meshes, meshes.scores >= MIN_MESH_SCORE)


@pytest.mark.parametrize("name", tuple(Anonymization))
def test_a_picture_without_faces_stays_as_it_is(name):
    image = astronaut()
    shown = anonymize(image, cover_polygons(np.zeros((0, 36, 2), np.float32)), name)
    assert (shown == image).all() and shown is not image


def test_shown_leaves_the_faces(finder):
    assert (anonymize(astronaut(), cover_polygons(ends(finder, astronaut())), Anonymization.SHOWN) == astronaut()).all()


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize("picture", [astronaut, classroom])
def test_nothing_is_read_of_a_covered_face_and_the_rest_of_the_picture_stays(finder, name, picture):
    image = picture()
    faces, meshes = finder.find(image)
    assert len(faces) in (1, 28)
    shown = anonymize(image, cover_polygons(ends(finder, image)), name)
    assert not (finder.find(shown)[1].scores >= MIN_MESH_SCORE).any(), "a head may be seen there, but no face"
    labels = segment(meshes.points[..., :2], *image.shape[:2])
    assert (shown != image).any(axis=2)[labels > 0].mean() > 0.98
    far = np.ones(image.shape[:2], bool)
    for x1, y1, x2, y2 in faces.boxes.round().astype(int):
        margin = (y2 - y1) // 3
        far[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin] = False
    assert far.any() and (shown == image)[far].all()


def test_a_face_without_a_mesh_is_covered_by_its_box_and_more():
    image = np.random.default_rng(1).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    shown = anonymize(image, cover_polygons(box_outlines(np.array([[30, 30, 70, 70]], np.float32))), Anonymization.MASK)
    assert (shown[26:75, 26:75] == MASK_BGR).all() and (shown[:20] == image[:20]).all()


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize("box", [(-20, -20, 20, 20), (90, 90, 140, 150), (200, 200, 240, 240), (50, 50, 50, 50)])
def test_a_face_at_the_pictures_edge_is_covered_as_far_as_it_is_there(name, box):
    image = np.random.default_rng(1).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    shown = anonymize(image, cover_polygons(box_outlines(np.array([box], np.float32))), name)
    x1, y1, x2, y2 = np.clip(box, 0, 100)
    assert shown.shape == image.shape
    assert (y2 - y1) * (x2 - x1) == 0 or (shown != image).any(axis=2)[y1:y2, x1:x2].mean() > 0.95


def test_a_mosaic_has_a_few_even_cells():
    image = np.random.default_rng(1).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    shown = anonymize_whole(image, Anonymization.MOSAIC)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == COVER_CELLS**2


def test_a_class_is_covered_unless_somebody_chose_otherwise():
    assert chosen_anonymization({}, "class") in COVERED and chosen_anonymization({}, "self") == Anonymization.SHOWN
    assert (
        chosen_anonymization({"class": Anonymization.SHOWN}, "class") == Anonymization.SHOWN
        and chosen_anonymization({"class": Anonymization.SHOWN}, "self") == Anonymization.SHOWN
    )
    assert chosen_anonymization({"self": Anonymization.MASK}, "self") == Anonymization.MASK
