"""Which processes a query selects (contract 9.2)."""

import re
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """A ``ProcessQuery`` as plain data; an unset user or session is the empty string."""

    uuids: Collection[str] = ()
    names: Collection[str] = ()
    user: str = ""
    session: str = ""

    def matches(self, uuid: str, name: str, user: str, session: str) -> bool:
        """Tell whether any criterion selects the process; names are unanchored regular expressions.

        Raises:
            re.error: A name is no regular expression.
        """
        return (
            uuid in self.uuids
            or any(re.search(pattern, name) for pattern in self.names)
            or session == self.session
            or user == self.user
        )
