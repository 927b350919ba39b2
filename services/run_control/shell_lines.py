"""What to type into drunc's own shells where the console cannot do it itself (contract 19.1, 19.2)."""

import shlex
from dataclasses import dataclass

from services.run_control.session_types import Configuration

GRPC = "grpc://"
G1 = "G1"


@dataclass(frozen=True, slots=True)
class ShellLines:
    """Lines to copy: ``shell`` goes into a terminal, ``then`` into the shell that it starts."""

    shell: str
    then: str


def start_lines(generation: str | None, process_manager: str, name: str, configuration: Configuration) -> ShellLines:
    """Return how a session is booted by hand through the process manager at ``host:port``.

    In G1 a session has the name of its configuration, and the process manager's shell boots it (contract 14, 19.2).
    """
    address = GRPC + process_manager
    if generation == G1:
        return ShellLines(_joined("drunc-process-manager-shell", address), _joined("boot", configuration.file, name))
    shell = _joined("drunc-unified-shell", address, configuration.file, configuration.id, name)
    return ShellLines(shell, "boot")


def end_lines(process_manager: str, name: str) -> ShellLines:
    """Return how all processes of a session are ended by hand."""
    shell = _joined("drunc-process-manager-shell", GRPC + process_manager)
    return ShellLines(shell, _joined("kill", "--session", name))


def _joined(*words: str) -> str:
    return shlex.join(words)
