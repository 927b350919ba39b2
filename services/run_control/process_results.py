"""What became of a process, as part of what came of a command."""

from services.run_control.command_types import NodeResult
from services.run_control.exit_codes import exit_code_meaning
from services.run_control.process_types import Process, ProcessStatus


def process_result(process: Process, text: str, *, succeeded: bool) -> NodeResult:
    """Return the result of one process; ``detail`` is its UUID."""
    return NodeResult(
        path=f"{process.session}/{process.name}",
        name=process.name,
        succeeded=succeeded,
        flag=process.status.value,
        text=text,
        detail=process.uuid,
    )


def lives(process: Process, *, gone: bool) -> bool:
    """Tell whether a booted process runs, or has ended well already."""
    return not gone and (process.status is ProcessStatus.RUNNING or process.return_code == 0)


def in_words(process: Process, *, gone: bool) -> str:
    """Return how a process is; ``gone`` when it is not listed any more."""
    if process.status is ProcessStatus.RUNNING:
        return "not listed any more" if gone else "running"
    return f"dead, {_exit_code(process.return_code)}" + (", not listed any more" if gone else "")


def _exit_code(code: int | None) -> str:
    return "exit code unknown" if code is None else f"exit code {code}, {exit_code_meaning(code)}"
