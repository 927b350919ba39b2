"""The ERS issues that belong to what happens: commands done or failed, errors, processes that died."""

from simulator.issues import PYTHON_ISSUE, Issue

_DEVICE = Issue(
    "WARNING",
    "hwmodel::DeviceTimeout",
    "Register 0x2040 was not acknowledged within 200 ms",
    package="hwmodel",
    function="write_register",
    parameters={"register": "0x2040", "waited_ms": "200"},
)
_MODULE = Issue(
    "ERROR",
    "appfwk::ModuleRefused",
    "A module could not do what the command says",
    function="execute",
    parameters={"module": "controller"},
)


def command_issue(application: str, severity: str, text: str) -> Issue:
    """Return what an application says of a command; a failure has its causes with it."""
    failed = severity == "ERROR"
    return Issue(
        severity,
        "appfwk::CommandFailed" if failed else "appfwk::CommandExecuted",
        text,
        parameters={"application": application},
        causes=(_MODULE, _DEVICE) if failed else (),
    )


def error_state_issue(text: str) -> Issue:
    """Return what a Python program logs as an error."""
    return Issue("ERROR", PYTHON_ISSUE, text, package="drunc", function="stateful_node")


def peer_lost_issue(peer: str, exit_code: int) -> Issue:
    """Return what an application says when another one has died."""
    waited = Issue(
        "WARNING",
        "iomanager::TimeoutExpired",
        f"Nothing received from {peer} for 1000 ms",
        package="iomanager",
        function="receive",
        parameters={"peer": peer, "waited_ms": "1000"},
    )
    return Issue(
        "FATAL",
        "rcif::PeerLost",
        f"{peer} does not answer any more, its process ended with code {exit_code}",
        package="rcif",
        function="check_peers",
        parameters={"peer": peer, "exit_code": str(exit_code)},
        causes=(waited,),
    )
