"""What people copy into drunc's shells."""

from services.run_control.session_types import Configuration
from services.run_control.shell_lines import ShellLines, end_lines, start_lines

CONFIGURATION = Configuration("config/daqsystemtest/example-configs.data.xml", "local-1x1-config")


def test_the_unified_shell_boots_a_named_session() -> None:
    for generation in ("G2", "G3", None):
        assert start_lines(generation, "h:10054", "shift", CONFIGURATION) == ShellLines(
            "drunc-unified-shell grpc://h:10054 config/daqsystemtest/example-configs.data.xml local-1x1-config shift",
            "boot",
        )


def test_in_g1_the_process_managers_shell_boots() -> None:
    assert start_lines("G1", "h:10054", "local-1x1-config", CONFIGURATION) == ShellLines(
        "drunc-process-manager-shell grpc://h:10054",
        "boot config/daqsystemtest/example-configs.data.xml local-1x1-config",
    )


def test_a_session_is_ended_by_killing_it() -> None:
    assert end_lines("h:10054", "shift") == ShellLines(
        "drunc-process-manager-shell grpc://h:10054", "kill --session shift"
    )


def test_what_a_terminal_would_take_for_something_else_is_quoted() -> None:
    lines = start_lines("G2", "h:10054", "s", Configuration("my files/$(reboot).xml", "id;ls"))
    assert lines.shell == "drunc-unified-shell grpc://h:10054 'my files/$(reboot).xml' 'id;ls' s"
