"""Clock of a lesson: starts at the wall clock's time and then counts elapsed seconds."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

COUNTING_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC_RAW"}
"""Clocks that count sleep, where time.monotonic stops. macOS: by its manual page clock_gettime(3), untried. On Windows
time.monotonic counts sleep, by Microsoft's documentation of GetTickCount64 and QueryPerformanceCounter, untried."""


def seconds_since_boot() -> float:
    """Seconds on a clock that cannot be set and that counts sleep."""
    name = COUNTING_SLEEP.get(sys.platform)
    return time.monotonic() if name is None else time.clock_gettime(getattr(time, name))


def wall() -> datetime:
    """The computer's time of day, aware, UTC; it may be set forward or back."""
    return datetime.now(UTC)


class LessonClock:
    """Times of one lesson: frames, seconds, markers, activities and the end. They never go back.

    Setting the wall clock changes none of them; one that was wrong at the start stays wrong by the same amount. After a
    suspend the time is right.
    """

    def __init__(self, wall: Callable[[], datetime] = wall, elapsed: Callable[[], float] = seconds_since_boot) -> None:
        """wall: aware, UTC; read once. elapsed: monotonic seconds."""
        self._elapsed = elapsed
        self._zero = elapsed()
        self.started = wall()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.started + timedelta(seconds=self._elapsed() - self._zero)
