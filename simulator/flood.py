"""A flood of ERS issues, to see what a client does with many messages."""

import threading
import time
import uuid
from collections.abc import Callable

from simulator.application import Application
from simulator.issues import Issue

# Sleeping for less than this is not worth it.
_SHORTEST_PAUSE_S = 0.01
_ROOM_TURN_S = 0.2

Speak = Callable[[Application, Issue], None]
HasRoom = Callable[[float], bool]


class Flood:
    """Publishes a given number of issues, in turn from all applications, without having any dropped."""

    def __init__(self, speak: Speak, has_room: HasRoom, stopping: threading.Event) -> None:
        """Publish by ``speak`` while there ``has_room`` (waits so many seconds for it), until ``stopping``."""
        self._speak = speak
        self._has_room = has_room
        self._stopping = stopping

    def run(self, applications: list[Application], count: int, rate_hz: float, severity: str) -> int:
        """Publish ``count`` issues, ``rate_hz`` a second (0: as fast as they go); return how many were published.

        Each has the parameters ``flood`` (the same for all of a flood) and ``number`` (from 1).
        """
        flood, started = uuid.uuid4().hex[:8], time.monotonic()
        for number in range(1, count + 1):
            self._wait_until(started + (number - 1) / rate_hz if rate_hz > 0 else started)
            if not self._wait_for_room():
                return number - 1
            issue = Issue(
                severity=severity,
                name="simulator::Flood",
                message=f"Flood {flood}: message {number} of {count}",
                package="simulator",
                function="run",
                parameters={"flood": flood, "number": str(number)},
            )
            self._speak(applications[number % len(applications)], issue)
        return count

    def _wait_until(self, moment: float) -> None:
        pause_s = moment - time.monotonic()
        if pause_s > _SHORTEST_PAUSE_S:
            self._stopping.wait(pause_s)

    def _wait_for_room(self) -> bool:
        while not self._stopping.is_set():
            if self._has_room(_ROOM_TURN_S):
                return True
        return False
