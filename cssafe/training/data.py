"""FER2013 with FERPlus votes: reading, splitting, augmenting. NumPy and OpenCV only, no framework."""

from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from cssafe.labels import FER2013, FERPLUS, FERPLUS_VOTES
from cssafe.vision.crops import crop

SIZE = 48
"""Side of a FER2013 picture and of the network's input, pixels."""


@dataclass(frozen=True)
class Labelled:
    """n pictures of faces with both kinds of label.

    images: uint8 (n, 48, 48) grey. fer2013: int (n,), index into FER2013. ferplus: float32 (n, 8), shares of the votes
    over the eight emotions, rows sum to 1, or all 0 where there is no usable vote.
    """

    images: np.ndarray
    fer2013: np.ndarray
    ferplus: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice | np.ndarray) -> "Labelled":
        return Labelled(self.images[rows], self.fer2013[rows], self.ferplus[rows])

    def __add__(self, other: "Labelled") -> "Labelled":
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Labelled(*(np.concatenate(pair) for pair in pairs))


def read_training(folder: Path) -> tuple[Labelled, Labelled]:
    """Read Training of `folder` (see ../data/README.md of the project for its files) and split it by picture content.

    Left out: rows without votes (not faces), repeated pictures, and pictures that also stand in PublicTest, so that no
    figure on PublicTest can come from memory.

    Returns:
        (nine tenths to learn from, one tenth to choose and calibrate on). The split hangs on the pixels' hash, so it is
        the same on every machine.
    """
    parts = sorted(folder.glob("fer2013_train_*.parquet"))
    if not parts:
        raise FileNotFoundError(f"No fer2013_train_*.parquet in {folder}: see data/README.md for where they come from.")
    rows = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
    test = pd.read_parquet(folder / "fer2013_valid.parquet", columns=["md5"])
    rows = rows[rows["fp_neutral"].notna() & ~rows["md5"].isin(test["md5"])].drop_duplicates("md5")
    held_back = rows["md5"].map(lambda digest: int(digest, 16) % 10 == 0).to_numpy()
    return labelled(rows[~held_back]), labelled(rows[held_back])


def labelled(rows: pd.DataFrame) -> Labelled:
    """Decode rows with the columns `image`, `label` and `fp_*`."""
    images = [np.asarray(cv2.imdecode(np.frombuffer(b, np.uint8), cv2.IMREAD_GRAYSCALE)) for b in rows["image"]]
    names = {name: i for i, name in enumerate(FER2013)}
    return Labelled(
        np.stack(images) if images else np.zeros((0, SIZE, SIZE), np.uint8),
        rows["label"].map(names).to_numpy(int),
        vote_shares(rows),
    )


def vote_shares(rows: pd.DataFrame) -> np.ndarray:
    """FERPlus votes -> float32 (n, 8) shares; all 0 where there are no votes or 'unknown' or 'not a face' leads.

    A single vote against nine others is taken for a slip, as in FERPlus' own recipe (Barsoum et al. 2016, section 3).
    """
    votes = rows[[f"fp_{FERPLUS_VOTES[name]}" for name in FERPLUS]].fillna(0).to_numpy(np.float32)
    others = rows[["fp_unknown", "fp_NF"]].fillna(0).to_numpy(np.float32)
    usable = votes.max(axis=1, initial=0) > others.max(axis=1, initial=0)
    votes = np.where(votes <= 1, 0, votes) * usable[:, None]
    total = votes.sum(axis=1, keepdims=True)
    return np.divide(votes, total, out=np.zeros_like(votes), where=total > 0)


def augment(images: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """One random variant of each picture, uint8 (n, 48, 48): placed, lit, blurred and hidden as live faces are.

    Args:
        strength: in [0, 1]; scales how far and how often pictures are changed.
    """
    return np.stack([_variant(image, rng, strength) for image in images])


def _variant(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    middle = (SIZE - 1) / 2
    image = crop(
        image,
        centre=middle + strength * rng.uniform(-0.09, 0.09, 2) * SIZE,
        side=SIZE / (1 + strength * rng.uniform(-0.2, 0.15)),
        roll=strength * rng.uniform(-12, 12),
        size=SIZE,
        flip=rng.random() < 0.5,
    )
    if rng.random() < 0.15 * strength:  # a small or badly focused face: fewer real pixels than the crop has
        small = int(rng.uniform(0.4, 0.8) * SIZE)
        image = cv2.resize(cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (SIZE, SIZE))
    levels = np.linspace(0, 1, 256) ** rng.uniform(0.7, 1.4) * 255
    levels = np.clip((levels - 128) * rng.uniform(0.7, 1.3) + 128 + rng.uniform(-30, 30), 0, 255)
    image = cv2.LUT(image, levels.astype(np.uint8))
    if rng.random() < 0.1 * strength:
        image = np.clip(image + rng.normal(0, rng.uniform(2, 10), image.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.5 * strength:  # a hand, hair, a mask: random erasing (Zhong et al. 2020)
        h, w = (rng.uniform(0.15, 0.5, 2) * SIZE).astype(int)
        y, x = int(rng.uniform(0, SIZE - h)), int(rng.uniform(0, SIZE - w))
        image = image.copy()
        image[y : y + h, x : x + w] = rng.integers(0, 256)
    return image
