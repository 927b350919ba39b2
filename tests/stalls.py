"""A machine that stands still now and then: what depends on being quick shows itself then.

``python -m tests.stalls PID SECONDS`` stops a process and all that it has started for so long, again and again at
random, until it ends. `tests/conftest.py` starts it for a test run with ``STALLS=1.3`` in the environment.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

# A stall begins after so many seconds, from the least to the most.
BETWEEN_S = (1.0, 6.0)


@contextmanager
def stalls(length_s: float) -> Iterator[None]:
    """Have this process and what it starts stand still now and then, for so many seconds."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.stalls", str(os.getpid()), str(length_s)], start_new_session=True
    ) as staller:
        try:
            yield
        finally:
            # Whoever stands still does not get here: nobody is left stopped.
            staller.kill()


def main(pid: int, length_s: float) -> None:
    """Go on until the process has ended."""
    while psutil.pid_exists(pid):
        time.sleep(random.uniform(*BETWEEN_S))  # noqa: S311 - no secret
        stand_still(pid, lambda: time.sleep(length_s))


def stand_still(pid: int, pause: Callable[[], object]) -> None:
    """Stop a process and all that it has started for as long as ``pause`` takes, but not who asks for it.

    What a test has stopped stays stopped.
    """
    stopped = [process for process in _with_descendants(pid) if _stop(process)]
    try:
        pause()
    finally:
        # The first one last, as it was stopped first: while it can kill who does this, nobody else stands still.
        for process in reversed(stopped):
            _signal(process.resume)


def _with_descendants(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [process for process in (root, *root.children(recursive=True)) if process.pid != os.getpid()]
    except psutil.NoSuchProcess:
        return []


def _stop(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_STOPPED and _signal(process.suspend)
    except psutil.NoSuchProcess:
        return False


def _signal(send: Callable[[], None]) -> bool:
    try:
        send()
    except psutil.NoSuchProcess:
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
