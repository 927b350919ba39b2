"""The text of a filter, as it stands in addresses: ``severity=ERROR,FATAL and not (session=np04 or words=timeout)``.

Terms:

======================================  ===============================================================
``severity=ERROR,FATAL``                one of these severities
``kind=ers,controller``                 where it comes from: ``controller``, ``process_manager``, ``ers``
``session=a,"b c"``                     one of these sessions; also ``application``, ``topic`` and ``name``
``words="read fail"``                   the text has a word that begins so for each of these
``text~"part"``                         the text contains the part, in any case of the letters A to Z
``text="whole"``                        the text is exactly this
``time>=2026-01-31T12:00:00Z``          at or after this moment; ``time<…``: before it
``all``, ``none``                       everything, nothing
======================================  ===============================================================

They are joined by ``and``, ``or``, ``not`` and parentheses; ``not`` binds closest, then ``and``. What the terms mean
is in `services.messages.filters`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from services.errors import InvalidInputError
from services.messages.filters import all_of, any_of
from services.messages.types import (
    EVERYTHING,
    NOTHING,
    And,
    Contains,
    Exactly,
    Expression,
    Kind,
    KindIn,
    Name,
    NameIn,
    Not,
    Or,
    Severity,
    SeverityIn,
    Since,
    Term,
    Until,
    Words,
)

# What people write by hand is far shorter; what is longer would only make parsers and databases dig deep.
MAX_TEXT = 2_000
MAX_DEPTH = 20
MAX_TIME_NS = 2**63 - 1

_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")

_BARE = re.compile(r"[A-Za-z0-9_.:+/#-]+")
_TOKEN = re.compile(rf'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>>=|[=~<(),])|(?P<word>{_BARE.pattern})', re.DOTALL)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_SEVERITIES = {severity.name: severity for severity in Severity}
_KINDS = {kind.name.lower(): kind for kind in Kind}


def to_text(expression: Expression) -> str:
    """Return the text of an expression; `parse` makes the same expression of it."""
    match expression:
        case And(parts):
            return " and ".join(_inner(part, Or) for part in parts) or "all"
        case Or(parts):
            return " or ".join(to_text(part) for part in parts) or "none"
        case Not(part):
            return f"not {_inner(part, And, Or)}"
        case _:
            return _term_text(expression)


def _inner(part: Expression, *looser: type[And | Or]) -> str:
    is_joined = isinstance(part, And | Or) and isinstance(part, looser) and part.parts
    return f"({to_text(part)})" if is_joined else to_text(part)


def _term_text(term: Term) -> str:  # noqa: PLR0911  # one for each kind of term
    match term:
        case SeverityIn(severities):
            return _list_text("severity", [severity.name for severity in sorted(severities)])
        case KindIn(kinds):
            return _list_text("kind", [kind.name.lower() for kind in sorted(kinds)])
        case NameIn(of, names):
            return _list_text(of, [_quoted(name) for name in sorted(names)])
        case Words(given):
            return f"words={_quoted(given, always=True)}"
        case Contains(part):
            return f"text~{_quoted(part, always=True)}"
        case Exactly(text):
            return f"text={_quoted(text, always=True)}"
        case Since(time_ns):
            return f"time>={_moment_text(time_ns)}"
        case Until(time_ns):
            return f"time<{_moment_text(time_ns)}"


def _list_text(field: str, values: Sequence[str]) -> str:
    return f"{field}={','.join(values)}" if values else "none"


def _quoted(text: str, *, always: bool = False) -> str:
    if not always and _BARE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _moment_text(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, _NS)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{rest:09d}Z" if rest else f"{moment}Z"


def parse(text: str) -> Expression:
    """Return the expression of a text; an empty text is everything.

    Raises:
        InvalidInputError: It is not understood; the message says where and what was expected.
    """
    if len(text) > MAX_TEXT:
        raise _wrong(f"The filter is longer than {MAX_TEXT} characters.")
    if not text.strip():
        return EVERYTHING
    parser = _Parser(text)
    found = parser.any_of(0)
    parser.end()
    return found


def _wrong(message: str) -> InvalidInputError:
    return InvalidInputError(
        message,
        field="where",
        not_done="Nothing was looked up.",
        next_step='Example: severity=ERROR and words="timed out"',
    )


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    at: int
    kind: str


class _Parser:
    """Recursive descent; ``_next`` is what comes, None at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next = self._read()

    def any_of(self, depth: int) -> Expression:
        return any_of(*self._joined("or", lambda: self._all_of(depth)))

    def end(self) -> None:
        if self._next is not None:
            raise self._expected("'and', 'or' or the end")

    def _all_of(self, depth: int) -> Expression:
        return all_of(*self._joined("and", lambda: self._part(depth)))

    def _joined(self, word: str, part: Callable[[], Expression]) -> list[Expression]:
        parts = [part()]
        while self._take_word(word):
            parts.append(part())
        return parts

    def _part(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise _wrong(f"The filter is nested deeper than {MAX_DEPTH}.")
        if self._take_word("not"):
            return Not(self._part(depth + 1))
        if self._take_sign("("):
            inner = self.any_of(depth + 1)
            if not self._take_sign(")"):
                raise self._expected("')'")
            return inner
        return self._term()

    def _term(self) -> Expression:  # noqa: PLR0911  # one for each field
        field = self._word("a term such as severity=ERROR, 'not' or '('")
        match field.text:
            case "all":
                return EVERYTHING
            case "none":
                return NOTHING
            case "severity":
                return SeverityIn(frozenset(self._chosen(_SEVERITIES, str.upper)))
            case "kind":
                return KindIn(frozenset(self._chosen(_KINDS, str.lower)))
            case "session" | "application" | "topic" | "name":
                self._sign("=")
                return NameIn(Name(field.text), frozenset(token.text for token in self._values()))
            case "words":
                self._sign("=")
                return Words(self._value().text)
            case "text":
                return self._text_term()
            case "time":
                return self._time_term()
        raise _wrong(
            f"{field.text!r} at character {field.at + 1} is no field: "
            "severity, kind, session, application, topic, name, words, text or time."
        )

    def _chosen(self, options: Mapping[str, T], fold: Callable[[str], str]) -> Iterator[T]:
        self._sign("=")
        for token in self._values():
            if fold(token.text) not in options:
                raise _wrong(f"{token.text!r} at character {token.at + 1} is none of {', '.join(options)}.")
            yield options[fold(token.text)]

    def _text_term(self) -> Expression:
        if self._take_sign("~"):
            return Contains(self._value().text)
        if self._take_sign("="):
            return Exactly(self._value().text)
        raise self._expected("'~' (contains) or '=' (is exactly)")

    def _time_term(self) -> Expression:
        if self._take_sign(">="):
            return Since(self._moment())
        if self._take_sign("<"):
            return Until(self._moment())
        raise self._expected("'>=' or '<'")

    def _moment(self) -> int:
        token = self._value()
        found = _MOMENT.fullmatch(token.text)
        try:
            moment = datetime.fromisoformat(found[1] + found[3]) if found else None
        except ValueError:
            moment = None
        if found is None or moment is None:
            raise _wrong(
                f"{token.text!r} at character {token.at + 1} is no time; write it with its zone: 2026-01-31T12:00:00Z."
            )
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
        time_ns = seconds * _NS + int((found[2] or "0").ljust(9, "0"))
        return min(max(time_ns, 0), MAX_TIME_NS)

    def _values(self) -> list[_Token]:
        values = [self._value()]
        while self._take_sign(","):
            values.append(self._value())
        return values

    def _value(self) -> _Token:
        if self._next is None or self._next.kind == "sign":
            raise self._expected("a value")
        return self._taken(self._next)

    def _word(self, wanted: str) -> _Token:
        if self._next is None or self._next.kind != "word":
            raise self._expected(wanted)
        return self._taken(self._next)

    def _sign(self, sign: str) -> None:
        if not self._take_sign(sign):
            raise self._expected(repr(sign))

    def _take_sign(self, sign: str) -> bool:
        return self._take("sign", sign)

    def _take_word(self, word: str) -> bool:
        return self._take("word", word)

    def _take(self, kind: str, text: str) -> bool:
        if self._next is None or (self._next.kind, self._next.text) != (kind, text):
            return False
        self._taken(self._next)
        return True

    def _taken(self, token: _Token) -> _Token:
        self._next = self._read()
        return token

    def _read(self) -> _Token | None:
        """Return the token at the place reached, and go behind it."""
        rest = self._text[self._at :]
        at = self._at + len(rest) - len(rest.lstrip())
        if at == len(self._text):
            return None
        found = _TOKEN.match(self._text, at)
        if found is None:
            what = "a quotation mark that is not closed" if self._text[at] == '"' else repr(self._text[at])
            raise _wrong(f"The filter is not understood at character {at + 1}: {what}.")
        self._at = found.end()
        kind = found.lastgroup or ""
        text = re.sub(r"\\(.)", r"\1", found[0][1:-1], flags=re.DOTALL) if kind == "quoted" else found[0]
        return _Token(text, at, kind)

    def _expected(self, wanted: str) -> InvalidInputError:
        if self._next is None:
            return _wrong(f"The filter ends where {wanted} is expected.")
        return _wrong(f"The filter is not understood at character {self._next.at + 1}: expected {wanted}.")
