"""Requests for control: asked, granted, declined, withdrawn, and ended by time or another change of hands."""

from dataclasses import replace

import pytest

from models.commands import Command
from models.database import Database
from models.run_control import DaqSession
from services.audit.trail import AuditTrail
from services.audit.types import AuditKind
from services.errors import (
    ConsoleError,
    InvalidInputError,
    NotFoundError,
    NotInControlError,
    NotPermittedError,
    RefusedError,
    StaleError,
)
from services.revisions import LiveTopic, current
from services.run_control.command_types import Action, CommandState
from services.run_control.commands import CommandLimits
from services.run_control.control_requests import NEWS_FOR, ControlRequestService
from services.run_control.ownership import ControlRequest, RequestState
from services.run_control.queries import RunControlQueries
from services.run_control.request_ends import TIME_TO_ANSWER, RequestCloser
from tests.db.services.run_control.rows import ALICE, BOB, SESSION, VIEWER, SteppingClock, command_row, session_row


class Desk:
    """The service with its clock, and all that can be seen of what it does."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SteppingClock()
        self.audit = AuditTrail(database, self.clock)
        self.queries = RunControlQueries(database, self.clock)
        self.woken = 0
        self.service = ControlRequestService(database, self.audit, self.clock, CommandLimits(), self.wake)
        self.closer = RequestCloser(database, self.audit, self.clock)

    def wake(self) -> None:
        self.woken += 1

    def change(self, **fields: object) -> None:
        with self.database.write() as tx:
            row = tx.get_one(DaqSession, SESSION)
            for name, value in fields.items():
                setattr(row, name, value)

    def begin(self, request_id: str = "r-1", **fields: object) -> int:
        """Let a command of alice be under way; return its number."""
        with self.database.write() as tx:
            row = command_row(request_id, **({"state": "executing", "transition": "start"} | fields))
            tx.add(row)
            tx.flush()
            return row.id

    def end(self, number: int, state: CommandState = CommandState.SUCCEEDED) -> None:
        with self.database.write() as tx:
            tx.get_one(Command, number).state = state.value

    def promised(self) -> tuple[int, int]:
        """Let bob ask, and alice promise it after a command; return the numbers of request and command."""
        command_id, request_id = self.begin(), self.service.request(BOB, SESSION)
        self.service.promise(ALICE, request_id)
        return request_id, command_id

    def revision(self) -> int:
        with self.database.read() as tx:
            return current(tx)[LiveTopic.CONTROL]

    def of(self, person: str) -> ControlRequest:
        (request,) = self.service.concerning(person)
        return request

    def trail(self) -> list[tuple[AuditKind, str, str]]:
        return [(view.entry.kind, view.entry.user_name, view.entry.action) for view in reversed(self.audit.newest())]


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.write() as tx:
        tx.add(session_row())
    return Desk(database)


def test_the_holder_and_who_asked_see_it(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION, " Night shift. ")
    for person in ("alice", "bob"):
        request = desk.of(person)
        assert (request.id, request.requester, request.holder, request.reason, request.state) == (
            request_id,
            "bob",
            "alice",
            "Night shift.",
            RequestState.OPEN,
        )
    assert desk.service.concerning("victor") == ()
    assert desk.revision() == 1
    assert desk.trail() == [(AuditKind.INTENT, "bob", "request_control")]


def test_granted_it_becomes_the_command_by_which_the_requester_takes_control(desk: Desk) -> None:
    command_id = desk.service.grant(ALICE, desk.service.request(BOB, SESSION))
    command = desk.queries.command(command_id)
    assert (command.action, command.user_name, command.reason) == (
        Action.TAKE_CONTROL,
        "bob",
        "handed over by alice",
    )
    request = desk.of("bob")
    assert (request.state, request.command_id) == (RequestState.GRANTED, command_id)
    assert desk.service.concerning("alice") == ()
    assert desk.woken >= 1
    assert desk.trail()[1:] == [
        (AuditKind.INTENT, "bob", "take_control"),
        (AuditKind.INTENT, "alice", "grant_control"),
    ]


def test_declined_it_says_why(desk: Desk) -> None:
    desk.service.decline(ALICE, desk.service.request(BOB, SESSION), "In the middle of a test")
    request = desk.of("bob")
    assert (request.state, request.answer) == (RequestState.DECLINED, "In the middle of a test")
    assert desk.queries.last_commands(SESSION) == ()
    assert desk.revision() == 2


def test_withdrawn_by_who_asked_only(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    with pytest.raises(RefusedError, match="bob who asked"):
        desk.service.withdraw(ALICE, request_id)
    desk.service.withdraw(BOB, request_id)
    assert desk.of("bob").state is RequestState.WITHDRAWN
    with pytest.raises(RefusedError, match="withdrawn already"):
        desk.service.grant(ALICE, request_id)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"holder": "bob"}, RefusedError, "in control already"),
        ({"holder": ""}, RefusedError, "nobody to ask"),
        ({"holder": "controller_init_token"}, RefusedError, "nobody to ask"),
        ({"holder": None}, RefusedError, "not known yet"),
        ({"polled_at": None}, StaleError, "never read"),
        ({"present": False}, NotFoundError, SESSION),
    ],
)
def test_when_nobody_can_be_asked(desk: Desk, fields: dict[str, object], error: type[ConsoleError], words: str) -> None:
    desk.change(**fields)
    with pytest.raises(error, match=words):
        desk.service.request(BOB, SESSION)
    assert desk.trail() == [(AuditKind.REFUSAL, "bob", "request_control")]
    assert desk.service.concerning("bob") == ()


def test_who_may_not_take_control_may_not_ask(desk: Desk) -> None:
    summary = desk.queries.session(SESSION)
    assert "viewer" in (desk.service.why_not(VIEWER, summary) or "")
    with pytest.raises(NotPermittedError):
        desk.service.request(VIEWER, SESSION)
    assert desk.service.why_not(BOB, summary) is None
    assert "already" in (desk.service.why_not(ALICE, summary) or "")


def test_nobody_is_asked_twice_at_once_nor_at_length(desk: Desk) -> None:
    desk.service.request(BOB, SESSION)
    with pytest.raises(RefusedError, match="asked already"):
        desk.service.request(BOB, SESSION)
    with pytest.raises(InvalidInputError, match="reason"):
        desk.service.decline(ALICE, desk.of("bob").id, "x" * 20_000)


def test_only_the_holder_answers(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    with pytest.raises(NotInControlError, match="alice is in control"):
        desk.service.grant(BOB, request_id)
    with pytest.raises(NotInControlError):
        desk.service.decline(BOB, request_id)
    with pytest.raises(NotFoundError):
        desk.service.grant(ALICE, 99)


def test_nothing_is_handed_over_in_the_middle_of_a_command(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    with desk.database.write() as tx:
        tx.add(command_row(state="executing", transition="start"))
    with pytest.raises(RefusedError, match="start of alice"):
        desk.service.grant(ALICE, request_id)
    # Saying no needs no quiet.
    desk.service.decline(ALICE, request_id)


def test_without_an_answer_it_ends_by_itself(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    assert desk.closer.close_due() == 0
    desk.clock.advance(TIME_TO_ANSWER.total_seconds())
    assert desk.service.concerning("alice") == ()
    with pytest.raises(RefusedError, match="time to answer bob is over"):
        desk.service.decline(ALICE, request_id)
    assert desk.closer.close_due() == 1
    assert desk.of("bob").state is RequestState.EXPIRED
    assert desk.trail()[-1] == (AuditKind.OUTCOME, "bob", "request_control")
    desk.clock.advance(NEWS_FOR.total_seconds())
    assert desk.service.concerning("bob") == ()


def test_another_change_of_hands_overtakes_it(desk: Desk) -> None:
    desk.service.request(BOB, SESSION)
    desk.change(holder="somebody_at_a_shell")
    assert desk.closer.close_due() == 1
    request = desk.of("bob")
    assert (request.state, request.answer) == (RequestState.OVERTAKEN, "somebody_at_a_shell is in control now")
    assert desk.revision() == 2


def test_what_is_not_known_overtakes_nothing(desk: Desk) -> None:
    desk.service.request(BOB, SESSION)
    desk.change(present=False)
    assert desk.closer.close_due() == 0


def test_a_grant_that_is_refused_leaves_no_command(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    desk.change(polled_at=None)
    with pytest.raises(StaleError):
        desk.service.grant(ALICE, request_id)
    with desk.database.read() as tx:
        assert tx.query(Command).count() == 0
    assert desk.of("alice").state is RequestState.OPEN


@pytest.mark.parametrize("state", [CommandState.SUCCEEDED, CommandState.FAILED, CommandState.UNKNOWN])
def test_promised_after_a_command_it_is_handed_over_whatever_comes_of_that(desk: Desk, state: CommandState) -> None:
    request_id, command_id = desk.promised()
    assert desk.closer.keep_promises() == 0
    assert desk.of("bob").after_command_id == command_id
    desk.end(command_id, state)
    assert desk.closer.keep_promises() == 1
    request = desk.of("bob")
    assert (request.id, request.state) == (request_id, RequestState.GRANTED)
    command = desk.queries.command(request.command_id or 0)
    assert (command.action, command.user_name, command.reason) == (Action.TAKE_CONTROL, "bob", "handed over by alice")
    assert desk.trail()[1:] == [
        (AuditKind.INTENT, "alice", "promise_control"),
        (AuditKind.INTENT, "bob", "take_control"),
        (AuditKind.OUTCOME, "bob", "request_control"),
    ]
    assert desk.audit.newest()[0].entry.text == f"granted after command {command_id}, as promised"
    # Once.
    assert desk.closer.keep_promises() == 0
    assert desk.revision() == 3


def test_a_promise_does_not_end_by_time_while_the_command_runs(desk: Desk) -> None:
    _, command_id = desk.promised()
    desk.clock.advance(10 * TIME_TO_ANSWER.total_seconds())
    assert desk.closer.close_due() == 0
    assert desk.of("alice").state is RequestState.OPEN
    desk.change(polled_at=desk.clock.now)
    with pytest.raises(RefusedError, match="asked already"):
        desk.service.request(BOB, SESSION)
    desk.end(command_id)
    assert desk.closer.keep_promises() == 1


def test_taken_back_it_waits_for_an_answer_again_and_then_ends_by_time(desk: Desk) -> None:
    request_id, command_id = desk.promised()
    desk.clock.advance(10 * TIME_TO_ANSWER.total_seconds())
    desk.service.take_back(ALICE, request_id)
    assert desk.of("bob").after_command_id is None
    desk.end(command_id)
    assert (desk.closer.keep_promises(), desk.closer.close_due()) == (0, 0)
    with pytest.raises(RefusedError, match="Nothing was promised to bob"):
        desk.service.take_back(ALICE, request_id)
    desk.clock.advance(TIME_TO_ANSWER.total_seconds())
    assert desk.closer.close_due() == 1
    assert desk.of("bob").state is RequestState.EXPIRED


def test_a_promise_is_overruled_by_a_no_and_by_the_requester(desk: Desk) -> None:
    request_id, command_id = desk.promised()
    desk.service.decline(ALICE, request_id, "After all I need it.")
    second = desk.service.request(BOB, SESSION)
    desk.service.promise(ALICE, second)
    desk.service.withdraw(BOB, second)
    desk.end(command_id)
    assert desk.closer.keep_promises() == 0
    assert {request.state for request in desk.service.concerning("bob")} == {
        RequestState.DECLINED,
        RequestState.WITHDRAWN,
    }


def test_during_a_command_one_can_ask_although_no_poll_is_answered(desk: Desk) -> None:
    command_id = desk.begin()
    desk.clock.advance(600)
    desk.service.promise(ALICE, desk.service.request(BOB, SESSION))
    desk.end(command_id)
    assert desk.closer.keep_promises() == 1


def test_where_the_command_has_ended_meanwhile_it_is_handed_over_at_once(desk: Desk) -> None:
    request_id = desk.service.request(BOB, SESSION)
    desk.service.promise(ALICE, request_id)
    assert desk.of("bob").state is RequestState.GRANTED


def test_only_the_holder_promises_and_only_once(desk: Desk) -> None:
    request_id, _ = desk.promised()
    carol = replace(BOB, name="carol")
    other = desk.service.request(carol, SESSION)
    with pytest.raises(RefusedError, match="promised to bob already"):
        desk.service.promise(ALICE, other)
    with pytest.raises(NotInControlError):
        desk.service.promise(BOB, request_id)
    with pytest.raises(NotInControlError):
        desk.service.take_back(BOB, request_id)


def test_a_command_that_was_quicker_is_waited_for_too(desk: Desk) -> None:
    _, command_id = desk.promised()
    desk.end(command_id)
    following = desk.begin(request_id="r-2", transition="scrap")
    assert desk.closer.keep_promises() == 0
    assert desk.of("bob").after_command_id == following
    desk.end(following)
    assert desk.closer.keep_promises() == 1


def test_control_that_was_taken_meanwhile_overtakes_a_promise(desk: Desk) -> None:
    _, command_id = desk.promised()
    desk.change(holder="somebody_at_a_shell")
    desk.end(command_id)
    assert desk.closer.keep_promises() == 0
    assert desk.closer.close_due() == 1
    assert desk.of("bob").state is RequestState.OVERTAKEN


@pytest.mark.parametrize("fields", [{"present": False}, {"holder": None}])
def test_where_nobody_knows_what_there_is_to_hand_over_the_holder_is_asked_again(
    desk: Desk, fields: dict[str, object]
) -> None:
    _, command_id = desk.promised()
    desk.clock.advance(10 * TIME_TO_ANSWER.total_seconds())
    desk.change(**fields)
    desk.end(command_id)
    assert desk.closer.keep_promises() == 0
    request = desk.of("bob")
    assert (request.state, request.after_command_id) == (RequestState.OPEN, None)
    assert request.expires_at == desk.clock.now + TIME_TO_ANSWER
