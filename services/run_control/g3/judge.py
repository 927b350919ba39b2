"""Judge the typed answers of G3 over the whole tree, by both flags of every node (contract 6.2, 10.5)."""

from collections.abc import Callable, Iterator

from services.run_control import decode
from services.run_control.command_types import CommandResult, NodeResult
from services.run_control.judge import NO_OWNER, fsm_words, reply_fails, reply_text, summed_up, tolerated
from services.texts import clean
from wire.schema import WireMessage

_Judge = Callable[[WireMessage, str, str], NodeResult]


def command_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``execute_fsm_command`` or ``execute_expert_command``."""
    return summed_up(tuple(_walk(answer, "", _command_node)))


def control_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of ``take_control`` or ``surrender_control``: applications have no owner (contract 8.1)."""
    return summed_up(tuple(_walk(answer, "", _control_node)))


def plain_result(answer: WireMessage) -> CommandResult:
    """Return the outcome of a command that answers nothing but a flag, and a text perhaps."""
    return summed_up(tuple(_walk(answer, "", _plain_node)))


def _walk(answer: WireMessage, parent: str, judge: _Judge) -> Iterator[NodeResult]:
    name = clean(answer.name) or "?"
    path = f"{parent}/{name}" if parent else name
    yield judge(answer, path, name)
    # Children come in order of completion (contract 10.1).
    for child in sorted(answer.children, key=lambda child: str(child.name)):
        yield from _walk(child, path, judge)


def _command_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    flag, fsm_flag = decode.enum_name(answer, "flag"), decode.enum_name(answer, "fsm_flag")
    reply = clean(answer.data)
    succeeded = answer.flag == decode.OK and answer.fsm_flag == decode.OK and not reply_fails(reply)
    text = reply_text(reply) or flag_words(answer) or fsm_words(fsm_flag)
    result = NodeResult(path, name, succeeded, flag, fsm_flag, text, reply or None)
    return tolerated(result) if answer.flag == decode.OK else result


def _control_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    if answer.flag == decode.NOT_IMPLEMENTED:
        return NodeResult(path, name, succeeded=True, flag=decode.enum_name(answer, "flag"), text=NO_OWNER)
    return _plain_node(answer, path, name)


def _plain_node(answer: WireMessage, path: str, name: str) -> NodeResult:
    told = clean(answer.text) if "text" in answer.DESCRIPTOR.fields_by_name else ""
    flag = decode.enum_name(answer, "flag")
    return NodeResult(path, name, answer.flag == decode.OK, flag=flag, text=told or flag_words(answer))


def flag_words(answer: WireMessage) -> str:
    """Return what the flag of an answer means, for people; empty for success."""
    name = decode.enum_name(answer, "flag")
    words = {
        "EXECUTED_SUCCESSFULLY": "",
        "NOT_EXECUTED_NOT_READY": "Not ready: it still waits for its children.",
        "NOT_EXECUTED_BAD_REQUEST_FORMAT": "It does not understand the request: most likely the target is wrong.",
        "NOT_EXECUTED_NOT_IN_CONTROL": "The sender is not in control of it.",
    }
    return words.get(name, name)
