"""Rows and times that the tests of run control start from."""

from datetime import UTC, datetime, timedelta

from models.commands import Command
from models.run_control import DaqSession
from models.run_control import Node as NodeRow
from models.run_control import Process as ProcessRow
from services.accounts.types import Identity, Role
from services.run_control.command_types import Action, CommandState
from services.run_control.fsm_types import Argument, ArgumentType, Transition
from services.run_control.rows import transitions_to_json

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
SESSION = "local-1x1-config"
ADDRESS = "127.0.0.1:43493"
ALICE = Identity("alice", Role.OPERATOR, "192.0.2.1")
BOB = Identity("bob", Role.OPERATOR, "192.0.2.2")
VIEWER = Identity("victor", Role.VIEWER, "192.0.2.3")
TRANSITIONS = (
    Transition("conf"),
    Transition(
        "start",
        (
            Argument("run_number", ArgumentType.INT, mandatory=True),
            Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=0.0),
            Argument("run_type", ArgumentType.STRING, mandatory=False, default="TEST"),
            Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        ),
    ),
    Transition("scrap"),
)


class SteppingClock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def session_row(name: str = SESSION, **fields: object) -> DaqSession:
    values: dict[str, object] = {
        "root_name": "root-controller",
        "root_address": ADDRESS,
        "generation": "G1",
        "state": "configured",
        "sub_state": "configured",
        "state_since": NOW,
        "in_error": False,
        "included": True,
        "holder": "alice",
        "holder_since": NOW,
        "transitions": transitions_to_json(TRANSITIONS),
        "possible": ["start", "scrap"],
        "polled_at": NOW,
        "present": True,
    }
    return DaqSession(name=name, **(values | fields))


def command_row(request_id: str = "r-1", **fields: object) -> Command:
    values: dict[str, object] = {
        "created_at": NOW,
        "user_name": "alice",
        "remote_address": "192.0.2.1",
        "session": SESSION,
        "action": Action.EXECUTE_TRANSITION.value,
        "target": "root-controller",
        "transition": "start",
        "arguments": {"run_number": 31427, "trigger_rate": 1e16},
        "state": CommandState.PENDING.value,
        "text": "",
    }
    return Command(request_id=request_id, **(values | fields))


def process_row(uuid: str, session: str = SESSION, **fields: object) -> ProcessRow:
    values: dict[str, object] = {
        "name": uuid,
        "user": "dunedaq",
        "hostname": "localhost",
        "status_code": "RUNNING",
        "first_seen_at": NOW,
        "seen_at": NOW,
    }
    return ProcessRow(uuid=uuid, session=session, **(values | fields))


def node_row(path: str, position: int, session: str = SESSION, **fields: object) -> NodeRow:
    values: dict[str, object] = {
        "name": path.rpartition("/")[2],
        "depth": path.count("/"),
        "kind": "controller",
        "state": "configured",
        "in_error": False,
        "included": True,
    }
    return NodeRow(session=session, path=path, position=position, **(values | fields))
