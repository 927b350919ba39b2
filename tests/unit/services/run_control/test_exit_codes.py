"""Exit codes in words."""

import pytest

from services.run_control.exit_codes import exit_code_meaning


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0, "ended normally"),
        (126, "program cannot be executed"),
        (130, "interrupted (SIGINT)"),
        (134, "aborted itself (SIGABRT)"),
        (137, "killed (SIGKILL)"),
        (139, "crashed, bad memory access (SIGSEGV)"),
        (143, "terminated (SIGTERM)"),
        (141, "ended by a signal (SIGPIPE)"),
        (255, "ssh connection lost or killed"),
        (127, "command not found"),
        (-9, "killed (SIGKILL)"),
        (-15, "terminated (SIGTERM)"),
        (-99, "killed by signal 99"),
        (128, "the program's own code"),
        (250, "the program's own code"),
        (3, "the program's own code"),
    ],
)
def test_exit_codes_mean_something(code: int, meaning: str) -> None:
    assert exit_code_meaning(code) == meaning
