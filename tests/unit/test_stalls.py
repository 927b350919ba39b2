"""The program that stops test runs stops all of them, and wakes nobody whom a test has stopped."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.stalls import stand_still
from tests.waiting import wait_until

# It starts two that wait until their input ends, and waits for them.
PARENT = """
import subprocess, sys
waiting = [sys.executable, "-c", "import sys; sys.stdin.read()"]
children = [subprocess.Popen(waiting, stdin=sys.stdin) for _ in range(2)]
[child.wait() for child in children]
"""


@pytest.fixture
def family() -> Iterator[list[psutil.Process]]:
    """A process and two that it has started."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE) as parent:
        root = psutil.Process(parent.pid)
        wait_until(lambda: len(root.children()) == 2, what="the children")
        yield [root, *root.children()]
        for process in (root, *root.children()):
            process.resume()


def are_stopped(processes: list[psutil.Process]) -> list[bool]:
    return [process.status() == psutil.STATUS_STOPPED for process in processes]


def test_all_stand_still_and_go_on(family: list[psutil.Process]) -> None:
    stand_still(family[0].pid, lambda: wait_until(lambda: all(are_stopped(family)), what="all to stand still"))
    wait_until(lambda: not any(are_stopped(family)), what="all to go on")


def test_what_a_test_has_stopped_stays_stopped(family: list[psutil.Process]) -> None:
    family[1].suspend()
    wait_until(lambda: are_stopped(family) == [False, True, False], what="one to be stopped")
    stand_still(family[0].pid, lambda: None)
    wait_until(lambda: are_stopped(family) == [False, True, False], what="the others to go on")


def test_a_process_that_has_ended_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    stand_still(ended.pid, lambda: None)
