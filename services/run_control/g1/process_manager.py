"""A G1 process manager (contract 4.3, section 9)."""

from dataclasses import dataclass

from services.run_control.g1 import decode
from services.run_control.g1.call import Caller
from services.run_control.types import Process

# Criteria are ORed, and an empty query matches nothing (contract 9.2).
_EVERYTHING = (".*",)


@dataclass(frozen=True, slots=True)
class G1ProcessManager:
    """Adapter of the process manager (see `services.run_control.adapter.ProcessManagerAdapter`)."""

    call: Caller
    read_deadline_s: float

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return "G1"

    def processes(self, user: str) -> tuple[Process, ...]:
        """Return all processes (``ps``)."""
        query = decode.message("ProcessQuery")(names=_EVERYTHING)
        answer = self.call("ps", user, self.read_deadline_s, query)
        instances = decode.payload(answer, "ProcessInstanceList").values
        return tuple({process.uuid: process for process in map(decode.process, instances)}.values())
