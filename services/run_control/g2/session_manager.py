"""A G2 session manager (contract 5.3, section 15)."""

from dataclasses import dataclass

from services.errors import UnknownCallError
from services.run_control import decode, listings
from services.run_control.call import Caller
from services.run_control.session_types import ActiveSession, Configuration
from services.run_control.support import Deadlines, not_supported

GENERATION = "G2"


@dataclass(frozen=True, slots=True)
class G2SessionManager:
    """Adapter of the session manager (see `services.run_control.adapter.SessionManagerAdapter`)."""

    call: Caller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    def sessions(self, user: str) -> tuple[ActiveSession, ...]:
        """Return the active sessions (``list_all_sessions``)."""
        answer = self.call("list_all_sessions", user, self.deadlines.read_s)
        return listings.sessions(decode.payload(answer, "AllActiveSessions").active_sessions)

    def configurations(self, user: str) -> tuple[Configuration, ...]:
        """Return the configurations (``list_all_configs``, which early servers advertise and do not have)."""
        try:
            answer = self.call("list_all_configs", user, self.deadlines.read_s)
        except UnknownCallError as error:
            raise not_supported("list configurations", GENERATION) from error
        return listings.configurations(decode.payload(answer, "AllConfigKeys").config_keys)
