"""Identities, roles and permissions."""

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """One permission per action. The value is what the audit and the API show."""

    VIEW_RUN_CONTROL = "run_control.view"
    VIEW_MESSAGES = "messages.view"
    MUTE_MESSAGES = "messages.mute"
    TAKE_CONTROL = "control.take"
    FORCE_CONTROL = "control.force"
    RELEASE_CONTROL = "control.release"
    EXECUTE_TRANSITION = "transition.execute"
    INCLUDE = "node.include"
    EXCLUDE = "node.exclude"
    RECOMPUTE_STATUS = "node.recompute_status"
    EXPERT_COMMAND = "node.expert_command"
    TO_ERROR = "node.to_error"
    PROCESS_LOGS = "process.logs"
    BOOT = "process.boot"
    KILL = "process.kill"
    FLUSH = "process.flush"
    RESTART = "process.restart"
    TERMINATE = "process.terminate"
    START_SESSION = "session.start"
    END_SESSION = "session.end"
    VIEW_ALARMS = "alarm.view"
    ACKNOWLEDGE_ALARM = "alarm.acknowledge"
    SHELVE_ALARM = "alarm.shelve"
    WRITE_GUIDANCE = "alarm.guidance"


class Role(StrEnum):
    """A named set of permissions. ``WALL`` is for displays that nobody attends: it may look, and stays logged in."""

    VIEWER = "viewer"
    WALL = "wall"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


_VIEW = frozenset({Permission.VIEW_RUN_CONTROL, Permission.VIEW_MESSAGES, Permission.VIEW_ALARMS})
_OPERATE = _VIEW | {
    Permission.TAKE_CONTROL,
    Permission.FORCE_CONTROL,
    Permission.RELEASE_CONTROL,
    Permission.EXECUTE_TRANSITION,
    Permission.INCLUDE,
    Permission.EXCLUDE,
    Permission.RECOMPUTE_STATUS,
    Permission.PROCESS_LOGS,
    Permission.BOOT,
    Permission.KILL,
    Permission.FLUSH,
    Permission.RESTART,
    Permission.START_SESSION,
    Permission.END_SESSION,
    Permission.ACKNOWLEDGE_ALARM,
    Permission.SHELVE_ALARM,
    Permission.WRITE_GUIDANCE,
    Permission.MUTE_MESSAGES,
}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEW,
    # Its log-in does not end by itself (`api.login`): it must never be able to do anything.
    Role.WALL: _VIEW,
    Role.OPERATOR: _OPERATE,
    # Only they may end the work of every session and user, or send what no rule checks.
    Role.ADMINISTRATOR: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account.

    ``stamp`` changes with the password: a log-in that was made under another stamp is over.
    """

    id: int
    name: str
    role: Role
    active: bool
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts, with what rights, from where.

    Attributes:
        name: Account name, also ``Token.user_name`` towards drunc; its token is ``<name>-token`` (contract 3).
        role: The role the permissions come from.
        remote_address: Address of the browser, for the audit.
    """

    name: str
    role: Role
    remote_address: str = ""

    def may(self, permission: Permission) -> bool:
        """Tell whether the role includes a permission."""
        return permission in ROLE_PERMISSIONS[self.role]

    def obstacle(self, permission: Permission) -> str | None:
        """Return why the person may not do something, in words; None if they may."""
        return None if self.may(permission) else f"The role {self.role} of {self.name} does not include {permission}."
