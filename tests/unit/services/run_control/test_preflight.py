"""The check before a run: each thing it depends on, as go, note or no-go."""

from dataclasses import replace

import pytest

from services.run_control.fsm_types import Argument, ArgumentType, Transition
from services.run_control.node_types import Node, NodeKind
from services.run_control.preflight import Check, Preflight, Subject, Verdict, Wanted, preflight, starts_a_run
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import RunInfo, SessionSummary

START = Transition(
    "start",
    (
        Argument("run_number", ArgumentType.INT, mandatory=True),
        Argument("disable_data_storage", ArgumentType.BOOL, mandatory=False, default=False),
        Argument("trigger_rate", ArgumentType.FLOAT, mandatory=False, default=0.0),
    ),
)
SESSION = SessionSummary(
    name="s",
    state="configured",
    sub_state="configured",
    state_since=None,
    in_error=False,
    included=True,
    holder="alice",
    holder_since=None,
    transitions=(START,),
    possible=("start",),
    run=RunInfo(),
    root_name="root-controller",
    root_address="127.0.0.1:1",
    generation="G1",
    polled_at=None,
    error=None,
    error_since=None,
)
ROOT = Node("root-controller", "root-controller", NodeKind.CONTROLLER, 0, "configured", in_error=False, included=True)
DF = replace(ROOT, path="root-controller/df-03", name="df-03", depth=1)
ALIVE = Process("u-1", "df-03", "s", "dunedaq", "localhost", ProcessStatus.RUNNING)
DEAD = replace(ALIVE, status=ProcessStatus.DEAD, return_code=255)
WANTED = Wanted(START, {"run_number": "31428"})


def look(
    person: str = "alice", nodes: tuple[Node, ...] = (ROOT, DF), process: Process = ALIVE, wanted: Wanted = WANTED
) -> Preflight:
    return preflight(person, SESSION, nodes, (process,), wanted)


def found(checks: Preflight, subject: Subject) -> Check:
    (check,) = [check for check in checks.checks if check.subject is subject]
    return check


def test_all_in_order_is_a_go() -> None:
    checks = look()
    assert checks.go
    assert checks.noted == ()
    assert [check.title for check in checks.checks] == [
        "You are in control",
        "root-controller is configured",
        "2 of 2 nodes configured",
        "1 of 1 processes alive",
        "Run 31428",
        "Data is stored",
        "Trigger rate as configured",
    ]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"person": "bob"}, "alice is in control"),
        ({"nodes": (ROOT, replace(DF, in_error=True))}, "df-03 in error"),
        ({"nodes": (ROOT, replace(DF, state="initial"))}, "df-03 not configured"),
        ({"nodes": (ROOT, replace(DF, state=None))}, "df-03 not configured"),
        ({"process": DEAD}, "df-03 dead"),
        ({"wanted": Wanted(START, {})}, "No run number"),
        ({"wanted": Wanted(START, {"run_number": "twelve"})}, "No run number"),
        (
            {"wanted": replace(WANTED, obstacles=("alice is in control of s.", "What is known of s is 9 s old."))},
            "root-controller cannot start",
        ),
    ],
)
def test_each_of_these_is_a_no_go_that_stands_first(changes: dict[str, object], title: str) -> None:
    checks = look(**changes)  # type: ignore[arg-type]
    assert not checks.go
    assert (checks.checks[0].title, checks.checks[0].verdict) == (title, Verdict.NO_GO)
    assert checks.checks[0].reason


@pytest.mark.parametrize(
    ("changes", "subject", "title"),
    [
        ({"nodes": (ROOT, replace(DF, included=False))}, Subject.EXCLUDED, "df-03 excluded"),
        ({"wanted": replace(WANTED, used={31428})}, Subject.RUN_NUMBER, "Run 31428 was used before"),
        (
            {"wanted": Wanted(START, {"run_number": 1, "disable_data_storage": "true"})},
            Subject.STORAGE,
            "Data is not stored",
        ),
    ],
)
def test_each_of_these_is_worth_knowing(changes: dict[str, object], subject: Subject, title: str) -> None:
    checks = look(**changes)  # type: ignore[arg-type]
    assert checks.go
    assert [(check.subject, check.title) for check in checks.noted] == [(subject, title)]


def test_an_excluded_node_is_neither_awaited_nor_missed() -> None:
    checks = look(nodes=(ROOT, replace(DF, included=False, in_error=True, state="initial")), process=DEAD)
    assert checks.go
    assert found(checks, Subject.NODES).title == "1 of 1 nodes configured"
    assert found(checks, Subject.PROCESSES).verdict is Verdict.NOTE


def test_names_of_many_are_counted() -> None:
    nodes = tuple(replace(DF, name=f"df-{number}", path=f"r/df-{number}", in_error=True) for number in range(5))
    check = found(look(nodes=(ROOT, *nodes)), Subject.NODES)
    assert (check.title, check.path) == ("df-0, df-1, df-2 and 2 more in error", "r/df-0")


def test_what_a_server_does_not_ask_for_is_not_checked() -> None:
    checks = look(wanted=Wanted(Transition("start"), {}))
    assert {check.subject for check in checks.checks} == {
        Subject.CONTROL,
        Subject.STATE,
        Subject.NODES,
        Subject.PROCESSES,
    }


def test_a_rate_that_is_no_number_is_told_at_its_field_only() -> None:
    checks = look(wanted=Wanted(START, {"run_number": 1, "trigger_rate": "12,4"}))
    assert Subject.RATE not in {check.subject for check in checks.checks}


def test_nobody_in_control_is_said_so() -> None:
    checks = preflight("alice", replace(SESSION, holder="controller_init_token"), (ROOT,), (), WANTED)
    assert found(checks, Subject.CONTROL).title == "Nobody is in control"


def test_only_what_begins_a_run_is_checked() -> None:
    assert starts_a_run(("conf", "start"))
    assert not starts_a_run(("conf",))
