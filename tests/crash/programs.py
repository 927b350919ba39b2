"""Collectors as programs of their own, that can be killed."""

import signal
import subprocess
import sys
from pathlib import Path

from settings import child_environment
from tests.console import ROOT, free_port
from tests.crash.load import SERVICE_USER

STOP_S = 30.0


class CollectorProgram:
    """``manage.py collector`` with settings from the environment; what it prints goes to a file."""

    def __init__(self, database_url: str, brokers: str, log: Path, **settings: str) -> None:
        """Prepare; unless ``settings`` say otherwise nothing of drunc is there, so that the load alone comes in."""
        self._log = log
        given = {
            "CONSOLE_SECRET_KEY": "a secret for tests only",
            "CONSOLE_DATABASE_URL": database_url,
            "CONSOLE_DATA_DIR": str(log.parent),
            "CONSOLE_KAFKA_ADDRESS": brokers,
            "CONSOLE_SERVICE_USER": SERVICE_USER,
            "CONSOLE_PROCESS_MANAGER_URL": f"127.0.0.1:{free_port()}",
            "CONSOLE_CONNECTIVITY_URL": f"127.0.0.1:{free_port()}",
            "CONSOLE_POLL_INTERVAL_S": "60",
        }
        self._environment = child_environment(**given | settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._began_at = 0

    def start(self) -> None:
        """Start it, or start it again."""
        with self._log.open("ab") as output:
            self._began_at = output.tell()
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "collector"],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def is_reading(self) -> bool:
        """Whether it has found its broker since its last start."""
        with self._log.open("rb") as said:
            said.seek(self._began_at)
            return b"reading from Kafka" in said.read()

    def kill(self) -> None:
        """End it at once, wherever it is (SIGKILL)."""
        process = self._running()
        process.kill()
        assert process.wait(STOP_S) == -signal.SIGKILL, f"it had ended before:\n{self.said()}"

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; return its exit code."""
        process = self._running()
        process.terminate()
        return process.wait(STOP_S)

    def discard(self) -> None:
        """End it if it is there; nothing happens when it is not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)

    def said(self) -> str:
        """Return the last of what it printed."""
        return self._log.read_text(errors="replace")[-2_000:]

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "it was never started"
        return self._process
