"""What the API gives of configurations and of the history."""

from datetime import datetime

from pydantic import Field

from api.v1.models import AnswerModel


class ConfigurationItem(AnswerModel):
    """One configuration (contract 5.3, ``ConfigKey``)."""

    file: str
    session_id: str


class Configurations(AnswerModel):
    """What a session can be booted from, in the session manager's order."""

    items: list[ConfigurationItem]
    next: None = None


class ChangeItem(AnswerModel):
    """One change."""

    id: int
    at: datetime = Field(description="Best known time of the change.")
    noted_at: datetime = Field(description="When the console learnt of it.")
    source: str = Field(description="Where the time comes from: poll, broadcast or command.")
    session: str | None
    subject: str
    name: str
    aspect: str
    old: str | int | float | bool | None
    new: str | int | float | bool | None
    uuid: str | None = Field(description="Of a process.")
    command_id: int | None = Field(description="The command of this console that did it.")


class Changes(AnswerModel):
    """A page of changes, newest first. ``next`` is the value of ``before`` for the next, older page."""

    items: list[ChangeItem]
    next: int | None


class NodeTransitionItem(AnswerModel):
    """What one node did in a transition; times are its own where ``source`` is broadcast, else bounds."""

    path: str
    began_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    outcome: str
    source: str
    text: str


class TransitionItem(AnswerModel):
    """One time that a session went through a transition."""

    id: int
    transition: str | None = Field(description="Null where more than one happened between two polls.")
    state_before: str | None
    state_after: str | None
    began_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    outcome: str
    source: str
    command_id: int | None
    nodes: list[NodeTransitionItem]


class Transitions(AnswerModel):
    """The last transitions of a session, newest first."""

    items: list[TransitionItem]
    next: None = None
