"""What is done for one claimed command on processes, in the process manager's queue, under the person's token."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.errors import ConsoleError, RefusedError
from services.run_control.adapter import ProcessManagerAdapter
from services.run_control.boot_order import order_from_json
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult
from services.run_control.execution import Booted, Order, Outcome, ProcessesAfter, failed_sending
from services.run_control.process_results import in_words, lives, process_result
from services.run_control.process_types import Process, ProcessQuery, ProcessStatus

_DONE = {
    Action.BOOT: "booted",
    Action.KILL: "killed",
    Action.FLUSH: "removed from the list",
    Action.RESTART: "restarted",
    Action.TERMINATE: "killed",
}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was asked for and answered; ``error`` is what ended it early."""

    asked: tuple[Process, ...]
    answered: Mapping[str, Process]
    error: ConsoleError | None = None


def execute_on_processes(order: Order, adapter: ProcessManagerAdapter) -> Outcome:
    """Look once more, send once, and find out what came of it; what was booted is left to be watched.

    Never raises an error of `services.errors`.
    """
    try:
        listed = _listed(order, adapter)
    except ConsoleError as error:
        return Outcome(CommandState.FAILED, f"{error.message} Nothing was sent.")
    sent = _boot(order, adapter) if order.action is Action.BOOT else _send(order, adapter, listed)
    if _is_boot(order):
        return replace(_judged(order, sent, None), booted=_booted(order, sent))
    after = _after(order, adapter, sent.asked)
    outcome = _judged(order, sent, after)
    return outcome if after is None else replace(outcome, processes=after)


def _listed(order: Order, adapter: ProcessManagerAdapter) -> tuple[Process, ...]:
    """Return the processes that are meant and still listed.

    Raises:
        ConsoleError: There are none, or the process manager does not tell.
    """
    if order.action is Action.BOOT:
        return ()
    if order.action is Action.TERMINATE:
        return adapter.processes(order.user)
    known = adapter.processes(order.user, ProcessQuery(uuids=tuple(order.payload["processes"])))
    if order.action is Action.FLUSH:
        known = tuple(process for process in known if process.status is ProcessStatus.DEAD)
    if not known:
        names = ", ".join(order.payload["processes"].values())
        what = "is dead and listed" if order.action is Action.FLUSH else "is listed"
        raise RefusedError(f"Nothing of {names} {what} any more.")
    return known


def _send(order: Order, adapter: ProcessManagerAdapter, listed: tuple[Process, ...]) -> _Sent:
    query = ProcessQuery(uuids=tuple(process.uuid for process in listed))
    try:
        match order.action:
            case Action.KILL:
                answered = adapter.kill(order.user, query)
            case Action.FLUSH:
                answered = adapter.flush(order.user, query)
            case Action.RESTART:
                answered = (adapter.restart(order.user, query),)
            case Action.TERMINATE:
                answered = adapter.terminate(order.user)
            case _:
                raise RefusedError(f"{order.action} is nothing that a process manager does.")
    except ConsoleError as error:
        return _Sent(listed, {}, error)
    by_uuid = {process.uuid: process for process in answered}
    # What was booted meanwhile by somebody else may have been hit, too.
    unexpected = tuple(process for process in answered if process.uuid not in query.uuids)
    return _Sent(listed + unexpected, by_uuid)


def _boot(order: Order, adapter: ProcessManagerAdapter) -> _Sent:
    """Boot one process after the other, up to the first that fails."""
    booted: list[Process] = []
    error: ConsoleError | None = None
    for stored in order.payload["orders"]:
        try:
            booted.append(adapter.boot(order.user, order_from_json(stored)))
        except ConsoleError as failure:
            error = failure
            break
    return _Sent(tuple(booted), {process.uuid: process for process in booted}, error)


def _booted(order: Order, sent: _Sent) -> Booted | None:
    """Return what is to be watched: what was answered, if anything was."""
    answered = tuple(sent.answered.values())
    query = ProcessQuery(uuids=tuple(sent.answered))
    return Booted(order.address, query, answered) if answered else None


def _after(order: Order, adapter: ProcessManagerAdapter, asked: tuple[Process, ...]) -> ProcessesAfter | None:
    """Ask what is listed now: answers tell less (contract 9.4, 22.24). None if that cannot be found out."""
    uuids = tuple(process.uuid for process in asked)
    if not uuids:
        return None
    try:
        return ProcessesAfter(frozenset(uuids), adapter.processes(order.user, ProcessQuery(uuids=uuids)))
    except ConsoleError:
        return None


def _judged(order: Order, sent: _Sent, after: ProcessesAfter | None) -> Outcome:
    now = dict(sent.answered)
    gone: frozenset[str] = frozenset()
    if after is not None:
        listed = {process.uuid: process for process in after.listed}
        gone = after.asked - listed.keys()
        now |= listed
    elif not _is_boot(order):
        gone = frozenset(sent.answered)
    # Of what was booted answers tell, and later the watch.
    asked = tuple(sent.answered.values()) if _is_boot(order) else sent.asked
    nodes = tuple(_result(order, now.get(process.uuid, process), process.uuid in gone) for process in asked)
    return _outcome(order, sent, nodes)


def _is_boot(order: Order) -> bool:
    return order.action in (Action.BOOT, Action.RESTART)


def _result(order: Order, process: Process, gone: bool) -> NodeResult:  # noqa: FBT001 - a judgement, not a switch
    succeeded = lives(process, gone=gone) if _is_boot(order) else gone
    return process_result(process, in_words(process, gone=gone), succeeded=succeeded)


def _outcome(order: Order, sent: _Sent, nodes: tuple[NodeResult, ...]) -> Outcome:
    failed = [node.name for node in nodes if not node.succeeded]
    done = [node.name for node in nodes if node.succeeded]
    word = _DONE[order.action]
    sentences = [f"{len(done)} of {_wanted(order, nodes)} processes {word}."]
    if failed:
        sentences.append(f"Not: {', '.join(failed)}.")
    state = CommandState.FAILED if failed else CommandState.SUCCEEDED
    if sent.error is not None:
        ended = failed_sending(sent.error)
        state = ended.state
        sentences.append(ended.text)
        nodes += ended.result.nodes if ended.result else ()
    text = " ".join(sentences)
    return Outcome(state, text, CommandResult(succeeded=state is CommandState.SUCCEEDED, text=text, nodes=nodes))


def _wanted(order: Order, nodes: tuple[NodeResult, ...]) -> int:
    if order.action is Action.BOOT:
        return len(order.payload["orders"])
    return len(order.payload["processes"]) if order.action is Action.RESTART else len(nodes)
