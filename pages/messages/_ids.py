"""Ids of the messages page."""

from typing import Any

# The script of the feed knows these (assets/feed.js).
GRID = "messages-grid"
CURSOR = "messages-cursor"
ASK = "messages-ask"
OLDER_ASK = "messages-older-ask"
POSITION = "messages-position"
MUTES_SEEN = "messages-mutes-seen"

FILTER = "messages-filter"
DELTA = "messages-delta"
OLDER = "messages-older-delta"
APPLICATION = "messages-application"
CHIP = "messages-application-chip"
FILTERS = "messages-filters"
FILTERS_BUTTON = "messages-filters-button"
FILTERS_SET = "messages-filters-set"
SEVERITIES = "messages-severity-checklist"
FROM_WARNING = "messages-from-warning-button"
COUNTS = "messages-severity-counts"
SESSION = "messages-session-radio"
SEARCH = "messages-search-input"
MATCH = "messages-match-select"
WHERE = "messages-where"
EXPRESSION = "messages-expression-input"
PROBLEM = "messages-expression-problem"
EXPORT_CSV = "messages-export-csv"
EXPORT_LINES = "messages-export-lines"
INSPECTOR = "messages-inspector"
INSPECTED = "messages-inspector-content"
FIGURE = "messages-figure"
ZONE = "messages-zone"
GRAPH = "messages-graph"
GRAPH_NAME = "messages-graph-name"
FOOTER = "messages-footer"

SHOW_MUTED = "messages-muted-checklist"
HIDING = "messages-hiding"
MUTES = "messages-mutes-list"
MUTE_RESULT = "messages-mute-result"
MUTE_DIALOG = "messages-mute-dialog"
MUTE_PARTS = "messages-mute-parts-checklist"
MUTE_TEXT = "messages-mute-text-input"
MUTE_UP_TO = "messages-mute-up-to-select"
MUTE_LASTS = "messages-mute-lasts-select"
MUTE_REASON = "messages-mute-reason-input"
MUTE_PREVIEW = "messages-mute-preview"
MUTE_ERROR = "messages-mute-error"
MUTE_CANCEL = "messages-mute-cancel-button"
MUTE_SEND = "messages-mute-send-button"

_ELEMENT = {"component": "messages"}


def around_id(key: object) -> dict[str, Any]:
    """Return the id of the button that shows what surrounds a message; ``ALL`` for all such buttons."""
    return {**_ELEMENT, "element": "around", "key": key}


def only_id(key: object) -> dict[str, Any]:
    """Return the id of the button that shows one application only."""
    return {**_ELEMENT, "element": "only", "key": key}


def drop_application_id(key: object) -> dict[str, Any]:
    """Return the id of the cross that shows all applications again."""
    return {**_ELEMENT, "element": "drop-application", "key": key}


def mute_id(key: object) -> dict[str, Any]:
    """Return the id of the button that asks to mute messages like one."""
    return {**_ELEMENT, "element": "mute", "key": key}


def end_mute_id(key: object) -> dict[str, Any]:
    """Return the id of the button that ends a mute."""
    return {**_ELEMENT, "element": "end-mute", "key": key}
