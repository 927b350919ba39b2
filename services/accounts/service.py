"""Accounts: who may log in, and checking that it is them."""

import base64
import hashlib
import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.accounts import User
from models.database import Database
from services.accounts.errors import LoginRefusedError
from services.accounts.throttle import WAIT_S, LoginThrottle
from services.accounts.types import Account, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.clock import Clock
from services.errors import InvalidInputError, NotFoundError

# drunc puts the name into tokens and topic names, and allows no slashes and dots (contract 3).
NAME_RULE = re.compile(r"[A-Za-z0-9_-]{1,64}")
MIN_PASSWORD_LENGTH = 8
# Longer ones only cost time.
MAX_PASSWORD_LENGTH = 1024
# Names that no account can have share one counter, so that their number is bounded.
IMPOSSIBLE_NAME = "(impossible name)"


class AccountService:
    """Create accounts and check passwords (tables ``user_account`` and ``login_failure``)."""

    def __init__(
        self, database: Database, audit: AuditTrail, clock: Clock, *, hasher: PasswordHasher | None = None
    ) -> None:
        """Keep the collaborators; ``hasher`` decides what a hash costs (default: argon2id as RFC 9106 advises)."""
        self._database = database
        self._audit = audit
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._throttle = LoginThrottle(database, clock)
        self._nobodys_hash = _hash_of_nothing(self._hasher)

    def authenticate(self, name: str, password: str, remote_address: str) -> Account:
        """Check a name and a password; success and failure go to the audit, the password never does.

        An unknown name and an inactive account take the same time and give the same answer as a wrong password.

        Raises:
            LoginRefusedError: With the number of tries left, or the seconds to wait.
        """
        known = name if NAME_RULE.fullmatch(name) else IMPOSSIBLE_NAME
        try:
            tries_left = self._throttle.take_try(known)
        except LoginRefusedError as error:
            self._audit_refusal(known, remote_address, error.message)
            raise
        user = self._user(known)
        good = self._verify(user, password)
        if user is None or not good:
            self._audit_refusal(known, remote_address, f"Wrong user name or password; {tries_left} tries left.")
            raise _wrong(tries_left)
        return self._logged_in(user, password, remote_address)

    def create(self, name: str, password: str, role: Role) -> Account:
        """Create an active account.

        Raises:
            InvalidInputError: The name or the password breaks a rule, or the name is taken (``field`` says which).
        """
        if not NAME_RULE.fullmatch(name):
            raise InvalidInputError(
                "A user name has 1 to 64 letters, digits, - and _ (it is also the name towards drunc).",
                field="name",
                not_done="No account was created.",
            )
        password_hash = self._hash(password)
        with self._database.write() as session:
            if session.scalar(select(User.id).where(User.name == name)) is not None:
                raise InvalidInputError(
                    f"There is an account named {name} already.", field="name", not_done="No account was created."
                )
            user = User(name=name, password_hash=password_hash, role=role.value, active=True, created_at=self._clock())
            session.add(user)
            session.flush()
            self._audit_change(session, "account.create", name, {"role": role.value})
        return _account(user)

    def ensure(self, name: str, password: str, role: Role) -> Account:
        """Make sure an active account with this name, password and role exists; what is right already stays.

        Raises:
            InvalidInputError: As `create`.
        """
        user = self._user(name)
        if user is None:
            return self.create(name, password, role)
        if not self._verify(user, password):
            self.set_password(name, password)
        with self._database.write() as session:
            user = session.get_one(User, user.id)
            if (user.role, user.active) != (role.value, True):
                user.role, user.active = role.value, True
                self._audit_change(session, "account.ensure", name, {"role": role.value})
            return _account(user)

    def set_password(self, name: str, password: str) -> None:
        """Give an account a new password; log-ins made with the old one end.

        Raises:
            InvalidInputError: The password breaks the rule.
            NotFoundError: There is no such account.
        """
        password_hash = self._hash(password)
        with self._database.write() as session:
            user = session.scalar(select(User).where(User.name == name))
            if user is None:
                raise NotFoundError(f"There is no account named {name}.")
            user.password_hash = password_hash
            self._throttle.forget(session, name)
            self._audit_change(session, "account.set_password", name, {})

    def account(self, account_id: int) -> Account | None:
        """Return an account, active or not; None where there is none."""
        with self._database.read() as session:
            user = session.get(User, account_id)
            return None if user is None else _account(user)

    def logged_out(self, account: Account, remote_address: str) -> None:
        """Record that a person logged out."""
        self._audit.record(
            AuditEntry(kind=AuditKind.OUTCOME, user_name=account.name, action="logout", remote_address=remote_address)
        )

    def _logged_in(self, user: User, password: str, remote_address: str) -> Account:
        entry = AuditEntry(
            kind=AuditKind.OUTCOME,
            user_name=user.name,
            action="login",
            text="Logged in.",
            remote_address=remote_address,
        )
        with self._database.write() as session:
            current = session.get_one(User, user.id)
            if self._hasher.check_needs_rehash(current.password_hash):
                current.password_hash = self._hasher.hash(password)
            self._throttle.forget(session, current.name)
            self._audit.add(session, entry)
            return _account(current)

    def _user(self, name: str) -> User | None:
        with self._database.read() as session:
            return session.scalar(select(User).where(User.name == name))

    def _verify(self, user: User | None, password: str) -> bool:
        """Verify exactly one hash, whoever it is: that is what makes the time the same."""
        stored = self._nobodys_hash if user is None else user.password_hash
        try:
            self._hasher.verify(stored, password[:MAX_PASSWORD_LENGTH])
        except (VerificationError, InvalidHashError):
            return False
        return user is not None and user.active

    def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise InvalidInputError(
                f"A password has at least {MIN_PASSWORD_LENGTH} characters (and at most {MAX_PASSWORD_LENGTH}).",
                field="password",
                not_done="No password was set.",
            )
        return self._hasher.hash(password)

    def _audit_refusal(self, name: str, remote_address: str, text: str) -> None:
        self._audit.record(
            AuditEntry(kind=AuditKind.REFUSAL, user_name=name, action="login", text=text, remote_address=remote_address)
        )

    def _audit_change(self, session: Session, action: str, name: str, arguments: dict[str, str]) -> None:
        """Record what was done on the command line of the server, where there is no account to name."""
        self._audit.add(
            session,
            AuditEntry(
                kind=AuditKind.OUTCOME, user_name="(command line)", action=action, target=name, arguments=arguments
            ),
        )


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a hash that no password has, of a hasher's own cost. Nothing is computed, so it costs no time to make."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${cost}${salt}${digest}"


def _wrong(tries_left: int) -> LoginRefusedError:
    wait = f"{WAIT_S // 60} min"
    if tries_left:
        tries = "1 try is left" if tries_left == 1 else f"{tries_left} tries are left"
        consequence = f"Nothing was locked; {tries}, then a wait of {wait}."
    else:
        consequence = f"That was the last try; the next one is looked at after a wait of {wait}."
    return LoginRefusedError(
        "User name or password is wrong.",
        not_done=consequence,
        tries_left=tries_left,
        wait_s=0 if tries_left else WAIT_S,
    )


def _account(user: User) -> Account:
    stamp = hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
    return Account(id=user.id, name=user.name, role=Role(user.role), active=user.active, stamp=stamp)
