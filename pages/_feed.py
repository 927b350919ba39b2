"""What the message feed is given: rows for a filter, what came after, what was before, and what is not shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.ages import thin
from components.icons import Glyph, glyph
from components.message_list import Row, message_row
from services.errors import InvalidInputError
from services.messages.filter_text import parse
from services.messages.filters import Match, all_of, predicate, text_filter
from services.messages.queries import MessageQueries
from services.messages.types import (
    EVERYTHING,
    NOTHING,
    Expression,
    MessageFilter,
    MessagePage,
    MessageStatistics,
    MessageView,
    Severity,
)

# Rows in one answer: the feed asks again at once while there are more.
PAGE = 500
# What the address says where muted messages are shown too.
SHOW = "show"
# A list that is so many rows behind is not followed up: it is filled anew with the newest.
WINDOW = 3_000

# An answer for the feed in the browser (assets/feed.js), JSON:
#   key     the filter it belongs to
#   mode    "reset" (these rows instead of all), "append", or "older" (before all)
#   rows    oldest first
#   cursor  id up to which the list is complete; the next fetch goes on after it
#   more    whether there are more to fetch right away
#   older   id before which older messages are found, None at the beginning
#   note    what a reader must know of these rows: where a search stopped, what is missing; often empty
#   muted   how many messages are left out among the rows because they are muted
Delta = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter as the page has it; with ``before`` or ``around`` it looks at history and follows nothing.

    ``marked`` is what is muted, where such messages are shown too: their rows say so.
    ``problem`` says why the filter of the address is not understood; nothing is shown then.
    """

    filter: MessageFilter
    nothing: bool = False
    before: int | None = None
    after: int | None = None
    around: int | None = None
    marked: Expression = NOTHING
    problem: str = ""

    @property
    def is_history(self) -> bool:
        """Whether newer messages are of no interest."""
        return self.before is not None or self.around is not None


def parse_filter(given: Mapping[str, Any], muted: Expression = NOTHING) -> Wanted:
    """Return the filter of the browser's store, without what is muted unless it asks for that.

    What is not understood is left out.
    """
    names = [name for name in str(given.get("severity") or "").split(",") if name in Severity.__members__]
    expression = str(given.get("where") or "")
    problem = problem_of(expression)
    where = NOTHING if problem else parse(expression)
    shows_muted = given.get("muted") == SHOW
    text = text_filter(_match(given.get("match")), str(given.get("q") or ""))
    return Wanted(
        filter=MessageFilter(
            severities=frozenset(Severity[name] for name in names) if len(names) < len(Severity) else frozenset(),
            sessions=_one(given.get("session")),
            applications=_one(given.get("application")),
            where=all_of(text, where),
            muted=NOTHING if shows_muted else muted,
        ),
        nothing=not names,
        before=_number(given.get("before")),
        after=_number(given.get("after")),
        around=_number(given.get("around")),
        marked=muted if shows_muted else NOTHING,
        problem=problem,
    )


def problem_of(expression: str) -> str:
    """Return what is wrong with the text of an expression, empty if it is understood."""
    try:
        parse(expression)
    except InvalidInputError as error:
        return error.message
    return ""


def _match(given: object) -> Match:
    return Match(str(given)) if given in [*Match] else Match.WORDS


def _one(name: object) -> frozenset[str]:
    return frozenset({str(name)}) if name else frozenset()


def _number(given: object) -> int | None:
    text = str(given) if given is not None else ""
    # Larger numbers do not fit into the database's ids.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004


def feed_delta(
    messages: MessageQueries,
    given: Mapping[str, Any],
    cursor: Mapping[str, Any] | None,
    muted: Expression = NOTHING,
    known: int | None = None,
) -> Delta | None:
    """Return what the list lacks, None if nothing: all of it for a new filter, else what came after the cursor.

    What fits ``muted`` is left out and counted, or marked where the filter asks for it. ``known`` is the greatest id
    that the browser has heard of (`MessageQueries.news`).
    """
    wanted = parse_filter(given, muted)
    if cursor is None or cursor.get("key") != given:
        return _reset(messages, given, wanted)
    after = int(cursor["after"])
    if wanted.is_history or wanted.nothing:
        return None
    news = messages.news(wanted.filter, after, limit=PAGE, known=known)
    if news.reached <= after:
        return None
    if len(news.items) + news.muted >= PAGE and messages.newest_id() - news.reached > WINDOW:
        return _reset(messages, given, wanted)
    return {
        "key": given,
        "mode": "append",
        "rows": _rows(news.items, wanted),
        "cursor": news.reached,
        "more": news.has_more,
        "older": None,
        "note": "",
        "muted": news.muted,
    }


def _reset(messages: MessageQueries, given: Mapping[str, Any], wanted: Wanted) -> Delta:
    newest = messages.newest_id()
    # Bounded above too, so that nothing between this and the next fetch is missed or doubled.
    before = newest + 1 if wanted.before is None else wanted.before
    if wanted.nothing:
        page = MessagePage((), None)
    elif wanted.around is not None:
        page = messages.around(wanted.filter, wanted.around, limit=PAGE, details=False)
    else:
        page = messages.page(wanted.filter, before=before, after=wanted.after, limit=PAGE, details=False)
    return {
        "key": given,
        "mode": "reset",
        "rows": _rows(page.items, wanted),
        "cursor": newest,
        "more": False,
        "older": page.next_before,
        "note": ", ".join(filter(None, (wanted.problem, _missing(page, wanted.around), _unfinished(page)))),
        "muted": page.muted,
    }


def older_delta(messages: MessageQueries, given: Mapping[str, Any], before: int, muted: Expression = NOTHING) -> Delta:
    """Return the page before an id."""
    wanted = parse_filter(given, muted)
    page = messages.page(wanted.filter, before=before, after=wanted.after, limit=PAGE, details=False)
    rows = _rows(page.items, wanted)
    return {
        "key": given,
        "mode": "older",
        "rows": rows,
        "cursor": None,
        "more": False,
        "older": page.next_before,
        "note": _unfinished(page),
        "muted": page.muted,
    }


def _rows(newest_first: Sequence[MessageView], wanted: Wanted) -> list[Row]:
    """Return rows, oldest first, those marked that are muted."""
    if wanted.marked == NOTHING:
        return [message_row(message) for message in reversed(newest_first)]
    is_marked = predicate(wanted.marked)
    return [message_row(message, muted=is_marked(message)) for message in reversed(newest_first)]


def _unfinished(page: MessagePage) -> str:
    if page.scanned_to is None:
        return ""
    why = "its time was up" if page.timed_out else "it goes step by step"
    return f"the search has looked as far as message {thin(page.scanned_to)} ({why}): Older looks further"


def _missing(page: MessagePage, around: int | None) -> str:
    if around is None or any(message.id == around for message in page.items):
        return ""
    return f"message {thin(around)} is not among them: hidden by the filter, muted, or not kept any more"


def footer(statistics: MessageStatistics, counts: Mapping[Severity, int], wanted: Wanted) -> list[Component]:
    """Return what is not in the list and why: hidden by the filter, own echo, not decodable, never received."""
    parts = [html.Span(_hidden(counts, wanted))]
    if statistics.echo_not_stored:
        parts.append(html.Span(f"own echo not stored {thin(statistics.echo_not_stored)}"))
    for count, word in ((statistics.quarantined, "not decodable, kept aside"), (statistics.gaps, "gaps in the stream")):
        if count:
            parts.append(html.Span([glyph(Glyph.WARNING), f"{thin(count)} {word}"], className="badge-state text-warn"))
    return list(parts)


def _hidden(counts: Mapping[Severity, int], wanted: Wanted) -> str:
    shown = wanted.filter.severities or frozenset(Severity)
    hidden = (
        0
        if not wanted.filter.severities and not wanted.nothing
        else sum(count for severity, count in counts.items() if wanted.nothing or severity not in shown)
    )
    more = ", more by search or expression" if wanted.filter.where != EVERYTHING else ""
    return f"hidden by severity {thin(hidden)} in 15 min{more}"
