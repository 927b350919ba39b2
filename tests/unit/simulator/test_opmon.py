"""OpMon entries to the byte, and what applications measure when things happen to them (contract 16.4)."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from simulator.application import Application, Work
from simulator.faults import Faults
from simulator.generation import Generation
from simulator.opmon import TOPIC, Measurement, Monitor, OpMonLayout, ValueKind, entry, layout_of_entries
from simulator.process_log import ProcessLog
from simulator.readings import REST_C, Instruments, Neighbourhood
from simulator.telemetry import Telemetry
from tests.simulated import RecordingPublisher

NOW_NS = 1_794_999_998_000_000_250
# seconds 1794999998, nanoseconds 250, as field 1.
TIME = b"\x0a\x09\x08\xbe\x8d\xf6\xd7\x06\x10\xfa\x01"
NAME = b"daq.Status"
MEASURED = Measurement(
    "daq.Status", {"state": (ValueKind.STRING, "ready!"), "n": (ValueKind.INT4, 5)}, ("trb",), {"Command": "conf"}
)
DATA = b"\x52\x07\x0a\x01n\x12\x02\x10\x05\x52\x12\x0a\x05state\x12\x09\xa2\x01\x06ready!"


def application(name: str, faults: Faults | None = None) -> Application:
    return Application("s", name, Work(faults or Faults(), 0.0), ProcessLog(), lambda *_: None)


def instruments(of: Application) -> Instruments:
    return Instruments(of, 5.0, random.Random(7))  # noqa: S311


def values(reader: Instruments, around: Neighbourhood | None = None) -> dict[str, Any]:
    """All values of one reading by their names; of several elements the last one."""
    read = reader.read(around or Neighbourhood())
    return {name: value for measurement in read for name, (_, value) in measurement.data.items()}


def run_up(of: Application, run: int = 7, rate_hz: float = 10.0) -> None:
    of.execute("start", f'{{"run": {run}, "trigger_rate": {rate_hz}}}')
    of.execute("enable_triggers", "")


def test_march_2024_to_the_byte() -> None:
    key, value = entry("np04", "df-01", MEASURED, OpMonLayout.MARCH_2024, NOW_NS)
    assert key == "np04.df-01.trb/daq.Status"
    assert value == TIME + b"\x12\x0enp04.df-01.trb" + b"\x1a\x0a" + NAME + DATA


def test_october_2024_to_the_byte() -> None:
    key, value = entry("np04", "df-01", MEASURED, OpMonLayout.OCTOBER_2024, NOW_NS)
    assert key == "np04.df-01.trb/daq.Status"
    origin = b"\x12\x12\x0a\x04np04\x12\x05df-01\x1a\x03trb"
    custom = b"\x1a\x0f\x0a\x07Command\x12\x04conf"
    assert value == TIME + origin + custom + b"\x22\x0a" + NAME + DATA


def test_every_kind_of_value_has_its_number() -> None:
    kinds: Mapping[ValueKind, tuple[Any, bytes]] = {
        ValueKind.INT4: (-1, b"\x10" + b"\xff" * 9 + b"\x01"),
        ValueKind.INT8: (2, b"\x18\x02"),
        ValueKind.UINT4: (3, b"\x20\x03"),
        ValueKind.UINT8: (4, b"\x28\x04"),
        ValueKind.DOUBLE: (1.0, b"\x51\x00\x00\x00\x00\x00\x00\xf0\x3f"),
        ValueKind.FLOAT: (1.5, b"\x5d\x00\x00\xc0\x3f"),
        ValueKind.BOOLEAN: (True, b"\x78\x01"),
        ValueKind.STRING: ("x", b"\xa2\x01\x01x"),
    }
    assert set(kinds) == set(ValueKind)
    for kind, (value, expected) in kinds.items():
        _, written = entry("s", "a", Measurement("m", {"v": (kind, value)}), OpMonLayout.MARCH_2024, NOW_NS)
        assert written.endswith(b"\x0a\x01v\x12" + bytes([len(expected)]) + expected)


@pytest.mark.parametrize(("generation", "layout"), [("G1", "march-2024"), ("G2", "october-2024")])
def test_lay_out_goes_with_the_generation(generation: str, layout: str) -> None:
    assert layout_of_entries(Generation(generation)) == layout


def test_command_time_names_the_command() -> None:
    publisher = RecordingPublisher()
    Monitor(publisher, OpMonLayout.OCTOBER_2024, "s", "df-controller", lambda: NOW_NS).command_took("conf", 1_500)
    (record,) = publisher.records
    assert (record.topic, record.key) == (TOPIC, "s.df-controller/dunedaq.drunc.opmon.CommandTime")
    assert b"\x0a\x07Command\x12\x04conf" in record.value
    assert b"execution_time_ns\x12\x03\x28\xdc\x0b" in record.value


def test_rates_follow_the_run() -> None:
    mlt = application("mlt")
    reader = instruments(mlt)
    assert values(reader)["td_made_rate_hz"] == 0
    run_up(mlt, rate_hz=20.0)
    assert 15 < values(reader)["td_made_rate_hz"] < 25
    sent = values(reader)["td_sent_count"]
    assert sent > 100
    mlt.execute("disable_triggers", "")
    assert values(reader)["td_sent_count"] == sent
    mlt.execute("stop", "")
    run_up(mlt, run=8)
    assert values(reader)["td_sent_count"] < sent


def test_boards_warm_up_at_work() -> None:
    ru = application("ru-01")
    reader = instruments(ru)
    at_rest = values(reader)["temperature_c"]
    assert abs(at_rest - REST_C) < 5
    run_up(ru)
    assert [values(reader)["temperature_c"] for _ in range(20)][-1] > at_rest + 8


def test_a_missing_readout_fills_the_queue_of_the_builder() -> None:
    df = application("df-01")
    run_up(df)
    reader = instruments(df)
    missing = Neighbourhood(frozenset({"ru-01"}))
    assert values(reader)["incomplete_trigger_records"] == 0
    depths = [values(reader, missing)["pending_trigger_records"] for _ in range(20)]
    assert depths[-1] > 40
    assert values(reader, missing)["incomplete_trigger_records"] == 10
    assert [values(reader)["pending_trigger_records"] for _ in range(10)][-1] < 10


def test_a_missing_builder_makes_the_orchestrator_busy_and_inhibits_triggers() -> None:
    missing = Neighbourhood(frozenset({"df-02"}))
    dfo, mlt = application("dfo-01"), application("mlt")
    run_up(dfo)
    run_up(mlt)
    assert values(instruments(dfo), missing)["is_busy"]
    assert values(instruments(mlt), missing)["td_inhibited_rate_hz"] > 1


def test_who_does_not_answer_says_nothing_and_is_missed() -> None:
    faults = Faults()
    living = [application("ru-01", faults), application("df-01", faults)]
    for known in living:
        run_up(known)
    spoken: list[tuple[str, Measurement]] = []
    turns: list[None] = []
    telemetry = Telemetry(
        5.0,
        lambda: living,
        lambda who, what: spoken.append((who.name, what)),
        lambda: turns.append(None),
        random.Random(1),  # noqa: S311
    )
    telemetry.read_once()
    assert {name for name, _ in spoken} == {"ru-01", "df-01"}
    faults.silence("s", "ru-01")
    spoken.clear()
    telemetry.read_once()
    assert {name for name, _ in spoken} == {"df-01"}
    incomplete = [dict(what.data).get("incomplete_trigger_records") for _, what in spoken]
    assert (ValueKind.UINT4, 10) in incomplete
    assert len(turns) == 2
