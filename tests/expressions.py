"""Any expression of a filter, for property tests."""

from collections.abc import Iterable

from hypothesis import strategies as st

from services.messages.filter_text import MAX_TIME_NS
from services.messages.filters import all_of, any_of
from services.messages.types import (
    Contains,
    Exactly,
    Expression,
    Kind,
    KindIn,
    Name,
    NameIn,
    Not,
    Severity,
    SeverityIn,
    Since,
    Until,
    Words,
)


def expressions(
    names: st.SearchStrategy[str],
    texts: st.SearchStrategy[str],
    times_ns: Iterable[int] = (),
) -> st.SearchStrategy[Expression]:
    """Return expressions of every kind; times are some of ``times_ns``, or any."""
    times = st.sampled_from(sorted(times_ns)) if times_ns else st.integers(0, MAX_TIME_NS)
    terms: st.SearchStrategy[Expression] = st.one_of(
        st.frozensets(st.sampled_from(Severity), min_size=1).map(SeverityIn),
        st.frozensets(st.sampled_from(Kind), min_size=1).map(KindIn),
        st.builds(NameIn, st.sampled_from(Name), st.frozensets(names, min_size=1, max_size=3)),
        texts.map(Words),
        texts.map(Contains),
        texts.map(Exactly),
        times.map(Since),
        times.map(Until),
    )
    return st.recursive(terms, _joined, max_leaves=8)


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, max_size=3)
    return st.one_of(inner.map(Not), parts.map(lambda all_: all_of(*all_)), parts.map(lambda any_: any_of(*any_)))
