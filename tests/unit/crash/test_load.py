"""The numbered load becomes what it says: otherwise a crash test would compare with nothing."""

from collections import Counter

from services.messages.decode import decode
from services.messages.decoding import DecodeError
from services.messages.echo import own_echo
from services.messages.types import Decoded, Measurement, Record
from tests.crash.load import FIELD, PARTITIONS, SERVICE_USER, TOPICS, WORD, Fate, Load, Planned, mark, number_in

NOW_NS = 1_800_000_000_000_000_000
NUMBERS = range(2_000)


def outcome(planned: Planned) -> Decoded | Measurement | None:
    record = Record(planned.topic, planned.partition, 0, NOW_NS // 1_000_000, None, planned.value)
    try:
        return decode(record, NOW_NS)
    except DecodeError:
        return None


def test_every_record_becomes_what_it_says() -> None:
    load = Load(NOW_NS - 600_000_000_000)
    is_echo = own_echo(SERVICE_USER)
    for number in NUMBERS:
        planned = load.planned(number)
        found = outcome(planned)
        if isinstance(found, Measurement):
            assert planned.fate == Fate.MEASUREMENT
            assert (found.session, found.application) == (planned.session, planned.application)
            assert (found.numbers, found.texts) == ({FIELD: number}, {WORD: mark(number)})
            assert found.time_ns == planned.time_ns
        elif found is None:
            assert planned.fate == Fate.QUARANTINE
        elif is_echo(found):
            assert planned.fate == Fate.ECHO
        else:
            assert planned.fate == Fate.MESSAGE
            assert (found.session, found.application) == (planned.session, planned.application)
            assert found.severity == planned.severity
            assert planned.time_ns in {None, found.time_ns}
            assert number_in(found.text) == number


def test_all_but_echo_say_their_number() -> None:
    load = Load(0)
    for number in NUMBERS:
        planned = load.planned(number)
        assert (number_in(planned.value) is None) == (planned.fate == Fate.ECHO)
        assert number_in(planned.value) in {number, None}


def test_every_partition_of_every_topic_has_records_and_every_kind_comes() -> None:
    load = Load(0)
    all_planned = [load.planned(number) for number in NUMBERS]
    places = Counter((planned.topic, planned.partition) for planned in all_planned)
    assert set(places) == {(topic, partition) for topic in TOPICS for partition in range(PARTITIONS)}
    assert set(Counter(planned.fate for planned in all_planned)) == set(Fate)


def test_the_same_number_is_the_same_record() -> None:
    assert [Load(7).planned(number) for number in NUMBERS] == [Load(7).planned(number) for number in NUMBERS]
