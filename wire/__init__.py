"""Wire schemas: one private descriptor pool per schema generation.

Nothing here knows what the messages mean. The `.proto` files are written from the contract's tables,
compiled to descriptor sets by ``make wire``, and loaded into pools of their own, so that generations that
share full message names live side by side in one process (contract 21.1.1) and an installed ``druncschema``
cannot disturb them.
"""

from wire.schema import (
    TYPE_URL_PREFIX,
    G2Layout,
    Method,
    Schema,
    UnknownMessageError,
    WireMessage,
    load_ers,
    load_g1,
    load_g2,
    load_g3,
    load_opmon,
    load_rpc_status,
)

__all__ = [
    "TYPE_URL_PREFIX",
    "G2Layout",
    "Method",
    "Schema",
    "UnknownMessageError",
    "WireMessage",
    "load_ers",
    "load_g1",
    "load_g2",
    "load_g3",
    "load_opmon",
    "load_rpc_status",
]
