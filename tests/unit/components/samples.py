"""Plain data as the services give it, for tests of what is drawn from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.messages.types import Kind, MessageView, RateBucket, Severity
from services.run_control.backend_types import BackendKind, BackendView
from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.node_types import Node, NodeKind
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import RunInfo, SessionSummary

NOW = datetime(2026, 11, 20, 3, 12, 44, 318000, UTC)

_SESSION = SessionSummary(
    name="local-2x3-config",
    state="running",
    sub_state="running",
    state_since=NOW - timedelta(hours=1),
    in_error=False,
    included=True,
    holder="mkovacs",
    holder_since=NOW - timedelta(minutes=20),
    transitions=(),
    possible=(),
    run=RunInfo(),
    root_name="root-controller",
    root_address="localhost:3333",
    generation="G1",
    polled_at=NOW,
    error=None,
    error_since=None,
    processes_running=16,
)

_COMMAND = CommandView(
    id=1,
    request_id="7f3a",
    action=Action.EXECUTE_TRANSITION,
    session="local-2x3-config",
    target="root-controller",
    arguments={},
    user_name="mkovacs",
    created_at=NOW - timedelta(seconds=10),
    state=CommandState.SUCCEEDED,
    text="",
    claimed_at=NOW - timedelta(seconds=9),
    finished_at=NOW - timedelta(seconds=6.59),
    transition="enable_triggers",
)


def session(**changes: Any) -> SessionSummary:
    """Return a running session, with changes."""
    return replace(_SESSION, **changes)


def command(**changes: Any) -> CommandView:
    """Return a finished transition, with changes."""
    return replace(_COMMAND, **changes)


def executing(**changes: Any) -> CommandView:
    """Return a transition in progress, with changes."""
    return command(state=CommandState.EXECUTING, finished_at=None, transition="conf", **changes)


def process(**changes: Any) -> Process:
    """Return a running process, with changes."""
    sample = Process(
        uuid="73cf256d",
        name="df-03",
        session="local-2x3-config",
        user="dunedaq",
        hostname="np04-srv-029",
        status=ProcessStatus.RUNNING,
        tree_id="1.2.5",
        first_seen_at=NOW - timedelta(hours=2),
    )
    return replace(sample, **changes)


def dead(**changes: Any) -> Process:
    """Return a process that ended with 255, with changes."""
    return process(**{"status": ProcessStatus.DEAD, "return_code": 255, "ended_at": NOW} | changes)


def node(path: str, **changes: Any) -> Node:
    """Return a running node, with changes."""
    names = path.split("/")
    kind = NodeKind.CONTROLLER if names[-1].endswith("controller") else NodeKind.APPLICATION
    sample = Node(
        path=path, name=names[-1], kind=kind, depth=len(names) - 1, state="running", in_error=False, included=True
    )
    return replace(sample, **changes)


def backend(**changes: Any) -> BackendView:
    """Return the process manager's address, answering, with changes."""
    sample = BackendView(
        kind=BackendKind.PROCESS_MANAGER,
        address="np04-srv-010:10054",
        generation="G1",
        reachable=True,
        since=NOW - timedelta(hours=1),
        answered_at=NOW,
        tried_at=NOW,
        latency_ms=2.0,
        error=None,
        error_at=None,
    )
    return replace(sample, **changes)


def message(**changes: Any) -> MessageView:
    """Return an error, with changes."""
    sample = MessageView(
        id=7,
        kind=Kind.CONTROLLER,
        severity=Severity.ERROR,
        session="local-2x3-config",
        application="df-03",
        name="EXCEPTION",
        text="conf failed",
        time_ns=int(NOW.timestamp() * 1e9),
        topic="control.x",
        partition=0,
        offset=3,
    )
    return sample._replace(**changes)


def bucket(start: datetime, *counts: int) -> RateBucket:
    """Return one second of messages, counts by rising severity."""
    six = (*counts, 0, 0, 0, 0, 0, 0)
    return RateBucket(
        start_s=int(start.timestamp()),
        width_s=1,
        counts=(six[0], six[1], six[2], six[3], six[4], six[5]),
        min_id=1,
        max_id=2,
    )
