"""Makes the adapters that a configuration asks for."""

from services.run_control.channels import Channels
from services.run_control.config import RunControlConfig
from services.run_control.detection import DetectingAdapters
from services.run_control.generations import Generation
from services.run_control.support import Deadlines


def open_adapters(config: RunControlConfig) -> DetectingAdapters:
    """Return adapters with channels of their own; nothing is asked or connected yet."""
    return DetectingAdapters(
        Channels(config.tls),
        Deadlines(config.rpc_deadline_s, config.command_deadline_s),
        None if config.generation == "auto" else Generation(config.generation),
    )
