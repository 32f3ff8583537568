"""The clock of a lesson: it starts at the wall clock's time and then runs on its own."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

COUNTING_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC_RAW"}
"""Clocks that go on while the computer sleeps, where CLOCK_MONOTONIC (Linux) or time.monotonic (macOS) stops. That of macOS
is untried: its manual page clock_gettime(3) says so. On Windows time.monotonic counts sleep, by Microsoft's documentation
of GetTickCount64 and QueryPerformanceCounter (untried)."""


def seconds_since_boot() -> float:
    """Seconds on a clock that nobody can set and that counts the time in which the computer sleeps."""
    name = COUNTING_SLEEP.get(sys.platform)
    return time.monotonic() if name is None else time.clock_gettime(getattr(time, name))


def wall() -> datetime:
    """The time of day that the computer shows, aware, UTC; anybody may set it forward or back."""
    return datetime.now(UTC)


class LessonClock:
    """Times of one lesson: frames, seconds, markers, activities and the end. They never go back.

    A wall clock that is set while the lesson runs changes none of them; one that was wrong at the start stays wrong by
    the same amount until the end. After a suspend the time is right again.
    """

    def __init__(self, wall: Callable[[], datetime] = wall, elapsed: Callable[[], float] = seconds_since_boot) -> None:
        """wall: aware, UTC; asked once. elapsed: seconds from any moment on, never less than before."""
        self._elapsed = elapsed
        self._zero = elapsed()
        self.started = wall()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.started + timedelta(seconds=self._elapsed() - self._zero)
