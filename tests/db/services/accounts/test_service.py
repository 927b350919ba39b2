"""Accounts: who may log in, that strangers learn nothing, and that guessing is slow."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner, Result
from sqlalchemy import func, select, update

import manage
from models.accounts import LoginFailure, User
from models.database import Database
from services.accounts.errors import LoginRefusedError
from services.accounts.service import AccountService
from services.accounts.throttle import MAX_FAILURES
from services.accounts.types import Account, Role
from services.audit.trail import AuditTrail
from services.audit.types import AuditEntry, AuditKind
from services.errors import InvalidInputError, NotFoundError

PASSWORD = "correct horse"
WRONG = "wrong password"
ADDRESS = "192.0.2.7"


class CountingHasher(PasswordHasher):
    """A cheap hasher that counts what costs time in a dear one."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, *arguments: Any, **named: Any) -> Any:
        self.verified += 1
        return super().verify(*arguments, **named)


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def accounts(database: Database, now: Now, hasher: CountingHasher) -> AccountService:
    return AccountService(database, AuditTrail(database, now), now, hasher=hasher)


@pytest.fixture
def alice(accounts: AccountService) -> Account:
    return accounts.create("alice", PASSWORD, Role.OPERATOR)


def audited(database: Database, now: Now) -> list[AuditEntry]:
    return [view.entry for view in AuditTrail(database, now).newest()]


def fail(accounts: AccountService, name: str = "alice", password: str = WRONG) -> LoginRefusedError:
    with pytest.raises(LoginRefusedError) as refused:
        accounts.authenticate(name, password, ADDRESS)
    return refused.value


def test_the_right_password_logs_in_and_is_audited(
    accounts: AccountService, alice: Account, database: Database, now: Now
) -> None:
    assert accounts.authenticate("alice", PASSWORD, ADDRESS) == alice
    newest = audited(database, now)[0]
    assert (newest.kind, newest.user_name, newest.action) == (AuditKind.OUTCOME, "alice", "login")
    assert newest.remote_address == ADDRESS


def test_no_password_is_ever_stored_or_audited(
    accounts: AccountService, alice: Account, database: Database, now: Now
) -> None:
    fail(accounts, password="a wrong secret")
    accounts.authenticate("alice", PASSWORD, ADDRESS)
    accounts.set_password("alice", "a new secret")
    kept = "".join(f"{entry}" for entry in audited(database, now))
    with database.read() as session:
        kept += session.scalars(select(User.password_hash)).one()
    for secret in (PASSWORD, "a wrong secret", "a new secret"):
        assert secret not in kept


@pytest.mark.parametrize("name", ["nobody", "a.b", "", "a\x00b", "x" * 300, "Älice", "alice "])
def test_an_unknown_name_costs_and_says_what_a_wrong_password_does(
    accounts: AccountService, alice: Account, hasher: CountingHasher, name: str
) -> None:
    wrong = fail(accounts)
    for_wrong, hasher.verified = hasher.verified, 0
    unknown = fail(accounts, name)
    assert for_wrong == hasher.verified == 1
    assert (unknown.message, unknown.not_done, unknown.next_step) == (wrong.message, wrong.not_done, wrong.next_step)
    assert unknown.tries_left == wrong.tries_left == MAX_FAILURES - 1


def test_the_hash_that_nobody_has_costs_what_a_real_one_does(accounts: AccountService, hasher: CountingHasher) -> None:
    real, nobodys = extract_parameters(hasher.hash("any password")), extract_parameters(accounts._nobodys_hash)
    assert nobodys == real
    with pytest.raises(VerifyMismatchError):
        hasher.verify(accounts._nobodys_hash, "")


def test_an_inactive_account_is_refused_like_a_wrong_password(
    accounts: AccountService, alice: Account, hasher: CountingHasher, database: Database
) -> None:
    with database.write() as session:
        session.execute(update(User).values(active=False))
    refused = fail(accounts, password=PASSWORD)
    assert hasher.verified == 1
    assert refused.message == "User name or password is wrong."


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_five_failures_in_a_row_mean_a_wait_of_a_minute(
    accounts: AccountService, alice: Account, now: Now, hasher: CountingHasher, name: str
) -> None:
    assert [fail(accounts, name).tries_left for _ in range(5)] == [4, 3, 2, 1, 0]
    hasher.verified = 0
    now.wait(30.5)
    refused = fail(accounts, name, PASSWORD)
    assert refused.wait_s == 30
    assert refused.next_step == "Try again in 30 s."
    assert hasher.verified == 0
    now.wait(29.5)
    assert fail(accounts, name).tries_left == 4


def test_the_right_password_works_again_after_the_wait(accounts: AccountService, alice: Account, now: Now) -> None:
    for _ in range(5):
        fail(accounts)
    now.wait(60)
    assert accounts.authenticate("alice", PASSWORD, ADDRESS) == alice


def test_a_success_starts_the_count_anew(accounts: AccountService, alice: Account) -> None:
    for _ in range(4):
        fail(accounts)
    accounts.authenticate("alice", PASSWORD, ADDRESS)
    assert fail(accounts).tries_left == 4


def test_the_texts_count_down(accounts: AccountService, alice: Account) -> None:
    texts = [fail(accounts).not_done for _ in range(5)]
    assert texts[0] == "Nothing was locked; 4 tries are left, then a wait of 1 min."
    assert texts[3] == "Nothing was locked; 1 try is left, then a wait of 1 min."
    assert texts[4] == "That was the last try; the next one is looked at after a wait of 1 min."


def test_guesses_in_parallel_share_the_five_tries(
    accounts: AccountService, alice: Account, hasher: CountingHasher
) -> None:
    def guess(number: int) -> int:
        return fail(accounts, password=f"guess number {number}").wait_s

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(24)))
    assert hasher.verified == MAX_FAILURES


def test_one_name_does_not_lock_another(accounts: AccountService, alice: Account) -> None:
    for _ in range(5):
        fail(accounts, "bob")
    assert accounts.authenticate("alice", PASSWORD, ADDRESS) == alice


def test_guessed_names_do_not_pile_up(accounts: AccountService, alice: Account, database: Database, now: Now) -> None:
    for number in range(20):
        fail(accounts, f"guess-{number}")
    now.wait(24 * 3600 + 1)
    fail(accounts)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(LoginFailure)) == 1


def test_failures_are_audited(accounts: AccountService, alice: Account, database: Database, now: Now) -> None:
    for _ in range(6):
        fail(accounts)
    newest, before, *_ = audited(database, now)
    assert (newest.kind, newest.user_name, newest.action) == (AuditKind.REFUSAL, "alice", "login")
    assert newest.text == "Too many wrong passwords in a row for this user name."
    assert before.text == "Wrong user name or password; 0 tries left."


def test_a_hash_of_older_parameters_is_renewed(
    accounts: AccountService, alice: Account, database: Database, now: Now
) -> None:
    stricter = AccountService(database, AuditTrail(database, now), now, hasher=CountingHasher(time_cost=2))
    renewed = stricter.authenticate("alice", PASSWORD, ADDRESS)
    assert renewed.stamp != alice.stamp
    assert stricter.authenticate("alice", PASSWORD, ADDRESS) == renewed


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a.b", "é", "x" * 65, "a\n"])
def test_names_that_drunc_cannot_take_are_refused(accounts: AccountService, name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        accounts.create(name, PASSWORD, Role.VIEWER)
    assert refused.value.field == "name"


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_passwords_have_a_length(accounts: AccountService, alice: Account, password: str) -> None:
    for attempt in (
        lambda: accounts.create("bob", password, Role.VIEWER),
        lambda: accounts.set_password("alice", password),
    ):
        refuse(attempt, "password")


def refuse(attempt: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        attempt()
    assert refused.value.field == field


def test_a_name_is_taken_once(accounts: AccountService, alice: Account) -> None:
    refuse(lambda: accounts.create("alice", PASSWORD, Role.VIEWER), "name")
    assert accounts.create("a" * 64, PASSWORD, Role.VIEWER).role is Role.VIEWER


def test_a_new_password_replaces_the_old_one(accounts: AccountService, alice: Account) -> None:
    accounts.set_password("alice", "another password")
    fail(accounts, password=PASSWORD)
    assert accounts.authenticate("alice", "another password", ADDRESS).stamp != alice.stamp
    with pytest.raises(NotFoundError):
        accounts.set_password("nobody", PASSWORD)


def test_making_sure_of_an_account(accounts: AccountService, database: Database) -> None:
    made = accounts.ensure("alice", PASSWORD, Role.VIEWER)
    # Unchanged, the stamp included: those who are logged in stay so.
    assert accounts.ensure("alice", PASSWORD, Role.VIEWER) == made
    changed = accounts.ensure("alice", "another password", Role.OPERATOR)
    assert changed.role is Role.OPERATOR
    assert accounts.authenticate("alice", "another password", ADDRESS) == changed
    with database.write() as session:
        session.execute(update(User).values(active=False))
    assert accounts.ensure("alice", "another password", Role.OPERATOR).active


def test_an_account_by_its_id(accounts: AccountService, alice: Account) -> None:
    assert accounts.account(alice.id) == alice
    assert accounts.account(alice.id + 1) is None


def test_the_command_line_makes_accounts_and_gives_new_passwords(
    database: Database, accounts: AccountService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manage, "load_settings_or_exit", lambda: None)
    monkeypatch.setattr(manage, "_open", lambda _settings: database)

    def order(password: str, *arguments: str) -> Result:
        return CliRunner().invoke(manage.cli, arguments, env={"CONSOLE_NEW_PASSWORD": password})

    made = order(PASSWORD, "user", "wall-1", "wall")
    assert made.output == "account wall-1 created with role wall\n"
    display = accounts.authenticate("wall-1", PASSWORD, ADDRESS)
    assert display.role is Role.WALL
    assert order("another password", "password", "wall-1").output == "account wall-1 has a new password\n"
    changed = accounts.account(display.id)
    assert changed is not None
    assert changed.stamp != display.stamp
    for refused in (order("short", "password", "wall-1"), order(PASSWORD, "password", "nobody")):
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: ")
