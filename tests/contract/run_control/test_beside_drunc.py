"""drunc's own Python modules in the same process: they register the same names, and do not disturb."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from grpc_tools import protoc

from tests.contract.run_control.conftest import SESSION
from tests.contract.run_control.sites import G1, G2B, G3, Variant
from tests.kafka import REPOSITORY
from wire.compile import SOURCES

# Runs with the stand-ins on its path, before anything of ours.
PROGRAM = """
import json
import sys

import druncschema
from google.protobuf import descriptor_pool

theirs = descriptor_pool.Default().FindMessageTypeByName("dunedaq.druncschema.Token")

import app
import collector
import grpc
from services.run_control.channels import Channels
from services.run_control.detection import DetectingAdapters
from services.run_control.support import Deadlines
from simulator.installation import Installation

session, generation = sys.argv[1:]
installation = Installation([session], generations={session: generation}, process_manager_generation=generation)
installation.start()
adapters = DetectingAdapters(Channels(), Deadlines(10, 30))
try:
    root = adapters.controller(installation.controller_address(session))
    taken = root.take_control("alice")
    conf = next(known for known in root.transitions("alice") if known.name == "conf")
    done = root.execute("alice", conf, {})
    processes = adapters.process_manager(installation.process_manager_address).processes("alice")
    told = [root.generation, taken.succeeded, done.succeeded, root.status("alice").state, len(processes)]
finally:
    adapters.close()
    installation.stop()
assert descriptor_pool.Default().FindMessageTypeByName("dunedaq.druncschema.Token") is theirs
assert druncschema.TOKEN(user_name="x").user_name == "x"
print(json.dumps(told))
"""


def install_stand_in(folder: Path, generation: str) -> None:
    """Write a package ``druncschema`` whose modules are generated as the real ones are, into the default pool."""
    (source,) = (path for path in SOURCES if path.parent.name == generation and path.stem in ("drunc", "drunc_b"))
    package = folder / "druncschema"
    package.mkdir()
    files = [*SOURCES[source], *(["shared.proto"] if generation == "g3" else [])]
    well_known = resources.files("grpc_tools") / "_proto"
    code = protoc.main(
        ["protoc", f"--proto_path={source.parent}", f"--proto_path={well_known}", f"--python_out={package}", *files]
    )
    assert code == 0
    modules = [f"{Path(file).stem}_pb2" for file in files]
    first = "shared_pb2" if generation == "g3" else "drunc_pb2"
    lines = [
        "import sys, pathlib",
        "sys.path.insert(0, str(pathlib.Path(__file__).parent))",
        *(f"import {module}" for module in modules),
        f"TOKEN = {first}.Token",
    ]
    (package / "__init__.py").write_text("\n".join(lines))


# Their modules are seldom of the generation of the servers: it was upgraded, or is about to be.
@pytest.mark.parametrize(("theirs", "ours"), [("g1", G3), ("g2", G1), ("g3", G2B)], ids=str)
def test_a_session_is_commanded_beside_druncs_own_modules(theirs: str, ours: Variant, tmp_path: Path) -> None:
    install_stand_in(tmp_path, theirs)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, SESSION, ours.generation],
        cwd=REPOSITORY,
        env={"PYTHONPATH": f"{tmp_path}:{REPOSITORY}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [ours.generation, True, True, "configured", 14]
