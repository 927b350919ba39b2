"""Hand-made processes: shell lines, and what becomes of them on a host that nobody reaches (contract 9.3)."""

import re
import threading

from simulator.process_log import ProcessLog
from simulator.programs import Exit

SSH_FAILS_AFTER_S = 0.05


class ShellProgram:
    """A hand-made process of ``echo`` and ``sleep``; anything else is not found (contract 9.3)."""

    def __init__(self, lines: list[tuple[str, list[str]]], time_scale: float, log: ProcessLog, ended: Exit) -> None:
        """Run ``lines`` (program, arguments) one after the other."""
        self._lines = lines
        self._time_scale = time_scale
        self._log = log
        self._ended = ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator-shell", daemon=True)

    def start(self) -> None:
        """Begin with the first line."""
        self._thread.start()

    def stop(self, *, orderly: bool) -> None:  # noqa: ARG002 - it never says goodbye
        """End; later lines do not run."""
        self._stopping.set()

    def _run(self) -> None:
        code = 0
        for program, arguments in self._lines:
            code = self._execute(program, arguments)
            if self._stopping.is_set():
                return
        self._ended(code)

    def _execute(self, program: str, arguments: list[str]) -> int:
        if program == "echo":
            self._log.write(" ".join(arguments))
        elif program == "sleep":
            self._stopping.wait(_seconds(arguments) * self._time_scale)
        else:
            self._log.write(f"bash: line 1: {program}: command not found")
            return 127
        return 0


def _seconds(arguments: list[str]) -> float:
    """Return the length of a ``sleep`` in seconds; what is no number is no time."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)s?", "".join(arguments))
    return float(match.group(1)) if match else 0.0


class UnreachableHostProgram:
    """What becomes of a process on a host that ssh cannot reach: it ends shortly after the boot (contract 9.3)."""

    def __init__(self, host: str, log: ProcessLog, ended: Exit) -> None:
        """Fail to reach ``host``."""
        self._timer = threading.Timer(SSH_FAILS_AFTER_S, ended, (255,))
        self._timer.daemon = True
        log.write(f"ssh: Could not resolve hostname {host}: Name or service not known")

    def start(self) -> None:
        """Try to connect."""
        self._timer.start()

    def stop(self, *, orderly: bool) -> None:  # noqa: ARG002 - it never says goodbye
        """Give up trying."""
        self._timer.cancel()
