"""A clock of seconds that tests turn."""


class Seconds:
    """Seconds that only grow when a test lets them."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now
