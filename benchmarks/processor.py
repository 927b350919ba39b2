"""Time of the processor that other processes have used, by what Linux counts of them."""

from pathlib import Path

_NS = 1e9


def workers_of(parent: int) -> list[int]:
    """Return the children of a process: gunicorn's workers, of its master."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in text.split()]


def used_s(pids: list[int]) -> float:
    """Return what all threads of these processes have used so far, seconds.

    To the nanosecond (``schedstat``); ``stat`` counts in hundredths of a second, which is more than a tick takes.
    """
    tasks = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / _NS
