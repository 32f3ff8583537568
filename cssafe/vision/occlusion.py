"""Occlusion: the share of a face hidden by a hand, a mask, hair or sunglasses, from colours and texture against its own skin.

The face is unrolled from the nose to its outline, so that turned and large faces lie in the same cells as others. Each cell's
colour and texture, over the median of the whole face, both halves side by side, go through two small layers of numbers
(hidden.npz) that give the probability that each cell is hidden. `python -m cssafe hidden` draws occluders over photographs,
learns these numbers from half of the people and measures the estimate on the other half; models/hidden/MODEL_CARD.md has the
table.
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from cssafe.settings import ROOT
from cssafe.vision.face_parts import OUTLINE

RAYS, STEPS = 18, 6
"""Cells around the face, and from its middle to its outline."""

SAMPLES = 4
"""Samples of a cell along either way: twice as many rays as the outline has points."""

MIDDLE = 195
"""Mesh point on the bridge of the nose, from which the rays go."""

COLOUR_SPREAD = (25.0, 8.0, 8.0)
"""Usual distance of a cell's L, a and b (8-bit Lab) from the face's median: brings the numbers to about 1."""

INPUTS = RAYS * STEPS * 4 + 4
"""Features of a face."""

ERROR = 0.07
"""Mean error of the share on faces that are bare or partly hidden."""

WEIGHTS = ROOT / "models" / "hidden" / "hidden.npz"


class Weights(NamedTuple):
    """Two layers: float32 (INPUTS, k), (k,), (k, RAYS * STEPS), (RAYS * STEPS,)."""

    inner: np.ndarray
    inner_bias: np.ndarray
    outer: np.ndarray
    outer_bias: np.ndarray


def hidden_share(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The share of each face's outline that something hides, float32 (n,) in [0, 1].

    Bare faces come out at 0.0 to 0.2; it is a hint about the trust in the other signals, not a mask detector. Without a
    trusted mesh it means nothing.

    Args:
        image: uint8 (h, w, 3) BGR. points: (n, 468, 3) pixels, the meshes of n faces.
    """
    return share_of_area(hidden_probabilities(describe_cells(unroll(image, points)), load_weights()), points)


def unroll(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The pixels of n faces, (n, RAYS * SAMPLES, STEPS * SAMPLES, ...), by rays from the nose (first) to the outline. The
    first cell lies around the forehead's middle; the k-th from either end is the mirror of the other.

    Args:
        image: (h, w) or (h, w, 3). points: (n, 468, 2) or (n, 468, 3), pixels.
    """
    n, rays, steps = len(points), RAYS * SAMPLES, STEPS * SAMPLES
    ring, middle = points[:, OUTLINE, :2], points[:, [MIDDLE], :2]
    step = np.roll(ring, -1, axis=1) - ring
    ring = np.stack([ring + step / 4, ring + step * 3 / 4], axis=2).reshape(n, rays, 2)
    ring = np.roll(ring, SAMPLES // 2, axis=1)  # the first cell begins half of it earlier
    reach = ((np.arange(steps, dtype=np.float32) + 0.5) / steps)[:, None]
    place = (middle[:, :, None] + (ring - middle)[:, :, None] * reach).reshape(n, rays * steps, 2)
    if n == 0:
        return np.zeros((0, rays, steps, *image.shape[2:]), image.dtype)
    x, y = np.ascontiguousarray(np.moveaxis(place, -1, 0), np.float32)
    seen = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen).reshape(n, rays, steps, *image.shape[2:])


def describe_cells(unrolled: np.ndarray) -> np.ndarray:
    """Features of n faces, uint8 (n, RAYS * SAMPLES, STEPS * SAMPLES, 3) BGR: float32 (n, INPUTS). Lightness, both colours and
    detail of each cell against the face's own, and the face's own."""
    n = len(unrolled)
    if n == 0:
        return np.zeros((0, INPUTS), np.float32)
    lab = cv2.cvtColor(unrolled.reshape(-1, STEPS * SAMPLES, 3), cv2.COLOR_BGR2LAB).astype(np.float32)
    means = [cv2.resize(of, (STEPS, n * RAYS), interpolation=cv2.INTER_AREA) for of in (lab, lab[..., 0] ** 2)]
    colour, squares = means[0].reshape(n, -1, 3), means[1].reshape(n, -1)
    detail = np.log1p(np.sqrt(np.maximum(squares - colour[..., 0] ** 2, 0)))
    own = np.median(colour, axis=1)
    spread = np.median(np.abs(colour[..., 0] - own[:, :1]), axis=1)
    apart = np.clip((colour - own[:, None]) / np.array(COLOUR_SPREAD, np.float32), -4, 4)
    detail = detail - np.median(detail, axis=1)[:, None]
    face = np.column_stack([(own - 128) / np.array([50, 10, 10], np.float32), np.log1p(spread)])
    return np.hstack([np.concatenate([apart, detail[..., None]], axis=-1).reshape(n, -1), face]).astype(np.float32)


def hidden_probabilities(compared: np.ndarray, layers: Weights) -> np.ndarray:
    """Probability that each cell is hidden, float32 (n, RAYS, STEPS) in [0, 1]."""
    inner = np.maximum(compared @ layers.inner + layers.inner_bias, 0)
    return (1 / (1 + np.exp(-(inner @ layers.outer + layers.outer_bias)))).reshape(-1, RAYS, STEPS)


def share_of_area(hidden_cells: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The hidden share of n faces, float32 (n,), from their cells (n, RAYS, STEPS): each counts by its area."""
    spokes = points[:, OUTLINE, :2] - points[:, [MIDDLE], :2]
    following = np.roll(spokes, -1, axis=1)
    wedges = np.abs(spokes[..., 0] * following[..., 1] - spokes[..., 1] * following[..., 0])
    wedges = (wedges + np.roll(wedges, 1, axis=1))[:, ::2]  # a cell is the wedge before its middle, and the one after
    areas = wedges[..., None] * (np.arange(STEPS) + 0.5)
    return ((hidden_cells * areas).sum(axis=(1, 2)) / np.maximum(areas.sum(axis=(1, 2)), 1e-6)).astype(np.float32)


@cache
def load_weights() -> Weights:
    """The numbers that were learned, from models/hidden/hidden.npz."""
    with np.load(WEIGHTS) as stored:
        return Weights(*(stored[name].astype(np.float32) for name in Weights._fields))
