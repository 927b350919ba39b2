"""Recognise the broadcasts that the console's own polling causes: two for every RPC it makes (contract 7.1)."""

import re
from collections.abc import Callable

from services.messages.types import Decoded

# Only these two types announce RPCs, in all generations.
_TYPES = frozenset({"ACK", "COMMAND_EXECUTION_SUCCESS"})


def own_echo(service_user: str) -> Callable[[Decoded], bool]:
    """Return a test for the echo of RPCs made under ``service_user``.

    People's commands run under their own names, so they are never taken for the console's own.
    """
    # G1 attempts, G2 executes; both succeed in the same words.
    attempt = r"(attempting to execute|executing|successfully executed)"
    pattern = re.compile(rf"User '{re.escape(service_user)}' {attempt} '.*'")

    def is_echo(message: Decoded) -> bool:
        return message.name in _TYPES and pattern.fullmatch(message.text) is not None

    return is_echo
