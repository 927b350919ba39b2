"""A G3 session manager (contract 6.4, section 15)."""

from dataclasses import dataclass

from services.errors import DruncError, UnknownCallError
from services.run_control import decode, listings
from services.run_control.g3.call import SESSION_MANAGER, SHARED, TypedCaller, message, token
from services.run_control.g3.judge import flag_words
from services.run_control.session_types import ActiveSession, Configuration
from services.run_control.support import Deadlines, not_supported
from services.texts import clean
from wire.schema import WireMessage

GENERATION = "G3"


@dataclass(frozen=True, slots=True)
class G3SessionManager:
    """Adapter of the session manager (see `services.run_control.adapter.SessionManagerAdapter`)."""

    call: TypedCaller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    def sessions(self, user: str) -> tuple[ActiveSession, ...]:
        """Return the active sessions (``list_all_sessions``)."""
        return listings.sessions(self._read("list_all_sessions", user, "AllActiveSessions").active_sessions)

    def configurations(self, user: str) -> tuple[Configuration, ...]:
        """Return the configurations (``list_all_configs``)."""
        try:
            answer = self._read("list_all_configs", user, "AllConfigKeys")
        except UnknownCallError as error:
            raise not_supported("list configurations", GENERATION) from error
        return listings.configurations(answer.config_keys)

    def _read(self, rpc: str, user: str, answers: str) -> WireMessage:
        request = message(SHARED + "Request")(token=token(user))
        answer = self.call(rpc, request, SESSION_MANAGER + answers, self.deadlines.read_s)
        if answer.flag != decode.OK:
            raise DruncError(f"{clean(answer.name)}: {flag_words(answer)}")
        return answer
