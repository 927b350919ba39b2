"""A G1 process manager (contract 4.3, section 9). Those of G2 speak the same dialect (2.2)."""

from dataclasses import dataclass

from services.errors import DruncError, NotSupportedError, UnknownCallError
from services.run_control import decode, listings
from services.run_control.call import Caller
from services.run_control.g1.messages import message
from services.run_control.process_orders import boot_fields, query_fields
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery
from services.run_control.support import Deadlines, log_lines, one_process_error
from services.texts import clean
from wire.schema import WireMessage


@dataclass(frozen=True, slots=True)
class G1ProcessManager:
    """Adapter of the process manager (see `services.run_control.adapter.ProcessManagerAdapter`)."""

    call: Caller
    deadlines: Deadlines
    generation: str = "G1"

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        """Return the processes that match (``ps``)."""
        return self._list("ps", user, self.deadlines.read_s, query)

    def boot(self, user: str, order: BootOrder) -> Process:
        """Boot one process (``boot``)."""
        request = message("BootRequest")(**boot_fields(message, order))
        answer = self.call("boot", user, self.deadlines.process_s, request)
        return listings.process(decode.payload(answer, "ProcessInstance"))

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Kill what matches (``kill``)."""
        return self._list("kill", user, self.deadlines.kill_s, query)

    def flush(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Remove what is dead and matches from the list (``flush``)."""
        return self._list("flush", user, self.deadlines.process_s, query)

    def restart(self, user: str, query: ProcessQuery) -> Process:
        """Restart one process (``restart``)."""
        answer = self.call("restart", user, self.deadlines.process_s, _wire_query(query))
        return listings.process(_payload_of_one(answer, "ProcessInstance"))

    def terminate(self, user: str) -> tuple[Process, ...]:
        """Kill everything (``terminate``, not there before v0.8.2, contract 4.3).

        G1 needs a query that it ignores, G2 ignores it, too (contract 9.4).
        """
        try:
            return self._list("terminate", user, self.deadlines.kill_s, EVERY_PROCESS)
        except UnknownCallError as error:
            raise NotSupportedError(
                "This process manager cannot kill everything in one go.",
                not_done="Nothing was sent.",
                next_step="Kill the processes that you choose.",
            ) from error

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        """Return the last lines of a log (``logs``, a stream of one line each)."""
        request = message("LogRequest")(query=_wire_query(query), how_far=lines)
        answers = self.call.stream("logs", user, self.deadlines.process_s, request)
        return log_lines([clean(_payload_of_one(answer, "LogLine").line) for answer in answers])

    def _list(self, rpc: str, user: str, deadline_s: float, query: ProcessQuery) -> tuple[Process, ...]:
        answer = self.call(rpc, user, deadline_s, _wire_query(query))
        return listings.processes(decode.payload(answer, "ProcessInstanceList").values)


def _wire_query(query: ProcessQuery) -> WireMessage:
    return message("ProcessQuery")(**query_fields(message, query))


def _payload_of_one(answer: WireMessage, expected: str) -> WireMessage:
    """Return the payload of an answer that is about exactly one process.

    Raises:
        NotFoundError: The query matched none or several.
    """
    try:
        return decode.payload(answer, expected)
    except DruncError as error:
        raise one_process_error(error.message) or error from error
