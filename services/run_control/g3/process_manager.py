"""A G3 process manager (contract 6.3, section 9)."""

from dataclasses import dataclass

from services.errors import DruncError, InvalidInputError, NotFoundError, NotInControlError, SchemaMismatchError
from services.run_control import decode, listings
from services.run_control.g3.call import PROCESS_MANAGER, SHARED, TypedCaller, message, token
from services.run_control.g3.judge import flag_words
from services.run_control.process_orders import boot_fields, query_fields
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery
from services.run_control.support import Deadlines, log_lines, one_process_error
from services.texts import clean
from wire.schema import WireMessage

GENERATION = "G3"
_BAD_REQUEST = "NOT_EXECUTED_BAD_REQUEST_FORMAT"


@dataclass(frozen=True, slots=True)
class G3ProcessManager:
    """Adapter of the process manager (see `services.run_control.adapter.ProcessManagerAdapter`)."""

    call: TypedCaller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        """Return the processes that match (``ps``)."""
        return self._list("ps", _query(user, query), self.deadlines.read_s)

    def boot(self, user: str, order: BootOrder) -> Process:
        """Boot one process (``boot``)."""
        request = _message("BootRequest")(token=token(user), **boot_fields(_message, order))
        return _one(self._list("boot", request, self.deadlines.process_s))

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Kill what matches (``kill``)."""
        return self._list("kill", _query(user, query), self.deadlines.kill_s)

    def flush(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Remove what is dead and matches from the list (``flush``)."""
        return self._list("flush", _query(user, query), self.deadlines.process_s)

    def restart(self, user: str, query: ProcessQuery) -> Process:
        """Restart one process (``restart``)."""
        try:
            return _one(self._list("restart", _query(user, query), self.deadlines.process_s))
        except (DruncError, InvalidInputError) as error:
            raise one_process_error(error.message) or error from error

    def terminate(self, user: str) -> tuple[Process, ...]:
        """Kill everything (``terminate``)."""
        return self._list("terminate", message(SHARED + "Request")(token=token(user)), self.deadlines.kill_s)

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        """Return the last lines of a log (``logs``); a bad query is told in the first line (contract 7.3)."""
        request = _message("LogRequest")(token=token(user), query=_query(user, query), how_far=lines)
        try:
            answer = self.call("logs", request, PROCESS_MANAGER + "LogLines", self.deadlines.process_s)
        except (DruncError, InvalidInputError) as error:
            raise one_process_error(error.message) or error from error
        found = [clean(line) for line in answer.lines]
        if answer.flag == decode.OK:
            return log_lines(found)
        text = found[0] if found else flag_words(answer)
        if decode.enum_name(answer, "flag") == _BAD_REQUEST:
            raise one_process_error(text) or NotFoundError(text)
        raise DruncError(f"{clean(answer.name)}: {text}")

    def _list(self, rpc: str, request: WireMessage, deadline_s: float) -> tuple[Process, ...]:
        answer = self.call(rpc, request, PROCESS_MANAGER + "ProcessInstanceList", deadline_s)
        if answer.flag == decode.NOT_IN_CONTROL:
            raise NotInControlError(flag_words(answer), holder="")
        if answer.flag != decode.OK:
            raise DruncError(f"{clean(answer.name)}: {flag_words(answer)}")
        return listings.processes(answer.values)


def _message(name: str) -> WireMessage:
    return message(PROCESS_MANAGER + name)


def _query(user: str, query: ProcessQuery) -> WireMessage:
    return _message("ProcessQuery")(token=token(user), **query_fields(_message, query))


def _one(processes: tuple[Process, ...]) -> Process:
    """Return the only process of an answer.

    Raises:
        SchemaMismatchError: There is none, or there are several.
    """
    if len(processes) != 1:
        raise SchemaMismatchError(f"The process manager answered {len(processes)} processes instead of one.")
    return processes[0]
