"""The registry of contract 14, with a clock of our own."""

from simulator.connectivity import RUN_CONTROL, Announcer, Connection, Registry

ROOT = Connection("root-controller_control", "grpc://127.0.0.1:1")
DATA = Connection("ru-01.trigger", "tcp://127.0.0.1:2", "Fragment")


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_whole_uid_and_type_must_match() -> None:
    registry = Registry(FakeClock())
    registry.publish("s", [ROOT, DATA])
    assert registry.lookup("s", "root-controller_control", RUN_CONTROL) == [ROOT]
    assert registry.lookup("s", ".*_control", RUN_CONTROL) == [ROOT]
    assert registry.lookup("s", "root", RUN_CONTROL) == []
    assert registry.lookup("s", "root-controller_control", "Fragment") == []
    assert registry.lookup("other", ".*", RUN_CONTROL) is None


def test_entries_expire_after_ten_seconds_unless_published_again() -> None:
    clock = FakeClock()
    registry = Registry(clock)
    registry.publish("s", [ROOT])
    clock.now_s += 9.9
    assert registry.lookup("s", ".*", RUN_CONTROL) == [ROOT]
    clock.now_s += 0.1
    assert registry.lookup("s", ".*", RUN_CONTROL) == []
    assert registry.dump() == {"s": [(ROOT, False)]}
    registry.publish("s", [ROOT])
    assert registry.lookup("s", ".*", RUN_CONTROL) == [ROOT]


def test_last_retracted_entry_removes_the_session() -> None:
    registry = Registry(FakeClock())
    registry.publish("s", [ROOT])
    assert not registry.retract("s", ["unknown"])
    assert registry.retract("s", [ROOT.uid])
    assert registry.lookup("s", ".*", RUN_CONTROL) is None
    assert not registry.retract("s", [ROOT.uid])


def test_announced_nodes_are_kept_fresh_until_withdrawn() -> None:
    clock = FakeClock()
    registry = Registry(clock)
    announcer = Announcer(registry)
    announcer.announce("s", "root-controller", ROOT.uri)
    clock.now_s += 9
    announcer.publish_all()
    clock.now_s += 9
    assert registry.lookup("s", ".*", RUN_CONTROL) == [ROOT]
    announcer.withdraw("s", "root-controller", "grpc://an.older:1")
    announcer.publish_all()
    announcer.withdraw("s", "root-controller", ROOT.uri)
    clock.now_s += 10
    announcer.publish_all()
    assert registry.lookup("s", ".*", RUN_CONTROL) == []


def test_session_without_its_connection_server_is_unknown() -> None:
    registry = Registry(FakeClock())
    announcer = Announcer(registry)
    announcer.announce("s", "root-controller", ROOT.uri)
    announcer.close("s")
    announcer.publish_all()
    assert registry.lookup("s", ".*", RUN_CONTROL) is None
    announcer.open("s")
    announcer.publish_all()
    assert registry.lookup("s", ".*", RUN_CONTROL) == [ROOT]


def test_muted_announcer_empties_the_registry_until_it_speaks_again() -> None:
    registry = Registry(FakeClock())
    announcer = Announcer(registry)
    announcer.announce("s", "root-controller", ROOT.uri)
    announcer.mute(muted=True)
    announcer.publish_all()
    announcer.announce("s", "df-controller", "grpc://127.0.0.1:3")
    assert registry.lookup("s", ".*", RUN_CONTROL) is None
    announcer.mute(muted=False)
    announcer.publish_all()
    assert len(registry.lookup("s", ".*", RUN_CONTROL) or ()) == 2
