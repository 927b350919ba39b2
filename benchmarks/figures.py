"""Figures of benchmarks: one line each, and an exit code that says whether all targets were met.

First and last comes how long this machine takes for one step of a plain loop: where other work shares it, that says
how much of the machine there was.
"""

import os
import platform
import sqlite3
from pathlib import Path
from time import perf_counter

STEPS = 1_000_000
ROUNDS = 5


class Figures:
    """Prints ``name value unit target T ok|MISS`` as figures come in."""

    def __init__(self) -> None:
        """State the machine: figures mean nothing without it."""
        self._missed = 0
        processor = next(
            (
                line.partition(":")[2].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")
            ),
            platform.machine(),
        )
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(
            f"# {os.cpu_count()} x {processor}; load {load}; {platform.system()} {platform.release()}; "
            f"Python {platform.python_version()}; SQLite {sqlite3.sqlite_version}",
            flush=True,
        )
        self.note("machine_step_before", _step_ns(), "ns")

    def at_least(self, name: str, value: float, unit: str, target: float) -> None:
        """Add a figure that must not be below its target."""
        self._add(name, value, unit, f">={target:g}", is_met=value >= target)

    def at_most(self, name: str, value: float, unit: str, target: float) -> None:
        """Add a figure that must not be above its target."""
        self._add(name, value, unit, f"<={target:g}", is_met=value <= target)

    def note(self, name: str, value: float, unit: str) -> None:
        """Add a figure to compare with; it has no target."""
        self._add(name, value, unit, "-", is_met=True)

    def exit_code(self) -> int:
        """End with the machine as it is now; return 1 if a target was missed, else 0."""
        self.note("machine_step_after", _step_ns(), "ns")
        return 1 if self._missed else 0

    def _add(self, name: str, value: float, unit: str, target: str, *, is_met: bool) -> None:
        self._missed += not is_met
        print(f"{name} {_plain(value)} {unit} target {target} {'ok' if is_met else 'MISS'}", flush=True)


def _step_ns() -> float:
    """Return the mean of the quickest round."""
    quickest_s = float("inf")
    for _ in range(ROUNDS):
        started, total = perf_counter(), 0
        for step in range(STEPS):
            total += step
        quickest_s = min(quickest_s, perf_counter() - started)
    return quickest_s / STEPS * 1e9


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits say enough
