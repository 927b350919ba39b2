"""What is in the database after reading."""

from collections import Counter

from sqlalchemy import func, select, text

from models.database import Database
from models.messages import Gap, Message, MessageRollup, TopicOffset
from services.clock import utc_now
from services.messages.queries import MessageQueries
from tests.waiting import wait_until


def texts(database: Database) -> Counter[str]:
    with database.read() as session:
        return Counter(session.scalars(select(Message.text)))


def number_stored(database: Database) -> int:
    return MessageQueries(database, utc_now).statistics().stored


def gaps(database: Database) -> list[Gap]:
    with database.read() as session:
        return list(session.scalars(select(Gap).order_by(Gap.id)))


def wait_for_stored(database: Database, number: int, timeout_s: float = 30) -> None:
    wait_until(lambda: number_stored(database) >= number, timeout_s, f"{number} stored messages")


def assert_consistent(database: Database, number: int) -> None:
    """Every row once; roll-ups, counters and offsets say the same as the rows."""
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == number
        for resolution in (1, 60, 600):
            counted = session.execute(
                text(
                    "SELECT sum(n_debug + n_log + n_info + n_warning + n_error + n_fatal) FROM message_rollup "
                    "WHERE session_id = 0 AND resolution_s = :resolution"
                ),
                {"resolution": resolution},
            ).scalar_one()
            assert counted == number
        assert session.scalar(select(func.count()).select_from(MessageRollup))
    assert number_stored(database) == number


def end_of(database: Database) -> int | None:
    with database.read() as session:
        return session.scalar(select(TopicOffset.next_offset))
