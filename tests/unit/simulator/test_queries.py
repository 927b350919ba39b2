"""Process queries of contract 9.2."""

import re

import pytest

from simulator.queries import Query

DF_01 = {"uuid": "u-1", "name": "df-01", "user": "dunedaq", "session": "local"}
NAMELESS = {"uuid": "u-2", "name": "x", "user": "", "session": ""}


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        (Query(uuids={"u-1"}), True),
        (Query(uuids={"u"}), False),
        (Query(names=["df"]), True),
        (Query(names=["^df-01$"]), True),
        (Query(names=["d.-0"]), True),
        (Query(names=["^f"]), False),
        (Query(session="local"), True),
        (Query(session="loc"), False),
        (Query(user="dunedaq"), True),
        (Query(), False),
        # Any criterion will do, even if the others do not match.
        (Query(session="other", names=["df"]), True),
        (Query(session="local", names=["nothing"]), True),
    ],
)
def test_any_matching_criterion_selects(query: Query, selected: bool) -> None:
    assert query.matches(**DF_01) is selected


def test_empty_query_selects_what_has_neither_user_nor_session() -> None:
    assert Query().matches(**NAMELESS)


def test_bad_expression_is_an_error() -> None:
    with pytest.raises(re.error):
        Query(names=["*"]).matches(**DF_01)
