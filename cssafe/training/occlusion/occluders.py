"""Occluders drawn over real faces, with known occlusion: hands, masks, hair, sunglasses and other things.

They follow the mesh and the light of the face. Colours, edges and places vary.
"""

import cv2
import numpy as np

from cssafe.vision.face_parts import OUTLINE
from cssafe.vision.mesh import CHIN, FOREHEAD, LEFT_EYE, RIGHT_EYE

KINDS = ("mask", "sunglasses", "hand", "hair", "thing")

NOSE_BRIDGE, NOSE_TIP, UNDER_NOSE = 197, 4, 2
CHEEKS = (117, 346)
"""Mesh points under each eye, where a mask's upper edge runs; the person's right one first."""

MASKS = ((215, 190, 150), (240, 240, 240), (40, 40, 40), (110, 60, 30), (190, 170, 230), (90, 110, 80))
"""BGR: surgical blue, white, black, navy, pink, olive."""

HAIR = ((25, 25, 30), (40, 55, 75), (90, 140, 180), (130, 130, 130), (40, 60, 130))
"""BGR: black, brown, fair, grey, red."""


Drawn = tuple[np.ndarray, np.ndarray]
"""An occluder's shape, float32 (h, w), and its colours, (h, w, 3) BGR."""


def occlude(
    image: np.ndarray, points: np.ndarray, kind: str, rng: np.random.Generator, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one occluder over one face.

    Args:
        image: uint8 (h, w, 3) BGR. points: (468, 2) or (468, 3), the face's mesh, pixels. others: another photograph, the
            texture of things.

    Returns:
        The picture, and the occlusion of each pixel, float32 (h, w) in [0, 1].
    """
    face = points[:, :2].astype(np.float32)
    if kind == "thing":
        shape, colour = _thing(image, face, rng, others)
    else:
        shape, colour = {"mask": _mask, "sunglasses": _sunglasses, "hand": _hand, "hair": _hair}[kind](image, face, rng)
    blurred = cv2.GaussianBlur(shape, (0, 0), max(0.5, 0.006 * _height(face)))
    soft = np.minimum(blurred, 1)[..., None]  # the blur rounds up to 1.0000001
    drawn = np.clip(image * (1 - soft) + colour * soft, 0, 255).astype(np.uint8)
    return drawn, soft[..., 0]


def _mask(image: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> Drawn:
    lower = face[list(OUTLINE[8:29])]  # from one ear by the chin to the other
    nose = face[rng.choice([NOSE_BRIDGE, NOSE_BRIDGE, NOSE_TIP, UNDER_NOSE])]
    edge = np.stack([face[CHEEKS[0]], nose, face[CHEEKS[1]]])
    edge[[0, 2]] += 0.7 * (nose - face[NOSE_BRIDGE])  # worn low
    shape = _filled(image, _grown(np.vstack([lower, edge]), 1.03))
    colour = np.full(image.shape, MASKS[rng.integers(len(MASKS))], np.float32)
    colour *= rng.uniform(0.75, 1.1)
    down = (np.indices(image.shape[:2])[0] - face[FOREHEAD, 1]) / _height(face)
    colour *= (1 + rng.uniform(0, 0.1) * np.sin(down * 2 * np.pi * rng.uniform(6, 12)))[..., None]  # folds
    return shape, _lit(colour, image, rng)


def _sunglasses(image: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> Drawn:
    shape = np.zeros(image.shape[:2], np.float32)
    span = face[LEFT_EYE[0]] - face[RIGHT_EYE[0]]
    angle = float(np.degrees(np.arctan2(span[1], span[0])))
    wide, high = rng.uniform(0.75, 1.05), rng.uniform(0.5, 0.9)
    size = float(np.hypot(*span))
    for outer, inner in (RIGHT_EYE, LEFT_EYE):
        width = float(np.hypot(*(face[outer] - face[inner])))
        middle = (face[outer] + face[inner]) / 2 + (0, 0.04 * size)
        axes = (max(1, round(width * wide)), max(1, round(0.3 * size * high)))
        cv2.ellipse(shape, _whole(middle), axes, angle, 0, 360, 1.0, -1)
    thick = max(1, round(0.05 * size))
    cv2.line(shape, _whole(face[RIGHT_EYE[1]]), _whole(face[LEFT_EYE[1]]), 1.0, thick)
    for eye, side in ((RIGHT_EYE, OUTLINE[29]), (LEFT_EYE, OUTLINE[7])):
        cv2.line(shape, _whole(face[eye[0]]), _whole(face[side]), 1.0, thick)
    colour = np.full(image.shape, rng.uniform(5, 70), np.float32) + rng.uniform(-8, 8, 3)
    shine = np.linspace(0, rng.uniform(0, 60), image.shape[0])[::-1, None, None]
    return shape, colour + shine


def _hand(image: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> Drawn:
    skin = np.median(image[_inside(image, face[list(CHEEKS)])], axis=0).astype(np.float32)
    if rng.random() < 0.3:  # another's
        skin = skin * rng.uniform(0.55, 1.35)
    height = _height(face)
    shape = np.zeros(image.shape[:2], np.float32)
    at = face[rng.integers(len(face))] + rng.normal(0, 0.05, 2) * height
    away = np.deg2rad(rng.uniform(20, 160))  # from below, as arms come
    along = np.array([np.cos(away), np.sin(away)])
    across = np.array([-along[1], along[0]])
    palm, finger = rng.uniform(0.2, 0.3) * height, rng.uniform(0.05, 0.065) * height
    cv2.ellipse(shape, _whole(at + along * palm), _whole((palm * 1.1, palm)), np.degrees(away), 0, 360, 1.0, -1)
    for i in range(4):
        base = at + across * (i - 1.5) * 2.2 * finger + along * 0.5 * palm
        tip = base - along * rng.uniform(0.2, 0.4) * height + across * (i - 1.5) * rng.uniform(0, 0.05) * height
        cv2.line(shape, _whole(base), _whole(tip), 1.0, max(1, round(2 * finger)), cv2.LINE_AA)
    inner = cv2.distanceTransform((shape > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / max(finger, 1)
    round_light = np.clip(0.72 + 0.28 * inner, 0.7, 1.0)[..., None]  # darker towards its edges, as fingers are
    return shape, _lit(skin * round_light * rng.uniform(0.8, 1.15) + _noise(image, rng, 4), image, rng, 0.3)


def _hair(image: np.ndarray, face: np.ndarray, rng: np.random.Generator) -> Drawn:
    height, top = _height(face), face[FOREHEAD]
    down = (face[CHIN] - top) / height
    side = np.array([-down[1], down[0]])
    rows, columns = np.indices(image.shape[:2], np.float32)
    place = np.stack([columns - top[0], rows - top[1]], axis=-1)
    low, off = place @ down / height, place @ side / height
    waves = _waves(off, (9, 23, 51), 0.04, rng)
    if rng.random() < 0.6:  # a fringe
        shape = low < rng.uniform(0.1, 0.45) + rng.uniform(-0.3, 0.3) * off + waves
    else:  # a curtain at one side, or both
        edge = rng.uniform(0.05, 0.3)
        waves = _waves(low, (7, 19), 0.03, rng)
        shape = (off if rng.random() < 0.5 else -off) > edge + waves
        if rng.random() < 0.3:
            shape |= np.abs(off) > edge + waves
    shape = (shape & (_filled(image, _grown(face[list(OUTLINE)], 1.25)) > 0)).astype(np.float32)
    above = image[_inside(image, face[[FOREHEAD]] - down * 0.15 * height)]
    base = np.array(HAIR[rng.integers(len(HAIR))], np.float32)
    if rng.random() < 0.5:
        base = np.median(above, axis=0).astype(np.float32)
    wild = rng.normal(0, 1, image.shape[:2]).astype(np.float32)
    combed = np.asarray(cv2.GaussianBlur(wild, (0, 0), 0.7, None, 0.1 * height))
    strands = combed / max(float(combed.std()), 1e-6)
    return shape, base * (1 + rng.uniform(0.1, 0.35) * strands[..., None]) * rng.uniform(0.8, 1.2)


def _thing(image: np.ndarray, face: np.ndarray, rng: np.random.Generator, others: np.ndarray) -> Drawn:
    height = _height(face)
    shape = np.zeros(image.shape[:2], np.float32)
    middle = face[rng.integers(len(face))]
    size = rng.uniform(0.15, 0.45, 2) * height
    if rng.random() < 0.5:  # a book, a telephone, a screen
        box = cv2.boxPoints((middle.tolist(), (2 * size).tolist(), float(rng.uniform(-45, 45))))
        shape = _filled(image, box)
    else:  # a head, a plant, a shoulder
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        reach = 1 + _waves(angles, (2, 3, 5), 0.2, rng)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach[:, None] * size
        shape = _filled(image, middle + circle)
    scale = rng.uniform(0.7, 1.5)
    patch = cv2.resize(others, image.shape[1::-1], fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rolled = np.roll(patch, tuple(int(v) for v in rng.integers(0, image.shape[:2])), axis=(0, 1))
    return shape, rolled.astype(np.float32)


def _lit(colour: np.ndarray, image: np.ndarray, rng: np.random.Generator, strength: float | None = None) -> np.ndarray:
    """The colour with some of the face's light and shade."""
    luma = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 6)
    share = rng.uniform(0, 0.5) if strength is None else strength
    return colour * (1 + share * (luma / max(float(luma.mean()), 1.0) - 1))[..., None] + _noise(image, rng, 3)


def _waves(along: np.ndarray, pace: tuple[int, ...], strength: float, rng: np.random.Generator) -> np.ndarray:
    return np.sum([rng.uniform(0, strength) * np.sin(along * p + rng.uniform(0, 6)) for p in pace], axis=0)


def _noise(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return rng.normal(0, strength, image.shape).astype(np.float32)


def _filled(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1)
    return mask.astype(np.float32)


def _inside(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of whole pixels around these points, within the picture."""
    around = (points[:, None] + np.stack(np.meshgrid([-2, 0, 2], [-2, 0, 2]), -1).reshape(1, -1, 2)).reshape(-1, 2)
    x, y = np.clip(np.round(around), 0, np.array(image.shape[1::-1]) - 1).astype(int).T
    return y, x


def _grown(points: np.ndarray, factor: float) -> np.ndarray:
    middle = points.mean(axis=0)
    return middle + (points - middle) * factor


def _height(face: np.ndarray) -> float:
    return float(np.hypot(*(face[CHIN] - face[FOREHEAD]))) + 1e-3


def _whole(point: np.ndarray | tuple[float, float]) -> tuple[int, ...]:
    return tuple(round(float(v)) for v in point)
