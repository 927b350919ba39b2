"""From a filter to what the indexes can do for it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import product

from sqlalchemy import Column, ColumnElement, and_, true
from sqlalchemy.orm import Session

from models.messages import Message, MessageApplication, MessageSession
from services.messages import search
from services.messages.filters import condition, conjuncts, words_of
from services.messages.names import Names
from services.messages.search import Search
from services.messages.texts import storable
from services.messages.types import (
    Contains,
    Expression,
    Kind,
    MessageFilter,
    Name,
    NameIn,
    Severity,
    SeverityIn,
    Since,
    Until,
    Words,
)
from services.messages.upsert import table_of

# More branches than this cost more than they save; the engines have limits too.
MAX_BRANCHES = 120
_MESSAGE = table_of(Message)

# Columns and the values they must have: the leading columns of an index that ends with the id.
Branch = tuple[tuple[Column[int], int], ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """What no index covers of a filter: ``parts`` of it, and values that columns must have one of. It can be a key."""

    parts: tuple[Expression, ...] = ()
    values: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything at all."""
        return bool(self.parts or self.values)

    def condition(self, dialect: str, contained: Collection[str] = ()) -> ColumnElement[bool]:
        """Return all of it as a condition on the table ``message``, as `services.messages.filters.condition` does."""
        among = (_MESSAGE.c[name].in_(values) for name, values in self.values)
        return and_(true(), *among, *(condition(part, dialect, contained) for part in self.parts))


NO_REST = Rest()


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, ready to run.

    Attributes:
        branches: What an index covers; their results are united. None at all: nothing can match.
        rest: What no branch covers; it makes a search that looks at a bounded stretch of ids.
        search: What the full-text index can do for ``rest``; None if it cannot help.
        since_ns: No message before this moment is wanted; None if the filter says nothing of it.
        until_ns: No message at or after this moment is wanted; None as above.
    """

    branches: tuple[Branch, ...]
    rest: Rest = NO_REST
    search: Search | None = None
    since_ns: int | None = None
    until_ns: int | None = None

    @classmethod
    def build(cls, session: Session, names: Names, wanted: MessageFilter) -> "Selection":
        """Look up names, and choose the index: by session, by application, by severity, or by id alone.

        Severities, sessions and applications that must fit count wherever they stand in the filter.
        """
        asked = _Asked.of(wanted)
        if asked.is_impossible:
            return cls(())
        session_ids, application_ids = (
            None if given is None else names.ids(session, table, given)
            for table, given in ((MessageSession, asked.sessions), (MessageApplication, asked.applications))
        )
        if session_ids == () or application_ids == ():
            return cls(())
        severities = tuple(sorted(asked.severities)) if len(asked.severities) < len(Severity) else ()
        rest = Rest(asked.rest)
        if application_ids is not None:
            branches = _branches(_MESSAGE.c.application_id, application_ids, severities)
            rest = _with_values(rest, session_id=session_ids)
        elif session_ids is not None:
            branches = _branches_with_kind([((_MESSAGE.c.session_id, id_),) for id_ in session_ids], severities)
        else:
            branches = _branches_with_kind([()], severities) if severities else [()]
        sought = Search(asked.words, tuple(severities), session_ids or (), application_ids or ())
        if len(branches) > MAX_BRANCHES:
            rest = _with_values(
                Rest(asked.rest), session_id=session_ids, application_id=application_ids, severity=severities or None
            )
            branches = [()]
            sought = Search(asked.words)
        since = [part.time_ns for part in asked.rest if isinstance(part, Since)]
        until = [part.time_ns for part in asked.rest if isinstance(part, Until)]
        indexed = sought if search.can_find(session, sought) else None
        return cls(tuple(branches), rest, indexed, max(since, default=None), min(until, default=None))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter taken apart; names are None where none is asked for, ``rest`` are the parts that no index knows."""

    severities: frozenset[Severity]
    sessions: frozenset[str] | None
    applications: frozenset[str] | None
    rest: tuple[Expression, ...]

    @classmethod
    def of(cls, wanted: MessageFilter) -> "_Asked":
        severities = wanted.severities or frozenset(Severity)
        names: dict[Name, frozenset[str] | None] = {
            Name.SESSION: _stored(wanted.sessions) or None,
            Name.APPLICATION: _stored(wanted.applications) or None,
        }
        rest: list[Expression] = [Contains(wanted.text)] if wanted.text else []
        for part in conjuncts(wanted.where):
            match part:
                case SeverityIn(wanted_too):
                    severities &= wanted_too
                case NameIn(Name.SESSION | Name.APPLICATION as of, names_too):
                    before = names[of]
                    names[of] = _stored(names_too) if before is None else before & _stored(names_too)
                case _:
                    rest.append(part)
        return cls(severities, names[Name.SESSION], names[Name.APPLICATION], tuple(rest))

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words that the text must have."""
        return tuple(word for part in self.rest if isinstance(part, Words) for word in words_of(part.given))

    @property
    def is_impossible(self) -> bool:
        return not self.severities or self.sessions == frozenset() or self.applications == frozenset()


def _stored(names: frozenset[str]) -> frozenset[str]:
    return frozenset(storable(name) for name in names)


def _branches(column: Column[int], ids: Sequence[int], severities: Sequence[Severity]) -> list[Branch]:
    pairs = product(ids, severities or tuple(Severity))
    return [((column, id_), (_MESSAGE.c.severity, severity.value)) for id_, severity in pairs]


def _branches_with_kind(firsts: Sequence[Branch], severities: Sequence[Severity]) -> list[Branch]:
    """Return a branch for each first part, kind and severity."""
    return [
        (*first, (_MESSAGE.c.kind, kind.value), (_MESSAGE.c.severity, severity.value))
        for first, kind, severity in product(firsts, Kind, severities or tuple(Severity))
    ]


def _with_values(rest: Rest, **columns: Sequence[int] | None) -> Rest:
    """Return a rest by which each column, too, must have one of its values; None: any."""
    return replace(rest, values=tuple((name, tuple(values)) for name, values in columns.items() if values is not None))
