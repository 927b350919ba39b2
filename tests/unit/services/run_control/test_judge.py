"""A command is judged over the whole tree, by both flags of every node."""

import json

import pytest

from services.run_control.g1.messages import message
from services.run_control.judge import control_result, transition_result
from wire.schema import WireMessage, load_g1


def make(name: str, /, **fields: object) -> WireMessage:
    return message(name)(**fields)


def pack(message: WireMessage) -> WireMessage:
    return load_g1().pack(message)


def node(name: str, *children: WireMessage, fsm: int = 0, flag: int = 0, reply: str | None = None) -> WireMessage:
    packed = None if reply is None else pack(make("PlainText", text=reply))
    content = make("FSMCommandResponse", flag=fsm, command_name="conf", data=packed)
    return make("Response", name=name, flag=flag, data=pack(content), children=children)


def crashed(name: str, line: str = "grpc.RpcError: gone") -> WireMessage:
    return make("Response", name=name, flag=7, data=pack(make("Stacktrace", text=["Traceback", line, ""])))


def test_all_well() -> None:
    result = transition_result(node("root", node("df", node("df-01")), node("ru")))
    assert result.succeeded
    assert [found.path for found in result.nodes] == ["root", "root/df", "root/df/df-01", "root/ru"]


def test_children_are_sorted_because_they_come_as_they_end() -> None:
    result = transition_result(node("root", node("zz"), node("aa")))
    assert [found.name for found in result.nodes] == ["root", "aa", "zz"]


def test_a_failed_grandchild_below_a_parent_that_reports_success() -> None:
    reply = json.dumps({"success": False, "result": "no link", "appname": "df-01"})
    result = transition_result(node("root", node("df", node("df-01", fsm=1, reply=reply))))
    assert not result.succeeded
    root, segment, application = result.nodes
    assert (root.succeeded, segment.succeeded, application.succeeded) == (True, True, False)
    assert (application.text, application.detail) == ("no link", reply)
    assert result.text == "1 of 3 nodes failed. root/df/df-01: no link"


def test_the_deepest_failure_is_named() -> None:
    result = transition_result(node("root", node("df", node("df-01", fsm=1), fsm=1), fsm=1))
    assert result.text.startswith("3 of 3 nodes failed. root/df/df-01")


@pytest.mark.parametrize(
    ("fsm", "name"),
    [
        (2, "FSM_INVALID_TRANSITION"),
        (3, "FSM_NOT_EXECUTED_EXCLUDED"),
        (4, "FSM_NOT_EXECUTED_IN_ERROR"),
        (42, "FSMResponseFlag_42"),
    ],
)
def test_every_other_fsm_flag_is_a_failure(fsm: int, name: str) -> None:
    result = transition_result(node("root", node("df", fsm=fsm)))
    assert not result.succeeded
    assert result.nodes[1].fsm_flag == name


def test_an_exception_keeps_its_stack() -> None:
    result = transition_result(node("root", crashed("df", "drunc.X: port closed")))
    assert (result.nodes[1].text, result.nodes[1].fsm_flag) == ("drunc.X: port closed", None)
    assert "Traceback" in (result.nodes[1].detail or "")


def test_success_without_a_word_about_the_transition_is_no_success() -> None:
    assert not transition_result(make("Response", name="root")).succeeded
    assert not transition_result(make("Response", name="root", data=pack(make("Empty")))).succeeded


def test_a_reply_that_is_no_json_is_shown_as_it_is() -> None:
    assert transition_result(node("a", reply="boom")).nodes[0].text == "boom"
    assert transition_result(node("a", reply='{"result": "\\ud800"}')).nodes[0].text == "?"


def test_applications_have_no_owner() -> None:
    tree = make("Response", name="root", data=pack(make("PlainText", text="alice took control")))
    tree.children.add(name="app", flag=2)
    result = control_result(tree)
    assert result.succeeded
    assert result.nodes[0].text == "alice took control"


def test_a_child_that_did_not_follow_fails_the_taking() -> None:
    tree = make("Response", name="root", flag=1, data=pack(make("PlainText", text="Could not take control")))
    tree.children.add().CopyFrom(crashed("df"))
    result = control_result(tree)
    assert [found.succeeded for found in result.nodes] == [False, False]
