"""What the decoders of all sources share: the error, limits, and how a time is settled. Pure."""

from typing import Any

from google.protobuf.message import DecodeError as ProtobufError

from services.messages.texts import Cleaner
from services.messages.types import Record, Severity
from wire import WireMessage

# Longer texts are cut, and say so in the detail.
TEXT_LIMIT_BYTES = 1024 * 1024
# Column widths: sessions, applications. Names are classes of issues; this is plenty.
NAME_LIMIT_BYTES = 255
KEY_LIMIT_BYTES = 255

# A time outside of 2000-01-01 ... arrival + 1 day is a broken clock, not a time.
EARLIEST_NS = 946_684_800 * 1_000_000_000
DAY_NS = 86_400 * 1_000_000_000
_SEVERITIES = dict(Severity.__members__)


class DecodeError(Exception):
    """A record that is not what its topic promises; ``reason`` says why, in words."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


def parse(message_class: WireMessage, what: str, value: bytes) -> WireMessage:
    """Return the protobuf message in some bytes.

    Raises:
        DecodeError: They are none; ``what`` names the message for people.
    """
    try:
        return message_class.FromString(value)
    except ProtobufError as error:
        raise DecodeError(f"no {what}: {error}") from error


def settle_time(record: Record, arrived_ns: int, own_ns: int | None) -> tuple[int, int | None]:
    """Return the time to store, and the one that was given: an absurd one gives way to Kafka's, then to the arrival.

    Args:
        record: For Kafka's time stamp.
        arrived_ns: When it arrived, nanoseconds since 1970 UTC.
        own_ns: The time inside of the record; None where its kind has none.
    """
    kafka_ns = None if record.timestamp_ms is None else record.timestamp_ms * 1_000_000
    given = kafka_ns if own_ns is None else own_ns
    latest_ns = arrived_ns + DAY_NS
    if given is not None and EARLIEST_NS <= given <= latest_ns:
        return given, given
    if kafka_ns is not None and EARLIEST_NS <= kafka_ns <= latest_ns:
        return kafka_ns, given
    return arrived_ns, given


def finish(
    record: Record, arrived_ns: int, own_ns: int | None, cleaner: Cleaner, detail: dict[str, Any]
) -> tuple[int, dict[str, Any] | None]:
    """Settle the message's time, and give the detail with all marks, None when there is nothing to tell."""
    time_ns, given = settle_time(record, arrived_ns, own_ns)
    if given != time_ns:
        detail["time_given"] = given or None
    detail.update(cleaner.marks)
    return time_ns, detail or None


def session_from_key(key: bytes | None) -> str:
    """Return the session that the record's key names (contract 16.1), empty where it names none."""
    return (key or b"").decode("utf-8", "replace")


def ers_severity(given: str, cleaner: Cleaner, detail: dict[str, Any]) -> Severity:
    """Return the severity that an issue names in any case (contract 16.3); a word nobody knows is INFO, and kept."""
    word = given.strip().upper()
    severity = _SEVERITIES.get(word)
    if severity is not None:
        return severity
    if word:
        detail["severity_given"] = cleaner.part(given)
    return Severity.INFO
