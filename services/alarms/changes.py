"""How alarms change when what calls for them does: a pure function, so that every path can be tried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.alarms.types import AlarmKind, AlarmView, Condition, Priority

# Alarms that are not ended. Nobody can answer more; what is beyond is summed up in one.
MAX_OPEN = 1_000
OVERFLOW_KEY = f"{AlarmKind.OVERFLOW.value}:all"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written.

    Attributes:
        raised: New alarms, the weightiest first.
        repeated: Alarms whose condition came again, by id.
        reworded: Alarms that stand but say something else now, by id.
        cleared: Ids of alarms whose condition is gone.
    """

    raised: Sequence[Condition] = ()
    repeated: Mapping[int, Condition] | None = None
    reworded: Mapping[int, Condition] | None = None
    cleared: Sequence[int] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.raised or self.repeated or self.reworded or self.cleared)


def changes(
    alarms: Iterable[AlarmView], lasting: Sequence[Condition], happened: Sequence[Condition], max_open: int = MAX_OPEN
) -> Changes:
    """Compare alarms that have not ended with what calls for them now.

    Args:
        alarms: All that have not ended.
        lasting: Everything that is not as it should be; what is missing here is as it should be again.
        happened: What has happened since the last time.
        max_open: So many alarms may be there that have not ended.
    """
    opened = {alarm.key: alarm for alarm in alarms}
    standing = {condition.key: condition for condition in lasting}
    new, beyond = _within(
        [item for item in (*standing.values(), *happened) if item.key not in opened], max_open - len(opened)
    )
    if beyond:
        overflow = _overflow(beyond)
        standing[OVERFLOW_KEY] = overflow
        if OVERFLOW_KEY not in opened:
            new = [overflow, *new]
    known = [(opened[key], condition) for key, condition in standing.items() if key in opened]
    return Changes(
        raised=new,
        repeated={alarm.id: item for alarm, item in known if alarm.cleared_at is not None}
        | {opened[item.key].id: item for item in happened if item.key in opened},
        reworded={alarm.id: item for alarm, item in known if alarm.cleared_at is None and alarm.text != item.text},
        cleared=[alarm.id for alarm in opened.values() if alarm.cleared_at is None and alarm.key not in standing],
    )


def _within(wanted: list[Condition], room: int) -> tuple[list[Condition], list[Condition]]:
    ordered = sorted(wanted, key=lambda condition: -condition.priority)
    return ordered[: max(room, 0)], ordered[max(room, 0) :]


def _overflow(beyond: Sequence[Condition]) -> Condition:
    worst = beyond[0]
    return Condition(
        key=OVERFLOW_KEY,
        kind=AlarmKind.OVERFLOW,
        priority=max(worst.priority, Priority.MEDIUM),
        session="",
        subject="alarms",
        text="More is wrong than alarms can be listed one by one; end some of those that are there.",
        at=max(condition.at for condition in beyond),
    )
