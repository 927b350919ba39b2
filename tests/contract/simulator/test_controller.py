"""Controllers of contract 10, over real gRPC: statuses, transitions, errors, inclusion."""

import json
import threading

import pytest

from simulator.installation import Installation
from tests.simulated import RawClient, RecordingPublisher, blamed, child, connected, g1, payload, said, text
from tests.waiting import wait_until
from wire import WireMessage, load_g1

SESSION = "local-1x1-config"
SEGMENTS = {"ru-controller", "df-controller", "trg-controller", "hsi-fake-controller"}
ROOT_TOPIC = f"control.{SESSION}.root-controller"
RUN = g1("int_msg", value=42)
BUSY = "AttributeError: 'StatefulNode' object has no attribute 'node_operational_state'"


def fsm_flags(response: WireMessage) -> dict[str, int]:
    """Return the FSM flags of all nodes of an answer tree by name."""
    flags = {response.name: payload(response).flag}
    for node in response.children:
        flags |= fsm_flags(node)
    return flags


def possible(client: RawClient, key: str = "") -> list[str]:
    return [command.name for command in payload(client.call("describe_fsm", text(key))).commands]


def updates(publisher: RecordingPublisher, topic: str = ROOT_TOPIC) -> list[str]:
    prefix = "Changing operational_state from "
    return [line.removeprefix(prefix) for kind, line in publisher.broadcasts(topic) if kind == "FSM_STATUS_UPDATE"]


def test_describe_is_recursive(root: RawClient) -> None:
    response = root.call("describe")
    description = payload(response)
    assert (description.type, description.name, description.session) == ("controller", "root-controller", SESSION)
    assert [command.name for command in description.commands][:3] == ["describe", "get_children_status", "get_status"]
    assert len(description.commands) == 11
    broadcast = load_g1().unpack(description.broadcast)
    assert broadcast.topic == ROOT_TOPIC
    assert payload(child(response, "ru-controller")).name == "ru-controller"
    application = child(response, "ru-controller", "ru-01")
    assert (application.flag, application.HasField("data")) == (2, False)


def test_status_of_self_and_direct_children_in_the_order_of_ls(root: RawClient) -> None:
    status = root.status()
    assert (status.name, status.state, status.sub_state) == ("root-controller", "initial", "initial")
    assert (status.in_error, status.included) == (False, True)
    names = list(payload(root.call("ls")).text)
    assert set(names) == SEGMENTS
    assert list(root.children_status()) == names


def test_children_announce_that_they_were_asked(root: RawClient, publisher: RecordingPublisher) -> None:
    root.call("get_children_status")
    assert publisher.broadcasts(f"control.{SESSION}.df-controller") == [
        ("ACK", "User 'alice' attempting to execute 'get_status'"),
        ("COMMAND_EXECUTION_SUCCESS", "User 'alice' successfully executed 'get_status'"),
    ]


def test_applications_are_idle_and_known_to_their_controller(small: Installation) -> None:
    with connected(small.controller_address(SESSION, "df-controller"), "Controller") as segment:
        statuses = segment.children_status()
    assert set(statuses) == {"tp-stream-writer", "dfo-01", "df-01"}
    assert (statuses["df-01"].state, statuses["df-01"].sub_state) == ("initial", "idle")


def test_a_whole_run(small: Installation, held: RawClient) -> None:
    for transition, arguments, state in [
        ("conf", {}, "configured"),
        ("start", {"run_number": RUN}, "ready"),
        ("enable_triggers", {}, "running"),
        ("change_rate", {"trigger_rate": g1("float_msg", value=2.5)}, "running"),
        ("disable_triggers", {}, "ready"),
        ("drain_dataflow", {}, "dataflow_drained"),
        ("stop_trigger_sources", {}, "trigger_sources_stopped"),
        ("stop", {}, "configured"),
        ("scrap", {}, "initial"),
    ]:
        response = held.execute(transition, **arguments)
        assert response.flag == 0
        flags = fsm_flags(response)
        assert len(flags) == 13
        assert set(flags.values()) == {0}
        assert held.status().state == state
        assert {status.state for status in held.children_status().values()} == {state}
    with connected(small.controller_address(SESSION, "ru-controller"), "Controller") as segment:
        assert segment.children_status()["ru-01"].sub_state == "idle"


def test_applications_reply_in_json(held: RawClient) -> None:
    reply = payload(child(held.execute("conf"), "ru-controller", "ru-01"))
    assert reply.command_name == "conf"
    answer = json.loads(load_g1().unpack(reply.data).text)
    assert (answer["success"], answer["appname"]) == (True, "ru-01")


def test_transition_broadcasts_every_change(held: RawClient, publisher: RecordingPublisher) -> None:
    publisher.clear()
    held.execute("conf")
    assert updates(publisher) == [
        "initial to preparing-conf",
        "preparing-conf to conf-ready",
        "conf-ready to propagating-conf",
        "propagating-conf to conf-propagated",
        "conf-propagated to executing-conf",
        "executing-conf to conf-terminated",
        "initial to configured",
        "conf-terminated to finalising-conf",
        "finalising-conf to configured",
    ]
    texts = publisher.broadcasts(ROOT_TOPIC)
    assert ("COMMAND_EXECUTION_START", "Propagating execute_fsm_command to children") in texts
    for kind, line in [
        ("CHILD_COMMAND_EXECUTION_START", "Propagating execute_fsm_command to children (ru-controller)"),
        ("CHILD_COMMAND_EXECUTION_SUCCESS", "Propagated execute_fsm_command to children (ru-controller) successfully"),
    ]:
        assert (kind, line) in texts


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", ["conf"]),
        ("start", ["start"]),
        ("ready", ["enable_triggers", "drain_dataflow"]),
        ("nonsense", []),
    ],
)
def test_describe_fsm_keys(root: RawClient, key: str, expected: list[str]) -> None:
    assert possible(root, key) == expected


def test_describe_fsm_of_a_segment_has_no_arguments(small: Installation, root: RawClient) -> None:
    assert len(possible(root, "all-transitions")) == 9
    with connected(small.controller_address(SESSION, "df-controller"), "Controller") as segment:
        description = payload(segment.call("describe_fsm", text("start")))
    assert (description.type, description.name) == ("controller", "df-controller")
    assert not description.commands[0].arguments


def test_transition_that_is_not_allowed_looks_like_a_crash(held: RawClient) -> None:
    response = held.execute("enable_triggers")
    assert (response.flag, blamed(response)) == (7, BUSY)
    assert held.status().state == "initial"


def test_unknown_transition_is_an_index_error(held: RawClient) -> None:
    response = held.execute("go")
    assert response.flag == 7
    assert blamed(response).startswith("IndexError")


def test_missing_argument_changes_nothing(held: RawClient) -> None:
    held.execute("conf")
    response = held.execute("start")
    assert response.flag == 6
    assert blamed(response).endswith('The mandatory argument "run_number" was not provided to the transition ')
    assert held.status().state == "configured"
    assert held.execute("start", run_number=RUN).flag == 0


@pytest.mark.parametrize("run_type", ["", "COSMICS"])
def test_bad_run_type_wedges_the_root(held: RawClient, run_type: str) -> None:
    held.execute("conf")
    assert held.execute("start", run_number=RUN, run_type=g1("string_msg", value=run_type)).flag == 6
    status = held.status()
    assert (status.state, status.sub_state) == ("configured (preparing-start)", "preparing-start")
    assert not status.in_error
    assert blamed(held.execute("start", run_number=RUN)) == BUSY
    assert {child_status.state for child_status in held.children_status().values()} == {"configured"}


def test_failed_grandchild_is_reported_by_nobody_above_its_parent(
    small: Installation, held: RawClient, publisher: RecordingPublisher
) -> None:
    small.fail(SESSION, "conf", "df-01")
    response = held.execute("conf")
    flags = fsm_flags(response)
    assert [name for name, flag in flags.items() if flag] == ["df-01"]
    assert flags["df-01"] == 1
    failed = child(response, "df-controller", "df-01")
    assert failed.flag == 0
    assert json.loads(load_g1().unpack(payload(failed).data).text)["success"] is False
    children = held.children_status()
    assert children["df-controller"].in_error
    assert children["df-controller"].state == "configured"
    # The root is two levels up: it stays fine.
    assert not held.status().in_error
    assert ("STATUS_UPDATE", "Changing error_state from False to True") in publisher.broadcasts(
        f"control.{SESSION}.df-controller"
    )
    with connected(small.controller_address(SESSION, "df-controller"), "Controller") as segment:
        df_01 = segment.children_status()["df-01"]
    assert (df_01.state, df_01.sub_state, df_01.in_error) == ("initial", "executing_cmd", True)


def test_node_in_error_refuses_and_its_parent_goes_in_error(small: Installation, held: RawClient) -> None:
    small.fail(SESSION, "conf", "df-01")
    held.execute("conf")
    response = held.execute("start", run_number=RUN)
    segment = child(response, "df-controller")
    assert (segment.flag, payload(segment).flag, payload(segment).command_name) == (0, 4, "start")
    assert not segment.children
    assert held.status().in_error
    assert payload(held.execute("enable_triggers")).flag == 4


def test_a_failure_is_used_up(small: Installation, held: RawClient) -> None:
    small.fail(SESSION, "conf", "df-01")
    held.execute("conf")
    small.reset()
    with connected(small.controller_address(SESSION), "Controller") as again:
        again.call("take_control")
        assert set(fsm_flags(again.execute("conf")).values()) == {0}


def test_dead_application_is_in_error_and_fails_its_transition(small: Installation, held: RawClient) -> None:
    small.kill(SESSION, "df-01")
    with connected(small.controller_address(SESSION, "df-controller"), "Controller") as segment:
        assert segment.children_status()["df-01"].in_error
        assert not segment.status().in_error
    failed = child(held.execute("conf"), "df-controller", "df-01")
    assert failed.flag == 6
    assert "df-01" in blamed(failed)


def test_controller_that_is_down_is_unknown(
    small: Installation, held: RawClient, publisher: RecordingPublisher
) -> None:
    small.controller_down(SESSION, "trg-controller")
    status = held.children_status()["trg-controller"]
    assert (status.state, status.sub_state, status.in_error, status.included) == ("unknown", "unknown", True, False)
    response = held.execute("conf")
    assert response.flag == 0
    assert child(response, "trg-controller").flag == 6
    assert held.status().in_error
    (line,) = [text for kind, text in publisher.broadcasts(ROOT_TOPIC) if kind == "CHILD_COMMAND_EXECUTION_FAILED"]
    assert line.startswith(
        "Failed to propagate execute_fsm_command to trg-controller (trg-controller) EXCEPTION THROWN: ('"
    )
    assert line.endswith(", 14)")


def test_exclude_and_include_from_the_root(held: RawClient, publisher: RecordingPublisher) -> None:
    response = held.call("exclude")
    assert said(response) == "root-controller and children excluded"
    assert said(child(response, "df-controller")) == "df-controller and children excluded"
    assert said(child(response, "df-controller", "df-01")) == "'df-01' excluded"
    assert ("STATUS_UPDATE", "Changing inclusion_state from True to False") in publisher.broadcasts(ROOT_TOPIC)
    assert payload(held.execute("conf")).flag == 3
    assert not held.status().included
    assert held.call("exclude").flag == 6
    assert said(held.call("include")) == "root-controller and children included"
    assert payload(held.execute("conf")).flag == 0


def test_excluded_segment_counts_as_a_failure(small: Installation, held: RawClient) -> None:
    with connected(small.controller_address(SESSION, "hsi-fake-controller"), "Controller") as segment:
        segment.call("exclude")
    response = held.execute("conf")
    assert payload(child(response, "hsi-fake-controller")).flag == 3
    assert held.status().in_error


def test_excluded_application_breaks_take_control(small: Installation, held: RawClient) -> None:
    held.call("exclude")
    response = held.call("take_control")
    assert (response.flag, said(response)) == (1, "Could not take control on all children")
    assert child(response, "df-controller", "df-01").flag == 7


def test_reads_wait_behind_a_transition(small: Installation, held: RawClient, publisher: RecordingPublisher) -> None:
    """A controller has one worker, so who asks during a transition learns how it ended (contract 10.1)."""
    small.slow(SESSION, "conf", 1.0)
    transition = threading.Thread(target=held.execute, args=("conf",))
    transition.start()
    wait_until(lambda: "conf-ready to propagating-conf" in updates(publisher), 5, "the transition's start")
    status = held.status()
    # The answer came after the transition, so it shows its end.
    assert status.state == "configured"
    assert "finalising-conf to configured" in updates(publisher)
    transition.join(5)
    assert not transition.is_alive()


def test_application_that_dies_in_a_transition_is_noticed_at_once(small: Installation, held: RawClient) -> None:
    small.slow(SESSION, "conf", 60.0)
    answers: list[WireMessage] = []
    transition = threading.Thread(target=lambda: answers.append(held.execute("conf")))
    transition.start()
    for name in ("ru-01", "tp-stream-writer", "dfo-01", "df-01", "tc-maker-1", "mlt", "hsi-fake-01"):
        small.kill(SESSION, name)
    small.kill(SESSION, "hsi-fake-to-tc-app")
    transition.join(8)
    assert child(answers[0], "df-controller", "df-01").flag == 6
