"""Who holds the parts of a tree: asked rarely, and at once when the root changed hands."""

from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

from services.errors import ConsoleError, NotReachableError
from services.run_control.endpoints import GaveWayError
from services.run_control.part_holders import HOLDERS_EVERY, PartHolders

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
PARTS = [("root/df", "h:2"), ("root/ru", "h:3")]


class Controllers:
    """Controllers that say who holds them, or fail."""

    def __init__(self) -> None:
        self.holders = {"h:2": "alice", "h:3": "alice"}
        self.errors: dict[str, ConsoleError] = {}
        self.refuses = False
        self.asked = 0

    def ask(self, address: str) -> "Future[str]":
        if self.refuses:
            raise GaveWayError("a command goes first")
        self.asked += 1
        answer: Future[str] = Future()
        if address in self.errors:
            answer.set_exception(self.errors[address])
        else:
            answer.set_result(self.holders[address])
        return answer


def test_parts_are_asked_at_first_and_then_now_and_then() -> None:
    there, parts = Controllers(), PartHolders()
    assert parts.of(PARTS, "alice", NOW, there.ask) == {"root/df": "alice", "root/ru": "alice"}
    there.holders["h:2"] = "bob"
    soon = NOW + timedelta(seconds=1)
    assert parts.of(PARTS, "alice", soon, there.ask)["root/df"] == "alice"
    assert there.asked == 2
    assert parts.of(PARTS, "alice", NOW + HOLDERS_EVERY, there.ask)["root/df"] == "bob"


def test_when_the_root_changes_hands_the_parts_are_asked_at_once() -> None:
    there, parts = Controllers(), PartHolders()
    parts.of(PARTS, "alice", NOW, there.ask)
    there.holders["h:3"] = "bob"
    assert parts.of(PARTS, "bob", NOW + timedelta(seconds=1), there.ask)["root/ru"] == "bob"


def test_what_does_not_answer_stays_as_it_was_and_what_is_gone_goes() -> None:
    there, parts = Controllers(), PartHolders()
    parts.of(PARTS, "alice", NOW, there.ask)
    there.errors["h:2"] = NotReachableError("gone")
    there.holders["h:3"] = "bob"
    later = NOW + HOLDERS_EVERY
    assert parts.of(PARTS, "alice", later, there.ask) == {"root/df": "alice", "root/ru": "bob"}
    assert parts.of(PARTS[1:], "alice", later, there.ask) == {"root/ru": "bob"}


def test_commands_go_first() -> None:
    there, parts = Controllers(), PartHolders()
    there.refuses = True
    assert parts.of(PARTS, "alice", NOW, there.ask) == {}
