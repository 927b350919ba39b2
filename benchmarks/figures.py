"""Figures of benchmarks: one line each, and an exit code that says whether all targets were met."""

import os
import platform
import sqlite3
from pathlib import Path


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
        """Return 1 if a target was missed, else 0."""
        return 1 if self._missed else 0

    def _add(self, name: str, value: float, unit: str, target: str, *, is_met: bool) -> None:
        self._missed += not is_met
        print(f"{name} {_plain(value)} {unit} target {target} {'ok' if is_met else 'MISS'}", flush=True)


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits say enough
