"""Trickle, flood and queue of messages, without a broker."""

import random
import threading
from collections import Counter

from simulator.application import Application, Work
from simulator.chatter import Chatter, made_up_issue
from simulator.faults import Faults
from simulator.flood import Flood
from simulator.issues import TOPIC, Issue, IssuePublisher
from simulator.process_log import MAX_LINES, ProcessLog
from simulator.publisher import KafkaPublisher
from tests.simulated import RecordingPublisher
from wire import load_ers


def application(name: str) -> Application:
    return Application("s", name, Work(Faults(), 0.0), ProcessLog(), lambda _severity, _text: None)


def test_issue_chain_on_the_wire() -> None:
    publisher = RecordingPublisher()
    cause = Issue("WARNING", "hwmodel::LinkUnstable", "shaky")
    issue = Issue("ERROR", "readout::Bad", "bad frame", "readout", "process", {"link": "3"}, (cause,))
    IssuePublisher(publisher, lambda: 1_700_000_000_123_456_789).publish("s", "ru-01", issue)
    (record,) = publisher.records
    assert (record.topic, record.key) == (TOPIC, "s")
    chain = load_ers().message("dunedaq.ersschema.IssueChain").FromString(record.value)
    assert (chain.session, chain.application, chain.module) == ("s", "ru-01", "readout")
    assert (chain.final.severity, chain.final.message) == ("ERROR", "bad frame")
    assert chain.final.time == 1_700_000_000_123_456_789
    assert dict(chain.final.parameters) == {"link": "3"}
    assert chain.final.context.application_name == "ru-01"
    assert chain.final.context.file_name == "readout/src/Bad.cpp"
    assert [known.message for known in chain.causes] == ["shaky"]
    assert chain.causes[0].time < chain.final.time


def test_trickle_is_mostly_harmless() -> None:
    rng = random.Random(1)  # noqa: S311
    severities = Counter(made_up_issue("ru-01", rng).severity for _ in range(2_000))
    assert severities["INFO"] > severities["LOG"] > severities["WARNING"] > severities["ERROR"] > 0


def test_running_applications_speak_more_often() -> None:
    idle, running = application("ru-01"), application("mlt")
    running.running = True
    heard: Counter[str] = Counter()
    rng = random.Random(1)  # noqa: S311
    chatter = Chatter(1.0, lambda: [idle, running], lambda who, _issue: heard.update([who.name]), rng)
    for _ in range(1_000):
        chatter.speak_once()
    assert 2.5 < heard["mlt"] / heard["ru-01"] < 6


def test_flood_numbers_its_messages_and_stops_when_told() -> None:
    stopping = threading.Event()
    spoken: list[Issue] = []

    def speak(_who: Application, issue: Issue) -> None:
        spoken.append(issue)
        if len(spoken) == 70:
            stopping.set()

    flood = Flood(speak, lambda _timeout_s: True, stopping)
    assert flood.run([application("a"), application("b")], 50, 0.0, "WARNING") == 50
    assert [issue.parameters["number"] for issue in spoken] == [str(n) for n in range(1, 51)]
    assert {issue.severity for issue in spoken} == {"WARNING"}
    assert flood.run([application("a")], 50, 0.0, "INFO") == 20


def test_full_queue_drops_the_oldest_and_counts() -> None:
    publisher = KafkaPublisher("127.0.0.1:1", capacity=3)
    for number in range(5):
        publisher.publish("t", bytes([number]))
    assert publisher.dropped == 2
    assert not publisher.has_room(1)
    assert not publisher.flush(0.0)


def test_log_keeps_the_newest_lines() -> None:
    log = ProcessLog()
    for number in range(MAX_LINES + 1_000):
        log.write(str(number))
    assert log.tail(2) == [str(MAX_LINES + 998), str(MAX_LINES + 999)]
    assert log.tail(0) == []
    assert len(log.tail(200_000)) == MAX_LINES
