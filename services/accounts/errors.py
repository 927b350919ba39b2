"""Errors of accounts."""

from services.errors import ConsoleError


class LoginRefusedError(ConsoleError):
    """A log-in was refused. The texts are the same whether the name exists or not.

    Attributes:
        tries_left: How many more wrong passwords this name has before it must wait.
        wait_s: Seconds until the next try is looked at; 0 for at once.
    """

    code = "login_refused"
    retry_helps = True

    def __init__(self, message: str, *, not_done: str = "", next_step: str = "", tries_left: int, wait_s: int) -> None:
        """Keep what the person may still do."""
        super().__init__(message, not_done=not_done, next_step=next_step)
        self.tries_left = tries_left
        self.wait_s = wait_s
