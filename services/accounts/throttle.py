"""Slow down guessing: failed log-ins in a row are counted for each user name, known or not."""

import math
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.accounts import LoginFailure
from models.database import Database
from services.accounts.errors import LoginRefusedError
from services.clock import Clock

MAX_FAILURES = 5
WAIT_S = 60
# Counters of names that nobody tries any more are dropped, so that guessed names do not fill the table.
FORGET_AFTER = timedelta(days=1)


class LoginThrottle:
    """The counters of failed log-ins (table ``login_failure``)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock

    def take_try(self, name: str) -> int:
        """Use up one try *before* the password is looked at, so that parallel guesses share the same few.

        Returns:
            How many tries are left should this one fail.

        Raises:
            LoginRefusedError: There were too many failures; the password must not even be looked at.
        """
        now = self._clock()
        with self._database.write() as session:
            session.execute(delete(LoginFailure).where(LoginFailure.last_at < now - FORGET_AFTER))
            row = self._counter(session, name, now)
            wait_s = _wait_s(row, now)
            if not wait_s:
                row.count = 1 if row.count >= MAX_FAILURES else row.count + 1
                row.last_at = now
                return MAX_FAILURES - row.count
        raise LoginRefusedError(
            "Too many wrong passwords in a row for this user name.",
            not_done="The password was not looked at.",
            next_step=f"Try again in {wait_s} s.",
            tries_left=0,
            wait_s=wait_s,
        )

    def forget(self, session: Session, name: str) -> None:
        """Start anew after a success, in the caller's unit of work."""
        session.execute(delete(LoginFailure).where(LoginFailure.name == name))

    def _counter(self, session: Session, name: str, now: datetime) -> LoginFailure:
        """Return the name's counter, locked until the end of the unit of work."""
        row = session.get(LoginFailure, name, with_for_update=True)
        if row is not None:
            return row
        # Somebody else may insert it in the same moment: then theirs counts.
        with suppress(IntegrityError), session.begin_nested():
            session.add(LoginFailure(name=name, count=0, last_at=now))
        return session.get_one(LoginFailure, name, with_for_update=True, populate_existing=True)


def _wait_s(row: LoginFailure, now: datetime) -> int:
    """Seconds until this name may try again, rounded up; 0 for now."""
    if row.count < MAX_FAILURES:
        return 0
    return max(0, math.ceil((row.last_at + timedelta(seconds=WAIT_S) - now).total_seconds()))
