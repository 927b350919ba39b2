"""Filters of messages as small typed expressions, with two readings that agree: SQL, and a plain predicate.

The third, text, is in `services.messages.filter_text`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum
from operator import attrgetter

from sqlalchemy import Column, ColumnElement, and_, case, false, func, literal, not_, or_, select, true

from models.messages import Message, MessageApplication, MessageSession, Topic
from services.messages.texts import storable
from services.messages.types import (
    EVERYTHING,
    And,
    Contains,
    Exactly,
    Expression,
    KindIn,
    MessageView,
    Name,
    NameIn,
    Not,
    Or,
    SeverityIn,
    Since,
    Term,
    Until,
    Words,
)
from services.messages.upsert import table_of

_MESSAGE = table_of(Message).c
_ESCAPE = "\\"
# What a word is made of: digits, the letters A to Z, and whatever is beyond ASCII.
_WORD = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")
# The same seen from before a word, for the three readings.
_BEFORE_WORD = rb"(?:\A|[\x00-/:-@\[-`{-\x7f])"
_BEFORE_WORD_GLOB = "[^0-9A-Za-z\x80-\U0010ffff]"
BEFORE_WORD_POSTGRESQL = r"(^|[\u0001-/:-@\[-`{-\u007f])"


def all_of(*parts: Expression) -> Expression:
    """Return an expression that fits where all parts do, without needless nesting."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(*parts: Expression) -> Expression:
    """Return an expression that fits where one of the parts does, without needless nesting."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


class Match(StrEnum):
    """How a page or a program asks for a text. The value is the word in addresses."""

    WORDS = "words"
    CONTAINS = "contains"
    NOT = "not"
    EXACT = "exact"


def text_filter(match: Match, text: str) -> Expression:
    """Return the expression of a text as it was asked for; without a text everything fits."""
    if not text:
        return EVERYTHING
    match match:
        case Match.WORDS:
            return Words(text)
        case Match.CONTAINS:
            return Contains(text)
        case Match.NOT:
            return Not(Contains(text))
        case Match.EXACT:
            return Exactly(text)


def words_of(given: str) -> tuple[str, ...]:
    """Return the words of a text, in small letters (A to Z); there may be none."""
    return tuple(dict.fromkeys(_small(word) for word in _WORD.findall(storable(given))))


def _small(text: str) -> str:
    """Return a text with the letters A to Z small; others stay: engines and locales do not agree on them."""
    return text.encode().lower().decode()


def conjuncts(expression: Expression) -> tuple[Expression, ...]:
    """Return parts that must all fit."""
    return expression.parts if isinstance(expression, And) else (expression,)


# The predicate

Predicate = Callable[[MessageView], bool]


def fits(expression: Expression, message: MessageView) -> bool:
    """Tell whether a message fits."""
    return predicate(expression)(message)


def predicate(expression: Expression) -> Predicate:
    """Return the expression as a function that tells whether a message fits: to be made once for many messages."""
    match expression:
        case And(parts):
            return _all([predicate(part) for part in parts])
        case Or(parts):
            some = [predicate(part) for part in parts]
            return lambda message: any(one(message) for one in some)
        case Not(part):
            inner = predicate(part)
            return lambda message: not inner(message)
        case _:
            return _term_predicate(expression)


def _all(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    return lambda message: all(part(message) for part in parts)


def _term_predicate(term: Term) -> Predicate:  # noqa: PLR0911  # one for each kind of term
    match term:
        case SeverityIn(severities):
            return lambda message: message.severity in severities
        case KindIn(kinds):
            return lambda message: message.kind in kinds
        case NameIn(of, names):
            name, stored = attrgetter(_ATTRIBUTES[of]), frozenset(_stored(names))
            return lambda message: name(message) in stored
        case Words(given):
            return _has_words(words_of(given))
        case Contains(part):
            sought = _small(storable(part))
            return lambda message: sought in _small(message.text)
        case Exactly(text):
            exactly = storable(text)
            return lambda message: message.text == exactly
        case Since(time_ns):
            return lambda message: message.time_ns >= time_ns
        case Until(time_ns):
            return lambda message: message.time_ns < time_ns


def _has_words(words: Iterable[str]) -> Predicate:
    beginnings = [re.compile(_BEFORE_WORD + re.escape(word.encode())) for word in words]

    def has_them(message: MessageView) -> bool:
        text = message.text.encode().lower()
        return all(beginning.search(text) for beginning in beginnings)

    return has_them


_ATTRIBUTES = {Name.SESSION: "session", Name.APPLICATION: "application", Name.TOPIC: "topic", Name.MESSAGE: "name"}


# SQL

# Those that have a table of their own.
_NAMES: dict[Name, tuple[Column[int], type[MessageSession | MessageApplication | Topic]]] = {
    Name.SESSION: (_MESSAGE.session_id, MessageSession),
    Name.APPLICATION: (_MESSAGE.application_id, MessageApplication),
    Name.TOPIC: (_MESSAGE.topic_id, Topic),
}


def condition(expression: Expression, dialect: str, contained: Collection[str] = ()) -> ColumnElement[bool]:
    """Return the expression as a condition on the table ``message``; ``dialect`` is SQLAlchemy's name of it.

    All texts that are to be looked at are known to have ``contained`` somewhere. Made anew each time, and to be used
    once: see where `services.messages.statements` keeps them.
    """
    match expression:
        case And(parts):
            return and_(true(), *(condition(part, dialect, contained) for part in parts))
        case Or(parts):
            return or_(false(), *(condition(part, dialect, contained) for part in parts))
        case Not(part):
            return not_(condition(part, dialect, contained))
        case _:
            return _term_condition(expression, dialect, contained)


def _term_condition(  # noqa: PLR0911 - one for each kind of term
    term: Term, dialect: str, contained: Collection[str]
) -> ColumnElement[bool]:
    match term:
        case SeverityIn(severities):
            return _MESSAGE.severity.in_(sorted(severities))
        case KindIn(kinds):
            return _MESSAGE.kind.in_(sorted(kinds))
        case NameIn(Name.MESSAGE, names):
            return _MESSAGE.name.in_(_stored(names))
        case NameIn(of, names):
            column, table = _NAMES[of]
            return column.in_(select(table.id).where(table.name.in_(_stored(names))))
        case Words(given):
            words = words_of(given)
            return and_(true(), *(begins_word(word, dialect, is_there=word in contained) for word in words))
        case Contains(part):
            return _contains(part, dialect)
        case Exactly(text):
            return _MESSAGE.text == storable(text)
        case Since(time_ns):
            return _MESSAGE.time_ns >= time_ns
        case Until(time_ns):
            return _MESSAGE.time_ns < time_ns


def _stored(names: Iterable[str]) -> list[str]:
    return sorted(storable(name) for name in names)


def _contains(part: str, dialect: str) -> ColumnElement[bool]:
    escaped = storable(part)
    for special in (_ESCAPE, "%", "_"):
        escaped = escaped.replace(special, _ESCAPE + special)
    # SQLite's LIKE folds these letters and no others; PostgreSQL must be told, or it folds what its locale knows.
    if dialect == "postgresql":
        return _MESSAGE.text.collate("C").ilike(f"%{escaped}%", escape=_ESCAPE)
    return _MESSAGE.text.like(f"%{escaped}%", escape=_ESCAPE)


def begins_word(word: str, dialect: str, *, is_there: bool = False) -> ColumnElement[bool]:
    """Return the condition that a word of the text begins with ``word``, one of `words_of`.

    ``is_there``: it is known to be in the text, be it as the beginning of a word or not.
    """
    if dialect == "postgresql":
        # Letters, digits and what is beyond ASCII mean nothing in a regular expression. It is thorough but slow: it
        # gets only the texts that contain the word somewhere, but not after a space (left to the planner it would come
        # first).
        text = _MESSAGE.text.collate("C")
        small = literal(" ").concat(func.lower(text))
        is_word = case(
            (func.strpos(small, f" {word}") > 0, true()), else_=text.bool_op("~*")(BEFORE_WORD_POSTGRESQL + word)
        )
        return is_word if is_there else case((func.strpos(small, word) > 0, is_word), else_=false())
    any_case = "".join(f"[{letter}{letter.upper()}]" if "a" <= letter <= "z" else letter for letter in word)
    # GLOB is thorough but slow: it gets only the texts that contain the word somewhere, but not after a space (among
    # the columns of a result, SQLite would look at both sides of an AND).
    spaced = literal(" ").concat(_MESSAGE.text)
    is_word = case(
        (spaced.like(f"% {word}%"), true()), else_=spaced.bool_op("GLOB")(f"*{_BEFORE_WORD_GLOB}{any_case}*")
    )
    return is_word if is_there else case((_contains(word, dialect), is_word), else_=false())
