"""Judge a command's answer over the whole tree: a parent may report success where a child failed (contract 10.5)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from services.errors import SchemaMismatchError
from services.run_control.command_types import CommandResult, NodeResult
from services.run_control.decode import (
    NOT_IMPLEMENTED,
    OK,
    enum_name,
    fault_text,
    flag_name,
    unpacked,
)
from services.texts import clean
from wire.schema import WireMessage

# A G1 controller that means to refuse a transition fails instead (contract 10.5 step 1). One whose sub-state stays
# `preparing-...` refuses everything in this way until it is booted anew (step 3).
_REFUSAL_THAT_FAILS = "has no attribute 'node_operational_state'"

FSM_EXCLUDED = "FSM_NOT_EXECUTED_EXCLUDED"
NO_OWNER = "Applications have no owner."
NOT_ASKED = "Passed on, not executed here."

# (answer, path, name) → the node's result
_Judge = Callable[[WireMessage, str, str], NodeResult]


def transition_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``execute_fsm_command``: every node must have both flags good."""
    return summed_up(tuple(_walk(answer, "", _transition_node)))


def partial_transition_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``execute_fsm_command`` in G2, which may be for a part of the tree (contract 5.1, 10.5)."""
    return summed_up(tuple(_walk(answer, "", _partial_transition_node)))


def control_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``take_control`` or ``surrender_control``: applications have no owner (contract 8.1)."""
    return summed_up(tuple(_walk(answer, "", _control_node)))


def expert_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``execute_expert_command`` in G2: applications answer their JSON reply (contract 10.7)."""
    return summed_up(tuple(_walk(answer, "", _expert_node)))


def plain_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``include`` or ``exclude``: every node must have a good flag."""
    return summed_up(tuple(_walk(answer, "", _plain_node)))


def _walk(answer: WireMessage, parent: str, judge: _Judge) -> Iterator[NodeResult]:
    name = clean(answer.name) or "?"
    path = f"{parent}/{name}" if parent else name
    yield judge(answer, path, name)
    # Children come in order of completion, which changes from call to call (contract 10.1).
    for child in sorted(answer.children, key=lambda child: str(child.name)):
        yield from _walk(child, path, judge)


def _partial_transition_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag == OK and not answer.HasField("data"):
        # On the way to the target: it only passed the command on.
        return NodeResult(path, name, succeeded=True, flag=flag_name(answer), text=NOT_ASKED)
    return tolerated(_transition_node(answer, path, name))


def tolerated(result: NodeResult) -> NodeResult:
    """Return the result of a G2 or G3 node: below the top, what is excluded does not count (contract 10.5)."""
    below = "/" in result.path
    return replace(result, succeeded=True) if below and result.fsm_flag == FSM_EXCLUDED else result


def _transition_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag != OK:
        return _failed(answer, path, name)
    content = None
    problem = "The answer tells nothing of the transition."
    if answer.HasField("data"):
        try:
            content = unpacked(answer.data)
        except SchemaMismatchError as error:
            problem = error.message
    if content is None or content.DESCRIPTOR.name != "FSMCommandResponse":
        return NodeResult(path, name, succeeded=False, flag=flag_name(answer), text=problem)
    text, detail = _application_reply(content)
    fsm_flag = enum_name(content, "flag")
    succeeded = content.flag == OK
    return NodeResult(path, name, succeeded, flag_name(answer), fsm_flag, text or fsm_words(fsm_flag), detail)


def fsm_words(name: str) -> str:
    """Return what an FSM flag means, for people; the flag itself if the schema does not know it."""
    words = {
        "FSM_EXECUTED_SUCCESSFULLY": "",
        "FSM_FAILED": "The transition failed.",
        "FSM_INVALID_TRANSITION": "The transition is not possible in its state.",
        FSM_EXCLUDED: "Excluded: it did not take part.",
        "FSM_NOT_EXECUTED_IN_ERROR": "In error: it did not take part.",
    }
    return words.get(name, name)


def _application_reply(content: WireMessage) -> tuple[str, str | None]:
    """Return the text and the whole of an application's JSON reply (contract 10.5, 17)."""
    if not content.HasField("data") or not content.data.type_url:
        return "", None
    try:
        reply = unpacked(content.data)
    except SchemaMismatchError as error:
        return error.message, None
    if reply.DESCRIPTOR.name != "PlainText":
        return "", None
    detail = clean(reply.text)
    return reply_text(detail), detail or None


def reply_text(reply: str) -> str:
    """Return the text of an application's JSON reply (contract section 17); what is no JSON is text itself."""
    try:
        parsed = json.loads(reply)
    except (ValueError, RecursionError):
        return reply
    result = parsed.get("result") if isinstance(parsed, dict) else None
    return clean(result) if isinstance(result, str) else ""


def _expert_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag != OK:
        return _failed(answer, path, name)
    reply, _ = fault_text(answer) if answer.HasField("data") else (NOT_ASKED, "")
    return NodeResult(
        path, name, not reply_fails(reply), flag=flag_name(answer), text=reply_text(reply), detail=reply or None
    )


def reply_fails(reply: str) -> bool:
    """Tell whether an application's JSON reply says that it failed."""
    try:
        parsed = json.loads(reply)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and parsed.get("success") is False


def _control_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag == NOT_IMPLEMENTED:
        return NodeResult(path, name, succeeded=True, flag=flag_name(answer), text=NO_OWNER)
    return _plain_node(answer, path, name)


def _plain_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag != OK:
        return _failed(answer, path, name)
    # A status says nothing in words.
    says = answer.data.type_url.endswith(".PlainText")
    text = fault_text(answer)[0] if says else ""
    return NodeResult(path, name, succeeded=True, flag=flag_name(answer), text=text)


def _failed(answer: WireMessage, path: str, name: str) -> NodeResult:
    text, stack = fault_text(answer)
    if _REFUSAL_THAT_FAILS in text:
        text = f"The transition is not possible in its state, or an earlier one never ended. ({text})"
    return NodeResult(path, name, succeeded=False, flag=flag_name(answer), text=text, detail=stack or None)


def summed_up(nodes: tuple[NodeResult, ...]) -> CommandResult:
    """Return the outcome over all nodes: every one must have succeeded; the deepest failure is named."""
    failed = [node for node in nodes if not node.succeeded]
    if not failed:
        return CommandResult(succeeded=True, text=f"{_count(len(nodes))} answered, all well.", nodes=nodes)
    # The deepest failure is the cause; those above it are its consequences.
    worst = max(failed, key=lambda node: node.path.count("/"))
    text = f"{len(failed)} of {_count(len(nodes))} failed. {worst.path}: {worst.text}"
    return CommandResult(succeeded=False, text=text, nodes=nodes)


def _count(number: int) -> str:
    return "1 node" if number == 1 else f"{number} nodes"
