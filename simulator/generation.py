"""The generations of drunc that the simulator speaks (contract 2.1)."""

from enum import StrEnum


class Generation(StrEnum):
    """One generation of the wire schema and of the servers that speak it."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
