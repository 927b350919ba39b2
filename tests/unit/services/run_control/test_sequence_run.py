"""A sequence, step by step, without drunc and without a database."""

from datetime import UTC, datetime

import pytest

from services.errors import NotReachableError
from services.run_control.command_types import Action, CommandState, StepState
from services.run_control.execution import Order, Outcome, PlannedStep
from services.run_control.fsm_types import Transition
from services.run_control.sequence_run import Progress, SequenceRun

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STEPS = (
    PlannedStep(Transition("conf"), {}, optional=True),
    PlannedStep(Transition("start"), {"run_number": 1}, optional=False),
    PlannedStep(Transition("enable_triggers"), {}, optional=False),
)
ORDER = Order(1, "alice", "s", Action.EXECUTE_SEQUENCE, "h:1", None, {}, steps=STEPS)
WELL = Outcome(CommandState.SUCCEEDED, "all well")


class Runner:
    """What a sequence needs, as the test sets it."""

    def __init__(self, possible: tuple[str, ...] = ("conf",), **outcomes: Outcome) -> None:
        self.possible = possible
        self.outcomes = outcomes
        self.end_before: str | None = None
        self.away = False
        self.sent: list[tuple[str, dict[str, object]]] = []
        self.notes: list[Progress] = []

    def execute(self) -> Outcome:
        run = SequenceRun(self._send, self._look, self.notes.append, self._why_end, lambda: NOW)
        return run.execute(ORDER)

    def _send(self, order: Order) -> Outcome:
        assert order.action is Action.EXECUTE_TRANSITION
        assert order.transition is not None
        self.sent.append((order.transition.name, dict(order.arguments)))
        return self.outcomes.get(order.transition.name, WELL)

    def _look(self) -> tuple[str, ...]:
        if self.away:
            raise NotReachableError("h:1 is away.")
        return self.possible

    def _why_end(self) -> str | None:
        sent = {name for name, _arguments in self.sent}
        return "bob aborted it" if self.end_before and self.end_before in sent else None

    def states(self) -> list[str]:
        return [step.state.value for step in self.notes[-1].steps]


def test_all_steps_in_order_each_with_its_arguments() -> None:
    runner = Runner()
    outcome = runner.execute()
    assert (outcome.state, outcome.text) == (CommandState.SUCCEEDED, "Done: conf, start, enable_triggers.")
    assert runner.sent == [("conf", {}), ("start", {"run_number": 1}), ("enable_triggers", {})]
    assert runner.states() == ["succeeded"] * 3


def test_progress_is_told_before_and_after_each_step() -> None:
    runner = Runner()
    runner.execute()
    seen = [tuple(step.state for step in note.steps) for note in runner.notes[:3]]
    waiting, executing, done = StepState.WAITING, StepState.EXECUTING, StepState.SUCCEEDED
    assert seen == [(executing, waiting, waiting), (done, waiting, waiting), (done, executing, waiting)]
    assert [note.outcome for note in runner.notes[:3]] == [None, WELL, None]


def test_what_is_optional_and_not_possible_is_skipped() -> None:
    runner = Runner(possible=("start",))
    outcome = runner.execute()
    assert outcome.text == "Done: start, enable_triggers."
    assert runner.states() == ["skipped", "succeeded", "succeeded"]


@pytest.mark.parametrize("state", [CommandState.FAILED, CommandState.UNKNOWN])
def test_the_first_that_does_not_succeed_stops_it(state: CommandState) -> None:
    runner = Runner(start=Outcome(state, "df-01 failed"))
    outcome = runner.execute()
    assert (outcome.state, outcome.text) == (state, "Stopped at start. df-01 failed")
    assert [name for name, _arguments in runner.sent] == ["conf", "start"]
    assert runner.states() == ["succeeded", state.value, "waiting"]


def test_it_is_aborted_between_steps() -> None:
    runner = Runner()
    runner.end_before = "start"
    outcome = runner.execute()
    assert (outcome.state, outcome.text) == (CommandState.FAILED, "bob aborted it: enable_triggers was not sent.")
    assert runner.states() == ["succeeded", "succeeded", "waiting"]


def test_nothing_is_sent_where_nobody_tells_what_is_possible() -> None:
    runner = Runner()
    runner.away = True
    outcome = runner.execute()
    assert (outcome.state, outcome.text) == (CommandState.FAILED, "h:1 is away. conf was not sent.")
    assert runner.sent == []
