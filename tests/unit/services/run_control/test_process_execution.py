"""One command on processes: looked up, sent once, judged by what is listed afterwards."""

from dataclasses import replace

import pytest

from services.errors import BusyError, ConsoleError, DruncError, NotReachableError
from services.run_control.boot_order import dummy_orders, order_to_json
from services.run_control.command_types import Action, CommandState
from services.run_control.execution import Order
from services.run_control.process_execution import execute_on_processes
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery, ProcessStatus
from tests.unit.services.run_control.unasked import UnaskedProcessManager

ONE = Process("u-1", "df-01", "s", "alice", "h", ProcessStatus.RUNNING)
TWO = replace(ONE, uuid="u-2", name="ru-01")
KILL = Order(1, "alice", "s", Action.KILL, "h:1", None, {}, {"processes": {"u-1": "df-01", "u-2": "ru-01"}})
BOOT = replace(
    KILL, action=Action.BOOT, payload={"orders": [order_to_json(order) for order in dummy_orders("s", "u", 3, 1, 1)]}
)


class FakeManager(UnaskedProcessManager):
    """A process manager whose list and faults the test sets."""

    def __init__(self, *listed: Process) -> None:
        self.listed = {process.uuid: process for process in listed}
        self.read_error: ConsoleError | None = None
        self.write_error: ConsoleError | None = None
        self.survivors: frozenset[str] = frozenset()
        self.boots_before_error = 99
        self.sent: list[object] = []

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        if self.read_error:
            raise self.read_error
        return tuple(process for uuid, process in self.listed.items() if uuid in query.uuids)

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        self.sent.append((user, query.uuids))
        if self.write_error:
            raise self.write_error
        gone = [self.listed.pop(uuid) for uuid in query.uuids if uuid not in self.survivors]
        return tuple(replace(process, status=ProcessStatus.DEAD, return_code=-9) for process in gone)

    def boot(self, user: str, order: BootOrder) -> Process:
        if len(self.sent) == self.boots_before_error and self.write_error:
            raise self.write_error
        self.sent.append(order.name)
        booted = replace(ONE, uuid=f"b-{len(self.sent)}", name=order.name)
        self.listed[booted.uuid] = booted
        return booted


def test_what_is_still_listed_was_not_killed() -> None:
    drunc = FakeManager(ONE, TWO)
    drunc.survivors = frozenset({"u-2"})
    outcome = execute_on_processes(KILL, drunc)
    assert outcome.state is CommandState.FAILED
    assert outcome.text == "1 of 2 processes killed. Not: ru-01."
    assert outcome.result is not None
    assert [(node.name, node.succeeded, node.flag) for node in outcome.result.nodes] == [
        ("df-01", True, "DEAD"),
        ("ru-01", False, "RUNNING"),
    ]
    assert outcome.processes is not None
    assert (outcome.processes.asked, outcome.processes.listed) == (frozenset({"u-1", "u-2"}), (TWO,))


def test_only_what_is_still_listed_is_sent() -> None:
    drunc = FakeManager(TWO)
    assert execute_on_processes(KILL, drunc).state is CommandState.SUCCEEDED
    assert drunc.sent == [("alice", ("u-2",))]


@pytest.mark.parametrize("error", [NotReachableError("gone"), BusyError("late")])
def test_without_an_answer_nobody_knows(error: ConsoleError) -> None:
    drunc = FakeManager(ONE, TWO)
    drunc.write_error = error
    outcome = execute_on_processes(KILL, drunc)
    assert outcome.state is CommandState.UNKNOWN
    assert "outcome is unknown" in outcome.text
    assert len(drunc.sent) == 1


def test_nothing_is_sent_where_nothing_is_listed_or_told() -> None:
    for drunc in (FakeManager(), FakeManager(ONE)):
        drunc.read_error = NotReachableError("away") if drunc.listed else None
        outcome = execute_on_processes(KILL, drunc)
        assert outcome.state is CommandState.FAILED
        assert outcome.text.endswith("Nothing was sent.")
        assert drunc.sent == []


def test_booting_stops_at_the_first_that_fails() -> None:
    drunc = FakeManager()
    drunc.write_error, drunc.boots_before_error = DruncError("No allowed host provided!"), 1
    outcome = execute_on_processes(BOOT, drunc)
    assert (outcome.state, drunc.sent) == (CommandState.FAILED, ["dummy_boot_0"])
    assert outcome.text == "1 of 3 processes booted. No allowed host provided!"
