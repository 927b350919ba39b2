"""Command line of the simulator: ``serve`` runs it, the other commands make things happen in a running one."""

import base64
import json
import os
from pathlib import Path
from typing import BinaryIO

import click
import requests

from simulator.control import ControlServer
from simulator.files import write_private_json
from simulator.installation import DEFAULT_SESSIONS, Installation, SimulatorError
from simulator.issues import SEVERITIES
from simulator.lifetime import Lifetime

FILE_NAME = "simulator.json"
DEFAULT_DIRECTORY = Path("var/simulator")
_ORDER_TIMEOUT_S = 30.0

_directory = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help=f"Where {FILE_NAME} is.",
)


@click.group(name="simulator")
def cli() -> None:
    """Simulate a drunc installation, or make things happen in a running simulation."""


@cli.command()
@_directory
@click.option("--kafka", metavar="HOST:PORT", help="Brokers for broadcasts and ERS issues.")
@click.option("--sessions", default=",".join(DEFAULT_SESSIONS), show_default=True, help="Sessions to boot.")
@click.option("--time-scale", type=click.FloatRange(0), default=1.0, show_default=True, help="1 is natural, 0 at once.")
@click.option("--chatter", type=click.FloatRange(0), default=3.0, show_default=True, help="ERS issues a second.")
@click.option("--with-parent", is_flag=True, help="End when the parent process ends.")
def serve(
    *, directory: Path, kafka: str | None, sessions: str, time_scale: float, chatter: float, with_parent: bool
) -> None:
    """Run an installation until SIGTERM or SIGINT; its addresses are in simulator.json once all servers answer."""
    lifetime = Lifetime(with_parent=with_parent)
    names = [name.strip() for name in sessions.split(",") if name.strip()]
    path = directory / FILE_NAME
    path.unlink(missing_ok=True)
    try:
        installation = Installation(names, kafka, time_scale=time_scale, chatter_hz=chatter)
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    _serve(installation, path, lifetime)


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
        "connectivity": installation.connectivity_address,
        "control": control.address,
        "token": control.token,
        "kafka": installation.kafka_address,
        "sessions": list(installation.sessions),
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
