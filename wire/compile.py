"""Compile the `.proto` files into the descriptor sets that are committed beside them (``make wire``).

Needs grpcio-tools from the development requirements; at run time only the descriptor sets are read.
"""

import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

_HERE = Path(__file__).parent
SOURCES = (_HERE / "g1" / "drunc.proto", _HERE / "ers" / "ers.proto")


def compile_proto(source: Path, target: Path) -> None:
    """Write the descriptor set of one `.proto` file, imports included.

    Raises:
        RuntimeError: The compiler refused the file.
    """
    well_known = resources.files("grpc_tools") / "_proto"
    code = protoc.main(
        [
            "protoc",
            f"--proto_path={source.parent}",
            f"--proto_path={well_known}",
            "--include_imports",
            f"--descriptor_set_out={target}",
            source.name,
        ]
    )
    if code != 0:
        raise RuntimeError(f"protoc failed with code {code} on {source.name}")


def main() -> int:
    """Compile every source in place."""
    for source in SOURCES:
        compile_proto(source, source.with_suffix(".pb"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
