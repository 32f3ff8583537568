"""Made-up rows in the shape of the expression data sets."""

import cv2
import numpy as np
import pandas as pd

from cssafe.labels import FER2013, FERPLUS, FERPLUS_VOTES

VOTES = [f"fp_{word}" for word in FERPLUS_VOTES.values()] + ["fp_unknown", "fp_NF"]


def rows(n, seed=0, votes=None):
    """n made-up rows in the shape of the parquet files: noise, with labels and votes in turn."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 48, 48), dtype=np.uint8)
    table = pd.DataFrame(0.0, index=range(n), columns=VOTES)
    for i in range(n):
        table.iloc[i, i % len(FERPLUS)] = 10
    if votes is not None:
        table.iloc[:] = votes
    table["label"] = [FER2013[i % len(FER2013)] for i in range(n)]
    table["md5"] = [f"{int(rng.integers(2**62)):016x}" for _ in range(n)]
    table["image"] = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    return table
