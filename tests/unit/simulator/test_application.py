"""How long applications work, and what is ordered to go wrong (contract 10.8)."""

import pytest

from simulator.application import Application, UnreachableError, Work
from simulator.faults import DURATIONS_S, Faults, usual_duration_s
from simulator.fsm import TRANSITIONS
from simulator.layouts import LAYOUTS, Role
from simulator.process_log import ProcessLog


def application(faults: Faults) -> tuple[Application, list[tuple[str, str]]]:
    reported: list[tuple[str, str]] = []
    made = Application(
        "s", "mlt", Work(faults, 0.0), ProcessLog(), lambda severity, text: reported.append((severity, text))
    )
    return made, reported


def test_every_transition_takes_a_third_to_one_and_a_half_seconds() -> None:
    assert set(DURATIONS_S) == {transition.name for transition in TRANSITIONS}
    names = [p.name for p in LAYOUTS["local-1x1-config"].processes() if p.role is Role.APPLICATION]
    for transition in DURATIONS_S:
        slowest_s = max(usual_duration_s(transition, name, 1.0) for name in names)
        assert 0.25 < slowest_s <= 1.5
        assert usual_duration_s(transition, names[0], 0.0) == 0


def test_ordered_failure_happens_once_and_only_here() -> None:
    faults = Faults()
    faults.fail("s", "conf", "mlt")
    faults.fail("other", "start", "mlt")
    simulated, reported = application(faults)
    assert not simulated.execute("conf", "").success
    assert reported == [("ERROR", "Command conf failed in mlt")]
    assert simulated.execute("conf", "").success
    assert simulated.execute("start", "").success


def test_ordered_delay_lasts_until_taken_back() -> None:
    faults = Faults()
    faults.slow("s", "conf", 3.0)
    assert (faults.delay_s("s", "conf"), faults.delay_s("s", "start")) == (3.0, 0.0)
    faults.slow("s", "conf", 0.0)
    assert faults.delay_s("s", "conf") == 0.0
    faults.slow("s", "conf", 3.0)
    faults.fail("s", "conf", "mlt")
    faults.clear()
    assert faults.delay_s("s", "conf") == 0.0
    assert not faults.take_failure("s", "conf", "mlt")


def test_data_flow_between_enable_and_disable() -> None:
    simulated, _ = application(Faults())
    flowing = []
    for transition in ("start", "enable_triggers", "change_rate", "disable_triggers", "stop"):
        simulated.execute(transition, "")
        flowing.append(simulated.running)
    assert flowing == [False, True, True, False, False]


def test_dead_application_is_unreachable() -> None:
    simulated, reported = application(Faults())
    simulated.end()
    with pytest.raises(UnreachableError, match="mlt"):
        simulated.execute("conf", "")
    assert not reported


def test_silent_application_lives_and_does_not_answer() -> None:
    faults = Faults()
    faults.silence("s", "mlt")
    simulated = Application("s", "mlt", Work(faults, 0.0, reply_timeout_s=0.01), ProcessLog(), lambda *_: None)
    assert (simulated.alive, simulated.reachable) == (True, False)
    with pytest.raises(UnreachableError, match="No response from mlt"):
        simulated.execute("conf", "")
    faults.clear()
    assert simulated.reachable
    assert simulated.execute("conf", "").success
