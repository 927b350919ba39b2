"""Commands that people gave, each with what every node answered. The record stays; nothing disappears by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, elapsed
from components.arguments_form import as_text
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.words import breakable, counted
from services.run_control.types import Action, ArgumentValue, CommandState, CommandView, NodeResult

_ACTION_WORDS = {Action.TAKE_CONTROL: "take control", Action.RELEASE_CONTROL: "release control"}


def command_list(commands: Sequence[CommandView]) -> list[Component]:
    """Return the commands, newest first."""
    return [command_result(command) for command in commands]


def command_result(command: CommandView) -> html.Details:
    """Return one command: outcome, who, when, how long, and its nodes, failed ones first; open unless it succeeded."""
    shown = html.Details(
        [
            html.Summary(_head(command), className="command-head"),
            *([html.Div(command.text, className="command-text")] if command.text else []),
            *([_nodes(command)] if command.nodes else []),
        ],
        open=command.state is not CommandState.SUCCEEDED,
        className="command",
    )
    return marked(shown, data_keep=f"command-{command.id}")


def command_title(command: CommandView) -> str:
    """Return what was asked for: the transition's name, or the action in words."""
    return _ACTION_WORDS.get(command.action) or command.transition or command.action.value


def _head(command: CommandView) -> list[Component]:
    return [
        html.Span(icon(Icon.DOWN), className="command-caret"),
        html.Span(breakable(command_title(command)), className="command-name"),
        _outcome(command),
        html.Span(_by(command), className="command-by"),
    ]


def _outcome(command: CommandView) -> html.Span:
    failed = [node.name for node in command.nodes if not node.succeeded]
    if command.state is CommandState.SUCCEEDED:
        return html.Span([icon(Icon.CHECK), "done"], className="command-outcome")
    if command.state is CommandState.FAILED:
        word = f"failed: {', '.join(failed)}" if failed else "failed"
        return html.Span([glyph(Glyph.ERROR), word], className="command-outcome is-failed")
    if command.state is CommandState.UNKNOWN:
        return html.Span(
            [glyph(Glyph.WARNING), "outcome unknown, not sent again"], className="command-outcome is-unknown"
        )
    word = "waiting" if command.state is CommandState.PENDING else "in progress"
    since = command.claimed_at or command.created_at
    return html.Span([ring(), word, elapsed(since, short=True)], className="command-outcome")


def _by(command: CommandView) -> list[str | Component]:
    parts: list[str | Component] = ["by ", html.B(command.user_name), ", ", clock_time(command.created_at)]
    took = _duration_s(command.claimed_at or command.created_at, command.finished_at)
    if took is not None:
        parts.append(f", took {duration_text(took)}")
    if command.nodes:
        parts.append(f", {counted(len(command.nodes), 'node')}")
    if command.arguments:
        parts.append(f", {_arguments(command.arguments)}")
    return parts


def _duration_s(start: datetime, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if end else None


def _arguments(arguments: Mapping[str, ArgumentValue]) -> str:
    return ", ".join(f"{name} {as_text(value)}" for name, value in arguments.items())


def _nodes(command: CommandView) -> html.Ul:
    """Failed nodes come first; otherwise the order of the tree is kept."""
    ordered = sorted(command.nodes, key=lambda node: node.succeeded)
    return html.Ul([_node(command.id, node) for node in ordered], className="command-nodes")


def _node(command_id: int, node: NodeResult) -> html.Li:
    mark = icon(Icon.CHECK) if node.succeeded else glyph(Glyph.ERROR)
    parts: list[Component] = [
        html.Span(node.name, className="command-node-name", title=node.path),
        html.Span([mark, html.Span(_answer(node), className="command-node-text")], className="command-outcome"),
    ]
    if node.detail:
        details = html.Details([html.Summary("What drunc sent with it"), html.Pre(node.detail)])
        marked(details, data_keep=f"detail-{command_id}-{node.path}")
        parts.append(html.Div(details, className="command-stack"))
    return html.Li(parts, className="command-node" if node.succeeded else "command-node is-failed")


def _answer(node: NodeResult) -> list[str | Component]:
    """Return the node's text; both flags of the wire stand below it where it failed."""
    if node.succeeded:
        return [node.text or "done"]
    flags = [html.Div(breakable(flag), className="command-flag") for flag in (node.flag, node.fsm_flag) if flag]
    return [node.text or "failed", *flags]
