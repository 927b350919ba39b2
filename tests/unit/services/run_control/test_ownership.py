"""Who lost control to whom: only what nobody agreed to is a loss."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.ownership import Loss, loss
from services.run_control.session_types import INITIAL_HOLDER
from tests.unit.services.run_control.test_preflight import SESSION

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
HELD = replace(SESSION, holder="alice", holder_since=THEN)


def command(number: int, user: str, action: Action = Action.TAKE_CONTROL, **fields: object) -> CommandView:
    made = CommandView(
        id=number,
        request_id=f"r-{number}",
        action=action,
        session="s",
        target="root-controller",
        arguments={},
        user_name=user,
        created_at=THEN,
        state=CommandState.SUCCEEDED,
        text="",
        finished_at=THEN,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


ALICE, BOB = command(1, "alice"), command(2, "bob", reason="my turn")


def test_another_program_took_it() -> None:
    held = replace(HELD, holder="shell_user")
    assert loss(held, [ALICE]) == Loss("s", "alice", "shell_user", THEN, outside=True)


def test_somebody_took_it_here_and_said_why() -> None:
    held = replace(HELD, holder="bob")
    assert loss(held, [BOB, ALICE]) == Loss("s", "alice", "bob", THEN, outside=False, reason="my turn")


def test_what_was_handed_over_is_not_lost() -> None:
    assert loss(replace(HELD, holder="bob"), [BOB, ALICE], frozenset({BOB.id})) is None


@pytest.mark.parametrize(
    ("holder", "commands"),
    [
        ("alice", [ALICE]),
        ("alice", []),
        ("shell_user", []),
        ("alice", [ALICE, replace(ALICE, id=0)]),
        # Released before the other took it.
        ("bob", [BOB, command(1, "alice", Action.RELEASE_CONTROL)]),
        ("shell_user", [command(2, "alice", Action.RELEASE_CONTROL), ALICE]),
        # Given up, or booted anew: nobody has it.
        ("", [ALICE]),
        (INITIAL_HOLDER, [ALICE]),
        (None, [ALICE]),
        ("alice", [replace(BOB, state=CommandState.FAILED), ALICE]),
    ],
)
def test_all_of_these_are_in_good_order(holder: str | None, commands: list[CommandView]) -> None:
    assert loss(replace(HELD, holder=holder), commands) is None
