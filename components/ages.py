"""Times, ages and durations. Ages tick in the browser (``assets/ages.js``), so nothing is sent to keep them going."""

from datetime import UTC, datetime

from dash import html
from dash.development.base_component import Component

from components.attributes import marked

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86400


def epoch_ms(moment: datetime) -> int:
    """Return milliseconds since 1970 UTC, the form in which moments travel to the browser."""
    return int(moment.timestamp() * 1000)


def age(moment: datetime | None, *, stale_after_s: float | None = None, class_name: str = "") -> html.Span:
    """Return how long ago ``moment`` was, e.g. ``0.6 s``, ticking; a dash where there was none.

    Past ``stale_after_s`` the element gets the class ``is-stale``.
    """
    if moment is None:
        return html.Span("–", className=f"age {class_name}".strip())
    limit = None if stale_after_s is None else f"{stale_after_s:g}"
    element = html.Span("…", className=f"age {class_name}".strip())
    return marked(element, data_at_ms=str(epoch_ms(moment)), data_stale_after_s=limit)


def stale_value(
    value: Component | str, moment: datetime | None, stale_after_s: float, *, class_name: str = ""
) -> html.Span:
    """Return a value that is greyed and struck once ``moment`` is older than ``stale_after_s`` seconds."""
    element = html.Span(value, className=f"stale-value {class_name}".strip())
    if moment is None:
        return element
    return marked(element, data_at_ms=str(epoch_ms(moment)), data_stale_after_s=f"{stale_after_s:g}", data_keep="1")


def age_when_stale(moment: datetime | None, stale_after_s: float) -> html.Span:
    """Return the age of a value that appears only once the value is stale, to stand beside it."""
    return age(moment, stale_after_s=stale_after_s, class_name="only-stale")


def elapsed(since: datetime | None, *, short: bool = False, class_name: str = "") -> html.Span:
    """Return the time since ``since`` as ``HH:MM:SS``, counting; ``short``: as ``6.8 s`` for the first 100 s."""
    classes = f"elapsed {class_name}".strip()
    if since is None:
        return html.Span(className=classes)
    return marked(
        html.Span("…", className=classes), data_since_ms=str(epoch_ms(since)), data_short="1" if short else None
    )


def clock_time(
    moment: datetime | None, *, milliseconds: bool = True, class_name: str = "mono"
) -> html.Time | html.Span:
    """Return a moment as ``HH:MM:SS.mmm`` (with the day when it was not today), in the zone the person chose.

    The text sent is UTC; the browser rewrites it. The zone itself is said once, in the strip or a header.
    """
    if moment is None:
        return html.Span("–", className=class_name)
    utc = moment.astimezone(UTC)
    text = utc.strftime("%H:%M:%S") + (f".{utc.microsecond // 1000:03d}" if milliseconds else "")
    element = html.Time(text, dateTime=utc.isoformat(), className=class_name)
    return marked(element, data_time_ms=str(epoch_ms(moment)), data_digits="3" if milliseconds else "0")


def duration_text(seconds: float) -> str:
    """Return a finished duration: ``2.41 s``, ``41.2 s``, ``3 min 20 s``, ``2 h 41 min``, ``3 d 4 h``."""
    if seconds < MINUTE_S:
        return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds:.2f} s"
    whole = int(seconds)
    if whole < HOUR_S:
        return _two(whole // MINUTE_S, "min", whole % MINUTE_S, "s")
    if whole < DAY_S:
        return _two(whole // HOUR_S, "h", whole % HOUR_S // MINUTE_S, "min")
    return _two(whole // DAY_S, "d", whole % DAY_S // HOUR_S, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def thin(number: int) -> str:
    """Return a number with thin spaces between thousands: ``1 204 417``."""
    return f"{number:,}".replace(",", "\u2009")
