"""Names, boot order and tree ids of contract 9.6 and 18."""

from dataclasses import replace

import pytest

from simulator.generation import Generation
from simulator.layouts import LAYOUTS, Role, boot_request, layout_of

G2 = Generation.G2

ONE_BY_ONE = {
    "root-controller": "1.0.0",
    "local-connection-server": "1.0.1",
    "ru-controller": "1.1.0",
    "ru-01": "1.1.1",
    "df-controller": "1.2.0",
    "tp-stream-writer": "1.2.1",
    "dfo-01": "1.2.2",
    "df-01": "1.2.3",
    "trg-controller": "1.3.0",
    "tc-maker-1": "1.3.1",
    "mlt": "1.3.2",
    "hsi-fake-controller": "1.4.0",
    "hsi-fake-01": "1.4.1",
    "hsi-fake-to-tc-app": "1.4.2",
}


def test_tree_ids_of_1x1() -> None:
    assert {p.name: p.tree_id for p in LAYOUTS["local-1x1-config"].processes()} == ONE_BY_ONE


@pytest.mark.parametrize(
    ("session", "processes"),
    [
        ("local-1x1-config", 14),
        ("local-2x3-config", 17),
        ("ehn1-local-1x1-config", 13),
        ("ehn1-local-2x3-config", 16),
        ("test-hsi-session", 18),
    ],
)
def test_numbers_of_processes(session: str, processes: int) -> None:
    assert len(LAYOUTS[session].processes()) == processes


@pytest.mark.parametrize("applications", [1, 50, 51, 2000])
def test_generated_sessions_have_as_many_applications_as_asked_for(applications: int) -> None:
    layout = layout_of(f"generated-{applications}")
    assert layout is not None
    roles = [planned.role for planned in layout.processes()]
    assert roles.count(Role.APPLICATION) == applications
    assert max(len(segment.applications) for segment in layout.root.segments) <= 50


@pytest.mark.parametrize("configuration", ["generated-0", "generated-2001", "generated-", "nonsense"])
def test_unknown_configurations(configuration: str) -> None:
    assert layout_of(configuration) is None


def test_tree_ids_from_g2_on_are_paths() -> None:
    layout = replace(LAYOUTS["local-1x1-config"], name="cosmics", configuration="local-1x1-config", generation=G2)
    ids = {planned.name: planned.tree_id for planned in layout.processes()}
    expected = {
        "root-controller": "0",
        "df-controller": "0.1",
        "df-01": "0.1.2",
        "hsi-fake-to-tc-app": "0.3.1",
        "local-connection-server": "1",
    }
    assert {name: ids[name] for name in expected} == expected


def test_infrastructure_boots_first_and_controllers_before_their_applications() -> None:
    names = [planned.name for planned in LAYOUTS["local-2x3-config"].processes()]
    assert names[:5] == ["local-connection-server", "root-controller", "ru-controller", "ru-01", "ru-02"]
    assert names.index("df-controller") < names.index("df-03") < names.index("trg-controller")


def test_boot_request_looks_like_the_shells_one() -> None:
    layout = LAYOUTS["local-1x1-config"]
    planned = layout.planned("df-controller")
    assert planned is not None
    description = boot_request(layout, planned, "broker:9092").process_description
    assert description.metadata.hostname == ""
    assert description.metadata.tree_id == "1.2.0"
    assert description.env["DUNEDAQ_SESSION"] == "local-1x1-config"
    assert "protobufstream(broker:9092)" in description.env["DUNEDAQ_ERS_ERROR"]
    program = description.executable_and_arguments[1]
    assert program.exec == "drunc-controller"
    assert list(program.args)[-3:] == ["grpc://localhost:0", "df-controller", "local-1x1-config"]
    assert description.process_logs_path.endswith("/log_dunedaq_local-1x1-config_df-controller.log")
