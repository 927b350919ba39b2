"""The icon set: names whose shapes are one-colour masks in ``assets/20-icons.css``.

Dash has no SVG elements, so an icon is an empty span that a stylesheet masks and paints in ``currentColor``.
"""

from enum import StrEnum

from dash import html

from components.attributes import marked


class Icon(StrEnum):
    """Every icon there is. The value is the second half of its CSS class."""

    OVERVIEW = "overview"
    CONTROL = "control"
    PROCESSES = "processes"
    SESSIONS = "sessions"
    MESSAGES = "messages"
    RATES = "rates"
    TIMELINE = "timeline"
    AUDIT = "audit"
    STATUS = "status"
    ADMIN = "admin"
    HELP = "help"
    SEARCH = "search"
    FILTER = "filter"
    SORT = "sort"
    COLUMNS = "columns"
    TABLE = "table"
    DOWN = "down"
    UP = "up"
    LEFT = "left"
    RIGHT = "right"
    CLOSE = "close"
    CHECK = "check"
    PLUS = "plus"
    MINUS = "minus"
    MENU = "menu"
    PLAY = "play"
    PAUSE = "pause"
    RESTART = "restart"
    KILL = "kill"
    FLUSH = "flush"
    LOG = "log"
    LINK = "link"
    COPY = "copy"
    SAVE = "save"
    DOWNLOAD = "download"
    MUTE = "mute"
    BELL = "bell"
    CLOCK = "clock"
    LOCK = "lock"
    KEY = "key"
    USER = "user"
    SWAP = "swap"
    EXTERNAL = "external"
    SIGNAL = "signal"


class Glyph(StrEnum):
    """Severity and state shapes (tokens.md). They stand beside their word, never instead of it."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    LOG = "log"
    DEBUG = "debug"
    NONE = "none"
    INITIAL = "initial"
    CONFIGURED = "configured"
    READY = "ready"
    RUNNING = "running"
    DATAFLOW_DRAINED = "dataflow_drained"
    TRIGGER_SOURCES_STOPPED = "trigger_sources_stopped"
    PAUSED = "paused"
    UNKNOWN = "unknown"
    EXCLUDED = "excluded"
    UNREACHABLE = "unreachable"
    STALE = "stale"
    ALIVE = "alive"
    DEAD = "dead"
    ENDED = "ended"
    NODE = "node"
    AWAITED = "awaited"


def icon(name: Icon, *, label: str | None = None) -> html.Span:
    """Return an icon; hidden from screen readers unless ``label`` gives it a name of its own."""
    return _shape(f"icon icon-{name}", label)


def glyph(name: Glyph, *, label: str | None = None) -> html.Span:
    """Return a severity or state shape; ``label`` only where no word stands beside it."""
    return _shape(f"glyph glyph-{name}", label)


def ring() -> html.Span:
    """Return the turning ring of something in progress. Say beside it what, how long and what is awaited."""
    return _shape("ring", None)


def _shape(class_name: str, label: str | None) -> html.Span:
    if label is None:
        return marked(html.Span(className=class_name), aria_hidden="true")
    return marked(html.Span(className=class_name, role="img", title=label), aria_label=label)
