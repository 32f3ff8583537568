"""Eyes painted on a real face, so that the truth is known: lids, irises, glasses."""

import cv2
import numpy as np

from cssafe.vision.face_finder import FaceFinder
from tests.support.faces import astronaut

LOWER = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
)
UPPER = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
)
"""Mesh points along the lids of the person's right and left eye, from the outer corner to the inner one."""

IRIS = 0.195
"""Radius of the iris over the width of the eye: 11.7 mm across in an opening of 30 mm."""


def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's face, 360 pixels high, and its mesh (468, 2)."""
    image = cv2.resize(astronaut()[:280, 80:360], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return image, FaceFinder().find(image)[1].points[0, :, :2]


def shut(image: np.ndarray, mesh: np.ndarray, share: float) -> np.ndarray:
    """The upper lids drawn down over this share of the eye, in the colour of the skin above, with dark lashes."""
    painted = image.copy()
    for upper, lower in zip(UPPER, LOWER, strict=True):
        top, bottom = mesh[list(upper)] - (0, 3), mesh[list(lower)] + (0, 2)
        edge = top + share * (bottom - top)
        x, y = top.mean(axis=0).astype(int)
        skin = np.median(image[y - 12 : y - 5, x - 10 : x + 10].reshape(-1, 3), axis=0)
        if share > 0:
            cv2.fillPoly(painted, [np.concatenate([top, edge[::-1]]).astype(np.int32)], skin.tolist(), cv2.LINE_AA)
            cv2.polylines(painted, [edge.astype(np.int32)], False, (skin * 0.35).tolist(), 3, cv2.LINE_AA)
    return cv2.GaussianBlur(painted, (0, 0), 1)


def look(image: np.ndarray, mesh: np.ndarray, x: float, y: float) -> np.ndarray:
    """Both irises moved by x and y half widths of the eye from the middle between its corners; x > 0 to the right."""
    painted = image.copy()
    for upper, lower in zip(UPPER, LOWER, strict=True):
        opening = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(opening, [np.concatenate([mesh[list(upper)], mesh[list(lower)][::-1]]).astype(np.int32)], 255)
        outer, inner = mesh[upper[0]], mesh[upper[-1]]
        width = np.linalg.norm(outer - inner)
        middle = ((outer + inner) / 2 + np.array([x, y]) * width / 2).astype(int)
        ball = np.full_like(image, (205, 215, 220))
        cv2.circle(ball, middle.tolist(), int(IRIS * width), (60, 80, 100), -1, cv2.LINE_AA)
        cv2.circle(ball, middle.tolist(), int(IRIS * width * 0.45), (15, 15, 15), -1, cv2.LINE_AA)
        painted[opening > 0] = ball[opening > 0]
    return cv2.GaussianBlur(painted, (0, 0), 1)


def spectacles(image: np.ndarray, mesh: np.ndarray, tint: float) -> np.ndarray:
    """Round dark frames with lenses that swallow this share of the light."""
    lenses, painted = np.zeros(image.shape[:2], np.float32), image.copy()
    middles = [mesh[[upper[0], upper[-1]]].mean(axis=0).astype(int).tolist() for upper in UPPER]
    radius = int(0.45 * np.linalg.norm(np.subtract(*middles)))
    for middle in middles:
        cv2.circle(lenses, middle, radius, 1, -1)
    painted = (painted * (1 - tint * lenses[..., None])).astype(np.uint8)
    for middle in middles:
        cv2.circle(painted, middle, radius, (20, 20, 25), 6, cv2.LINE_AA)
    cv2.line(painted, *[[m[0] + s * radius, m[1]] for m, s in zip(middles, (1, -1), strict=True)], (20, 20, 25), 6)
    return painted
