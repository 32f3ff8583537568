"""Affect from emotions: valence, arousal, liking, disliking and ambivalence, each with its uncertainty.

It describes what a face shows, by ratings of the *word* for it, not what anybody feels or thinks.
"""

from dataclasses import dataclass

import numpy as np

from cssafe.labels import FERPLUS
from cssafe.language import N_

COORDINATES = {
    "neutral": (0.0, 0.0),
    "happy": (0.81, 0.51),
    "surprise": (0.40, 0.67),
    "sad": (-0.63, -0.27),
    "angry": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "contempt": (-0.24, 0.31),
}
"""Emotion -> valence and arousal in [-1, 1]: pleasure and arousal of the words happy, surprised, sad, angry, disgusted, fearful
and contemptuous in Russell & Mehrabian 1977, Evidence for a three-factor theory of emotions, Journal of Research in
Personality 11(3), 273-294, doi 10.1016/0092-6566(77)90037-X, table 4 (as in several programs that agree; contempt in one
only). neutral is the origin of the scales (assumption)."""

AFFECT_NAMES = (N_("valence"), N_("arousal"), N_("liking"), N_("disliking"), N_("ambivalence"))


@dataclass(frozen=True)
class Affect:
    """Of n faces, in the order of NAMES, NaN where the emotion is.

    values: float32 (n, 5). valence (unpleasant to pleasant) and arousal (calm to excited) in [-1, 1]. liking and disliking in
    [0, 1]: the pleasant and the unpleasant part of valence. ambivalence in [0, 1]: high where both are present.
    spreads: float32 (n, 5), standard deviation of each, from the uncertainty about the emotion.
    """

    values: np.ndarray
    spreads: np.ndarray


def affect(expression: np.ndarray) -> Affect:
    """Affect of n faces from their probabilities (n, 8) in the order of labels.FERPLUS.

    Valence and arousal are the expectation over COORDINATES; liking and disliking that of their positive and negative part.
    Ambivalence is (P + N) / 2 - |P - N| with P liking and N disliking (Thompson, Zanna & Griffin 1995), not below 0.
    """
    valence, arousal = np.array([COORDINATES[name] for name in FERPLUS]).T
    liking, disliking = np.maximum(valence, 0), np.maximum(-valence, 0)
    more_liked = (expression @ liking >= expression @ disliking)[:, None]
    lesser, greater = np.where(more_liked, disliking, liking), np.where(more_liked, liking, disliking)
    ambivalence = 1.5 * lesser - 0.5 * greater  # the formula for each emotion: (n, 8)
    parts = np.stack(np.broadcast_arrays(valence, arousal, liking, disliking, ambivalence), axis=-1)
    values = np.einsum("ne,nek->nk", expression, parts)
    variances = np.einsum("ne,nek->nk", expression, (parts - values[:, None]) ** 2)
    values[:, AFFECT_NAMES.index("ambivalence")] = np.maximum(values[:, AFFECT_NAMES.index("ambivalence")], 0)
    return Affect(values.astype(np.float32), np.sqrt(variances).astype(np.float32))
