"""Commands that people gave, each with what every target answered. The record stays; nothing disappears by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, elapsed
from components.arguments_form import as_text
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.words import breakable, counted
from services.run_control.command_types import Action, CommandState, CommandView, NodeResult, SequenceStep, StepState
from services.run_control.fsm_types import ArgumentValue

_ACTION_WORDS = {
    Action.TAKE_CONTROL: "take control",
    Action.RELEASE_CONTROL: "release control",
    Action.REQUEST_CONTROL: "ask for control",
    Action.GRANT_CONTROL: "hand over control",
    Action.PROMISE_CONTROL: "promise to hand over control",
    Action.TAKE_PROMISE_BACK: "take back a promise of control",
    Action.DECLINE_CONTROL: "decline to hand over control",
    Action.WITHDRAW_REQUEST: "withdraw a request for control",
    Action.ABORT_SEQUENCE: "stop the sequence",
    Action.INCLUDE: "include",
    Action.EXCLUDE: "exclude",
    Action.RECOMPUTE_STATUS: "recompute status",
    Action.EXPERT_COMMAND: "expert command",
    Action.TO_ERROR: "put into error",
    Action.BOOT: "boot",
    Action.KILL: "kill",
    Action.FLUSH: "flush dead",
    Action.RESTART: "restart",
    Action.TERMINATE: "terminate everything",
    Action.START_SESSION: "start session",
    Action.END_SESSION: "end session",
}
# What these do stands in the title, what they do it to beside it.
_ON_A_NODE = frozenset(
    {Action.INCLUDE, Action.EXCLUDE, Action.RECOMPUTE_STATUS, Action.EXPERT_COMMAND, Action.TO_ERROR}
)
_STEP_WORDS = {
    StepState.WAITING: "not reached",
    StepState.EXECUTING: "in progress",
    StepState.SUCCEEDED: "done",
    StepState.FAILED: "failed",
    StepState.UNKNOWN: "outcome unknown",
    StepState.SKIPPED: "skipped",
}
_STEP_CLASSES = {
    StepState.WAITING: " is-waiting",
    StepState.SKIPPED: " is-waiting",
    StepState.FAILED: " is-failed",
    StepState.UNKNOWN: " is-unknown",
}
# So many targets that did not do it are named in the head; the list below has them all.
NAMED = 3


def command_list(commands: Sequence[CommandView], *, newest_open: bool = False) -> list[Component]:
    """Return the commands, newest first; with ``newest_open`` the first shows all its targets, however it ended."""
    return [command_result(command, is_open=newest_open and not place) for place, command in enumerate(commands)]


def command_result(command: CommandView, *, is_open: bool = False) -> html.Details:
    """Return one command: outcome, who, when, how long, its steps and its targets, failed ones first.

    It is open unless it succeeded, or when ``is_open`` says so.
    """
    shown = html.Details(
        [
            html.Summary(_head(command), className="command-head"),
            *([html.Div(command.text, className="command-text")] if command.text else []),
            *([_steps(command)] if command.steps else []),
            *([_nodes(command)] if command.nodes else []),
        ],
        open=is_open or command.state is not CommandState.SUCCEEDED,
        className="command",
    )
    return marked(shown, data_keep=f"command-{command.id}")


def command_title(command: CommandView) -> str:
    """Return what was asked for: the name of transition or sequence, or the action with its nodes or its session."""
    word = _ACTION_WORDS.get(command.action) or command.transition or command.action.value
    if command.action.is_for_whole_sessions and command.session:
        return f"{word} {command.session}"
    if command.action not in _ON_A_NODE or not command.target:
        return word
    several = command.target.count(", ") + 1
    return f"{word} {counted(several, 'node')}" if several > 1 else f"{word} {command.target.rpartition('/')[2]}"


def _head(command: CommandView) -> list[Component]:
    return [
        html.Span(icon(Icon.DOWN), className="command-caret"),
        html.Span(breakable(command_title(command)), className="command-name", title=command.target or None),
        _outcome(command),
        html.Span(_by(command), className="command-by"),
    ]


def _outcome(command: CommandView) -> html.Span:
    if command.state is CommandState.SUCCEEDED:
        return html.Span([icon(Icon.CHECK), "done"], className="command-outcome")
    if command.state is CommandState.FAILED:
        return html.Span([glyph(Glyph.ERROR), _failed(command)], className="command-outcome is-failed")
    if command.state is CommandState.UNKNOWN:
        return html.Span(
            [glyph(Glyph.WARNING), "outcome unknown, not sent again"], className="command-outcome is-unknown"
        )
    word = "waiting" if command.state is CommandState.PENDING else _progress(command)
    since = command.claimed_at or command.created_at
    return html.Span([ring(), word, elapsed(since, short=True)], className="command-outcome")


def _failed(command: CommandView) -> str:
    """Return whose failure it was: the targets by name, how many of how many when they are a lot, or the step."""
    failed = [node.name for node in command.nodes if not node.succeeded]
    if len(failed) > NAMED:
        return f"failed: {len(failed)} of {len(command.nodes)}"
    if failed:
        return f"failed: {', '.join(failed)}"
    step = next((step.transition for step in command.steps if step.state is StepState.FAILED), None)
    return f"failed: {step}" if step else "failed"


def _progress(command: CommandView) -> str:
    """Return what is going on now: of a sequence its step, and which one it is of how many."""
    for number, step in enumerate(command.steps, 1):
        if step.state is StepState.EXECUTING:
            return f"{step.transition}, step {number} of {len(command.steps)}"
    return "in progress"


def _by(command: CommandView) -> list[str | Component]:
    parts: list[str | Component] = ["by ", html.B(command.user_name), ", ", clock_time(command.created_at)]
    took = _duration_s(command.claimed_at or command.created_at, command.finished_at)
    if took is not None:
        parts.append(f", took {duration_text(took)}")
    if command.nodes:
        what = ("process", "processes") if command.action.is_for_processes else ("node", "nodes")
        parts.append(f", {counted(len(command.nodes), *what)}")
    if command.arguments:
        parts.append(f", {_arguments(command.arguments)}")
    if command.reason:
        parts.append(f", because: {command.reason}")
    if command.aborted_by:
        parts += [", to be stopped, asked by ", html.B(command.aborted_by)]
    return parts


def _duration_s(start: datetime, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if end else None


def _arguments(arguments: Mapping[str, ArgumentValue]) -> str:
    return ", ".join(f"{name} {as_text(value)}" for name, value in arguments.items())


def _steps(command: CommandView) -> html.Ol:
    return html.Ol([_step(step) for step in command.steps], className="command-nodes command-steps")


def _step(step: SequenceStep) -> html.Li:
    said: list[str | Component] = [_STEP_WORDS[step.state]]
    if step.started_at and step.finished_at:
        said.append(f", {duration_text((step.finished_at - step.started_at).total_seconds())}")
    elif step.state is StepState.EXECUTING:
        said.append(elapsed(step.started_at, short=True))
    if step.text and step.state not in (StepState.SUCCEEDED, StepState.EXECUTING):
        said.append(html.Div(step.text, className="command-flag"))
    answer = [_step_mark(step.state), html.Span(said, className="command-node-text")]
    return html.Li(
        [
            html.Span(breakable(step.transition), className="command-node-name"),
            html.Span(answer, className="command-outcome"),
        ],
        className=f"command-node{_STEP_CLASSES.get(step.state, '')}",
    )


def _step_mark(state: StepState) -> Component:
    match state:
        case StepState.EXECUTING:
            return ring()
        case StepState.SUCCEEDED:
            return icon(Icon.CHECK)
        case StepState.FAILED:
            return glyph(Glyph.ERROR)
        case StepState.UNKNOWN:
            return glyph(Glyph.WARNING)
        case _:
            return icon(Icon.MINUS)


def _nodes(command: CommandView) -> html.Ul:
    """Failed ones come first; otherwise the order of the tree is kept."""
    ordered = sorted(command.nodes, key=lambda node: node.succeeded)
    return html.Ul([_node(command, node) for node in ordered], className="command-nodes")


def _node(command: CommandView, node: NodeResult) -> html.Li:
    mark = icon(Icon.CHECK) if node.succeeded else glyph(Glyph.ERROR)
    of_process = command.action.is_for_processes
    parts: list[Component] = [
        html.Span(node.name, className="command-node-name", title=node.path),
        html.Span(
            [mark, html.Span(_answer(node, of_process), className="command-node-text")], className="command-outcome"
        ),
    ]
    if node.detail and of_process:
        parts.append(html.Code(node.detail, className="command-uuid"))
    elif node.detail:
        details = html.Details([html.Summary("What drunc sent with it"), html.Pre(node.detail)])
        marked(details, data_keep=f"detail-{command.id}-{node.path}")
        parts.append(html.Div(details, className="command-stack"))
    return html.Li(parts, className="command-node" if node.succeeded else "command-node is-failed")


def _answer(node: NodeResult, of_process: bool) -> list[str | Component]:  # noqa: FBT001 - what it is, not a switch
    """Return the text; where a node failed, both flags of the wire stand below it. A process's status is its text."""
    if node.succeeded:
        return [node.text or "done"]
    found = () if of_process else (node.flag, node.fsm_flag)
    flags = [html.Div(breakable(flag), className="command-flag") for flag in found if flag]
    return [node.text or "failed", *flags]
