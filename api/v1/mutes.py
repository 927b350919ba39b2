"""The route of mutes: what the feed leaves out at present."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint
from pydantic import Field
from spectree import Response as Answers
from spectree import SpecTree

from api.access import requires
from api.v1.models import WORDS, AnswerModel, SeverityWord
from api.v1.queries import NoQuery
from services.accounts.types import Permission
from services.container import Services
from services.messages.mute_types import Mute


class MuteItem(AnswerModel):
    """Known noise that the feed leaves out until a moment."""

    id: int
    where: str = Field(description="Which messages, as an expression.")
    up_to: SeverityWord = Field(description="Only those up to this severity; FATAL is never muted.")
    reason: str
    muted_by: str
    muted_at: datetime
    until: datetime


class Mutes(AnswerModel):
    """All mutes that last, the newest first."""

    items: list[MuteItem]
    next: None = None


def add_mutes(
    blueprint: Blueprint, document: SpecTree, services: Services, answers: Callable[[type[Any]], Answers]
) -> None:
    """Add the route; ``answers`` declares an answer's model with the errors that go with it."""

    @blueprint.get("/mutes")
    @requires(Permission.VIEW_MESSAGES)
    @document.validate(query=NoQuery, resp=answers(Mutes), tags=["messages"])
    def mutes() -> Mutes:
        """List the mutes that last."""
        return Mutes(items=[_item(mute) for mute in services.mutes.active()])


def _item(mute: Mute) -> MuteItem:
    return MuteItem(
        id=mute.id,
        where=mute.text,
        up_to=WORDS[mute.up_to],
        reason=mute.reason,
        muted_by=mute.by,
        muted_at=mute.at,
        until=mute.until,
    )
