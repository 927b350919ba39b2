"""What is being done to whole sessions at this moment; both forms wait for it."""

from pages._context import services
from services.run_control.command_types import SESSION_ACTIONS, CommandView


def under_way() -> CommandView | None:
    """Return the order for a whole session that has not ended: the service does one at a time (contract 6.5)."""
    newest = services().run_control.last_commands(None, 1, actions=SESSION_ACTIONS)
    return next((command for command in newest if not command.state.is_final), None)
