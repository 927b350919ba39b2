from datetime import UTC, datetime

from components.message_list import LIST_TEXT, inspector, message_row
from services.messages.types import Kind, MessageView, Severity
from tests.unit.components.reading import walk, with_class, words

TIME_NS = 1_795_144_318_190_412_806
ISSUE = MessageView(
    id=42,
    kind=Kind.ERS,
    severity=Severity.FATAL,
    session="s",
    application="df-03",
    name="dfmodules::DataWritingFailed",
    text="unrecoverable <script>alert(1)</script>",
    time_ns=TIME_NS,
    topic="monitoring.ers_stream",
    partition=2,
    offset=99,
    detail={
        "context": {
            "host_name": "np04-srv-029",
            "file_name": "/build/DataWriter.cpp",
            "line_number": 318,
            "cwd": "/nfs/home",
        },
        "parameters": {"run_number": "31427"},
        "inheritance": ["ers::Issue"],
        "causes": [
            {"name": "hdf5libs::FileOperationProblem", "severity": "error", "message": "Failed to close"},
            {"name": "ers::SystemError", "severity": "strange", "message": "errno 5", "parameters": {"errno": "5"}},
        ],
    },
)


def test_a_row_is_small_and_plain() -> None:
    row = message_row(ISSUE)
    assert row == {
        "id": "42",
        "ms": 1_795_144_318_190,
        "severity": "FATAL",
        "quiet": False,
        "session": "s",
        "application": "df-03",
        "text": ISSUE.text,
    }


def test_long_texts_are_cut_in_the_list_only() -> None:
    long = ISSUE._replace(text="x" * 5_000)
    assert len(str(message_row(long)["text"])) == LIST_TEXT + 1
    assert "x" * 5_000 in words(inspector(long))


def test_a_message_without_text_shows_its_name() -> None:
    assert message_row(ISSUE._replace(text=""))["text"] == ISSUE.name


def test_the_chain_goes_from_effect_to_cause() -> None:
    links = [part for part in walk(with_class(inspector(ISSUE), "chain")) if part._type == "Li"]
    assert [words(with_class(link, "chain-name")) for link in links] == [
        "dfmodules::DataWritingFailed",
        "hdf5libs::FileOperationProblem",
        "ers::SystemError",
    ]
    assert "DataWriter.cpp:318" in words(links[0])
    assert "caused by" in words(links[1])
    assert words(links[2]).endswith("errno 5")


def test_every_field_is_there_down_to_the_nanosecond() -> None:
    said = words(inspector(ISSUE))
    moment = datetime.fromtimestamp(TIME_NS // 1_000_000_000, UTC)
    assert f"{moment:%H:%M:%S}.190 412 806" in said
    for text in ("monitoring.ers_stream", "2, 99", "31427", "np04-srv-029", "/nfs/home", "ers::Issue", "df-03"):
        assert text in said


def test_text_from_outside_stays_text() -> None:
    assert "<script>alert(1)</script>" in words(inspector(ISSUE))
    assert not any(part._type in ("Script", "Markdown", "DangerouslySetInnerHTML") for part in walk(inspector(ISSUE)))


def test_a_broadcast_needs_no_chain() -> None:
    broadcast = ISSUE._replace(kind=Kind.CONTROLLER, detail=None, severity=Severity.INFO)
    assert with_class(inspector(broadcast), "chain") == []
    assert "controller" in words(inspector(broadcast))
