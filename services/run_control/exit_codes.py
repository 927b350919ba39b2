"""What exit codes of processes mean, in words (contract 9.3)."""

from signal import Signals

_EXIT_MEANINGS = {
    0: "ended normally",
    126: "program cannot be executed",
    127: "command not found",
    255: "ssh connection lost or killed",
}
# A shell adds this to the number of the signal that ended a program.
_SHELL_ADDS = 128
_SIGNAL_WORDS = {
    Signals.SIGABRT: "aborted itself",
    Signals.SIGBUS: "crashed, bad address",
    Signals.SIGFPE: "crashed, bad arithmetic",
    Signals.SIGHUP: "lost its terminal",
    Signals.SIGILL: "crashed, bad instruction",
    Signals.SIGINT: "interrupted",
    Signals.SIGKILL: "killed",
    Signals.SIGQUIT: "told to quit",
    Signals.SIGSEGV: "crashed, bad memory access",
    Signals.SIGTERM: "terminated",
}


def exit_code_meaning(return_code: int) -> str:
    """Return what an exit code means, in words; codes of the program's own mean what the program says.

    A signal shows as its negative number where it ended the ssh client, and 128 higher where it ended the program
    behind it (contract 9.3).
    """
    if return_code in _EXIT_MEANINGS:
        return _EXIT_MEANINGS[return_code]
    ended_by = _signal(-return_code if return_code < 0 else return_code - _SHELL_ADDS)
    if ended_by is not None:
        return f"{_SIGNAL_WORDS.get(ended_by, 'ended by a signal')} ({ended_by.name})"
    return f"killed by signal {-return_code}" if return_code < 0 else "the program's own code"


def _signal(number: int) -> Signals | None:
    try:
        return Signals(number)
    except ValueError:
        return None
