"""What is done for one claimed command on a whole session, in the run control service's queue, as the person."""

from services.errors import ConsoleError, NotSupportedError, RefusedError
from services.run_control.adapter import RunControlServiceAdapter
from services.run_control.command_types import Action, CommandResult, CommandState
from services.run_control.execution import Booted, Order, Outcome, failed_sending
from services.run_control.process_types import ProcessQuery
from services.run_control.session_types import Configuration, SessionOrder
from services.run_control.shell_lines import GRPC


def execute_on_session(order: Order, adapter: RunControlServiceAdapter) -> Outcome:
    """Send once and tell what the service answered; what was booted is left to be watched.

    Never raises an error of `services.errors`.
    """
    try:
        result = _send(order, adapter)
    except NotSupportedError as error:
        return Outcome(CommandState.FAILED, f"{error.message} Nothing was done.")
    except ConsoleError as error:
        return failed_sending(error)
    state = CommandState.SUCCEEDED if result.succeeded else CommandState.FAILED
    booted = _booted(order) if result.succeeded and order.action is Action.START_SESSION else None
    return Outcome(state, result.text, result, booted=booted)


def _booted(order: Order) -> Booted:
    """Return what is to be watched: which processes a session has is known to its configuration only (contract 1)."""
    process_manager = str(order.payload["process_manager"]).removeprefix(GRPC)
    return Booted(process_manager, ProcessQuery(session=order.session))


def _send(order: Order, adapter: RunControlServiceAdapter) -> CommandResult:
    payload = order.payload
    wanted = SessionOrder(
        order.session, Configuration(payload["file"], payload["configuration"]), payload["process_manager"]
    )
    match order.action:
        case Action.START_SESSION:
            return adapter.start_session(order.user, wanted)
        case Action.END_SESSION:
            return adapter.end_session(order.user, wanted)
        case _:
            raise RefusedError(f"{order.action} is nothing that a run control service does.")
