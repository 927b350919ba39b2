"""Compile the `.proto` files into the descriptor sets that are committed beside them (``make wire``).

Needs grpcio-tools from the development requirements; at run time only the descriptor sets are read.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

_HERE = Path(__file__).parent
# Descriptor set → the `.proto` files in it, which share a folder.
SOURCES: Mapping[Path, tuple[str, ...]] = {
    _HERE / "g1" / "drunc.pb": ("drunc.proto",),
    _HERE / "g2" / "drunc_a.pb": ("drunc.proto", "addressed_a.proto"),
    _HERE / "g2" / "drunc_b.pb": ("drunc.proto", "addressed_b.proto"),
    _HERE / "g3" / "drunc.pb": (
        "controller.proto",
        "process_manager.proto",
        "session_manager.proto",
        "run_control.proto",
    ),
    _HERE / "rpc" / "status.pb": ("status.proto",),
    _HERE / "ers" / "ers.pb": ("ers.proto",),
    _HERE / "opmon" / "opmon.pb": ("opmon.proto",),
}


def compile_protos(folder: Path, names: Iterable[str], target: Path) -> None:
    """Write the descriptor set of some `.proto` files of one folder, imports included.

    Raises:
        RuntimeError: The compiler refused a file.
    """
    well_known = resources.files("grpc_tools") / "_proto"
    code = protoc.main(
        [
            "protoc",
            f"--proto_path={folder}",
            f"--proto_path={well_known}",
            "--include_imports",
            f"--descriptor_set_out={target}",
            *names,
        ]
    )
    if code != 0:
        raise RuntimeError(f"protoc failed with code {code} on {target.name}")


def main() -> int:
    """Compile every source in place."""
    for target, names in SOURCES.items():
        compile_protos(target.parent, names, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
