"""What every generation's adapters share: deadlines, refusals made before anything is sent, published sequences."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.errors import InvalidInputError, NotFoundError, NotSupportedError
from services.run_control.fsm_types import Sequence
from services.run_control.node_types import Target
from services.run_control.process_types import BootOrder, ProcessQuery

# What drunc says where restart and logs need one process and the query finds none, or several (contract 9.4).
_NOT_ONE_PROCESS = ("corresponding to the query doesn't exist", "processes corresponding to the query")
# How a process manager begins to say that it cannot read a log file (contract 9.5).
_UNREADABLE_LOG = "Could not retrieve logs"
# Control sequences of a terminal, e.g. colours (ECMA-48, 5.4).
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")

# An unset session or user is the empty string on the wire and selects the processes whose own is empty (contract 9.2).
# No name holds a slash (section 3), so this selects none.
NOBODY = "/"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of calls, seconds (contract 7.3, 21.1).

    Attributes:
        read_s: Reads.
        command_s: Commands to controllers: transitions take long.
        process_s: Booting, flushing, restarting one process, and fetching its log over ssh.
        kill_s: Killing: twice the kill time-out for each process.
    """

    read_s: float
    command_s: float
    process_s: float = 60.0
    kill_s: float = 130.0


# Contract 12.3. G1 and G2 have no sequences of their own; G3 does not tell which of their transitions are optional.
PUBLISHED_SEQUENCES = (
    Sequence("start_run", ("conf", "start", "enable_triggers"), frozenset({"conf"})),
    Sequence(
        "stop_run",
        ("disable_triggers", "drain_dataflow", "stop_trigger_sources", "stop"),
        frozenset({"disable_triggers"}),
    ),
    Sequence(
        "shutdown",
        ("disable_triggers", "drain_dataflow", "stop_trigger_sources", "stop", "scrap"),
        frozenset({"disable_triggers", "scrap"}),
    ),
)


def published_sequences(transitions: Iterable[str]) -> tuple[Sequence, ...]:
    """Return the published sequences that a state machine with these transitions can go through."""
    known = frozenset(transitions)
    return tuple(sequence for sequence in PUBLISHED_SEQUENCES if known.issuperset(sequence.transitions))


def sequence(name: str, transitions: Collection[str]) -> Sequence:
    """Return a sequence that a server lists; what may be skipped is known of the published ones only."""
    # The shells write the same names with hyphens.
    plain = name.replace("-", "_")
    optional = next((known.optional for known in PUBLISHED_SEQUENCES if known.name == plain), frozenset())
    return Sequence(name, tuple(transitions), optional.intersection(transitions))


def not_supported(what: str, generation: str) -> NotSupportedError:
    """Return the error of asking a generation for what it does not have."""
    return NotSupportedError(
        f"This drunc ({generation}) cannot {what}.", not_done="Nothing was sent.", next_step="Use the tree as a whole."
    )


def needs_whole_subtree(target: Target, generation: str) -> None:
    """Refuse a target where commands always go to the addressed controller and everything below.

    Raises:
        NotSupportedError: It names a part of the tree.
    """
    if target.path or target.all_children is False:
        raise not_supported("send a command to a part of the tree", generation)


def also_matched(target: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Return those of ``paths`` that a G2 controller would take for a part of ``target`` as well, in order.

    It reads each component as a regular expression for the beginning of a child's name (contract 11, 22.16).
    """
    names = target.split("/")
    patterns = {"/".join(names[:depth]): names[depth] for depth in range(1, len(names))}
    return tuple(path for path in sorted(paths) if _is_matched(path, patterns))


def _is_matched(path: str, patterns: Mapping[str, str]) -> bool:
    parent, _, name = path.rpartition("/")
    pattern = patterns.get(parent)
    if pattern is None or pattern == name:
        return False
    try:
        return re.match(pattern, name) is not None
    except (re.error, RecursionError, OverflowError):
        # The controller fails on it and executes nothing.
        return False


def name_patterns(query: ProcessQuery) -> tuple[str, ...]:
    """Return the regular expressions of a query; exact names are anchored and escaped (contract 9.2, 22.22).

    Raises:
        InvalidInputError: A pattern is no regular expression: the process manager would fail on it.
    """
    for pattern in query.patterns:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise InvalidInputError(f"{pattern!r} is not a regular expression: {error}.", field="query") from error
    return (*(f"^{re.escape(name)}$" for name in query.names), *query.patterns)


def needs_host(order: BootOrder) -> None:
    """Refuse a process without any host to run on, as every process manager does (contract 9.3).

    Raises:
        InvalidInputError: There is none.
    """
    if not order.hosts:
        raise InvalidInputError(f"{order.name} has no host to run on.", field="hosts")


def one_process_error(text: str) -> NotFoundError | None:
    """Return the error of a query that does not match exactly one process, if ``text`` says so."""
    if not any(part in text for part in _NOT_ONE_PROCESS):
        return None
    return NotFoundError(
        f"The process manager found not one process, but none or several: {text}", next_step="Look at the process list."
    )


def log_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of a log without their line ends, which differ, and without colours (contract 9.5).

    Raises:
        NotFoundError: They say that the file cannot be read.
    """
    found = tuple(_ESCAPES.sub("", line.rstrip("\r\n")) for line in lines)
    if found and found[0].startswith(_UNREADABLE_LOG):
        raise NotFoundError(" ".join(line for line in found if line), next_step="Is the process still listed?")
    return found
