"""The messages of generation G1."""

from services.run_control.decode import PACKAGE
from wire.schema import WireMessage, load_g1


def message(name: str) -> WireMessage:
    """Return the class of a G1 message by its short name."""
    return load_g1().message(PACKAGE + name)
