"""What can be done with alarms, and the reason where it cannot."""

import pytest

from components.alarm_actions import CHOOSE, Act, act_obstacle
from services.accounts.types import Identity, Role

ALICE, VERA = Identity("alice", Role.OPERATOR), Identity("vera", Role.VIEWER)
WAITS = {"id": "1", "calls": True, "shelved": False}
ANSWERED = {"id": "2", "calls": False, "shelved": False}
SHELVED = {"id": "3", "calls": False, "shelved": True}
ROWS = (WAITS, ANSWERED, SHELVED)


@pytest.mark.parametrize(
    ("act", "chosen", "obstacle"),
    [
        (Act.ACKNOWLEDGE, (), CHOOSE),
        (Act.ACKNOWLEDGE, (WAITS, ANSWERED), None),
        (Act.ACKNOWLEDGE, (ANSWERED, SHELVED), "What is chosen was answered before."),
        (Act.SHELVE, (), CHOOSE),
        (Act.SHELVE, (ANSWERED,), None),
        (Act.UNSHELVE, (), CHOOSE),
        (Act.UNSHELVE, (WAITS,), "Nothing that is chosen is shelved."),
        (Act.UNSHELVE, (WAITS, SHELVED), None),
    ],
)
def test_what_is_chosen_decides(act: Act, chosen: tuple[dict[str, object], ...], obstacle: str | None) -> None:
    assert act_obstacle(act, ALICE, chosen=chosen, rows=ROWS, is_read=True) == obstacle


def test_all_that_wait_are_acknowledged_if_there_are_any() -> None:
    assert act_obstacle(Act.ACKNOWLEDGE_ALL, ALICE, chosen=(), rows=ROWS, is_read=False) is None
    none = act_obstacle(Act.ACKNOWLEDGE_ALL, ALICE, chosen=(), rows=(ANSWERED, SHELVED), is_read=False)
    assert none == "None waits for somebody."


def test_guidance_is_written_for_the_alarm_that_is_read() -> None:
    carol = Identity("carol", Role.ADMINISTRATOR)
    assert act_obstacle(Act.WRITE, carol, chosen=(), rows=ROWS, is_read=True) is None
    assert act_obstacle(Act.WRITE, carol, chosen=(WAITS,), rows=ROWS, is_read=False) == CHOOSE


@pytest.mark.parametrize("act", Act)
def test_a_viewer_reads_what_the_role_lacks(act: Act) -> None:
    obstacle = act_obstacle(act, VERA, chosen=ROWS, rows=ROWS, is_read=True)
    assert obstacle is not None
    assert obstacle.startswith("The role viewer of vera does not include alarm.")
