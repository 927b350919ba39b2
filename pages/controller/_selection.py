"""Which session the page is about."""

from components.strip import select
from pages._context import services
from services.run_control.types import SessionSummary


def selected_session(wanted: str | None) -> SessionSummary | None:
    """Return the session the address names, without a name the first one; None where there is none."""
    return select(services().run_control.sessions(), wanted)
