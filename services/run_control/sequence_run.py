"""A sequence, executed step by step: what cannot be done stops it, what is optional is skipped."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.clock import Clock
from services.errors import ConsoleError
from services.run_control.command_types import Action, CommandState, SequenceStep, StepState
from services.run_control.execution import Order, Outcome, PlannedStep


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sequence is. ``outcome`` is what came of the transition ``order``, None where it was not sent."""

    order: Order
    steps: tuple[SequenceStep, ...]
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """What a sequence needs of the runner.

    Attributes:
        send: Sends one transition and returns what came of it.
        look: Returns what is possible now.
        note: Writes how far the sequence is, and raises where nobody may go on.
        why_end: Tells between steps why it goes no further; None if it does.
        clock: The time.
    """

    send: Callable[[Order], Outcome]
    look: Callable[[], tuple[str, ...]]
    note: Callable[[Progress], None]
    why_end: Callable[[], str | None]
    clock: Clock

    def execute(self, order: Order) -> Outcome:
        """Execute all steps, up to the first that does not succeed."""
        steps = [SequenceStep(planned.transition.name) for planned in order.steps]
        last: Outcome | None = None
        for position, planned in enumerate(order.steps):
            name = planned.transition.name
            why = self.why_end()
            if why is not None:
                return _ended(last, f"{why}: {name} was not sent.")
            try:
                skipped = planned.optional and name not in self.look()
            except ConsoleError as error:
                return _ended(last, f"{error.message} {name} was not sent.")
            if skipped:
                steps[position] = replace(steps[position], state=StepState.SKIPPED, text="Not possible, not needed.")
                self.note(Progress(order, tuple(steps)))
                continue
            last = self._step(order, planned, steps, position)
            if last.state is not CommandState.SUCCEEDED:
                return replace(last, text=f"Stopped at {name}. {last.text}")
        done = ", ".join(step.transition for step in steps if step.state is StepState.SUCCEEDED)
        return replace(last or Outcome(CommandState.SUCCEEDED, ""), text=f"Done: {done or 'nothing was needed'}.")

    def _step(self, order: Order, planned: PlannedStep, steps: list[SequenceStep], position: int) -> Outcome:
        transition = replace(
            order,
            action=Action.EXECUTE_TRANSITION,
            transition=planned.transition,
            arguments=planned.arguments,
            steps=(),
        )
        step = replace(steps[position], state=StepState.EXECUTING, started_at=self.clock())
        steps[position] = step
        self.note(Progress(transition, tuple(steps)))
        outcome = self.send(transition)
        steps[position] = replace(
            step, state=StepState(outcome.state.value), text=outcome.text, finished_at=self.clock()
        )
        self.note(Progress(transition, tuple(steps), outcome))
        return outcome


def _ended(last: Outcome | None, text: str) -> Outcome:
    """Return that it went no further; the answers to the last step stay."""
    return replace(last or Outcome(CommandState.FAILED, ""), state=CommandState.FAILED, text=text)
