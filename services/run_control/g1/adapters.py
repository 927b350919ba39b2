"""Makes the adapters of generation G1."""

from services.run_control.adapter import RunControlServiceAdapter, SessionManagerAdapter
from services.run_control.call import Caller
from services.run_control.channels import Channels
from services.run_control.g1.controller import GENERATION, G1Controller
from services.run_control.g1.process_manager import G1ProcessManager
from services.run_control.support import Deadlines, not_supported
from wire.schema import load_g1


class G1Adapters:
    """Adapters that share their channels (see `services.run_control.adapter.Adapters`)."""

    def __init__(self, channels: Channels, *, read_deadline_s: float, command_deadline_s: float) -> None:
        """Keep the channels and the deadlines of reads and of commands, seconds."""
        self._channels = channels
        self._deadlines = Deadlines(read_deadline_s, command_deadline_s)

    def controller(self, address: str) -> G1Controller:
        """Return the adapter of the controller at ``host:port``."""
        return G1Controller(Caller(self._channels, address, "Controller", "The controller", load_g1()), self._deadlines)

    def process_manager(self, address: str) -> G1ProcessManager:
        """Return the adapter of the process manager at ``host:port``."""
        caller = Caller(self._channels, address, "ProcessManager", "The process manager", load_g1())
        return G1ProcessManager(caller, self._deadlines)

    def session_manager(self, address: str) -> SessionManagerAdapter:
        """Refuse: G1 has no session manager."""
        raise not_supported(f"list sessions at {address}", GENERATION)

    def run_control_service(self, address: str) -> RunControlServiceAdapter:
        """Refuse: G1 has no run control service."""
        raise not_supported(f"boot sessions at {address}", GENERATION)

    def forget(self, address: str) -> None:
        """Close the channel to an address."""
        self._channels.forget(address)

    def close(self) -> None:
        """Close all channels."""
        self._channels.close()
