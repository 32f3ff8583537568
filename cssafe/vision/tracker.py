"""Face tracker: numbers faces from frame to frame, never identities."""

import numpy as np

TRACK_TIMEOUT_S = 1.5
"""Seconds without its face after which a track ends: a hand or a neighbour passes within one."""

MAX_FRAME_GAP_S = 5.0
"""Seconds between two frames up to which a face of the one is still looked for in the next."""

MAX_DISTANCE_FACES = 0.8
"""Maximum distance of a face from its expected place, in face sizes; grows by as much each second that it is away."""

SPEED_SHARE = 0.3
"""Share of the newest movement in a track's speed: two or three frames of a passing neighbour must not bend it."""


class Tracker:
    """Numbers the faces of one stream. Each track remembers where its face was, how large, how fast and when."""

    def __init__(self) -> None:
        self._next = 1
        self._ids = np.zeros(0, np.int32)
        self._boxes = np.zeros((0, 4), np.float32)
        self._speeds = np.zeros((0, 2), np.float32)
        self._seen = np.zeros(0)
        self._updated = float("-inf")

    def update(self, boxes: np.ndarray, now: float) -> np.ndarray:
        """Numbers int32 (n,) for boxes (n, 4) pixels at the time `now` in seconds, which must not go back.

        Faces and tracks are paired by distance from the place that each track's speed lets expect, and by size, the best
        pair of all first. A face without a track gets the next number; numbers are not used again.
        """
        away = now - self._seen
        self._keep((away <= TRACK_TIMEOUT_S) | ((self._seen == self._updated) & (away <= MAX_FRAME_GAP_S)))
        self._updated = now
        away = now - self._seen
        middles, sizes = _middles(boxes), _sizes(boxes)
        # The expected place slows down: nobody goes on for a second at the speed of one step.
        expected = _middles(self._boxes) + self._speeds * np.minimum(away, 0.5)[:, None]
        scale = np.maximum(np.minimum(_sizes(self._boxes)[:, None], sizes[None]), 1)
        distance = np.linalg.norm(expected[:, None] - middles[None], axis=-1) / scale
        growth = np.abs(np.log(np.maximum(_sizes(self._boxes)[:, None], 1) / np.maximum(sizes[None], 1)))
        cost = distance + growth
        cost[cost > MAX_DISTANCE_FACES * (1 + np.minimum(away, TRACK_TIMEOUT_S))[:, None]] = np.inf
        rows, columns = _pairs(cost)

        ids = np.zeros(len(boxes), np.int32)
        ids[columns] = self._ids[rows]
        step = middles[columns] - _middles(self._boxes[rows])
        speed = step / np.maximum(away[rows], 1e-3)[:, None]
        self._speeds[rows] += SPEED_SHARE * (speed - self._speeds[rows])
        self._boxes[rows], self._seen[rows] = boxes[columns], now

        new = np.flatnonzero(ids == 0)
        ids[new] = np.arange(self._next, self._next + len(new))
        self._next += len(new)
        self._ids = np.concatenate([self._ids, ids[new]])
        self._boxes = np.concatenate([self._boxes, boxes[new]])
        self._speeds = np.concatenate([self._speeds, np.zeros((len(new), 2), np.float32)])
        self._seen = np.concatenate([self._seen, np.full(len(new), now)])
        return ids

    @property
    def alive(self) -> np.ndarray:
        """Numbers of the tracks still waited for, int32."""
        return self._ids

    def _keep(self, rows: np.ndarray) -> None:
        self._ids, self._boxes = self._ids[rows], self._boxes[rows]
        self._speeds, self._seen = self._speeds[rows], self._seen[rows]


def _pairs(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs, the cheapest first, each row and column once; infinite cost forbids a pair.

    Faces rarely compete for a track, so this finds what an optimal assignment (scipy.optimize) would, which takes 37 MB
    and a second to import.
    """
    cost, pairs = cost.copy(), []
    while cost.size and np.isfinite(lowest := cost.min()):
        row, column = np.argwhere(cost == lowest)[0]
        pairs.append((row, column))
        cost[row], cost[:, column] = np.inf, np.inf
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    return rows, columns


def _middles(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _sizes(boxes: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 0))
