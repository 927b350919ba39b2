"""Errors of the services. Each carries a text for people; pages know only the base class."""


class ConsoleError(Exception):
    """Something a person asked for could not be done.

    Attributes:
        message: What happened, in words for operators.
        not_done: What was not done, or stayed as it was.
        next_step: What the person can do now.
        code: Stable word for logs and the API.
        retry_helps: Whether trying again unchanged can help.
    """

    code = "error"
    retry_helps = False

    def __init__(self, message: str, *, not_done: str = "Nothing was changed.", next_step: str = "") -> None:
        """Keep the three texts."""
        super().__init__(message)
        self.message = message
        self.not_done = not_done
        self.next_step = next_step


class NotReachableError(ConsoleError):
    """An address does not answer."""

    code = "not_reachable"
    retry_helps = True


class BusyError(ConsoleError):
    """The other side did not answer in time, most likely because it is working on something else."""

    code = "busy"
    retry_helps = True


class NotInControlError(ConsoleError):
    """Somebody else, or nobody, holds control of the session. ``holder`` is empty for nobody."""

    code = "not_in_control"

    def __init__(self, message: str, *, holder: str, not_done: str = "Nothing was sent.", next_step: str = "") -> None:
        """Keep who holds control."""
        super().__init__(message, not_done=not_done, next_step=next_step)
        self.holder = holder


class RefusedError(ConsoleError):
    """The state machine, or the state of what would be acted on, does not allow the action now."""

    code = "refused"


class StaleError(ConsoleError):
    """What the console knows is too old to act on."""

    code = "stale"
    retry_helps = True


class NotPermittedError(ConsoleError):
    """The person's role does not include the permission."""

    code = "not_permitted"


class InvalidInputError(ConsoleError):
    """Something given is not acceptable. ``field`` names it."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str, not_done: str = "Nothing was sent.", next_step: str = "") -> None:
        """Keep which field is wrong."""
        super().__init__(message, not_done=not_done, next_step=next_step)
        self.field = field


class NotFoundError(ConsoleError):
    """What was asked for does not exist (any more)."""

    code = "not_found"


class DruncError(ConsoleError):
    """drunc answered with a fault of its own. ``stack`` is for experts, ``node`` is whose it is where that is told."""

    code = "drunc_fault"

    def __init__(
        self, message: str, *, stack: str = "", node: str = "", not_done: str = "", next_step: str = ""
    ) -> None:
        """Keep drunc's stack trace."""
        super().__init__(message, not_done=not_done, next_step=next_step)
        self.stack = stack
        self.node = node


class BrokenCallError(DruncError):
    """drunc failed outside of the command itself, so that it does not tell whether it was executed."""

    code = "broken_call"


class NodeInErrorError(RefusedError):
    """A node is in error and takes no transitions until its status is recomputed."""

    code = "in_error"


class ExcludedError(RefusedError):
    """A node is excluded and takes no transitions."""

    code = "excluded"


class NotSupportedError(ConsoleError):
    """This schema generation of drunc has no such call."""

    code = "not_supported"


class SchemaMismatchError(ConsoleError):
    """Bytes from outside do not fit the schema they should have."""

    code = "schema_mismatch"


class UnknownCallError(SchemaMismatchError):
    """The other side does not know a call: it speaks another generation of the schema. Nothing was executed."""

    code = "unknown_call"
