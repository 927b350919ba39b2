"""One small session in every generation of drunc, simulated, and adapters that find out what they speak to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.run_control.adapter import ControllerAdapter, NodeStatus, ProcessManagerAdapter
from services.run_control.channels import Channels
from services.run_control.command_types import CommandResult, NodeResult
from services.run_control.detection import DetectingAdapters
from services.run_control.fsm_types import ArgumentValue, Transition
from services.run_control.node_types import Target
from services.run_control.support import Deadlines
from simulator.installation import Installation
from simulator.publisher import SilentPublisher
from tests.contract.run_control.conftest import SESSION
from wire.schema import G2Layout

ROOT = "root-controller"
DF = f"{ROOT}/df-controller"
DF_01 = f"{DF}/df-01"
# Four segments, eight applications and the root.
NODES = 13
START: Mapping[str, ArgumentValue] = {"run_number": 77, "run_type": "TEST", "trigger_rate": 2.5}


@dataclass(frozen=True)
class Variant:
    """A generation as the simulator can speak it; G2 has two lay-outs, G3 two kinds of refusals (contract 2.3, 7.4)."""

    generation: str
    layout: G2Layout = "b"
    faulty_refusals: bool = False

    def __str__(self) -> str:
        return f"{self.generation}{self.layout if self.generation == 'G2' else ''}" + (
            "-faulty" if self.faulty_refusals else ""
        )


G1, G2A, G2B, G3, G3_FAULTY = VARIANTS = (
    Variant("G1"),
    Variant("G2", "a"),
    Variant("G2", "b"),
    Variant("G3"),
    Variant("G3", faulty_refusals=True),
)
# Those with targets.
LATER = VARIANTS[1:]
PATIENT = Deadlines(5, 30)


class RecordingChannels(Channels):
    """Notes the path of each call before it is made."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[str] = []

    def call(self, address: str, path: str, request: bytes, deadline_s: float) -> bytes:
        self.paths.append(path)
        return super().call(address, path, request, deadline_s)

    def stream(self, address: str, path: str, request: bytes, deadline_s: float) -> Iterator[bytes]:
        self.paths.append(path)
        return super().stream(address, path, request, deadline_s)


@dataclass(frozen=True)
class Site:
    """A simulated installation of one session, and a way to speak to it."""

    variant: Variant
    installation: Installation
    deadlines: Deadlines = PATIENT
    channels: RecordingChannels = field(default_factory=RecordingChannels)
    adapters: DetectingAdapters = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapters", DetectingAdapters(self.channels, self.deadlines))

    def controller(self, name: str = ROOT) -> ControllerAdapter:
        return self.adapters.controller(self.installation.controller_address(SESSION, name))

    @property
    def root(self) -> ControllerAdapter:
        return self.controller()

    @property
    def manager(self) -> ProcessManagerAdapter:
        return self.adapters.process_manager(self.installation.process_manager_address)

    def transition(self, name: str) -> Transition:
        return next(found for found in self.root.transitions("alice") if found.name == name)

    def execute(self, name: str, **arguments: ArgumentValue) -> CommandResult:
        return self.root.execute("alice", self.transition(name), arguments)

    def nodes(self) -> Mapping[str, NodeStatus]:
        """The status of every node by its name, each asked where it is told."""
        status = self.root.status("alice")
        if status.children is not None:
            return {node.name: node for node in below(status)}
        found = {status.name: status}
        for child in self.root.children_status("alice"):
            found[child.name] = child
            if child.name.endswith("-controller"):
                found |= {leaf.name: leaf for leaf in self.controller(child.name).children_status("alice")}
        return found

    def set_part_included(self, *, included: bool) -> CommandResult:
        """Include or exclude the data flow segment: by a target, or through its own controller in G1 (22.15)."""
        adapter = self.controller("df-controller") if self.variant is G1 else self.root
        target = Target() if self.variant is G1 else Target(DF)
        return adapter.include("alice", target) if included else adapter.exclude("alice", target)


@contextmanager
def simulated(variant: Variant, reply_timeout_s: float = 150.0, kafka_address: str | None = None) -> Iterator[Site]:
    """Start a site, and end it; what goes to ``kafka_address`` reaches nobody."""
    installation = Installation(
        (SESSION,),
        kafka_address,
        publisher=SilentPublisher(),
        generations={SESSION: variant.generation},
        process_manager_generation=variant.generation,
        g2_layout=variant.layout,
        faulty_refusals=variant.faulty_refusals,
        reply_timeout_s=reply_timeout_s,
    )
    site = Site(variant, installation)
    try:
        installation.start()
        yield site
    finally:
        site.adapters.close()
        installation.stop()


def below(status: NodeStatus) -> Iterator[NodeStatus]:
    """Yield a node and all below it."""
    yield status
    for child in status.children or ():
        yield from below(child)


def failures(result: CommandResult) -> Mapping[str, NodeResult]:
    """Return the nodes that failed by their names."""
    return {node.name: node for node in result.nodes if not node.succeeded}
