"""What the transition board is made of beside the transitions themselves: usual durations, and run numbers. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from statistics import median

from services.history.types import Change, NodeTransition, TransitionOutcome, TransitionRun, UsualKey, is_own_time

# What is usual is told from so many of the last times, and from no fewer than this.
LATEST = 20
FEWEST = 3


def usual_durations(runs: Iterable[TransitionRun]) -> Mapping[UsualKey, timedelta]:
    """Return how long a transition usually takes a node: the middle of its last `LATEST` successes.

    Bounds do not count: they are the whole command's duration, the same for every node.

    Args:
        runs: Of one session, newest first.
    """
    found: dict[UsualKey, list[float]] = defaultdict(list)
    for run in runs:
        for node in run.nodes:
            key = (run.transition or "", node.path)
            if run.transition is not None and _counts(node) and len(found[key]) < LATEST:
                found[key].append((node.duration or timedelta()).total_seconds())
    return {key: timedelta(seconds=median(known)) for key, known in found.items() if len(known) >= FEWEST}


def run_numbers(runs: Sequence[TransitionRun], changes: Sequence[Change], now: int | None) -> Mapping[int, int]:
    """Return in which run each transition was, by its id; left out where there was none.

    A transition that begins a run belongs to it, although the number is known only when it has ended, and so does the
    one that ends it.

    Args:
        runs: Of one session, newest first.
        changes: All changes of the run number since the oldest of them began, newest first.
        now: The number now; None while no run is on.
    """
    found: dict[int, int] = {}
    for run, later in zip(runs, (None, *runs), strict=False):
        since = [change for change in changes if change.at >= run.began_at]
        # Newest first: the last of them is the first change since it began.
        before = since[-1].old if since else now
        told = [change.new for change in since if later is None or change.at < later.began_at]
        number = next((value for value in (*told, before) if value is not None), None)
        if isinstance(number, int):
            found[run.id] = number
    return found


def _counts(node: NodeTransition) -> bool:
    return node.outcome is TransitionOutcome.SUCCEEDED and node.duration is not None and is_own_time(node)
