"""The process manager of contract 9, over real gRPC."""

from collections.abc import Sequence

import pytest

from simulator.installation import Installation
from tests.simulated import RawClient, RecordingPublisher, blamed, g1, payload
from tests.waiting import wait_until
from wire import WireMessage

SESSION = "local-1x1-config"
TOPIC = "control.dunedaq.process_manager"


def query(*names: str, uuids: Sequence[str] = (), user: str = "", session: str = "") -> WireMessage:
    return g1(
        "ProcessQuery",
        names=names,
        uuids=[g1("ProcessUUID", uuid=known) for known in uuids],
        user=user,
        session=session,
    )


def listed(manager: RawClient, wanted: WireMessage | None = None, rpc: str = "ps") -> dict[str, WireMessage]:
    response = manager.call(rpc, query(".*") if wanted is None else wanted)
    assert response.flag == 0
    return {value.process_description.metadata.name: value for value in payload(response).values}


def exits(publisher: RecordingPublisher) -> list[str]:
    return [text for kind, text in publisher.broadcasts(TOPIC) if kind == "SUBPROCESS_STATUS_UPDATE"]


def dummy(name: str = "dummy_boot_0", host: str = "localhost", program: str = "echo") -> WireMessage:
    lines = [{"exec": "echo", "args": ["Starting dummy_boot."]}, {"exec": "sleep", "args": ["10s"]}]
    return g1(
        "BootRequest",
        process_description=g1(
            "ProcessDescription",
            metadata=g1("ProcessMetadata", user="ann", session="mine", name=name),
            executable_and_arguments=[*lines, {"exec": program, "args": ["Exiting."]}],
        ),
        process_restriction=g1("ProcessRestriction", allowed_hosts=[host]),
    )


def test_describe(manager: RawClient) -> None:
    description = payload(manager.call("describe"))
    assert (description.type, description.name, description.session) == (
        "process_manager",
        "process_manager",
        "dunedaq",
    )
    names = [command.name for command in description.commands]
    assert names == ["describe", "kill", "restart", "boot", "terminate", "flush", "logs", "ps"]
    broadcast = g1("KafkaBroadcastHandlerConfiguration").FromString(description.broadcast.value)
    assert (broadcast.kafka_address, broadcast.topic) == ("broker:9092", TOPIC)


def test_ps_lists_the_session(manager: RawClient) -> None:
    processes = listed(manager)
    assert len(processes) == 14
    df_01 = processes["df-01"]
    metadata = df_01.process_description.metadata
    assert (metadata.user, metadata.session, metadata.hostname, metadata.tree_id) == (
        "dunedaq",
        SESSION,
        "localhost",
        "1.2.3",
    )
    assert not metadata.HasField("uuid")
    assert (df_01.status_code, df_01.return_code) == (0, 0)
    assert len({value.uuid.uuid for value in processes.values()}) == 14


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (query("^df-01$"), {"df-01"}),
        (query("df"), {"df-controller", "dfo-01", "df-01"}),
        (query("^mlt$", "^ru-01$"), {"mlt", "ru-01"}),
        (query(), set()),
        (query(session="elsewhere"), set()),
    ],
)
def test_queries(manager: RawClient, wanted: WireMessage, names: set[str]) -> None:
    assert set(listed(manager, wanted)) == names


def test_session_or_name_selects(manager: RawClient) -> None:
    assert len(listed(manager, query("^mlt$", session=SESSION))) == 14


def test_bad_expression_is_an_unhandled_exception(manager: RawClient) -> None:
    response = manager.call("ps", query("*"))
    assert response.flag == 7
    assert blamed(response).startswith("re.")


def test_dead_application_stays_listed_until_flushed(
    small: Installation, manager: RawClient, publisher: RecordingPublisher
) -> None:
    small.kill(SESSION, "df-01", exit_code=139)
    dead = listed(manager)["df-01"]
    assert (dead.status_code, dead.return_code) == (1, 139)
    assert exits(publisher) == [
        f"Process 'df-01' (session: '{SESSION}', user: 'dunedaq') process exited with exit code 139"
    ]
    assert set(listed(manager, query(".*"), "flush")) == {"df-01"}
    assert "df-01" not in listed(manager)
    assert len(listed(manager)) == 13


def test_kill_removes_and_reports_the_signal(manager: RawClient, publisher: RecordingPublisher) -> None:
    killed = listed(manager, query("^mlt$"), "kill")["mlt"]
    assert (killed.status_code, killed.return_code) == (1, -9)
    assert "mlt" not in listed(manager)
    assert exits(publisher)[0].endswith("process exited with exit code -9")
    assert listed(manager, query("^mlt$"), "kill") == {}


def test_kill_keeps_the_code_of_who_was_dead_already(small: Installation, manager: RawClient) -> None:
    small.kill(SESSION, "mlt", exit_code=3)
    assert listed(manager, query("^mlt$"), "kill")["mlt"].return_code == 3


def test_terminate_ends_everything_whatever_the_query(manager: RawClient) -> None:
    assert len(listed(manager, query(), "terminate")) == 14
    assert listed(manager) == {}


def test_restart_keeps_the_uuid(small: Installation, manager: RawClient) -> None:
    before = listed(manager)["df-01"]
    small.kill(SESSION, "df-01")
    after = payload(manager.call("restart", query(uuids=[before.uuid.uuid])))
    assert (after.uuid.uuid, after.status_code) == (before.uuid.uuid, 0)
    assert listed(manager)["df-01"].status_code == 0


def test_restart_of_a_killed_process_is_a_key_error(manager: RawClient) -> None:
    known = listed(manager, query("^mlt$"), "kill")["mlt"].uuid.uuid
    response = manager.call("restart", query("^mlt$"))
    assert (response.flag, blamed(response)) == (7, f"KeyError: '{known}'")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (query("nobody"), "The process corresponding to the query doesn't exist"),
        (query("df"), "There are more than 1 processes corresponding to the query"),
    ],
)
def test_restart_and_logs_want_exactly_one(manager: RawClient, wanted: WireMessage, reason: str) -> None:
    restarted = manager.call("restart", wanted)
    (logged,) = manager.call("logs", g1("LogRequest", query=wanted))
    for response in (restarted, logged):
        assert response.flag == 6
        assert blamed(response).endswith(reason)


def test_logs_are_the_last_lines_with_their_ends(manager: RawClient) -> None:
    known = listed(manager)["df-01"].uuid.uuid
    answers = manager.call("logs", g1("LogRequest", query=query(uuids=[known]), how_far=0))
    lines = [payload(answer) for answer in answers]
    assert lines[0].line.startswith("SSHPM: Starting process ")
    assert lines[0].line.endswith(" as user dunedaq\n")
    assert {line.uuid.uuid for line in lines} == {known}
    (last,) = manager.call("logs", g1("LogRequest", query=query("^df-01$"), how_far=1))
    assert payload(last).line == lines[-1].line


def test_dummy_process_runs_to_its_end(manager: RawClient, publisher: RecordingPublisher) -> None:
    booted = payload(manager.call("boot", dummy()))
    assert not booted.process_description.metadata.HasField("tree_id")
    wait_until(lambda: listed(manager)["dummy_boot_0"].status_code == 1, 5, "the end of the dummy process")
    assert listed(manager)["dummy_boot_0"].return_code == 0
    wait_until(lambda: exits(publisher), 5, "its announcement")
    assert exits(publisher)[0].endswith("(session: 'mine', user: 'ann') process exited with exit code None")
    logged = manager.call("logs", g1("LogRequest", query=query("dummy")))
    assert [payload(answer).line for answer in logged][1:] == ["Starting dummy_boot.\n", "Exiting.\n"]


@pytest.mark.parametrize(
    ("request_message", "code"),
    [(dummy("lost", host="nowhere"), 255), (dummy("missing", program="no-such-program"), 127)],
)
def test_boot_succeeds_even_if_the_process_cannot_live(
    manager: RawClient, request_message: WireMessage, code: int
) -> None:
    response = manager.call("boot", request_message)
    assert response.flag == 0
    name = payload(response).process_description.metadata.name
    wait_until(lambda: listed(manager)[name].status_code == 1, 5, "the end of the process")
    assert listed(manager)[name].return_code == code
