"""Makes the adapters of generation G1."""

from services.run_control.channels import Channels
from services.run_control.g1.call import Caller
from services.run_control.g1.controller import G1Controller
from services.run_control.g1.process_manager import G1ProcessManager


class G1Adapters:
    """Adapters that share their channels (see `services.run_control.adapter.Adapters`)."""

    def __init__(self, channels: Channels, *, read_deadline_s: float, command_deadline_s: float) -> None:
        """Keep the channels and the deadlines of reads and of commands, seconds."""
        self._channels = channels
        self._read_deadline_s = read_deadline_s
        self._command_deadline_s = command_deadline_s

    def controller(self, address: str) -> G1Controller:
        """Return the adapter of the controller at ``host:port``."""
        caller = Caller(self._channels, address, "Controller", "The controller")
        return G1Controller(caller, self._read_deadline_s, self._command_deadline_s)

    def process_manager(self, address: str) -> G1ProcessManager:
        """Return the adapter of the process manager at ``host:port``."""
        caller = Caller(self._channels, address, "ProcessManager", "The process manager")
        return G1ProcessManager(caller, self._read_deadline_s)

    def forget(self, address: str) -> None:
        """Close the channel to an address."""
        self._channels.forget(address)

    def close(self) -> None:
        """Close all channels."""
        self._channels.close()
