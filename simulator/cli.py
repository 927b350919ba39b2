"""Command line of the simulator: ``serve`` runs it, the other commands make things happen in a running one."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import click
import requests

from simulator.control import ControlServer
from simulator.files import write_private_json
from simulator.installation import DEFAULT_SESSIONS, ROOT_CONTROLLER, Installation, SimulatorError
from simulator.issues import SEVERITIES
from simulator.layouts import MOST_APPLICATIONS
from simulator.lifetime import Lifetime
from wire import G2Layout

FILE_NAME = "simulator.json"
DEFAULT_DIRECTORY = Path("var/simulator")
# The name under which ``--generation`` and simulator.json know the process manager.
PROCESS_MANAGER = "process-manager"
_ORDER_TIMEOUT_S = 30.0

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help=f"Where {FILE_NAME} is.",
)


_generation = click.option(
    "--generation",
    multiple=True,
    envvar="SIMULATOR_GENERATION",
    metavar="[NAME=]G1|G2|G3",
    help=f"Of everything, or of one session or of {PROCESS_MANAGER}. Repeatable.",
)
_applications = click.option(
    "--applications",
    envvar="SIMULATOR_APPLICATIONS",
    type=click.IntRange(1, MOST_APPLICATIONS),
    help="Boot a session of so many applications, too.",
)


@click.group(name="simulator")
def cli() -> None:
    """Simulate a drunc installation, or make things happen in a running simulation."""


@cli.command()
@_directory
@click.option("--kafka", metavar="HOST:PORT", help="Brokers for broadcasts, ERS issues and OpMon.")
@click.option(
    "--sessions",
    envvar="SIMULATOR_SESSIONS",
    default=",".join(DEFAULT_SESSIONS),
    show_default=True,
    help="Sessions to boot.",
)
@click.option("--time-scale", type=click.FloatRange(0), default=1.0, show_default=True, help="1 is natural, 0 at once.")
@click.option("--chatter", type=click.FloatRange(0), default=3.0, show_default=True, help="ERS issues a second.")
@click.option(
    "--opmon", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds from reading to reading."
)
@_generation
@_applications
@click.option("--g2-layout", type=click.Choice(["a", "b"]), default="b", show_default=True, help="AddressedCommand.")
@click.option("--faulty-refusals", is_flag=True, help="G3 refuses with the wrong message, as one version does.")
@click.option("--with-parent", is_flag=True, help="End when the parent process ends.")
def serve(
    *,
    directory: Path,
    kafka: str | None,
    sessions: str,
    time_scale: float,
    chatter: float,
    opmon: float,
    generation: Sequence[str],
    applications: int | None,
    g2_layout: G2Layout,
    faulty_refusals: bool,
    with_parent: bool,
) -> None:
    """Run an installation until SIGTERM or SIGINT; its addresses are in simulator.json once all servers answer."""
    lifetime = Lifetime(with_parent=with_parent)
    names = [name.strip() for name in sessions.split(",") if name.strip()]
    if applications is not None:
        names.append(f"generated-{applications}")
    path = directory / FILE_NAME
    path.unlink(missing_ok=True)
    try:
        of_sessions, of_manager = read_generations(generation, [name.partition(":")[0] for name in names])
        installation = Installation(
            names,
            kafka,
            time_scale=time_scale,
            chatter_hz=chatter,
            opmon_period_s=opmon,
            generations=of_sessions,
            process_manager_generation=of_manager,
            g2_layout=g2_layout,
            faulty_refusals=faulty_refusals,
        )
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    _serve(installation, path, lifetime)


def read_generations(given: Sequence[str], sessions: Sequence[str]) -> tuple[dict[str, str], str]:
    """Return the generation of every session and of the process manager.

    Args:
        given: ``G3`` for everything, ``<session>=G3`` or ``process-manager=G3`` for one; the later wins.
        sessions: Names of the sessions.

    Raises:
        SimulatorError: A session is unknown.
    """
    everything: dict[str, str] = dict.fromkeys((*sessions, PROCESS_MANAGER), "G1")
    for option in given:
        name, separator, generation = option.rpartition("=")
        if not separator:
            everything = dict.fromkeys(everything, generation.upper())
        elif name in everything:
            everything[name] = generation.upper()
        else:
            raise SimulatorError(f"A generation is given for {name!r}, which is not among the sessions")
    manager = everything.pop(PROCESS_MANAGER)
    return everything, manager


def _serve(installation: Installation, path: Path, lifetime: Lifetime) -> None:
    control = ControlServer(installation)
    try:
        installation.start()
        control.start()
        write_private_json(path, _addresses(installation, control))
        lifetime.wait()
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    finally:
        path.unlink(missing_ok=True)
        control.stop()
        installation.stop()


def _addresses(installation: Installation, control: ControlServer) -> dict[str, object]:
    return {
        "process_manager": installation.process_manager_address,
        "session_manager": installation.session_manager_address,
        "run_control": installation.run_control_address,
        "connectivity": installation.connectivity_address,
        "control": control.address,
        "token": control.token,
        "kafka": installation.kafka_address,
        "sessions": list(installation.sessions),
        "generations": dict(installation.generations) | {PROCESS_MANAGER: installation.process_manager_generation},
        "pid": os.getpid(),
    }


@cli.command()
@_directory
@click.argument("session")
@click.argument("name")
@click.option("--exit-code", type=int, default=255, show_default=True)
def kill(directory: Path, session: str, name: str, exit_code: int) -> None:
    """Let a process die by itself."""
    _order(directory, "kill", session=session, name=name, exit_code=exit_code)


@cli.command()
@_directory
@click.argument("session")
@click.argument("transition")
@click.argument("node")
def fail(directory: Path, session: str, transition: str, node: str) -> None:
    """Let the next such transition fail in an application."""
    _order(directory, "fail", session=session, transition=transition, node=node)


@cli.command()
@_directory
@click.argument("session")
@click.argument("transition")
@click.argument("seconds", type=click.FloatRange(0))
def slow(directory: Path, session: str, transition: str, seconds: float) -> None:
    """Let such transitions take SECONDS until further notice; 0 ends it."""
    _order(directory, "slow", session=session, transition=transition, seconds=seconds)


@cli.command()
@_directory
@click.argument("count", type=click.IntRange(1))
@click.option("--rate", type=click.FloatRange(0), default=0.0, help="Messages a second; 0 is as fast as they go.")
@click.option("--severity", type=click.Choice(SEVERITIES, case_sensitive=False), default="INFO", show_default=True)
def flood(directory: Path, count: int, rate: float, severity: str) -> None:
    """Begin to publish COUNT ERS issues."""
    _order(directory, "flood", count=count, rate_hz=rate, severity=severity.upper())


@cli.command()
@_directory
@click.argument("session")
@click.argument("user")
def steal(directory: Path, session: str, user: str) -> None:
    """Let somebody else take control of a session."""
    _order(directory, "steal", session=session, user=user)


@cli.command("controller-down")
@_directory
@click.argument("session")
@click.argument("name")
def controller_down(directory: Path, session: str, name: str) -> None:
    """Let a controller answer no more although its process runs on."""
    _order(directory, "controller-down", session=session, name=name)


@cli.command("publish-raw")
@_directory
@click.argument("topic")
@click.argument("source", type=click.File("rb"), default="-")
def publish_raw(directory: Path, topic: str, source: BinaryIO) -> None:
    """Publish the bytes of SOURCE (standard input if not given) as one message."""
    value = base64.b64encode(source.read()).decode()
    _order(directory, "publish-raw", topic=topic, value_base64=value)


@cli.command()
@_directory
@click.argument("session")
@click.argument("node")
def silence(directory: Path, session: str, node: str) -> None:
    """Let an application answer nothing any more although its process runs."""
    _order(directory, "silence", session=session, node=node)


@cli.command()
@_directory
@click.argument("session")
@click.argument("name", default=ROOT_CONTROLLER)
def wedge(directory: Path, session: str, name: str) -> None:
    """Leave a controller in the middle of a transition, as a failed action does."""
    _order(directory, "wedge", session=session, name=name)


@cli.command("restart-process-manager")
@_directory
def restart_process_manager(directory: Path) -> None:
    """End the process manager with all that it started; it starts again and knows nothing."""
    _order(directory, "restart-process-manager")


@cli.command("empty-connectivity")
@_directory
def empty_connectivity(directory: Path) -> None:
    """Let the connectivity service forget everything and hear nothing any more."""
    _order(directory, "empty-connectivity")


@cli.command("stall-kafka")
@_directory
@click.option("--end", is_flag=True, help="Let messages flow again.")
def stall_kafka(directory: Path, *, end: bool) -> None:
    """Keep back everything that is published."""
    _order(directory, "stall-kafka", stalled=not end)


@cli.command()
@_directory
def reset(directory: Path) -> None:
    """Forget all faults and boot every session anew."""
    _order(directory, "reset")


def _order(directory: Path, order: str, **body: object) -> None:
    """Send an order to the running simulator; ClickException when it is refused."""
    try:
        addresses = json.loads((directory / FILE_NAME).read_text())
    except FileNotFoundError as error:
        raise click.ClickException(f"No simulator runs: {directory / FILE_NAME} does not exist") from error
    with requests.Session() as session:
        # A web proxy in the environment must not get in the way of loopback.
        session.trust_env = False
        try:
            answer = session.post(
                f"http://{addresses['control']}/{order}",
                json=body,
                headers={"Authorization": f"Bearer {addresses['token']}"},
                timeout=_ORDER_TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise click.ClickException(f"The simulator does not answer at {addresses['control']}") from error
    if not answer.ok:
        raise click.ClickException(answer.text)
    click.echo(f"done: {order}")
