"""OpMon entries on Kafka, in both lay-outs (contract 16.1, 16.4)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import grpc

from simulator.g3 import Behaviour
from simulator.generation import Generation
from simulator.publisher import Publisher
from wire import WireMessage, load_opmon

TOPIC = "monitoring.opmon_stream"
# What drunc itself measures, from G2 on.
FSM_STATUS = "dunedaq.drunc.opmon.FSMStatus"
COMMAND_TIME = "dunedaq.drunc.opmon.CommandTime"
RUN_INFO = "dunedaq.drunc.opmon.RunInfo"
PROCESS_STATUS = "dunedaq.drunc.opmon.ProcessStatus"
_PACKAGE = "dunedaq.opmon"
_NS_IN_S = 1_000_000_000


class ValueKind(StrEnum):
    """Type of a value: the field of ``OpMonValue`` that holds it."""

    INT4 = "int4_value"
    INT8 = "int8_value"
    UINT4 = "uint4_value"
    UINT8 = "uint8_value"
    DOUBLE = "double_value"
    FLOAT = "float_value"
    BOOLEAN = "boolean_value"
    STRING = "string_value"


Value = tuple[ValueKind, int | float | bool | str]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement.

    Attributes:
        name: Full protobuf name of the message whose fields are in ``data``.
        data: Values by the name of the field.
        element: Path of the part of the application that measured, outermost first.
        custom_origin: Further marks of where it comes from; only the newer lay-out has them.
    """

    name: str
    data: Mapping[str, Value]
    element: tuple[str, ...] = ()
    custom_origin: Mapping[str, str] = field(default_factory=dict)


class OpMonLayout(StrEnum):
    """Which form an entry has."""

    MARCH_2024 = "march-2024"
    OCTOBER_2024 = "october-2024"


def layout_of_entries(generation: Generation) -> OpMonLayout:
    """Return the form that the releases around a generation of drunc write."""
    return OpMonLayout.MARCH_2024 if generation is Generation.G1 else OpMonLayout.OCTOBER_2024


def entry(
    session: str, application: str, measurement: Measurement, layout: OpMonLayout, time_ns: int
) -> tuple[str, bytes]:
    """Return key and bytes of the record of a measurement made at ``time_ns``, nanoseconds since 1970."""
    path = (session, application, *measurement.element)
    opmon_id = ".".join(path)
    common = {
        "time": {"seconds": time_ns // _NS_IN_S, "nanos": time_ns % _NS_IN_S},
        "measurement": measurement.name,
        "data": {name: {kind.value: value} for name, (kind, value) in measurement.data.items()},
    }
    message: WireMessage
    if layout is OpMonLayout.MARCH_2024:
        message = load_opmon().message(f"{_PACKAGE}.OpMonEntry")(opmon_id=opmon_id, **common)
    else:
        message = load_opmon().message(f"{_PACKAGE}.OpMonOriginEntry")(
            origin={"session": session, "application": application, "substructure": measurement.element},
            custom_origin=measurement.custom_origin,
            **common,
        )
    # Maps in the order of their keys: the same measurement has the same bytes.
    return f"{opmon_id}/{measurement.name}", message.SerializeToString(deterministic=True)


class Monitor:
    """Publishes the measurements of one application, controller or process manager."""

    def __init__(
        self,
        publisher: Publisher,
        layout: OpMonLayout,
        session: str,
        application: str,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Speak for ``application``; ``clock_ns`` gives nanoseconds since 1970."""
        self._publisher = publisher
        self._layout = layout
        self._session = session
        self._application = application
        self._clock_ns = clock_ns

    def publish(self, measurement: Measurement) -> None:
        """Publish a measurement made now."""
        key, value = entry(self._session, self._application, measurement, self._layout, self._clock_ns())
        self._publisher.publish(TOPIC, value, key)

    def command_took(self, command: str, duration_ns: int) -> None:
        """Publish how long an RPC or a transition took."""
        data = {"execution_time_ns": (ValueKind.UINT8, duration_ns)}
        self.publish(Measurement(COMMAND_TIME, data, custom_origin={"Command": command}))

    def timed(self, rpc: str, behave: Behaviour) -> Behaviour:
        """Return a gRPC behaviour that publishes how long each of its answers took."""

        def timing(request: WireMessage, context: grpc.ServicerContext) -> WireMessage:
            started_ns = time.perf_counter_ns()
            try:
                return behave(request, context)
            finally:
                self.command_took(rpc, time.perf_counter_ns() - started_ns)

        return timing


def fsm_status(state: str, sub_state: str, *, in_error: bool, included: bool) -> Measurement:
    """Return what a controller measures of itself."""
    return Measurement(
        FSM_STATUS,
        {
            "state": (ValueKind.STRING, state),
            "sub_state": (ValueKind.STRING, sub_state),
            "in_error": (ValueKind.BOOLEAN, in_error),
            "included": (ValueKind.BOOLEAN, included),
        },
    )


def run_info(run_number: int, run_type: str, trigger_rate: float, *, disable_data_storage: bool) -> Measurement:
    """Return what a root controller measures at the start of a run."""
    return Measurement(
        RUN_INFO,
        {
            "run_type": (ValueKind.STRING, run_type),
            "trigger_rate": (ValueKind.DOUBLE, trigger_rate),
            "run_number": (ValueKind.UINT8, run_number),
            "disable_data_storage": (ValueKind.BOOLEAN, disable_data_storage),
        },
    )


def process_status(running: int, dead: int, sessions: int) -> Measurement:
    """Return what a process manager measures of its processes."""
    counts = {"n_running": running, "n_dead": dead, "n_session": sessions}
    return Measurement(PROCESS_STATUS, {name: (ValueKind.UINT4, count) for name, count in counts.items()})
