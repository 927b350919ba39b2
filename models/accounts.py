"""Accounts: who may log in, with which role."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class User(Base):
    """A person's account.

    ``name`` is also the person's identity towards drunc (contract section 3, ``Token.user_name``), hence without
    slashes and dots.
    """

    __tablename__ = "user_account"
    __table_args__ = (CheckConstraint("role in ('viewer', 'wall', 'operator', 'administrator')", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class LoginFailure(Base):
    """Failed log-ins in a row for one user name, known or not, so that guessing is slowed down alike."""

    __tablename__ = "login_failure"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]
