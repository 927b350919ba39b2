"""Every form in which ERS issues travel (contract 16.1, 16.3)."""

import json

import pytest

from simulator.events import command_issue, error_state_issue, peer_lost_issue
from simulator.issues import Issue, IssuePublisher
from simulator.layouts import OLDER_STREAM
from tests.simulated import RecordingPublisher
from wire import WireMessage, load_ers

NOW_NS = 1_700_000_000_123_456_789


@pytest.fixture
def published() -> RecordingPublisher:
    return RecordingPublisher()


@pytest.fixture
def issues(published: RecordingPublisher) -> IssuePublisher:
    return IssuePublisher(published, lambda: NOW_NS)


def chain(value: bytes) -> WireMessage:
    return load_ers().message("dunedaq.ersschema.IssueChain").FromString(value)


def test_older_form_is_one_record_an_issue(published: RecordingPublisher, issues: IssuePublisher) -> None:
    cause = Issue("WARNING", "hdf5libs::FlushDelayed", "slow", "hdf5libs", "flush")
    issue = Issue("ERROR", "dfmodules::StorageSlow", "too slow", "dfmodules", "write", {"b": "2", "a": "1"}, (cause,))
    issues.publish("s", OLDER_STREAM, issue)
    assert [(record.topic, record.key) for record in published.records] == [("erskafka-reporting", "s")] * 2
    head, led_to = (json.loads(record.value) for record in published.records)
    assert set(head) == {
        *("partition", "issue_name", "message", "severity", "usecs_since_epoch", "time", "qualifiers", "params"),
        *("cwd", "file_name", "function_name", "host_name", "package_name", "user_name", "application_name"),
        *("user_id", "process_id", "thread_id", "line_number", "chain", "group_hash"),
    }
    assert (head["partition"], head["application_name"]) == ("s", OLDER_STREAM)
    assert (head["issue_name"], head["message"], head["severity"]) == ("dfmodules::StorageSlow", "too slow", "ERROR")
    assert (head["usecs_since_epoch"], head["time"]) == (1_700_000_000_123_456, 1_700_000_000_123)
    assert head["params"] == ["a: 1", "b: 2"]
    assert (head["chain"], led_to["chain"]) == (1, 2)
    assert head["group_hash"] == led_to["group_hash"]
    assert led_to["issue_name"] == "hdf5libs::FlushDelayed"


def test_single_issue_of_the_older_form(published: RecordingPublisher, issues: IssuePublisher) -> None:
    issues.publish("s", OLDER_STREAM, Issue("INFO", "a::B", "text"))
    (record,) = published.records
    assert json.loads(record.value)["chain"] == 0


def test_a_lost_peer_goes_to_run_control_with_its_cause(published: RecordingPublisher, issues: IssuePublisher) -> None:
    issues.publish_for_control("s", "dfo-01", peer_lost_issue("df-01", 139))
    (record,) = published.records
    assert (record.topic, record.key) == ("erscontrol.s", "s")
    found = chain(record.value)
    assert (found.final.severity, found.final.parameters["exit_code"]) == ("FATAL", "139")
    assert [cause.name for cause in found.causes] == ["iomanager::TimeoutExpired"]


def test_python_programs_log_in_their_own_way(published: RecordingPublisher, issues: IssuePublisher) -> None:
    issues.publish("s", "drunc.root-controller_ctrl", error_state_issue("root-controller is now in an error state"))
    found = chain(published.records[0].value)
    assert (found.application, found.final.context.application_name) == ("drunc.root-controller_ctrl", "python")
    assert list(found.final.inheritance) == ["PythonIssue", "GenericPythonIssue"]
    assert found.final.context.file_name == "drunc/stateful_node.py"


def test_only_a_failed_command_has_causes() -> None:
    failed = command_issue("df-01", "ERROR", "Command conf failed in df-01")
    assert [cause.severity for cause in failed.causes] == ["ERROR", "WARNING"]
    assert command_issue("df-01", "INFO", "df-01 executed conf").causes == ()
