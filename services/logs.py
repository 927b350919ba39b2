"""Log lines: ``key=value``, with the request they belong to."""

import logging
from contextvars import ContextVar

# Id of the request this thread is serving; empty outside of requests.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


class KeyValueFormatter(logging.Formatter):
    """Formats a record as one line of ``key=value`` pairs; a stack trace follows on lines of its own.

    More pairs come from ``extra={"fields": {...}}``, values as texts.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Quotes and line ends in the message are escaped, so that nobody can forge a line."""
        pairs = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName or "",
            "request": REQUEST_ID.get(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        line = " ".join(f"{key}={_quoted(value)}" for key, value in pairs.items() if value)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_logging(level: str) -> None:
    """Send log lines from ``level`` up to standard error, in our format. Called once by each program."""
    handler = logging.StreamHandler()
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # It tells its dialect at each look at the schema, which each question for our readiness is.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)


def _quoted(value: str) -> str:
    if value.isprintable() and not set(' "=') & set(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in escaped) + '"'
