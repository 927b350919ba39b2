"""What the API takes: parameters in addresses."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.v1.models import SeverityWord
from services.history.queries import MAX_CHANGES, MAX_RUNS
from services.history.types import Aspect, Subject
from services.messages.export import MAX_ROWS
from services.messages.filter_text import MAX_TEXT
from services.messages.filters import Match
from services.messages.measurement_queries import MAX_POINTS
from services.messages.types import Severity

MAX_LIMIT = 500
MAX_ID = 2**63 - 1


class ExportForm(StrEnum):
    """In what form messages are exported."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class Muted(StrEnum):
    """What becomes of messages that are muted."""

    SHOW = "show"
    HIDE = "hide"


def _comma_list(value: object) -> list[str]:
    """Take ``node,process`` as well as a parameter given several times."""
    parts = value if isinstance(value, list) else [value]
    return [word.strip() for part in parts for word in str(part).split(",") if word.strip()]


def _upper_case_list(value: object) -> object:
    """Take ``ERROR,fatal`` as well as a parameter given several times."""
    return [word.upper() for word in _comma_list(value)]


class _Query(BaseModel):
    """Parameters in the address. Unknown ones are errors: a misspelt filter must not answer with everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(_Query):
    """No parameters."""


class SessionsQuery(_Query):
    """Which sessions."""

    vanished: bool = Field(default=False, description="Those that are gone instead, the last one first.")


class ProcessesQuery(_Query):
    """Which processes."""

    session: str | None = Field(None, max_length=255, description="Only processes of this session.")


class TreeQuery(_Query):
    """Which tree."""

    session: str = Field(min_length=1, max_length=255, description="Session whose application tree is wanted.")


class _MessageFilterQuery(_Query):
    """What messages are filtered by."""

    severity: Annotated[list[SeverityWord], BeforeValidator(_upper_case_list)] = Field(
        default_factory=list, description="Severities, separated by commas; empty for all."
    )
    session: str | None = Field(None, max_length=255, description="Only messages of this session.")
    application: str | None = Field(None, max_length=255, description="Only messages of this application.")
    q: str = Field("", max_length=200, description="Text to look for.")
    match: Match = Field(
        Match.CONTAINS,
        description="How q is meant: words that begin so, contains it (both in any case of the letters A to Z), "
        "does not contain it, or is exactly it.",
    )
    where: str = Field("", max_length=MAX_TEXT, description="Expression that must fit too, see docs/api.md.")
    muted: Muted = Field(
        Muted.SHOW, description="show: as any other; hide: left out like on the page, and counted in hidden."
    )

    @property
    def severities(self) -> frozenset[Severity]:
        """The severities asked for."""
        return frozenset(Severity[word] for word in self.severity)


class MessagesQuery(_MessageFilterQuery):
    """Which messages."""

    limit: int = Field(200, ge=1, le=MAX_LIMIT, description="How many at most.")
    before: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a smaller id: older ones.")
    after: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a greater id: newer ones.")

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.before is not None and self.after is not None:
            raise ValueError("give either before or after, not both")
        return self


class ExportQuery(_MessageFilterQuery):
    """Which messages, and in which form."""

    form: ExportForm = Field(ExportForm.CSV, description="csv, or jsonl: one JSON object a line.")
    limit: int = Field(MAX_ROWS, ge=1, le=MAX_ROWS, description="How many messages at most.")
    before: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a smaller id.")
    after: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a greater id.")


class _TimesQuery(_Query):
    """A range of time; rates and points are of the last 15 minutes without."""

    start: datetime | None = Field(None, description="Begin, ISO 8601 with a time zone.")
    end: datetime | None = Field(None, description="End, ISO 8601 with a time zone.")

    @model_validator(mode="after")
    def _times_are_right(self) -> Self:
        if any(moment is not None and moment.tzinfo is None for moment in (self.start, self.end)):
            raise ValueError("times need a time zone, e.g. 2026-01-31T12:00:00Z")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class RatesQuery(_TimesQuery):
    """Which rates."""

    session: str | None = Field(None, max_length=255, description="Only messages of this session.")


class MeasurementsQuery(_Query):
    """Which series of measured values."""

    session: str | None = Field(None, max_length=255, description="Only series of this session.")
    application: str | None = Field(None, max_length=255, description="Only series of this application.")


class PointsQuery(_TimesQuery):
    """Which points of a series."""

    series: int = Field(ge=1, le=MAX_ID, description="Id of the series.")
    points: int = Field(
        MAX_POINTS, ge=1, le=MAX_POINTS, description="How many points at most; buckets are as wide as that needs."
    )


class HistoryQuery(_TimesQuery):
    """Which changes."""

    session: str | None = Field(None, max_length=255, description="Only of this session.")
    subject: Annotated[list[Subject], BeforeValidator(_comma_list)] = Field(
        default_factory=list, description="What changed, separated by commas; empty for all."
    )
    aspect: Annotated[list[Aspect], BeforeValidator(_comma_list)] = Field(
        default_factory=list, description="What of it changed, separated by commas; empty for all."
    )
    name: str | None = Field(None, max_length=1024, description="Only of this node (its path), process or backend.")
    limit: int = Field(200, ge=1, le=MAX_CHANGES, description="How many at most.")
    before: int | None = Field(None, ge=0, le=MAX_ID, description="The next, older page: `next` of the last answer.")


class TransitionsQuery(_Query):
    """Which transitions."""

    session: str = Field(min_length=1, max_length=255, description="Session whose transitions are wanted.")
    limit: int = Field(20, ge=1, le=MAX_RUNS, description="How many at most.")
