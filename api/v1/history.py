"""Read routes for configurations and the history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint
from spectree import Response as Answers
from spectree import SpecTree

from api.access import requires
from api.v1 import history_models as models
from api.v1 import queries
from services.accounts.types import Permission
from services.container import Services
from services.history.types import Change, HistoryFilter, NodeTransition, TransitionRun


def add_history(
    blueprint: Blueprint, document: SpecTree, services: Services, answers: Callable[[type[Any]], Answers]
) -> None:
    """Add the routes; ``answers`` declares an answer's model with the errors that go with it."""
    view = requires(Permission.VIEW_RUN_CONTROL)

    @blueprint.get("/sessions/configurations")
    @view
    @document.validate(query=queries.NoQuery, resp=answers(models.Configurations), tags=["run control"])
    def configurations() -> models.Configurations:
        """List what a session can be booted from; empty where there is no session manager."""
        found = services.run_control.configurations()
        return models.Configurations(
            items=[models.ConfigurationItem(file=known.file, session_id=known.id) for known in found]
        )

    @blueprint.get("/sessions/history")
    @view
    @document.validate(resp=answers(models.Changes), tags=["history"])
    def history(query: queries.HistoryQuery) -> models.Changes:
        """List changes of sessions, nodes, processes, runs and backends, newest first."""
        wanted = HistoryFilter(
            session=query.session,
            start=query.start,
            end=query.end,
            subjects=frozenset(query.subject),
            aspects=frozenset(query.aspect),
            name=query.name,
        )
        page = services.history.changes(wanted, before=query.before, limit=query.limit)
        return models.Changes(items=[_change(change) for change in page.changes], next=page.next_before)

    @blueprint.get("/sessions/transitions")
    @view
    @document.validate(resp=answers(models.Transitions), tags=["history"])
    def transitions(query: queries.TransitionsQuery) -> models.Transitions:
        """List the last transitions of a session with what each node did; empty for a session that nobody knows."""
        runs = services.history.transitions(query.session, query.limit)
        return models.Transitions(items=[_transition(run) for run in runs])


def _change(change: Change) -> models.ChangeItem:
    return models.ChangeItem(
        id=change.id,
        at=change.at,
        noted_at=change.noted_at,
        source=change.source.value,
        session=change.session,
        subject=change.subject.value,
        name=change.name,
        aspect=change.aspect.value,
        old=change.old,
        new=change.new,
        uuid=change.uuid,
        command_id=change.command_id,
    )


def _transition(run: TransitionRun) -> models.TransitionItem:
    return models.TransitionItem(
        id=run.id,
        transition=run.transition,
        state_before=run.state_before,
        state_after=run.state_after,
        began_at=run.began_at,
        ended_at=run.ended_at,
        duration_s=_seconds(run.duration),
        outcome=run.outcome.value,
        source=run.source.value,
        command_id=run.command_id,
        nodes=[_node(node) for node in run.nodes],
    )


def _node(node: NodeTransition) -> models.NodeTransitionItem:
    return models.NodeTransitionItem(
        path=node.path,
        began_at=node.began_at,
        ended_at=node.ended_at,
        duration_s=_seconds(node.duration),
        outcome=node.outcome.value,
        source=node.source.value,
        text=node.text,
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
