"""What can be done with alarms, and why not."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from services.accounts.types import Identity, Permission

Rows = Sequence[Mapping[str, Any]]

NOTHING_YET = "Alarms are being read."
CHOOSE = "Choose an alarm first."


class Act(StrEnum):
    """What a person can do; the value is the id of its button."""

    ACKNOWLEDGE = "alarms-acknowledge"
    ACKNOWLEDGE_ALL = "alarms-acknowledge-all"
    SHELVE = "alarms-shelve"
    UNSHELVE = "alarms-unshelve"
    WRITE = "alarms-write"


PERMISSIONS = {
    Act.ACKNOWLEDGE: Permission.ACKNOWLEDGE_ALARM,
    Act.ACKNOWLEDGE_ALL: Permission.ACKNOWLEDGE_ALARM,
    Act.SHELVE: Permission.SHELVE_ALARM,
    Act.UNSHELVE: Permission.SHELVE_ALARM,
    Act.WRITE: Permission.WRITE_GUIDANCE,
}


def act_obstacle(act: Act, person: Identity, *, chosen: Rows, rows: Rows, is_read: bool) -> str | None:
    """Return why something cannot be done now, the weightiest reason; None if it can.

    ``chosen`` are the rows that it would be done to, ``rows`` all that have not ended (see `alarm_table.alarm_row`);
    ``is_read`` tells whether one is shown beside them.
    """
    return person.obstacle(PERMISSIONS[act]) or _nothing_to_do(act, chosen, rows, is_read=is_read)


def _nothing_to_do(act: Act, chosen: Rows, rows: Rows, *, is_read: bool) -> str | None:
    match act:
        case Act.ACKNOWLEDGE_ALL:
            return None if any(row["calls"] for row in rows) else "None waits for somebody."
        case Act.WRITE:
            return None if is_read else CHOOSE
        case Act.ACKNOWLEDGE if chosen and not any(row["calls"] for row in chosen):
            return "What is chosen was answered before."
        case Act.UNSHELVE if chosen and not any(row["shelved"] for row in chosen):
            return "Nothing that is chosen is shelved."
        case _:
            return None if chosen else CHOOSE
