"""Log lines: one line a record, key=value, nobody can forge one."""

import logging

import pytest

from services.logs import REQUEST_ID, KeyValueFormatter


def line(message: str, *arguments: object, fields: dict[str, str] | None = None) -> str:
    record = logging.LogRecord("services.x", logging.WARNING, __file__, 1, message, arguments, None)
    if fields is not None:
        record.fields = fields
    return KeyValueFormatter().format(record).partition(" level=")[2]


def test_a_line_has_its_pairs_in_order() -> None:
    assert line("lost %s", "broker", fields={"user": "alice", "empty": ""}) == (
        'warning logger=services.x thread=MainThread message="lost broker" user=alice'
    )


def test_the_request_is_named() -> None:
    token = REQUEST_ID.set("abc123")
    try:
        assert "request=abc123" in line("x")
    finally:
        REQUEST_ID.reset(token)


@pytest.mark.parametrize("text", ["a\nlevel=error", 'say "hi"', "a=b", "tab\there", "\x1b[31m"])
def test_texts_from_outside_stay_one_quoted_value(text: str) -> None:
    found = line("%s", text)
    assert "\n" not in found
    assert found.isprintable()
    value = found.partition("message=")[2]
    assert value.startswith('"')
    assert value.endswith('"')


def test_a_stack_trace_follows() -> None:
    error = RuntimeError("why")
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), (RuntimeError, error, None))
    assert KeyValueFormatter().format(record).endswith("\nRuntimeError: why")
