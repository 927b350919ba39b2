"""Random commands of two people through our layer to a simulated session: what it shows is what the contract says."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.run_control.adapter import ControllerAdapter
from services.run_control.command_types import Action, CommandState
from services.run_control.execution import Order, execute
from services.run_control.fsm_types import ArgumentValue, Transition
from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.model import TRANSITIONS, Controller, Tree
from tests.contract.run_control.sites import DF, G1, G2A, G2B, G3, ROOT, Site, Variant, simulated

PART = "df-controller"
SEGMENTS = (PART, "ru-controller", "trg-controller", "hsi-fake-controller")
USERS = st.sampled_from(["alice", "bob"])
# Mostly whoever is in control: others are refused.
HOLDER = "the holder"
MOSTLY_THE_HOLDER = st.sampled_from([HOLDER] * 6 + ["alice", "bob"])
GIVEN: Mapping[str, Mapping[str, ArgumentValue]] = {"start": {"run_number": 1}, "change_rate": {"trigger_rate": 1.5}}


class TwoPeople(RuleBasedStateMachine):
    """Alice and Bob command a session; the model does the same."""

    variant: ClassVar[Variant]

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.site: Site = self.open.enter_context(simulated(self.variant))
        self.tree = Tree(self.variant.generation, {name: Controller() for name in SEGMENTS})
        self.transitions: Mapping[str, Transition] = {}

    def teardown(self) -> None:
        self.open.close()

    @initialize(user=USERS)
    def begin(self, user: str) -> None:
        """Take control: most of what can be done needs it."""
        self.transitions = {known.name: known for known in self.site.root.transitions(user)}
        assert set(self.transitions) == set(TRANSITIONS)
        self.take(user)

    @rule(user=USERS)
    def take(self, user: str) -> None:
        self._agree(self.tree.take(user), self._command(Action.TAKE_CONTROL, user))

    @rule(who=MOSTLY_THE_HOLDER)
    def take_part(self, who: str) -> None:
        user, part = self._person(who), self.site.controller(PART)
        self._agree(self.tree.take_part(PART, user), self._command(Action.TAKE_CONTROL, user, part))

    @rule(user=USERS)
    def release(self, user: str) -> None:
        self._agree(self.tree.release(user), self._command(Action.RELEASE_CONTROL, user))

    @rule(who=MOSTLY_THE_HOLDER)
    def turn_part(self, who: str) -> None:
        """Include or exclude it, whichever it is not."""
        self._set_included(who, included=not self.tree.segments[PART].included)

    @rule(who=MOSTLY_THE_HOLDER, included=st.booleans())
    def set_included(self, who: str, included: bool) -> None:
        self._set_included(who, included=included)

    @rule(choice=st.integers(0, 3))
    def leave_part_behind(self, choice: int) -> None:
        """Its state is another one then: what the root can do next, it cannot."""
        self._set_included(HOLDER, included=False)
        self.execute_possible(choice)
        self._set_included(HOLDER, included=True)

    def _set_included(self, who: str, *, included: bool) -> None:
        user = self._person(who)
        action = Action.INCLUDE if included else Action.EXCLUDE
        adapter, path = (self.site.controller(PART), "") if self.variant is G1 else (self.site.root, DF)
        expected = self.tree.set_included(PART, user, included)
        self._agree(expected, self._command(action, user, adapter, {"path": path}))

    @rule(who=MOSTLY_THE_HOLDER, name=st.sampled_from(sorted(TRANSITIONS)))
    def execute_any(self, who: str, name: str) -> None:
        self._execute(self._person(who), name)

    @rule(choice=st.integers(0, 3))
    def execute_possible(self, choice: int) -> None:
        possible = [name for name in TRANSITIONS if self.tree.root.allows(name)]
        self._execute(self._person(HOLDER), possible[choice % len(possible)])

    @precondition(lambda self: self.variant is G1 and self.tree.root.in_error)
    @rule(user=USERS)
    def boot_anew(self, user: str) -> None:
        """G1 has no other way out of an error."""
        self.site.installation.reset()
        self.tree = Tree(self.variant.generation, {name: Controller() for name in SEGMENTS})
        self.begin(user)

    @precondition(lambda self: self.variant is not G1)
    @rule(who=MOSTLY_THE_HOLDER)
    def recompute(self, who: str) -> None:
        """Who is stuck in error comes out of it if the rest agrees; what that is, is read from it (contract 10.7)."""
        user = self._person(who)
        allowed = self.tree.root.holder == user
        succeeded = self._command(Action.RECOMPUTE_STATUS, user)
        if not allowed:
            assert not succeeded
            return
        nodes = self.site.nodes()
        for name, controller in {ROOT: self.tree.root, **self.tree.segments}.items():
            controller.state, controller.in_error = nodes[name].state or "", nodes[name].in_error
        if succeeded and not self.tree.root.in_error:
            agreeing = {known.state for known in self.tree.segments.values() if known.marked}
            assert agreeing <= {self.tree.root.state}

    @invariant()
    def shows_what_is_so(self) -> None:
        nodes = self.site.nodes()
        for name, controller in {ROOT: self.tree.root, **self.tree.segments}.items():
            shown = nodes[name]
            told = (controller.state, controller.in_error, controller.included)
            assert (shown.state, shown.in_error, shown.included) == told, name
        assert nodes["df-01"].included is self.tree.segments[PART].included
        assert self.site.root.holder("carol") == self.tree.root.holder
        assert self.site.controller(PART).holder("carol") == self.tree.segments[PART].holder
        possible = self.site.root.possible("carol")
        assert possible == tuple(name for name in TRANSITIONS if self.tree.root.allows(name))

    def _person(self, who: str) -> str:
        return who if who != HOLDER else self.tree.root.holder or "alice"

    def _execute(self, user: str, name: str) -> None:
        order = Order(1, user, SESSION, Action.EXECUTE_TRANSITION, "", self.transitions[name], GIVEN.get(name, {}))
        outcome = execute(order, self.site.root)
        assert outcome.after is not None
        self._agree(self.tree.execute(name, user), outcome.state is CommandState.SUCCEEDED)
        # What is written together with the command is what is true afterwards.
        assert (outcome.after.status.state, outcome.after.holder) == (self.tree.root.state, self.tree.root.holder)

    def _command(
        self,
        action: Action,
        user: str,
        adapter: ControllerAdapter | None = None,
        payload: Mapping[str, object] | None = None,
    ) -> bool:
        outcome = execute(Order(1, user, SESSION, action, "", None, {}, payload or {}), adapter or self.site.root)
        assert outcome.state in (CommandState.SUCCEEDED, CommandState.FAILED)
        assert outcome.text
        return outcome.state is CommandState.SUCCEEDED

    @staticmethod
    def _agree(expected: bool, succeeded: bool) -> None:
        assert succeeded is expected


@pytest.mark.parametrize("variant", [G1, G2A, G2B, G3], ids=str)
def test_two_people_and_the_contract(variant: Variant) -> None:
    machine = type("TwoPeopleWith" + str(variant), (TwoPeople,), {"variant": variant})
    run_state_machine_as_test(
        machine,
        # Each example boots a session: what fails is shown as it was found.
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
