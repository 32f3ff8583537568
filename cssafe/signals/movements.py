"""Mesh -> facial movements against the person's own neutral face. This is expression: attention-only computes none.

Named after the muscle actions of the Facial Action Coding System (Ekman & Friesen 1978), but these are distances on a mesh,
not a coder's judgement: a wide mouth is a wide mouth, whatever pulls at it.
"""

from dataclasses import dataclass, field

import numpy as np

from cssafe.frames import MOVEMENTS
from cssafe.labels import FERPLUS
from cssafe.signals.mouth import CORNERS, LIPS
from cssafe.signals.pose import head_axes
from cssafe.vision.mesh import LEFT_EYE, RIGHT_EYE, Meshes

BROWS, INNER_BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336), (55, 285)

NOSE, NOSTRILS = 2, (64, 294)
"""Mesh points where the nose meets the lip, and of its wings."""

MIN_NEUTRAL_S = 2.0
"""Seconds of a neutral face before movements are computed: less is a moment, not a neutral. Assumption."""

MAX_NEUTRAL_S = 60.0
"""Seconds of neutral face that a neutral is learned from; then it stays."""


def face_shapes(meshes: Meshes) -> np.ndarray:
    """The distances that movements change, float32 (n, 5) in the order of MOVEMENTS, on the head turned upright.

    In percent of the distance between the outer corners of the eyes, which no muscle moves. Each grows with its movement:
    smile (AU12): corners of the mouth outwards and up. brow_raise (AU1+2): brows above the eyes. frown (AU4): inner brows
    down and together. nose_wrinkle (AU9): wings of the nose towards the eyes. jaw_drop (AU25+26): inner lips apart. Lip corners
    pulled down (AU15) are left out: the mesh does not see them (area under the curve .44 for sad).

    How well each tells one emotion from neutral on 48-pixel faces of different people (area under the ROC curve, 2,055 faces
    of FER2013's PublicTest): smile happy .86, brow_raise surprise .70, frown angry .59, nose_wrinkle disgust .74 (8 faces),
    jaw_drop surprise .68. Against the person's own neutral it can only be better; that was not measured, for lack of data.
    """
    across = np.linalg.norm(meshes.points[:, LEFT_EYE[0]] - meshes.points[:, RIGHT_EYE[0]], axis=-1)
    upright = meshes.points @ head_axes(meshes) * (100 / np.maximum(across, 1e-6))[:, None, None]
    x, y = upright[..., 0], upright[..., 1]

    def middle(points: tuple[int, ...]) -> np.ndarray:
        return y[:, points].mean(axis=1)

    eyes, inner_eyes = middle((*RIGHT_EYE, *LEFT_EYE)), middle((RIGHT_EYE[1], LEFT_EYE[1]))
    half_mouth = (x[:, CORNERS[1]] - x[:, CORNERS[0]]) / 2
    between = x[:, INNER_BROWS[1]] - x[:, INNER_BROWS[0]]
    return np.stack(
        [
            (half_mouth + y[:, NOSE] - middle(CORNERS)) / np.sqrt(2),
            eyes - middle(BROWS),
            middle(INNER_BROWS) - inner_eyes - between,
            inner_eyes - middle(NOSTRILS),
            np.linalg.norm(upright[:, LIPS[1]] - upright[:, LIPS[0]], axis=-1),
        ],
        axis=1,
    ).astype(np.float32)


@dataclass
class NeutralFace:
    """Faces of n people at rest: the mean of each one's shapes, weighted by their seconds and by how neutral they look.

    seconds: (n,), so weighted, so far. mean: (n, 5). `learn` changes both in place.
    """

    seconds: np.ndarray = field(default_factory=lambda: np.zeros(1))
    mean: np.ndarray = field(default_factory=lambda: np.zeros((1, len(MOVEMENTS))))

    def learn(self, shapes: np.ndarray, expression: np.ndarray, seconds: float) -> None:
        """Add shapes (n, 5) with their expression (n, 8), NaN where not measured, and the seconds since the frame before."""
        weight = expression[:, FERPLUS.index("neutral")].astype(float) * min(seconds, 1.0)
        rows = (weight > 0) & ~np.isnan(shapes[:, 0]) & (self.seconds < MAX_NEUTRAL_S)
        self.seconds[rows] += weight[rows]
        self.mean[rows] += (shapes - self.mean)[rows] * (weight[rows] / self.seconds[rows])[:, None]

    def moved(self, shapes: np.ndarray) -> np.ndarray:
        """Distance of shapes (n, 5) from the neutral, in their unit, float32 (n, 5); NaN until MIN_NEUTRAL_S."""
        return np.where(self.seconds[:, None] >= MIN_NEUTRAL_S, shapes - self.mean, np.nan).astype(np.float32)
